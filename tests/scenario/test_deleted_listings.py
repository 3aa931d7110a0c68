"""What a shop's people delete stays deleted, nothing waits for a person, and what was bought of it is still what was bought."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fault_stage import ask
from merchant import AARHUS, AUTHORITY, LOCATIONS, WAREHOUSE, Merchant, merchant
from test_faults_channels import hold_ids
from test_shop_of_places import with_boutique

from hub.sdk.wire import Request, Response
from hub.store import inbox, letters, requests

OUTLET = """
channel: outlet
connector: woocommerce
role: webshop
mode: live
base_url: https://outlet.example
settings: {currency: DKK, prices_tax: included}
secrets: {consumer_key: "env:A", consumer_secret: "env:B", hook_secret: "env:C"}
sells_from: [aarhus, warehouse]
streams: {items: {poll_seconds: 60, sweep_seconds: 600}, orders: {poll_seconds: 60, sweep_seconds: 3600}}
orders_since: "2020-01-01"
orders: {take_in: true}
"""
BOOKS = """orders:
  take_in: true
  export_from: [webshop, outlet, till]
  suspense_payment: other
  suspense_tax: "1"
  catch_all_item: OTHER
"""


def with_outlet(folder: Path, things: Sequence[str] = ("TEE",)) -> tuple[Merchant, Any]:
    """The merchant with one more shop; 25 of each thing are to be had, 20 of them in the warehouse."""
    extra = {"channels/outlet.yaml": OUTLET, "locations.yaml": LOCATIONS, "authority.yaml": AUTHORITY}
    stock = dict.fromkeys(things, (5, 20))
    shop = merchant(folder, stock, extra=extra, options={"outlet": {"mixed": "no"}}, erp=BOOKS)
    outlet = shop.stage.platforms["outlet"]
    for sku in things:
        outlet.add_item(sku, f"Thing {sku}", price=1)
    shop.run(710)
    assert outlet.shown()["TEE"]["stock"] == {"": 25}
    return shop, outlet


def with_pickup(folder: Path, pieces: int) -> tuple[Merchant, str, str]:
    """The merchant with that many pieces bought in the webshop and waiting at the till: its order there, and the till's."""
    shop, _ = with_outlet(folder)
    order = shop.webshop.order({"TEE": pieces}, pickup="fetch-aarhus")
    shop.run(130)
    (waits,) = shop.till.orders_shown()
    return shop, order, waits


def pages_of(shop: Merchant, channel: str, door: str = "%") -> list[int]:
    """The pages of items that came through this door, in their order."""
    query = f"SELECT seq FROM inbox WHERE channel = '{channel}' AND stream = 'items' AND door LIKE '{door}' ORDER BY seq"
    return shop.stage.hub.database.read(lambda tx: [seq for (seq,) in tx.query(query)])


def read_again(shop: Merchant, pages: Sequence[int]) -> None:
    """They are understood once more, and what follows from it is done."""
    shop.stage.hub.database.transaction(lambda tx: inbox.wait_again(tx, pages))
    shop.run(10)


SHOPS = {"boutique": with_boutique, "outlet": with_outlet}


@pytest.mark.parametrize("which", SHOPS)
def test_what_was_bought_of_a_thing_that_is_deleted_for_good_is_still_sent(tmp_path: Path, which: str) -> None:
    """Its orders do not know any more what they are about: it was reserved no longer, and became something else in the books."""
    shop, platform = SHOPS[which](tmp_path)
    order = platform.order({"TEE": 2})
    shop.run(130)
    platform.remove_item("TEE")
    # The order is told again after that, by whatever happens to it.
    platform.edit(order, "TEE", 1) if which == "boutique" else platform.put_on_hold(order)
    shop.run(700)
    bought = 1 if which == "boutique" else 2
    assert shop.shops("TEE") == (25 - bought, 25 - bought)
    (sale,) = shop.sales()
    assert [(line["sku"], line["quantity"] - line["cancelled"]) for line in sale["lines"]] == [("TEE", bought)]
    assert shop.stuck() == []


def test_what_was_bought_and_deleted_before_anybody_heard_of_it_is_sent_all_the_same(tmp_path: Path) -> None:
    shop, boutique = with_boutique(tmp_path)
    boutique.order({"TEE": 2})
    boutique.remove_item("TEE")
    boutique.outbox.clear()
    shop.run(900)
    assert shop.shops("TEE") == (23, 23)
    (number,) = shop.erp.orders_shown()
    assert [(line["sku"], line["quantity"]) for line in shop.erp.orders_shown()[number]["lines"]] == [("TEE", 2)]
    shop.erp.ship(number)
    shop.run(900)
    assert (shop.in_warehouse("TEE"), shop.shops("TEE")) == (18, (23, 23))
    assert shop.quiet()


@pytest.mark.parametrize("which", SHOPS)
def test_a_figure_for_what_was_deleted_meanwhile_waits_for_nobody(tmp_path: Path, which: str) -> None:
    """It was refused, and its letter lay there for ever."""
    shop, platform = SHOPS[which](tmp_path)
    platform.remove_item("TEE")
    platform.outbox.clear()
    calls = len(platform.calls)
    shop.erp.receive("TEE", 3, WAREHOUSE)
    shop.run(100)
    if which == "outlet":
        # It is looked at right before writing, and nothing is written where nothing is.
        assert not any(platform.is_write(call) for call in list(platform.calls)[calls:])
    assert shop.shops("TEE") == (28, 28)
    assert platform.shown().get("TEE", {"state": "gone"})["state"] == "gone"
    assert shop.quiet()


def test_what_lies_where_its_till_has_deleted_it_is_offered_again_once_it_is_listed_and_counted(tmp_path: Path) -> None:
    shop, outlet = with_outlet(tmp_path)
    shop.till.remove_item("TEE")
    shop.run(130)
    assert (shop.shops("TEE"), outlet.shown()["TEE"]["stock"]) == ((20, 20), {"": 20})
    shop.till.add_item("TEE", "Thing TEE", price=Decimal(1))
    shop.run(300)
    assert shop.shops("TEE") == (20, 20)
    shop.till.count("TEE", 4, AARHUS)
    shop.run(130)
    assert (shop.shops("TEE"), outlet.shown()["TEE"]["stock"]) == ((24, 24), {"": 24})
    assert shop.quiet()


def test_an_old_page_that_calls_a_thing_gone_does_not_stop_what_is_sold_again(tmp_path: Path) -> None:
    """The page is read again after the bin gave it back, and until the next sweep its listing was told nothing any more."""
    shop, outlet = with_outlet(tmp_path)
    outlet.trash_item("TEE")
    shop.run(130)
    outlet.sell_again("TEE")
    shop.run(130)
    read_again(shop, pages_of(shop, "outlet"))
    shop.erp.count("TEE", 12, WAREHOUSE)
    shop.run(100)
    assert (outlet.shown()["TEE"]["stock"], shop.shops("TEE")) == ({"": 17}, (17, 17))
    assert shop.quiet()


def test_an_old_page_that_calls_a_thing_gone_asks_nobody_about_what_is_gone(tmp_path: Path) -> None:
    """Drifting world, seed 1: a till tells of what it has deleted for a while, and each time it was looked up once more."""
    shop, _ = with_outlet(tmp_path)
    shop.till.remove_item("TEE")
    shop.run(130)
    calls = list(shop.till.calls)
    read_again(shop, pages_of(shop, "till", "poll")[-1:])
    assert [call for call in list(shop.till.calls)[len(calls) :] if call.path == "/v2/catalog/batch-retrieve"] == []
    assert shop.quiet()


@pytest.mark.parametrize("listed_again", [True, False])
def test_what_waits_at_a_till_that_deletes_it_is_handed_over_all_the_same(tmp_path: Path, *, listed_again: bool) -> None:
    """It was called no item there, and a person's matter once it was listed again: the till's order speaks of the old listing."""
    shop, order, waits = with_pickup(tmp_path, 2)
    shop.till.remove_item("TEE")
    shop.run(700)
    assert shop.stuck() == []
    if listed_again:
        shop.till.add_item("TEE", "Thing TEE", price=Decimal(1))
        shop.till.count("TEE", 5, AARHUS)
        shop.run(700)
    shop.till.collect(waits)
    shop.run(700)
    assert shop.webshop.orders_shown()[order]["lines"][0]["fulfilled"] == 2
    assert shop.shops("TEE") == ((23, 23) if listed_again else (20, 20))
    assert shop.quiet()


def test_what_was_fetched_before_is_not_taken_off_a_listing_that_is_made_anew(tmp_path: Path) -> None:
    """The till is told what was only marked as collected, by listing: the new one lost the same pieces once more."""
    shop, order, waits = with_pickup(tmp_path, 3)
    shop.till.collect(waits)
    shop.run(300)
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (2, (22, 22))
    shop.till.remove_item("TEE")
    shop.run(300)
    shop.till.add_item("TEE", "Thing TEE", price=Decimal(1))
    shop.till.count("TEE", 6, AARHUS)
    shop.run(300)
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (6, (26, 26))
    # Something else happens to the order, and it is worked out once more.
    shop.webshop.refund(order, Decimal(10))
    shop.run(700)
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (6, (26, 26))
    assert shop.quiet()


@pytest.mark.parametrize("announced", [True, False])
def test_what_is_fetched_right_before_its_till_deletes_it_waits_for_nobody(tmp_path: Path, *, announced: bool) -> None:
    """It was to be taken off a figure that is gone: that was refused, and its letter lay there for ever."""
    shop, order, waits = with_pickup(tmp_path, 2)
    shop.till.collect(waits)
    shop.till.remove_item("TEE")
    if not announced:
        shop.till.outbox.clear()
    shop.run(1300)
    assert shop.webshop.orders_shown()[order]["lines"][0]["fulfilled"] == 2
    assert shop.shops("TEE") == (20, 20)
    assert shop.quiet()


def test_a_pickup_that_was_called_off_is_nobodys_worry_when_its_till_deletes_the_thing(tmp_path: Path) -> None:
    shop, order, _ = with_pickup(tmp_path, 2)
    shop.webshop.cancel(order)
    shop.run(130)
    shop.till.remove_item("TEE")
    # The order is told once more after that, in the next sweep.
    shop.run(3700)
    assert shop.shops("TEE") == (20, 20)
    assert shop.quiet()


def test_a_pickup_of_what_the_till_has_deleted_says_so_and_is_told_once_it_is_listed_again(tmp_path: Path) -> None:
    shop, _ = with_outlet(tmp_path)
    shop.till.remove_item("TEE")
    shop.run(130)
    order = shop.webshop.order({"TEE": 2}, pickup="fetch-aarhus")
    shop.run(300)
    assert (shop.stuck(), shop.till.orders_shown()) == (["till: line 1: TEE is no item there"], {})
    shop.till.add_item("TEE", "Thing TEE", price=Decimal(1))
    shop.till.count("TEE", 5, AARHUS)
    shop.run(300)
    (waits,) = shop.till.orders_shown()
    shop.till.collect(waits)
    shop.run(300)
    assert shop.webshop.orders_shown()[order]["lines"][0]["fulfilled"] == 2
    assert shop.quiet()


def test_a_figure_is_not_written_over_what_was_looked_at_minutes_ago(tmp_path: Path) -> None:
    """A shop is asked for several things right before writing, then for the one it did not show, and that took two minutes."""
    shop, outlet = with_outlet(tmp_path, ["TEE", "MUG"])
    outlet.remove_item("MUG")
    outlet.outbox.clear()
    asked_alone = []

    def slow(request: Request) -> Response:
        answer: Response = route(request)
        if answer.status == 404 and not asked_alone:
            asked_alone.append(request.path)
            shop.stage.clock.advance(120)
            # Meanwhile somebody buys two there, and the shop's announcement is lost.
            outlet.order({"TEE": 2})
            outlet.outbox.clear()
        return answer

    route, outlet.route = outlet.route, slow
    showed: list[int] = []
    outlet.seam = lambda _: showed.append(outlet.shown()["TEE"]["stock"][""])
    for sku in ("TEE", "MUG"):
        shop.erp.count(sku, 19, WAREHOUSE)
    shop.run(700)
    assert asked_alone
    # Two were sold and one is missing in the warehouse: what was sold is never offered again.
    assert max(showed[showed.index(23) :]) == 23
    assert (outlet.shown()["TEE"]["stock"], shop.shops("TEE")) == ({"": 22}, (22, 22))


def test_a_number_that_is_given_to_something_new_follows_as_soon_as_the_old_listing_is_looked_at(tmp_path: Path) -> None:
    """The shop tells nobody what it deletes for good, so the new listing waited for a person until the next sweeps."""
    things = ["TEE", *(f"MUG-{number}" for number in range(25))]
    shop, outlet = with_outlet(tmp_path, things)
    for _ in range(2):
        outlet.remove_item("TEE")
        outlet.add_item("TEE", "Thing TEE, new", price=1)
        shop.run(130)
        assert outlet.shown()["TEE"]["stock"] == {"": 25}
        assert shop.quiet()


def test_a_number_that_two_listings_have_is_a_persons_matter_and_is_not_read_again_and_again(tmp_path: Path) -> None:
    shop, boutique = with_boutique(tmp_path)
    boutique.add_item("TEE", "Thing TEE once more", price=1)
    shop.run(700)
    (reason,) = [letter.reason for letter in shop.stage.letters()]
    assert reason.startswith("another listing on this channel has the same SKU")
    shop.run(700)
    calls = len(boutique.calls)
    shop.run(3_600)
    twins = len(boutique.calls) - calls
    boutique.remove_item("TEE")
    shop.run(1_300)
    assert shop.stage.letters() == []
    calls = len(boutique.calls)
    shop.run(3_600)
    assert len(boutique.calls) - calls == twins


@pytest.mark.parametrize("way", ["trash_item", "remove_item"])
def test_a_letter_about_a_listing_is_nobodys_worry_once_the_listing_is_gone(tmp_path: Path, way: str) -> None:
    """Hostile seed 3 with 24 things that come or go: nothing is ever said of it again that could close the letter."""
    things = ["TEE", *(f"MUG-{number}" for number in range(25))]
    shop, outlet = with_outlet(tmp_path, things)
    (product,) = (each for each in outlet.catalogue.products.values() if each.sku == "TEE")
    product.status = "resting"
    outlet.catalogue.saved(product)
    outlet.add_item("NOBODYS", "What no item is", price=1)
    shop.run(700)
    assert sorted((letter.channel, letter.path) for letter in shop.stage.letters()) == [("outlet", "sku"), ("outlet", "standing")]
    for sku in ("TEE", "NOBODYS"):
        getattr(outlet, way)(sku)
    shop.run(1_300)
    assert shop.quiet()


def test_a_letter_about_the_stock_of_a_listing_closes_with_the_listing_whatever_the_platform_calls_it(tmp_path: Path) -> None:
    """Hostile seed 2 with 30 things that come or go: there a record's name is an address that ends with the listing's id."""
    shop, boutique = with_boutique(tmp_path)
    database = shop.stage.hub.database
    ((listing,),) = database.read(lambda tx: tx.query("SELECT listing FROM bindings WHERE channel = 'boutique'"))
    name = f"gid://shopify/ProductVariant/{listing}"
    letter = letters.DeadLetter("record", "boutique", "stock", name, "available", "None", "null (for on_hand)", 1, 1)
    database.transaction(lambda tx: letters.keep(tx, [letter]))
    boutique.remove_item("TEE")
    shop.run(700)
    (hold,) = hold_ids(shop.stage)
    assert ask(shop.stage, "approve", hold=hold)["refused"] == []
    shop.run(700)
    assert shop.quiet()


def test_what_somebody_deletes_in_the_social_shop_stays_away(tmp_path: Path) -> None:
    shop = merchant(tmp_path, {"TEE": (5, 20), "MUG": (1, 1)})
    shop.social.remove_item("TEE")
    shop.erp.receive("TEE", 3, WAREHOUSE)
    shop.run(1_500)
    assert "TEE" not in shop.social.shown()
    assert (shop.stage.shows("webshop", "TEE"), shop.shops("MUG")) == (28, (2, 2))
    assert shop.quiet()


def test_what_is_not_sold_any_more_is_understood_again_when_somebody_has_it_read_again(tmp_path: Path) -> None:
    """Hostile seed 1: no listing of the books has it any more, and a letter about it was closed only by one that had."""
    shop = merchant(tmp_path, {"TEE": (5, 20)})
    names = shop.erp.books.tables["product.template"]
    (one,) = [row for row in names.values() if row["name"] == "Thing TEE"]
    shop.erp.withdraw("TEE")
    shop.run(700)
    one["name"] = None
    shop.run(700)
    assert [letter.channel for letter in shop.stage.letters()] == ["erp"]
    one["name"] = "Thing TEE"
    assert ask(shop.stage, "replay", letters=[], all=True)["refused"] == []
    shop.run(5)
    assert shop.quiet()


def test_what_is_not_sold_any_more_is_nobodys_worry_however_much_it_is(tmp_path: Path) -> None:
    """The books list what is sold: all that was ever given up was looked up one by one after each sweep, and once it was more
    than a tenth of everything nothing was believed gone any more."""
    things = [f"TEE-{number}" for number in range(30)]
    shop = merchant(tmp_path, dict.fromkeys(things, (1, 1)))
    for sku in things[:12]:
        shop.erp.withdraw(sku)
        shop.run(60)
    shop.run(700)
    calls = len(shop.erp.calls)
    shop.run(3_600)
    often = len(shop.erp.calls) - calls
    assert shop.stage.hub.database.read(requests.holds) == []
    shop.erp.remove("TEE-29")
    shop.run(1_300)
    assert {sku for sku, seen in shop.social.shown().items() if seen["state"] == "active"} == set(things[12:29])
    calls = len(shop.erp.calls)
    for sku in things[12:20]:
        shop.erp.withdraw(sku)
    shop.run(700)
    calls = len(shop.erp.calls)
    shop.run(3_600)
    assert len(shop.erp.calls) - calls == often
