"""Items, bindings, claims and the settled catalogue: what is known of the things themselves. Their only writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hub.canonical.json import stored_json, write_json
from hub.canonical.values import Plain
from hub.store.database import Tx


@dataclass(frozen=True, slots=True)
class Item:
    """Our item: `item` is our immutable id, the rest are attributes that may change."""

    item: str
    sku: str
    barcode: str = ""
    title: str = ""
    category: str = ""
    kind: str = "stocked"
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class Binding:
    """A listing on a channel and the item it sells. `state`: bound, unbound, ambiguous, ignored or gone.

    `factor` is how many of the item one listed unit takes (a box of 6). `sweep` numbers the last full reading that listed it.
    `barcode` is the listing's own, as 14 digits ("": none that can be compared).
    """

    channel: str
    listing: str
    item: str
    state: str
    sku: str = ""
    refs: str = "{}"
    factor: int = 1
    made_by: str = ""
    made_at: int = 0
    sweep: int = 0
    barcode: str = ""


class StoredClaim(NamedTuple):
    """A claim as stored: by the listing it was told of, so that it survives a change of binding."""

    channel: str
    listing: str
    aspect: str
    place: str
    value: Plain
    version: int
    as_of: int
    begun: int
    seq: int


_BINDING = "b.channel, b.listing, b.item, b.state, b.sku, b.refs, b.factor, b.made_by, b.made_at, b.sweep, b.barcode"


def items(tx: Tx, keys: Iterable[str]) -> dict[str, Item]:
    """The items with these ids."""
    rows = tx.query_keys(
        "SELECT i.item, i.sku, i.barcode, i.title, i.category, i.kind, i.created_at "
        "FROM @keys(item) k CROSS JOIN items i WHERE i.item = k.item",
        [(key,) for key in keys],
    )
    return {row[0]: Item(*row) for row in rows}


def items_by_sku(tx: Tx, skus: Iterable[str]) -> dict[str, list[Item]]:
    """The items that have exactly these SKUs; two under one SKU are ambiguous."""
    rows = tx.query_keys(
        "SELECT i.item, i.sku, i.barcode, i.title, i.category, i.kind, i.created_at "
        "FROM @keys(sku) k CROSS JOIN items i WHERE i.sku = k.sku ORDER BY i.item",
        [(sku,) for sku in skus if sku],
    )
    found: dict[str, list[Item]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(Item(*row))
    return found


def only_items(tx: Tx, skus: Iterable[str]) -> dict[str, str]:
    """SKU → the item that has it; what no item has, or more than one, is left out."""
    return {sku: found[0].item for sku, found in items_by_sku(tx, skus).items() if len(found) == 1}


def all_item_ids(tx: Tx) -> list[str]:
    """Every item's id, sorted."""
    return [row[0] for row in tx.query("SELECT item FROM items ORDER BY item")]


def save_items(tx: Tx, items: Sequence[Item]) -> None:
    """Keep the items, new or changed."""
    tx.many(
        "INSERT INTO items (item, sku, barcode, title, category, kind, created_at) VALUES (:item, :sku, :barcode, :title, "
        ":category, :kind, :created_at) ON CONFLICT (item) DO UPDATE SET sku = excluded.sku, barcode = excluded.barcode, "
        "title = excluded.title, category = excluded.category, kind = excluded.kind",
        [(i.item, i.sku, i.barcode, i.title, i.category, i.kind, i.created_at) for i in items],
    )


def bindings(tx: Tx, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Binding]:
    """The bindings of these (channel, listing)."""
    rows = tx.query_keys(
        f"SELECT {_BINDING} FROM @keys(channel, listing) k CROSS JOIN bindings b "
        "WHERE b.channel = k.channel AND b.listing = k.listing",
        keys,
    )
    return {(row[0], row[1]): Binding(*row) for row in rows}


def bindings_of(tx: Tx, items: Iterable[str]) -> list[Binding]:
    """All bindings of these items, in order of channel and listing."""
    rows = tx.query_keys(
        f"SELECT {_BINDING} FROM @keys(item) k CROSS JOIN bindings b WHERE b.item = k.item ORDER BY b.channel, b.listing",
        [(item,) for item in items if item],
    )
    return [Binding(*row) for row in rows]


def bindings_by_sku(tx: Tx, skus: Iterable[str]) -> list[Binding]:
    """All bindings whose listing carries one of these SKUs, in order of channel and listing."""
    rows = tx.query_keys(
        f"SELECT {_BINDING} FROM @keys(sku) k CROSS JOIN bindings b WHERE b.sku = k.sku ORDER BY b.channel, b.listing",
        [(sku,) for sku in skus if sku],
    )
    return [Binding(*row) for row in rows]


def bindings_in(tx: Tx, channel: str, state: str | None = None) -> list[Binding]:
    """All bindings of a channel (in one state), in order of listing."""
    rows = tx.query(
        f"SELECT {_BINDING} FROM bindings b WHERE b.channel = :channel AND (b.state = :state OR :state = '') ORDER BY b.listing",
        channel=channel,
        state=state or "",
    )
    return [Binding(*row) for row in rows]


def save_bindings(tx: Tx, bindings: Sequence[Binding]) -> None:
    """Keep the bindings, new or changed."""
    tx.many(
        "INSERT INTO bindings (channel, listing, item, state, sku, refs, factor, made_by, made_at, sweep, barcode) VALUES "
        "(:channel, :listing, :item, :state, :sku, :refs, :factor, :made_by, :made_at, :sweep, :barcode) "
        "ON CONFLICT (channel, listing) DO UPDATE "
        "SET item = excluded.item, state = excluded.state, sku = excluded.sku, refs = excluded.refs, "
        "factor = excluded.factor, made_by = excluded.made_by, made_at = excluded.made_at, sweep = excluded.sweep, "
        "barcode = excluded.barcode",
        [
            (b.channel, b.listing, b.item, b.state, b.sku, b.refs, b.factor, b.made_by, b.made_at, b.sweep, b.barcode)
            for b in bindings
        ],
    )


def count_bound(tx: Tx) -> dict[str, int]:
    """How many listings of each channel are bound."""
    return dict(tx.query("SELECT channel, count(*) FROM bindings WHERE state = 'bound' GROUP BY channel"))


def not_listed(tx: Tx, channel: str, sweep: int) -> tuple[list[str], int]:
    """The listings that this sweep did not list though they are not gone, and how many it did list."""
    missing = tx.query(
        "SELECT listing FROM bindings WHERE channel = :channel AND sweep < :sweep AND state <> 'gone' ORDER BY listing",
        channel=channel,
        sweep=sweep,
    )
    listed = tx.query("SELECT count(*) FROM bindings WHERE channel = :channel AND sweep = :sweep", channel=channel, sweep=sweep)
    return [row[0] for row in missing], int(listed[0][0])


def claims(tx: Tx, listings: Iterable[tuple[str, str]], aspect: str = "") -> list[StoredClaim]:
    """All claims told of these (channel, listing); of one aspect only, where one is named."""
    rows = tx.query_keys(
        "SELECT c.channel, c.listing, c.aspect, c.place, c.value, c.version, c.as_of, c.begun, c.seq "
        "FROM @keys(channel, listing) k CROSS JOIN claims c WHERE c.channel = k.channel AND c.listing = k.listing "
        "AND (c.aspect = :aspect OR :aspect = '') ORDER BY c.channel, c.listing, c.aspect, c.place",
        listings,
        aspect=aspect,
    )
    return [StoredClaim(row[0], row[1], row[2], row[3], stored_json(row[4]), row[5], row[6], row[7], row[8]) for row in rows]


def save_claims(tx: Tx, claims: Sequence[StoredClaim]) -> None:
    """Keep the claims that are not older than what is known: by the platform's version where both have one, else by when
    the reading began in the hub's own sequence."""
    tx.many(
        "INSERT INTO claims (channel, listing, aspect, place, value, version, as_of, begun, seq) VALUES (:channel, :listing, "
        ":aspect, :place, :value, :version, :as_of, :begun, :seq) ON CONFLICT (channel, listing, aspect, place) DO UPDATE SET "
        "value = excluded.value, version = excluded.version, as_of = excluded.as_of, begun = excluded.begun, "
        "seq = excluded.seq WHERE (excluded.version > 0 AND claims.version > 0 AND excluded.version >= claims.version) "
        "OR ((excluded.version = 0 OR claims.version = 0) AND excluded.begun >= claims.begun)",
        [(c.channel, c.listing, c.aspect, c.place, write_json(c.value), c.version, c.as_of, c.begun, c.seq) for c in claims],
    )


def catalogue(tx: Tx, items: Iterable[str], aspect: str = "") -> dict[str, dict[tuple[str, str], Plain]]:
    """The settled canonical values of these items by (aspect, place); of one aspect only, where one is named."""
    rows = tx.query_keys(
        "SELECT c.item, c.aspect, c.place, c.value FROM @keys(item) k CROSS JOIN catalogue c WHERE c.item = k.item "
        "AND (c.aspect = :aspect OR :aspect = '')",
        [(item,) for item in items],
        aspect=aspect,
    )
    found: dict[str, dict[tuple[str, str], Plain]] = {}
    for row in rows:
        found.setdefault(row[0], {})[(row[1], row[2])] = stored_json(row[3])
    return found


def save_catalogue(tx: Tx, rows: Sequence[tuple[str, str, str, str, int]]) -> None:
    """Keep settled values: (item, aspect, place, value as JSON text, at)."""
    tx.many(
        "INSERT INTO catalogue (item, aspect, place, value, at) VALUES (:item, :aspect, :place, :value, :at) "
        "ON CONFLICT (item, aspect, place) DO UPDATE SET value = excluded.value, at = excluded.at",
        rows,
    )
