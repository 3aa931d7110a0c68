"""What came of the contest about the pace: side by side in words, as plain values, and as one page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from rich.console import Console

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.simulate.course import quiet
from hub.simulate.onepage import one_page, table
from hub.simulate.pace_contest import Compared, Ran, Scenario, contest, scenario, times, times_beyond

_HEADS: Final = (
    "seed",
    "order",
    "DKK at risk",
    "shows too many",
    "shows too few",
    "wrong price",
    "oversold there",
    "oversold elsewhere",
    "wanted and not shown",
    "hours wrong",
    "longest, min",
    "calls",
    "times less",
)


def run_contest(seeds: Sequence[int], report: Path | None, as_json: bool) -> bool:
    """Run it over these seeds (those of the scenario for none), print what came of it; whether the goal was reached."""
    said, told = Console(stderr=as_json, soft_wrap=True), scenario()
    quiet()
    found = contest(seeds, lambda each: said.print(words(each), markup=False, highlight=False))
    if as_json:
        Console(soft_wrap=True).out(write_json([document(each) for each in found]), highlight=False)
    said.print(verdict(found, told), markup=False, highlight=False)
    if report is not None:
        report.write_text(page(found, told), encoding="utf-8")
        said.print(f"Report: {report}")
    return reached(found, told)


def reached(found: Sequence[Compared], told: Scenario) -> bool:
    """Whether the goal of the scenario was reached over all seeds together."""
    fewer = _oversold(each.by_damage for each in found) < _oversold(each.in_order for each in found)
    return fewer and times(found) >= told.goal_times


def verdict(found: Sequence[Compared], told: Scenario) -> str:
    """What came of all seeds together, in one line."""
    more, less = _oversold(each.in_order for each in found), _oversold(each.by_damage for each in found)
    goal = "reached" if reached(found, told) else "not reached"
    return (
        f"What came of it: {times(found):.1f} times less at risk, {less} pieces oversold, not {more}, over {len(found)} seeds · "
        f"goal of {told.goal_times} times less, and fewer oversold: {goal} · beyond the news on its way to the hub, which no "
        f"order of telling can change: {times_beyond(found):.1f} times less"
    )


def words(each: Compared) -> str:
    """A seed in one line."""
    one, other = each.by_damage, each.in_order
    return (
        f"seed {each.seed}: {other.staleness:.0f} DKK at risk first in, first out; {one.staleness:.0f} with {one.order} "
        f"({each.unhurried.staleness:.0f} with pace to spare): {each.times:.1f} times less · oversold there {other.oversold} and "
        f"{one.oversold}, elsewhere {other.oversold_elsewhere} and {one.oversold_elsewhere} · {other.calls} and {one.calls} calls"
    )


def document(each: Compared) -> dict[str, Plain]:
    """A seed as plain values: kroner and pieces in whole numbers."""
    runs = {"by_damage": _plain(each.by_damage), "in_order": _plain(each.in_order), "unhurried": _plain(each.unhurried)}
    return {"seed": each.seed, "times_less": f"{each.times:.2f}", "times_less_beyond": f"{each.times_beyond:.2f}", **runs}


def page(found: Sequence[Compared], told: Scenario) -> str:
    """Everything as one page that needs nothing else."""
    rows = []
    for each in found:
        rows += [_row(each, each.in_order, ""), _row(each, each.by_damage, f"{each.times:.1f}"), _row(each, each.unhurried, "")]
    text = (
        f"The same customers, the same staff, the same budget in front of the {told.channel}: {told.changes_per_call} changes in "
        "a call. At risk is what an hour of what the channel shows wrongly costs, by what customers really want and what really "
        "is there, added up from the beginning of the campaign to its end."
    )
    said = f"<p>{escape(text)}</p><p><strong>{escape(verdict(found, told))}</strong></p>"
    return one_page("What is told first", [said, table(_HEADS, [list(map(escape, row)) for row in rows], numbers=True)])


def _oversold(runs: Iterable[Ran]) -> int:
    return sum(ran.oversold + ran.oversold_elsewhere for ran in runs)


def _plain(ran: Ran) -> dict[str, Plain]:
    return {
        "at_risk": {cause: round(amount) for cause, amount in ran.at_risk.items()},
        "oversold": ran.oversold,
        "oversold_elsewhere": ran.oversold_elsewhere,
        "not_sold": ran.not_sold,
        "wrong_hours": round(ran.wrong_hours),
        "longest_minutes": round(ran.longest_minutes),
        "calls": ran.calls,
    }


def _row(each: Compared, ran: Ran, times: str) -> list[str]:
    risks = [f"{amount:.0f}" for amount in (ran.staleness, *ran.at_risk.values())]
    pieces = [str(number) for number in (ran.oversold, ran.oversold_elsewhere, ran.not_sold)]
    return [
        str(each.seed),
        ran.order,
        *risks,
        *pieces,
        f"{ran.wrong_hours:.0f}",
        f"{ran.longest_minutes:.0f}",
        str(ran.calls),
        times,
    ]
