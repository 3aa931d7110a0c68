"""What Shopify is told of its orders: parcels, goods to be fetched, pieces called off, money given back; each once."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from shopify_rig import DEPOT, STORE, Rig

from hub.errors import OutcomeUnknownError
from hub.flow import Outcome
from hub.sdk.wire import Request, Response

SHIPPING = Decimal("39.00")


def shop() -> Rig:
    """Ten pieces of three tees at the depot, five at the store."""
    rig = Rig()
    rig.stocked(3)
    for one in range(1, 4):
        rig.sandbox.count(f"TEE-{one:03d}", 5, STORE)
    rig.clock.advance(60)
    return rig


def parts(order: dict[str, Any], state: str) -> dict[str, int]:
    """Pieces by SKU in the fulfilments of this state."""
    skus = {line["line"]: line["sku"] for line in order["lines"]}
    found: dict[str, int] = {}
    for one in order["fulfilments"]:
        for part in one["parts"] if one["state"] == state else []:
            found[skus[part["line"]]] = found.get(skus[part["line"]], 0) + part["quantity"] // 1000
    return found


def lines_of(rig: Rig, ident: str) -> dict[str, Any]:
    return {line["sku"]: line for line in rig.sandbox.orders_shown()[ident]["lines"]}


def test_a_parcel_is_told_once_however_often_it_is_sent() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3, "TEE-002": 1})
    for _ in range(3):
        receipt = rig.fact("fulfilled:erp:1", ident, {"TEE-001": 2}, carrier="PostNord", tracking="TN0041")
        assert (receipt.outcome, receipt.shows["their"]) == (Outcome.APPLIED, ident)
    shown = rig.sandbox.orders_shown()[ident]
    (parcel,) = shown["fulfilments"]
    assert (parcel["parts"], parcel["carrier"], parcel["tracking"]) == ({"TEE-001": 2}, "PostNord", "TN0041")
    assert shown["state"] == "PAID PARTIALLY_FULFILLED"
    rig.fact("fulfilled:erp:2", ident, {"TEE-001": 1, "TEE-002": 1})
    assert rig.sandbox.orders_shown()[ident]["state"] == "PAID FULFILLED"
    assert rig.sandbox.state.mails == [("#1001", "shipped")] * 2


def test_two_equal_parcels_without_a_number_are_two() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3})
    for key in ("1", "1", "2"):
        assert rig.fact(f"fulfilled:erp:{key}", ident, {"TEE-001": 1}).outcome is Outcome.APPLIED
    assert lines_of(rig, ident)["TEE-001"]["fulfilled"] == 2


def test_what_a_clerk_shipped_already_is_not_shipped_twice() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2})
    rig.sandbox.ship(ident)
    receipt = rig.fact("fulfilled:erp:1", ident, {"TEE-001": 2}, tracking="TN1")
    assert (receipt.outcome, len(rig.sandbox.orders_shown()[ident]["fulfilments"])) == (Outcome.APPLIED, 1)


def test_another_location_than_the_shop_chose_sends_the_goods() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2, "TEE-002": 1}, place=DEPOT)
    receipt = rig.fact("fulfilled:erp:1", ident, {"TEE-001": 1}, place=STORE, tracking="TN1")
    assert receipt.outcome is Outcome.APPLIED
    (parcel,) = rig.sandbox.orders_shown()[ident]["fulfilments"]
    assert parcel["place"] == STORE
    tee = rig.sandbox.state.levels
    figures = {(one.location, one.variant): (one.available, one.committed) for one in tee.values()}
    variant = rig.sandbox.shop.on_sale("TEE-001").id
    assert figures[(int(STORE), variant)] == (4, 0)
    assert figures[(int(DEPOT), variant)] == (9, 1)


def test_pieces_from_two_locations_become_two_fulfilments() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2})
    order = rig.sandbox.orders.found(ident)
    task = order.tasks[0]
    rig.sandbox.orders.move_task(order, task, int(STORE), {task.parts[0][0]: 1})
    receipt = rig.fact("fulfilled:erp:1", ident, {"TEE-001": 2}, tracking="TN1")
    assert receipt.outcome is Outcome.APPLIED
    assert {one["place"] for one in rig.sandbox.orders_shown()[ident]["fulfilments"]} == {DEPOT, STORE}


@pytest.mark.parametrize("fact", ["fulfilled:1", "cancelled:1", "refunded:1", "refund_noted:1", "ready:1"])
def test_a_lost_answer_leaves_one_effect(fact: str) -> None:
    rig = shop()
    ready = fact.startswith("ready")
    ident = rig.sandbox.order({"TEE-001": 3}, pickup=ready)
    more: dict[str, Any] = {"tracking": "TN1"} if fact == "fulfilled:1" else {"where": "Depot"} if ready else {}
    if "refund" in fact:
        more = {"amount_minor": 5000, "currency": "DKK", "by": "the till"}
    wanted = {"TEE-001": 3 if ready else 1} if "refund" not in fact else {}
    change = rig.told(fact, ident, wanted, **more)
    rig.sandbox.faults.lose_answer_next = 1
    with pytest.raises(OutcomeUnknownError):
        rig.connector.send("order", [change])
    found = rig.connector.find("order", [change])
    if found[0].outcome is Outcome.NOT_SENT:
        assert ready, "only the mark behind a notice to the customer may be missing"
        assert rig.connector.send("order", [change])[0].outcome is Outcome.APPLIED
    assert rig.connector.find("order", [change])[0].outcome is Outcome.APPLIED
    assert rig.connector.send("order", [change])[0].outcome is Outcome.APPLIED
    shown = rig.sandbox.orders_shown()[ident]
    line = lines_of(rig, ident)["TEE-001"]
    assert len(shown["fulfilments"]) == (fact == "fulfilled:1")
    assert line["current"] == (2 if fact == "cancelled:1" else 3)
    assert shown["refunded_minor"] == (5000 if fact == "refunded:1" else 0)
    assert len(shown["attributes"]) == (fact in ("refund_noted:1", "ready:1"))


def test_pieces_are_cancelled_without_money_and_without_a_shelf() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3, "TEE-002": 1}, shipping=SHIPPING)
    assert rig.fact("cancelled:erp:1", ident, {"TEE-001": 1}).outcome is Outcome.APPLIED
    assert rig.fact("cancelled:erp:1", ident, {"TEE-001": 1}).outcome is Outcome.APPLIED
    assert rig.fact("cancelled:erp:2", ident, {"TEE-001": 1}).outcome is Outcome.APPLIED
    order = rig.order(ident)
    assert order["lines"][0]["cancelled"] == 2000
    assert [one["kind"] for one in order["payments"]] == ["captured"]
    assert rig.sandbox.shown()["TEE-001"]["stock"][DEPOT] == 7, "the hub writes the figure when it says so"


def test_an_order_of_which_nothing_left_is_called_off_whole() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3}, paid=False)
    rig.sandbox.authorise(ident)
    assert rig.fact("cancelled:erp:1", ident, {"TEE-001": 3}).outcome is Outcome.APPLIED
    order = rig.order(ident)
    assert (order["state"], [one["kind"] for one in order["payments"]]) == ("cancelled", ["authorised", "voided"])
    assert rig.fact("cancelled:erp:2", ident, {"TEE-001": 3}).outcome is Outcome.APPLIED
    assert rig.sandbox.orders_shown()[ident]["refunded_minor"] == 0, "money goes back when the hub says so"


def test_the_rest_of_an_order_that_partly_left_is_called_off() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3})
    rig.sandbox.ship(ident, {"TEE-001": 1})
    assert rig.fact("cancelled:erp:1", ident, {"TEE-001": 2}).outcome is Outcome.APPLIED
    order = rig.order(ident)
    assert (order["state"], order["lines"][0]["cancelled"]) == ("ended", 2000)


def test_money_is_given_back_once_and_never_more_than_was_taken() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2}, shipping=SHIPPING)
    rig.sandbox.ship(ident)
    for _ in range(2):
        receipt = rig.fact("refunded:till:1", ident, {"TEE-001": 1}, amount_minor=19995)
        assert (receipt.outcome, receipt.shows["refunded_minor"]) == (Outcome.APPLIED, 19995)
    order = rig.order(ident)
    refund = order["payments"][-1]
    assert (refund["kind"], refund["amount_minor"], refund["parts"][0]["quantity"]) == ("refunded", 19995, 1000)
    assert order["returns"] == [], "where it came back is for others to say"
    assert rig.sandbox.shown()["TEE-001"]["stock"][DEPOT] == 8
    too_much = rig.fact("refunded:till:2", ident, {}, amount_minor=30000)
    assert (too_much.outcome, "23895" in too_much.words) == (Outcome.REFUSED, True)


def test_a_refund_may_come_out_of_two_payments() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2})
    rig.sandbox.edit(ident, "TEE-002", 1)
    rig.sandbox.pay(ident)
    assert rig.fact("refunded:erp:1", ident, {}, amount_minor=45000).outcome is Outcome.APPLIED
    refunds = [one["amount_minor"] for one in rig.order(ident)["payments"] if one["kind"] == "refunded"]
    assert refunds == [39990, 5010]


def test_a_refund_to_a_customer_who_paid_in_another_money() -> None:
    rig = Rig()
    rig.stocked(1)
    ident = rig.sandbox.order({"TEE-001": 1}, currency="EUR", rate=Decimal("0.134"))
    receipt = rig.fact("refunded:erp:1", ident, {}, amount_minor=19995)
    assert receipt.outcome is Outcome.APPLIED, receipt.words
    (sent,) = [one["variables"]["input"] for one in rig.wire.documents() if "refundCreate" in one["query"]]
    assert (sent["currency"], sent["transactions"][0]["amount"]) == ("EUR", "26.79")


def test_a_refund_by_another_system_is_seen_and_moves_nothing() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2})
    rig.sandbox.orders.found(ident).attributes["gift wrap"] = "yes"
    for _ in range(2):
        receipt = rig.fact("refund_noted:till:1", ident, {"TEE-001": 1}, amount_minor=19995, currency="DKK", by="Till Aarhus")
        assert receipt.outcome is Outcome.APPLIED
    shown = rig.sandbox.orders_shown()[ident]
    assert shown["refunded_minor"] == 0
    assert shown["attributes"]["gift wrap"] == "yes"
    noted = [value for name, value in shown["attributes"].items() if name.startswith("Samklang refund noted")]
    assert noted == ["199.95 DKK given back by Till Aarhus"]


def test_ready_for_pickup_tells_the_customer_and_is_seen() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 2}, pickup=True, place=STORE)
    assert rig.order(ident)["pickup"] == STORE
    assert rig.fact("ready:store:1", ident, {"TEE-001": 1}, where="Store").outcome is Outcome.REFUSED
    for _ in range(2):
        assert rig.fact("ready:store:2", ident, {"TEE-001": 2}, where="Store", place=STORE).outcome is Outcome.APPLIED
    assert rig.sandbox.state.mails == [("#1001", "ready for pickup")]
    assert parts(rig.order(ident), "ready") == {"TEE-001": 2}
    receipt = rig.fact("fulfilled:store:1", ident, {"TEE-001": 2}, state="handed_over", place=STORE)
    assert receipt.outcome is Outcome.APPLIED
    assert parts(rig.order(ident), "handed_over") == {"TEE-001": 2}
    assert rig.sandbox.state.mails == [("#1001", "ready for pickup")], "who fetches it needs no mail"
    sent = rig.sandbox.order({"TEE-002": 1})
    assert rig.fact("ready:store:3", sent, {"TEE-002": 1}).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("fact", "wanted", "more", "words"),
    [
        ("fulfilled:1", {"TEE-001": 9}, {}, "not so many pieces"),
        ("fulfilled:1", {"123": 1}, {}, "no line 123"),
        ("cancelled:1", {"123": 1}, {}, "no line 123"),
        ("refunded:1", {}, {"amount_minor": 0}, "above zero"),
        ("placed", {}, {}, "nothing can be placed"),
    ],
)
def test_what_the_shop_cannot_do_is_refused_in_words(fact: str, wanted: dict[str, int], more: dict[str, Any], words: str) -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3})
    receipt = rig.fact(fact, ident, wanted, **more)
    assert (receipt.outcome, words in receipt.words) == (Outcome.REFUSED, True), receipt.words
    missing = rig.fact(fact, "999", wanted, **more)
    assert missing.outcome is Outcome.REFUSED


@pytest.mark.parametrize("fact", ["fulfilled:1", "cancelled:1", "cancelled:all", "refunded:1", "refund_noted:1", "ready:1"])
def test_a_success_that_changes_nothing_is_no_success(fact: str) -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3}, pickup=fact.startswith("ready"))
    wanted = {"TEE-001": 3 if fact in ("cancelled:all", "ready:1") else 1} if "refund" not in fact else {}
    change = rig.told(fact, ident, wanted, amount_minor=5000, currency="DKK")
    rig.sandbox.faults.ignore_writes_next = 9
    (receipt,) = rig.connector.send("order", [change])
    assert receipt.outcome in (Outcome.REFUSED, Outcome.UNKNOWN)
    rig.sandbox.faults.ignore_writes_next = 0
    assert rig.connector.find("order", [change])[0].outcome is Outcome.NOT_SENT


def test_a_rule_of_the_document_itself_changes_nothing() -> None:
    rig = shop()
    ident = rig.sandbox.order({"TEE-001": 3})
    original = rig.wire.send

    def send(request: Request, deadline: float, most: int) -> Response:
        if b"fulfillmentCreate" in request.body:
            told = {"errors": [{"message": "Variable $fulfillment was provided invalid value"}]}
            return Response(200, {}, json.dumps(told).encode())
        return original(request, deadline, most)

    rig.wire.send = send  # type: ignore[method-assign]
    receipt = rig.fact("fulfilled:1", ident, {"TEE-001": 1})
    assert (receipt.outcome, "invalid value" in receipt.words) == (Outcome.REFUSED, True)
