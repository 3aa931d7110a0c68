"""Where the lines of orders leave from, as decided, and what staff did not find where. The only writer of both tables.

No person is in any of them: a decision names places, items and quantities, never where the parcel goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.canonical.json import stored_json, write_json
from hub.canonical.values import Plain
from hub.store.database import Row, Tx


@dataclass(frozen=True, slots=True)
class Route:
    """What one place was given of a line in all, also what left already, in thousandths of the line's unit; `short` of it was not
    there. `place` "" waits until a figure is known. `because` is the derivation; `seq` 0 is not stored yet."""

    order: str
    line: str
    place: str
    item: str
    quantity: int
    short: int
    because: Plain
    seq: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class NotFound:
    """Staff at a place said by `fact` (teller and fulfilment) that they cannot deliver this item of a line. It is held there
    until the figure is another than `on_hand` (-1: none was known) by a claim newer than `seen`; `lifted_at` 0: it is."""

    order: str
    fact: str
    line: str
    item: str
    place: str
    quantity: int
    on_hand: int
    seen: int
    at: int = 0
    lifted_at: int = 0


_ROUTE = 'r."order", r.line, r.place, r.item, r.quantity, r.short, r.because, r.seq, r.at'
_NOT_FOUND = 'n."order", n.fact, n.line, n.item, n.place, n.quantity, n.on_hand, n.seen, n.at, n.lifted_at'


def routes_of(tx: Tx, ids: Iterable[str]) -> list[Route]:
    """The routes of these orders, the earliest decided first."""
    rows = tx.query_keys(
        f'SELECT {_ROUTE} FROM @keys(id) k CROSS JOIN routes r WHERE r."order" = k.id ORDER BY r."order", r.seq, r.line, r.place',
        [(each,) for each in ids],
    )
    return [_route(row) for row in rows]


def replace_routes(tx: Tx, ids: Iterable[str], rows: Sequence[Route], seq: int, at: int) -> None:
    """From now on these are all the routes of these orders; those that are new get this number and time (microseconds)."""
    tx.many('DELETE FROM routes WHERE "order" = :order', [(each,) for each in sorted(set(ids))])
    tx.many(
        'INSERT INTO routes ("order", line, place, item, quantity, short, because, seq, at) VALUES (:order, :line, :place, '
        ":item, :quantity, :short, :because, :seq, :at)",
        [
            (r.order, r.line, r.place, r.item, r.quantity, r.short, write_json(r.because), r.seq or seq, r.at or at)
            for r in sorted(rows, key=lambda each: (each.order, each.line, each.place))
        ],
    )


def waiting(tx: Tx, items: Iterable[str]) -> list[str]:
    """The orders that wait for one of these items: short of it at a place, or at no place until a figure is known."""
    rows = tx.query_keys(
        'SELECT DISTINCT r."order" FROM @keys(item) k CROSS JOIN routes r '
        "WHERE r.item = k.item AND (r.short > 0 OR r.place = '') ORDER BY r.\"order\"",
        [(each,) for each in items],
    )
    return [row[0] for row in rows]


def not_found_in(tx: Tx, ids: Iterable[str]) -> list[NotFound]:
    """What was not found for these orders, lifted or not."""
    rows = tx.query_keys(
        f'SELECT {_NOT_FOUND} FROM @keys(id) k CROSS JOIN not_found n WHERE n."order" = k.id ORDER BY n."order", n.fact, n.line, '
        "n.item",
        [(each,) for each in ids],
    )
    return [NotFound(*row) for row in rows]


def not_found_now(tx: Tx, items: Iterable[str]) -> list[NotFound]:
    """What holds these items at places where they were not found."""
    rows = tx.query_keys(
        f"SELECT {_NOT_FOUND} FROM @keys(item) k CROSS JOIN not_found n WHERE n.item = k.item AND n.lifted_at = 0 "
        'ORDER BY n.item, n.place, n."order", n.fact, n.line',
        [(each,) for each in items],
    )
    return [NotFound(*row) for row in rows]


def keep_not_found(tx: Tx, rows: Sequence[NotFound], at: int) -> None:
    """Keep what was not found; each fact once, whatever it says later."""
    tx.many(
        'INSERT INTO not_found ("order", fact, line, item, place, quantity, on_hand, seen, at, lifted_at) VALUES (:order, :fact, '
        ":line, :item, :place, :quantity, :on_hand, :seen, :at, 0) "
        'ON CONFLICT ("order", fact, line, item) DO NOTHING',
        [(r.order, r.fact, r.line, r.item, r.place, r.quantity, r.on_hand, r.seen, at) for r in rows],
    )


def lift(tx: Tx, rows: Sequence[NotFound], at: int) -> None:
    """From now on these hold nothing any more: the place was counted, received or sold of it since."""
    tx.many(
        'UPDATE not_found SET lifted_at = :at WHERE lifted_at = 0 AND "order" = :order AND fact = :fact AND line = :line '
        "AND item = :item",
        [(at, r.order, r.fact, r.line, r.item) for r in rows],
    )


def _route(row: Row) -> Route:
    order, line, place, item, quantity, short, because, seq, at = row
    return Route(order, line, place, item, quantity, short, stored_json(because), seq, at)
