"""A WooCommerce connector wired to its sandbox through the transport seam, for the tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rig import Kept, manifest_of

from connectors.woocommerce.connector import WooCommerce
from connectors.woocommerce.sandbox import Sandbox
from hub.canonical.json import read_json
from hub.canonical.order import conserved
from hub.clock import ManualClock
from hub.flow import Change, Key, Receipt
from hub.mapping.mappings import Mappings, load_mappings
from hub.sdk.client import Client
from hub.sdk.contract import ChannelContext, Delivery, Page, ReadAsk, Verdict
from hub.sdk.pace import Bucket
from hub.sdk.wire import Request

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "connectors" / "woocommerce"
HOOK = "https://hub.test/hooks/webshop"
START = 1_795_286_400_000_000
"""2026-11-21T18:40:00Z."""


def shared() -> Path:
    """The folder of specifications and recorded samples; skips where there is none."""
    folder = Path(os.environ.get("SAMKLANG_SHARED") or ROOT.parent / "shared")
    if not (folder / "samples" / "woocommerce").is_dir():
        pytest.skip("no shared folder with WooCommerce's recorded samples (set SAMKLANG_SHARED)")
    return folder


class Wire(Kept):
    """The line to the sandbox."""

    def paths(self) -> list[str]:
        """Method and path of each request so far, below the API's own root."""
        return [f"{one.method} {one.path.partition('/wp-json/wc/v3/')[2]}" for one in self.requests]


class Rig:
    """One shop, one channel."""

    def __init__(
        self,
        *,
        base_url: str = "https://shop.test",
        settings: Mapping[str, str] = {},
        secrets: Mapping[str, str] = {},
        **options: str,
    ) -> None:
        self.clock = ManualClock(START)
        self.sandbox = Sandbox(self.clock, **options)
        self.wire = Wire(self.sandbox)
        self.manifest = manifest_of("woocommerce")
        defaults = {name: one.default for name, one in self.manifest.settings.items() if one.default is not None}
        self.settings = {**defaults, **Sandbox.CHANNEL["settings"], **settings}
        self.client = Client(
            channel="webshop",
            transport=self.wire,
            clock=self.clock,
            base_url=base_url,
            bucket=Bucket.full(self.manifest.pace.per_second, self.manifest.pace.burst, self.clock.now()),
            deadline_seconds=float(self.manifest.limits.deadline_seconds),
        )
        given = {**Sandbox.CHANNEL["secrets"], **secrets}
        self.context = ChannelContext("webshop", self.settings, given, self.client, self.clock, lambda name, said: said)
        self.connector = WooCommerce(self.manifest, self.context)
        self.mappings: Mappings = load_mappings([ROOT / "mappings"], "woocommerce", settings=self.settings)

    def again(self) -> None:
        """The connector after a restart: it remembers nothing."""
        self.connector = WooCommerce(self.manifest, self.context)

    def read(self, stream: str = "items", cursor: str = "", *, full: bool = False, page_max: int = 100) -> tuple[list[Any], str]:
        """All records of a reading to its end, and the cursor that it leaves."""
        records: list[Any] = []
        for _ in range(1000):
            page = self.connector.read(stream, ReadAsk(cursor, full or not cursor, page_max, self.clock.now()))
            records += self.records(page, stream)
            cursor = page.cursor
            if not page.more:
                return records, cursor
        raise AssertionError("the reading never ended")

    def records(self, page: Page, stream: str = "items") -> list[Any]:
        """The page's records, found as the manifest says."""
        return list(read_json(page.body)[self.manifest.streams[stream].records])

    def seen(self, entity: str, records: list[Any]) -> dict[str, dict[str, Any]]:
        """What the mappings understand, by listing."""
        return {one["listing"]: one for record in records for one in self.mappings.understand(entity, record)}

    def look(self, entity: str, *ids: str) -> dict[str, dict[str, Any]]:
        """What a look-up of these listings tells, by listing."""
        return self.seen(entity, self.records(self.connector.look_up("items", ids)))

    def send(self, aspect: str, wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, Receipt]:
        """Send these values by listing, with the references that the mapping gives; receipts by listing."""
        items = self.look("item", *[listing for listing in wanted if listing.isdigit()])
        changes = [
            Change(
                f"change {listing}",
                Key("webshop", listing, aspect),
                "item",
                None,
                dict(after),
                {name: str(value) for name, value in items.get(listing, {}).get("refs", {}).items()},
                self.clock.now(),
            )
            for listing, after in wanted.items()
        ]
        return {receipt.change.split()[1]: receipt for receipt in self.connector.send(aspect, changes)}

    def send_stock(self, figures: Mapping[str, int]) -> dict[str, Receipt]:
        """Send quantities (pieces) by listing."""
        return self.send("stock", {listing: {"sellable": n * 1000, "raw": n * 1000} for listing, n in figures.items()})

    def send_price(self, amounts: Mapping[str, str], currency: str = "DKK", tax: str = "included") -> dict[str, Receipt]:
        """Send prices by listing."""
        return self.send("price", {one: {"amount": amount, "currency": currency, "tax": tax} for one, amount in amounts.items()})

    def order(self, ident: str) -> dict[str, Any]:
        """The canonical record of one order, its money conserved."""
        (record,) = self.records(self.connector.look_up("orders", [ident]), "orders")
        (order,) = self.mappings.understand("order", record)
        return conserved(order)

    def told(self, fact: str, order: str, parts: Mapping[str, int], **more: Any) -> Change:
        """The change that tells a fact of an order; `parts` in pieces by SKU (or by line id)."""
        lines = {line["sku"]: line["line"] for line in self.order(order)["lines"]} if order in self.sandbox.orders_shown() else {}
        told = [{"line": lines.get(sku, sku), "quantity": pieces * 1000} for sku, pieces in parts.items()]
        after = {"fact": fact.partition(":")[0], "their": order, "number": f"WEB-{order}", "parts": told, **more}
        return Change(f"change {fact}", Key("webshop", "ours-1", "order", fact), "ours-1", None, after, {}, self.clock.now())

    def fact(self, fact: str, order: str, parts: Mapping[str, int], **more: Any) -> Receipt:
        """Tell it; the receipt."""
        (receipt,) = self.connector.send("order", [self.told(fact, order, parts, **more)])
        return receipt

    def found(self, fact: str, order: str, parts: Mapping[str, int], **more: Any) -> Receipt:
        """What the shop's records say of this fact."""
        (receipt,) = self.connector.find("order", [self.told(fact, order, parts, **more)])
        return receipt

    def verify(self, delivery: Request) -> Verdict:
        """The connector's verdict on a delivery."""
        return self.connector.verify(as_delivery(delivery))


def as_delivery(request: Request) -> Delivery:
    """A request as the receiver hands it over."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Delivery(request.method, request.url, headers, request.query, request.body)


def deliveries(sandbox: Sandbox) -> list[Request]:
    """Everything that is under way, taken out."""
    found = []
    while sandbox.outbox:
        found.append(sandbox.outbox.popleft())
    return found


def topics(told: Sequence[Request]) -> list[str]:
    """The topics of these deliveries, in the order in which they come."""
    return [one.headers.get("x-wc-webhook-topic", "ping") for one in told]
