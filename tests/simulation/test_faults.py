"""Each fault by itself: what it does to a hub, and that the hub gets over it."""

from __future__ import annotations

from decimal import Decimal
from email.utils import parsedate_to_datetime
from random import Random

from hub.simulate.faults import PRESETS, Faults, Mischief
from hub.simulate.retailer import generated
from hub.simulate.simulation import Result, Simulation, Wanted
from hub.simulate.weather import Quota, Weather

SECOND = 1_000_000


def lived(faults: Faults, seed: int = 1, hours: int = 8, items: int = 4, customers: int = 60) -> tuple[Simulation, Result]:
    """Hours with these faults and no others, in which no promise may be broken."""
    simulation = Simulation(generated(), Wanted(seed, 0, items, customers, hours), faults)
    result = simulation.run()
    assert not result.violations, "\n".join([*map(str, result.violations), *result.tells[-20:], *result.last_lines])
    return simulation, result


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
    told = Weather(Random(1), lambda: 1_789_970_400 * SECOND, True)
    said = {told.retry_after() for _ in range(50)}
    assert said >= {None, "1", "20"}
    dates = sorted(parsedate_to_datetime(text).timestamp() for text in said if text and not text.isdigit())
    assert dates == [1_789_970_401, 1_789_970_420]
    undated = Weather(Random(1), lambda: 0, False)
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
    assert refused(result) > 100
