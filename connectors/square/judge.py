"""What a customer sees on a Square account, read over its public API with the standard library alone (nothing of the hub)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

PAGE = 500
PAGES_MAX = 2_000
LOCATIONS_PER_SEARCH = 10
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


def read_orders(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By their order id: number, reference, state, pieces by SKU (less what came back) sold and handed over, total."""
    del settings
    token = secrets["access_token"]
    question = {"object_types": ["ITEM_VARIATION"], "limit": PAGE}
    catalogue = _all(base_url, token, "/v2/catalog/search", question)
    skus = {one["id"]: one["item_variation_data"]["sku"] for page in catalogue for one in page.get("objects", [])}
    places = [one["id"] for one in _asked(base_url, token, "/v2/locations", None)["locations"]]
    held = {}
    for at in range(0, len(places), LOCATIONS_PER_SEARCH):
        where = {"location_ids": places[at : at + LOCATIONS_PER_SEARCH], "limit": PAGE}
        for page in _all(base_url, token, "/v2/orders/search", where):
            for order in page.get("orders", []):
                held[order["id"]] = _order(order, skus)
    return held


def _order(order: dict[str, Any], skus: dict[str, str]) -> dict[str, Any]:
    lines: dict[str, int] = {}
    for one in order.get("line_items", []):
        sku = skus.get(one.get("catalog_object_id", ""), "")
        lines[sku] = lines.get(sku, 0) + int(one["quantity"])
    for back in order.get("returns", []):
        for one in back.get("return_line_items", []):
            sku = skus.get(one.get("catalog_object_id", ""), "")
            lines[sku] = lines.get(sku, 0) - int(one["quantity"])
    parts = [one["state"] for one in order.get("fulfillments", [])]
    gone = "COMPLETED" in parts if parts else order["state"] == "COMPLETED"
    money = order["net_amounts"]["total_money"]
    digits = _digits(money["currency"])
    return {
        "number": order["id"],
        "reference": order.get("reference_id", ""),
        "state": order["state"],
        "lines": lines,
        "shipped": lines if gone else {},
        "total": format(Decimal(money["amount"]).scaleb(-digits), "f"),
    }


def _digits(currency: str) -> int:
    return 0 if currency in NO_MINOR_UNITS else 3 if currency in THREE_DIGITS else 2


def _price(money: dict[str, Any] | None) -> dict[str, str]:
    if money is None:
        return {"price": "", "currency": ""}
    amount = format(Decimal(money["amount"]).scaleb(-_digits(money["currency"])), "f")
    return {"price": amount.rstrip("0").rstrip(".") if "." in amount else amount, "currency": money["currency"]}


def _all(base_url: str, token: str, path: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    body = dict(question)
    for _ in range(PAGES_MAX):
        page = _asked(base_url, token, path, body)
        pages.append(page)
        if not page.get("cursor"):
            return pages
        body["cursor"] = page["cursor"]
    raise RuntimeError(f"{path} goes on without an end")


def _asked(base_url: str, token: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    asked = Request(
        base_url.rstrip("/") + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Square-Version": "2025-08-20"},
    )
    with urlopen(asked, timeout=SECONDS_MAX) as answer:
        told: dict[str, Any] = json.load(answer)
        return told
