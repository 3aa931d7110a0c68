"""The record of oversells, on every engine: told when it rises, told when it falls, and never twice."""

from __future__ import annotations

from hub.store import oversells
from hub.store.database import Database
from hub.store.oversells import Oversell


def _line(seq: int, item: str, quantity: int, rose: int, orders: tuple[str, ...] = ()) -> Oversell:
    return Oversell(seq, item, seq * 10, quantity, rose, ("webshop",) if orders else (), orders, "no" if orders else "", "said")


def test_what_is_oversold_now_is_what_was_recorded_last(database: Database) -> None:
    for line in (_line(1, "i1", 2000, 2000, ("W-1", "W-2")), _line(2, "i2", 1000, 1000, ("W-3",)), _line(3, "i1", 500, -1500)):
        assert database.transaction(lambda tx, line=line: oversells.record(tx, [line])) == [line]  # type: ignore[misc]
    assert database.read(lambda tx: oversells.levels(tx, ["i1", "i2", "i3"])) == {"i1": 500, "i2": 1000}
    assert [line.seq for line in database.read(lambda tx: oversells.latest(tx, 2))] == [3, 2]
    assert [line.item for line in database.read(oversells.standing)] == ["i1", "i2"]
    assert [line.orders for line in database.read(lambda tx: oversells.standing(tx, "i2"))] == [("W-3",)]
    assert database.read(oversells.counts) == (2, 2)

    database.transaction(lambda tx: oversells.record(tx, [_line(4, "i1", 0, -500)]))
    assert database.read(lambda tx: oversells.levels(tx, ["i1"])) == {}
    assert database.read(oversells.counts) == (1, 2)


def test_what_the_record_says_already_is_not_said_again(database: Database) -> None:
    database.transaction(lambda tx: oversells.record(tx, [_line(1, "i1", 1000, 1000, ("W-1",))]))
    assert database.transaction(lambda tx: oversells.record(tx, [_line(2, "i1", 1000, 1000, ("W-1",))])) == []
    assert len(database.read(lambda tx: oversells.latest(tx, 10))) == 1
