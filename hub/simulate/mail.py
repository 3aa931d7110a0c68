"""Deliveries on their way from the platforms to the hub: each takes a moment; some are lost, doubled, late, overtaken, forged."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Final

from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import Request
from hub.simulate.crew import HubCrew
from hub.simulate.faults import Mischief
from hub.simulate.postman import forged
from hub.simulate.scheduler import Flag, Scheduler

WAY_SECONDS: Final = (0.05, 1.0)
OVERTAKEN_SECONDS: Final = 60.0
TAKEN_SECONDS_MAX: Final = 20.0
AGAIN_SECONDS: Final = (60, 600, 3_600, 14_400)
"""A platform brings what was not taken again so long later each time, then gives up."""


class Mail:
    """Takes what the platforms post and brings it; `forgeries` and `crew.refused` must be equal in the end."""

    def __init__(
        self, platforms: Mapping[str, SandboxBase], hooks: str, crew: HubCrew, scheduler: Scheduler, mischief: Mischief
    ) -> None:
        self._platforms = platforms
        self._hooks = hooks
        self._crew = crew
        self._scheduler = scheduler
        self._mischief = mischief
        self._bag: list[tuple[int, int, str, Request, int]] = []
        self._number = 0
        self._wake = Flag()
        self.forgeries = 0
        self.under_way = 0
        scheduler.start("postman", self._rounds)

    def collect(self) -> None:
        """Take what was posted since."""
        for channel, platform in self._platforms.items():
            while platform.outbox:
                self._take(channel, platform.outbox.popleft())

    def _take(self, channel: str, delivery: Request) -> None:
        mischief = self._mischief
        kinds = ("delivery_lost", "delivery_doubled", "delivery_late", "delivery_reordered", "delivery_forged")
        befalls = {kind for kind in kinds if mischief.drawn(kind)}
        for kind in sorted(befalls):
            mischief.came(kind)
        luck = mischief.luck("delivery_reordered")
        way = luck.uniform(*WAY_SECONDS)
        if "delivery_late" in befalls:
            way += mischief.luck("delivery_late").random() * mischief.faults.late_seconds_max
        if "delivery_reordered" in befalls:
            way += luck.random() * OVERTAKEN_SECONDS
        if "delivery_lost" not in befalls:
            self._put(channel, delivery, way, 0)
        if "delivery_doubled" in befalls:
            self._put(channel, delivery, way + luck.random() * OVERTAKEN_SECONDS, 0)
        if "delivery_forged" in befalls:
            self.forgeries += 1
            self._put(channel, forged(delivery), way, 0)

    def _put(self, channel: str, delivery: Request, seconds: float, attempts: int) -> None:
        self._number += 1
        at = self._scheduler.now + round(seconds * 1_000_000)
        heapq.heappush(self._bag, (at, self._number, channel, delivery, attempts))
        self._wake.set()

    def _rounds(self) -> None:
        while True:
            self._wake.clear()
            now = self._scheduler.now
            while self._bag and self._bag[0][0] <= now:
                _, _, channel, delivery, attempts = heapq.heappop(self._bag)
                self._scheduler.start("bringing", lambda c=channel, d=delivery, n=attempts: self._bring(c, d, n))  # type: ignore[misc]
            rest = (self._bag[0][0] - now) / 1_000_000 if self._bag else 86_400.0
            self._scheduler.wait(self._wake, rest)

    def _bring(self, channel: str, delivery: Request, attempts: int) -> None:
        taken = Flag()
        self.under_way += 1
        if self._crew.alive:
            self._crew.post(channel, delivery, taken)
            self._scheduler.wait(taken, TAKEN_SECONDS_MAX)
        self.under_way -= 1
        if not taken.is_set() and attempts < len(AGAIN_SECONDS):
            self._put(channel, delivery, AGAIN_SECONDS[attempts], attempts + 1)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._bag and not self.under_way
