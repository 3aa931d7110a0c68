"""Orders: from what every system says of one order to its facts, its reservations, and what other systems must know.

Pure functions. A fact told by several systems is the same physical act: per line the largest told quantity counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from hub.canonical.values import Plain

DONE_STATES: Final = ("shipped", "delivered", "handed_over")
COUNTING: Final = ("hold", "reserve", "release", "ended")


@dataclass(frozen=True, slots=True)
class Saying:
    """One system's order record: `role` origin, export or fulfil; `seq` numbers the envelope that told it, `as_of` its time."""

    channel: str
    their: str
    role: str
    record: Mapping[str, Plain]
    seq: int
    as_of: int


class Fulfilled(NamedTuple):
    """A quantity of a line that left: by which fulfilment of which system, from which of its places, in which state."""

    line: str
    quantity: int
    fulfilment: str
    channel: str
    place: str
    state: str
    seq: int
    as_of: int


class Line(NamedTuple):
    """A line as it stands: what is still wanted of it, and what left."""

    line: str
    listing: str
    sku: str
    kind: str
    quantity: int
    cancelled: int
    place: str
    fulfilled: tuple[Fulfilled, ...]

    @property
    def left(self) -> int:
        """How much of it left."""
        return sum(each.quantity for each in self.fulfilled)

    @property
    def open(self) -> int:
        """What is promised and has not left yet."""
        return max(0, self.quantity - self.cancelled - self.left)


class Facts(NamedTuple):
    """An order as a set of facts, from everything that is said of it. `origin` is what its birthplace says."""

    origin: Saying
    state: str
    lines: tuple[Line, ...]
    fulfilments: tuple[Plain, ...]
    """Every fulfilment that left, with `channel` who told it."""


def facts(sayings: Sequence[Saying]) -> Facts | None:
    """The facts of one order; None while its birthplace has not spoken."""
    origin = next((each for each in sayings if each.role == "origin"), None)
    if origin is None:
        return None
    told = _told_fulfilments(sayings)
    lines = tuple(_line(row, told, origin) for row in origin.record["lines"])
    left = tuple(
        {**fulfilment, "channel": each.channel}
        for each in sayings
        for fulfilment in each.record.get("fulfilments") or ()
        if fulfilment["state"] in DONE_STATES
    )
    return Facts(origin, str(origin.record["state"]), lines, left)


def _told_fulfilments(sayings: Sequence[Saying]) -> dict[str, list[Fulfilled]]:
    """Per line, what left, as told by the one system that says most of it: the same parcel told twice counts once."""
    by_line: dict[str, dict[str, list[Fulfilled]]] = {}
    for each in sayings:
        for fulfilment in each.record.get("fulfilments") or ():
            if fulfilment["state"] not in DONE_STATES:
                continue
            for part in fulfilment["parts"]:
                left = Fulfilled(
                    str(part["line"]),
                    int(part["quantity"]),
                    str(fulfilment["fulfilment"]),
                    each.channel,
                    str(fulfilment.get("place") or ""),
                    str(fulfilment["state"]),
                    each.seq,
                    each.as_of,
                )
                by_line.setdefault(left.line, {}).setdefault(each.channel, []).append(left)
    return {
        line: max(by_channel.values(), key=lambda parts: (sum(p.quantity for p in parts), parts[0].channel))
        for line, by_channel in by_line.items()
    }


def _line(row: Mapping[str, Plain], told: Mapping[str, Sequence[Fulfilled]], origin: Saying) -> Line:
    name, kind = str(row["line"]), str(row.get("kind") or "stocked")
    quantity, cancelled = int(row["quantity"]), int(row.get("cancelled") or 0)
    fulfilled = tuple(told.get(name, ()))
    if origin.record["state"] == "ended" and not fulfilled:
        # A sale that was born finished (over the counter): all of it left where and when it was sold.
        place = str(row.get("place") or origin.record.get("place") or "")
        done = max(0, quantity - cancelled)
        fulfilled = (Fulfilled(name, done, "sold", origin.channel, place, "handed_over", origin.seq, origin.as_of),)
    return Line(
        name,
        str(row.get("listing") or ""),
        str(row.get("sku") or ""),
        kind,
        quantity,
        cancelled,
        str(row.get("place") or ""),
        fulfilled,
    )


class Promise(NamedTuple):
    """Units of an item that an order takes: the open rest (`part` ""), or a part that left and may not be in a figure yet."""

    line: str
    part: str
    item: str
    place: str
    quantity: int
    state: str
    seq: int
    as_of: int
    until: int


def promises(
    order: Facts, items: Mapping[str, Sequence[tuple[str, int]]], places: Mapping[tuple[str, str], str]
) -> list[Promise]:
    """What the order takes from the stock. `items` maps a line to (item, pieces of it per unit): several for a bundle;
    `places` maps (channel, its place id) to our location.

    An order that is ignored or cancelled takes nothing but what already left.
    """
    found: list[Promise] = []
    until = int(order.origin.record.get("hold_until") or 0) if order.state == "hold" else 0
    for line in order.lines:
        if line.kind != "stocked":
            continue
        for item, factor in items.get(line.line, ()):
            suffix = "" if len(items[line.line]) == 1 else f"/{item}"
            if line.open and order.state in COUNTING:
                place = places.get((order.origin.channel, line.place), "")
                found.append(
                    Promise(
                        line.line + suffix,
                        "",
                        item,
                        place,
                        line.open * factor,
                        "open",
                        order.origin.seq,
                        order.origin.as_of,
                        until,
                    )
                )
            for part in line.fulfilled:
                if part.quantity:
                    place = places.get((part.channel, part.place), "")
                    found.append(
                        Promise(
                            line.line + suffix,
                            f"{part.channel}:{part.fulfilment}",
                            item,
                            place,
                            part.quantity * factor,
                            part.state,
                            part.seq,
                            part.as_of,
                            0,
                        )
                    )
    return found


class FigureRead(NamedTuple):
    """What is known of a figure's reading: which orders it contains (`origin:state`), when it began, whose it is."""

    place: str
    channel: str
    contains: tuple[str, ...]
    begun: int
    as_of: int


def contained(promise_origin: str, state: str, seq: int, as_of: int, figure: FigureRead) -> bool:
    """Whether a figure is already net of a promise, by evidence: it contains that state of that origin, and its reading began
    after the state was seen (or, for the system's own sales, the figure's own time is not before the sale's)."""
    names = {f"{promise_origin}:{state}", f"{promise_origin}:*", f"own:{state}", "own:*"}
    if state in DONE_STATES:
        names |= {f"{promise_origin}:done", "own:done"}
    if not names & set(figure.contains):
        return False
    if figure.begun > seq:
        return True
    return figure.channel == promise_origin and 0 < as_of <= figure.as_of


def number_of(prefix: str, record: Mapping[str, Plain]) -> str:
    """The human number that goes everywhere and finds the order again: the channel's prefix and its own number."""
    return f"{prefix}-{record.get('number') or record['order']}"
