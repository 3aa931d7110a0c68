"""The demo's world on paper: what must be shown, and a script that only the seed decides."""

from __future__ import annotations

import pytest

from hub.simulate.day import KINDS, SPECIALS, STEPS, script
from hub.simulate.postman import Fate
from hub.simulate.world import ERP, SHOP, SOCIAL, TILL, WAREHOUSE, WEBSHOP, Chance, World, shown_ore

PLACES = {(SHOP, TILL): "L1", (SHOP, ERP): "11", (WAREHOUSE, ERP): "3"}


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        (15_996, 19_995),  # exactly 199.95 with tax
        (16_000, 19_995),  # 200.00: five øre down
        (16_036, 19_995),  # 200.45: 50 øre down, 50 up: the lower
        (16_037, 20_095),  # 200.46: up
        (15_916, 19_895),  # 198.95
        (60, 95),  # 0.75: nothing ends in ,95 below
        (1, 95),
    ],
)
def test_a_list_price_becomes_the_nearest_price_that_ends_in_95(listed: int, shown: int) -> None:
    assert shown_ore(listed) == shown


def test_every_channel_shows_its_part_of_the_two_shelves() -> None:
    world = World(1, 12, PLACES)
    sku = world.skus[0]
    world.shelf[SHOP, sku], world.shelf[WAREHOUSE, sku], world.list_ore[sku] = 4, 10, 15_996
    assert world.expected(TILL, sku).pieces == {"L1": 4}
    assert world.expected(ERP, sku).pieces == {"3": 10, "": 14}
    assert world.expected(WEBSHOP, sku).pieces == {"": 14}
    assert world.expected(SOCIAL, sku).pieces == {"": 13}
    assert world.expected(ERP, sku).price == "159.96"
    assert world.expected(WEBSHOP, sku).price == "199.95"
    world.shelf[SHOP, sku], world.shelf[WAREHOUSE, sku] = 0, 0
    assert world.expected(SOCIAL, sku).pieces == {"": 0}


def test_the_seed_alone_decides_the_day() -> None:
    assert script(Chance(7)) == script(Chance(7))
    assert script(Chance(7)) != script(Chance(8))
    assert World(7, 30, PLACES).picture() == World(7, 30, PLACES).picture()
    assert World(7, 30, PLACES).picture() != World(8, 30, PLACES).picture()


def test_every_kind_of_fault_stands_in_every_script() -> None:
    assert max(SPECIALS) < STEPS
    for seed in range(20):
        said = " ".join(f"{step.what} {step.about}" for step in script(Chance(seed)))
        told = {"two_sales": Fate.SWAPPED.value, "unanswered": "lost answer", "down": "outage", "edit": "edited by a person"}
        happened = said + " ".join(word for what, word in told.items() if what in said)
        assert [kind for kind in KINDS if kind not in happened] == []


@pytest.mark.parametrize("items", [0, 11, 501])
def test_a_world_has_a_bounded_number_of_items(items: int) -> None:
    with pytest.raises(ValueError, match="12 to 500"):
        World(1, items, PLACES)
