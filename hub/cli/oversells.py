"""`samklang oversells`: what was sold that nobody has, to whom, and whether the hub could have known."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import say

KNOWN = {"no": "no", "hub": "yes", "told": "yes, and the channel had been told", "": ""}


def oversells(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="At most this many lines of the record")] = 50,
    config: say.ConfigOption = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """The record of oversells, newest first. Ends with 1 while any unit is promised that nobody has."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.oversold import latest

        with opened(config) as place:
            found = place.database.read(lambda tx: latest(tx, limit))
        if as_json:
            say.document({"oversells": [each.document() for each in found]})
        elif not found:
            say.line("nothing was ever sold that nobody has")
        else:
            heads = ("at", "SKU", "change", "oversold then", "now", "orders", "channels", "could the hub have known", "words")
            rows = [
                (o.at, o.sku, o.rose, o.quantity, o.now, " ".join(o.orders), " ".join(o.channels), KNOWN[o.known], o.words)
                for o in found
            ]
            say.table(heads, rows)
        say.ends(any(each.now != "0" for each in found))
