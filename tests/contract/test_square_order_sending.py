"""Orders put to Square: made once whatever is lost, found by our number, cancelled and handed over as a whole."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from square_channel import AARHUS, ODENSE, Channel, records_of

from hub.errors import OutcomeUnknownError
from hub.flow import Change, Key, Outcome
from hub.sdk.api import Receipt


def shop() -> Channel:
    channel = Channel()
    for sku, price in (("A", "995.00"), ("B", "199.95")):
        channel.sandbox.add_item(sku, f"Thing {sku}", price=Decimal(price))
        channel.sandbox.count(sku, 3, ODENSE)
    channel.clock.advance(60)
    return channel


def placed(channel: Channel, *, pieces: int = 1, place: str = ODENSE, **more: Any) -> Change:
    """Our order webshop-1001: pieces of A at 995.00 each with their tax inside."""
    listing = channel.sandbox.skus["A"]
    line = {"line": "7", "listing": listing, "sku": "A", "title": "Thing A", "kind": "stocked", "quantity": pieces * 1000}
    line |= {"amount_minor": 99500 * pieces, "tax_minor": 19900 * pieces, "tax_percent": "25"}
    after = {
        "fact": "placed",
        "number": "webshop-1001",
        "placed_at": channel.clock.now(),
        "currency": "DKK",
        "tax": "included",
        "total_minor": 99500 * pieces,
        "lines": [line],
        "charges": [],
        "payments": [],
        "place": place,
        "taxes": {"25": "VAT"},
    }
    key = Key("till", "o-1", "order", "placed")
    return Change("c-1", key, "o-1", more.pop("before", None), {**after, **more}, {}, channel.clock.now())


def fact(channel: Channel, what: str, their: str, **more: Any) -> Change:
    """Something that became of Square's own order."""
    key = Key("till", "o-2", "order", f"{what}:1")
    return Change(f"c-{what}", key, "o-2", None, {"fact": what, "their": their, **more}, {}, channel.clock.now())


def send(channel: Channel, change: Change) -> Receipt:
    [receipt] = channel.connector.send("order", [change])
    return receipt


def held(channel: Channel) -> dict[str, dict[str, Any]]:
    shown: dict[str, dict[str, Any]] = channel.sandbox.orders_shown()
    return shown


def test_an_order_is_made_once_and_waits_at_the_shop() -> None:
    channel = shop()
    first, again = send(channel, placed(channel)), send(channel, placed(channel))
    assert first.outcome is again.outcome is Outcome.APPLIED
    assert first.shows == again.shows == {"their": next(iter(held(channel)))}
    [order] = held(channel).values()
    assert (order["number"], order["total_minor"], order["state"]) == ("webshop-1001", 99500, "OPEN")
    assert [one["state"] for one in order["fulfilments"]] == ["PROPOSED"]
    assert channel.sandbox.shown()["A"]["stock"][ODENSE] == 3, "it is still there until it is fetched"
    channel.sandbox.ship(first.shows["their"])
    assert channel.sandbox.shown()["A"]["stock"][ODENSE] == 2


def test_what_is_collected_without_payment_moves_no_stock_at_the_till() -> None:
    channel = shop()
    their = send(channel, placed(channel)).shows["their"]
    channel.sandbox.collect(their)
    [order] = held(channel).values()
    assert (order["state"], [one["state"] for one in order["fulfilments"]]) == ("OPEN", ["COMPLETED"])
    assert channel.sandbox.shown()["A"]["stock"][ODENSE] == 3
    assert send(channel, fact(channel, "fulfilled", their, parts=[])).outcome is Outcome.APPLIED
    assert channel.sandbox.shown()["A"]["stock"][ODENSE] == 3


def test_a_pickup_that_was_rung_up_instead_is_withdrawn_and_sold_once() -> None:
    channel = shop()
    before = placed(channel)
    their = send(channel, before).shows["their"]
    receipt = channel.sandbox.ring_up({"A": 1}, place=ODENSE, reference="webshop-1001")
    gone = placed(channel, before=before.after, state="cancelled")
    assert channel.connector.find("order", [gone])[0].outcome is Outcome.NOT_SENT
    channel.sandbox.faults.lose_answer_next = 1
    with pytest.raises(OutcomeUnknownError):
        send(channel, gone)
    assert channel.connector.find("order", [gone])[0].shows == {"their": their}
    assert {one: told["state"] for one, told in held(channel).items()} == {their: "CANCELED", receipt: "COMPLETED"}
    assert channel.sandbox.shown()["A"]["stock"][ODENSE] == 2


def test_what_was_withdrawn_from_a_shop_may_be_put_to_it_again() -> None:
    channel = shop()
    first = placed(channel)
    their = send(channel, first).shows["their"]
    gone = placed(channel, before=first.after, state="cancelled")
    assert send(channel, gone).outcome is Outcome.APPLIED
    anew = replace(placed(channel, before=gone.after), id="c-2")
    receipts = [send(channel, anew), send(channel, anew)]
    assert len({one.shows["their"] for one in receipts}) == 1
    assert {one: told["state"] for one, told in held(channel).items()} == {their: "CANCELED", receipts[0].shows["their"]: "OPEN"}


def test_one_told_to_be_ready_waits_prepared() -> None:
    channel = shop()
    their = send(channel, placed(channel)).shows["their"]
    ready = fact(channel, "ready", their, number="webshop-1001", parts=[], where="Odense", place=ODENSE)
    assert channel.connector.find("order", [ready])[0].outcome is Outcome.NOT_SENT
    assert [send(channel, ready).outcome for _ in range(2)] == [Outcome.APPLIED] * 2
    assert [one["state"] for one in held(channel)[their]["fulfilments"]] == ["PREPARED"]
    channel.sandbox.cannot_deliver(their)
    late = send(channel, replace(ready, id="c-late"))
    assert late.outcome is Outcome.REFUSED
    assert [one["state"] for one in held(channel)[their]["fulfilments"]] == ["FAILED"]


def test_an_order_to_be_sent_from_a_shop_is_a_parcel_there() -> None:
    channel = shop()
    their = send(channel, placed(channel, pickup=False)).shows["their"]
    assert channel.sandbox.orders.kept[their]["fulfillments"][0]["type"] == "SHIPMENT"
    sent = fact(channel, "fulfilled", their, parts=[], carrier="Made Post", tracking="TN1", state="shipped")
    assert send(channel, sent).outcome is Outcome.APPLIED
    [found] = records_of("orders", channel.connector.look_up("orders", [their]))
    [row] = found["fulfilments"]
    assert (row["word"], row["carrier"], row["tracking"]) == ("SHIPMENT COMPLETED", "Made Post", "TN1")


def test_a_lost_answer_ends_in_one_order() -> None:
    channel = shop()
    change = placed(channel)
    assert channel.connector.find("order", [change])[0].outcome is Outcome.NOT_SENT
    channel.sandbox.faults.lose_answer_next = 1
    with pytest.raises(OutcomeUnknownError):
        send(channel, change)
    [found] = channel.connector.find("order", [change])
    assert (found.outcome, found.shows) == (Outcome.APPLIED, {"their": next(iter(held(channel)))})
    assert len(held(channel)) == 1


def test_a_success_without_an_order_is_no_success() -> None:
    channel = shop()
    channel.sandbox.faults.ignore_writes_next = 1
    with pytest.raises(OutcomeUnknownError):
        send(channel, placed(channel))
    assert held(channel) == {}


def test_two_orders_with_our_number_are_for_a_person() -> None:
    channel = shop()
    for _ in range(2):
        channel.sandbox.order({"A": 1}, place=ODENSE, reference="webshop-1001")
    assert channel.connector.find("order", [placed(channel)])[0].outcome is Outcome.REFUSED
    assert send(channel, placed(channel)).outcome is Outcome.REFUSED
    assert len(held(channel)) == 2


def test_uneven_amounts_a_discount_and_shipping_make_the_same_total() -> None:
    channel = shop()
    change = placed(channel, pieces=3)
    line = {**change.after["lines"][0], "amount_minor": 10000, "tax_minor": 2000}
    charges = [
        {"charge": "s", "kind": "shipping", "title": "Shipping", "amount_minor": 3900, "tax_minor": 780, "tax_percent": "25"},
        {"charge": "d", "kind": "discount", "title": "Voucher", "amount_minor": -1000, "tax_minor": -200, "tax_percent": "25"},
    ]
    receipt = send(channel, placed(channel, lines=[line], charges=charges, total_minor=12900))
    assert (receipt.outcome, receipt.words) == (Outcome.APPLIED, "")
    assert [one["total_minor"] for one in held(channel).values()] == [12900]


def test_amounts_without_tax_become_what_the_customer_paid() -> None:
    channel = shop()
    line = {**placed(channel).after["lines"][0], "amount_minor": 79600, "tax_minor": 19900}
    assert send(channel, placed(channel, lines=[line], tax="excluded")).words == ""
    assert [one["total_minor"] for one in held(channel).values()] == [99500]


def test_our_order_cancelled_is_cancelled_there() -> None:
    channel = shop()
    before = placed(channel)
    their = send(channel, before).shows["their"]
    gone = placed(channel, before=before.after, state="cancelled")
    assert channel.connector.find("order", [gone])[0].outcome is Outcome.NOT_SENT
    assert send(channel, gone).outcome is Outcome.APPLIED
    assert held(channel)[their]["state"] == "CANCELED"
    assert send(channel, gone).outcome is Outcome.APPLIED


def test_what_was_fetched_already_is_not_cancelled_and_other_lines_are_not_slipped_in() -> None:
    channel = shop()
    before = placed(channel)
    their = send(channel, before).shows["their"]
    assert send(channel, placed(channel, pieces=2, before=before.after)).outcome is Outcome.REFUSED
    channel.sandbox.ship(their)
    assert send(channel, placed(channel, before=before.after, state="cancelled")).outcome is Outcome.REFUSED
    assert held(channel)[their]["state"] == "COMPLETED"


def test_squares_own_order_is_handed_over_or_cancelled_as_a_whole() -> None:
    channel = shop()
    fetched, cancelled = channel.sandbox.order({"A": 1}), channel.sandbox.order({"A": 2}, paid=False)
    part = {"line": channel.sandbox.orders.kept[cancelled]["line_items"][0]["uid"], "quantity": 1000}
    assert send(channel, fact(channel, "cancelled", cancelled, parts=[part])).outcome is Outcome.REFUSED
    for change, state in (
        (fact(channel, "fulfilled", fetched, parts=[]), "COMPLETED"),
        (fact(channel, "cancelled", cancelled, parts=[]), "CANCELED"),
    ):
        assert channel.connector.find("order", [change])[0].outcome is Outcome.NOT_SENT
        receipt = send(channel, change)
        assert (receipt.outcome, receipt.shows) == (Outcome.APPLIED, {"their": change.after["their"]})
        assert held(channel)[change.after["their"]]["state"] == state
        assert send(channel, change).outcome is Outcome.APPLIED
    assert send(channel, fact(channel, "refunded", fetched, amount_minor=100)).outcome is Outcome.REFUSED


def test_what_square_cannot_take_is_refused_before_it_is_sent() -> None:
    channel = shop()
    half = {**placed(channel).after["lines"][0], "quantity": 500}
    back = {**half, "quantity": -1000, "amount_minor": -99500, "tax_minor": -19900}
    for more in ({"number": "x" * 41}, {"lines": [half]}, {"lines": [back]}, {"of": "webshop-1000"}):
        assert send(channel, placed(channel, **more)).outcome is Outcome.REFUSED
    assert held(channel) == {}


def test_an_hour_and_a_half_of_work_is_one_line_at_its_amount() -> None:
    channel = shop()
    work = {"line": "8", "listing": "", "sku": "", "title": "Fitting", "kind": "service", "quantity": 1500, "amount_minor": 45001}
    lines = [placed(channel).after["lines"][0], work]
    receipts = [send(channel, placed(channel, lines=lines, total_minor=144501)) for _ in range(2)]
    assert [(one.outcome, one.words) for one in receipts] == [(Outcome.APPLIED, "")] * 2
    [order] = held(channel).values()
    assert order["total_minor"] == 144501


def test_without_a_named_place_the_channels_only_one_is_meant() -> None:
    channel = shop()
    their = send(channel, placed(channel, place="")).shows["their"]
    assert channel.sandbox.orders.kept[their]["location_id"] == AARHUS
