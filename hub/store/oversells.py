"""Oversells: how many units of an item are promised and not there, told whenever that changes. Its only writer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from hub.canonical.json import write_json
from hub.store.database import Row, Tx

STANDING_MAX: Final = 100_000
"""Oversold items in one answer."""


class Oversell(NamedTuple):
    """A line of the record: from `at` (microseconds) on, `quantity` (thousandths) of the item are promised and not there.

    `rose` is by how much it rose with this line, negative where it fell. `orders` (human numbers) and `channels` are those
    that got none; `known`: no, hub (the hub had been told before) or told (so had the channel).
    """

    seq: int
    item: str
    at: int
    quantity: int
    rose: int
    channels: tuple[str, ...]
    orders: tuple[str, ...]
    known: str
    words: str


_COLUMNS = "o.seq, o.item, o.at, o.quantity, o.rose, o.channels, o.orders, o.known, o.words"
_LAST = "o.seq = (SELECT max(x.seq) FROM oversells x WHERE x.item = o.item)"


def levels(tx: Tx, items: Iterable[str]) -> dict[str, int]:
    """How much of each of these items is oversold by the record; those of which nothing is are left out."""
    rows = tx.query_keys(
        f"SELECT o.item, o.quantity FROM @keys(item) k CROSS JOIN oversells o WHERE o.item = k.item AND {_LAST} "
        "AND o.quantity > 0",
        [(item,) for item in items],
    )
    return {row[0]: int(row[1]) for row in rows}


def record(tx: Tx, lines: Sequence[Oversell]) -> list[Oversell]:
    """Keep these lines; gives those that were new: one whose change stands in the record already is left out."""
    before = levels(tx, {line.item for line in lines})
    new = [line for line in lines if before.get(line.item, 0) == line.quantity - line.rose]
    tx.many(
        "INSERT INTO oversells (seq, item, at, quantity, rose, channels, orders, known, words) VALUES (:seq, :item, :at, "
        ":quantity, :rose, :channels, :orders, :known, :words)",
        [
            (n.seq, n.item, n.at, n.quantity, n.rose, write_json(list(n.channels)), write_json(list(n.orders)), n.known, n.words)
            for n in new
        ],
    )
    return new


def latest(tx: Tx, limit: int) -> list[Oversell]:
    """The latest lines of all items, newest first."""
    return [_line(row) for row in tx.query(f"SELECT {_COLUMNS} FROM oversells o ORDER BY o.seq DESC LIMIT :limit", limit=limit)]


def standing(tx: Tx, item: str = "") -> list[Oversell]:
    """The last line of every item (or of that one) of which units are oversold now, newest first."""
    rows = tx.query(
        f"SELECT {_COLUMNS} FROM oversells o WHERE {_LAST} AND o.quantity > 0 AND (o.item = :item OR :item = '') "
        "ORDER BY o.seq DESC LIMIT :limit",
        item=item,
        limit=STANDING_MAX,
    )
    return [_line(row) for row in rows]


def counts(tx: Tx) -> tuple[int, int]:
    """How many items are oversold now, and how often it happened since the record began."""
    rows = tx.query("SELECT count(*) FROM oversells o WHERE o.rose > 0")
    return len(standing(tx)), int(rows[0][0])


def _line(row: Row) -> Oversell:
    seq, item, at, quantity, rose, channels, orders, known, words = row
    return Oversell(seq, item, at, quantity, rose, tuple(json.loads(channels)), tuple(json.loads(orders)), known, words)
