"""What differs between what should be shown and what is, and of which kind it is."""

from __future__ import annotations

from typing import Any

import pytest

from hub.diff.compare import FALL, FALL_TO_ZERO, PRICE, RISE, WORDING, Difference, difference, same_price
from hub.flow import Aspect


def kind(aspect: str, target: Any, shown: Any) -> int | None:
    found = difference(aspect, target, shown)
    return None if found is None else found.kind


@pytest.mark.parametrize(
    ("wanted", "shown", "expected"),
    [
        (5, 5, None),
        (4, 5, FALL),
        (0, 5, FALL_TO_ZERO),
        (6, 5, RISE),
        (0, 0, None),
        (5, None, RISE),
        (0, -2, RISE),
        (0, None, RISE),
    ],
)
def test_stock(wanted: int, shown: int | None, expected: int | None) -> None:
    assert kind(Aspect.STOCK, {"sellable": wanted}, None if shown is None else {"sellable": shown, "raw": 99}) == expected


def test_only_a_seen_quantity_can_fall_to_zero() -> None:
    assert difference(Aspect.STOCK, {"sellable": 0}, {"sellable": 3}) == Difference(FALL_TO_ZERO, True)
    found = difference(Aspect.STOCK, {"sellable": 0}, None)
    assert found is not None
    assert not found.to_zero


def money(amount: str, currency: str = "DKK", tax: str | None = None) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, **({"tax": tax} if tax else {})}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (money("199.95"), money("199.950"), True),
        (money("199.95"), money("199.96"), False),
        (money("199.95"), money("199.95", "EUR"), False),
        (money("199.95", tax="included"), money("199.95"), True),
        (money("199.95", tax="included"), money("199.95", tax="excluded"), False),
        (money("1E+2"), money("100"), True),
    ],
)
def test_the_same_price(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert same_price(one, other) is same
    assert same_price(other, one) is same
    assert kind(Aspect.PRICE, one, other) == (None if same else PRICE)


def test_a_listing_is_compared_only_in_what_the_hub_says() -> None:
    assert kind(Aspect.LISTING, {"title": "A"}, {"title": "A", "text": "their own"}) is None
    assert kind(Aspect.LISTING, {"title": "A"}, {"title": "B"}) == WORDING
    assert kind(Aspect.LISTING, {"title": "A"}, {}) == WORDING
    assert kind(Aspect.LISTING, {"title": "A"}, None) == WORDING
