"""What a Tryton shows, read over HTTP by the standard library alone: the judge shares no code with the hub.

Stock is counted at the storage zone of each warehouse, as a person sees it in the client's product list of that location.
"""

from __future__ import annotations

import base64
import gzip
import json
import urllib.request
from collections import Counter
from decimal import Decimal
from typing import Any, Final

PAGE: Final = 200
ANSWER_SECONDS_MAX: Final = 30
FOR_EVER: Final = {"__class__": "date", "year": 9999, "month": 12, "day": 31}


def read_shown(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By SKU: `stock` by location id in pieces, `price`, `currency` and `state`, of every product that has a code."""
    url, session, context = _sign_in(base_url, settings, secrets)
    warehouses = _all(url, session, context, "stock.location", [["type", "=", "warehouse"]], ["storage_location"])
    zones = sorted({one["storage_location"] for one in warehouses if one["storage_location"]})
    every = [["active", "in", [True, False]], ["code", "!=", None]]
    fields = ["code", "active", "list_price_used", "template.active"]
    shown: dict[str, dict[str, Any]] = {}
    for row in _all(url, session, context, "product.product", every, fields):
        price = row["list_price_used"]
        shown[row["code"]] = {
            "stock": {},
            "price": None if price is None else _short(price["decimal"]),
            "currency": settings["currency"],
            "state": "active" if row["active"] and row["template."]["active"] else "inactive",
        }
    for zone in zones:
        there = {**context, "locations": [zone], "with_childs": True, "stock_date_end": FOR_EVER}
        for row in _all(url, session, there, "product.product", every, ["code", "quantity"]):
            shown[row["code"]]["stock"][str(zone)] = _short(str(row["quantity"]))
    return shown


def read_orders(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By the sale's id: number, reference, state, pieces wanted and shipped by SKU (services left out), and the total.

    A sale that amends another one (`WEB-41~1`, described as changing WEB-41) is told within it.
    """
    url, session, context = _sign_in(base_url, settings, secrets)
    fields = ["number", "reference", "description", "state", "total_amount"]
    fields += ["lines.quantity", "lines.product.code", "lines.product.type"]
    fields += ["lines.moves.state", "lines.moves.quantity", "lines.moves_ignored"]
    orders: dict[str, dict[str, Any]] = {}
    amended: dict[str, str] = {}
    for row in _all(url, session, context, "sale.sale", [], fields):
        wanted: Counter[str] = Counter()
        shipped: Counter[str] = Counter()
        for line in row["lines."]:
            product = line["product."]
            if product is None or product["type"] != "goods":
                continue
            sign = -1 if _pieces(line["quantity"]) < 0 else 1
            wanted[product["code"]] += _pieces(line["quantity"])
            for move in line["moves."]:
                wanted[product["code"]] -= sign * _pieces(move["quantity"]) if move["id"] in line["moves_ignored"] else 0
                shipped[product["code"]] += sign * _pieces(move["quantity"]) if move["state"] == "done" else 0
        main = str(row["reference"] or "").rpartition("~")[0]
        if main in amended and row["description"] == f"Changes {main}":
            _amend(orders[amended[main]], wanted, row)
            continue
        amended[row["reference"]] = str(row["id"])
        orders[str(row["id"])] = {
            "number": row["number"],
            "reference": row["reference"],
            "state": row["state"],
            "lines": {sku: pieces for sku, pieces in wanted.items() if pieces},
            "shipped": {sku: pieces for sku, pieces in shipped.items() if pieces},
            "total": row["total_amount"]["decimal"],
        }
    return orders


def _amend(order: dict[str, Any], wanted: Counter[str], row: dict[str, Any]) -> None:
    if row["state"] in ("processing", "done"):
        for sku, pieces in wanted.items():
            order["lines"][sku] = order["lines"].get(sku, 0) + pieces
        order["lines"] = {sku: pieces for sku, pieces in order["lines"].items() if pieces}
        order["total"] = str(Decimal(order["total"]) + Decimal(row["total_amount"]["decimal"]))


def _sign_in(base_url: str, settings: dict[str, str], secrets: dict[str, str]) -> tuple[str, str, Any]:
    url = f"{base_url.rstrip('/')}/{settings['database']}/rpc/"
    user, token, _ = _ask(url, "", "common.db.login", settings["username"], {"password": secrets["password"]}, "en")
    session = "Session " + base64.b64encode(f"{settings['username']}:{user}:{token}".encode()).decode()
    return url, session, _ask(url, session, "model.res.user.get_preferences", True, {})


def _pieces(number: Any) -> int:
    return int(Decimal(str(number)))


def _all(url: str, session: str, context: Any, model: str, domain: list[Any], fields: list[str]) -> list[Any]:
    found: list[Any] = []
    while True:
        order = [["id", "ASC"]]
        page = _ask(url, session, f"model.{model}.search_read", domain, len(found), PAGE, order, fields, context)
        found += page
        if len(page) < PAGE:
            return found


def _ask(url: str, session: str, method: str, *params: Any) -> Any:
    headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
    if session:
        headers["Authorization"] = session
    body = json.dumps({"id": 1, "method": method, "params": list(params)}).encode()
    request = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:
        raw = answer.read()
    said = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw, parse_float=str)
    if "result" not in said:
        raise ValueError(f"{method} was refused: {str(said.get('error'))[:200]}")
    return said["result"]


def _short(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
