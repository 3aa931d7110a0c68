"""Where orders leave from, and what was not found where, on every engine."""

from __future__ import annotations

from dataclasses import replace

from hub.store import routes
from hub.store.database import Database
from hub.store.routes import NotFound, Route


def _route(order: str, line: str, place: str, *, short: int = 0, item: str = "tee") -> Route:
    return Route(order, line, place, item, 2_000, short, {"why": "en å alene"})


def _missing(order: str, fact: str, *, place: str = "aarhus") -> NotFound:
    return NotFound(order, fact, "1", "tee", place, 1_000, 3_000, 17)


def test_routes_are_kept_with_the_number_of_their_decision(database: Database) -> None:
    first = [_route("o1", "1", "warehouse"), _route("o1", "2", "aarhus"), _route("o2", "1", "")]
    database.transaction(lambda tx: routes.replace_routes(tx, ["o1", "o2"], first, 7, 100))
    found = database.read(lambda tx: routes.routes_of(tx, ["o1", "none"]))
    assert found == [replace(each, seq=7, at=100) for each in first[:2]]
    again = [found[0], _route("o1", "2", "warehouse")]
    database.transaction(lambda tx: routes.replace_routes(tx, ["o1"], again, 9, 200))
    after = database.read(lambda tx: routes.routes_of(tx, ["o1"]))
    assert [(each.line, each.place, each.seq, each.at) for each in after] == [
        ("1", "warehouse", 7, 100),
        ("2", "warehouse", 9, 200),
    ]
    assert len(database.read(lambda tx: routes.routes_of(tx, ["o2"]))) == 1


def test_who_waits_for_an_item_is_found_by_it(database: Database) -> None:
    rows = [
        _route("o1", "1", "warehouse", short=1_000),
        _route("o2", "1", ""),
        _route("o3", "1", "warehouse"),
        _route("o4", "1", "warehouse", short=1_000, item="mug"),
    ]
    database.transaction(lambda tx: routes.replace_routes(tx, [], rows, 1, 1))
    assert database.read(lambda tx: routes.waiting(tx, ["tee"])) == ["o1", "o2"]
    assert database.read(lambda tx: routes.waiting(tx, [])) == []


def test_what_was_not_found_holds_until_it_is_lifted(database: Database) -> None:
    told = [_missing("o1", "till:F1"), _missing("o2", "till:F2", place="odense")]
    database.transaction(lambda tx: routes.keep_not_found(tx, told, 50))
    database.transaction(lambda tx: routes.keep_not_found(tx, [replace(told[0], quantity=9_000)], 60))
    kept = [replace(each, at=50) for each in told]
    assert database.read(lambda tx: routes.not_found_now(tx, ["tee", "mug"])) == kept
    database.transaction(lambda tx: routes.lift(tx, [kept[0]], 70))
    assert database.read(lambda tx: routes.not_found_now(tx, ["tee"])) == [kept[1]]
    assert database.read(lambda tx: routes.not_found_in(tx, ["o1"])) == [replace(kept[0], lifted_at=70)]
