"""What people do with orders for pickup at the small Square: they order, pay, prepare, hand over, give up, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.square.objects import stamp
from connectors.square.sandbox_orders import FINAL, Row, entered
from connectors.square.sandbox_till import Till
from hub.sdk.api import MADE_PERSON, Basket, Plain, rows_of


class Pickups(Till):
    """The seller with a till and a shelf of orders waiting for their customers."""

    def order(
        self,
        wanted: Basket,
        *,
        paid: bool = True,
        place: str = "",
        customer: Mapping[str, str] | None = None,
        shipping: Decimal = Decimal(0),
        reference: str = "",
        send: bool = False,
    ) -> str:
        """A customer orders for pickup at a location: proposed; its goods leave the stock when it is paid.

        With `reference` it carries the number of whatever other software took it in; with `send` it is sent to the customer.
        """
        location = self._location(place)
        order = self._new(location, "OPEN", self.micros())
        order |= {"reference_id": reference} if reference else {}
        order["line_items"] = [self._sold(sku, pieces, None) for sku, pieces in rows_of(wanted)]
        if shipping:
            money = self.pricing.money(self._minor(shipping))
            charge: Row = {"uid": self.catalog.new_id(), "name": "Delivery", "amount_money": money, "type": "CUSTOM"}
            charge |= {"calculation_phase": "SUBTOTAL_PHASE", "taxable": True, "treatment_type": "LINE_ITEM_TREATMENT"}
            charge["applied_taxes"] = [{"uid": self.catalog.new_id(), "tax_uid": one["uid"]} for one in order["taxes"]]
            order["service_charges"] = [charge]
        about: Row = {"recipient": _recipient(customer or MADE_PERSON), "placed_at": order["created_at"]}
        about |= {} if send else {"schedule_type": "ASAP"}
        kind, details = ("SHIPMENT", "shipment_details") if send else ("PICKUP", "pickup_details")
        waiting = {"uid": self.catalog.new_id(), "type": kind, "state": "PROPOSED", "line_item_application": "ALL"}
        order["fulfillments"] = [{**waiting, details: about}]
        order = self.pricing.totalled({**order, "version": 1})
        if paid:
            order = self._settled(order, "CARD", self.micros())
        self._keep(order, "created")
        if paid:
            self._move(order, self.micros())
        return str(order["id"])

    def pay(self, order: str, tender: str = "CARD") -> None:
        """The customer pays what is due: the goods leave the stock; what was handed over already is finished by it."""
        paid = self._settled(self.orders.kept[order], tender, self.micros())
        self._keep(self._finished(paid), "updated")
        self._move(self.orders.kept[order], self.micros())

    def accept(self, order: str) -> None:
        """Staff accept a pickup order: its goods are put aside."""
        self._fulfil(order, "RESERVED")

    def prepare(self, order: str) -> None:
        """Staff say that it is ready to be fetched."""
        self._fulfil(order, "PREPARED")

    def collect(self, order: str) -> None:
        """Staff mark it as collected and take no payment: of an order not paid here no stock is moved."""
        self._fulfil(order, "COMPLETED")

    def ship(self, order: str, parts: Basket | None = None, carrier: str = "", tracking: str = "") -> None:
        """Staff take what is due and hand the whole order over; carrier and parts have no place in a pickup."""
        del parts, carrier, tracking
        if self.orders.kept[order]["net_amount_due_money"]["amount"]:
            self.pay(order, "OTHER")
        self._fulfil(order, "COMPLETED")

    def cannot_deliver(self, order: str) -> None:
        """Staff do not find the goods: the fulfilment failed, the order stays open, and nothing is moved or paid back."""
        self._fulfil(order, "FAILED")

    def expire(self, order: str) -> None:
        """Nobody came for it: what was paid is given back, and the goods go back on the shelf."""
        self._fulfil(order, "FAILED", "expired_at")
        if order in self.orders.moved:
            self._keep(self._given_back(self.orders.kept[order]), "updated")
            self._put_back(self.orders.kept[order])

    def cancel(self, order: str, lines: Basket | None = None, *, restock: bool = True) -> None:
        """Staff cancel the order and give back what was paid; Square cancels no single line, that is an edit."""
        if lines is not None:
            for sku, pieces in rows_of(lines):
                line = self._line_of(order, sku)
                self.edit(order, sku, int(line["quantity"]) - pieces)
            return
        now, at = self.orders.kept[order], stamp(self.micros())
        parts = [one if one["state"] in FINAL else entered(one, "CANCELED", at) for one in now.get("fulfillments") or []]
        self._keep({**self._given_back(now), "state": "CANCELED", "closed_at": at, "fulfillments": parts}, "updated")
        if restock and order in self.orders.moved:
            self._put_back(self.orders.kept[order])

    def edit(self, order: str, sku: str, pieces: int) -> None:
        """Staff set how many pieces of an unpaid order's line are ordered; none takes the line away. KeyError once it is paid."""
        now, line = self.orders.kept[order], self._line_of(order, sku)
        if now.get("tenders"):
            raise KeyError(f"{order} is paid: its lines stand")
        lines = [{**one, "quantity": str(pieces)} if one["uid"] == line["uid"] else one for one in now["line_items"]]
        lines = [one for one in lines if Decimal(one["quantity"])]
        self._keep(self.pricing.totalled({**now, "line_items": lines}), "updated")

    def refund(self, order: str, amount: Decimal) -> None:
        """Money is given back out of the order's payments, nothing comes back for it."""
        self._keep(self._refunded(self.orders.kept[order], self._minor(amount)), "updated")

    def orders_shown(self) -> dict[str, dict[str, Any]]:
        """Every order by its id: state, number, lines by SKU in pieces, total and refunds in minor units, fulfilments."""
        names = {ident: sku for sku, ident in self.skus.items()}
        return {ident: self._order_shown(one, names) for ident, one in self.orders.kept.items()}

    def _order_shown(self, order: Row, names: Mapping[str, str]) -> dict[str, Any]:
        parts = order.get("fulfillments") or []
        done = order["state"] == "COMPLETED" or any(one["state"] == "COMPLETED" for one in parts)
        lines = []
        for one in order["line_items"]:
            quantity = int(Decimal(one["quantity"]))
            cancelled = quantity if order["state"] == "CANCELED" else 0
            sku = names.get(one.get("catalog_object_id") or "", "")
            lines.append({"sku": sku, "quantity": quantity, "cancelled": cancelled, "fulfilled": quantity if done else 0})
        return {
            "state": order["state"],
            "number": order.get("reference_id") or order["id"],
            "lines": lines,
            "total_minor": order["net_amounts"]["total_money"]["amount"],
            "fulfilments": [{"fulfilment": one["uid"], "state": one["state"]} for one in parts],
            "refunded_minor": sum(one["amount_money"]["amount"] for one in order.get("refunds") or []),
        }

    # the platform's part

    def _line_of(self, order: str, sku: str) -> Row:
        lines = self.orders.kept[order]["line_items"]
        line: Row = next(one for one in lines if one.get("catalog_object_id") == self.skus[sku])
        return line

    def _given_back(self, order: Row) -> Row:
        """The order with all that is still paid of it given back."""
        paid = sum(one["amount_money"]["amount"] for one in order.get("tenders") or [])
        left = paid - sum(one["amount_money"]["amount"] for one in order.get("refunds") or [])
        return self._refunded(order, left) if left else order

    def _refunded(self, order: Row, amount: int) -> Row:
        given: Row = {"id": self.catalog.new_id(), "location_id": order["location_id"], "tender_id": order["tenders"][0]["id"]}
        given |= {"transaction_id": order["id"], "created_at": stamp(self.micros()), "reason": "given back", "status": "APPROVED"}
        return {**order, "refunds": [*(order.get("refunds") or []), {**given, "amount_money": self.pricing.money(amount)}]}

    def _put_back(self, order: Row) -> None:
        """The goods of a paid order go back on the shelf."""
        for one in order["line_items"]:
            self._enter(order, one, ("RETURNED_BY_CUSTOMER", "IN_STOCK"), Decimal(one["quantity"]), self.micros())

    def _finished(self, order: Row) -> Row:
        """A paid order of which all was handed over is completed."""
        parts = order.get("fulfillments") or []
        over = bool(parts) and all(one["state"] in FINAL for one in parts)
        done = any(one["state"] == "COMPLETED" for one in parts)
        if order["state"] == "OPEN" and over and done and not order["net_amount_due_money"]["amount"]:
            return {**order, "state": "COMPLETED", "closed_at": stamp(self.micros())}
        return order

    def _fulfil(self, ident: str, state: str, noted: str = "") -> None:
        """Move every unfinished fulfilment: no stock is moved by it."""
        now, at = self.orders.kept[ident], stamp(self.micros())
        parts = now.get("fulfillments") or []
        moved: list[Plain] = [
            {"fulfillment_uid": one["uid"], "old_state": one["state"], "new_state": state}
            for one in parts
            if one["state"] not in FINAL
        ]
        parts = [one if one["state"] in FINAL else entered(one, state, at, noted) for one in parts]
        self._keep(self._finished({**now, "fulfillments": parts}), "updated")
        self._tell_order("fulfillment_updated", self.orders.kept[ident], fulfillment_update=moved)


def _recipient(person: Mapping[str, str]) -> Row:
    address = {"street": "address_line_1", "city": "locality", "postal_code": "postal_code", "country": "country"}
    told: Row = {"display_name": person.get("name", "")}
    told |= {name: person[ours] for ours, name in {"email": "email_address", "phone": "phone_number"}.items() if ours in person}
    where = {name: person[ours] for ours, name in address.items() if ours in person}
    return {**told, "address": where} if where else told
