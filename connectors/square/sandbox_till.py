"""What people do with orders at the small Square: they ring up, take back, order for pickup, prepare, hand over and cancel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.square.objects import stamp
from connectors.square.sandbox_ledger import Line
from connectors.square.sandbox_orders import FINAL, Orders, Pricing, Row
from connectors.square.sandbox_people import Seller
from hub.sdk.api import Plain, exact_minor

Wanted = Mapping[str, int] | Iterable[tuple[str, int]]
MADE_PERSON: Final = {
    "name": "Made Buyer",
    "email": "made.buyer@example.com",
    "phone": "+4500000000",
    "street": "Made Street 1",
    "city": "Made Town",
    "postal_code": "1000",
    "country": "DK",
}


class Till(Seller):
    """The seller with a till. Further options: tax_percent, tax_type (INCLUSIVE or ADDITIVE)."""

    def started(self) -> None:
        super().started()
        self.options = {"tax_percent": "25", "tax_type": "INCLUSIVE", **self.options}
        self.orders = Orders()
        inclusive = self.options["tax_type"] == "INCLUSIVE"
        self.pricing = Pricing(self.options["currency"], self.options["tax_percent"], inclusive, lambda: self.catalog.new_id())

    # at the counter

    def sell(self, sku: str, pieces: int, place: str = "", at: int | None = None) -> str:
        """A sale at the till; `at` is when it happened, for a till that was offline. More than is there may be sold."""
        return self.ring_up({sku: pieces}, place=place, at=at)

    def take_back(self, sku: str, pieces: int, place: str = "", at: int | None = None, of: str = "") -> str:
        """A return at the till, put back into stock: an order of its own, of that sale when one is named."""
        return self.ring_up({}, place=place, at=at, back={sku: pieces}, of=of)

    def ring_up(
        self,
        wanted: Wanted,
        *,
        place: str = "",
        at: int | None = None,
        custom: Iterable[tuple[str, Decimal]] = (),
        gift_cards: Iterable[Decimal] = (),
        discounts: Mapping[str, Decimal] | None = None,
        tip: Decimal = Decimal(0),
        rounding: Decimal = Decimal(0),
        tender: str = "CARD",
        back: Wanted = (),
        of: str = "",
        reference: str = "",
        restock: bool = True,
    ) -> str:
        """One receipt: goods sold and taken back, amounts without an item, gift cards, tip, cash rounding; gives its order's id.

        `of` is the sale whose goods come back (KeyError when it has not so much left of them); with `reference` the receipt
        carries somebody's number.
        """
        location = self._location(place)
        lines = [self._sold(sku, pieces, (discounts or {}).get(sku)) for sku, pieces in _pairs(wanted)]
        lines += [self.pricing.line(name, Decimal(1), self._minor(price), kind="CUSTOM_AMOUNT") for name, price in custom]
        lines += [self.pricing.line("Gift card", Decimal(1), self._minor(price), kind="GIFT_CARD") for price in gift_cards]
        happened = self.micros() if at is None else at
        order = self._new(location, "COMPLETED", happened)
        order |= {"line_items": lines, "closed_at": stamp(happened), "total_tip_money": self.pricing.money(self._minor(tip))}
        if rounding:
            order["rounding_adjustment"] = {"name": "Rounding", "amount_money": self.pricing.money(self._minor(rounding))}
        if reference:
            order["reference_id"] = reference
        returned = [self._returned(sku, pieces, of) for sku, pieces in _pairs(back)]
        if returned:
            order["returns"] = [self._return(returned, of)]
        order = self._settled(self.pricing.totalled(order), tender, happened)
        self.orders.by_hand.add(order["id"])
        self._keep(order, "created")
        self._move(order, location, happened, restock)
        return str(order["id"])

    def _sold(self, sku: str, pieces: int, discount: Decimal | None) -> Row:
        ident = self.skus[sku]
        price = self.catalog.objects[ident]["item_variation_data"].get("price_money") or {"amount": 0}
        title = self.catalog.objects[self._item(sku)]["item_data"].get("name", sku)
        off = self._minor(discount) if discount else 0
        return self.pricing.line(title, Decimal(pieces), price["amount"], listing=ident, discount=off)

    def _returned(self, sku: str, pieces: int, of: str) -> Row:
        """A line of a return, at the price of the sale it belongs to, else at today's."""
        if not of:
            return self.pricing.reckoned(self._sold(sku, pieces, None), self.pricing.tax(), "gross_return_money")
        sale = self.orders.kept[of]
        line = next(one for one in sale["line_items"] if one.get("catalog_object_id") == self.skus[sku])
        if self.orders.taken_back(of, line["uid"]) + pieces > Decimal(line["quantity"]):
            raise KeyError(f"{of} has not so much left to take back")
        kept = {name: line[name] for name in ("name", "variation_name", "catalog_object_id", "item_type", "base_price_money")}
        if line.get("applied_taxes"):
            kept["applied_taxes"] = [{"uid": self.catalog.new_id(), "tax_uid": one["tax_uid"]} for one in line["applied_taxes"]]
        row = {"uid": self.catalog.new_id(), "source_line_item_uid": line["uid"], "quantity": str(pieces), **kept}
        share = line["total_discount_money"]["amount"] * pieces // int(Decimal(line["quantity"]))
        row["total_discount_money"] = self.pricing.money(share)
        return self.pricing.reckoned(row, sale.get("taxes") or [], "gross_return_money")

    def _return(self, rows: list[Row], of: str) -> Row:
        taxes = self.pricing.tax()
        for one in taxes:
            one["applied_money"] = self.pricing.money(sum(row["total_tax_money"]["amount"] for row in rows))
        told: Row = {"uid": self.catalog.new_id(), "return_line_items": rows, "return_taxes": taxes}
        return {**told, "source_order_id": of} if of else told

    # ordered for pickup

    def order(
        self,
        wanted: Wanted,
        *,
        paid: bool = True,
        place: str = "",
        customer: Mapping[str, str] | None = None,
        shipping: Decimal = Decimal(0),
    ) -> str:
        """A customer orders for pickup at a location: proposed; nothing leaves the stock until it is fetched."""
        location = self._location(place)
        order = self._new(location, "OPEN", self.micros())
        order["line_items"] = [self._sold(sku, pieces, None) for sku, pieces in _pairs(wanted)]
        if shipping:
            money = self.pricing.money(self._minor(shipping))
            charge: Row = {"uid": self.catalog.new_id(), "name": "Delivery", "amount_money": money, "type": "CUSTOM"}
            charge |= {"calculation_phase": "SUBTOTAL_PHASE", "taxable": True, "treatment_type": "LINE_ITEM_TREATMENT"}
            charge["applied_taxes"] = [{"uid": self.catalog.new_id(), "tax_uid": one["uid"]} for one in order["taxes"]]
            order["service_charges"] = [charge]
        pickup = {"recipient": _recipient(customer or MADE_PERSON), "schedule_type": "ASAP", "placed_at": order["created_at"]}
        order["fulfillments"] = [
            {
                "uid": self.catalog.new_id(),
                "type": "PICKUP",
                "state": "PROPOSED",
                "line_item_application": "ALL",
                "pickup_details": pickup,
            }
        ]
        order = self.pricing.totalled({**order, "version": 1})
        if paid:
            order = self._settled(order, "CARD", self.micros())
        self._keep(order, "created")
        return str(order["id"])

    def pay(self, order: str, tender: str = "CARD") -> None:
        """The customer pays what is due; what was handed over already is finished by it."""
        paid = self._settled(self.orders.kept[order], tender, self.micros())
        self._keep(self._finished(paid), "updated")

    def accept(self, order: str) -> None:
        """Staff accept a pickup order: its goods are put aside."""
        self._fulfil(order, "RESERVED")

    def prepare(self, order: str) -> None:
        """Staff say that it is ready to be fetched."""
        self._fulfil(order, "PREPARED")

    def ship(self, order: str, parts: Wanted | None = None, carrier: str = "", tracking: str = "") -> None:
        """Staff hand the whole order over at the counter, and take what is due; carrier and parts have no place in a pickup."""
        del parts, carrier, tracking
        if self.orders.kept[order]["net_amount_due_money"]["amount"]:
            self.orders.put(self._settled(self.orders.kept[order], "OTHER", self.micros()))
        self._fulfil(order, "COMPLETED")

    def expire(self, order: str) -> None:
        """Nobody came for it."""
        self._fulfil(order, "FAILED")

    def cancel(self, order: str, lines: Wanted | None = None) -> None:
        """Staff cancel the order; Square cancels no single line, that is an edit."""
        if lines is not None:
            for sku, pieces in _pairs(lines):
                line = self._line_of(order, sku)
                self.edit(order, sku, int(line["quantity"]) - pieces)
            return
        now = self.orders.kept[order]
        parts = [{**one, "state": "CANCELED"} if one["state"] not in FINAL else one for one in now.get("fulfillments") or []]
        at = stamp(self.micros())
        self._keep({**now, "state": "CANCELED", "closed_at": at, "fulfillments": parts}, "updated")

    def edit(self, order: str, sku: str, pieces: int) -> None:
        """Staff set how many pieces of a line are ordered; none takes the line away."""
        now, line = self.orders.kept[order], self._line_of(order, sku)
        lines = [{**one, "quantity": str(pieces)} if one["uid"] == line["uid"] else one for one in now["line_items"]]
        lines = [one for one in lines if Decimal(one["quantity"])]
        self._keep(self.pricing.totalled({**now, "line_items": lines}), "updated")

    def refund(self, order: str, amount: Decimal) -> None:
        """Money is given back out of the order's payments, nothing comes back for it."""
        now = self.orders.kept[order]
        tender = now["tenders"][0]
        given: Row = {"id": self.catalog.new_id(), "location_id": now["location_id"], "tender_id": tender["id"]}
        given |= {"transaction_id": now["id"], "created_at": stamp(self.micros()), "reason": "given back", "status": "APPROVED"}
        given["amount_money"] = self.pricing.money(self._minor(amount))
        self._keep({**now, "refunds": [*(now.get("refunds") or []), given]}, "updated")

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

    def _location(self, place: str) -> str:
        location = place or self.locations[0]
        if location not in self.locations:
            raise KeyError(place)
        return location

    def _minor(self, amount: Decimal) -> int:
        return exact_minor(amount, self.pricing.currency)

    def _line_of(self, order: str, sku: str) -> Row:
        lines = self.orders.kept[order]["line_items"]
        line: Row = next(one for one in lines if one.get("catalog_object_id") == self.skus[sku])
        return line

    def _new(self, location: str, state: str, at: int) -> Row:
        order: Row = {"id": self.catalog.new_id(), "location_id": location, "state": state, "created_at": stamp(at)}
        return order | {"source": {"name": "Square Point of Sale"}, "taxes": self.pricing.tax()}

    def _settled(self, order: Row, kind: str, at: int) -> Row:
        """The order with its payment, or with the refund of what came back."""
        due, one = order["net_amount_due_money"]["amount"], self.catalog.new_id()
        about: Row = {"id": one, "location_id": order["location_id"], "transaction_id": order["id"], "created_at": stamp(at)}
        net = order["net_amounts"]["total_money"]["amount"]
        if net < 0:
            amount = self.pricing.money(-net)
            refund = {**about, "reason": "goods taken back", "amount_money": amount, "status": "APPROVED"}
            return self.pricing.totalled({**order, "refunds": [refund]})
        if not due:
            return order
        tender: Row = {**about, "type": kind, "amount_money": self.pricing.money(due), "payment_id": one}
        if kind == "CARD":
            tender["card_details"] = {"status": "CAPTURED", "entry_method": "EMV"}
        if kind == "CASH":
            tender["cash_details"] = {"buyer_tendered_money": tender["amount_money"], "change_back_money": self.pricing.money(0)}
        return self.pricing.totalled({**order, "tenders": [*(order.get("tenders") or []), tender]})

    def _keep(self, order: Row, what: str) -> None:
        """Store the order as it is now, and tell of it."""
        order = {**order, "updated_at": stamp(self._tick())}
        if what == "updated" and "version" in order:
            order["version"] += 1
        self.orders.put(order)
        self._tell_order(what, order)

    def _finished(self, order: Row) -> Row:
        """A paid order of which all was handed over is completed."""
        parts = order.get("fulfillments") or []
        over = bool(parts) and all(one["state"] in FINAL for one in parts)
        done = any(one["state"] == "COMPLETED" for one in parts)
        if order["state"] == "OPEN" and over and done and not order["net_amount_due_money"]["amount"]:
            return {**order, "state": "COMPLETED", "closed_at": stamp(self.micros())}
        return order

    def _fulfil(self, ident: str, state: str) -> None:
        """Move every unfinished fulfilment; goods leave the stock when they are handed over."""
        now, at = self.orders.kept[ident], stamp(self.micros())
        when = {"RESERVED": "accepted_at", "PREPARED": "ready_at", "COMPLETED": "picked_up_at", "FAILED": "expired_at"}[state]
        parts, moved = [], []
        for one in now.get("fulfillments") or []:
            if one["state"] in FINAL:
                parts.append(one)
                continue
            moved.append({"fulfillment_uid": one["uid"], "old_state": one["state"], "new_state": state})
            details = f"{one['type'].lower()}_details"
            parts.append({**one, "state": state, details: {**(one.get(details) or {}), when: at}})
        self._keep(self._finished({**now, "fulfillments": parts}), "updated")
        order = self.orders.kept[ident]
        self._tell_order("fulfillment_updated", order, fulfillment_update=moved)
        if state == "COMPLETED" and moved:
            self._move(order, order["location_id"], self.micros(), restock=False)

    def _move(self, order: Row, location: str, at: int, restock: bool) -> None:
        """The order's goods leave the stock and its returns come back."""
        moves: list[tuple[str, Decimal]] = []
        for one in order["line_items"]:
            moves += [(one["catalog_object_id"], -Decimal(one["quantity"]))] if one.get("catalog_object_id") else []
        for back in order.get("returns") or [] if restock else []:
            moves += [(one["catalog_object_id"], Decimal(one["quantity"])) for one in back["return_line_items"]]
        for listing, quantity in moves:
            if self.ledger.add((listing, location), Line(at, self._tick(), False, quantity)):
                self._tell_count((listing, location))

    def _tell_order(self, what: str, order: Row, **more: Plain) -> None:
        name = f"order_{what}"
        told = {"order_id": order["id"], "location_id": order["location_id"], "state": order["state"]}
        told |= {one: order[one] for one in ("version", "created_at", "updated_at") if one in order}
        if what == "created":
            del told["updated_at"]
        topic = {"fulfillment_updated": "order.fulfillment.updated"}.get(what, f"order.{what}")
        self._event(topic, {"type": name, "object": {name: {**told, **more}}}, order["id"])


def _pairs(wanted: Wanted) -> list[tuple[str, int]]:
    return list(wanted.items() if isinstance(wanted, Mapping) else wanted)


def _recipient(person: Mapping[str, str]) -> Row:
    address = {"street": "address_line_1", "city": "locality", "postal_code": "postal_code", "country": "country"}
    told: Row = {"display_name": person.get("name", "")}
    told |= {name: person[ours] for ours, name in {"email": "email_address", "phone": "phone_number"}.items() if ours in person}
    where = {name: person[ours] for ours, name in address.items() if ours in person}
    return {**told, "address": where} if where else told
