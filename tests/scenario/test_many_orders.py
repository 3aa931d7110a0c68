"""Too many new orders at once: a history that nobody meant to book waits for a person, and is booked once when they say so."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from desk import Desk
from fault_stage import FOUR, WAREHOUSE
from stage import WEBSHOP

MANY = 31
BOOKS = "orders: {export_from: [webshop], suspense_payment: web, suspense_tax: '1'}\n"
FILES = {
    **FOUR,
    "channels/webshop.yaml": WEBSHOP + "orders: {take_in: true, prefix: WEB}\n",
    "pricing.yaml": FOUR["pricing.yaml"] + f"guards: {{new_orders_max: {MANY - 1}}}\n",
    "channels/erp.yaml": FOUR["channels/erp.yaml"] + BOOKS,
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, FILES)
    for channel in ("erp", "till", "webshop"):
        made.platforms[channel].add_item("TEE", "T-shirt", price=Decimal("159.96"))
    made.platforms["erp"].count("TEE", 1_000, WAREHOUSE)
    made.stage.run(30)
    assert made.stage.shows("social", "TEE") == 1_000
    yield made
    made.close()


def sales(desk: Desk) -> int:
    """How many sales stand in the ERP."""
    return len(desk.platforms["erp"].orders_shown())


def test_a_history_of_orders_waits_for_a_person_and_is_booked_once(desk: Desk) -> None:
    for _ in range(MANY):
        desk.platforms["webshop"].order({"TEE": 1})
    desk.stage.lose_deliveries()
    desk.stage.run(700)
    assert desk.stage.shows("social", "TEE") == 1_000 - MANY
    assert sales(desk) == MANY - 1
    said = desk.type("approve")
    assert said.code == 1
    assert f"more than {MANY - 1} new orders at once" in said.out
    (hold,) = desk.type("approve", "--json").json["holds"]
    assert (hold["channel"], hold["guard"], len(hold["changes"])) == ("erp", "new_orders", 1)

    late = desk.platforms["webshop"].order({"TEE": 1})
    desk.stage.run(130)
    assert sales(desk) == MANY - 1
    stuck = desk.type("orders", "--stuck", "--json").json["orders"]
    assert late in [each["their"] for each in stuck]

    assert desk.type("approve", hold["id"]).code == 0
    desk.stage.run(130)
    assert sales(desk) == MANY + 1
    assert desk.type("approve").code == 0
    desk.platforms["webshop"].order({"TEE": 1})
    desk.stage.run(130)
    assert sales(desk) == MANY + 2
    assert desk.stage.shows("social", "TEE") == 1_000 - MANY - 2
