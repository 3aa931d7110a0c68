"""The inbox, on every engine: stored once, understood again when it comes again, and never readable at rest."""

from __future__ import annotations

from hub.flow import Door, Envelope
from hub.store import inbox
from hub.store.database import Database
from hub.store.inbox import Arrival, Waiting
from hub.store.vault import Vault

BODY = '{"sku": "00123", "navn": "Kop æøå", "nul": "\\u0000"}'.encode() + b"\x00\xff"


def _arrival(
    seq: int, *, answered: int = 0, delivery: str = "", body: bytes = BODY, at: int = 100, stream: str = "stock"
) -> Arrival:
    envelope = Envelope(seq, "shop", Door.HOOK, stream, "stock.changed", at, body, delivery or f"d{seq}", 0, answered or seq, 0)
    return Arrival(envelope, ("gone 1",))


def _store(database: Database, vault: Vault, *arrivals: Arrival) -> None:
    database.transaction(lambda tx: inbox.store(tx, vault, arrivals))


def _waiting(database: Database, vault: Vault, limit: int = 10_000) -> list[Waiting]:
    return database.read(lambda tx: inbox.waiting(tx, vault, limit))


def test_an_envelope_comes_back_as_it_was(database: Database, vault: Vault) -> None:
    arrival = _arrival(2**40)
    _store(database, vault, arrival)
    assert _waiting(database, vault) == [Waiting(arrival.envelope, ("gone 1",))]
    assert database.read(lambda tx: inbox.fetch(tx, vault, [2**40, 5])) == {2**40: Waiting(arrival.envelope, ("gone 1",))}
    ((sealed, name),) = database.read(lambda tx: tx.query("SELECT sealed, digest FROM inbox"))
    assert BODY not in bytes(sealed)
    assert name == inbox.digest(BODY)


def test_hundreds_wait_in_order(database: Database, vault: Vault) -> None:
    _store(database, vault, *(_arrival(seq) for seq in range(400, 0, -1)))
    assert [each.envelope.seq for each in _waiting(database, vault, 250)] == list(range(1, 251))
    assert database.read(inbox.count_waiting) == 400
    assert len(database.read(lambda tx: inbox.fetch(tx, vault, range(1, 401)))) == 400
    assert database.read(lambda tx: inbox.fetch(tx, vault, [])) == {}


def test_a_doubled_delivery_is_one_envelope_that_waits_again(database: Database, vault: Vault) -> None:
    _store(database, vault, _arrival(1, delivery="d"))
    database.transaction(lambda tx: inbox.understood(tx, [(1, 1, "done")]))
    assert _waiting(database, vault) == []
    _store(database, vault, _arrival(2, delivery="d", at=900))
    (again,) = _waiting(database, vault)
    assert (again.envelope.seq, again.envelope.answered, again.envelope.received_at) == (1, 2, 900)
    _store(database, vault, _arrival(3, delivery="d", body=b"other bytes"))
    assert [each.envelope.seq for each in _waiting(database, vault)] == [1, 3]


def test_one_that_comes_again_while_it_is_understood_goes_on_waiting(database: Database, vault: Vault) -> None:
    _store(database, vault, _arrival(1, delivery="d"))
    (seen,) = _waiting(database, vault)
    _store(database, vault, _arrival(2, delivery="d"))
    database.transaction(lambda tx: inbox.understood(tx, [(seen.envelope.seq, seen.envelope.answered, "done")]))
    assert [each.envelope.answered for each in _waiting(database, vault)] == [2]


def test_replay_and_what_a_stream_still_waits_for(database: Database, vault: Vault) -> None:
    _store(database, vault, _arrival(5), _arrival(6), _arrival(7, stream="items"))
    assert database.read(lambda tx: inbox.waiting_through(tx, "shop", "stock", 5)) is True
    assert database.read(lambda tx: inbox.waiting_through(tx, "shop", "stock", 4)) is False
    database.transaction(lambda tx: inbox.understood(tx, [(5, 5, "done"), (6, 6, "dead"), (7, 7, "done")]))
    assert database.read(lambda tx: inbox.waiting_through(tx, "shop", "stock", 9)) is False
    assert database.transaction(lambda tx: inbox.wait_again(tx, [6, 7, 8])) == 2
    assert database.transaction(lambda tx: inbox.wait_again(tx, [])) == 0
    assert [each.envelope.seq for each in _waiting(database, vault)] == [6, 7]


def test_only_envelopes_that_still_wait_are_kept_for_ever(database: Database, vault: Vault) -> None:
    _store(database, vault, *(_arrival(seq, at=seq) for seq in range(1, 7)))
    database.transaction(lambda tx: inbox.understood(tx, [(seq, seq, "dead" if seq == 1 else "done") for seq in range(1, 6)]))
    assert database.transaction(lambda tx: inbox.drop_before(tx, 5, 2)) == 2
    assert database.transaction(lambda tx: inbox.drop_before(tx, 5, 2)) == 2
    assert database.transaction(lambda tx: inbox.drop_before(tx, 9, 9)) == 1
    assert set(database.read(lambda tx: inbox.fetch(tx, vault, range(9)))) == {6}
