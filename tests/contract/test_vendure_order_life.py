"""Vendure: orders that are fetched, told of in notes, shipped and cancelled by halves, refunded in part, free, long or in yen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from rig import Served
from vendure_rig import Rig

from connectors.vendure.judge import read_orders
from hub.errors import ConfigError, OutcomeUnknownError
from hub.flow import Change, Outcome

SHIPPING = Decimal("39.00")
READY = {"where": "Aarhus", "number": "WEB-1"}
NOTED = {"amount_minor": 39990, "currency": "DKK", "by": "Aarhus till", "number": "WEB-1"}


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.stocked(3)
    return made


def _through(rig: Rig, change: Change, lost: int) -> None:
    """Send it until it stands, the first answers being lost after their effect."""
    rig.sandbox.faults.lose_answer_next = lost
    for _ in range(lost + 2):
        try:
            receipt = rig.connector.send("order", [change])[0]
            if receipt.outcome is Outcome.APPLIED:
                assert receipt.shows["their"] == change.after["their"]
                break
        except OutcomeUnknownError:
            rig.connector.find("order", [change])
    assert rig.connector.find("order", [change])[0].outcome is Outcome.APPLIED


def _parts(payment: dict[str, Any]) -> list[tuple[str, int, int | None]]:
    return [(part["line"], part["quantity"], part.get("amount_minor")) for part in payment["parts"]]


def _refunds(order: dict[str, Any]) -> list[dict[str, Any]]:
    return [payment for payment in order["payments"] if payment["kind"] == "refunded"]


# fetched by the customer


def test_a_shipping_method_can_mean_a_place_where_the_order_is_fetched() -> None:
    rig = Rig(settings={"pickup_methods": "collect-aarhus=2, collect-odense=3"})
    rig.stocked(1)
    fetched, sent = rig.sandbox.order({"TEE-001": 1}, pickup="collect-aarhus"), rig.sandbox.order({"TEE-001": 1})
    assert rig.order(fetched)["pickup"] == "2"
    assert "pickup" not in rig.order(sent)
    assert {ident: one["pickup"] for ident, one in rig.sandbox.orders_shown().items()} == {fetched: "collect-aarhus", sent: ""}


def test_without_the_setting_no_order_is_fetched(rig: Rig) -> None:
    assert "pickup" not in rig.order(rig.sandbox.order({"TEE-001": 1}, pickup="collect-aarhus"))


@pytest.mark.parametrize("written", ["collect-aarhus", "=2", "collect-aarhus=", "a=1,a=2"])
def test_a_setting_that_is_not_understood_is_refused_before_anything_is_read(written: str) -> None:
    with pytest.raises(ConfigError, match="pickup_methods"):
        Rig(settings={"pickup_methods": written})


@pytest.mark.parametrize("tracking", ["", "TN1"])
@pytest.mark.parametrize("state", ["delivered", "handed_over"])
@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_what_was_handed_over_is_delivered_in_the_shop_and_once(rig: Rig, state: str, tracking: str, lost: int) -> None:
    order = rig.sandbox.order({"TEE-001": 2})
    change = rig.told("fulfilled:till:1", order, {"TEE-001": 2}, state=state, carrier="", tracking=tracking)
    _through(rig, change, lost)
    shown = rig.sandbox.orders_shown()[order]
    assert (shown["state"], [one["parts"] for one in shown["fulfilments"]]) == ("Delivered", [{"TEE-001": 2}])
    assert [one["state"] for one in rig.order(order)["fulfilments"]] == ["delivered"]
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 8


def test_a_parcel_that_was_shipped_arrives_later_under_the_same_key(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 1})
    parcel = {"carrier": "GLS", "tracking": "TN1"}
    for state, shown in (("shipped", "Shipped"), ("delivered", "Delivered"), ("delivered", "Delivered")):
        assert rig.fact("fulfilled:erp:1", order, {"TEE-001": 1}, state=state, **parcel).outcome is Outcome.APPLIED
        assert [one["state"] for one in rig.sandbox.orders_shown()[order]["fulfilments"]] == [shown]


def test_what_a_clerk_had_shipped_is_handed_over_as_it_is(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2, "TEE-002": 1})
    rig.sandbox.ship(order, {"TEE-001": 1})
    rig.sandbox.ship(order, {"TEE-001": 1})
    rig.sandbox.ship(order, {"TEE-002": 1})
    for _ in range(2):
        assert rig.fact("fulfilled:till:1", order, {"TEE-001": 2}, state="handed_over").outcome is Outcome.APPLIED
        parcels = rig.sandbox.orders_shown()[order]["fulfilments"]
        assert [one["state"] for one in parcels] == ["Delivered", "Delivered", "Shipped"]


def test_another_tracking_code_for_a_parcel_that_left_is_refused_and_makes_no_second_parcel(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 4})
    first = rig.told("fulfilled:erp:1", order, {"TEE-001": 1}, tracking="TN1")
    assert rig.connector.send("order", [first])[0].outcome is Outcome.APPLIED
    again = rig.told("fulfilled:erp:1", order, {"TEE-001": 1}, tracking="TN2")
    again = Change(again.id, again.key, again.item, first.after, again.after, {}, again.at)
    assert rig.connector.send("order", [again])[0].outcome is Outcome.REFUSED
    assert len(rig.sandbox.orders_shown()[order]["fulfilments"]) == 1


# notes


@pytest.mark.parametrize(
    ("fact", "more", "words"),
    [
        ("ready:aarhus", READY, "Ready to be collected at Aarhus ("),
        ("refund_noted:till:7", NOTED, "399.90 DKK refunded by Aarhus till ("),
    ],
)
@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_note_is_read_by_the_customer_once_and_moves_neither_money_nor_stock(
    rig: Rig, fact: str, more: dict[str, Any], words: str, lost: int
) -> None:
    order = rig.sandbox.order({"TEE-001": 2}, shipping=SHIPPING)
    before, stock = rig.order(order), rig.sandbox.shown()
    change = rig.told(fact, order, {"TEE-001": 2}, **more)
    assert rig.connector.find("order", [change])[0].outcome is Outcome.NOT_SENT
    _through(rig, change, lost)
    (note,) = rig.sandbox.orders_shown()[order]["notes"]
    assert note.startswith(words)
    assert (rig.order(order), rig.sandbox.shown()) == (before, stock)


def test_a_note_that_is_told_otherwise_is_rewritten_and_others_stay(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2})
    rig.sandbox.note(order, "please gift-wrap", public=True)
    for where in ("Aarhus", "Odense", "Odense"):
        assert rig.fact("ready:1", order, {}, where=where).outcome is Outcome.APPLIED
    rig.fact("refund_noted:1", order, {}, **NOTED)
    texts = [note.partition(" (")[0] for note in rig.sandbox.orders_shown()[order]["notes"]]
    assert texts == ["please gift-wrap", "Ready to be collected at Odense", "399.90 DKK refunded by Aarhus till"]


def test_a_refund_of_nothing_is_not_noted(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2})
    receipt = rig.fact("refund_noted:1", order, {}, **{**NOTED, "amount_minor": 0})
    assert (receipt.outcome, rig.sandbox.orders_shown()[order]["notes"]) == (Outcome.REFUSED, [])


def test_the_judge_reads_the_notes_that_a_customer_reads_and_no_other(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 1})
    rig.sandbox.note(order, "calls back on Monday")
    rig.fact("ready:1", order, {}, **READY)
    with Served(rig.sandbox) as base_url:
        (note,) = read_orders(base_url, rig.settings, dict(rig.connector.secrets))[order]["notes"]
    assert note.startswith("Ready to be collected at Aarhus")


# what a refund is for, and what came back


def test_a_refund_says_its_pieces_and_its_shipping_and_brings_nothing_back(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING)
    rig.sandbox.ship(order)
    rig.sandbox.refund(order, Decimal("438.90"), {"TEE-001": 2}, SHIPPING)
    told = rig.order(order)
    (line,), (charge,) = told["lines"], told["charges"]
    (refund,) = _refunds(told)
    assert refund["amount_minor"] == 43890
    assert _parts(refund) == [(line["line"], 2000, 39990), (charge["charge"], 0, 3900)]
    assert told["returns"] == []
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 7


def test_pieces_that_came_back_are_no_refund(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3})
    rig.sandbox.ship(order)
    rig.sandbox.take_back(order, {"TEE-001": 2})
    told = rig.order(order)
    assert [part["quantity"] for one in told["returns"] for part in one["parts"]] == [2000]
    assert _refunds(told) == []
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 9


def test_a_refund_of_the_shipping_alone_names_the_charge(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 1}, shipping=SHIPPING)
    rig.sandbox.refund(order, SHIPPING, None, SHIPPING)
    told = rig.order(order)
    (refund,) = _refunds(told)
    assert _parts(refund) == [(told["charges"][0]["charge"], 0, 3900)]
    assert told["total_minor"] == 19995 + 3900


def test_amounts_are_told_of_lines_only_where_there_is_one_way_to_read_them(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2, "TEE-002": 2})
    rig.sandbox.refund(order, Decimal("50.00"), {"TEE-001": 1})
    rig.sandbox.refund(order, Decimal("60.00"), {"TEE-001": 1, "TEE-002": 1})
    rig.sandbox.refund(order, Decimal("399.90"), {"TEE-001": 1, "TEE-002": 1})
    rig.sandbox.refund(order, Decimal("5.00"))
    told = rig.order(order)
    one, other = (line["line"] for line in told["lines"])
    assert [_parts(refund) for refund in _refunds(told)] == [
        [(one, 1000, 5000)],
        [(one, 1000, None), (other, 1000, None)],
        [(one, 1000, 19995), (other, 1000, 19995)],
        [],
    ]


def test_our_refund_says_what_it_is_for_and_restocks_nothing(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2}, shipping=SHIPPING)
    rig.sandbox.ship(order)
    before = rig.order(order)
    line, charge = before["lines"][0]["line"], before["charges"][0]["charge"]
    change = rig.told("refunded:erp:1", order, {}, amount_minor=19995 + 3900, restock=False)
    change.after["parts"] = [
        {"line": line, "quantity": 1000, "amount_minor": 19995},
        {"line": charge, "amount_minor": 3900},
        {"line": "77", "quantity": 1000},
    ]
    _through(rig, change, 2)
    told = rig.order(order)
    assert [_parts(refund) for refund in _refunds(told)] == [[(line, 1000, 19995), (charge, 0, 3900)]]
    assert told["returns"] == []
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 8


def test_a_refund_that_grows_pays_the_difference_and_one_that_shrinks_is_refused(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2})
    for amount, outcome, refunded in (
        (1000, Outcome.APPLIED, 1000),
        (2500, Outcome.APPLIED, 2500),
        (2000, Outcome.REFUSED, 2500),
    ):
        assert rig.fact("refunded:erp:1", order, {}, amount_minor=amount).outcome is outcome
        assert rig.sandbox.orders_shown()[order]["refunded_minor"] == refunded


# half shipped, half cancelled


def test_the_other_half_is_cancelled_after_the_first_was_shipped(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2, "TEE-002": 2}, shipping=SHIPPING)
    rig.sandbox.ship(order, {"TEE-001": 2}, "GLS", "TN1")
    assert rig.fact("cancelled:erp:1", order, {"TEE-002": 2}).outcome is Outcome.APPLIED
    told = rig.order(order)
    assert [(line["quantity"], line["cancelled"], line["amount_minor"]) for line in told["lines"]] == [
        (2000, 0, 39990),
        (2000, 2000, 0),
    ]
    assert (told["total_minor"], told["returns"], told["state"]) == (39990 + 3900, [], "ended")
    assert rig.sandbox.orders_shown()[order]["state"] == "PartiallyShipped"
    assert rig.sandbox.shown()["TEE-002"]["stock"]["1"] == 10


def test_calling_off_the_whole_order_takes_off_only_what_has_not_left(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3, "TEE-002": 1}, shipping=SHIPPING)
    rig.sandbox.ship(order, {"TEE-001": 1}, "GLS", "TN1")
    for _ in range(2):
        assert rig.fact("cancelled:erp:1", order, {}).outcome is Outcome.APPLIED
    told = rig.order(order)
    assert [line["cancelled"] for line in told["lines"]] == [2000, 1000]
    assert (told["total_minor"], told["returns"]) == (19995 + 3900, [])


def test_pieces_that_left_cannot_be_cancelled_as_if_they_were_still_here(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3})
    rig.sandbox.ship(order, {"TEE-001": 2})
    before = rig.sandbox.orders_shown()
    receipt = rig.fact("cancelled:erp:1", order, {"TEE-001": 2})
    assert (receipt.outcome, "only 1 pieces" in receipt.words) == (Outcome.REFUSED, True)
    assert rig.sandbox.orders_shown() == before


def test_a_cancellation_that_grows_takes_off_the_difference(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 5})
    for asked, outcome, cancelled in ((1, Outcome.APPLIED, 1), (3, Outcome.APPLIED, 3), (2, Outcome.REFUSED, 3)):
        assert rig.fact("cancelled:erp:1", order, {"TEE-001": asked}).outcome is outcome
        assert rig.sandbox.orders_shown()[order]["lines"][0]["cancelled"] == cancelled


@pytest.mark.parametrize("prices_tax", ["included", "excluded"])
def test_money_is_conserved_through_a_whole_life(prices_tax: str) -> None:
    rig = Rig(prices_tax=prices_tax, settings={"prices_tax": prices_tax})
    rig.sandbox.add_item("A", "A", price=Decimal("3.33"))
    rig.sandbox.add_item("B", "B", price=Decimal("0.99"))
    rig.sandbox.count("A", 20)
    rig.sandbox.count("B", 20)
    order = rig.sandbox.order({"A": 7, "B": 5}, shipping=SHIPPING)
    rig.sandbox.ship(order, {"A": 4})
    for step in (
        lambda: rig.sandbox.cancel(order, {"A": 2}),
        lambda: rig.sandbox.cancel(order, {"B": 3}),
        lambda: rig.sandbox.edit(order, "B", 1),
        lambda: rig.sandbox.ship(order),
        lambda: rig.sandbox.take_back(order, {"A": 3}),
        lambda: rig.sandbox.refund(order, Decimal("6.00"), {"A": 2}),
    ):
        step()
        told = rig.order(order)
        rows = [*told["lines"], *told["charges"]]
        assert told["total_minor"] == sum(row["amount_minor"] for row in rows)
        assert not any(row.get("kind") == "rounding" for row in rows)


# orders out of the ordinary


def test_a_free_order_is_placed_and_paid_by_nothing(rig: Rig) -> None:
    rig.sandbox.set_price("TEE-001", Decimal(0))
    order = rig.sandbox.order({"TEE-001": 2})
    told = rig.order(order)
    assert (told["state"], told["total_minor"], told["payments"], told["charges"]) == ("release", 0, [], [])
    assert told["lines"][0]["quantity"] == 2000
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 8
    assert rig.fact("fulfilled:erp:1", order, {"TEE-001": 2}, tracking="TN1").outcome is Outcome.APPLIED
    assert rig.fact("refunded:erp:1", order, {}, amount_minor=1).outcome is Outcome.REFUSED


def test_an_order_of_three_hundred_lines_is_read_and_shipped_whole() -> None:
    rig = Rig()
    for number in range(300):
        rig.sandbox.add_item(f"S{number}", f"S {number}", price=Decimal("1.01"))
        rig.sandbox.count(f"S{number}", 1)
    wanted = {f"S{number}": 1 for number in range(300)}
    order = rig.sandbox.order(wanted)
    told = rig.order(order)
    assert (len(told["lines"]), told["total_minor"]) == (300, 300 * 101)
    assert rig.fact("fulfilled:erp:1", order, wanted, tracking="TN1").outcome is Outcome.APPLIED
    assert rig.sandbox.orders_shown()[order]["state"] == "Shipped"


@pytest.mark.parametrize(
    ("currency", "price", "shipping", "unit", "total"),
    [("JPY", "1000", "500", 1000, 2500), ("KWD", "1.25", "0.5", 1250, 3000), ("DKK", "199.95", "39", 19995, 43890)],
)
def test_currencies_with_no_and_with_three_digits_are_told_and_refunded_in_their_own_units(
    currency: str, price: str, shipping: str, unit: int, total: int
) -> None:
    rig = Rig(currency=currency, settings={"currency": currency})
    listing = rig.sandbox.add_item("A", "A", price=Decimal(price))
    rig.sandbox.count("A", 5)
    order = rig.sandbox.order({"A": 2}, shipping=Decimal(shipping))
    told = rig.order(order)
    assert (told["currency"], told["total_minor"], told["lines"][0]["amount_minor"]) == (currency, total, 2 * unit)
    assert [payment["amount_minor"] for payment in told["payments"]] == [total]
    assert rig.sandbox.orders_shown()[order]["total_minor"] == total
    assert rig.fact("refunded:erp:1", order, {"A": 1}, amount_minor=unit).outcome is Outcome.APPLIED
    assert rig.sandbox.orders_shown()[order]["refunded_minor"] == unit
    assert [one["amount_minor"] for one in _refunds(rig.order(order))] == [unit]
    assert Decimal(rig.seen("price", rig.read("items")[0])[listing]["amount"]) == Decimal(price)
    assert rig.send_price({listing: "3"}, currency)[listing].outcome is Outcome.APPLIED
    assert rig.sandbox.shown()["A"]["price"] == 3


def test_a_part_of_money_that_the_shop_does_not_keep_is_refused_and_not_rounded() -> None:
    rig = Rig(currency="KWD", settings={"currency": "KWD"})
    listing = rig.sandbox.add_item("A", "A", price=Decimal("1.25"))
    rig.sandbox.count("A", 5)
    order = rig.sandbox.order({"A": 2})
    assert rig.fact("refunded:erp:1", order, {}, amount_minor=1001).outcome is Outcome.REFUSED
    assert rig.send_price({listing: "1.255"}, "KWD")[listing].outcome is Outcome.REFUSED
    assert (rig.sandbox.orders_shown()[order]["refunded_minor"], rig.sandbox.shown()["A"]["price"]) == (0, Decimal("1.25"))


def test_the_tax_of_a_price_in_yen_is_whole_yen() -> None:
    rig = Rig(currency="JPY", settings={"currency": "JPY"})
    rig.sandbox.add_item("A", "A", price=Decimal("999"))
    rig.sandbox.count("A", 5)
    (line,) = rig.order(rig.sandbox.order({"A": 1}))["lines"]
    assert (line["amount_minor"], line["tax_minor"]) == (999, 200)
