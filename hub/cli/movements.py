"""`samklang movements`: goods between places: what is under way, what is missing, and who was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.transit import Transit


def movements(
    only_open: Annotated[bool, typer.Option("--open", help="Only those under way, with a remainder, or told to nobody")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="At most this many")] = 50,
    config: say.ConfigOption = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """The latest movements between places, newest first. Ends with 1 when something keeps one of them from being told."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.transit import latest

        with opened(config) as place:
            found = latest(place.config, place.database, only_open=only_open, limit=limit)
        if as_json:
            say.document({"movements": [each.document() for each in found]})
        elif not found:
            say.line("nothing is under way" if only_open else "no movements")
        else:
            head = ("number", "told by", "from", "to", "state", "open", "told", "stuck")
            say.table(head, [_row(each) for each in found])
        say.ends(any(each.words for each in found))


def _row(each: Transit) -> list[str]:
    told = [
        f"{who['channel']} {who['knows']} of {line.sku} at {who['location']}"
        + (f" (to be {who['should']})" if who["should"] != who["knows"] else "")
        for line in each.lines
        for who in line.told
    ]
    where = [each.number, each.told_by, each.source or "-", each.destination or "-", each.state or "-"]
    return [*where, ", ".join(each.open) or "-", ", ".join(told) or "-", each.words]
