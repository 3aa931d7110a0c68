"""A set that is made of things which are also sold singly: it takes them, the books move them, the shop is told of the set."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from merchant import AARHUS, Merchant, merchant

SET = {"allocation.yaml": "bundles: {K: [{sku: A, pieces: 1}, {sku: B, pieces: 2}]}\n"}


def opened(folder: Path, stock: dict[str, tuple[int, int]], *known_to: str) -> Merchant:
    """K = 1 A + 2 B; K itself is on sale at 375.00 and nowhere in stock."""
    shop = merchant(folder, stock, extra=SET)
    for name in known_to:
        shop.stage.platforms[name].add_item("K", "Set K", price=Decimal("300.00"))
    shop.run(130)
    return shop


def shown(shop: Merchant) -> list[int]:
    """What customers of the webshop can buy of A, B and K; the social shop shows the same."""
    pairs = [shop.shops(sku) for sku in "ABK"]
    assert all(webshop == social for webshop, social in pairs)
    return [webshop for webshop, _ in pairs]


def line(order: dict[str, Any], sku: str) -> tuple[int, int, int]:
    """Pieces of a line: ordered, cancelled, gone."""
    (found,) = [each for each in order["lines"] if each["sku"] == sku]
    return found["quantity"], found["cancelled"], found["fulfilled"]


def test_a_set_and_its_component_are_sold_at_once(tmp_path: Path) -> None:
    shop = opened(tmp_path, {"A": (0, 10), "B": (0, 9)}, "erp", "webshop", "till")
    assert shown(shop) == [10, 9, 4]
    one = shop.webshop.order({"K": 1})
    shop.run(130)
    assert shown(shop) == [9, 7, 3]
    both = shop.webshop.order({"A": 2, "K": 1})
    shop.run(130)
    assert shown(shop) == [6, 5, 2]
    assert [sale["total_minor"] for sale in shop.sales()] == [37500, 77490]
    for number in list(shop.erp.orders_shown()):
        shop.erp.ship(number, tracking=f"T{number}")
        shop.run(200)
        assert shown(shop) == [6, 5, 2]
    assert [shop.in_warehouse(sku) for sku in "ABK"] == [6, 5, 0]
    assert line(shop.webshop.orders_shown()[one], "K") == (1, 0, 1)
    assert [line(shop.webshop.orders_shown()[both], sku) for sku in "AK"] == [(2, 0, 2), (1, 0, 1)]
    assert shop.quiet()


def test_a_set_has_left_when_all_of_it_has(tmp_path: Path) -> None:
    shop = opened(tmp_path, {"A": (0, 10), "B": (0, 9)}, "erp", "webshop", "till")
    order = shop.webshop.order({"K": 2})
    shop.run(130)
    (booked,) = shop.erp.orders_shown()
    shop.erp.ship(booked, {"A": 2, "B": 1})
    shop.run(200)
    assert line(shop.webshop.orders_shown()[order], "K") == (2, 0, 0)
    shop.erp.ship(booked)
    shop.run(200)
    assert line(shop.webshop.orders_shown()[order], "K") == (2, 0, 2)
    assert ([shop.in_warehouse(sku) for sku in "AB"], shown(shop)) == ([8, 5], [8, 5, 2])
    assert shop.quiet()


def test_a_set_of_which_a_part_is_given_up_is_not_coming(tmp_path: Path) -> None:
    shop = opened(tmp_path, {"A": (0, 10), "B": (0, 9)}, "erp", "webshop", "till")
    order = shop.webshop.order({"K": 2})
    shop.run(130)
    (booked,) = shop.erp.orders_shown()
    shop.erp.edit(booked, "B", 3)
    shop.run(300)
    assert line(shop.webshop.orders_shown()[order], "K") == (2, 1, 0)
    assert [line(shop.erp.orders_shown()[booked], sku)[:2] for sku in "AB"] == [(2, 1), (4, 2)]
    assert shown(shop) == [9, 7, 3]
    assert shop.quiet()


@pytest.mark.parametrize("way", ["collected", "rung up"])
def test_a_set_is_fetched_at_the_till_that_knows_only_its_parts(tmp_path: Path, way: str) -> None:
    shop = opened(tmp_path, {"A": (5, 0), "B": (6, 0)}, "erp", "webshop")
    order = shop.webshop.order({"K": 1}, pickup="fetch-aarhus")
    shop.run(130)
    assert shown(shop) == [4, 4, 2]
    (waiting,) = shop.till.orders_shown()
    assert [(each["sku"], each["quantity"]) for each in shop.till.orders_shown()[waiting]["lines"]] == [("A", 1), ("B", 2)]
    if way == "collected":
        shop.till.collect(waiting)
    else:
        shop.till.ring_up({"A": 1, "B": 2}, place=AARHUS, reference=shop.till.orders_shown()[waiting]["number"])
    shop.run(300)
    assert ([shop.at_till(sku) for sku in "AB"], shown(shop)) == ([4, 4], [4, 4, 2])
    assert line(shop.webshop.orders_shown()[order], "K") == (1, 0, 1)
    assert [sale["total_minor"] for sale in shop.sales()] == [37500]
    assert shop.quiet()
