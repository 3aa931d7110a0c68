"""`samklang simulate --exposure`: the same days with nothing kept back, with a piece, with two, and with the last pieces divided.

Each way stands in place of the merchant's own allocation rules; customers, staff and faults have the same luck.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rich.console import Console

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.settings.check_quota import quota_problems
from hub.settings.model import AllocationRule, Config
from hub.simulate.all_knowing import BLAME
from hub.simulate.course import Course, quiet
from hub.simulate.exposure import Exposed
from hub.simulate.retailer import BOOKS_ROLE, WEBSHOP_ROLE
from hub.simulate.simulation import Result

QUOTA_BELOW: Final = 12
DIVIDED: Final = "last 12 divided"
BLAMED: Final = ("by nobody's fault", "as somebody typed it", "by the hub's fault")


@dataclass(slots=True)
class Way:
    """One way to allocate, and what came of it over all seeds; pieces."""

    name: str
    config: Config
    sold: int = 0
    broken: int = 0
    """Seeds that broke a promise."""
    oversold: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BLAME, 0))
    lost: int = 0
    exposure: dict[str, Exposed] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Count what came of a seed."""
        self.sold += result.sold
        self.broken += bool(result.violations)
        self.lost += result.account.lost
        for whose in BLAME:
            self.oversold[whose] += result.account.blamed(whose)
        for name, each in result.exposure.items():
            known = self.exposure.setdefault(
                name, replace(each, writes=0, sold_between=0, undone=0, seconds=0.0, seconds_max=0.0)
            )
            known.writes += each.writes
            known.sold_between += each.sold_between
            known.undone += each.undone
            known.seconds += each.seconds
            known.seconds_max = max(known.seconds_max, each.seconds_max)

    def document(self) -> dict[str, Plain]:
        """It as plain values."""
        return {
            "way": self.name,
            "sold": self.sold,
            "seeds_broken": self.broken,
            "oversold_by_fault_of": self.oversold,
            "lost_to_caution": self.lost,
            "stock_writes": {
                name: {
                    "manner": each.words(),
                    "writes": each.writes,
                    "seconds": round(each.seconds / max(1, each.writes), 3),
                    "seconds_max": round(each.seconds_max, 3),
                    "sold_between": each.sold_between,
                    "undone": each.undone,
                }
                for name, each in self.exposure.items()
            },
        }


def ways(config: Config) -> Iterator[Way]:
    """The ways that are laid side by side; the last pieces are divided only where the configuration allows that."""
    for kept in (0, 1, 2):
        name = f"safety stock {kept}"
        yield Way(name, _with(config, AllocationRule(safety_stock=kept)))
    shops = {name for name, each in config.channels.items() if each.role == WEBSHOP_ROLE}
    weights = {
        name: int(name in shops) for name, each in config.channels.items() if each.sells_from and not _counts(config, name)
    }
    weights |= {name: 1 for name, each in config.channels.items() if each.role == BOOKS_ROLE}
    divided = _with(config, AllocationRule(quota_below=QUOTA_BELOW, quota_weights=weights))
    if not list(quota_problems(divided)):
        yield Way(DIVIDED, divided)


def run_side_by_side(course: Course, *, console: Console | None = None, as_json: bool = False) -> bool:
    """Run every seed each way and print what came of it; whether no promise was broken."""
    said = console or Console(stderr=as_json)
    quiet()
    done = list(ways(course.config()))
    for way in done:
        for seed in course.seeds:
            way.add(course.simulation(seed, way.config).run())
            said.print(f"{way.name}, seed {seed}: done", highlight=False)
    if as_json:
        Console(soft_wrap=True).out(write_json([way.document() for way in done]), highlight=False)
    else:
        for line in _outcomes(done):
            said.print(line, highlight=False, soft_wrap=True)
    return not any(way.broken for way in done)


def _with(config: Config, rule: AllocationRule) -> Config:
    return config.model_copy(update={"allocation": config.allocation.model_copy(update={"rules": (rule,)})})


def _counts(config: Config, channel: str) -> bool:
    """Whether it is right about stock itself."""
    return any(entry.channel == channel for entry in config.authority.stock)


def _outcomes(done: Sequence[Way]) -> Iterator[str]:
    """What came of each way in lines."""
    yield "Pieces, against a hub that knows everything at once:"
    for way in done:
        blamed = ", ".join(f"{way.oversold[whose]} {words}" for whose, words in zip(BLAME, BLAMED, strict=True))
        broken = f", {way.broken} seeds broke a promise" if way.broken else ""
        yield f"  {way.name}: {way.sold} orders; oversold {blamed}; {way.lost} lost to caution{broken}"
    yield "Stock writes; what was sold between the figure that each was based on and its effect, and offered once more by it:"
    for way in done:
        for name, each in way.exposure.items():
            seconds = f"{each.seconds / max(1, each.writes):.2f} s, longest {each.seconds_max:.1f} s"
            if each.writes:
                told = f"{each.writes} writes, {seconds}; {each.sold_between} sold meanwhile, {each.undone} of them offered again"
                yield f"  {way.name}: {name}, {each.words()}: {told}"
