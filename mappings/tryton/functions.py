"""Money of a sale in the minor units of its currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.sdk.api import exact_minor


def total_minor(sale: dict[str, Any]) -> int:
    """What the customer pays, tax included."""
    return _minor(sale["total"], sale)


def amount_minor(sale: dict[str, Any], row: dict[str, Any]) -> int:
    """A line's or charge's amount without its tax."""
    return _minor(row["amount"], sale)


def tax_minor(sale: dict[str, Any], row: dict[str, Any]) -> int:
    """The tax that comes on top of it."""
    return _minor(row["tax"], sale)


def _minor(amount: Any, sale: dict[str, Any]) -> int:
    return exact_minor(Decimal(amount), str(sale["currency"]))
