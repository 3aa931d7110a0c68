"""Days with the last pieces divided between two webshops: the hub sells nothing twice, and all agree."""

from __future__ import annotations

import pytest
from planted.worlds import LINKS_DOWN, two_webshops

from hub.simulate.all_knowing import OURS
from hub.simulate.faults import PRESETS, Faults
from hub.simulate.simulation import Result, Simulation, Wanted

QUOTA = "rules:\n  - {quota_below: 20, quota_weights: {webshop: 1, webshop2: 1, erp: 1, social: 0}}\n"

ALWAYS = QUOTA.replace("quota_below: 20", "quota_below: 100")
UNDIVIDED = "rules: []\n"


def test_a_day_with_the_last_pieces_divided_sells_nothing_twice_by_the_hubs_fault() -> None:
    result = Simulation(two_webshops(QUOTA), Wanted(2, 1, 4, 100, supplied=False), PRESETS["usual"]).run()
    assert not result.violations, "\n".join([*map(str, result.violations), *result.tells[-20:], *result.last_lines])
    assert result.account.blamed(OURS) == 0
    assert {"webshop", "webshop2"} <= {name for name, each in result.exposure.items() if each.writes > 10}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_a_hostile_day_with_the_last_pieces_divided_ends_in_agreement(seed: int) -> None:
    result = Simulation(two_webshops(QUOTA), Wanted(seed, 1, 4, 100, supplied=False), PRESETS["hostile"]).run()
    assert not result.violations, "\n".join([*map(str, result.violations), *result.tells[-20:], *result.last_lines])
    assert result.account.blamed(OURS) == 0


def test_with_every_link_down_for_hours_no_divided_piece_is_sold_twice_and_some_undivided_ones_are() -> None:
    def day(allocation: str) -> Result:
        # The same two things all day, each bought and paid at once: what the two ways cost is compared.
        wanted = Wanted(0, 1, 2, 150, assortment_per_day=0, pays_later=0, supplied=False)
        result = Simulation(two_webshops(allocation), wanted, Faults.model_validate(LINKS_DOWN)).run()
        assert not result.violations, "\n".join(map(str, result.violations))
        return result

    divided, undivided = day(ALWAYS), day(UNDIVIDED)
    assert (undivided.account.blamed(OURS) > 0, divided.account.blamed(OURS)) == (True, 0)
    # What it costs: pieces that were there and that the shop with customers might not show.
    assert divided.account.lost > undivided.account.lost
