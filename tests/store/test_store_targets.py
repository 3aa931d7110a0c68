"""Targets and observations, on every engine."""

from __future__ import annotations

from hub.flow import Aspect, Key, Observation, Target
from hub.store import targets
from hub.store.database import Database
from hub.store.targets import StoredObservation, StoredTarget

HUNDREDS = 600


def _key(listing: str, aspect: str = Aspect.STOCK, channel: str = "shop") -> Key:
    return Key(channel, listing, aspect, "")


def _seen(listing: str, on_hand: int, *, told: bool = True, flips: int = 0) -> StoredObservation:
    return StoredObservation(Observation(_key(listing), {"on_hand": on_hand}, told, 2**55, 4, 5, 6, 7), flips, flips * 10)


def test_targets_are_kept_in_sets_and_replaced(database: Database) -> None:
    rows = [Target(_key(f"L{n:03}"), f"i{n}", {"on_hand": n}, ["fordi ø", n]) for n in range(HUNDREDS)]
    database.transaction(lambda tx: targets.save_targets(tx, rows, 10))
    newer = Target(_key("L001"), "i1", {"on_hand": 0}, [])
    price = Target(_key("L001", Aspect.PRICE), "i1", {"amount": "9.95"}, None)
    other = Target(_key("L001", channel="till"), "i1", {"on_hand": 0}, None)
    database.transaction(lambda tx: targets.save_targets(tx, [newer, price, other], 20))
    assert database.read(lambda tx: targets.targets_of(tx, [("shop", "L001"), ("shop", "L002"), ("shop", "none")])) == {
        newer.key: StoredTarget(newer, 20),
        price.key: StoredTarget(price, 20),
        rows[2].key: StoredTarget(rows[2], 10),
    }
    assert len(database.read(lambda tx: targets.targets_in(tx, "shop"))) == HUNDREDS + 1
    database.transaction(lambda tx: targets.drop_targets(tx, [newer.key, *(row.key for row in rows[2:])]))
    assert set(database.read(lambda tx: targets.targets_in(tx, "shop"))) == {rows[0].key, price.key}


def test_observations_are_kept_in_sets_and_replaced(database: Database) -> None:
    rows = [_seen(f"L{n:03}", n) for n in range(HUNDREDS)]
    database.transaction(lambda tx: targets.save_observations(tx, rows))
    newer = _seen("L001", 0, told=False, flips=2)
    database.transaction(lambda tx: targets.save_observations(tx, [newer]))
    found = database.read(lambda tx: targets.observations_of(tx, [("shop", f"L{n:03}") for n in range(HUNDREDS)]))
    assert found == {row.observation.key: row for row in [rows[0], newer, *rows[2:]]}
    assert found[_key("L001")].observation.told is False
    for left in (1, 0, 0):
        database.transaction(lambda tx: targets.explain_rises(tx, [("shop", "L001"), ("shop", "L002")]))
        again = database.read(lambda tx: targets.observations_of(tx, [("shop", "L001"), ("shop", "L002")]))
        assert [again[_key(name)].flips for name in ("L001", "L002")] == [left, 0]
    database.transaction(lambda tx: targets.drop_observations(tx, [("shop", f"L{n:03}") for n in range(1, HUNDREDS)]))
    assert database.read(lambda tx: targets.observations_in(tx, "shop")) == {_key("L000"): rows[0]}
    assert database.read(lambda tx: targets.observations_in(tx, "till")) == {}


def test_nothing_asked_nothing_done(database: Database) -> None:
    database.transaction(lambda tx: targets.save_targets(tx, [], 1))
    database.transaction(lambda tx: targets.drop_observations(tx, []))
    assert database.read(lambda tx: targets.targets_of(tx, [])) == {}
    assert database.read(lambda tx: targets.observations_of(tx, [])) == {}
