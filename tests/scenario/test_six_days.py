"""Six days in a shop: what customers can buy, what stands in the books, whatever is told in whatever order."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from merchant import AARHUS, WAREHOUSE, Merchant, merchant, slowly


def test_an_own_order_is_not_subtracted_twice_where_it_was_placed(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 12)})
    order = shop.webshop.order({"TEE": 2})
    shop.run(60)
    assert shop.shops("TEE") == (10, 10)
    second = shop.webshop.order({"TEE": 1})
    shop.run(130)
    assert shop.shops("TEE") == (9, 9)
    for number in list(shop.erp.orders_shown()):
        shop.erp.ship(number, tracking=f"T{number}")
        shop.run(90)
        assert shop.shops("TEE") == (9, 9)
    assert shop.in_warehouse("TEE") == 9
    assert [shop.webshop.orders_shown()[name]["lines"][0]["fulfilled"] for name in (order, second)] == [2, 1]
    assert shop.quiet()
    assert shop.shops("TEE") == (9, 9)


@pytest.mark.parametrize("lost", ["nothing", "count", "order", "both"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_till_sale_counts_once_whatever_is_told_first(tmp_path: Path, lost: str, turned: bool) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 10)}, extra=slowly())
    shop.till.outbox.clear()
    shop.till.sell("TEE", 1, AARHUS)
    told = list(shop.till.outbox)
    shop.till.outbox.clear()
    kept = [each for each in told if not _about(each.body, lost)]
    for each in reversed(kept) if turned else kept:
        shop.stage.post(each)
        shop.stage.hub.settle()
    shop.run(5 * 3600)
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (4, (14, 14))
    shop.run(24 * 3600)
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (4, (14, 14))
    assert [sale["total_minor"] for sale in shop.sales()] == [19995]


def _about(body: bytes, lost: str) -> bool:
    count = b"inventory.count.updated" in body
    return lost == "both" or (lost == "count" and count) or (lost == "order" and not count)


def test_a_till_that_was_offline_tells_its_morning_in_the_afternoon(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 10)})
    hour = 3_600_000_000
    start = shop.stage.clock.now()
    shop.stage.clock.advance(4 * 3600)
    for after in (0, 1):
        shop.till.sell("TEE", 1, AARHUS, at=start + after * hour)
    shop.till.count("TEE", 3, AARHUS)
    shop.run(1200)
    assert shop.shops("TEE") == (shop.at_till("TEE") + 10,) * 2
    assert len(shop.sales()) == 2
    assert shop.quiet()


def test_phone_orders_are_demand_like_any_other(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)}, extra=slowly())
    first = shop.erp.phone_order({"TEE": 4})
    shop.run(3700)
    assert shop.shops("TEE") == (6, 6)
    shop.erp.phone_order({"TEE": 3})
    shop.run(3700)
    assert shop.shops("TEE") == (3, 3)
    shop.webshop.order({"TEE": 3})
    shop.run(3700)
    assert shop.shops("TEE") == (0, 0)
    shop.erp.ship(first)
    shop.run(3700)
    assert shop.shops("TEE") == (0, 0)
    shop.run(12 * 3600)
    assert shop.shops("TEE") == (0, 0)
    shop.erp.receive("TEE", 50, WAREHOUSE)
    shop.run(3700)
    assert (shop.shops("TEE"), shop.in_warehouse("TEE")) == ((50, 50), 56)
    assert shop.quiet()


@pytest.mark.parametrize("fetched", ["collected", "rung up", "both", "both, the receipt first"])
def test_click_and_collect(tmp_path: Path, fetched: str) -> None:
    shop = merchant(tmp_path, {"LAMP": (3, 0)}, {"LAMP": "796.00"})
    order = shop.webshop.order({"LAMP": 1}, pickup="fetch-aarhus")
    shop.run(120)
    assert shop.shops("LAMP") == (2, 2)
    number = shop.webshop.orders_shown()[order]["number"]
    (waiting,) = [name for name, told in shop.till.orders_shown().items() if told["number"].endswith(number)]
    shop.till.prepare(waiting)
    shop.run(120)
    assert any("Shop in Aarhus" in note for note in shop.webshop.orders_shown()[order]["notes"])
    ways = {"collected": "c", "rung up": "r", "both": "cr", "both, the receipt first": "rc"}[fetched]
    for way in ways:
        if way == "c":
            shop.till.collect(waiting)
        else:
            shop.till.ring_up({"LAMP": 1}, place=AARHUS, reference=shop.till.orders_shown()[waiting]["number"])
        shop.run(180)
        assert shop.shops("LAMP") == (2, 2)
    shop.run(600)
    assert (shop.at_till("LAMP"), shop.shops("LAMP")) == (2, (2, 2))
    assert [sale["total_minor"] for sale in shop.sales()] == [99500]
    assert [line["fulfilled"] for line in shop.webshop.orders_shown()[order]["lines"]] == [1]
    assert shop.quiet()


def test_bought_online_and_returned_in_the_store(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (4, 10)})
    order = shop.webshop.order({"TEE": 3}, shipping=Decimal("39.00"))
    shop.run(120)
    (sale,) = shop.sales()
    assert sale["total_minor"] == 63885
    (booked,) = shop.erp.orders_shown()
    shop.erp.ship(booked, tracking="GLS-1")
    shop.run(200)
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (7, (11, 11))
    number = f"webshop-{shop.webshop.orders_shown()[order]['number']}"
    shop.till.take_back("TEE", 2, AARHUS, reference=number, damaged=1)
    shop.run(300)
    assert (shop.in_warehouse("TEE"), shop.at_till("TEE"), shop.shops("TEE")) == (7, 5, (12, 12))
    credits = [sale["total_minor"] for sale in shop.sales() if sale["total_minor"] < 0]
    assert credits == [-39990]
    assert [note for note in shop.webshop.orders_shown()[order]["notes"] if "399.90" in note]
    assert shop.webshop.orders_shown()[order]["refunded_minor"] == 0
    assert shop.quiet()
    shop.till.take_back("TEE", 2, AARHUS, reference=number)
    shop.run(300)
    assert sum(sale["total_minor"] for sale in shop.sales()) == 63885 - 59985
    assert shop.stuck() == ["more came back than was bought: 1 of Thing TEE, Regular"]


def test_a_day_at_the_till(tmp_path: Path) -> None:
    prices = {"A": "239.96", "B": "279.96", "C": "79.96", "D": "400.00", "E": "159.96", "BAG": "3.20"}
    shop = merchant(tmp_path, {**dict.fromkeys("ABCDE", (5, 0)), "BAG": (0, 0)}, prices)
    _day(shop)
    shop.run(600)
    assert [shop.at_till(sku) for sku in "ABCDE"] == [6, 4, 4, 4, 6]
    assert [shop.shops(sku) for sku in "ABCDE"] == [(n, n) for n in (6, 4, 4, 4, 6)]
    assert shop.booked() == 50400 + 50000 + 2000 + 5
    assert shop.quiet()


def _day(shop: Merchant) -> None:
    till = shop.till
    till.ring_up({}, place=AARHUS, custom=[("Repair", Decimal("150.00")), ("Bag", Decimal("4.00"))])
    till.ring_up({}, place=AARHUS, gift_cards=[Decimal("500.00")])
    till.ring_up({"B": 1}, place=AARHUS, back={"A": 1}, typed={"A": Decimal("299.95")})
    till.ring_up({"C": 1}, place=AARHUS, rounding=Decimal("0.05"), tender="CASH")
    till.ring_up({}, place=AARHUS, tip=Decimal("20.00"))
    till.ring_up({"D": 1}, place=AARHUS, discounts={"D": Decimal("100.00")})
    till.take_back("E", 1, AARHUS, amount=Decimal("199.95"))
