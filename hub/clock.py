"""The clock seam: the only place that knows time, waiting and chance.

Production waits on real threads; tests and simulations hand in a clock of their own and nothing else changes.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from typing import Protocol


class Wake(Protocol):
    """A flag that one worker waits for and another raises."""

    def set(self) -> None:
        """Raise it."""
        ...

    def clear(self) -> None:
        """Lower it."""
        ...

    def is_set(self) -> bool:
        """Whether it is raised."""
        ...


class Clock(Protocol):
    """Time, waiting and chance, as the hub needs them."""

    def now(self) -> int:
        """Microseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...

    def wake(self) -> Wake:
        """A new flag to wait on."""
        ...

    def wait(self, wake: Wake, seconds: float) -> bool:
        """Wait until the flag is raised or the time is over; says whether it was raised."""
        ...

    def token(self) -> str:
        """A fresh unguessable name, 32 hex digits."""
        ...

    def bytes(self, count: int) -> bytes:
        """Fresh unguessable bytes (nonces)."""
        ...

    def fraction(self) -> float:
        """A number in [0, 1) for jitter."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def wake(self) -> Wake:
        return threading.Event()

    def wait(self, wake: Wake, seconds: float) -> bool:
        assert isinstance(wake, threading.Event)
        return wake.wait(max(0.0, seconds))

    def token(self) -> str:
        return secrets.token_hex(16)

    def bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        return random.random()


class ManualClock:
    """A clock that moves only when it is told to (or waited on): one thread, one seed, the same run every time."""

    def __init__(self, start: int = 1_790_000_000_000_000, seed: int = 0) -> None:
        self._now = start
        self._start = start
        self._random = random.Random(seed)

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start) / 1_000_000

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self._now += round(seconds * 1_000_000)

    def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))

    def wake(self) -> Wake:
        return threading.Event()

    def wait(self, wake: Wake, seconds: float) -> bool:
        if not wake.is_set():
            self.advance(max(0.0, seconds))
        return wake.is_set()

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def fraction(self) -> float:
        return self._random.random()
