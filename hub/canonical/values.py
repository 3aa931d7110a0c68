"""Exact values: quantities in thousandths, money in minor units, unit prices as decimals, times in UTC microseconds.

No floats anywhere: a float is refused where it would enter. Rounding happens once, by a named rule.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NewType

from hub.canonical.currencies import MINOR_DIGITS

Quantity = NewType("Quantity", int)
"""Thousandths of a piece: 1 piece is 1000."""

Micros = NewType("Micros", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

Plain = Any
"""JSON-like data: None, bool, int, str, Decimal, list, dict."""

THOUSAND: Final = 1000
QUANTITY_MAX: Final = 10**12
"""A thousand million pieces, in thousandths: above this a figure is a mistake, not a stock."""
UNIT_PRICE_SCALE_MAX: Final = 6
UNIT_PRICE_MAX: Final = Decimal(10) ** 12
AMOUNT_MAX: Final = Decimal(10) ** 18
"""Of any money total: above this it is a mistake, and the arithmetic would no longer be exact."""
_PIECES_MAX: Final = Decimal(QUANTITY_MAX // THOUSAND)
_THOUSANDTH: Final = Decimal("0.001")
_MILLIONTH: Final = Decimal(1).scaleb(-UNIT_PRICE_SCALE_MAX)

ROUNDINGS: Final[Mapping[str, str]] = {
    "half_up": decimal.ROUND_HALF_UP,
    "half_even": decimal.ROUND_HALF_EVEN,
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
}

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def quantity(value: Plain) -> Quantity:
    """Thousandths from an int, a Decimal or a decimal string; ValueError says what is wrong with anything else."""
    number = _decimal(value)
    # Bounded before any arithmetic, which would round a number of many digits and overflow on an absurd exponent.
    if not -_PIECES_MAX <= number <= _PIECES_MAX:
        raise ValueError("a quantity this large is a mistake")
    exact = number.quantize(_THOUSANDTH)
    if exact != number:
        raise ValueError("a quantity has at most three decimals")
    return Quantity(int(exact * THOUSAND))


def pieces(amount: int) -> str:
    """The quantity as a person writes it: 1000 is "1", 1500 is "1.5"."""
    whole, rest = divmod(abs(amount), THOUSAND)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}" if not rest else f"{sign}{whole}.{rest:03d}".rstrip("0")


def unit_price(value: Plain) -> Decimal:
    """An exact unit price with at most six decimals; ValueError says what is wrong with anything else."""
    number = _decimal(value)
    if not -UNIT_PRICE_MAX <= number <= UNIT_PRICE_MAX:
        raise ValueError("a price this large is a mistake")
    exact = number.quantize(_MILLIONTH)
    if exact != number:
        raise ValueError(f"a unit price has at most {UNIT_PRICE_SCALE_MAX} decimals")
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and -exponent <= UNIT_PRICE_SCALE_MAX else exact


def minor_digits(currency: str) -> int:
    """How many decimals the currency's minor unit has by ISO 4217; ValueError for a code that is not a currency."""
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise ValueError("not an ISO 4217 currency code") from None


def minor_from(amount: Decimal, currency: str, rounding: str = "half_up") -> int:
    """The amount in minor units, rounded once by the named rule; ValueError for one too large to be an amount."""
    if not -AMOUNT_MAX <= amount <= AMOUNT_MAX:
        raise ValueError("an amount this large is a mistake")
    return int(amount.scaleb(minor_digits(currency)).quantize(Decimal(1), rounding=ROUNDINGS[rounding]))


def exact_minor(amount: Decimal, currency: str) -> int:
    """The amount in minor units; ValueError when it has more digits than the currency, or is too large to be one."""
    digits = minor_digits(currency)
    if not -AMOUNT_MAX <= amount <= AMOUNT_MAX:
        raise ValueError("an amount this large is a mistake")
    exact = amount.quantize(Decimal(1).scaleb(-digits))
    if exact != amount:
        raise ValueError(f"more decimals than {currency} has")
    return int(exact.scaleb(digits))


def from_minor(amount_minor: int, currency: str) -> Decimal:
    """Minor units as an exact decimal amount: 1995 DKK is Decimal("19.95")."""
    return Decimal(amount_minor).scaleb(-minor_digits(currency))


def plain_decimal(amount: Decimal) -> str:
    """The decimal without exponent and without superfluous zeros, so equal amounts are equal text."""
    if amount == 0:
        return "0"
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def micros(moment: dt.datetime) -> Micros:
    """Microseconds of an aware datetime; ValueError for one without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    delta = moment - EPOCH
    return Micros((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)


def moment(at: int) -> dt.datetime:
    """The aware UTC datetime of these microseconds."""
    return EPOCH + dt.timedelta(microseconds=at)


def iso(at: int) -> str:
    """The time as ISO 8601 in UTC with milliseconds, for people and logs."""
    return moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _decimal(value: Plain) -> Decimal:
    if isinstance(value, bool) or value is None:
        raise ValueError("not a number")
    if isinstance(value, float):
        raise ValueError("a float is not exact")
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str):
        text = value.strip()
        if not text or not text.isascii() or "_" in text:
            raise ValueError("not a number")
        try:
            value = Decimal(text)
        except decimal.InvalidOperation:
            raise ValueError("not a number") from None
    if not isinstance(value, Decimal):
        raise ValueError("not a number")
    if not value.is_finite():
        raise ValueError("not a finite number")
    return value
