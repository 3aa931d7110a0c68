"""How a platform's end of a line is disposed just now: whether it turns callers away, how many it admits, and how it says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from random import Random
from typing import Final

from hub.canonical.values import moment
from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import Request, Response
from hub.simulate.replica import Replica

TOLD_SECONDS: Final = (1, 20)
"""What a platform that turns callers away tells them to wait."""

LOST_SHARE: Final = 0.5


@dataclass(slots=True)
class Quota:
    """So many requests a second, at most so many at once; counted as the platform counts them, where they arrive."""

    per_second: float
    burst: float
    at: int
    left: float = 0.0

    def __post_init__(self) -> None:
        self.left = self.burst

    def admits(self, now: int) -> bool:
        """Whether one more is let in at this time (microseconds)."""
        self.left = min(self.burst, self.left + (now - self.at) / 1_000_000 * self.per_second)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Weather:
    """What holds for one channel's platform right now; `came` hears of what goes wrong there and could not be counted before."""

    def __init__(self, platform: SandboxBase, luck: Random, came: Callable[[str], None]) -> None:
        self._luck = luck
        self.came = came
        self.faults = platform.faults
        self._now = platform.micros
        self._manners = ("nothing", "number", "date") if platform.dated_waits else ("nothing", "number")
        self.storm = False
        """Whether it turns everybody away."""
        self.quota: Quota | None = None
        """What it admits, where that is less than it says."""
        self.replica: Replica | None = None
        """A copy that follows behind, and answers some of the reads."""

    def turns_away(self, now: int) -> bool:
        """Whether a request that arrives at this moment of the world is answered with 429."""
        return self.storm or (self.quota is not None and not self.quota.admits(now))

    def shows(self, request: Request, fresh: Response, writes: bool, now: int) -> Response:
        """What a request that found this, or wrote it, is answered."""
        if self.replica is None:
            return fresh
        if writes:
            self.replica.written(now)
            return fresh
        shown = self.replica.answer(request, fresh, now)
        if shown.body != fresh.body:
            self.came("stale_reads")
        return shown

    def loses_answer(self) -> bool:
        """Whether what was torn is not answered at all."""
        return self._luck.random() < LOST_SHARE

    def one_of(self, most: int) -> int:
        """A number from 1 to this many."""
        return self._luck.randint(1, most)

    def retry_after(self) -> str | None:
        """What a 429 says of waiting: nothing, a number of seconds, or a date by the platform's own clock."""
        manner, seconds = self._luck.choice(self._manners), self._luck.choice(TOLD_SECONDS)
        if manner == "date":
            return format_datetime(moment(self._now() + seconds * 1_000_000), usegmt=True)
        return str(seconds) if manner == "number" else None
