"""Changes as entries of an `items_batch` request: feed field names, whole pieces, prices as "199.95 DKK".

Each entry remembers what was asked, so that a finished batch can be judged by what the catalogue then shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Final

from hub.sdk.api import THOUSAND, Change, Plain, body_json, exact_minor, from_minor, plain_decimal

PAYLOAD_BYTES_MAX: Final = 20_000_000
"""Below the platform's 28 MB, with room for the envelope of the request."""
MARK_DIGITS: Final = 10
TEXTS: Final = {
    "title": "title",
    "text": "description",
    "picture": "image_link",
    "link": "link",
    "category": "product_type",
}
"""Canonical listing fields by the feed fields that carry them."""
SHOWN: Final = "shown"
GONE: Final = "gone"
"""Asked of a listing: to be there in whatever state (SHOWN), not to be there (GONE)."""
STATES: Final = {"active": "active", "inactive": "archived"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One change as the platform takes it; `upsert` entries may make the item, `asked` is what it should show then."""

    change: Change
    method: str
    fields: Mapping[str, Plain]
    asked: str
    upsert: bool = False

    @property
    def request(self) -> dict[str, Plain]:
        """The entry as it stands in the request."""
        return {"method": self.method, "data": {"id": self.change.key.listing, **self.fields}}


BEFORE: Final = ";"
"""Stands between what was asked and what stood there before, where that is known."""


@dataclass(frozen=True, slots=True)
class Handle:
    """What a receipt's handle says: the batch, the listing, the change, and what was asked; its text is one line."""

    batch: str
    listing: str
    change: str
    asked: str

    def __str__(self) -> str:
        return f"{self.batch}|{self.listing}|{self.change}|{self.asked}"

    @classmethod
    def read(cls, text: str) -> Handle:
        """The handle of a receipt; only the listing may hold a bar itself."""
        batch, _, rest = text.partition("|")
        listing, change, asked = rest.rsplit("|", 2)
        return cls(batch, listing, change, asked)


def stock_entry(change: Change, _settings: Mapping[str, str]) -> Entry:
    """The figure and the availability that fits it; ValueError for parts of pieces and below zero."""
    figures = _figures(change.after["raw"])
    asked = str(figures["quantity_to_sell_on_facebook"] * THOUSAND)
    before = (change.before or {}).get("raw")
    return Entry(change, "UPDATE", figures, asked if before is None else f"{asked}{BEFORE}{before}")


def price_entry(change: Change, settings: Mapping[str, str]) -> Entry:
    """The price as text; ValueError for another currency, more decimals than it has, and nothing or less."""
    price = _price(change.after, settings)
    return Entry(change, "UPDATE", {"price": price}, asked_price(*price.split(" ")))


def listing_entry(change: Change, settings: Mapping[str, str]) -> Entry:
    """The listing's fields; a listing not shown yet is made, with its price and figure (`amount`, `currency`, `sellable`).

    A listing made without a known figure shows none for sale until its stock is sent. ValueError without a price.
    """
    after: Mapping[str, Plain] = change.after
    wanted = after.get("state", "active")
    if wanted == "gone":
        return Entry(change, "DELETE", {}, GONE)
    if wanted not in STATES:
        raise ValueError(f"no such state of a listing: {wanted}")
    fields: dict[str, Plain] = {name: after[key] for key, name in TEXTS.items() if after.get(key)}
    if "state" in after or change.before is None:
        fields["status"] = STATES[wanted]
    marks = [f"{key}={mark(after[key])}" for key in TEXTS if after.get(key)]
    asked = " ".join([wanted if "status" in fields else SHOWN, *marks])
    if change.before is not None:
        return Entry(change, "UPDATE", fields, asked)
    # UPDATE with upsert rather than CREATE: made twice after a lost answer, it is still one item.
    return Entry(change, "UPDATE", {**_making(change, settings), **fields}, asked, upsert=True)


def mark(text: Plain) -> str:
    """A short mark of a text, the same for texts that differ in case and blanks only: platforms tidy those."""
    return sha256(" ".join(str(text).split()).casefold().encode()).hexdigest()[:MARK_DIGITS]


def _making(change: Change, settings: Mapping[str, str]) -> dict[str, Plain]:
    after, listing = change.after, change.key.listing
    if not after.get("amount"):
        raise ValueError("an item cannot be made without a price")
    fields: dict[str, Plain] = {
        "price": _price(after, settings),
        "condition": settings.get("condition") or "new",
        # They refuse an item without a description: the title then stands for it.
        "description": after.get("title", ""),
        **_figures(after.get("raw", after.get("sellable")) or 0),
    }
    if settings.get("link_base"):
        fields["link"] = settings["link_base"] + listing
    if settings.get("picture_default"):
        fields["image_link"] = settings["picture_default"]
    fields |= {"brand": settings["brand"]} if settings.get("brand") else {"mpn": after.get("sku") or listing}
    return fields


def _figures(thousandths: Plain) -> dict[str, Plain]:
    if isinstance(thousandths, bool) or not isinstance(thousandths, int):
        raise ValueError("a figure is a whole number of thousandths")
    pieces, rest = divmod(thousandths, THOUSAND)
    if rest:
        raise ValueError("only whole pieces can be offered here")
    if pieces < 0:
        raise ValueError("fewer than none cannot be offered here")
    return {"quantity_to_sell_on_facebook": pieces, "availability": "in stock" if pieces else "out of stock"}


def _price(after: Mapping[str, Plain], settings: Mapping[str, str]) -> str:
    currency = after.get("currency", "")
    if currency != settings["currency"]:
        raise ValueError(f"the catalogue's currency is {settings['currency']}, not {currency}")
    try:
        amount = Decimal(after["amount"])
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError("a price is decimal text") from None
    if not amount.is_finite() or amount <= 0:
        raise ValueError("a price is above zero")
    return f"{from_minor(exact_minor(amount, currency), currency):f} {currency}"


def asked_price(amount: str, currency: str) -> str:
    """A price in the one form in which two are compared: "199.95 DKK", "200 DKK"."""
    return f"{plain_decimal(Decimal(amount))} {currency}"


def batches(entries: Sequence[Entry], batch_max: int) -> Iterator[list[Entry]]:
    """The entries in requests that the platform takes: bounded in number and bytes, those that may make items apart."""
    for upsert in (False, True):
        batch: list[Entry] = []
        size = 0
        for entry in entries:
            if entry.upsert is not upsert:
                continue
            weight = len(body_json(entry.request)) + 1
            if batch and (len(batch) >= batch_max or size + weight > PAYLOAD_BYTES_MAX):
                yield batch
                batch, size = [], 0
            batch.append(entry)
            size += weight
        if batch:
            yield batch
