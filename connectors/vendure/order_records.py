"""From an order as the API shows it to the record that the mappings read: its nested lists laid flat, its returns told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from hub.sdk.api import Plain, write_json

NO_MONEY: Final = frozenset({"Created", "Declined", "Error"})
"""Payments in these states never took nor held anything: they are no facts."""
NO_REFUND: Final = frozenset({"Pending", "Failed"})
"""Refunds that were not paid out (yet); a pending one tells again when it is settled."""
DIGEST_CHARS: Final = 12
LEFT: Final = ("Shipped", "Delivered")
WHOLE: Final = {"PartiallyShipped": "Shipped", "PartiallyDelivered": "Delivered"}

Row = dict[str, Plain]


def record(order: Row, pickups: Mapping[str, str]) -> Row:
    """One order for the mappings. Amounts are the shop's integers; every row's `amount` contains its `tax`.

    Vendure lowers a line's quantity and the order's total when pieces are cancelled *and* when they come back. What has left
    and was taken off afterwards came back: it stays in the line and in the total, and stands under `returned`.
    `pickups` maps codes of shipping methods to the places where the customer fetches such an order.
    """
    left = gone(order, lambda state: state != "Cancelled")
    lines = [_line(line, left.get(line["id"], 0)) for line in order["lines"]]
    returned = sum(line["returnedAmount"] for line in lines)
    back = {line["id"]: line["returned"] for line in lines if line["returned"]}
    return {
        **{name: order[name] for name in ("id", "code", "updatedAt", "orderPlacedAt", "currencyCode")},
        "state": _state(order),
        "pickup": _pickup(order, pickups),
        "total": order["totalWithTax"] + returned,
        "lines": lines,
        "charges": _charges(order),
        "payments": _payments(order),
        "fulfillments": order["fulfillments"] or [],
        "returned": _returned(order, back),
        "customer": _customer(order["customer"]),
        "address": _address(order),
    }


def gone(order: Row, counts: Callable[[str], bool] = lambda state: state in LEFT) -> dict[str, int]:
    """Pieces by line in the fulfilments whose state counts: by default those that have left."""
    left: dict[str, int] = {}
    for one in order["fulfillments"] or []:
        for part in one["lines"] if counts(one["state"]) else []:
            left[part["orderLineId"]] = left.get(part["orderLineId"], 0) + part["quantity"]
    return left


def pulse(order: Row) -> str:
    """A digest of what may move in an order without moving its updatedAt; the same from a full record and from a probe."""
    seen = [
        order["state"],
        order["updatedAt"],
        order["totalWithTax"],
        [[line["id"], line["quantity"]] for line in order["lines"]],
        [[one["id"], one["state"], [[r["id"], r["state"]] for r in one["refunds"]]] for one in order["payments"] or []],
        [
            [one["id"], one["state"], one["trackingCode"], [[part["orderLineId"], part["quantity"]] for part in one["lines"]]]
            for one in order["fulfillments"] or []
        ],
    ]
    return hashlib.sha256(write_json(seen).encode()).hexdigest()[:DIGEST_CHARS]


def _state(order: Row) -> str:
    """The order's state; when the rest of it was cancelled after some had left, Vendure says "partially" for ever."""
    state = str(order["state"])
    left = gone(order)
    nothing_open = all(left.get(line["id"], 0) >= line["quantity"] for line in order["lines"])
    return WHOLE.get(state, state) if nothing_open else state


def _pickup(order: Row, pickups: Mapping[str, str]) -> str | None:
    """Where the customer fetches all of it; None when it is sent, and when its shipping lines do not agree."""
    places = {pickups.get(one["shippingMethod"]["code"]) for one in order["shippingLines"]}
    return places.pop() if len(places) == 1 else None


def _line(line: Row, left: int) -> Row:
    returned = max(0, left - line["quantity"])
    # A line that was added by an edit keeps an orderPlacedQuantity of 0.
    ordered = max(line["orderPlacedQuantity"], line["quantity"] + returned)
    unit, unit_net = line["proratedUnitPriceWithTax"], line["proratedUnitPrice"]
    amount = line["proratedLinePriceWithTax"] + returned * unit
    return {
        "id": line["id"],
        "variant": line["productVariant"],
        "ordered": ordered,
        "cancelled": ordered - line["quantity"] - returned,
        "returned": returned,
        "returnedAmount": returned * unit,
        "amount": amount,
        "tax": amount - line["proratedLinePrice"] - returned * unit_net,
        "taxRate": line["taxRate"],
    }


def _charges(order: Row) -> list[Row]:
    rates = sorted({row["taxRate"] for row in order["taxSummary"]})
    given_back = any(refund["shipping"] for one in order["payments"] or [] for refund in one["refunds"])
    shipping = [
        {
            "id": f"shipping-{one['id']}",
            "kind": "shipping",
            "title": one["shippingMethod"]["name"] or one["shippingMethod"]["code"],
            "amount": one["discountedPriceWithTax"],
            "tax": one["discountedPriceWithTax"] - one["discountedPrice"],
            "taxRate": _rate(one["discountedPrice"], one["discountedPriceWithTax"], rates),
        }
        for one in order["shippingLines"]
        # One that costs nothing is no charge, unless a refund speaks of it.
        if one["discountedPriceWithTax"] or one["discountedPrice"] or given_back
    ]
    surcharges = [
        {
            "id": f"surcharge-{one['id']}",
            "kind": "surcharge" if one["priceWithTax"] >= 0 else "reduction",
            "title": one["description"],
            "amount": one["priceWithTax"],
            "tax": one["priceWithTax"] - one["price"],
            "taxRate": one["taxRate"],
        }
        for one in order["surcharges"]
    ]
    return shipping + surcharges


def _rate(net: int, gross: int, rates: list[Plain]) -> Plain:
    """A shipping line does not say its rate: the one rate of the order's own tax summary that makes its gross of its net."""
    fitting = [rate for rate in rates if abs(net * (100 + rate) - gross * 100) <= 100]
    if len(fitting) > 1 and net == gross:
        fitting = [rate for rate in fitting if rate == 0]
    return fitting[0] if len(fitting) == 1 else None


def _payments(order: Row) -> list[Row]:
    rows: list[Row] = []
    for one in order["payments"] or []:
        if one["state"] not in NO_MONEY:
            paid = {name: one[name] for name in ("id", "method", "state", "amount")}
            rows.append({**paid, "at": one["updatedAt"], "parts": []})
        for refund in one["refunds"]:
            if refund["state"] not in NO_REFUND:
                rows.append(
                    {
                        "id": f"refund-{refund['id']}",
                        "method": one["method"],
                        "state": f"Refund{refund['state']}",
                        "amount": refund["total"],
                        "at": refund["updatedAt"],
                        "parts": _refunded(order, refund),
                    }
                )
    return rows


def _refunded(order: Row, refund: Row) -> list[Row]:
    """What a refund is for: lines with their pieces, and the shipping. What it adjusts besides is for nothing named.

    A refund by amount does not say what of it each line gets: told are amounts only where there is one way to read it.
    """
    units = {line["id"]: line["proratedUnitPriceWithTax"] for line in order["lines"]}
    goods = refund["total"] - refund["shipping"] - refund["adjustment"]
    rows: list[Row] = [{"line": one["orderLineId"], "quantity": one["quantity"], "amount": None} for one in refund["lines"]]
    worth = [units.get(row["line"], 0) * row["quantity"] for row in rows]
    if len(rows) == 1:
        worth = [goods]
    if sum(worth) == goods >= 0:
        rows = [{**row, "amount": amount} for row, amount in zip(rows, worth, strict=True)]
    if refund["shipping"] and len(order["shippingLines"]) == 1:
        line = f"shipping-{order['shippingLines'][0]['id']}"
        rows.append({"line": line, "quantity": 0, "amount": refund["shipping"]})
    return rows


def _returned(order: Row, back: dict[str, int]) -> list[Row]:
    """What came back, by the cancellation that took it off. They come after all else was taken off: the newest count."""
    waiting, rows = dict(back), []
    for entry in sorted(order["history"]["items"], key=lambda one: (one["createdAt"], _number(one["id"])), reverse=True):
        parts = []
        for line in entry["data"].get("lines") or []:
            pieces = min(line["quantity"], waiting.get(str(line["orderLineId"]), 0))
            if pieces > 0:
                parts.append({"orderLineId": str(line["orderLineId"]), "quantity": pieces})
                waiting[str(line["orderLineId"])] -= pieces
        if parts:
            rows.append({"id": entry["id"], "at": entry["createdAt"], "lines": parts})
    unexplained = [{"orderLineId": line, "quantity": pieces} for line, pieces in waiting.items() if pieces]
    if unexplained:
        rows.append({"id": "unexplained", "at": order["updatedAt"], "lines": unexplained})
    return rows[::-1]


def _number(ident: str) -> tuple[int, str]:
    return (len(ident), ident)


def _customer(customer: Row | None) -> Row | None:
    if customer is None:
        return None
    name = f"{customer['firstName'] or ''} {customer['lastName'] or ''}".strip()
    return {"id": customer["id"], "name": name, "emailAddress": customer["emailAddress"], "phoneNumber": customer["phoneNumber"]}


def _address(order: Row) -> Row | None:
    """Where it goes; where nothing is shipped, where it is billed."""
    shipping, billing = order["shippingAddress"], order["billingAddress"]
    if shipping is not None and any(shipping.values()):
        return dict(shipping)
    return dict(billing) if billing is not None and any(billing.values()) else None
