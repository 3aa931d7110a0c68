"""What differs between what should be shown and what is, and what falls to zero."""

from __future__ import annotations

from typing import Any

import pytest

from hub.diff.compare import Difference, difference, same_price
from hub.flow import Aspect

TO_ZERO, OTHERWISE = Difference(True), Difference()


@pytest.mark.parametrize(
    ("wanted", "shown", "expected"),
    [
        (5, 5, None),
        (4, 5, OTHERWISE),
        (0, 5, TO_ZERO),
        (6, 5, OTHERWISE),
        (0, 0, None),
        (5, None, OTHERWISE),
        (0, -2, OTHERWISE),
        (0, None, OTHERWISE),
    ],
)
def test_stock(wanted: int, shown: int | None, expected: Difference | None) -> None:
    seen = None if shown is None else {"sellable": shown, "raw": 99}
    assert difference(Aspect.STOCK, {"sellable": wanted}, seen) == expected


def test_only_a_seen_quantity_can_fall_to_zero() -> None:
    assert difference(Aspect.STOCK, {"sellable": 0}, {"sellable": 3}) == TO_ZERO
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
    assert difference(Aspect.PRICE, one, other) == (None if same else OTHERWISE)


def test_a_listing_is_compared_only_in_what_the_hub_says() -> None:
    assert difference(Aspect.LISTING, {"title": "A"}, {"title": "A", "text": "their own"}) is None
    assert difference(Aspect.LISTING, {"title": "A"}, {"title": "B"}) == OTHERWISE
    assert difference(Aspect.LISTING, {"title": "A"}, {}) == OTHERWISE
    assert difference(Aspect.LISTING, {"title": "A"}, None) == OTHERWISE
