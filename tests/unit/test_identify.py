"""Which item is a listing? Exactly one by its exact SKU, or a person says; never a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from hub.merge.identify import Identify, Known


def identify(
    known: Mapping[tuple[str, str], Known] | None = None,
    items: Mapping[str, Sequence[str]] | None = None,
    *,
    bind: bool = True,
    heard: bool = True,
) -> Identify:
    """One run in which `erp` says which items there are; `known` listings stand under the SKUs that they have."""
    bound: dict[str, list[tuple[str, str]]] = {}
    for key, each in (known or {}).items():
        bound.setdefault(each.sku, []).append(key)
    numbers = count(1)
    return Identify(
        known or {},
        items or {},
        bound,
        item_channels=["erp"],
        items_heard=heard,
        bind_by_sku=lambda _: bind,
        new_id=lambda: f"item{next(numbers)}",
        now=1,
    )


def record(listing: str, sku: str = "", **said: Any) -> dict[str, Any]:
    return {"listing": listing, **({"sku": sku} if sku else {}), **said}


def bound(item: str, sku: str, **said: Any) -> Known:
    return Known(item, "bound", sku, made_at=1, **said)


def reasons(run: Identify) -> list[str]:
    return [letter[4] for letter in run.result.letters]


def test_the_authority_makes_an_item_and_the_shop_finds_it() -> None:
    run = identify()
    item = run.record("erp", record("7", "A", title="T-shirt", barcode="5701234567899"), 0)
    assert item
    assert run.record("shop", record("s1", "A"), 0) == item
    assert run.result.items[item].barcode == "05701234567899"
    assert reasons(run) == []


def test_a_listing_that_is_no_item_stays_unbound_and_is_named_once_items_are_known() -> None:
    early, late = identify(heard=False), identify()
    assert early.record("shop", record("s1", "A"), 0) == ""
    assert late.record("shop", record("s1", "A"), 0) == ""
    assert (reasons(early), reasons(late)) == ([], ["no item has this SKU"])


def test_an_sku_that_only_looks_alike_never_binds() -> None:
    for sku in ("a-1", "A-1 ", "0A-1", "A1", "A‑1"):
        run = identify(items={"A-1": ["item"]})
        assert run.record("shop", record("s1", sku), 0) == ""


def test_an_equal_barcode_alone_never_binds() -> None:
    run = identify()
    run.record("erp", record("7", "A", barcode="5701234567899"), 0)
    assert run.record("shop", record("s1", "OTHER", barcode="5701234567899"), 0) == ""


def test_two_items_with_one_sku_are_for_a_person() -> None:
    run = identify(items={"A": ["one", "two"]})
    assert run.record("shop", record("s1", "A"), 0) == ""
    assert run.result.bindings[("shop", "s1")].state == "ambiguous"
    assert reasons(run) == ["2 items have this SKU: bind it by hand"]


def test_a_second_listing_of_one_sku_is_for_a_person_and_the_first_keeps_its_item() -> None:
    run = identify({("till", "t1"): bound("item", "A")}, {"A": ["item"]})
    assert run.record("till", record("t2", "A"), 0) == ""
    assert run.record("till", record("t1", "A"), 0) == "item"
    assert run.result.bindings[("till", "t2")].state == "ambiguous"
    assert "t1" in reasons(run)[0]


def test_two_listings_of_one_item_stay_once_a_person_bound_them() -> None:
    run = identify({("till", "t1"): bound("item", "A"), ("till", "t2"): bound("item", "A", factor=6)}, {"A": ["item"]})
    assert run.record("till", record("t1", "A"), 0) == "item"
    assert run.record("till", record("t2", "A"), 0) == "item"
    assert reasons(run) == []
    assert all(known.factor in (1, 6) and known.state == "bound" for known in run.result.bindings.values())


def test_the_same_sku_on_different_channels_is_one_item() -> None:
    run = identify({("till", "t1"): bound("item", "A")}, {"A": ["item"]})
    assert run.record("shop", record("s1", "A"), 0) == "item"


def test_no_sku_is_for_a_person() -> None:
    run = identify()
    assert run.record("shop", record("s1"), 0) == ""
    assert reasons(run) == ["this listing has no SKU: bind it by hand"]


def test_where_a_person_binds_nothing_is_bound_by_itself() -> None:
    run = identify(items={"A": ["item"]}, bind=False)
    assert run.record("shop", record("s1", "A"), 0) == ""


def test_what_a_person_ignores_stays_ignored() -> None:
    run = identify({("shop", "s1"): Known("", "ignored", "A")}, {"A": ["item"]})
    assert run.record("shop", record("s1", "A"), 0) == ""
    assert reasons(run) == []


# renumbering


def test_renumbering_changes_an_attribute_not_the_item() -> None:
    run = identify({("erp", "7"): bound("item", "A"), ("shop", "s1"): bound("item", "A")}, {"A": ["item"]})
    assert run.record("erp", record("7", "B", title="T-shirt"), 0) == "item"
    assert run.result.items["item"].sku == "B"
    assert run.record("shop", record("s1", "A"), 0) == "item"
    assert run.record("shop", record("s1", "B"), 0) == "item"


def test_a_new_item_may_take_a_number_that_became_free() -> None:
    run = identify({("erp", "7"): bound("item", "A")}, {"A": ["item"]})
    run.record("erp", record("7", "B"), 0)
    new = run.record("erp", record("8", "A"), 0)
    assert new not in ("", "item")
    assert run.record("shop", record("s1", "A"), 0) == new
    assert run.record("shop", record("s2", "B"), 0) == "item"
    assert reasons(run) == []


def test_a_record_without_an_sku_does_not_take_the_items_number_away() -> None:
    run = identify({("erp", "7"): bound("item", "A")}, {"A": ["item"]})
    assert run.record("erp", record("7", title="T-shirt"), 0) == "item"
    assert run.result.items["item"].sku == "A"


# gone and back


def test_a_record_that_says_gone_leaves_the_item_described() -> None:
    run = identify({("erp", "7"): bound("item", "A")}, {"A": ["item"]})
    assert run.record("erp", record("7", state="gone"), 0) == ""
    assert run.result.bindings[("erp", "7")].state == "gone"
    assert run.result.items == {}
    assert run.result.dirty_items == {"item"}


def test_what_comes_back_is_the_same_item() -> None:
    run = identify({("shop", "s1"): Known("item", "gone", "A")}, {"A": ["item"]})
    assert run.record("shop", record("s1", "A"), 0) == "item"
    assert run.result.dirty_items == {"item"}


def test_nothing_is_written_when_nothing_changed() -> None:
    run = identify({("shop", "s1"): bound("item", "A")}, {"A": ["item"]})
    assert run.record("shop", record("s1", "A"), 0) == "item"
    assert (run.result.bindings, run.result.dirty_items) == ({}, set())
