"""Velocities: how much of each item was sold lately, faded to one moment. Their only writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.store.database import Tx


class Velocity(NamedTuple):
    """So many thousandths of an item count as of `at` (microseconds), sales fading fast (`lately`) and slowly (`usually`)."""

    item: str
    lately: int
    usually: int
    at: int


def velocities(tx: Tx, items: Iterable[str]) -> dict[str, Velocity]:
    """Those of these items of which anything was sold."""
    rows = tx.query_keys(
        "SELECT v.item, v.lately, v.usually, v.at FROM @keys(item) k CROSS JOIN velocities v WHERE v.item = k.item",
        [(item,) for item in items],
    )
    return {row[0]: Velocity(*row) for row in rows}


def save_velocities(tx: Tx, rows: Sequence[Velocity]) -> None:
    """Keep these, one for an item."""
    tx.many(
        "INSERT INTO velocities (item, lately, usually, at) VALUES (:item, :lately, :usually, :at) "
        "ON CONFLICT (item) DO UPDATE SET lately = excluded.lately, usually = excluded.usually, at = excluded.at",
        [tuple(row) for row in rows],
    )
