"""From figures to what a channel may show: clamped per place, kept back, shared, capped, in the listing's own units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pure_grounds import PIECE, rules

from hub.desired.stock import Figure, Pool, Reserved, figure_shown, pool, sellable
from hub.settings.model import AllocationRule


def figure(place: str, pieces: int, *, negative: bool = False) -> Figure:
    return Figure(place, pieces * PIECE, (), negative, [{"channel": "erp"}])


def pooled(pieces: float) -> Pool:
    return Pool(round(pieces * PIECE), [])


def shown(stock: Pool, rule: AllocationRule | None = None, *, factor: int = 1, whole: bool = True) -> int:
    return sellable("shop", "A", "", stock, rules(*([rule] if rule else [])), factor=factor, whole=whole)[0]


def test_ten_and_minus_three_are_ten() -> None:
    found = pool(["a", "b"], {"a": figure("a", 10), "b": Figure("b", -3 * PIECE, (), True, [])}, (), {})
    assert found is not None
    assert found.amount == 10 * PIECE
    assert found.steps[1]["negative"] is True


def test_unknown_is_not_zero() -> None:
    known = {"a": figure("a", 10), "b": None}
    assert pool(["a", "b"], known, (), {}) is None
    assert pool(["a"], known, (), {}) is not None
    assert pool(["a", "nowhere"], known, (), {}) is None


def test_zero_is_known() -> None:
    found = pool(["a"], {"a": figure("a", 0)}, (), {})
    assert found is not None
    assert shown(found) == 0


def test_a_figure_that_covers_two_places_counts_once() -> None:
    both = figure("a+b", 10)
    found = pool(["a", "b", "c"], {"a": both, "b": both, "c": figure("c", 5)}, (), {})
    assert found is not None
    assert found.amount == 15 * PIECE
    assert [step["location"] for step in found.steps] == ["a+b", "c"]


def test_every_place_of_a_shared_figure_keeps_its_safety_stock_and_reservations() -> None:
    both = figure("a+b", 10)
    booked = [Reserved("b", 2 * PIECE, None), Reserved("a+b", PIECE, None)]
    found = pool(["a", "b"], {"a": both, "b": both}, booked, {"a": 1, "b": 3})
    assert found is not None
    assert found.amount == (10 - 3 - 4) * PIECE


def test_safety_stock_is_kept_back_where_it_lies() -> None:
    found = pool(["a", "b"], {"a": figure("a", 2), "b": figure("b", 10)}, (), {"a": 5})
    assert found is not None
    assert found.amount == 10 * PIECE


def test_demand_without_a_place_comes_off_the_pool() -> None:
    places = {"a": figure("a", 3), "b": figure("b", 4)}
    found = pool(["a", "b"], places, [Reserved("", 2 * PIECE, None), Reserved("a", PIECE, None)], {})
    assert found is not None
    assert found.amount == 4 * PIECE
    drained = pool(["a"], places, [Reserved("", 9 * PIECE, None)], {})
    assert drained is not None
    assert drained.amount == 0


def test_what_waits_beyond_what_lies_at_a_place_comes_from_another() -> None:
    places = {"a": figure("a", 3), "b": figure("b", 4)}
    found = pool(["a", "b"], places, [Reserved("a", 5 * PIECE, None, waits=True)], {})
    assert found is not None
    assert found.amount == 2 * PIECE
    assert found.steps[0]["short"] == 2 * PIECE
    assert found.steps[-1] == {"reserved_beyond": 2 * PIECE}
    alone = pool(["a"], places, [Reserved("a", 5 * PIECE, None, waits=True)], {})
    assert alone is not None
    assert (alone.amount, len(alone.steps)) == (0, 1)


def test_what_left_a_place_was_there_whatever_its_figure_says() -> None:
    places = {"a": figure("a", 3), "b": figure("b", 4)}
    sold = pool(["a", "b"], places, [Reserved("a", 5 * PIECE, None)], {})
    assert sold is not None
    assert sold.amount == 4 * PIECE
    both = pool(["a", "b"], places, [Reserved("a", 5 * PIECE, None), Reserved("a", PIECE, None, waits=True)], {})
    assert both is not None
    assert both.amount == 3 * PIECE, "of six taken there three are not there, and only one of them is still to be delivered"


def test_what_waits_where_staff_did_not_find_the_item_comes_from_another_place() -> None:
    places = {"a": figure("a", 3), "b": figure("b", 4)}
    found = pool(["a", "b"], places, [Reserved("a", 2 * PIECE, None, waits=True)], {}, {"a"})
    assert found is not None
    assert found.amount == 2 * PIECE


def test_safety_stock_is_promised_before_the_pieces_of_another_place_are() -> None:
    places = {"a": figure("a", 3), "b": figure("b", 4)}
    found = pool(["a", "b"], places, [Reserved("a", 3 * PIECE, None, waits=True)], {"a": 2})
    assert found is not None
    assert found.amount == 4 * PIECE


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=5),
    st.lists(st.integers(0, 20), min_size=5, max_size=5),
    st.integers(0, 30),
)
def test_a_pool_is_never_negative_nor_more_than_what_lies_there(held: list[int], safety: list[int], unplaced: int) -> None:
    places = [f"p{number}" for number in range(len(held))]
    figures = {name: figure(name, amount) for name, amount in zip(places, held, strict=True)}
    kept = dict(zip(places, safety, strict=False))
    found = pool(places, figures, [Reserved("", unplaced * PIECE, None)], kept)
    assert found is not None
    lying = sum(max(0, amount - kept[name]) for name, amount in zip(places, held, strict=True))
    assert found.amount == max(0, lying - unplaced) * PIECE


@pytest.mark.parametrize(
    ("rule", "pieces", "expected"),
    [
        (AllocationRule(safety_stock=3), 10, 7),
        (AllocationRule(safety_stock=30), 10, 0),
        (AllocationRule(share_percent=33), 10, 3),
        (AllocationRule(share_percent=0), 10, 0),
        (AllocationRule(cap=4), 10, 4),
        (AllocationRule(cap=4), 3, 3),
        (AllocationRule(threshold=3), 2, 0),
        (AllocationRule(threshold=3), 3, 3),
        (AllocationRule(safety_stock=1, share_percent=50, cap=3, threshold=2), 10, 3),
        (AllocationRule(safety_stock=1, share_percent=50, threshold=5), 10, 0),
        (AllocationRule(channels=("social",), safety_stock=9), 10, 10),
        (AllocationRule(skus=("B",), safety_stock=9), 10, 10),
        (AllocationRule(categories=("toys",), safety_stock=9), 10, 10),
    ],
)
def test_a_rule_says_how_much_is_shown(rule: AllocationRule, pieces: int, expected: int) -> None:
    assert shown(pooled(pieces), rule) == expected * PIECE


def test_the_first_rule_that_matches_holds_and_is_named() -> None:
    said = rules(AllocationRule(skus=("B",), cap=1), AllocationRule(cap=5), AllocationRule(cap=2))
    amount, because = sellable("shop", "A", "", pooled(10), said)
    assert (amount, because["rule"], because["cap"]) == (5 * PIECE, "allocation rule 2", 5 * PIECE)


def test_part_of_a_piece_is_shown_only_where_that_is_possible() -> None:
    assert shown(pooled(2.5)) == 2 * PIECE
    assert shown(pooled(2.5), whole=False) == 2_500


@pytest.mark.parametrize(("pieces", "boxes", "rest"), [(20, 3, 2), (6, 1, 0), (5, 0, 5), (0, 0, 0)])
def test_boxes_of_six_are_whole_boxes_and_the_rest_is_named(pieces: int, boxes: int, rest: int) -> None:
    amount, because = sellable("shop", "A", "", pooled(pieces), rules(), factor=6)
    assert (amount, because["remainder"]) == (boxes * PIECE, rest * PIECE)
    amount, because = figure_shown(figure("a", pieces), factor=6)
    assert (amount, because["remainder"]) == (boxes * PIECE, rest * PIECE)


def test_the_figure_of_one_place_is_clamped_whole_and_explained() -> None:
    assert figure_shown(figure("a", -3, negative=True))[0] == 0
    assert figure_shown(Figure("a", 2_500, (), False, []))[0] == 2 * PIECE
    assert figure_shown(Figure("a", 2_500, (), False, []), whole=False)[0] == 2_500
    assert figure_shown(figure("a", 7))[1]["figure_of"] == "a"


# shares


def test_shares_round_down_and_the_named_channel_gets_the_rest() -> None:
    said = rules(
        AllocationRule(channels=("shop",), share_percent=50),
        AllocationRule(channels=("social",), share_percent=30, remainder=True),
        AllocationRule(channels=("market",), share_percent=20),
    )
    found = {name: sellable(name, "A", "", pooled(7), said)[0] // PIECE for name in ("shop", "social", "market")}
    assert found == {"shop": 3, "social": 3, "market": 1}


@given(
    pieces=st.integers(0, 200),
    parts=st.lists(st.integers(0, 100), min_size=3, max_size=3),
    safety=st.lists(st.integers(0, 20), min_size=3, max_size=3),
)
def test_shares_of_at_most_the_whole_never_show_more_than_there_is(pieces: int, parts: list[int], safety: list[int]) -> None:
    whole = sum(parts) or 1
    shares = [part * 100 // whole for part in parts]
    names = ("shop", "social", "market")
    said = rules(
        *(
            AllocationRule(channels=(name,), share_percent=share, safety_stock=kept, remainder=name == "social")
            for name, share, kept in zip(names, shares, safety, strict=True)
        )
    )
    found = [sellable(name, "A", "", pooled(pieces), said)[0] for name in names]
    assert all(amount >= 0 and amount % PIECE == 0 for amount in found)
    if max(shares) < 100:
        assert sum(found) <= pieces * PIECE
    if max(shares) < 100 and not any(safety):
        assert sum(found) == pieces * sum(shares) // 100 * PIECE


@given(st.integers(0, 10**6), st.integers(0, 100), st.integers(0, 50), st.integers(0, 50), st.integers(1, 12))
def test_no_rule_ever_shows_more_than_the_pool(amount: int, share: int, safety: int, threshold: int, factor: int) -> None:
    rule = AllocationRule(share_percent=share, safety_stock=safety, threshold=threshold)
    found = shown(Pool(amount, []), rule, factor=factor)
    assert 0 <= found * factor <= amount
    assert found % PIECE == 0


def test_nothing_is_sold_where_staff_did_not_find_it() -> None:
    at = {"a": figure("a", 10), "b": figure("b", 3)}
    found = pool(["a", "b"], at, [Reserved("a", PIECE, None)], {}, {"a"})
    assert found is not None
    assert found.amount == 3 * PIECE
    assert found.steps[0]["not_found"] is True
