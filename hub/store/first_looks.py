"""Reads for the first contact, in sets that begin after a key: nothing here grows with the size of a shop. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from hub.store.catalogue import Binding
from hub.store.database import Tx

_BINDING: Final = "b.channel, b.listing, b.item, b.state, b.sku, b.refs, b.factor, b.made_by, b.made_at, b.sweep, b.barcode"


class UnderWay(NamedTuple):
    """Goods that left and have not arrived: who tells, which of its listings, its own ids of both places, thousandths."""

    channel: str
    listing: str
    from_place: str
    to_place: str
    quantity: int


def bindings_after(tx: Tx, channel: str, after: str, limit: int) -> list[Binding]:
    """The next bindings of a channel that are neither gone nor ignored, in order of listing, beginning after that one."""
    rows = tx.query(
        f"SELECT {_BINDING} FROM bindings b WHERE b.channel = :channel AND b.listing > :after "
        "AND b.state NOT IN ('gone', 'ignored') ORDER BY b.listing LIMIT :limit",
        channel=channel,
        after=after,
        limit=limit,
    )
    return [Binding(*row) for row in rows]


def items_after(tx: Tx, after: str, limit: int) -> list[tuple[str, str, str]]:
    """The next items as (item, SKU, barcode), in order of item, beginning after that one."""
    rows = tx.query(
        "SELECT item, sku, barcode FROM items WHERE item > :after ORDER BY item LIMIT :limit", after=after, limit=limit
    )
    return [(row[0], row[1], row[2]) for row in rows]


def items_by_barcode(tx: Tx, barcodes: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """The items with these barcodes (14 digits) as (item, SKU)."""
    rows = tx.query_keys(
        "SELECT i.barcode, i.item, i.sku FROM @keys(barcode) k CROSS JOIN items i WHERE i.barcode = k.barcode ORDER BY i.item",
        [(code,) for code in barcodes if code],
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for code, item, sku in rows:
        found.setdefault(code, []).append((item, sku))
    return found


def doubled_barcodes(tx: Tx, channel: str) -> set[str]:
    """The barcodes that more than one listing of a channel carries."""
    rows = tx.query(
        "SELECT barcode FROM bindings WHERE channel = :channel AND barcode <> '' AND state <> 'gone' "
        "GROUP BY barcode HAVING count(*) > 1",
        channel=channel,
    )
    return {row[0] for row in rows}


def doubled_skus(tx: Tx, channel: str, limit: int) -> list[tuple[str, int]]:
    """The SKUs that more than one listing of a channel carries, and how many do."""
    rows = tx.query(
        "SELECT sku, count(*) FROM bindings WHERE channel = :channel AND sku <> '' AND state <> 'gone' "
        "GROUP BY sku HAVING count(*) > 1 ORDER BY sku LIMIT :limit",
        channel=channel,
        limit=limit,
    )
    return [(row[0], int(row[1])) for row in rows]


def doubled_items(tx: Tx, limit: int) -> list[tuple[str, int]]:
    """The SKUs that more than one item has, and how many do."""
    rows = tx.query(
        "SELECT sku, count(*) FROM items WHERE sku <> '' GROUP BY sku HAVING count(*) > 1 ORDER BY sku LIMIT :limit", limit=limit
    )
    return [(row[0], int(row[1])) for row in rows]


def count_items(tx: Tx) -> int:
    """How many items there are."""
    return int(tx.query("SELECT count(*) FROM items")[0][0])


def unlisted_items(tx: Tx, channel: str, limit: int) -> tuple[int, list[str]]:
    """How many items have no listing on a channel, and the SKUs of the first of them."""
    where = "NOT EXISTS (SELECT 1 FROM bindings b WHERE b.item = i.item AND b.channel = :channel AND b.state = 'bound')"
    count = tx.query(f"SELECT count(*) FROM items i WHERE {where}", channel=channel)
    rows = tx.query(f"SELECT i.sku FROM items i WHERE {where} ORDER BY i.sku LIMIT :limit", channel=channel, limit=limit)
    return int(count[0][0]), [row[0] for row in rows]


def stock_keys_after(tx: Tx, channel: str, after: str, limit: int) -> list[str]:
    """The next listings of a channel that have a target for their stock, beginning after that one."""
    rows = tx.query(
        "SELECT DISTINCT listing FROM targets WHERE channel = :channel AND aspect = 'stock' AND listing > :after "
        "ORDER BY listing LIMIT :limit",
        channel=channel,
        after=after,
        limit=limit,
    )
    return [row[0] for row in rows]


def under_way(tx: Tx, limit: int) -> list[UnderWay]:
    """What left one place and has not arrived at the other, of all movements."""
    rows = tx.query(
        "SELECT p.channel, p.listing, m.from_place, m.to_place, p.dispatched - p.received FROM moved_parts p, movements m "
        "WHERE p.dispatched > p.received AND m.channel = p.channel AND m.movement = p.movement "
        "ORDER BY p.channel, p.movement, p.part LIMIT :limit",
        limit=limit,
    )
    return [UnderWay(row[0], row[1], row[2], row[3], int(row[4])) for row in rows]


def order_counts(tx: Tx) -> dict[tuple[str, str, bool], int]:
    """How many orders there are by (channel, state, placed before the hub's time there)."""
    rows = tx.query("SELECT channel, state, history, count(*) FROM orders GROUP BY channel, state, history")
    return {(row[0], row[1], bool(row[2])): int(row[3]) for row in rows}
