"""Whatever comes in whatever order between a shop, the books and the hub: no piece is counted zero times, and each once at rest.

A made shop sells, edits, cancels and holds; made books take documents in, ship and say their figure; the hub hears of each when
it does. The functions are the hub's own, what is right is counted here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.desired.order import COUNTING, FigureRead, Saying, contained, facts, promises
from hub.ordered import since
from hub.store.orders import OrderBinding

PIECE = 1000
HELD_TICKS = 6
PLACES = {("erp", "3"): "warehouse"}


@dataclass
class Sold:
    """An order as it is: in the shop, in the books, and as the hub has heard of it from both."""

    number: int
    wanted: int
    paid: bool
    until: int
    cancelled: int = 0
    parcels: dict[str, list[Any]] = field(default_factory=dict)
    """Parcel → [pieces, state], as the books have it."""
    first_heard: dict[str, int] = field(default_factory=dict)
    """Parcel → when the hub first heard of it."""
    told_back: tuple[str, ...] = ()
    document: int | None = None
    """Pieces that the books are to deliver, once they have it."""
    heard: OrderBinding | None = None
    heard_export: OrderBinding | None = None

    @property
    def left(self) -> int:
        """Pieces that left."""
        return sum(pieces for pieces, _ in self.parcels.values())

    @property
    def left_as_told(self) -> int:
        """Pieces that left as far as the shop was told."""
        return sum(pieces for name, (pieces, _) in self.parcels.items() if name in self.told_back)

    @property
    def left_as_heard(self) -> int:
        """Pieces that left as far as the hub has heard."""
        return sum(pieces for name, (pieces, _) in self.parcels.items() if name in self.first_heard)

    def lines(self) -> list[dict[str, Any]]:
        """Its one line."""
        quantity, cancelled = self.wanted * PIECE, self.cancelled * PIECE
        return [{"line": "1", "listing": "v1", "quantity": quantity, "cancelled": cancelled, "amount_minor": 100}]

    def told(self, names: tuple[str, ...]) -> list[dict[str, Any]]:
        """These parcels as a record has them."""
        return [
            {"fulfilment": name, "state": state, "place": "3", "parts": [{"line": "1", "quantity": pieces * PIECE}]}
            for name, (pieces, state) in self.parcels.items()
            if name in names
        ]

    def shop_record(self) -> dict[str, Any]:
        """What the shop says of it."""
        state = "release" if self.paid else "hold"
        if self.cancelled == self.wanted:
            state = "cancelled"
        elif self.left_as_told and self.left_as_told >= self.wanted - self.cancelled:
            state = "ended"
        until = {} if self.paid else {"hold_until": self.until}
        return self._record(state, self.told(self.told_back), **until)

    def book_record(self) -> dict[str, Any]:
        """What the books say of it."""
        return self._record("release", self.told(tuple(self.parcels)))

    def _record(self, state: str, parcels: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        about = {"order": "7", "state": state, "currency": "DKK", "tax": "included", "total_minor": 100, "lines": self.lines()}
        return {**about, "fulfilments": parcels, **more}


@dataclass
class World:
    """A shelf, its figure as the hub has it, a figure that is being read, and the orders."""

    there: int = 100
    clock: int = 1
    figure: tuple[int, int] = (100, 1)
    reading: tuple[int, int] | None = None
    orders: dict[int, Sold] = field(default_factory=dict)

    def pool(self) -> int:
        """What the hub lets customers buy."""
        read = FigureRead("warehouse", "erp", ("own:shipped",), self.figure[1], 0)
        left = self.figure[0]
        for order in self.orders.values():
            sayings = [_saying(bound) for bound in (order.heard, order.heard_export) if bound is not None]
            told = facts(sayings, self.clock)
            for each in promises(told, {"1": [("item", 1)]}, PLACES) if told is not None else ():
                if not contained("webshop", each.state, each.seq, each.as_of, read, each.part.partition(":")[0]):
                    left -= each.quantity // PIECE
        return left

    def truth(self) -> int:
        """What lies there and is promised to nobody, as far as the hub has heard: what was shipped though it had been cancelled
        is missed by nobody before it is told."""
        promised, missed = 0, 0
        for order in self.orders.values():
            if order.heard is None:
                continue
            record = order.heard.value
            (line,) = record["lines"]
            over = record["state"] == "hold" and record["hold_until"] <= self.clock
            counts = record["state"] in COUNTING and not over
            wanted = (line["quantity"] - line["cancelled"]) // PIECE if counts else 0
            promised += max(0, wanted - order.left)
            missed += max(0, order.left - max(wanted, order.left_as_heard))
        return self.there - promised + missed

    def act(self, name: str, number: int, pieces: int) -> None:
        """Something happens, where it can."""
        self.clock += 1
        if name == "order":
            self.orders.setdefault(number, Sold(number, pieces, number % 3 > 0, self.clock + HELD_TICKS))
        elif name == "begin reading":
            self.reading = (self.there, self.clock)
        elif name == "end reading":
            self.figure, self.reading = self.reading or self.figure, None
        elif name == "read figure":
            self.figure, self.reading = (self.there, self.clock), None
        elif number in self.orders:
            self._happens(name, self.orders[number], pieces)

    def _happens(self, name: str, order: Sold, pieces: int) -> None:
        open_pieces = order.wanted - order.cancelled - order.left_as_told
        if name == "pay":
            order.paid = order.cancelled < order.wanted
        elif name == "edit":
            order.wanted = max(order.left_as_told + order.cancelled + 1, pieces)
        elif name == "cancel":
            order.cancelled += min(pieces, max(0, open_pieces))
        elif name == "export":
            self._happens("hear shop", order, pieces)
            assert order.heard is not None
            (line,) = order.heard.value["lines"]
            if order.heard.value["state"] in ("release", "cancelled") and (order.document is not None or order.paid):
                order.document = (line["quantity"] - line["cancelled"]) // PIECE
        elif name == "ship" and order.document is not None and order.document > order.left:
            taken = min(pieces, order.document - order.left)
            order.parcels[f"p{len(order.parcels)}"] = [taken, "shipped"]
            self.there -= taken
        elif name == "deliver" and order.parcels:
            next(iter(order.parcels.values()))[1] = "delivered"
        elif name == "tell back" and order.heard_export is not None:
            order.told_back = tuple(str(each["fulfilment"]) for each in order.heard_export.value["fulfilments"])
        elif name == "hear shop":
            order.heard = self._heard("webshop", "origin", order.shop_record(), order.heard)
        elif name == "hear books" and order.document is not None:
            order.heard_export = self._heard("erp", "export", order.book_record(), order.heard_export)
            for parcel in order.parcels:
                order.first_heard.setdefault(parcel, self.clock)

    def _heard(self, channel: str, role: str, record: dict[str, Any], old: OrderBinding | None) -> OrderBinding:
        return since(OrderBinding(channel, "7", "o", role, record, 0, 0, self.clock, self.clock, 0), old)

    def hear_everything(self) -> None:
        """All that there is to say is said once more, and then the figure is read."""
        for name in ("hear shop", "hear books", "tell back", "hear shop"):
            for number in self.orders:
                self.act(name, number, 0)
        self.act("read figure", 0, 0)

    def news(self) -> int:
        """Pieces that left and that the hub had not heard of when the reading of its figure began."""
        began = self.figure[1]
        return sum(
            pieces
            for order in self.orders.values()
            for name, (pieces, _) in order.parcels.items()
            if order.first_heard.get(name, self.clock) >= began
        )


def _saying(bound: OrderBinding) -> Saying:
    return Saying(bound.channel, bound.their, bound.role, bound.value, bound.seq, bound.as_of, bound.begun)


NAMES = ["order", "pay", "edit", "cancel", "deliver", "tell back", "hear shop", "begin reading", "end reading"]
OFTEN = ["export", "ship", "hear books", "read figure"] * 2
ACT = st.tuples(st.sampled_from(NAMES + OFTEN), st.sampled_from([1, 2, 0]), st.integers(1, 4))
ACTS = st.lists(ACT, min_size=30, max_size=80)


@settings(max_examples=300, deadline=None)
@given(ACTS)
def test_never_zero_times_and_exactly_once_at_rest(acts: list[tuple[str, int, int]]) -> None:
    world = World()
    for act in acts:
        world.act(*act)
        assert world.pool() <= world.truth(), act
    world.hear_everything()
    assert world.pool() == world.truth()
    world.hear_everything()
    assert world.pool() == world.truth()


@settings(max_examples=300, deadline=None)
@given(ACTS)
def test_what_counts_twice_is_what_left_since_the_figure_was_read_and_for_one_reading_only(
    acts: list[tuple[str, int, int]],
) -> None:
    world = World()
    for act in acts:
        world.act(*act)
        assert world.truth() - world.pool() <= world.news(), act
    for number in world.orders:
        world.act("hear books", number, 0)
    world.act("read figure", 0, 0)
    assert world.pool() == world.truth()
