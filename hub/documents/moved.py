"""What a till's figure must lose or get back for an order that another channel sold: keyed sums, never differences of figures.

A pickup order that staff only mark as collected moves nothing there; one that is rung up with its number moves it by itself;
one that is both was fetched once. What a till sold and another place delivers comes back to its figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hub.canonical.values import Plain
from hub.desired.order import Facts, Line
from hub.documents.around import Around
from hub.flow import Aspect, Key, Target
from hub.store.catalogue import Binding
from hub.store.orders import Order

HANDED_OVER, CORRECTION = "handed_over", "correction"
TAKEN: Final = ("reserve", "release", "ended")
"""States in which a till has taken the goods of its own orders off its figure."""


def moved(order: Order, told: Facts, around: Around, routes: Mapping[str, Sequence[tuple[str, int]]]) -> dict[Key, Target]:
    """The running sums that the figures of tills must have moved by because of this order."""
    wanted: dict[Key, Target] = {}
    for line in told.lines:
        item = around.item_of(order.channel, line.listing)
        if line.kind != "stocked" or not item:
            continue
        sums = _handed_over(told, line, around)
        for place, quantity in _elsewhere(order, told, line, around, routes.get(line.line, ())).items():
            sums[place] = (sums.get(place, (0, ""))[0] + quantity, CORRECTION)
        for (channel, location), (quantity, kind) in sorted(sums.items()):
            for key, pieces in _figures(order, line, channel, location, quantity, around):
                if pieces or key in around.targets or key in around.observations:
                    value: Plain = {"moved": pieces, "kind": kind}
                    wanted[key] = Target(key, order.order, value, {"order": order.number, "line": line.line})
    return wanted


def since(order: Order, told: Facts, around: Around) -> dict[str, int]:
    """`channel line` → our number since when a till's figure is net of what was only marked as collected there."""
    found: dict[str, int] = {}
    for line in told.lines:
        for (channel, location), (quantity, _) in _handed_over(told, line, around).items():
            figures = _figures(order, line, channel, location, quantity, around) if quantity else []
            figures = [each for each in figures if each[1] or each[0] in around.observations]
            goods = _goods(line, order, around) if quantity else []
            figures += [each[:2] for item, _ in goods for each in _told_of_gone(order, line, channel, location, item, around)]
            seen = [(around.observations.get(key), pieces) for key, pieces in figures]
            if seen and all(one is not None and one.observation.value["moved"] == pieces for one, pieces in seen):
                found[f"{channel} {line.line}"] = max(one.observation.answered for one, _ in seen if one is not None)
    return found


def _goods(line: Line, order: Order, around: Around) -> list[tuple[str, int]]:
    """(item, thousandths of it that are in a thousandth of the line)."""
    sold = around.items.get((order.channel, line.listing))
    return [] if sold is None else [(item, pieces * sold.factor) for item, pieces in around.goods_of(sold.item)]


def _figures(order: Order, line: Line, channel: str, location: str, quantity: int, around: Around) -> list[tuple[Key, int]]:
    """The figures of a channel that so much of a line is in, and how much of each: of a virtual bundle those of its parts.

    A listing that was made anew has been counted since: it moves by what its gone forerunners were not told.
    """
    found = []
    for item, pieces in _goods(line, order, around):
        listing = around.listings.get((channel, item))
        if listing is not None:
            before = sum(moved * factor for _, moved, factor in _told_of_gone(order, line, channel, location, item, around))
            found.append((_key(order, line, channel, location, listing), (quantity * pieces - before) // listing.factor))
    return found


def _told_of_gone(order: Order, line: Line, channel: str, location: str, item: str, around: Around) -> list[tuple[Key, int, int]]:
    """What was told of this line to listings of the item that are gone since: key, thousandths and what one of it counts for."""
    keys = [(_key(order, line, channel, location, each), each.factor) for each in around.gone.get((channel, item), ())]
    told = [(key, around.observations.get(key), factor) for key, factor in keys]
    return [(key, int(seen.observation.value["moved"]), factor) for key, seen, factor in told if seen is not None]


def _key(order: Order, line: Line, channel: str, location: str, listing: Binding) -> Key:
    return Key(channel, listing.listing, Aspect.MOVEMENT, f"{location}|{order.order}:{line.line}")


def _handed_over(told: Facts, line: Line, around: Around) -> dict[tuple[str, str], tuple[int, str]]:
    """(channel, location) → minus what was marked as handed over there beyond what was rung up."""
    sums: dict[tuple[str, str], tuple[int, str]] = {}
    left = told.left.get(line.line)
    for channel, parts in left.marked.items() if left is not None else ():
        if channel == told.origin.channel or not _moves(channel, around):
            continue
        rung = sum(part.quantity for part in left.rung.get(channel, ())) if left is not None else 0
        for part in parts:
            location = around.places.get((channel, part.place), "")
            if part.state == HANDED_OVER and around.executors.get(location) == channel:
                taken = min(rung, part.quantity)
                rung -= taken
                before = sums.get((channel, location), (0, ""))[0]
                sums[channel, location] = (before - (part.quantity - taken), HANDED_OVER)
    return sums


def _elsewhere(
    order: Order, told: Facts, line: Line, around: Around, routes: Sequence[tuple[str, int]]
) -> dict[tuple[str, str], int]:
    """(channel, location) → what the till that sold it took off its own figure though another place delivers it."""
    record = told.origin.record
    home = around.places.get((order.channel, line.place or str(record.get("place") or "")), "")
    if told.state not in TAKEN or not _moves(order.channel, around) or around.executors.get(home) != order.channel:
        return {}
    wanted = max(0, line.quantity - line.cancelled)
    away = min(wanted, sum(quantity for location, quantity in routes if location != home))
    return {(order.channel, home): away} if away else {}


def _moves(channel: str, around: Around) -> bool:
    known = around.channels.get(channel)
    return known is not None and known.send(Aspect.MOVEMENT) is not None
