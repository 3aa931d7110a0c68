"""`samklang simulate`: runs seeds, one after another or on several cores, shows how far it is, and says what came of each."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.clock import SystemClock
from hub.errors import ConfigError
from hub.log import configure
from hub.paths import shipped_config
from hub.settings.model import Config
from hub.simulate.all_knowing import BLAME, OURS
from hub.simulate.earlier import Earlier, mark
from hub.simulate.faults import faults_of
from hub.simulate.report import page
from hub.simulate.retailer import WORLDS, generated, own, texts_of
from hub.simulate.scheduler import start_of
from hub.simulate.simulation import Result, Simulation, Wanted

TELLS_SHOWN: Final = 20
THROUGH_HTTPX_EVERY: Final = 20
"""One seed in so many runs through the HTTP client of production."""


@dataclass(frozen=True, slots=True)
class Course:
    """What to run: a merchant's own `folder`, or the shipped retailer `world`; `faults` by name or file."""

    seeds: Sequence[int]
    wanted: Wanted
    """With whatever seed."""
    folder: Path | None = None
    world: str = WORLDS[0]
    faults: str = "usual"
    jobs: int = 1
    """How many seeds at once; 0: as many as there are cores."""
    resume: Path | None = None
    """Where results are kept, and read from instead of running a seed again."""
    report: Path | None = None

    def config(self) -> Config:
        """The retailer's configuration; ConfigError when it is not right, or there is no such retailer."""
        if self.folder is None and self.world not in WORLDS:
            raise ConfigError(f"there is no retailer {self.world}: choose one of {', '.join(WORLDS)}")
        return generated(self.world) if self.folder is None else own(self.folder)

    def simulation(self, seed: int, config: Config | None = None) -> Simulation:
        """The days of this seed, ready to be run; with another configuration than the course's own, where one is given."""
        through_httpx = self.wanted.through_httpx or seed % THROUGH_HTTPX_EVERY == 0
        wanted = replace(self.wanted, seed=seed, start=start_of(seed), through_httpx=through_httpx)
        return Simulation(config or self.config(), wanted, faults_of(self.faults))


def run_seeds(course: Course, *, console: Console | None = None, as_json: bool = False) -> bool:
    """Simulate each seed and print what came of it; whether no promise was broken. ConfigError for what cannot be simulated."""
    clock = SystemClock()
    said = console or Console(stderr=as_json)
    faults = faults_of(course.faults)
    course.config()
    known: dict[int, Result] = {}
    kept = None
    if course.resume is not None:
        texts = texts_of(course.folder or shipped_config() / course.world)
        kept = Earlier(course.resume, mark(texts, course.wanted, faults))
        known = {seed: result for seed, result in kept.results().items() if seed in course.seeds}
        said.print(f"{len(known)} of {len(course.seeds)} seeds are known from {course.resume}")
    left = [seed for seed in course.seeds if seed not in known]
    began = clock.monotonic()
    for result in _run(course, left, said):
        known[result.seed] = result
        if kept is not None:
            kept.keep(result)
        if result.violations:
            _explain(result, said)
        said.print(summary(result), markup=False, highlight=False, soft_wrap=True)
    took = clock.monotonic() - began
    results = [known[seed] for seed in sorted(known)]
    if as_json:
        Console(soft_wrap=True).out(write_json([document(result) for result in results]), highlight=False)
    else:
        _conclude(course, results, len(left), took, said)
    if course.report is not None:
        course.report.write_text(page(results, course.faults), encoding="utf-8")
        said.print(f"Report: {course.report}")
    return not any(result.violations for result in results)


def _conclude(course: Course, results: Sequence[Result], ran: int, took: float, said: Console) -> None:
    right = sum(1 for result in results if not result.violations)
    said.print(f"What came of it: {right} of {len(results)} seeds agree in the end and broke no promise")
    if ran:
        days = ran * course.wanted.days
        said.print(f"{days} simulated days in {took:.0f} s: {days / max(took, 0.001):.3f} days a second")


def _run(course: Course, seeds: Sequence[int], said: Console) -> Iterator[Result]:
    """Every seed's result, in the order in which they come."""
    jobs = min(len(seeds), course.jobs or os.cpu_count() or 1)
    if jobs <= 1:
        yield from (_shown(course, seed, said) for seed in seeds)
        return
    # Each in a fresh interpreter: nothing of one seed can reach another.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        under_way = [pool.submit(_alone, course, seed) for seed in seeds]
        try:
            for each in as_completed(under_way):
                yield each.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def quiet() -> None:
    """Keep the hub's own words of what goes wrong to itself: it is wanted here, and they would bury the result."""
    configure(now=SystemClock().now, as_json=False, level="critical")


def _alone(course: Course, seed: int) -> Result:
    quiet()
    return course.simulation(seed).run()


def _shown(course: Course, seed: int, said: Console) -> Result:
    quiet()
    columns = (TextColumn("seed {task.fields[seed]}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=said, transient=True, disable=not said.is_terminal) as shown:
        bar = shown.add_task("", total=1.0, seed=seed)
        return course.simulation(seed).run(lambda share: shown.update(bar, completed=share))


def _explain(result: Result, said: Console) -> None:
    """A seed that failed: what broke at which step, what people did last, and the last lines of the ledger."""
    said.print(f"\nSeed {result.seed}:", style="bold red")
    for violation in result.violations:
        said.print(
            f"  {(violation.at - start_of(result.seed)) / 3_600_000_000:.3f} h  {violation}", markup=False, highlight=False
        )
    said.print("What people did last:")
    for line in result.tells[-TELLS_SHOWN:]:
        said.print(f"  {line}", markup=False, highlight=False)
    said.print(f"The last {len(result.last_lines)} lines of the ledger:")
    for line in result.last_lines:
        said.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def document(result: Result) -> dict[str, Plain]:
    """What came of a seed as plain values; durations in whole seconds."""
    return {
        "seed": result.seed,
        "agree": not result.violations,
        "violations": [str(each) for each in result.violations],
        "settled_seconds": round(result.settled_seconds),
        "disagreed_seconds": {name: [round(each) for each in lasted] for name, lasted in result.disagreed.items()},
        "sold": result.sold,
        "oversold": result.oversold,
        "oversold_by_fault_of": {whose: result.account.blamed(whose) for whose in BLAME},
        "lost_to_caution": result.account.lost,
        "stock_writes": {
            name: {"manner": each.words(), "writes": each.writes, "sold_between": each.sold_between, "undone": each.undone}
            for name, each in result.exposure.items()
        },
        "calls": {f"{name} {what}": count for (name, what), count in sorted(result.calls.items())},
        "faults": dict(sorted(result.faults.items())),
        "starts": result.starts,
        "ledger": result.ledger_hash,
    }


def summary(result: Result) -> str:
    """One line on a seed; minutes are those that disagreements lasted: half of them, 99 of 100, all."""
    half, most, worst = (max((each[place] for each in result.disagreed.values()), default=0.0) / 60 for place in range(3))
    gone_wrong = sum(result.faults.values())
    calls = sum(count for (_, what), count in result.calls.items() if what != "refused")
    broken = f"{len(result.violations)} promises broken" if result.violations else "all agree"
    return (
        f"seed {result.seed}: {broken} · {result.sold} sold, {result.oversold} pieces oversold "
        f"({result.account.blamed(OURS)} by the hub's fault), {result.account.lost} lost to caution · disagreed for {half:.0f} / "
        f"{most:.0f} / {worst:.0f} min · {calls} calls · {gone_wrong} faults, {result.starts} starts of the hub · "
        f"ledger {result.ledger_hash[:16]}"
    )
