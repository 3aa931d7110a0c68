"""The small shop's orders: what they keep, by which rules they move, and what that does to the stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.shopify.gids import gid
from connectors.shopify.sandbox_shop import Shop, zulu

CENT: Final = Decimal("0.01")


class OrderFault(Exception):
    """The shop's own rule says no."""


@dataclass(slots=True)
class Line:
    """A line: `quantity` counts all pieces that ever were in it, `removed` and `refunded` those that are not any more."""

    id: int
    variant: int | None
    sku: str
    title: str
    quantity: int
    price: Decimal
    discount: Decimal = Decimal(0)
    removed: int = 0
    refunded: int = 0
    gift_card: bool = False

    @property
    def current(self) -> int:
        """The pieces that are still in the order."""
        return self.quantity - self.removed - self.refunded

    @property
    def unit(self) -> Decimal:
        """What a piece costs after discounts."""
        return self.price - self.discount / self.quantity


@dataclass(slots=True)
class Task:
    """A fulfilment order: what one location is to send. `parts` are [id, line, total, remaining]."""

    id: int
    location: int
    method: str
    parts: list[list[int]]
    status: str = "OPEN"
    prepared: bool = False


@dataclass(slots=True)
class Parcel:
    """A fulfilment; `parts` are (id, line, pieces)."""

    id: int
    location: int
    parts: list[tuple[int, int, int]]
    company: str | None
    number: str | None
    at: int
    status: str = "SUCCESS"
    shown: str = "FULFILLED"
    delivered_at: int | None = None


@dataclass(slots=True)
class Payment:
    """A transaction."""

    id: int
    kind: str
    gateway: str
    amount: Decimal
    at: int
    parent: int | None = None
    status: str = "SUCCESS"


@dataclass(slots=True)
class Refund:
    """A refund; `parts` are (line, pieces, restock type, location, subtotal), `shipping` an amount."""

    id: int
    note: str
    at: int
    parts: list[tuple[int, int, str, int | None, Decimal]]
    shipping: Decimal = Decimal(0)
    payments: list[int] = field(default_factory=list)
    of_return: int | None = None


@dataclass(slots=True)
class Return:
    """A return; `parts` are (id, line, pieces, disposition, location)."""

    id: int
    at: int
    parts: list[tuple[int, int, int, str, int | None]]
    status: str = "OPEN"


@dataclass(slots=True)
class Order:
    """An order. Amounts are in the shop's currency; the customer may have paid in another one at `rate`."""

    id: int
    name: str
    placed_at: int
    updated_at: int
    currency: str
    presentment: str
    rate: Decimal
    taxes_included: bool
    person: Mapping[str, str]
    source: str = "web"
    source_id: str = ""
    retail: int | None = None
    before_at: int = 0
    cancelled_at: int | None = None
    staff_note: str = ""
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    shipping: Decimal = Decimal(0)
    shipping_id: int = 0
    tasks: list[Task] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)

    def line(self, ident: int) -> Line:
        """The line of this id; OrderFault when it is none of this order's."""
        for one in self.lines:
            if one.id == ident:
                return one
        raise OrderFault("Line item does not exist")

    def left(self, line: int) -> int:
        """The pieces of a line that left."""
        return sum(pieces for one in self.parcels if one.status == "SUCCESS" for _, part, pieces in one.parts if part == line)

    def taken(self) -> Decimal:
        """Money that was taken and not given back."""
        plus = sum(
            (one.amount for one in self.payments if one.kind in ("SALE", "CAPTURE") and one.status == "SUCCESS"), Decimal(0)
        )
        return plus - sum((one.amount for one in self.payments if one.kind == "REFUND" and one.status == "SUCCESS"), Decimal(0))


class Orders:
    """The rules of orders in one shop."""

    def __init__(self, shop: Shop, tax_percent: Decimal) -> None:
        self.shop = shop
        self.tax_percent = tax_percent

    @property
    def kept(self) -> dict[int, Order]:
        """Every order."""
        return self.shop.state.orders

    def found(self, ident: str | int) -> Order:
        """The order of this id; KeyError when there is none."""
        return self.kept[int(ident)]

    def new(self, person: Mapping[str, str], presentment: str = "", rate: Decimal = Decimal(1)) -> Order:
        """An order that is being placed."""
        state, now = self.shop.state, self.shop.now()
        ident = self.shop.next_id("Order")
        name = f"#{1000 + len(self.kept) + 1}"
        made = Order(ident, name, now, now, state.currency, presentment or state.currency, rate, state.taxes_included, person)
        made.shipping_id = self.shop.next_id("ShippingLine")
        self.kept[ident] = made
        return made

    def add_line(self, order: Order, variant: int | None, sku: str, title: str, pieces: int, price: Decimal) -> Line:
        """A line of the order."""
        line = Line(self.shop.next_id("LineItem"), variant, sku, title, pieces, price)
        order.lines.append(line)
        return line

    def commit(self, order: Order, location: int, method: str, pieces: Mapping[int, int]) -> Task:
        """These pieces are to be sent from this location: they are committed there and no longer available."""
        parts = [[self.shop.next_id("FulfillmentOrderLineItem"), line, count, count] for line, count in pieces.items()]
        task = Task(self.shop.next_id("FulfillmentOrder"), location, method, parts)
        order.tasks.append(task)
        for line, count in pieces.items():
            self._move(order.line(line), location, available=-count, committed=count)
        return task

    def _move(self, line: Line, location: int, *, available: int = 0, committed: int = 0) -> None:
        if line.variant is not None and self.shop.state.variants[line.variant].tracked:
            self.shop.moved(line.variant, location, available=available, committed=committed)

    def touch(self, order: Order, topic: str = "orders/updated") -> None:
        """The order changed: its time moves, and that is told."""
        order.before_at, order.updated_at = order.updated_at, self.shop.now()
        if self.shop.deaf:
            return
        said = {"id": order.id, "admin_graphql_api_id": gid("Order", str(order.id)), "updated_at": zulu(order.updated_at)}
        self.shop.tell(topic, said)

    # money

    def total(self, order: Order) -> Decimal:
        """What the order costs now, shipping and tax included."""
        amount = sum((line.unit * line.current for line in order.lines), Decimal(0)) + self.shipping_now(order)
        if not order.taxes_included:
            amount += self.tax_in(order, amount)
        return amount.quantize(CENT, rounding=ROUND_HALF_UP)

    def shipping_now(self, order: Order) -> Decimal:
        """The shipping without what was given back of it."""
        given_up = order.shipping if order.cancelled_at is not None else Decimal(0)
        return max(Decimal(0), order.shipping - given_up - sum((one.shipping for one in order.refunds), Decimal(0)))

    def tax_in(self, order: Order, amount: Decimal) -> Decimal:
        """The tax in an amount (or on it)."""
        over = Decimal(100) + self.tax_percent if order.taxes_included else Decimal(100)
        return (amount * self.tax_percent / over).quantize(CENT, rounding=ROUND_HALF_UP)

    def pay(self, order: Order, kind: str, gateway: str = "made_payments") -> None:
        """The customer pays, or the shop takes what was authorised."""
        due = self.total(order) - order.taken()
        held = next((one for one in order.payments if one.kind == "AUTHORIZATION"), None)
        kind, parent = ("CAPTURE", held.id) if held and kind == "SALE" else (kind, None)
        order.payments.append(Payment(self.shop.next_id("OrderTransaction"), kind, gateway, due, self.shop.now(), parent))
        self.touch(order)

    def financial(self, order: Order) -> str:
        """The money's state, as the shop words it."""
        taken, refunded = order.taken(), any(one.kind == "REFUND" for one in order.payments)
        if refunded:
            return "REFUNDED" if taken <= 0 else "PARTIALLY_REFUNDED"
        if any(one.kind == "VOID" for one in order.payments):
            return "VOIDED"
        if taken >= self.total(order):
            return "PAID"
        if taken > 0:
            return "PARTIALLY_PAID"
        return "AUTHORIZED" if any(one.kind == "AUTHORIZATION" for one in order.payments) else "PENDING"

    def goods(self, order: Order) -> str:
        """The goods' state, as the shop words it."""
        waiting = [
            task for task in order.tasks if task.status in ("OPEN", "IN_PROGRESS", "ON_HOLD") and any(p[3] for p in task.parts)
        ]
        left = any(one.status == "SUCCESS" for one in order.parcels)
        if not waiting:
            return "FULFILLED" if left else "UNFULFILLED"
        if left:
            return "PARTIALLY_FULFILLED"
        return "ON_HOLD" if all(task.status == "ON_HOLD" for task in waiting) else "UNFULFILLED"

    # goods

    def fulfil(self, order: Order, chosen: Sequence[tuple[Task, int, int]], company: str | None, number: str | None) -> Parcel:
        """These pieces (task, part, pieces) leave, all from one location."""
        places = {task.location for task, _, _ in chosen}
        if len(places) != 1 or not chosen:
            raise OrderFault("All fulfillment orders must be assigned to the same location.")
        place, parts = places.pop(), []
        for task, ident, pieces in chosen:
            if task.status not in ("OPEN", "IN_PROGRESS"):
                raise OrderFault(f"Fulfillment order {task.id} has an unfulfillable status= {task.status.lower()}.")
            part = next((one for one in task.parts if one[0] == ident), None)
            if part is None or not 0 < pieces <= part[3]:
                raise OrderFault("Invalid fulfillment order line item quantity requested.")
        for task, ident, pieces in chosen:
            part = next(one for one in task.parts if one[0] == ident)
            part[3] -= pieces
            parts.append((self.shop.next_id("FulfillmentLineItem"), part[1], pieces))
            self._move(order.line(part[1]), place, committed=-pieces)
            if not any(one[3] for one in task.parts):
                task.status = "CLOSED"
        parcel = Parcel(self.shop.next_id("Fulfillment"), place, parts, company, number, self.shop.now())
        order.parcels.append(parcel)
        if not self.shop.deaf:
            told = {"id": parcel.id, "order_id": order.id, "updated_at": zulu(self.shop.now())}
            self.shop.tell("fulfillments/create", told)
        self.touch(order)
        return parcel

    def move_task(self, order: Order, task: Task, location: int, chosen: Mapping[int, int]) -> Task:
        """Another location is to send these pieces (by part); they are committed there instead."""
        moved: dict[int, int] = {}
        for ident, pieces in chosen.items():
            part = next((one for one in task.parts if one[0] == ident), None)
            if part is None or not 0 < pieces <= part[3]:
                raise OrderFault("The fulfillment order line items are not valid.")
            line = order.line(part[1])
            if line.variant is not None and (line.variant, location) not in self.shop.state.levels:
                raise OrderFault("The destination location does not stock the requested inventory item.")
            part[2] -= pieces
            part[3] -= pieces
            moved[part[1]] = moved.get(part[1], 0) + pieces
            self._move(line, task.location, available=pieces, committed=-pieces)
        if not any(one[3] for one in task.parts):
            task.status = "CLOSED"
        made = self.commit(order, location, task.method, moved)
        self.touch(order)
        return made

    def take_off(self, order: Order, line: Line, pieces: int, *, restock: bool) -> None:
        """Pieces that did not leave are no longer to be sent."""
        for task in order.tasks:
            for part in task.parts:
                count = min(pieces, part[3]) if part[1] == line.id else 0
                part[2] -= count
                part[3] -= count
                pieces -= count
                if count:
                    self._move(line, task.location, available=count if restock else 0, committed=-count)
            if task.status in ("OPEN", "IN_PROGRESS", "ON_HOLD") and not any(one[3] for one in task.parts):
                task.status = "CLOSED"

    def cancel(self, order: Order, note: str, *, restock: bool, refund: bool) -> None:
        """The whole order is called off: what did not leave is given up, and held money let go."""
        if order.cancelled_at is not None:
            raise OrderFault("Cannot cancel an order that has already been canceled")
        if any(one.status == "SUCCESS" for one in order.parcels):
            raise OrderFault("Cannot cancel an order with fulfillments that can't be canceled")
        for line in order.lines:
            self.take_off(order, line, line.current, restock=restock)
            line.removed += line.current
        if any(one.kind == "AUTHORIZATION" for one in order.payments) and order.taken() == 0:
            held = next(one for one in order.payments if one.kind == "AUTHORIZATION")
            made = Payment(self.shop.next_id("OrderTransaction"), "VOID", held.gateway, held.amount, self.shop.now(), held.id)
            order.payments.append(made)
        order.cancelled_at, order.staff_note = self.shop.now(), note
        if refund and order.taken() > 0:
            self.refund(order, [(one, one.amount) for one in order.payments if one.kind in ("SALE", "CAPTURE")], [], "")
        self.touch(order, "orders/cancelled")

    def refund(
        self,
        order: Order,
        money: Sequence[tuple[Payment, Decimal]],
        parts: Sequence[tuple[int, int, str, int | None]],
        note: str,
        shipping: Decimal = Decimal(0),
    ) -> Refund:
        """Money goes back, pieces (line, pieces, restock type, location) go off the order."""
        for paid, amount in money:
            gone = sum((one.amount for one in order.payments if one.kind == "REFUND" and one.parent == paid.id), Decimal(0))
            if paid.kind not in ("SALE", "CAPTURE") or amount <= 0 or amount > paid.amount - gone:
                raise OrderFault("Refund amount is greater than the amount that can be refunded")
        for ident, pieces, kind, location in parts:
            if not 0 < pieces <= order.line(ident).current:
                raise OrderFault("Quantity cannot refund more items than were purchased")
            if kind in ("RETURN", "CANCEL") and location is None:
                raise OrderFault("Refund line items restock location is required")
        made = Refund(self.shop.next_id("Refund"), note, self.shop.now(), [], shipping)
        for ident, pieces, kind, location in parts:
            line = order.line(ident)
            unsent = line.current - max(0, order.left(ident) - line.refunded)
            made.parts.append((ident, pieces, kind, location, (line.unit * pieces).quantize(CENT, rounding=ROUND_HALF_UP)))
            if kind == "RETURN" and location is not None:
                self._move(line, location, available=pieces)
            elif unsent:
                self.take_off(order, line, min(pieces, unsent), restock=kind == "CANCEL")
            line.refunded += pieces
        for paid, amount in money:
            ident = self.shop.next_id("OrderTransaction")
            order.payments.append(Payment(ident, "REFUND", paid.gateway, amount, self.shop.now(), paid.id))
            made.payments.append(ident)
        order.refunds.append(made)
        if not self.shop.deaf:
            self.shop.tell("refunds/create", {"id": made.id, "order_id": order.id})
        self.touch(order)
        return made
