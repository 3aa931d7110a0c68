"""Who is to blame: against a hub that knows everything at once, each piece sold twice, or not at all, is on an account."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from hub.clock import ManualClock
from hub.simulate.all_knowing import NOBODY, OURS, SOMEBODY, AllKnowing
from hub.simulate.retailer import Retailer, generated, open_shop
from hub.simulate.truth import Sale, Truth

SKU = "SKU-0001"


@pytest.fixture
def shop() -> tuple[Retailer, Truth, AllKnowing]:
    """Three pieces in the store, five in the warehouse."""
    retailer, truth = open_shop(generated("small"), ManualClock(), 1, 1)
    truth.shelf[retailer.shops["till"], SKU] = 3
    truth.shelf[retailer.warehouse, SKU] = 5
    return retailer, truth, AllKnowing(retailer, truth)


def buys(truth: Truth, kind: str, origin: str, place: str, pieces: int) -> Sale:
    return truth.bought(Sale(kind, origin, "1", "X-1", place, {SKU: pieces}, 100, 1))


def rings_up(retailer: Retailer, truth: Truth, pieces: int) -> None:
    truth.shelf[retailer.shops["till"], SKU] -= pieces
    buys(truth, "receipt", "till", "", pieces)


def test_it_would_show_what_lies_there_and_nobody_was_promised(shop: tuple[Retailer, Truth, AllKnowing]) -> None:
    retailer, truth, knows = shop
    assert knows.would_show("webshop", SKU) == 8
    buys(truth, "sent", "webshop", retailer.warehouse, 6)
    assert knows.would_show("webshop", SKU) == truth.sellable((retailer.shops["till"], retailer.warehouse), SKU) == 2
    buys(truth, "fetched", "webshop", retailer.shops["till"], 1)
    assert knows.would_show("webshop", SKU) == 1
    rings_up(retailer, truth, 1)
    assert knows.would_show("webshop", SKU) == 0
    assert knows.account.oversold == {}


def test_what_the_shop_showed_beyond_that_is_our_fault(shop: tuple[Retailer, Truth, AllKnowing]) -> None:
    retailer, truth, knows = shop
    buys(truth, "sent", "webshop", retailer.warehouse, 7)
    buys(truth, "sent", "webshop", retailer.warehouse, 3)
    assert knows.account.oversold == {"webshop": {OURS: 2}}
    assert [each.whose for each in truth.oversold] == [OURS]


def test_what_somebody_typed_is_not(shop: tuple[Retailer, Truth, AllKnowing]) -> None:
    retailer, truth, knows = shop
    truth.typed["webshop", SKU] = 1
    buys(truth, "sent", "webshop", retailer.warehouse, 10)
    assert knows.account.oversold == {"webshop": {SOMEBODY: 1, OURS: 1}}


def test_a_hand_that_takes_from_the_shelf_what_was_promised_is_nobodys(shop: tuple[Retailer, Truth, AllKnowing]) -> None:
    retailer, truth, knows = shop
    buys(truth, "fetched", "webshop", retailer.shops["till"], 2)
    rings_up(retailer, truth, 1)
    assert knows.account.oversold == {}
    rings_up(retailer, truth, 2)
    assert knows.account.oversold == {"till": {NOBODY: 2}}


def test_who_goes_away_is_lost_only_where_the_goods_were_there(shop: tuple[Retailer, Truth, AllKnowing]) -> None:
    retailer, _, knows = shop
    knows.turns_away("webshop", SKU, 3, retailer.warehouse)
    knows.turns_away("webshop", SKU, 9, retailer.warehouse)
    assert (knows.account.lost, knows.account.rightly) == (3, {"webshop": 9})
    assert asdict(knows.account)["turned_away"] == {"webshop": 3}
