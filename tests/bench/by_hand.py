"""The two mappings of the bench as a careful person writes them in Python: same results, same exactness, same refusals.

A refusal names the path and the value, as a mapping's does. Nothing here uses the mapping compiler.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hub.canonical import values
from hub.canonical.currencies import MINOR_DIGITS
from hub.canonical.values import Plain
from hub.errors import UnmappableError
from hub.mapping.explain import shown

STATES = {"pending": "hold", "on-hold": "hold", "processing": "reserve", "completed": "fulfilled", "cancelled": "ended"}
LISTED = {"active": "active", "draft": "inactive", "archived": "inactive"}
FOUR_DECIMALS = Decimal("0.0001")
NUMBER_MAX = Decimal(10) ** 30


def order(told: Plain) -> dict[str, Plain]:
    """The canonical order of a shop's order."""
    if type(told) is not dict:
        raise UnmappableError("not an object")
    billing, shipping = look(told, "billing", ""), look(told, "shipping", "")
    found = {
        "number": id_text(told, "id", ""),
        "shown_number": text(told, "number", ""),
        "placed_at": utc(told, "date_created_gmt", ""),
        "currency": currency(told, "currency", ""),
        "tax": "included" if flag(told, "prices_include_tax", "") else "excluded",
        "state": word(told, "status", "", STATES),
        "email": text(billing, "email", "billing.", personal=True),
        "country": text(shipping, "country", "shipping."),
        "total": amount(told, "total", ""),
        "shipping": amount(told, "shipping_total", ""),
        "discount": amount(told, "discount_total", ""),
        "lines": [line(one, f"line_items.{place}.") for place, one in enumerate(rows(told, "line_items", ""))],
    }
    if told.get("date_paid_gmt") is not None:
        found["paid_at"] = utc(told, "date_paid_gmt", "")
    return found


def line(told: Plain, at: str) -> dict[str, Plain]:
    """One line of an order."""
    found = {
        "line": id_text(told, "id", at),
        "title": text(told, "name", at),
        "quantity": quantity(told, "quantity", at),
        "total": amount(told, "total", at),
        "tax": amount(told, "total_tax", at),
        "unit": unit(told, at),
        "kind": "stocked",
    }
    sku = told.get("sku")
    if sku is not None and (type(sku) is not str or sku.strip()):
        found["sku"] = text(told, "sku", at).strip()
    return found


def unit(told: Plain, at: str) -> Decimal:
    """What one piece of a line costs, to four decimals."""
    total, pieces = look(told, "total", at), look(told, "quantity", at)
    try:
        amount, count = Decimal(total), Decimal(pieces)
        if not (-NUMBER_MAX <= amount <= NUMBER_MAX and 0 < abs(count) <= NUMBER_MAX):
            raise ValueError("out of range")
        return values.unit_price((amount / count).quantize(FOUR_DECIMALS, rounding=ROUND_HALF_UP))
    except (ValueError, TypeError, ArithmeticError):
        raise UnmappableError("cannot be calculated", f"{at}total, {at}quantity", f"{shown(total)}, {shown(pieces)}") from None


def items(told: Plain) -> list[dict[str, Plain]]:
    """The canonical items of a shop's product: one for each variant."""
    if type(told) is not dict:
        raise UnmappableError("not an object")
    return [item(told, one, f"variants.{place}.") for place, one in enumerate(rows(told, "variants", ""))]


def item(product: Plain, variant: Plain, at: str) -> dict[str, Plain]:
    """One variant of a product."""
    title, named = look(product, "title", ""), look(variant, "title", at)
    if type(title) is not str or type(named) is not str:
        raise UnmappableError("not a text", f"title, {at}title", f"{shown(title)}, {shown(named)}")
    found = {
        "listing": id_text(variant, "id", at),
        "title": title + " / " + named,
        "text": text(product, "body", ""),
        "picture": text(look(product, "image", ""), "src", "image."),
        "category": text(product, "product_type", ""),
        "group": id_text(product, "id", ""),
        "state": word(product, "status", "", LISTED),
        "kind": "stocked",
        "options": {"size": text(variant, "option1", at), "colour": text(variant, "option2", at)},
        "refs": {"product": id_text(product, "id", ""), "stock": id_text(variant, "inventory_item_id", at)},
        "as_of": utc(variant, "updated_at", at, naive=False),
    }
    for name in ("sku", "barcode"):
        said = variant.get(name)
        if said is not None and (type(said) is not str or said.strip()):
            found[name] = text(variant, name, at).strip()
    return found


def look(base: Plain, key: str, at: str) -> Plain:
    """What stands under the key."""
    try:
        return base[key]
    except (KeyError, TypeError, IndexError):
        raise UnmappableError("nothing there", at + key, shown(base, True)) from None


def refused(reason: str, key: str, at: str, value: Plain, personal: bool = False) -> UnmappableError:
    """The refusal of this value."""
    return UnmappableError(reason, at + key, shown(value, personal))


def text(base: Plain, key: str, at: str, *, personal: bool = False) -> str:
    """Storable text."""
    value = look(base, key, at)
    if type(value) is not str:
        if type(value) is int and abs(value) <= 10**18:
            return str(value)
        raise refused("not a text", key, at, value, personal)
    if "\0" in value or len(value) > 1_000_000:
        raise refused("a text with NUL, or too long", key, at, value, personal)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise refused("half a character", key, at, value, personal) from None
    return value


def id_text(base: Plain, key: str, at: str) -> str:
    """A numeric id as text."""
    value = look(base, key, at)
    said = str(value) if type(value) is int else value
    if type(said) is not str or not said.isdigit() or not said.isascii() or len(said) > 18 or (said[0] == "0" and said != "0"):
        raise refused("not an id number", key, at, value)
    return said


def amount(base: Plain, key: str, at: str) -> Decimal:
    """An exact amount."""
    return exact(values.unit_price, base, key, at)


def quantity(base: Plain, key: str, at: str) -> int:
    """Thousandths of a piece."""
    value = look(base, key, at)
    if type(value) is int and -(10**9) < value < 10**9:
        return value * 1000
    return int(exact(values.quantity, base, key, at))


def exact(convert: Callable[[Plain], Any], base: Plain, key: str, at: str) -> Any:
    """The converted value."""
    value = look(base, key, at)
    try:
        return convert(value)
    except ValueError as bad:
        raise refused(str(bad), key, at, value) from None


def utc(base: Plain, key: str, at: str, *, naive: bool = True) -> int:
    """Microseconds of an ISO time that means UTC without saying so, or else names its zone."""
    value = look(base, key, at)
    if type(value) is not str or len(value) < 16 or value[10] not in "T t":
        raise refused("not an ISO 8601 time", key, at, value)
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        raise refused("not an ISO 8601 time", key, at, value) from None
    if (moment.tzinfo is None) is not naive:
        raise refused("zone", key, at, value)
    return values.micros(moment.replace(tzinfo=dt.UTC) if naive else moment)


def currency(base: Plain, key: str, at: str) -> str:
    """A currency code."""
    value = look(base, key, at)
    if type(value) is not str or value not in MINOR_DIGITS:
        raise refused("not a currency", key, at, value)
    return value


def flag(base: Plain, key: str, at: str) -> bool:
    """True or false."""
    value = look(base, key, at)
    if type(value) is not bool:
        raise refused("neither true nor false", key, at, value)
    return value


def word(base: Plain, key: str, at: str, known: dict[str, str]) -> str:
    """Our word for theirs."""
    value = look(base, key, at)
    try:
        return known[value]
    except (KeyError, TypeError):
        raise refused("an unknown word", key, at, value) from None


def rows(base: Plain, key: str, at: str) -> list[Plain]:
    """A list of bearable length."""
    value = look(base, key, at)
    if type(value) is not list or len(value) > 10_000:
        raise refused("not a list", key, at, value)
    return value
