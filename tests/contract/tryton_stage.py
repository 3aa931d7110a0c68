"""What the Tryton tests stand on: a small Tryton with goods in it and the connector wired to it (or to any other server)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.tryton.connector import TrytonConnector
from connectors.tryton.sandbox import Sandbox
from hub.canonical.json import read_json
from hub.clock import Clock, ManualClock
from hub.files import read_yaml
from hub.flow import Change, Key
from hub.mapping.mappings import Mappings, load_mappings
from hub.sdk.client import Client
from hub.sdk.contract import ChannelContext, Page, ReadAsk
from hub.sdk.manifest import Manifest
from hub.sdk.pace import Bucket
from hub.sdk.wire import Transport

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "connectors" / "tryton"
MANIFEST = Manifest.model_validate(read_yaml(FOLDER / "connector.yaml").plain())
GOODS = ("TEE-S", "TEE-M", "TEE-L", "CAP", "MUG", "BAG", "SOCK")


def stocked(clock: ManualClock | None = None) -> Sandbox:
    """A small Tryton with seven goods, ten pieces of each in the warehouse's storage zone."""
    sandbox = Sandbox(clock or ManualClock())
    for sku in GOODS:
        sandbox.add_item(sku, f"Made {sku}", price=Decimal("159.9600"))
        sandbox.receive(sku, 10)
    return sandbox


def wired(
    transport: Transport,
    clock: Clock,
    *,
    base_url: str = "http://erp.example",
    settings: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
) -> TrytonConnector:
    """The connector over this transport; settings and secrets lie over those of a default small Tryton."""
    client = Client(
        channel="erp",
        transport=transport,
        clock=clock,
        base_url=base_url,
        bucket=Bucket.full(MANIFEST.pace.per_second, MANIFEST.pace.burst, clock.now()),
    )
    context = ChannelContext(
        channel="erp",
        settings={**Sandbox.CHANNEL["settings"], **(settings or {})},
        secrets={**Sandbox.CHANNEL["secrets"], **(secrets or {})},
        client=client,
        clock=clock,
        express=lambda name, canonical: {},
        places=Sandbox.CHANNEL["places"] if places is None else places,
    )
    return TrytonConnector(MANIFEST, context)


def mappings() -> Mappings:
    """The shipped mappings, bound to the default settings."""
    return load_mappings([ROOT / "mappings"], "tryton", settings=Sandbox.CHANNEL["settings"])


def listed(
    connector: TrytonConnector, stream: str, cursor: str = "", *, full: bool = True, page_max: int = 200
) -> tuple[list[dict[str, Any]], str]:
    """All records of one reading, page by page, and the cursor for the next one."""
    records: list[dict[str, Any]] = []
    while True:
        page = connector.read(stream, ReadAsk(cursor, full, page_max, connector.clock.now()))
        records += of(page)
        cursor = page.cursor
        if not page.more:
            return records, cursor


def of(page: Page) -> list[dict[str, Any]]:
    """The records of a page."""
    found: list[dict[str, Any]] = read_json(page.body)["records"]
    return found


def stock_change(listing: str, raw: int | None, after: int, *, place: str = "3", number: int = 1) -> Change:
    """Make this product show `after` pieces at the place, `raw` having been observed (None: nothing was)."""
    before = None if raw is None else {"sellable": raw * 1000, "raw": raw * 1000}
    target = {"sellable": after * 1000, "raw": after * 1000}
    key = Key("erp", listing, "stock", "warehouse")
    return Change(f"made-stock-{number}", key, "item", before, target, {}, at=0, place_ref=place)


def price_change(listing: str, before: str | None, after: str, *, currency: str = "DKK", number: int = 1) -> Change:
    """Make this product cost `after`."""
    seen = None if before is None else {"amount": before, "currency": "DKK", "tax": "excluded"}
    target = {"amount": after, "currency": currency, "tax": "excluded"}
    return Change(f"made-price-{number}", Key("erp", listing, "price"), "item", seen, target, {}, at=0)
