"""What the shop shows and which orders it holds, read over HTTP without the hub's code: for checkers and demonstrations."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

VERSION = "2026-10"
ANSWER_BYTES_MAX = 32 * 1024 * 1024
SECONDS_MAX = 30
SHOWN = """query Shown($first: Int!, $after: String) {
  shop { currencyCode }
  productVariants(first: $first, after: $after, sortKey: ID) {
    nodes {
      sku price product { status }
      inventoryItem { inventoryLevels(first: 10) { nodes { location { id } quantities(names: ["available"]) { quantity } } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
ORDERS = """query Orders($first: Int!, $after: String) {
  orders(first: $first, after: $after, sortKey: ID) {
    nodes {
      id name cancelledAt displayFinancialStatus displayFulfillmentStatus
      currentTotalPriceSet { shopMoney { amount } }
      lineItems(first: 20) { nodes { id sku currentQuantity } }
      fulfillments(first: 5) { status fulfillmentLineItems(first: 20) { nodes { quantity lineItem { sku } } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""


def read_shown(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By SKU: pieces that may be bought by location id, the shop's price, and the state."""
    del settings
    shown: dict[str, dict[str, Any]] = {}
    for data in _pages(base_url, secrets, SHOWN, "productVariants", 25):
        for node in data["productVariants"]["nodes"]:
            levels = node["inventoryItem"]["inventoryLevels"]["nodes"]
            shown[node["sku"]] = {
                "stock": {
                    level["location"]["id"].rpartition("/")[2]: str(level["quantities"][0]["quantity"]) for level in levels
                },
                "price": node["price"],
                "currency": data["shop"]["currencyCode"],
                "state": "active" if node["product"]["status"] == "ACTIVE" else "inactive",
            }
    return shown


def read_orders(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By their order id: number, state, pieces in the order and shipped by SKU, and what the customer pays now."""
    del settings
    held: dict[str, dict[str, Any]] = {}
    for data in _pages(base_url, secrets, ORDERS, "orders", 4):
        for node in data["orders"]["nodes"]:
            lines: dict[str, int] = {}
            shipped: dict[str, int] = {}
            for line in node["lineItems"]["nodes"]:
                lines[line["sku"] or ""] = lines.get(line["sku"] or "", 0) + line["currentQuantity"]
            for parcel in node["fulfillments"]:
                for part in parcel["fulfillmentLineItems"]["nodes"] if parcel["status"] == "SUCCESS" else []:
                    sku = part["lineItem"]["sku"] or ""
                    shipped[sku] = shipped.get(sku, 0) + part["quantity"]
            held[node["id"].rpartition("/")[2]] = {
                "number": node["name"],
                "reference": "",
                "state": "CANCELLED" if node["cancelledAt"] else node["displayFulfillmentStatus"],
                "lines": lines,
                "shipped": shipped,
                "total": node["currentTotalPriceSet"]["shopMoney"]["amount"],
            }
    return held


def _pages(base_url: str, secrets: dict[str, str], query: str, name: str, first: int) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        data = _post(base_url, secrets, query, {"first": first, "after": after})
        pages.append(data)
        if not data[name]["pageInfo"]["hasNextPage"]:
            return pages
        after = data[name]["pageInfo"]["endCursor"]


def _post(base_url: str, secrets: dict[str, str], query: str, variables: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"content-type": "application/json", "x-shopify-access-token": secrets["access_token"]}
    request = urllib.request.Request(f"{base_url.rstrip('/')}/admin/api/{VERSION}/graphql.json", body, headers)
    with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:
        said = json.loads(answer.read(ANSWER_BYTES_MAX))
        if said.get("errors"):
            raise ValueError(str(said["errors"]))
        told: dict[str, Any] = said["data"]
        return told
