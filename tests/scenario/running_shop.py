"""A shop that has been running for a year before the hub meets it: an ERP with the items, a webshop with most of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.app import Hub, build
from hub.canonical.values import iso
from hub.clock import ManualClock
from hub.sdk.registry import Registry
from hub.settings.load import load_text
from hub.store.sqlite import SqliteDatabase
from hub.store.vault import Vault

DAY_SECONDS = 86_400
YEAR_DAYS = 365
BEGAN = 1_758_000_000_000_000
"""2025-09-16: when the shop opened; the hub meets it a year later."""
FILES = {
    "hub.yaml": "name: running\n",
    "locations.yaml": 'warehouse: {channels: {erp: "3"}}\n',
    "authority.yaml": """
items: [{channel: erp}]
stock: [{channel: erp, covers: [warehouse]}]
prices: [{channel: erp, list: retail}]
""",
    "pricing.yaml": """
lists: {retail: {currency: DKK, tax: excluded, country: DK}}
taxes: {DK: 25}
channels: {webshop: {list: retail, tax: included}}
guards: {unexplained_pieces: 5}
""",
    "channels/erp.yaml": """
channel: erp
connector: tryton
role: erp
mode: observe
base_url: https://erp.example
settings: {database: shop, username: hub, currency: DKK}
secrets: {password: "env:X"}
""",
    "channels/webshop.yaml": """
channel: webshop
connector: woocommerce
role: webshop
mode: observe
base_url: https://shop.example
settings: {currency: DKK, prices_tax: included}
secrets: {consumer_key: "env:X", consumer_secret: "env:X", hook_secret: "env:X"}
sells_from: [warehouse]
orders: {take_in: true}
orders_since: "{since}"
""",
}
TILL = {
    "locations.yaml": "warehouse: {channels: {erp: LAARHUS000001}}\n",
    "pricing.yaml": FILES["pricing.yaml"].replace("tax: excluded", "tax: included"),
    "channels/erp.yaml": """
channel: erp
connector: square
role: pos
mode: observe
base_url: https://till.example
secrets: {access_token: "env:X", signature_key: "env:X"}
""",
}
"""The same with a till as the books: its platform in small bears many items."""
PRICE, LISTED = Decimal("159.96"), Decimal("199.95")


def sku_of(number: int) -> str:
    """The SKU of the variant with this number."""
    return f"SKU-{number:05}"


class RunningShop:
    """The two systems and a hub that meets them; `products` of which two in five are simple, the rest ranges of variants."""

    def __init__(self, folder: Path, products: int, variants: int, orders: int = 0, **files: str) -> None:
        folder.mkdir(exist_ok=True)
        self.clock = ManualClock(BEGAN)
        registry = Registry([])
        texts = {**FILES, **files}
        since = iso(BEGAN + (YEAR_DAYS - 7) * DAY_SECONDS * 1_000_000)[:10]
        texts = {name: text.replace("{since}", since) for name, text in texts.items()}
        self.config = load_text(texts, str(folder))
        self.registry = registry
        self.platforms: dict[str, Any] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        for name, settings in self.config.channels.items():
            kind: Any = registry.sandbox_class(settings.connector)
            self.platforms[name] = kind(self.clock)
            self.secrets[name] = dict(kind.CHANNEL["secrets"])
        self.shop, self.erp = self.platforms["webshop"], self.platforms["erp"]
        self.variants = variants
        self.place = next(iter(self.config.locations.values())).channels["erp"]
        self._fill(products, variants)
        self._sell(orders)
        self.shop.outbox.clear()
        self.database = SqliteDatabase(folder / "hub.db", threaded=False)
        self.vault = Vault({"testkey1": b"k" * 32}, "testkey1", self.clock.bytes)
        self.hub = self.met()

    def met(self, transport: Callable[[Any], Any] | None = None) -> Hub:
        """A hub on this store: the first one, or one that takes over from a process that died."""
        line = transport or (lambda settings: self.platforms[settings.channel])
        return build(self.config, self.clock, line, self.database, self.vault, registry=self.registry, secrets=self.secrets)

    def _fill(self, products: int, variants: int) -> None:
        simple = products * 2 // 5
        ranges = products - simple
        for number in range(simple):
            self.shop.add_item(sku_of(number), f"Thing {number}", price=LISTED)
        number = simple
        for place in range(ranges):
            last = simple + (variants - simple) * (place + 1) // ranges
            self.shop.add_range(f"Range {place}", {sku_of(n): f"Kind {n}" for n in range(number, last)}, price=LISTED)
            number = last
        price = LISTED if self.config.pricing.lists["retail"].tax == "included" else PRICE
        for number in range(variants):
            self.erp.add_item(sku_of(number), f"Thing {number}", price=price)
            self.erp.count(sku_of(number), 10, self.place)
            self.shop.count(sku_of(number), 10)

    def _sell(self, orders: int) -> None:
        """Orders of the year before: fulfilled long ago, the figures are net of them."""
        for number in range(orders):
            self.clock.advance((YEAR_DAYS - 30) * DAY_SECONDS / orders)
            sku = sku_of(number * 7 % self.variants)
            ident = self.shop.order({sku: 1})
            self.shop.pay(ident)
            self.shop.complete(ident)
            self.shop.count(sku, 10)
        self.clock.advance(30 * DAY_SECONDS if orders else YEAR_DAYS * DAY_SECONDS)

    def close(self) -> None:
        """Give the store back."""
        self.database.close()
