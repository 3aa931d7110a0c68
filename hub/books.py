"""Books of a day: the sales of a till as one document a day, where the books want them so.

A day's book is an order of its own: while the day lasts it is held, when the day is over it says the sum of its sales and
walks like any order. A sale that comes late stands in the book that is open when it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from hub.canonical.values import Micros, Plain
from hub.clock import Clock
from hub.desired.order import ORIGIN, RETURN, Saying
from hub.settings.dates import day_of
from hub.settings.model import Config
from hub.store import books, dirty, orders
from hub.store.books import Book
from hub.store.database import Database, Tx
from hub.store.orders import Order, OrderBinding

CLOSED_MAX: Final = 20
"""Books closed in one step."""
DAY: Final = "day"
"""The field of a book's record that says which day it is about."""
LATE_SECONDS: Final = 600
"""How long after its day's end a book still waits for that day's sales."""


class Days(NamedTuple):
    """When the days of a till's books end."""

    zone: str
    ends: str


class Entry(NamedTuple):
    """A record that belongs into a book: a till's receipt, at our location, in its currency, when it was rung up."""

    channel: str
    their: str
    place: str
    currency: str
    at: int


class Books:
    """Enters sales into the books of their day, and closes those whose day is over."""

    def __init__(self, config: Config, clock: Clock, database: Database) -> None:
        self._config = config
        self._clock = clock
        self._database = database
        self.days: dict[str, Days] = {}
        """Till → its days; only of tills that are booked daily somewhere."""
        for settings in config.channels.values():
            for till, how in settings.orders.books.items():
                if how == "daily":
                    self.days.setdefault(till, Days(settings.orders.time_zone, settings.orders.day_ends))

    def entries(self, sayings: Sequence[Saying], places: Mapping[tuple[str, str], str]) -> list[Entry]:
        """Which of these records belong into a book: sales over the counter and what came back of them."""
        found = []
        for each in sayings:
            record = each.record
            counted = each.role in (ORIGIN, RETURN) and record["state"] == "ended" and DAY not in record
            if not counted or each.channel not in self.days:
                continue
            place = places.get((each.channel, str(record.get("place") or "")), "")
            found.append(Entry(each.channel, each.their, place, str(record["currency"]), int(record.get("placed_at") or 0)))
        return found

    def enter(self, tx: Tx, found: Sequence[Entry], now: int) -> None:
        """Enter what stands in no book yet, in the book of its own day while that is open, else in today's."""
        known = books.entered(tx, [(each.channel, each.their) for each in found])
        for each in found:
            if (each.channel, each.their) in known:
                continue
            book = self._book(tx, each, min(each.at or now, now)) or self._book(tx, each, now)
            if book is not None:
                books.enter(tx, [(each.channel, each.their, book)])

    def _book(self, tx: Tx, each: Entry, at: int) -> str | None:
        """The open book of that moment's day, made where there is none; None when it is closed."""
        now, (zone, ends) = self._clock.now(), self.days[each.channel]
        day, over = day_of(Micros(at), zone, ends)
        for book in books.books(tx, each.channel, [day]):
            if (book.place, book.currency) == (each.place, each.currency):
                return book.order if book.state == "open" else None
        closes_at = over + LATE_SECONDS * 1_000_000
        if closes_at <= now:
            return None
        made = Book(self._clock.token(), each.channel, each.place, each.currency, day, closes_at, "open")
        prefix = self._config.prefix_of(each.channel)
        marks = [mark for mark in (day, each.place, each.currency) if mark]
        number, their = "-".join([prefix, *marks]), f"{DAY}:{made.order}"
        order = Order(made.order, each.channel, their, number, "hold", at, now, False, each.currency, 0)
        books.keep(tx, [made])
        orders.save_orders(tx, [order])
        return made.order

    def close(self) -> bool:
        """Close the books whose day is over; they are worked off like any order then."""
        now = self._clock.now()
        if not self._database.read(lambda tx: books.due(tx, now, 1)):
            return False
        mark = self._database.next()

        def shut(tx: Tx) -> None:
            for book in books.due(tx, now, CLOSED_MAX):
                known = orders.bindings(tx, books.entries(tx, book.order))
                record = day_record(book, [binding.value for binding in known.values()], self._place(book))
                their = f"{DAY}:{book.order}"
                orders.save_bindings(tx, [OrderBinding(book.channel, their, book.order, ORIGIN, record, 0, now, mark, mark, now)])
                books.keep(tx, [Book(*(*_cells(book)[:-1], "closed"))])
                dirty.mark(tx, [(dirty.ORDER, book.order, "")], mark)

        self._database.transaction(shut)
        return True

    def _place(self, book: Book) -> str:
        location = self._config.locations.get(book.place)
        return location.channels.get(book.channel, "") if location is not None else ""


def _cells(book: Book) -> tuple[str, str, str, str, str, int, str]:
    return (book.order, book.channel, book.place, book.currency, book.day, book.closes_at, book.state)


def day_record(book: Book, records: Sequence[Mapping[str, Plain]], place: str) -> dict[str, Plain]:
    """One order record that says the sum of these: lines by thing, kind and tax, charges by kind and tax, payments by method."""
    lines: dict[tuple[str, ...], dict[str, Plain]] = {}
    charges: dict[tuple[str, ...], dict[str, Plain]] = {}
    payments: dict[tuple[str, ...], dict[str, Plain]] = {}
    for record in records:
        excluded = record["tax"] == "excluded"
        for row in record["lines"]:
            back = "back" if int(row["quantity"]) < 0 else "sold"
            kept = {name: row.get(name) for name in ("listing", "sku", "title", "kind", "tax_percent")}
            like = tuple(str(row.get(name) or "") for name in ("listing", "kind", "tax_percent"))
            _add(lines, (*like, back, _title(row)), kept, row, excluded)
        for row in record.get("charges") or ():
            kept = {name: row.get(name) for name in ("kind", "title", "tax_percent")}
            _add(charges, (str(row["kind"]), str(row.get("tax_percent") or "")), kept, row, excluded)
        for row in record.get("payments") or ():
            kept = {name: row.get(name) for name in ("kind", "method")}
            _add(payments, (str(row["kind"]), str(row.get("method") or "")), kept, row, False)
    return {
        "order": book.order,
        DAY: book.day,
        "state": "ended",
        "currency": book.currency,
        "tax": "included",
        "total_minor": sum(int(row["amount_minor"]) for row in (*lines.values(), *charges.values())),
        "place": place,
        "lines": [{**row, "line": str(number)} for number, row in enumerate(lines.values(), start=1)],
        "charges": [{**row, "charge": f"charge-{number}"} for number, row in enumerate(charges.values(), start=1)],
        "payments": [{**row, "payment": f"payment-{number}"} for number, row in enumerate(payments.values(), start=1)],
    }


def _title(row: Mapping[str, Plain]) -> str:
    """Things without a listing are told apart by their names."""
    return "" if row.get("listing") else str(row.get("title") or "")


def _add(
    into: dict[tuple[str, ...], dict[str, Plain]],
    key: tuple[str, ...],
    kept: dict[str, Plain],
    row: Mapping[str, Plain],
    excluded: bool,
) -> None:
    tax = int(row.get("tax_minor") or 0)
    found = into.setdefault(key, {**kept, "quantity": 0, "amount_minor": 0, "tax_minor": 0})
    found["quantity"] += int(row.get("quantity") or 0)
    found["amount_minor"] += int(row["amount_minor"]) + (tax if excluded else 0)
    found["tax_minor"] += tax
