"""New things and things that are given up: on sale everywhere in the end, and in the end not to be bought anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from hub.clock import ManualClock
from hub.simulate.all_knowing import AllKnowing
from hub.simulate.faults import PRESETS
from hub.simulate.retailer import SEVEN, Retailer, generated, made_good, open_shop
from hub.simulate.scheduler import Scheduler
from hub.simulate.simulation import Result, Simulation, Wanted
from hub.simulate.staff import Staff
from hub.simulate.truth import DELETED, ON_SALE, WITHDRAWN, Truth
from hub.simulate.verdicts import wrong_numbers

ITEMS, OFTEN = 8, 24.0
FIRST = {f"SKU-{number + 1:04d}" for number in range(ITEMS)}


@pytest.fixture(scope="module")
def lived() -> tuple[Simulation, Result]:
    """A day on which what is sold changes all the time."""
    simulation = Simulation(generated(SEVEN), Wanted(5, 1, ITEMS, 150, assortment_per_day=OFTEN), PRESETS["none"])
    return simulation, simulation.run()


def shown(simulation: Simulation) -> dict[str, dict[str, dict[str, Any]]]:
    return {name: each.shown() for name, each in simulation.retailer.platforms.items()}


def test_what_is_new_is_on_sale_everywhere_in_the_end_and_is_bought(lived: tuple[Simulation, Result]) -> None:
    simulation, result = lived
    assert not result.violations, [*map(str, result.violations)]
    truth, seen = simulation.truth, shown(simulation)
    new = {good.sku for good in truth.goods} - FIRST
    kept = {sku for sku in new if all(truth.sold_at(name, sku) for name in simulation.retailer.kept_by_people)}
    assert len(kept) > 3
    for sku in kept - {sku for (_, sku), stands in truth.listed.items() if stands == DELETED}:
        assert {name: each[sku]["state"] for name, each in seen.items()} == dict.fromkeys(seen, ON_SALE)
        everywhere = simulation.retailer.sells_from("social")
        assert sum(seen["social"][sku]["stock"].values()) == truth.sellable(everywhere, sku)
    assert any(set(sale.lines) & new for sale in truth.sales)


def test_what_is_given_up_cannot_be_bought_anywhere_in_the_end(lived: tuple[Simulation, Result]) -> None:
    simulation, _ = lived
    truth, seen = simulation.truth, shown(simulation)
    over = {good.sku for good in truth.goods if truth.standing("erp", good.sku) == WITHDRAWN}
    assert len(over) > 3
    for sku in over:
        assert ON_SALE not in {each[sku]["state"] for each in seen.values() if sku in each}
    for people in (simulation.retailer.webshops, simulation.retailer.tills):
        assert DELETED in {truth.standing(name, sku) for name in people for sku in over}
    # What was bought of it before was handed out.
    assert any(set(sale.lines) & over and sale.handed_out for sale in truth.sales)
    # And what still waits, waits for its money.
    assert all(sale.unpaid for sale in truth.waiting())


def test_what_somebody_deleted_where_the_hub_lists_stays_deleted(lived: tuple[Simulation, Result]) -> None:
    simulation, _ = lived
    gone = {sku for (name, sku), stands in simulation.truth.listed.items() if (name, stands) == ("social", DELETED)}
    assert gone
    assert not gone & set(simulation.retailer.platforms["social"].shown())


# the judge


@pytest.fixture
def shop() -> tuple[Retailer, Truth]:
    """Two things, listed and counted by their people; the social shop is empty."""
    return open_shop(generated("small"), ManualClock(), 1, 2)


def wrong(shop: tuple[Retailer, Truth]) -> set[tuple[str, str]]:
    """What is said of how things are listed."""
    told = {(channel, f"{sku} {words}") for channel, sku, words in wrong_numbers(*shop)}
    return {(channel, words) for channel, words in told if "list" in words or " is " in words}


def test_what_the_books_sell_is_missed_in_the_social_shop_and_what_they_gave_up_is_not(shop: tuple[Retailer, Truth]) -> None:
    retailer, truth = shop
    assert wrong(shop) == {("social", "SKU-0001 is not listed"), ("social", "SKU-0002 is not listed")}
    truth.listed["erp", "SKU-0001"] = WITHDRAWN
    retailer.platforms["erp"].withdraw("SKU-0001")
    assert wrong(shop) == {("social", "SKU-0002 is not listed")}
    retailer.platforms["social"].add_item("SKU-0001", "Thing", price=truth.asked_price("SKU-0001"))
    assert ("social", "SKU-0001 is active, should be inactive") in wrong(shop)


def test_what_was_deleted_and_is_there_again_is_wrong(shop: tuple[Retailer, Truth]) -> None:
    retailer, truth = shop
    retailer.platforms["webshop"].remove_item("SKU-0001")
    assert ("webshop", "SKU-0001 is not listed") in wrong(shop)
    truth.listed["webshop", "SKU-0001"] = DELETED
    assert ("webshop", "SKU-0001 is not listed") not in wrong(shop)
    truth.listed["social", "SKU-0002"] = DELETED
    assert ("social", "SKU-0002 is not listed") not in wrong(shop)
    retailer.platforms["social"].add_item("SKU-0002", "Thing", price=truth.asked_price("SKU-0002"))
    assert ("social", "SKU-0002 is listed and nobody sells it there") in wrong(shop)


def test_who_knows_all_shows_nothing_of_what_the_books_do_not_list_yet(shop: tuple[Retailer, Truth]) -> None:
    retailer, truth = shop
    new = made_good(2, 1.0)
    truth.goods.append(new)
    for place in (retailer.warehouse, *retailer.shops.values()):
        truth.shelf[place, new.sku] = 3
    assert AllKnowing(retailer, truth).would_show("webshop", new.sku) == 0
    truth.listed["erp", new.sku] = ON_SALE
    assert AllKnowing(retailer, truth).would_show("webshop", new.sku) == 6


def test_nobody_counts_or_reprices_what_is_not_sold_any_more(shop: tuple[Retailer, Truth]) -> None:
    retailer, truth = shop
    scheduler = Scheduler(1)
    Staff(retailer, truth, scheduler, 1, lambda _: None)
    for sku in ("SKU-0001", "SKU-0002"):
        truth.listed["erp", sku] = WITHDRAWN
    before = dict(truth.shelf), dict(truth.price)
    scheduler.run(scheduler.now + 2 * 86_400_000_000, lambda: None)
    assert (truth.shelf, truth.price) == before
