"""A line to a platform in small: a request takes its way, has its effect, and its answer takes its way back.

Way and effect belong to the world: a hub that dies or gives up meanwhile does not call them back. What goes wrong on the line is
drawn by whoever runs the world; what it looks like is told as the seam to production's transport wants it told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import NoAnswerError, NotSentError, Request, Response
from hub.simulate.scheduler import Flag, Scheduler
from hub.simulate.weather import Weather

WAY_SECONDS: Final = (0.01, 0.08)
BEFORE_READ, READ, BEFORE_WRITE, WRITTEN = "before reading", "after reading", "before writing", "after writing"
"""The seams of a line: before a request leaves, and when its answer has come (or is given up)."""


class Mishap(StrEnum):
    """What goes wrong with one request."""

    NONE = ""
    REFUSED = "connection refused"
    LOST = "request lost"
    ANSWER_LOST = "answer lost after the effect"
    BROKEN = "error 500 without effect"
    TORN = "error 500 after the effect"
    THROTTLED = "too many requests"
    TORN_BATCH = "broken off in the middle"
    GARBAGE = "an answer that says nothing"
    ENDLESS = "an answer that never ends"
    SHORT = "a listing that ends early and says that this was all"


OF_WRITES: Final = {Mishap.TORN_BATCH}
OF_READS: Final = {Mishap.GARBAGE, Mishap.ENDLESS, Mishap.SHORT}
TORN_AFTER_MAX: Final = 4
"""A request that breaks off does so after one item up to this many."""


@dataclass(slots=True)
class _Call:
    """One request under way; `failure` is what the line makes of it."""

    flag: Flag = field(default_factory=Flag)
    answer: Response | None = None
    failure: Exception | None = None


class Line:
    """The transport of one channel; `draw` says what goes wrong with a request, `leaving` hears of each that goes out,
    `arrived` of each that reached the platform (with its answer) at that moment."""

    def __init__(
        self,
        channel: str,
        platform: SandboxBase,
        scheduler: Scheduler,
        random: Random,
        draw: Callable[[str, bool], Mishap],
        leaving: Callable[[str, Request, bool], None],
        arrived: Callable[[str, Request, bool, int], None],
        weather: Weather,
    ) -> None:
        self._channel = channel
        self._platform = platform
        self._scheduler = scheduler
        self._random = random
        self._draw = draw
        self._leaving = leaving
        self._arrived = arrived
        self.weather = weather
        self.down = False
        """Whether nobody answers there."""

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """The answer as the platform gives it, or one of the ways to fail of `hub.sdk.wire.Transport`."""
        writes, begun = self._platform.is_write(request), self._scheduler.now
        self._scheduler.pause(BEFORE_WRITE if writes else BEFORE_READ)
        left = deadline_seconds - (self._scheduler.now - begun) / 1_000_000
        if left <= 0:
            raise NoAnswerError("the deadline passed before it left")
        self._leaving(self._channel, request, writes)
        mishap = Mishap.REFUSED if self.down else self._draw(self._channel, writes)
        if mishap == Mishap.REFUSED:
            self._scheduler.sleep(self._way())
            raise NotSentError("no connection: nobody answers there")
        call = _Call()
        self._scheduler.start(f"request to {self._channel}", lambda: self._carry(call, request, writes, mishap, answer_bytes_max))
        came = self._scheduler.wait(call.flag, left)
        self._scheduler.pause(WRITTEN if writes else READ)
        if not came or self._scheduler.now - begun >= deadline_seconds * 1_000_000:
            # Who was paused until the time was over reads no answer any more, though it lies there.
            raise NoAnswerError("no answer within the deadline")
        if call.failure is not None:
            raise call.failure
        assert call.answer is not None
        return call.answer

    def close(self) -> None:
        """Nothing is kept open."""

    def _carry(self, call: _Call, request: Request, writes: bool, mishap: Mishap, bytes_max: int) -> None:
        self._scheduler.sleep(self._way())
        if mishap == Mishap.LOST:
            return
        if self.weather.turns_away(self._scheduler.now) or mishap == Mishap.THROTTLED:
            call.answer = self._platform.throttled(self.weather.retry_after())
        elif mishap == Mishap.BROKEN:
            call.answer = Response(500, {}, b"internal error")
        else:
            self._befall(mishap)
            try:
                call.answer = self._platform.send(request, 0.0, bytes_max)
                call.answer = self.weather.shows(request, call.answer, writes, self._scheduler.now)
            except Exception as failure:
                call.failure = failure
            if self._befell(mishap) and self.weather.loses_answer():
                self._arrived(self._channel, request, writes, 500)
                return
            if mishap == Mishap.TORN:
                call.answer, call.failure = Response(500, {}, b"internal error"), None
        self._arrived(self._channel, request, writes, call.answer.status if call.answer is not None else 0)
        if mishap != Mishap.ANSWER_LOST:
            self._scheduler.sleep(self._way())
            call.flag.set()

    def _befall(self, mishap: Mishap) -> None:
        """What goes wrong at the platform itself is asked of it."""
        faults = self.weather.faults
        if mishap == Mishap.TORN_BATCH:
            faults.tear_after = self.weather.one_of(TORN_AFTER_MAX)
        elif mishap == Mishap.GARBAGE:
            faults.garbage_next = 1
        elif mishap == Mishap.ENDLESS:
            faults.endless_next = 1
        elif mishap == Mishap.SHORT:
            faults.short_next = 1

    def _befell(self, mishap: Mishap) -> bool:
        """Count what came of it, which may be nothing; whether a request broke off in the middle."""
        faults = self.weather.faults
        torn = mishap == Mishap.TORN_BATCH and faults.tear_after == 0
        if torn or (mishap == Mishap.SHORT and faults.short_next == 0):
            self.weather.came("torn_batch" if torn else "listing_short")
        faults.tear_after = faults.garbage_next = faults.endless_next = faults.short_next = 0
        return torn

    def _way(self) -> float:
        low, high = WAY_SECONDS
        return low + self._random.random() * (high - low)
