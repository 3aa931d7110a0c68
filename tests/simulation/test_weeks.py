"""The hostile weeks that were run are on record, a line each with its ledger's hash; the README says their sum."""

from __future__ import annotations

import json
from pathlib import Path

from hub.simulate.all_knowing import OURS
from hub.simulate.earlier import Earlier
from hub.simulate.simulation import Result

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "tests/simulation/weeks.jsonl"
WEEK_SECONDS = 7 * 86_400


def on_record() -> list[Result]:
    """Those with the newest mark: the code as it was last run."""
    marks = [json.loads(line)["mark"] for line in RECORD.read_text(encoding="utf-8").splitlines() if line]
    return list(Earlier(RECORD, marks[-1]).results().values())


def test_every_week_on_record_was_a_whole_one_and_kept_every_promise() -> None:
    weeks = on_record()
    assert weeks
    assert [(week.seed, week.violations) for week in weeks if week.violations] == []
    assert all(week.virtual_seconds > WEEK_SECONDS and week.sold >= 7 * 300 for week in weeks)


def test_the_readme_says_what_is_on_record() -> None:
    said = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    weeks = on_record()
    sold, lost = sum(week.sold for week in weeks), sum(week.account.lost for week in weeks)
    ours = sum(week.account.blamed(OURS) for week in weeks)
    starts, faults = span([week.starts for week in weeks]), span([sum(week.faults.values()) for week in weeks])
    assert f"Weeks on record in `tests/simulation/weeks.jsonl`, each with the hash of its ledger: {len(weeks)}." in said
    assert f"{sold:,} orders, {ours} pieces oversold by the hub with nothing divided, {lost} lost to caution" in said
    assert f"{starts} starts of the hub and {faults} faults" in said


def span(numbers: list[int]) -> str:
    """From the least to the most; one number where they are the same."""
    least, most = f"{min(numbers):,}", f"{max(numbers):,}"
    return least if least == most else f"{least} to {most}"
