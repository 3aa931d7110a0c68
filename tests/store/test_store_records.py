"""Ledger, shown prices, counters, dead letters, requests, holds and workers, on every engine."""

from __future__ import annotations

from hub.flow import Key
from hub.store import ledger, letters, requests
from hub.store.database import Database
from hub.store.ledger import Entry
from hub.store.letters import DeadLetter
from hub.store.requests import Asked, Hold

KEY = Key("shop", "L1", "stock", "")


def _letter(record: str, *, reason: str = "no price", kind: str = "record", at: int = 1) -> DeadLetter:
    return DeadLetter(kind, "shop", "items", record, "price", "<text, 3 chars>", reason, 5, at)


def test_the_ledger_tells_the_latest_first(database: Database) -> None:
    lines = [Entry(n, n * 10, "pushed", KEY, "item", {"til": n, "ord": "blåbær"}) for n in range(1, 301)]
    other = Entry(301, 3_010, "settled", Key("", "", "", ""), "item", None)
    database.transaction(lambda tx: ledger.write(tx, [*lines, other]))
    assert database.read(lambda tx: ledger.lines_of(tx, KEY, 2)) == [lines[299], lines[298]]
    assert database.read(lambda tx: ledger.latest(tx, 2)) == [other, lines[299]]
    assert database.transaction(lambda tx: ledger.drop_before(tx, 31, 2)) == 2
    assert database.transaction(lambda tx: ledger.drop_before(tx, 31, 2)) == 1
    assert len(database.read(lambda tx: ledger.latest(tx, 999))) == 298


def test_a_shown_price_goes_on_until_another_is_shown(database: Database) -> None:
    def show(amount: str, at: int, country: str = "DK") -> None:
        database.transaction(lambda tx: ledger.show_prices(tx, [("shop", "L1", country, amount, "DKK", at)]))

    show("99.95", 10)
    show("99.95", 20)
    show("79.95", 30)
    show("120", 30, "SE")
    assert database.read(lambda tx: ledger.prices_shown(tx, "shop", "L1")) == [
        ("DK", 10, 30, "99.95", "DKK"),
        ("DK", 30, None, "79.95", "DKK"),
        ("SE", 30, None, "120", "DKK"),
    ]
    show("89.95", 30)
    assert database.read(lambda tx: ledger.prices_shown(tx, "shop", "L1"))[1] == ("DK", 30, None, "89.95", "DKK")


def test_counters_add_up(database: Database) -> None:
    for more in (
        {("drift", "shop", "stock"): 2, ("drift", "till", ""): 2**61},
        {("drift", "shop", "stock"): 3, ("none", "", ""): 0},
    ):
        database.transaction(lambda tx, more=more: ledger.count(tx, more))  # type: ignore[misc]
    assert database.read(ledger.counters) == {("drift", "shop", "stock"): 5, ("drift", "till", ""): 2**61}


def test_the_same_fault_is_one_letter_that_is_counted(database: Database) -> None:
    database.transaction(lambda tx: letters.keep(tx, [_letter("7"), _letter("7"), _letter("7", reason="no name", at=3)]))
    database.transaction(lambda tx: letters.keep(tx, [_letter("7", at=2)]))
    newest, oldest = database.read(letters.open_letters)
    assert (newest.letter, newest.times, newest.state) == (_letter("7", reason="no name", at=3), 1, "open")
    assert (oldest.letter, oldest.times, oldest.id) == (_letter("7", at=2), 3, _letter("7").id)
    assert database.read(letters.count_open) == 2
    assert database.read(lambda tx: letters.open_letters(tx, 1)) == [newest]
    assert database.read(lambda tx: letters.fetch(tx, [oldest.id[:8]])) == [oldest]


def test_letters_about_changes_are_closed_by_their_key(database: Database) -> None:
    about = _letter("L1", kind="change")._replace(stream=KEY.aspect, path=KEY.place)
    others = [_letter("L1"), about._replace(path="aarhus"), about._replace(channel="till")]
    database.transaction(lambda tx: letters.keep(tx, [about, *others]))
    database.transaction(lambda tx: letters.close_of_changes(tx, [KEY, KEY, KEY._replace(listing="L2")]))
    assert {each.letter for each in database.read(letters.open_letters)} == set(others)


def test_letters_are_closed_and_opened_again(database: Database) -> None:
    pushed = _letter("7", kind="change")
    database.transaction(lambda tx: letters.keep(tx, [_letter("7"), _letter("8"), pushed]))
    assert database.read(letters.open_records) == {("shop", "items", "7"), ("shop", "items", "8")}
    database.transaction(lambda tx: letters.close_of_record(tx, "shop", "items", ["7", "7", "9"]))
    assert {each.letter.record for each in database.read(letters.open_letters)} == {"7", "8"}
    database.transaction(lambda tx: letters.close(tx, [pushed.id, _letter("8").id]))
    assert database.read(letters.count_open) == 0
    database.transaction(lambda tx: letters.keep(tx, [_letter("8")]))
    assert [each.times for each in database.read(letters.open_letters)] == [2]


def test_a_request_is_answered_and_forgotten(database: Database) -> None:
    database.transaction(lambda tx: requests.ask(tx, "b", "replay", {"ids": ["æ"]}, 20))
    database.transaction(lambda tx: requests.ask(tx, "a", "pause", None, 10))
    assert [each.id for each in database.read(requests.waiting)] == ["a", "b"]
    assert database.read(lambda tx: requests.one(tx, "b")) == Asked("b", "replay", {"ids": ["æ"]}, "waiting", None, 20, 0)
    assert database.read(lambda tx: requests.one(tx, "c")) is None
    database.transaction(lambda tx: requests.answer(tx, "b", "done", {"replayed": 1}, 30))
    assert [each.id for each in database.read(lambda tx: requests.waiting(tx, 5))] == ["a"]
    assert database.read(lambda tx: requests.one(tx, "b")) == Asked(
        "b", "replay", {"ids": ["æ"]}, "done", {"replayed": 1}, 20, 30
    )
    assert database.transaction(lambda tx: requests.drop_before(tx, 31)) == 1
    assert database.read(lambda tx: requests.one(tx, "a")) is not None


def test_a_hold_is_decided_once(database: Database) -> None:
    first = Hold("h1", "shop", "zeroes", "40 of 50 to zero", 5, "open", 0)
    database.transaction(lambda tx: requests.hold(tx, first))
    database.transaction(lambda tx: requests.hold(tx, first._replace(words="41 of 50 to zero", at=9)))
    assert database.read(requests.holds) == [first._replace(words="41 of 50 to zero")]
    assert database.transaction(lambda tx: requests.close_hold(tx, "h1", "approved", 7)) == 1
    assert database.transaction(lambda tx: requests.close_hold(tx, "h1", "rejected", 8)) == 0
    assert database.read(requests.holds) == []
    assert [each.closed_at for each in database.read(lambda tx: requests.holds(tx, "approved"))] == [7]


def test_who_is_at_work(database: Database) -> None:
    for name, now in (("one", 10), ("two", 30), ("one", 40)):
        database.transaction(lambda tx, name=name, now=now: requests.seen_worker(tx, name, 1, now, "0.1", ""))  # type: ignore[misc]
    assert database.read(requests.workers) == [("one", 1, 40, "0.1"), ("two", 1, 30, "0.1")]
