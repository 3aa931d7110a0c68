"""A small retailer on one thread: sandboxes behind the transport seam, a clock that moves only when told, a real store.

Tests speak of what customers and merchants see: `shop.shows("A")`, `till.sell(...)`; never of calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.app import Hub, build
from hub.clock import ManualClock
from hub.errors import UnverifiedError
from hub.sdk.contract import Delivery
from hub.sdk.registry import Registry
from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import Request
from hub.settings.load import load_text
from hub.store.sqlite import SqliteDatabase
from hub.store.vault import Vault

HOOKS = "https://hub.example/hooks/"

HUB = "name: test\n"
LOCATIONS = """
aarhus: {title: Shop in Aarhus, channels: {till: LAARHUS000001}}
warehouse: {title: Warehouse, channels: {erp: "3"}}
"""
AUTHORITY = """
items: [{channel: erp}]
stock:
  - {channel: till, covers: [aarhus], contains: ["till:*"]}
  - {channel: erp, covers: [warehouse]}
prices: [{channel: erp, list: retail}]
"""
PRICING = """
lists: {retail: {currency: DKK, tax: excluded, country: DK}}
taxes: {DK: 25}
channels:
  till: {list: retail, tax: included}
  webshop: {list: retail, tax: included}
"""
TILL = """
channel: till
connector: square
role: pos
mode: live
base_url: https://till.example
orders_since: "2020-01-01"
secrets: {access_token: "env:X", signature_key: "env:X"}
streams: {items: {poll_seconds: 60, sweep_seconds: 600}, stock: {poll_seconds: 60, sweep_seconds: 600}}
"""
ERP = """
channel: erp
connector: tryton
role: erp
mode: live
base_url: https://erp.example
orders_since: "2020-01-01"
settings: {database: shop, username: hub, currency: DKK}
secrets: {password: "env:X"}
streams: {items: {poll_seconds: 60, sweep_seconds: 600}, stock: {poll_seconds: 60, sweep_seconds: 600}}
"""
WEBSHOP = """
channel: webshop
connector: vendure
role: webshop
mode: live
base_url: https://webshop.example
orders_since: "2020-01-01"
settings: {stock_location: "1", currency: DKK, prices_tax: included, username: superadmin}
secrets: {password: "env:X", hook_secret: "env:X"}
sells_from: [aarhus, warehouse]
streams: {items: {poll_seconds: 60, sweep_seconds: 600}, stock: {poll_seconds: 0, sweep_seconds: 600}}
"""
FILES = {
    "hub.yaml": HUB,
    "locations.yaml": LOCATIONS,
    "authority.yaml": AUTHORITY,
    "pricing.yaml": PRICING,
    "channels/till.yaml": TILL,
    "channels/erp.yaml": ERP,
    "channels/webshop.yaml": WEBSHOP,
}
SUBSCRIBED = {
    "hub.yaml": "server: {public_url: https://hub.example}\n",
    "channels/webshop.yaml": """
channel: webshop
connector: woocommerce
role: webshop
mode: live
base_url: https://shop.example
settings: {currency: DKK, prices_tax: included}
secrets: {consumer_key: "env:X", consumer_secret: "env:X", hook_secret: "env:X"}
sells_from: [aarhus, warehouse]
streams: {items: {poll_seconds: 600, sweep_seconds: 14400}, orders: {poll_seconds: 600, sweep_seconds: 0}}
""",
}
"""Instead of its webshop one where the hub subscribes itself, and which it seldom reads."""


@dataclass
class Stage:
    """The retailer: its hub, its platforms by channel name, and its clock."""

    hub: Hub
    platforms: dict[str, Any]
    clock: ManualClock
    files: dict[str, str]
    refused: int = 0
    lost: list[Request] = field(default_factory=list)
    rebuild: Callable[[], Hub] | None = None

    def run(self, seconds: float = 0.0) -> None:
        """Let the hub work, deliveries included, and let that much time pass on its clock."""
        end = self.clock.now() + round(seconds * 1_000_000)
        while True:
            self.deliver()
            self.hub.settle()
            if any(platform.outbox for platform in self.platforms.values()):
                continue
            following = self.hub.next_at()
            if following > end:
                break
            self.clock.advance(max(0.001, (following - self.clock.now()) / 1_000_000))
        self.clock.advance(max(0.0, (end - self.clock.now()) / 1_000_000))

    def pass_by(self, seconds: float) -> None:
        """Let time pass in which the machine sleeps, then a minute in which the hub works: for stories that only have to last."""
        self.clock.advance(seconds)
        self.run(60)

    def deliver(self) -> None:
        """Hand every delivery to the hub, verified as the receiver does it."""
        for platform in self.platforms.values():
            while platform.outbox:
                self.post(platform.outbox.popleft())

    def post(self, request: Request) -> bool:
        """Hand one delivery to the hub; False when it is refused."""
        channel = request.url.removeprefix(HOOKS).partition("?")[0]
        headers = {name.lower(): value for name, value in request.headers.items()}
        delivery = Delivery(request.method, request.url, headers, request.query, request.body)
        try:
            verdict = self.hub.channels[channel].connector.verify(delivery)
        except UnverifiedError:
            self.refused += 1
            return False
        self.hub.walk.receive(channel, verdict.topic, verdict.delivery_id, request.body)
        return True

    def lose_deliveries(self) -> int:
        """Throw away all deliveries that are under way; gives how many."""
        count = 0
        for platform in self.platforms.values():
            while platform.outbox:
                self.lost.append(platform.outbox.popleft())
                count += 1
        return count

    def shows(self, channel: str, sku: str) -> int:
        """What may be bought now of this SKU on this channel, in pieces."""
        stock = self.platforms[channel].shown()[sku]["stock"]
        return sum(stock.values())

    def price(self, channel: str, sku: str) -> Decimal:
        """The price that this channel asks."""
        return Decimal(self.platforms[channel].shown()[sku]["price"])

    def writes(self, only: str = "") -> int:
        """How many writing requests all platforms (or one) have seen."""
        asked = [platform for name, platform in self.platforms.items() if only in ("", name)]
        return sum(1 for platform in asked for call in platform.calls if call.writes and "login" not in call.path)

    def letters(self) -> list[Any]:
        """The open dead letters."""
        from hub.store import letters

        return [each.letter for each in self.hub.database.read(letters.open_letters)]

    def restart(self) -> None:
        """The process dies and starts again on the same store."""
        assert self.rebuild is not None
        self.hub = self.rebuild()


def stage(
    tmp_path: Path,
    *,
    files: Mapping[str, str] | None = None,
    without: tuple[str, ...] = (),
    options: Mapping[str, Mapping[str, str]] | None = None,
    seed: int = 0,
) -> Stage:
    """A stage with the platforms of the configuration, empty; add items with the platforms' own hands, then `run`."""
    texts = {name: text for name, text in {**FILES, **(files or {})}.items() if name not in without}
    config = load_text(texts, str(tmp_path))
    clock = ManualClock(seed=seed)
    registry = Registry([])
    platforms: dict[str, SandboxBase] = {}
    secrets: dict[str, dict[str, str]] = {}
    for name, settings in config.channels.items():
        kind = registry.sandbox_class(settings.connector)
        platform = kind(clock, seed, **(options or {}).get(name, {}))
        if registry.manifest(settings.connector).deliveries is not None:
            platform.hook_url = HOOKS + name
        platforms[name] = platform
        secrets[name] = dict(kind.CHANNEL["secrets"])  # type: ignore[attr-defined]
    vault = Vault({"testkey1": b"k" * 32}, "testkey1", clock.bytes)
    database = SqliteDatabase(":memory:", threaded=False)

    def make() -> Hub:
        return build(
            config, clock, lambda settings: platforms[settings.channel], database, vault, registry=registry, secrets=secrets
        )

    made = Stage(make(), platforms, clock, texts)
    made.rebuild = make
    return made


def as_json(value: object) -> str:
    """A value as comparable text."""
    return json.dumps(value, sort_keys=True, default=str)
