"""After agreement there is silence: nothing is written, nothing is looked up, and what is read is what the schedule says, no more
and no less.

Readings and look-ups are told by the store, for each channel and stream; what passes on the line is counted against them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from hub.settings.model import StreamRhythm
from hub.simulate.crew import HubCrew
from hub.simulate.retailer import Retailer
from hub.store import cursors
from hub.store.database import Tx

READINGS_MORE: Final = 2
"""More readings of one kind than fit into the time: the first may be due at its beginning, and a subscription that was mended
has its streams read once."""
ASIDE_MAX: Final = 8
"""Requests that read no stream, for each channel: signing in anew, and asking what is subscribed to."""
SUBSCRIPTIONS_MAX: Final = 40
"""A platform that forgot the hub is told anew once, when its subscriptions are next looked after: 23 topics at most."""
CALLS_MAX: Final = 8
"""Requests for one page."""
LATE_SECONDS: Final = 1_200
"""A channel that is busy reads so much later at most."""
PAGE_MIN: Final = 10
"""No page that matters here is smaller."""


class _Count(NamedTuple):
    """What was counted until one moment."""

    at: int
    calls: dict[tuple[str, str], int]
    readings: dict[tuple[str, str, str], int]
    asked: dict[tuple[str, str], int]


class Silence:
    """Judges a stretch of time: `begin`, let it pass, then `broken`. `calls` counts requests by (channel, read or write)."""

    def __init__(self, retailer: Retailer, crew: HubCrew, calls: Mapping[tuple[str, str], int]) -> None:
        self._retailer = retailer
        self._crew = crew
        self._calls = calls
        self._before = _Count(0, {}, {}, {})

    def begin(self, now: int) -> None:
        """From now on."""
        self._before = self._count(now)

    def broken(self, now: int, records: int) -> Iterator[str]:
        """Everything that was more than silence until now; `records` is how many things and orders a listing may have."""
        before, after = self._before, self._count(now)
        seconds = (now - before.at) / 1_000_000
        writes, reads, counted = Counter[str](), Counter[str](), Counter[str]()
        for (channel, what), count in after.calls.items():
            more = count - before.calls.get((channel, what), 0)
            (writes if what == "write" else reads)[channel] += more if what in ("write", "read") else 0
        if writes.total():
            yield f"{writes.total()} more writes although everything agrees"
        for channel in sorted({channel for channel, _ in after.calls}):
            told = after.calls.get((channel, "subscription"), 0) - before.calls.get((channel, "subscription"), 0)
            if told > SUBSCRIPTIONS_MAX:
                yield f"{channel} is told {told} times what to tell of"
        for (channel, stream), count in sorted(self._crew.store.read(lambda tx: _looked_up(tx, before.at)).items()):
            yield f"{channel}: {count} look-ups in {stream} although everything agrees"
        read = Counter[tuple[str, str]]()
        for (channel, stream, kind), number in sorted(after.readings.items()):
            times = number - before.readings.get((channel, stream, kind), 0)
            read[channel, stream] += times
            if times > (allowed := _allowed(self._rhythm(channel, stream), kind, seconds)):
                yield f"{channel}: {times} times a {kind} of {stream} in {seconds / 60:.0f} min, {allowed} are in the schedule"
        pages_max = 1 + records // PAGE_MIN
        for (channel, stream), asked in sorted(after.asked.items()):
            calls = asked - before.asked.get((channel, stream), 0)
            counted[channel] += calls
            if calls > read[channel, stream] * pages_max * CALLS_MAX:
                yield f"{channel}: {calls} requests for {read[channel, stream]} readings of {stream}"
        for channel, count in sorted(reads.items()):
            if count > counted[channel] + ASIDE_MAX:
                yield f"{channel} was asked {count} times, {counted[channel]} of them for readings"

    def overdue(self, now: int) -> Iterator[str]:
        """Every stream that was not read as often as it should be although nothing has gone wrong lately."""
        for (channel, stream, kind), each in sorted(self._crew.store.read(cursors.readings).items()):
            declared = self._retailer.registry.manifest(self._retailer.config.channels[channel].connector).streams[stream]
            every = _every(self._rhythm(channel, stream), kind)
            quiet = (now - each.started_at) / 1_000_000
            if every and (declared.poll or kind == "sweep") and quiet > every + LATE_SECONDS:
                yield f"{channel}: the last {kind} of {stream} is {quiet / 3600:.1f} hours old, {every / 3600:.1f} are configured"

    def _count(self, now: int) -> _Count:
        def look(tx: Tx) -> _Count:
            readings = {key: each.number for key, each in cursors.readings(tx).items()}
            asked = tx.query("SELECT channel, what, value FROM counters WHERE name = 'calls'")
            return _Count(now, dict(self._calls), readings, {(channel, what): int(value) for channel, what, value in asked})

        return self._crew.store.read(look)

    def _rhythm(self, channel: str, stream: str) -> StreamRhythm:
        return self._retailer.config.channels[channel].streams.get(stream, StreamRhythm())


def _allowed(rhythm: StreamRhythm, kind: str, seconds: float) -> int:
    """How many readings of a stream belong to the schedule in so much time."""
    every = _every(rhythm, kind)
    return (int(seconds // every) if every else 0) + READINGS_MORE


def _every(rhythm: StreamRhythm, kind: str) -> float:
    return float(rhythm.sweep_seconds if kind == "sweep" else rhythm.poll_seconds)


def _looked_up(tx: Tx, since: int) -> dict[tuple[str, str], int]:
    """(channel, stream) → answers to look-ups since then."""
    rows = tx.query(
        "SELECT channel, stream, count(*) FROM inbox WHERE door = 'lookup' AND received_at >= :since GROUP BY channel, stream",
        since=since,
    )
    return {(channel, stream): int(count) for channel, stream, count in rows}
