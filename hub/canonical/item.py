"""An item record: how one channel describes one thing that it lists."""

from __future__ import annotations

from typing import Final

from hub.canonical.entity import LISTING_STATES, Entity, Field, Kind, words

ITEM: Final = Entity(
    "item",
    {
        "listing": Field(Kind.TEXT, required=True),
        "sku": Field(Kind.TEXT),
        "barcode": Field(Kind.TEXT),
        "title": Field(Kind.TEXT),
        "text": Field(Kind.TEXT),
        "picture": Field(Kind.TEXT),
        "link": Field(Kind.TEXT),
        "category": Field(Kind.TEXT),
        "group": Field(Kind.TEXT),
        "options": Field(Kind.TEXTS),
        "state": words(*LISTING_STATES),
        "kind": words("stocked", "virtual_bundle", "assembled_bundle", "service", "gift_card"),
        "refs": Field(Kind.TEXTS),
        "version": Field(Kind.WHOLE),
        "as_of": Field(Kind.TIME),
    },
)
"""`refs` are what the connector needs to write to this listing (a parent's id, a template's id): never looked into by the hub.
`version` is the platform's own, comparable within one listing; `as_of` its time of the statement."""

LISTING_FIELDS: Final = ("title", "text", "picture", "link", "category", "state")
"""What a `listing` target may say."""

CLAIMED_FIELDS: Final = (
    "sku",
    "barcode",
    "title",
    "text",
    "picture",
    "link",
    "category",
    "group",
    "options",
    "kind",
    "state",
)
"""What an authority for items may say about an item."""


def barcode14(code: str) -> str | None:
    """The barcode as 14 digits with a valid check digit; None for anything else and for in-store prefixes 20 to 29.

    Codes of 8 and of 12 digits that begin with 2 are in-store numbers as well (GS1 General Specifications: GTIN-8 prefix 2,
    U.P.C. prefix 2), and a packing level before such a number changes nothing.
    """
    digits = code.strip()
    if not digits.isdigit() or not digits.isascii() or len(digits) not in (8, 12, 13, 14):
        return None
    padded = digits.zfill(14)
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(padded[:13]))
    if (10 - total % 10) % 10 != int(padded[13]):
        return None
    in_store = padded[1] == "2" or padded[1:3] == "02" or (padded.startswith("000000") and padded[6] == "2")
    return None if in_store else padded


def sku_suggestion_key(sku: str) -> str:
    """The SKU without case, spaces and leading zeros: equal keys are a suggestion to a person, never a binding."""
    return "".join(sku.split()).casefold().lstrip("0")
