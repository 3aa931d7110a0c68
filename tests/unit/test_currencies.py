"""The currency table against ISO 4217, checked by hand: codes that differ from two digits, and those that came and went."""

from __future__ import annotations

import pytest

from hub.canonical.currencies import MINOR_DIGITS
from hub.canonical.values import minor_digits

OTHER_THAN_TWO = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"], 0),
    **dict.fromkeys(["XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def test_digits_other_than_two_are_exactly_these() -> None:
    assert {code: digits for code, digits in MINOR_DIGITS.items() if digits != 2} == OTHER_THAN_TWO


@pytest.mark.parametrize(
    "code", ["DKK", "EUR", "SEK", "NOK", "USD", "CHF", "HUF", "TWD", "MGA", "MRU", "XCG", "ZWG", "SLE", "VES", "STN"]
)
def test_currencies_in_use_are_known(code: str) -> None:
    assert minor_digits(code) == 2


@pytest.mark.parametrize("code", ["HRK", "DEM", "ANG", "SLL", "ZWL", "BYR", "XXX", "XTS", "dkk", "", "BTC", "EURO"])
def test_what_is_no_currency_today_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        minor_digits(code)


def test_every_code_is_three_capital_letters() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in MINOR_DIGITS)
