"""An order leaves from the place that the merchant's rules choose: the books, the till and the shops see the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from fault_stage import FOUR
from stage import FILES, WEBSHOP, Stage, stage

from hub.because import steps
from hub.store import targets
from hub.whence import Whence, whence

RULES = """
rules:
  - {by: [fewest_parcels, priority], keep_back: {aarhus: 1}, backorder_place: warehouse}
priority: [warehouse]
"""
TOLD = "orders: {export_from: [webshop], suspense_payment: web, taxes: {'25': '1'}, suspense_tax: '1'}\n"
BOOKS = FOUR["channels/erp.yaml"] + TOLD
AUTHORITY = FILES["authority.yaml"].replace("covers: [warehouse]}", 'covers: [warehouse], contains: ["own:shipped"]}')
AARHUS = "LAARHUS000001"


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    files = {
        **FOUR,
        "authority.yaml": AUTHORITY,
        "channels/webshop.yaml": WEBSHOP + "orders: {take_in: true}\n",
        "channels/erp.yaml": BOOKS,
        "routing.yaml": RULES,
    }
    made = stage(tmp_path / "shop", files=files)
    for sku in ("TEE", "CAP"):
        for channel in ("erp", "till", "webshop"):
            made.platforms[channel].add_item(sku, sku, price=Decimal("159.96"))
    made.platforms["erp"].count("TEE", 2, "3")
    made.platforms["till"].count("TEE", 5, AARHUS)
    made.platforms["erp"].count("CAP", 9, "3")
    made.platforms["till"].count("CAP", 0, AARHUS)
    made.run(30)
    return made


def delivered(shop: Stage) -> list[Whence]:
    """From where each order is delivered, as a person is told."""
    config, database = shop.hub.config, shop.hub.database
    rows = database.read(lambda tx: tx.query("SELECT number FROM orders ORDER BY placed_at"))
    streams = {name: channel.streams_about("stock") for name, channel in shop.hub.channels.items()}
    return [whence(config, database, row[0], streams) for row in rows]


def places(found: Whence) -> list[tuple[str, str, str]]:
    return [(each.sku, each.place, each.quantity) for each in found.decided]


def test_the_place_that_has_all_of_it_delivers(shop: Stage) -> None:
    assert shop.shows("webshop", "TEE") == 7
    shop.platforms["webshop"].order({"TEE": 3})
    shop.run(60)
    (told,) = delivered(shop)
    assert places(told) == [("TEE", "aarhus", "3")]
    assert told.same
    assert not told.lacking
    assert shop.shows("webshop", "TEE") == 4
    assert shop.letters() == []


def test_an_order_is_split_and_what_nobody_has_is_named(shop: Stage) -> None:
    shop.platforms["webshop"].order({"TEE": 7})
    shop.run(60)
    (told,) = delivered(shop)
    # One stays on the shop floor and is none that the parcel may take: it is waited for at the warehouse.
    assert places(told) == [("TEE", "aarhus", "4"), ("TEE", "warehouse", "3")]
    assert [each.short for each in told.decided] == ["0", "1"]
    assert told.lacking
    assert shop.shows("webshop", "TEE") == 0, "seven were there and seven are promised"


def test_what_a_place_lacks_of_its_promises_is_offered_nowhere_else(shop: Stage) -> None:
    shop.platforms["webshop"].order({"TEE": 2})
    shop.run(60)
    (told,) = delivered(shop)
    assert places(told) == [("TEE", "warehouse", "2")]
    assert shop.shows("webshop", "TEE") == 5
    shop.platforms["erp"].count("TEE", 0, "3")
    shop.run(120)
    assert shop.shows("webshop", "TEE") == 3, "the two must come from Aarhus now"
    shown = shop.hub.database.read(lambda tx: targets.targets_in(tx, "webshop")).values()
    words = [line for each in shown for line in steps(each.target, shop.hub.config)]
    assert words.count("minus 2 promised beyond what lies at their places, so they come from elsewhere") == 1
    shop.platforms["erp"].count("TEE", 2, "3")
    shop.run(120)
    assert shop.shows("webshop", "TEE") == 5


def test_what_comes_in_is_given_to_whoever_waited(shop: Stage) -> None:
    shop.platforms["webshop"].order({"TEE": 7})
    shop.run(60)
    shop.platforms["erp"].count("TEE", 10, "3")
    shop.run(120)
    (told,) = delivered(shop)
    assert not told.lacking
    assert places(told) == [("TEE", "aarhus", "4"), ("TEE", "warehouse", "3")]
    assert shop.shows("webshop", "TEE") == 8


def test_two_orders_do_not_get_the_same_unit(shop: Stage) -> None:
    webshop = shop.platforms["webshop"]
    for wanted in ({"TEE": 2}, {"TEE": 2}, {"CAP": 1, "TEE": 1}):
        webshop.order(wanted)
        shop.clock.advance(1)
    shop.run(60)
    first, second, third = delivered(shop)
    assert places(first) == [("TEE", "warehouse", "2")]
    assert places(second) == [("TEE", "aarhus", "2")]
    assert sorted(places(third)) == [("CAP", "warehouse", "1"), ("TEE", "aarhus", "1")]
    assert not any(each.lacking for each in (first, second, third))
    assert shop.shows("webshop", "TEE") == 2
