"""Orders, what systems say of them, and reservations, on every engine."""

from __future__ import annotations

from dataclasses import replace

from hub.store import orders
from hub.store.database import Database
from hub.store.orders import Order, OrderBinding, Reservation

HUNDREDS = 400


def _order(n: int, *, seen_at: int = 0, words: str = "") -> Order:
    return Order(f"o{n}", "shop", f"{n}", f"WEB-{n}", "reserve", 5, seen_at or n, n % 2 == 0, "DKK", 2**40 + n, words)


def _said(n: int, state: str, *, version: int = 0, begun: int = 0) -> OrderBinding:
    return OrderBinding("shop", f"{n}", f"o{n}", "origin", {"state": state, "note": "blå"}, version, 1, begun, 2, 3)


def _part(order: str, line: str, *, item: str = "tee", quantity: int = 2_000, seq: int = 1, until: int = 0) -> Reservation:
    return Reservation(order, line, "", item, "", quantity, "shop", "open", seq, 9, until)


def test_orders_are_found_by_id_and_number(database: Database) -> None:
    rows = [_order(n) for n in range(1, HUNDREDS)]
    database.transaction(lambda tx: orders.save_orders(tx, rows))
    found = database.read(lambda tx: orders.orders(tx, [row.order for row in rows] + ["none"]))
    assert found == {row.order: row for row in rows}
    assert database.read(lambda tx: orders.by_number(tx, ["WEB-7", "", "WEB-0"])) == {"WEB-7": rows[6]}
    assert database.read(lambda tx: orders.orders(tx, [])) == {}


def test_a_changed_order_keeps_where_and_when_it_was_born(database: Database) -> None:
    database.transaction(lambda tx: orders.save_orders(tx, [_order(1, seen_at=10)]))
    changed = replace(_order(1, seen_at=99), state="fulfilled", their="other", total_minor=5, words="no item")
    database.transaction(lambda tx: orders.save_orders(tx, [changed]))
    kept = replace(changed, their="1", seen_at=10)
    assert database.read(lambda tx: orders.orders(tx, ["o1"])) == {"o1": kept}


def test_the_latest_orders_and_those_that_are_stuck(database: Database) -> None:
    rows = [_order(1, seen_at=10, words="no item"), _order(2, seen_at=30), _order(3, seen_at=20)]
    database.transaction(lambda tx: orders.save_orders(tx, rows))
    assert [row.order for row in database.read(lambda tx: orders.latest(tx, 2))] == ["o2", "o3"]
    assert [row.order for row in database.read(lambda tx: orders.latest(tx, 2, stuck=True))] == ["o1"]
    assert database.read(lambda tx: orders.stuck(tx, 2)) == ["o1"]
    assert database.read(lambda tx: orders.stuck(tx, 0)) == []


def test_what_is_done_by_hand_waits_until_it_is_settled_and_anew_when_it_is_something_else(database: Database) -> None:
    def say(by_hand: str) -> list[str]:
        database.transaction(lambda tx: orders.save_orders(tx, [replace(_order(1), by_hand=by_hand), _order(2)]))
        return [row.by_hand for row in database.read(lambda tx: orders.latest(tx, 9, stuck=True))]

    assert say("a piece left") == ["a piece left"]
    assert database.read(lambda tx: orders.stuck(tx, 9)) == []
    database.transaction(lambda tx: orders.settle(tx, "o1"))
    assert say("a piece left") == []
    assert say("two pieces left") == ["two pieces left"]
    database.transaction(lambda tx: orders.settle(tx, "o1"))
    assert (say("two pieces left"), say(""), say("two pieces left")) == ([], [], [])
    (kept,) = database.read(lambda tx: orders.orders(tx, ["o1"])).values()
    assert (kept.asks, replace(kept, by_hand="").asks, replace(kept, by_hand="three").asks) == ("", "", "three")


def test_an_older_statement_never_replaces_a_newer_one(database: Database) -> None:
    def say(said: OrderBinding) -> str:
        database.transaction(lambda tx: orders.save_bindings(tx, [said]))
        return str(database.read(lambda tx: orders.bindings(tx, [("shop", "1")]))[("shop", "1")].value["state"])

    assert say(_said(1, "paid", version=3, begun=50)) == "paid"
    assert say(_said(1, "placed", version=2, begun=90)) == "paid"
    assert say(_said(1, "shipped", version=4, begun=10)) == "shipped"
    assert say(_said(1, "old page", begun=9)) == "shipped"
    assert say(_said(1, "returned", begun=60)) == "returned"


def test_everything_said_of_an_order(database: Database) -> None:
    rows = [_said(1, "paid"), replace(_said(1, "booked"), channel="erp", role="export"), _said(2, "paid")]
    database.transaction(lambda tx: orders.save_bindings(tx, rows))
    assert database.read(lambda tx: orders.bindings_of(tx, ["o1", "o3"])) == [rows[1], rows[0]]
    assert database.read(lambda tx: orders.bindings(tx, [("erp", "1"), ("erp", "2")])) == {("erp", "1"): rows[1]}


def test_reservations_of_items_and_orders(database: Database) -> None:
    rows = [_part("o1", "1"), _part("o1", "2", item="cap"), _part("o2", "1", quantity=1_000)]
    database.transaction(lambda tx: orders.reserve(tx, rows))
    assert database.read(lambda tx: orders.reservations_of(tx, ["tee"])) == [rows[0], rows[2]]
    assert database.read(lambda tx: orders.reservations_for(tx, ["o1"])) == [rows[0], rows[1]]
    less = replace(rows[0], quantity=1_000, seq=8)
    database.transaction(lambda tx: orders.replace_reservations(tx, ["o1", "o1"], [less]))
    assert database.read(lambda tx: orders.reservations_for(tx, ["o1", "o2"])) == [less, rows[2]]
    database.transaction(lambda tx: orders.replace_reservations(tx, ["o2"], []))
    assert database.read(lambda tx: orders.reservations_of(tx, ["tee", "cap"])) == [less]


def test_a_reservation_said_anew_meanwhile_is_not_ended(database: Database) -> None:
    seen = _part("o1", "1", seq=4)
    database.transaction(lambda tx: orders.reserve(tx, [seen]))
    anew = replace(seen, quantity=3_000, seq=5)
    database.transaction(lambda tx: orders.reserve(tx, [anew]))
    database.transaction(lambda tx: orders.end_reservations(tx, [seen]))
    assert database.read(lambda tx: orders.reservations_for(tx, ["o1"])) == [anew]
    database.transaction(lambda tx: orders.end_reservations(tx, [anew]))
    assert database.read(lambda tx: orders.reservations_for(tx, ["o1"])) == []


def test_holds_run_out_and_provisional_ones_belong_to_a_channel(database: Database) -> None:
    rows = [_part("o1", "1", until=50), _part("o2", "1", until=40), _part("o3", "1"), _part("o4", "1", until=51)]
    fallen = replace(_part("fall", "1"), state="provisional", origin="till")
    database.transaction(lambda tx: orders.reserve(tx, [*rows, fallen]))
    assert database.read(lambda tx: orders.expired(tx, 50, 9)) == [rows[1], rows[0]]
    assert database.read(lambda tx: orders.expired(tx, 50, 1)) == [rows[1]]
    assert database.read(orders.next_expiry) == min(row.until for row in rows if row.until)
    assert database.read(lambda tx: orders.provisional(tx, "till")) == [fallen]
    assert database.read(lambda tx: orders.provisional(tx, "shop")) == []


def test_items_of_which_something_left(database: Database) -> None:
    rows = [_part("o1", "1"), replace(_part("o1", "2", item="cap"), part="f1"), replace(_part("o2", "1", item="cap"), part="f2")]
    database.transaction(lambda tx: orders.reserve(tx, rows))
    assert database.read(orders.items_waiting_for_figures) == {"cap"}
    unread = replace(_part(orders.unread_name("till", "7"), "1", item="scarf"), state=orders.UNREAD, origin="till")
    database.transaction(lambda tx: orders.reserve(tx, [unread]))
    assert database.read(orders.items_waiting_for_figures) == {"cap", "scarf"}
    assert database.read(lambda tx: orders.provisional(tx, "till")) == []


def test_open_orders_that_a_listing_did_not_say_again_are_found(database: Database) -> None:
    def born(name: str, state: str, at: int, role: str = "origin") -> tuple[orders.Order, orders.OrderBinding]:
        order = orders.Order(name, "shop", name, f"SHOP-{name}", state, 1, 1, False, "DKK", 100)
        return order, orders.OrderBinding("shop", name, name, role, {"order": name, "state": state, "lines": []}, 0, 0, 1, 1, at)

    rows = [born("a", "release", 5), born("b", "reserve", 20), born("c", "ended", 5), born("d", "release", 5, "export")]
    database.transaction(lambda tx: orders.save_orders(tx, [order for order, _ in rows]))
    database.transaction(lambda tx: orders.save_bindings(tx, [binding for _, binding in rows]))
    assert database.read(lambda tx: orders.open_unsaid(tx, "shop", 10, 9)) == (["a"], 2)
    assert database.read(lambda tx: orders.open_unsaid(tx, "shop", 30, 1)) == (["a"], 2)
