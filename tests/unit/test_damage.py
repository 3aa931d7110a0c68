"""What is told first: what costs most to leave as it is; and nothing is overtaken by what came more than four hours later."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from hub.channel import Channel
from hub.diff.damage import (
    DOUBLING_MICROS,
    FACT,
    HOUR_MICROS,
    LATELY_MICROS,
    OVERTAKES_MICROS_MAX,
    RATE_MIN,
    USUALLY_MICROS,
    Selling,
    damage,
    faded,
    overtakes,
    rate,
    urgency,
    wanted_between,
)
from hub.flow import Aspect, Key
from hub.push.choose import choose
from hub.store.changes import OpenChange

RATES = st.decimals("0.01", "100", places=2)
PRICES = st.decimals("1", "5000", places=2)
FIGURES = st.integers(0, 60)
COSTS = st.decimals("0", "100000", places=3)
CLOSE = Decimal("1e-20")


def stock(pieces: int) -> dict[str, Any]:
    return {"sellable": pieces * 1000}


def money(amount: Decimal | str, currency: str = "DKK") -> dict[str, Any]:
    return {"amount": str(amount), "currency": currency}


def cost(shown: int, target: int, rate: str = "1", price: str = "100") -> Decimal:
    return damage(Aspect.STOCK, stock(shown), stock(target), Selling(Decimal(rate), Decimal(price)))


def test_a_piece_that_nobody_has_costs_its_price_for_each_that_is_wanted() -> None:
    # One piece an hour: the first is wanted within it with a chance of a half, the second of a quarter.
    assert cost(1, 0) == 50
    assert cost(2, 0) == 75
    assert cost(2, 1) == 25


def test_a_piece_that_is_not_shown_costs_what_would_be_earned_with_it() -> None:
    assert cost(0, 1) == 15
    assert damage(Aspect.STOCK, None, stock(1), Selling(Decimal(1), Decimal(100))) == 15


def test_a_wrong_price_costs_what_it_differs_on_each_piece_sold() -> None:
    selling = Selling(Decimal(3), Decimal(200))
    assert damage(Aspect.PRICE, money("190"), money("200"), selling) == 30
    assert damage(Aspect.PRICE, money("210"), money("200"), selling) == 30
    assert damage(Aspect.PRICE, None, money("200"), selling) == 180
    assert damage(Aspect.PRICE, money("200", "EUR"), money("200"), selling) == 180


def test_wording_costs_nearly_nothing_unless_it_offers_or_withdraws() -> None:
    selling = Selling(Decimal(3), Decimal(200))
    assert damage(Aspect.LISTING, {"title": "a"}, {"title": "b"}, selling) < 1
    assert damage(Aspect.LISTING, {"state": "active"}, {"state": "inactive"}, selling) == 600
    assert damage(Aspect.LISTING, None, {"title": "b"}, selling) == 180


def test_orders_and_what_was_moved_are_waited_for() -> None:
    assert damage(Aspect.ORDER, None, {"fact": "placed"}, Selling()) == FACT
    assert damage(Aspect.MOVEMENT, {"moved": 1000}, {"moved": 0}, Selling()) == FACT
    assert 0 < damage(Aspect.MOVEMENT, None, {"moved": 1000}, Selling()) < FACT


@given(FIGURES, FIGURES, RATES, RATES, PRICES)
def test_what_sells_faster_costs_no_less(shown: int, target: int, one: Decimal, other: Decimal, price: Decimal) -> None:
    slow, fast = sorted((one, other))
    assert cost(shown, target, str(slow), str(price)) <= cost(shown, target, str(fast), str(price)) + CLOSE


@given(FIGURES, FIGURES, RATES, PRICES, PRICES)
def test_what_is_dearer_costs_no_less(shown: int, target: int, rate: Decimal, one: Decimal, other: Decimal) -> None:
    cheap, dear = sorted((one, other))
    assert cost(shown, target, str(rate), str(cheap)) <= cost(shown, target, str(rate), str(dear))


@given(FIGURES, st.integers(1, 20), st.integers(0, 20), RATES)
def test_the_nearer_to_zero_the_more_it_costs(target: int, beyond: int, further: int, rate: Decimal) -> None:
    near, far = cost(target + beyond, target, str(rate)), cost(target + further + beyond, target + further, str(rate))
    assert near >= far - CLOSE


@given(FIGURES, st.integers(1, 20), st.integers(0, 20), RATES)
def test_the_more_is_shown_beyond_the_truth_the_more_it_costs(target: int, beyond: int, more: int, rate: Decimal) -> None:
    assert cost(target + beyond, target, str(rate)) <= cost(target + beyond + more, target, str(rate)) + CLOSE


@given(RATES, FIGURES)
def test_no_more_is_wanted_than_there_is_or_than_is_sold(rate: Decimal, high: int) -> None:
    assert 0 <= wanted_between(rate, 0, high) <= min(Decimal(high), rate) + CLOSE


@given(st.integers(0, 2**50), st.integers(0, 2**50), COSTS, COSTS)
def test_the_older_and_the_costlier_go_first(one: int, other: int, low: Decimal, high: Decimal) -> None:
    low, high = sorted((low, high))
    early, late = sorted((one, other))
    assert urgency(early, high) <= urgency(late, low)


@given(COSTS)
def test_twice_the_cost_overtakes_ten_minutes_more(cost: Decimal) -> None:
    more = overtakes(cost * 2) - overtakes(cost)
    assert 0 <= more <= DOUBLING_MICROS
    assert 0 <= overtakes(cost) <= OVERTAKES_MICROS_MAX


@given(st.lists(st.tuples(st.integers(0, 10 * HOUR_MICROS), COSTS, st.sampled_from(("stock", "price"))), min_size=1, max_size=40))
def test_nothing_is_overtaken_by_what_was_decided_more_than_four_hours_later(wanted: list[tuple[int, Decimal, str]]) -> None:
    declared = cast(Channel, SimpleNamespace(name="shop", send=lambda _: SimpleNamespace(batch_max=3)))
    waiting = [
        OpenChange(Key("shop", f"L{n}", aspect), f"c{n}", "i", {}, {}, "intended", urgency(at, cost), decided_at=at)
        for n, (at, cost, aspect) in enumerate(wanted)
    ]
    now = 0
    while waiting:
        now = max(now + 1, min(change.decided_at for change in waiting))
        known = sorted((each for each in waiting if each.decided_at <= now), key=lambda each: each.urgency)
        batch = choose(declared, known, now)
        assert batch, "something may always be sent"
        # A batch takes along what fits: what it is sent for is its first.
        assert batch[0].decided_at - min(each.decided_at for each in known) <= OVERTAKES_MICROS_MAX
        waiting = [each for each in waiting if each not in batch]
        now += HOUR_MICROS // 4


@given(st.integers(0, 10**9), st.integers(0, 10 * HOUR_MICROS), st.integers(0, 10 * HOUR_MICROS))
def test_a_sale_fades_and_never_grows(units: int, one: int, other: int) -> None:
    soon, late = sorted((one, other))
    assert 0 <= faded(units, late, HOUR_MICROS) <= faded(units, soon, HOUR_MICROS) <= units


def test_half_of_a_sale_counts_after_its_half_life() -> None:
    assert [faded(8_000, HOUR_MICROS * times, HOUR_MICROS) for times in (-1, 0, 1, 2)] == [8_000, 8_000, 4_000, 2_000]
    assert faded(8_000, HOUR_MICROS, 2 * HOUR_MICROS) == 5_656
    assert faded(10**9, 100 * HOUR_MICROS, HOUR_MICROS) == 0


def test_what_sells_evenly_has_the_rate_at_which_it_sells() -> None:
    lately = usually = 0
    every = HOUR_MICROS // 4
    for _ in range(1_000):
        lately, usually = faded(lately, every, LATELY_MICROS) + 1_000, faded(usually, every, USUALLY_MICROS) + 1_000
    assert Decimal("3.5") < rate(0, usually) < Decimal("4.1")
    assert Decimal("3.9") < rate(lately, 0) < Decimal("4.6")
    assert rate(lately, usually) == max(rate(lately, 0), rate(0, usually))
    assert rate(0, 0) == RATE_MIN
