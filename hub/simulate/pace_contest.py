"""A campaign hour in front of a channel that may be asked very seldom, run twice with the same code, seed, customers and budget:
once what would cost most goes first, once first in, first out. Scenario and weights stand in `config/simulation/pace`.

What is judged is judged from what lies on the shelves, what customers want, and what the channel shows: nobody asks the hub.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from hub.files import read_yaml, validate
from hub.paths import shipped_config
from hub.sdk.manifest import Manifest
from hub.sdk.registry import Registry
from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import Request, Response
from hub.settings.model import ChannelSettings
from hub.simulate.crew import HubCrew
from hub.simulate.demand import person
from hub.simulate.faults import Faults, Mischief
from hub.simulate.mail import Mail
from hub.simulate.pace_judge import Judge, Shelves, Wants, Weights
from hub.simulate.retailer import HOOKS, all_live, open_shop
from hub.simulate.scheduler import START, Scheduler, VirtualClock

FOLDER: Final = "simulation/pace"
BY_DAMAGE, IN_ORDER, UNHURRIED = "what costs most first", "first in, first out", "with pace to spare"
"""The third is no contestant: what it leaves at risk is news on its way to the hub, which no order of telling can change."""
TILL, BOOKS, WEBSHOP, SHOP, WAREHOUSE = "till", "erp", "webshop", "aarhus", "warehouse"
MINUTE: Final = 60_000_000
BATCH_MAX: Final = 100
WAY_SECONDS: Final = (0.01, 0.08)
Pair = Annotated[list[int], Field(min_length=2, max_length=2)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stretch(_Part):
    """So many minutes with so many customers an hour."""

    name: str
    minutes: int = Field(ge=1)
    customers_per_hour: int = Field(ge=1)


class Shelf(_Part):
    """Pieces of each thing at the start, from and to."""

    shop: Pair
    warehouse: Pair


class Hot(_Part):
    """So many things are wanted so many times as much while the campaign lasts."""

    goods: int = Field(ge=0)
    wanted_times: int = Field(ge=1)


class Repriced(_Part):
    """So many prices change by so many per cent."""

    things: int = Field(ge=0)
    within_minutes: int = Field(ge=1)
    percent: Pair


class Restocked(_Part):
    """So many deliveries of so many pieces are unpacked."""

    things: int = Field(ge=0)
    within_minutes: int = Field(ge=1)
    pieces: Pair


class Scenario(_Part):
    """The whole of `campaign.yaml`, where each line is explained."""

    channel: str
    changes_per_call: int = Field(ge=1)
    items: int = Field(ge=1)
    shelf: Shelf
    hours: list[Stretch]
    campaign: Hot
    channels: dict[str, int]
    pieces: list[int]
    prices_changed: Repriced
    restocked: Restocked
    judge: Weights
    seeds: list[int]
    goal_times: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one run; `at_risk` is kroner at risk per hour added up over time, by cause."""

    order: str
    at_risk: dict[str, float]
    oversold: int
    """Pieces sold on the channel that nobody had."""
    oversold_elsewhere: int
    not_sold: int
    """Pieces that customers wanted there, that were free, and that it did not show."""
    wrong_hours: float
    """How long numbers were wrong, unweighted, added up over all things."""
    longest_minutes: float
    calls: int

    @property
    def staleness(self) -> float:
        """All that was at risk."""
        return sum(self.at_risk.values())


@dataclass(frozen=True, slots=True)
class Compared:
    """Both runs of a seed."""

    seed: int
    by_damage: Ran
    in_order: Ran
    unhurried: Ran

    @property
    def times(self) -> float:
        """How many times less was at risk where what costs most went first."""
        return times([self])

    @property
    def times_beyond(self) -> float:
        """The same, of what was at risk beyond what is at risk with pace to spare."""
        return times_beyond([self])


def times(found: Sequence[Compared]) -> float:
    """How many times less was at risk where what costs most went first, over all of these."""
    return sum(each.in_order.staleness for each in found) / max(sum(each.by_damage.staleness for each in found), 0.01)


def times_beyond(found: Sequence[Compared]) -> float:
    """How many times less was at risk beyond what is at risk with pace to spare, over all of these."""
    rest = sum(each.unhurried.staleness for each in found)
    more = sum(each.in_order.staleness for each in found) - rest
    return more / max(sum(each.by_damage.staleness for each in found) - rest, 0.01)


@dataclass(slots=True)
class _Plan:
    """What people will do, drawn before anything begins: (when, what) each."""

    customers: list[tuple[int, str, str, int]] = field(default_factory=list)
    """When, where, of what, how many pieces."""
    office: list[tuple[int, str, str, Decimal]] = field(default_factory=list)
    """When, price or delivery, of what, the factor or the pieces."""
    wants: Wants = field(default_factory=Wants)
    begins: int = 0
    """When the campaign does."""
    ends: int = 0


class FewChanges(Registry):
    """Connectors as they are, but with so few changes in one call."""

    def __init__(self, changes_per_call: int) -> None:
        super().__init__()
        self._most = changes_per_call

    def manifest(self, name: str) -> Manifest:
        """The connector's manifest with smaller batches."""
        told, most = super().manifest(name), self._most
        few = {aspect: send.model_copy(update={"batch_max": min(send.batch_max, most)}) for aspect, send in told.sends.items()}
        return told.model_copy(update={"sends": few})


class _Wire:
    """The transport of one channel: nothing goes wrong on it; `counts` has how many requests it carried."""

    def __init__(self, channel: str, platform: SandboxBase, scheduler: Scheduler, luck: Random, counts: Counter[str]) -> None:
        self._channel, self._platform, self._scheduler, self._luck, self._counts = channel, platform, scheduler, luck, counts

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        self._scheduler.sleep(self._luck.uniform(*WAY_SECONDS))
        self._counts[self._channel] += 1
        answer = self._platform.send(request, deadline_seconds, answer_bytes_max)
        self._scheduler.sleep(self._luck.uniform(*WAY_SECONDS))
        return answer

    def close(self) -> None:
        """Nothing is kept open."""


def scenario() -> Scenario:
    """The one in the repository."""
    return validate(read_yaml(folder() / "campaign.yaml"), Scenario)


def folder() -> Path:
    """Where it stands, with the shop it takes place in."""
    return shipped_config() / FOLDER


def compare(told: Scenario, seed: int) -> Compared:
    """Run the campaign for both, and once with pace to spare."""
    by_damage, in_order, unhurried = (Run(told, seed, order).run() for order in (BY_DAMAGE, IN_ORDER, UNHURRIED))
    return Compared(seed, by_damage, in_order, unhurried)


class Run:
    """One campaign, wired; `run` lets it happen once."""

    def __init__(self, told: Scenario, seed: int, order: str) -> None:
        self._told = told
        self._order = order
        self._scheduler = Scheduler(seed)
        clock = VirtualClock(self._scheduler)
        config = all_live(folder() / "shop")
        if order == UNHURRIED:
            spared = config.channels[told.channel].model_copy(update={"pace_share": Decimal(1)})
            config = config.model_copy(update={"channels": {**config.channels, told.channel: spared}})
        retailer, truth = open_shop(config, clock, seed, told.items)
        self._retailer = replace(retailer, registry=FewChanges(BATCH_MAX if order == UNHURRIED else told.changes_per_call))
        self._price = dict(truth.price)
        self._weights = {good.sku: good.weight for good in truth.goods}
        self._shelves = Shelves(self._price)
        self._plan = _planned(told, seed, self._weights)
        self._fill(Random(f"shelves {seed}"))
        self._calls: Counter[str] = Counter()
        self._wires = {
            name: _Wire(name, platform, self._scheduler, Random(f"way to {name} {seed}"), self._calls)
            for name, platform in self._retailer.platforms.items()
        }
        self._crew = HubCrew(config, self._scheduler, clock, self._wire, self._retailer.registry, self._retailer.secrets)
        self._mischief = Mischief(Faults(), seed)
        self._judge = Judge(told.judge, self._shelves, self._plan.wants)
        self._not_sold = 0
        self._persons = 0

    def _wire(self, settings: ChannelSettings) -> _Wire:
        return self._wires[settings.channel]

    def _hand(self, channel: str) -> Any:
        return self._retailer.platforms[channel]

    def _fill(self, luck: Random) -> None:
        """Everything lies where it lies, and every channel shows it: the morning begins in agreement."""
        lots = ((SHOP, TILL, self._told.shelf.shop), (WAREHOUSE, BOOKS, self._told.shelf.warehouse))
        for sku in self._price:
            for where, channel, (low, high) in lots:
                self._shelves.there[where, sku] = luck.randint(low, high)
                self._hand(channel).count(sku, self._shelves.there[where, sku], self._retailer.place(where, channel))
            self._hand(TILL).set_price(sku, self._shelves.asked(sku))
            for channel in (WEBSHOP, self._told.channel):
                self._hand(channel).count(sku, self._shelves.free(sku))
                self._hand(channel).set_price(sku, self._shelves.asked(sku))

    def run(self) -> Ran:
        """Let it happen."""
        self._crew.start()
        if self._order == IN_ORDER:
            self._crew.hub.walk.differences.urgency = lambda at, _: at
        mail = Mail(self._retailer.platforms, HOOKS, self._crew, self._scheduler, self._mischief)
        for work in (self._come, self._work, self._look):
            self._scheduler.start(work.__name__, work)
        self._scheduler.run(self._plan.begins, mail.collect)
        before = self._calls[self._told.channel]
        self._scheduler.run(self._plan.ends, mail.collect)
        judge, sold = self._judge, self._shelves.oversold
        return Ran(
            self._order,
            dict(judge.at_risk),
            sold[self._told.channel],
            sum(sold.values()) - sold[self._told.channel],
            self._not_sold,
            judge.wrong_hours,
            judge.longest_minutes,
            self._calls[self._told.channel] - before,
        )

    def _look(self) -> None:
        self._scheduler.sleep((self._plan.begins - self._scheduler.now) / 1_000_000)
        while True:
            self._judge.look(self._hand(self._told.channel).shown(), self._scheduler.now)
            self._scheduler.sleep(self._told.judge.look_seconds)

    def _come(self) -> None:
        for at, channel, sku, pieces in self._plan.customers:
            self._scheduler.sleep((at - self._scheduler.now) / 1_000_000)
            act: Callable[[str, str, int], None] = self._rings_up if channel == TILL else self._orders
            act(channel, sku, pieces)

    def _rings_up(self, channel: str, sku: str, pieces: int) -> None:
        if self._shelves.there[SHOP, sku] >= pieces:
            self._hand(channel).ring_up({sku: pieces}, place=self._retailer.place(SHOP, channel))
            self._shelves.there[SHOP, sku] -= pieces

    def _orders(self, channel: str, sku: str, pieces: int) -> None:
        hand, free = self._hand(channel), self._shelves.free(sku)
        if sum(hand.shown()[sku]["stock"].values()) < pieces:
            if channel == self._told.channel and self._plan.begins <= self._scheduler.now and free >= pieces:
                self._not_sold += pieces
            return
        self._persons += 1
        hand.order({sku: pieces}, customer=person(self._persons))
        if self._scheduler.now >= self._plan.begins:
            self._shelves.oversold[channel] += max(0, pieces - max(0, free))
        self._shelves.promised[sku] += pieces

    def _work(self) -> None:
        books = self._hand(BOOKS)
        for at, what, sku, amount in self._plan.office:
            self._scheduler.sleep((at - self._scheduler.now) / 1_000_000)
            if what == "price":
                self._price[sku] = (self._price[sku] * amount).quantize(Decimal("0.01"))
                books.set_price(sku, self._price[sku])
            else:
                books.receive(sku, int(amount), self._retailer.place(WAREHOUSE, BOOKS))
                self._shelves.there[WAREHOUSE, sku] += int(amount)


def _planned(told: Scenario, seed: int, weights: dict[str, float]) -> _Plan:
    """Everything that people will do, whatever the hub does."""
    luck, plan, at = Random(f"campaign {seed}"), _Plan(), START
    skus = list(weights)
    hot = set(luck.sample(skus, told.campaign.goods))
    for stretch in told.hours:
        rush = stretch.name == "campaign"
        shares = {sku: weights[sku] * (told.campaign.wanted_times if rush and sku in hot else 1) for sku in skus}
        end = at + stretch.minutes * MINUTE
        if rush:
            plan.begins = at
        here = told.channels[told.channel] / sum(told.channels.values()) * sum(told.pieces) / len(told.pieces)
        whole = sum(shares.values())
        plan.wants.add(end, {sku: stretch.customers_per_hour * here * share / whole for sku, share in shares.items()})
        moment = at + luck.expovariate(stretch.customers_per_hour) * 60 * MINUTE
        while moment < end:
            channel = luck.choices(list(told.channels), list(told.channels.values()))[0]
            sku = luck.choices(skus, list(shares.values()))[0]
            plan.customers.append((round(moment), channel, sku, luck.choice(told.pieces)))
            moment += luck.expovariate(stretch.customers_per_hour) * 60 * MINUTE
        at = end
    plan.ends = at
    prices, deliveries = told.prices_changed, told.restocked
    for sku in luck.sample(skus, prices.things):
        when = plan.begins + luck.randrange(prices.within_minutes * MINUTE)
        plan.office.append((when, "price", sku, Decimal(100 + luck.randint(*prices.percent)) / 100))
    for sku in luck.sample(skus, deliveries.things):
        when = plan.begins + luck.randrange(deliveries.within_minutes * MINUTE)
        plan.office.append((when, "delivery", sku, Decimal(luck.randint(*deliveries.pieces))))
    plan.office.sort()
    return plan


def contest(seeds: Sequence[int], each: Callable[[Compared], None] = lambda _: None) -> list[Compared]:
    """The contest over these seeds (those of the scenario for none); `each` hears of every one as it is over."""
    told, found = scenario(), []
    for seed in seeds or told.seeds:
        found.append(compare(told, seed))
        each(found[-1])
    return found
