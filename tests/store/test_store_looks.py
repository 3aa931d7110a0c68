"""Reads across tables that people ask for, on every engine."""

from __future__ import annotations

from hub.flow import Door, Envelope, Key, Outcome, Receipt
from hub.store import catalogue, changes, inbox, ledger, letters, looks
from hub.store.catalogue import Binding
from hub.store.changes import OpenChange
from hub.store.database import Database, Tx
from hub.store.inbox import Arrival
from hub.store.ledger import Entry
from hub.store.letters import DeadLetter
from hub.store.looks import Head
from hub.store.vault import Vault

KEY = Key("shop", "L1", "stock", "")


def _change(listing: str, decided_at: int, *, state: str = "intended", channel: str = "shop") -> OpenChange:
    return OpenChange(Key(channel, listing, "stock", ""), f"c {listing}", "i", None, 0, state, 1, decided_at=decided_at)


def test_heads_say_what_came_without_opening_it(database: Database, vault: Vault) -> None:
    rows = [
        Arrival(Envelope(n, "shop", Door.POLL, "items", "page", 100, f"body {n}".encode(), f"d{n}", 1, 2)) for n in range(1, 300)
    ]
    database.transaction(lambda tx: inbox.store(tx, vault, [*rows, rows[4]]))
    found = database.read(lambda tx: looks.heads(tx, [0, 5, 7, 900]))
    assert found[5] == Head(5, "shop", "poll", "items", "page", "d5", inbox.digest(b"body 5"), 100, "new", 1)
    assert (set(found), found[7].doubled) == ({5, 7}, 0)


def test_how_long_changes_have_waited(database: Database) -> None:
    rows = [_change("a", 30), _change("b", 20), _change("c", 10, state="held"), _change("d", 5, channel="till", state="refused")]
    database.transaction(lambda tx: changes.intend(tx, rows))
    assert database.read(looks.oldest_changes) == {"shop": 20}


def test_lines_of_one_event(database: Database) -> None:
    lines = [Entry(n, n * 10, "drift" if n % 2 else "pushed", KEY, "i", {"n": n}) for n in range(1, 8)]
    database.transaction(lambda tx: ledger.write(tx, lines))
    assert database.read(lambda tx: looks.lines_about(tx, "drift", 30, 2)) == [lines[6], lines[4]]
    assert len(database.read(lambda tx: looks.lines_about(tx, "drift", 30, 9))) == 3


def test_letters_about_one_record(database: Database) -> None:
    rows = [DeadLetter("record", "shop", "items", record, "price", "", reason, 1, at) for record, reason, at in (
        ("7", "no price", 1), ("7", "no name", 2), ("8", "no price", 3))]  # fmt: skip
    database.transaction(lambda tx: letters.keep(tx, rows))
    database.transaction(lambda tx: letters.close(tx, [rows[2].id]))
    assert [each.letter for each in database.read(lambda tx: looks.letters_of(tx, "shop", "7"))] == [rows[1], rows[0]]
    assert database.read(lambda tx: looks.letters_of(tx, "shop", "8")) == []


def test_how_many_listings_are_bound(database: Database) -> None:
    rows = [Binding("shop", f"L{n}", "i", "bound" if n < 4 else "unbound") for n in range(6)]
    database.transaction(lambda tx: catalogue.save_bindings(tx, [*rows, Binding("till", "L", "", "unbound")]))
    assert database.read(looks.bound_counts) == {("shop", "bound"): 4, ("shop", "unbound"): 2, ("till", "unbound"): 1}
    assert database.read(catalogue.count_bound) == {"shop": 4}


def test_what_became_of_changes_the_later_receipt_counts(database: Database) -> None:
    told = [(Outcome.UNKNOWN, 10), (Outcome.REFUSED, 20), (Outcome.APPLIED, 30)]
    rows = [(n, _change("L1", 0), Receipt("c L1", outcome, f"word {n}", f"r{n}"), at) for n, (outcome, at) in enumerate(told, 1)]
    database.transaction(lambda tx: changes.keep_receipts(tx, [*rows, (9, _change("L2", 0), rows[0][2], 40)]))
    assert database.read(lambda tx: looks.change_outcomes(tx, [KEY], 15)) == {"c L1": ("applied", "word 3", "r3")}
    assert database.read(lambda tx: looks.change_outcomes(tx, [KEY], 31)) == {}


def test_one_aspect_of_what_is_known(database: Database) -> None:
    """Claims, settled values and changes are asked for one aspect, or for all."""
    both = ("stock", "price")
    claims = [catalogue.StoredClaim("erp", "L1", aspect, "", {"n": 1}, 0, 1, 1, 1) for aspect in both]
    open_now = [OpenChange(Key("shop", "L1", aspect, ""), aspect, "i", None, 0, "intended", 0) for aspect in both]

    def unit(tx: Tx) -> None:
        catalogue.save_claims(tx, claims)
        catalogue.save_catalogue(tx, [("i", aspect, "", "1", 1) for aspect in both])
        changes.intend(tx, open_now)

    database.transaction(unit)
    assert database.read(lambda tx: catalogue.claims(tx, [("erp", "L1")], "price")) == [claims[1]]
    assert database.read(lambda tx: catalogue.catalogue(tx, ["i"], "stock")) == {"i": {("stock", ""): 1}}
    assert set(database.read(lambda tx: changes.open_of(tx, [("shop", "L1")], "stock"))) == {open_now[0].key}
    assert len(database.read(lambda tx: changes.open_of(tx, [("shop", "L1")]))) == 2
