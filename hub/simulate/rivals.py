"""Two workers: one is paused at whatever it does, is taken for dead, another one takes the store over; then the first wakes up.

From then on the first stores nothing, as its transactions are refused, and what it writes to a platform has left it before the
other one looks up what became of it. It ends once it looks whether it is still alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.push.dispatch import SETTLE_MARGIN_SECONDS
from hub.simulate.checkers import Findings
from hub.simulate.crew import HUB, HubCrew
from hub.simulate.faults import Mischief
from hub.simulate.line import BEFORE_WRITE, READ, WRITTEN
from hub.simulate.scheduler import Scheduler, Task
from hub.worker import ALONE_EVERY_SECONDS

KIND: Final = "pauses_per_day"
FORMER: Final = "former"
TAKEN_SECONDS: Final = (5.0, 60.0)
"""How long it takes until the server gives the lock of a worker that does not stir to another."""
SEAMS_TO_PAUSE_MAX: Final = 12
SEAMS: Final = ("before transaction", "after transaction", "after read", READ, BEFORE_WRITE, WRITTEN)


class Rivals:
    """Pauses workers; `restarted` hears that another one begins, `tell` what happens in words."""

    def __init__(
        self,
        crew: HubCrew,
        scheduler: Scheduler,
        mischief: Mischief,
        findings: Findings,
        restarted: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self._crew = crew
        self._scheduler = scheduler
        self._mischief = mischief
        self._findings = findings
        self._restarted = restarted
        self._tell = tell
        self._next: tuple[str, int] = ("", 0)
        """At which kind of seam the hub is paused next, and at which of them; none for ""."""
        self._taken_at = 0
        self._held = False
        self._former = crew.seat
        scheduler.pausing = self._pauses
        scheduler.start("pauses", self._come)

    @property
    def speaks(self) -> bool:
        """Whether it is the former worker that is at work just now."""
        return self._scheduler.crew == FORMER

    def leaves(self, channel: str, writes: bool, deadline_seconds: float) -> None:
        """A request leaves: from a worker that was replaced none does once the other one may have looked."""
        late = self._scheduler.now - self._taken_at - round((deadline_seconds + SETTLE_MARGIN_SECONDS) * 1_000_000)
        if self.speaks and self._taken_at and writes and late > 0:
            words = f"{channel} is written to by a worker {late / 1_000_000:.0f} s after another one could look that up"
            self._findings.found("one worker", words)

    def end(self) -> None:
        """From now on nobody is paused, and who is wakes up and ends."""
        self._next = ("", 0)
        if self._held:
            self._held = False
            self._scheduler.let_go(FORMER)
            self._scheduler.kill(FORMER)

    def _come(self) -> None:
        luck = self._mischief.luck(KIND)
        while (seconds := self._mischief.seconds_to_next(KIND)) is not None:
            self._scheduler.sleep(seconds)
            if self._mischief.on and self._crew.alive and not self._held:
                self._next = luck.choice(SEAMS), luck.randint(1, SEAMS_TO_PAUSE_MAX)

    def _pauses(self, task: Task, where: str) -> bool:
        named, left = self._next
        if where != named or task.crew != HUB or self._held:
            return False
        self._next = (named, left - 1) if left > 1 else ("", 0)
        if left > 1:
            return False
        self._held, self._taken_at, self._former = True, 0, self._crew.seat
        self._scheduler.hold(HUB, FORMER)
        self._scheduler.start("rival", self._take_over)
        self._mischief.came(KIND)
        self._tell(f"the hub is paused {where}")
        return True

    def _take_over(self) -> None:
        luck = self._mischief.luck(KIND)
        self._scheduler.sleep(luck.uniform(*TAKEN_SECONDS))
        self._restarted()
        self._taken_at = self._scheduler.now
        self._tell("another worker takes over")
        self._crew.start()
        self._scheduler.sleep(luck.random() * self._mischief.faults.pause_seconds_max)
        if self._held:
            self._restarted()
            self._tell("the first one wakes up")
            self._scheduler.let_go(FORMER)
            self._scheduler.sleep(ALONE_EVERY_SECONDS)
            if self._held and not self._former.still_alone():
                self._held = False
                self._scheduler.doom(FORMER)
                self._scheduler.sleep(0)
