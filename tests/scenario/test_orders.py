"""Orders in the shop: reserved at once, counted once, and never written away by the hub."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from fault_stage import FOUR
from stage import WEBSHOP, Stage, stage

from hub.store import orders
from hub.store.database import Tx
from hub.store.parties import Parties

TAKES_ORDERS = WEBSHOP + "orders: {take_in: true}\n"


def sellable(shop: Stage, sku: str) -> int:
    """What a customer of the webshop can put in the basket."""
    return shop.shows("webshop", sku)


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    made = stage(tmp_path, files={**FOUR, "channels/webshop.yaml": TAKES_ORDERS})
    for sku in ("TEE", "CAP"):
        for platform in made.platforms.values():
            platform.add_item(sku, sku, price=Decimal("159.96"))
        made.platforms["erp"].count(sku, 12, "3")
        made.platforms["till"].count(sku, 0, "LAARHUS000001")
    made.run(30)
    assert sellable(made, "TEE") == 12
    return made


def test_an_order_is_not_written_away_by_the_hub(shop: Stage) -> None:
    before = shop.writes("webshop")
    shop.platforms["webshop"].order({"TEE": 2})
    shop.run(130)
    assert sellable(shop, "TEE") == 10
    assert shop.writes("webshop") == before


def test_an_order_whose_events_are_lost_is_found_by_reading(shop: Stage) -> None:
    shop.platforms["webshop"].order({"TEE": 2})
    shop.lose_deliveries()
    shop.run(700)
    assert sellable(shop, "TEE") == 10
    shop.platforms["erp"].receive("TEE", 5, "3")
    shop.run(130)
    assert sellable(shop, "TEE") == 15


def test_a_cancelled_order_gives_its_units_back(shop: Stage) -> None:
    order = shop.platforms["webshop"].order({"TEE": 3})
    shop.run(130)
    assert sellable(shop, "TEE") == 9
    shop.platforms["webshop"].cancel(order)
    shop.run(130)
    assert sellable(shop, "TEE") == 12


def test_an_order_in_the_webshop_is_taken_from_the_social_shop(shop: Stage) -> None:
    shop.platforms["webshop"].order({"TEE": 2, "CAP": 12})
    shop.run(10)
    assert shop.shows("social", "TEE") == 10
    assert shop.shows("social", "CAP") == 0


def test_a_fall_that_no_order_explains_counts_until_the_orders_are_read_and_is_then_put_right(shop: Stage) -> None:
    shop.platforms["webshop"].count("TEE", 7, "1")
    shop.run(200)
    assert sellable(shop, "TEE") == 12
    assert shop.shows("social", "TEE") == 12


def test_the_same_order_told_again_and_again_is_one_order(shop: Stage) -> None:
    shop.platforms["webshop"].order({"TEE": 2})
    told = list(shop.platforms["webshop"].outbox)
    shop.run(5)
    for request in [*told, *reversed(told), *told]:
        assert shop.post(request)
    shop.run(200)
    assert sellable(shop, "TEE") == 10
    assert shop.shows("social", "TEE") == 10
    assert len(shop.hub.database.read(lambda tx: orders.latest(tx, 10))) == 1


def test_no_person_is_kept_outside_the_inbox_and_the_party_table(shop: Stage) -> None:
    shop.platforms["webshop"].order({"TEE": 1})
    shop.run(10)
    (order,) = shop.hub.database.read(lambda tx: orders.latest(tx, 10))
    party = shop.hub.database.read(lambda tx: Parties(shop.hub.vault, shop.clock).of(tx, order.order))
    words = [str(value) for name, value in party.items() if name in ("email", "full_name", "street", "phone") and value]
    assert words
    dump = shop.hub.database.read(everything)
    assert not [word for word in words if word in dump]


def everything(tx: Tx) -> str:
    """Every cell of every table, as text."""
    tables = [row[0] for row in tx.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return " ".join(str(cell) for table in tables for row in tx.query(f'SELECT * FROM "{table}"') for cell in row)
