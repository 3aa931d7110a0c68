"""One simulated stretch of days: a retailer, its people, the hub and all that goes wrong, on one thread, one clock, one seed.

Days with faults; then nothing goes wrong any more, what was bought is handed out, all must agree within a bound; then silence.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from hub.paths import from_config
from hub.sdk.transport import HttpTransport
from hub.sdk.wire import Request, Transport
from hub.settings.model import ChannelSettings, Config
from hub.simulate.all_knowing import Account, AllKnowing
from hub.simulate.assortment import Assortment
from hub.simulate.checkers import Findings, StepJudge, Violation
from hub.simulate.complaints import Complaints
from hub.simulate.crew import HubCrew
from hub.simulate.day_books import closed_by
from hub.simulate.demand import Customers
from hub.simulate.disagreement import LOOK_SECONDS, Disagreement
from hub.simulate.drifting import Drifts
from hub.simulate.exposure import Exposed, Exposure
from hub.simulate.faults import Faults, Mischief
from hub.simulate.late_payers import LatePayers
from hub.simulate.line import Line
from hub.simulate.mail import Mail
from hub.simulate.retailer import HOOKS, open_shop
from hub.simulate.rivals import Rivals
from hub.simulate.scheduler import START, Scheduler, VirtualClock
from hub.simulate.silence import Silence
from hub.simulate.small_pages import SmallPages
from hub.simulate.spells import Spells
from hub.simulate.staff import Staff
from hub.simulate.supply import Supply
from hub.simulate.trouble import Trouble
from hub.simulate.verdicts import not_at_rest, wrong_books, wrong_numbers, wrong_origins
from hub.simulate.watch import Watch
from hub.simulate.weather import Weather
from hub.store import ledger
from hub.store.ledger import Entry

DAY_MICROS: Final = 86_400_000_000
HOUR_MICROS: Final = 3_600_000_000
SETTLE_HOURS_MAX: Final = 12
"""Within so many hours after the last delivery has arrived, the last order has left and the last day is booked, everything
agrees."""
WIND_DOWN_HOURS_MAX: Final = 72
SILENCE_MICROS: Final = 2 * 3_600_000_000
LOOK_MICROS: Final = 600_000_000
TELLS_MAX: Final = 200
LEDGER_LINES_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to simulate."""

    seed: int = 0
    days: int = 1
    items: int = 20
    orders_per_day: int = 120
    """How many customers come in a day, about."""
    hours: int = 0
    """So many more than whole days."""
    start: int = START
    """When it begins (microseconds UTC)."""
    assortment_per_day: float = 6
    """How often in a day something new is taken in or something is given up, about."""
    pays_later: float = 0.15
    """The share of the orders to be sent that wait for their money at first, where a webshop has such; some for good."""
    complaints_per_day: float = 4
    """How often in a day a webshop gives some money back for what has left, about."""
    supplied: bool = True
    """Whether goods come in where few are left, and go on to the stores."""
    through_httpx: bool = False
    """Whether requests pass through the HTTP client of production too, all but the network; it changes nothing but the time."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    seed: int
    violations: list[Violation]
    ledger_hash: str
    steps: int
    virtual_seconds: float
    settled_seconds: float
    """How long after the last order had left everything agreed."""
    sold: int
    oversold: int
    calls: dict[tuple[str, str], int]
    faults: dict[str, int]
    starts: int
    disagreed: dict[str, tuple[float, float, float]]
    """Channel → seconds that disagreements lasted: half, 99 of 100, the longest."""
    worst: str
    last_lines: list[str]
    """The last thirty lines of the ledger."""
    tells: list[str]
    account: Account = field(default_factory=Account)
    """Whose fault it was that pieces were sold twice, and what was not sold though it was there."""
    exposure: dict[str, Exposed] = field(default_factory=dict)
    """Channel → what its stock writes exposed it to."""


class Simulation:
    """Everything wired; `run` lets it happen once."""

    def __init__(self, config: Config, wanted: Wanted, faults: Faults) -> None:
        self._wanted = wanted
        seed = wanted.seed
        self.scheduler = Scheduler(seed, lingers=float(faults.store_seconds_max), now=wanted.start)
        self.clock = VirtualClock(self.scheduler)
        self.mischief = Mischief(faults, seed)
        clock_of = self.mischief.clock_of(self.clock)
        self.retailer, self.truth = open_shop(config, self.clock, seed, wanted.items, clock_of)
        self.findings = Findings(self.scheduler)
        self._ways = Random(f"ways {seed}")
        self._lines: dict[str, Line] = {}
        self.watch = Watch(self.retailer, self.truth, lambda: self.crew, self.findings)
        self.tells: deque[str] = deque(maxlen=TELLS_MAX)
        self.all_knowing = AllKnowing(self.retailer, self.truth)
        self.exposure = Exposure(self.retailer, self.truth, self.findings, lambda: self.crew)
        self.drifts = Drifts(self.mischief.came)
        folders = [from_config(config.folder, each) for each in config.hub.connectors]
        registry = SmallPages(folders, faults.page_size_max, self.drifts)
        self.crew = HubCrew(config, self.scheduler, self.clock, self._line, registry, self.retailer.secrets)
        self.judge = StepJudge(self.retailer, self.truth, self.crew, self.findings)
        self.rivals = Rivals(self.crew, self.scheduler, self.mischief, self.findings, self._restarted, self.tell)
        self.watch.not_of(lambda: self.rivals.speaks)
        self.watch.hang_up(self.crew)
        self.disagreement = Disagreement()

    def _line(self, settings: ChannelSettings) -> Transport:
        channel = settings.channel
        if channel not in self._lines:
            platform = self.retailer.platforms[channel]
            self._lines[channel] = Line(
                channel,
                self.exposure.at(channel, platform),
                self.scheduler,
                self._ways,
                self.mischief.mishap,
                self._leaving,
                self._arrived,
                Weather(platform, Random(f"weather of {channel} {self._wanted.seed}"), self.mischief.came),
            )
        heard = self.watch.over(channel, self._lines[channel], self.retailer.platforms[channel].is_write)
        return HttpTransport(self.clock, below=heard) if self._wanted.through_httpx else heard

    def tell(self, words: str) -> None:
        """Note what somebody does."""
        self.tells.append(f"{(self.scheduler.now - self.scheduler.began) / 3_600_000_000:8.3f} h  {words}")

    # the course of it

    def run(self, progress: Callable[[float], None] = lambda _: None) -> Result:
        """Let it happen; `progress` hears the share of the days that is over."""
        self.crew.start()
        self.mail = Mail(self.retailer.platforms, HOOKS, self.crew, self.scheduler, self.mischief)
        wanted = self._wanted
        late = LatePayers(self.retailer, self.truth, self.scheduler, wanted.seed, wanted.pays_later, self.tell)
        self.customers = Customers(self.retailer, self.truth, self.scheduler, wanted.seed, wanted.orders_per_day, late, self.tell)
        self.complaints = Complaints(self.retailer, self.truth, self.scheduler, wanted.seed, wanted.complaints_per_day, self.tell)
        self.staff = Staff(self.retailer, self.truth, self.scheduler, wanted.seed, self.tell)
        self.assortment = Assortment(self.retailer, self.truth, self.scheduler, wanted.seed, wanted.assortment_per_day, self.tell)
        self.supply = Supply(self.retailer, self.truth, self.scheduler, wanted.seed, self.tell) if wanted.supplied else None
        self.scheduler.start("onlooker", self._look_on)
        self.trouble = Trouble(
            self.retailer, self.truth, self.crew, self._lines, self.scheduler, self.mischief, self._restarted, self.tell
        )
        self.spells = Spells(
            self.retailer,
            self.truth,
            self.crew,
            self._lines,
            self.drifts,
            self.scheduler,
            self.mischief,
            self.tell,
            self.watch.drifted,
        )
        end = self.scheduler.began + wanted.days * DAY_MICROS + wanted.hours * HOUR_MICROS
        while self.scheduler.now < end and not self.findings.violations:
            self._go(min(end, self.scheduler.now + 3_600_000_000))
            progress((self.scheduler.now - self.scheduler.began) / (end - self.scheduler.began))
        settled = self._settle() if not self.findings.violations else 0.0
        return self._result(settled)

    def _leaving(self, channel: str, request: Request, writes: bool) -> None:
        if self.rivals.speaks:
            connector = self.retailer.config.channels[channel].connector
            deadline = self.retailer.registry.manifest(connector).limits.deadline_seconds
            self.rivals.leaves(channel, writes, float(deadline))
        else:
            self.judge.leaving(channel, request, writes)

    def _arrived(self, channel: str, request: Request, writes: bool, status: int) -> None:
        self.judge.arrived(channel, request, writes, status)
        self.watch.arrived(channel, writes)

    def _restarted(self) -> None:
        self.judge.pace.restarted()
        self.watch.restarted()

    def _go(self, until: int) -> None:
        self.scheduler.run(until, self.mail.collect)

    def _settle(self) -> float:
        """Nothing goes wrong any more: wait until all agree, at most as long as is promised; then until nothing stirs."""
        self.trouble.end()
        self.rivals.end()
        self.spells.end()
        self.customers.close()
        self.complaints.finish()
        self.staff.finish()
        if self.supply is not None:
            self.supply.finish()
        self.assortment.finish()
        began, out_at = self.scheduler.now, 0
        while not out_at and self.scheduler.now - began < WIND_DOWN_HOURS_MAX * 3_600_000_000:
            self._go(self.scheduler.now + LOOK_MICROS)
            out_at = self.scheduler.now if not self.staff.left() and self.mail.idle and self.crew.alive else 0
        for sale in self.staff.left():
            self.findings.found("handed out", f"{sale.number or sale.their} of {sale.lines} never reached who hands it out")
        settled_at, settles_by = 0, closed_by(self.retailer, out_at) + SETTLE_HOURS_MAX * HOUR_MICROS
        while not settled_at and self.scheduler.now < settles_by and out_at:
            settled_at = self.scheduler.now if not self._wrong() else 0
            self._go(self.scheduler.now + LOOK_MICROS)
        for promise, words in self._wrong():
            self.findings.found(promise, words)
        self._be_silent()
        self.judge.look_for_persons()
        self.watch.at_rest()
        if self.crew.refused != self.mail.forgeries:
            words = f"{self.mail.forgeries} forged deliveries came, {self.crew.refused} were refused"
            self.findings.found("forgeries", words)
        return (settled_at - out_at) / 1_000_000

    def _be_silent(self) -> None:
        silence = Silence(self.retailer, self.crew, self.judge.calls)
        with self.scheduler.alone():
            silence.begin(self.scheduler.now)
        self._go(self.scheduler.now + SILENCE_MICROS)
        with self.scheduler.alone():
            for words in silence.broken(self.scheduler.now, len(self.truth.goods) + len(self.truth.sales)):
                self.findings.found("silence", words)
            for words in silence.overdue(self.scheduler.now):
                self.findings.found("read on schedule", words)

    def _wrong(self) -> list[tuple[str, str]]:
        with self.scheduler.alone():
            found = [
                ("shown is true", f"{channel} {sku} {words}") for channel, sku, words in wrong_numbers(self.retailer, self.truth)
            ]
            found += [("each sale once", words) for words in wrong_books(self.retailer, self.truth)]
            found += [("told where bought", words) for words in wrong_origins(self.retailer, self.truth)]
            found += [("at rest", words) for words in not_at_rest(self.crew, self.truth)]
        return found

    def _look_on(self) -> None:
        while True:
            self.scheduler.sleep(LOOK_SECONDS)
            self.judge.look()
            self.watch.look()
            self.disagreement.look(self.retailer, self.truth, self.scheduler.now)

    # what came of it

    def _result(self, settled: float) -> Result:
        with self.scheduler.alone():
            kept = self.crew.store.read(lambda tx: ledger.after(tx, 0, LEDGER_LINES_MAX))
        lines = [_words(line, self.scheduler.began) for line in kept]
        disagreed = {
            name: (self.disagreement.share(name, 50), self.disagreement.share(name, 99), self.disagreement.share(name, 100))
            for name in self.retailer.platforms
        }
        return Result(
            self._wanted.seed,
            self.findings.violations,
            hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            self.scheduler.steps,
            (self.scheduler.now - self.scheduler.began) / 1_000_000,
            settled,
            len(self.truth.sales),
            sum(each.pieces for each in self.truth.oversold),
            dict(self.judge.calls),
            dict(sorted(self.mischief.counts.items())),
            self.crew.starts,
            disagreed,
            self.disagreement.worst[1],
            lines[-30:],
            list(self.tells),
            self.all_knowing.account,
            self.exposure.channels,
        )


def _words(line: Entry, began: int) -> str:
    return f"{line.seq} {(line.at - began) / 3_600_000_000:.4f} h {line.event} {line.key} {line.item} {line.words}"
