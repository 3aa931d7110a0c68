"""Deliveries that are lost, doubled, out of order, late or forged: what customers see stays right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fault_stage import SLOW, everywhere, four_channels, inbox_rows, sell
from stage import FILES, HOOKS, Stage

from hub.sdk.signature import sign
from hub.sdk.wire import Request

NO_POLL = {"channels/till.yaml": FILES["channels/till.yaml"].replace("stock: {poll_seconds: 60", "stock: {poll_seconds: 0")}


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    return four_channels(tmp_path)


def test_a_lost_delivery_is_found_by_the_sweep(tmp_path: Path) -> None:
    shop = four_channels(tmp_path, files=NO_POLL)
    sell(shop, "A", 2)
    shop.run(120)
    assert everywhere(shop, "A") == {"till": 3, "erp": 15, "webshop": 15, "social": 15}
    shop.run(600)
    assert everywhere(shop, "A") == {"till": 3, "erp": 13, "webshop": 13, "social": 13}


def test_a_doubled_delivery_changes_nothing_twice(shop: Stage) -> None:
    sale = sell(shop, "A", 2)
    for delivery in sale * 3:
        assert shop.post(delivery)
    shop.run(10)
    assert everywhere(shop, "A") == {"till": 3, "erp": 13, "webshop": 13, "social": 13}
    before = shop.writes()
    for delivery in sale:
        shop.post(delivery)
    shop.run(10)
    assert everywhere(shop, "A") == {"till": 3, "erp": 13, "webshop": 13, "social": 13}
    assert shop.writes() == before


def test_an_older_count_after_a_newer_one_is_ignored(shop: Stage) -> None:
    first, second = sell(shop, "A"), sell(shop, "A")
    for delivery in [*second, *first]:
        shop.post(delivery)
        shop.hub.settle()
        assert shop.shows("webshop", "A") == 13
    shop.run(10)
    assert everywhere(shop, "A") == {"till": 3, "erp": 13, "webshop": 13, "social": 13}


def test_a_delivery_of_yesterday_does_not_bring_yesterday_back(tmp_path: Path) -> None:
    shop = four_channels(tmp_path, files=SLOW)
    late = sell(shop, "A", 4)
    shop.platforms["till"].take_back("A", 3, "LAARHUS000001")
    shop.run(86_400)
    assert everywhere(shop, "A") == {"till": 4, "erp": 14, "webshop": 14, "social": 14}
    for delivery in late:
        shop.post(delivery)
    shop.run(10)
    assert everywhere(shop, "A") == {"till": 4, "erp": 14, "webshop": 14, "social": 14}


def test_forged_deliveries_are_refused_counted_and_not_kept(shop: Stage) -> None:
    kept, writes = inbox_rows(shop), shop.writes()
    (true,) = sell(shop, "A")
    name = "x-square-hmacsha256-signature"
    signed = true.headers[name]
    other = ("A" if signed[0] != "A" else "B") + signed[1:]
    wrong = [
        replace(true, body=true.body.replace(b'"4"', b'"400"')),
        replace(true, body=true.body + b" "),
        replace(true, headers={**true.headers, name: ""}),
        replace(true, headers={**true.headers, name: other}),
        replace(true, headers={k: v for k, v in true.headers.items() if k != name}),
        replace(true, body=b""),
    ]
    assert true.body != wrong[0].body
    for delivery in wrong:
        assert not shop.post(delivery)
    shop.hub.settle()
    assert shop.refused == len(wrong)
    assert (inbox_rows(shop), shop.writes()) == (kept, writes)
    assert shop.shows("webshop", "A") == 15
    assert shop.post(true)
    shop.run(1)
    assert shop.shows("webshop", "A") == 14


def test_a_delivery_meant_for_another_channel_is_refused(shop: Stage) -> None:
    (true,) = sell(shop, "A")
    assert not shop.post(replace(true, url=HOOKS + "webshop"))
    assert shop.refused == 1


def from_the_webshop(shop: Stage, body: bytes, event: str = "StockMovementEvent") -> Request:
    """A delivery that really is the webshop's, whatever it says."""
    secret = shop.platforms["webshop"].CHANNEL["secrets"]["hook_secret"]
    headers = {"content-type": "application/json", "x-vendure-event": event, "x-signature": sign(secret, body, "hex")}
    return Request("POST", HOOKS + "webshop", headers, body)


@pytest.mark.parametrize(
    "body",
    [b'{"variants": ["1"', b"<html>", b"\xff\xfe{}", b"[]", b"null", b'{"variants": {"a": 1}}', b"{}", b'"text"', b"1e999"],
    ids=["truncated", "no-json", "wrong-charset", "list", "null", "other-shape", "nothing-in-it", "text", "huge-number"],
)
def test_signed_nonsense_is_kept_as_it_is_and_holds_nobody_up(shop: Stage, body: bytes) -> None:
    assert shop.post(from_the_webshop(shop, body))
    for delivery in sell(shop, "A"):
        shop.post(delivery)
    shop.run(10)
    assert everywhere(shop, "A") == {"till": 4, "erp": 14, "webshop": 14, "social": 14}
    assert [letter.channel for letter in shop.letters()] in ([], ["webshop"])


def test_signed_bytes_that_are_no_json_become_a_dead_letter(shop: Stage) -> None:
    shop.post(from_the_webshop(shop, b'{"variants": ["1"'))
    shop.hub.settle()
    (letter,) = shop.letters()
    assert (letter.channel, letter.kind) == ("webshop", "envelope")


def test_an_unknown_event_becomes_a_dead_letter_that_names_it(shop: Stage) -> None:
    shop.post(from_the_webshop(shop, b"{}", "MoonPhaseEvent"))
    shop.hub.settle()
    (letter,) = shop.letters()
    assert (letter.channel, letter.record) == ("webshop", "MoonPhaseEvent")
