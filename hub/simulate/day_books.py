"""Tills whose sales stand in the books as one document a day, or not at all: what these documents must add up to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from hub.books import LATE_SECONDS
from hub.canonical.values import Micros
from hub.settings.dates import day_of
from hub.simulate.retailer import Retailer
from hub.simulate.truth import Sale

EACH, DAILY, ELSEWHERE = "each", "daily", "elsewhere"
TOLD_MICROS: Final = 12 * 3_600_000_000
"""Within so long at most the hub has heard of every sale, whose book is closed at the end of that day."""


def booked(retailer: Retailer, channel: str) -> str:
    """How the books want the sales of this channel: each, daily or elsewhere."""
    return retailer.config.channels[retailer.books].orders.books.get(channel, EACH)


def closed_by(retailer: Retailer, now: int) -> int:
    """When the book of everything sold by now is closed at the latest (microseconds); now where there are no such books."""
    about = retailer.config.channels[retailer.books].orders
    if DAILY not in about.books.values():
        return now
    _, over = day_of(Micros(now + TOLD_MICROS), about.time_zone, about.day_ends)
    return over + LATE_SECONDS * 1_000_000


def wrong_days(retailer: Retailer, till: str, sales: Sequence[Sale], left: dict[str, Any]) -> Iterator[str]:
    """What the till's days add up to that was not sold, and the other way round; takes its documents out of `left`.

    A sale that comes late stands in the book that is open then, so only all days together say what was sold.
    """
    prefix = re.escape(retailer.config.prefix_of(till))
    number = re.compile(rf"{prefix}-\d{{4}}-\d\d-\d\d(-.*)?")
    days = [left.pop(one) for one in [one for one, slip in left.items() if number.fullmatch(str(slip["reference"]))]]
    for reference, times in Counter(str(slip["reference"]) for slip in days).items():
        if times > 1:
            yield f"the books hold {reference} {times} times"
    held, sold = Counter[str](), Counter[str]()
    for slip in days:
        for line in slip["lines"]:
            held[line["sku"]] += line["quantity"]
    for sale in sales:
        sold.update(sale.lines)
    for sku in sorted(sold):
        if held[sku] != sold[sku]:
            yield f"the days of the {till} hold {held[sku]} of {sku}, {sold[sku]} were sold"
    paid, total = sum(sale.total_minor for sale in sales), sum(slip["total_minor"] for slip in days)
    if paid != total:
        yield f"the days of the {till} come to {total}, paid were {paid}"
