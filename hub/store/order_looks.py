"""Orders as people look at them: found by any of their names, with what was sent about them. Readings only, no person in them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from hub.canonical.json import stored_json
from hub.canonical.values import Plain
from hub.flow import Aspect, Key
from hub.store.database import Tx
from hub.store.ledger import Entry
from hub.store.orders import COLUMNS, WAITS, Order, order_of

_STUCK = (
    f"({WAITS} OR EXISTS (SELECT 1 FROM changes c WHERE c.listing = o.\"order\" AND c.aspect = 'order' "
    "AND c.state IN ('refused', 'held')))"
)


class Sent(NamedTuple):
    """A receipt of a change about an order: which fact of it, what came of it, in whose words and by which request."""

    key: Key
    seq: int
    after: Plain
    outcome: str
    words: str
    request_id: str
    at: int


class Kept(NamedTuple):
    """That a person is kept behind an order: their country ("" when untold) and since when, never who."""

    country: str
    at: int


def latest(tx: Tx, limit: int, *, channel: str = "", stuck: bool = False) -> list[Order]:
    """The orders heard of last, newest first: of one channel only where one is named; with `stuck` only those that something
    keeps from going on: words of the hub, a refused or a held change."""
    rows = tx.query(
        f"SELECT {COLUMNS} FROM orders o WHERE (o.channel = :channel OR :channel = '') "
        + (f"AND {_STUCK} " if stuck else "")
        + 'ORDER BY o.seen_at DESC, o."order" LIMIT :limit',
        channel=channel,
        limit=limit,
    )
    return [order_of(row) for row in rows]


def named(tx: Tx, name: str) -> list[Order]:
    """The orders that this is a name of: our id, the human number, or any system's own id."""
    rows = tx.query(
        f'SELECT {COLUMNS} FROM orders o WHERE o."order" = :name OR o.number = :name OR o.their = :name OR o."order" IN '
        '(SELECT b."order" FROM order_bindings b WHERE b.their = :name) ORDER BY o.seen_at DESC, o."order" LIMIT 100',
        name=name,
    )
    return [order_of(row) for row in rows]


def only(tx: Tx, name: str) -> Order | str:
    """The one order of this name (our id and the number before any system's own id); else why there is not one, in words."""
    found = named(tx, name)
    exact = [each for each in found if name in (each.order, each.number)] or found
    if not exact:
        return f"no order has the number or id `{name}`: `samklang orders` lists the latest"
    if len(exact) > 1:
        return f"several orders have the id `{name}`: name one of {', '.join(each.number for each in exact)}"
    return exact[0]


def numbers(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """Our order ids → the human numbers."""
    rows = tx.query_keys(
        'SELECT o."order", o.number FROM @keys(id) k CROSS JOIN orders o WHERE o."order" = k.id', [(each,) for each in ids]
    )
    return {row[0]: row[1] for row in rows}


def sent(tx: Tx, keys: Iterable[tuple[str, str]]) -> list[Sent]:
    """Every kept receipt about these (channel, our order id), oldest first."""
    rows = tx.query_keys(
        "SELECT r.channel, r.listing, r.aspect, r.place, r.seq, r.after, r.outcome, r.words, r.request_id, r.at "
        "FROM @keys(channel, listing) k CROSS JOIN receipts r WHERE r.channel = k.channel AND r.listing = k.listing "
        "AND r.aspect = :aspect ORDER BY r.seq",
        keys,
        aspect=str(Aspect.ORDER),
    )
    return [Sent(Key(*row[:4]), row[4], stored_json(row[5]), *row[6:]) for row in rows]


def told(tx: Tx, keys: Iterable[tuple[str, str]]) -> list[Entry]:
    """The ledger's lines about these (channel, our order id), oldest first."""
    rows = tx.query_keys(
        "SELECT l.seq, l.at, l.event, l.channel, l.listing, l.aspect, l.place, l.item, l.words "
        "FROM @keys(channel, listing) k CROSS JOIN ledger l WHERE l.channel = k.channel AND l.listing = k.listing "
        "AND l.aspect = :aspect ORDER BY l.seq",
        keys,
        aspect=str(Aspect.ORDER),
    )
    return [Entry(row[0], row[1], row[2], Key(*row[3:7]), row[7], json.loads(row[8])) for row in rows]


def persons_kept(tx: Tx, ids: Iterable[str]) -> dict[str, Kept]:
    """Behind which of these orders a person is kept."""
    rows = tx.query_keys(
        'SELECT p."order", p.country, p.at FROM @keys(id) k CROSS JOIN parties p WHERE p."order" = k.id', [(i,) for i in ids]
    )
    return {row[0]: Kept(row[1], row[2]) for row in rows}
