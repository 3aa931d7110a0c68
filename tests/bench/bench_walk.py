"""The walk's throughput: distinct stock events from the inbox to intended changes, on four channels with 10,000 items.

A till's signed deliveries are verified and put into the inbox; CPU time counts from there until the webshop's and the social
shop's changes are intended in a real SQLite file. Neither the platforms nor the pushing are part of it.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

from hub.app import Hub, build
from hub.clock import Clock, SystemClock
from hub.flow import Door, Envelope, Key, Observation
from hub.sdk.contract import Delivery
from hub.sdk.registry import Registry
from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import Request
from hub.settings.load import load_text
from hub.store import catalogue, changes, cursors, inbox, targets
from hub.store.catalogue import Binding, Item, StoredClaim
from hub.store.cursors import Reading
from hub.store.database import Tx
from hub.store.sqlite import SqliteDatabase
from hub.store.targets import StoredObservation
from hub.store.vault import Vault

ITEMS = 10_000
ROUNDS = 5
EVENTS = 10_000
BATCH = 500
HOOK = "https://hub.example/hooks/till"

CHANNEL = "channel: {name}\nconnector: {connector}\nrole: {role}\nmode: live\nbase_url: https://{name}.example\n"
FILES = {
    "hub.yaml": "name: bench\n",
    "locations.yaml": 'aarhus: {channels: {till: LAARHUS000001}}\nwarehouse: {channels: {erp: "3"}}\n',
    "authority.yaml": """
items: [{channel: erp}]
stock:
  - {channel: till, covers: [aarhus], contains: ["till:*"]}
  - {channel: erp, covers: [warehouse]}
prices: [{channel: erp, list: retail}]
""",
    "pricing.yaml": """
lists: {retail: {currency: DKK, tax: excluded, country: DK}}
taxes: {DK: 25}
channels:
  till: {list: retail, tax: included}
  webshop: {list: retail, tax: included}
  social: {list: retail, tax: included}
""",
    "channels/till.yaml": CHANNEL.format(name="till", connector="square", role="pos")
    + 'secrets: {access_token: "env:X", signature_key: "env:X"}\n',
    "channels/erp.yaml": CHANNEL.format(name="erp", connector="tryton", role="erp")
    + 'settings: {database: shop, username: hub, currency: DKK}\nsecrets: {password: "env:X"}\n',
    "channels/webshop.yaml": CHANNEL.format(name="webshop", connector="vendure", role="webshop")
    + 'settings: {stock_location: "1", currency: DKK, prices_tax: included, username: superadmin}\n'
    'secrets: {password: "env:X", hook_secret: "env:X"}\nsells_from: [aarhus, warehouse]\n',
    "channels/social.yaml": CHANNEL.format(name="social", connector="meta", role="social")
    + 'settings: {catalog_id: "1", currency: DKK, tax: included, condition: new, link_base: "https://shop.example/items/"}\n'
    'secrets: {access_token: "env:X", app_secret: "env:X", verify_token: "env:X"}\nsells_from: [aarhus, warehouse]\n'
    'listing: {offer: all, link: "https://shop.example/items/{sku}", picture: "https://shop.example/pictures/{sku}.jpg"}\n',
}

T = TypeVar("T")


def measure(items: int = ITEMS, events: int = EVENTS, rounds: int = ROUNDS) -> dict[str, float]:
    """`walk_events_per_second` (events ÷ CPU seconds of one core, the median of the rounds) and the microseconds per event."""
    with tempfile.TemporaryDirectory() as folder:
        retailer = Retailer(Path(folder), items)
        try:
            seconds = [retailer.round(events) for _ in range(rounds + 1)][1:]
        finally:
            retailer.hub.database.close()
    return {
        "walk_events_per_second": round(events / statistics.median(seconds)),
        "walk_cpu_micros_per_event": round(statistics.median(seconds) * 1e6 / events, 1),
        "slowest_round_events_per_second": round(events / max(seconds)),
        "fastest_round_events_per_second": round(events / min(seconds)),
        "changes_per_event": 2.0,
        "items": float(items),
        "events": float(events * rounds),
    }


class Retailer:
    """A hub that knows every item on four channels, all of them in agreement, and the till that speaks to it."""

    def __init__(self, folder: Path, items: int) -> None:
        clock, registry = SystemClock(), Registry([])
        config = load_text(FILES, str(folder))
        kinds = {name: registry.sandbox_class(settings.connector) for name, settings in config.channels.items()}
        secrets: dict[str, dict[str, str]] = {name: dict(kind.CHANNEL["secrets"]) for name, kind in kinds.items()}  # type: ignore[attr-defined]
        self.till = cast(Any, kinds["till"](clock))
        self.skus = [f"SKU-{number:05}" for number in range(items)]
        for number, sku in enumerate(self.skus):
            self.till.add_item(sku, f"T-shirt number {number}", price=Decimal("199.95"))
            self.till.count(sku, 100_000)
        database = SqliteDatabase(folder / "hub.db", threaded=False)
        vault = Vault({"benchkey": b"k" * 32}, "benchkey", clock.bytes)
        database.transaction(lambda tx: self._describe(tx, clock))
        nobody = SandboxBase(clock)
        self.hub = build(config, clock, lambda _: nobody, database, vault, registry=registry, secrets=secrets)
        self.till.hook_url = HOOK
        self.hub.walk.mark_all()
        self._walk()
        shown = self._agree()
        expected = {"till": 1, "erp": 0, "webshop": 2, "social": 3}
        assert shown == {name: count * items for name, count in expected.items() if count}, shown

    def round(self, events: int) -> float:
        """So many sales at the till, each of another item: CPU seconds from the inbox to the intended changes."""
        for number in range(events):
            self.till.sell(self.skus[number % len(self.skus)], 1 + number % 3)
        self._receive()
        # The small till lives in this process only here: its thousands of objects are not for the hub's collector to visit.
        gc.collect()
        gc.freeze()
        before = time.process_time()
        self._walk()
        spent = time.process_time() - before
        found = self.hub.database.read(changes.counts)
        assert found == {("webshop", "intended"): events, ("social", "intended"): events}, found
        self._agree()
        return spent

    def _walk(self) -> None:
        while self.hub.walk.step():
            pass

    def _receive(self) -> None:
        """Every delivery of the till, verified, into the inbox."""
        hub, verify = self.hub, self.hub.channels["till"].connector.verify
        # receipts are orders: what is measured here are stock events
        counts = [each for each in self.till.outbox if b"inventory.count.updated" in each.body]
        self.till.outbox.clear()
        self.till.outbox.extend(counts)
        while self.till.outbox:
            posted: list[Request] = [self.till.outbox.popleft() for _ in range(min(BATCH, len(self.till.outbox)))]
            numbers, arrivals = hub.database.next_block(len(posted)), []
            for seq, request in zip(numbers, posted, strict=True):
                headers = {name.lower(): value for name, value in request.headers.items()}
                said = verify(Delivery(request.method, request.url, headers, request.query, request.body))
                envelope = Envelope(
                    seq, "till", Door.HOOK, "", said.topic, hub.clock.now(), request.body, said.delivery_id, 0, seq
                )
                arrivals.append(inbox.Arrival(envelope))
            hub.database.transaction(lambda tx, new=arrivals: inbox.store(tx, hub.vault, new))  # type: ignore[misc]

    def _describe(self, tx: Tx, clock: Clock) -> None:
        """Items, listings, figures and prices as a first reading of all channels leaves them."""
        now = clock.now()
        variations = {sku: self.till.skus[sku] for sku in self.skus}
        catalogue.save_items(tx, [Item(f"item-{sku}", sku, title=f"T-shirt {sku}", created_at=now) for sku in self.skus])
        for number, sku in enumerate(self.skus):
            listings = {"till": variations[sku], "erp": str(number), "webshop": str(number), "social": sku}
            bound = [
                Binding(name, listing, f"item-{sku}", "bound", sku, made_by="sku", made_at=now, sweep=1)
                for name, listing in listings.items()
            ]
            catalogue.save_bindings(tx, bound)
            said = {
                ("erp", "item", ""): {"sku": sku, "title": f"T-shirt {sku}", "state": "active", "kind": "stocked"},
                ("erp", "stock", "warehouse"): {"on_hand": 40_000},
                ("erp", "price", "retail"): {"amount": "159.96", "currency": "DKK", "tax": "excluded"},
                ("till", "stock", "aarhus"): {"on_hand": 100_000_000},
            }
            claims = [
                StoredClaim(name, listings[name], aspect, place, value, int(name == "till"), now, 1, number)
                for (name, aspect, place), value in said.items()
            ]
            catalogue.save_claims(tx, claims)
        for name in ("till", "erp", "webshop", "social"):
            for stream in ("items", "stock"):
                cursors.save(tx, Reading(name, stream, "sweep", "end", now, number=1, completed_at=now))
                cursors.checked(tx, name, stream, 1)

    def _agree(self) -> dict[str, int]:
        """Every channel shows what it should, as if all changes were pushed; gives how many targets each has."""
        hub = self.hub
        counted: dict[str, int] = {}
        for name in hub.channels:
            wanted = hub.database.read(lambda tx, channel=name: targets.targets_in(tx, channel))  # type: ignore[misc]
            seen = [_acknowledged(key, stored.target.value, hub) for key, stored in wanted.items()]
            for part in _parts(seen, 10_000):
                hub.database.transaction(lambda tx, rows=part: targets.save_observations(tx, rows))  # type: ignore[misc]
            hub.database.transaction(lambda tx, keys=list(wanted): changes.withdraw(tx, keys))  # type: ignore[misc]
            if wanted:
                counted[name] = len(wanted)
        return counted


def _acknowledged(key: Key, value: Any, hub: Hub) -> StoredObservation:
    shows = {**value, "raw": value["sellable"]} if "sellable" in value else value
    number = hub.database.next()
    return StoredObservation(Observation(key, shows, False, 0, number, number, hub.clock.now(), 0))


def _parts(rows: Sequence[T], size: int) -> Iterator[list[T]]:
    left = iter(rows)
    while part := list(islice(left, size)):
        yield part


if __name__ == "__main__":
    if sys.argv[1:2] == ["profile"]:
        import cProfile
        import pstats

        with tempfile.TemporaryDirectory() as place:
            known = Retailer(Path(place), ITEMS)
            known.round(EVENTS)
            profile = cProfile.Profile()
            walk = known._walk

            def profiled() -> None:
                profile.enable()
                walk()
                profile.disable()

            known._walk = profiled  # type: ignore[method-assign]
            known.round(EVENTS)
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    else:
        print(json.dumps(measure(), indent=2))
