"""Money in the minor units of its currency: Vendure counts every currency in hundredths."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.sdk.api import exact_minor, minor_from

PRECISION = 2
"""The digits of Vendure's own money strategy, whatever the currency: 1000 JPY is 100000 there."""


def total_minor(order: dict[str, Any]) -> int:
    """What the customer pays, and paid for what came back later."""
    return _minor(order["total"], order)


def amount_minor(order: dict[str, Any], row: dict[str, Any]) -> int:
    """A line's, charge's or payment's amount with its tax."""
    return _minor(row["amount"], order)


def tax_minor(order: dict[str, Any], row: dict[str, Any]) -> int:
    """The tax in it, rounded half up where the currency has no hundredths: it is part of the amount, so no total moves."""
    return minor_from(Decimal(row["tax"]).scaleb(-PRECISION), str(order["currencyCode"]))


def part_minor(order: dict[str, Any], part: dict[str, Any]) -> int | None:
    """What of a refund was for this line or charge; None where the shop does not say."""
    return None if part["amount"] is None else _minor(part["amount"], order)


def _minor(hundredths: int, order: dict[str, Any]) -> int:
    return exact_minor(Decimal(hundredths).scaleb(-PRECISION), str(order["currencyCode"]))
