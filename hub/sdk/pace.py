"""Pace: a token bucket per channel, corrected by what the platform's answers say. Pure arithmetic on given times.

The state is plain data, so that it can be stored and shown; a wait that is too long to sleep becomes a time in the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime

from hub.canonical.values import Plain, micros

RETRY_AFTER_SECONDS_MAX = 3_600.0
RETRY_AFTER_UNSAID_SECONDS = 5.0


@dataclass(slots=True)
class Bucket:
    """Tokens left, as of `at`, refilled at `per_second` up to `burst`; nothing is sent before `paused_until`."""

    per_second: float
    burst: float
    tokens: float
    at: int
    paused_until: int = 0
    throttled_in_a_row: int = 0

    @classmethod
    def full(cls, per_second: Decimal, burst: int, now: int) -> Bucket:
        """A bucket that nothing was taken from yet."""
        return cls(float(per_second), float(burst), float(burst), now)

    def wait_seconds(self, cost: float, now: int, leave: float = 0.0) -> float:
        """How long until `cost` tokens may be taken while `leave` stay; 0.0 means at once."""
        self._refill(now)
        pause = max(0.0, (self.paused_until - now) / 1_000_000)
        lacking = min(cost + leave, self.burst) - self.tokens
        return max(pause, lacking / self.per_second if lacking > 0 else 0.0)

    def take(self, cost: float, now: int) -> None:
        """Take the tokens; the count may go below zero when a call cost more than was known before."""
        self._refill(now)
        self.tokens -= cost

    def learn(self, remaining: float, now: int, *, burst: float | None = None, per_second: float | None = None) -> None:
        """The platform said what is left (and what there is): its count outranks ours."""
        self._refill(now)
        if burst is not None and burst > 0:
            self.burst = burst
        if per_second is not None and per_second > 0:
            self.per_second = per_second
        self.tokens = min(self.burst, remaining)

    def pause(self, seconds: float, now: int) -> None:
        """Nothing is sent for that long; a longer pause that is already known stays."""
        bounded = min(max(seconds, 0.0), RETRY_AFTER_SECONDS_MAX)
        self.paused_until = max(self.paused_until, now + round(bounded * 1_000_000))

    def throttled(self, retry_after_seconds: float | None, now: int) -> float:
        """Told to wait (429): pause as told, or growing when not told; gives the pause in seconds."""
        self.throttled_in_a_row = min(self.throttled_in_a_row + 1, 6)
        unsaid = RETRY_AFTER_UNSAID_SECONDS * 2 ** (self.throttled_in_a_row - 1)
        seconds = unsaid if retry_after_seconds is None else retry_after_seconds
        self.tokens = min(self.tokens, 0.0)
        self.pause(seconds, now)
        return min(max(seconds, 0.0), RETRY_AFTER_SECONDS_MAX)

    def went_through(self) -> None:
        """An answer that was no 429."""
        self.throttled_in_a_row = 0

    def state(self) -> Plain:
        """The bucket as plain data for the store (numbers as text)."""
        return {"tokens": f"{self.tokens:.3f}", "at": self.at, "paused_until": self.paused_until}

    def restore(self, state: Plain) -> None:
        """Take up a stored state again, after a restart."""
        self.tokens = min(self.burst, float(state["tokens"]))
        self.at = int(state["at"])
        self.paused_until = int(state["paused_until"])

    def _refill(self, now: int) -> None:
        if now > self.at:
            self.tokens = min(self.burst, self.tokens + (now - self.at) / 1_000_000 * self.per_second)
        self.at = max(self.at, now)


def burst_of(burst: int, share: Decimal) -> int:
    """How many calls in a row are this share of a platform's; two where it allows two: a look, and the write that it is for."""
    return max(min(2, burst), int(burst * share))


def retry_after_seconds(value: str, now: int) -> float | None:
    """Seconds from a Retry-After header (a number or an HTTP date); None when it says nothing usable."""
    text = value.strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        return max(0.0, (micros(parsedate_to_datetime(text)) - now) / 1_000_000)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
