"""Targets and observations: what each listing should show, and what it shows. Their only writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.canonical.json import stored_json, write_json
from hub.canonical.values import Plain
from hub.flow import Key, Observation, Target
from hub.store.database import Tx


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """A target with the time it was decided."""

    target: Target
    decided_at: int


@dataclass(frozen=True, slots=True)
class StoredObservation:
    """An observation with how often others flipped this key back, and since when."""

    observation: Observation
    flips: int = 0
    flips_since: int = 0


_TARGET = "t.channel, t.listing, t.aspect, t.place, t.item, t.value, t.because, t.decided_at"
_SEEN = (
    "o.channel, o.listing, o.aspect, o.place, o.value, o.told, o.version, o.begun, o.answered, o.at, o.seq, o.flips, "
    "o.flips_since"
)


def targets_of(tx: Tx, listings: Iterable[tuple[str, str]], aspect: str = "") -> dict[Key, StoredTarget]:
    """All targets of these (channel, listing); of one aspect only, where one is named."""
    rows = tx.query_keys(
        f"SELECT {_TARGET} FROM @keys(channel, listing) k CROSS JOIN targets t "
        "WHERE t.channel = k.channel AND t.listing = k.listing AND (t.aspect = :aspect OR :aspect = '')",
        listings,
        aspect=aspect,
    )
    return {Key(*row[:4]): _target(row) for row in rows}


def targets_in(tx: Tx, channel: str) -> dict[Key, StoredTarget]:
    """All targets of a channel."""
    rows = tx.query(f"SELECT {_TARGET} FROM targets t WHERE t.channel = :channel", channel=channel)
    return {Key(*row[:4]): _target(row) for row in rows}


def save_targets(tx: Tx, targets: Sequence[Target], at: int) -> None:
    """Keep the targets, new or changed."""
    tx.many(
        "INSERT INTO targets (channel, listing, aspect, place, item, value, because, decided_at) VALUES (:channel, :listing, "
        ":aspect, :place, :item, :value, :because, :at) ON CONFLICT (channel, listing, aspect, place) DO UPDATE SET "
        "item = excluded.item, value = excluded.value, because = excluded.because, decided_at = excluded.decided_at",
        [(*t.key, t.item, write_json(t.value), write_json(t.because), at) for t in targets],
    )


def drop_targets(tx: Tx, keys: Sequence[Key]) -> None:
    """Forget targets of listings that are no longer ours to show."""
    tx.many(
        "DELETE FROM targets WHERE channel = :channel AND listing = :listing AND aspect = :aspect AND place = :place",
        [tuple(key) for key in keys],
    )


def observations_of(tx: Tx, listings: Iterable[tuple[str, str]], aspect: str = "") -> dict[Key, StoredObservation]:
    """All observations of these (channel, listing); of one aspect only, where one is named."""
    rows = tx.query_keys(
        f"SELECT {_SEEN} FROM @keys(channel, listing) k CROSS JOIN observations o "
        "WHERE o.channel = k.channel AND o.listing = k.listing AND (o.aspect = :aspect OR :aspect = '')",
        listings,
        aspect=aspect,
    )
    return {Key(*row[:4]): _observation(row) for row in rows}


def observations_in(tx: Tx, channel: str) -> dict[Key, StoredObservation]:
    """All observations of a channel."""
    rows = tx.query(f"SELECT {_SEEN} FROM observations o WHERE o.channel = :channel", channel=channel)
    return {Key(*row[:4]): _observation(row) for row in rows}


def save_observations(tx: Tx, seen: Sequence[StoredObservation]) -> None:
    """Keep the observations; whether each is newer than what is known was decided in this same transaction."""
    tx.many(
        "INSERT INTO observations (channel, listing, aspect, place, value, told, version, begun, answered, at, seq, flips, "
        "flips_since) VALUES (:channel, :listing, :aspect, :place, :value, :told, :version, :begun, :answered, :at, :seq, "
        ":flips, :flips_since) ON CONFLICT (channel, listing, aspect, place) DO UPDATE SET value = excluded.value, "
        "told = excluded.told, version = excluded.version, begun = excluded.begun, answered = excluded.answered, "
        "at = excluded.at, seq = excluded.seq, flips = excluded.flips, flips_since = excluded.flips_since",
        [_row(each) for each in seen],
    )


def explain_rises(tx: Tx, listings: Iterable[tuple[str, str]]) -> None:
    """What rose on these (channel, listing) was no edit of anybody: one of those counted there is none."""
    tx.many(
        "UPDATE observations SET flips = flips - 1 WHERE channel = :channel AND listing = :listing AND aspect = 'stock' "
        "AND flips > 0",
        sorted(set(listings)),
    )


def drop_observations(tx: Tx, listings: Iterable[tuple[str, str]]) -> None:
    """Forget what gone listings showed; what was told of movements there stays told."""
    tx.many(
        "DELETE FROM observations WHERE channel = :channel AND listing = :listing AND aspect <> 'movement'", sorted(set(listings))
    )


def drop_acknowledged(tx: Tx, keys: Sequence[Key]) -> None:
    """Forget what was acknowledged of these keys: their facts are as long gone as nobody tells of them any more."""
    tx.many(
        "DELETE FROM observations WHERE channel = :channel AND listing = :listing AND aspect = :aspect AND place = :place",
        [tuple(key) for key in keys],
    )


def _row(each: StoredObservation) -> tuple[str | int, ...]:
    o = each.observation
    return (
        *o.key,
        write_json(o.value),
        int(o.told),
        o.version,
        o.begun,
        o.answered,
        o.at,
        o.envelope,
        each.flips,
        each.flips_since,
    )


def _target(row: tuple[Plain, ...]) -> StoredTarget:
    return StoredTarget(Target(Key(*row[:4]), row[4], stored_json(row[5]), stored_json(row[6])), row[7])


def _observation(row: tuple[Plain, ...]) -> StoredObservation:
    seen = Observation(Key(*row[:4]), stored_json(row[4]), bool(row[5]), row[6], row[7], row[8], row[9], row[10])
    return StoredObservation(seen, row[11], row[12])
