"""A simulated retailer whose till is booked as one document a day, or by others: the judge knows what its books must hold."""

from __future__ import annotations

from typing import Any

import pytest

from hub.settings.model import Config
from hub.simulate.faults import PRESETS
from hub.simulate.retailer import generated
from hub.simulate.simulation import Simulation, Wanted
from hub.simulate.verdicts import wrong_books


def booking(how: str) -> Config:
    """The small retailer, with the till's sales booked that way; its days end while it sells."""
    config = generated()
    erp = config.channels["erp"]
    about = erp.orders.model_copy(update={"books": {"till": how}, "day_ends": "12:20"})
    return config.model_copy(update={"channels": {**config.channels, "erp": erp.model_copy(update={"orders": about})}})


def receipts(simulation: Simulation) -> list[dict[str, Any]]:
    """What the books hold of the till."""
    slips = simulation.retailer.platforms["erp"].orders_shown().values()
    return [slip for slip in slips if str(slip["reference"]).startswith("till-")]


@pytest.mark.parametrize(("how", "documents"), [("daily", 2), ("elsewhere", 0)])
def test_a_hostile_day_ends_with_books_as_they_were_wanted(how: str, documents: int) -> None:
    simulation = Simulation(booking(how), Wanted(1, 1, 8, 120), PRESETS["hostile"])
    result = simulation.run()
    assert not result.violations, [str(each) for each in result.violations]
    assert sum(sale.kind == "receipt" for sale in simulation.truth.sales) > 5
    assert len(receipts(simulation)) == documents


def test_what_a_day_holds_too_much_is_named() -> None:
    simulation = Simulation(booking("daily"), Wanted(1, 1, 8, 120), PRESETS["none"])
    assert not simulation.run().violations
    sold = next(sale for sale in simulation.truth.sales if sale.kind == "receipt")
    sku = next(iter(sold.lines))
    sold.lines[sku] += 1
    with simulation.scheduler.alone():
        (words,) = wrong_books(simulation.retailer, simulation.truth)
    assert f"of {sku}" in words
    assert words.startswith("the days of the till hold")
