"""The hands of those who buy in the small shop, at its till and online, and of those who work off its orders."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.shopify.sandbox_orders import CENT, Order, Orders, Payment, Return
from connectors.shopify.sandbox_shop import Shop, Variant, zulu
from hub.sdk.api import MADE_PERSON, Basket, exact_minor, rows_of


class OrderDesk:
    """Mixed into the sandbox: what customers and clerks do. Pieces are asked for by SKU, places are location ids."""

    shop: Shop
    orders: Orders
    options: dict[str, str]

    def place_of(self, place: str) -> int:
        """The location of this id; "" is the first."""
        raise NotImplementedError

    # buying

    def order(
        self,
        wanted: Basket,
        *,
        paid: bool = True,
        place: str = "",
        customer: Mapping[str, str] | None = None,
        shipping: Decimal = Decimal(0),
        pickup: bool = False,
        discount: Decimal = Decimal(0),
        currency: str = "",
        rate: Decimal = Decimal(1),
    ) -> str:
        """A customer buys what is there of it, to be sent from (or fetched at) `place`; "" when that is nothing."""
        location = self.place_of(place or self.options.get("sold_from", ""))
        made = self.orders.new(MADE_PERSON if customer is None else customer, currency, rate)
        self._fill(made, wanted, location)
        if not made.lines:
            del self.orders.kept[made.id]
            return ""
        made.shipping = shipping
        if discount:
            made.lines[0].discount = discount
        self.orders.commit(made, location, "PICK_UP" if pickup else "SHIPPING", {line.id: line.quantity for line in made.lines})
        if paid:
            self.orders.pay(made, "SALE")
        self.orders.touch(made, "orders/create")
        return str(made.id)

    def sale(self, wanted: Basket, place: str = "", *, receipt: str = "", tendered: Decimal | None = None) -> str:
        """A sale at the till: handed over and paid at once, in cash with change where `tendered` says so."""
        location = self.place_of(place)
        made = self.orders.new({})
        made.source, made.source_id, made.retail = "pos", receipt or f"1-{made.id % 1000}", location
        self._fill(made, wanted, location)
        task = self.orders.commit(made, location, "RETAIL", {line.id: line.quantity for line in made.lines})
        self.orders.fulfil(made, [(task, part[0], part[3]) for part in list(task.parts)], None, None)
        due = self.orders.total(made)
        self.orders.pay(made, "SALE", "cash" if tendered else "made_payments")
        if tendered:
            made.payments[-1].amount = tendered
            paid = made.payments[-1]
            change = Payment(self.shop.next_id("OrderTransaction"), "CHANGE", "cash", tendered - due, self.shop.now(), paid.id)
            made.payments.append(change)
        self.orders.touch(made, "orders/create")
        return str(made.id)

    def _fill(self, made: Order, wanted: Basket, location: int) -> None:
        for sku, pieces in rows_of(wanted):
            one = self.shop.on_sale(sku)
            there = self.shop.state.levels[(one.id, location)].available if one.tracked and not one.oversell else pieces
            if (bought := min(pieces, max(0, there))) > 0:
                title = self.shop.state.products[one.product].title
                self.orders.add_line(made, one.id, sku, title, bought, one.price)

    def extra(self, order: str, title: str, price: Decimal) -> None:
        """A custom amount or a tip is added to the order."""
        kept = self.orders.found(order)
        self.orders.add_line(kept, None, "", title, 1, price)
        self.orders.touch(kept)

    def sell(self, sku: str, pieces: int, place: str = "") -> int:
        """What an order does to the stock, without the order: takes at most what is available, says how many."""
        one, location = self.shop.on_sale(sku), self.place_of(place)
        sold = min(pieces, max(0, self.shop.state.levels[(one.id, location)].available))
        if sold:
            self.shop.moved(one.id, location, available=-sold, committed=sold)
        return sold

    def pay(self, order: str) -> None:
        """The customer pays what is due."""
        self.orders.pay(self.orders.found(order), "SALE")

    def authorise(self, order: str) -> None:
        """The customer's payment is held, not yet taken."""
        self.orders.pay(self.orders.found(order), "AUTHORIZATION")

    def awaits(self, order: str, way: str) -> None:
        """A transfer is awaited: it stands as pending."""

    # working off

    def ship(self, order: str, parts: Basket | None = None, carrier: str = "", tracking: str = "") -> str:
        """A clerk sends these pieces, or all that is left; gives the fulfilment's id."""
        kept = self.orders.found(order)
        left = None if parts is None else dict(parts)
        chosen = []
        for task in kept.tasks:
            for ident, line, _, open_pieces in task.parts if task.status in ("OPEN", "IN_PROGRESS") else []:
                sku = kept.line(line).sku
                pieces = open_pieces if left is None else min(open_pieces, left.get(sku, 0))
                if pieces:
                    chosen.append((task, ident, pieces))
                    if left is not None:
                        left[sku] -= pieces
        return str(self.orders.fulfil(kept, chosen, carrier or None, tracking or None).id)

    def deliver(self, order: str) -> None:
        """Every parcel of the order arrives."""
        kept = self.orders.found(order)
        for one in kept.parcels:
            one.shown, one.delivered_at = "DELIVERED", self.shop.now()
        self.orders.touch(kept)

    def hold(self, order: str) -> None:
        """A clerk puts the order's open work on hold."""
        kept = self.orders.found(order)
        for task in kept.tasks:
            task.status = "ON_HOLD" if task.status == "OPEN" else task.status
        self.orders.touch(kept)

    def cancel(self, order: str, lines: Basket | None = None) -> None:
        """A clerk calls the order off with its money, or takes pieces off it; what did not leave goes back on the shelf."""
        kept = self.orders.found(order)
        if lines is None:
            self.orders.cancel(kept, "", restock=True, refund=True)
            return
        parts = [(line, pieces, "CANCEL", kept.tasks[0].location) for line, pieces in self._parts(kept, lines)]
        self.orders.refund(kept, [], parts, "")

    def edit(self, order: str, sku: str, pieces: int) -> None:
        """A clerk edits the order: so many pieces of this SKU, which may be new in it."""
        kept = self.orders.found(order)
        location = kept.tasks[0].location
        line = next((one for one in kept.lines if one.sku == sku), None)
        if line is None:
            one: Variant = self.shop.on_sale(sku)
            line = self.orders.add_line(kept, one.id, sku, self.shop.state.products[one.product].title, pieces, one.price)
            self.orders.commit(kept, location, "SHIPPING", {line.id: pieces})
        elif pieces > line.current:
            more = pieces - line.current
            line.quantity += more
            self.orders.commit(kept, location, "SHIPPING", {line.id: more})
        else:
            fewer = line.current - pieces
            self.orders.take_off(kept, line, fewer, restock=True)
            line.removed += fewer
        self.orders.touch(kept)
        self.shop.tell("orders/edited", {"order_edit": _edited(kept, line.id, self.shop.now())})

    def take_back(self, order: str, parts: Basket, place: str = "", *, refund: bool = True) -> None:
        """A clerk takes pieces back that had left: they go on the shelf, and their money goes back."""
        kept = self.orders.found(order)
        location = self.place_of(place)
        rows = [(line, pieces, "RETURN", location) for line, pieces in self._parts(kept, parts)]
        due = sum((kept.line(line).unit * pieces for line, pieces, _, _ in rows), Decimal(0)).quantize(CENT)
        paid = next(one for one in kept.payments if one.kind in ("SALE", "CAPTURE"))
        self.orders.refund(kept, [(paid, due)] if refund else [], rows, "")

    def sent_back(self, order: str, parts: Basket, amount: Decimal) -> None:
        """Pieces came back by post: taken back on the shelf, and paid back at what they cost."""
        self.take_back(order, parts)

    def open_return(self, order: str, sku: str, pieces: int, disposition: str = "", place: str = "") -> None:
        """A return of pieces that had left, with what became of them (RESTOCKED, NOT_RESTOCKED, PROCESSING_REQUIRED, MISSING)."""
        kept = self.orders.found(order)
        line = next(one for one in kept.lines if one.sku == sku)
        location = self.place_of(place) if disposition == "RESTOCKED" else None
        part = (self.shop.next_id("Disposition"), line.id, pieces, disposition, location)
        kept.returns.append(Return(self.shop.next_id("Return"), self.shop.now(), [part]))
        if disposition:
            line.refunded += pieces
        if location is not None and line.variant is not None:
            self.shop.moved(line.variant, location, available=pieces)
        self.orders.touch(kept)

    def refund(self, order: str, amount: Decimal, *, shipping: Decimal = Decimal(0)) -> None:
        """A clerk gives money back, this much of it for the shipping."""
        kept = self.orders.found(order)
        paid = next(one for one in kept.payments if one.kind in ("SALE", "CAPTURE"))
        self.orders.refund(kept, [(paid, amount)], [], "", shipping)

    def tag(self, order: str, *tags: str) -> None:
        """A clerk (or an app) tags the order."""
        kept = self.orders.found(order)
        kept.tags += tags
        self.orders.touch(kept)

    def orders_shown(self) -> dict[str, dict[str, Any]]:
        """Every order by its id: state, number, lines by SKU in pieces, total and refunds in minor units, fulfilments."""
        return {str(one.id): self._order_shown(one) for one in self.orders.kept.values()}

    def _order_shown(self, order: Order) -> dict[str, Any]:
        parcels = [
            {
                "fulfilment": str(one.id),
                "state": one.status,
                "carrier": one.company or "",
                "tracking": one.number or "",
                "place": str(one.location),
                "parts": {order.line(line).sku: pieces for _, line, pieces in one.parts},
            }
            for one in order.parcels
        ]
        lines = [
            {
                "sku": line.sku,
                "quantity": line.quantity,
                "cancelled": max(0, line.quantity - line.current - max(0, order.left(line.id) - line.current)),
                "fulfilled": order.left(line.id),
                "current": line.current,
            }
            for line in order.lines
        ]
        refunded = sum((one.amount for one in order.payments if one.kind == "REFUND"), Decimal(0))
        return {
            "state": "CANCELLED" if order.cancelled_at else f"{self.orders.financial(order)} {self.orders.goods(order)}",
            "number": order.name,
            "lines": lines,
            "total_minor": exact_minor(self.orders.total(order), order.currency),
            "fulfilments": parcels,
            "refunded_minor": exact_minor(refunded, order.currency),
            "kept_minor": exact_minor(order.taken(), order.currency),
            "attributes": dict(order.attributes),
            # The shop mails its customer when it is told that an order is prepared.
            "notes": [f"ready at {task.location}" for task in order.tasks if task.prepared],
        }

    def _parts(self, order: Order, wanted: Basket) -> list[tuple[int, int]]:
        parts = []
        for sku, pieces in rows_of(wanted):
            parts += [(line.id, pieces) for line in order.lines if line.sku == sku][:1]
        return parts


def _edited(order: Order, line: int, at: int) -> dict[str, Any]:
    return {
        "app_id": None,
        "committed_at": zulu(at),
        "created_at": zulu(at),
        "discounts": {"line_item": {"additions": [], "removals": []}},
        "id": order.id,
        "line_items": {"additions": [{"delta": 1, "id": line}], "removals": []},
        "notify_customer": False,
        "order_id": order.id,
        "shipping_lines": {"additions": [], "removals": []},
        "staff_note": "",
        "user_id": None,
    }
