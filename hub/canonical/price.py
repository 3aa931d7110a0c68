"""A price record: what one channel asks for one listing, in one currency, and whether tax is in it."""

from __future__ import annotations

from typing import Final

from hub.canonical.entity import TAXES, Entity, Field, Kind, words

PRICE: Final = Entity(
    "price",
    {
        "listing": Field(Kind.TEXT, required=True),
        "list": Field(Kind.TEXT),
        "amount": Field(Kind.AMOUNT, required=True),
        "currency": Field(Kind.CURRENCY, required=True),
        "tax": words(*TAXES),
        "reference": Field(Kind.AMOUNT),
        "from_at": Field(Kind.TIME),
        "to_at": Field(Kind.TIME),
        "refs": Field(Kind.TEXTS),
        "version": Field(Kind.WHOLE),
        "as_of": Field(Kind.TIME),
    },
)
"""`amount` is the effective unit price; `reference` the before-price shown beside it; `list` the channel's own price list id."""
