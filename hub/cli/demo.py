"""`samklang demo`: four small platforms, the hub as a user starts it, a day in fast motion, and a judge at the end."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.simulate.world import ITEMS_MAX, ITEMS_MIN

ITEMS, SEED = 24, 1


def demo(
    items: Annotated[int, typer.Option(min=ITEMS_MIN, max=ITEMS_MAX, help="How many items are sold")] = ITEMS,
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same day")] = SEED,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up at the end, until Ctrl-C")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the final picture as JSON")] = False,
) -> None:
    """A day in fast motion on four small platforms; 0 only when every channel agrees in the end, whatever went wrong."""
    from hub.simulate.demo import run_demo

    raise typer.Exit(run_demo(items, seed, keep=keep, as_json=as_json))
