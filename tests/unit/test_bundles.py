"""A virtual bundle is as many as its scarcest component allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pure_grounds import PIECE

from hub.desired.stock import Pool, bundle_pool


def pieces(amount: float) -> Pool:
    return Pool(round(amount * PIECE), [])


def bundles(*parts: tuple[str, int, Pool | None]) -> int | None:
    found = bundle_pool(parts)
    return None if found is None else found.amount // PIECE


def test_one_a_and_two_b() -> None:
    assert bundles(("A", 1, pieces(10)), ("B", 2, pieces(9))) == 4
    assert bundles(("A", 1, pieces(9)), ("B", 2, pieces(7))) == 3


def test_a_component_that_is_out_takes_the_bundle_out() -> None:
    assert bundles(("A", 1, pieces(10)), ("B", 2, pieces(1))) == 0
    assert bundles(("A", 1, pieces(10)), ("B", 2, pieces(0))) == 0


def test_an_unknown_component_is_not_none_left() -> None:
    assert bundles(("A", 1, pieces(10)), ("B", 2, None)) is None


def test_the_derivation_names_every_component() -> None:
    found = bundle_pool([("A", 1, pieces(10)), ("B", 2, pieces(9))])
    assert found is not None
    assert [(step["component"], step["bundles"]) for step in found.steps] == [("A", 10 * PIECE), ("B", 4 * PIECE)]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 500_000)), min_size=1, max_size=5))
def test_what_is_promised_can_be_packed(parts: list[tuple[int, int]]) -> None:
    found = bundle_pool([(f"S{n}", per, Pool(held, [])) for n, (per, held) in enumerate(parts)])
    assert found is not None
    assert found.amount % PIECE == 0
    count = found.amount // PIECE
    assert all(count * per * PIECE <= held for per, held in parts)
    assert any((count + 1) * per * PIECE > held for per, held in parts)
