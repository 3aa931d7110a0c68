"""Orders over a store: who delivers them, what stays as it was decided, and what a place that cannot find it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pure_grounds import PIECE
from routed_grounds import AARHUS, POSTAL_CODE, WAREHOUSE, Grounds, line, order, sent, shop, short

from hub.clock import ManualClock
from hub.desired.order import Saying, facts
from hub.routed import AskedLine, Failed, asked
from hub.settings.model import RoutingRule
from hub.store import routes
from hub.store.database import Database, Tx
from hub.store.open import open_database
from hub.store.orders import Order


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "hub.db", clock=ManualClock(), threaded=False)
    yield opened
    opened.close()


FEWEST = RoutingRule(by=("fewest_parcels", "priority"), backorder_place=WAREHOUSE)


def test_without_rules_no_place_is_chosen_and_nothing_kept(database: Database) -> None:
    grounds = Grounds(database, shop())
    grounds.figure(WAREHOUSE, "tee", 5)
    found = grounds.decide(order("o1", line("1", "tee", 2)))
    assert found.of("o1") == {}
    assert found.rows == []


def test_a_pickup_order_stays_where_it_is_fetched_also_what_wraps_it(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(AARHUS, "tee", 1)
    wrapping = AskedLine("2", "", (), PIECE, {})
    found = grounds.decide(order("o1", line("1", "tee", 2), wrapping, pickup=AARHUS))
    assert sent(found, "o1") == {"1": {AARHUS: 2}, "2": {AARHUS: 1}}
    assert short(found) == {AARHUS: 1}


def test_what_others_were_promised_is_not_given_again(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(WAREHOUSE, "tee", 3)
    grounds.figure(AARHUS, "tee", 2)
    grounds.promised("before", "tee", 2, WAREHOUSE)
    assert sent(grounds.decide(order("o1", line("1", "tee", 2)), keep=False), "o1") == {"1": {AARHUS: 2}}
    grounds.promised("nowhere", "tee", 2)
    assert sent(grounds.decide(order("o1", line("1", "tee", 1)), keep=False), "o1") == {"1": {WAREHOUSE: 1}}
    last = grounds.decide(order("o1", line("1", "tee", 2)), keep=False)
    assert sent(last, "o1") == {"1": {WAREHOUSE: 2}}
    assert short(last) == {WAREHOUSE: 1}


def test_of_two_orders_the_earlier_gets_the_last_unit(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(WAREHOUSE, "tee", 1)
    grounds.figure(AARHUS, "tee", 0)
    late, early = order("a", line("1", "tee", 1), placed_at=9), order("b", line("1", "tee", 1), placed_at=3)
    found = grounds.decide(late, early)
    assert {row.order: row.short for row in found.rows} == {"a": PIECE, "b": 0}


def test_a_route_stays_when_another_place_becomes_the_better_one(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(AARHUS, "tee", 2)
    grounds.figure(WAREHOUSE, "tee", 0)
    assert sent(grounds.decide(order("o1", line("1", "tee", 2))), "o1") == {"1": {AARHUS: 2}}
    grounds.figure(WAREHOUSE, "tee", 50)
    again = grounds.decide(order("o1", line("1", "tee", 2)))
    assert sent(again, "o1") == {"1": {AARHUS: 2}}
    more = grounds.decide(order("o1", line("1", "tee", 5)))
    assert sent(more, "o1") == {"1": {AARHUS: 2, WAREHOUSE: 3}}
    fewer = grounds.decide(order("o1", line("1", "tee", 3)))
    assert sent(fewer, "o1") == {"1": {AARHUS: 2, WAREHOUSE: 1}}
    assert sent(grounds.decide(order("o1", line("1", "tee", 0))), "o1") == {"1": {AARHUS: 0}}


def test_what_left_is_part_of_what_a_place_was_given(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(WAREHOUSE, "tee", 2)
    grounds.figure(AARHUS, "tee", 1)
    assert sent(grounds.decide(order("o1", line("1", "tee", 3))), "o1") == {"1": {WAREHOUSE: 2, AARHUS: 1}}
    part = grounds.decide(order("o1", line("1", "tee", 3, {WAREHOUSE: 2})))
    assert sent(part, "o1") == {"1": {WAREHOUSE: 2, AARHUS: 1}}
    unasked = grounds.decide(order("o1", line("1", "tee", 3, {WAREHOUSE: 3})))
    assert sent(unasked, "o1") == {"1": {WAREHOUSE: 3}}


def test_a_cancelled_order_stays_where_it_was_routed(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(WAREHOUSE, "tee", 2)
    grounds.decide(order("o1", line("1", "tee", 2)))
    assert sent(grounds.decide(order("o1", line("1", "tee", 2), open=False)), "o1") == {"1": {WAREHOUSE: 2}}


def test_a_short_part_goes_where_goods_come_first(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(WAREHOUSE, "tee", 1)
    grounds.figure(AARHUS, "tee", 0)
    found = grounds.decide(order("o1", line("1", "tee", 2)))
    assert (sent(found, "o1"), short(found)) == ({"1": {WAREHOUSE: 2}}, {WAREHOUSE: 1})
    assert database.read(lambda tx: routes.waiting(tx, ["tee"])) == ["o1"]
    grounds.figure(AARHUS, "tee", 4)
    later = grounds.decide(order("o1", line("1", "tee", 2)))
    assert (sent(later, "o1"), short(later)) == ({"1": {WAREHOUSE: 1, AARHUS: 1}}, {})


def test_an_order_that_may_not_be_split_moves_whole_once_a_place_has_it_all(database: Database) -> None:
    grounds = Grounds(database, shop(RoutingRule(split=False, backorder_place=WAREHOUSE)))
    grounds.figure(WAREHOUSE, "tee", 1)
    grounds.figure(AARHUS, "tee", 1)
    assert sent(grounds.decide(order("o1", line("1", "tee", 2))), "o1") == {"1": {WAREHOUSE: 2}}
    grounds.figure(AARHUS, "tee", 2)
    assert sent(grounds.decide(order("o1", line("1", "tee", 2))), "o1") == {"1": {AARHUS: 2}}


def test_while_a_figure_is_unknown_nothing_is_chosen_and_nothing_called_short(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(AARHUS, "tee", 1)
    found = grounds.decide(order("o1", line("1", "tee", 3)))
    assert sent(found, "o1") == {"1": {AARHUS: 1, "": 2}}
    assert database.read(lambda tx: routes.waiting(tx, ["tee"])) == ["o1"]
    grounds.heard("erp")
    known = grounds.decide(order("o1", line("1", "tee", 3)))
    assert sent(known, "o1") == {"1": {AARHUS: 1, WAREHOUSE: 2}}
    assert short(known) == {WAREHOUSE: 2}


def test_what_staff_did_not_find_is_sent_from_elsewhere_and_held_there_until_it_is_counted(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    grounds.figure(WAREHOUSE, "tee", 2)
    grounds.figure(AARHUS, "tee", 5)
    assert sent(grounds.decide(order("o1", line("1", "tee", 2))), "o1") == {"1": {WAREHOUSE: 2}}
    failed = (Failed("erp:F1", "1", WAREHOUSE, 2 * PIECE),)
    again = order("o1", line("1", "tee", 2), failed=failed)
    assert sent(grounds.decide(again), "o1") == {"1": {AARHUS: 2}}
    assert sent(grounds.decide(again), "o1") == {"1": {AARHUS: 2}}, "the same word of the place counts once"
    grounds.promised("o1", "tee", 2, AARHUS)
    grounds.figure(WAREHOUSE, "tee", 2)
    assert sent(grounds.decide(order("o2", line("1", "tee", 1)), keep=False), "o2") == {"1": {AARHUS: 1}}
    grounds.figure(WAREHOUSE, "tee", 1)
    assert sent(grounds.decide(order("o2", line("1", "tee", 1))), "o2") == {"1": {WAREHOUSE: 1}}
    assert database.read(lambda tx: routes.not_found_now(tx, ["tee"])) == []


def test_a_bundle_leaves_whole_and_takes_its_parts(database: Database) -> None:
    grounds = Grounds(database, shop(FEWEST))
    for place, mugs, teas in ((WAREHOUSE, 3, 0), (AARHUS, 4, 2)):
        grounds.figure(place, "mug", mugs)
        grounds.figure(place, "tea", teas)
    kit = line("1", "gift", 2, takes=(("mug", 2), ("tea", 1)))
    found = grounds.decide(order("o1", kit, line("2", "mug", 1)))
    assert sent(found, "o1") == {"1": {AARHUS: 2}, "2": {WAREHOUSE: 1}}
    assert short(found) == {}


def test_the_nearest_place_is_chosen_and_nobody_reads_where_the_parcel_goes(database: Database, tmp_path: Path) -> None:
    grounds = Grounds(database, shop(RoutingRule(by=("nearest",))))
    grounds.figure(WAREHOUSE, "tee", 9)
    grounds.figure(AARHUS, "tee", 9)

    def person(tx: Tx) -> None:
        tx.execute("INSERT INTO persons (person, sealed_key, known_since, erased_at) VALUES ('p', NULL, 1, 0)")
        tx.execute(
            'INSERT INTO parties ("order", person, country, sealed, at) VALUES (:order, :person, :country, :sealed, 1)',
            order="o1",
            person="p",
            country="DK",
            sealed=b"-",
        )

    database.transaction(person)
    assert sent(grounds.decide(order("o1", line("1", "tee", 1))), "o1") == {"1": {AARHUS: 1}}
    kept = database.read(lambda tx: routes.routes_of(tx, ["o1"]))
    assert [row.because["why"] for row in kept] == ["aarhus and warehouse each have all of it; nearest chose aarhus"]
    assert {each["place"]: each["available"] for each in kept[0].because["places"]} == {AARHUS: 9_000, WAREHOUSE: 9_000}
    assert POSTAL_CODE not in repr(kept)
    assert POSTAL_CODE.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_what_is_said_of_an_order_is_asked_of_routing() -> None:
    rows = [
        {"line": "1", "listing": "v1", "quantity": 3 * PIECE, "cancelled": PIECE, "amount_minor": 0},
        {"line": "2", "listing": "", "kind": "fee", "quantity": PIECE, "amount_minor": 0},
        {"line": "3", "listing": "v3", "quantity": PIECE, "amount_minor": 0, "place": "L1"},
    ]
    record = {"order": "41", "state": "release", "lines": rows, "pickup": "L9"}
    parcel = {"fulfilment": "F1", "state": "shipped", "place": "4", "parts": [{"line": "1", "quantity": PIECE}]}
    missing = {"fulfilment": "F2", "state": "failed", "parts": [{"line": "1", "quantity": PIECE}]}
    sale = {"order": "9", "state": "release", "lines": rows, "place": "4", "fulfilments": [parcel, missing]}
    sayings = [Saying("webshop", "41", "origin", record, 1, 0), Saying("erp", "9", "export", sale, 2, 0)]
    told = facts(sayings)
    assert told is not None
    born = Order("o1", "webshop", "41", "WEB-41", "release", 7, 8, False, "DKK", 0)
    places = {("erp", "4"): WAREHOUSE, ("webshop", "L1"): AARHUS}
    found = asked(born, told, sayings, {"1": [("tee", 1)], "2": [], "3": [("cap", 6)]}, {"1": "tee", "3": "cap"}, places)
    assert (found.order, found.channel, found.placed_at, found.open, found.pickup) == ("o1", "webshop", 7, True, "")
    assert found.lines[0] == AskedLine("1", "tee", (("tee", 1),), 2 * PIECE, {WAREHOUSE: PIECE})
    assert found.lines[1].takes == ()
    assert (found.lines[2].place, found.lines[2].takes) == (AARHUS, (("cap", 6),))
    assert found.failed == (Failed("erp:F2", "1", WAREHOUSE, PIECE),)
