"""The small shop's catalogue and stock: what it keeps, by which rules figures move, and what it tells of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from connectors.shopify.gids import gid
from hub.sdk.api import Plain, iso

FIRST_IDS: Final = {
    "Product": 8_100_000_000,
    "ProductVariant": 44_200_000_000,
    "InventoryItem": 46_300_000_000,
    "InventoryLevel": 77_000_000,
    "Order": 5_400_000_000,
    "LineItem": 13_500_000_000,
    "FulfillmentOrder": 6_600_000_000,
    "Fulfillment": 4_700_000_000,
}
PRICE_MAX: Final = Decimal(10) ** 9


def second(at: int) -> int:
    """Shopify's times are whole seconds."""
    return at - at % 1_000_000


def zulu(at: int) -> str:
    """A time as the API shows it."""
    return iso(second(at)).replace(".000Z", "Z")


@dataclass(slots=True)
class Product:
    """A product; its status decides whether its variants are sold."""

    id: int
    title: str
    text: str
    picture: str
    kind: str
    status: str = "ACTIVE"
    gift_card: bool = False


@dataclass(slots=True)
class Variant:
    """A variant and its inventory item. `indexed` is what the search knows: it lags behind."""

    id: int
    product: int
    item: int
    sku: str
    barcode: str
    title: str
    price: Decimal
    updated_at: int
    compare_at: Decimal | None = None
    tracked: bool = True
    oversell: bool = False
    deleted: bool = False
    before_at: int = 0


@dataclass(slots=True)
class Level:
    """Figures of an inventory item at a location; what is on hand is available and committed together."""

    id: int
    variant: int
    location: int
    available: int = 0
    committed: int = 0
    active: bool = True
    updated_at: int = 0
    before_at: int = 0


@dataclass(slots=True)
class PriceList:
    """A market's price list: fixed prices, and the rate for all others."""

    id: int
    currency: str
    country: str
    rate: Decimal
    fixed: dict[int, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """All that the shop keeps; a copy of it is a snapshot."""

    currency: str
    taxes_included: bool
    products: dict[int, Product] = field(default_factory=dict)
    variants: dict[int, Variant] = field(default_factory=dict)
    of_product: dict[int, list[int]] = field(default_factory=dict)
    of_item: dict[int, int] = field(default_factory=dict)
    of_sku: dict[str, list[int]] = field(default_factory=dict)
    """Variants by their product, inventory item and SKU; two may have the same SKU."""
    levels: dict[tuple[int, int], Level] = field(default_factory=dict)
    locations: dict[int, str] = field(default_factory=dict)
    price_lists: dict[int, PriceList] = field(default_factory=dict)
    subscriptions: dict[int, dict[str, Plain]] = field(default_factory=dict)
    bulks: dict[int, dict[str, Plain]] = field(default_factory=dict)
    keys: dict[str, tuple[str, Plain]] = field(default_factory=dict)
    orders: dict[int, Any] = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)
    mails: list[tuple[str, str]] = field(default_factory=list)


class Shop:
    """The catalogue's rules. `tell` posts a delivery to whoever is subscribed to its topic."""

    def __init__(self, state: State, now: Callable[[], int], tell: Callable[[str, dict[str, Plain]], None]) -> None:
        self.state = state
        self.now = now
        self.tell = tell
        self.deaf = False
        """Writes are answered as if they had been made, and are not."""

    def next_id(self, kind: str) -> int:
        """A fresh number for this kind of thing; ids that were used stay used."""
        last = self.state.last_ids.get(kind, FIRST_IDS.get(kind, 1_000_000_000))
        self.state.last_ids[kind] = last + 1
        return last + 1

    # catalogue

    def add_product(self, title: str, text: str = "", picture: str = "", kind: str = "") -> Product:
        """A product that is on sale."""
        made = Product(self.next_id("Product"), title, text, picture, kind)
        self.state.products[made.id] = made
        return made

    def add_variant(self, product: Product, sku: str, price: Decimal, barcode: str = "", title: str = "Default Title") -> Variant:
        """A variant, tracked and stocked with 0 at every location."""
        made = Variant(
            self.next_id("ProductVariant"), product.id, self.next_id("InventoryItem"), sku, barcode, title, price, self.now()
        )
        self.state.variants[made.id] = made
        self.state.of_product.setdefault(product.id, []).append(made.id)
        self.state.of_item[made.item] = made.id
        self.state.of_sku.setdefault(sku, []).append(made.id)
        for location in self.state.locations:
            self.stock_at(made.id, location)
        self.told_product(product.id, "products/create")
        return made

    def stock_at(self, variant: int, location: int) -> Level:
        """The item is stocked at this location from now on."""
        level = self.state.levels.get((variant, location))
        if level is None:
            level = Level(self.next_id("InventoryLevel"), variant, location, updated_at=self.now())
            self.state.levels[(variant, location)] = level
        level.active = True
        return level

    def touch(self, variant: Variant) -> None:
        """The variant was edited."""
        variant.before_at, variant.updated_at = variant.updated_at, self.now()
        self.told_product(variant.product, "products/update")

    def told_product(self, product: int, topic: str) -> None:
        """A delivery about a product names it and its variants."""
        gids = [
            {"admin_graphql_api_id": gid("ProductVariant", str(one.id)), "updated_at": zulu(one.updated_at)}
            for one in map(self.state.variants.__getitem__, self.state.of_product[product])
            if not one.deleted
        ]
        said = {"id": product, "admin_graphql_api_id": gid("Product", str(product)), "updated_at": zulu(self.now())}
        self.tell(topic, {**said, "variant_gids": gids})

    def remove_product(self, product: int) -> None:
        """The product is deleted with its variants."""
        for one in self.state.of_product[product]:
            self.state.variants[one].deleted = True
        self.tell("products/delete", {"id": product})

    def on_sale(self, sku: str) -> Variant:
        """The variant of this SKU; KeyError when there is none."""
        for ident in self.state.of_sku.get(sku, []):
            if not self.state.variants[ident].deleted:
                return self.state.variants[ident]
        raise KeyError(sku)

    # stock

    def moved(self, variant: int, location: int, *, available: int = 0, committed: int = 0) -> None:
        """Figures of a level move by these deltas; deliveries only speak of what is available."""
        if self.deaf:
            return
        level = self.state.levels[(variant, location)]
        level.available += available
        level.committed += committed
        level.before_at, level.updated_at = level.updated_at, self.now()
        if available:
            self.told_level(level)

    def told_level(self, level: Level, topic: str = "inventory_levels/update") -> None:
        """A delivery about a level."""
        item = self.state.variants[level.variant].item
        self.tell(
            topic,
            {
                "inventory_item_id": item,
                "location_id": level.location,
                "available": level.available,
                "updated_at": zulu(level.updated_at),
                "admin_graphql_api_id": self.level_gid(level),
            },
        )

    def level_gid(self, level: Level) -> str:
        """A level's id names its item too."""
        return f"{gid('InventoryLevel', str(level.id))}?inventory_item_id={self.state.variants[level.variant].item}"

    def variant_of_item(self, item: int) -> Variant | None:
        """The variant that has this inventory item."""
        one = self.state.variants.get(self.state.of_item.get(item, 0))
        return one if one is not None and not one.deleted else None
