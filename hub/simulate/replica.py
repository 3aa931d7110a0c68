"""What a platform showed a moment ago: reads that go to a copy of it which follows some seconds behind.

The copy is made of the platform's own state, so whatever is read of it was true at one moment; writes never go there. Who writes
sees that at once, as a manifest without `visible_after_seconds` says; what customers and others did comes later.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from hub.flow import Aspect
from hub.sdk.manifest import Manifest
from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import Request, Response

UNDECLARED_SECONDS_MAX: Final = 3.0
"""How far behind a platform is at most that does not say how soon it shows what was written."""
SHOWN: Final = (Aspect.STOCK, Aspect.PRICE, Aspect.LISTING)
BEHIND_SHARE: Final = 0.5
"""How many of the reads go to the copy."""


def visible_after(manifest: Manifest) -> int:
    """Within how many seconds this manifest says that a read may not show yet what was written; 0: it shows that at once."""
    return min((send.visible_after_seconds for name, send in manifest.sends.items() if name in SHOWN), default=0)


def behind_max(manifest: Manifest) -> float:
    """How many seconds a copy may be behind without breaking what this manifest declares."""
    found = [send.findable_within_seconds for send in manifest.sends.values() if send.findable_within_seconds is not None]
    return min([visible_after(manifest) or UNDECLARED_SECONDS_MAX, *map(float, found)])


class Replica:
    """The copy; it is up to date whenever `follow` was called, and answers for at most `seconds` from then.

    `at_once`: who writes is shown that at once. `touched` counts what people did there: where that stands still, and the hub
    wrote nothing, there is nothing to copy.
    """

    def __init__(self, platform: SandboxBase, seconds: float, at_once: bool, luck: Random, touched: Callable[[], int]) -> None:
        self._platform = platform
        self._touched = touched
        self._touched_then = -1
        self._luck = luck
        self._at_once = at_once
        self.seconds = seconds
        self._kept = b""
        self._state: object = None
        """What was kept, made of it once for all reads."""
        self._at = 0

    def follow(self, now: int) -> None:
        """Take over what is there now (microseconds)."""
        self._at = now
        if self._touched() != self._touched_then:
            self._kept, self._state, self._touched_then = self._platform.snapshot(), None, self._touched()

    def written(self, now: int) -> None:
        """The hub wrote something there."""
        self._touched_then = -1
        if self._at_once:
            self.follow(now)

    def answer(self, request: Request, fresh: Response, now: int) -> Response:
        """What this read is answered: at times what was there a moment ago, as far as it was there at all."""
        late = self._luck.random() < BEHIND_SHARE
        if not late or fresh.status != 200 or not self._kept or now - self._at > self.seconds * 1_000_000:
            return fresh
        present = self._platform.whole_state()
        try:
            if self._state is None:
                self._platform.restore(self._kept)
                self._state = self._platform.whole_state()
            else:
                self._platform.put_state(self._state)
            stale = self._platform.route(request)
        finally:
            self._platform.put_state(present)
        return stale if stale.status == 200 else fresh
