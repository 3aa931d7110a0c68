"""Channels that are slow, down, forgetful or wrong: one effect each, the others go on, and in the end all agree."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fault_stage import (
    ASKED,
    SHOP,
    SHOWN,
    WAREHOUSE,
    add,
    ask,
    everywhere,
    four_channels,
    holds,
    paused,
    sell,
    skus,
)
from stage import Stage

THIRTEEN = {"till": 3, "erp": 13, "webshop": 13, "social": 13}


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    return four_channels(tmp_path)


def bring(shop: Stage, deliveries: list[Any]) -> None:
    for delivery in deliveries:
        shop.post(delivery)


def writes_at(shop: Stage, channel: str) -> int:
    return sum(1 for call in shop.platforms[channel].calls if call.writes and call.status < 300)


# told to wait


def test_429_with_a_time_waits_that_long_and_no_longer(shop: Stage) -> None:
    webshop = shop.platforms["webshop"]
    webshop.faults.throttle_next, webshop.faults.throttle_retry_after = 1, "30"
    bring(shop, sell(shop, "A", 2))
    shop.run(29)
    assert everywhere(shop, "A") == {**THIRTEEN, "webshop": 15}
    shop.run(2)
    assert everywhere(shop, "A") == THIRTEEN
    assert webshop.faults.spent == {"throttled": 1}
    assert shop.letters() == []


def test_429_without_a_time_waits_longer_each_time_and_gives_nothing_up(shop: Stage) -> None:
    webshop = shop.platforms["webshop"]
    webshop.faults.throttle_next, webshop.faults.throttle_retry_after = 12, None
    bring(shop, sell(shop, "A", 2))
    shop.run(4)
    assert webshop.faults.spent == {"throttled": 1}
    shop.run(1_800)
    assert everywhere(shop, "A") == THIRTEEN
    assert webshop.faults.spent == {"throttled": 12}
    assert shop.letters() == []


# answers lost


@pytest.mark.parametrize("channel", ["webshop", "social"])
def test_a_lost_answer_ends_in_exactly_one_effect(shop: Stage, channel: str) -> None:
    shop.platforms[channel].faults.lose_answer_next = 1
    before = writes_at(shop, channel)
    bring(shop, sell(shop, "A", 2))
    shop.run(120)
    assert shop.platforms[channel].faults.spent == {"lost_answer": 1}
    assert everywhere(shop, "A") == THIRTEEN
    assert writes_at(shop, channel) == before + 1
    assert shop.letters() == []


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_lost_answers_of_the_erp_end_in_exactly_one_stocktake(shop: Stage, lost: int) -> None:
    shop.platforms["erp"].faults.lose_answer_next = lost
    before = stocktakes(shop)
    bring(shop, sell(shop, "A", 2))
    shop.run(300)
    assert shop.platforms["erp"].faults.spent == {"lost_answer": lost}
    assert everywhere(shop, "A") == THIRTEEN
    assert stocktakes(shop) == {**before, "done": before["done"] + 1}
    assert shop.letters() == []


def stocktakes(shop: Stage) -> dict[str, int]:
    """Stocktakes in the ERP by state, those that were called off left out."""
    states = [row["state"] for row in shop.platforms["erp"].books.tables["stock.inventory"].values()]
    return {state: states.count(state) for state in ("draft", "done")}


def test_a_lost_answer_to_a_price_leaves_one_price(shop: Stage) -> None:
    shop.platforms["till"].faults.lose_answer_next = 1
    shop.platforms["erp"].set_price("A", Decimal("120"))
    before = writes_at(shop, "till")
    shop.run(120)
    assert shop.platforms["till"].faults.spent == {"lost_answer": 1}
    assert {shop.price(channel, "A") for channel in ("till", "webshop", "social")} == {Decimal("150.00")}
    assert writes_at(shop, "till") == before + 1


def test_a_lost_answer_to_a_new_listing_makes_no_second_one(shop: Stage) -> None:
    shop.platforms["social"].faults.lose_answer_next = 1
    add(shop, "NEW")
    shop.run(180)
    assert shop.platforms["social"].faults.spent == {"lost_answer": 1}
    assert everywhere(shop, "NEW") == SHOWN
    assert sorted(shop.platforms["social"].shown()) == ["A", "B", "C", "D", "NEW"]


def test_a_write_that_is_answered_and_ignored_is_named_and_can_be_tried_again(shop: Stage) -> None:
    shop.platforms["webshop"].faults.ignore_writes_next = 1
    bring(shop, sell(shop, "A", 2))
    shop.run(120)
    assert everywhere(shop, "A") == {**THIRTEEN, "webshop": 15}
    (letter,) = shop.letters()
    assert (letter.channel, letter.stream, letter.record) == ("webshop", "stock", "1")
    assert letter.reason == "their rule said no: asked for 13 on hand, the shop shows 15"
    assert ask(shop, "replay", all=True)["refused"] == []
    shop.run(120)
    assert everywhere(shop, "A") == THIRTEEN
    assert shop.letters() == []


def test_after_an_ignored_write_the_next_number_is_written_all_the_same(shop: Stage) -> None:
    shop.platforms["webshop"].faults.ignore_writes_next = 1
    bring(shop, sell(shop, "A", 2))
    shop.run(10)
    bring(shop, sell(shop, "A", 1))
    shop.run(120)
    assert shop.shows("webshop", "A") == 12


# down, and not known any more


def test_while_a_channel_is_down_the_others_go_on_and_it_catches_up(shop: Stage) -> None:
    shop.platforms["webshop"].faults.down = True
    bring(shop, sell(shop, "A", 2))
    shop.platforms["erp"].set_price("B", Decimal("120"))
    shop.run(600)
    assert everywhere(shop, "A") == {**THIRTEEN, "webshop": 15}
    assert (shop.price("till", "B"), shop.price("social", "B")) == (Decimal("150.00"), Decimal("150.00"))
    assert shop.price("webshop", "B") == ASKED
    shop.platforms["webshop"].faults.down = False
    shop.run(400)
    assert everywhere(shop, "A") == THIRTEEN
    assert shop.price("webshop", "B") == Decimal("150.00")
    assert paused(shop) == {}


def test_a_refused_login_pauses_this_channel_only_until_a_person_says_so(shop: Stage) -> None:
    shop.platforms["social"].faults.unauthorized = True
    bring(shop, sell(shop, "A", 2))
    shop.run(300)
    assert everywhere(shop, "A") == {**THIRTEEN, "social": 15}
    assert list(paused(shop)) == ["social"]
    shop.platforms["social"].faults.unauthorized = False
    calls = len(shop.platforms["social"].calls)
    shop.run(3_600)
    assert len(shop.platforms["social"].calls) == calls
    assert ask(shop, "resume", channel="social")["done"]
    shop.run(120)
    assert everywhere(shop, "A") == THIRTEEN


def test_errors_500_are_tried_again_within_the_limit(shop: Stage) -> None:
    for platform in shop.platforms.values():
        platform.faults.fail_next = 3
    bring(shop, sell(shop, "A", 2))
    shop.run(300)
    assert everywhere(shop, "A") == THIRTEEN
    assert shop.letters() == []


# wrong answers


@pytest.mark.parametrize("fault", ["garbage_next", "endless_next"])
@pytest.mark.parametrize("channel", ["till", "erp", "webshop", "social"])
def test_an_answer_that_cannot_be_read_is_asked_for_again(shop: Stage, channel: str, fault: str) -> None:
    setattr(shop.platforms[channel].faults, fault, 2)
    shop.platforms["erp"].receive("A", 3, WAREHOUSE)
    shop.run(900)
    assert getattr(shop.platforms[channel].faults, fault) == 0
    assert everywhere(shop, "A") == {"till": 5, "erp": 18, "webshop": 18, "social": 18}
    assert {everywhere(shop, sku)["webshop"] for sku in "BCD"} == {15}


# an authority that is wrong


def test_an_authority_that_lists_nothing_takes_nothing_away(tmp_path: Path) -> None:
    shop = four_channels(tmp_path, count=12)
    erp = shop.platforms["erp"]
    search = erp.books.search
    erp.books.search = lambda *asked: []
    shop.run(1_300)
    assert {shop.shows("webshop", sku) for sku in skus(12)} == {15}
    assert "erp empty_authority" in holds(shop)
    erp.books.search = search
    bring(shop, sell(shop, "A", 2))
    shop.run(1_300)
    assert everywhere(shop, "A") == THIRTEEN
    assert everywhere(shop, "L") == SHOWN


def test_a_fall_of_nearly_everything_to_zero_waits_for_a_person(tmp_path: Path) -> None:
    shop = four_channels(tmp_path, count=12)
    for sku in skus(12):
        shop.platforms["till"].count(sku, 0, SHOP)
        shop.platforms["erp"].count(sku, 0, WAREHOUSE)
    shop.lose_deliveries()
    shop.run(700)
    assert "webshop to_zero" in holds(shop)
    assert sum(shop.shows("webshop", sku) > 0 for sku in skus(12)) > 0
    for ident in hold_ids(shop):
        assert not ask(shop, "approve", hold=ident)["refused"]
    shop.run(60)
    assert {shop.shows("webshop", sku) for sku in skus(12)} == {0}


def hold_ids(shop: Stage) -> list[str]:
    from hub.store import requests

    return [hold.id for hold in shop.hub.database.read(requests.holds)]


# killed in the middle


class Killed(BaseException):
    """The worker dies at this point."""


@pytest.mark.parametrize("channel", ["till", "erp", "webshop", "social"])
def test_killed_between_the_effect_and_the_answer_it_looks_before_it_writes_again(shop: Stage, channel: str) -> None:
    platform = shop.platforms[channel]

    def kill(_: str) -> None:
        if platform.is_write(current[-1]):
            platform.seam = None
            raise Killed

    current: list[Any] = []
    real = platform.route

    def route(request: Any) -> Any:
        current.append(request)
        return real(request)

    platform.route, platform.seam = route, kill
    bring(shop, sell(shop, "A", 2))
    shop.platforms["erp"].set_price("B", Decimal("120"))
    with pytest.raises(Killed):
        shop.run(120)
    shop.restart()
    shop.run(300)
    assert everywhere(shop, "A") == THIRTEEN
    assert {shop.price(name, "B") for name in ("till", "webshop", "social")} == {Decimal("150.00")}
    assert shop.letters() == []
    before = shop.writes()
    shop.run(1_300)
    assert shop.writes() == before


def test_killed_before_the_request_leaves_it_is_sent_after_the_restart(shop: Stage) -> None:
    webshop = shop.platforms["webshop"]
    real = webshop.send

    def send(request: Any, deadline: float, size: int) -> Any:
        if webshop.is_write(request):
            webshop.send = real
            raise Killed
        return real(request, deadline, size)

    webshop.send = send
    bring(shop, sell(shop, "A", 2))
    with pytest.raises(Killed):
        shop.run(60)
    assert shop.shows("webshop", "A") == 15
    shop.restart()
    shop.run(120)
    assert everywhere(shop, "A") == THIRTEEN


# quiet


def test_after_convergence_there_is_no_write_and_no_read_beyond_the_schedule(shop: Stage) -> None:
    for sku in "ABCD":
        bring(shop, sell(shop, sku))
    shop.platforms["erp"].set_price("A", Decimal("120"))
    shop.platforms["webshop"].count("B", 77)
    shop.run(700)
    writes = shop.writes()
    first = calls(shop)
    shop.run(60)
    second = calls(shop)
    shop.run(60)
    third = calls(shop)
    assert shop.writes() == writes
    # A minute holds one poll of each polled stream, and every minute the same.
    assert {name: third[name] - second[name] for name in third} == {name: second[name] - first[name] for name in third}
    assert all(second[name] - first[name] <= 8 for name in second)


def calls(shop: Stage) -> dict[str, int]:
    return {name: len(platform.calls) for name, platform in shop.platforms.items()}
