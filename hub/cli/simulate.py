"""`samklang simulate`: days of a whole retailer, with everything going wrong; the same seed is the same days."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.errors import ConfigError

SIZES = {"seven": (200, 600), "small": (20, 120)}
"""Items and customers a day of the made retailers; of a merchant's own: as of the small one."""


def simulate(
    config: Annotated[Path | None, typer.Option(help="A merchant's own configuration; without it a retailer is made")] = None,
    world: Annotated[
        str, typer.Option(help="The made retailer: seven (channels: two stores, three webshops) or small (four channels)")
    ] = "seven",
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many days go by")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same days")] = 0,
    seeds: Annotated[str, typer.Option(metavar="A..B", help="All seeds from A to B, instead of one")] = "",
    faults: Annotated[str, typer.Option(help="none, usual, hostile, or a YAML file")] = "usual",
    items: Annotated[int, typer.Option(min=0, max=10_000, help="How many items are sold; 0: 200, or 20 by the small one")] = 0,
    customers: Annotated[
        int, typer.Option(min=0, help="How many customers come in a day, about; 0: 600, or 120 to the small one")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=0, max=256, help="How many seeds at once; 0: as many as there are cores")] = 1,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep results here, and go on where a course of seeds was stopped")
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write what came of it as one page")] = None,
    contest: Annotated[
        bool, typer.Option("--contest", help="What is told first, against first in, first out, in front of a small budget")
    ] = False,
    exposure: Annotated[
        bool, typer.Option("--exposure", help="What safety stock and dividing the last pieces buy: the same seeds side by side")
    ] = False,
    through_httpx: Annotated[
        bool, typer.Option("--through-httpx", help="Every request through the HTTP client too; else one seed in twenty does so")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What came of each seed as JSON")] = False,
) -> None:
    """Rehearse days on platforms in small; 0 only when every channel agrees in the end and no promise was broken."""
    from hub.simulate.course import Course, run_seeds
    from hub.simulate.simulation import Wanted

    if contest:
        from hub.simulate.pace_report import run_contest

        asked = _range(seeds) if seeds else range(seed, seed + 1) if seed else ()
        raise typer.Exit(0 if run_contest(asked, report, as_json) else 1)
    chosen = _range(seeds) if seeds else range(seed, seed + 1)
    sold, come = SIZES.get("small" if config else world, SIZES["small"])
    wanted = Wanted(chosen[0], days, items or sold, customers or come, through_httpx=through_httpx)
    course = Course(chosen, wanted, config, world, faults, jobs, resume, report)
    if exposure:
        from hub.simulate.side_by_side import run_side_by_side

        raise typer.Exit(0 if run_side_by_side(course, as_json=as_json) else 1)
    raise typer.Exit(0 if run_seeds(course, as_json=as_json) else 1)


def _range(text: str) -> range:
    first, dots, last = text.partition("..")
    if not dots or not first.isdecimal() or not last.isdecimal() or int(first) > int(last):
        raise ConfigError(f"--seeds {text}: write two numbers such as 0..19")
    return range(int(first), int(last) + 1)
