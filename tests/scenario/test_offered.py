"""What is offered on a channel where the hub makes the listings: made once it has a price, withdrawn when it is gone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from stage import PRICING, Stage, stage

from hub.store import requests

SOCIAL = """
channel: social
connector: meta
role: social
mode: live
base_url: https://social.example
settings: {catalog_id: "1029384756", currency: DKK, brand: Made, link_base: "https://shop.example/items/",
  picture_default: "https://shop.example/picture.jpg"}
secrets: {access_token: "env:X", app_secret: "env:X", verify_token: "env:X"}
sells_from: [warehouse]
price_list: retail
listing: {offer: all}
streams: {items: {poll_seconds: 60, sweep_seconds: 600}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    files = {"pricing.yaml": PRICING + "  social: {list: retail, tax: included}\n", "channels/social.yaml": SOCIAL}
    made = stage(tmp_path, files=files)
    for sku, price in (("A", 80), ("B", 80), ("FREE", 0)):
        made.platforms["erp"].add_item(sku, f"Item {sku}", price=Decimal(price))
        made.platforms["erp"].count(sku, 9, "3")
    made.run(60)
    return made


def state(shop: Stage, sku: str) -> str | None:
    listing = shop.platforms["social"].shown().get(sku)
    return None if listing is None else listing["state"]


def test_items_with_a_price_are_made_with_their_stock(shop: Stage) -> None:
    assert (state(shop, "A"), shop.shows("social", "A"), shop.price("social", "A")) == ("active", 9, Decimal(100))


def test_an_item_that_would_be_free_waits_for_a_person(shop: Stage) -> None:
    assert state(shop, "FREE") is None
    held = shop.hub.database.read(requests.holds)
    assert [(hold.channel, hold.guard) for hold in held if hold.channel == "social"] == [("social", "price_zero")]


@pytest.mark.parametrize("how", ["withdraw", "remove"])
def test_an_item_that_its_authority_gives_up_is_withdrawn(shop: Stage, how: str) -> None:
    getattr(shop.platforms["erp"], how)("A")
    shop.run(1_300)
    assert (state(shop, "A"), state(shop, "B")) == ("inactive", "active")
