"""What a customer sees on a Square account, read over its public API with the standard library alone (nothing of the hub)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

PAGE = 500
PAGES_MAX = 2_000
SECONDS_MAX = 20.0
NO_MINOR_UNITS = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
THREE_DIGITS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


def read_shown(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By SKU: {"stock": {location id: pieces as text}, "price", "currency", "state"}; deleted things are not there.

    Stock is what may be bought now: Square's IN_STOCK, which its own sales have left already.
    """
    del settings  # what an account shows does not depend on a channel's settings
    token = secrets["access_token"]
    told = _all(
        base_url,
        token,
        "/v2/catalog/search",
        {"object_types": ["ITEM_VARIATION"], "include_related_objects": True, "limit": PAGE},
    )
    archived = {
        one["id"]: bool(one.get("item_data", {}).get("is_archived"))
        for page in told
        for one in page.get("related_objects", [])
        if one["type"] == "ITEM"
    }
    stock: dict[str, dict[str, str]] = {}
    for page in _all(base_url, token, "/v2/inventory/counts/batch-retrieve", {"states": ["IN_STOCK"], "limit": PAGE}):
        for count in page.get("counts", []):
            stock.setdefault(count["catalog_object_id"], {})[count["location_id"]] = count["quantity"]
    shown = {}
    for page in told:
        for one in page.get("objects", []):
            seen = one["item_variation_data"]
            shown[seen["sku"]] = {
                "stock": stock.get(one["id"], {}),
                **_price(seen.get("price_money")),
                "state": "inactive" if archived.get(seen["item_id"]) else "active",
            }
    return shown


def _price(money: dict[str, Any] | None) -> dict[str, str]:
    if money is None:
        return {"price": "", "currency": ""}
    digits = 0 if money["currency"] in NO_MINOR_UNITS else 3 if money["currency"] in THREE_DIGITS else 2
    amount = format(Decimal(money["amount"]).scaleb(-digits), "f")
    return {"price": amount.rstrip("0").rstrip(".") if "." in amount else amount, "currency": money["currency"]}


def _all(base_url: str, token: str, path: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    body = dict(question)
    for _ in range(PAGES_MAX):
        asked = Request(
            base_url.rstrip("/") + path,
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Square-Version": "2025-08-20"},
        )
        with urlopen(asked, timeout=SECONDS_MAX) as answer:
            page = json.load(answer)
        pages.append(page)
        if not page.get("cursor"):
            return pages
        body["cursor"] = page["cursor"]
    raise RuntimeError(f"{path} goes on without an end")
