"""Velocities: how much of each item was sold lately, faded to one moment. Their only writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.store.database import Tx


class Velocity(NamedTuple):
    """So many thousandths of an item count as of `at` (microseconds): each sale fades from then on."""

    item: str
    units: int
    at: int


def velocities(tx: Tx, items: Iterable[str]) -> dict[str, Velocity]:
    """Those of these items of which anything was sold."""
    rows = tx.query_keys(
        "SELECT v.item, v.units, v.at FROM @keys(item) k CROSS JOIN velocities v WHERE v.item = k.item",
        [(item,) for item in items],
    )
    return {row[0]: Velocity(*row) for row in rows}


def save_velocities(tx: Tx, rows: Sequence[Velocity]) -> None:
    """Keep these, one for an item."""
    tx.many(
        "INSERT INTO velocities (item, units, at) VALUES (:item, :units, :at) "
        "ON CONFLICT (item) DO UPDATE SET units = excluded.units, at = excluded.at",
        [tuple(row) for row in rows],
    )
