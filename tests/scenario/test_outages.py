"""A channel that is out of order for long: asked ever more rarely, written to a bounded number of times, and caught up with."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from stage import WEBSHOP, Stage, stage

from hub.sdk.wire import NoAnswerError, Request, Response
from hub.store import ledger

HOUR = 3_600
CALLS_PER_HOUR_MAX = 120
ATTEMPTS_MAX = 8


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    return stocked(stage(tmp_path))


def stocked(made: Stage) -> Stage:
    """Fifteen TEEs, shown in the webshop."""
    for platform in made.platforms.values():
        platform.add_item("TEE", "T-shirt", price=Decimal(160))
    made.platforms["erp"].count("TEE", 10, "3")
    made.platforms["till"].count("TEE", 5, "LAARHUS000001")
    made.run(5)
    assert made.shows("webshop", "TEE") == 15
    return made


def fail_writes(shop: Stage, channel: str) -> list[Request]:
    """From now on each write to this channel is answered with 500 and does nothing; gives those that come."""
    platform, failed = shop.platforms[channel], []
    route = platform.route

    def refuse(request: Request) -> object:
        if not platform.is_write(request):
            return route(request)
        failed.append(request)
        platform.faults.fail_next = 1
        return platform._faulty(True, 0)

    platform.route = refuse
    return failed


@pytest.mark.parametrize("fault", ["down", "fails"])
def test_a_shop_out_of_order_for_an_hour_is_asked_rarely_and_then_shows_the_present(shop: Stage, fault: str) -> None:
    webshop = shop.platforms["webshop"]
    webshop.faults.down, webshop.faults.fail_next = fault == "down", 10**9
    before = sum(webshop.faults.spent.values())
    shop.platforms["till"].sell("TEE", 2, "LAARHUS000001")
    shop.run(HOUR)
    assert 0 < sum(webshop.faults.spent.values()) - before <= CALLS_PER_HOUR_MAX
    webshop.faults.down, webshop.faults.fail_next = False, 0
    shop.run(600)
    assert shop.shows("webshop", "TEE") == 13
    assert shop.letters() == []


def test_a_shop_that_fails_every_write_gets_a_bounded_number_and_a_person_is_told(shop: Stage) -> None:
    failed = fail_writes(shop, "webshop")
    shop.platforms["till"].sell("TEE", 2, "LAARHUS000001")
    shop.run(HOUR)
    assert len(failed) == ATTEMPTS_MAX
    (letter,) = shop.letters()
    assert (letter.channel, letter.stream) == ("webshop", "stock")
    assert f"given up after {ATTEMPTS_MAX} attempts" in letter.reason


def test_between_failed_writes_there_is_time_for_the_shop_to_recover(shop: Stage) -> None:
    failed = fail_writes(shop, "webshop")
    shop.platforms["till"].sell("TEE", 2, "LAARHUS000001")
    shop.run(10)
    assert 1 <= len(failed) <= 3


def test_readings_that_an_outage_swallowed_are_counted(shop: Stage) -> None:
    shop.platforms["erp"].faults.down = True
    shop.run(HOUR)
    shop.platforms["erp"].faults.down = False
    shop.run(HOUR / 4)
    counted = shop.hub.database.read(ledger.counters)
    assert 55 <= counted[("tick", "erp", "missed poll of items")] <= 65
    assert ("tick", "till", "missed poll of items") not in counted


def slow(shop: Stage, channel: str, seconds: float) -> None:
    """From now on each answer of this channel takes so long."""
    platform = shop.platforms[channel]
    answer = platform.send

    def late(request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        shop.clock.sleep(min(seconds, deadline_seconds))
        if seconds >= deadline_seconds:
            raise NoAnswerError("no answer: the deadline passed while it was being read")
        return answer(request, deadline_seconds, answer_bytes_max)

    platform.send = late


@pytest.mark.parametrize("deadline", ["", "deadline_seconds: 90\n"])
def test_a_shop_that_needs_longer_than_its_connector_waits_is_read_and_written_when_it_may(tmp_path: Path, deadline: str) -> None:
    seldom = "{poll_seconds: 900, sweep_seconds: 7200}"
    streams = f"streams: {{items: {seldom}, stock: {seldom}, orders: {seldom}}}\n"
    webshop = WEBSHOP.partition("streams:")[0] + streams + deadline
    shop = stocked(stage(tmp_path, files={"channels/webshop.yaml": webshop}))
    slow(shop, "webshop", 45)
    shop.platforms["till"].sell("TEE", 2, "LAARHUS000001")
    shop.run(HOUR)
    assert shop.shows("webshop", "TEE") == (13 if deadline else 15)
    assert shop.letters() == []
