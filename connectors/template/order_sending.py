"""Telling Template of orders. Nothing there is done only once by itself, so every fact is looked for before it is made:
a document by our number in its reference, all else by our mark in the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.sdk.api import (
    THOUSAND,
    Change,
    ChannelContext,
    GoneError,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    UnavailableError,
    mark,
    not_sent,
    refused,
    whole_parts,
)

PEOPLE: Final = {"name": "full_name", "email": "email", "phone": "phone", "street": "street", "postal_code": "postal_code"}
KEPT_UNDER: Final = {
    "fulfilled": "parcels",
    "cancelled": "cancellations",
    "refunded": "refunds",
    "ready": "notes",
    "refund_noted": "notes",
}
"""Where each fact is put at the order."""
Row = dict[str, Any]


class OrderSender:
    """Sends and finds the facts of one shop's orders."""

    def __init__(self, context: ChannelContext, headers: Mapping[str, str]) -> None:
        self.context = context
        self.headers = headers

    def send(self, change: Change) -> Receipt:
        """Make the fact true; what is true already is applied and made no second time."""
        found = self.find(change)
        if found.outcome is not Outcome.NOT_SENT:
            return found
        if change.after["fact"] == "placed":
            return self.place(change)
        order, kept = str(change.after["their"]), KEPT_UNDER[change.after["fact"]]
        if whole_parts(change.after, least=0) is None:
            return refused(change, "a part of a piece: Template counts whole ones")
        return self.judged(change, self.write("POST", f"/orders/{order}/{kept}", self.fact(change)))

    def find(self, change: Change) -> Receipt:
        """Applied when it stands there, not_sent when it certainly does not, refused when it stands there twice."""
        if change.after["fact"] == "placed":
            orders = self.ask("/orders", {"reference": str(change.after["number"])})["orders"]
            if len(orders) > 1:
                return refused(change, f"{len(orders)} orders have our number as their reference")
            same = [order for order in orders if _as_told(order) == _document(change.after)]
            return _applied(change, same[0]) if same else not_sent(change)
        try:
            order = self.ask(f"/orders/{change.after['their']}", {})
        except GoneError:
            return refused(change, "there is no such order")
        times = _marks(change, order)
        if times > 1:
            return refused(change, f"the order shows it {times} times")
        return _applied(change, order) if times else not_sent(change)

    def place(self, change: Change) -> Receipt:
        """The document made, or brought to what it is told to be now."""
        body: Row = {"reference": str(change.after["number"]), "moves": change.after.get("stock") != "elsewhere"}
        # Who it is for is asked for right here, and goes nowhere else.
        person = self.context.party(change.key.listing)
        body |= {**_document(change.after), "customer": {ours: person.get(told) or "" for ours, told in PEOPLE.items()}}
        known = self.ask("/orders", {"reference": body["reference"]})["orders"]
        if known:
            return self.judged(change, self.write("PUT", f"/orders/{known[0]['id']}", body))
        return self.judged(change, self.write("POST", "/orders", body))

    def fact(self, change: Change) -> Row:
        """What is put at the order, under our mark."""
        after, body = change.after, {"mark": mark(change)}
        match after["fact"]:
            case "fulfilled":
                parcel = {"carrier": after.get("carrier") or "", "tracking": after.get("tracking") or ""}
                return {**body, **parcel, "state": after.get("state", "shipped"), "lines": self.pieces(change)}
            case "cancelled":
                return {**body, "lines": self.pieces(change)}
            case "refunded":
                return {**body, "amount": after["amount_minor"]}
            case "ready":
                return {**body, "text": f"Ready at {after.get('where') or 'the counter'}"}
            case _:
                return {**body, "text": f"{after['amount_minor']} {after['currency']} paid back by {after.get('by') or 'others'}"}

    def pieces(self, change: Change) -> list[Row]:
        """The whole pieces that the fact is about; where it names none, all that are still there."""
        if parts := change.after.get("parts"):
            return [{"line": one["line"], "quantity": one["quantity"] // THOUSAND} for one in parts]
        order = self.ask(f"/orders/{change.after['their']}", {})
        left = {line["id"]: line["quantity"] - line["cancelled"] for line in order["lines"]}
        for parcel in order["parcels"]:
            for part in parcel["lines"]:
                left[part["line"]] -= part["quantity"]
        return [{"line": line, "quantity": count} for line, count in left.items() if count]

    def judged(self, change: Change, order: Row) -> Receipt:
        """The status said yes; whether it was done is what the order shows."""
        placed = change.after["fact"] == "placed"
        done = _as_told(order) == _document(change.after) if placed else _marks(change, order) == 1
        if not done:
            return refused(change, "answered success, but the order does not show it")
        return _applied(change, order)

    def ask(self, path: str, query: dict[str, str]) -> Row:
        """The answer to a read; Unavailable for anything that is neither a listing nor an order."""
        client, operation = self.context.client, "look at orders"
        told = client.json("GET", path, operation=operation, writes=False, query=query, headers=self.headers)
        if not isinstance(told, dict) or not ("orders" in told or "lines" in told):
            raise UnavailableError("answered with something else", channel=self.context.channel, operation=operation)
        return told

    def write(self, method: str, path: str, body: Row) -> Row:
        """The order as it is after a write."""
        told = self.context.client.json(method, path, operation="tell of an order", writes=True, headers=self.headers, json=body)
        if not isinstance(told, dict) or "lines" not in told:
            raise OutcomeUnknownError("answered without the order", channel=self.context.channel, operation="tell of an order")
        return told


def _marks(change: Change, order: Row) -> int:
    """How often the fact stands at the order."""
    kept = KEPT_UNDER[change.after["fact"]].replace("refunds", "payments")
    return [one.get("mark") for one in order.get(kept, ())].count(mark(change))


def _document(after: Plain) -> Row:
    """The document as Template keeps it; of one that is called off no line and no charge is wanted."""
    over = after.get("state") == "cancelled" or not any(line["quantity"] for line in after["lines"])
    lines = [
        {
            "item": line["listing"],
            "title": line["title"],
            "quantity": line["quantity"] // THOUSAND,
            "amount": line["amount_minor"],
            "tax": line["tax_minor"],
            "rate": line["tax_percent"],
        }
        for line in after["lines"]
        if line["quantity"] and not over
    ]
    charges = [
        {
            "kind": one["kind"],
            "title": one["title"],
            "amount": one["amount_minor"],
            "tax": one["tax_minor"],
            "rate": one["tax_percent"],
        }
        for one in ([] if over else after["charges"])
    ]
    paid = [
        {
            "kind": "paid",
            "method": one["method"],
            "amount": one["amount_minor"],
            "at": (one["at"] or after["placed_at"]) // THOUSAND,
        }
        for one in after["payments"]
        if one["kind"] == "captured"
    ]
    return {"lines": lines, "charges": charges, "payments": paid, **({"state": "cancelled"} if over else {})}


def _as_told(order: Row) -> Row:
    """The order as a document would say it."""
    rows: Row = {}
    fields = {
        "lines": ("item", "title", "quantity", "amount", "tax", "rate"),
        "charges": ("kind", "title", "amount", "tax", "rate"),
        "payments": ("kind", "method", "amount", "at"),
    }
    for name, wanted in fields.items():
        rows[name] = [{field: row.get(field) for field in wanted} for row in order.get(name, ()) if row.get("kind") != "refunded"]
    return {**rows, **({"state": "cancelled"} if order.get("state") == "cancelled" else {})}


def _applied(change: Change, order: Row) -> Receipt:
    return Receipt(change.id, Outcome.APPLIED, shows={"their": order["id"]}, version=order["version"])
