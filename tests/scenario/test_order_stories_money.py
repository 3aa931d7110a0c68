"""Money of orders that are not the usual ones: half of it, none of it, very much of it, in other currencies."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from merchant import AARHUS, BOOKS, WAREHOUSE, Merchant, merchant

ABROAD = """
channel: {name}
connector: vendure
role: webshop
mode: live
base_url: https://{name}.example
settings: {{stock_location: "1", currency: {currency}, prices_tax: included, username: superadmin}}
secrets: {{password: "env:X", hook_secret: "env:X"}}
sells_from: [warehouse]
streams: {{items: {{poll_seconds: 60, sweep_seconds: 600}}, orders: {{poll_seconds: 60, sweep_seconds: 3600}}}}
orders_since: "2020-01-01"
orders: {{take_in: true}}
"""
CURRENCIES = {"japan": "JPY", "kuwait": "KWD"}


def pieces(sale: dict[str, Any], sku: str = "TEE") -> tuple[int, int]:
    """Of this thing in a sale or order: pieces still wanted, and pieces that left."""
    (line,) = [each for each in sale["lines"] if each["sku"] == sku]
    return line["quantity"] - line["cancelled"], line["fulfilled"]


def ship_all(shop: Merchant) -> None:
    """The warehouse ships whatever is in the books."""
    for number in list(shop.erp.orders_shown()):
        shop.erp.ship(number, tracking=f"T{number}")
    shop.run(130)


def test_half_the_order_is_cancelled_after_half_was_shipped(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = shop.webshop.order({"TEE": 4}, shipping=Decimal("39.00"))
    shop.run(120)
    (booked,) = shop.erp.orders_shown()
    shop.erp.ship(booked, {"TEE": 2}, tracking="GLS-1")
    shop.run(120)
    assert (pieces(shop.webshop.orders_shown()[order]), shop.shops("TEE")) == ((4, 2), (6, 6))
    shop.webshop.cancel(order, {"TEE": 2})
    shop.run(120)
    assert (pieces(shop.erp.orders_shown()[booked]), shop.shops("TEE")) == ((2, 2), (8, 8))

    shop.webshop.refund(order, Decimal("399.90"))
    shop.run(300)
    assert [sale["total_minor"] for sale in shop.sales() if sale["total_minor"] < 0] == []
    shown = shop.webshop.orders_shown()[order]
    assert (shown["total_minor"], shown["refunded_minor"], len(shown["fulfilments"])) == (43890, 39990, 1)
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (8, (8, 8))
    assert shop.quiet()


def test_what_is_paid_back_beyond_the_cancelled_half_is_a_credit(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = shop.webshop.order({"TEE": 4})
    shop.run(120)
    (booked,) = shop.erp.orders_shown()
    shop.erp.ship(booked, {"TEE": 2})
    shop.run(120)
    shop.webshop.cancel(order, {"TEE": 2})
    shop.webshop.refund(order, Decimal("449.90"))
    shop.run(300)
    assert [sale["total_minor"] for sale in shop.sales() if sale["total_minor"] < 0] == [-5000]
    assert shop.quiet()


def test_a_refund_of_shipping_only_is_a_credit_without_goods(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = shop.webshop.order({"TEE": 1}, shipping=Decimal("39.00"))
    shop.run(120)
    ship_all(shop)
    shop.webshop.refund(order, Decimal("39.00"), shipping=Decimal("39.00"))
    shop.run(300)
    sale, credit = shop.sales()
    assert (sale["total_minor"], credit["total_minor"]) == (23895, -3900)
    assert [(line["sku"], line["quantity"]) for line in credit["lines"]] == [("SHIPPING", -1)]
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (9, (9, 9))
    assert shop.quiet()


def test_an_order_that_costs_nothing_is_an_order(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    for name in ("erp", "till", "webshop"):
        shop.stage.platforms[name].add_item("SAMPLE", "Sample", price=Decimal(0))
    shop.erp.count("SAMPLE", 5, WAREHOUSE)
    shop.till.count("SAMPLE", 0, AARHUS)
    shop.run(130)
    order = shop.webshop.order({"SAMPLE": 2})
    shop.run(120)
    assert shop.stage.shows("webshop", "SAMPLE") == 3
    (sale,) = shop.sales()
    assert (sale["total_minor"], pieces(sale, "SAMPLE")) == (0, (2, 0))
    ship_all(shop)
    assert pieces(shop.webshop.orders_shown()[order], "SAMPLE") == (2, 2)
    assert (shop.in_warehouse("SAMPLE"), shop.stage.shows("webshop", "SAMPLE")) == (3, 3)
    assert shop.quiet()


def test_an_order_of_300_lines_is_one_sale_to_the_last_minor_unit(tmp_path: Path) -> None:
    skus = [f"S{number:03d}" for number in range(300)]
    shop = merchant(tmp_path, dict.fromkeys(skus, (0, 10)), {sku: f"{80 + n}.9{n % 10}" for n, sku in enumerate(skus)})
    order = shop.webshop.order({sku: 1 + number % 3 for number, sku in enumerate(skus)}, shipping=Decimal("39.00"))
    shop.run(120)
    (sale,) = shop.sales()
    assert sale["total_minor"] == shop.webshop.orders_shown()[order]["total_minor"]
    assert sum(pieces(sale, sku)[0] for sku in skus) == 600
    assert [shop.shops(sku) for sku in skus[:3]] == [(9, 9), (8, 8), (7, 7)]
    ship_all(shop)
    assert sum(pieces(shop.webshop.orders_shown()[order], sku)[1] for sku in skus) == 600
    assert shop.quiet()


def test_orders_in_currencies_without_and_with_thousandths(tmp_path: Path) -> None:
    abroad = {f"channels/{name}.yaml": ABROAD.format(name=name, currency=code) for name, code in CURRENCIES.items()}
    options = {name: {"currency": code} for name, code in CURRENCIES.items()}
    books = BOOKS.replace("[webshop, till]", "[webshop, till, japan, kuwait]")
    shop = merchant(tmp_path, {"TEE": (0, 10)}, extra=abroad, options=options, erp=books)
    japan, kuwait = (shop.stage.platforms[name] for name in CURRENCIES)
    japan.add_item("TEE", "Tee", price=Decimal("3333"))
    kuwait.add_item("TEE", "Tee", price=Decimal("6.43"))
    shop.run(130)
    orders = japan.order({"TEE": 3}, shipping=Decimal("501")), kuwait.order({"TEE": 2}, shipping=Decimal("1.25"))
    shop.run(130)
    assert sorted(sale["total_minor"] for sale in shop.sales()) == [10500, 14110]
    assert [japan.orders_shown()[orders[0]]["total_minor"], kuwait.orders_shown()[orders[1]]["total_minor"]] == [10500, 14110]
    assert shop.shops("TEE") == (5, 5)
    ship_all(shop)
    japan.refund(orders[0], Decimal("501"), shipping=Decimal("501"))
    kuwait.refund(orders[1], Decimal("6.43"), {"TEE": 1})
    shop.run(300)
    assert sorted(sale["total_minor"] for sale in shop.sales()) == [-6430, -501, 10500, 14110]
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (5, (5, 5))
    assert shop.quiet()


def test_a_piece_that_is_called_off_when_it_has_left_already_is_a_sale_and_a_credit(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = shop.webshop.order({"TEE": 3})
    shop.run(120)
    # The warehouse sends it, and before the shop hears of that its clerk takes a piece off and pays it back.
    shop.webshop.faults.down = True
    ship_all(shop)
    shop.webshop.faults.down = False
    shop.webshop.cancel(order, {"TEE": 1})
    shop.webshop.refund(order, Decimal("199.95"))
    shop.run(600)
    assert [sale["total_minor"] for sale in shop.sales()] == [3 * 19995, -19995]
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (7, (7, 7))
    assert shop.quiet()


def test_what_is_called_off_whole_when_it_has_left_already_is_named_for_a_person(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10), "MUG": (0, 10)})
    order = shop.webshop.order({"TEE": 1, "MUG": 1})
    shop.run(120)
    shop.webshop.faults.down = True
    ship_all(shop)
    shop.webshop.faults.down = False
    shop.webshop.cancel(order, {"TEE": 1})
    shop.webshop.refund(order, Decimal("199.95"))
    shop.run(600)
    assert shop.stuck() == ["1 of TEE left and was called off in the webshop: a person credits it in the books"]
    assert shop.webshop.orders_shown()[order]["state"] == "Shipped"
    assert (shop.shops("TEE"), shop.shops("MUG")) == ((9, 9), (9, 9))
