"""Square's orders: what a till sold, took back and has to hand over, as the hub understands it; its money to the minor unit."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from square_channel import AARHUS, MANIFEST, ODENSE, ROOT, Channel, records_of

from connectors.square.order_records import record
from connectors.square.sandbox_order_api import STATES
from hub.canonical.order import conserved
from hub.errors import UnmappableError
from hub.mapping.mappings import load_mappings
from hub.sdk.contract import Delivery, ReadAsk

MAPPINGS = load_mappings([ROOT / "mappings"], "square", settings={"tax": "included"})
HOUR = 3600


def shop(**options: str) -> Channel:
    """Five things at 299.95, 349.95, 99.95, 500.00 and 199.95, five pieces each in both places."""
    channel = Channel(**options)
    for sku, price in (("A", "299.95"), ("B", "349.95"), ("C", "99.95"), ("D", "500.00"), ("E", "199.95")):
        channel.sandbox.add_item(sku, f"Thing {sku}", price=Decimal(price))
        for place in (AARHUS, ODENSE):
            channel.sandbox.count(sku, 5, place)
    channel.clock.advance(60)
    return channel


def told(channel: Channel, order: str) -> dict[str, Any]:
    """The order as the hub understands it, its money conserved."""
    [found] = records_of("orders", channel.connector.look_up("orders", [order]))
    [understood] = MAPPINGS.understand("order", found)
    whole: dict[str, Any] = conserved(understood)
    assert whole == understood, "nothing had to be rounded away"
    return whole


def pieces(channel: Channel, sku: str, place: str = AARHUS) -> int:
    count: int = channel.sandbox.shown()[sku]["stock"][place]
    return count


def test_a_sale_at_the_till_is_ended_and_handed_over_where_it_was_sold() -> None:
    channel = shop()
    order = told(channel, channel.sandbox.sell("A", 2, ODENSE))
    assert (order["state"], order["place"], order["total_minor"], order["currency"]) == ("ended", ODENSE, 59990, "DKK")
    [line] = order["lines"]
    assert (line["listing"], line["quantity"], line["tax_minor"]) == (channel.sandbox.skus["A"], 2000, 11998)
    assert line["tax_percent"] == Decimal(25)
    assert [(one["kind"], one["amount_minor"]) for one in order["payments"]] == [("captured", 59990)]
    assert pieces(channel, "A", ODENSE) == 3


def test_a_sale_is_never_newer_than_the_count_that_contains_it() -> None:
    channel = shop()
    sale = told(channel, channel.sandbox.sell("A", 1))
    counts = records_of("stock", channel.connector.look_up("stock", [channel.sandbox.skus["A"]]))
    [figure] = [one for count in counts for one in MAPPINGS.understand("stock", count)]
    assert 0 < sale["as_of"] <= figure["as_of"]


def test_a_day_at_the_till_adds_up() -> None:
    channel = shop()
    till = channel.sandbox
    receipts = [
        till.ring_up({}, custom=[("Custom", Decimal(150)), ("Bag", Decimal(4))], tip=Decimal(20)),
        till.ring_up({}, gift_cards=[Decimal(500)]),
        till.ring_up({"B": 1}, back={"A": 1}),
        till.ring_up({"C": 1}, rounding=Decimal("0.05"), tender="CASH"),
        till.ring_up({"D": 1}, discounts={"D": Decimal(100)}),
        till.take_back("E", 1),
    ]
    orders = [told(channel, one) for one in receipts]
    lines = [line for order in orders for line in order["lines"]]
    charges = [one for order in orders for one in order.get("charges") or []]
    gifts = sum(line["amount_minor"] for line in lines if line["kind"] == "gift_card_sale")
    goods = sum(line["amount_minor"] for line in lines) - gifts
    taken = {"captured": 1, "refunded": -1}
    tendered = sum(taken[one["kind"]] * one["amount_minor"] for order in orders for one in order["payments"])
    assert (goods, sum(line["tax_minor"] for line in lines), gifts) == (50400, 10080, 50000)
    assert [(one["kind"], one["amount_minor"]) for one in charges] == [("tip", 2000), ("rounding", 5)]
    assert tendered == sum(order["total_minor"] for order in orders) == 102405
    assert {sku: pieces(channel, sku) for sku in "ABCDE"} == {"A": 6, "B": 4, "C": 4, "D": 4, "E": 6}
    assert [line["kind"] for line in lines[:3]] == ["custom", "custom", "gift_card_sale"]


@pytest.mark.parametrize(("kind", "total"), [("INCLUSIVE", 69990), ("ADDITIVE", 87488)])
def test_tax_inside_or_on_top_the_total_is_what_the_customer_pays(kind: str, total: int) -> None:
    channel = shop(tax_type=kind)
    order = told(channel, channel.sandbox.sell("B", 2))
    assert order["total_minor"] == order["lines"][0]["amount_minor"] == total
    assert order["payments"][0]["amount_minor"] == total


def test_a_return_belongs_to_its_sale_and_no_more_comes_back_than_was_sold() -> None:
    channel = shop()
    sale = channel.sandbox.ring_up({"A": 2}, discounts={"A": Decimal(100)})
    back = told(channel, channel.sandbox.take_back("A", 1, of=sale))
    assert (back["returns_of"], back["state"], back["total_minor"]) == (sale, "ended", -24995)
    [returned] = back["returns"]
    assert returned["place"] == AARHUS
    assert returned["parts"] == [{"line": told(channel, sale)["lines"][0]["line"], "quantity": 1000}]
    assert [(one["kind"], one["amount_minor"]) for one in back["payments"]] == [("refunded", 24995)]
    assert pieces(channel, "A") == 4
    with pytest.raises(KeyError):
        channel.sandbox.take_back("A", 2, of=sale)


def test_what_a_webshop_sold_comes_back_over_the_counter_under_its_number() -> None:
    channel = shop()
    till = channel.sandbox
    back = told(channel, till.take_back("A", 2, ODENSE, reference="WEB-41", damaged=1, amount=Decimal("399.90")))
    assert (back["reference"], back["total_minor"], "returns_of" in back) == ("WEB-41", -39990, False)
    [line] = back["lines"]
    assert (line["quantity"], line["amount_minor"], line["tax_minor"]) == (-2000, -39990, -7998)
    assert [(one["place"], one["parts"][0]["quantity"]) for one in back["returns"]] == [(ODENSE, 2000)]
    assert [(one["kind"], one["amount_minor"]) for one in back["payments"]] == [("refunded", 39990)]
    assert pieces(channel, "A", ODENSE) == 6, "one of the two is fit for sale"


def test_an_odd_sum_given_for_three_pieces_is_conserved() -> None:
    channel = shop()
    sale = channel.sandbox.sell("C", 3)
    back = told(channel, channel.sandbox.take_back("C", 3, of=sale, amount=Decimal("100.00")))
    assert (back["returns_of"], back["total_minor"], back["lines"][0]["amount_minor"]) == (sale, -10000, -10000)


def test_a_web_order_rung_up_at_the_till_is_a_sale_with_its_number() -> None:
    channel = shop()
    sale = told(channel, channel.sandbox.ring_up({"A": 1}, place=ODENSE, reference="WEB-41"))
    assert (sale["reference"], sale["state"], sale["place"]) == ("WEB-41", "ended", ODENSE)
    assert pieces(channel, "A", ODENSE) == 4


def test_a_return_without_a_receipt_is_attached_to_no_sale() -> None:
    channel = shop()
    channel.sandbox.sell("E", 1)
    back = told(channel, channel.sandbox.take_back("E", 1))
    assert "returns_of" not in back
    assert [line["quantity"] for line in back["lines"]] == [-1000]


def test_a_pickup_order_from_proposed_to_fetched() -> None:
    channel = shop()
    till = channel.sandbox
    ident = till.order({"A": 1}, place=ODENSE, paid=False)
    assert (told(channel, ident)["state"], pieces(channel, "A", ODENSE)) == ("hold", 5)
    till.pay(ident)
    assert told(channel, ident)["state"] == "release"
    assert pieces(channel, "A", ODENSE) == 4, "what is paid is out of Square's stock"
    till.accept(ident)
    assert (told(channel, ident)["state"], told(channel, ident)["pickup"]) == ("release", ODENSE)
    till.prepare(ident)
    assert [one["state"] for one in told(channel, ident)["fulfilments"]] == ["ready"]
    till.collect(ident)
    order = told(channel, ident)
    [fetched] = order["fulfilments"]
    assert (order["state"], fetched["state"], fetched["place"]) == ("ended", "handed_over", ODENSE)
    assert fetched["parts"] == [{"line": order["lines"][0]["line"], "quantity": 1000}]
    assert pieces(channel, "A", ODENSE) == 4


def test_an_order_paid_when_it_is_fetched_leaves_the_stock_once() -> None:
    channel = shop()
    ident = channel.sandbox.order({"A": 2}, paid=False)
    channel.sandbox.collect(ident)
    order = told(channel, ident)
    assert (order["state"], [one["state"] for one in order["fulfilments"]]) == ("release", ["handed_over"])
    assert pieces(channel, "A") == 5, "nobody paid: Square has taken nothing out"
    channel.sandbox.pay(ident)
    assert (told(channel, ident)["state"], pieces(channel, "A")) == ("ended", 3)


def test_what_nobody_fetches_and_what_is_cancelled_is_free_again() -> None:
    channel = shop()
    till = channel.sandbox
    expired, cancelled = till.order({"A": 1}), till.order({"A": 2})
    assert pieces(channel, "A") == 2
    till.expire(expired)
    till.cancel(cancelled)
    assert [told(channel, one)["state"] for one in (expired, cancelled)] == ["cancelled", "cancelled"]
    assert [told(channel, one)["fulfilments"][0]["state"] for one in (expired, cancelled)] == ["cancelled", "cancelled"]
    refunds = [one for ident in (expired, cancelled) for one in told(channel, ident)["payments"] if one["kind"] == "refunded"]
    assert [one["amount_minor"] for one in refunds] == [29995, 59990]
    assert pieces(channel, "A") == 5


def test_a_place_that_cannot_deliver_ends_its_own_order_but_not_one_from_elsewhere() -> None:
    channel = shop()
    own, foreign = channel.sandbox.order({"A": 1}), channel.sandbox.order({"A": 1}, paid=False, reference="WEB-41/aarhus")
    for ident in (own, foreign):
        channel.sandbox.cannot_deliver(ident)
    orders = [told(channel, ident) for ident in (own, foreign)]
    assert [one["fulfilments"][0]["state"] for one in orders] == ["failed", "failed"]
    assert [one["state"] for one in orders] == ["cancelled", "release"]
    assert pieces(channel, "A") == 4, "what was paid is out, and what was not found comes not back"


def test_the_person_is_in_the_party_and_nowhere_else() -> None:
    channel = shop()
    pickup, sale = channel.sandbox.order({"A": 1}), channel.sandbox.sell("A", 1)
    persons = {}
    for one in records_of("orders", channel.connector.look_up("orders", [pickup, sale])):
        persons[one["id"]] = MAPPINGS.understand("party", one)
        assert "Made" not in json.dumps(MAPPINGS.understand("order", one), default=str)
    [person] = persons[pickup]
    assert (person["full_name"], person["city"], person["country"]) == ("Made Buyer", "Made Town", "DK")
    assert persons[sale] == []


def test_every_state_of_an_order_and_its_fulfilment_means_something() -> None:
    channel = shop()
    order = channel.sandbox.orders.kept[channel.sandbox.order({"A": 1})]
    for state in STATES:
        for kind in ("PICKUP", "SHIPMENT", "DELIVERY"):
            for step in ("PROPOSED", "RESERVED", "PREPARED", "COMPLETED", "CANCELED", "FAILED"):
                parts = [{**order["fulfillments"][0], "type": kind, "state": step}]
                assert MAPPINGS.understand("order", record({**order, "state": state, "fulfillments": parts}))
                assert MAPPINGS.understand("order", record({**order, "state": state, "fulfillments": parts, "reference_id": "R"}))
        assert MAPPINGS.understand("order", record({**order, "state": state, "fulfillments": []}))
    with pytest.raises(UnmappableError):
        MAPPINGS.understand("order", record({**order, "state": "PAUSED"}))


@pytest.mark.parametrize("page_max", [1, 2, 500])
def test_every_order_is_read_once_in_pages_of_any_size(page_max: int) -> None:
    channel = shop()
    sold = []
    for _ in range(5):
        sold.append(channel.sandbox.sell("A", 1))
        channel.clock.advance(1)
    records, _ = channel.read("orders", page_max=page_max)
    assert [one["id"] for one in records] == sold


def test_an_offline_till_that_delivers_a_day_late_is_found_under_its_old_date() -> None:
    channel = shop()
    channel.sandbox.sell("A", 1)
    channel.clock.advance(HOUR)
    yesterday = channel.clock.now()
    _, cursor = channel.read("orders")
    channel.clock.advance(24 * HOUR)
    late = channel.sandbox.sell("B", 1, at=yesterday)
    records, _ = channel.read("orders", cursor=cursor)
    assert [one["id"] for one in records] == [late]
    assert told(channel, late)["placed_at"] == yesterday
    assert told(channel, late)["as_of"] > yesterday


def test_what_changes_while_pages_are_read_is_told_by_the_next_reading() -> None:
    channel = shop()
    first, second = channel.sandbox.order({"A": 1}), channel.sandbox.order({"B": 1})
    channel.clock.advance(HOUR)
    page = channel.connector.read("orders", ReadAsk("", False, 1, channel.clock.now()))
    assert [one["id"] for one in records_of("orders", page)] == [first]
    channel.sandbox.accept(first)
    records, cursor = channel.read("orders", cursor=page.cursor, page_max=1)
    assert second in [one["id"] for one in records]
    records, _ = channel.read("orders", cursor=cursor)
    assert (first, "OPEN RESERVED") in [(one["id"], one["standing"]) for one in records]


def test_a_seller_with_more_than_ten_places_is_read_in_groups() -> None:
    names = [f"L{number:02d}" for number in range(23)]
    channel = Channel(locations=",".join(names))
    channel.connector.context = replace(channel.connector.context, places={})
    channel.sandbox.add_item("A", "Thing", price=Decimal(10))
    sold = [channel.sandbox.sell("A", 1, place) for place in names]
    records, cursor = channel.read("orders", page_max=2)
    assert sorted(one["id"] for one in records) == sorted(sold)
    channel.clock.advance(HOUR)
    late = channel.sandbox.sell("A", 1, names[22])
    records, _ = channel.read("orders", cursor=cursor)
    assert late in [one["id"] for one in records]


def test_a_delivery_names_the_order_that_it_speaks_of() -> None:
    channel = shop()
    ident = channel.sandbox.order({"A": 1})
    channel.sandbox.accept(ident)
    assert MANIFEST.deliveries is not None
    seen = set()
    for sent in channel.sandbox.outbox:
        verdict = channel.connector.verify(Delivery("POST", sent.url, sent.headers, {}, sent.body))
        topic = MANIFEST.deliveries.topics[verdict.topic]
        if topic.stream == "orders":
            seen.add(verdict.topic)
            assert topic.ids == "data.id"
            assert json.loads(sent.body)["data"]["id"] == ident
    assert seen == {"order.created", "order.updated", "order.fulfillment.updated"}


def test_an_unknown_order_is_gone() -> None:
    channel = shop()
    page = channel.connector.look_up("orders", ["ONEVER"])
    assert (records_of("orders", page), page.gone) == ([], ("ONEVER",))
