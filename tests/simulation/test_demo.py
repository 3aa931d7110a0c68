"""The whole demo as a user runs it, twice with one seed: it converges, every fault occurs, and the pictures are equal."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.simulate.day import KINDS
from hub.simulate.demo import Ended, report
from hub.simulate.judge import Difference, Tally
from hub.simulate.view import Lines

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 400
LAST_LINE = r"converged: 4 channels, 12 items, 0 differences, [1-9]\d* pushes in \d+ s · [1-9]\d* orders, 0 lost, 0 doubled"


def run_once() -> tuple[dict[str, Any], str]:
    ended = subprocess.run(
        [sys.executable, "-m", "hub.cli.main", "demo", "--items", "12", "--seed", "7", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4_000:]
    picture: dict[str, Any] = json.loads(ended.stdout)
    return picture, ended.stderr.strip().splitlines()[-1]


@pytest.mark.demo
def test_the_same_seed_ends_twice_in_the_same_picture() -> None:
    first, line = run_once()
    assert re.fullmatch(LAST_LINE, line)
    assert first["differences"] == first["lost"] == first["doubled"] == 0
    assert f"· {first['orders']} orders," in line
    assert [kind for kind in KINDS if not first["faults"][kind]] == []
    assert {channel: len(listings) for channel, listings in first["shown"].items()} == dict.fromkeys(
        ("till", "erp", "webshop", "social"), 12
    )
    second, _ = run_once()
    assert second == first


def test_the_last_line_and_what_did_not_occur() -> None:
    ended = Ended({"till": {"A": 1}, "erp": {"A": 1}}, [], {"lost": 1}, 12, 41.4, [], 3)
    assert ended.line() == "converged: 2 channels, 1 items, 0 differences, 12 pushes in 41 s · 3 orders, 0 lost, 0 doubled"
    assert ended.missing == [kind for kind in KINDS if kind != "lost"]


@pytest.mark.parametrize(
    ("tally", "says"),
    [
        (Tally(lost=["a"]), "differs: 1 channels, 1 items, 0 differences, 1 pushes in 1 s · 2 orders, 1 lost, 0 doubled"),
        (Tally(doubled=["a"]), "differs: 1 channels, 1 items, 0 differences, 1 pushes in 1 s · 2 orders, 0 lost, 1 doubled"),
        (
            Tally(differences=[Difference("erp", "till-1", "total", "5", "6")]),
            "differs: 1 channels, 1 items, 1 differences, 1 pushes in 1 s · 2 orders, 0 lost, 0 doubled",
        ),
    ],
)
def test_an_order_that_is_lost_doubled_or_wrong_is_no_convergence(tally: Tally, says: str) -> None:
    ended = Ended({"erp": {"A": 1}}, [], dict.fromkeys(KINDS, 1), 1, 1.0, [], 2, tally)
    assert ended.line() == says
    out = io.StringIO()
    assert report(ended, Lines(out), out) == 1
    words = [*tally.lost, *tally.doubled, *map(str, tally.differences)]
    assert [line for line in out.getvalue().splitlines() if line in words] == words
