"""The small shop's products: their kinds of stock, their strange ways with prices, whose date moves with whose."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from hub.sdk.api import Plain

Row = dict[str, Plain]
FIRST_POST: Final = 10
"""A fresh WordPress has used up the ids before it."""


@dataclass(slots=True)
class Product:
    """A product or variation as the shop keeps it; times are seconds UTC. `price` is what the cart charges."""

    id: int
    type: str
    created: int
    modified: int
    parent: int = 0
    name: str = ""
    status: str = "publish"
    sku: str = ""
    gtin: str = ""
    price: str = ""
    regular: str = ""
    sale: str = ""
    sale_from: int | None = None
    sale_to: int | None = None
    manages: bool = False
    quantity: int | None = None
    stock_status: str = "instock"
    backorders: str = "no"
    description: str = ""
    picture: str = ""
    category: str = ""
    virtual: bool = False
    sold: int = 0
    attributes: list[Row] = field(default_factory=list)
    meta: list[Row] = field(default_factory=list)


class Catalogue:
    """Products by id. `tell(topic, id)` hears what WordPress's own hooks hear."""

    def __init__(self, now: Callable[[], int], tell: Callable[[str, int], None]) -> None:
        self.products: dict[int, Product] = {}
        self.children: dict[int, list[int]] = {}
        self.by_sku: dict[str, int] = {}
        self.posts = FIRST_POST - 1
        self.now = now
        self.tell = tell

    def next_post(self) -> int:
        """A fresh id: products, orders and refunds share one row of numbers."""
        self.posts += 1
        return self.posts

    def add(self, type_: str, parent: int = 0) -> Product:
        """A new product, not yet saved."""
        now = self.now()
        product = Product(self.next_post(), type_, now, now, parent)
        self.products[product.id] = product
        if parent:
            self.children.setdefault(parent, []).append(product.id)
        return product

    def saved(self, product: Product, event: str = "updated") -> None:
        """What saving does: prices and status are settled, dates move (a variation's moves its product's too), hooks fire."""
        self._settle(product)
        product.modified = self.now()
        if product.parent and product.parent in self.products:
            above = self.products[product.parent]
            above.modified = product.modified
            self._settle(above)
        self.tell(f"product.{event}", product.id)

    def set_sku(self, product: Product, sku: str) -> None:
        """Give it this SKU; ValueError names the product that has it already."""
        other = self.by_sku.get(sku)
        if sku and other is not None and other != product.id:
            raise ValueError(str(other))
        self.by_sku.pop(product.sku, None)
        product.sku = sku
        if sku:
            self.by_sku[sku] = product.id

    def forget(self, product: Product) -> None:
        """Delete for good, variations and all; no hook fires."""
        for child in self.children.pop(product.id, []):
            self.forget(self.products[child])
        if product.parent:
            self.children.get(product.parent, []).remove(product.id)
        self.by_sku.pop(product.sku, None)
        self.products.pop(product.id, None)

    def trash(self, product: Product) -> None:
        """Into the trash, with its variations; the dates move, `deleted` is told."""
        for one in [product, *(self.products[child] for child in self.children.get(product.id, []))]:
            one.meta = [*one.meta, *({"key": key, "value": value} for key, value in self._trashed(one))]
            one.status, one.modified = "trash", self.now()
        self.tell("product.deleted", product.id)

    def _trashed(self, product: Product) -> list[tuple[str, str]]:
        slug = slug_of(product.name)
        first, second = ("_wp_trash_meta_status", product.status), ("_wp_trash_meta_time", str(self.now()))
        return [first, second, ("_wp_desired_post_slug", slug)]

    # stock

    def managing(self, product: Product) -> bool | str:
        """Whether it manages its stock: true, false, or "parent" where its product does it for a variation."""
        if product.manages:
            return True
        above = self.products.get(product.parent)
        return "parent" if above is not None and above.manages else False

    def keeper(self, product: Product) -> Product | None:
        """Who keeps the stock that a sale of it takes; None where it sells without limit."""
        managing = self.managing(product)
        return self.products[product.parent] if managing == "parent" else product if managing else None

    def move(self, product: Product, pieces: int) -> bool:
        """An order takes (or gives back) so many pieces; False where the stock is not managed."""
        keeper = self.keeper(product)
        if keeper is None:
            return False
        keeper.quantity = (keeper.quantity or 0) + pieces
        self.saved(keeper)
        return True

    def _settle(self, product: Product) -> None:
        if product.type == "variable":
            self._settle_variable(product)
            return
        product.price = product.sale if self.on_sale(product) else product.regular
        if product.manages:
            product.stock_status = self._status(product)

    def _settle_variable(self, product: Product) -> None:
        living = [self.products[one] for one in self.children.get(product.id, []) if self.products[one].status == "publish"]
        prices = [one.price for one in living if one.price]
        product.price = min(prices, key=Decimal, default="")
        if product.manages:
            product.stock_status = self._status(product)
        else:
            product.stock_status = "instock" if any(self.stock_status(one) == "instock" for one in living) else "outofstock"

    def stock_status(self, product: Product) -> str:
        """instock, outofstock or onbackorder."""
        keeper = self.keeper(product)
        return product.stock_status if keeper is None or keeper is product else self._status(keeper)

    def _status(self, product: Product) -> str:
        if (product.quantity or 0) > 0:
            return "instock"
        return "outofstock" if product.backorders == "no" else "onbackorder"

    # prices

    def on_sale(self, product: Product) -> bool:
        """Whether its sale is on, by the dates; the price itself follows only when something saves or cron runs."""
        if not product.sale or not product.regular or Decimal(product.sale) >= Decimal(product.regular):
            return False
        now = self.now()
        return (product.sale_from is None or product.sale_from <= now) and (product.sale_to is None or now <= product.sale_to)

    def cron(self) -> None:
        """What wp-cron does once in a while: scheduled sales begin and end."""
        for product in list(self.products.values()):
            if product.type != "variable" and product.sale:
                due = product.sale if self.on_sale(product) else product.regular
                if due != product.price:
                    self.saved(product)


def decimal_text(given: Plain) -> str:
    """A price as WooCommerce cleans it: "abc" is no price, and a comma is dropped, so that "12,50" is 1250."""
    text = re.sub(r"\.(?![^.]+$)|[^0-9.-]", "", str(given))
    try:
        Decimal(text)
    except InvalidOperation:
        return ""
    return text


def slug_of(name: str) -> str:
    """The name as a part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def local(seconds: int | None, offset: int) -> str | None:
    """A time without its zone."""
    if seconds is None:
        return None
    return dt.datetime.fromtimestamp(seconds + offset, dt.UTC).replace(tzinfo=None).isoformat()


def seconds_of(text: Plain, offset: int) -> int | None:
    """Seconds UTC of a time without a zone, in the zone of this offset; "" and null are none."""
    if not text:
        return None
    moment = dt.datetime.fromisoformat(str(text))
    zoned = moment.tzinfo is not None
    return int(moment.timestamp()) if zoned else int(moment.replace(tzinfo=dt.UTC).timestamp()) - offset
