"""Persons, on every engine: never readable at rest, and once erased they stay erased."""

from __future__ import annotations

from hub.clock import ManualClock
from hub.flow import Door, Envelope
from hub.store import inbox, orders, parties
from hub.store.database import Database
from hub.store.inbox import Arrival
from hub.store.orders import Order
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


def test_whose_last_order_is_old_is_found_page_by_page(database: Database, vault: Vault) -> None:
    told = Parties(vault, ManualClock())
    placed = {"o1": ("anna", 10), "o2": ("anna", 40), "o3": ("bob", 20), "o4": ("carl", 15)}
    rows = [Order(name, "shop", name, name, "release", at, at, False, "DKK", 100) for name, (_, at) in placed.items()]
    database.transaction(lambda tx: orders.save_orders(tx, rows))
    for seq, (name, (who, _)) in enumerate(placed.items(), start=1):
        record = {"order": name, "email": f"{who}@shop.example", "country": "DK"}
        database.transaction(lambda tx, n=name, r=record, s=seq: told.keep(tx, n, "shop", r, s, 5))  # type: ignore[misc]
    old = database.read(lambda tx: parties.unheard_since(tx, 20, "", 9))
    assert sorted((row.country, row.placed_at) for row in old) == [("DK", 15), ("DK", 20)]
    first = database.read(lambda tx: parties.unheard_since(tx, 20, "", 1))
    rest = database.read(lambda tx: parties.unheard_since(tx, 20, first[0].person, 9))
    assert [*first, *rest] == old
    assert len(database.read(lambda tx: parties.unheard_since(tx, 40, "", 9))) == 4
