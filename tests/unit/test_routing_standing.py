"""A route that was decided stays while it fits: nothing is lost or doubled, whatever is edited, sent or not found meanwhile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.desired.standing import Given, given_now, standing

PLACES = ("a", "b", "c")
counts = st.integers(0, 5)
by_place = st.dictionaries(st.sampled_from(PLACES), counts, max_size=3)
stored = st.lists(st.tuples(st.sampled_from(("", *PLACES)), counts, counts), unique_by=lambda row: row[0], max_size=4).map(
    lambda rows: [Given(place, max(quantity, short), short) for place, quantity, short in rows]
)


@given(st.integers(0, 12), by_place, stored, by_place, st.sets(st.sampled_from(PLACES)))
def test_what_stands_and_what_is_needed_are_all_that_is_open(
    quantity: int, left: dict[str, int], before: list[Given], failed: dict[str, int], allowed: set[str]
) -> None:
    found = standing(quantity, left, before, failed, allowed)
    assert sum(found.open.values()) + found.need == max(0, quantity - sum(left.values()))
    assert found.need >= 0
    for place, amount in found.open.items():
        was = next(each for each in before if each.place == place)
        assert 0 < amount <= was.quantity - was.short
        assert place in allowed
        assert amount <= max(0, was.quantity - was.short - left.get(place, 0) - failed.get(place, 0))


@given(st.integers(1, 12), stored, st.integers(0, 12))
def test_what_is_given_sums_up_to_what_is_wanted(quantity: int, before: list[Given], gone: int) -> None:
    left = {"a": min(gone, quantity)}
    kept = standing(quantity, left, before, {})
    added = [Given("c", kept.need, kept.need // 2)] if kept.need else []
    now = given_now(quantity, left, before, kept.open, added)
    if now:
        assert sum(each.quantity for each in now) == quantity
        assert len({each.place for each in now}) == len(now)
    else:
        assert not any(each.place for each in (*before, *added))


@given(st.integers(1, 12), stored)
def test_looking_again_changes_nothing(quantity: int, before: list[Given]) -> None:
    kept = standing(quantity, {}, before, {})
    now = given_now(quantity, {}, before, kept.open, [Given("c", kept.need)] if kept.need else [])
    again = standing(quantity, {}, now, {})
    assert again.need == 0
    assert given_now(quantity, {}, now, again.open, []) == now


def test_fewer_pieces_take_from_the_last_place_first() -> None:
    before = [Given("a", 2), Given("b", 3, 1)]
    assert standing(4, {}, before, {}).open == {"a": 2, "b": 2}
    assert standing(3, {}, before, {}).open == {"a": 2, "b": 1}
    assert standing(1, {}, before, {}).open == {"a": 1}


def test_what_a_place_cannot_deliver_is_needed_again() -> None:
    found = standing(3, {}, [Given("a", 3)], {"a": 1})
    assert (found.open, found.need) == ({"a": 2}, 1)


def test_what_left_without_a_word_from_where_left_from_where_it_was_given() -> None:
    assert given_now(2, {"": 2}, [Given("a", 2)], {}, []) == [Given("a", 2)]
    assert given_now(3, {"": 3}, [Given("a", 1), Given("b", 1)], {}, []) == [Given("a", 1), Given("b", 1), Given("", 1)]
    assert given_now(3, {"a": 1, "": 1}, [Given("a", 3)], {"a": 1}, []) == [Given("a", 3)]
