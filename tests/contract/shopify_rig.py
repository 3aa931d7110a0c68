"""A Shopify connector wired to its sandbox through the transport seam, for the tests of this folder."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rig import Kept, manifest_of

from connectors.shopify.connector import ShopifyConnector
from connectors.shopify.sandbox import Sandbox
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
FOLDER = ROOT / "connectors" / "shopify"
BASE_URL = "https://made-shop.myshopify.com"
START = 1_790_000_000_000_000
DEPOT, STORE = "70000001", "70000002"
HOOK = "https://hub.example/hooks/webshop"


def specified(name: str) -> Any:
    """A published document of the platform; skips where the shared folder is absent."""
    folder = Path(os.environ.get("SAMKLANG_SHARED", ROOT.parent / "shared")) / "specs" / "shopify"
    if not folder.is_dir():
        pytest.skip("no shared folder with Shopify's specification (set SAMKLANG_SHARED)")
    return _read(folder / name)


@cache
def _read(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


class Wire(Kept):
    """The line to the sandbox."""

    def documents(self) -> list[dict[str, Any]]:
        """The GraphQL requests so far."""
        return [request.json() for request in self.requests if request.path.endswith("graphql.json")]


class Rig:
    """One shop, one channel."""

    def __init__(
        self,
        *,
        settings: Mapping[str, str] = {},
        secrets: Mapping[str, str] | None = None,
        places: Mapping[str, str] | None = None,
        kept: dict[str, str] | None = None,
        **options: str,
    ) -> None:
        self.clock = ManualClock(START)
        self.sandbox = Sandbox(self.clock, 0, **options)
        self.sandbox.hook_url = HOOK
        self.wire = Wire(self.sandbox)
        self.manifest = manifest_of("shopify")
        self.kept = {} if kept is None else kept
        defaults = {name: one.default or "" for name, one in self.manifest.settings.items()}
        self.settings = {**defaults, **Sandbox.CHANNEL["settings"], **settings}
        self.secrets = dict(Sandbox.CHANNEL["secrets"]) if secrets is None else dict(secrets)
        self.places = {"depot": DEPOT, "store": STORE} if places is None else dict(places)
        self.mappings: Mappings = load_mappings([ROOT / "mappings"], "shopify", settings=self.settings)
        self.restart()

    def restart(self) -> None:
        """The connector as after a restart: it knows nothing but what was kept."""
        self.client = Client(
            channel="webshop",
            transport=self.wire,
            clock=self.clock,
            base_url=BASE_URL,
            bucket=Bucket.full(self.manifest.pace.per_second, self.manifest.pace.burst, self.clock.now()),
        )
        context = ChannelContext(
            "webshop",
            self.settings,
            self.secrets,
            self.client,
            self.clock,
            lambda name, said: said,
            self.places,
            keep=self.kept.__setitem__,
            kept=lambda name: self.kept.get(name, ""),
        )
        self.connector = ShopifyConnector(self.manifest, context)

    def stocked(self, items: int, pieces: int = 10) -> list[str]:
        """That many items TEE-001… with pieces at the depot, a second apart; their listing ids."""
        made = []
        for one in range(1, items + 1):
            sku = f"TEE-{one:03d}"
            made.append(self.sandbox.add_item(sku, f"Tee {one}", price=Decimal("199.95")))
            self.sandbox.count(sku, pieces, DEPOT)
            self.clock.advance(1)
        self.clock.advance(60)
        return made

    # reading

    def read(self, stream: str, cursor: str = "", *, full: bool = False, page_max: int = 100) -> tuple[list[Any], str]:
        """All records of a reading to its end, and the cursor that it leaves."""
        records: list[Any] = []
        for _ in range(3000):
            page = self.connector.read(stream, ReadAsk(cursor, full, page_max, self.clock.now()))
            records += self.records(page, stream)
            cursor = page.cursor
            if not page.more:
                return records, cursor
        raise AssertionError("the reading never ended")

    def records(self, page: Page, stream: str) -> list[Any]:
        """The page's records, found as the manifest says."""
        return list(read_json(page.body)[self.manifest.streams[stream].records])

    def seen(self, entity: str, records: list[Any]) -> dict[str, dict[str, Any]]:
        """What the mappings understand, by listing (and place, for stock)."""
        told = [one for record in records for one in self.mappings.understand(entity, record)]
        return {f"{one['listing']} {one['place']}" if entity == "stock" else one["listing"]: one for one in told}

    def stock(self) -> dict[str, int]:
        """Pieces by `listing place`, as a full reading tells them."""
        return {key: one["on_hand"] // 1000 for key, one in self.seen("stock", self.read("stock", full=True)[0]).items()}

    def verify(self, request: Request) -> Verdict:
        """The connector's verdict on a delivery as it came in."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self.connector.verify(Delivery(request.method, request.url, headers, {}, request.body))

    # writing

    def change(self, listing: str, pieces: int, before: int | None, place: str = DEPOT, ident: str = "") -> Change:
        """A change of stock; `before` is what the hub saw."""
        seen = None if before is None else {"sellable": before * 1000, "raw": before * 1000}
        after = {"sellable": pieces * 1000, "raw": pieces * 1000}
        now = self.clock.now()
        return Change(
            ident or f"change {listing}", Key("webshop", listing, "stock", "depot"), "item", seen, after, {}, now, place, now
        )

    def send_stock(self, *changes: Change) -> dict[str, Receipt]:
        """Receipts by listing."""
        by_id = {change.id: change.key.listing for change in changes}
        return {by_id[receipt.change]: receipt for receipt in self.connector.send("stock", changes)}

    def send_price(self, amounts: Mapping[str, str], currency: str = "DKK", tax: str = "included") -> dict[str, Receipt]:
        """Send prices by listing; receipts by listing."""
        now = self.clock.now()
        changes = [
            Change(
                f"change {listing}",
                Key("webshop", listing, "price"),
                "item",
                None,
                {"amount": amount, "currency": currency, "tax": tax},
                {},
                now,
            )
            for listing, amount in amounts.items()
        ]
        return {receipt.change.split()[1]: receipt for receipt in self.connector.send("price", changes)}

    # orders

    def order(self, ident: str) -> dict[str, Any]:
        """The canonical record of one order, its money conserved."""
        (record,) = self.records(self.connector.look_up("orders", [ident]), "orders")
        (order,) = self.mappings.understand("order", record)
        return conserved(order)

    def told(self, fact: str, order: str, parts: Mapping[str, int], **more: Any) -> Change:
        """The change that tells a fact of an order; `parts` in pieces by SKU (or by line id)."""
        lines = {line["sku"]: line["line"] for line in self.order(order)["lines"]} if order in self.sandbox.orders_shown() else {}
        told = [{"line": lines.get(sku, sku), "quantity": pieces * 1000} for sku, pieces in parts.items()]
        after = {"fact": fact.partition(":")[0], "their": order, "number": "WEB-1", "parts": told, **more}
        return Change(f"change {fact}", Key("webshop", "ours-1", "order", fact), "ours-1", None, after, {}, self.clock.now())

    def fact(self, fact: str, order: str, parts: Mapping[str, int], **more: Any) -> Receipt:
        """Tell it; the receipt."""
        (receipt,) = self.connector.send("order", [self.told(fact, order, parts, **more)])
        return receipt
