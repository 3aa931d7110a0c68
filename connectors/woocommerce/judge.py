"""What the shop shows and which orders it holds, read over HTTP without the hub's code: for checkers and demonstrations."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import urllib.error
import urllib.request
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

PER_PAGE = 100
PAGES_MAX = 1_000
ANSWER_BYTES_MAX = 32 * 1024 * 1024
SECONDS_MAX = 60
PARCEL = "_samklang_parcel_"


def read_shown(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By SKU: pieces that may be bought (where they are counted), the price that is charged, and the state."""
    shop = _Shop(base_url, secrets)
    shown: dict[str, dict[str, Any]] = {}
    for product in shop.all("products", {"status": "any"}):
        one = _one(product, settings["currency"])
        if product["sku"]:
            shown[product["sku"]] = one
        if product["type"].startswith("variable"):
            for variation in shop.all(f"products/{product['id']}/variations", {}):
                if variation["sku"]:
                    below = _one(variation, settings["currency"])
                    shown[variation["sku"]] = {**below, "state": below["state"] if one["state"] == "active" else one["state"]}
    return shown


def read_orders(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:  # noqa: ARG001
    """By their order id: number, state, pieces in the order and shipped by SKU, what the customer pays, notes that customers see.

    Pieces that were refunded are in the order no more.
    """
    shop = _Shop(base_url, secrets)
    held: dict[str, dict[str, Any]] = {}
    for order in shop.all("orders", {"status": "any"}):
        if order["status"] in ("checkout-draft", "auto-draft"):
            continue
        skus = {str(line["id"]): str(line["sku"]) for line in order["line_items"]}
        lines: dict[str, int] = {}
        for line in order["line_items"]:
            lines[skus[str(line["id"])]] = lines.get(skus[str(line["id"])], 0) + line["quantity"]
        for refund in shop.all(f"orders/{order['id']}/refunds", {}) if order["refunds"] else []:
            for row in refund["line_items"]:
                of = next(one["value"] for one in row["meta_data"] if one["key"] == "_refunded_item_id")
                lines[skus[str(of)]] += row["quantity"]
        parcels = _shipped(order, skus)
        notes = shop.get(f"orders/{order['id']}/notes", {})[0]
        held[str(order["id"])] = {
            "number": order["number"],
            "reference": "",
            "state": order["status"],
            "lines": lines,
            "shipped": dict(lines) if order["status"] == "completed" and not parcels else parcels,
            "total": order["total"],
            "refunded": f"{sum((-Decimal(one['total']) for one in order['refunds']), Decimal(0)):.2f}",
            "notes": [note["note"] for note in notes if note["customer_note"]],
        }
    return held


def _shipped(order: dict[str, Any], skus: dict[str, str]) -> dict[str, int]:
    shipped: dict[str, int] = {}
    for row in order["meta_data"]:
        if row["key"].startswith(PARCEL):
            for line, quantity in json.loads(row["value"])["parts"]:
                shipped[skus[line]] = shipped.get(skus[line], 0) + quantity // 1000
    return shipped


def _one(product: dict[str, Any], currency: str) -> dict[str, Any]:
    counted = product["manage_stock"] in (True, "parent")
    return {
        "stock": {"": str(product["stock_quantity"])} if counted else {},
        "price": f"{Decimal(product['price']):.2f}" if product["price"] else None,
        "currency": currency,
        "state": "active" if product["status"] == "publish" else "inactive",
    }


class _Shop:
    def __init__(self, base_url: str, secrets: dict[str, str]) -> None:
        self._base = base_url.rstrip("/") + "/wp-json/wc/v3/"
        self._key, self._secret = secrets["consumer_key"], secrets["consumer_secret"]

    def all(self, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Every row of a list."""
        rows: list[dict[str, Any]] = []
        for page in range(1, PAGES_MAX + 1):
            given = {**query, "page": str(page), "per_page": str(PER_PAGE), "orderby": "id", "order": "asc"}
            said, headers = self.get(path, given)
            rows += said
            if page >= int(headers["x-wp-totalpages"]):
                if len(rows) != int(headers["x-wp-total"]):
                    raise ValueError(f"{path}: {len(rows)} rows where {headers['x-wp-total']} were told")
                return rows
        raise ValueError(f"{path} does not come to an end")

    def get(self, path: str, query: dict[str, str]) -> tuple[Any, dict[str, str]]:
        """One answer and its headers."""
        url, headers = self._base + path, {}
        if url.startswith("https://"):
            headers = {"authorization": "Basic " + base64.b64encode(f"{self._key}:{self._secret}".encode()).decode()}
        else:
            query = self._signed(url, query)
        request = urllib.request.Request(url + ("?" + urlencode(query) if query else ""), headers=headers)
        with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:
            told = {name.lower(): value for name, value in answer.headers.items()}
            return json.loads(answer.read(ANSWER_BYTES_MAX)), told

    def _clock(self, url: str) -> str:
        """The shop's own time, by what it answers to nobody."""
        try:
            with urllib.request.urlopen(url, timeout=SECONDS_MAX) as answer:
                date = answer.headers["date"]
        except urllib.error.HTTPError as refused:
            with refused:
                date = refused.headers["date"]
        return str(int(parsedate_to_datetime(date).timestamp()))

    def _signed(self, url: str, query: dict[str, str]) -> dict[str, str]:
        given = {
            **query,
            "oauth_consumer_key": self._key,
            "oauth_nonce": os.urandom(16).hex(),
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_timestamp": self._clock(url),
        }
        named = "&".join(f"{name}={value}" for name, value in sorted((_escaped(n), _escaped(v)) for n, v in given.items()))
        text = "&".join(("GET", _escaped(url), _escaped(named)))
        digest = hmac.new(f"{self._secret}&".encode(), text.encode(), hashlib.sha256).digest()
        return {**given, "oauth_signature": base64.b64encode(digest).decode()}


def _escaped(text: str) -> str:
    return quote(text, safe="~")
