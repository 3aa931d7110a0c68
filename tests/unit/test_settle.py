"""From what those who are right say to what holds: figures add up, negatives take nothing away, the latest price counts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pure_grounds import PIECE, channel, config

from hub.merge.authority import Authority
from hub.merge.settle import Settled, Told, settle
from hub.settings.model import AuthoritySettings, ItemAuthority, Location, PriceAuthority, StockAuthority

AUTHORITY = Authority(
    config(
        channels=[channel("erp"), channel("till"), channel("pim"), channel("shop")],
        locations={
            "warehouse": Location(channels={"erp": "3"}),
            "aarhus": Location(channels={"till": "L1"}),
            "odense": Location(channels={"till": "L2"}),
        },
        authority=AuthoritySettings(
            items=(ItemAuthority(channel="erp"), ItemAuthority(channel="pim", fields=("title", "text"))),
            stock=(
                StockAuthority(channel="erp", covers=("warehouse",)),
                StockAuthority(channel="till", covers=("aarhus", "odense"), each=False),
            ),
            prices=(PriceAuthority(channel="erp", list="retail"),),
        ),
    )
)


def stock(source: str, place: str, pieces: int, *, listing: str = "1", factor: int = 1) -> Told:
    return Told(source, listing, "stock", place, {"on_hand": pieces * PIECE}, 0, 1, factor)


def item(source: str, seq: int = 1, **said: Any) -> Told:
    return Told(source, "1", "item", "", said, 0, seq, 1)


def priced(amount: str, seq: int, *, source: str = "erp", listing: str = "1", factor: int = 1) -> Told:
    return Told(source, listing, "price", "retail", {"amount": amount, "currency": "DKK"}, 0, seq, factor)


def on_hand(settled: Settled, place: str) -> int | None:
    value = settled.get(("stock", place))
    return None if value is None else value["on_hand"] // PIECE


def test_two_listings_of_one_item_add_up_and_a_negative_takes_nothing() -> None:
    found = settle([stock("erp", "warehouse", 10), stock("erp", "warehouse", -3, listing="2")], AUTHORITY)
    assert on_hand(found, "warehouse") == 10
    assert found[("stock", "warehouse")]["negative"] is True
    assert [source["figure"] for source in found[("stock", "warehouse")]["from"]] == [10 * PIECE, -3 * PIECE]


def test_boxes_count_their_pieces() -> None:
    found = settle([stock("erp", "warehouse", 2, factor=6), stock("erp", "warehouse", 5, listing="2")], AUTHORITY)
    assert on_hand(found, "warehouse") == 17


def test_zero_is_said_and_silence_is_not() -> None:
    assert on_hand(settle([stock("erp", "warehouse", 0)], AUTHORITY), "warehouse") == 0
    assert on_hand(settle([], AUTHORITY), "warehouse") is None


def test_only_who_is_right_about_a_place_is_heard() -> None:
    said = [stock("till", "warehouse", 99), stock("shop", "warehouse", 99), stock("erp", "aarhus+odense", 99)]
    assert settle(said, AUTHORITY) == {}


def test_a_claim_from_before_a_place_was_joined_no_longer_counts() -> None:
    said = [stock("till", "aarhus", 4), stock("till", "aarhus+odense", 9)]
    found = settle(said, AUTHORITY)
    assert on_hand(found, "aarhus+odense") == 9
    assert on_hand(found, "aarhus") is None


def test_the_latest_price_of_who_is_right_counts() -> None:
    found = settle([priced("10", 5), priced("12", 9, listing="2"), priced("11", 7, listing="3")], AUTHORITY)
    assert found[("price", "retail")]["amount"] == "12"
    assert settle([priced("1", 5, source="shop")], AUTHORITY) == {}


def test_the_price_of_a_box_is_not_the_price_of_a_piece() -> None:
    found = settle([priced("10", 5), priced("55", 9, listing="box", factor=6)], AUTHORITY)
    assert found[("price", "retail")]["amount"] == "10"


def test_each_field_comes_from_who_is_right_about_it() -> None:
    said = [item("erp", sku="A", title="ERP title", category="c"), item("pim", sku="X", title="Nice title", category="x")]
    for order in (said, said[::-1]):
        found = settle(order, AUTHORITY)[("item", "")]
        assert {name: found[name] for name in ("sku", "title", "category")} == {
            "sku": "A",
            "title": "Nice title",
            "category": "c",
        }


@given(st.permutations([stock("erp", "warehouse", n, listing=str(n)) for n in (-3, 0, 4, 10)]))
def test_the_order_of_claims_changes_no_figure(said: list[Told]) -> None:
    assert on_hand(settle(said, AUTHORITY), "warehouse") == 14
