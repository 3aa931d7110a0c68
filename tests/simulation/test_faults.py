"""Each fault by itself: what it does to a hub, and that the hub gets over it."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections import Counter
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from stage import SUBSCRIBED, stage

from connectors.template.sandbox import Sandbox
from hub.canonical.values import moment
from hub.clock import ManualClock
from hub.errors import UnmappableError
from hub.paths import shipped_config
from hub.sdk.contract import ReadAsk
from hub.sdk.registry import Registry
from hub.sdk.wire import Request
from hub.settings.load import load_text
from hub.simulate import seat
from hub.simulate.drifting import MANNERS, Drift, Drifts
from hub.simulate.faults import PRESETS, Faults, Mischief
from hub.simulate.hands import Hands
from hub.simulate.replica import Replica, behind_max
from hub.simulate.retailer import generated, texts_of
from hub.simulate.scheduler import AUTUMN, SPRING, START, start_of
from hub.simulate.seat import Seat
from hub.simulate.simulation import Result, Simulation, Wanted
from hub.simulate.truth import Sale, Truth
from hub.simulate.weather import Quota, Weather
from hub.store import channels, cursors

SECOND = 1_000_000


def lived(faults: Faults, seed: int = 1, hours: int = 8, items: int = 4, customers: int = 60) -> tuple[Simulation, Result]:
    """Hours with these faults and no others, in which no promise may be broken."""
    simulation = Simulation(generated(), Wanted(seed, 0, items, customers, hours), faults)
    result = simulation.run()
    assert not result.violations, "\n".join([*map(str, result.violations), *result.tells[-20:], *result.last_lines])
    return simulation, result


def plain_records(body: bytes) -> list[dict[str, Any]]:
    read = json.loads(body, parse_float=Decimal)
    return list(read if isinstance(read, list) else next(each for each in read.values() if isinstance(each, list)))


def refused(result: Result) -> int:
    return sum(count for (_, what), count in result.calls.items() if what == "refused")


def test_every_fault_is_turned_by_itself_and_comes_on_a_hostile_day() -> None:
    quiet = Faults()
    tame = [
        name
        for name in Faults.model_fields
        if getattr(PRESETS["hostile"], name) == getattr(quiet, name) and not name.endswith(("_max", "_min"))
    ]
    assert tame == []
    first, second = Mischief(PRESETS["hostile"], 1), Mischief(PRESETS["hostile"].model_copy(update={"throttled": Decimal(0)}), 1)
    befell = [(first.mishap("shop", True), second.mishap("shop", True)) for _ in range(200)]
    assert [here for here, there in befell if here != there and here.name != "THROTTLED"] == []


# turned away


def test_a_platform_says_nothing_a_number_or_a_date_of_waiting() -> None:
    platform = Sandbox(ManualClock(1_789_970_400 * SECOND))
    told = Weather(platform, Random(1), print)
    said = {told.retry_after() for _ in range(50)}
    assert said >= {None, "1", "20"}
    dates = sorted(parsedate_to_datetime(text).timestamp() for text in said if text and not text.isdigit())
    assert dates == [1_789_970_401, 1_789_970_420]
    platform.dated_waits = False
    undated = Weather(platform, Random(1), print)
    assert {undated.retry_after() for _ in range(50)} == {None, "1", "20"}


def test_a_cut_quota_admits_so_many_and_no_more() -> None:
    quota = Quota(0.5, 2.0, 0)
    assert [quota.admits(0) for _ in range(3)] == [True, True, False]
    assert [quota.admits(at * SECOND) for at in (1, 2, 3, 4)] == [False, True, False, True]


def test_storms_and_cut_quotas_are_waited_out() -> None:
    faults = Faults(throttled=Decimal("0.05"), storms_per_day=Decimal(40), quota_cuts_per_day=Decimal(20))
    _, result = lived(faults)
    assert result.faults["storms_per_day"] > 5
    assert result.faults["quota_cuts_per_day"] > 2
    assert refused(result) > 50


# the hub is not known any more


def test_sessions_end_and_keys_are_refused_until_somebody_sees_to_it() -> None:
    simulation, result = lived(Faults(logins_ended_per_day=Decimal(48), login_minutes_max=20))
    assert result.faults["logins_ended_per_day"] > 5
    told = " ".join(result.tells)
    assert "ends all sessions" in told
    assert "signs the hub in" in told
    paused = simulation.crew.store.read(lambda tx: [state for state in channels.states(tx).values() if state.paused_by])
    assert paused == []
    assert {"webshop", "erp"} <= {name for (name, what), count in result.calls.items() if what == "read" and count > 100}


def test_a_channel_that_tells_of_nothing_any_more_is_read() -> None:
    faults = Faults(subscriptions_lost_per_day=Decimal(24), subscription_minutes_max=480)
    simulation, result = lived(faults)
    assert result.faults["subscriptions_lost_per_day"] > 1
    assert all(platform.hook_url for name, platform in simulation.retailer.platforms.items() if name != "erp")


def test_a_webshop_of_which_the_hub_looks_after_the_subscriptions_is_mended_by_the_hub(tmp_path: Path) -> None:
    made = stage(tmp_path, files=SUBSCRIBED)
    shop = made.platforms["webshop"]
    for platform in made.platforms.values():
        platform.add_item("TEE", "T-shirt", price=Decimal("159.96"))
    made.run(7_200)
    shop.stop_telling()
    shop.count("TEE", 7)
    assert len(shop.outbox) == 0
    made.run(1_200)
    shop.count("TEE", 3)
    assert len(shop.outbox) > 0
    made.run(60)
    assert made.shows("webshop", "TEE") == 0


# the disk is full


def test_a_full_disk_stops_the_hub_and_loses_nothing() -> None:
    simulation, result = lived(Faults(disk_full_per_day=Decimal(120), disk_full_minutes_max=3), hours=5, customers=250)
    assert result.faults["disk_full_per_day"] > 10
    assert simulation.crew.unstored > 0
    assert result.sold > 20


# half done, and half told


def test_where_the_store_takes_its_time_the_world_goes_on_meanwhile_and_all_agree() -> None:
    slow, result = lived(Faults(store_seconds_max=Decimal(3)), customers=200)
    at_once, other = lived(Faults(), customers=200)
    assert result.ledger_hash != other.ledger_hash
    assert slow.scheduler.lingers == 3
    assert (result.sold > 10, at_once.scheduler.lingers) == (True, 0)


def test_a_request_that_breaks_off_in_the_middle_leaves_what_it_did_and_the_rest_follows(tmp_path: Path) -> None:
    made = stage(tmp_path, files=SUBSCRIBED)
    shop, skus = made.platforms["webshop"], [f"TEE-{number}" for number in range(5)]
    for sku in skus:
        for platform in made.platforms.values():
            platform.add_item(sku, f"T-shirt {sku}", price=Decimal("159.96"))
    made.run(60)
    for sku in skus:
        made.platforms["erp"].count(sku, 10, "3")
    shop.faults.tear_after = 2
    shop.seam = lambda _: torn.append([made.shows("webshop", sku) for sku in skus]) if "torn" in shop.faults.spent else None
    torn: list[list[int]] = []
    made.run(900)
    assert sorted(torn[0]) == [0, 0, 0, 10, 10], "two of five were done when it broke off"
    assert [made.shows("webshop", sku) for sku in skus] == [10] * 5
    assert made.letters() == []


def test_batches_torn_listings_cut_and_answers_without_sense_are_got_over() -> None:
    some = Decimal("0.05")
    faults = Faults(torn_batch=Decimal("0.9"), answer_garbage=some, answer_endless=Decimal("0.01"), listing_short=some)
    _, result = lived(faults, items=8)
    assert {"answer_garbage", "answer_endless", "listing_short"} <= set(result.faults)
    assert result.faults["torn_batch"] > 0, "prices go to the till one by one"


def test_pages_change_while_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = Simulation(generated(), Wanted(3, 0, 12, 2000, 3), Faults(page_size_max=1))
    between: list[str] = []
    bought = Truth.bought

    def noted(truth: Truth, sale: Sale) -> Sale:
        with simulation.scheduler.alone():
            under_way = simulation.crew.store.read(lambda tx: cursors.readings(tx, sale.origin))
        between.extend(sale.their for each in under_way.values() if each.under_way and each.pages)
        return bought(truth, sale)

    monkeypatch.setattr(Truth, "bought", noted)
    result = simulation.run()
    assert not result.violations, "\n".join(map(str, result.violations))
    assert between, "somebody bought between two pages of one reading"


# shown late


def test_a_copy_follows_behind_as_far_as_is_declared_and_shows_who_writes_at_once() -> None:
    there = Sandbox(ManualClock(START))
    shop: Any = Hands(there)
    shop.add_item("TEE", "T-shirt", price=Decimal(100))
    signed = {"authorization": f"Bearer {Sandbox.CHANNEL['secrets']['token']}"}
    ask, luck = Request("GET", "https://x.example/items", signed), Random(0)
    luck.random = lambda: 0.0  # type: ignore[method-assign]
    copy = Replica(shop, 3.0, True, luck, lambda: int(shop.touched))
    copy.follow(START)
    before = shop.route(ask)
    shop.count("TEE", 7)
    now = shop.route(ask)
    assert (copy.answer(ask, now, START + 3 * SECOND), shop.route(ask)) == (before, now)
    assert copy.answer(ask, now, START + 4 * SECOND) == now
    copy.follow(START + 4 * SECOND)
    assert copy.answer(ask, now, START + 5 * SECOND) == now
    there.count("TEE", 5)
    written = shop.route(ask)
    copy.written(START + 5 * SECOND)
    assert copy.answer(ask, written, START + 6 * SECOND) == written
    registry = Registry([])
    assert behind_max(registry.manifest("meta")) == 5 > behind_max(registry.manifest("vendure")) == 3


def test_what_is_shown_late_is_read_again() -> None:
    _, result = lived(Faults(lags_per_day=Decimal(400), lag_seconds_max=5, lag_minutes_max=60), customers=400)
    assert result.faults["stale_reads"] > 10
    assert result.sold > 20


# another shape


def test_records_whose_fields_drift_are_lettered_counted_and_read_again_when_that_is_over() -> None:
    simulation, result = lived(Faults(drifts_per_day=Decimal(150), drift_minutes_max=60), seed=2, customers=200)
    assert result.faults["drifted_pages"] > 10

    def counted(text: str) -> int:
        return int(simulation.crew.store.read(lambda tx: tx.query(text))[0][0])

    assert counted("SELECT count(*) FROM dead_letters WHERE kind = 'record'") > 0
    assert counted("SELECT count(*) FROM dead_letters WHERE state = 'open'") == 0
    assert counted("SELECT count(*) FROM counters WHERE name = 'schema_drift'") > 0


def test_only_such_fields_drift_as_are_missed_or_say_nothing(tmp_path: Path) -> None:
    made = stage(tmp_path, files=SUBSCRIBED)
    shop, about = made.platforms["webshop"], made.hub.channels["webshop"]
    shop.add_item("TEE", "T-shirt", price=Decimal("159.96"))
    ask = ReadAsk("", True, 10, made.clock.now())
    plain = about.connector.read("items", ask)
    told = [about.mappings.understand("item", record) for record in plain_records(plain.body)]
    drifts = Drifts(print)
    for seed, manner in itertools.product(range(10), MANNERS):
        drifts.now["webshop"] = Drift("items", manner, about.mappings, Random(seed))
        changed = plain_records(drifts.changed(about.connector, "items", plain).body)
        for record, before in zip(changed, told, strict=True):
            with contextlib.suppress(UnmappableError):
                assert about.mappings.understand("item", record) == before


# a till that cannot be reached


def test_what_a_till_sold_while_it_was_offline_counts_and_is_booked_once_with_its_old_times() -> None:
    simulation, result = lived(Faults(tills_offline_per_day=Decimal(12), till_offline_minutes_max=180), customers=300)
    late = [sale for sale in simulation.truth.sales if sale.kind == "receipt"]
    uploads = [line for line in result.tells if "uploads" in line]
    assert any(not line.endswith("uploads 0 receipts") for line in uploads)
    shown = simulation.retailer.platforms["till"].orders_shown()
    assert late
    assert all(sale.their in shown for sale in late)
    assert simulation.truth.offline == {}


# clocks


def test_clocks_that_are_minutes_off_lose_nothing() -> None:
    simulation, result = lived(Faults(clock_skew_seconds_max=600, delivery_lost=Decimal("0.3")), seed=2)
    off = {name: platform.micros() - simulation.scheduler.now for name, platform in simulation.retailer.platforms.items()}
    assert max(map(abs, off.values())) > 120 * SECOND
    assert result.faults["clock_skew_seconds_max"] == 4
    assert result.settled_seconds < 3_600


# two workers

RIVALS = Faults(pauses_per_day=Decimal(240), pause_seconds_max=300, answer_lost=Decimal("0.02"))


def rivalled(seed: int) -> Result:
    return Simulation(generated(), Wanted(seed, 0, 6, 300, 8), RIVALS).run()


def test_a_worker_that_was_paused_and_replaced_stores_nothing_and_sends_nothing_anew() -> None:
    result = rivalled(1)
    assert not result.violations, "\n".join(map(str, result.violations))
    assert result.starts > result.faults["pauses_per_day"] > 5
    assert {"the first one wakes up"} <= {line.partition("h  ")[2] for line in result.tells}


def test_a_worker_that_does_not_ask_before_it_writes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Seat, "may_write", lambda self: True)
    assert "one worker" in {each.promise for seed in (0, 1) for each in rivalled(seed).violations}


def test_a_worker_that_goes_on_storing_after_it_was_replaced_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat, "refuse_former", lambda ours, turn: None)
    assert {each.promise for seed in (0, 1) for each in rivalled(seed).violations}


# somebody changes an order


def test_an_order_that_a_clerk_makes_smaller_is_sent_smaller_and_its_pieces_can_be_bought_again() -> None:
    simulation, result = lived(Faults(order_edits_per_day=Decimal(200), delivery_lost=Decimal("0.3")), customers=200)
    smaller = [sale for sale in simulation.truth.sales if sale.taken_off]
    assert len(smaller) == result.faults["order_edits_per_day"] > 1
    sent = [sale for sale in smaller if sale.left_at]
    assert sent
    assert all(dict(sale.handed_out) == sale.lines for sale in sent)


# the two nights


def test_seeds_take_turns_with_an_ordinary_week_and_the_nights_on_which_clocks_change() -> None:
    copenhagen = ZoneInfo("Europe/Copenhagen")
    noons = [(moment(start_of(seed)).astimezone(copenhagen), start_of(seed) + 24 * 3_600 * SECOND) for seed in range(3)]
    shifts = [moment(later).astimezone(copenhagen).utcoffset() != first.utcoffset() for first, later in noons]
    assert shifts == [False, True, True]
    assert start_of(4) == SPRING


@pytest.mark.parametrize("start", [SPRING, AUTUMN])
def test_each_day_is_booked_once_though_a_night_is_an_hour_shorter_or_longer(start: int) -> None:
    folder = shipped_config() / "small"
    texts = texts_of(folder)
    daily = "\norders:\n  books: {till: daily}\n  time_zone: Europe/Copenhagen\n"
    texts["channels/erp.yaml"] = texts["channels/erp.yaml"].replace("\norders:\n", daily)
    simulation = Simulation(load_text(texts, str(folder)), Wanted(1, 1, 2, 60, 14, start=start), Faults())
    result = simulation.run()
    assert [each.words for each in result.violations] == []
    rung: Counter[str] = Counter()
    for sale in simulation.truth.sales:
        if sale.kind == "receipt":
            day = moment(sale.at).astimezone(ZoneInfo("Europe/Copenhagen")).date()
            rung[f"till-{day}-aarhus-DKK"] += sale.total_minor
    booked = {
        str(slip["reference"]): slip["total_minor"] for slip in simulation.retailer.platforms["erp"].orders_shown().values()
    }
    assert {name: total for name, total in booked.items() if name.endswith("-aarhus-DKK")} == dict(rung)
    assert len(rung) == 2
