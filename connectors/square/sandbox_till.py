"""What people do at the small Square's counter: they ring up and take back; and what a paid order does to the stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from connectors.square.objects import stamp
from connectors.square.sandbox_ledger import Line, change_record
from connectors.square.sandbox_orders import Orders, Pricing, Row
from connectors.square.sandbox_people import Seller
from hub.sdk.api import Basket, Plain, exact_minor, rows_of


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

    def take_back(
        self,
        sku: str,
        pieces: int,
        place: str = "",
        at: int | None = None,
        of: str = "",
        reference: str = "",
        damaged: int = 0,
        amount: Decimal | None = None,
    ) -> str:
        """A return at the till, its money paid out: an order of its own, of that sale when one is named.

        `damaged` of the pieces do not come back into stock. `reference` is a number typed in; `amount` what is given for all
        of them, where it is neither the sale's price nor today's.
        """
        typed = {} if amount is None else {sku: amount}
        return self.ring_up(
            {}, place=place, at=at, back={sku: pieces}, of=of, reference=reference, damaged={sku: damaged}, typed=typed
        )

    def ring_up(
        self,
        wanted: Basket,
        *,
        place: str = "",
        at: int | None = None,
        custom: Iterable[tuple[str, Decimal]] = (),
        gift_cards: Iterable[Decimal] = (),
        discounts: Mapping[str, Decimal] | None = None,
        tip: Decimal = Decimal(0),
        rounding: Decimal = Decimal(0),
        tender: str = "CARD",
        back: Basket = (),
        of: str = "",
        reference: str = "",
        restock: bool = True,
        damaged: Mapping[str, int] | None = None,
        typed: Mapping[str, Decimal] | None = None,
    ) -> str:
        """One receipt: goods sold and taken back, amounts without an item, gift cards, tip, cash rounding; gives its order's id.

        `of` is the sale whose goods come back (KeyError when it has not so much left of them); with `reference` the receipt
        carries somebody's number. `typed` are sums given for what comes back, `damaged` pieces of it that are no stock.
        """
        location = self._location(place)
        lines = [self._sold(sku, pieces, (discounts or {}).get(sku)) for sku, pieces in rows_of(wanted)]
        lines += [self.pricing.line(name, Decimal(1), self._minor(price), kind="CUSTOM_AMOUNT") for name, price in custom]
        lines += [self.pricing.line("Gift card", Decimal(1), self._minor(price), kind="GIFT_CARD") for price in gift_cards]
        happened = self.micros() if at is None else at
        order = self._new(location, "COMPLETED", happened)
        order |= {"line_items": lines, "closed_at": stamp(happened), "total_tip_money": self.pricing.money(self._minor(tip))}
        if rounding:
            order["rounding_adjustment"] = {"name": "Rounding", "amount_money": self.pricing.money(self._minor(rounding))}
        if reference:
            order["reference_id"] = reference
        returned = [self._returned(sku, pieces, of, (typed or {}).get(sku)) for sku, pieces in rows_of(back)]
        if returned:
            order["returns"] = [self._return(returned, of)]
        order = self._settled(self.pricing.totalled(order), tender, happened)
        self.orders.by_hand.add(order["id"])
        self._keep(order, "created")
        self._move(order, happened, restock=restock, damaged=damaged)
        return str(order["id"])

    def _sold(self, sku: str, pieces: int, discount: Decimal | None) -> Row:
        ident = self.skus[sku]
        price = self.catalog.objects[ident]["item_variation_data"].get("price_money") or {"amount": 0}
        title = self.catalog.objects[self._item(sku)]["item_data"].get("name", sku)
        off = self._minor(discount) if discount else 0
        return self.pricing.line(title, Decimal(pieces), price["amount"], listing=ident, discount=off)

    def _returned(self, sku: str, pieces: int, of: str, typed: Decimal | None) -> Row:
        """A line of a return, at the sum typed in, else at the price of the sale it belongs to, else at today's."""
        if not of:
            row = self._priced(self._sold(sku, pieces, None), pieces, typed)
            return self.pricing.reckoned(row, self.pricing.tax(), "gross_return_money")
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
        return self.pricing.reckoned(self._priced(row, pieces, typed), sale.get("taxes") or [], "gross_return_money")

    def _priced(self, row: Row, pieces: int, typed: Decimal | None) -> Row:
        """The row at a unit price and a discount that make the sum typed in."""
        if typed is None:
            return row
        amount = self._minor(typed)
        unit = -(-amount // pieces)
        rest = self.pricing.money(unit * pieces - amount)
        return {**row, "base_price_money": self.pricing.money(unit), "total_discount_money": rest}

    def _return(self, rows: list[Row], of: str) -> Row:
        taxes = self.pricing.tax()
        for one in taxes:
            one["applied_money"] = self.pricing.money(sum(row["total_tax_money"]["amount"] for row in rows))
        told: Row = {"uid": self.catalog.new_id(), "return_line_items": rows, "return_taxes": taxes}
        return {**told, "source_order_id": of} if of else told

    # the platform's part

    def _location(self, place: str) -> str:
        location = place or self.locations[0]
        if location not in self.locations:
            raise KeyError(place)
        return location

    def _minor(self, amount: Decimal) -> int:
        return exact_minor(amount, self.pricing.currency)

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

    def _move(self, order: Row, at: int, *, restock: bool = True, damaged: Mapping[str, int] | None = None) -> None:
        """A paid order's goods leave the stock, once, and what came back returns to it, but for what is damaged."""
        if order["id"] in self.orders.moved:
            return
        self.orders.moved.add(order["id"])
        for one in order["line_items"]:
            self._enter(order, one, ("IN_STOCK", "SOLD"), Decimal(one["quantity"]), at)
        spoiled = {self.skus[sku]: Decimal(pieces) for sku, pieces in (damaged or {}).items()}
        for back in order.get("returns") or [] if restock else []:
            origin = "RETURNED_BY_CUSTOMER" if back.get("source_order_id") else "UNLINKED_RETURN"
            for one in back["return_line_items"]:
                waste = min(spoiled.pop(one.get("catalog_object_id"), Decimal(0)), Decimal(one["quantity"]))
                self._enter(order, one, (origin, "IN_STOCK"), Decimal(one["quantity"]) - waste, at)
                self._enter(order, one, (origin, "WASTE"), waste, at)

    def _enter(self, order: Row, line: Row, states: tuple[str, str], quantity: Decimal, at: int) -> None:
        """One move of a line's goods into the ledger; lines without an item and nothing moved make none."""
        if not line.get("catalog_object_id") or not quantity:
            return
        place, received = (line["catalog_object_id"], order["location_id"]), self._tick()
        told = change_record(self.catalog.new_id(), place, states, quantity, (at, received), transaction_id=order["id"])
        self.ledger.note(at, received, told)
        sign = {"IN_STOCK": 1}.get(states[1], -1 if states[0] == "IN_STOCK" else 0)
        if sign and self.ledger.add(place, Line(at, received, False, sign * quantity)):
            self._tell_count(place)

    def _tell_order(self, what: str, order: Row, **more: Plain) -> None:
        name = f"order_{what}"
        told = {"order_id": order["id"], "location_id": order["location_id"], "state": order["state"]}
        told |= {one: order[one] for one in ("version", "created_at", "updated_at") if one in order}
        if what == "created":
            del told["updated_at"]
        topic = {"fulfillment_updated": "order.fulfillment.updated"}.get(what, f"order.{what}")
        self._event(topic, {"type": name, "object": {name: {**told, **more}}}, order["id"])
