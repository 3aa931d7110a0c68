"""What is told of an order is known again by our mark, and told in whole pieces of the order's own lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.canonical.values import Plain
from hub.flow import Change, Key
from hub.sdk.api import mark, named_mark, strange_line, whole_parts

CHANGE = Change("c1", Key("shop", "our-1", "order", "parcel-1"), "", None, {"their": "77", "fact": "fulfilled"}, {}, 5)


def test_a_mark_is_the_same_for_every_try() -> None:
    again = replace(CHANGE, id="c2", at=9, after={**CHANGE.after, "tracking": "AB1"})
    assert mark(again) == mark(CHANGE)
    assert named_mark(CHANGE) == f"Samklang {mark(CHANGE)}"
    # Marks that stand in the orders of running shops must be found again.
    assert mark(CHANGE) == "34ff7f69ca"


@pytest.mark.parametrize(
    "other",
    [
        replace(CHANGE, key=CHANGE.key._replace(listing="our-2")),
        replace(CHANGE, key=CHANGE.key._replace(place="parcel-2")),
        replace(CHANGE, after={**CHANGE.after, "their": "78"}),
    ],
)
def test_another_fact_or_order_has_another_mark(other: Change) -> None:
    assert mark(other) != mark(CHANGE)


def parts(*rows: tuple[str, int | None]) -> dict[str, Plain]:
    return {"parts": [{"line": line, "quantity": quantity} for line, quantity in rows]}


def test_pieces_are_counted_by_line() -> None:
    assert whole_parts(parts(("a", 2_000), ("b", 1_000), ("a", 1_000))) == {"a": 3, "b": 1}
    assert whole_parts({}) == {}


@pytest.mark.parametrize("quantity", [1_500, -1_000, 0, None])
def test_a_part_of_a_piece_none_and_fewer_than_one_cannot_be_told(quantity: int | None) -> None:
    assert whole_parts(parts(("a", 1_000), ("b", quantity))) is None


def test_money_alone_is_left_out_where_it_may_be() -> None:
    assert whole_parts(parts(("a", 1_000), ("shipping-1", None), ("b", 0)), least=0) == {"a": 1}
    assert whole_parts(parts(("a", -1_000)), least=0) is None
    assert whole_parts(parts(("a", 1)), least=0) is None


def test_a_line_of_another_order_is_named() -> None:
    assert strange_line({"a": 1, "z": 2}, {"a", "b"}) == "z"
    assert strange_line({"a": 1}, {"a", "b"}) == ""
