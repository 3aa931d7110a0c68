"""The report of a first contact: how far the reading is and what it cost, what fits, what differs, what going live would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from hub.canonical.values import Plain, iso
from hub.contact.alignment import Alignment, alignment
from hub.contact.matching import Matching, matching
from hub.errors import ConfigError
from hub.files import meant
from hub.merge.authority import Authority
from hub.plan import ChannelPlan, plan
from hub.sdk.manifest import Manifest
from hub.settings.model import Config
from hub.store import cursors, dirty, first_looks, inbox, ledger
from hub.store.cursors import Reading
from hub.store.database import Database, Tx


@dataclass(frozen=True, slots=True)
class StreamRead:
    """How far one stream was read: `state` is not begun, under way or read; calls are all that reading it has taken so far."""

    channel: str
    stream: str
    state: str
    pages: int
    calls: int


@dataclass(frozen=True, slots=True)
class GoingLive:
    """What a channel would be sent: differences by how they stand, what holds them, calls and seconds at its pace."""

    channel: str
    mode: str
    changes: dict[str, int]
    held_by: dict[str, int]
    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report; `whole` says that everything was read and worked out, so that it is not the picture of a moment."""

    at: int
    whole: bool
    items: int
    doubled_items: list[tuple[str, int]]
    streams: list[StreamRead]
    orders: dict[str, dict[str, int]]
    """Channel → history and open."""
    matchings: list[Matching]
    alignments: list[Alignment]
    live: list[GoingLive]

    @property
    def needs_a_person(self) -> bool:
        """Whether something waits for somebody to decide."""
        left = any(each.counts.keys() - {"not listed"} for each in self.matchings)
        return left or any(each.unexplained for each in self.alignments) or bool(self.doubled_items)

    def document(self) -> dict[str, Plain]:
        """The report as one JSON document."""
        return {
            "at": iso(self.at),
            "whole": self.whole,
            "items": self.items,
            "items_with_the_same_sku": [{"sku": sku, "items": count} for sku, count in self.doubled_items],
            "streams": [asdict(each) for each in self.streams],
            "orders": self.orders,
            "matching": [_matched(each) for each in self.matchings],
            "alignment": [
                {**{k: v for k, v in asdict(each).items() if k != "rows"}, "rows": [row.document() for row in each.rows]}
                for each in self.alignments
            ],
            "going_live": [asdict(each) for each in self.live],
        }


def report(config: Config, manifests: Mapping[str, Manifest], database: Database, now: int, only: str | None = None) -> Report:
    """The report at this moment (of one channel); ConfigError for a channel that is not configured."""
    if only is not None and only not in config.channels:
        raise ConfigError(f"there is no channel `{only}`: {meant(only, config.channels)}")
    authority = Authority(config)

    def read(tx: Tx) -> Report:
        streams = list(_streams(tx, manifests))
        waiting = dirty.count(tx) + inbox.count_waiting(tx)
        return Report(
            now,
            not waiting and all(each.state == "read" for each in streams),
            first_looks.count_items(tx),
            first_looks.doubled_items(tx, 1_000),
            streams,
            _orders(tx),
            matching(tx, config, authority, only),
            alignment(tx, config, authority, only),
            [],
        )

    found = database.read(read)
    found.live.extend(_live(each) for each in plan(config, manifests, database, now, only).channels)
    return found


def progress(tx: Tx, manifests: Mapping[str, Manifest]) -> list[StreamRead]:
    """How far every stream has been read."""
    return list(_streams(tx, manifests))


def _streams(tx: Tx, manifests: Mapping[str, Manifest]) -> list[StreamRead]:
    readings, counted = cursors.readings(tx), ledger.counters(tx)
    found = []
    for channel, manifest in sorted(manifests.items()):
        for stream in manifest.streams:
            reading = readings.get((channel, stream, "sweep"), Reading(channel, stream, "sweep"))
            state = "read" if reading.checked else "under way" if reading.number else "not begun"
            found.append(StreamRead(channel, stream, state, reading.pages, counted.get(("calls", channel, stream), 0)))
    return found


def _orders(tx: Tx) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (channel, _, history), count in sorted(first_looks.order_counts(tx).items()):
        part, kind = found.setdefault(channel, {"history": 0, "carried": 0}), "history" if history else "carried"
        part[kind] += count
    return found


def _live(part: ChannelPlan) -> GoingLive:
    states = Counter(entry.state for entry in part.entries)
    guards = Counter(entry.words.partition(":")[0] for entry in part.entries if entry.state == "held")
    return GoingLive(part.channel, part.mode, dict(states), dict(guards), part.calls.total, part.seconds)


def _matched(each: Matching) -> dict[str, Plain]:
    return {
        "channel": each.channel,
        "names_items": each.names_items,
        "matched": each.matched,
        "counts": each.counts,
        "proposals": [
            {"listing": p.listing, "sku": p.sku, "why": p.why, "items": [{"item": i, "sku": s} for i, s in p.items]}
            for p in each.proposals
        ],
        "ambiguous": [{"listing": listing, "sku": sku} for listing, sku in each.ambiguous],
        "missing": [{"listing": listing, "sku": sku} for listing, sku in each.missing],
        "without_sku": each.without_sku,
        "duplicates": [{"sku": sku, "listings": count} for sku, count in each.duplicates],
        "not_listed": each.not_listed,
    }
