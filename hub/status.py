"""How everything is: channels and how far they are read, what waits, what needs a person, who works, how large the store is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from hub.canonical.values import Plain, iso
from hub.sdk.manifest import Manifest
from hub.sdk.pace import Bucket, burst_of
from hub.settings.model import ChannelSettings, Config, StreamRhythm
from hub.store import changes, channels, cursors, dirty, inbox, ledger, letters, looks, movements, oversells, requests
from hub.store.channels import ChannelState
from hub.store.cursors import Reading
from hub.store.database import Database, Tx

STATES: Final = ("intended", "held", "sent", "accepted", "unknown", "refused")
LATE_TIMES: Final = 3
"""A stream is called late when its last whole reading is older than this many of its rhythms."""


@dataclass(slots=True)
class StreamStatus:
    """How far one stream is read: times in ISO 8601 or "" (never), `late` when its rhythm has not been kept.

    `polls` says whether it is polled at all; one that is not is only swept.
    """

    stream: str
    polls: bool
    polled_at: str
    swept_at: str
    under_way: bool
    late: bool


@dataclass(slots=True)
class ChannelStatus:
    """One channel: `lag_seconds` is how long its oldest unmade change has waited, `tokens` what is left of its pace."""

    channel: str
    mode: str
    paused: str
    failures: int
    tokens: str
    lag_seconds: int
    changes: dict[str, int]
    listings: dict[str, int]
    notices: list[str] = field(default_factory=list)
    """What its connector wants a person to know, for as long as it lasts."""
    streams: list[StreamStatus] = field(default_factory=list)


@dataclass(slots=True)
class Status:
    """The whole state at one moment; `ticks` counts those missed, overrun or failed since the store was made."""

    at: str
    working: bool
    channels: list[ChannelStatus]
    dirty: int
    inbox_waiting: int
    dead_letters: int
    movements_open: int
    """Movements with something under way or missing, or told to nobody."""
    look_ups: int
    oversold: int
    """Items of which units are promised that nobody has."""
    oversells: int
    """How often that happened since the store was made."""
    holds: list[dict[str, Plain]]
    workers: list[dict[str, Plain]]
    ticks: dict[str, int]
    store_bytes: int

    def document(self) -> dict[str, Plain]:
        """The status as one JSON document."""
        return asdict(self)


def status(config: Config, manifests: Mapping[str, Manifest], database: Database, now: int, *, working: bool) -> Status:
    """The status now; `working` says whether a worker is alive."""

    def read(tx: Tx) -> Status:
        states, readings, open_changes = channels.states(tx), cursors.readings(tx), changes.counts(tx)
        oldest, listings = looks.oldest_changes(tx), looks.bound_counts(tx)
        short, ever = oversells.counts(tx)
        parts = []
        for name, settings in sorted(config.channels.items()):
            state = states.get(name, ChannelState(name))
            part = ChannelStatus(
                channel=name,
                mode=settings.mode,
                paused=_paused(state, now),
                failures=state.failures,
                tokens=_tokens(settings, manifests[name], state, now),
                lag_seconds=max(0, now - oldest[name]) // 1_000_000 if name in oldest else 0,
                changes={each: open_changes[(name, each)] for each in STATES if open_changes.get((name, each))},
                listings={kind: count for (channel, kind), count in sorted(listings.items()) if channel == name},
                notices=list(ledger.standing(tx, ledger.NOTICE, name)),
            )
            part.streams = [_stream(settings, manifests[name], stream, readings, now) for stream in manifests[name].streams]
            parts.append(part)
        return Status(
            at=iso(now),
            working=working,
            channels=parts,
            dirty=dirty.count(tx),
            inbox_waiting=inbox.count_waiting(tx),
            dead_letters=letters.count_open(tx),
            movements_open=movements.count_open(tx),
            look_ups=channels.count_look_ups(tx),
            oversold=short,
            oversells=ever,
            holds=[_hold(hold) for hold in requests.holds(tx)],
            workers=[_worker(each) for each in requests.workers(tx)],
            ticks=_ticks(ledger.counters(tx)),
            store_bytes=0,
        )

    found = database.read(read)
    found.store_bytes = database.size_bytes()
    return found


def _paused(state: ChannelState, now: int) -> str:
    if state.paused_by:
        return state.paused_by
    return f"until {iso(state.paused_until)}" if state.paused_until > now else ""


def _tokens(settings: ChannelSettings, manifest: Manifest, state: ChannelState, now: int) -> str:
    bucket = Bucket.full(manifest.pace.per_second * settings.pace_share, _burst(settings, manifest), now)
    if state.bucket:
        bucket.restore(json.loads(state.bucket))
    bucket.wait_seconds(0.0, now)
    return f"{bucket.tokens:.0f} of {bucket.burst:.0f}"


def _burst(settings: ChannelSettings, manifest: Manifest) -> int:
    return burst_of(manifest.pace.burst, settings.pace_share)


def _stream(
    settings: ChannelSettings, manifest: Manifest, stream: str, readings: Mapping[tuple[str, str, str], Reading], now: int
) -> StreamStatus:
    sweep = readings.get((settings.channel, stream, "sweep"))
    poll = readings.get((settings.channel, stream, "poll"))
    rhythm = settings.streams.get(stream, StreamRhythm())
    polls = manifest.streams[stream].poll and rhythm.poll_seconds > 0
    last = [(poll if polls else None, rhythm.poll_seconds), (sweep, rhythm.sweep_seconds)]
    late = any(
        each is not None and seconds and now - each.completed_at > LATE_TIMES * int(seconds * 1_000_000) for each, seconds in last
    )
    return StreamStatus(
        stream=stream,
        polls=polls,
        polled_at=_time(poll) if polls else "",
        swept_at=_time(sweep),
        under_way=any(each is not None and each.under_way for each, _ in last),
        late=late,
    )


def _time(reading: Reading | None) -> str:
    return iso(reading.completed_at) if reading is not None and reading.completed_at else ""


def _hold(hold: requests.Hold) -> dict[str, Plain]:
    return {"id": hold.id, "channel": hold.channel, "guard": hold.guard, "words": hold.words, "at": iso(hold.at)}


def _worker(row: tuple[str, int, int, str]) -> dict[str, Plain]:
    name, started, seen, version = row
    return {"worker": name, "started_at": iso(started), "seen_at": iso(seen), "version": version}


def _ticks(counters: Mapping[tuple[str, str, str], int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for (name, _, what), count in sorted(counters.items()):
        if name == "tick":
            found[what] = found.get(what, 0) + count
    return found
