"""What is promised beyond what is there: only what is certain counts, and never more than is still to be delivered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desired.stock import Figure
from hub.oversold import shortage
from hub.store.orders import Reservation

PIECE = 1000
PLACES = ("aarhus", "warehouse")


def promise(order: str, quantity: int, place: str = "", state: str = "open", part: str = "") -> Reservation:
    return Reservation(order, "1", part, "tee", place, quantity * PIECE, "webshop", state, 5, 0)


def figures(aarhus: int, warehouse: int, contains: tuple[str, ...] = ()) -> dict[str, Figure]:
    told = zip(PLACES, (aarhus, warehouse), strict=True)
    return {place: Figure(place, pieces * PIECE, contains, False, [{"channel": "erp", "begun": 1}]) for place, pieces in told}


@pytest.mark.parametrize(
    ("aarhus", "warehouse", "promised", "short"),
    [
        (1, 0, [promise("a", 1)], 0),
        (1, 0, [promise("a", 2)], 1),
        (1, 1, [promise("a", 1), promise("b", 1)], 0),
        (0, 0, [promise("a", 1), promise("b", 1)], 2),
        (1, 5, [promise("a", 2, "aarhus")], 1),
        (2, 0, [promise("a", 2, "aarhus"), promise("b", 1)], 1),
        (2, 1, [promise("a", 2, "aarhus"), promise("b", 1)], 0),
        (-3, 1, [promise("a", 1)], 0),
        (-3, 0, [promise("a", 1)], 1),
        (1, 0, [promise("a", 1), promise("a", 1, "aarhus", "shipped", "erp:9")], 1),
        (0, 0, [promise("a", 1, "aarhus", "shipped", "erp:9")], 0),
        (0, 0, [promise("?", 4, state="provisional", part="7")], 0),
        (0, 0, [promise("?webshop 7", 4, state="unread")], 0),
        (0, 0, [promise("a", 1, state="held")], 1),
        (0, 0, [promise("a", 1, "somewhere")], 0),
        (0, 0, [], 0),
    ],
)
def test_what_is_short(aarhus: int, warehouse: int, promised: list[Reservation], short: int) -> None:
    found = shortage(promised, figures(aarhus, warehouse))
    assert found.quantity == short * PIECE
    assert all(not row.part for row in found.promised)


def test_what_the_figure_may_be_net_of_already_waits_for_its_next_reading() -> None:
    taken = figures(0, 0, ("webshop:open",))
    assert shortage([promise("a", 1)], taken).quantity == 0


def test_a_figure_of_both_places_counts_once() -> None:
    both = Figure("aarhus+warehouse", PIECE, (), False, [{"channel": "erp"}])
    assert shortage([promise("a", 2)], dict.fromkeys(PLACES, both)).quantity == PIECE


def test_those_at_the_place_that_has_enough_are_not_among_those_that_get_none() -> None:
    found = shortage([promise("a", 1, "aarhus"), promise("b", 1, "warehouse")], figures(1, 0))
    assert [row.order for row in found.promised] == ["b"]


promises = st.lists(
    st.builds(promise, st.text("abc", min_size=1, max_size=3), st.integers(1, 5), st.sampled_from(["", *PLACES])), max_size=6
)


@given(st.integers(-3, 9), st.integers(-3, 9), promises)
def test_it_is_never_less_than_what_all_places_together_lack_nor_more_than_is_promised(
    aarhus: int, warehouse: int, promised: list[Reservation]
) -> None:
    found = shortage(promised, figures(aarhus, warehouse)).quantity
    wanted = sum(row.quantity for row in promised)
    there = (max(0, aarhus) + max(0, warehouse)) * PIECE
    assert max(0, wanted - there) <= found <= wanted
