"""What a movement's line did where, in whose units, and by how much a figure is still to move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desired.movement import CORRECTION, RECEIPT, Leg, delta, fact, fact_of, in_units_of, legs, location_of
from hub.diff.compare import difference
from hub.diff.damage import UNSOLD, damage
from hub.flow import Aspect

PIECE = 1_000
quantities = st.integers(0, 10**6)


def line(dispatched: int, received: int, left_before: int = 0, came_before: int = 0) -> dict[str, int]:
    return {"dispatched": dispatched, "received": received, "left_before": left_before, "came_before": came_before}


def test_what_left_and_what_came_count_where_they_left_and_came() -> None:
    assert legs("3", "10", line(20, 18)) == [Leg("3", -20, CORRECTION), Leg("10", 18, RECEIPT)]
    assert legs("", "10", line(0, 18)) == [Leg("10", 18, RECEIPT)]
    assert legs("3", "3", line(20, 18)) == []


def test_what_was_known_before_is_not_told() -> None:
    assert legs("3", "10", line(20, 18, 20, 15)) == [Leg("3", 0, CORRECTION), Leg("10", 3, RECEIPT)]


@given(quantities, quantities, quantities)
def test_what_is_under_way_is_in_no_leg(planned: int, dispatched: int, received: int) -> None:
    left, came = legs("3", "10", line(dispatched, received))
    assert -left.moved - came.moved == dispatched - received


def test_a_box_is_told_in_boxes_or_not_at_all() -> None:
    assert in_units_of(12 * PIECE, 1, 6) == 2 * PIECE
    assert in_units_of(2 * PIECE, 6, 1) == 12 * PIECE
    assert in_units_of(-12 * PIECE, 1, 6) == -2 * PIECE
    assert in_units_of(10 * PIECE, 1, 7) is None


@given(st.integers(-(10**9), 10**9), st.integers(1, 144), st.integers(1, 144))
def test_a_quantity_in_other_units_is_the_same_quantity(moved: int, factor: int, other: int) -> None:
    told = in_units_of(moved, factor, other)
    assert told is None or told * other == moved * factor


def test_a_delta_is_keyed_by_place_and_fact() -> None:
    target = delta("till", "X", "tee", "aarhus", fact("erp", "7", "9"), 18 * PIECE, RECEIPT, {})
    assert target.key == ("till", "X", Aspect.MOVEMENT, "aarhus|erp:7:9")
    assert (location_of(target.key.place), fact_of(target.key.place)) == ("aarhus", "erp:7:9")
    assert target.value == {"moved": 18 * PIECE, "kind": RECEIPT}


@pytest.mark.parametrize(("should", "knows", "moves"), [(18, None, True), (0, None, False), (18, 18, False), (17, 18, True)])
def test_the_figure_moves_by_what_is_not_told_yet(should: int, knows: int | None, moves: bool) -> None:
    shown = None if knows is None else {"moved": knows, "kind": RECEIPT}
    assert (difference(Aspect.MOVEMENT, {"moved": should, "kind": RECEIPT}, shown) is not None) is moves


def test_what_leaves_goes_before_what_comes() -> None:
    less, more = {"moved": -1, "kind": CORRECTION}, {"moved": 1, "kind": RECEIPT}
    assert damage(Aspect.MOVEMENT, None, less, UNSOLD) > damage(Aspect.MOVEMENT, None, more, UNSOLD)
    found = difference(Aspect.MOVEMENT, less, None)
    assert found is not None
    assert not found.to_zero
