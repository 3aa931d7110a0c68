"""A Vendure connector wired to its sandbox through the transport seam, for the tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rig import Kept, manifest_of

from connectors.vendure.connector import VendureConnector
from connectors.vendure.sandbox import Sandbox
from hub.canonical.json import read_json
from hub.canonical.order import conserved
from hub.clock import ManualClock
from hub.flow import Change, Key, Receipt
from hub.mapping.mappings import Mappings, load_mappings
from hub.sdk.client import Client
from hub.sdk.contract import ChannelContext, Page, ReadAsk
from hub.sdk.pace import Bucket

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "connectors" / "vendure"
BASE_URL = "http://shop.test"
START = 1_790_000_000_123_000


def shared() -> Path:
    """The folder of specifications and recorded samples; skips where there is none."""
    folder = Path(os.environ.get("SAMKLANG_SHARED", ROOT.parent / "shared"))
    if not (folder / "specs" / "vendure").is_dir():
        pytest.skip("no shared folder with Vendure's specification (set SAMKLANG_SHARED)")
    return folder


class Wire(Kept):
    """The line to the sandbox."""

    def documents(self) -> list[dict[str, Any]]:
        """The GraphQL requests so far."""
        return [request.json() for request in self.requests]


class Rig:
    """One shop, one channel."""

    def __init__(self, *, settings: Mapping[str, str] = {}, secrets: Mapping[str, str] | None = None, **options: str) -> None:
        self.clock = ManualClock(START)
        self.sandbox = Sandbox(self.clock, **options)
        self.sandbox.hook_url = "http://hub.test/hooks/webshop"
        self.wire = Wire(self.sandbox)
        self.manifest = manifest_of("vendure")
        self.settings = {**Sandbox.CHANNEL["settings"], **settings}
        given = dict(Sandbox.CHANNEL["secrets"]) if secrets is None else dict(secrets)
        client = Client(
            channel="webshop",
            transport=self.wire,
            clock=self.clock,
            base_url=BASE_URL,
            bucket=Bucket.full(self.manifest.pace.per_second, self.manifest.pace.burst, self.clock.now()),
        )
        context = ChannelContext("webshop", self.settings, given, client, self.clock, lambda name, said: said)
        self.connector = VendureConnector(self.manifest, context)
        self.mappings: Mappings = load_mappings([ROOT / "mappings"], "vendure", settings=self.settings)

    def stocked(self, items: int) -> list[str]:
        """That many items TEE-001… with 10 pieces each, a second apart; their listing ids."""
        made = []
        for number in range(1, items + 1):
            sku = f"TEE-{number:03d}"
            made.append(self.sandbox.add_item(sku, f"Tee {number}", price=Decimal("199.95")))
            self.sandbox.count(sku, 10)
            self.clock.advance(1)
        return made

    def read(self, stream: str, cursor: str = "", *, full: bool = False, page_max: int = 100) -> tuple[list[Any], str]:
        """All records of a reading to its end, and the cursor that it leaves."""
        records: list[Any] = []
        for _ in range(1000):
            page = self.connector.read(stream, ReadAsk(cursor, full, page_max, self.clock.now()))
            records += self.records(page, stream)
            cursor = page.cursor
            if not page.more:
                return records, cursor
        raise AssertionError("the reading never ended")

    def records(self, page: Page, stream: str = "items") -> list[Any]:
        """The page's records, found as the manifest says."""
        found = read_json(page.body)
        for name in self.manifest.streams[stream].records.split("."):
            found = found[name]
        return list(found)

    def seen(self, entity: str, records: list[Any]) -> dict[str, dict[str, Any]]:
        """What the mappings understand, by listing."""
        return {one["listing"]: one for record in records for one in self.mappings.understand(entity, record)}

    def send_stock(self, figures: Mapping[str, int], place_ref: str = "") -> dict[str, Receipt]:
        """Send stock on hand (pieces) by listing; receipts by listing."""
        changes = [
            self._change(listing, "stock", {"sellable": n * 1000, "raw": n * 1000}, place_ref) for listing, n in figures.items()
        ]
        return {receipt.change.split()[1]: receipt for receipt in self.connector.send("stock", changes)}

    def send_price(self, amounts: Mapping[str, str], currency: str = "DKK", tax: str = "included") -> dict[str, Receipt]:
        """Send prices by listing; receipts by listing."""
        changes = [
            self._change(listing, "price", {"amount": amount, "currency": currency, "tax": tax}, "")
            for listing, amount in amounts.items()
        ]
        return {receipt.change.split()[1]: receipt for receipt in self.connector.send("price", changes)}

    def order(self, ident: str) -> dict[str, Any]:
        """The canonical record of one order, its money conserved."""
        (record,) = self.records(self.connector.look_up("orders", [ident]), "orders")
        (order,) = self.mappings.understand("order", record)
        return conserved(order)

    def told(self, fact: str, order: str, parts: Mapping[str, int], **more: Any) -> Change:
        """The change that tells a fact of an order; `parts` in pieces by SKU (or by line id)."""
        lines = {line["sku"]: line["line"] for line in self.order(order)["lines"]} if order in self.sandbox.orders_shown() else {}
        told = [{"line": lines.get(sku, sku), "quantity": pieces * 1000} for sku, pieces in parts.items()]
        after = {"fact": fact.partition(":")[0], "their": order, "parts": told, **more}
        return Change(f"change {fact}", Key("webshop", "ours-1", "order", fact), "ours-1", None, after, {}, self.clock.now())

    def fact(self, fact: str, order: str, parts: Mapping[str, int], **more: Any) -> Receipt:
        """Tell it; the receipt."""
        (receipt,) = self.connector.send("order", [self.told(fact, order, parts, **more)])
        return receipt

    def _change(self, listing: str, aspect: str, after: dict[str, Any], place_ref: str) -> Change:
        now = self.clock.now()
        return Change(f"change {listing}", Key("webshop", listing, aspect), "item", None, after, {}, now, place_ref, now)
