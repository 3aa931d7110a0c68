"""The clock of a platform that goes wrong: it runs as the world's does, so many seconds before or behind it."""

from __future__ import annotations

from hub.clock import Clock, Wake


class SkewedClock:
    """The world's clock with another hour on its face (`skew` in microseconds); waiting takes as long as anywhere."""

    def __init__(self, right: Clock, skew: int) -> None:
        self._right = right
        self.skew = skew

    def now(self) -> int:
        """Microseconds since the epoch, as this platform believes."""
        return self._right.now() + self.skew

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._right.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let others go on for that long."""
        self._right.sleep(seconds)

    def wake(self) -> Wake:
        """A new flag."""
        return self._right.wake()

    def wait(self, wake: Wake, seconds: float) -> bool:
        """Let others go on until the flag is raised, at most that long."""
        return self._right.wait(wake, seconds)

    def token(self) -> str:
        """A name that nobody else draws."""
        return self._right.token()

    def bytes(self, count: int) -> bytes:
        """Bytes for nonces."""
        return self._right.bytes(count)

    def fraction(self) -> float:
        """A number in [0, 1)."""
        return self._right.fraction()
