"""What a catalogue item shows a customer: its effective price, how many may be bought, whether it is seen.

Pure readings of one product record, used by the connector (to judge a finished batch) and by the mapping alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from hub.sdk.api import Plain, from_minor

BUYABLE: Final = frozenset({"in stock", "preorder", "available for order"})
"""Availabilities with which an item can be bought; with any other one the figure beside it sells nothing."""
PRICE_CHARS_MAX: Final = 40
_AMOUNT: Final = re.compile(r"[0-9](?:[0-9.,'\u2019\s]*[0-9])?")
_GROUPS: Final = re.compile(r"[.,'\u2019\s]")


def shown_price(text: Plain, currency: Plain) -> Decimal:
    """The amount in a price as the platform prints it ("$1,999.95", "1.999,95 kr."); ValueError where it cannot be told.

    Products are read with their price as text for people, so the mark before the last digits is the decimal mark exactly
    when as many digits follow as the currency has; marks before groups of three are dropped, anything else is refused.
    """
    if not isinstance(text, str) or not isinstance(currency, str):
        raise ValueError("a price is text and has a currency")
    found = _AMOUNT.findall(text)
    if len(text) > PRICE_CHARS_MAX or len(found) != 1:
        raise ValueError("no single amount in the price")
    exponent = from_minor(1, currency).as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    *head, tail = _GROUPS.split(found[0])
    if not head:
        return Decimal(tail)
    if places and len(tail) == places and found[0][-places - 1] in ".,":
        return Decimal(f"{''.join(head)}.{tail}")
    if len(tail) == 3 and all(len(group) in (2, 3) for group in head[1:]):
        return Decimal("".join(head) + tail)
    raise ValueError("it cannot be told where the price's decimals begin")


def effective_price(product: Mapping[str, Plain]) -> Decimal:
    """What a customer pays: the sale price where one stands, else the price."""
    return shown_price(product.get("sale_price") or product.get("price"), product.get("currency"))


def sellable(product: Mapping[str, Plain]) -> int | None:
    """How many whole pieces a customer may buy; None where the item has no figure at all."""
    figure = product.get("quantity_to_sell_on_facebook")
    if figure is None:
        return None
    if isinstance(figure, bool) or not isinstance(figure, int):
        raise ValueError("a figure is a whole number")
    return figure if product.get("availability") in BUYABLE else 0


def state(product: Mapping[str, Plain]) -> str:
    """active for a published item, inactive for one that is staged or hidden; ValueError for another word."""
    seen = product.get("visibility")
    if seen == "published":
        return "active"
    if seen in ("staging", "hidden"):
        return "inactive"
    raise ValueError("an unknown visibility")
