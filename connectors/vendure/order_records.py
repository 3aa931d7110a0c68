"""From an order as the API shows it to the record that the mappings read: its nested lists laid flat, its returns told apart."""

from __future__ import annotations

import hashlib
from typing import Final

from hub.sdk.api import Plain, write_json

NO_MONEY: Final = frozenset({"Created", "Declined", "Error"})
"""Payments in these states never took nor held anything: they are no facts."""
NO_REFUND: Final = frozenset({"Pending", "Failed"})
"""Refunds that were not paid out (yet); a pending one tells again when it is settled."""
DIGEST_CHARS: Final = 12

Row = dict[str, Plain]


def record(order: Row) -> Row:
    """One order for the mappings. Amounts are the shop's integers; every row's `amount` contains its `tax`.

    Vendure lowers a line's quantity and the order's total when pieces are cancelled *and* when they come back. What has left
    and was taken off afterwards came back: it stays in the line and in the total, and stands under `returned`.
    """
    left = _left(order)
    lines = [_line(line, left.get(line["id"], 0)) for line in order["lines"]]
    returned = sum(line["returnedAmount"] for line in lines)
    back = {line["id"]: line["returned"] for line in lines if line["returned"]}
    return {
        **{name: order[name] for name in ("id", "code", "state", "updatedAt", "orderPlacedAt", "currencyCode")},
        "total": order["totalWithTax"] + returned,
        "lines": lines,
        "charges": _charges(order),
        "payments": _payments(order),
        "fulfillments": order["fulfillments"] or [],
        "returned": _returned(order, back),
        "customer": _customer(order["customer"]),
        "address": _address(order),
    }


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


def _left(order: Row) -> dict[str, int]:
    """Pieces per line in fulfilments that were not cancelled."""
    left: dict[str, int] = {}
    for fulfilment in order["fulfillments"] or []:
        if fulfilment["state"] != "Cancelled":
            for part in fulfilment["lines"]:
                left[part["orderLineId"]] = left.get(part["orderLineId"], 0) + part["quantity"]
    return left


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
        if one["discountedPriceWithTax"] or one["discountedPrice"]
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
            rows.append({**{name: one[name] for name in ("id", "method", "state", "amount")}, "at": one["updatedAt"]})
        for refund in one["refunds"]:
            if refund["state"] not in NO_REFUND:
                rows.append(
                    {
                        "id": f"refund-{refund['id']}",
                        "method": one["method"],
                        "state": f"Refund{refund['state']}",
                        "amount": refund["total"],
                        "at": refund["updatedAt"],
                    }
                )
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
