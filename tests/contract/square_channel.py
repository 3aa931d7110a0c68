"""One Square channel against the small Square, with every request kept: what the square tests share."""

from __future__ import annotations

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.square.connector import Square
from connectors.square.sandbox import Sandbox
from hub.clock import ManualClock
from hub.files import read_yaml
from hub.flow import Change, Key
from hub.sdk.client import Client
from hub.sdk.contract import ChannelContext, Page, ReadAsk
from hub.sdk.manifest import Manifest
from hub.sdk.pace import Bucket
from hub.sdk.wire import Request, Response

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "connectors/square"
HOOK = "https://hub.example/hooks/till"
AARHUS, ODENSE = "LAARHUS000001", "LODENSE000002"
MANIFEST = Manifest.model_validate(read_yaml(FOLDER / "connector.yaml").plain())


class Channel:
    """A connector, its sandbox, and the requests that went between them."""

    def __init__(self, **options: str) -> None:
        self.clock = ManualClock()
        self.sandbox = Sandbox(self.clock, seed=7, **options)
        self.sandbox.hook_url = HOOK
        self.sent: list[Request] = []
        self.client = Client(
            channel="till",
            transport=self,
            clock=self.clock,
            base_url="http://square.test",
            bucket=Bucket.full(Decimal(1000), 1000, self.clock.now()),
        )
        channel = Sandbox.CHANNEL
        context = ChannelContext(
            channel="till",
            settings=channel["settings"],
            secrets=channel["secrets"],
            client=self.client,
            clock=self.clock,
            express=lambda name, canonical: None,
            places=channel["places"],
        )
        self.connector = Square(MANIFEST, context)

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        self.sent.append(request)
        return self.sandbox.send(request, deadline_seconds, answer_bytes_max)

    def read(self, stream: str, *, cursor: str = "", full: bool = False, page_max: int = 100) -> tuple[list[Any], str]:
        """All records of one reading, and the cursor for the next."""
        records: list[Any] = []
        while True:
            page = self.connector.read(stream, ReadAsk(cursor, full, page_max, self.clock.now()))
            records += records_of(stream, page)
            cursor = page.cursor
            if not page.more:
                return records, cursor

    def stock(
        self, listing: str, pieces: int, *, before: int | None = None, place: str = AARHUS, at: int | None = None
    ) -> Change:
        """A stock change decided now."""
        shows = None if before is None else {"sellable": before * 1000, "raw": before * 1000}
        return Change(
            id=f"c-{listing}-{place}-{pieces}-{len(self.sent)}",
            key=Key("till", listing, "stock", "aarhus"),
            item="item",
            before=shows,
            after={"sellable": pieces * 1000, "raw": pieces * 1000},
            refs={},
            at=self.clock.now() if at is None else at,
            place_ref=place,
        )

    def price(
        self, listing: str, amount: str, *, before: str | None = None, currency: str = "DKK", tax: str = "included"
    ) -> Change:
        """A price change decided now."""
        shows = None if before is None else {"amount": before, "currency": "DKK", "tax": "included"}
        return Change(
            id=f"p-{listing}-{amount}-{len(self.sent)}",
            key=Key("till", listing, "price"),
            item="item",
            before=shows,
            after={"amount": amount, "currency": currency, "tax": tax},
            refs={},
            at=self.clock.now(),
        )


def records_of(stream: str, page: Page) -> list[Any]:
    """The records of a page where the manifest says they are."""
    records: list[Any] = json.loads(page.body)[MANIFEST.streams[stream].records]
    return records


def stocked(channel: Channel, count: int) -> list[str]:
    """So many things with 5 pieces in Aarhus each, a second apart; their listing ids."""
    ids = []
    for number in range(count):
        ids.append(channel.sandbox.add_item(f"SKU-{number:03d}", f"Thing {number}", price=Decimal("49.95")))
        channel.sandbox.count(f"SKU-{number:03d}", 5)
        channel.clock.advance(1)
    return ids


def published() -> dict[str, Any]:
    """The platform's published OpenAPI document from the shared folder; skips the test where that is absent."""
    shared = Path(os.environ.get("SAMKLANG_SHARED", ROOT.parent / "shared"))
    file = shared / "specs/square/api_2025-08.openapi.json.gz"
    if not file.exists():
        pytest.skip(f"no published specification: {file.name} is not in SAMKLANG_SHARED or ../shared")
    loaded: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return loaded
