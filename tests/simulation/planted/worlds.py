"""Small worlds in which planted bugs are looked for: what goes wrong in each is stated here, whatever the presets say."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.log import configure
from hub.settings.model import AllocationRule, Config, StreamRhythm
from hub.simulate.faults import Faults
from hub.simulate.retailer import generated
from hub.simulate.simulation import Simulation, Wanted

STOPPED = "goes on"
"""The promise that nothing ends by an error of its own."""

FLOOR = Decimal("150.00")
NARROW = Decimal("0.3")
ROUGH = {
    "delivery_lost": "0.15",
    "delivery_doubled": "0.15",
    "delivery_late": "0.1",
    "late_seconds_max": "7200",
    "delivery_reordered": "0.2",
    "delivery_forged": "0.05",
    "request_refused": "0.02",
    "request_lost": "0.02",
    "answer_lost": "0.04",
    "error_500": "0.03",
    "torn_500": "0.03",
    "throttled": "0.03",
    "outages_per_day": "3",
    "outage_minutes_max": "90",
    "edits_per_day": "8",
    "crashes_per_day": "12",
}


@dataclass(frozen=True)
class World:
    """A retailer and what goes wrong there."""

    faults: dict[str, str]
    items: int = 8
    customers: int = 60
    days: int = 1
    retailer: str = "small"
    """Which of the shipped retailers it is."""
    change: str = ""
    """What of the configuration is otherwise."""
    lingers: float = 0.0
    """How slow its hub's store is at most, in seconds."""


WORLDS = {
    "calm": World({}),
    "rough": World(ROUGH),
    "dying": World({**ROUGH, "crashes_per_day": "60"}),
    "throttled": World({"throttled": "0.5", "answer_lost": "0.1"}),
    "slow": World(ROUGH, customers=200, retailer="seven", items=6, lingers=5.0),
    "narrow": World(ROUGH, change="narrow"),
    "seven": World({**ROUGH, "edits_per_day": "0"}, items=10, customers=60, retailer="seven"),
    "careful": World(ROUGH, change="careful"),
    "returning": World(ROUGH, customers=120),
}


def config_of(world: World) -> Config:
    """The configuration of this world."""
    config = generated(world.retailer)
    channels = {name: about.model_copy(update={"streams": _slower(about.streams)}) for name, about in config.channels.items()}
    config = config.model_copy(update={"channels": channels})
    if world.change == "careful":
        rules = (AllocationRule(channels=("webshop",), safety_stock=2),)
        pricing = {n: rule.model_copy(update={"floor": FLOOR}) for n, rule in config.pricing.channels.items() if n != "till"}
        update = {"allocation": config.allocation.model_copy(update={"rules": rules})}
        return config.model_copy(
            update={**update, "pricing": config.pricing.model_copy(update={"channels": {**config.pricing.channels, **pricing}})}
        )
    if world.change == "narrow":
        share = {"pace_share": NARROW}
        return config.model_copy(update={"channels": {n: each.model_copy(update=share) for n, each in channels.items()}})
    return config


def _slower(streams: dict[str, StreamRhythm]) -> dict[str, StreamRhythm]:
    """Polls a third as often, sweeps half as often: a day is quicker, and what was missed is missed for longer."""
    return {
        name: each.model_copy(update={"poll_seconds": each.poll_seconds * 3, "sweep_seconds": each.sweep_seconds * 2})
        for name, each in streams.items()
    }


def simulate(name: str, seed: int) -> dict[str, Any]:
    """What came of it: broken promises with words, in the order in which they were found."""
    configure(now=lambda: 0, as_json=False, level="critical")
    world = WORLDS[name]
    wanted = Wanted(seed, world.days, world.items, world.customers)
    began = time.process_time()
    simulation = Simulation(config_of(world), wanted, Faults.model_validate(world.faults))
    simulation.scheduler.lingers = world.lingers
    try:
        result = simulation.run()
    except Exception as bad:
        words = traceback.format_exception_only(bad)[-1].strip()
        frame = traceback.extract_tb(bad.__traceback__)[-1]
        broken = [[STOPPED, f"{words} in {frame.filename.rpartition('/')[2]}:{frame.lineno}"]]
        hours = 0.0
    else:
        broken = [[each.promise, each.words] for each in result.violations]
        hours = result.virtual_seconds / 3600
    return {"broken": broken[:12], "hours": round(hours, 1), "seconds": round(time.process_time() - began, 1)}
