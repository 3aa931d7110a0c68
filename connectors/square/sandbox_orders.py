"""The small Square's orders: priced as Square prices them, with the tax contained or added, and what is due of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.square.sandbox_ledger import decimal_text
from hub.sdk.api import Plain, read_time

Row = dict[str, Plain]

FINAL: Final = frozenset({"COMPLETED", "CANCELED", "FAILED"})
STAMPS: Final = {
    "PICKUP": {
        "RESERVED": "accepted_at",
        "PREPARED": "ready_at",
        "COMPLETED": "picked_up_at",
        "CANCELED": "canceled_at",
        "FAILED": "rejected_at",
    },
    "SHIPMENT": {
        "RESERVED": "in_progress_at",
        "PREPARED": "packaged_at",
        "COMPLETED": "shipped_at",
        "CANCELED": "canceled_at",
        "FAILED": "failed_at",
    },
}
"""The time that a fulfilment notes when it enters a state."""
TAX: Final = "sales-tax"
ORDERS_MAX: Final = 100_000


@dataclass(slots=True)
class Orders:
    """All orders by id; `by_hand` are those of the till, which have no version and cannot be updated through the API.

    `moved` are those whose goods left the stock: Square takes them out when an order is fully paid, and only then.
    """

    kept: dict[str, Row] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)

    def put(self, order: Row) -> None:
        """Keep an order; the oldest go where there are too many."""
        self.kept[order["id"]] = order
        if len(self.kept) > ORDERS_MAX:
            self.by_hand.discard(oldest := next(iter(self.kept)))
            self.moved.discard(oldest)
            del self.kept[oldest]

    def updated(self, order: Row) -> int:
        """When it was last updated, in microseconds."""
        return read_time(order["updated_at"])

    def taken_back(self, source: str, line: str) -> Decimal:
        """How much of a sale's line came back already."""
        return sum(
            (
                Decimal(row["quantity"])
                for order in self.kept.values()
                for back in order.get("returns") or []
                if back.get("source_order_id") == source
                for row in back["return_line_items"]
                if row.get("source_line_item_uid") == line
            ),
            Decimal(0),
        )


@dataclass(frozen=True, slots=True)
class Pricing:
    """How a seller's orders are priced: currency, tax percent, and whether prices contain it."""

    currency: str
    percent: str
    inclusive: bool
    new_id: Callable[[], str]

    def money(self, amount: int) -> Row:
        """A Money."""
        return {"amount": amount, "currency": self.currency}

    def tax(self) -> list[Row]:
        """The seller's one tax, for the whole order."""
        if not Decimal(self.percent):
            return []
        kind = "INCLUSIVE" if self.inclusive else "ADDITIVE"
        return [{"uid": TAX, "name": "VAT", "percentage": self.percent, "type": kind, "scope": "LINE_ITEM"}]

    def line(
        self, name: str, quantity: Decimal, price: int, *, listing: str = "", discount: int = 0, kind: str = "ITEM", uid: str = ""
    ) -> Row:
        """A line before its order's taxes are reckoned; gift cards and lines of nothing bear none."""
        row: Row = {
            "uid": uid or self.new_id(),
            "name": name,
            "quantity": decimal_text(quantity),
            "item_type": kind,
            "base_price_money": self.money(price),
            "total_discount_money": self.money(discount),
        }
        if listing:
            row |= {"catalog_object_id": listing, "variation_name": "Regular"}
        if kind != "GIFT_CARD" and Decimal(self.percent):
            row["applied_taxes"] = [{"uid": self.new_id(), "tax_uid": TAX}]
        return row

    def reckoned(self, row: Row, taxes: list[Row], gross: str = "gross_sales_money") -> Row:
        """The line with all its totals."""
        price = Decimal(row["base_price_money"]["amount"]) * Decimal(row["quantity"])
        whole = int(price.quantize(Decimal(1), ROUND_HALF_UP))
        net = whole - (row.get("total_discount_money") or {"amount": 0})["amount"]
        tax, added = self._taxed(net, row, taxes)
        return {
            **row,
            "variation_total_price_money": self.money(whole),
            gross: self.money(whole),
            "total_discount_money": self.money(whole - net),
            "total_tax_money": self.money(tax),
            "total_money": self.money(net + added),
            "total_service_charge_money": self.money(0),
        }

    def charge(self, row: Row, taxes: list[Row]) -> Row:
        """The service charge with all its totals."""
        tax, added = self._taxed(row["amount_money"]["amount"], row, taxes)
        return {
            **row,
            "applied_money": row["amount_money"],
            "total_money": self.money(row["amount_money"]["amount"] + added),
            "total_tax_money": self.money(tax),
        }

    def _taxed(self, amount: int, row: Row, taxes: list[Row]) -> tuple[int, int]:
        """The tax of an amount, and how much of it comes on top."""
        known = {one["uid"]: one for one in taxes}
        tax = added = 0
        for one in row.get("applied_taxes") or []:
            told = known[one["tax_uid"]]
            rate = Decimal(told["percentage"])
            contained = told.get("type") == "INCLUSIVE"
            part = Decimal(amount) * rate / (100 + rate if contained else 100)
            one["applied_money"] = self.money(int(part.quantize(Decimal(1), ROUND_HALF_UP)))
            tax += one["applied_money"]["amount"]
            added += 0 if contained else one["applied_money"]["amount"]
        return tax, added

    def totalled(self, order: Row) -> Row:
        """The order with every line, charge and sum reckoned, and what is due of it."""
        taxes = order.get("taxes") or []
        lines = [self.reckoned(one, taxes) for one in order.get("line_items") or []]
        charges = [self.charge(one, taxes) for one in order.get("service_charges") or []]
        for one in taxes:
            applied = [a for row in (*lines, *charges) for a in row.get("applied_taxes") or [] if a["tax_uid"] == one["uid"]]
            one["applied_money"] = self.money(sum(a["applied_money"]["amount"] for a in applied))
        tip = (order.get("total_tip_money") or {"amount": 0})["amount"]
        rounding = (order.get("rounding_adjustment") or {}).get("amount_money", {"amount": 0})["amount"]
        rows = [*lines, *charges]
        sold = self._amounts(rows, sum(one["total_money"]["amount"] for one in charges), tip, rounding)
        returned = [row for back in order.get("returns") or [] for row in back["return_line_items"]]
        back = self._amounts(returned, 0, 0, 0)
        net = {name: self.money(sold[name]["amount"] - back[name]["amount"]) for name in sold}
        paid = sum(one["amount_money"]["amount"] for one in order.get("tenders") or [])
        paid -= sum(one["amount_money"]["amount"] for one in order.get("refunds") or [] if one["status"] == "APPROVED")
        totals: Row = {
            "line_items": lines,
            "total_money": sold["total_money"],
            "total_tax_money": sold["tax_money"],
            "total_discount_money": sold["discount_money"],
            "total_tip_money": self.money(tip),
            "total_service_charge_money": sold["service_charge_money"],
            "net_amounts": net,
            # money given back later is no debt of the customer's
            "net_amount_due_money": self.money(max(0, net["total_money"]["amount"] - paid) if not _repaid(order) else 0),
        }
        if charges:
            totals["service_charges"] = charges
        if returned:
            totals["return_amounts"] = back
        return {**order, **totals}

    def _amounts(self, rows: list[Row], charged: int, tip: int, rounding: int) -> dict[str, Row]:
        return {
            "total_money": self.money(sum(one["total_money"]["amount"] for one in rows) + tip + rounding),
            "tax_money": self.money(sum(one["total_tax_money"]["amount"] for one in rows)),
            "discount_money": self.money(sum((one.get("total_discount_money") or {"amount": 0})["amount"] for one in rows)),
            "tip_money": self.money(tip),
            "service_charge_money": self.money(charged),
        }


def entered(fulfilment: Row, state: str, at: str, name: str = "") -> Row:
    """A fulfilment in this state, with the time of it (under `name`, where it is not the usual one)."""
    kind = fulfilment["type"]
    details = f"{kind.lower()}_details"
    noted = name or STAMPS.get(kind, {}).get(state, "")
    return {**fulfilment, "state": state, details: {**(fulfilment.get(details) or {}), **({noted: at} if noted else {})}}


def _repaid(order: Row) -> bool:
    return bool(order.get("refunds"))
