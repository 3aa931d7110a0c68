"""What would cost most goes first: with the same budget less is at risk than first in, first out; and the judge by itself."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.simulate.pace_contest import BY_DAMAGE, IN_ORDER, UNHURRIED, Compared, Hot, Ran, Scenario, Stretch, compare, scenario
from hub.simulate.pace_judge import TOO_FEW, TOO_MANY, WRONG_PRICE, Judge, Shelves, Wants, Weights, expected_between
from hub.simulate.pace_report import document, page, reached, verdict, words

HOUR = 3_600_000_000
MORNING, RUSH = 15, 15


@pytest.fixture(scope="module")
def small() -> Scenario:
    """The campaign of the repository in half an hour: fewer goods, and everything at once, so that a queue forms."""
    told = scenario()
    return told.model_copy(
        update={
            "items": 80,
            "hours": [
                Stretch(name="morning", minutes=MORNING, customers_per_hour=200),
                Stretch(name="campaign", minutes=RUSH, customers_per_hour=1200),
            ],
            "campaign": Hot(goods=12, wanted_times=12),
            "prices_changed": told.prices_changed.model_copy(update={"things": 80, "within_minutes": 1}),
            "restocked": told.restocked.model_copy(update={"things": 40, "within_minutes": 1}),
        }
    )


@pytest.fixture(scope="module")
def compared(small: Scenario) -> Compared:
    return compare(small, 1)


def test_less_is_at_risk_where_what_costs_most_goes_first(compared: Compared) -> None:
    assert 0 < compared.unhurried.staleness < compared.by_damage.staleness < compared.in_order.staleness
    assert compared.times_beyond > compared.times > 1
    assert compared.by_damage.oversold < compared.in_order.oversold
    assert compared.by_damage.oversold_elsewhere == 0


def test_both_had_the_same_budget(compared: Compared) -> None:
    most = RUSH * 60 // 2 + 3
    assert 0 < compared.by_damage.calls <= most
    assert 0 < compared.in_order.calls <= most


def test_nothing_waited_for_ever(compared: Compared) -> None:
    assert compared.by_damage.longest_minutes < RUSH


def test_the_scenario_of_the_repository_is_whole() -> None:
    told = scenario()
    assert sum(told.channels.values()) == 100
    assert told.channel in told.channels
    assert [stretch.name for stretch in told.hours].count("campaign") == 1
    assert told.prices_changed.things <= told.items
    assert told.goal_times == 5


# the judge


def test_what_is_wanted_between_two_figures_is_the_tail_of_a_draw() -> None:
    assert expected_between(2.0, 0, 400) == pytest.approx(2.0)
    assert expected_between(1.0, 0, 1) == pytest.approx(1 - 0.36787944)
    assert expected_between(1.0, 3, 3) == 0
    assert expected_between(1.0, 1, 5) == pytest.approx(expected_between(1.0, 0, 5) - expected_between(1.0, 0, 1))


def judge(there: int, promised: int = 0) -> tuple[Judge, Shelves]:
    shelves = Shelves({"A": Decimal(80)}, {("shop", "A"): there})
    shelves.promised["A"] = promised
    wants = Wants()
    wants.add(2 * HOUR, {"A": 3.0})
    weights = Weights(look_seconds=3600, oversold_percent=100, not_sold_percent=30, wrong_price_percent=100)
    return Judge(weights, shelves, wants), shelves


def shown(pieces: int, price: str = "100.00") -> dict[str, dict[str, object]]:
    return {"A": {"stock": {"1": pieces}, "price": price}}


def test_the_truth_costs_nothing() -> None:
    looks, _ = judge(5, promised=2)
    looks.look(shown(3), 0)
    assert (sum(looks.at_risk.values()), looks.wrong_hours, looks.longest_minutes) == (0, 0, 0)


def test_an_hour_of_a_piece_that_nobody_has_costs_its_price_as_often_as_it_is_wanted() -> None:
    looks, _ = judge(0)
    looks.look(shown(1), 0)
    assert looks.at_risk[TOO_MANY] == pytest.approx(100 * expected_between(3.0, 0, 1))
    looks.look(shown(1), HOUR)
    assert (looks.wrong_hours, looks.longest_minutes) == (2, 60)


def test_an_hour_of_a_piece_that_is_not_shown_and_of_a_wrong_price() -> None:
    looks, _ = judge(2)
    looks.look(shown(0, "90.00"), 0)
    assert looks.at_risk[TOO_FEW] == pytest.approx(30 * expected_between(3.0, 0, 2))
    assert looks.at_risk[WRONG_PRICE] == pytest.approx(10 * expected_between(3.0, 0, 2))


# the report


def ran(order: str, risk: float, oversold: int) -> Ran:
    return Ran(order, {TOO_MANY: risk, TOO_FEW: 0.0, WRONG_PRICE: 0.0}, oversold, 1, 2, 3.0, 4.0, 900)


def test_the_report_says_both_and_whether_the_goal_was_reached() -> None:
    told = scenario()
    good = Compared(1, ran(BY_DAMAGE, 100, 2), ran(IN_ORDER, 600, 9), ran(UNHURRIED, 50, 0))
    poor = Compared(2, ran(BY_DAMAGE, 100, 2), ran(IN_ORDER, 300, 2), ran(UNHURRIED, 50, 0))
    assert reached([good], told)
    assert not reached([poor], told)
    assert "6.0 times less at risk, 3 pieces oversold, not 10, over 1 seeds" in verdict([good], told)
    assert "not reached" in verdict([poor], told)
    assert "11.0 times less" in verdict([good], told)
    assert "seed 1: 600 DKK at risk first in, first out; 100 with what costs most first (50 with pace to spare)" in words(good)
    assert (document(poor)["times_less"], document(poor)["times_less_beyond"]) == ("3.00", "5.00")
    assert "<td>600</td>" in page([good, poor], told)
