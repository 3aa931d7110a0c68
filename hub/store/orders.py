"""Orders, what each system says of them, and reservations. The only writer of these tables. No person is in any of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.flow import Key
from hub.store.database import Row, Tx

PROVISIONAL: Final = "provisional"
"""The state of what counts as sold although no order says so yet."""
UNREAD: Final = "unread"
"""The state of what an order takes that is not understood as a whole."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order: `order` is our id, (channel, their) where it was born, `number` the human number that goes everywhere.

    `history`: placed before the hub's time here; bound, never reserved or exported. `words`: why it is stuck, when it is.
    `by_hand`: what only a person can do for it, and `settled` these words as they were when a person said that it
    is done: in other words it waits anew.
    """

    order: str
    channel: str
    their: str
    number: str
    state: str
    placed_at: int
    seen_at: int
    history: bool
    currency: str
    total_minor: int
    words: str = ""
    by_hand: str = ""
    settled: str = ""

    @property
    def asks(self) -> str:
        """What a person is still to do, "" when nothing."""
        return self.by_hand if self.by_hand != self.settled else ""


@dataclass(frozen=True, slots=True)
class OrderBinding:
    """What one system says of an order: `role` is one of `hub.desired.order`; `value` its order record, without persons."""

    channel: str
    their: str
    order: str
    role: str
    value: Plain
    version: int
    as_of: int
    begun: int
    seq: int
    at: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units of an item that are promised: per order, line and part ("" the open rest, else a fulfilment's key).

    `origin` is the channel that sold, `state` open, provisional or what happened to the part; it counts until the figure of
    its place contains it. `until` (0: none) ends a hold.
    """

    order: str
    line: str
    part: str
    item: str
    place: str
    quantity: int
    origin: str
    state: str
    seq: int
    as_of: int
    until: int = 0

    @property
    def teller(self) -> str:
        """Which channel said that the part left; "" for the open rest."""
        return self.part.partition(":")[0] if self.state != PROVISIONAL else ""


def unread_name(channel: str, record: str) -> str:
    """What stands in place of our id of an order that is not understood: its dead letter's channel and record."""
    return f"?{channel} {record}"


def fallen(key: Key, item: str, quantity: int, mark: int, at: int) -> Reservation:
    """What a channel shows fewer of than before: sold there, until its orders were read past this."""
    # One page may tell of several places of a listing.
    part = f"{mark} {key.place}".rstrip()
    return Reservation(f"?{key.channel}", key.listing, part, item, key.place, quantity, key.channel, PROVISIONAL, mark, at)


COLUMNS: Final = (
    'o."order", o.channel, o.their, o.number, o.state, o.placed_at, o.seen_at, o.history, o.currency, o.total_minor, o.words, '
    "o.by_hand, o.settled"
)
"""What `order_of` makes an order of, in a query that calls the table `o`."""
WAITS: Final = "(o.words <> '' OR (o.by_hand <> '' AND o.by_hand <> o.settled))"
"""Whether an order waits for a mend or for a person."""
_BINDING = 'b.channel, b.their, b."order", b.role, b.value, b.version, b.as_of, b.begun, b.seq, b.at'
_RESERVED = 'r."order", r.line, r.part, r.item, r.place, r.quantity, r.origin, r.state, r.seq, r.as_of, r.until'


def order_of(row: Row) -> Order:
    """The order that is in these columns."""
    order, channel, their, number, state, placed_at, seen_at, history, *more = row
    return Order(order, channel, their, number, state, placed_at, seen_at, bool(history), *more)


def orders(tx: Tx, ids: Iterable[str]) -> dict[str, Order]:
    """The orders with these ids."""
    rows = tx.query_keys(f'SELECT {COLUMNS} FROM @keys(id) k CROSS JOIN orders o WHERE o."order" = k.id', [(i,) for i in ids])
    return {row[0]: order_of(row) for row in rows}


def by_number(tx: Tx, numbers: Iterable[str]) -> dict[str, Order]:
    """The orders with these human numbers (our reference)."""
    rows = tx.query_keys(
        f"SELECT {COLUMNS} FROM @keys(number) k CROSS JOIN orders o WHERE o.number = k.number", [(n,) for n in numbers if n]
    )
    return {row[3]: order_of(row) for row in rows}


def latest(tx: Tx, limit: int, *, stuck: bool = False) -> list[Order]:
    """The latest orders (only those that are stuck), newest first."""
    where = f"WHERE {WAITS} " if stuck else ""
    rows = tx.query(f"SELECT {COLUMNS} FROM orders o {where}ORDER BY o.seen_at DESC LIMIT :limit", limit=limit)
    return [order_of(row) for row in rows]


def stuck(tx: Tx, limit: int) -> list[str]:
    """The orders that wait for a mend, the oldest first: our ids. No mend does what is to be done by hand."""
    rows = tx.query("SELECT o.\"order\" FROM orders o WHERE o.words <> '' ORDER BY o.seen_at LIMIT :limit", limit=limit)
    return [row[0] for row in rows]


def save_orders(tx: Tx, rows: Sequence[Order]) -> None:
    """Keep the orders, new or changed."""
    tx.many(
        'INSERT INTO orders ("order", channel, their, number, state, placed_at, seen_at, history, currency, total_minor, words, '
        "by_hand) VALUES (:order, :channel, :their, :number, :state, :placed_at, :seen_at, :history, :currency, "
        ":total_minor, :words, :by_hand) "
        'ON CONFLICT ("order") DO UPDATE SET state = excluded.state, placed_at = excluded.placed_at, '
        "currency = excluded.currency, total_minor = excluded.total_minor, words = excluded.words, "
        "by_hand = excluded.by_hand",
        [
            (
                o.order,
                o.channel,
                o.their,
                o.number,
                o.state,
                o.placed_at,
                o.seen_at,
                int(o.history),
                o.currency,
                o.total_minor,
                o.words,
                o.by_hand,
            )
            for o in rows
        ],
    )


def settle(tx: Tx, order: str) -> None:
    """What was to be done by hand for this order is done."""
    tx.execute('UPDATE orders SET settled = by_hand WHERE "order" = :order', order=order)


def bindings(tx: Tx, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], OrderBinding]:
    """What is known under these (channel, their id)."""
    rows = tx.query_keys(
        f"SELECT {_BINDING} FROM @keys(channel, their) k CROSS JOIN order_bindings b "
        "WHERE b.channel = k.channel AND b.their = k.their",
        keys,
    )
    return {(row[0], row[1]): _binding(row) for row in rows}


def bindings_of(tx: Tx, ids: Iterable[str]) -> list[OrderBinding]:
    """Everything that any system says of these orders."""
    rows = tx.query_keys(
        f'SELECT {_BINDING} FROM @keys(id) k CROSS JOIN order_bindings b WHERE b."order" = k.id ORDER BY b.channel, b.their',
        [(i,) for i in ids],
    )
    return [_binding(row) for row in rows]


def save_bindings(tx: Tx, rows: Sequence[OrderBinding]) -> None:
    """Keep what systems say; an older statement never replaces a newer one: by version where both have one, else by when
    its reading began."""
    tx.many(
        'INSERT INTO order_bindings (channel, their, "order", role, value, version, as_of, begun, seq, at) VALUES (:channel, '
        ":their, :order, :role, :value, :version, :as_of, :begun, :seq, :at) ON CONFLICT (channel, their) DO UPDATE SET "
        "value = excluded.value, version = excluded.version, as_of = excluded.as_of, begun = excluded.begun, "
        "seq = excluded.seq, at = excluded.at "
        "WHERE (excluded.version > 0 AND order_bindings.version > 0 AND excluded.version >= order_bindings.version) "
        "OR ((excluded.version = 0 OR order_bindings.version = 0) AND excluded.begun >= order_bindings.begun)",
        [(b.channel, b.their, b.order, b.role, write_json(b.value), b.version, b.as_of, b.begun, b.seq, b.at) for b in rows],
    )


def open_unsaid(tx: Tx, channel: str, before: int, limit: int) -> tuple[list[str], int]:
    """A channel's own ids of open orders that were born there and not said again since a time, and how many are open at all."""
    where = (
        "FROM order_bindings b CROSS JOIN orders o WHERE b.channel = :channel AND b.role = 'origin' "
        "AND o.\"order\" = b.\"order\" AND o.history = 0 AND o.state IN ('hold', 'reserve', 'release')"
    )
    rows = tx.query(
        f"SELECT b.their {where} AND b.at < :before ORDER BY b.at, b.their LIMIT :limit",
        channel=channel,
        before=before,
        limit=limit,
    )
    return [row[0] for row in rows], int(tx.query(f"SELECT count(*) {where}", channel=channel)[0][0])


def reservations_of(tx: Tx, items: Iterable[str]) -> list[Reservation]:
    """All reservations of these items."""
    rows = tx.query_keys(
        f"SELECT {_RESERVED} FROM @keys(item) k CROSS JOIN reservations r WHERE r.item = k.item "
        'ORDER BY r.item, r."order", r.line, r.part',
        [(item,) for item in items],
    )
    return [Reservation(*row) for row in rows]


def reservations_for(tx: Tx, ids: Iterable[str]) -> list[Reservation]:
    """All reservations of these orders."""
    rows = tx.query_keys(
        f'SELECT {_RESERVED} FROM @keys(id) k CROSS JOIN reservations r WHERE r."order" = k.id '
        'ORDER BY r."order", r.line, r.part',
        [(i,) for i in ids],
    )
    return [Reservation(*row) for row in rows]


def all_reservations(tx: Tx, limit: int) -> list[Reservation]:
    """All reservations, at most so many."""
    rows = tx.query(f'SELECT {_RESERVED} FROM reservations r ORDER BY r."order", r.line, r.part LIMIT :limit', limit=limit)
    return [Reservation(*row) for row in rows]


def replace_reservations(tx: Tx, ids: Iterable[str], rows: Sequence[Reservation]) -> None:
    """From now on these are all the reservations of these orders."""
    tx.many('DELETE FROM reservations WHERE "order" = :order', [(i,) for i in sorted(set(ids))])
    reserve(tx, rows)


def reserve(tx: Tx, rows: Sequence[Reservation]) -> None:
    """Add reservations, or change them."""
    tx.many(
        'INSERT INTO reservations ("order", line, part, item, place, quantity, origin, state, seq, as_of, until) VALUES (:order, '
        ":line, :part, :item, :place, :quantity, :origin, :state, :seq, :as_of, :until) "
        'ON CONFLICT ("order", line, part) DO UPDATE SET item = excluded.item, place = excluded.place, '
        "quantity = excluded.quantity, state = excluded.state, seq = excluded.seq, as_of = excluded.as_of, "
        "until = excluded.until",
        [(r.order, r.line, r.part, r.item, r.place, r.quantity, r.origin, r.state, r.seq, r.as_of, r.until) for r in rows],
    )


def end_reservations(tx: Tx, rows: Sequence[Reservation]) -> None:
    """Take these away: contained, expired, or explained."""
    tx.many(
        'DELETE FROM reservations WHERE "order" = :order AND line = :line AND part = :part AND seq = :seq',
        [(r.order, r.line, r.part, r.seq) for r in rows],
    )


def items_waiting_for_figures(tx: Tx) -> set[str]:
    """The items of which something left (or fell unexplained, or is not understood) that may not be in a figure yet."""
    return {row[0] for row in tx.query("SELECT DISTINCT item FROM reservations WHERE part <> '' OR state = :s", s=UNREAD)}


def expired(tx: Tx, now: int, limit: int) -> list[Reservation]:
    """Holds whose time is over."""
    rows = tx.query(
        f"SELECT {_RESERVED} FROM reservations r WHERE r.until > 0 AND r.until <= :now ORDER BY r.until LIMIT :limit",
        now=now,
        limit=limit,
    )
    return [Reservation(*row) for row in rows]


def next_expiry(tx: Tx) -> int | None:
    """When the next hold runs out; None while nothing is held for a time."""
    first = tx.query("SELECT min(r.until) FROM reservations r WHERE r.until > 0")[0][0]
    return None if first is None else int(first)


def provisional(tx: Tx, channel: str) -> list[Reservation]:
    """Unexplained falls on a channel that count as sales until its order stream has been read past them."""
    rows = tx.query(
        f"SELECT {_RESERVED} FROM reservations r WHERE r.state = :state AND r.origin = :channel",
        state=PROVISIONAL,
        channel=channel,
    )
    return [Reservation(*row) for row in rows]


def _binding(row: Row) -> OrderBinding:
    channel, their, order, role, value, version, as_of, begun, seq, at = row
    return OrderBinding(channel, their, order, role, json.loads(value), version, as_of, begun, seq, at)
