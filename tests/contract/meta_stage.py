"""The stage of the catalogue's tests: the connector before its sandbox, through the transport seam, on a clock of its own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rig import Kept

from connectors.meta.connector import FIELDS, Meta
from connectors.meta.sandbox import Sandbox
from hub.clock import ManualClock
from hub.files import read_yaml
from hub.flow import Change, Key, Receipt
from hub.mapping.mappings import Mappings, load_mappings
from hub.sdk.client import Client
from hub.sdk.contract import ChannelContext, Page, ReadAsk
from hub.sdk.manifest import Manifest
from hub.sdk.pace import Bucket

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "connectors" / "meta"
BASE = "https://graph.example/v26.0"
FOLLOWS_MAX = 20


def shared(path: str) -> Path:
    """A file of the shared folder, or the test is skipped with the reason."""
    folder = Path(os.environ.get("SAMKLANG_SHARED") or ROOT.parent / "shared")
    if not (folder / path).exists():
        pytest.skip(f"{path} is not here: set SAMKLANG_SHARED to the folder with the platforms' specifications")
    return folder / path


@dataclass
class Stage:
    """One channel and its catalogue."""

    sandbox: Sandbox
    clock: ManualClock
    meta: Meta
    seen: Kept
    mappings: Mappings

    def read(self, page_max: int = 500, cursor: str = "", full: bool = True) -> list[Page]:
        """Every page of one reading."""
        pages: list[Page] = []
        while True:
            pages.append(self.meta.read("items", ReadAsk(cursor, full, page_max, self.clock.now())))
            cursor = pages[-1].cursor
            if not pages[-1].more:
                return pages

    def records(self, pages: list[Page]) -> list[dict[str, Any]]:
        """The records of the pages as the hub would find them."""
        return [record for page in pages for record in json.loads(page.body)[self.meta.manifest.streams["items"].records]]

    def understood(self, entity: str) -> dict[str, dict[str, Any]]:
        """What the mapping makes of a full reading, by listing."""
        rows = [row for record in self.records(self.read()) for row in self.mappings.understand(entity, record)]
        return {row["listing"]: row for row in rows}

    def send(self, aspect: str, *changes: Change) -> dict[str, Receipt]:
        """Send and follow until every change has its last word, by change id."""
        receipts = {receipt.change: receipt for receipt in self.meta.send(aspect, changes)}
        for _ in range(FOLLOWS_MAX):
            waiting = [receipt.handle for receipt in receipts.values() if receipt.outcome.value == "accepted"]
            if not waiting:
                return receipts
            self.clock.advance(1)
            receipts |= {receipt.change: receipt for receipt in self.meta.follow(aspect, waiting)}
        raise AssertionError("a batch was never finished")

    def meta_fields(self) -> tuple[str, ...]:
        """What the connector asks for of every item."""
        return FIELDS

    def shown(self, sku: str) -> dict[str, Any]:
        """What a customer sees."""
        return self.sandbox.shown()[sku]


def stage(**options: str) -> Stage:
    """A catalogue with three items, and a channel for it."""
    clock = ManualClock()
    sandbox = Sandbox(clock, **options)
    channel = {kind: {**values, **{k: v for k, v in options.items() if k in values}} for kind, values in sandbox.CHANNEL.items()}
    manifest = Manifest.model_validate(read_yaml(FOLDER / "connector.yaml").plain())
    seen = Kept(sandbox)
    bucket = Bucket.full(manifest.pace.per_second, manifest.pace.burst, clock.now())
    client = Client(channel="social", transport=seen, clock=clock, base_url=BASE, bucket=bucket)
    mappings = load_mappings([ROOT / "mappings"], "meta", settings=channel["settings"])
    context = ChannelContext("social", channel["settings"], channel["secrets"], client, clock, mappings.express)
    for sku, title, price in (("A-1", "Kop", "199.95"), ("a-1", "Lille kop", "1299.50"), ("00123", "Fad", "45.00")):
        sandbox.add_item(sku, title, price=Decimal(price))
        sandbox.count(sku, 5)
    return Stage(sandbox, clock, Meta(manifest, context), seen, mappings)


def change(ident: str, listing: str, aspect: str, after: Any, before: Any = None) -> Change:
    """A change as the push station hands it over."""
    return Change(ident, Key("social", listing, aspect), "item", before, after, {}, 1)


def stock(ident: str, listing: str, pieces: int, before: int = 5) -> Change:
    """Show so many pieces where `before` stood."""
    figures = [{"sellable": each * 1000, "raw": each * 1000} for each in (pieces, before)]
    return change(ident, listing, "stock", *figures)


def price(ident: str, listing: str, amount: str, currency: str = "DKK") -> Change:
    """Show this price."""
    return change(ident, listing, "price", {"amount": amount, "currency": currency, "tax": "included"}, {"amount": "1"})


def listing(ident: str, sku: str, before: Any = None, /, **after: Any) -> Change:
    """Show the listing so; without `before` it is made."""
    return change(ident, sku, "listing", after, before)
