"""The ledger (why every number is what it is), shown prices, and counters. Their only writer."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.flow import Key
from hub.store.database import Tx

NOTICE: Final = "notice"
"""Name of the counters that stand for what connectors want a person to know."""


class Entry(NamedTuple):
    """One line of the ledger: what happened to this key (or item), in plain words and values."""

    seq: int
    at: int
    event: str
    key: Key
    item: str
    words: Plain


def write(tx: Tx, entries: Sequence[Entry]) -> None:
    """Append the lines."""
    tx.many(
        "INSERT INTO ledger (seq, at, event, channel, listing, aspect, place, item, words) VALUES (:seq, :at, :event, "
        ":channel, :listing, :aspect, :place, :item, :words)",
        [(e.seq, e.at, e.event, *e.key, e.item, write_json(e.words)) for e in entries],
    )


def lines_of(tx: Tx, key: Key, limit: int) -> list[Entry]:
    """The latest lines of a key, newest first."""
    rows = tx.query(
        "SELECT seq, at, event, channel, listing, aspect, place, item, words FROM ledger WHERE channel = :channel "
        "AND listing = :listing AND aspect = :aspect AND place = :place ORDER BY seq DESC LIMIT :limit",
        channel=key.channel,
        listing=key.listing,
        aspect=key.aspect,
        place=key.place,
        limit=limit,
    )
    return [_entry(row) for row in rows]


def latest(tx: Tx, limit: int) -> list[Entry]:
    """The latest lines of all, newest first."""
    rows = tx.query(
        "SELECT seq, at, event, channel, listing, aspect, place, item, words FROM ledger ORDER BY seq DESC LIMIT :limit",
        limit=limit,
    )
    return [_entry(row) for row in rows]


def after(tx: Tx, seq: int, limit: int) -> list[Entry]:
    """The lines after this number, oldest first."""
    rows = tx.query(
        "SELECT seq, at, event, channel, listing, aspect, place, item, words FROM ledger WHERE seq > :seq ORDER BY seq "
        "LIMIT :limit",
        seq=seq,
        limit=limit,
    )
    return [_entry(row) for row in rows]


def drop_before(tx: Tx, at: int, limit: int) -> int:
    """Forget old lines, at most `limit`."""
    return tx.execute("DELETE FROM ledger WHERE seq IN (SELECT seq FROM ledger WHERE at < :at LIMIT :limit)", at=at, limit=limit)


def show_prices(tx: Tx, shown: Sequence[tuple[str, str, str, str, str, int]]) -> None:
    """Record effective prices as shown from now on: (channel, listing, country, amount, currency, at). Equal ones go on."""
    for channel, listing, country, amount, currency, at in shown:
        last = tx.query(
            "SELECT from_at, amount, currency FROM shown_prices WHERE channel = :channel AND listing = :listing "
            "AND country = :country AND to_at IS NULL",
            channel=channel,
            listing=listing,
            country=country,
        )
        if last and (last[0][1], last[0][2]) == (amount, currency):
            continue
        tx.execute(
            "UPDATE shown_prices SET to_at = :at WHERE channel = :channel AND listing = :listing AND country = :country "
            "AND to_at IS NULL",
            at=at,
            channel=channel,
            listing=listing,
            country=country,
        )
        tx.execute(
            "INSERT INTO shown_prices (channel, listing, country, from_at, to_at, amount, currency) VALUES (:channel, "
            ":listing, :country, :at, NULL, :amount, :currency) ON CONFLICT (channel, listing, country, from_at) DO UPDATE "
            "SET amount = excluded.amount, to_at = NULL",
            channel=channel,
            listing=listing,
            country=country,
            at=at,
            amount=amount,
            currency=currency,
        )


def prices_shown(tx: Tx, channel: str, listing: str) -> list[tuple[str, int, int | None, str, str]]:
    """Every recorded effective price: (country, from, to or None, amount, currency), oldest first."""
    rows = tx.query(
        "SELECT country, from_at, to_at, amount, currency FROM shown_prices WHERE channel = :channel AND listing = :listing "
        "ORDER BY country, from_at",
        channel=channel,
        listing=listing,
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def count(tx: Tx, counted: Mapping[tuple[str, str, str], int]) -> None:
    """Add to counters (name, channel, what)."""
    tx.many(
        "INSERT INTO counters (name, channel, what, value) VALUES (:name, :channel, :what, :value) "
        "ON CONFLICT (name, channel, what) DO UPDATE SET value = counters.value + excluded.value",
        [(*key, value) for key, value in sorted(counted.items()) if value],
    )


def stand(tx: Tx, name: str, channel: str, words: Collection[str]) -> None:
    """Let exactly these counters of that name and channel stand at one, and all others of them at none."""
    now = {key[2]: value for key, value in counters(tx).items() if key[:2] == (name, channel)}
    count(tx, {(name, channel, what): (what in words) - now.get(what, 0) for what in {*now, *words}})


def standing(tx: Tx, name: str, channel: str) -> tuple[str, ...]:
    """What of that name stands of a channel, in order."""
    return tuple(sorted(what for (said, of, what), value in counters(tx).items() if (said, of) == (name, channel) and value))


def counters(tx: Tx) -> dict[tuple[str, str, str], int]:
    """All counters by (name, channel, what)."""
    return {(row[0], row[1], row[2]): row[3] for row in tx.query("SELECT name, channel, what, value FROM counters")}


def _entry(row: tuple[Plain, ...]) -> Entry:
    return Entry(row[0], row[1], row[2], Key(*row[3:7]), row[7], json.loads(row[8]))
