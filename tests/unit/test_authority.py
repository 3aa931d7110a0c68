"""Who is right about what: places by each channel's own ids, joint figures, lists and fields."""

from __future__ import annotations

import pytest
from pure_grounds import channel, config

from hub.canonical.item import CLAIMED_FIELDS
from hub.merge.authority import Authority
from hub.settings.model import AuthoritySettings, ItemAuthority, Location, PriceAuthority, StockAuthority


def authority(*stock: StockAuthority, items: tuple[ItemAuthority, ...] = (), **ids: dict[str, str]) -> Authority:
    names = {name for each in stock for name in each.covers} | set(ids)
    return Authority(
        config(
            channels=[channel("erp"), channel("till")],
            locations={name: Location(channels=ids.get(name, {})) for name in sorted(names)},
            authority=AuthoritySettings(items=items, stock=stock, prices=(PriceAuthority(channel="erp", list="retail"),)),
        )
    )


EACH = StockAuthority(channel="erp", covers=("a", "b"))
JOINT = StockAuthority(channel="erp", covers=("b", "a"), each=False)


def test_a_figure_for_each_is_about_its_own_place() -> None:
    said = authority(EACH, a={"erp": "1"}, b={"erp": "2"})
    assert said.location("erp", "2") == "b"
    assert said.location("till", "2") is None
    found = said.stock_place("erp", "b")
    assert found is not None
    assert found.place == "b"
    assert said.stock_place("till", "b") is None


def test_one_figure_for_several_has_one_place() -> None:
    said = authority(JOINT, a={"erp": "1"})
    assert {said.figure_of[name].place for name in ("a", "b")} == {"a+b"}


@pytest.mark.parametrize(
    ("stock", "ids", "expected"),
    [
        (StockAuthority(channel="erp", covers=("a",)), {}, {"a"}),
        (EACH, {"a": {"erp": "1"}}, {"a"}),
        (EACH, {"a": {"erp": "1"}, "b": {"erp": "2"}}, {None}),
        (JOINT, {}, {"a", "b"}),
        (JOINT, {"a": {"erp": "1"}}, {"a"}),
        (JOINT, {"a": {"erp": "1"}, "b": {"erp": "2"}}, {"a", "b"}),
    ],
)
def test_a_figure_that_names_no_place(stock: StockAuthority, ids: dict[str, dict[str, str]], expected: set[str | None]) -> None:
    assert authority(stock, **ids).single_stock_place("erp") in expected


def test_a_list_has_one_who_is_right() -> None:
    said = authority()
    assert (said.price_list("erp", ""), said.price_list("till", ""), said.price_list("erp", "x")) == ("retail", None, None)


def test_fields_that_one_names_are_taken_from_the_other() -> None:
    said = authority(items=(ItemAuthority(channel="erp"), ItemAuthority(channel="till", fields=("title",))))
    assert said.item_fields("till") == {"title"}
    assert said.item_fields("erp") == frozenset(CLAIMED_FIELDS) - {"title"}
    assert said.item_fields("nobody") == frozenset()


def test_who_is_right_about_the_sku_says_which_items_there_are() -> None:
    said = authority(items=(ItemAuthority(channel="till", fields=("title",)), ItemAuthority(channel="erp")))
    assert said.naming_channels == ("erp",)
    only = authority(items=(ItemAuthority(channel="till", fields=("title",)),))
    assert only.naming_channels == ("till",)
