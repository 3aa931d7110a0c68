"""A Shopify shop beside a till, an ERP and a social shop: what is bought there is booked once, shipped once, and counted once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from fault_stage import FOUR
from stage import FILES, Stage, stage

from hub.status import status

WEBSHOP = """
channel: webshop
connector: shopify
role: webshop
mode: live
base_url: https://webshop.example
settings: {shop: made-shop.myshopify.com, stock_location: "70000001"}
secrets: {access_token: "env:X", client_secret: "env:X"}
sells_from: [aarhus, warehouse]
orders_since: 2026-01-01
orders: {take_in: true}
streams:
  items: {poll_seconds: 60, sweep_seconds: 600}
  stock: {poll_seconds: 60, sweep_seconds: 600}
  orders: {poll_seconds: 60, sweep_seconds: 3600}
"""
BOOKS = "orders: {export_from: [webshop], suspense_payment: web, taxes: {'25': '1'}, suspense_tax: '1'}\n"
AUTHORITY = FILES["authority.yaml"].replace("covers: [warehouse]}", 'covers: [warehouse], contains: ["own:shipped"]}')


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    probe = stage(tmp_path / "probe")
    shipping = probe.platforms["erp"].add_intangible("SHIPPING", "Shipping")
    erp = FOUR["channels/erp.yaml"].replace("currency: DKK}", f'currency: DKK, shipping_product: "{shipping}"}}')
    files = {
        **FOUR,
        "authority.yaml": AUTHORITY,
        "channels/webshop.yaml": WEBSHOP,
        "channels/erp.yaml": erp + BOOKS,
        "channels/social.yaml": FOUR["channels/social.yaml"].replace("offer: all", "offer: all, never_skus: [SHIPPING]"),
    }
    made = stage(tmp_path / "shop", files=files, options={"webshop": {"locations": "70000001"}})
    made.platforms["erp"].add_intangible("SHIPPING", "Shipping")
    for sku in ("TEE", "CAP"):
        for channel in ("erp", "till", "webshop"):
            made.platforms[channel].add_item(sku, sku, price=Decimal("159.96"))
        made.platforms["erp"].count(sku, 12, "3")
        made.platforms["till"].count(sku, 0, "LAARHUS000001")
    made.run(30)
    return made


def everywhere(shop: Stage, sku: str) -> tuple[int, int]:
    """What customers can buy of it in the webshop and in the social shop."""
    return shop.shows("webshop", sku), shop.shows("social", sku)


def test_an_order_is_booked_and_shipped_once_and_its_parcel_is_shown(shop: Stage) -> None:
    webshop, erp = shop.platforms["webshop"], shop.platforms["erp"]
    assert everywhere(shop, "TEE") == (12, 12)
    assert shop.price("webshop", "TEE") == Decimal("199.95")
    order = webshop.order({"TEE": 2}, shipping=Decimal("39.00"))
    shop.run(180)
    assert everywhere(shop, "TEE") == (10, 10)
    (sale,) = erp.orders_shown()
    erp.ship(sale, tracking="TN1")
    shop.run(600)
    (parcel,) = webshop.orders_shown()[order]["fulfilments"]
    assert (parcel["parts"], parcel["tracking"]) == ({"TEE": 2}, "TN1")
    assert everywhere(shop, "TEE") == (10, 10)
    assert shop.letters() == []
    shop.run(3_700)
    assert (everywhere(shop, "TEE"), len(erp.orders_shown())) == ((10, 10), 1)
    assert len(webshop.orders_shown()[order]["fulfilments"]) == 1


def test_lost_deliveries_and_a_cancellation_are_made_good_by_reading(shop: Stage) -> None:
    webshop = shop.platforms["webshop"]
    order = webshop.order({"TEE": 3})
    shop.lose_deliveries()
    shop.run(300)
    assert everywhere(shop, "TEE") == (9, 9)
    webshop.cancel(order)
    shop.lose_deliveries()
    shop.run(600)
    assert everywhere(shop, "TEE") == (12, 12)
    assert shop.letters() == []


def test_an_api_version_that_has_expired_stands_in_the_status_for_as_long_as_it_lasts(shop: Stage) -> None:
    def noticed() -> list[str]:
        hub = shop.hub
        manifests = {name: channel.manifest for name, channel in hub.channels.items()}
        found = status(hub.config, manifests, hub.database, shop.clock.now(), working=True)
        return [words for channel in found.channels for words in channel.notices]

    assert noticed() == []
    shop.platforms["webshop"].options["versions"] = "2027-01,2027-04"
    shop.run(90)
    (words,) = noticed()
    assert "answered by 2027-01" in words
    shop.restart()
    shop.run(90)
    assert noticed() == [words], "once, also after a start"
    shop.platforms["webshop"].options["versions"] = "2026-10"
    shop.restart()
    shop.run(90)
    assert noticed() == []
