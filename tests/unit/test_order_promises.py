"""What orders take from the stock: never counted zero times, exactly once at rest, whatever order things are told in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.canonical.order import MoneyError, conserved
from hub.desired.order import FigureRead, Saying, contained, facts, promises

PIECE = 1000


def line(name: str = "1", quantity: int = 2, **more: Any) -> dict[str, Any]:
    return {"line": name, "listing": "v1", "quantity": quantity * PIECE, "amount_minor": 19995 * quantity, **more}


def record(state: str = "release", lines: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    lines = lines if lines is not None else [line()]
    total = sum(each["amount_minor"] for each in lines)
    return {"order": "7", "state": state, "currency": "DKK", "tax": "included", "total_minor": total, "lines": lines, **more}


def parcel(key: str, quantity: int, state: str = "shipped") -> dict[str, Any]:
    return {"fulfilment": key, "state": state, "place": "3", "parts": [{"line": "1", "quantity": quantity * PIECE}]}


def said(channel: str, role: str, what: dict[str, Any], seq: int) -> Saying:
    return Saying(channel, "7", role, what, seq, 0)


def taken(sayings: list[Saying]) -> dict[str, int]:
    """Pieces that the order takes, by state."""
    told = facts(sayings)
    assert told is not None
    found: dict[str, int] = {}
    for each in promises(told, {"1": [("item", 1)]}, {("erp", "3"): "warehouse", ("till", "L1"): "aarhus"}):
        found[each.state] = found.get(each.state, 0) + each.quantity // PIECE
    return found


def test_an_open_order_takes_what_it_wants() -> None:
    assert taken([said("webshop", "origin", record(), 1)]) == {"open": 2}


@pytest.mark.parametrize("state", ["ignore", "cancelled"])
def test_a_cart_and_a_cancelled_order_take_nothing(state: str) -> None:
    assert taken([said("webshop", "origin", record(state), 1)]) == {}


def test_a_parcel_told_by_two_systems_is_one_parcel() -> None:
    shop = record(fulfilments=[parcel("a", 1)])
    erp = record(fulfilments=[parcel("x", 1)])
    assert taken([said("webshop", "origin", shop, 1), said("erp", "export", erp, 2)]) == {"open": 1, "shipped": 1}


def test_a_half_cancelled_order_takes_the_other_half() -> None:
    lines = [line(quantity=4, cancelled=1 * PIECE)]
    assert taken([said("webshop", "origin", record(lines=lines, fulfilments=[parcel("a", 2)]), 1)]) == {"open": 1, "shipped": 2}


def test_a_sale_over_the_counter_was_handed_over_where_it_was_sold() -> None:
    told = facts([said("till", "origin", record("ended", place="L1"), 1)])
    assert told is not None
    (only,) = promises(told, {"1": [("item", 1)]}, {("till", "L1"): "aarhus"})
    assert (only.place, only.quantity, only.state) == ("aarhus", 2 * PIECE, "handed_over")


def test_tips_and_gift_cards_take_no_stock() -> None:
    lines = [line(kind="tip"), line("2", kind="gift_card_sale")]
    assert taken([said("webshop", "origin", record(lines=lines), 1)]) == {}


@pytest.mark.parametrize(
    ("contains", "begun", "as_of", "held"),
    [
        (("own:shipped",), 11, 0, True),
        (("own:shipped",), 10, 0, False),
        (("own:shipped",), 0, 0, False),
        ((), 99, 0, False),
        (("webshop:*",), 11, 0, True),
        (("till:*",), 11, 0, False),
    ],
)
def test_a_figure_contains_what_left_before_its_reading_began(
    contains: tuple[str, ...], begun: int, as_of: int, held: bool
) -> None:
    figure = FigureRead("warehouse", "erp", contains, begun, as_of)
    assert contained("webshop", "shipped", 10, 5, figure) is held


def test_a_tills_own_figure_contains_its_sales_by_the_tills_own_clock() -> None:
    told_first = FigureRead("aarhus", "till", ("till:*",), 0, 500)
    assert contained("till", "handed_over", 10, 500, told_first)
    assert not contained("till", "handed_over", 10, 501, told_first)


def test_a_difference_beyond_rounding_is_named_and_one_within_becomes_a_line() -> None:
    near = conserved({**record(), "total_minor": 39991})
    assert [charge["amount_minor"] for charge in near["charges"]] == [1]
    with pytest.raises(MoneyError, match="39990"):
        conserved({**record(), "total_minor": 40100})


@pytest.mark.parametrize(("state", "held"), [("shipped", True), ("delivered", True), ("handed_over", False), ("open", False)])
def test_a_figure_net_of_what_was_shipped_is_net_of_what_was_delivered(state: str, held: bool) -> None:
    assert contained("webshop", state, 10, 0, FigureRead("warehouse", "erp", ("own:shipped",), 11, 0)) is held


@dataclass
class Shelf:
    """A warehouse and a hub that is told of it: what is there, what the hub has heard, and when."""

    there: int = 100
    clock: int = 1
    orders: dict[int, int] = field(default_factory=dict)
    shipped: dict[int, int] = field(default_factory=dict)
    heard: dict[int, int] = field(default_factory=dict)
    heard_shipped: dict[int, tuple[int, int]] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    figure: tuple[int, int] = (100, 1)

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def pool(self) -> int:
        """What the hub lets customers buy."""
        read = FigureRead("warehouse", "erp", ("own:shipped",), self.figure[1], 0)
        left = self.figure[0]
        for number, seq in self.heard.items():
            quantity = self.orders[number]
            fulfilments = [parcel("a", self.heard_shipped[number][0])] if number in self.heard_shipped else []
            state = "cancelled" if number in self.cancelled else "release"
            sayings = [said("webshop", "origin", record(state, [line(quantity=quantity)]), seq)]
            if fulfilments:
                sayings.append(said("erp", "export", record(fulfilments=fulfilments), self.heard_shipped[number][1]))
            told = facts(sayings)
            assert told is not None
            for each in promises(told, {"1": [("item", 1)]}, {("erp", "3"): "warehouse"}):
                if not contained("webshop", each.state, each.seq, each.as_of, read):
                    left -= each.quantity // PIECE
        return left

    def truth(self) -> int:
        """What is there and not promised to an order that the hub has heard of."""
        promised = sum(
            quantity - self.shipped.get(number, 0)
            for number, quantity in self.orders.items()
            if number in self.heard and number not in self.cancelled
        )
        return self.there - promised


ACTS = st.lists(
    st.tuples(st.sampled_from(["order", "hear", "ship", "hear_shipped", "read", "cancel"]), st.integers(0, 5)), max_size=40
)


@settings(max_examples=300, deadline=None)
@given(ACTS)
def test_a_unit_is_never_counted_zero_times_and_exactly_once_at_rest(acts: list[tuple[str, int]]) -> None:
    shelf = Shelf()
    for act, number in acts:
        shelf.tick()
        known = number in shelf.orders
        if act == "order" and not known:
            shelf.orders[number] = number + 1
        elif act == "hear" and known:
            shelf.heard.setdefault(number, shelf.clock)
        elif act == "ship" and number in shelf.heard and number not in shelf.shipped and number not in shelf.cancelled:
            shelf.shipped[number] = shelf.orders[number]
            shelf.there -= shelf.orders[number]
        elif act == "hear_shipped" and number in shelf.shipped:
            shelf.heard_shipped.setdefault(number, (shelf.shipped[number], shelf.clock))
        elif act == "read":
            shelf.figure = (shelf.there, shelf.clock)
        elif act == "cancel" and number in shelf.heard and number not in shelf.shipped:
            shelf.cancelled.add(number)
        assert shelf.pool() <= shelf.truth()
    for number in shelf.shipped:
        shelf.heard_shipped.setdefault(number, (shelf.shipped[number], shelf.tick()))
    shelf.figure = (shelf.there, shelf.tick())
    assert shelf.pool() == shelf.truth()
