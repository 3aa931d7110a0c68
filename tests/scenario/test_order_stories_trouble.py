"""What goes wrong between a shop and the books, and is right in the end: each order once, and what a person must do is said."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from merchant import AARHUS, BOOKS, FOUR, WAREHOUSE, Merchant, files, merchant, slowly

from hub.people import People
from hub.sdk.wire import Request, Response
from hub.store import requests

BLOG = """
channel: blog
connector: woocommerce
role: webshop
mode: live
base_url: https://blog.example
settings: {currency: DKK, prices_tax: included}
secrets: {consumer_key: "env:X", consumer_secret: "env:X", hook_secret: "env:X"}
sells_from: [warehouse]
streams: {items: {poll_seconds: 60, sweep_seconds: 600}, orders: {poll_seconds: 60, sweep_seconds: 3600}}
orders_since: "2020-01-01"
orders: {take_in: true}
"""
ORDERS = 100
GUARDS = {"pricing.yaml": FOUR["pricing.yaml"] + f"guards: {{new_orders_max: {ORDERS}}}\n"}


def pieces(sale: dict[str, Any], sku: str = "TEE") -> int:
    """How many pieces of this thing a sale or order still wants."""
    return sum(line["quantity"] - line["cancelled"] for line in sale["lines"] if line["sku"] == sku)


def reasons(shop: Merchant) -> list[str]:
    """Why dead letters lie there, in the hub's words."""
    return [letter.reason for letter in shop.stage.letters()]


def ask(shop: Merchant, kind: str, **body: object) -> None:
    """A person asks for something, as the command does it; the hub carries it out."""
    hub = shop.stage.hub
    hub.database.transaction(lambda tx: requests.ask(tx, hub.clock.token(), kind, dict(body), hub.clock.now()))
    People(hub).step()


def test_the_answer_to_create_order_is_lost_ten_times_in_a_row(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    shop.erp.faults.lose_answer_next = 10
    shop.webshop.order({"TEE": 2})
    shop.run(3600)
    assert [pieces(sale) for sale in shop.sales()] == [2]
    assert shop.shops("TEE") == (8, 8)
    assert shop.quiet()


def test_the_erp_is_down_for_a_day_and_then_every_order_is_booked_once(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 500)}, extra={**slowly(), **GUARDS})
    shop.erp.faults.down = True
    for number in range(ORDERS):
        shop.webshop.order({"TEE": 1 + number % 2})
        shop.run(24 * 3600 / ORDERS)
    sold = ORDERS + ORDERS // 2
    assert shop.shops("TEE") == (500 - sold, 500 - sold)
    shop.erp.faults.down = False
    shop.run(2 * 3600)
    assert len(shop.sales()) == len({sale["reference"] for sale in shop.sales()}) == ORDERS
    assert sum(pieces(sale) for sale in shop.sales()) == sold
    assert shop.shops("TEE") == (500 - sold, 500 - sold)
    assert shop.quiet()


def test_fewer_pieces_after_it_was_booked_reach_the_books(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = shop.webshop.order({"TEE": 3})
    shop.run(120)
    shop.webshop.edit(order, "TEE", 1)
    shop.run(300)
    assert [pieces(sale) for sale in shop.sales()] == [1]
    assert shop.shops("TEE") == (9, 9)
    assert shop.quiet()


def test_more_pieces_than_the_books_can_take_any_more_are_named_until_it_is_undone(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    order = shop.webshop.order({"TEE": 2})
    shop.run(120)
    shop.webshop.edit(order, "TEE", 3)
    shop.run(300)
    assert shop.shops("TEE") == (7, 7)
    (why,) = reasons(shop)
    assert "what was added to the order must be added by a person" in why
    assert [pieces(sale) for sale in shop.sales()] == [2]
    shop.webshop.edit(order, "TEE", 2)
    shop.run(300)
    assert (reasons(shop), [pieces(sale) for sale in shop.sales()]) == ([], [2])
    assert shop.shops("TEE") == (8, 8)
    assert shop.quiet()


def test_an_order_with_an_unknown_sku_is_booked_when_the_item_is_there(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 10)})
    shop.webshop.add_item("POSTER", "Poster", price=Decimal("16.00"))
    shop.webshop.count("POSTER", 5, "1")
    shop.run(130)
    shop.webshop.order({"TEE": 1, "POSTER": 2})
    shop.run(130)
    assert shop.sales() == []
    assert shop.shops("TEE") == (9, 9)
    (why,) = shop.stuck()
    assert "POSTER on webshop is bound to no item, so nothing of it is reserved" in why
    assert reasons(shop) == ["no item has this SKU"]

    shop.erp.add_item("POSTER", "Poster", price=Decimal("16.00"))
    shop.till.add_item("POSTER", "Poster", price=Decimal("16.00"))
    shop.till.count("POSTER", 0, AARHUS)
    shop.erp.count("POSTER", 5, WAREHOUSE)
    ask(shop, "replay", letters=[], all=True)
    shop.run(130)
    assert [(pieces(sale), pieces(sale, "POSTER"), sale["total_minor"]) for sale in shop.sales()] == [(1, 2, 23195)]
    assert (shop.shops("TEE"), shop.shops("POSTER")) == ((9, 9), (3, 3))
    assert shop.quiet()


def test_it_is_told_paid_before_it_is_told_placed(tmp_path: Path) -> None:
    shop = _with_blog(tmp_path)
    blog = shop.stage.platforms["blog"]
    order = blog.order({"TEE": 2}, paid=False)
    blog.pay(order)
    told = list(blog.outbox)
    blog.outbox.clear()
    assert len(told) == 3
    for each in [*reversed(told), *told]:
        shop.stage.post(each)
        shop.stage.hub.settle()
    shop.run(130)
    assert [(sale["reference"], pieces(sale)) for sale in shop.sales()] == [(f"blog-{order}", 2)]
    assert (shop.shops("TEE"), shop.stage.shows("blog", "TEE")) == ((8, 8), 8)
    assert shop.quiet()


def test_a_trashed_order_gives_its_goods_back_and_is_called_off_in_the_books(tmp_path: Path) -> None:
    shop = _with_blog(tmp_path)
    blog = shop.stage.platforms["blog"]
    order = blog.order({"TEE": 2})
    shop.run(120)
    assert ([pieces(sale) for sale in shop.sales()], shop.shops("TEE")) == ([2], (8, 8))
    blog.trash_order(order)
    shop.run(130)
    assert ([pieces(sale) for sale in shop.sales()], shop.shops("TEE")) == ([0], (10, 10))
    assert shop.stage.shows("blog", "TEE") == 10
    assert shop.quiet()


def test_an_order_deleted_for_good_is_missed_by_the_next_listing_and_called_off(tmp_path: Path) -> None:
    shop = _with_blog(tmp_path)
    blog = shop.stage.platforms["blog"]
    order = blog.order({"TEE": 2})
    shop.run(120)
    assert ([pieces(sale) for sale in shop.sales()], shop.shops("TEE")) == ([2], (8, 8))
    blog.remove_order(order)
    blog.count("TEE", 10)
    shop.run(2 * 3600)
    assert ([pieces(sale) for sale in shop.sales()], shop.shops("TEE")) == ([0], (10, 10))
    assert shop.quiet()


def _with_blog(folder: Path) -> Merchant:
    shop = merchant(
        folder,
        {"TEE": (0, 10)},
        extra={"channels/blog.yaml": BLOG},
        erp=BOOKS.replace("[webshop, till]", "[webshop, till, blog]"),
    )
    shop.stage.platforms["blog"].add_item("TEE", "Thing TEE", price=Decimal("199.95"))
    shop.run(130)
    assert shop.stage.shows("blog", "TEE") == 10
    return shop


def changed_meanwhile(shop: Merchant, times: int) -> None:
    """The ERP turns away the next attempts to make a sale: somebody else changed what it touches in the same moment."""
    told, left = shop.erp.route, [times]

    def route(request: Request) -> Response:
        if b'"model.sale.sale.create"' in request.body.replace(b" ", b"") and left[0]:
            left[0] -= 1
            answer = {"id": 1, "error": ["ConcurrencyException", ["Records were modified in the meanwhile"]]}
            return Response(200, {"content-type": "application/json"}, json.dumps(answer).encode())
        return told(request)

    shop.erp.route = route  # type: ignore[method-assign]


def test_a_sale_that_is_turned_away_as_changed_meanwhile_is_booked_at_once_and_not_with_the_next_sweep(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 30)})
    shop.erp.faults.down = True
    shop.webshop.order({"TEE": 2})
    shop.run(600)
    shop.webshop.order({"TEE": 3})
    shop.run(600)
    shop.erp.faults.down = False
    changed_meanwhile(shop, 6)
    shop.run(900)
    assert sorted(pieces(sale) for sale in shop.sales()) == [2, 3]
    assert shop.shops("TEE") == (25, 25)
    assert shop.quiet()


def test_a_sale_that_is_turned_away_forever_is_a_dead_letter_and_its_goods_stay_reserved(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (0, 30)})
    changed_meanwhile(shop, 1_000_000)
    shop.webshop.order({"TEE": 2})
    shop.run(4 * 3600)
    assert [reason for reason in reasons(shop) if "given up after 8 attempts: changed by somebody else" in reason]
    assert shop.shops("TEE") == (28, 28)


def test_an_order_that_waits_for_a_person_lets_the_hub_rest_where_a_listing_is_never_made(tmp_path: Path) -> None:
    """Each had the other looked at again and again, the stuck order and the thing without its listing: the hub never rested."""
    social = files()["channels/social.yaml"].replace("never_skus: [", "never_skus: [BAG, ")
    unmapped = BOOKS.replace('  suspense_tax: "1"\n  taxes: {"25": "1", "0": ""}\n', "")
    shop = merchant(tmp_path, {"TEE": (0, 10)}, extra={"channels/social.yaml": social}, erp=unmapped)
    for channel in ("erp", "till", "webshop"):
        shop.stage.platforms[channel].add_item("BAG", "Thing BAG", price=Decimal("159.96"))
    shop.erp.count("BAG", 10, WAREHOUSE)
    shop.stage.platforms["till"].count("BAG", 0, AARHUS)
    shop.run(700)
    shop.webshop.order({"BAG": 2})
    shop.run(300)
    assert shop.stuck() == ["erp: the tax `25` is not mapped"]
    assert shop.stage.shows("webshop", "BAG") == 8
