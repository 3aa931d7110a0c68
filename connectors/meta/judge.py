"""What a customer sees in the catalogue, read over HTTP without any of the hub's code: the judge of tests and demo."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

FIELDS = "retailer_id,availability,quantity_to_sell_on_facebook,price,sale_price,currency,visibility"
BUYABLE = ("in stock", "preorder", "available for order")
PAGE_MAX = 200
PAGES_MAX = 10_000
TIMEOUT_SECONDS = 30


def read_shown(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By SKU: `stock` (pieces that may be bought now, under place ""), `price`, `currency`, `state`; all as text."""
    shown: dict[str, dict[str, Any]] = {}
    after = ""
    for _ in range(PAGES_MAX):
        page = _page(base_url, settings["catalog_id"], secrets["access_token"], after)
        for product in page["data"]:
            shown[product["retailer_id"]] = _seen(product)
        paging = page.get("paging", {})
        if "next" not in paging:
            return shown
        after = paging["cursors"]["after"]
    raise RuntimeError("a listing without an end")


def _page(base_url: str, catalog_id: str, token: str, after: str) -> Any:
    query = {"fields": FIELDS, "limit": str(PAGE_MAX), **({"after": after} if after else {})}
    url = f"{base_url.rstrip('/')}/{catalog_id}/products?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        return json.loads(answer.read())


def _seen(product: dict[str, Any]) -> dict[str, Any]:
    buyable = product.get("availability") in BUYABLE
    figure = product.get("quantity_to_sell_on_facebook", 0) if buyable else 0
    return {
        "stock": {"": str(figure)},
        "price": _amount(product.get("sale_price") or product.get("price") or ""),
        "currency": product.get("currency", ""),
        "state": "active" if product.get("visibility") == "published" else "inactive",
    }


def _amount(printed: str) -> str:
    """The digits of a printed price of a currency with two decimals: "1.999,95 kr." is "1999.95"."""
    digits = "".join(sign for sign in printed if sign in "0123456789")
    return f"{int(digits[:-2] or '0')}.{digits[-2:]}" if digits else ""
