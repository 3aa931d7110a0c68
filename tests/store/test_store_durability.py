"""What SQLite has acknowledged is there after the process was killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.clock import SystemClock
from hub.store import catalogue
from hub.store.open import open_database

ROOT = Path(__file__).parents[2]

WRITER = """
import sys, threading
from hub.clock import SystemClock
from hub.store import catalogue
from hub.store.catalogue import Item
from hub.store.open import open_database

database = open_database(sys.argv[1] if "://" in sys.argv[1] else __import__("pathlib").Path(sys.argv[1]), clock=SystemClock())
say = threading.Lock()

def work(name):
    for n in range(1_000_000):
        database.transaction(lambda tx: catalogue.save_items(tx, [Item(f"{name}{n}", "x"), Item(f"{name}{n} twin", "x")]))
        with say:
            print(f"{name}{n}", flush=True)

for name in "abc":
    threading.Thread(target=work, args=(name,), daemon=True).start()
threading.Event().wait()
"""


def _killed_after(where: str, acknowledged_max: int) -> list[str]:
    """The ids that the writer called durable before it was killed in the middle of its work."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", WRITER, where], stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline().strip() for _ in range(acknowledged_max)]
        writer.send_signal(signal.SIGKILL)
        # A line cut by the kill was never said.
        said += [line.strip() for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    return said


@pytest.mark.parametrize("acknowledged_max", [1, 100])
def test_acknowledged_rows_survive_a_kill(tmp_path: Path, acknowledged_max: int) -> None:
    path = tmp_path / "hub.db"
    said = _killed_after(str(path), acknowledged_max)
    assert len(said) >= acknowledged_max
    database = open_database(path, clock=SystemClock())
    try:
        kept = database.read(catalogue.all_item_ids)
    finally:
        database.close()
    assert set(said) <= set(kept)
    assert {f"{each} twin" for each in kept if " " not in each} == {each for each in kept if " " in each}


def test_acknowledged_rows_survive_a_killed_client_of_postgresql(postgres_url: str) -> None:
    said = _killed_after(postgres_url, 60)
    database = open_database(postgres_url, clock=SystemClock())
    try:
        kept = database.read(catalogue.all_item_ids)
    finally:
        database.close()
    assert set(said) <= set(kept)
    assert {f"{each} twin" for each in kept if " " not in each} == {each for each in kept if " " in each}
