"""What the worker's threads do round after round: the walk over all stations, and each channel's turns.

Whoever runs a hub runs these and nothing else; they wait only by the clock, so what stands under it decides how they interleave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub import __version__
from hub.app import Hub
from hub.clock import Wake
from hub.log import logger
from hub.people import People
from hub.store import requests

WALK_WAIT_SECONDS: Final = 0.25
PEOPLE_EVERY_SECONDS: Final = 0.25
SEEN_EVERY_SECONDS: Final = 5.0
BROKEN_WAIT_SECONDS: Final = 5.0
_log = logger("worker")


class Rounds:
    """The rounds of one hub; `wakes` (by channel) and `walk_wake` end a wait early.

    `walk_wait_seconds` is how long the walk waits at most for what nobody wakes it for (deliveries that another process stored).
    """

    def __init__(
        self, hub: Hub, wakes: Mapping[str, Wake], walk_wake: Wake, walk_wait_seconds: float = WALK_WAIT_SECONDS
    ) -> None:
        self._hub = hub
        self._clock = hub.clock
        self._wakes = wakes
        self._walk_wake = walk_wake
        self._walk_wait_seconds = walk_wait_seconds

    def walk(self, ending: Wake) -> None:
        """Walk until `ending` is raised; a step that fails is logged and tried again after a while."""
        people = People(self._hub)
        name = self._clock.token()[:12]
        began, seen_at, asked_at = self._clock.now(), 0.0, 0.0
        while not ending.is_set():
            self._walk_wake.clear()
            try:
                did = self._hub.walk.step()
                if self._clock.monotonic() - asked_at >= PEOPLE_EVERY_SECONDS:
                    asked_at = self._clock.monotonic()
                    did = people.step() or did
                if self._clock.monotonic() - seen_at >= SEEN_EVERY_SECONDS:
                    seen_at = self._clock.monotonic()
                    self._seen(name, began)
            except Exception:
                # A station that is wrong stops here and keeps its evidence; the channels' own threads go on.
                _log.exception("the walk stopped at an error and tries again")
                self._clock.wait(ending, BROKEN_WAIT_SECONDS)
                continue
            if not did and not ending.is_set():
                self._clock.wait(self._walk_wake, self._walk_wait_seconds)

    def _seen(self, name: str, began: int) -> None:
        now, version = self._clock.now(), __version__
        self._hub.database.transaction(lambda tx: requests.seen_worker(tx, name, began, now, version, ""))

    def channel(self, name: str, ending: Wake) -> None:
        """Take this channel's turns until `ending` is raised; a turn that fails is logged and tried again after a while."""
        while not ending.is_set():
            self._turn(name, ending)

    def _turn(self, name: str, ending: Wake) -> None:
        turn, wake = self._hub.turns[name], self._wakes[name]
        wake.clear()
        if ending.is_set():
            return
        try:
            if turn.step() == "worked":
                self._walk_wake.set()
                return
            rest = (turn.rests_until() - self._clock.now()) / 1_000_000
        except Exception:
            if not ending.is_set():
                _log.exception("a channel's turn stopped at an error and tries again", channel=name)
                self._clock.wait(ending, BROKEN_WAIT_SECONDS)
            return
        if rest > 0:
            self._clock.wait(wake, rest)
