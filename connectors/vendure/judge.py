"""What the shop shows and which orders it holds, read over HTTP without the hub's code: for checkers and demonstrations."""

from __future__ import annotations

import json
import urllib.request
from decimal import Decimal
from typing import Any

PAGE = 200
ANSWER_BYTES_MAX = 32 * 1024 * 1024
SECONDS_MAX = 30
QUERY = """query Shown($options: ProductVariantListOptions) {
  productVariants(options: $options) {
    totalItems
    items {
      sku enabled product { enabled } prices { currencyCode price }
      stockLevels { stockLocationId stockOnHand stockAllocated }
    }
  }
}"""
ORDERS = """query Orders($options: OrderListOptions) {
  orders(options: $options) {
    totalItems
    items {
      id code state totalWithTax
      lines { id quantity productVariant { sku } }
      fulfillments { state lines { orderLineId quantity } }
      history(options: { filter: { type: { eq: "ORDER_NOTE" } }, take: 500 }) { items { isPublic data } }
    }
  }
}"""
LOGIN = """mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }"""


def read_shown(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By SKU: pieces that may be bought by stock location id, the price in the channel's currency, and the state."""
    headers = _sign_in(base_url, settings, secrets)
    shown: dict[str, dict[str, Any]] = {}
    skip, total = 0, 1
    while skip < total:
        options = {"take": PAGE, "skip": skip, "sort": {"id": "ASC"}}
        found = _post(base_url, headers, QUERY, {"options": options})[0]["data"]["productVariants"]
        if not found["items"]:
            raise ValueError("the listing ended early")
        for item in found["items"]:
            shown[item["sku"]] = _one(item, settings["currency"])
        skip, total = skip + len(found["items"]), found["totalItems"]
    return shown


def read_orders(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By their order id: number, state, pieces ordered and shipped by SKU, what the customer pays now and may read of it.

    Carts are left out.
    """
    headers = _sign_in(base_url, settings, secrets)
    held: dict[str, dict[str, Any]] = {}
    skip, total = 0, 1
    while skip < total:
        options = {"take": PAGE, "skip": skip, "sort": {"id": "ASC"}, "filter": {"orderPlacedAt": {"isNull": False}}}
        found = _post(base_url, headers, ORDERS, {"options": options})[0]["data"]["orders"]
        if not found["items"] and found["totalItems"]:
            raise ValueError("the listing ended early")
        for order in found["items"]:
            held[order["id"]] = _order(order)
        skip, total = skip + len(found["items"]), found["totalItems"]
    return held


def _order(order: dict[str, Any]) -> dict[str, Any]:
    skus = {line["id"]: line["productVariant"]["sku"] for line in order["lines"]}
    lines: dict[str, int] = {}
    for line in order["lines"]:
        lines[skus[line["id"]]] = lines.get(skus[line["id"]], 0) + line["quantity"]
    shipped: dict[str, int] = {}
    for parcel in order["fulfillments"] or []:
        if parcel["state"] in ("Shipped", "Delivered"):
            for part in parcel["lines"]:
                sku = skus[part["orderLineId"]]
                shipped[sku] = shipped.get(sku, 0) + part["quantity"]
    return {
        "number": order["code"],
        "reference": "",
        "state": order["state"],
        "lines": lines,
        "shipped": shipped,
        "total": f"{Decimal(order['totalWithTax']) / 100:.2f}",
        "notes": [one["data"]["note"] for one in order["history"]["items"] if one["isPublic"]],
    }


def _one(item: dict[str, Any], currency: str) -> dict[str, Any]:
    prices = [price["price"] for price in item["prices"] if price["currencyCode"] == currency]
    return {
        "stock": {level["stockLocationId"]: str(level["stockOnHand"] - level["stockAllocated"]) for level in item["stockLevels"]},
        "price": f"{Decimal(prices[0]) / 100:.2f}" if prices else None,
        "currency": currency,
        "state": "active" if item["enabled"] and item["product"]["enabled"] else "inactive",
    }


def _sign_in(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, str]:
    headers = {"content-type": "application/json"}
    if settings.get("channel_token"):
        headers["vendure-token"] = settings["channel_token"]
    if secrets.get("api_key"):
        return {**headers, "vendure-api-key": secrets["api_key"]}
    said = _post(base_url, headers, LOGIN, {"u": settings["username"], "p": secrets["password"]})
    return {**headers, "authorization": f"Bearer {said[1]}"}


def _post(base_url: str, headers: dict[str, str], query: str, variables: dict[str, Any]) -> tuple[dict[str, Any], str]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(base_url.rstrip("/") + "/admin-api", body, headers)
    with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:
        said = json.loads(answer.read(ANSWER_BYTES_MAX))
        if said.get("errors"):
            raise ValueError(str(said["errors"][0].get("message")))
        return said, answer.headers.get("vendure-auth-token", "")
