"""Vendure's money: whole hundredths of every currency, also of those that have none or thousandths.

Its own money strategy has a precision of two digits for all currencies alike: 1,000 JPY is 100000 there, 1.250 KWD is 125.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hub.sdk.api import exact_minor, from_minor

DIGITS: Final = 2


def hundredths(amount: Decimal) -> int:
    """The amount as the shop keeps it; ValueError when it has more digits than that."""
    scaled = amount.scaleb(DIGITS)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"more decimals than the {DIGITS} that Vendure keeps")
    return int(scaled)


def amount_of(kept: int) -> Decimal:
    """What the shop keeps as an exact amount of its currency."""
    return Decimal(kept).scaleb(-DIGITS)


def from_minor_units(minor: int, currency: str) -> int:
    """Minor units of the currency as the shop keeps them; ValueError when it cannot."""
    return hundredths(from_minor(minor, currency))


def minor_units(kept: int, currency: str) -> int:
    """What the shop keeps in minor units of the currency; ValueError when there is no such unit."""
    return exact_minor(amount_of(kept), currency)
