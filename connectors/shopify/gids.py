"""Shopify's global ids (`gid://shopify/Kind/number`), its times, and its amounts of money, as the hub writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hub.sdk.api import MICROS_PER_SECOND, Plain, iso, minor_from

PREFIX: Final = "gid://shopify/"
ID_CHARS_MAX: Final = 60


def gid(kind: str, ident: str) -> str:
    """The global id of this number; what is a global id already stays as it is."""
    return ident if ident.startswith(PREFIX) else f"{PREFIX}{kind}/{ident}"


def number(ident: str) -> str:
    """The number of a global id: `gid://shopify/ProductVariant/7` is 7."""
    return ident.rpartition("/")[2].partition("?")[0]


def kind_of(ident: str) -> str:
    """The kind of a global id, "" for a bare number."""
    return ident.removeprefix(PREFIX).partition("/")[0] if ident.startswith(PREFIX) else ""


def is_id(ident: str) -> bool:
    """Whether this can be asked for: a global id, or a number of ours."""
    return (len(ident) <= ID_CHARS_MAX and ident.isascii() and ident.isdigit()) or ident.startswith(PREFIX)


def stamp(at: int) -> str:
    """The time as the search syntax takes it: whole seconds, UTC."""
    return iso(at - at % MICROS_PER_SECOND).replace(".000Z", "Z")


def minor(money: Plain) -> int:
    """The minor units of a MoneyV2 object, rounded half up: Shopify keeps some computed amounts with more decimals."""
    return minor_from(Decimal(str(money["amount"])), str(money["currencyCode"]))
