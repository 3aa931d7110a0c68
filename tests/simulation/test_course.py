"""A course of seeds as a user runs it: on several cores, stopped and gone on with; what still counts is not run again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.simulate.course import Course, run_seeds
from hub.simulate.earlier import Earlier, code, mark
from hub.simulate.faults import PRESETS
from hub.simulate.scheduler import start_of
from hub.simulate.side_by_side import ways
from hub.simulate.simulation import Wanted

ROOT = Path(__file__).parents[2]
SMALL = ["--world", "small", "--items", "3", "--customers", "10", "--faults", "none"]


def ran(*given: str) -> str:
    started = [sys.executable, "-m", "hub.cli.main", "simulate", *SMALL, *given]
    ended = subprocess.run(started, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def ledgers(said: str) -> dict[str, str]:
    lines = [line for line in said.splitlines() if line.startswith("seed ")]
    return {line.split(":")[0]: line.rsplit(" ", 1)[1] for line in lines}


def test_a_course_goes_on_where_it_was_stopped_and_its_seeds_are_the_same_on_any_number_of_cores(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    first = ran("--seeds", "0..1", "--jobs", "2", "--resume", str(kept))
    assert "0 of 2 seeds are known" in first
    with kept.open("a", encoding="utf-8") as opened:
        opened.write('\n{"mark": "cut sho')
    rest = ran("--seeds", "0..2", "--resume", str(kept), "--report", str(tmp_path / "page.html"))
    assert "2 of 3 seeds are known" in rest
    assert set(ledgers(rest)) == {"seed 2"}
    assert "3 of 3 seeds agree" in rest
    assert "all 3 seeds agree" in (tmp_path / "page.html").read_text(encoding="utf-8")
    again = ledgers(ran("--seeds", "0..0"))
    assert again["seed 0"] == ledgers(first)["seed 0"]


def test_a_result_of_other_wishes_does_not_count(tmp_path: Path) -> None:
    texts = {"hub.yaml": "name: made"}
    marks = {
        mark(texts, Wanted(0, 1, 20, 120), PRESETS["usual"]),
        mark(texts, Wanted(0, 2, 20, 120), PRESETS["usual"]),
        mark(texts, Wanted(0, 1, 20, 120), PRESETS["hostile"]),
        mark({"hub.yaml": "name: other"}, Wanted(0, 1, 20, 120), PRESETS["usual"]),
    }
    assert len(marks) == 4
    assert mark(texts, Wanted(7, 1, 20, 120), PRESETS["usual"]) in marks
    assert Earlier(tmp_path / "none yet", marks.pop()).results() == {}


def test_words_about_the_code_change_no_result() -> None:
    bare = "class One:\n    at: int = 1\n\n    def two(self) -> int:\n        return 2\n"
    said = f'"""All."""\n\n\n{bare}'.replace("= 1\n", '= 1  # or 0\n    """Where."""\n').replace(
        "int:\n", 'int:\n        """Two."""\n'
    )
    assert said.count('"""') == 6
    assert code(said) == code(bare)
    assert code(bare.replace("return 2", "return 3")) != code(bare)
    assert code(bare.replace("at: int = 1", "at: int = 2")) != code(bare)


def test_a_retailer_that_nobody_knows_is_named() -> None:
    with pytest.raises(ConfigError, match="no retailer tiny: choose one of seven, small"):
        run_seeds(Course(range(1), Wanted(0), world="tiny"))


def test_a_seed_has_its_own_days_whichever_configuration_it_runs_with() -> None:
    course = Course((1, 2), Wanted(items=5), world="small")
    one, other = (course.simulation(seed) for seed in course.seeds)
    assert [one.scheduler.began, other.scheduler.began] == [start_of(1), start_of(2)]
    assert course.simulation(2, next(ways(course.config())).config).scheduler.began == start_of(2)
