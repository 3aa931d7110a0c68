"""Several workers on one store: no mark lost, every change sent by one sender, no number drawn twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from store_places import Place

from hub.flow import Key
from hub.store import catalogue, changes, cursors, dirty, ledger
from hub.store.catalogue import Item
from hub.store.changes import OpenChange
from hub.store.database import Database, Tx
from hub.store.dirty import Dirty

ROUNDS = 40
T = TypeVar("T")


def _together(*works: Callable[[], T]) -> list[T]:
    """Run the works at the same time, each on a thread of its own; the first failure is raised."""
    barrier = threading.Barrier(len(works))

    def one(work: Callable[[], T]) -> T:
        barrier.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return [each.result(120) for each in [threads.submit(one, work) for work in works]]


def test_no_mark_is_lost_while_a_station_clears(place: Place) -> None:
    """Two writers change a figure and mark it dirty; the station copies what it saw. At rest the copy is the last figure."""
    writers = [place.open(), place.open()]
    station = place.open()
    finished: list[int] = []

    def write(database: Database, name: str) -> None:
        for value in range(1, ROUNDS + 1):
            number = database.next()

            def unit(tx: Tx, value: int = value, number: int = number) -> None:
                catalogue.save_catalogue(tx, [(f"i{n}", name, "", str(value), number) for n in range(3)])
                dirty.mark(tx, [(dirty.ITEM, f"i{n}", "") for n in range(3)], number)

            database.transaction(unit)
        finished.append(1)

    def look(tx: Tx) -> tuple[list[Dirty], dict[str, dict[tuple[str, str], object]]]:
        seen = dirty.oldest(tx, 2)
        return seen, catalogue.catalogue(tx, [each.a for each in seen])

    def clear() -> None:
        while True:
            ended = len(finished) == len(writers)
            seen, known = station.read(look)
            if not seen and ended:
                return

            def unit(tx: Tx, seen: list[Dirty] = seen, known: dict[str, dict[tuple[str, str], object]] = known) -> None:
                rows = [
                    (f"copy {item}", name, "", str(value), 0) for item, said in known.items() for (name, _), value in said.items()
                ]
                catalogue.save_catalogue(tx, rows)
                dirty.clear(tx, seen)

            station.transaction(unit)

    _together(lambda: write(writers[0], "one"), lambda: write(writers[1], "two"), clear)
    both = {("one", ""): ROUNDS, ("two", ""): ROUNDS}
    assert station.read(lambda tx: catalogue.catalogue(tx, [f"copy i{n}" for n in range(3)])) == {
        f"copy i{n}": both for n in range(3)
    }


def test_every_change_is_taken_by_one_sender(place: Place) -> None:
    senders = [place.open(), place.open(), place.open()]
    rows = [OpenChange(Key("shop", f"L{n:03}", "stock", ""), f"c{n}", "i", None, n, "intended", 0) for n in range(120)]
    senders[0].transaction(lambda tx: changes.intend(tx, rows))

    def claim(database: Database) -> list[str]:
        taken: list[str] = []
        while True:
            waiting = database.read(lambda tx: changes.open_in(tx, "shop", ["intended"], 10))
            if not waiting:
                return taken
            taken += database.transaction(partial(changes.send, chosen=waiting, at=1, seq=1))

    taken = [id for one in _together(*(lambda s=s: claim(s) for s in senders)) for id in one]
    assert sorted(taken) == sorted(row.id for row in rows)
    assert {each.attempts for each in senders[0].read(lambda tx: changes.open_in(tx, "shop", ["sent"], 999))} == {1}


def test_no_number_is_drawn_twice(place: Place) -> None:
    shared = place.open()
    others = [place.open(), place.open()]
    if place.shared_by_threads:
        others += [shared, shared]

    def draw(database: Database) -> list[int]:
        drawn: list[int] = []
        for count in range(1, ROUNDS):
            drawn += database.next_block(count * 13)
        assert drawn == sorted(drawn)
        return drawn

    drawn = [n for one in _together(*(lambda o=o: draw(o) for o in others)) for n in one]
    assert len(set(drawn)) == len(drawn) == len(others) * sum(count * 13 for count in range(1, ROUNDS))
    place.close(shared)
    for other in set(others) - {shared}:
        place.close(other)
    assert place.open().next() > max(drawn)


def test_counters_of_many_writers_add_up(place: Place) -> None:
    workers = [place.open() for _ in range(3)]

    def work(database: Database) -> None:
        for _ in range(ROUNDS):
            # Read, then write what was read: the classic lost update.
            def unit(tx: Tx) -> None:
                cursors.set_position(tx, "intake", cursors.position(tx, "intake") + 1)
                ledger.count(tx, {("sold", "shop", ""): 1})

            database.transaction(unit)

    _together(*(lambda w=w: work(w) for w in workers))
    assert workers[0].read(lambda tx: cursors.position(tx, "intake")) == 3 * ROUNDS
    assert workers[0].read(ledger.counters) == {("sold", "shop", ""): 3 * ROUNDS}


def test_two_reading_each_other_do_not_both_go_on(place: Place) -> None:
    """At most one of two writers may find the other absent (the case that a snapshot alone lets through)."""
    workers = [place.open(), place.open()]

    def enter(database: Database, me: str, other: str) -> bool:
        def unit(tx: Tx) -> bool:
            alone = not catalogue.items(tx, [other])
            if alone:
                catalogue.save_items(tx, [Item(me, me)])
            return alone

        return database.transaction(unit)

    for round in range(ROUNDS):
        one, two = f"one {round}", f"two {round}"
        entered = _together(partial(enter, workers[0], one, two), partial(enter, workers[1], two, one))
        assert sorted(entered) == [False, True]


def test_a_failing_unit_leaves_its_neighbours(place: Place) -> None:
    database = place.open()

    def work(name: str) -> int:
        failed = 0
        for n in range(ROUNDS):

            def unit(tx: Tx, n: int = n) -> None:
                catalogue.save_items(tx, [Item(f"{name}{n:02}", "")])
                if n % 3 == 0:
                    raise RuntimeError("this one fails")

            try:
                database.transaction(unit)
            except RuntimeError:
                failed += 1
        return failed

    names = ("a", "b", "c", "d")
    if place.shared_by_threads:
        failed = _together(*(lambda name=name: work(name) for name in names))
    else:
        failed = [work(name) for name in names]
    assert failed == [14, 14, 14, 14]
    kept = [f"{name}{n:02}" for name in names for n in range(ROUNDS) if n % 3]
    assert database.read(catalogue.all_item_ids) == kept


def test_a_read_sees_one_moment(place: Place) -> None:
    reader, writer = place.open(), place.open()

    def look(tx: Tx) -> tuple[list[str], list[str]]:
        before = catalogue.all_item_ids(tx)
        thread = threading.Thread(target=lambda: writer.transaction(lambda tx: catalogue.save_items(tx, [Item("new", "")])))
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
        return before, catalogue.all_item_ids(tx)

    assert reader.read(look) == ([], [])
    assert reader.read(catalogue.all_item_ids) == ["new"]
