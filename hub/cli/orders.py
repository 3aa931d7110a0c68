"""`samklang orders`: the orders heard of last, what is open of them, where they exist, and why they are stuck."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import say

SHOWN = ("number", "channel", "state", "placed_at", "total")


def orders(
    stuck: Annotated[bool, typer.Option("--stuck", help="Only those that something keeps from going on")] = False,
    channel: Annotated[str, typer.Option("--channel", help="Only those placed on this channel")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="At most this many")] = 50,
    config: say.ConfigOption = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """The latest orders, newest first. With --stuck it ends with 1 when there is any."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.story import latest

        with opened(config) as place:
            found = latest(place.config, place.database, channel=channel, stuck=stuck, limit=limit)
        if as_json:
            names = (*SHOWN, "order", "their", "history", "open", "documents", "stuck")
            say.document({"orders": [{name: getattr(each, name) for name in names} for each in found]})
        elif not found:
            say.line("no order is stuck" if stuck else "no orders")
        else:
            rows = [
                [
                    *(getattr(each, name) for name in SHOWN),
                    "history" if each.history else ", ".join(each.open) or "-",
                    ", ".join(f"{document['channel']} {document['their']}" for document in each.documents),
                    "; ".join(each.stuck),
                ]
                for each in found
            ]
            say.table(("number", "channel", "state", "placed at", "total", "open", "documents", "stuck"), rows)
        say.ends(stuck and bool(found))
