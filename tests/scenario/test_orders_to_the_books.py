"""An order placed in the shop is one sale in the ERP; what the ERP ships, the shop shows; and every unit is counted once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from fault_stage import FOUR
from stage import FILES, WEBSHOP, Stage, stage

from hub.store import orders

TAKES_ORDERS = WEBSHOP + "orders: {take_in: true}\n"
BOOKS = (
    FOUR["channels/erp.yaml"].replace("currency: DKK}", 'currency: DKK, shipping_product: "{shipping}"}')
    + "orders: {export_from: [webshop], suspense_payment: web, taxes: {'25': '1'}, suspense_tax: '1'}\n"
)
AUTHORITY = FILES["authority.yaml"].replace("covers: [warehouse]}", 'covers: [warehouse], contains: ["own:shipped"]}')


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    probe = stage(tmp_path / "probe")
    shipping = probe.platforms["erp"].add_intangible("SHIPPING", "Shipping")
    files = {
        **FOUR,
        "authority.yaml": AUTHORITY,
        "channels/webshop.yaml": TAKES_ORDERS,
        "channels/erp.yaml": BOOKS.replace("{shipping}", shipping),
        "channels/social.yaml": FOUR["channels/social.yaml"].replace("offer: all", "offer: all, never_skus: [SHIPPING]"),
    }
    made = stage(tmp_path / "shop", files=files)
    assert made.platforms["erp"].add_intangible("SHIPPING", "Shipping") == shipping
    for sku in ("TEE", "CAP"):
        for channel in ("erp", "till", "webshop"):
            made.platforms[channel].add_item(sku, sku, price=Decimal("159.96"))
        made.platforms["erp"].count(sku, 12, "3")
        made.platforms["till"].count(sku, 0, "LAARHUS000001")
    made.run(30)
    return made


def sales(shop: Stage) -> list[dict[str, object]]:
    """The sales in the ERP's books."""
    return list(shop.platforms["erp"].orders_shown().values())


def everywhere(shop: Stage, sku: str) -> tuple[int, int]:
    """What customers can buy of it in the webshop and in the social shop."""
    return shop.shows("webshop", sku), shop.shows("social", sku)


def test_an_order_is_booked_once_shipped_once_and_told_back(shop: Stage) -> None:
    order = shop.platforms["webshop"].order({"TEE": 2}, shipping=Decimal("39.00"))
    shop.run(60)
    assert everywhere(shop, "TEE") == (10, 10)
    (sale,) = sales(shop)
    assert [(line["sku"], line["quantity"]) for line in sale["lines"] if line["sku"] == "TEE"] == [("TEE", 2)]  # type: ignore[attr-defined,index]
    assert shop.letters() == []

    (number,) = shop.platforms["erp"].orders_shown()
    shop.platforms["erp"].ship(number, tracking="GLS-1")
    shop.run(130)
    shown = shop.platforms["webshop"].orders_shown()[order]
    assert [line["fulfilled"] for line in shown["lines"]] == [2]
    assert everywhere(shop, "TEE") == (10, 10)
    assert shop.platforms["erp"].shown()["TEE"]["stock"]["3"] == 10
    shop.run(400)
    assert len(sales(shop)) == 1
    assert everywhere(shop, "TEE") == (10, 10)


def test_the_answer_to_create_is_lost_again_and_again(shop: Stage) -> None:
    shop.platforms["erp"].faults.lose_answer_next = 6
    shop.platforms["webshop"].order({"TEE": 1})
    shop.run(900)
    assert len(sales(shop)) == 1
    assert everywhere(shop, "TEE") == (11, 11)


def test_the_hub_dies_and_comes_back_while_orders_come_in(shop: Stage) -> None:
    for _ in range(5):
        shop.platforms["webshop"].order({"CAP": 1})
        shop.deliver()
        shop.hub.walk.step()
        shop.hub.turns["erp"].step()
        shop.restart()
    shop.run(300)
    assert len(sales(shop)) == 5
    assert everywhere(shop, "CAP") == (7, 7)


def test_the_erp_is_down_for_hours_and_then_every_order_is_there_once(shop: Stage) -> None:
    shop.platforms["erp"].faults.down = True
    for _ in range(8):
        shop.platforms["webshop"].order({"TEE": 1})
        shop.run(1800)
    assert everywhere(shop, "TEE") == (4, 4)
    shop.platforms["erp"].faults.down = False
    shop.run(1200)
    assert len(sales(shop)) == 8
    assert everywhere(shop, "TEE") == (4, 4)


def test_an_order_cancelled_before_it_was_shipped_is_called_off_in_the_books(shop: Stage) -> None:
    order = shop.platforms["webshop"].order({"TEE": 3})
    shop.run(60)
    shop.platforms["webshop"].cancel(order)
    shop.run(300)
    (sale,) = sales(shop)
    assert [line["quantity"] - line["cancelled"] for line in sale["lines"] if line["sku"] == "TEE"] == [0]  # type: ignore[attr-defined]
    assert everywhere(shop, "TEE") == (12, 12)


def test_an_order_with_an_unmapped_tax_waits_alone_and_says_why(tmp_path: Path) -> None:
    files = {
        **FOUR,
        "authority.yaml": AUTHORITY,
        "channels/webshop.yaml": TAKES_ORDERS,
        "channels/erp.yaml": FOUR["channels/erp.yaml"] + "orders: {export_from: [webshop], suspense_payment: web}\n",
    }
    made = stage(tmp_path, files=files)
    for channel in ("erp", "till", "webshop"):
        made.platforms[channel].add_item("TEE", "TEE", price=Decimal("159.96"))
    made.platforms["erp"].count("TEE", 12, "3")
    made.run(30)
    made.platforms["webshop"].order({"TEE": 2})
    made.run(60)
    (stuck,) = made.hub.database.read(lambda tx: orders.latest(tx, 10, stuck=True))
    assert "tax `25`" in stuck.words
    assert made.shows("social", "TEE") == 10


def test_an_order_read_again_and_again_takes_its_units_once(shop: Stage) -> None:
    shop.platforms["webshop"].order({"TEE": 2})
    shop.run(60)
    (number,) = shop.platforms["erp"].orders_shown()
    shop.platforms["erp"].ship(number)
    shop.run(300)
    assert everywhere(shop, "TEE") == (10, 10)
    before = shop.writes()
    shop.run(3 * 3600)
    assert everywhere(shop, "TEE") == (10, 10)
    assert shop.writes() == before
