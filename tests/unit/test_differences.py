"""From targets to changes: coalesced, in a safe order, never against one that is under way, and held by name when too large."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from pure_grounds import channel, config

from hub.channel import Channel
from hub.clock import ManualClock
from hub.diff.damage import OVERTAKES_MICROS_MAX, UNSOLD, Selling
from hub.differences import GUARD_WINDOW_MICROS, Decided, Differences, Falls, Seen
from hub.flow import Aspect, Key, Observation, Target
from hub.settings.model import Guards, PersonEdits, PricingSettings
from hub.store.changes import OpenChange
from hub.store.requests import Hold
from hub.store.targets import StoredObservation, StoredTarget

LISTED = 100


class Shop:
    """A shop of a hundred listings: what it shows, what is under way, and what the hub decides about it."""

    def __init__(self, *, mode: str = "live", edits: PersonEdits | None = None, new_orders_max: int = 500) -> None:
        self.clock = ManualClock()
        settings = channel("shop", mode=mode, person_edits=edits or PersonEdits())
        read = SimpleNamespace(stream="items")
        wired = {"shop": cast(Channel, SimpleNamespace(name="shop", settings=settings, sells=True, send=lambda _: read))}
        pricing = PricingSettings(guards=Guards(new_orders_max=new_orders_max))
        self.config = config(channels=[settings], pricing=pricing)
        self.open: dict[Key, OpenChange] = {}
        self.holds: list[Hold] = []
        self.flips: dict[Key, int] = {}
        self.targets: dict[Key, StoredTarget] = {}
        self.differences = Differences(self.config, wired, self.clock, self._falls)
        self.differences.heard = frozenset({("shop", "items")})

    def _falls(self, before: int) -> Falls:
        counted = [c for c in self.open.values() if c.words == "to zero" and (c.state == "held" or c.decided_at < before)]
        return Falls({"shop": len(counted)} if counted else {}, {"shop": LISTED})

    def decide(self, wanted: dict[Key, Any], shown: dict[Key, Any], *, listings: set[tuple[str, str]] | None = None) -> Decided:
        """Decide, and keep what was decided as the store does."""
        seen = Seen(
            targets=self.targets,
            observations={
                key: StoredObservation(Observation(key, value, True, 0, 1, 1, 1, 1), self.flips.get(key, 0), 1)
                for key, value in shown.items()
            },
            changes=self.open,
            listings=listings or set(),
            holds=self.holds,
        )
        targets = {key: Target(key, f"item {key.listing}", value, {}) for key, value in wanted.items()}
        worked_out = {target.item for target in targets.values()}
        decided = self.differences.decide(targets, seen, lambda item, _: item in worked_out)
        self.targets = {**self.targets, **{t.key: StoredTarget(t, 0) for t in decided.targets}}
        self.open = {k: c for k, c in self.open.items() if k not in decided.withdrawn} | {c.key: c for c in decided.changes}
        self.holds += decided.holds
        return decided


def stock(number: int) -> Key:
    return Key("shop", f"L{number}", Aspect.STOCK)


def price(number: int) -> Key:
    return Key("shop", f"L{number}", Aspect.PRICE)


def pieces(amount: int) -> dict[str, int]:
    return {"sellable": amount * 1000}


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "DKK"}


def states(decided: Decided) -> dict[str, int]:
    found: dict[str, int] = {}
    for change in decided.changes:
        found[change.state] = found.get(change.state, 0) + 1
    return found


def test_nothing_is_sent_where_it_shows_already() -> None:
    shop = Shop()
    assert shop.decide({stock(1): pieces(5)}, {stock(1): {**pieces(5), "raw": 7_000}}).changes == []


def test_a_channel_that_is_not_live_is_sent_nothing() -> None:
    for mode in ("observe", "rehearse"):
        shop = Shop(mode=mode)
        decided = shop.decide({stock(1): pieces(5)}, {stock(1): pieces(9)})
        assert (decided.changes, len(decided.targets)) == ([], 1)


def test_changes_of_one_key_become_the_newest() -> None:
    shop = Shop()
    for amount in (8, 7, 6):
        decided = shop.decide({stock(1): pieces(amount)}, {stock(1): pieces(9)})
    assert [(c.before, c.after) for c in decided.changes] == [(pieces(9), pieces(6))]
    assert len(shop.open) == 1


def test_a_change_that_is_no_longer_needed_is_withdrawn() -> None:
    shop = Shop()
    shop.decide({stock(1): pieces(8)}, {stock(1): pieces(9)})
    assert shop.decide({stock(1): pieces(9)}, {stock(1): pieces(9)}).withdrawn == [stock(1)]


def test_a_change_that_stands_keeps_its_name() -> None:
    shop = Shop()
    shop.decide({stock(1): pieces(8)}, {stock(1): pieces(9)})
    assert shop.decide({stock(1): pieces(8)}, {stock(1): pieces(9)}).changes == []


def test_a_change_under_way_is_never_overtaken() -> None:
    for state in ("sent", "accepted", "unknown"):
        shop = Shop()
        shop.open[stock(1)] = OpenChange(stock(1), "c", "item", pieces(9), pieces(8), state, 0)
        assert shop.decide({stock(1): pieces(3)}, {stock(1): pieces(9)}).changes == []


def test_a_refused_value_is_not_tried_again_but_another_is() -> None:
    shop = Shop()
    shop.open[stock(1)] = OpenChange(stock(1), "c", "item", pieces(9), pieces(8), "refused", 0)
    assert shop.decide({stock(1): pieces(8)}, {stock(1): pieces(10)}).changes == []
    assert len(shop.decide({stock(1): pieces(7)}, {stock(1): pieces(9)}).changes) == 1


def queued(decided: Decided) -> list[Key]:
    return [change.key for change in sorted(decided.changes, key=lambda change: change.urgency)]


def test_what_costs_most_goes_first() -> None:
    wanted = {stock(1): pieces(9), price(1): money("9"), stock(2): pieces(0), stock(3): pieces(4)}
    shown = {stock(1): pieces(5), price(1): money("10"), stock(2): pieces(5), stock(3): pieces(5)}
    shop = Shop()
    shop.differences.selling = lambda changes: {change.key: Selling(Decimal(2), Decimal(100)) for change in changes}
    assert queued(shop.decide(wanted, shown)) == [stock(2), stock(3), stock(1), price(1)]


def test_what_sells_fast_goes_before_what_nobody_buys() -> None:
    shop = Shop()
    fast = {stock(2): Selling(Decimal(20), Decimal(50))}
    shop.differences.selling = lambda changes: {change.key: fast.get(change.key, UNSOLD) for change in changes}
    falls = {stock(1): pieces(1), stock(2): pieces(4), stock(3): pieces(0)}
    assert queued(shop.decide(falls, {key: pieces(5) for key in falls})) == [stock(2), stock(3), stock(1)]


def test_a_key_that_changes_all_the_time_is_not_put_off_for_ever() -> None:
    shop = Shop()
    first = shop.decide({stock(1): pieces(10)}, {stock(1): pieces(9)}).changes[0]
    for amount in range(11, 200):
        shop.clock.advance(OVERTAKES_MICROS_MAX / 1_000_000 / 180)
        latest = shop.decide({stock(1): pieces(amount)}, {stock(1): pieces(9)}).changes[0]
    assert latest.urgency == first.urgency
    rival = shop.decide({stock(2): pieces(0)}, {stock(2): pieces(9)}).changes[0]
    assert latest.urgency < rival.urgency


def test_what_is_no_longer_wanted_is_dropped_with_its_change() -> None:
    shop = Shop()
    shop.decide({stock(1): pieces(8), price(1): money("9")}, {stock(1): pieces(9), price(1): money("10")})
    decided = shop.decide({stock(1): pieces(8)}, {stock(1): pieces(9), price(1): money("10")})
    assert (decided.dropped, decided.withdrawn) == ([price(1)], [price(1)])


def test_a_listing_seen_anew_is_compared_with_the_target_that_stands() -> None:
    shop = Shop()
    shop.decide({stock(1): pieces(8)}, {stock(1): pieces(8)})
    decided = shop.decide({}, {stock(1): pieces(12)}, listings={("shop", "L1")})
    assert [(c.before, c.after) for c in decided.changes] == [(pieces(12), pieces(8))]


# guards


def fall(shop: Shop, numbers: range, shown: int = 5) -> Decided:
    return shop.decide({stock(n): pieces(0) for n in numbers}, {stock(n): pieces(shown) for n in numbers})


def test_too_many_falls_to_zero_are_held_as_one() -> None:
    shop = Shop()
    decided = fall(shop, range(31))
    assert states(decided) == {"held": 31}
    assert [hold.guard for hold in shop.holds] == ["to_zero"]
    assert {change.hold for change in decided.changes} == {shop.holds[0].id}


def test_as_many_as_the_guard_allows_go_each_counted_once() -> None:
    shop = Shop()
    for first in range(0, 30, 5):
        assert states(fall(shop, range(first, first + 5))) == {"intended": 5}
        shop.clock.advance(10)
    assert states(fall(shop, range(30, 31))) == {"held": 1}


def test_one_key_that_falls_again_and_again_counts_once() -> None:
    shop = Shop()
    for shown in range(5, 60):
        assert states(fall(shop, range(1), shown)) == {"intended": 1}


def test_falls_of_long_ago_no_longer_count_once_they_are_made() -> None:
    shop = Shop()
    fall(shop, range(30))
    shop.open.clear()
    shop.clock.advance(GUARD_WINDOW_MICROS / 1_000_000 + 1)
    assert states(fall(shop, range(30, 60))) == {"intended": 30}


def test_falls_that_wait_count_however_old_they_are() -> None:
    shop = Shop()
    fall(shop, range(30))
    shop.clock.advance(GUARD_WINDOW_MICROS / 1_000_000 + 1)
    assert states(fall(shop, range(30, 31))) == {"held": 1}


def test_after_a_mass_fall_other_changes_go_on() -> None:
    shop = Shop()
    decided = shop.decide(
        {**{stock(n): pieces(0) for n in range(40)}, stock(50): pieces(4), price(1): money("11")},
        {**{stock(n): pieces(5) for n in range(40)}, stock(50): pieces(5), price(1): money("10")},
    )
    assert states(decided) == {"held": 40, "intended": 2}


def test_a_new_listing_without_stock_is_no_fall() -> None:
    decided = Shop().decide({stock(n): pieces(0) for n in range(60)}, {})
    assert states(decided) == {"intended": 60}


def test_nothing_is_written_over_what_was_never_looked_at() -> None:
    shop = Shop()
    shop.differences.heard = frozenset()
    assert states(shop.decide({stock(1): pieces(5), price(1): money("9")}, {})) == {}
    assert states(shop.decide({stock(1): pieces(5)}, {stock(1): pieces(7)})) == {"intended": 1}


def test_a_price_that_falls_too_far_is_held_alone_and_later_ones_join_its_hold() -> None:
    shop = Shop()
    first = shop.decide({price(1): money("1"), price(2): money("9")}, {price(1): money("10"), price(2): money("10")})
    assert states(first) == {"held": 1, "intended": 1}
    second = shop.decide({price(3): money("2")}, {price(3): money("10")})
    assert second.changes[0].hold == shop.holds[0].id
    assert len(shop.holds) == 1


def test_a_listing_is_not_made_for_nothing() -> None:
    shop = Shop()
    key = Key("shop", "A", Aspect.LISTING)
    shop.differences.first_values[key] = {"sku": "A", "sellable": 1_000, **money("0")}
    assert states(shop.decide({key: {"title": "A"}}, {})) == {"held": 1}
    shop.differences.first_values[key] = {"sku": "A", "sellable": 1_000, **money("10")}
    assert states(shop.decide({key: {"title": "A"}}, {})) == {"intended": 1}


def test_a_listing_that_is_not_known_and_not_ours_to_make_is_left_alone() -> None:
    assert Shop().decide({Key("shop", "A", Aspect.LISTING): {"title": "A"}}, {}).changes == []


def test_the_third_flip_by_others_stops_that_key_and_only_that() -> None:
    shop = Shop(edits=PersonEdits(flips_max=3))
    shop.flips = {stock(1): 2, stock(2): 3}
    decided = shop.decide({stock(1): pieces(5), stock(2): pieces(5)}, {stock(1): pieces(9), stock(2): pieces(9)})
    assert {c.key: c.state for c in decided.changes} == {stock(1): "intended", stock(2): "held"}
    assert "another integration" in shop.holds[0].words


def test_an_edit_is_repaired_or_held_as_the_channel_says() -> None:
    for verdict, state in (("repair", "intended"), ("hold", "held")):
        shop = Shop(edits=PersonEdits(verdict=verdict))  # type: ignore[arg-type]
        shop.decide({stock(1): pieces(5)}, {stock(1): pieces(5)})
        shop.flips = {stock(1): 1}
        decided = shop.decide({stock(1): pieces(5)}, {stock(1): pieces(9)})
        assert states(decided) == {state: 1}


def document(number: int) -> Key:
    return Key("shop", f"O{number}", Aspect.ORDER, "placed")


def booked(*numbers: int, total: int = 100) -> dict[Key, Any]:
    return {document(number): {"fact": "placed", "total_minor": total} for number in numbers}


def test_more_new_orders_at_once_than_set_wait_and_later_ones_with_them() -> None:
    shop = Shop(new_orders_max=3)
    assert states(shop.decide(booked(1, 2), {})) == {"intended": 2}
    decided = shop.decide(booked(3, 4, 5), {})
    assert states(decided) == {"intended": 1, "held": 2}
    (hold,) = decided.holds
    assert (hold.guard, hold.words) == ("new_orders", "more than 3 new orders at once: is an old history being read?")
    shop.clock.advance(3_600)
    assert states(shop.decide(booked(6), {})) == {"held": 1}
    assert shop.holds == [hold]


def test_new_orders_that_come_slowly_all_go() -> None:
    shop = Shop(new_orders_max=3)
    for number in range(12):
        assert states(shop.decide(booked(number), {})) == {"intended": 1}
        shop.clock.advance(GUARD_WINDOW_MICROS / 1_000_000 / 3)


def test_what_a_person_let_through_is_not_held_again_and_the_count_begins_anew() -> None:
    shop = Shop(new_orders_max=3)
    shop.decide(booked(1, 2, 3, 4), {})
    shop.holds.clear()
    shop.open = {key: replace(change, state="intended") for key, change in shop.open.items()}
    assert states(shop.decide(booked(4, total=200), {})) == {"intended": 1}
    assert states(shop.decide(booked(5, 6, 7), {})) == {"intended": 3}
    assert states(shop.decide(booked(8), {})) == {"held": 1}


def test_a_correction_of_what_was_booked_is_no_new_order() -> None:
    shop = Shop(new_orders_max=1)
    shown = booked(1, 2, 3)
    assert states(shop.decide(booked(1, 2, 3, total=200), shown)) == {"intended": 3}


def test_unless_set_otherwise_five_hundred_new_orders_at_once_are_the_limit() -> None:
    decided = Shop().decide(booked(*range(501)), {})
    assert states(decided) == {"intended": 500, "held": 1}
    assert [hold.guard for hold in decided.holds] == ["new_orders"]
