"""Books of a day in the store: a record stands in one book, and books close in their order."""

from __future__ import annotations

from hub.store import books
from hub.store.books import Book
from hub.store.database import Database


def book(order: str, day: str, closes_at: int, state: str = "open") -> Book:
    return Book(order, "till", "aarhus", "DKK", day, closes_at, state)


def test_a_record_stands_in_one_book_for_good(database: Database) -> None:
    database.transaction(lambda tx: books.keep(tx, [book("o1", "2026-11-20", 10), book("o2", "2026-11-21", 20)]))
    database.transaction(lambda tx: books.enter(tx, [("till", "a", "o1"), ("till", "b", "o1")]))
    database.transaction(lambda tx: books.enter(tx, [("till", "b", "o2"), ("till", "c", "o2")]))
    known = database.read(lambda tx: books.entered(tx, [("till", "a"), ("till", "b"), ("till", "c"), ("till", "d")]))
    assert known == {("till", "a"): "o1", ("till", "b"): "o1", ("till", "c"): "o2"}
    assert database.read(lambda tx: books.entries(tx, "o1")) == [("till", "a"), ("till", "b")]


def test_books_close_when_their_day_is_over(database: Database) -> None:
    database.transaction(lambda tx: books.keep(tx, [book("o1", "2026-11-20", 10), book("o2", "2026-11-21", 20)]))
    assert database.read(books.next_close) == 10
    assert database.read(lambda tx: [each.order for each in books.due(tx, 15, 5)]) == ["o1"]
    database.transaction(lambda tx: books.keep(tx, [book("o1", "2026-11-20", 10, "closed")]))
    assert database.read(books.next_close) == 20
    assert database.read(lambda tx: [each.state for each in books.books(tx, "till", ["2026-11-20"])]) == ["closed"]
    assert database.read(lambda tx: books.books(tx, "webshop", ["2026-11-20"])) == []
