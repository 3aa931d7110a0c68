"""What goes wrong by the clock: the hub dies and starts anew, channels are down for a while, people type into what is not theirs.

What goes wrong with a single request or delivery is drawn where it passes: on the line and in the mail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from hub.simulate.clerks import Clerks
from hub.simulate.crew import HUB, HubCrew
from hub.simulate.faults import Mischief
from hub.simulate.line import BEFORE_WRITE, READ, WRITTEN, Line
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler, Task
from hub.simulate.truth import DELETED, Truth

RESTART_SECONDS: Final = (5.0, 180.0)
SEAMS_TO_DEATH_MAX: Final = 12
EDITED_MORE: Final = (1, 9)
CRASH_SEAMS: Final = ("before transaction", "after transaction", READ, BEFORE_WRITE, WRITTEN)


class Trouble:
    """Starts a worker for each kind; `restarted` hears that a hub begins anew, `tell` what happens in words."""

    def __init__(
        self,
        retailer: Retailer,
        truth: Truth,
        crew: HubCrew,
        lines: Mapping[str, Line],
        scheduler: Scheduler,
        mischief: Mischief,
        restarted: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self.retailer = retailer
        self.truth = truth
        self.crew = crew
        self._lines = lines
        self.scheduler = scheduler
        self.mischief = mischief
        self._restarted = restarted
        self.tell = tell
        self._death: tuple[str, int] = ("", 0)
        """At which kind of seam the hub dies next, and at which of them; none for ""."""
        self._edited: set[tuple[str, str]] = set()
        scheduler.crashing, scheduler.died = self._dies, self._died
        self.clerks = Clerks(retailer, truth, scheduler, mischief, tell)
        for work in (self._outages, self._edits, self._crashes):
            scheduler.start(work.__name__, work)

    def end(self) -> None:
        """From now on nothing goes wrong any more, and what is wrong is put right."""
        self.mischief.stop()
        self._death = ("", 0)
        for line in self._lines.values():
            line.down = False

    def _crashes(self) -> None:
        luck = self.mischief.luck("crashes_per_day")
        while (seconds := self.mischief.seconds_to_next("crashes_per_day")) is not None:
            self.scheduler.sleep(seconds)
            if self.mischief.on and self.crew.alive:
                self._death = luck.choice(CRASH_SEAMS), luck.randint(1, SEAMS_TO_DEATH_MAX)

    def _dies(self, task: Task, where: str) -> bool:
        named, left = self._death
        if where != named or task.crew != HUB:
            return False
        self._death = (named, left - 1) if left > 1 else ("", 0)
        return left <= 1

    def _died(self, crew: str) -> None:
        if crew != HUB:
            return
        self.mischief.came("crashes_per_day")
        self.tell("the hub dies")
        self.scheduler.start("restart", self._restart)

    def _restart(self) -> None:
        self.scheduler.sleep(self.mischief.luck("crashes_per_day").uniform(*RESTART_SECONDS))
        self._restarted()
        self.tell("the hub starts again")
        self.crew.start()

    def _outages(self) -> None:
        luck = self.mischief.luck("outages_per_day")
        while (seconds := self.mischief.seconds_to_next("outages_per_day")) is not None:
            self.scheduler.sleep(seconds)
            channel = luck.choice(sorted(self.retailer.platforms))
            minutes = luck.uniform(2, self.mischief.faults.outage_minutes_max)
            if self.mischief.on and channel in self._lines:
                self.mischief.came("outages_per_day")
                self.tell(f"the {channel} is down for {minutes:.0f} minutes")
                self._lines[channel].down = True
                self.scheduler.sleep(minutes * 60)
                self._lines[channel].down = False

    def _edits(self) -> None:
        """A person types into a channel that is not right about it; into each thing once: more would stop the hub's repairs."""
        luck = self.mischief.luck("edits_per_day")
        books, tills = self.retailer.books, self.retailer.tills
        while (seconds := self.mischief.seconds_to_next("edits_per_day")) is not None:
            self.scheduler.sleep(seconds)
            channel, good = luck.choice(sorted(self.retailer.platforms)), luck.choice(self.truth.goods)
            if not self.mischief.on or channel == books or (channel, good.sku) in self._edited:
                continue
            hand = self.retailer.platforms[channel]
            if hand.shown().get(good.sku, {}).get("state", DELETED) == DELETED:
                continue
            self._edited.add((channel, good.sku))
            self.mischief.came("edits_per_day")
            if channel in tills or luck.random() < 0.5:
                wrong = self.truth.asked_price(good.sku) + Decimal(luck.randint(*EDITED_MORE))
                hand.set_price(good.sku, wrong)
                self.tell(f"somebody types a price of {wrong} for {good.sku} into the {channel}")
            else:
                before = sum(hand.shown()[good.sku]["stock"].values())
                pieces = before + luck.randint(*EDITED_MORE)
                hand.count(good.sku, pieces)
                self.truth.typed[channel, good.sku] = int(sum(hand.shown()[good.sku]["stock"].values()) - before)
                self.tell(f"somebody types {pieces} of {good.sku} into the {channel}")
