"""Records that cannot be right: each ends in a dead letter or a guard that names it, and its neighbours go on."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from fault_stage import ASKED, PRICE, SHOP, SHOWN, WAREHOUSE, add, ask, everywhere, four_channels, holds, sell
from stage import FILES, Stage, stage

THIRTEEN = {"till": 3, "erp": 13, "webshop": 13, "social": 13}


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    return four_channels(tmp_path)


def neighbours_go_on(shop: Stage) -> None:
    for delivery in sell(shop, "D", 2):
        shop.post(delivery)
    shop.run(120)
    assert everywhere(shop, "D") == THIRTEEN


# what is this?


def test_an_unknown_sku_is_named_and_taken_up_when_the_item_comes(shop: Stage) -> None:
    till = shop.platforms["till"]
    listing = till.add_item("NEW", "Nobody knows it", price=ASKED)
    till.count("NEW", 5, SHOP)
    shop.run(120)
    (letter,) = shop.letters()
    assert (letter.channel, letter.record, letter.path, letter.value) == ("till", listing, "sku", "NEW")
    assert letter.reason == "no item has this SKU"
    neighbours_go_on(shop)
    for channel in ("erp", "webshop"):
        shop.platforms[channel].add_item("NEW", "Now it is known", price=PRICE)
    shop.platforms["erp"].count("NEW", 10, WAREHOUSE)
    shop.run(200)
    assert everywhere(shop, "NEW") == SHOWN
    assert shop.letters() == []


def test_a_listing_with_a_sku_of_its_own_waits_for_a_person_who_binds_it(shop: Stage) -> None:
    webshop = shop.platforms["webshop"]
    listing = webshop.add_item("A-XL", "The same thing under another name", price=ASKED)
    shop.run(120)
    (letter,) = shop.letters()
    assert (letter.channel, letter.record, letter.value) == ("webshop", listing, "A-XL")
    assert shop.shows("webshop", "A-XL") == 0
    assert ask(shop, "bind", channel="webshop", listing=listing, sku="A")["refused"] == []
    shop.run(60)
    # Two listings of one item both show it.
    assert (shop.shows("webshop", "A"), shop.shows("webshop", "A-XL")) == (15, 15)
    for delivery in sell(shop, "A", 2):
        shop.post(delivery)
    shop.run(60)
    assert (shop.shows("webshop", "A"), shop.shows("webshop", "A-XL")) == (13, 13)
    assert shop.letters() == []


def test_a_box_of_six_shows_whole_boxes(shop: Stage) -> None:
    listing = shop.platforms["webshop"].add_item("A-BOX", "Six of it", price=ASKED)
    shop.run(120)
    assert ask(shop, "bind", channel="webshop", listing=listing, sku="A", factor=6)["refused"] == []
    shop.run(60)
    assert (shop.shows("webshop", "A"), shop.shows("webshop", "A-BOX")) == (15, 2)


def test_two_listings_with_one_sku_on_a_channel_are_ambiguous_and_counted_once(shop: Stage) -> None:
    till = shop.platforms["till"]
    second = till.add_item("B", "Another thing with the SKU of B", price=ASKED)
    till.count("B", 40, SHOP)  # the second one's shelf: `skus` points to it now
    shop.run(120)
    (letter,) = shop.letters()
    assert (letter.channel, letter.record, letter.value) == ("till", second, "B")
    assert "bind it by hand" in letter.reason
    assert shop.shows("webshop", "B") == 15
    neighbours_go_on(shop)


def test_an_sku_that_only_looks_alike_is_not_bound(shop: Stage) -> None:
    add(shop, "00123")
    shop.platforms["webshop"].add_item("123", "Not the same", price=ASKED)
    shop.run(200)
    assert shop.shows("webshop", "00123") == 15
    assert shop.shows("webshop", "123") == 0
    assert [letter.value for letter in shop.letters()] == ["123"]


# how many?


def test_a_negative_figure_counts_as_nothing_there(shop: Stage) -> None:
    for delivery in sell(shop, "A", 8):
        shop.post(delivery)
    shop.run(60)
    assert shop.shows("till", "A") == -3
    # 10 and -3 are 10, not 7.
    assert (shop.shows("webshop", "A"), shop.shows("social", "A")) == (10, 10)
    neighbours_go_on(shop)


def test_an_absurd_figure_holds_nobody_up(shop: Stage) -> None:
    shop.platforms["erp"].count("A", 10**14, WAREHOUSE)
    shop.run(120)
    neighbours_go_on(shop)
    shop.platforms["erp"].count("A", 10, WAREHOUSE)
    shop.run(700)
    assert everywhere(shop, "A") == SHOWN


def test_half_a_piece_is_not_sold(shop: Stage) -> None:
    erp = shop.platforms["erp"]
    erp.receive("A", Decimal("0.5"), WAREHOUSE)
    shop.run(120)
    assert (shop.shows("webshop", "A"), shop.shows("social", "A")) == (15, 15)
    erp.receive("A", Decimal("0.5"), WAREHOUSE)
    shop.run(120)
    assert (shop.shows("webshop", "A"), shop.shows("social", "A")) == (16, 16)


# how much?


def test_a_price_of_zero_waits_for_a_person(shop: Stage) -> None:
    shop.platforms["erp"].set_price("A", Decimal("0"))
    shop.run(700)
    assert {shop.price(channel, "A") for channel in ("till", "webshop", "social")} == {ASKED}
    assert {"webshop price_zero", "till price_zero", "social price_zero"} <= set(holds(shop))
    neighbours_go_on(shop)
    shop.platforms["erp"].set_price("A", Decimal("80"))
    shop.run(120)
    assert {shop.price(channel, "A") for channel in ("till", "webshop", "social")} == {Decimal("100.00")}


@pytest.mark.parametrize(("amount", "guard"), [("49", "price_fall"), ("401", "price_rise")])
def test_a_price_that_jumps_waits_for_a_person(shop: Stage, amount: str, guard: str) -> None:
    shop.platforms["erp"].set_price("A", Decimal(amount))
    shop.run(120)
    assert shop.price("webshop", "A") == ASKED
    assert f"webshop {guard}" in holds(shop)
    ident = next(hold for hold in hold_ids(shop, "webshop"))
    assert ask(shop, "approve", hold=ident)["refused"] == []
    shop.run(60)
    assert shop.price("webshop", "A") == Decimal(amount) * Decimal("1.25")


def hold_ids(shop: Stage, channel: str) -> list[str]:
    from hub.store import requests

    return [hold.id for hold in shop.hub.database.read(requests.holds) if hold.channel == channel]


def test_a_price_with_needless_digits_is_rounded_once(shop: Stage) -> None:
    shop.platforms["erp"].set_price("A", Decimal("99.9961"))
    shop.run(120)
    assert shop.price("webshop", "A") == Decimal("125.00")
    shop.platforms["erp"].set_price("A", Decimal("100.0040"))
    shop.run(120)
    assert shop.price("webshop", "A") == Decimal("125.01")


def test_a_price_in_another_currency_is_named_and_never_converted(tmp_path: Path) -> None:
    files = {"channels/erp.yaml": FILES["channels/erp.yaml"].replace("currency: DKK", "currency: EUR")}
    shop = stage(tmp_path, files=files)
    for channel in ("erp", "till", "webshop"):
        shop.platforms[channel].add_item("A", "Thing", price=PRICE)
    shop.platforms["erp"].count("A", 10, WAREHOUSE)
    shop.platforms["till"].count("A", 5, SHOP)
    shop.run(120)
    assert (shop.price("webshop", "A"), shop.price("till", "A")) == (PRICE, PRICE)
    assert shop.shows("webshop", "A") == 15
    letter = next(letter for letter in shop.letters() if letter.stream == "prices")
    assert (letter.channel, letter.path, letter.value) == ("erp", "currency", "EUR")
    assert letter.reason == "EUR in a list kept in DKK"
