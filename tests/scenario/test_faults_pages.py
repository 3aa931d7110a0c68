"""Listings in pages that are cut short, repeat themselves or end early: nothing is taken away, and nobody waits for ever."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fault_stage import ASKED, SHOP, everywhere, four_channels, holds, sell, skus
from merchant import WAREHOUSE, merchant
from stage import Stage, stage

from hub.sdk.contract import Page

COUNTS = "/v2/inventory/counts/batch-retrieve"
TILL_ONLY = {
    "locations.yaml": "aarhus: {channels: {till: LAARHUS000001}}\n",
    "authority.yaml": 'items: [{channel: till}]\nstock: [{channel: till, covers: [aarhus], contains: ["till:*"]}]\n',
    "pricing.yaml": "lists: {}\n",
    "channels/webshop.yaml": """
channel: webshop
connector: vendure
role: webshop
mode: live
base_url: https://webshop.example
settings: {stock_location: "1", currency: DKK, prices_tax: included, username: superadmin}
secrets: {password: "env:X", hook_secret: "env:X"}
sells_from: [aarhus]
streams: {items: {poll_seconds: 60, sweep_seconds: 600}, stock: {poll_seconds: 0, sweep_seconds: 600}}
""",
}


def test_a_listing_cut_short_takes_nothing_away(tmp_path: Path) -> None:
    shop = stage(tmp_path, without=("channels/erp.yaml",), files=TILL_ONLY)
    names = skus(230)
    for sku in names:
        for channel in ("till", "webshop"):
            shop.platforms[channel].add_item(sku, sku, price=ASKED)
        shop.platforms["till"].count(sku, 5, SHOP)
    shop.platforms["webshop"].faults.cut_next = 2
    shop.run(60)
    assert {shop.shows("webshop", sku) for sku in names} == {5}
    shop.platforms["webshop"].faults.cut_next = 2
    shop.run(1_300)
    assert shop.platforms["webshop"].faults.cut_next == 0
    assert {shop.shows("webshop", sku) for sku in names} == {5}
    assert holds(shop) == {}


def test_a_page_that_repeats_itself_is_given_up_and_begun_anew(tmp_path: Path) -> None:
    shop = four_channels(tmp_path)
    till = shop.platforms["till"]
    real = till.route

    def again(request: Any) -> Any:
        if request.path != COUNTS:
            return real(request)
        asked = {name: value for name, value in request.json().items() if name != "cursor"}
        answer = real(replace(request, body=json.dumps(asked).encode()))
        return replace(answer, body=json.dumps({**answer.json(), "cursor": "always-the-same"}).encode())

    till.route = again
    sell(shop, "A", 2)
    shop.platforms["erp"].receive("B", 3, "3")
    shop.run(700)
    assert shop.shows("webshop", "B") == 18
    reads = sum(1 for call in till.calls if call.path == COUNTS)
    assert reads < 700
    till.route = real
    shop.run(700)
    assert everywhere(shop, "A") == {"till": 3, "erp": 13, "webshop": 13, "social": 13}


def test_a_listing_that_ends_early_takes_nothing_away(tmp_path: Path) -> None:
    shop = four_channels(tmp_path)
    webshop = shop.platforms["webshop"]
    real = webshop.route

    def shortened(request: Any) -> Any:
        answer = real(request)
        said = answer.json()
        listed = (said.get("data") or {}).get("productVariants") if isinstance(said, dict) else None
        if not listed or len(listed.get("items", [])) < 2 or '"in"' in request.body.decode():
            return answer
        listed["items"] = listed["items"][:-1]
        return replace(answer, body=json.dumps(said, default=str).encode())

    webshop.route = shortened
    shop.run(1_300)
    webshop.route = real
    for delivery in sell(shop, "D", 2):
        shop.post(delivery)
    # After so many failures it is asked rarely: at most five minutes pass until it is tried again.
    shop.run(400)
    assert everywhere(shop, "D") == {"till": 3, "erp": 13, "webshop": 13, "social": 13}
    assert bound(shop, "webshop") == 4


def bound(shop: Stage, channel: str) -> int:
    from hub.store import catalogue

    return shop.hub.database.read(catalogue.count_bound)[channel]


@pytest.mark.parametrize(
    ("was", "by_then"),
    [(b'"stockOnHand":', b'"stockOnHand":"about ","was":'), (b'"items":', b'"items":null,"were":')],
    ids=["a figure", "the whole list"],
)
def test_what_is_shown_right_before_a_write_and_not_understood_is_not_written_over(
    tmp_path: Path, was: bytes, by_then: bytes
) -> None:
    """What is not understood is not what is not there: neither before a write nor when its outcome is looked up."""
    shop = merchant(tmp_path, {"TEE": (4, 10)})
    connector = shop.stage.hub.channels["webshop"].connector
    look_up = connector.look_up

    def drifted(stream: str, ids: Sequence[str]) -> Page:
        page = look_up(stream, ids)
        return replace(page, body=page.body.replace(was, by_then))

    connector.look_up = drifted  # type: ignore[method-assign]
    before = shop.stage.writes("webshop")
    shop.erp.count("TEE", 7, WAREHOUSE)
    shop.run(200)
    assert shop.shops("TEE") == (14, 11)
    assert shop.stage.writes("webshop") == before
    connector.look_up = look_up  # type: ignore[method-assign]
    shop.webshop.faults.lose_answer_next = 1
    shop.run(65)
    assert shop.shops("TEE") == (11, 11)
    connector.look_up = drifted  # type: ignore[method-assign]
    shop.run(200)
    assert shop.stage.writes("webshop") == before + 1
    connector.look_up = look_up  # type: ignore[method-assign]
    shop.run(200)
    assert shop.quiet()
    assert shop.stage.writes("webshop") == before + 1
