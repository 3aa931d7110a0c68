"""`samklang why`: where a number comes from, back to the envelope that said so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.why import Why


def why(
    channel: Annotated[str, typer.Argument(help="The channel that shows it")],
    listing: Annotated[str, typer.Argument(help="The listing's id there, or its SKU")],
    aspect: Annotated[str, typer.Argument(help="stock, price or listing")] = "stock",
    place: Annotated[str, typer.Option("--place", help="The location, where the channel has a figure for each")] = "",
    config: say.ConfigOption = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """What this listing should show and why, what it shows, and what became of changes. Ends with 1 when it has no target."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.why import why as reasons

        with opened(config) as there:
            found = reasons(there.config, there.manifests, there.database, channel, listing, aspect, place)
        if as_json:
            say.document({"answers": [each.document() for each in found]})
        else:
            for each in found:
                say.lines(_lines(each))
        say.ends(any(each.target is None for each in found))


def _lines(each: Why) -> Iterator[str]:
    at = f" at {each.place}" if each.place else ""
    yield f"{each.channel} {each.listing} {each.aspect}{at} (SKU {each.sku or '?'}, {each.binding or 'not known'})"
    yield f"  {each.standing}"
    for reason in each.reasons:
        yield f"  no target: {reason}"
    if each.target is not None:
        yield f"should show {each.target_words}, decided {each.decided_at}, because"
        yield from (f"  {step}" for step in each.steps)
        if each.reserved:
            yield "reserved now"
            yield from (f"  {one['words']}" for one in each.reserved)
        yield from (f"oversold since {one['at']}: {one['words']}" for one in each.oversold)
        yield "these rest on"
        yield from (f"  {_source(source)}" for source in each.sources)
    if each.shown is not None:
        yield f"shows {each.shown['words']}, {each.shown['how']} at {each.shown['at']}{_from(each.shown['envelope'])}"
        if each.shown["flips"]:
            yield f"  changed by others {each.shown['flips']} times after we wrote it"
    if each.change is not None:
        hold = each.change["hold"]
        held = f", held by {hold['guard']}: {hold['words']}" if hold else ""
        yield f"change {each.change['id']} {each.change['state']}{held}"
        if each.change["state"] == "intended":
            minutes = each.change["goes_before_minutes"]
            yield f"  by what it costs to wait it goes before what was decided {minutes} minutes earlier"
    yield from _history(each)


def _history(each: Why) -> Iterator[str]:
    if each.receipts:
        yield "last receipts"
        for one in each.receipts:
            words, request = one["words"] and f": {one['words']}", one["request_id"] and f" (request {one['request_id']})"
            yield f"  {one['at']} {one['outcome']}{words}{request}"
    if each.prices:
        yield "prices shown"
        for one in each.prices:
            yield f"  {one['country'] or '-'} {one['amount']} {one['currency']} from {one['from']} to {one['to'] or 'now'}"
    for one in each.drift:
        yield f"drifted {one['at']}: someone changed it"


def _source(source: dict[str, Any]) -> str:
    told = f"{source['channel']} {source.get('listing', '')}".rstrip()
    return told + (f" as of {source['as_of']}" if "as_of" in source else "") + _from(source["envelope"])


def _from(envelope: dict[str, Any] | None) -> str:
    if envelope is None:
        return ""
    if not envelope["kept"]:
        return f", from inbox {envelope['inbox']}, no longer kept"
    delivery = f" {envelope['delivery']}" if envelope["door"] == "hook" and envelope["delivery"] else ""
    came = f"{envelope['door']}{delivery} {envelope['stream']} at {envelope['received_at']}"
    again = f", the last of {envelope['times']} times" if envelope["times"] > 1 else ""
    return f", from inbox {envelope['inbox']}: {came}{again}, digest {envelope['digest']}"
