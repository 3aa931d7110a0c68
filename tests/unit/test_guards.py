"""What is too large to be done without a person, to the exact percent."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.diff.guards import price_guard, to_zero_guard
from hub.flow import Key
from hub.settings.model import Guards

KEY = Key("shop", "1", "price")
DEFAULT = Guards()


def held(shown: str | None, target: str, guards: Guards = DEFAULT, currency: str = "DKK") -> str | None:
    found = price_guard(
        KEY, None if shown is None else {"amount": shown, "currency": "DKK"}, {"amount": target, "currency": currency}, guards
    )
    return None if found is None else found.guard


@pytest.mark.parametrize(
    ("shown", "target", "guard"),
    [
        ("100", "50", None),
        ("100", "49.99", "price_fall"),
        ("100", "400", None),
        ("100", "400.01", "price_rise"),
        ("100", "0", "price_zero"),
        ("100", "-1", "price_zero"),
        (None, "0", "price_zero"),
        (None, "100000", None),
        ("0", "100", None),
        ("100", "100", None),
    ],
)
def test_prices(shown: str | None, target: str, guard: str | None) -> None:
    assert held(shown, target) == guard


def test_a_free_item_may_be_allowed_but_the_fall_is_still_a_fall() -> None:
    allowed = Guards(price_zero=False)
    assert held(None, "0", allowed) is None
    assert held("100", "0", allowed) == "price_fall"
    assert held("100", "0", Guards(price_zero=False, price_fall_percent=100)) is None


def test_prices_in_two_currencies_are_not_compared() -> None:
    assert held("100", "1", currency="EUR") is None


def masses(falling: int, pending: int = 0, listed: int = 100, guards: Guards = DEFAULT) -> bool:
    keys = [Key("shop", str(number), "stock") for number in range(falling)]
    found = to_zero_guard({"shop": keys}, {"shop": pending}, {"shop": listed}, guards)
    return "shop" in found


@pytest.mark.parametrize(
    ("falling", "pending", "listed", "guard"),
    [
        (30, 0, 100, False),
        (31, 0, 100, True),
        (1, 29, 100, False),
        (1, 30, 100, True),
        (9, 0, 9, False),
        (10, 0, 10, True),
        (10, 0, 33, True),
        (10, 0, 34, False),
        (10, 0, 0, True),
        (0, 50, 100, False),
    ],
)
def test_falls_to_zero(falling: int, pending: int, listed: int, guard: bool) -> None:
    assert masses(falling, pending, listed) is guard


def test_the_guard_names_the_numbers() -> None:
    keys = [Key("shop", str(number), "stock") for number in range(31)]
    found = to_zero_guard({"shop": keys, "social": keys[:3]}, {}, {"shop": 100, "social": 5}, DEFAULT)
    assert list(found) == ["shop"]
    assert found["shop"].words == "31 of 100 listings would fall to zero, more than 30 %"


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 200), st.integers(1, 100), st.integers(1, 50))
def test_the_guard_is_exactly_its_two_numbers(falling: int, pending: int, listed: int, percent: int, least: int) -> None:
    guards = Guards(to_zero_percent=percent, to_zero_min=least)
    count = falling + pending
    expected = falling > 0 and count >= least and Fraction(count, listed) > Fraction(percent, 100)
    assert masses(falling, pending, listed, guards) is expected
