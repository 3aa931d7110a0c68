"""The last pieces of a scarce item: what two shops show together is never more than there is, with every link down too."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from desk import Desk
from fault_stage import FOUR, SHOP, WAREHOUSE
from stage import PRICING, WEBSHOP

ONE = WEBSHOP.replace("sweep_seconds: 600}}\n", "sweep_seconds: 600}, orders: {poll_seconds: 60, sweep_seconds: 3600}}\n")
ONE += "orders: {take_in: true, prefix: ONE}\n"
TWO = ONE.replace("channel: webshop\n", "channel: second\n").replace("https://webshop.", "https://second.").replace("ONE", "TWO")
FILES = {
    **{name: text for name, text in FOUR.items() if "social" not in name},
    "channels/webshop.yaml": ONE,
    "channels/second.yaml": TWO,
    "pricing.yaml": PRICING + "  second: {list: retail, tax: included}\n",
    "allocation.yaml": "rules:\n  - {quota_below: 12}\n",
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Twelve pieces or fewer are divided among the shops alone."""
    made = opened(tmp_path, FILES["allocation.yaml"])
    yield made
    made.close()


def opened(folder: Path, allocation: str) -> Desk:
    """Three T-shirts in the shop, twenty in the warehouse."""
    made = Desk(folder, {**FILES, "allocation.yaml": allocation})
    for platform in made.platforms.values():
        platform.add_item("TEE", "T-shirt", price=Decimal("159.96"))
    made.platforms["erp"].count("TEE", 20, WAREHOUSE)
    made.platforms["till"].count("TEE", 3, SHOP)
    made.stage.run(60)
    assert shown(made) == (23, 23)
    return made


def shown(desk: Desk) -> tuple[int, int]:
    """What customers can buy in the one and in the other shop."""
    return desk.stage.shows("webshop", "TEE"), desk.stage.shows("second", "TEE")


def counted(desk: Desk, pieces: int) -> None:
    """The warehouse counts."""
    desk.platforms["erp"].count("TEE", pieces, WAREHOUSE)
    desk.stage.run(130)


def test_from_twelve_on_the_warehouse_is_divided_and_the_store_keeps_its_own(desk: Desk) -> None:
    counted(desk, 10)
    assert shown(desk) == (13, 13)
    counted(desk, 8)
    assert shown(desk) == (4, 4)
    counted(desk, 14)
    assert shown(desk) == (7, 7), "seventeen in all are still scarce, else every sale and every return would change it"
    counted(desk, 17)
    assert shown(desk) == (20, 20)


def test_why_says_how_the_last_pieces_are_divided(desk: Desk) -> None:
    counted(desk, 7)
    assert sorted(shown(desk)) == [3, 4]
    told = desk.type("why", "webshop", "TEE", "stock").out
    assert "scarce: 19 pieces or fewer in the pool, the last 7 are divided, allocation rule 1" in told
    assert "what lies at aarhus is left to the counter of till" in told
    assert "its part by weight 1 of 2: " in told


def test_a_sale_takes_from_the_shop_that_sold_and_moves_nothing_else(desk: Desk) -> None:
    counted(desk, 8)
    before = desk.stage.writes("second")
    desk.platforms["webshop"].order({"TEE": 1})
    desk.stage.run(130)
    assert shown(desk) == (3, 4)
    assert desk.stage.writes("second") == before


def test_a_rise_waits_until_the_other_shop_shows_less(desk: Desk) -> None:
    counted(desk, 8)
    desk.platforms["second"].faults.down = True
    desk.platforms["webshop"].order({"TEE": 2})
    desk.stage.run(300)
    assert shown(desk) == (2, 4)
    assert "until it is certain that fewer are shown by second" in desk.type("why", "webshop", "TEE", "stock").out
    desk.platforms["second"].faults.down = False
    desk.stage.run(700)
    assert shown(desk) == (3, 3)


def test_what_a_shop_sells_while_nobody_can_reach_it_was_its_own(desk: Desk) -> None:
    counted(desk, 8)
    for name in ("webshop", "second"):
        desk.platforms[name].faults.down = True
    desk.platforms["webshop"].order({"TEE": 4})
    desk.platforms["second"].order({"TEE": 3})
    desk.stage.lose_deliveries()
    desk.stage.run(300)
    assert shown(desk) == (0, 1)
    for name in ("webshop", "second"):
        desk.platforms[name].faults.down = False
    desk.stage.run(900)
    assert sum(shown(desk)) == 1
    assert desk.type("oversells").code == 0


def test_an_order_that_is_called_off_is_offered_once(desk: Desk) -> None:
    counted(desk, 8)
    their = desk.platforms["webshop"].order({"TEE": 4})
    desk.stage.run(200)
    assert shown(desk) == (2, 2)
    desk.stage.lose_deliveries()
    desk.platforms["webshop"].cancel(their)
    desk.stage.run(0.1)
    most = 0
    for _ in range(30):
        most = max(most, sum(shown(desk)))
        desk.stage.run(5)
    assert (most, shown(desk)) == (8, (4, 4))
    writes = desk.stage.writes()
    desk.stage.run(600)
    assert desk.stage.writes() == writes


TELEPHONE = "rules:\n  - {quota_below: 12, quota_weights: {webshop: 1, second: 1, erp: 1}}\n"


@pytest.fixture
def telephone(tmp_path: Path) -> Iterator[Desk]:
    """Nine T-shirts in the warehouse, a third of them kept for the ERP's telephone."""
    made = opened(tmp_path, TELEPHONE)
    counted(made, 9)
    assert shown(made) == (3, 3)
    yield made
    made.close()


def goes_silent(telephone: Desk) -> None:
    """The ERP is down for an hour, then the webshop sells its three."""
    telephone.platforms["erp"].faults.down = True
    telephone.stage.run(3600)
    telephone.platforms["webshop"].order({"TEE": 3})
    telephone.stage.run(900)


def test_while_the_erp_is_not_heard_its_part_is_not_divided_again(telephone: Desk) -> None:
    goes_silent(telephone)
    assert sum(shown(telephone)) == 3
    assert "erp was not heard lately: 3 pieces stay kept back, as before" in telephone.type("why", "second", "TEE", "stock").out
    for _ in range(3):
        telephone.platforms["second" if shown(telephone)[1] else "webshop"].order({"TEE": 1})
        telephone.stage.run(900)
    assert shown(telephone) == (0, 0)
    # All of it was sold by telephone meanwhile: nobody was promised what is not there.
    telephone.platforms["erp"].count("TEE", 6, WAREHOUSE)
    telephone.platforms["erp"].faults.down = False
    telephone.stage.run(1800)
    assert shown(telephone) == (0, 0)
    assert telephone.type("oversells").code == 0


def test_once_the_erp_is_heard_again_what_is_left_is_divided_anew(telephone: Desk) -> None:
    goes_silent(telephone)
    assert sum(shown(telephone)) == 3
    telephone.platforms["erp"].faults.down = False
    telephone.stage.run(700)
    assert shown(telephone) == (2, 2)
    writes = telephone.stage.writes()
    telephone.stage.run(3600)
    assert telephone.stage.writes() == writes


def test_while_the_erp_is_heard_its_part_shrinks_with_the_rest(telephone: Desk) -> None:
    telephone.platforms["webshop"].order({"TEE": 3})
    telephone.stage.run(900)
    assert shown(telephone) == (2, 2)
