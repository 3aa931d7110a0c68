"""Small worlds in which planted bugs are looked for: what goes wrong in each is stated here, whatever the presets say."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.log import configure
from hub.paths import shipped_config
from hub.sdk.wire import Request, Response
from hub.settings.load import load_text
from hub.settings.model import AllocationRule, Config, StreamRhythm
from hub.simulate.all_knowing import OURS
from hub.simulate.demand import Customers
from hub.simulate.faults import Faults
from hub.simulate.retailer import generated, texts_of
from hub.simulate.simulation import Simulation, Wanted

DIVIDED, ALL_DIVIDED = "divided", "all divided"
ADDED_SECONDS = 60
ONCE = "divided is never sold twice"
STOPPED = "goes on"
"""The promise that nothing ends by an error of its own."""

DAY_ENDS = "12:20"
"""In the middle of the day's business, so that sales are told when their book is closed."""
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
LINKS_DOWN = {"outages_per_day": "30", "outage_minutes_max": "600"}
"""Every link is down for hours, again and again, while customers go on buying."""
DRIFTS = {"drifts_per_day": "60", "drift_minutes_max": "240"}
QUOTA = "rules:\n  - {quota_below: 100, quota_weights: {webshop: 1, webshop2: 1, erp: 1, social: 0}}\n"


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
    first: int = 0
    """The first of its seeds."""
    assortment: float = 0.0
    """How often in a day something is taken in or given up."""
    pays_later: float = 0.0
    """The share of the orders to be sent that wait for their money."""
    complaints: float = 0.0
    """How often in a day a webshop gives money back for what has left."""


WORLDS = {
    "calm": World({}),
    "rough": World(ROUGH),
    "dying": World({**ROUGH, "crashes_per_day": "60"}),
    "replaced": World({**ROUGH, "pauses_per_day": "60", "pause_seconds_max": "120"}),
    "throttled": World({"throttled": "0.5", "answer_lost": "0.1"}),
    "slow": World({**ROUGH, "store_seconds_max": "2.5"}, customers=200, retailer="seven", items=6),
    "narrow": World(ROUGH, change="narrow"),
    "seven": World({**ROUGH, "edits_per_day": "0"}, items=10, customers=60, retailer="seven"),
    "divided": World(LINKS_DOWN, items=2, customers=150, change=DIVIDED, first=1),
    "all divided": World(LINKS_DOWN, items=2, customers=150, change=ALL_DIVIDED, first=1),
    "edited": World({**ROUGH, "order_edits_per_day": "40"}, customers=100),
    "careful": World(ROUGH, change="careful"),
    "daily": World({**ROUGH, "delivery_lost": "0.8"}, customers=200, change="daily"),
    "returning": World(ROUGH, customers=120),
    "changing": World(ROUGH, assortment=24.0),
    "relisting": World({**ROUGH, "edits_per_day": "0"}, customers=100, assortment=60.0),
    "drifting": World({**ROUGH, "edits_per_day": "0", **DRIFTS}, customers=40, retailer="seven", assortment=60.0),
    "drifting orders": World({**ROUGH, "edits_per_day": "0", **DRIFTS}, customers=150, retailer="seven", first=4),
    "supplied": World({**ROUGH, "edits_per_day": "0"}, items=12, customers=300, days=2),
    "paid later": World(ROUGH, customers=120, pays_later=0.6),
    "paid later seven": World({**ROUGH, "edits_per_day": "0"}, customers=120, retailer="seven", pays_later=0.9),
    "complaining": World(ROUGH, customers=120, complaints=60.0),
    "changing seven": World({**ROUGH, "edits_per_day": "0"}, customers=100, retailer="seven", assortment=24.0),
}


def config_of(world: World) -> Config:
    """The configuration of this world."""
    quota = {DIVIDED: QUOTA, ALL_DIVIDED: QUOTA.replace("erp: 1", "erp: 0")}.get(world.change)
    config = two_webshops(quota) if quota else generated(world.retailer)
    channels = {name: about.model_copy(update={"streams": _slower(about.streams)}) for name, about in config.channels.items()}
    config = config.model_copy(update={"channels": channels})
    if world.change == "careful":
        rules = (AllocationRule(channels=("webshop",), safety_stock=2),)
        floored = {n: rule.model_copy(update={"floor": FLOOR}) for n, rule in config.pricing.channels.items() if n != "till"}
        # The floor lies far above what cheap things cost: a rise to it is no mistake here that a person must look at.
        guards = config.pricing.guards.model_copy(update={"price_rise_percent": 2_000})
        pricing = {"channels": {**config.pricing.channels, **floored}, "guards": guards}
        return config.model_copy(
            update={
                "allocation": config.allocation.model_copy(update={"rules": rules}),
                "pricing": config.pricing.model_copy(update=pricing),
            }
        )
    if world.change == "daily":
        about = channels["erp"].orders.model_copy(update={"books": {"till": "daily"}, "day_ends": DAY_ENDS})
        return config.model_copy(update={"channels": {**channels, "erp": channels["erp"].model_copy(update={"orders": about})}})
    if world.change == "narrow":
        share = {"pace_share": NARROW}
        return config.model_copy(update={"channels": {n: each.model_copy(update=share) for n, each in channels.items()}})
    return config


def two_webshops(allocation: str) -> Config:
    """The small retailer with a second webshop that sells the same stock."""
    folder = shipped_config() / "small"
    texts, name = texts_of(folder), "webshop2"
    about = texts["channels/webshop.yaml"].replace("\nchannel: webshop\n", f"\nchannel: {name}\n")
    texts[f"channels/{name}.yaml"] = about.replace("https://webshop.", f"https://{name}.")
    for file, indent in (("pricing.yaml", 2), ("locations.yaml", 4)):
        texts[file] = re.sub(rf"(?m)^({' ' * indent}webshop)(: .*)$", rf"\1\2\n{' ' * indent}{name}\2", texts[file])
    for file in ("channels/till.yaml", "channels/erp.yaml"):
        texts[file] = re.sub(r"(export_from: \[)", rf"\g<1>{name}, ", texts[file])
    return load_text({**texts, "allocation.yaml": allocation}, str(folder))


def _slower(streams: dict[str, StreamRhythm]) -> dict[str, StreamRhythm]:
    """Polls a third as often, sweeps half as often: a day is quicker, and what was missed is missed for longer."""
    return {
        name: each.model_copy(update={"poll_seconds": each.poll_seconds * 3, "sweep_seconds": each.sweep_seconds * 2})
        for name, each in streams.items()
    }


def _add_up(simulation: Simulation) -> None:
    """What webshops show together of what is divided is never more than there is for them."""
    while True:
        simulation.scheduler.sleep(ADDED_SECONDS)
        for good in simulation.truth.goods:
            _added(simulation, good.sku)


def _add_up_rises(simulation: Simulation) -> None:
    """The same whenever a write raised what a webshop shows: what a shop puts back by itself is not the hub's doing."""
    passed = simulation.exposure.request

    def request(channel: str, platform: Any, asked: Request, send: Callable[[], Response]) -> Response:
        before = platform.shown()
        try:
            return passed(channel, platform, asked, send)
        finally:
            if platform.is_write(asked):
                for sku, each in platform.shown().items():
                    if sum(each["stock"].values()) > sum(before.get(sku, each)["stock"].values()):
                        _added(simulation, sku)

    simulation.exposure.request = request  # type: ignore[method-assign]


def _added(simulation: Simulation, sku: str) -> None:
    shops = simulation.retailer.webshops
    shown = [simulation.retailer.platforms[name].shown() for name in shops]
    together = sum(sum(each[sku]["stock"].values()) for each in shown if sku in each)
    free = simulation.all_knowing.would_show(shops[0], sku)
    if together > free:
        simulation.findings.found(ONCE, f"webshops show {together} of {sku}, there are {free}")


def simulate(name: str, seed: int) -> dict[str, Any]:
    """What came of it: broken promises with words, in the order in which they were found."""
    configure(now=lambda: 0, as_json=False, level="critical")
    world = WORLDS[name]
    # Where the last pieces are looked at nothing comes in.
    supplied = world.change not in (DIVIDED, ALL_DIVIDED)
    first = world.first + seed
    wanted = Wanted(
        first,
        world.days,
        world.items,
        world.customers,
        assortment_per_day=world.assortment,
        pays_later=world.pays_later,
        complaints_per_day=world.complaints,
        supplied=supplied,
    )
    began, broken = time.process_time(), list[list[str]]()
    simulation = Simulation(config_of(world), wanted, Faults.model_validate(world.faults))
    if world.change == ALL_DIVIDED:
        # Nobody telephones, so nothing is kept back in which a piece too many could hide.
        Customers._phones = lambda self: None  # type: ignore[method-assign]
        _add_up_rises(simulation)
    if world.change == DIVIDED:
        simulation.scheduler.start("divider", lambda: _add_up(simulation))
    try:
        result = simulation.run()
    except Exception as bad:
        words = traceback.format_exception_only(bad)[-1].strip()
        frame = traceback.extract_tb(bad.__traceback__)[-1]
        broken += [[STOPPED, f"{words} in {frame.filename.rpartition('/')[2]}:{frame.lineno}"]]
        hours = 0.0
    else:
        broken += [[each.promise, each.words] for each in result.violations]
        if world.change in (DIVIDED, ALL_DIVIDED) and (pieces := result.account.blamed(OURS)):
            broken.append([ONCE, f"{pieces} pieces were sold twice by the hub's fault"])
        hours = result.virtual_seconds / 3600
    return {"broken": broken[:12], "hours": round(hours, 1), "seconds": round(time.process_time() - began, 1)}
