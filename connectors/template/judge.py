"""What a customer sees, read over HTTP without any of the hub's code: the judge of tests and demo."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

SIZE = 100
PAGES_MAX = 10_000
TIMEOUT_SECONDS = 30
STATES = {"on_sale": "active", "off_sale": "inactive"}


def read_shown(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    """By SKU: `stock` (pieces that may be bought now, under place ""), `price`, `currency`, `state`; all as text."""
    return {
        item["sku"]: {
            "stock": {"": str(item["stock"])},
            "price": item["price"]["amount"],
            "currency": item["price"]["currency"],
            "state": STATES.get(item["state"], "gone"),
        }
        for item in _listed(base_url, secrets["token"], "items")
    }


def read_orders(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    """By their id: number, reference, state, pieces by SKU that are wanted and that have left, the total, notes."""
    skus = {item["id"]: item["sku"] for item in _listed(base_url, secrets["token"], "items")}
    return {order["id"]: _order(order, skus) for order in _listed(base_url, secrets["token"], "orders")}


def _order(order: dict[str, Any], skus: dict[str, str]) -> dict[str, Any]:
    names = {line["id"]: skus.get(line["item"], "") for line in order["lines"]}
    wanted: dict[str, int] = {}
    shipped: dict[str, int] = {}
    for line in order["lines"]:
        wanted[names[line["id"]]] = wanted.get(names[line["id"]], 0) + line["quantity"] - line["cancelled"]
    for part in [part for parcel in order["parcels"] for part in parcel["lines"]]:
        shipped[names[part["line"]]] = shipped.get(names[part["line"]], 0) + part["quantity"]
    return {
        "number": order["number"],
        "reference": order["reference"],
        "state": order["state"],
        "lines": wanted,
        "shipped": shipped,
        "total": f"{order['total'] // 100}.{order['total'] % 100:02d}",
        "notes": [note["text"] for note in order["notes"]],
    }


def _listed(base_url: str, token: str, key: str) -> Iterator[dict[str, Any]]:
    after = ""
    for _ in range(PAGES_MAX):
        query = {"size": str(SIZE), **({"page": after} if after else {})}
        url = f"{base_url.rstrip('/')}/{key}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            page = json.loads(answer.read())
        yield from page[key]
        after = page["next"] or ""
        if not after:
            return
    raise RuntimeError("a listing without an end")
