"""How a run begins and ends: in good order within seconds, alone on its folder, refusing in words what it cannot work with."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import SKUS, Posting, Shop, alive, command, kept_ids, until

GOOD_ORDER_SECONDS = 6.0
HANGING_SECONDS = 14.0


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    try:
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_does_so_within_seconds_and_leaves_nothing_half_done(shop: Shop, number: int) -> None:
    run = shop.start()
    posting = Posting(shop, SKUS[:4])
    posting.start()
    until("deliveries are taken", lambda: posting.sold >= 5)
    halves = shop.halves()
    began = time.monotonic()
    run.send_signal(number)
    assert run.wait(30) == 0
    assert time.monotonic() - began < GOOD_ORDER_SECONDS
    assert not any(map(alive, halves.values()))
    shop.start(ready=False)
    posting.finish()
    until("webshop and till agree", shop.agree)
    assert shop.stop() == 0
    assert {each.json()["event_id"] for each in shop.answered} <= kept_ids(shop.folder / "data", "till")
    assert [effect for effect in shop.effects if effect[1] == effect[2]] == []


def test_a_platform_that_hangs_does_not_keep_the_run_from_ending(shop: Shop) -> None:
    run = shop.start()
    hanging, over = threading.Event(), threading.Event()

    def hang(_: str) -> None:
        hanging.set()
        over.wait(30)

    shop.ports["till"].sandbox.seam = hang
    try:
        assert hanging.wait(10)
        began = time.monotonic()
        run.terminate()
        assert run.wait(30) == 0
        assert time.monotonic() - began < HANGING_SECONDS
    finally:
        over.set()


def test_halves_whose_parent_was_killed_end_by_themselves(shop: Shop) -> None:
    shop.start()
    halves = shop.halves()
    assert set(halves) == {"serve", "work"}
    shop.kill("run")
    until("both halves are gone", lambda: not any(map(alive, halves.values())), GOOD_ORDER_SECONDS)


def test_a_second_run_on_the_same_folder_is_refused_in_words_and_the_first_goes_on(shop: Shop) -> None:
    shop.start()
    for _ in range(2):
        second = command("run", str(shop.folder))
        assert second.returncode == 2
        assert "another `samklang run` is at work" in second.stderr
    shop.deliver(shop.till("sell", SKUS[0], 3))
    until("the sale is shown", lambda: shop.shows()[SKUS[0]] == 37)
    shop.reload()
    until("the reload still finds its run", lambda: "taken up" in shop.log())


def test_a_missing_secret_is_named_with_its_line(shop: Shop) -> None:
    (shop.folder / "secrets/hook_secret").unlink()
    refused = command("run", str(shop.folder))
    assert refused.returncode == 2
    assert "channels/webshop.yaml:8" in refused.stderr
    assert "hook_secret" in refused.stderr


def test_a_port_that_is_taken_is_named(shop: Shop) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", shop.port))
        other.listen()
        refused = command("run", str(shop.folder))
    assert refused.returncode == 2
    assert f"port {shop.port}" in refused.stderr


@pytest.mark.parametrize(("folder", "words"), [("/proc", "cannot be written to"), ("hub.yaml", "cannot be")])
def test_a_data_folder_that_cannot_be_written_to_is_named(shop: Shop, folder: str, words: str) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc, a folder in which nobody can make a file")
    shop.write("hub.yaml", (shop.folder / "hub.yaml").read_text(encoding="utf-8") + f"folder: {folder}\n")
    for name in ("run", "serve", "work"):
        refused = command(name, str(shop.folder))
        assert refused.returncode == 2, refused.stderr
        assert words in refused.stderr
