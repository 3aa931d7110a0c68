"""Items, bindings, claims and the catalogue, on every engine."""

from __future__ import annotations

from dataclasses import replace

from hub.store import catalogue
from hub.store.catalogue import Binding, Item, StoredClaim
from hub.store.database import Database

HUNDREDS = 700


def _claim(listing: str, on_hand: int, *, version: int = 0, begun: int = 0) -> StoredClaim:
    return StoredClaim("pos", listing, "stock", "aarhus", {"on_hand": on_hand}, version, 1_000, begun, 1)


def _kept(database: Database, listing: str) -> int:
    (claim,) = database.read(lambda tx: catalogue.claims(tx, [("pos", listing)]))
    return int(claim.value["on_hand"])


def test_items_are_found_by_id_and_sku_in_sets(database: Database) -> None:
    many = [Item(f"i{n:04}", f"SKU-{n // 2}", "", f"Kop nr. {n} æøå 🫖", "", "stocked", 2**62 + n) for n in range(HUNDREDS)]
    database.transaction(lambda tx: catalogue.save_items(tx, many))
    found = database.read(lambda tx: catalogue.items(tx, [item.item for item in many] + ["missing"]))
    assert found == {item.item: item for item in many}
    twins = database.read(lambda tx: catalogue.items_by_sku(tx, ["SKU-3", "", "nothing"]))
    assert twins == {"SKU-3": [many[6], many[7]]}
    assert database.read(catalogue.all_item_ids) == [item.item for item in many]


def test_a_sku_that_two_items_have_names_neither(database: Database) -> None:
    items = [Item("a", "TWIN"), Item("b", "TWIN"), Item("c", "ALONE")]
    database.transaction(lambda tx: catalogue.save_items(tx, items))
    assert database.read(lambda tx: catalogue.only_items(tx, ["TWIN", "ALONE", "", "nothing"])) == {"ALONE": "c"}


def test_a_changed_item_keeps_its_birth(database: Database) -> None:
    database.transaction(lambda tx: catalogue.save_items(tx, [Item("a", "OLD", created_at=5)]))
    database.transaction(lambda tx: catalogue.save_items(tx, [Item("a", "NEW", title="Ny", created_at=9)]))
    assert database.read(lambda tx: catalogue.items(tx, ["a"])) == {"a": Item("a", "NEW", title="Ny", created_at=5)}


def test_ids_sort_by_their_bytes_whatever_the_language(database: Database) -> None:
    ids = ["a", "B", "å", "z", "Z", "-1", "1", "aa", "æ", "_", " "]
    database.transaction(lambda tx: catalogue.save_items(tx, [Item(each, each) for each in ids]))
    assert database.read(catalogue.all_item_ids) == sorted(ids, key=str.encode)


def test_bindings_by_listing_item_sku_and_channel(database: Database) -> None:
    bound = [Binding("shop", f"L{n}", f"i{n}", "bound", f"S{n}", '{"parent":"7"}', 6, "sku", 3, 1) for n in range(4)]
    loose = Binding("till", "L0", "", "unbound", "S0")
    database.transaction(lambda tx: catalogue.save_bindings(tx, [*bound, loose]))
    assert database.read(lambda tx: catalogue.bindings(tx, [("shop", "L1"), ("till", "L0"), ("till", "L1")])) == {
        ("shop", "L1"): bound[1],
        ("till", "L0"): loose,
    }
    assert database.read(lambda tx: catalogue.bindings_of(tx, ["i2", "i1", ""])) == [bound[1], bound[2]]
    assert database.read(lambda tx: catalogue.bindings_by_sku(tx, ["S0", ""])) == [bound[0], loose]
    assert database.read(lambda tx: catalogue.bindings_in(tx, "shop")) == bound
    assert database.read(lambda tx: catalogue.bindings_in(tx, "till", "bound")) == []
    gone = replace(bound[3], state="gone", sweep=2)
    database.transaction(lambda tx: catalogue.save_bindings(tx, [gone]))
    assert database.read(lambda tx: catalogue.bindings_in(tx, "shop", "gone")) == [gone]


def test_what_a_sweep_did_not_list(database: Database) -> None:
    rows = [
        Binding("shop", "seen", "a", "bound", sweep=4),
        Binding("shop", "missed", "b", "bound", sweep=3),
        Binding("shop", "long gone", "c", "gone", sweep=1),
        Binding("till", "elsewhere", "d", "bound", sweep=1),
    ]
    database.transaction(lambda tx: catalogue.save_bindings(tx, rows))
    assert database.read(lambda tx: catalogue.not_listed(tx, "shop", 4)) == (["missed"], 1)


def test_no_keys_no_rows(database: Database) -> None:
    database.transaction(lambda tx: catalogue.save_items(tx, []))
    assert database.read(lambda tx: catalogue.items(tx, [])) == {}
    assert database.read(lambda tx: catalogue.bindings(tx, [])) == {}
    assert database.read(lambda tx: catalogue.claims(tx, [])) == []
    assert database.read(lambda tx: catalogue.catalogue(tx, [])) == {}
    assert database.read(catalogue.all_item_ids) == []


def test_a_claim_with_an_older_version_is_not_kept(database: Database) -> None:
    for claim in (_claim("a", 7, version=5, begun=10), _claim("a", 9, version=4, begun=99)):
        database.transaction(lambda tx, claim=claim: catalogue.save_claims(tx, [claim]))  # type: ignore[misc]
    assert _kept(database, "a") == 7
    database.transaction(lambda tx: catalogue.save_claims(tx, [_claim("a", 8, version=5, begun=1)]))
    assert _kept(database, "a") == 8


def test_without_versions_the_later_reading_counts(database: Database) -> None:
    for claim in (_claim("a", 7, begun=10), _claim("a", 9, begun=9), _claim("a", 11, version=3, begun=8)):
        database.transaction(lambda tx, claim=claim: catalogue.save_claims(tx, [claim]))  # type: ignore[misc]
    assert _kept(database, "a") == 7
    database.transaction(lambda tx: catalogue.save_claims(tx, [_claim("a", 8, begun=10)]))
    assert _kept(database, "a") == 8


def test_claims_come_whole_and_in_order(database: Database) -> None:
    rows = [_claim(f"L{n:03}", n, begun=n) for n in range(HUNDREDS)]
    database.transaction(lambda tx: catalogue.save_claims(tx, rows))
    found = database.read(lambda tx: catalogue.claims(tx, [("pos", f"L{n:03}") for n in reversed(range(HUNDREDS))]))
    assert found == rows


def test_settled_values_are_replaced(database: Database) -> None:
    database.transaction(lambda tx: catalogue.save_catalogue(tx, [("a", "stock", "", '{"on_hand":1}', 1)]))
    database.transaction(
        lambda tx: catalogue.save_catalogue(
            tx, [("a", "stock", "", '{"on_hand":2}', 2), ("a", "price", "dk", '{"amount":"1.50"}', 2)]
        )
    )
    assert database.read(lambda tx: catalogue.catalogue(tx, ["a", "b"])) == {
        "a": {("stock", ""): {"on_hand": 2}, ("price", "dk"): {"amount": "1.50"}}
    }
