"""The hands of those who buy in the small shop and of those who work off its orders."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.vendure.money import hundredths, minor_units
from connectors.vendure.sandbox_orders import STANDARD, Order, Orders
from connectors.vendure.sandbox_shop import Shop
from hub.sdk.api import MADE_PERSON, Basket, rows_of


class OrderDesk:
    """Mixed into the sandbox: what customers and clerks do with orders. Pieces are asked for by SKU."""

    shop: Shop
    orders: Orders

    def order(
        self,
        wanted: Basket,
        *,
        paid: bool = True,
        place: str = "",
        customer: Mapping[str, str] | None = None,
        shipping: Decimal = Decimal(0),
        pickup: str = "",
    ) -> str:
        """A customer buys what is there of it; "" when that is nothing. Unpaid it stays in its checkout: a cart.

        `place` is not asked: Vendure chooses the stock location by itself. `customer` has name, email, street, city,
        postal_code, country, phone, company. `pickup` is the code of a shipping method with which it is fetched. What costs
        nothing is placed without a payment.
        """
        cart = self.orders.cart(MADE_PERSON if customer is None else customer)
        for sku, pieces in rows_of(wanted):
            self.orders.added(cart, self._on_sale(sku), pieces)
        if not cart.lines:
            return ""
        cart.shipping, cart.method, cart.state = hundredths(shipping), pickup or STANDARD, "ArrangingPayment"
        if paid:
            self.orders.paid(cart, "Settled")
        return str(cart.id)

    def pay(self, order: str) -> None:
        """The customer pays what is due, or the shop takes what was authorised."""
        self.orders.paid(self.orders.found(order), "Settled")

    def authorise(self, order: str) -> None:
        """The customer's payment is authorised, not yet taken: the order is placed."""
        self.orders.paid(self.orders.found(order), "Authorized")

    def awaits(self, order: str, way: str) -> None:
        """The payment is held and not yet taken: no order waits here in another way."""
        self.authorise(order)

    def cancel(self, order: str, lines: Basket | None = None) -> None:
        """A clerk cancels these pieces, or all that is left with the shipping."""
        kept = self.orders.found(order)
        chosen = None if lines is None else self._parts(kept, lines)
        self.orders.cancel(kept, chosen, "cancelled by a clerk", lines is None)

    def edit(self, order: str, sku: str, pieces: int) -> None:
        """A clerk sets how many pieces of a line are ordered; KeyError for a cart, which is its customer's alone."""
        kept = self.orders.found(order)
        if kept.placed_at is None:
            raise KeyError(order)
        line = next(line for line in kept.lines if self.shop.variants[line.variant].sku == sku)
        self.orders.edit(kept, line, pieces)

    def ship(self, order: str, parts: Basket | None = None, carrier: str = "", tracking: str = "") -> str:
        """A clerk ships these pieces, or all that is left; gives the fulfilment's id."""
        kept = self.orders.found(order)
        sent: dict[int, int] = {}
        for one in kept.fulfillments:
            for ident, pieces in one.lines if one.state != "Cancelled" else []:
                sent[ident] = sent.get(ident, 0) + pieces
        left = [(line.id, line.quantity - sent.get(line.id, 0)) for line in kept.lines]
        chosen = [(ident, pieces) for ident, pieces in left if pieces > 0] if parts is None else self._parts(kept, parts)
        made = self.orders.fulfil(chosen, carrier or "By hand", tracking)
        self.orders.move(made.id, "Shipped")
        return str(made.id)

    def deliver(self, order: str) -> None:
        """Every shipped parcel of the order arrives."""
        for one in self.orders.found(order).fulfillments:
            if one.state == "Shipped":
                self.orders.move(one.id, "Delivered")

    def take_back(self, order: str, parts: Basket) -> None:
        """A clerk takes shipped pieces back: Vendure cancels their lines and puts them on hand."""
        kept = self.orders.found(order)
        self.orders.cancel(kept, self._parts(kept, parts), "taken back by a clerk", False)

    def refund(
        self,
        order: str,
        amount: Decimal,
        parts: Basket | None = None,
        shipping: Decimal = Decimal(0),
        *,
        settled: bool = True,
    ) -> None:
        """A clerk gives money back out of the order's first payment with room for it; unsettled it is only promised.

        `amount` is all of it; `parts` and `shipping` say what it is for and bring nothing back on hand.
        """
        kept, total = self.orders.found(order), hundredths(amount)
        payment = next(one for one in kept.payments if one.room >= total)
        lines = self._parts(kept, parts or {})
        made = self.orders.refund(payment.id, total, "given back by a clerk", lines, hundredths(shipping))
        if settled:
            self.orders.settle(made.id, "by hand")

    def sent_back(self, order: str, parts: Basket, amount: Decimal) -> None:
        """Pieces came back by post: taken back on hand, and paid back."""
        self.take_back(order, parts)
        self.refund(order, amount, parts)

    def note(self, order: str, text: str, *, public: bool = False) -> None:
        """A clerk writes a note into the order's history."""
        self.orders.note(self.orders.found(order), text, public)

    def orders_shown(self) -> dict[str, dict[str, Any]]:
        """Every placed order by its id: state, number, lines by SKU in pieces, total and refunds in minor units, fulfilments.

        `notes` are the texts that the customer can read too, `pickup` the code of a shipping method other than the usual one.
        """
        return {str(one.id): self._order_shown(one) for one in self.orders.kept.values() if one.placed_at is not None}

    def _order_shown(self, order: Order) -> dict[str, Any]:
        left: dict[int, int] = {}
        parcels = []
        for one in order.fulfillments:
            parts = {self._sku(order, ident): pieces for ident, pieces in one.lines}
            shown = {"fulfilment": str(one.id), "state": one.state, "carrier": one.method, "tracking": one.tracking}
            parcels.append({**shown, "parts": parts})
            for ident, pieces in one.lines if one.state in ("Shipped", "Delivered") else []:
                left[ident] = left.get(ident, 0) + pieces
        lines = [
            {
                "sku": self._sku(order, line.id),
                "quantity": max(line.placed, line.quantity),
                "cancelled": max(0, line.placed - line.quantity),
                "fulfilled": left.get(line.id, 0),
            }
            for line in order.lines
        ]
        refunds = [refund for payment in order.payments for refund in payment.refunds if refund.state == "Settled"]
        return {
            "state": order.state,
            "number": order.code,
            "lines": lines,
            "total_minor": minor_units(self.orders.totals(order)[1], self.shop.currency),
            "fulfilments": parcels,
            "refunded_minor": minor_units(sum(one.total for one in refunds), self.shop.currency),
            "kept_minor": minor_units(sum(one.room for one in order.payments if one.state == "Settled"), self.shop.currency),
            "notes": [one["data"]["note"] for one in order.history if one["type"] == "ORDER_NOTE" and one["isPublic"]],
            "pickup": "" if order.method == STANDARD else order.method,
        }

    def _parts(self, order: Order, wanted: Basket) -> list[tuple[int, int]]:
        parts = []
        for sku, pieces in rows_of(wanted):
            parts += [(line.id, pieces) for line in order.lines if self._sku(order, line.id) == sku][:1]
        return parts

    def _sku(self, order: Order, line: int) -> str:
        variant = next(one.variant for one in order.lines if one.id == line)
        return self.shop.variants[variant].sku

    def _on_sale(self, sku: str) -> Any:
        return next(one for one in self.shop.variants.values() if one.sku == sku and not one.deleted)
