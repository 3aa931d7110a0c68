"""What the first contact reads, and what platforms gave: sets that begin after a key, doubles, counts, sealed tokens."""

from __future__ import annotations

from hub.flow import Aspect, Key, Target
from hub.store import catalogue, first_looks, ledger, orders, targets, tokens
from hub.store.catalogue import Binding, Item
from hub.store.database import Database
from hub.store.first_looks import UnderWay
from hub.store.orders import Order, Reservation

CODE = "00012345678905"


def bound(listing: str, item: str, sku: str, barcode: str = "", state: str = "bound") -> Binding:
    return Binding("shop", listing, item, state, sku, barcode=barcode)


def fill(database: Database) -> None:
    items = [Item("i1", "A", CODE, "A", "", "stocked", 1), Item("i2", "B", "", "B", "", "stocked", 1)]
    items.append(Item("i3", "B", CODE, "B again", "", "stocked", 1))
    listings = [bound("l1", "i1", "A", CODE), bound("l2", "i2", "B", CODE), bound("l3", "", "B", "", "unbound")]

    def keep(tx: object) -> None:
        catalogue.save_items(tx, items)  # type: ignore[arg-type]
        catalogue.save_bindings(tx, [*listings, bound("l4", "i3", "X", "", "gone")])  # type: ignore[arg-type]

    database.transaction(keep)


def test_listings_and_items_are_read_in_sets_after_a_key(database: Database) -> None:
    fill(database)
    first = database.read(lambda tx: first_looks.bindings_after(tx, "shop", "", 2))
    assert [each.listing for each in first] == ["l1", "l2"]
    rest = database.read(lambda tx: first_looks.bindings_after(tx, "shop", "l2", 9))
    assert [(each.listing, each.state) for each in rest] == [("l3", "unbound")]
    assert database.read(lambda tx: first_looks.items_after(tx, "i1", 1)) == [("i2", "B", "")]
    assert database.read(first_looks.count_items) == 3


def test_doubles_and_what_is_not_listed_are_named(database: Database) -> None:
    fill(database)
    assert database.read(lambda tx: first_looks.items_by_barcode(tx, [CODE, ""])) == {CODE: [("i1", "A"), ("i3", "B")]}
    assert database.read(lambda tx: first_looks.doubled_barcodes(tx, "shop")) == {CODE}
    assert database.read(lambda tx: first_looks.doubled_skus(tx, "shop", 9)) == [("B", 2)]
    assert database.read(lambda tx: first_looks.doubled_items(tx, 9)) == [("B", 2)]
    assert database.read(lambda tx: first_looks.unlisted_items(tx, "shop", 9)) == (1, ["B"])


def test_stock_targets_orders_and_goods_on_their_way_are_counted(database: Database) -> None:
    wanted = [Target(Key("shop", listing, Aspect.STOCK), "i1", {"sellable": 1}, {}) for listing in ("l1", "l2")]
    order = Order("o1", "shop", "1", "SHOP-1", "release", 5, 6, False, "DKK", 100)
    database.transaction(lambda tx: targets.save_targets(tx, wanted, 1))
    database.transaction(lambda tx: orders.save_orders(tx, [order]))
    assert database.read(lambda tx: first_looks.stock_keys_after(tx, "shop", "l1", 9)) == ["l2"]
    assert database.read(first_looks.order_counts) == {("shop", "release", False): 1}
    assert database.read(lambda tx: first_looks.under_way(tx, 9)) == []

    def sent(tx: object) -> None:
        tx.execute(  # type: ignore[attr-defined]
            "INSERT INTO movements (channel, movement, number, kind, state, from_place, to_place, document, at, version, as_of, "
            "begun, seq, seen_at, words) VALUES ('erp', 'm', '', 'transfer', 'dispatched', '3', '10', '', 0, 0, 0, 0, 0, 0, '')"
        )
        tx.execute(  # type: ignore[attr-defined]
            "INSERT INTO moved_parts (channel, movement, part, listing, sku, planned, dispatched, received, left_before, "
            "came_before, told) VALUES ('erp', 'm', '1', 'l1', 'A', 5, 5, 3, 0, 0, '')"
        )

    database.transaction(sent)
    assert database.read(lambda tx: first_looks.under_way(tx, 9)) == [UnderWay("erp", "l1", "3", "10", 2)]


def test_reservations_and_the_ledger_are_read_whole(database: Database) -> None:
    row = Reservation("o1", "1", "", "i1", "", 1000, "shop", "open", 3, 0)
    entries = [ledger.Entry(seq, 1, "said", Key("shop", "o1", "order"), "o1", {"n": seq}) for seq in (4, 7)]
    database.transaction(lambda tx: orders.reserve(tx, [row]))
    database.transaction(lambda tx: ledger.write(tx, entries))
    assert database.read(lambda tx: orders.all_reservations(tx, 9)) == [row]
    assert [entry.seq for entry in database.read(lambda tx: ledger.after(tx, 4, 9))] == [7]


def test_tokens_are_kept_sealed_and_the_newest_counts(database: Database) -> None:
    database.transaction(lambda tx: tokens.save(tx, "shop", {"kept/refresh": b"one", "granted/key": b"k"}))
    database.transaction(lambda tx: tokens.save(tx, "shop", {"kept/refresh": b"two"}))
    assert database.read(lambda tx: tokens.of_channel(tx, "shop")) == {"granted/key": b"k", "kept/refresh": b"two"}
    assert database.read(lambda tx: tokens.of_channel(tx, "other")) == {}


def test_words_stand_once_and_as_long_as_they_are_said(database: Database) -> None:
    def stand(*words: str, channel: str = "shop") -> tuple[str, ...]:
        database.transaction(lambda tx: ledger.stand(tx, ledger.NOTICE, channel, words))
        return database.read(lambda tx: ledger.standing(tx, ledger.NOTICE, channel))

    database.transaction(lambda tx: ledger.count(tx, {("tick", "shop", "old"): 3}))
    assert stand("old", "new") == ("new", "old")
    assert stand("old", channel="till") == ("old",)
    assert stand("new") == ("new",)
    assert stand("new") == ("new",)
    assert stand() == ()
    assert database.read(lambda tx: ledger.standing(tx, ledger.NOTICE, "till")) == ("old",)
    assert database.read(ledger.counters)[("tick", "shop", "old")] == 3
