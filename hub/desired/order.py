"""Orders: from what every system says of one order to its facts, its reservations, and what other systems must know.

Pure functions. A fact told by several systems is the same physical act: per line the largest told quantity counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from hub.canonical.values import Plain

DONE_STATES: Final = ("shipped", "delivered", "handed_over", "sold", "moved")
"""What left: as the system says, or `sold` by a receipt of a till with our number, or `moved` in its figure at our word."""
COUNTING: Final = ("hold", "reserve", "release", "ended")
HELD: Final = "held"
EXPIRED: Final = "expired"
"""The state of an order whose hold ran out unpaid: it takes nothing, until a late payment is told."""
OPEN: Final = "open"
ORIGIN, EXPORT, RECEIPT, RETURN, CREDIT = "origin", "export", "receipt", "return", "credit"
"""Who speaks: the order's birthplace; a document of ours; a till's receipt with our number (the hand-over, no second sale); a
record of goods or money that came back; a credit note of ours."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One system's order record and its role; `seq` numbers the envelope that told it, `begun` the start of its reading, `as_of`
    is its time."""

    channel: str
    their: str
    role: str
    record: Mapping[str, Plain]
    seq: int
    as_of: int
    begun: int = 0


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
    left: Mapping[str, Left] = {}
    """Line → who says that how much of it left."""


def facts(sayings: Sequence[Saying], now: int = 0) -> Facts | None:
    """The facts of one order at that time (microseconds); None while its birthplace has not spoken.

    A hold ends at the time that the platform told, never at one that it did not tell.
    """
    origin = next((each for each in sayings if each.role == "origin"), None)
    if origin is None:
        return None
    told = left_of(sayings)
    lines = tuple(_line(row, told, origin) for row in origin.record["lines"])
    left = tuple({**fulfilment, "channel": each.channel} for each in sayings for fulfilment in _done(each))
    state, until = str(origin.record["state"]), int(origin.record.get("hold_until") or 0)
    if state == "hold" and 0 < until <= now:
        state = EXPIRED
    return Facts(origin, state, lines, left, told)


class Left(NamedTuple):
    """What left of a line, as the systems that did it tell, and as the order's birthplace tells."""

    marked: dict[str, list[Fulfilled]]
    """Channel → parts of fulfilments that it marked as gone."""
    rung: dict[str, list[Fulfilled]]
    """Channel → parts rung up with the order's number."""
    origin: list[Fulfilled]

    def parts(self) -> list[Fulfilled]:
        """Each part once. A hand-over that was marked and rung up as well is one; the same parcel told by its birthplace too."""
        found: list[Fulfilled] = []
        for channel in sorted(self.marked.keys() | self.rung.keys()):
            rung, marked = self.rung.get(channel, []), self.marked.get(channel, [])
            found += rung + _beyond(marked, _sum(rung))
        return found if _sum(found) >= _sum(self.origin) else self.origin


def left_of(sayings: Sequence[Saying]) -> dict[str, Left]:
    """Per line of the order, everything that is said to have left."""
    by_line: dict[str, Left] = {}
    for each in sayings:
        if each.role not in (ORIGIN, EXPORT, RECEIPT):
            continue
        for fulfilment in _done(each):
            for part in fulfilment["parts"]:
                if int(part["quantity"]) <= 0:
                    continue
                gone = Fulfilled(
                    str(part["line"]),
                    int(part["quantity"]),
                    str(fulfilment["fulfilment"]),
                    each.channel,
                    str(fulfilment.get("place") or ""),
                    str(fulfilment["state"]),
                    int(fulfilment.get("seq") or each.seq),
                    each.as_of,
                )
                told = by_line.setdefault(gone.line, Left({}, {}, []))
                if each.role == ORIGIN:
                    told.origin.append(gone)
                else:
                    kind = told.rung if each.role == RECEIPT else told.marked
                    kind.setdefault(each.channel, []).append(gone)
    return by_line


def _done(saying: Saying) -> list[Mapping[str, Plain]]:
    """The fulfilments that left; a receipt is one by itself."""
    if saying.role == RECEIPT:
        parts = [{"line": row["line"], "quantity": row["quantity"]} for row in saying.record["lines"]]
        place = str(saying.record.get("place") or "")
        return [{"fulfilment": saying.their, "state": "sold", "place": place, "parts": parts}]
    return [each for each in saying.record.get("fulfilments") or () if each["state"] in DONE_STATES]


def _sum(parts: Sequence[Fulfilled]) -> int:
    return sum(each.quantity for each in parts)


def _beyond(parts: Sequence[Fulfilled], covered: int) -> list[Fulfilled]:
    """The parts without the first `covered` units of them."""
    rest: list[Fulfilled] = []
    for each in parts:
        taken = min(covered, each.quantity)
        covered -= taken
        if each.quantity > taken:
            rest.append(each._replace(quantity=each.quantity - taken))
    return rest


def _line(row: Mapping[str, Plain], told: Mapping[str, Left], origin: Saying) -> Line:
    name, kind = str(row["line"]), str(row.get("kind") or "stocked")
    quantity, cancelled = int(row["quantity"]), int(row.get("cancelled") or 0)
    fulfilled = tuple(told[name].parts()) if name in told else ()
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
    order: Facts,
    items: Mapping[str, Sequence[tuple[str, int]]],
    places: Mapping[tuple[str, str], str],
    routes: Mapping[str, Sequence[tuple[str, int]]] | None = None,
    moved: Mapping[str, int] | None = None,
) -> list[Promise]:
    """What the order takes from the stock. `items` maps a line to (item, pieces of it per unit): several for a bundle;
    `places` maps (channel, its place id) to our location; `routes` a line to (our location, quantity) that is to leave there;
    `moved` a channel to since when its figure is net of what was handed over there without a receipt (our own number).

    An order that is ignored or cancelled takes nothing but what already left.
    """
    found: list[Promise] = []
    held = order.state == "hold"
    until = int(order.origin.record.get("hold_until") or 0) if held else 0
    for line in order.lines:
        if line.kind != "stocked":
            continue
        for item, factor in items.get(line.line, ()):
            name = line.line if len(items[line.line]) == 1 else f"{line.line} {item}"
            if line.open and order.state in COUNTING:
                state = HELD if held else OPEN
                seq, as_of = order.origin.seq, order.origin.as_of
                rest = open_at(line, order.origin.channel, places, (routes or {}).get(line.line, ()))
                for place, quantity in rest.items():
                    named = name if len(rest) == 1 else f"{name} @{place}"
                    found.append(Promise(named, "", item, place, quantity * factor, state, seq, as_of, until))
            for part in line.fulfilled:
                if part.quantity:
                    place = places.get((part.channel, part.place), "")
                    state, seq = part.state, part.seq
                    if state == "handed_over" and (since := (moved or {}).get(f"{part.channel} {line.line}")):
                        state, seq = "moved", max(seq, since)
                    key = f"{part.channel}:{part.fulfilment}"
                    found.append(Promise(name, key, item, place, part.quantity * factor, state, seq, part.as_of, 0))
    return found


def open_at(line: Line, origin: str, places: Mapping[tuple[str, str], str], routes: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Where the open rest of a line is to leave from: our location ("" where none is chosen) → quantity."""
    default = places.get((origin, line.place), "")
    left = line.open
    rest: dict[str, int] = {}
    gone: dict[str, int] = {}
    for part in line.fulfilled:
        place = places.get((part.channel, part.place), "")
        gone[place] = gone.get(place, 0) + part.quantity
    for place, quantity in routes:
        wanted = min(left, max(0, quantity - gone.pop(place, 0)))
        if wanted:
            rest[place] = rest.get(place, 0) + wanted
            left -= wanted
    if left:
        last = routes[-1][0] if routes else default
        rest[last] = rest.get(last, 0) + left
    return rest


class FigureRead(NamedTuple):
    """What is known of a figure's reading: which orders it contains (`origin:state`), when it began, whose it is."""

    place: str
    channel: str
    contains: tuple[str, ...]
    begun: int
    as_of: int


def declares(figure: FigureRead, promise_origin: str, state: str, teller: str = "") -> bool:
    """Whether a figure is declared to be net of promises of that origin in that state, once it has been read after them."""
    if state in ("sold", "moved") and figure.channel == teller:
        return True
    names = {f"{promise_origin}:{state}", f"own:{state}"}
    if state != HELD:
        names |= {f"{promise_origin}:*", "own:*"}
    if state == "delivered":
        # What was delivered had been shipped.
        names |= {f"{promise_origin}:shipped", "own:shipped"}
    if state in DONE_STATES:
        names |= {f"{promise_origin}:done", "own:done"}
    return bool(names & set(figure.contains))


def contained(promise_origin: str, state: str, seq: int, as_of: int, figure: FigureRead, teller: str = "") -> bool:
    """Whether a figure is already net of a promise, by evidence: it contains that state of that origin, and its reading began
    after the state was seen (or, for the system's own sales, the figure's own time is not before the sale's).

    A system's figure is net of what itself rang up (`sold`) and of what was taken out of it at our word (`moved`); `teller` is
    who said that the part left. A hold that nobody paid is in no figure unless it is named.
    """
    if not declares(figure, promise_origin, state, teller):
        return False
    if figure.begun > seq:
        return True
    return state != "moved" and figure.channel in (promise_origin, teller) and 0 < as_of <= figure.as_of


def number_of(prefix: str, record: Mapping[str, Plain]) -> str:
    """The human number that goes everywhere and finds the order again: the channel's prefix and its own number."""
    return f"{prefix}-{record.get('number') or record['order']}"
