"""Orders from the webshop's deliveries to the ERP's sales: the hub between two platforms in small, against the ERP's bare rate.

Paid orders of different people wait as signed deliveries. CPU time counts from their verification until every order is a sale in
processing in the ERP and the hub rests; the platforms in small are part of it. The bare rate is that of the same sales, sent in
the same batches by the connector to another such ERP, without a hub.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, cast

from hub.app import Hub, build, channel_of
from hub.canonical.values import Plain
from hub.clock import ManualClock
from hub.flow import Change, Outcome
from hub.sdk.contract import Delivery
from hub.sdk.registry import Registry
from hub.settings.load import load_text
from hub.store import changes, letters, orders
from hub.store.parties import Parties
from hub.store.sqlite import SqliteDatabase
from hub.store.vault import Vault

ORDERS = 300
ROUNDS = 3
ITEMS = 100
STOCK = 100_000
HOOK = "https://hub.example/hooks/webshop"
SHIPPING = "SHIPPING"

CHANNEL = """
channel: {name}
connector: {connector}
role: {role}
mode: live
base_url: https://{name}.example
orders_since: "2020-01-01"
"""
REST = "{poll_seconds: 3600, sweep_seconds: 86400}"
RHYTHM = f"streams: {{items: {REST}, stock: {REST}, orders: {REST}}}\n"
FILES = {
    "hub.yaml": "name: bench\n",
    "locations.yaml": 'warehouse: {channels: {erp: "3"}}\n',
    "authority.yaml": """
items: [{channel: erp}]
stock: [{channel: erp, covers: [warehouse], contains: ["own:shipped"], demand: read}]
prices: [{channel: erp, list: retail}]
""",
    "pricing.yaml": """
lists: {retail: {currency: DKK, tax: excluded, country: DK}}
taxes: {DK: 25}
channels: {webshop: {list: retail, tax: included}}
guards: {new_orders_max: 1000000}
""",
    "channels/erp.yaml": CHANNEL.format(name="erp", connector="tryton", role="erp")
    + 'settings: {database: shop, username: hub, currency: DKK}\nsecrets: {password: "env:X"}\n'
    'orders: {take_in: true, export_from: [webshop], suspense_payment: web, taxes: {"25": "1"}, items: {shipping: SHIPPING}}\n'
    + RHYTHM,
    "channels/webshop.yaml": CHANNEL.format(name="webshop", connector="vendure", role="webshop")
    + 'settings: {stock_location: "1", currency: DKK, prices_tax: included, username: superadmin}\n'
    'secrets: {password: "env:X", hook_secret: "env:X"}\nsells_from: [warehouse]\norders: {take_in: true, prefix: WEB}\n'
    + RHYTHM,
}


def measure(count: int = ORDERS, rounds: int = ROUNDS) -> dict[str, float]:
    """`orders_per_second` (orders ÷ CPU seconds of one core, the median of the rounds), the bare rate, and their ratio."""
    seconds, bare = [], []
    for number in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            retailer = Retailer(Path(folder), number)
            try:
                # The first round warms both up.
                seconds.append(retailer.round(count if number else 20))
                bare.append(retailer.alone())
            finally:
                retailer.hub.database.close()
    through, alone = statistics.median(seconds[1:]), statistics.median(bare[1:])
    return {
        "orders_per_second": round(count / through, 1),
        "orders_bare_per_second": round(count / alone, 1),
        "orders_vs_bare": round(alone / through, 3),
        "order_cpu_millis": round(through * 1e3 / count, 2),
        "order_bare_cpu_millis": round(alone * 1e3 / count, 2),
        "orders_slowest_round_per_second": round(count / max(seconds[1:]), 1),
        "orders": float(count * rounds),
    }


class Retailer:
    """A webshop, an ERP and the hub that knows both; nothing is under way. `seed` makes it another one."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.clock, self.registry = ManualClock(seed=seed), Registry([])
        self.config = load_text(FILES, str(folder))
        self.kinds: dict[str, Any] = {
            name: self.registry.sandbox_class(settings.connector) for name, settings in self.config.channels.items()
        }
        self.secrets = {name: dict(kind.CHANNEL["secrets"]) for name, kind in self.kinds.items()}
        self.skus = [f"SKU-{number:05}" for number in range(ITEMS)]
        self.shop, self.erp = self._stocked("webshop", self.clock), self._stocked("erp", self.clock)
        self.shop.hook_url = HOOK
        self.vault = Vault({"benchkey": b"k" * 32}, "benchkey", self.clock.bytes)
        database = SqliteDatabase(folder / "hub.db", threaded=False)
        platforms = {"webshop": self.shop, "erp": self.erp}
        self.hub: Hub = build(
            self.config, self.clock, lambda settings: cast(Any, platforms[settings.channel]), database, self.vault,
            registry=self.registry, secrets=self.secrets,
        )  # fmt: skip
        self.sent: list[list[Change]] = []
        self._note_what_is_sent()
        self.work()
        for _ in range(3):
            self.clock.advance(30)
            self.work()
        assert {one["stock"]["1"] for sku, one in self.shop.shown().items() if sku in self.skus} == {STOCK}

    def round(self, count: int) -> float:
        """So many orders of two or three lines, each of another person: CPU seconds until they are sales and the hub rests."""
        for number in range(count):
            wanted = {self.skus[(number * 7 + step * 31) % ITEMS]: 1 + step for step in range(2 + number % 2)}
            own = {"id": str(number + 1), "name": f"Made Buyer {number}", "email": f"made.{number}@shop.example"}
            lives = {"street": f"Made Street {number}", "city": "Made Town", "postal_code": "1000", "country": "DK"}
            self.shop.order(wanted, customer={**own, **lives}, shipping=Decimal("39.00"))
        gc.collect()
        gc.freeze()
        spent = self._timed(self._until_booked)
        gc.unfreeze()
        sales = self.erp.orders_shown()
        assert [sale["state"] for sale in sales.values()] == ["processing"] * count, "not every order is one sale"
        assert len({sale["reference"] for sale in sales.values()}) == count
        assert self.hub.database.read(changes.counts) == {}
        assert self.hub.database.read(letters.open_letters) == []
        return spent

    def alone(self) -> float:
        """The CPU seconds in which the connector makes the same sales in another ERP of the same goods."""
        persons = self._persons()
        erp = self._stocked("erp", self.clock)
        channel = channel_of(
            self.config, "erp", self.clock, lambda _: cast(Any, erp), self.registry, self.secrets["erp"], persons.__getitem__
        )
        wrong: list[str] = []

        def send() -> None:
            for batch in self.sent:
                receipts = channel.connector.send("order", batch)
                wrong.extend(each.words for each in receipts if each.outcome is not Outcome.APPLIED)

        spent = self._timed(send)
        assert wrong == []
        assert len(erp.orders_shown()) == len(self.erp.orders_shown())
        return spent

    def work(self) -> None:
        """Let the hub work until nothing is due at this moment."""
        self._deliver()
        self.hub.settle()

    def _until_booked(self) -> None:
        self.work()
        while self.hub.database.read(changes.counts) or not self.sent:
            self.clock.advance(max(0.001, (self.hub.next_at() - self.clock.now()) / 1_000_000))
            self.work()

    def _deliver(self) -> None:
        """Every delivery, verified, into the inbox."""
        verify = self.hub.channels["webshop"].connector.verify
        while posted := [self.shop.outbox.popleft() for _ in islice(range(100), len(self.shop.outbox))]:
            for request in posted:
                headers = {name.lower(): value for name, value in request.headers.items()}
                said = verify(Delivery(request.method, request.url, headers, request.query, request.body))
                self.hub.walk.receive("webshop", said.topic, said.delivery_id, request.body)

    def _stocked(self, name: str, clock: ManualClock) -> Any:
        platform = self.kinds[name](clock)
        for sku in self.skus:
            platform.add_item(sku, f"T-shirt {sku}", price=Decimal("159.96"))
            if name == "erp":
                platform.count(sku, STOCK, "3")
        if name == "erp":
            platform.add_intangible(SHIPPING, "Shipping")
        return platform

    def _note_what_is_sent(self) -> None:
        connector = cast(Any, self.hub.channels["erp"].connector)
        send = connector.send

        def noted(aspect: str, chosen: list[Change]) -> Any:
            self.sent += [chosen] if aspect == "order" else []
            return send(aspect, chosen)

        connector.send = noted

    def _persons(self) -> Mapping[str, Mapping[str, Plain]]:
        parties = Parties(self.vault, self.clock)
        known = self.hub.database.read(lambda tx: orders.latest(tx, sum(map(len, self.sent)) + 1))
        return {each.order: self.hub.database.read(lambda tx, order=each.order: parties.of(tx, order)) for each in known}  # type: ignore[misc]

    def _timed(self, act: Callable[[], None]) -> float:
        before = time.process_time()
        act()
        return time.process_time() - before


def _profile(alone: bool, count: int) -> None:
    import cProfile
    import pstats

    with tempfile.TemporaryDirectory() as folder:
        retailer, profile = Retailer(Path(folder), 1), cProfile.Profile(time.process_time)
        if alone:
            retailer.round(count)
        profile.enable()
        retailer.alone() if alone else retailer.round(count)
        profile.disable()
        pstats.Stats(profile).sort_stats(sys.argv[3] if len(sys.argv) > 3 else "tottime").print_stats(60)


if __name__ == "__main__":
    if sys.argv[1:2] == ["profile"]:
        _profile(sys.argv[2:3] == ["alone"], ORDERS)
    else:
        print(json.dumps(measure(), indent=2))
