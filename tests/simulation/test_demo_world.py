"""The demo's world on paper: what must be shown, and a script that only the seed decides."""

from __future__ import annotations

import pytest

from hub.simulate.day import KINDS, SPECIALS, STEPS, Step, script
from hub.simulate.postman import Fate
from hub.simulate.shoppers import CHANGED, FETCHED, PHONE, RECEIPTS, SENT
from hub.simulate.trade import Bought
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


def bought(place: str, **lines: int) -> Bought:
    return Bought(WEBSHOP, "7", "webshop-7", place, dict(lines), 19_995)


def test_what_waits_for_a_customer_lies_on_its_shelf_and_is_sold_nowhere_else() -> None:
    world = World(1, 12, PLACES)
    sku = world.skus[0]
    world.shelf[SHOP, sku], world.shelf[WAREHOUSE, sku] = 4, 10
    fetched, sent = bought(SHOP, **{sku: 1}), bought(WAREHOUSE, **{sku: 2})
    world.bought += [fetched, sent]
    assert world.expected(TILL, sku).pieces == {"L1": 4}
    assert world.expected(ERP, sku).pieces == {"3": 10, "": 14}
    assert world.expected(WEBSHOP, sku).pieces == {"": 11}
    assert world.expected(SOCIAL, sku).pieces == {"": 10}
    world.hand_out(fetched, fetched.lines)
    world.hand_out(sent, {sku: 1})
    assert sent.open == {sku: 1}
    assert world.expected(TILL, sku).pieces == {"L1": 3}
    assert world.expected(ERP, sku).pieces == {"3": 9, "": 12}
    assert world.expected(WEBSHOP, sku).pieces == {"": 11}


def test_every_order_is_expected_in_the_books_and_wherever_it_is_handed_out() -> None:
    world = World(1, 12, PLACES)
    receipt = Bought(TILL, "R1", "till-R1", "", {"A": 1}, 9_995)
    phoned = Bought(ERP, "5", "", WAREHOUSE, {"A": 1}, 9_995)
    fetched = bought(SHOP, A=1)
    fetched.receipts.append("R2")
    world.bought += [receipt, phoned, fetched]
    names = {channel: [paper.name for paper in papers] for channel, papers in world.papers().items()}
    assert names == {
        TILL: ["R1", "webshop-7", "R2"],
        WEBSHOP: ["7"],
        SOCIAL: [],
        ERP: ["till-R1", "5", "webshop-7"],
    }


def test_every_kind_of_order_stands_in_every_script_and_none_is_placed_while_the_webshop_is_down() -> None:
    for seed in range(20):
        steps = script(Chance(seed))
        placed = [step.about for step in steps if step.what in ("order", "lost_order")]
        assert set(placed) == {*SENT, *FETCHED, *PHONE}
        assert {step.about for step in steps if step.what == "rung"} == set(RECEIPTS)
        assert sum(step.what == "change" for step in steps) == sum(kind in CHANGED for kind in placed)
        down = range(steps.index(Step("down", WEBSHOP)), steps.index(Step("up", WEBSHOP)))
        assert not [number for number in down if "order" in steps[number].what]


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
