"""Persons are kept as long as a rule says and no longer; then they are erased as if they had asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from desk import Desk
from fault_stage import FOUR, WAREHOUSE
from stage import HUB, WEBSHOP

from hub.errors import ConfigError
from hub.forgetting import DAY_MICROS, erase_over, over
from hub.settings.load import load_text
from hub.settings.model import PartyRule
from hub.store.parties import Behind, Parties

DAY_SECONDS = 86_400
ANNA = {"name": "Anna Planted", "email": "anna@shop.example", "street": "Planted Road 9", "country": "DK"}
BOB = {"name": "Bob Planted", "email": "bob@shop.example", "street": "Planted Road 7", "country": "SE"}
RULES = """
people:
  - {basis: bookkeeping, days: 30}
  - {basis: contract, anchor: placed, days: 10, countries: [SE]}
"""
FILES = {**FOUR, "hub.yaml": HUB + RULES, "channels/webshop.yaml": WEBSHOP + "orders: {take_in: true, prefix: WEB}\n"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, FILES)
    for platform in made.platforms.values():
        platform.add_item("TEE", "T-shirt", price=Decimal("159.96"))
    made.platforms["erp"].count("TEE", 9, WAREHOUSE)
    made.stage.run(30)
    yield made
    made.close()


def order(desk: Desk, customer: dict[str, str]) -> str:
    their: str = desk.platforms["webshop"].order({"TEE": 1}, customer=customer)
    desk.stage.run(10)
    return their


def tidied_after(desk: Desk, days: int) -> int:
    """That many days pass and the store is tidied; gives how many persons were erased."""
    desk.clock.advance(days * DAY_SECONDS)
    hub = desk.stage.hub
    return erase_over(desk.database, Parties(hub.vault, desk.clock), desk.config.hub.people, desk.clock.now())


def kept(desk: Desk, order: str) -> str:
    """Who is kept behind this order, as the merchant is told."""
    return str(desk.type("trace", order, "--json").json["person"])


def test_each_is_kept_as_long_as_the_rule_of_their_country_says(desk: Desk) -> None:
    annas, bobs = order(desk, ANNA), order(desk, BOB)
    assert tidied_after(desk, 9) == 0
    assert tidied_after(desk, 2) == 1
    assert kept(desk, bobs) == "none is kept"
    assert kept(desk, annas) == "kept, sealed, country DK"
    assert tidied_after(desk, 20) == 1
    assert kept(desk, annas) == "none is kept"
    assert len(desk.type("orders", "--json").json["orders"]) == 2


def test_who_orders_again_is_kept_from_then_on(desk: Desk) -> None:
    first = order(desk, ANNA)
    assert tidied_after(desk, 20) == 0
    order(desk, ANNA)
    assert tidied_after(desk, 20) == 0
    assert kept(desk, first) == "kept, sealed, country DK"
    assert tidied_after(desk, 11) == 1


def test_reading_the_shop_again_does_not_bring_them_back_and_a_new_order_does(desk: Desk) -> None:
    old = order(desk, BOB)
    assert tidied_after(desk, 11) == 1
    desk.stage.run(1_300)
    assert kept(desk, old) == "none is kept"
    desk.clock.advance(60)
    new = order(desk, BOB)
    assert kept(desk, new) == "kept, sealed, country SE"
    assert kept(desk, old) == "none is kept"


def test_they_are_looked_through_once_a_day(desk: Desk) -> None:
    assert tidied_after(desk, 1) == 0
    order(desk, BOB)
    desk.clock.advance(10 * DAY_SECONDS)
    assert tidied_after(desk, 0) == 1
    order(desk, BOB)
    rules = (PartyRule(basis="none", days=1),)
    hub = desk.stage.hub
    assert erase_over(desk.database, Parties(hub.vault, desk.clock), rules, desk.clock.now() + DAY_MICROS - 1) == 0


BOOKS = PartyRule(basis="bookkeeping", days=5)
PLACED = PartyRule(basis="contract", anchor="placed", days=2, countries=("SE",))
WARRANTY = PartyRule(basis="warranty", days=9, countries=("SE",))


@pytest.mark.parametrize(
    ("orders", "rules", "day", "erased"),
    [
        ([("DK", 0)], [BOOKS], 4, False),
        ([("DK", 0)], [BOOKS], 5, True),
        ([("DK", 0), ("DK", 3)], [BOOKS], 7, False),
        ([("DK", 0), ("DK", 3)], [BOOKS], 8, True),
        ([("SE", 0)], [BOOKS, PLACED], 2, True),
        ([("SE", 0)], [BOOKS, PLACED, WARRANTY], 8, False),
        ([("SE", 0), ("DK", 1)], [BOOKS, PLACED], 5, False),
        ([("SE", 0), ("DK", 1)], [BOOKS, PLACED], 6, True),
        ([("", 0)], [BOOKS, PLACED], 5, True),
        ([("DK", 0)], [PLACED], 9_999, False),
    ],
)
def test_whose_time_is_over(orders: list[tuple[str, int]], rules: list[PartyRule], day: int, erased: bool) -> None:
    rows = [Behind("p", country, placed * DAY_MICROS) for country, placed in orders]
    assert over(rows, rules, day * DAY_MICROS) == (["p"] if erased else [])


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("[{basis: contract, days: 9, countries: [SE]}]", "one rule without `countries`"),
        ("[]", "one rule without `countries`"),
        ("[{basis: b, days: 9}, {basis: b, days: 9, countries: [UK]}]", "write GB"),
        ("[{basis: b, days: 0}]", "days"),
    ],
)
def test_a_rule_that_cannot_hold_is_named(tmp_path: Path, people: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_text({**FILES, "hub.yaml": HUB + f"people: {people}\n"}, str(tmp_path))
