"""How fast items sold lately, on every engine: one line for an item, and none for what nobody bought."""

from __future__ import annotations

from hub.store import velocities
from hub.store.database import Database
from hub.store.velocities import Velocity


def test_what_sold_is_kept_and_what_did_not_is_not_there(database: Database) -> None:
    for rows in ([Velocity("i1", 1_000, 1_500, 5), Velocity("i2", 2_000, 3_000, 6)], [Velocity("i1", 2_500, 4_000, 9)]):
        database.transaction(lambda tx, rows=rows: velocities.save_velocities(tx, rows))  # type: ignore[misc]
    known = database.read(lambda tx: velocities.velocities(tx, ["i2", "i1", "i3"]))
    assert known == {"i1": Velocity("i1", 2_500, 4_000, 9), "i2": Velocity("i2", 2_000, 3_000, 6)}
    assert database.read(lambda tx: velocities.velocities(tx, [])) == {}
