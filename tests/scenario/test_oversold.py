"""The last unit sold twice: recorded when it happens, with who gets none and whether the hub could have known."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from fault_stage import FOUR, SHOP, WAREHOUSE
from stage import WEBSHOP

FILES = {**FOUR, "channels/webshop.yaml": WEBSHOP + "orders: {take_in: true, prefix: WEB}\n"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """One T-shirt is left, in the shop; the webshop offers it."""
    made = Desk(tmp_path, FILES)
    for platform in made.platforms.values():
        platform.add_item("TEE", "T-shirt", price=Decimal("159.96"))
    made.platforms["erp"].count("TEE", 0, WAREHOUSE)
    made.platforms["till"].count("TEE", 1, SHOP)
    made.stage.run(30)
    assert made.stage.shows("webshop", "TEE") == 1
    yield made
    made.close()


def lines(desk: Desk) -> list[dict[str, Any]]:
    """The record, oldest first."""
    found: list[dict[str, Any]] = desk.type("oversells", "--json").json["oversells"]
    return list(reversed(found))


def number_of(desk: Desk, their: str) -> str:
    """The number under which the merchant knows this order of the webshop."""
    rows = desk.type("orders", "--json").json["orders"]
    return str(next(each["number"] for each in rows if each["their"] == their))


def test_the_last_unit_is_sold_in_shop_and_store_in_the_same_second(desk: Desk) -> None:
    their = desk.platforms["webshop"].order({"TEE": 1})
    desk.platforms["till"].sell("TEE", 1, SHOP)
    desk.stage.run(130)
    (line,) = lines(desk)
    number = number_of(desk, their)
    assert (line["sku"], line["rose"], line["now"]) == ("TEE", "+1", "1")
    assert (line["orders"], line["channels"], line["known"]) == ([number], ["webshop"], "no")
    assert "the hub could not have known" in line["words"]

    said = desk.type("oversells")
    assert said.code == 1
    assert number in said.out
    assert "oversold 1 items now, 1 times in all" in desk.type("status").out
    assert f"{number} on webshop" in desk.type("why", "webshop", "TEE").out
    assert desk.stage.shows("webshop", "TEE") == 0


def test_it_ends_when_the_order_is_called_off_and_is_still_told(desk: Desk) -> None:
    their = desk.platforms["webshop"].order({"TEE": 1})
    desk.platforms["till"].sell("TEE", 1, SHOP)
    desk.stage.run(130)
    desk.platforms["webshop"].cancel(their)
    desk.stage.run(130)
    assert [(line["rose"], line["now"]) for line in lines(desk)] == [("+1", "0"), ("-1", "0")]
    assert desk.type("oversells").code == 0
    assert desk.type("status", "--json").json["oversold"] == 0


def test_new_goods_let_every_promise_be_kept_again(desk: Desk) -> None:
    desk.platforms["webshop"].order({"TEE": 1})
    desk.platforms["till"].sell("TEE", 1, SHOP)
    desk.stage.run(130)
    desk.platforms["erp"].receive("TEE", 3, WAREHOUSE)
    desk.stage.run(130)
    assert [line["rose"] for line in lines(desk)] == ["+1", "-1"]
    assert desk.stage.shows("webshop", "TEE") == 2


def test_a_sale_of_the_last_unit_alone_is_no_oversell(desk: Desk) -> None:
    desk.platforms["till"].sell("TEE", 1, SHOP)
    desk.stage.run(130)
    assert lines(desk) == []
    assert "oversold" not in desk.type("status").out


def test_a_webshop_that_had_been_told_and_sold_all_the_same_is_named(desk: Desk) -> None:
    """The webshop looks at its stock when something is put in the basket, not again when it is paid."""
    basket = desk.platforms["webshop"].order({"TEE": 1}, paid=False)
    desk.platforms["till"].sell("TEE", 1, SHOP)
    desk.stage.run(130)
    assert desk.stage.shows("webshop", "TEE") == 0
    desk.platforms["webshop"].pay(basket)
    desk.stage.run(130)
    (line,) = lines(desk)
    assert line["known"] == "told"
    assert "webshop had been told at" in line["words"]
    assert "to show 0 and sold more than it showed" in line["words"]


def test_what_the_hub_knew_and_could_not_tell_in_time_is_said(desk: Desk) -> None:
    """The webshop takes no writes for a while: it goes on selling what is gone."""
    desk.platforms["webshop"].faults.down = True
    desk.platforms["till"].sell("TEE", 1, SHOP)
    desk.stage.run(130)
    desk.platforms["webshop"].faults.down = False
    desk.platforms["webshop"].order({"TEE": 1})
    desk.stage.run(400)
    (line,) = lines(desk)
    assert line["known"] == "hub"
    assert "the hub had known since" in line["words"]


def test_it_is_recorded_once_however_often_everything_is_read_again(desk: Desk) -> None:
    desk.platforms["webshop"].order({"TEE": 1})
    desk.platforms["till"].sell("TEE", 1, SHOP)
    desk.stage.run(2000)
    desk.reload()
    desk.stage.run(700)
    assert len(lines(desk)) == 1
