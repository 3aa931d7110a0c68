"""What people look at of orders, and what forgetting a person needs, on every engine."""

from __future__ import annotations

from dataclasses import replace

from hub.clock import ManualClock
from hub.flow import Door, Envelope, Key, Outcome, Receipt
from hub.store import changes, inbox, ledger, letters, order_looks, orders, parties
from hub.store.changes import OpenChange
from hub.store.database import Database
from hub.store.inbox import Arrival
from hub.store.letters import DeadLetter
from hub.store.orders import Order, OrderBinding
from hub.store.parties import Parties
from hub.store.vault import Vault

PLACED = Key("erp", "o2", "order", "placed")
MADE = {"email": "made.up@shop.example", "country": "DK", "customer": "7"}


def _order(n: int, channel: str = "shop", words: str = "", at: int = 5) -> Order:
    return Order(f"o{n}", channel, f"{n}", f"WEB-{n}", "reserve", at, at + n, False, "DKK", 100, words)


def _change(state: str) -> OpenChange:
    return OpenChange(PLACED, "c1", "o2", None, {"fact": "placed"}, state, 1, decided_at=9)


def test_orders_that_something_stops_are_found_of_one_channel_and_of_all(database: Database) -> None:
    rows = [_order(1, words="no item there"), _order(2), _order(3, "till")]
    database.transaction(lambda tx: orders.save_orders(tx, rows))
    database.transaction(lambda tx: changes.intend(tx, [_change("held")]))

    def found(channel: str = "", stuck: bool = False, limit: int = 10) -> list[str]:
        return [row.order for row in database.read(lambda tx: order_looks.latest(tx, limit, channel=channel, stuck=stuck))]

    assert found() == ["o3", "o2", "o1"]
    assert found(limit=1) == ["o3"]
    assert found("till") == ["o3"]
    assert found(stuck=True) == ["o2", "o1"]
    assert found("till", stuck=True) == []


def test_an_order_is_found_by_every_name_it_has(database: Database) -> None:
    there = OrderBinding("erp", "S-77", "o2", "export", {"lines": []}, 0, 0, 1, 1, 3)
    database.transaction(lambda tx: orders.save_orders(tx, [_order(1), _order(2)]))
    database.transaction(lambda tx: orders.save_bindings(tx, [there]))
    for name in ("o2", "WEB-2", "2", "S-77"):
        assert [row.order for row in database.read(lambda tx, name=name: order_looks.named(tx, name))] == ["o2"]  # type: ignore[misc]
        assert database.read(lambda tx, name=name: order_looks.only(tx, name)) == _order(2)  # type: ignore[misc]
    assert database.read(lambda tx: order_looks.named(tx, "S-78")) == []
    assert database.read(lambda tx: order_looks.only(tx, "S-78")) == (
        "no order has the number or id `S-78`: `samklang orders` lists the latest"
    )
    twin = replace(_order(3), channel="till", their="2")
    database.transaction(lambda tx: orders.save_orders(tx, [twin]))
    assert database.read(lambda tx: order_looks.only(tx, "2")) == "several orders have the id `2`: name one of WEB-3, WEB-2"
    assert database.read(lambda tx: order_looks.numbers(tx, ["o1", "o9"])) == {"o1": "WEB-1"}


def test_what_was_sent_and_told_of_an_order_comes_oldest_first(database: Database) -> None:
    receipts = [
        (seq, _change("sent"), Receipt("c1", outcome, "their words", f"r{seq}"), 10 + seq)
        for seq, outcome in ((2, Outcome.APPLIED), (1, Outcome.UNKNOWN))
    ]
    lines = [ledger.Entry(seq, 10, "applied", PLACED, "o2", {"words": f"w{seq}"}) for seq in (4, 3)]
    other = ledger.Entry(5, 10, "drift", Key("erp", "o2", "stock"), "o2", {})
    database.transaction(lambda tx: changes.keep_receipts(tx, receipts))
    database.transaction(lambda tx: ledger.write(tx, [*lines, other]))
    sent = database.read(lambda tx: order_looks.sent(tx, [("erp", "o2"), ("shop", "o2")]))
    assert [(each.key, each.outcome, each.request_id) for each in sent] == [(PLACED, "unknown", "r1"), (PLACED, "applied", "r2")]
    told = database.read(lambda tx: order_looks.told(tx, [("erp", "o2")]))
    assert [line.words for line in told] == [{"words": "w3"}, {"words": "w4"}]


def test_where_a_person_is_kept_is_found_and_erased_for_what_was_before_only(database: Database, vault: Vault) -> None:
    kept = Parties(vault, ManualClock())
    page = Arrival(Envelope(1, "shop", Door.POLL, "orders", "", 5, b"made.up@shop.example", "d1"))
    person = kept.person("shop", MADE)
    assert person == kept.index("email:made.up@shop.example")

    def told(order: str, seq: int) -> None:
        database.transaction(lambda tx: kept.keep(tx, order, "shop", {**MADE, "order": order}, seq, 10))

    database.transaction(lambda tx: orders.save_orders(tx, [_order(1), _order(2, at=500)]))
    database.transaction(lambda tx: inbox.store(tx, vault, [page]))
    told("o1", 1)
    database.transaction(lambda tx: kept.heard(tx, "shop", MADE, 9))
    assert database.read(lambda tx: kept.page(tx, "", 10)) == [("o1", "shop", person, MADE)]
    assert database.read(lambda tx: kept.page(tx, "o1", 10)) == []
    assert database.read(lambda tx: kept.orders_of(tx, [person])) == ["o1"]
    assert database.read(lambda tx: kept.envelopes_of(tx, [person])) == {1, 9}
    assert database.read(lambda tx: order_looks.persons_kept(tx, ["o1", "o2"])) == {"o1": order_looks.Kept("DK", 10)}
    assert database.transaction(lambda tx: parties.drop_unkept(tx, 10)) == 1
    assert database.read(lambda tx: kept.envelopes_of(tx, [person])) == {1}
    database.transaction(lambda tx: kept.forget(tx, person, 100))
    assert database.read(lambda tx: kept.erased(tx, [person, "f" * 64])) == {person: 100}
    database.transaction(lambda tx: inbox.store(tx, vault, [page]))
    told("o1", 1)
    assert database.read(lambda tx: (kept.of(tx, "o1"), inbox.page(tx, vault, -1, 10))) == ({}, [])
    told("o2", 2)
    assert database.read(lambda tx: (kept.of(tx, "o1"), kept.of(tx, "o2"))) == ({}, MADE)


def test_envelopes_are_opened_page_by_page_and_dropped_also_when_they_wait(database: Database, vault: Vault) -> None:
    rows = [Arrival(Envelope(n, f"c{n % 2}", Door.POLL, "orders", "", 5, b"body %d" % n, f"d{n}", 1, n)) for n in range(1, 5)]
    database.transaction(lambda tx: inbox.store(tx, vault, rows))
    database.transaction(lambda tx: inbox.understood(tx, [(1, 1, "done"), (3, 3, "done")]))
    assert database.read(lambda tx: inbox.page(tx, vault, 1, 2)) == [(2, b"body 2"), (3, b"body 3")]
    assert database.transaction(lambda tx: inbox.drop(tx, [1, 2, 3, 99])) == (3, {"c0"})
    assert database.read(lambda tx: inbox.page(tx, vault, -1, 9)) == [(4, b"body 4")]
    assert database.transaction(lambda tx: inbox.drop(tx, [])) == (0, set())


def test_letters_lose_the_words_in_which_a_person_stands(database: Database) -> None:
    told = DeadLetter("change", "erp", "order", "o1", "placed", "", "no mail to Made.Up@shop.example", 0, 1)
    about = DeadLetter("record", "shop", "orders", "1", "lines", "odd", "not a list", 7, 1)
    other = DeadLetter("record", "shop", "orders", "2", "lines", "odd", "not a list", 8, 1)
    database.transaction(lambda tx: letters.keep(tx, [told, about, other]))
    database.transaction(lambda tx: letters.close(tx, [told.id]))
    assert database.read(lambda tx: letters.mentioning(tx, ["made.up@shop.example"])) == [told.id]
    assert database.transaction(lambda tx: letters.redact(tx, [told.id], [7])) == 2
    assert database.read(lambda tx: letters.mentioning(tx, ["made.up@shop.example"])) == []
    values = {each.letter.record: each.letter.value for each in database.read(letters.open_letters)}
    assert values == {"1": "", "2": "odd"}
