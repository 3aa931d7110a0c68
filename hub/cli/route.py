"""`samklang route`: from where an order is delivered, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.whence import Decided, Whence


def route(
    order: Annotated[str, typer.Argument(help="The order's number, our id of it, or any system's own id")],
    explain: Annotated[bool, typer.Option("--explain", help="Also what each place had then and has now")] = False,
    config: say.ConfigOption = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """Which place delivers what of this order and why, and what would be decided now. Ends with 1 when it lacks goods."""
    with say.outcome(as_json):
        from hub.app import open_vault
        from hub.cli.place import opened
        from hub.store.parties import Parties
        from hub.whence import whence

        with opened(config) as place:
            near = any("nearest" in rule.by for rule in place.config.routing.rules)
            persons = Parties(open_vault(place.config, place.clock), place.clock) if near else None
            streams = {
                name: [stream for stream, one in manifest.streams.items() if "stock" in one.maps]
                for name, manifest in place.manifests.items()
            }
            found = whence(place.config, place.database, order, streams, persons)
        if as_json:
            say.document(found.document())
        else:
            say.lines(_lines(found, explain))
        say.ends(found.lacking)


def _lines(found: Whence, explain: bool) -> Iterator[str]:
    yield f"{found.number} ({found.order}): {found.state}, placed on {found.channel}"
    for each in found.decided:
        yield f"{_from(each)}, decided {each.at}: {each.why}" + (f" [{each.rule}]" if each.rule else "")
        if explain:
            yield f"  then free: {_stock(each.then)}"
            yield f"  now free besides this order: {_stock(each.now)}"
    if not found.decided:
        yield "no place was chosen"
    if not explain:
        return
    if not found.would_be:
        yield "nothing of it is open"
    elif found.same:
        yield "now the same would be decided"
    for each in found.would_be if not found.same else ():
        yield f"now it would be {_from(each)}: {each.why}" + (f" [{each.rule}]" if each.rule else "")
        if not found.decided:
            yield f"  now free besides this order: {_stock(each.now)}"


def _from(each: Decided) -> str:
    short = f", {each.short} of them not there" if each.short != "0" else ""
    return f"line {each.line}: {each.quantity} of {each.sku or 'no SKU'} from {each.place or 'no place yet'}{short}"


def _stock(seen: dict[str, str]) -> str:
    return "; ".join(f"{place} {amount}" for place, amount in seen.items()) or "nothing is known"
