"""Reading Square: everything once, changes found, gone things named, deliveries verified."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from square_channel import AARHUS, FOLDER, HOOK, MANIFEST, ODENSE, ROOT, Channel, records_of, stocked

from hub.errors import UnauthorizedError, UnavailableError, UnverifiedError
from hub.mapping.mappings import load_mappings
from hub.sdk.contract import Delivery, ReadAsk

MAPPINGS = load_mappings([ROOT / "mappings"], "square", settings={"tax": "included"})


def test_the_mappings_examples_hold_and_every_sample_field_is_read_or_ignored() -> None:
    assert MAPPINGS.run_examples(FOLDER) == []
    for name, maps, within in (("catalog.records", ["item", "price"], "records"), ("inventory.counts", ["stock"], "counts")):
        for record in json.loads((FOLDER / f"samples/made/{name}.json").read_text())[within]:
            assert MAPPINGS.unread(maps, record) == []


@pytest.mark.parametrize("page_max", [1, 3, 7, 100])
def test_a_full_read_yields_each_record_once(page_max: int) -> None:
    channel = Channel()
    ids = stocked(channel, 7)
    items, _ = channel.read("items", page_max=page_max)
    counts, _ = channel.read("stock", page_max=page_max)
    assert sorted(one["variation"]["id"] for one in items) == sorted(ids)
    assert sorted(one["catalog_object_id"] for one in counts) == sorted(ids)
    for one in items:
        assert MAPPINGS.unread(["item", "price"], one) == []
    [first] = [MAPPINGS.understand("item", one)[0] for one in items if one["variation"]["id"] == ids[0]]
    assert (first["sku"], first["title"], first["state"]) == ("SKU-000", "Thing 0", "active")
    [price] = [MAPPINGS.understand("price", one)[0] for one in items if one["variation"]["id"] == ids[0]]
    assert (price["amount"], price["currency"], price["tax"]) == (Decimal("49.95"), "DKK", "included")
    assert {MAPPINGS.understand("stock", one)[0]["on_hand"] for one in counts} == {5000}


def test_only_the_channels_own_locations_are_read() -> None:
    channel = Channel()
    stocked(channel, 1)
    channel.sandbox.count("SKU-000", 9, ODENSE)
    counts, _ = channel.read("stock")
    assert [(one["location_id"], one["quantity"]) for one in counts] == [(AARHUS, "5")]


def test_a_poll_sees_what_changed_and_an_idle_account_is_not_read_again() -> None:
    channel = Channel()
    ids = stocked(channel, 5)
    _, items = channel.read("items")
    _, stock = channel.read("stock")
    channel.clock.advance(60)
    _, items = channel.read("items", cursor=items)
    _, stock = channel.read("stock", cursor=stock)
    channel.clock.advance(60)
    channel.sandbox.sell("SKU-003", 2)
    channel.sandbox.set_price("SKU-001", Decimal("59.00"))
    changed, stock = channel.read("stock", cursor=stock)
    edited, items = channel.read("items", cursor=items)
    assert [(one["catalog_object_id"], one["quantity"]) for one in changed] == [(ids[3], "3")]
    assert [one["variation"]["id"] for one in edited] == [ids[1]]
    channel.clock.advance(60)
    channel.read("stock", cursor=stock)
    channel.clock.advance(60)
    assert channel.read("stock", cursor=channel.read("stock", cursor=stock)[1])[0] == []


def test_a_new_title_is_seen_although_the_variation_keeps_its_version() -> None:
    channel = Channel()
    stocked(channel, 1)
    before, cursor = channel.read("items")
    channel.clock.advance(60)
    channel.sandbox.retitle("SKU-000", "Renamed")
    [after], _ = channel.read("items", cursor=cursor)
    assert after["variation"]["version"] == before[0]["variation"]["version"]
    assert after["version"] > before[0]["version"]
    assert MAPPINGS.understand("item", after)[0]["title"] == "Renamed"


def test_what_changes_while_a_long_listing_is_read_is_in_the_next_poll() -> None:
    channel = Channel()
    stocked(channel, 4)
    page = channel.connector.read("stock", ReadAsk("", True, 1, channel.clock.now()))
    first = records_of("stock", page)[0]["catalog_object_id"]
    sku = next(sku for sku, ident in channel.sandbox.skus.items() if ident == first)
    channel.sandbox.sell(sku, 1)
    channel.clock.advance(600)
    channel.sandbox.count("SKU-000", 50)
    rest, cursor = channel.read("stock", cursor=page.cursor, full=True, page_max=1)
    assert first not in {one["catalog_object_id"] for one in rest}
    polled, _ = channel.read("stock", cursor=cursor)
    assert {one["catalog_object_id"]: one["quantity"] for one in polled}[first] == "4"


def test_a_deleted_thing_is_told_by_a_poll_left_out_of_sweeps_and_gone_when_looked_up() -> None:
    channel = Channel()
    kept, removed = stocked(channel, 2)
    _, cursor = channel.read("items")
    channel.clock.advance(60)
    channel.sandbox.remove_item("SKU-001")
    told, _ = channel.read("items", cursor=cursor)
    [record] = [one for one in told if one["variation"]["id"] == removed]
    assert MAPPINGS.understand("item", record)[0]["state"] == "gone"
    assert MAPPINGS.understand("price", record) == []
    swept, _ = channel.read("items", full=True)
    assert [one["variation"]["id"] for one in swept] == [kept]
    page = channel.connector.look_up("items", [kept, removed, "VNEVER"])
    assert [one["variation"]["id"] for one in records_of("items", page)] == [kept]
    assert page.gone == (removed, "VNEVER")


def test_a_thing_without_a_count_is_not_gone() -> None:
    channel = Channel()
    [counted] = stocked(channel, 1)
    uncounted = channel.sandbox.add_item("NEW", "Not counted yet", price=Decimal(10))
    page = channel.connector.look_up("stock", [counted, uncounted, "VNEVER"])
    assert [one["catalog_object_id"] for one in records_of("stock", page)] == [counted]
    assert page.gone == ("VNEVER",)


def test_a_delivery_verifies_and_one_changed_byte_is_refused() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    channel.sandbox.outbox.clear()
    channel.sandbox.sell("SKU-000", 1)
    receipt, sent = channel.sandbox.outbox
    assert channel.connector.verify(Delivery("POST", HOOK, receipt.headers, {}, receipt.body)).topic == "order.created"
    verdict = channel.connector.verify(Delivery("POST", HOOK, sent.headers, {}, sent.body))
    assert verdict.topic == "inventory.count.updated"
    assert verdict.delivery_id == json.loads(sent.body)["event_id"]
    [count] = json.loads(sent.body)["data"]["object"]["inventory_counts"]
    [understood] = MAPPINGS.understand("stock", count)
    assert (understood["listing"], understood["on_hand"]) == (ident, 4000)
    flipped = bytes([sent.body[0] ^ 1]) + sent.body[1:]
    for url, headers, body in (
        (HOOK, sent.headers, flipped),
        (HOOK + "/", sent.headers, sent.body),
        (HOOK, {}, sent.body),
        (HOOK, {"x-square-hmacsha256-signature": ""}, sent.body),
    ):
        with pytest.raises(UnverifiedError):
            channel.connector.verify(Delivery("POST", url, headers, {}, body))


def test_every_topic_that_the_sandbox_tells_is_declared() -> None:
    channel = Channel()
    stocked(channel, 1)
    channel.sandbox.set_price("SKU-000", Decimal(1))
    channel.sandbox.accept(channel.sandbox.order({"SKU-000": 1}))
    assert MANIFEST.deliveries is not None
    assert {json.loads(one.body)["type"] for one in channel.sandbox.outbox} == set(MANIFEST.deliveries.topics)


def test_garbage_and_a_withdrawn_token_are_the_right_errors() -> None:
    channel = Channel()
    channel.sandbox.faults.garbage_next = 1
    with pytest.raises(UnavailableError):
        channel.read("items")
    channel.sandbox.faults.unauthorized = True
    with pytest.raises(UnauthorizedError) as refused:
        channel.read("items")
    assert channel.connector.secrets["access_token"] not in str(refused.value)


def test_a_changed_question_may_not_use_the_old_cursor() -> None:
    channel = Channel()
    stocked(channel, 3)
    page = channel.connector.read("stock", ReadAsk("", True, 1, channel.clock.now()))
    body = {"states": ["IN_STOCK"], "limit": 2, "cursor": json.loads(page.cursor)["page"]}
    answer = channel.connector.client.call(
        "POST", "/v2/inventory/counts/batch-retrieve", operation="x", writes=False,
        headers=channel.connector.headers, json=body, statuses=frozenset({400}),
    )  # fmt: skip
    assert answer.json()["errors"][0]["code"] == "INVALID_CURSOR"
