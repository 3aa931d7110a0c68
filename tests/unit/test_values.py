"""Quantities, prices and money are exact or refused; nothing is rounded on the way in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.canonical.item import barcode14, sku_suggestion_key
from hub.canonical.json import read_json, stored_json, write_json
from hub.canonical.values import (
    QUANTITY_MAX,
    exact_minor,
    from_minor,
    iso,
    micros,
    minor_from,
    moment,
    pieces,
    plain_decimal,
    quantity,
    unit_price,
)

LONG = "1.0000000000000000000000000000000000001"


@pytest.mark.parametrize(
    ("said", "thousandths"),
    [(10, 10_000), ("1.5", 1_500), ("-3", -3_000), (Decimal("0.001"), 1), ("0", 0), ("1e3", 1_000_000), ("2.000000", 2_000)],
)
def test_a_quantity_is_thousandths(said: object, thousandths: int) -> None:
    assert quantity(said) == thousandths


@pytest.mark.parametrize(
    "said",
    [None, True, 1.5, "", " ", "ten", "1_000", "١", "0.0001", "NaN", "Infinity", "-Infinity", "1e400", "1e999999", LONG, []],
)
def test_what_is_no_exact_quantity_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match=r"number|float|quantity"):
        quantity(said)


def test_an_absurd_quantity_is_a_mistake_not_a_stock() -> None:
    assert quantity(QUANTITY_MAX // 1000) == QUANTITY_MAX
    for absurd in (QUANTITY_MAX // 1000 + 1, -(10**30), "9" * 5_000):
        with pytest.raises(ValueError, match="mistake"):
            quantity(absurd)


@given(st.integers(-QUANTITY_MAX, QUANTITY_MAX))
def test_a_quantity_reads_back_as_a_person_writes_it(thousandths: int) -> None:
    assert quantity(pieces(thousandths)) == thousandths


@pytest.mark.parametrize("said", ["0.0000001", LONG, "1e-30", "1e13", "1e999999", 1.0, None, "12,50"])
def test_what_is_no_exact_price_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match=r"price|number|float"):
        unit_price(said)


@pytest.mark.parametrize(
    ("said", "text"), [("199.95", "199.95"), ("0.123456", "0.123456"), ("5.0000000000", "5"), (100, "100"), ("1E+2", "100")]
)
def test_a_unit_price_keeps_up_to_six_decimals(said: object, text: str) -> None:
    assert plain_decimal(unit_price(said)) == text


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False, allow_infinity=False))
def test_equal_prices_are_equal_text(price: Decimal) -> None:
    assert Decimal(plain_decimal(price)) == price
    assert plain_decimal(price) == plain_decimal(price * Decimal("1.000"))


@pytest.mark.parametrize(
    ("amount", "currency", "rule", "minor"),
    [
        ("1.005", "DKK", "half_up", 101),
        ("1.005", "DKK", "half_even", 100),
        ("1.009", "DKK", "down", 100),
        ("1.001", "DKK", "up", 101),
        ("-1.005", "DKK", "half_up", -101),
        ("1234.5", "JPY", "half_up", 1235),
        ("1.2345", "KWD", "half_up", 1235),
    ],
)
def test_money_is_rounded_once_by_the_named_rule(amount: str, currency: str, rule: str, minor: int) -> None:
    assert minor_from(Decimal(amount), currency, rule) == minor


@given(st.integers(-(10**18), 10**18), st.sampled_from(["DKK", "JPY", "KWD", "CLF"]))
def test_minor_units_and_amounts_are_the_same_thing(minor: int, currency: str) -> None:
    assert exact_minor(from_minor(minor, currency), currency) == minor


@pytest.mark.parametrize(("amount", "currency"), [("1.005", "DKK"), ("0.5", "JPY"), (LONG, "DKK"), ("1e30", "DKK"), ("1", "ABC")])
def test_an_amount_that_is_no_whole_number_of_minor_units_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"decimals|large|ISO"):
        exact_minor(Decimal(amount), currency)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        micros(dt.datetime(2026, 11, 21))
    there = dt.datetime(2026, 11, 21, 13, 0, 0, 5, dt.timezone(dt.timedelta(hours=1)))
    assert moment(micros(there)) == there
    assert iso(micros(there)) == "2026-11-21T12:00:00.000Z"


# barcodes and SKUs


@pytest.mark.parametrize(
    ("code", "full"),
    [
        ("5701234567899", "05701234567899"),
        (" 5701234567899 ", "05701234567899"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
        ("15701234567896", "15701234567896"),
    ],
)
def test_barcodes_compare_as_fourteen_digits(code: str, full: str) -> None:
    assert barcode14(code) == full


@pytest.mark.parametrize("code", ["", "5701234567898", "570123456789", "abc", "5701234567899x", "٥٧٠١٢٣٤٥٦٧٨٩٩", "5" * 15])
def test_what_is_no_barcode_matches_nothing(code: str) -> None:
    assert barcode14(code) is None


def _with_check_digit(body: str) -> str:
    padded = body.zfill(13)
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(padded))
    return body + str(-total % 10)


@given(st.integers(20, 29), st.integers(0, 10**10 - 1))
def test_in_store_numbers_never_match(prefix: int, rest: int) -> None:
    for body in (f"{prefix}{rest:010d}", f"{prefix}{rest:010d}"[:11], f"{prefix}{rest:010d}"[:7], f"1{prefix}{rest:010d}"):
        assert barcode14(_with_check_digit(body)) is None, body


def test_neighbouring_prefixes_do_match() -> None:
    for body in ("190000000001", "300000000001", "10000000001", "3000001"):
        assert barcode14(_with_check_digit(body)) is not None, body


def test_skus_that_look_alike_are_only_suggestions() -> None:
    assert sku_suggestion_key(" 00ab 12") == sku_suggestion_key("AB12")
    assert sku_suggestion_key("AB12") != sku_suggestion_key("AB21")


# JSON


def test_numbers_in_json_stay_exact() -> None:
    assert read_json(b'{"price": 199.95, "n": 12345678901234567890}') == {"price": Decimal("199.95"), "n": 12345678901234567890}


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"NaN", b'{"a": Infinity}', b"[" * 100_000, b"9" * 5_000, b"<html>"])
def test_a_bad_body_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_json(body)


_text = st.text(st.characters(exclude_categories=["Cs"]))
_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
)


@given(_plain)
def test_what_is_stored_reads_back_the_same_by_both_readers(value: object) -> None:
    assert stored_json(write_json(value)) == read_json(write_json(value)) == value
