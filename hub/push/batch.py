"""A batch as the connector needs it: raw figures derived right before sending, references and place ids filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hub.canonical.values import Plain
from hub.channel import Channel
from hub.desired.movement import location_of
from hub.flow import Aspect, Change, Key
from hub.settings.model import Location
from hub.store.catalogue import Binding
from hub.store.changes import OpenChange


def to_send(
    channel: Channel,
    chosen: Sequence[OpenChange],
    bindings: Mapping[tuple[str, str], Binding],
    locations: Mapping[str, Location],
    fresh: Mapping[Key, Plain],
    now: int,
) -> list[Change]:
    """The changes for the connector. `fresh` are values observed right before sending, where the capability asks for that."""
    return [_change(channel, each, bindings, locations, fresh.get(each.key), now) for each in chosen]


def acknowledged(sent: Change, shows: Plain) -> Plain:
    """What the listing shows now, by the platform's answer where it showed something, else what we sent."""
    value = {name: each for name, each in sent.after.items() if name != "raw"}
    if sent.key.aspect == Aspect.ORDER:
        # They hold what we sent; their own number and state of it are theirs to tell, not ours to compare.
        return {**value, "their": str((shows or {}).get("their", ""))}
    if sent.key.aspect == Aspect.MOVEMENT:
        # A keyed delta is made whole or not at all: the sum that it brought them to is what they know now.
        return value
    if sent.key.aspect != Aspect.STOCK:
        return {**value, **(shows or {})}
    own_open = int(sent.after.get("own_open", 0))
    raw = int(shows["raw"]) if shows and "raw" in shows else int(sent.after["raw"])
    if shows and "sellable" in shows:
        # What is open there by now they know themselves: it may have been bought since it was looked at.
        own_open = raw - int(shows["sellable"])
    return {"sellable": raw - own_open, "raw": raw, **({"own_open": own_open} if own_open else {})}


def _change(
    channel: Channel,
    each: OpenChange,
    bindings: Mapping[tuple[str, str], Binding],
    locations: Mapping[str, Location],
    fresh: Plain,
    now: int,
) -> Change:
    before = each.before if fresh is None else fresh
    after = dict(each.after)
    if each.key.aspect == Aspect.STOCK:
        # What their own open orders will still take is in their raw figure and not in what may be bought.
        send = channel.send(Aspect.STOCK)
        subtracts = send is not None and send.own_orders == "subtracted_by_platform"
        own_open = int((before or {}).get("own_open", 0)) if subtracts else 0
        after["raw"] = int(after["sellable"]) + own_open
        if own_open:
            after["own_open"] = own_open
    binding = bindings.get((each.key.channel, each.key.listing))
    moves = each.key.aspect == Aspect.MOVEMENT
    place = locations.get(location_of(each.key.place) if moves else each.key.place)
    return Change(
        id=each.id,
        key=each.key,
        item=each.item,
        before=before,
        after=after,
        refs=json.loads(binding.refs) if binding else {},
        # What a fact moved was there from when it was known: a count made while the change waited contains it.
        at=each.decided_at if moves else now,
        place_ref=place.channels.get(channel.name, "") if place else "",
        observed_at=each.observed_at if fresh is None else now,
    )
