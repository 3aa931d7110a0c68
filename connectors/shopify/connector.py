"""Shopify: reads variants, prices, stock per location and orders; writes stock, prices and what became of an order.

Facts checked on Admin API 2026-10. The parts: `catalogue.py` and `bulk.py` read, `stock_sending.py` and `price_sending.py`
write, `order_*.py` are about orders, `hooks.py` about deliveries, `tokens.py` and `admin_api.py` about the calls themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.catalogue import Catalogue
from connectors.shopify.hooks import Subscriptions, verdict
from connectors.shopify.order_reading import OrderReader
from connectors.shopify.order_sending import OrderSender
from connectors.shopify.price_sending import PriceSender
from connectors.shopify.stock_sending import StockSender
from connectors.shopify.survey import survey
from hub.sdk.api import Change, Connector, Delivery, Page, Plain, ReadAsk, Receipt, Verdict


class ShopifyConnector(Connector):
    """One shop, by its Admin API."""

    def opened(self) -> None:
        """Prepare the calls; nothing is asked yet."""
        self.shop = self.settings.get("shop", "") or urlsplit(self.client.base_url).hostname or ""
        self.api = AdminApi(self.context, self.manifest)
        overlaps = {name: stream.overlap_seconds for name, stream in self.manifest.streams.items()}
        self._catalogue = Catalogue(self.api, overlaps)
        self._stock = StockSender(self.api)
        self._prices = PriceSender(self.api, self._catalogue)
        self._orders = OrderReader(self.api, overlaps["orders"])
        self._facts = OrderSender(self.api)
        self._subscriptions = Subscriptions(self.api)

    # deliveries

    def verify(self, delivery: Delivery) -> Verdict:
        """The verdict on a delivery, in either of the platform's header styles."""
        return verdict(delivery, self.secrets, self.shop)

    def hooks(self) -> list[dict[str, str]]:
        """The webhook subscriptions: id, topic, url, status, version, since."""
        return self._subscriptions.listed()

    def heal_hooks(self, url: str) -> list[str]:
        """Make and mend subscriptions until every topic comes to `url`; words of what was done, none when all was well."""
        return self._subscriptions.healed(url)

    @property
    def notices(self) -> list[str]:
        """What a person should know of this channel: that its API version is answered by another one."""
        return list(self.api.notices.values())

    def survey(self) -> dict[str, Plain]:
        """Name, currency, taxes and locations of the shop, for a first configuration."""
        return survey(self.api)

    # reading

    def read_items(self, ask: ReadAsk) -> Page:
        """The next variants with product and price; a poll gives those changed since."""
        return self._catalogue.read_items(ask)

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """These variants as they are now; deleted ones are gone."""
        return self._catalogue.look_up_items(ids)

    def read_stock(self, ask: ReadAsk) -> Page:
        """The next stock levels; a poll gives those changed since."""
        return self._catalogue.read_stock(ask)

    def look_up_stock(self, ids: Sequence[str]) -> Page:
        """The stock levels of these variants as they are now."""
        return self._catalogue.look_up_stock(ids)

    def read_orders(self, ask: ReadAsk) -> Page:
        """The next orders, whole; a poll gives those changed since."""
        return self._orders.read(ask)

    def look_up_orders(self, ids: Sequence[str]) -> Page:
        """These orders as they are now; those that the shop does not have are gone."""
        return self._orders.look_up(ids)

    # writing

    def send_stock(self, changes: Sequence[Change]) -> list[Receipt]:
        """Sets what is available at a location, if it still is what the hub saw."""
        return self._stock.send(changes)

    def send_price(self, changes: Sequence[Change]) -> list[Receipt]:
        """Sets prices of variants, or fixed prices in the price list of this channel's market."""
        return self._prices.send(changes)

    def send_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Tells what became of orders, each fact at most once however often it is sent."""
        return [self._facts.send(change) for change in changes]

    def find_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Whether these facts stand in their orders."""
        found = [self._facts.find(change) for change in changes]
        return [receipt for receipt in found if receipt is not None]
