"""The sandbox's orders: carts, payments, fulfilments, cancellations and refunds, with the rules seen on Vendure 3.7.3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

from connectors.vendure.sandbox_shop import ResolverFault, Shop, Variant
from hub.sdk.api import Plain, iso

STANDARD: Final = "standard-shipping"
AMOUNTS_MAX: Final = 4_096
"""So many amounts are kept with their tax: the same few are asked for again and again."""
LEFT: Final = ("Shipped", "Delivered")
AFTER_PAYMENT: Final = ("PaymentAuthorized", "PaymentSettled", "PartiallyShipped", "Shipped", "PartiallyDelivered", "Delivered")


@dataclass
class Line:
    """A line: `entered` is the unit price as the shop's channel enters it; the counters follow its movements."""

    id: int
    variant: int
    quantity: int
    placed: int
    entered: int
    allocated: dict[str, int] = field(default_factory=dict)
    fulfilled: int = 0
    given_back: int = 0


@dataclass
class Refund:
    """Money going back out of one payment."""

    id: int
    total: int
    reason: str
    lines: list[tuple[int, int]]
    at: int
    shipping: int = 0
    adjustment: int = 0
    state: str = "Pending"
    transaction: str | None = None


@dataclass
class Payment:
    """Money of one order."""

    id: int
    amount: int
    state: str
    transaction: str
    at: int
    refunds: list[Refund] = field(default_factory=list)

    @property
    def room(self) -> int:
        """What can still be refunded of it."""
        return self.amount - sum(one.total for one in self.refunds if one.state != "Failed")


@dataclass
class Fulfillment:
    """A parcel."""

    id: int
    method: str
    tracking: str
    lines: list[tuple[int, int]]
    at: int
    state: str = "Created"


@dataclass
class Order:
    """One order; a cart while `active`."""

    id: int
    code: str
    created_at: int
    updated_at: int
    shipping: int
    person: dict[str, str]
    method: str = STANDARD
    placed_at: int | None = None
    state: str = "AddingItems"
    active: bool = True
    lines: list[Line] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    history: list[dict[str, Plain]] = field(default_factory=list)


class NoError(Exception):
    """A business error of the platform: a member of the mutation's union, answered with HTTP 200."""

    def __init__(self, kind: str, code: str, message: str, **more: Plain) -> None:
        super().__init__(message)
        self.shown = {"__typename": kind, "__interfaces": ("ErrorResult",), "errorCode": code, "message": message, **more}


class Orders:
    """All orders of a shop; `shipping_tax` is the percent on shipping."""

    def __init__(self, shop: Shop, shipping_tax: int) -> None:
        self.shop = shop
        self.shipping_tax = shipping_tax
        self.kept: dict[int, Order] = {}

    # money

    def line_price(self, entered: int, pieces: int) -> tuple[int, int]:
        """Net and gross of so many pieces, rounded once."""
        return _two(entered * pieces, self.shop.tax_percent, self.shop.tax_included)

    def shipping_price(self, order: Order) -> tuple[int, int]:
        """Net and gross of the shipping."""
        return _two(order.shipping, self.shipping_tax, self.shop.tax_included)

    def totals(self, order: Order) -> tuple[int, int]:
        """Net and gross of the whole order."""
        rows = [self.line_price(line.entered, line.quantity) for line in order.lines] + [self.shipping_price(order)]
        return sum(net for net, _ in rows), sum(gross for _, gross in rows)

    # the customer

    def cart(self, person: Mapping[str, str]) -> Order:
        """A new cart."""
        ident, now = self.shop.next_id("order"), self.shop.coarse()
        order = Order(ident, f"SANDBOX{ident:09d}", now, now, 0, dict(person))
        self.kept[ident] = order
        return order

    def added(self, order: Order, variant: Variant, pieces: int) -> int:
        """Put pieces into a cart: as many as may still be bought, as the shop does; gives how many."""
        free = sum(level.on_hand - level.allocated for level in variant.levels.values())
        mine = sum(line.quantity for line in order.lines if line.variant == variant.id)
        pieces = pieces if variant.track == "FALSE" else min(pieces, max(0, free - mine))
        if pieces:
            entered = variant.prices.get(self.shop.currency, 0)
            order.lines.append(Line(self.shop.next_id("order line"), variant.id, pieces, 0, entered))
        return pieces

    def paid(self, order: Order, state: str) -> None:
        """A payment of what is due, Authorized or Settled: places the order, or lets an edited one go on."""
        now = self.shop.coarse()
        waiting = [one for one in order.payments if one.state == "Authorized"]
        if order.active and not self.totals(order)[1]:
            # Seen on the real one: what costs nothing is settled without a payment.
            state = "Settled"
        elif waiting and state == "Settled":
            for payment in waiting:
                payment.state, payment.at = "Settled", now
                self._payment_told(order, payment, "Authorized")
        else:
            due = self.totals(order)[1] - sum(one.room for one in order.payments if one.state == "Settled")
            ident = self.shop.next_id("payment")
            payment = Payment(ident, due, state, f"transaction-{ident}", now)
            order.payments.append(payment)
            self._payment_told(order, payment, "Created")
        if order.active:
            order.active, order.placed_at = False, self.shop.now() // 1000 * 1000
            for line in order.lines:
                line.placed = line.quantity
                self.allocate(line, line.quantity)
            self._moved(order, f"Payment{state}", "OrderPlacedEvent")
        elif order.state == "PaymentAuthorized":
            self._moved(order, "PaymentSettled")
        elif order.state == "ArrangingAdditionalPayment":
            self._moved(order, self._standing(order))

    # people in the shop, and whoever asks the API

    def fulfil(self, lines: list[tuple[int, int]], method: str, tracking: str) -> Fulfillment:
        """A fulfilment in the state Pending: what is in it leaves the stock."""
        if not sum(pieces for _, pieces in lines):
            raise NoError("EmptyOrderLineSelectionError", "EMPTY_ORDER_LINE_SELECTION_ERROR", "Empty order line selection")
        found = [(self._line(ident), pieces) for ident, pieces in lines]
        for (order, line), pieces in found:
            if line.quantity - _fulfilled(order, line) < pieces:
                words = "One or more OrderItems are already part of a Fulfillment"
                raise NoError("ItemsAlreadyFulfilledError", "ITEMS_ALREADY_FULFILLED_ERROR", words)
            variant = self.shop.variants[line.variant]
            if variant.track != "FALSE" and sum(level.on_hand for level in variant.levels.values()) < pieces:
                words = "Cannot create a Fulfillment, as there is insufficient stockOnHand"
                raise NoError("InsufficientStockOnHandError", "INSUFFICIENT_STOCK_ON_HAND_ERROR", words)
        made = Fulfillment(self.shop.next_id("fulfillment"), method, tracking, lines, self.shop.coarse())
        order = found[0][0][0]
        order.fulfillments.append(made)
        for (_, line), pieces in found:
            self._sold(line, pieces)
        self._fulfillment_moved(order, made, "Pending")
        return made

    def move(self, ident: int, state: str) -> Fulfillment:
        """A fulfilment in its next state, and its order after it."""
        order, one = self._fulfillment(ident)
        if state not in next_of(one):
            words = "Cannot transition Fulfillment from its present state"
            raise NoError("FulfillmentStateTransitionError", "FULFILLMENT_STATE_TRANSITION_ERROR", words)
        if state == "Cancelled":
            for ident, pieces in one.lines:
                line = self._line(ident)[1]
                self._back(line, pieces)
                self.allocate(line, pieces)
        self._fulfillment_moved(order, one, state)
        standing = self._standing(order)
        if state in LEFT and standing != order.state:
            self._moved(order, standing)
        return one

    def cancel(self, order: Order, lines: list[tuple[int, int]] | None, reason: str, shipping: bool) -> None:
        """Take pieces off: those not fulfilled release their allocation, fulfilled ones come back on hand.

        As the real one does, pieces of a line that has both are released *and* put back.
        """
        if order.active:
            raise NoError("CancelActiveOrderError", "CANCEL_ACTIVE_ORDER_ERROR", "Cannot cancel an active order")
        chosen = [(line.id, line.quantity) for line in order.lines] if lines is None else lines
        if not sum(pieces for _, pieces in chosen):
            raise NoError("EmptyOrderLineSelectionError", "EMPTY_ORDER_LINE_SELECTION_ERROR", "Empty order line selection")
        found = [(self._line(ident), pieces) for ident, pieces in chosen]
        if any(owner is not order for (owner, _), _ in found):
            raise NoError("MultipleOrderError", "MULTIPLE_ORDER_ERROR", "Cannot process lines of more than one order")
        if any(line.quantity < pieces for (_, line), pieces in found):
            raise NoError("QuantityTooGreatError", "QUANTITY_TOO_GREAT_ERROR", "The specified quantity is greater")
        for (_, line), pieces in found:
            self._taken_off(line, pieces)
            self._line_told(order, line, "cancelled")
        if shipping:
            order.shipping = 0
        order.updated_at = self.shop.coarse()
        told = {"lines": [{"orderLineId": str(ident), "quantity": pieces} for ident, pieces in chosen]}
        self._noted(order, "ORDER_CANCELLATION", {**told, "reason": reason, "shippingCancelled": shipping}, True)
        if not any(line.quantity for line in order.lines):
            self._moved(order, "Cancelled")

    def refund(
        self, payment_id: int, amount: int, reason: str, lines: list[tuple[int, int]], shipping: int = 0, adjustment: int = 0
    ) -> Refund:
        """A refund in the state Pending; what it is said to be for is kept and changes nothing."""
        order, payment = self._payment(payment_id)
        if order.state in ("AddingItems", "ArrangingPayment", "PaymentAuthorized"):
            words = f'Cannot refund an Order in the "{order.state}" state'
            raise NoError("RefundOrderStateError", "REFUND_ORDER_STATE_ERROR", words)
        if payment.room < amount:
            words = "The amount specified exceeds the refundable amount for this payment"
            raise NoError("RefundAmountError", "REFUND_AMOUNT_ERROR", words, maximumRefundable=payment.room)
        made = Refund(self.shop.next_id("refund"), amount, reason, lines, self.shop.coarse(), shipping, adjustment)
        payment.refunds.append(made)
        told = {"id": made.id, "state": "Pending", "total": amount, "method": "dummy"}
        self._told(order, "RefundEvent", {"refund": told, "type": "created"})
        return made

    def settle(self, ident: int, transaction: str) -> Refund:
        """The refund was paid out."""
        for order in self.kept.values():
            for refund in (one for payment in order.payments for one in payment.refunds):
                if refund.id == ident:
                    moved = {"fromState": refund.state, "toState": "Settled"}
                    refund.state, refund.transaction, refund.at = "Settled", transaction, self.shop.coarse()
                    told = {"id": ident, "state": "Settled", "total": refund.total, "method": "dummy"}
                    self._told(order, "RefundStateTransitionEvent", {**moved, "refund": told})
                    return refund
        raise _unknown("Refund", ident)

    def note(self, order: Order, text: str, public: bool) -> None:
        """A note in the history; neither the order's time nor its state moves."""
        self._noted(order, "ORDER_NOTE", {"note": text}, public)

    def rewrite(self, note_id: str, text: str) -> dict[str, Plain]:
        """A note's text changed; its place in the history stays."""
        for order in self.kept.values():
            for one in order.history:
                if one["id"] == note_id and one["type"] == "ORDER_NOTE":
                    one["data"] = {"note": text}
                    return one
        raise _unknown("OrderHistoryEntry", note_id)

    def _noted(self, order: Order, kind: str, told: dict[str, Plain], public: bool) -> None:
        entry = {"id": str(self.shop.next_id("history")), "createdAt": iso(self.shop.coarse()), "type": kind}
        order.history.append({**entry, "isPublic": public, "data": told})

    def edit(self, order: Order, line: Line, pieces: int) -> None:
        """A person sets a line's quantity; a difference to pay waits for the customer."""
        grown = pieces - line.quantity
        if grown > 0:
            self.allocate(line, grown)
            line.quantity, order.updated_at = pieces, self.shop.coarse()
        elif grown < 0:
            # Seen on the real one: fewer pieces do not move the order's updatedAt.
            self._taken_off(line, -grown)
        self._line_told(order, line, "updated" if grown > 0 else "cancelled")
        before = order.state
        self._moved(order, "Modifying")
        due = self.totals(order)[1] - sum(one.room for one in order.payments)
        self._moved(order, "ArrangingAdditionalPayment" if due > 0 else before)

    def found(self, ident: Plain) -> Order:
        """The order; a fault in the platform's words when there is none."""
        known = self.kept.get(int(ident)) if str(ident).isdigit() else None
        if known is None:
            raise _unknown("Order", ident)
        return known

    # stock, as the default strategies move it

    def allocate(self, line: Line, pieces: int) -> None:
        """Allocate where there is some, the rest at the first place: nothing stops a paid order."""
        variant = self.shop.variants[line.variant]
        if variant.track == "FALSE":
            return
        places = list(variant.levels)
        for number, place in enumerate([*places, places[0]]):
            level = variant.levels[place]
            taken = pieces if number == len(places) else min(pieces, max(0, level.on_hand - level.allocated))
            if taken:
                self.shop.moved(variant, place, "Allocation", "ALLOCATION", taken, allocated=taken)
                line.allocated[place] = line.allocated.get(place, 0) + taken
            pieces -= taken

    def _sold(self, line: Line, pieces: int) -> None:
        line.fulfilled += pieces
        for place, taken in _drawn(line, pieces):
            variant = self.shop.variants[line.variant]
            self.shop.moved(variant, place, "Sale", "SALE", -taken, on_hand=-taken, allocated=-taken)

    def _taken_off(self, line: Line, pieces: int) -> None:
        back = min(pieces, line.fulfilled - line.given_back)
        released = min(pieces, sum(line.allocated.values()))
        if back > 0:
            self._back(line, back)
        if released > 0:
            self._release(line, released)
        line.quantity -= pieces

    def _release(self, line: Line, pieces: int) -> None:
        for place, taken in _drawn(line, pieces):
            self.shop.moved(self.shop.variants[line.variant], place, "Release", "RELEASE", taken, allocated=-taken)

    def _back(self, line: Line, pieces: int) -> None:
        line.given_back += pieces
        variant = self.shop.variants[line.variant]
        if variant.track != "FALSE":
            place = next(iter(variant.levels))
            self.shop.moved(variant, place, "Cancellation", "CANCELLATION", pieces, on_hand=pieces)

    # states and events

    def _standing(self, order: Order) -> str:
        """The state that follows from what has left."""
        wanted = sum(line.quantity for line in order.lines)
        delivered = sum(n for one in order.fulfillments if one.state == "Delivered" for _, n in one.lines)
        left = sum(n for one in order.fulfillments if one.state in LEFT for _, n in one.lines)
        if delivered:
            return "Delivered" if delivered >= wanted else "PartiallyDelivered"
        if left:
            return "Shipped" if left >= wanted else "PartiallyShipped"
        return "PaymentSettled"

    def _moved(self, order: Order, state: str, event: str = "") -> None:
        """A state transition: the order's updatedAt does not move."""
        before, order.state = order.state, state
        for name in (event, "OrderStateTransitionEvent"):
            if name:
                self._told(order, name, {"fromState": before, "toState": state})

    def _fulfillment_moved(self, order: Order, one: Fulfillment, state: str) -> None:
        before, one.state, one.at = one.state, state, self.shop.coarse()
        told = {"fromState": before, "toState": state, "fulfillment": {"id": one.id, "state": state, "method": one.method}}
        self.shop.tell("FulfillmentStateTransitionEvent", {**told, "orders": [str(order.id)]})

    def _payment_told(self, order: Order, payment: Payment, before: str) -> None:
        told = {"id": payment.id, "state": payment.state, "amount": payment.amount, "method": "dummy"}
        self._told(order, "PaymentStateTransitionEvent", {"fromState": before, "toState": payment.state, "payment": told})

    def _line_told(self, order: Order, line: Line, kind: str) -> None:
        told = {"id": line.id, "productVariantId": line.variant, "quantity": line.quantity}
        self._told(order, "OrderLineEvent", {"orderLine": told, "type": kind})

    def _told(self, order: Order, name: str, said: dict[str, Plain]) -> None:
        """What the plugin posts of a placed order; of a cart it posts nothing."""
        if order.placed_at is not None:
            shown = {"id": order.id, "code": order.code, "state": order.state, "total": self.totals(order)[0]}
            self.shop.tell(name, {**said, "order": shown, "orders": [str(order.id)]})

    def _line(self, ident: int) -> tuple[Order, Line]:
        for order in self.kept.values():
            for line in order.lines:
                if line.id == ident:
                    return order, line
        raise _unknown("OrderLine", ident)

    def _payment(self, ident: int) -> tuple[Order, Payment]:
        for order in self.kept.values():
            for payment in order.payments:
                if payment.id == ident:
                    return order, payment
        raise _unknown("Payment", ident)

    def _fulfillment(self, ident: int) -> tuple[Order, Fulfillment]:
        for order in self.kept.values():
            for one in order.fulfillments:
                if one.id == ident:
                    return order, one
        raise _unknown("Fulfillment", ident)


def next_of(one: Fulfillment) -> tuple[str, ...]:
    """The states that a fulfilment may go to."""
    ways = {"Pending": ("Shipped", "Delivered", "Cancelled"), "Shipped": ("Delivered", "Cancelled"), "Delivered": ("Cancelled",)}
    return ways.get(one.state, ())


def _fulfilled(order: Order, line: Line) -> int:
    parts: Iterable[tuple[int, int]] = (part for one in order.fulfillments if one.state != "Cancelled" for part in one.lines)
    return sum(pieces for ident, pieces in parts if ident == line.id)


def _drawn(line: Line, pieces: int) -> list[tuple[str, int]]:
    """Pieces taken out of the line's allocations, place by place."""
    drawn = []
    for place, held in list(line.allocated.items()):
        taken = min(held, pieces)
        if taken:
            line.allocated[place] -= taken
            pieces -= taken
            drawn.append((place, taken))
    return drawn


@lru_cache(maxsize=AMOUNTS_MAX)
def _two(entered: int, percent: int, included: bool) -> tuple[int, int]:
    factor = 1 + Decimal(percent) / 100
    other = entered / factor if included else entered * factor
    rounded = int(Decimal(other).quantize(Decimal(1), ROUND_HALF_UP))
    return (rounded, entered) if included else (entered, rounded)


def _unknown(kind: str, ident: Plain) -> ResolverFault:
    return ResolverFault(f'No {kind} with the id "{ident}" could be found', "ENTITY_NOT_FOUND")
