"""The rules of a catalogue's items: which fields a batch may say, what an item must have, how it reads afterwards.

A batch speaks feed names (`title`, `link`, `price: "199.95 DKK"`), reading answers in the node's names (`name`, `url`, a
price printed for people). The two must not be mixed: a name of the other side is an error, any other unknown one a warning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final

from hub.sdk.api import Plain, exact_minor, from_minor

FEED_FIELDS: Final = frozenset(
    {
        "id", "title", "description", "availability", "condition", "price", "sale_price", "link", "image_link", "brand",
        "gtin", "mpn", "status", "product_type", "google_product_category", "quantity_to_sell_on_facebook",
        "item_group_id", "custom_label_0", "custom_label_1",
    }
)  # fmt: skip
"""What a batch may say of an item."""
NODE_FIELDS: Final = frozenset(
    {
        "id", "retailer_id", "name", "description", "availability", "quantity_to_sell_on_facebook", "price", "sale_price",
        "currency", "url", "image_url", "image_fetch_status", "product_type", "category", "brand", "gtin", "condition",
        "visibility",
    }
)  # fmt: skip
"""What reading may ask for."""
NODE_NAMES: Final = frozenset(["retailer_id", "name", "url", "image_url", "currency", "category", "visibility", "inventory"])
REQUIRED: Final = ("title", "description", "availability", "condition", "price", "link", "image_link")
AVAILABILITIES: Final = frozenset(
    ("in stock", "out of stock", "preorder", "available for order", "discontinued", "pending", "mark_as_sold")
)
CONDITIONS: Final = frozenset(
    ["new", "refurbished", "used", "used_like_new", "used_good", "used_fair", "cpo", "open_box_new"],
)
BUYABLE: Final = frozenset(("in stock", "preorder", "available for order"))
ID_CHARS_MAX: Final = 100
TITLE_CHARS_MAX: Final = 200
DESCRIPTION_CHARS_MAX: Final = 9_999
QUANTITY_MAX: Final = 2**31 - 1
PRICES_MAX: Final = 4_096
"""So many prices are kept as they are read and printed: they are asked for far more often than they change."""
COMMA_CURRENCIES: Final = frozenset(["DKK", "NOK", "SEK", "EUR"])
_PRICE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ([A-Z]{3})")

Item = dict[str, Plain]


def faults_of(method: str, entry: Mapping[str, Plain], known: bool, currency: str) -> tuple[list[str], list[str]]:
    """Errors (the entry is not saved) and warnings (the rest of it is) of one entry of a batch."""
    errors: list[str] = []
    warnings: list[str] = []
    for name in entry:
        if name in NODE_NAMES:
            errors.append(f"Unrecognised field: {name} is not a field of item batches")
        elif name not in FEED_FIELDS:
            warnings.append(f"Unrecognised field: {name}")
    if method == "DELETE":
        return errors, warnings
    if not known:
        errors += [f"A required field is missing: {name}" for name in REQUIRED if not entry.get(name)]
        if not (entry.get("brand") or entry.get("gtin") or entry.get("mpn")):
            errors.append("A required field is missing: brand (or gtin, or mpn)")
    errors += [words for name, value in entry.items() if (words := _fault(name, value, currency))]
    if "broken" in str(entry.get("image_link", "")):
        warnings.append("The image of this item could not be downloaded")
    return errors, warnings


def _fault(name: str, value: Plain, currency: str) -> str:
    if name in ("price", "sale_price"):
        return _price_fault(name, value, currency)
    if name == "quantity_to_sell_on_facebook":
        whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= QUANTITY_MAX
        return "" if whole else "The quantity is not a whole number of at least 0"
    if name not in FEED_FIELDS:
        return ""
    if not isinstance(value, str):
        return f"The value of {name} is not text"
    if name in ("title", "description", "link", "image_link") and not value.strip():
        return f"The value of {name} is empty"
    limits = {"title": TITLE_CHARS_MAX, "description": DESCRIPTION_CHARS_MAX, "id": ID_CHARS_MAX}
    if len(value) > limits.get(name, DESCRIPTION_CHARS_MAX):
        return f"The value of {name} is too long"
    if name in ("link", "image_link") and not re.match(r"https?://[^\s/]+", value):
        return f"The value of {name} is no address"
    words = {"availability": AVAILABILITIES, "condition": CONDITIONS, "status": frozenset(("active", "archived"))}
    return f"The value of {name} is not one of its words" if name in words and value not in words[name] else ""


def _price_fault(name: str, value: Plain, currency: str) -> str:
    if name == "sale_price" and value == "":
        return ""
    found = _PRICE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return f'The {name} is invalid: it is written as "9.99 USD"'
    if found[2] != currency:
        return f"The {name} is invalid: its currency is not the catalogue's ({currency})"
    try:
        minor = exact_minor(Decimal(found[1]), currency)
    except ValueError:
        return f"The {name} is invalid: too many decimals"
    return "" if minor > 0 else f"The {name} is invalid: it must be above zero"


def save(item: Item, entry: Mapping[str, Plain]) -> None:
    """Put the entry's known fields into the item."""
    for name in entry:
        if name in FEED_FIELDS and name != "id":
            item[name] = entry[name]
    if "image_link" in entry:
        item["image_fetch_status"] = "FETCH_FAILED" if "broken" in str(entry["image_link"]) else "FETCHED"


def sellable(item: Item) -> int:
    """How many a customer may buy."""
    return int(item.get("quantity_to_sell_on_facebook") or 0) if item.get("availability") in BUYABLE else 0


def amount(item: Item) -> Decimal | None:
    """What a customer pays."""
    written = item.get("sale_price") or item.get("price")
    return _number(written) if written else None


@lru_cache(maxsize=PRICES_MAX)
def _number(written: str) -> Decimal:
    return Decimal(written.split(" ")[0])


@lru_cache(maxsize=PRICES_MAX)
def printed(written: str | None) -> str | None:
    """A price as reading answers it: for people, in the currency's own manner, "1.999,95 kr." or "$1,999.95"."""
    if not written:
        return None
    number, currency = written.split(" ")
    text = f"{from_minor(exact_minor(Decimal(number), currency), currency):,f}"
    if currency in COMMA_CURRENCIES:
        text = text.translate(str.maketrans(",.", ".,"))
    return f"{text} kr." if currency == "DKK" else f"${text}" if currency == "USD" else f"{currency} {text}"


def node(item: Item) -> Item:
    """The item as reading answers it, all its fields; what has no value is left out."""
    price = item.get("price")
    whole: Item = {
        "id": item["node"],
        "retailer_id": item["id"],
        "name": item.get("title"),
        "description": item.get("description"),
        "availability": item.get("availability"),
        "quantity_to_sell_on_facebook": item.get("quantity_to_sell_on_facebook"),
        "price": printed(price),
        "sale_price": printed(item.get("sale_price")),
        "currency": price.split(" ")[1] if price else None,
        "url": item.get("link"),
        "image_url": item.get("image_link"),
        "image_fetch_status": item.get("image_fetch_status"),
        "product_type": item.get("product_type"),
        "category": item.get("google_product_category"),
        "brand": item.get("brand"),
        "gtin": item.get("gtin"),
        "condition": item.get("condition"),
        "visibility": "published" if item.get("status", "active") == "active" else "staging",
    }
    return {name: value for name, value in whole.items() if value not in (None, "")}
