"""From an order and its refunds as the API shows them to the record that the mappings read: gross amounts, facts told apart.

WooCommerce keeps one figure, the refund, for three facts: pieces that are not coming, pieces that came back, and money given
back. What had not left when it was refunded is cancelled; what had left came back if the shop put it on stock again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.woocommerce.shop_api import Row
from hub.sdk.api import THOUSAND, Plain, micros, minor_from

FIELDS: Final = (
    "id", "number", "status", "currency", "date_created_gmt", "date_modified_gmt", "date_completed_gmt", "date_paid_gmt",
    "total", "payment_method", "customer_id", "billing", "shipping", "line_items", "tax_lines", "shipping_lines",
    "fee_lines", "refunds", "meta_data",
)  # fmt: skip
PARCEL: Final = "_samklang_parcel_"
"""Our marks in an order's own fields; WordPress hides names that begin with an underscore from the shop's people."""
HANDED_OVER: Final = frozenset({"local_pickup", "pickup_location"})
"""Ways of shipping by which the customer fetches the goods (classic and block checkout)."""
LEFT: Final = frozenset({"completed", "refunded", "trash"})
"""In these states the time of completion says that the goods left."""


def record(order: Row, refunds: Sequence[Row], pickup_places: dict[str, str]) -> Row:
    """One order for the mappings; every amount is in minor units and contains its tax."""
    currency = str(order["currency"])
    parcels = parcels_of(order)
    facts = _Facts(order, refunds, parcels, currency)
    lines = [facts.line(row) for row in order["line_items"]]
    taken_off = sum(row.pop("taken_off") for row in lines)
    completed = order.get("date_completed_gmt")
    standing = str(order["status"])
    if standing in ("refunded", "trash") and not completed and not parcels:
        standing += " open"
    ways = [_way(row) for row in order["shipping_lines"]]
    fetched = any(way.partition(":")[0] in HANDED_OVER for way in ways)
    return {
        "id": order["id"],
        "number": str(order.get("number") or order["id"]),
        "standing": standing,
        "currency": currency,
        "placed": order["date_created_gmt"],
        "modified": order["date_modified_gmt"],
        "total": minor(order["total"], currency) - taken_off,
        "lines": lines,
        "charges": _charges(order, currency),
        "payments": _payments(order, refunds, currency),
        "fulfilments": _fulfilments(order, lines, parcels, "handed_over" if fetched else "shipped"),
        "returns": facts.returns,
        "pickup": _pickup(ways, pickup_places),
        "party": _party(order),
    }


def minor(amount: Plain, currency: str) -> int:
    """The amount in minor units, half up (a shop may keep more decimals than its currency has)."""
    return minor_from(Decimal(str(amount or 0)), currency)


def gross(row: Row, currency: str) -> int:
    """A line's, charge's or refund's amount with its tax, minor units."""
    return minor_from(Decimal(str(row.get("total") or 0)) + Decimal(str(row.get("total_tax") or 0)), currency)


def meta(row: Row, name: str) -> Plain:
    """The value of one of a row's own fields; None where it has none of this name."""
    return next((one.get("value") for one in row.get("meta_data") or [] if one.get("key") == name), None)


def parcels_of(order: Row) -> list[Row]:
    """The parcels that we told the shop of, oldest first: {mark, at, carrier, tracking, state, parts: [[line, thousandths]]}."""
    found = []
    for one in order.get("meta_data") or []:
        if str(one.get("key", "")).startswith(PARCEL):
            try:
                kept = json.loads(str(one.get("value")))
                parts = [[str(line), int(quantity)] for line, quantity in kept["parts"]]
                found.append({**kept, "at": int(kept["at"]), "parts": parts, "mark": str(one["key"]).removeprefix(PARCEL)})
            except (ValueError, KeyError, TypeError):
                continue
    return sorted(found, key=lambda parcel: (parcel["at"], parcel["mark"]))


def refunded_rows(refund: Row) -> list[tuple[str, Row]]:
    """(row of the order, row of the refund) for all that a refund names: products, shipping, fees."""
    rows = [row for kind in ("line_items", "shipping_lines", "fee_lines") for row in refund.get(kind) or []]
    return [(str(meta(row, "_refunded_item_id") or ""), row) for row in rows]


def micros_of(time: Plain) -> int:
    """Microseconds of a time that names no zone and means UTC; 0 for none."""
    return micros(dt.datetime.fromisoformat(str(time)).replace(tzinfo=dt.UTC)) if time else 0


class _Facts:
    """What refunds say of each line: pieces cancelled, pieces that came back."""

    def __init__(self, order: Row, refunds: Sequence[Row], parcels: Sequence[Row], currency: str) -> None:
        self._currency = currency
        self._rates = {row.get("rate_id"): row.get("rate_percent") for row in order.get("tax_lines") or []}
        self._cancelled: dict[str, int] = {}
        self.returns: list[Row] = []
        completed = micros_of(order.get("date_completed_gmt")) if order["status"] in LEFT else 0
        ordered = {str(row["id"]): int(row["quantity"]) for row in order["line_items"]}
        restocked = {str(row["id"]): int(meta(row, "_restock_refunded_items") or 0) for row in order["line_items"]}
        for refund in sorted(refunds, key=lambda one: int(one["id"])):
            at = micros_of(refund["date_created_gmt"])
            parts = []
            for line, row in refunded_rows(refund):
                pieces = -int(row.get("quantity") or 0)
                if line not in ordered or pieces <= 0:
                    continue
                gone = [parcel["parts"] for parcel in parcels if parcel["at"] <= at]
                left = sum(quantity for told in gone for name, quantity in told if name == line) // THOUSAND
                if completed and completed <= at:
                    left = ordered[line] - self._cancelled.get(line, 0)
                open_pieces = max(0, ordered[line] - self._cancelled.get(line, 0) - left)
                cancelled = min(pieces, open_pieces)
                self._cancelled[line] = self._cancelled.get(line, 0) + cancelled
                restocked[line] -= cancelled
                back = min(pieces - cancelled, max(0, restocked[line]))
                restocked[line] -= back
                if back:
                    parts.append({"line": line, "quantity": back})
            if parts:
                self.returns.append({"id": f"refund-{refund['id']}", "at": refund["date_created_gmt"], "parts": parts})

    def line(self, row: Row) -> Row:
        """One line; `taken_off` is what its cancelled pieces took off the order's total."""
        ident, quantity = str(row["id"]), int(row["quantity"])
        cancelled = self._cancelled.get(ident, 0)
        whole, tax = gross(row, self._currency), minor(row.get("total_tax"), self._currency)
        kept = _share(whole, quantity - cancelled, quantity)
        taxed = [one.get("id") for one in row.get("taxes") or [] if Decimal(str(one.get("total") or 0))]
        return {
            "id": ident,
            "listing": str(row.get("variation_id") or row.get("product_id") or "") or None,
            "sku": row.get("sku") or None,
            "title": str(row.get("name") or row.get("sku") or "?"),
            "kind": "stocked" if row.get("product_id") else "custom",
            "quantity": quantity,
            "cancelled": cancelled,
            "amount": kept,
            "tax": _share(tax, quantity - cancelled, quantity),
            "percent": _percent(taxed, self._rates),
            "taken_off": whole - kept,
        }


def _share(amount: int, pieces: int, of: int) -> int:
    if pieces == of or not of:
        return amount
    return int((Decimal(amount) * pieces / of).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _percent(rates: Sequence[Plain], known: dict[Plain, Plain]) -> Plain:
    """The one rate of a row; None where there are none or several."""
    percents = [known[rate] for rate in rates if known.get(rate) is not None]
    return str(percents[0]) if len(percents) == 1 and len(rates) == 1 else None


def _charges(order: Row, currency: str) -> list[Row]:
    rates = {row.get("rate_id"): row.get("rate_percent") for row in order.get("tax_lines") or []}
    rows = []
    for kind, field, title in (("shipping", "shipping_lines", "method_title"), ("fee", "fee_lines", "name")):
        for row in order.get(field) or []:
            amount = gross(row, currency)
            if amount:
                taxed = [one.get("id") for one in row.get("taxes") or [] if Decimal(str(one.get("total") or 0))]
                rows.append(
                    {
                        "id": str(row["id"]),
                        "kind": kind if amount > 0 or kind == "shipping" else "reduction",
                        "title": str(row.get(title) or kind),
                        "amount": amount,
                        "tax": minor(row.get("total_tax"), currency),
                        "percent": _percent(taxed, rates),
                    }
                )
    return rows


def _payments(order: Row, refunds: Sequence[Row], currency: str) -> list[Row]:
    method = str(order.get("payment_method") or "none")
    rows: list[Row] = []
    if order.get("date_paid_gmt") and minor(order["total"], currency):
        given = {"id": "paid", "kind": "paid", "method": method, "amount": minor(order["total"], currency)}
        rows.append({**given, "at": order["date_paid_gmt"]})
    for refund in sorted(refunds, key=lambda one: int(one["id"])):
        amount = minor(refund["amount"], currency)
        if amount:
            parts = [
                {"line": line, "quantity": -int(row.get("quantity") or 0), "amount": -gross(row, currency)}
                for line, row in refunded_rows(refund)
                if line
            ]
            given = {"id": f"refund-{refund['id']}", "kind": "refunded", "method": method, "amount": amount}
            rows.append({**given, "at": refund["date_created_gmt"], "parts": parts})
    return rows


def _fulfilments(order: Row, lines: Sequence[Row], parcels: Sequence[Row], state: str) -> list[Row]:
    """Our parcels, and for what a person completed without one: the completion."""
    rows = [
        {
            "id": f"parcel-{parcel['mark']}",
            "state": str(parcel.get("state") or state),
            "carrier": str(parcel.get("carrier") or "") or None,
            "tracking": str(parcel.get("tracking") or "") or None,
            "at": parcel["at"],
            "parts": [{"line": line, "quantity": quantity} for line, quantity in parcel["parts"]],
        }
        for parcel in parcels
    ]
    completed = order.get("date_completed_gmt")
    if completed and order["status"] in LEFT:
        left: dict[str, int] = {}
        for parcel in parcels:
            for line, quantity in parcel["parts"]:
                left[line] = left.get(line, 0) + quantity
        rest = [(row["id"], (row["quantity"] - row["cancelled"]) * THOUSAND - left.get(row["id"], 0)) for row in lines]
        parts = [{"line": line, "quantity": quantity} for line, quantity in rest if quantity > 0]
        if parts:
            unnamed = {"carrier": None, "tracking": None, "at": micros_of(completed)}
            rows.append({"id": "completed", "state": state, **unnamed, "parts": parts})
    return rows


def _pickup(ways: Sequence[str], places: dict[str, str]) -> str | None:
    names = [name for way in ways for name in (way, way.partition(":")[0])]
    return next((places[name] for name in names if name in places), None)


def _way(shipping_line: Row) -> str:
    instance = str(shipping_line.get("instance_id") or "")
    return str(shipping_line.get("method_id") or "") + (f":{instance}" if instance and instance != "0" else "")


def _party(order: Row) -> Row | None:
    """Where it goes, with the contact of who ordered; None where nobody is named."""
    billing, shipping = order.get("billing") or {}, order.get("shipping") or {}
    to = shipping if any(str(shipping.get(name) or "") for name in ("address_1", "city", "postcode", "last_name")) else billing
    named = {
        "customer": str(order.get("customer_id") or "") if order.get("customer_id") else "",
        "full_name": f"{to.get('first_name') or ''} {to.get('last_name') or ''}".strip(),
        "company": to.get("company"),
        "email": billing.get("email"),
        "phone": to.get("phone") or billing.get("phone"),
        "street": to.get("address_1"),
        "street2": to.get("address_2"),
        "city": to.get("city"),
        "postal_code": to.get("postcode"),
        "region": to.get("state"),
        "country": to.get("country"),
    }
    return {name: str(value) if value else None for name, value in named.items()} if any(named.values()) else None
