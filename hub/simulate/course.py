"""`samklang simulate`: runs seeds one after another, shows how far it is, and says what came of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.clock import SystemClock
from hub.errors import ConfigError
from hub.log import configure
from hub.settings.model import Config
from hub.simulate.faults import Faults, faults_of
from hub.simulate.report import page
from hub.simulate.retailer import WORLDS, generated, own
from hub.simulate.scheduler import START
from hub.simulate.simulation import Result, Simulation, Wanted

TELLS_SHOWN: Final = 20


def run_seeds(
    seeds: Sequence[int],
    folder: Path | None,
    *,
    days: int,
    items: int,
    customers: int,
    world: str,
    named: str,
    report: Path | None = None,
    console: Console | None = None,
    as_json: bool = False,
) -> bool:
    """Simulate each seed and print what came of it; whether no promise was broken. ConfigError for what cannot be simulated."""
    config = own(folder) if folder else generated(_known(world))
    faults = faults_of(named)
    said = console or Console(stderr=as_json)
    # What goes wrong is wanted here: the hub's own words of it would bury the result.
    configure(now=SystemClock().now, as_json=False, level="critical")
    results = []
    for seed in seeds:
        wanted = Wanted(seed, days, items, customers)
        result = _one(config, wanted, faults, said)
        results.append(result)
        if result.violations:
            _explain(result, said)
        said.print(summary(result), markup=False, highlight=False, soft_wrap=True)
    if as_json:
        Console(soft_wrap=True).out(write_json([document(result) for result in results]), highlight=False)
    else:
        right = sum(1 for result in results if not result.violations)
        said.print(f"What came of it: {right} of {len(results)} seeds agree in the end and broke no promise")
    if report is not None:
        report.write_text(page(results, named), encoding="utf-8")
        said.print(f"Report: {report}")
    return not any(result.violations for result in results)


def _known(world: str) -> str:
    if world not in WORLDS:
        raise ConfigError(f"there is no retailer {world}: choose one of {', '.join(WORLDS)}")
    return world


def _one(config: Config, wanted: Wanted, faults: Faults, said: Console) -> Result:
    columns = (TextColumn("seed {task.fields[seed]}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=said, transient=True, disable=not said.is_terminal) as shown:
        bar = shown.add_task("", total=1.0, seed=wanted.seed)
        return Simulation(config, wanted, faults).run(lambda share: shown.update(bar, completed=share))


def _explain(result: Result, said: Console) -> None:
    """A seed that failed: what broke at which step, what people did last, and the last lines of the ledger."""
    said.print(f"\nSeed {result.seed}:", style="bold red")
    for violation in result.violations:
        said.print(f"  {(violation.at - START) / 3_600_000_000:.3f} h  {violation}", markup=False, highlight=False)
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
        f"seed {result.seed}: {broken} · {result.sold} sold, {result.oversold} pieces oversold · disagreed for {half:.0f} / "
        f"{most:.0f} / {worst:.0f} min · {calls} calls · {gone_wrong} faults, {result.starts} starts of the hub · "
        f"ledger {result.ledger_hash[:16]}"
    )
