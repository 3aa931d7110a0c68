"""The hands of the people of the small shop: those who buy, and those who work in its admin."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.woocommerce.order_records import PARCEL, parcels_of
from connectors.woocommerce.sandbox_catalogue import Catalogue, Product
from connectors.woocommerce.sandbox_order_api import OrderApi, money
from connectors.woocommerce.sandbox_orders import Line, Order, Orders
from connectors.woocommerce.sandbox_product_api import ProductApi
from hub.sdk.api import MADE_PERSON, Basket, Plain, exact_minor, rows_of

VARIATIONS_PER_PRODUCT: Final = 2
STATES: Final = {"publish": "active", "trash": "gone"}
SHIPPING_GATEWAY: Final = "made_gateway"
"""A payment method of the sandbox that can pay money back."""


class People:
    """Customers and clerks; amounts are Decimals, pieces whole."""

    catalogue: Catalogue
    orders: Orders
    products: ProductApi
    order_api: OrderApi
    currency: str
    mixed: bool
    _filling: int = 0

    # in the catalogue

    def add_item(
        self,
        sku: str,
        title: str,
        *,
        price: Decimal,
        barcode: str = "",
        text: str = "",
        picture: str = "",
        link: str = "",
        category: str = "",
    ) -> str:
        """A product with managed stock, none there; every third one and the next are variations of one variable product."""
        shop = self.catalogue
        number = len(shop.by_sku)
        if self.mixed and number % 4 in (1, 2):
            parent = shop.products.get(self._filling)
            if parent is None or number % 4 == 1:
                parent = shop.add("variable")
                parent.name, parent.category = f"Range {parent.id}", category
                self._filling = parent.id
                shop.saved(parent, "created")
            product = shop.add("variation", parent.id)
            product.attributes = [{"name": "Kind", "option": title}]
            known = [str(row) for one in parent.attributes for row in one["options"]]
            parent.attributes = [{"name": "Kind", "visible": True, "variation": True, "options": [*known, title]}]
        else:
            product = shop.add("simple")
            product.name, product.category = title, category
        product.gtin, product.description, product.picture = barcode, text, picture
        product.regular, product.manages, product.quantity = f"{price:.2f}", True, 0
        shop.set_sku(product, sku)
        shop.saved(product, "created")
        return str(product.id)

    def add_range(self, title: str, options: Mapping[str, str], *, price: Decimal) -> list[str]:
        """A variable product with one variation for each SKU (and its option), stock managed, none there; their listings."""
        shop = self.catalogue
        parent = shop.add("variable")
        parent.name = title
        parent.attributes = [{"name": "Kind", "visible": True, "variation": True, "options": list(options.values())}]
        shop.saved(parent, "created")
        made = []
        for sku, option in options.items():
            child = shop.add("variation", parent.id)
            child.attributes = [{"name": "Kind", "option": option}]
            child.regular, child.manages, child.quantity = f"{price:.2f}", True, 0
            shop.set_sku(child, sku)
            shop.saved(child, "created")
            made.append(str(child.id))
        return made

    def count(self, sku: str, pieces: int, place: str = "") -> None:
        """A person types the quantity into the product's page."""
        keeper = self.catalogue.keeper(self._product(sku))
        if keeper is None:
            raise KeyError(f"{sku} does not manage its stock")
        keeper.quantity = pieces
        self.catalogue.saved(keeper)

    def count_in_database(self, sku: str, pieces: int) -> None:
        """A plugin writes the quantity past WooCommerce: no date moves, no hook fires."""
        self._product(sku).quantity = pieces

    def set_price(self, sku: str, amount: Decimal) -> None:
        """A person types the regular price."""
        product = self._product(sku)
        product.regular = f"{amount:.2f}"
        self.catalogue.saved(product)

    def put_on_sale(self, sku: str, amount: Decimal, begins: int | None = None, ends: int | None = None) -> None:
        """A person gives it a sale price, from and to these times (microseconds)."""
        product = self._product(sku)
        product.sale = f"{amount:.2f}"
        product.sale_from, product.sale_to = (None if at is None else at // 1_000_000 for at in (begins, ends))
        self.catalogue.saved(product)

    def cron(self) -> None:
        """wp-cron runs: sales that are due begin and end."""
        self.catalogue.cron()

    def manage_stock(self, sku: str, manages: bool) -> None:
        """A person switches stock management of one product or variation on or off."""
        product = self._product(sku)
        product.manages, product.quantity = manages, 0 if manages else None
        self.catalogue.saved(product)

    def keep_stock_in_parent(self, sku: str, pieces: int) -> str:
        """A person lets a variable product keep the stock of the variation with this SKU; gives the product's id."""
        product = self._product(sku)
        parent = self.catalogue.products[product.parent]
        parent.manages, parent.quantity = True, pieces
        product.manages, product.quantity = False, None
        self.catalogue.saved(parent)
        return str(parent.id)

    def publish(self, sku: str, published: bool) -> None:
        """A person publishes a product or turns it back into a draft (of a variation: its product)."""
        product = self._product(sku)
        product = self.catalogue.products.get(product.parent, product)
        product.status = "publish" if published else "draft"
        self.catalogue.saved(product)

    def withdraw(self, sku: str) -> None:
        """A person takes it off the shop: a product becomes a draft again, a variation is not enabled any more."""
        product = self._product(sku)
        product.status = "private" if product.parent else "draft"
        self.catalogue.saved(product)

    def sell_again(self, sku: str) -> None:
        """A person publishes it again, out of the trash as well; a variation is enabled again."""
        product = self._product(sku)
        product.status = "publish"
        self.catalogue.saved(product)

    def trash_item(self, sku: str) -> None:
        """Into the trash; for a variation there is none, it is deleted for good."""
        product = self._product(sku)
        if product.parent:
            self.catalogue.forget(product)
        else:
            self.catalogue.trash(product)

    def remove_item(self, sku: str) -> None:
        """Deleted for good: nobody is told."""
        self.catalogue.forget(self._product(sku))

    def sell(self, sku: str, pieces: int, place: str = "") -> int:
        """What a paid order does to the stock, without the order: at most what is there, says how many."""
        keeper = self.catalogue.keeper(self._product(sku))
        sold = pieces if keeper is None else min(pieces, max(0, keeper.quantity or 0))
        if keeper is not None and sold:
            keeper.quantity = (keeper.quantity or 0) - sold
            self.catalogue.saved(keeper)
        return sold

    def take_back(self, sku: str, pieces: int, place: str = "") -> None:
        """Pieces come back on the shelf."""
        self.catalogue.move(self._product(sku), pieces)

    def shown(self) -> dict[str, dict[str, Any]]:
        """By SKU what a customer sees; stock only where it is managed."""
        truth: dict[str, dict[str, Any]] = {}
        for one in self.catalogue.products.values():
            if not one.sku:
                continue
            keeper, above = self.catalogue.keeper(one), self.catalogue.products.get(one.parent)
            status = above.status if above is not None and one.status == "publish" else one.status
            truth[one.sku] = {
                "stock": {} if keeper is None else {"": keeper.quantity or 0},
                "price": Decimal(one.price) if one.price else None,
                "currency": self.currency,
                "state": STATES.get(status, "inactive"),
                "title": self.products.title(one),
            }
        return truth

    # in orders

    def order(
        self,
        lines: Basket,
        *,
        paid: bool = True,
        place: str = "",
        customer: Mapping[str, str] | None = None,
        shipping: Decimal = Decimal(0),
        method: str = SHIPPING_GATEWAY,
        pickup: str = "",
        fee: Decimal = Decimal(0),
    ) -> str:
        """A customer buys; unpaid orders wait as pending. The shop refuses what is not there (ValueError) and keeps no cart.

        `shipping` and `fee` are what the customer pays, tax included; `pickup` is a way of shipping such as local_pickup:3.
        """
        wanted = [(self._product(sku), pieces) for sku, pieces in rows_of(lines)]
        for product, pieces in wanted:
            keeper = self.catalogue.keeper(product)
            if keeper is not None and keeper.backorders == "no" and pieces > (keeper.quantity or 0) - self._held(keeper):
                raise ValueError(f"{product.sku} is not there")
        order = self.orders.create()
        order.created_via, order.method, order.method_title = "store-api", method, method
        buyer = MADE_PERSON if customer is None else dict(customer)
        first, _, last = buyer.get("name", "").partition(" ")
        address = {
            "first_name": first, "last_name": last, "address_1": buyer.get("street", ""), "city": buyer.get("city", ""),
            "postcode": buyer.get("postal_code", ""), "country": buyer.get("country", ""), "phone": buyer.get("phone", ""),
        }  # fmt: skip
        order.billing, order.shipping_to = {**address, "email": buyer.get("email", "")}, address
        for product, pieces in wanted:
            self.orders.add_line(order, product, pieces)
        way, _, instance = (pickup or "flat_rate:1").partition(":")
        if shipping or pickup:
            self._charge(order, "shipping", "Pickup" if pickup else "Flat rate", shipping, way, instance)
        if fee:
            self._charge(order, "fee", "Fee", fee)
        order.tax_line = self.orders.next_row()
        self.orders.saved(order, "created")
        if paid:
            self.pay(str(order.id))
        elif method == "cod":
            self.orders.move(order, "processing")
            self.orders.saved(order)
        return str(order.id)

    def _charge(self, order: Order, kind: str, title: str, amount: Decimal, way: str = "", instance: str = "") -> None:
        """A row whose amount with tax is what the customer pays."""
        net = (amount / (1 + Decimal(self.orders.tax_percent) / 100)).quantize(Decimal("0.01"))
        self.orders.add_charge(order, kind, title, net, way, instance)
        row = (order.shipping if kind == "shipping" else order.fees)[-1]
        row.tax = amount - net

    def _held(self, keeper: Product) -> int:
        """Pieces of orders that wait for their payment: kept aside from other customers, not yet out of the figure."""
        waiting = [line for order in self.orders.kept.values() if order.status == "pending" for line in order.lines]
        return sum(line.quantity for line in waiting if self._keeps(line) is keeper)

    def _keeps(self, line: Line) -> Product | None:
        product = self.catalogue.products.get(line.variation or line.product)
        return self.catalogue.keeper(product) if product is not None else None

    def pay(self, order: str) -> None:
        """The payment arrives."""
        self._to(order, "processing")

    def complete(self, order: str) -> None:
        """A clerk marks the order as completed."""
        self._to(order, "completed")

    def awaits(self, order: str, way: str) -> None:
        """The checkout was left before it was paid, or a transfer is awaited."""
        if way == "by transfer":
            self.put_on_hold(order)

    def kept_aside(self, sku: str) -> int:
        """What orders at the checkout keep from other customers; the figure contains it."""
        keeper = self.catalogue.keeper(self._product(sku))
        return 0 if keeper is None else self._held(keeper)

    def put_on_hold(self, order: str) -> None:
        """A bank transfer is awaited."""
        self._to(order, "on-hold")

    def cancel(self, order: str, lines: Mapping[str, int] | None = None) -> None:
        """A clerk cancels all of it, or some pieces (a refund without money that puts them back)."""
        if lines is None:
            self._to(order, "cancelled")
        else:
            self.refund(order, Decimal(0), lines, pays=False)

    def ship(self, order: str, parts: Mapping[str, int] | None = None, carrier: str = "", tracking: str = "") -> None:
        """A clerk sends it all off: a note with the parcel, and the order is completed. The shop knows no part parcels."""
        if parts is not None:
            raise KeyError("the shop knows no parcels of a part of an order")
        kept = self._order(order)
        if tracking or carrier:
            self.orders.note(kept, f"Shipped with {carrier} {tracking}".strip(), True, "clerk")
        self._to(order, "completed")

    def edit(self, order: str, sku: str, pieces: int) -> None:
        """A clerk changes a row's quantity."""
        kept = self._order(order)
        self.orders.edit(kept, self._line(kept, sku), pieces)
        self.orders.saved(kept)

    def refund(
        self,
        order: str,
        amount: Decimal,
        parts: Mapping[str, int] | None = None,
        shipping: Decimal = Decimal(0),
        *,
        restock: bool = True,
        pays: bool = True,
    ) -> str:
        """A clerk gives money back, for these pieces and this much of the shipping; gives the refund's id."""
        kept = self._order(order)
        rows: list[dict[str, Plain]] = []
        rest = amount - shipping
        for sku, pieces in (parts or {}).items():
            line = self._line(kept, sku)
            share = min(rest, (line.net + line.tax).quantize(Decimal("0.01")) * pieces / line.quantity).quantize(Decimal("0.01"))
            rest -= share
            rows.append(self._money_row(line, share, pieces))
        if shipping:
            rows.append(self._money_row(kept.shipping[0], shipping, 0))
        made = self.orders.refund(kept, amount, "clerk", rows, pays=pays and amount > 0, restock=restock)
        return str(made.id)

    def _money_row(self, line: Line, amount: Decimal, pieces: int) -> dict[str, Plain]:
        net = (amount / (1 + Decimal(self.orders.tax_percent) / 100)).quantize(Decimal("0.01"))
        taxes = [{"id": "1", "refund_total": str(amount - net)}]
        return {"id": line.id, "quantity": pieces, "refund_total": str(net), "refund_tax": taxes}

    def sent_back(self, order: str, parts: Mapping[str, int], amount: Decimal) -> None:
        """Pieces came back by post: a refund for them that puts them on stock again."""
        self.refund(order, amount, parts)

    def trash_order(self, order: str) -> None:
        """Into the trash."""
        self.order_api.trash(self._order(order))

    def remove_order(self, order: str) -> None:
        """Deleted for good: nobody is told."""
        del self.orders.kept[int(order)]

    def orders_shown(self) -> dict[str, dict[str, Any]]:
        """By id what the shop's admin shows."""
        return {str(order.id): self._shown(order) for order in self.orders.kept.values()}

    def _shown(self, order: Order) -> dict[str, Any]:
        cancelled: dict[int, int] = {}
        for refund in order.refunds:
            for row in refund.lines:
                ident = int(row.meta["_refunded_item_id"])
                cancelled[ident] = cancelled.get(ident, 0) - row.quantity
        parcels = parcels_of({"meta_data": [row for row in order.meta if str(row["key"]).startswith(PARCEL)]})
        left: dict[str, int] = {}
        for parcel in parcels:
            for line, quantity in parcel["parts"]:
                left[line] = left.get(line, 0) + quantity // 1000
        done = order.status == "completed"
        return {
            "state": order.status,
            "number": order.number,
            "lines": [
                {
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "cancelled": line.quantity if order.status == "cancelled" else cancelled.get(line.id, 0),
                    "fulfilled": line.quantity - cancelled.get(line.id, 0) if done else left.get(str(line.id), 0),
                }
                for line in order.lines
            ],
            "total_minor": exact_minor(Decimal(money(order.total())), self.currency),
            "fulfilments": [{"carrier": one["carrier"], "tracking": one["tracking"], "parts": one["parts"]} for one in parcels],
            "refunded_minor": exact_minor(Decimal(money(order.refunded())), self.currency),
            "kept_minor": exact_minor(Decimal(money(order.total() - order.refunded())), self.currency) if order.paid else 0,
            "notes": [str(note["note"]) for note in order.notes if note["customer_note"]],
            "staff_notes": [str(note["note"]) for note in order.notes if not note["customer_note"]],
            "pickup": next((f"{row.method}:{row.instance}".rstrip(":") for row in order.shipping if "pickup" in row.method), ""),
        }

    def _to(self, order: str, status: str) -> None:
        kept = self._order(order)
        self.orders.move(kept, status)
        self.orders.saved(kept)

    def _order(self, order: str) -> Order:
        return self.orders.kept[int(order)]

    def _line(self, order: Order, sku: str) -> Line:
        for line in order.lines:
            if line.sku == sku:
                return line
        raise KeyError(sku)

    def _product(self, sku: str) -> Product:
        ident = self.catalogue.by_sku.get(sku)
        if ident is None:
            raise KeyError(sku)
        return self.catalogue.products[ident]
