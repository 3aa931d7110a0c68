"""Shopify's global ids (`gid://shopify/Kind/number`), its times, and its amounts of money, as the hub writes them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final

from hub.sdk.api import Plain, Response, iso, micros, minor_from

PREFIX: Final = "gid://shopify/"
MICROS_PER_SECOND: Final = 1_000_000
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


def read_time(text: str) -> int:
    """Microseconds UTC of an ISO time."""
    return micros(dt.datetime.fromisoformat(text))


def stamp(at: int) -> str:
    """The time as the search syntax takes it: whole seconds, UTC."""
    return iso(at - at % MICROS_PER_SECOND).replace(".000Z", "Z")


def answered_at(answer: Response) -> int | None:
    """Microseconds of the answer's Date header (whole seconds), None when it has none that can be read."""
    head, found, _ = answer.headers.get("date", "").partition("GMT")
    if not found:
        return None
    try:
        return round(parsedate_to_datetime(head + found).timestamp()) * MICROS_PER_SECOND
    except (ValueError, TypeError):
        return None


def minor(money: Plain) -> int:
    """The minor units of a MoneyV2 object, rounded half up: Shopify keeps some computed amounts with more decimals."""
    return minor_from(Decimal(str(money["amount"])), str(money["currencyCode"]))
