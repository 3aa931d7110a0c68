"""What it costs to leave a difference as it is, by the hour: whatever costs more is told first, and nothing waits for ever.

Stock costs what customers are likely to want between the two figures: pieces beyond what is there are sold and must be called
off, pieces that are not shown are not sold. A wrong price costs what it differs on every piece sold, wording nearly nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from hub.canonical.values import THOUSAND, Plain
from hub.flow import Aspect

HOUR_MICROS: Final = 3_600_000_000
LATELY_MICROS, USUALLY_MICROS = HOUR_MICROS, 24 * HOUR_MICROS
"""After so long a sale says half as much about how fast a thing sells now, and about how fast it sells usually."""
MEAN_LIFE: Final = Decimal("1.4427")
"""Of a thing that sells evenly the sales of so many half-lives count: one by the logarithm of two."""
RATE_MIN: Final = Decimal("0.01")
"""Pieces an hour of a thing that nobody was seen to buy."""
PRICE_UNKNOWN: Final = Decimal(100)
MARGIN: Final = Decimal("0.3")
"""What of a price is lost with a piece that could have been sold."""
WORDING: Final = Decimal("0.001")
"""What of its sales a listing loses while it is worded wrongly."""
FACT: Final = Decimal(100)
"""What it costs an hour that a system does not hold an order yet, or what left one of its places: somebody waits for it."""
DOUBLING_MICROS: Final = 600_000_000
"""What costs twice as much goes before what was decided ten minutes earlier."""
OVERTAKES_MICROS_MAX: Final = 4 * HOUR_MICROS
"""Nothing is overtaken by what was decided more than four hours later."""


class Selling(NamedTuple):
    """How a listing sells: pieces an hour, and what one costs there."""

    rate: Decimal = RATE_MIN
    price: Decimal = PRICE_UNKNOWN


UNSOLD: Final = Selling()


def faded(units: int, micros: int, half_life: int) -> int:
    """What units sold so long ago still count: half after each half-life."""
    # By decimals: powers of floats differ between machines.
    return int(units * Decimal("0.5") ** (Decimal(max(0, micros)) / half_life))


def rate(lately: int, usually: int) -> Decimal:
    """Pieces an hour of a thing of which so many thousandths count now: as it sells lately or usually, whichever is faster."""
    lives = (lately, LATELY_MICROS), (usually, USUALLY_MICROS)
    return max(RATE_MIN, *(Decimal(units) / THOUSAND / MEAN_LIFE / (life // HOUR_MICROS) for units, life in lives))


def damage(aspect: str, shown: Plain, target: Plain, selling: Selling) -> Decimal:
    """What an hour of this difference costs, in the currency of the price."""
    if aspect == Aspect.STOCK:
        return _stock(0 if shown is None else int(shown["sellable"]), int(target["sellable"]), selling)
    sold = selling.price * selling.rate
    if aspect == Aspect.PRICE:
        known = shown is not None and shown["currency"] == target["currency"]
        return abs(Decimal(target["amount"]) - Decimal(shown["amount"])) * selling.rate if known else sold * MARGIN
    if aspect == Aspect.LISTING:
        if shown is None:
            return sold * MARGIN
        return sold * (1 if shown.get("state") != target.get("state", shown.get("state")) else WORDING)
    if aspect == Aspect.MOVEMENT:
        return FACT * (1 if int(target["moved"]) < (0 if shown is None else int(shown["moved"])) else MARGIN)
    return FACT


def overtakes(cost: Decimal) -> int:
    """How much older (microseconds) what it goes before may be: ten minutes for every doubling, evenly in between."""
    thousandths = 1 + int(cost * THOUSAND)
    doublings = thousandths.bit_length() - 1
    part = DOUBLING_MICROS * (thousandths - (1 << doublings)) >> doublings
    return min(DOUBLING_MICROS * doublings + part, OVERTAKES_MICROS_MAX)


def urgency(at: int, cost: Decimal) -> int:
    """The place in the queue, smallest first, of a difference that was decided then and costs so much an hour."""
    return at - overtakes(cost)


def wanted_between(rate: Decimal, low: int, high: int) -> Decimal:
    """How many of the pieces after the first `low` and up to `high` somebody is likely to want within an hour.

    The rate is a guess itself; so each further piece is as likely to be wanted, given the one before, as the first was.
    """
    if high <= low:
        return Decimal(0)
    again = rate / (1 + rate)
    return again ** (low + 1) * (1 - again ** (high - low)) * (1 + rate)


def _stock(shown: int, target: int, selling: Selling) -> Decimal:
    low, high = max(0, min(shown, target)) // THOUSAND, -(-max(0, shown, target) // THOUSAND)
    wanted = wanted_between(selling.rate, low, high)
    return wanted * selling.price * (1 if target < shown else MARGIN)
