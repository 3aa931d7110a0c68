"""From a list price to what a channel asks: markup, tax, one rounding, the ending, the floor; never another currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pure_grounds import pricing

from hub.desired.price import PriceTarget, price, tax_percent


def listed(amount: str, currency: str = "DKK", tax: str | None = None) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "tax": tax, "from": [{"channel": "erp"}]}


def asked(amount: str, *, said: str | None = None, category: str = "", listed_tax: str = "excluded", **rule: Any) -> str:
    found = price("shop", category, listed(amount, tax=said), pricing(listed_tax, **rule))
    assert found.value is not None
    return str(found.value["amount"])


@pytest.mark.parametrize(
    ("amount", "rule", "expected"),
    [
        ("159.96", {}, "199.95"),
        ("159.96", {"tax": "excluded"}, "159.96"),
        ("199.95", {"listed_tax": "included"}, "199.95"),
        ("199.95", {"listed_tax": "included", "tax": "excluded"}, "159.96"),
        ("199.95", {"category": "books"}, "199.95"),
        ("100", {"markup_percent": Decimal(10)}, "137.5"),
        ("100", {"markup_percent": Decimal("-12.5"), "tax": "excluded"}, "87.5"),
        ("0.01", {"markup_percent": Decimal(20)}, "0.02"),
    ],
)
def test_markup_then_tax(amount: str, rule: dict[str, Any], expected: str) -> None:
    assert asked(amount, **rule) == expected


def test_a_price_that_says_its_own_tax_is_believed_before_the_list() -> None:
    assert asked("199.95", said="included") == "199.95"
    assert asked("159.96", said="excluded", listed_tax="included") == "199.95"


def test_rounding_happens_once() -> None:
    # 3.32 × 1.05 = 3.486, × 1.25 = 4.3575: rounding between the two steps would ask 4.36 from 3.49 × 1.25 = 4.3625.
    assert asked("3.32", markup_percent=Decimal(5), rounding="down") == "4.35"
    assert asked("3.32", markup_percent=Decimal(5)) == "4.36"
    assert asked("3.324", markup_percent=Decimal(5), rounding="up") == "4.37"


@pytest.mark.parametrize(("rounding", "expected"), [("half_up", "1.13"), ("half_even", "1.12"), ("down", "1.12"), ("up", "1.13")])
def test_the_named_rounding(rounding: str, expected: str) -> None:
    assert asked("1.125", said="included", rounding=rounding) == expected


@pytest.mark.parametrize(
    ("amount", "rule", "expected"),
    [
        ("199.30", "nearest", "198.95"),
        ("199.50", "nearest", "199.95"),
        ("199.45", "nearest", "198.95"),
        ("199.95", "down", "199.95"),
        ("199.94", "down", "198.95"),
        ("199.96", "up", "200.95"),
        ("199.95", "up", "199.95"),
        ("0.30", "down", "0.95"),
        ("0.30", "nearest", "0.95"),
    ],
)
def test_prices_end_as_the_shop_wants(amount: str, rule: str, expected: str) -> None:
    assert asked(amount, said="included", ending=Decimal("0.95"), ending_rule=rule) == expected


@given(st.integers(1, 10**8), st.sampled_from(["0.95", "0.99", "0.00", "0.5"]), st.sampled_from(["down", "up", "nearest"]))
def test_an_ending_moves_a_price_by_less_than_one(minor: int, ending: str, rule: str) -> None:
    amount = Decimal(minor).scaleb(-2)
    found = Decimal(asked(str(amount), said="included", ending=Decimal(ending), ending_rule=rule))
    assert found > 0
    assert (found - Decimal(ending)) % 1 == 0
    assert abs(found - amount) < 1 or amount < 1
    if rule == "up":
        assert found >= amount
    if rule == "down":
        assert found <= amount or amount < max(Decimal(ending), Decimal(1))


def test_a_floor_is_never_undercut_and_is_a_price_of_the_currency() -> None:
    assert asked("1", said="included", floor=Decimal(5)) == "5"
    assert asked("1", said="included", floor=Decimal("4.999")) == "5"
    assert asked("6", said="included", floor=Decimal(5)) == "6"


def test_a_currency_is_never_converted() -> None:
    found = price("shop", "", listed("10", "EUR"), pricing())
    assert found.value is None
    assert found.because["refused"] == "EUR in a list kept in DKK"


@pytest.mark.parametrize(("currency", "amount", "expected"), [("JPY", "1234.5", "1235"), ("KWD", "1.23451", "1.235")])
def test_a_price_has_the_digits_of_its_currency(currency: str, amount: str, expected: str) -> None:
    found = price("shop", "", listed(amount, currency, "included"), pricing(currency=currency))
    assert found.value == {"amount": expected, "currency": currency, "tax": "included"}


def test_the_rate_of_a_category_is_its_own() -> None:
    said = pricing()
    assert (tax_percent("books", "DK", said), tax_percent("toys", "DK", said), tax_percent("toys", "SE", said)) == (0, 25, 0)


def test_why_the_price_is_what_it_is() -> None:
    found: PriceTarget = price("shop", "", listed("159.96"), pricing(ending=Decimal("0.95"), markup_percent=Decimal(10)))
    assert found.because == {
        "list": "retail",
        "listed": "159.96",
        "listed_tax": "excluded",
        "from": [{"channel": "erp"}],
        "markup_percent": "10",
        "tax_percent": "25",
        "before_ending": "219.95",
        "shown": "219.95",
    }


@given(st.integers(0, 10**9))
def test_tax_added_and_taken_out_again_is_the_same_price(minor: int) -> None:
    net = Decimal(minor).scaleb(-2)
    gross = asked(str(net))
    assert asked(gross, listed_tax="included") == gross
    back = price("shop", "", listed(gross, tax="included"), pricing("included", tax="excluded")).value
    assert back is not None
    assert abs(Decimal(back["amount"]) - net) <= Decimal("0.01")
