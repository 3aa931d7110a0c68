"""`samklang settle`: a person did what only a person can do for an order."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import say


def settle(
    order: Annotated[list[str], typer.Argument(help="Numbers of orders, our ids of them, or any system's own ids")],
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Say that what an order asked of a person is done: it is no longer listed as stuck, until it asks for something else."""
    with say.outcome(as_json):
        from hub.cli.ask import ask, told
        from hub.cli.place import opened

        with opened(config) as place:
            told(ask(place, "settle", {"orders": order}, wait), as_json, wait)
