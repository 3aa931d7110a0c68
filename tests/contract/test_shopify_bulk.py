"""Large catalogues of Shopify: bulk operations, killed and failed ones, and where their files may lie."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shopify_rig import DEPOT, Rig

from hub.errors import UnavailableError
from hub.sdk.contract import ReadAsk

SECRET = "made-up-client-secret"


def test_a_large_catalogue_is_read_by_a_bulk_operation() -> None:
    rig = Rig(settings={"bulk_from": "50"})
    ids = rig.stocked(60)
    rig.clock.advance(600)
    before = len(rig.wire.requests)
    items, cursor = rig.read("items", full=True)
    assert sorted(rig.seen("price", items)) == sorted(ids)
    queries = [one["query"] for one in rig.wire.documents()[before:]]
    assert not [query for query in queries if query.startswith("query ReadItems")]
    levels = rig.stock()
    assert len(levels) == 120
    assert levels[f"{ids[0]} {DEPOT}"] == 10
    rig.clock.advance(600)
    rig.sandbox.set_price("TEE-007", Decimal("1.00"))
    rig.clock.advance(60)
    assert list(rig.seen("price", rig.read("items", cursor)[0])) == [ids[6]], "the poll goes on from where the bulk began"


def test_what_changes_while_a_bulk_operation_runs_is_seen_by_the_next_poll() -> None:
    rig = Rig(settings={"bulk_from": "5"})
    ids = rig.stocked(6)
    page = rig.connector.read("items", ReadAsk("", True, 100, 0))
    assert page.more, "the operation is under way"
    rig.sandbox.set_price("TEE-001", Decimal("1.00"))
    _, cursor = rig.read("items", page.cursor, full=True)
    rig.clock.advance(600)
    assert ids[0] in rig.seen("price", rig.read("items", cursor)[0])


def test_a_killed_first_reading_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.shopify.bulk.PART_BYTES_MAX", 5_000)
    rig = Rig(settings={"bulk_from": "5"})
    ids = rig.stocked(40)
    records: list[Any] = []
    cursor, pages = "", 0
    for _ in range(200):
        pages += 1
        page = rig.connector.read("items", ReadAsk(cursor, True, 100, 0))
        records += rig.records(page, "items")
        cursor = page.cursor
        rig.restart()
        if not page.more:
            break
    assert pages > 5
    assert sorted(one["id"].rpartition("/")[2] for one in records) == sorted(ids), "each once, though killed after every page"
    started = [one for one in rig.wire.documents() if "bulkOperationRunQuery" in one["query"]]
    assert len(started) == 1


def test_a_bulk_operation_that_fails_gives_way_to_pages() -> None:
    rig = Rig(settings={"bulk_from": "5"})
    ids = rig.stocked(6)
    page = rig.connector.read("items", ReadAsk("", True, 100, 0))
    for kept in rig.sandbox.state.bulks.values():
        kept["failed"] = True
    records = rig.records(page, "items") + rig.read("items", page.cursor, full=True)[0]
    assert sorted(rig.seen("item", records)) == sorted(ids)


def test_files_are_read_from_the_platforms_own_hosts_without_our_token() -> None:
    rig = Rig(settings={"bulk_from": "5"}, files_host="https://storage.googleapis.com")
    ids = rig.stocked(6)
    assert sorted(rig.seen("item", rig.read("items", full=True)[0])) == sorted(ids)
    files = [one for one in rig.wire.requests if one.host == "https://storage.googleapis.com"]
    assert files
    assert not any("token" in name for one in files for name in one.headers)
    elsewhere = Rig(settings={"bulk_from": "5"}, files_host="https://elsewhere.example")
    elsewhere.stocked(6)
    with pytest.raises(UnavailableError, match="not the platform's"):
        elsewhere.read("items", full=True)


def test_twelve_thousand_variants_take_few_calls_and_little_at_once() -> None:
    rig = Rig()
    rig.sandbox.hook_url = ""
    for one in range(5_000):
        product = rig.sandbox.shop.add_product(f"Tee {one}")
        for size in range(4 if one % 5 == 0 else 2):
            rig.sandbox.shop.add_variant(product, f"TEE-{one}-{size}", Decimal("10.00"))
    begun, cursor, ids, largest = rig.clock.now(), "", set(), 0
    for _ in range(200):
        page = rig.connector.read("items", ReadAsk(cursor, True, 100, 0))
        ids |= {one["id"] for one in rig.records(page, "items")}
        largest, cursor = max(largest, len(page.body)), page.cursor
        if not page.more:
            break
    assert len(ids) == 12_000
    assert len(rig.wire.requests) < 60
    assert (rig.clock.now() - begun) / 1_000_000 < 90, "most of it is the shop's own work on the file"
    assert largest < 2_000_000, "bytes of a page, however large the catalogue"
