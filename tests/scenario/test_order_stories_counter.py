"""Orders between shop, counter and warehouse: who delivers, who gives up, who pays back; each physical act and each sum once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from merchant import AARHUS, Merchant, merchant

PAYS = "orders: {take_in: true, pay_refunds: true}\n"
FROM_WAREHOUSE = {"routing.yaml": "rules: [{channels: [till], places: [warehouse]}]\n"}
SET = {"allocation.yaml": "bundles: {K: [{sku: A, pieces: 1}, {sku: B, pieces: 2}]}\n"}


def number_of(shop: Merchant, order: str) -> str:
    """The number by which everybody knows an order of the webshop."""
    return f"webshop-{shop.webshop.orders_shown()[order]['number']}"


def sent_and_told(shop: Merchant, pieces: int = 3) -> str:
    """An order of that many T-shirts and 39.00 of shipping, paid, booked, shipped and told."""
    order: str = shop.webshop.order({"TEE": pieces}, shipping=Decimal("39.00"))
    shop.run(120)
    (booked,) = shop.erp.orders_shown()
    shop.erp.ship(booked, tracking="GLS-1")
    shop.run(200)
    return order


def waiting_at_the_till(shop: Merchant, order: str) -> str:
    """The till's own order for what a customer of the webshop fetches."""
    (found,) = [name for name, told in shop.till.orders_shown().items() if told["number"] == number_of(shop, order)]
    return found


def test_paid_in_the_store_and_shipped_from_the_warehouse(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (4, 10)}, extra=FROM_WAREHOUSE)
    order = shop.till.order({"TEE": 2}, send=True, shipping=Decimal("39.00"))
    shop.run(200)
    assert (shop.at_till("TEE"), shop.in_warehouse("TEE"), shop.shops("TEE")) == (4, 10, (12, 12))
    (sale,) = shop.sales()
    assert sale["total_minor"] == 43890
    (booked,) = shop.erp.orders_shown()
    shop.erp.ship(booked, tracking="GLS-9")
    shop.run(200)
    assert (shop.at_till("TEE"), shop.in_warehouse("TEE"), shop.shops("TEE")) == (4, 8, (12, 12))
    assert shop.till.orders_shown()[order]["state"] == "COMPLETED"
    assert shop.quiet()


def test_pieces_that_the_warehouse_gives_up_are_cancelled_in_the_shop_once(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = shop.webshop.order({"TEE": 3})
    shop.run(120)
    (booked,) = shop.erp.orders_shown()
    shop.webshop.faults.lose_answer_next = 1
    shop.erp.edit(booked, "TEE", 1)
    shop.run(600)
    (line,) = shop.webshop.orders_shown()[order]["lines"]
    assert (line["quantity"], line["cancelled"]) == (3, 2)
    assert shop.shops("TEE") == (9, 9)
    shop.erp.ship(booked)
    shop.run(200)
    (line,) = shop.webshop.orders_shown()[order]["lines"]
    assert (line["cancelled"], line["fulfilled"]) == (2, 1)
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (9, (9, 9))
    assert shop.quiet()


@pytest.mark.parametrize("pays", [True, False])
def test_goods_taken_back_at_the_counter_without_money_are_paid_by_the_shop_where_it_is_to(tmp_path: Path, pays: bool) -> None:
    shop = merchant(tmp_path, {"TEE": (4, 10)}, **({"webshop": PAYS} if pays else {}))
    order = sent_and_told(shop)
    shop.webshop.faults.lose_answer_next = 2
    shop.till.take_back("TEE", 2, AARHUS, reference=number_of(shop, order), amount=Decimal(0))
    shop.run(600)
    assert shop.webshop.orders_shown()[order]["refunded_minor"] == (39990 if pays else 0)
    assert shop.booked() == 63885 - (39990 if pays else 0)
    assert (shop.at_till("TEE"), shop.in_warehouse("TEE"), shop.shops("TEE")) == (6, 7, (13, 13))
    assert shop.quiet()


def test_the_shop_pays_back_no_more_than_it_took(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (4, 10)}, webshop=PAYS)
    order = sent_and_told(shop)
    shop.webshop.refund(order, Decimal("500.00"))
    shop.run(130)
    for _ in range(2):
        shop.till.take_back("TEE", 2, AARHUS, reference=number_of(shop, order), amount=Decimal(0))
        shop.run(400)
    assert shop.webshop.orders_shown()[order]["refunded_minor"] == 63885
    assert shop.booked() == 0
    assert shop.stuck() == ["more came back than was bought: 1 of Thing TEE, Regular"]
    writes = shop.stage.writes()
    shop.run(700)
    assert shop.stage.writes() == writes


def test_a_parcel_that_comes_back_to_the_warehouse_is_paid_back_once_by_the_shop(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (4, 10)}, webshop=PAYS)
    order = sent_and_told(shop)
    back = shop.erp.order({"TEE": -2}, paid=False, reference=number_of(shop, order))
    shop.erp.receive_back(back)
    shop.run(600)
    assert shop.webshop.orders_shown()[order]["refunded_minor"] == 39990
    assert shop.booked() == 63885 - 39990
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (9, (13, 13))
    assert shop.quiet()


def test_a_credit_in_the_books_stands_when_goods_come_back_later_and_are_paid(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (4, 10)}, webshop=PAYS)
    order = sent_and_told(shop)
    shop.webshop.refund(order, Decimal("39.00"), shipping=Decimal("39.00"))
    shop.run(300)
    assert sorted(sale["total_minor"] for sale in shop.sales()) == [-3900, 63885]
    shop.erp.receive_back(shop.erp.order({"TEE": -1}, paid=False, reference=number_of(shop, order)))
    shop.run(600)
    assert sorted(sale["total_minor"] for sale in shop.sales()) == [-19995, -3900, 63885]
    assert shop.webshop.orders_shown()[order]["refunded_minor"] == 23895
    assert shop.quiet()


def test_a_pickup_that_is_cancelled_before_it_was_fetched_frees_the_goods_and_leaves_the_till(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"LAMP": (3, 0)}, {"LAMP": "796.00"})
    order = shop.webshop.order({"LAMP": 1}, pickup="fetch-aarhus")
    shop.run(120)
    shop.till.prepare(waiting_at_the_till(shop, order))
    shop.run(120)
    assert shop.shops("LAMP") == (2, 2)
    shop.webshop.cancel(order)
    shop.run(200)
    assert (shop.at_till("LAMP"), shop.shops("LAMP"), shop.booked()) == (3, (3, 3), 0)
    assert shop.till.orders_shown()[waiting_at_the_till(shop, order)]["state"] == "CANCELED"
    assert shop.quiet()


@pytest.mark.parametrize("ended", ["expire", "cancel"])
def test_a_pickup_that_nobody_fetches_is_cancelled_in_the_shop_and_frees_the_goods(tmp_path: Path, ended: str) -> None:
    shop = merchant(tmp_path, {"LAMP": (3, 0)}, {"LAMP": "796.00"})
    order = shop.webshop.order({"LAMP": 1}, pickup="fetch-aarhus")
    shop.run(120)
    waiting = waiting_at_the_till(shop, order)
    shop.till.prepare(waiting)
    shop.run(120)
    getattr(shop.till, ended)(waiting)
    shop.run(300)
    shown = shop.webshop.orders_shown()[order]
    assert (shown["state"], [line["cancelled"] for line in shown["lines"]]) == ("Cancelled", [1])
    assert shop.till.orders_shown()[waiting]["state"] == "CANCELED"
    assert (shop.at_till("LAMP"), shop.shops("LAMP"), shop.booked()) == (3, (3, 3), 0)
    assert shop.quiet()
