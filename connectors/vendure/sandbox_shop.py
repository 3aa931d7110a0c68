"""The sandbox's shop: products, variants, stock levels, prices and sessions, with the rules seen on Vendure 3.7.3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from hub.sdk.api import Plain, iso

INT_MAX: Final = 2**31 - 1
VARIANT_KEYS: Final = frozenset({"id", "sku", "enabled", "translations", "price", "prices", "stockOnHand", "stockLevels"})
VARIANT_KEYS_NEW: Final = VARIANT_KEYS - {"id"} | {"productId", "optionIds"}
VARIANT_KEYS_KNOWN: Final = frozenset({"trackInventory", "outOfStockThreshold", "useGlobalOutOfStockThreshold"})


class VariablesError(Exception):
    """The variables are not what their declared types allow: 200 with errors and no data."""


class ResolverFault(Exception):
    """A resolver throws: GraphQL `errors` under HTTP 200, and nothing is changed."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Level:
    """Stock of one variant at one location."""

    id: int
    on_hand: int
    allocated: int
    updated_at: int


@dataclass
class Product:
    """A product; variants hang below it."""

    id: int
    name: str
    slug: str
    text: str
    picture: str
    enabled: bool
    updated_at: int


@dataclass
class Variant:
    """What is sold: prices by currency in hundredths, levels by location id."""

    id: int
    product: int
    sku: str
    name: str
    updated_at: int
    enabled: bool = True
    track: str = "TRUE"
    deleted: bool = False
    prices: dict[str, int] = field(default_factory=dict)
    price_rows: dict[str, int] = field(default_factory=dict)
    levels: dict[str, Level] = field(default_factory=dict)
    options: list[int] = field(default_factory=list)
    movements: list[dict[str, Plain]] = field(default_factory=list)


@dataclass
class Shop:
    """The whole state. `now` is the shop's clock in microseconds; `tell(event, body)` posts an event."""

    currency: str
    currencies: list[str]
    tax_included: bool
    now: Callable[[], int]
    tell: Callable[[str, dict[str, Plain]], None]
    tax_percent: int = 25
    locations: dict[str, str] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)
    groups: dict[int, dict[str, Plain]] = field(default_factory=dict)
    options: dict[int, dict[str, Plain]] = field(default_factory=dict)
    variants: dict[int, Variant] = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)
    deaf: bool = False
    """Updates are answered with success, showing what is there, and change nothing."""

    def next_id(self, kind: str) -> int:
        """Ids count up per table and are never used again."""
        self.last_ids[kind] = self.last_ids.get(kind, 0) + 1
        return self.last_ids[kind]

    def coarse(self) -> int:
        """The time as most columns keep it: whole seconds."""
        return self.now() // 1_000_000 * 1_000_000

    def found(self, variant_id: Plain) -> Variant:
        """The variant; a fault in the platform's words when it is unknown or deleted."""
        known = self.variants.get(int(variant_id)) if str(variant_id).isdigit() else None
        if known is None or known.deleted:
            raise ResolverFault(f'No ProductVariant with the id "{variant_id}" could be found', "ENTITY_NOT_FOUND")
        return known

    # writing

    def add_product(self, name: str, slug: str, text: str, enabled: bool, picture: str = "") -> Product:
        """A new product and its event."""
        made = Product(self.next_id("product"), name, slug, text, picture, enabled, self.coarse())
        self.products[made.id] = made
        self.tell("ProductEvent", {"entity": {"id": made.id, "enabled": enabled}, "type": "created", "variants": []})
        return made

    def create_variants(self, inputs: list[dict[str, Plain]]) -> list[Variant]:
        """New variants as createProductVariants makes them: `prices` are ignored, the default currency's price counts."""
        made = []
        for given in inputs:
            _only(given, VARIANT_KEYS_NEW | VARIANT_KEYS_KNOWN)
            if int(given["productId"]) not in self.products:
                raise ResolverFault(f'No Product with the id "{given["productId"]}" could be found', "ENTITY_NOT_FOUND")
        for given in inputs:
            variant = Variant(self.next_id("variant"), int(given["productId"]), given["sku"], _named(given), self.coarse())
            variant.track = given.get("trackInventory", "INHERIT")
            variant.options = [int(option) for option in given.get("optionIds") or []]
            self.variants[variant.id] = variant
            for place in self.locations:
                variant.levels[place] = Level(self.next_id("level"), 0, 0, self.coarse())
            self._set_levels(variant, given)
            self._set_price(variant, self.currency, given.get("price") or 0, "created")
            made.append(variant)
        self._variants_told(made, "created")
        return made

    def update_variants(self, inputs: list[dict[str, Plain]]) -> list[Variant]:
        """All or none, as one transaction; every variant named gets a new updatedAt, whatever was changed."""
        named = [self._checked(given) for given in inputs]
        for variant, given in [] if self.deaf else zip(named, inputs, strict=True):
            self._set_levels(variant, given)
            if given.get("price") is not None:
                self._set_price(variant, self.currency, given["price"], "updated")
            for price in given.get("prices") or []:
                self._set_price(variant, price["currencyCode"], price["price"], "updated")
            if given.get("enabled") is not None:
                variant.enabled = given["enabled"]
            if given.get("translations"):
                variant.name = _named(given)
            variant.sku = given.get("sku") or variant.sku
            variant.track = given.get("trackInventory") or variant.track
            variant.updated_at = self.now() // 1000 * 1000
        unique = list({variant.id: variant for variant in named}.values())
        if not self.deaf:
            self._variants_told(unique, "updated")
        return unique

    def _checked(self, given: dict[str, Plain]) -> Variant:
        _only(given, VARIANT_KEYS | VARIANT_KEYS_KNOWN)
        variant = self.found(given["id"])
        for level in given.get("stockLevels") or []:
            _only(level, frozenset({"stockLocationId", "stockOnHand"}))
            _whole(level.get("stockOnHand"), "stockOnHand")
            if str(level["stockLocationId"]) not in self.locations:
                raise ResolverFault("FOREIGN KEY constraint failed", "INTERNAL_SERVER_ERROR")
        for price in given.get("prices") or []:
            _whole(price.get("price"), "price")
            if price["currencyCode"] not in self.currencies:
                words = f'The currency "{price["currencyCode"]}" is not available in the current Channel'
                raise ResolverFault(words, "USER_INPUT_ERROR")
        return variant

    def _set_levels(self, variant: Variant, given: dict[str, Plain]) -> None:
        for level in given.get("stockLevels") or []:
            place = str(level["stockLocationId"])
            kept = variant.levels.setdefault(place, Level(self.next_id("level"), 0, 0, self.coarse()))
            change = level["stockOnHand"] - kept.on_hand
            if change:
                self.moved(variant, place, "StockAdjustment", "ADJUSTMENT", change, on_hand=change)

    def _set_price(self, variant: Variant, currency: str, minor: int, kind: str) -> None:
        variant.prices[currency] = minor
        if currency not in variant.price_rows:
            variant.price_rows[currency] = self.next_id("price")
        told = {"entity": [{"id": variant.price_rows[currency]}], "type": kind, "variants": [str(variant.id)]}
        self.tell("ProductVariantPriceEvent", told)

    def moved(
        self, variant: Variant, place: str, name: str, kind: str, quantity: int, *, on_hand: int = 0, allocated: int = 0
    ) -> None:
        """A stock movement: the level and its own time move, the variant's updatedAt does not."""
        level = variant.levels[place]
        level.on_hand += on_hand
        level.allocated += allocated
        level.updated_at = self.coarse()
        made = {"__typename": name, "id": str(self.next_id("movement")), "type": kind, "quantity": quantity}
        variant.movements.append({**made, "createdAt": iso(self.coarse())})
        told = {"id": self.last_ids["movement"], "stockLocationId": int(place), "quantity": quantity}
        self.tell("StockMovementEvent", {"stockMovements": [told], "type": kind, "variants": [str(variant.id)]})

    def _variants_told(self, variants: list[Variant], kind: str) -> None:
        entity = [{"id": variant.id, "sku": variant.sku, "enabled": variant.enabled} for variant in variants]
        ids = [str(variant.id) for variant in variants]
        self.tell("ProductVariantEvent", {"entity": entity, "type": kind, "variants": ids})

    def delete_variant(self, variant: Variant) -> None:
        """Deleted softly: kept in the database, shown nowhere."""
        variant.deleted = True
        self._variants_told([variant], "deleted")

    # showing

    def variant_shown(self, variant: Variant) -> dict[str, Plain]:
        """The variant as an API object."""
        price, with_tax = self._two_prices(variant.prices.get(self.currency, 0))
        return {
            "__typename": "ProductVariant",
            "id": str(variant.id),
            "sku": variant.sku,
            "name": variant.name,
            "enabled": variant.enabled,
            "updatedAt": iso(variant.updated_at),
            "price": price,
            "priceWithTax": with_tax,
            "currencyCode": self.currency,
            "prices": [{"currencyCode": code, "price": minor} for code, minor in variant.prices.items()],
            "stockLevels": [self._level_shown(place, level) for place, level in variant.levels.items()],
            "stockMovements": lambda _: {"totalItems": len(variant.movements), "items": list(variant.movements)},
            "trackInventory": variant.track,
            "outOfStockThreshold": 0,
            "options": [self._option_shown(option) for option in variant.options],
            "featuredAsset": None,
            "product": lambda _: self.product_shown(self.products[variant.product]),
        }

    def product_shown(self, product: Product) -> dict[str, Plain]:
        """The product as an API object."""
        below = [one for one in self.variants.values() if one.product == product.id and not one.deleted]
        return {
            "__typename": "Product",
            "id": str(product.id),
            "name": product.name,
            "slug": product.slug,
            "description": product.text,
            "enabled": product.enabled,
            "updatedAt": iso(product.updated_at),
            "featuredAsset": {"preview": product.picture} if product.picture else None,
            "variants": lambda _: [self.variant_shown(one) for one in below],
        }

    def _two_prices(self, entered: int) -> tuple[int, int]:
        """Net and gross of a price as entered; which of the two it is follows the channel's setting."""
        factor = 1 + Decimal(self.tax_percent) / 100
        if self.tax_included:
            return int((entered / factor).quantize(Decimal(1), ROUND_HALF_UP)), entered
        return entered, int((entered * factor).quantize(Decimal(1), ROUND_HALF_UP))

    def _level_shown(self, place: str, level: Level) -> dict[str, Plain]:
        return {
            "id": str(level.id),
            "stockLocationId": place,
            "stockOnHand": level.on_hand,
            "stockAllocated": level.allocated,
            "updatedAt": iso(level.updated_at),
            "stockLocation": {"id": place, "name": self.locations[place]},
        }

    def _option_shown(self, option: int) -> dict[str, Plain]:
        known = self.options[option]
        group = self.groups[known["group"]]
        return {"code": known["code"], "name": known["name"], "group": {"code": group["code"], "name": group["name"]}}


def _named(given: dict[str, Plain]) -> str:
    return str(next((one["name"] for one in given.get("translations") or []), ""))


def _only(given: dict[str, Plain], allowed: frozenset[str]) -> None:
    for key in given:
        if key not in allowed:
            raise VariablesError(f'Field "{key}" is not defined by the input type (or not kept by this sandbox).')


def _whole(value: Plain, name: str) -> None:
    if type(value) is not int or not -INT_MAX <= value <= INT_MAX:
        raise VariablesError(f'Field "{name}" wants a whole number within 32 bits.')
