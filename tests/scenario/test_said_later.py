"""What was said later holds, in whatever order it arrives; and what was said of an item that is gone no longer sells."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, stage

from hub.flow import Door, Envelope
from hub.sdk.contract import ReadAsk
from hub.store import inbox

Said = tuple[int, Any]


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    return opened(tmp_path)


def opened(tmp_path: Path, **kwargs: Any) -> Stage:
    made = stage(tmp_path, **kwargs)
    for sku in ("A", "B", "K"):
        for name in ("erp", "webshop"):
            made.platforms[name].add_item(sku, sku, price=Decimal(80))
    for sku, pieces in (("A", 10), ("B", 9)):
        made.platforms["erp"].count(sku, pieces, "3")
    made.run(5)
    return made


def says(made: Stage, channel: str, stream: str) -> Said:
    """The platform's present answer to a reading of the whole stream, held back on its way: (begun, page)."""
    begun = made.hub.database.next()
    return begun, made.hub.channels[channel].connector.read(stream, ReadAsk("", True, 100, made.clock.now()))


def hears(made: Stage, channel: str, stream: str, *said: Said, at_once: bool = True) -> None:
    """Let the hub have these pages in this order, understood in one go or one by one."""
    at = made.clock.now()
    for begun, page in said:
        seq, answered = made.hub.database.next_block(2)
        envelope = Envelope(seq, channel, Door.LOOKUP, stream, "", at, page.body, "", begun, answered)
        made.hub.database.transaction(lambda tx, e=envelope: inbox.store(tx, made.hub.vault, [inbox.Arrival(e)]))  # type: ignore[misc]
        if not at_once:
            made.run()
    made.run()


@pytest.mark.parametrize("at_once", [True, False])
def test_an_older_count_that_arrives_late_changes_nothing(shop: Stage, at_once: bool) -> None:
    shop.platforms["erp"].count("A", 7, "3")
    older = says(shop, "erp", "stock")
    shop.platforms["erp"].count("A", 4, "3")
    newer = says(shop, "erp", "stock")
    hears(shop, "erp", "stock", newer, older, at_once=at_once)
    assert shop.shows("webshop", "A") == 4


@pytest.mark.parametrize("at_once", [True, False])
def test_what_the_shop_showed_before_our_write_is_no_edit(shop: Stage, at_once: bool) -> None:
    before = says(shop, "webshop", "stock")
    shop.platforms["erp"].count("A", 4, "3")
    shop.run(61)
    assert shop.shows("webshop", "A") == 4
    writes = shop.writes()
    hears(shop, "webshop", "stock", before, before, at_once=at_once)
    shop.run(5)
    assert shop.writes() == writes
    assert shop.shows("webshop", "A") == 4


def test_an_edit_in_the_shop_is_seen_though_an_older_page_comes_after_it(shop: Stage) -> None:
    older = says(shop, "webshop", "stock")
    shop.platforms["webshop"].count("A", 99)
    newer = says(shop, "webshop", "stock")
    shop.lose_deliveries()
    hears(shop, "webshop", "stock", newer, older)
    shop.run(5)
    assert shop.shows("webshop", "A") == 10


BUNDLES = {"allocation.yaml": "bundles: {K: [{sku: A, pieces: 1}, {sku: B, pieces: 2}]}\n"}


def test_a_bundle_is_as_many_as_its_components_allow(tmp_path: Path) -> None:
    shop = opened(tmp_path, files=BUNDLES)
    assert shop.shows("webshop", "K") == 4
    shop.platforms["erp"].count("A", 9, "3")
    shop.platforms["erp"].count("B", 7, "3")
    shop.run(61)
    assert shop.shows("webshop", "K") == 3


def test_a_bundle_with_a_component_that_is_no_item_cannot_be_bought(tmp_path: Path) -> None:
    shop = opened(tmp_path, files={"allocation.yaml": "bundles: {K: [{sku: A, pieces: 1}, {sku: NONE, pieces: 1}]}\n"})
    shop.platforms["webshop"].count("K", 5)
    shop.run(700)
    assert shop.shows("webshop", "K") == 0
    assert shop.shows("webshop", "A") == 10


def test_an_item_that_its_authority_no_longer_lists_sells_out(shop: Stage) -> None:
    shop.platforms["erp"].remove("A")
    shop.run(700)
    assert shop.shows("webshop", "A") == 0
    assert shop.shows("webshop", "B") == 9
