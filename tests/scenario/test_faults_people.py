"""People in the wrong system: what they type is repaired, or held, and a tug-of-war is stopped and named."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from fault_stage import ASKED, SHOWN, SLOW, ask, everywhere, four_channels, holds, sell
from stage import FILES, Stage

HOLD = {"channels/webshop.yaml": FILES["channels/webshop.yaml"] + "person_edits: {verdict: hold}\n"}


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    return four_channels(tmp_path)


@pytest.mark.parametrize("announced", [True, False])
def test_stock_typed_into_the_webshop_is_put_right(shop: Stage, announced: bool) -> None:
    shop.platforms["webshop"].count("A", 99)
    if not announced:
        shop.lose_deliveries()
    shop.run(2 if announced else 62)
    assert shop.shows("webshop", "A") == 15


def test_stock_typed_into_the_social_shop_is_put_right_though_nobody_announces_it(shop: Stage) -> None:
    shop.platforms["social"].count("A", 99)
    shop.run(70)
    assert everywhere(shop, "A") == SHOWN


def test_a_price_typed_into_the_till_is_put_right(shop: Stage) -> None:
    shop.platforms["till"].set_price("A", Decimal("99.00"))
    shop.run(5)
    assert shop.price("till", "A") == ASKED


def test_an_edit_and_a_sale_at_once_end_in_the_right_number(shop: Stage) -> None:
    shop.platforms["webshop"].count("A", 99)
    for delivery in sell(shop, "A", 2):
        shop.post(delivery)
    shop.run(5)
    assert shop.shows("webshop", "A") == 13
    shop.run(30)
    assert everywhere(shop, "A") == {"till": 3, "erp": 13, "webshop": 13, "social": 13}


def test_who_changes_it_back_three_times_is_left_and_named(shop: Stage) -> None:
    for _ in range(3):
        shop.platforms["webshop"].count("A", 99)
        shop.run(60)
    assert shop.shows("webshop", "A") == 99
    assert "changed back 3 times" in holds(shop)["webshop flipped_back"]
    writes = shop.writes()
    shop.run(3_600)
    assert (shop.shows("webshop", "A"), shop.writes()) == (99, writes)
    # Other things of this channel, and this thing on other channels, go on.
    for sku in ("A", "B"):
        for delivery in sell(shop, sku, 2):
            shop.post(delivery)
    shop.run(60)
    assert everywhere(shop, "B") == {"till": 3, "erp": 13, "webshop": 13, "social": 13}
    assert everywhere(shop, "A") == {"till": 3, "erp": 13, "webshop": 99, "social": 13}


def test_a_person_who_approves_ends_the_tug_of_war(shop: Stage) -> None:
    for _ in range(3):
        shop.platforms["webshop"].count("A", 99)
        shop.run(60)
    assert ask(shop, "approve", hold=hold_id(shop))["refused"] == []
    shop.run(60)
    assert everywhere(shop, "A") == SHOWN
    assert holds(shop) == {}


def test_three_edits_over_three_days_are_three_repairs(tmp_path: Path) -> None:
    shop = four_channels(tmp_path, files=SLOW)
    for _ in range(3):
        shop.platforms["webshop"].count("A", 99)
        shop.run(3_600)
        assert shop.shows("webshop", "A") == 15
        shop.pass_by(86_400 - 3_600)
        assert shop.shows("webshop", "A") == 15
    assert holds(shop) == {}


def test_with_the_verdict_hold_an_edit_waits_for_a_person(tmp_path: Path) -> None:
    shop = four_channels(tmp_path, files=HOLD)
    shop.platforms["webshop"].count("A", 99)
    shop.run(120)
    assert shop.shows("webshop", "A") == 99
    assert "webshop person_edit" in holds(shop)
    assert ask(shop, "approve", hold=hold_id(shop))["refused"] == []
    shop.run(60)
    assert shop.shows("webshop", "A") == 15


def hold_id(shop: Stage) -> str:
    from hub.store import requests

    (hold,) = shop.hub.database.read(requests.holds)
    return hold.id
