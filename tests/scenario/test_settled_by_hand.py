"""What only a person can do for an order: it is listed until somebody says that it is done."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from desk import Desk
from merchant import KINDS, WAREHOUSE, files

ASKED = "1 of TEE left and was called off in the webshop: a person credits it in the books"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A TEE and two MUGs were ordered, all of it was sent, and the shop's clerk took the TEE off before the shop heard of it."""
    made = Desk(tmp_path, files())
    erp, webshop = made.platforms["erp"], made.platforms["webshop"]
    for sku, title in KINDS.items():
        erp.add_intangible(sku, title)
    for sku in ("TEE", "MUG"):
        for name in ("erp", "till", "webshop"):
            made.platforms[name].add_item(sku, f"Thing {sku}", price=Decimal("159.96"))
        erp.count(sku, 10, WAREHOUSE)
    made.stage.run(60)
    order = webshop.order({"TEE": 1, "MUG": 2})
    made.stage.run(120)
    webshop.faults.down = True
    (booked,) = erp.orders_shown()
    erp.ship(booked, tracking="GLS-1")
    made.stage.run(130)
    webshop.faults.down = False
    webshop.cancel(order, {"TEE": 1})
    webshop.refund(order, Decimal("199.95"))
    made.stage.run(600)
    yield made
    made.close()


def test_what_a_person_is_to_do_is_listed_with_the_command_that_ends_it(desk: Desk) -> None:
    listed = desk.type("orders", "--stuck", "--json")
    (found,) = listed.json["orders"]
    assert (listed.code, found["stuck"]) == (1, [f"{ASKED}; `samklang settle {found['number']}` when it is done"])
    said = desk.type("settle", found["number"])
    assert (said.code, said.out) == (0, f"{found['number']}: {ASKED}\n")
    assert desk.type("orders", "--stuck").code == 0
    traced = desk.type("trace", found["number"])
    assert (traced.code, "stuck" in traced.out) == (0, False)
    assert f"webshop settled by hand: {ASKED}" in traced.out
    desk.reload()
    desk.stage.run(1_300)
    assert desk.type("orders", "--stuck").code == 0


def test_what_comes_back_later_is_credited_and_what_was_settled_stays_so(desk: Desk) -> None:
    (found,) = desk.type("orders", "--stuck", "--json").json["orders"]
    desk.type("settle", found["number"])
    webshop, erp = desk.platforms["webshop"], desk.platforms["erp"]
    webshop.cancel(found["their"], {"MUG": 2})
    webshop.refund(found["their"], Decimal("399.90"))
    desk.stage.run(600)
    assert [sale["total_minor"] for sale in erp.orders_shown().values()] == [3 * 19995, -2 * 19995]
    assert desk.type("orders", "--stuck").code == 0


def test_an_order_that_asks_nothing_of_a_person_is_not_settled(desk: Desk) -> None:
    other = desk.platforms["webshop"].order({"MUG": 1})
    desk.stage.run(120)
    said = desk.type("settle", other, "NONE-1", "--json")
    why = [each["why"] for each in said.json["refused"]]
    assert (said.code, len(why)) == (1, 2)
    assert why[0].startswith("nothing of it is to be done by hand")
    assert why[1] == "no order has the number or id `NONE-1`: `samklang orders` lists the latest"
    assert desk.type("orders", "--stuck").code == 1
