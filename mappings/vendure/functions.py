"""Money of an order in the minor units of its currency: Vendure counts every currency in hundredths."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.sdk.api import exact_minor

PRECISION = 2
"""The digits of Vendure's own money strategy, whatever the currency: 1000 JPY is 100000 there."""


def total_minor(order: dict[str, Any]) -> int:
    """What the customer pays, and paid for what came back later."""
    return _minor(order["total"], order)


def amount_minor(order: dict[str, Any], row: dict[str, Any]) -> int:
    """A line's, charge's or payment's amount with its tax."""
    return _minor(row["amount"], order)


def tax_minor(order: dict[str, Any], row: dict[str, Any]) -> int:
    """The tax in it."""
    return _minor(row["tax"], order)


def _minor(hundredths: int, order: dict[str, Any]) -> int:
    return exact_minor(Decimal(hundredths).scaleb(-PRECISION), str(order["currencyCode"]))
