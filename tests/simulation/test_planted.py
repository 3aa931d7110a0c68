"""The test of the tests: bugs planted into the hub, each of which the simulator must find, while the hub as it is passes.

A mutant that survives is a hole in a checker. The table in `planted/README.md` says which promise catches which.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planted.mutants import MUTANTS
from planted.plant import Mutant, StaleError

ROOT = Path(__file__).parents[2]
PLANT = Path(__file__).parent / "planted" / "plant.py"
SECONDS_MAX = 900
QUICK = [mutant for mutant in MUTANTS if mutant.quick]
PASSED = sorted({(mutant.world, seed) for mutant in MUTANTS for seed in range(mutant.seeds)})
PASSED_QUICK = {(mutant.world, seed) for mutant in QUICK for seed in range(mutant.seeds)}


def simulated(name: str, world: str, seeds: range | list[int]) -> list[dict[str, Any]]:
    """What came of each seed, in a process of its own: a planted module stays planted."""
    started = [sys.executable, str(PLANT), name, world, *map(str, seeds)]
    ran = subprocess.run(started, capture_output=True, text=True, timeout=SECONDS_MAX, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_there_are_many_and_each_has_a_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 48
    assert 6 <= len(QUICK) <= 12


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_can_be_planted(mutant: Mutant) -> None:
    compile(mutant.source(), mutant.file, "exec")


def test_one_whose_lines_are_gone_fails() -> None:
    with pytest.raises(StaleError, match="0 times"):
        replace(MUTANTS[0], was="these words stand nowhere").source()


@pytest.mark.parametrize(
    "mutant", [pytest.param(each, marks=() if each.quick else pytest.mark.long, id=each.name) for each in MUTANTS]
)
def test_the_simulator_finds_it(mutant: Mutant) -> None:
    found = simulated(mutant.name, mutant.world, range(mutant.seeds))[-1]
    assert found["broken"], f"survived {mutant.seeds} seeds of {mutant.world}"
    assert {promise for promise, _ in found["broken"]} & set(mutant.caught), found["broken"]


@pytest.mark.parametrize(
    ("world", "seed"),
    [pytest.param(*each, marks=() if each in PASSED_QUICK else pytest.mark.long) for each in PASSED],
)
def test_the_hub_as_it_is_passes(world: str, seed: int) -> None:
    (found,) = simulated("-", world, [seed])
    assert found["broken"] == []


def test_the_table_names_every_one_with_the_promise_that_catches_it() -> None:
    told = (PLANT.parent / "README.md").read_text(encoding="utf-8")
    rows = [f"| {each.name} | {' / '.join(each.caught)} | {each.seeds} | {each.world} | `{each.file}` |" for each in MUTANTS]
    assert [line for line in told.splitlines() if line.startswith("| ") and not line.startswith(("| bug", "| ---"))] == rows
