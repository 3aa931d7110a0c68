"""Dirty keys: what has to be worked out again. Marking raises the mark; only the mark that was seen is taken away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from hub.store.database import Tx

Kind = Literal["item", "listing", "order", "movement"]
ITEM: Final[Kind] = "item"
LISTING: Final[Kind] = "listing"
ORDER: Final[Kind] = "order"
MOVEMENT: Final[Kind] = "movement"


class Dirty(NamedTuple):
    """A dirty key with the mark that was seen: an item (`a` is its id, `b` the aspect of it that is dirty, "" for all of
    it), a listing (`a` its channel, `b` the listing), an order (`a`), or a movement (`a` who tells of it, `b` its id there)."""

    kind: Kind
    a: str
    b: str
    mark: int


def mark(tx: Tx, keys: Iterable[tuple[Kind, str, str]], number: int) -> None:
    """Mark these keys dirty with this number, which must never have been used before.

    The number replaces the one that is there even when it is smaller (drawn earlier, committed later): if the larger stayed,
    a station that has seen it would clear this marking unseen.
    """
    tx.many(
        "INSERT INTO dirty (kind, a, b, mark) VALUES (:kind, :a, :b, :mark) "
        "ON CONFLICT (kind, a, b) DO UPDATE SET mark = excluded.mark",
        [(kind, a, b, number) for kind, a, b in sorted(set(keys))],
    )


def mark_all_items(tx: Tx, number: int) -> None:
    """Mark every item dirty (after a change of rules, or when a stream has been heard for the first time)."""
    tx.execute(
        "INSERT INTO dirty (kind, a, b, mark) SELECT 'item', item, '', :number FROM items WHERE true "
        "ON CONFLICT (kind, a, b) DO UPDATE SET mark = excluded.mark",
        number=number,
    )


def oldest(tx: Tx, limit: int) -> list[Dirty]:
    """The items and listings that have waited longest."""
    rows = tx.query(
        "SELECT kind, a, b, mark FROM dirty WHERE kind IN ('item', 'listing') ORDER BY mark, kind, a, b LIMIT :limit", limit=limit
    )
    return [Dirty(*row) for row in rows]


def oldest_orders(tx: Tx, limit: int) -> list[Dirty]:
    """The orders that have waited longest (`a` is the order's id)."""
    rows = tx.query("SELECT kind, a, b, mark FROM dirty WHERE kind = 'order' ORDER BY mark, a LIMIT :limit", limit=limit)
    return [Dirty(*row) for row in rows]


def mark_all_movements(tx: Tx, number: int) -> None:
    """Mark every movement dirty (after a change of rules)."""
    tx.execute(
        "INSERT INTO dirty (kind, a, b, mark) SELECT 'movement', channel, movement, :number FROM movements WHERE true "
        "ON CONFLICT (kind, a, b) DO UPDATE SET mark = excluded.mark",
        number=number,
    )


def oldest_movements(tx: Tx, limit: int) -> list[Dirty]:
    """The movements that have waited longest."""
    rows = tx.query("SELECT kind, a, b, mark FROM dirty WHERE kind = 'movement' ORDER BY mark, a, b LIMIT :limit", limit=limit)
    return [Dirty(*row) for row in rows]


def clear(tx: Tx, seen: Sequence[Dirty]) -> None:
    """Take away what was worked out, unless it was marked again meanwhile."""
    tx.many(
        "DELETE FROM dirty WHERE kind = :kind AND a = :a AND b = :b AND mark = :mark",
        [(row.kind, row.a, row.b, row.mark) for row in seen],
    )


def count(tx: Tx) -> int:
    """How many keys are dirty."""
    return int(tx.query("SELECT count(*) FROM dirty")[0][0])
