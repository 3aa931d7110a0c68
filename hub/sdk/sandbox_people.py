"""People of the small platforms: the made person who buys where nobody else is named, and what they put into their baskets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

MADE_PERSON: Final = {
    "name": "Made Buyer",
    "email": "made.buyer@example.com",
    "phone": "+4500000000",
    "street": "Made Street 1",
    "city": "Made Town",
    "postal_code": "1000",
    "country": "DK",
}

Basket = Mapping[str, int] | Sequence[tuple[str, int]]
"""Pieces by SKU, or (SKU, pieces) pairs where one SKU stands in several lines."""


def rows_of(basket: Basket) -> list[tuple[str, int]]:
    """The (SKU, pieces) pairs of a basket."""
    return list(basket.items()) if isinstance(basket, Mapping) else list(basket)
