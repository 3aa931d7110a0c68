"""Changes and receipts, on every engine: what was sent is never replaced, and every change is sent by one sender."""

from __future__ import annotations

from dataclasses import replace

from hub.flow import Key, Outcome, Receipt
from hub.store import changes
from hub.store.changes import OpenChange
from hub.store.database import Database

SHOP = Key("shop", "L1", "stock", "")


def _change(listing: str = "L1", *, id: str = "c1", state: str = "intended", urgency: int = 5, after: int = 3) -> OpenChange:
    return OpenChange(Key("shop", listing, "stock", ""), id, "item", {"on_hand": 9}, {"on_hand": after}, state, urgency)


def _open(database: Database, *listings: str) -> dict[Key, OpenChange]:
    return database.read(lambda tx: changes.open_of(tx, [("shop", listing) for listing in listings or ("L1",)]))


def _intend(database: Database, *rows: OpenChange) -> None:
    database.transaction(lambda tx: changes.intend(tx, rows))


def _send(database: Database, *rows: OpenChange, seq: int = 7) -> list[str]:
    return database.transaction(lambda tx: changes.send(tx, rows, 1_000, seq))


def test_a_newer_intent_replaces_an_unsent_one(database: Database) -> None:
    _intend(database, _change(id="c1", after=3))
    _intend(database, _change(id="c2", after=2, state="held"))
    assert _open(database) == {SHOP: _change(id="c2", after=2, state="held")}


def test_a_sent_change_is_not_replaced(database: Database) -> None:
    for state in ("sent", "accepted", "unknown"):
        first = _change(state, id=f"{state}-1")
        _intend(database, first)
        assert _send(database, first) == [first.id]
        database.transaction(lambda tx, first=first, state=state: changes.settle(tx, [(first, state, 0, "", "")]))  # type: ignore[misc]
        _intend(database, replace(first, id="newer", after={"on_hand": 0}))
        database.transaction(lambda tx, first=first: changes.withdraw(tx, [first.key]))  # type: ignore[misc]
        (kept,) = _open(database, state).values()
        assert (kept.id, kept.state, kept.after, kept.attempts) == (first.id, state, {"on_hand": 3}, 1)


def test_a_channel_that_is_no_longer_live_keeps_only_what_a_person_applied(database: Database) -> None:
    _intend(database, _change("L1", id="own"), replace(_change("L2", id="applied"), words=changes.BY_PLAN))
    assert database.transaction(lambda tx: changes.withdraw_own(tx, "shop")) == 1
    left = database.read(lambda tx: changes.open_in(tx, "shop", ["intended"], 10))
    assert [each.id for each in left] == ["applied"]


def test_an_unsent_change_is_withdrawn(database: Database) -> None:
    _intend(database, _change("L1", id="a"), _change("L2", id="b", state="refused"), _change("L3", id="c"))
    database.transaction(lambda tx: changes.withdraw(tx, [SHOP, Key("shop", "L2", "stock", "")]))
    assert [each.id for each in _open(database, "L1", "L2", "L3").values()] == ["c"]


def test_only_the_intended_change_is_sent(database: Database) -> None:
    first, second = _change(id="old"), _change("L2", id="other")
    _intend(database, first, second)
    _intend(database, replace(first, id="new"))
    assert _send(database, first, second, seq=70) == ["other"]
    assert _send(database, second) == []
    sent = _open(database, "L2")[second.key]
    assert (sent.state, sent.sent_at, sent.sent_seq, sent.attempts) == ("sent", 1_000, 70, 1)


def test_most_urgent_first(database: Database) -> None:
    rows = [_change(f"L{n:03}", id=f"c{n}", urgency=n % 3) for n in range(300)]
    _intend(database, *rows)
    found = database.read(lambda tx: changes.open_in(tx, "shop", ["intended", "held"], 150))
    assert [each.urgency for each in found] == [0] * 100 + [1] * 50
    assert [each.key.listing for each in found[:3]] == ["L000", "L003", "L006"]
    assert database.read(lambda tx: changes.open_in(tx, "shop", [], 10)) == []
    assert database.read(lambda tx: changes.open_in(tx, "till", ["intended"], 10)) == []


def test_counts_by_state_and_falls_to_zero(database: Database) -> None:
    _intend(
        database, _change("L1"), replace(_change("L2"), words="to zero"), replace(_change("L3", state="held"), words="to zero")
    )
    assert database.read(changes.counts) == {("shop", "intended"): 2, ("shop", "held"): 1}
    assert database.read(changes.count_falling) == {"shop": 2}


def test_outcomes_of_a_sent_change(database: Database) -> None:
    change = _change()
    _intend(database, change)
    _send(database, change)
    database.transaction(lambda tx: changes.settle(tx, [(change, "accepted", 55, "job 9", "queued")]))
    kept = _open(database)[SHOP]
    assert (kept.state, kept.not_before, kept.handle, kept.words) == ("accepted", 55, "job 9", "queued")
    database.transaction(lambda tx: changes.settle(tx, [(replace(change, id="another"), "refused", 0, "", "")]))
    assert _open(database)[SHOP].state == "accepted"
    database.transaction(lambda tx: changes.close(tx, [replace(change, id="another")]))
    assert _open(database)
    database.transaction(lambda tx: changes.close(tx, [change]))
    assert _open(database) == {}


def test_a_turned_away_request_costs_no_attempt(database: Database) -> None:
    change = _change()
    _intend(database, change)
    _send(database, change)
    database.transaction(lambda tx: changes.unspend(tx, [change], 99))
    kept = _open(database)[SHOP]
    assert (kept.state, kept.attempts, kept.not_before) == ("intended", 0, 99)


def test_what_was_looked_at_again_is_known_from_then(database: Database) -> None:
    change = _change()
    _intend(database, change)
    database.transaction(lambda tx: changes.seen(tx, [replace(change, id="another")], 77))
    assert _open(database)[SHOP].observed_at == change.observed_at
    database.transaction(lambda tx: changes.seen(tx, [change], 77))
    assert _open(database)[SHOP].observed_at == 77
    _intend(database, replace(change, id="older", observed_at=76))
    assert (_open(database)[SHOP].id, _open(database)[SHOP].observed_at) == ("older", 77)
    _intend(database, replace(change, id="newer", observed_at=78))
    assert (_open(database)[SHOP].id, _open(database)[SHOP].observed_at) == ("newer", 78)


def test_a_hold_is_released_once(database: Database) -> None:
    _intend(database, *(replace(_change(f"L{n}", state="held"), hold="h1") for n in range(3)), _change("L9"))
    assert [each.key.listing for each in database.read(lambda tx: changes.held(tx, "h1"))] == ["L0", "L1", "L2"]
    assert database.transaction(lambda tx: changes.release(tx, "h1")) == 3
    assert database.transaction(lambda tx: changes.release(tx, "h1")) == 0
    assert {each.state for each in _open(database, "L0", "L1", "L2").values()} == {"intended"}


def test_only_a_refused_change_is_tried_again(database: Database) -> None:
    _intend(database, _change(state="refused"))
    assert database.transaction(lambda tx: changes.retry(tx, SHOP)) == 1
    assert database.transaction(lambda tx: changes.retry(tx, SHOP)) == 0
    assert _open(database)[SHOP].state == "intended"


def test_receipts_tell_the_latest_first_and_are_forgotten_in_portions(database: Database) -> None:
    rows = [
        (n, _change(id=f"c{n}", after=n), Receipt(f"c{n}", Outcome.APPLIED, "w" * 900, "r" * 300), n * 10) for n in range(1, 6)
    ]
    refused = (6, _change("L2"), Receipt("c1", Outcome.REFUSED, "nej"), 60)
    database.transaction(lambda tx: changes.keep_receipts(tx, [*rows, refused]))
    latest = database.read(lambda tx: changes.receipts_of(tx, SHOP, 2))
    assert latest[0] == (5, '{"on_hand":9}', '{"on_hand":5}', "applied", "w" * 500, "r" * 100, 50)
    assert [row[0] for row in latest] == [5, 4]
    assert database.transaction(lambda tx: changes.drop_receipts_before(tx, 40, 2)) == 2
    assert database.transaction(lambda tx: changes.drop_receipts_before(tx, 40, 2)) == 1
    assert [row[0] for row in database.read(lambda tx: changes.receipts_of(tx, SHOP, 9))] == [5, 4]
