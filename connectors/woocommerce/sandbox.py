"""WooCommerce in small: its REST API v3 as observed on 10.0.2, and the host around it, which may be slow or turn callers away."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Final

from connectors.woocommerce.hooks import TOPICS
from connectors.woocommerce.sandbox_catalogue import Catalogue
from connectors.woocommerce.sandbox_gateways import gateway
from connectors.woocommerce.sandbox_order_api import OrderApi
from connectors.woocommerce.sandbox_orders import Orders
from connectors.woocommerce.sandbox_people import SHIPPING_GATEWAY, People
from connectors.woocommerce.sandbox_product_api import ProductApi
from connectors.woocommerce.sandbox_rest import RestError, Row, bare, json_body, no_route
from connectors.woocommerce.sandbox_sign_in import READS, Doorkeeper
from connectors.woocommerce.sandbox_webhooks import Outbox, Webhooks
from hub.sdk.api import Plain, Request, Response, SandboxBase, json_response, moment

BASE: Final = "/wp-json/wc/v3"
HOME: Final = "https://shop.example"
OUTBOX_MAX: Final = 100_000
BURST_SECONDS: Final = 10
BLOCK_SECONDS: Final = 60
BLOCKED: Final = b"<html><head><title>403 Forbidden</title></head><body>Too many requests from your address</body></html>"


class Sandbox(People, SandboxBase):
    """A shop. Options: title, consumer_key, consumer_secret, reading_key, reading_secret (may not write), hook_secret, currency,
    prices_tax, tax_percent, utc_offset_hours, home, burst (calls in ten seconds that its host bears), mixed (yes: some items are
    variations)."""

    secret_names = ("consumer_key", "consumer_secret", "hook_secret")
    pays_later = ("at the checkout", "by transfer")
    stands_again = True
    CHANNEL: Final[dict[str, dict[str, str]]] = {
        "settings": {"currency": "DKK", "prices_tax": "included"},
        "secrets": {
            "consumer_key": "ck_made_up_key_0001",
            "consumer_secret": "cs_made_up_secret_0001",
            "hook_secret": "made-up-hook-secret",
        },
        "places": {},
    }

    def started(self) -> None:
        """An empty shop."""
        given = {**self.CHANNEL["secrets"], **self.CHANNEL["settings"], **self.options}
        keys = {given["consumer_key"]: (given["consumer_secret"], True)}
        if "reading_key" in given:
            keys[given["reading_key"]] = (given["reading_secret"], False)
        self._given = given
        self.currency = given["currency"]
        self.mixed = given.get("mixed", "yes") == "yes"
        self.slow_seconds = 0.0
        """How long the host takes for a write; longer than the caller waits, its answer is lost."""
        self.blocked_until = 0
        self._recent: deque[int] = deque()
        self._burst = int(given.get("burst", "0"))
        self.doorkeeper = Doorkeeper(keys, self.clock)
        self._deaf = False
        offset = round(float(given.get("utc_offset_hours", "1")) * 3600)
        home = given.get("home", HOME)
        tax = int(given.get("tax_percent", "25"))
        self.catalogue = Catalogue(self._now, self._happened)
        gateways = frozenset({SHIPPING_GATEWAY})
        self.orders = Orders(self.catalogue, tax, given["prices_tax"] == "included", gateways, self._happened)
        self.webhooks = Webhooks(home, offset, self._now, self._show)
        self.products = ProductApi(self.catalogue, home, offset, tax, lambda: self._deaf, self.worked_off)
        self.order_api = OrderApi(self.orders, home, offset, self.currency)
        self._gateways: dict[str, bool] = {"cod": False, "bacs": False}
        taxed = "yes" if given["prices_tax"] == "included" else "no"
        self._told = {"general/woocommerce_currency": self.currency, "tax/woocommerce_prices_include_tax": taxed}
        self.outbox = Outbox(self.webhooks.build, OUTBOX_MAX)

    def _now(self) -> int:
        return self.clock.now() // 1_000_000

    # the host

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """As a transport does; a slow host has done its work when the caller has long gone."""
        if self.slow_seconds and self.is_write(request):
            if self.slow_seconds >= deadline_seconds:
                self.clock.sleep(deadline_seconds)
                self.faults.lose_answer_next += 1
            else:
                self.clock.sleep(self.slow_seconds)
        return super().send(request, deadline_seconds, answer_bytes_max)

    def _turned_away(self) -> Response | None:
        now = self.clock.now()
        if self._burst:
            while self._recent and self._recent[0] <= now - BURST_SECONDS * 1_000_000:
                self._recent.popleft()
            self._recent.append(now)
            if len(self._recent) > self._burst:
                self.blocked_until = now + BLOCK_SECONDS * 1_000_000
        return Response(403, {"content-type": "text/html"}, BLOCKED) if now < self.blocked_until else None

    def throttled(self, retry_after: str | None) -> Response:
        """A host's own words: the shop itself has no limit."""
        headers = {"content-type": "text/html", **({"retry-after": retry_after} if retry_after else {})}
        return Response(429, headers, b"<html><body>429 Too Many Requests</body></html>")

    def stop_telling(self) -> None:
        """Its own doing after failures in a row: the webhooks are kept and no longer active."""
        self._subscribed()
        for hook in self.webhooks.kept.values():
            hook.status = "disabled"

    def unauthorized(self) -> Response:
        """A key that was revoked."""
        return RestError("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 401).answer()

    # the platform seen from outside

    def is_write(self, request: Request) -> bool:
        return request.method not in READS

    def lists(self, request: Request) -> bool:
        room = request.path.partition(BASE)[2].strip("/")
        return request.method == "GET" and room in ("products", "orders") and not {"include", "search"} & set(request.query)

    def subscribes(self, request: Request) -> bool:
        return "/webhooks" in request.path

    def route(self, request: Request) -> Response:
        """Everything under /wp-json/wc/v3; the shop may lie in a folder of its site."""
        away = self._turned_away()
        if away is not None:
            return away
        _, found, path = request.path.partition(BASE)
        try:
            if not found and request.path.rstrip("/").endswith("/wp-json") and request.method == "GET":
                return json_response({"name": self._given.get("title", "Made shop"), "namespaces": ["wc/v3"]})
            if not found:
                raise no_route()
            self.doorkeeper.admit(request)
            query = request.query
            later = query.get("offset", "0") != "0" or query.get("page", "1") != "1"
            if self.faults.cut_next > 0 and request.method == "GET" and later:
                self.faults.cut_next -= 1
                self.faults.spend("cut")
                return Response(500, {}, b"internal error")
            body = json_body(request) if request.method in ("POST", "PUT", "PATCH") else {}
            answer = self._routed(request.method, path.strip("/").split("/"), query, body)
        except RestError as refused:
            answer = refused.answer()
        date = format_datetime(moment(self._now() * 1_000_000).astimezone(dt.UTC), usegmt=True)
        return Response(answer.status, {**answer.headers, "date": date}, bare(answer.body))

    def _routed(self, method: str, parts: list[str], query: Mapping[str, str], body: Row) -> Response:
        room, rest = parts[0], parts[1:]
        if room == "products":
            return self.products.answer(method, rest, query, body)
        if room == "orders":
            return self.order_api.answer(method, rest, query, body)
        if room == "webhooks":
            self._subscribed()
            return self.webhooks.answer(method, rest, query, body)
        if room == "settings" and method == "GET" and "/".join(rest) in self._told:
            return json_response({"id": rest[1], "value": self._told["/".join(rest)], "group_id": rest[0]})
        if room == "refunds" and method == "GET" and not rest:
            return self.order_api.all_refunds(query)
        if room == "payment_gateways" and len(rest) == 1 and rest[0] in self._gateways and method in ("GET", "PUT", "POST"):
            self._gateways[rest[0]] = bool(body.get("enabled", self._gateways[rest[0]]))
            return json_response(gateway(rest[0], self._gateways[rest[0]], self._given.get("home", HOME)))
        raise no_route()

    # deliveries

    def _happened(self, topic: str, ident: int) -> None:
        if self._deaf:
            return
        self._subscribed()
        self.webhooks.happened(topic, ident)

    def _subscribed(self) -> None:
        """Whoever runs the world and gives an address has subscribed everything to it long ago."""
        if self.hook_url and not any(hook.url == self.hook_url for hook in self.webhooks.kept.values()):
            for topic in TOPICS:
                self.webhooks.add(f"Samklang {topic}", topic, self.hook_url, self._given["hook_secret"])

    def _show(self, resource: str, ident: int) -> Row | None:
        if resource == "order":
            order = self.orders.kept.get(ident)
            return self.order_api.show(order) if order is not None else None
        product = self.catalogue.products.get(ident)
        return self.products.show(product) if product is not None else None

    def delivered(self, delivery: Request, status: int) -> None:
        """What the address answered to a delivery: seven failures in a row switch its webhook off."""
        self.webhooks.answered(delivery, status)

    # taking back

    def whole_state(self) -> Plain:
        """What the shop holds; ids that were used stay used whatever it is."""
        return self.catalogue.products, self.catalogue.children, self.catalogue.by_sku, self.orders.kept

    def put_state(self, state: Plain) -> None:
        """Something else in its place."""
        self.catalogue.products, self.catalogue.children, self.catalogue.by_sku, self.orders.kept = state

    def ignored(self, request: Request) -> Response:
        """The success-shaped answer of a write that changes nothing: what is still there, and nobody is told."""
        kept, told = self.snapshot(), self.webhooks.waiting()
        self._deaf = True
        try:
            answer = self.route(request)
            self.restore(kept)
            if request.path.partition(BASE)[2].startswith("/orders/") and request.method == "PUT" and answer.status == 200:
                answer = json_response(self.order_api.show(self.orders.kept[int(request.path.rsplit("/", 1)[1])]))
        finally:
            self._deaf = False
            self.webhooks.forget(told)
        return answer
