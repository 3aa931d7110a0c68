"""Movements and their lines, on every engine."""

from __future__ import annotations

from dataclasses import replace

from hub.flow import Aspect, Key, Observation
from hub.store import dirty, movements, targets
from hub.store.database import Database
from hub.store.movements import Movement, Part
from hub.store.targets import StoredObservation

HUNDREDS = 300


def _head(n: int, *, seen_at: int = 0, at: int = 5, words: str = "") -> Movement:
    return Movement("erp", f"{n}", f"INT-{n}", "transfer", "dispatched", "3", "10", "", at, 2, 3, 4, n, seen_at or n, words)


def _line(n: int, part: str = "1", *, dispatched: int = 20_000, received: int = 20_000) -> Part:
    return Part("erp", f"{n}", part, "9", "TEE", 20_000, dispatched, received, 0, 5_000, {"aarhus": ("till", "X")})


def test_movements_and_their_lines_are_found_by_name(database: Database) -> None:
    heads, lines = [_head(n) for n in range(1, HUNDREDS)], [_line(n, part) for n in range(1, HUNDREDS) for part in ("1", "2")]
    database.transaction(lambda tx: movements.save_heads(tx, heads))
    database.transaction(lambda tx: movements.save_parts(tx, lines))
    names = [head.name for head in heads]
    assert database.read(lambda tx: movements.heads(tx, [*names, ("erp", "none")])) == {head.name: head for head in heads}
    assert database.read(lambda tx: movements.parts(tx, [("erp", "7"), ("till", "7")])) == {
        ("erp", "7"): [_line(7), _line(7, "2")]
    }


def test_what_is_told_anew_leaves_what_was_settled(database: Database) -> None:
    database.transaction(lambda tx: movements.save_parts(tx, [_line(1)]))
    anew = replace(_line(1), received=22_000, came_before=0, told={})
    database.transaction(lambda tx: movements.save_parts(tx, [anew]))
    assert database.read(lambda tx: movements.parts(tx, [("erp", "1")])) == {("erp", "1"): [replace(_line(1), received=22_000)]}
    settled = replace(_line(1), received=0, left_before=7, came_before=8, told={"aarhus": ("till", "Y")})
    database.transaction(lambda tx: movements.settle_parts(tx, [settled]))
    kept = replace(settled, received=22_000)
    assert database.read(lambda tx: movements.parts(tx, [("erp", "1")])) == {("erp", "1"): [kept]}


def test_the_latest_and_those_that_are_open(database: Database) -> None:
    heads = [_head(1, seen_at=10), _head(2, seen_at=30), _head(3, seen_at=20)]
    database.transaction(lambda tx: movements.save_heads(tx, heads))
    database.transaction(lambda tx: movements.save_parts(tx, [_line(1, received=18_000), _line(2), _line(3)]))
    assert [m.movement for m in database.read(lambda tx: movements.latest(tx, 2))] == ["2", "3"]
    assert [m.movement for m in database.read(lambda tx: movements.latest(tx, 9, only_open=True))] == ["1"]
    database.transaction(lambda tx: movements.say(tx, [(("erp", "3"), "TEE is no item")]))
    assert [m.movement for m in database.read(lambda tx: movements.latest(tx, 9, only_open=True))] == ["3", "1"]
    assert database.read(movements.count_open) == 2


def test_only_what_is_at_rest_and_dated_is_forgotten(database: Database) -> None:
    heads = [_head(1), _head(2, at=0), _head(3, words="stuck"), _head(4, at=50), _head(5)]
    database.transaction(lambda tx: movements.save_heads(tx, heads))
    database.transaction(lambda tx: movements.save_parts(tx, [_line(1), _line(5, received=0)]))
    assert database.read(lambda tx: movements.at_rest_before(tx, 50, 9)) == [("erp", "1")]
    assert database.transaction(lambda tx: movements.drop(tx, [("erp", "1"), ("erp", "1")])) == 2
    assert database.read(lambda tx: movements.heads(tx, [("erp", "1"), ("erp", "2")])) == {("erp", "2"): heads[1]}
    assert database.read(lambda tx: movements.parts(tx, [("erp", "1")])) == {}


def test_dirty_movements_stand_apart_from_items_and_orders(database: Database) -> None:
    database.transaction(lambda tx: movements.save_heads(tx, [_head(1), _head(2)]))
    database.transaction(lambda tx: dirty.mark(tx, [(dirty.MOVEMENT, "erp", "2"), (dirty.ITEM, "tee", "")], 5))
    assert [row.kind for row in database.read(lambda tx: dirty.oldest(tx, 9))] == ["item"]
    assert database.read(lambda tx: dirty.oldest_orders(tx, 9)) == []
    assert [row[1:] for row in database.read(lambda tx: dirty.oldest_movements(tx, 9))] == [("erp", "2", 5)]
    database.transaction(lambda tx: dirty.mark_all_movements(tx, 6))
    rows = database.read(lambda tx: dirty.oldest_movements(tx, 9))
    assert [row[1:] for row in rows] == [("erp", "1", 6), ("erp", "2", 6)]
    database.transaction(lambda tx: dirty.clear(tx, rows))
    assert database.read(lambda tx: dirty.oldest_movements(tx, 9)) == []


def test_what_was_told_of_a_movement_outlives_its_listing(database: Database) -> None:
    stock, moved = Key("till", "X", Aspect.STOCK), Key("till", "X", Aspect.MOVEMENT, "aarhus|erp:1:1")
    seen = [StoredObservation(Observation(key, {"moved": 1}, False, 0, 1, 1, 1, 0)) for key in (stock, moved)]
    database.transaction(lambda tx: targets.save_observations(tx, seen))
    database.transaction(lambda tx: targets.drop_observations(tx, [("till", "X")]))
    assert list(database.read(lambda tx: targets.observations_of(tx, [("till", "X")]))) == [moved]
    database.transaction(lambda tx: targets.drop_acknowledged(tx, [moved]))
    assert database.read(lambda tx: targets.observations_of(tx, [("till", "X")])) == {}
