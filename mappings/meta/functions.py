"""Readings of a product that a path cannot say: prices are printed for people, a figure sells only what is available."""

from __future__ import annotations

from typing import Any

from connectors.meta import figures


def amount(product: dict[str, Any]) -> Any:
    """What a customer pays, as a Decimal."""
    return figures.effective_price(product)


def reference(product: dict[str, Any]) -> Any:
    """The price before the sale; None where there is no sale."""
    if not product.get("sale_price"):
        return None
    return figures.shown_price(product.get("price"), product.get("currency"))


def sellable(product: dict[str, Any]) -> Any:
    """How many whole pieces a customer may buy."""
    return figures.sellable(product)


def state(product: dict[str, Any]) -> Any:
    """Whether the item is seen."""
    return figures.state(product)
