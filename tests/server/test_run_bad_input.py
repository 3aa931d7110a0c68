"""Whatever is posted: refused and counted, or a dead letter that says what is wrong; neighbours are not held up by it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from running import PIECES, SKUS, TAKEN_UP, TILL_SECRETS, Shop, until

from hub.canonical.json import body_json
from hub.clock import SystemClock
from hub.sdk.signature import sign
from hub.sdk.wire import Request
from hub.simulate.postman import forged, post
from hub.store.deliveries import DeliveryReader
from hub.store.vault import Vault


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One run for all these tests: each has things of its own to sell."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    try:
        made.start()
        yield made
    finally:
        made.end()


def stored(shop: Shop) -> int:
    """How many deliveries the receiver has ever kept."""
    data = shop.folder / "data"
    reader = DeliveryReader(data / "intake.db", Vault.from_file(data / "hub.key", SystemClock()))
    try:
        return reader.last_seq()
    finally:
        reader.close()


def signed(shop: Shop, body: bytes) -> Request:
    """A delivery to the till's door with the till's own signature, whatever is in it."""
    url = f"{shop.url}/hooks/till"
    signature = sign(TILL_SECRETS["signature_key"], url.encode() + body, "base64")
    return Request("POST", url, {"content-type": "application/json", "x-square-hmacsha256-signature": signature}, body)


def counted(shop: Shop, sku: str, **changes: Any) -> dict[str, Any]:
    """The event of a count at the till, with these fields of its record changed."""
    event: dict[str, Any] = json.loads(shop.till("count", sku, PIECES - 1)[0].body)
    event["event_id"] = f"{event['event_id']}-{sorted(changes.items())}"
    event["data"]["object"]["inventory_counts"][0] |= changes
    return event


def paths(shop: Shop) -> dict[str, str]:
    """The open dead letters' ids by the path that they name."""
    return {each["path"]: each["id"] for each in shop.letters()}


def assert_sales_go_on(shop: Shop) -> None:
    """The next sale is shown, so nothing stands before it."""
    before = shop.lies()[SKUS[-1]]
    shop.deliver(shop.till("sell", SKUS[-1], 1))
    until("the next sale is shown", lambda: shop.shows()[SKUS[-1]] == before - 1)


def test_what_is_not_theirs_or_not_whole_is_refused_and_not_kept(shop: Shop) -> None:
    true = shop.till("sell", SKUS[0], 1)[0]
    before = stored(shop)
    unsigned = Request(true.method, true.url, {"content-type": "application/json"}, true.body)
    assert post(forged(true)) == 401
    assert post(unsigned) == 401
    assert post(Request(true.method, f"{shop.url}/hooks/nobody", true.headers, true.body)) == 404
    assert post(signed(shop, b" " * 20_001)) == 413
    with socket.create_connection(("127.0.0.1", shop.port), 10) as line:
        head = f"POST /hooks/till HTTP/1.1\r\nhost: x\r\ncontent-length: {len(true.body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in true.headers.items() if name != "content-length")
        line.sendall(head.encode() + b"\r\n" + true.body[:40])
    assert shop.ready()
    assert stored(shop) == before
    assert post(true) == 200
    assert stored(shop) == before + 1
    until("the sale is shown once", lambda: shop.shows()[SKUS[0]] == PIECES - 1)


def test_signed_nonsense_becomes_dead_letters_that_name_the_channel(shop: Shop) -> None:
    known = {each["id"] for each in shop.letters()}
    nonsense = [
        b"",
        b"not json",
        b'{"type": "inventory.count.updated", "event_id": "made-1"',
        '{"type": "inventory.count.updated", "event_id": "made-2", "note": "Bl\xe5 kop"}'.encode("latin-1"),
        b'{"type": "inventory.count.updated", "event_id": "made-3", "data": {}}',
        b'{"type": "nothing.we.know", "event_id": "made-4"}',
        b"[" * 9_000,
        b'"text"',
        b"null",
        b'{"type": ["a"], "event_id": {}}',
        b'{"type": "inventory.count.updated", "event_id": "made-5", "data": {"object": {"inventory_counts": ["x", 1, null]}}}',
    ]
    assert [post(signed(shop, body)) for body in nonsense] == [200] * len(nonsense)
    assert_sales_go_on(shop)
    letters = [each for each in shop.letters() if each["id"] not in known]
    assert {each["channel"] for each in letters} == {"till"}
    assert len(letters) >= len(nonsense) - 1
    assert any("nothing.we.know" in json.dumps(each) for each in letters)
    assert all(each["reason"] for each in letters)
    assert "Traceback" not in shop.log()
    assert '"exception"' not in shop.log()


def test_impossible_quantities_are_named_and_the_record_keeps_its_last_good_one(shop: Shop) -> None:
    wrong = ["abc", "", "NaN", "1e999", "9" * 40, "0x10", "1.23456", None, True, {"a": 1}]
    shop.deliver([signed(shop, body_json(counted(shop, SKUS[1], quantity=quantity))) for quantity in wrong])
    assert_sales_go_on(shop)
    assert shop.shows()[SKUS[1]] == PIECES
    letters = [each for each in shop.letters() if each["path"] == "quantity"]
    assert letters
    assert {each["channel"] for each in letters} == {"till"}
    assert all(each["record"] and each["reason"] for each in letters)
    assert '"exception"' not in shop.log()


def test_fractions_and_negative_counts_sell_what_is_whole_and_there(shop: Shop) -> None:
    later = {"calculated_at": "2039-01-01T00:00:00Z"}
    shop.deliver(
        [
            signed(shop, body_json(counted(shop, SKUS[2], quantity="2.5", **later))),
            signed(shop, body_json(counted(shop, SKUS[3], quantity="-3", **later))),
        ]
    )
    until("whole pieces are sold", lambda: shop.shows()[SKUS[2]] == 2)
    until("what is not there is not sold", lambda: shop.shows()[SKUS[3]] == 0)
    assert_sales_go_on(shop)


def test_unknown_things_are_named_and_cost_nobody_anything(shop: Shop) -> None:
    shop.ports["webshop"].act(lambda webshop: webshop.add_item("NOBODY-1", "No", price=Decimal(1)))  # type: ignore[attr-defined]
    shop.deliver([signed(shop, body_json(counted(shop, SKUS[4], catalog_object_id="VNOSUCHTHING")))])
    shop.deliver([signed(shop, body_json(counted(shop, SKUS[4], location_id="LNOWHERE")))])
    assert_sales_go_on(shop)
    until("the webshop's own thing is named", lambda: any(each["value"] == "NOBODY-1" for each in shop.letters()))
    letter = next(each for each in shop.letters() if each["value"] == "NOBODY-1")
    assert (letter["channel"], letter["path"]) == ("webshop", "sku")
    assert shop.shows()["NOBODY-1"] == 0
    assert shop.shows()[SKUS[4]] == PIECES


def test_a_dead_letter_is_understood_after_its_mapping_is_mended(shop: Shop) -> None:
    event = counted(shop, SKUS[5], quantity="17", calculated_on="2039-01-01T00:00:00Z")
    del event["data"]["object"]["inventory_counts"][0]["calculated_at"]
    shop.deliver([signed(shop, body_json(event))])
    until("it is a dead letter", lambda: "calculated_at" in paths(shop))
    assert shop.shows()[SKUS[5]] == PIECES
    shop.write(
        "own/mappings/square/stock.yaml",
        "maps: stock\nconnector: square\nfields:\n"
        '  version: {value: "utc_time(optional(calculated_at) or calculated_on)"}\n'
        '  as_of: {value: "utc_time(optional(calculated_at) or calculated_on)"}\n',
    )
    shop.reload()
    until("the mapping is taken up", lambda: TAKEN_UP in shop.log())
    replayed = shop.command("replay", paths(shop)["calculated_at"])
    assert replayed.returncode == 0, replayed.stderr + replayed.stdout
    until("what it said is shown", lambda: shop.shows()[SKUS[5]] == 17)
    assert "calculated_at" not in paths(shop)
