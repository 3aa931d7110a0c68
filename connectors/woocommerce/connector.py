"""WooCommerce: reads products, variations and orders; writes stock, prices and what became of an order; hears its webhooks.

Facts observed on 10.0.2. Reading, sending and webhooks have files of their own beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from connectors.woocommerce.hooks import Subscriptions
from connectors.woocommerce.item_reading import ItemReader
from connectors.woocommerce.order_reading import OrderReader
from connectors.woocommerce.order_sending import OrderSender
from connectors.woocommerce.sending import FigureSender
from connectors.woocommerce.shop_api import Row, ShopApi
from hub.sdk.api import Change, Connector, Delivery, Page, ReadAsk, Receipt, UnverifiedError, Verdict, pairs_in

PING: Final = re.compile(rb"webhook_id=[1-9][0-9]{0,5}")
"""The whole body of the call that greets a new webhook's address: a form, unsigned, and to be answered with 200."""
FORM: Final = "application/x-www-form-urlencoded"
ENTITIES: Final = {
    "&amp;": "&", "&#038;": "&", "&#x26;": "&", "&lt;": "<", "&#060;": "<", "&gt;": ">", "&#062;": ">",
    "&quot;": '"', "&#034;": '"', "&#x22;": '"', "&#039;": "'", "&#x27;": "'",
}  # fmt: skip
"""What WordPress turns back in a secret before it signs with it."""


class WooCommerce(Connector):
    """One shop."""

    def opened(self) -> None:
        """Prepare signing in; nothing is asked yet."""
        streams = self.manifest.streams
        self._api = ShopApi(self.context)
        self._items = ItemReader(self._api, self.context, streams["items"].overlap_seconds)
        places = pairs_in("pickup_places", self.settings.get("pickup_places", ""))
        self._orders = OrderReader(self._api, self.context, streams["orders"].overlap_seconds, places)
        self._figures = FigureSender(self._api, self.settings)
        self._facts = OrderSender(self._api, self._orders, self.settings, self.clock.now)
        self._subscriptions = Subscriptions(self._api, self.secrets.get("hook_secret", ""))
        self.secrets = {**self.secrets, "hook_secret": decoded(self.secrets.get("hook_secret", ""))}

    # deliveries

    def verify(self, delivery: Delivery) -> Verdict:
        """Theirs by the signature over the body. The ping that greets a new webhook carries none: it says nothing but a number.

        Their delivery id is shared by all deliveries of a webhook in one second, so topic and body tell deliveries apart.
        """
        if "x-wc-webhook-signature" not in delivery.headers and _is_ping(delivery):
            return Verdict("ping", "ping")
        topic = super().verify(delivery).topic
        if not topic:
            raise UnverifiedError("no topic")
        return Verdict(topic, topic)

    def hooks(self) -> list[Row]:
        """Every webhook of the shop: id, name, topic, url, status (active, paused, disabled), since."""
        return self._subscriptions.all()

    def heal_hooks(self, url: str) -> list[str]:
        """Subscribe what is missing to `url` and switch on what is off: words of what was done, empty when all was well."""
        return self._subscriptions.heal(url)

    def survey(self) -> dict[str, Any]:
        """What a first configuration needs to know of the shop; what its key may not see is left out."""
        found: dict[str, Any] = {"settings": {}, "locations": []}
        currency = self._api.option("general", "woocommerce_currency")
        if currency:
            found["currency"] = found["settings"]["currency"] = currency
        taxed = self._api.option("tax", "woocommerce_prices_include_tax")
        if taxed in ("yes", "no"):
            found["settings"]["prices_tax"] = "included" if taxed == "yes" else "excluded"
        title = self._api.title()
        return {"title": title, **found} if title else found

    # reading

    def read_items(self, ask: ReadAsk) -> Page:
        """The next products and variations; a poll gives those that changed since."""
        return self._items.read(ask)

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """These products and variations as they are now; those that the shop does not have are gone."""
        return self._items.look_up(ids)

    def read_orders(self, ask: ReadAsk) -> Page:
        """The next orders, whole; a poll gives those that changed since."""
        return self._orders.read(ask)

    def look_up_orders(self, ids: Sequence[str]) -> Page:
        """These orders as they are now; those that the shop does not have are gone."""
        return self._orders.look_up(ids)

    # writing

    def send_stock(self, changes: Sequence[Change]) -> list[Receipt]:
        """Absolute quantities, compared with what the shop shows afterwards."""
        return self._figures.stock(changes)

    def send_price(self, changes: Sequence[Change]) -> list[Receipt]:
        """Regular prices without a sale, compared with what a customer pays afterwards."""
        return self._figures.price(changes)

    def send_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Parcels, cancellations, refunds and notes, each at most once however often it is sent."""
        return [self._facts.send(change) for change in changes]

    def find_order(self, changes: Sequence[Change]) -> list[Receipt]:
        """Whether these facts stand in their orders."""
        return [self._facts.find(change) for change in changes]


def decoded(secret: str) -> str:
    """The secret as WooCommerce signs with it: it reads `&amp;` and its like as the characters that they stand for."""
    return re.sub("|".join(map(re.escape, ENTITIES)), lambda found: ENTITIES[found.group()], secret)


def _is_ping(delivery: Delivery) -> bool:
    declared = delivery.headers.get("content-type", "").partition(";")[0].strip().lower()
    return declared == FORM and PING.fullmatch(delivery.body) is not None
