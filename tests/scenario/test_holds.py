"""An order that is only held for a time: it reserves until then and no longer, and a late payment reserves again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from desk import Desk
from fault_stage import FOUR, WAREHOUSE
from stage import HUB, WEBSHOP

from hub.clock import SystemClock

MINUTE = 60_000_000
HELD_MINUTES = 15
OVERLAY = """
maps: order
connector: vendure
fields:
  hold_until: {{value: "{until}"}}
tables: {{order_state: {{PaymentAuthorized: hold}}}}
"""
FILES = {
    **FOUR,
    "hub.yaml": HUB + "mappings: [mappings]\n",
    "channels/webshop.yaml": WEBSHOP + "orders: {take_in: true, prefix: WEB}\n",
}


def opened(folder: Path, overlay: str) -> Desk:
    """Three T-shirts in the warehouse; the webshop holds what is authorised, by the merchant's own mapping."""
    made = Desk(folder, {**FILES, "mappings/vendure/order.yaml": overlay})
    for platform in made.platforms.values():
        platform.add_item("TEE", "T-shirt", price=Decimal("159.96"))
    made.platforms["erp"].count("TEE", 3, WAREHOUSE)
    made.stage.run(30)
    assert made.stage.shows("social", "TEE") == 3
    return made


def authorised(desk: Desk, pieces: int = 2) -> str:
    """A customer orders and the money is set aside, not yet taken."""
    basket: str = desk.platforms["webshop"].order({"TEE": pieces}, paid=False)
    desk.platforms["webshop"].authorise(basket)
    desk.stage.run(10)
    return basket


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = opened(tmp_path, OVERLAY.format(until=SystemClock().now() + HELD_MINUTES * MINUTE))
    yield made
    made.close()


def test_a_hold_reserves_for_its_time_and_no_longer(desk: Desk) -> None:
    authorised(desk)
    assert desk.stage.shows("social", "TEE") == 1
    assert "held until" in desk.type("why", "social", "TEE").out
    desk.stage.run((HELD_MINUTES - 2) * 60)
    assert desk.stage.shows("social", "TEE") == 1
    desk.stage.run(3 * 60)
    assert desk.stage.shows("social", "TEE") == 3
    (order,) = desk.type("orders", "--json").json["orders"]
    assert (order["state"], order["open"]) == ("expired", [])
    assert "its hold ran out unpaid" in desk.type("trace", order["number"]).out


def test_it_is_noticed_by_the_clock_also_when_nobody_says_anything(desk: Desk) -> None:
    authorised(desk)
    for platform in desk.platforms.values():
        platform.faults.down = True
    desk.stage.run(20 * 60)
    (order,) = desk.type("orders", "--json").json["orders"]
    assert order["state"] == "expired"


def test_a_late_payment_reserves_again(desk: Desk) -> None:
    basket = authorised(desk)
    desk.stage.run(20 * 60)
    desk.platforms["webshop"].pay(basket)
    desk.stage.run(130)
    assert desk.stage.shows("social", "TEE") == 1
    (order,) = desk.type("orders", "--json").json["orders"]
    assert (order["state"], order["open"]) == ("release", ["2 of TEE"])
    assert desk.type("oversells", "--json").json["oversells"] == []


def test_a_late_payment_for_what_is_gone_by_then_is_named(desk: Desk) -> None:
    basket = authorised(desk)
    desk.stage.run(20 * 60)
    desk.platforms["erp"].count("TEE", 1, WAREHOUSE)
    desk.stage.run(130)
    desk.platforms["webshop"].pay(basket)
    desk.stage.run(130)
    (line,) = desk.type("oversells", "--json").json["oversells"]
    (order,) = desk.type("orders", "--json").json["orders"]
    assert (line["rose"], line["orders"]) == ("+1", [order["number"]])


@pytest.mark.parametrize(("state", "words"), [("hold", "it is only held"), ("reserve", "it is not free to be sent")])
def test_whoever_asks_for_an_order_that_waits_is_told_why_it_is_booked_nowhere(tmp_path: Path, state: str, words: str) -> None:
    made = opened(tmp_path, f"maps: order\nconnector: vendure\ntables: {{order_state: {{PaymentAuthorized: {state}}}}}\n")
    basket = authorised(made)
    number = made.type("orders", "--json").json["orders"][0]["number"]
    assert words in made.type("trace", number).out
    made.platforms["webshop"].pay(basket)
    made.stage.run(130)
    assert "waits: " not in made.type("trace", number).out
    made.close()


def test_a_hold_without_an_end_stays(tmp_path: Path) -> None:
    made = opened(tmp_path, "maps: order\nconnector: vendure\ntables: {order_state: {PaymentAuthorized: hold}}\n")
    authorised(made)
    made.stage.run(3600)
    made.stage.pass_by(3 * 24 * 3600)
    assert made.stage.shows("social", "TEE") == 1
    made.close()
