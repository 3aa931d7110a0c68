"""The small shop's orders: sums with tax, which state takes stock and which gives it back, and refunds of every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.woocommerce.sandbox_catalogue import Catalogue, Product
from connectors.woocommerce.sandbox_rest import RestError, Row, whole
from hub.sdk.api import Plain

TAKES: Final = frozenset({"processing", "completed", "on-hold"})
GIVES_BACK: Final = frozenset({"cancelled", "pending"})
STATES: Final = (
    "auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft",
)  # fmt: skip
PLACES: Final = Decimal("0.01")
KEPT: Final = Decimal("0.000001")
"""Decimals in which the shop keeps net amounts before it shows two."""
REFUND_REFUSED: Final = "woocommerce_rest_cannot_create_order_refund"


@dataclass(slots=True)
class Line:
    """A row of an order: a product, shipping or a fee. `net` and `tax` are of the whole row; `meta` are its own fields."""

    id: int
    name: str
    net: Decimal
    tax: Decimal
    quantity: int = 1
    product: int = 0
    variation: int = 0
    sku: str | None = None
    method: str = ""
    instance: str = ""
    subtotal: Decimal = Decimal(0)
    meta: dict[str, str] = field(default_factory=dict)
    options: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Refund:
    """Money given back, pieces given back, or both; rows are negative."""

    id: int
    created: int
    amount: Decimal
    reason: str
    paid: bool
    lines: list[Line]
    shipping: list[Line]
    fees: list[Line]
    tax_line: int


@dataclass(slots=True)
class Order:
    """An order as the shop keeps it; times are seconds UTC."""

    id: int
    created: int
    modified: int
    status: str = "pending"
    number: str = ""
    completed: int | None = None
    paid: int | None = None
    method: str = ""
    method_title: str = ""
    created_via: str = "rest-api"
    customer: int = 0
    billing: dict[str, str] = field(default_factory=dict)
    shipping_to: dict[str, str] = field(default_factory=dict)
    customer_note: str = ""
    lines: list[Line] = field(default_factory=list)
    shipping: list[Line] = field(default_factory=list)
    fees: list[Line] = field(default_factory=list)
    tax_line: int = 0
    refunds: list[Refund] = field(default_factory=list)
    meta: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    took: bool = False

    def total(self) -> Decimal:
        """What the customer pays, before refunds."""
        rows = [*self.lines, *self.shipping, *self.fees]
        return sum((shown(row.net) + row.tax for row in rows), Decimal(0))

    def refunded(self) -> Decimal:
        """What was given back."""
        return sum((one.amount for one in self.refunds), Decimal(0))


class Orders:
    """Orders by id. `gateways` names payment methods that can pay money back."""

    def __init__(
        self, shop: Catalogue, tax_percent: int, tax_included: bool, gateways: frozenset[str], tell: Callable[[str, int], None]
    ) -> None:
        self.kept: dict[int, Order] = {}
        self.shop = shop
        self.tax_percent = tax_percent
        self.tax_included = tax_included
        self.gateways = gateways
        self._tell = tell
        self._rows = 0
        self._notes = 0

    def next_row(self) -> int:
        """A fresh id: rows of all orders and refunds share one row of numbers."""
        self._rows += 1
        return self._rows

    def saved(self, order: Order, event: str = "updated") -> None:
        """What saving does."""
        order.modified = self.shop.now()
        self._tell(f"order.{event}", order.id)
        if event == "created":
            self._tell("order.updated", order.id)

    # making

    def create(self) -> Order:
        """A new order without rows, not yet saved."""
        ident, now = self.shop.next_post(), self.shop.now()
        order = self.kept[ident] = Order(ident, now, now, number=str(ident))
        return order

    def add_line(self, order: Order, product: Product | None, quantity: int) -> Line:
        """A row for so many pieces of a product; of none an empty row, as the shop makes it for an id that it does not know."""
        if product is None:
            line = Line(self.next_row(), "", Decimal(0), Decimal(0), quantity)
        else:
            above = self.shop.products.get(product.parent)
            options = [{"key": str(row["name"]).lower(), "value": row["option"]} for row in product.attributes] if above else []
            name = f"{above.name} - {', '.join(str(row['option']) for row in product.attributes)}" if above else product.name
            net, tax = self._priced(Decimal(product.price or 0) * quantity)
            own = (above.id, product.id) if above else (product.id, 0)
            line = Line(self.next_row(), name, net, tax, quantity, *own, product.sku, subtotal=net, options=options)
        order.lines.append(line)
        return line

    def _priced(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        """Net amount and tax of an amount as prices are entered."""
        rate = 1 + Decimal(self.tax_percent) / 100
        if self.tax_included:
            net = (amount / rate).quantize(KEPT, ROUND_HALF_UP)
            return net, amount - shown(net)
        return amount, self.tax_on(amount)

    def tax_on(self, net: Decimal) -> Decimal:
        """The tax on a net amount."""
        return shown(net * self.tax_percent / 100)

    def add_charge(self, order: Order, kind: str, title: str, net: Decimal, method: str = "", instance: str = "") -> None:
        """A row for shipping or a fee, its amount net."""
        row = Line(self.next_row(), title, net, self.tax_on(net), method=method, instance=instance, subtotal=net)
        (order.shipping if kind == "shipping" else order.fees).append(row)

    def note(self, order: Order, text: str, to_customer: bool = False, author: str = "WooCommerce") -> Row:
        """A note of the order; no hook hears of it and no date moves."""
        self._notes += 1
        made = {"id": self._notes, "author": author, "at": self.shop.now(), "note": text, "customer_note": to_customer}
        order.notes.append(made)
        return made

    # moving

    def move(self, order: Order, status: str) -> None:
        """The order's new state, with what it does to stock and dates; not yet saved."""
        before, order.status, now = order.status, status, self.shop.now()
        if status == before:
            return
        if order.paid is None and status in ("processing", "completed") and (order.method != "cod" or status == "completed"):
            order.paid = now
        if status == "completed":
            order.completed = now
        if status in TAKES and not order.took:
            order.took = True
            for line in order.lines:
                self._take(line, line.quantity)
                self._sold(line, line.quantity)
        elif status in GIVES_BACK and order.took:
            order.took = False
            for line in order.lines:
                self._take(line, -int(line.meta.pop("_reduced_stock", "0")))
                self._sold(line, -line.quantity)
        self.note(order, f"Order status changed from {before} to {status}.")
        if status == "refunded" and order.total() > order.refunded():
            rest, ident = order.total() - order.refunded(), self.shop.next_post()
            order.refunds.append(Refund(ident, now, rest, "Order fully refunded.", False, [], [], [], self.next_row()))

    def _take(self, line: Line, pieces: int) -> None:
        product = self.shop.products.get(line.variation or line.product)
        if pieces and product is not None and self.shop.move(product, -pieces) and pieces > 0:
            line.meta["_reduced_stock"] = str(int(line.meta.get("_reduced_stock", "0")) + pieces)

    def _sold(self, line: Line, pieces: int) -> None:
        """The product's own count of sales; a variation's is its product's."""
        if line.product in self.shop.products:
            self.shop.products[line.product].sold += pieces

    def edit(self, order: Order, line: Line, quantity: int) -> None:
        """Another quantity: the stock follows where it was taken, the price of the row stays as it is."""
        line.quantity = quantity
        if order.took:
            kept = quantity - int(line.meta.get("_restock_refunded_items", "0"))
            self._take(line, kept - int(line.meta.get("_reduced_stock", "0")))

    def refund(
        self, order: Order, amount: Decimal, reason: str, rows: Sequence[Mapping[str, Plain]], *, pays: bool, restock: bool
    ) -> Refund:
        """Give money or pieces back; a refund of all that is left ends the order as refunded."""
        left = order.total() - order.refunded()
        if amount < 0 or amount > left:
            raise refund_refused("Invalid refund amount.")
        if pays and order.method not in self.gateways:
            known = "does not support automatic refunds" if order.method else "does not exist"
            raise refund_refused(f"The payment gateway for this order {known}.")
        ident = self.shop.next_post()
        refund = Refund(ident, self.shop.now(), amount, reason, pays, [], [], [], 0)
        for source, into in ((order.lines, refund.lines), (order.shipping, refund.shipping), (order.fees, refund.fees)):
            for line in source:
                row = next((one for one in rows if str(one.get("id")) == str(line.id)), None)
                if row is not None:
                    self._refund_row(line, row, into, restock)
        refund.tax_line = self.next_row()
        order.refunds.append(refund)
        if left - amount <= 0:
            self.move(order, "refunded")
        self.saved(order)
        return refund

    def _refund_row(self, line: Line, row: Mapping[str, Plain], into: list[Line], restock: bool) -> None:
        if "refund_total" not in row:
            raise RestError("internal_server_error", "There has been a critical error on this website.", 500)
        count, net = whole(row.get("quantity", 0)) or 0, Decimal(str(row["refund_total"]))
        tax = sum((Decimal(str(one["refund_total"])) for one in row.get("refund_tax") or []), Decimal(0))
        if not count and not net and not tax:
            return
        made = Line(self.next_row(), line.name, -net, -tax, -count, line.product, line.variation, line.sku, line.method)
        made.meta["_refunded_item_id"] = str(line.id)
        made.subtotal = -net
        into.append(made)
        taken = int(line.meta.get("_reduced_stock", "0"))
        product = self.shop.products.get(line.variation or line.product)
        if restock and count and taken and product is not None and self.shop.move(product, count):
            line.meta["_reduced_stock"] = str(taken - count)
            line.meta["_restock_refunded_items"] = str(int(line.meta.get("_restock_refunded_items", "0")) + count)


def refund_refused(words: str) -> RestError:
    """A refund's no: a 500 whose `data` is the bare number."""
    return RestError(REFUND_REFUSED, words, 500, 500)


def shown(amount: Decimal) -> Decimal:
    """An amount in the decimals that the shop shows."""
    return amount.quantize(PLACES, ROUND_HALF_UP)
