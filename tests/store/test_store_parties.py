"""Persons, on every engine: never readable at rest, and once erased they stay erased."""

from __future__ import annotations

from hub.clock import ManualClock
from hub.flow import Door, Envelope
from hub.store import inbox
from hub.store.database import Database
from hub.store.inbox import Arrival
from hub.store.parties import Parties
from hub.store.vault import Vault

MADE = {"order": "o1", "email": "Made.Up@Example.com ", "name": "Made Up", "country": "DK", "phone": ""}
SAID = {"email": "Made.Up@Example.com ", "name": "Made Up", "country": "DK"}


def _keep(database: Database, parties: Parties, order: str, seq: int) -> None:
    database.transaction(lambda tx: parties.keep(tx, order, "shop", {**MADE, "order": order}, seq, 10))


def test_a_person_is_kept_per_order_and_unreadable(database: Database, vault: Vault) -> None:
    parties = Parties(vault, ManualClock())
    for order, seq in (("o1", 1), ("o2", 2), ("o1", 2)):
        _keep(database, parties, order, seq)
    assert database.read(lambda tx: parties.of(tx, "o1")) == SAID
    assert database.read(lambda tx: parties.of(tx, "o2")) == SAID
    assert database.read(lambda tx: parties.of(tx, "o3")) == {}
    stored = database.read(lambda tx: [tx.query("SELECT * FROM persons"), tx.query("SELECT * FROM parties")])
    assert len(stored[0]) == 1
    assert b"Made" not in b"".join(bytes(cell) for rows in stored for row in rows for cell in row if isinstance(cell, bytes))


def test_an_erased_person_does_not_come_back(database: Database, vault: Vault) -> None:
    parties = Parties(vault, ManualClock())
    page = Arrival(Envelope(1, "shop", Door.HOOK, "orders", "order", 5, b"{}", "d1"))
    database.transaction(lambda tx: inbox.store(tx, vault, [page]))
    _keep(database, parties, "o1", 1)
    person = parties.person("shop", MADE)
    assert database.transaction(lambda tx: parties.forget(tx, person, 20)) == {"parties": 1, "envelopes": 1}
    _keep(database, parties, "o1", 2)
    assert database.read(lambda tx: parties.of(tx, "o1")) == {}
    assert database.read(inbox.count_waiting) == 0
    assert database.read(lambda tx: tx.query("SELECT sealed_key, erased_at FROM persons")) == [(None, 20)]


def test_a_person_never_seen_can_be_erased_beforehand(database: Database, vault: Vault) -> None:
    parties = Parties(vault, ManualClock())
    person = parties.person("shop", MADE)
    assert database.transaction(lambda tx: parties.forget(tx, person, 20)) == {"parties": 0, "envelopes": 0}
    _keep(database, parties, "o1", 1)
    assert database.read(lambda tx: parties.of(tx, "o1")) == {}
