"""`samklang trace`: the whole story of one order, with times and causes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.story import Story

WAITS: Final = {
    "hold": "where it was placed it is only held: its goods are kept, and nobody is told of it",
    "reserve": "where it was placed it is not free to be sent: its goods are kept, and only who holds it already is told",
}
"""Why an order is nowhere booked, by its state."""


def trace(
    order: Annotated[str, typer.Argument(help="The order's number, our id of it, or any system's own id")],
    config: say.ConfigOption = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """Who said what of this order and when, what is reserved, what was sent where and what came of it. Ends with 1 when stuck."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.story import trace as traced

        with opened(config) as place:
            found = traced(place.config, place.database, order)
        if as_json:
            say.document(found.document())
        else:
            say.lines(_lines(found))
        say.ends(bool(found.stuck))


def _lines(story: Story) -> Iterator[str]:
    history = ", history" if story.history else ""
    yield f"{story.number} ({story.order}): {story.state}{history}, {story.total}, placed on {story.channel} at {story.placed_at}"
    if story.state in WAITS:
        yield f"waits: {WAITS[story.state]}"
    yield f"person: {story.person}"
    yield from (f"stuck: {each}" for each in story.stuck)
    for line in story.lines:
        cancelled = f", {line['cancelled']} cancelled" if line["cancelled"] != "0" else ""
        yield f"line {line['line']}: {line['quantity']} of {line['sku'] or 'no SKU'} ({line['kind']}){cancelled}"
    for document in story.documents:
        yield f"exists on {document['channel']} as {document['their']} ({document['role']})"
    for target in story.targets:
        yield f"{target['channel']} is to know {target['fact']}: {target['state']}"
    yield from (f"reserved: {each['words']}" for each in story.reserved)
    if not story.reserved:
        yield "nothing is reserved"
    yield "what happened"
    for at, channel, words, source in story.events:
        yield f"  {at} {channel} {words}" + (f" [{source}]" if source else "")
