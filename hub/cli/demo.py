"""`samklang demo`: small platforms, the hub as a user starts it, a day in fast motion, and a judge at the end."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.simulate.world import ITEMS_MAX, ITEMS_MIN
from hub.simulate.worlds import WORLDS

ITEMS, SEED, WORLD = 24, 1, "demo"


def _known(world: str) -> str:
    if world not in WORLDS:
        raise typer.BadParameter(f"no such world; there is {', '.join(WORLDS)}")
    return world


def demo(
    items: Annotated[int, typer.Option(min=ITEMS_MIN, max=ITEMS_MAX, help="How many items are sold")] = ITEMS,
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same day")] = SEED,
    world: Annotated[str, typer.Option(callback=_known, help="Which shop: the name of its configuration")] = WORLD,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up at the end, until Ctrl-C")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the final picture as JSON")] = False,
) -> None:
    """A day in fast motion on small platforms; 0 only when every channel agrees and no order is lost or doubled in the end."""
    from hub.simulate.demo import run_demo

    raise typer.Exit(run_demo(items, seed, world, keep=keep, as_json=as_json))
