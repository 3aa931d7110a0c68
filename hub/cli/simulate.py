"""`samklang simulate`: days of a whole retailer in a minute, with everything going wrong; the same seed is the same days."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.errors import ConfigError

ITEMS, CUSTOMERS = 20, 120


def simulate(
    config: Annotated[Path | None, typer.Option(help="A merchant's own configuration; without it a retailer is made")] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many days go by")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same days")] = 0,
    seeds: Annotated[str, typer.Option(metavar="A..B", help="All seeds from A to B, instead of one")] = "",
    faults: Annotated[str, typer.Option(help="none, usual, hostile, or a YAML file")] = "usual",
    items: Annotated[int, typer.Option(min=1, max=10_000, help="How many items are sold")] = ITEMS,
    customers: Annotated[int, typer.Option(min=1, help="How many customers come in a day, about")] = CUSTOMERS,
    world: Annotated[
        str, typer.Option(help="The made retailer: seven (channels: two stores, three webshops) or small (four channels)")
    ] = "seven",
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write what came of it as one page")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="What came of each seed as JSON")] = False,
) -> None:
    """Rehearse days on platforms in small; 0 only when every channel agrees in the end and no promise was broken."""
    from hub.simulate.course import run_seeds

    chosen = _range(seeds) if seeds else range(seed, seed + 1)
    right = run_seeds(
        chosen,
        config,
        days=days,
        items=items,
        customers=customers,
        world=world,
        named=faults,
        report=report,
        as_json=as_json,
    )
    raise typer.Exit(0 if right else 1)


def _range(text: str) -> range:
    first, dots, last = text.partition("..")
    if not dots or not first.isdecimal() or not last.isdecimal() or int(first) > int(last):
        raise ConfigError(f"--seeds {text}: write two numbers such as 0..19")
    return range(int(first), int(last) + 1)
