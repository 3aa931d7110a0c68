"""Books of a day: which sales of a till stand in which daily document. The only writer of these tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.store.database import Tx


@dataclass(frozen=True, slots=True)
class Book:
    """One daily document of a channel: `order` is our id of it, `place` our location, `state` open or closed."""

    order: str
    channel: str
    place: str
    currency: str
    day: str
    closes_at: int
    state: str


_BOOK = 'b."order", b.channel, b.place, b.currency, b.day, b.closes_at, b.state'


def books(tx: Tx, channel: str, days: Iterable[str]) -> list[Book]:
    """The books of a channel on these days."""
    rows = tx.query_keys(
        f"SELECT {_BOOK} FROM @keys(day) k CROSS JOIN books b WHERE b.channel = :channel AND b.day = k.day ORDER BY b.day",
        [(day,) for day in days],
        channel=channel,
    )
    return [Book(*row) for row in rows]


def due(tx: Tx, now: int, limit: int) -> list[Book]:
    """Open books whose day is over, the oldest first."""
    rows = tx.query(
        f"SELECT {_BOOK} FROM books b WHERE b.state = 'open' AND b.closes_at <= :now ORDER BY b.closes_at LIMIT :limit",
        now=now,
        limit=limit,
    )
    return [Book(*row) for row in rows]


def next_close(tx: Tx) -> int | None:
    """When the next open book closes; None while there is none."""
    rows = tx.query("SELECT min(b.closes_at) FROM books b WHERE b.state = 'open'")
    found = rows[0][0] if rows else None
    return None if found is None else int(found)


def keep(tx: Tx, rows: Sequence[Book]) -> None:
    """Keep books, new or changed."""
    tx.many(
        'INSERT INTO books ("order", channel, place, currency, day, closes_at, state) VALUES (:order, :channel, :place, '
        ':currency, :day, :closes_at, :state) ON CONFLICT ("order") DO UPDATE SET state = excluded.state',
        [(b.order, b.channel, b.place, b.currency, b.day, b.closes_at, b.state) for b in rows],
    )


def entered(tx: Tx, records: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(channel, their id) → the book that the record stands in."""
    rows = tx.query_keys(
        'SELECT e.channel, e.their, e."order" FROM @keys(channel, their) k CROSS JOIN book_entries e '
        "WHERE e.channel = k.channel AND e.their = k.their",
        records,
    )
    return {(channel, their): order for channel, their, order in rows}


def enter(tx: Tx, rows: Sequence[tuple[str, str, str]]) -> None:
    """Enter records (channel, their id, book); one that stands in a book stays there."""
    tx.many(
        'INSERT INTO book_entries (channel, their, "order") VALUES (:channel, :their, :order) '
        "ON CONFLICT (channel, their) DO NOTHING",
        rows,
    )


def entries(tx: Tx, order: str) -> list[tuple[str, str]]:
    """The records (channel, their id) that stand in a book."""
    rows = tx.query('SELECT e.channel, e.their FROM book_entries e WHERE e."order" = :order ORDER BY e.their', order=order)
    return [(channel, their) for channel, their in rows]
