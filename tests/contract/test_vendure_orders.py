"""Vendure: what a merchant may rely on when orders are read from a shop, and when the shop is told what became of them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from rig import Served
from vendure_rig import FOLDER, Rig

from connectors.vendure.judge import read_orders
from connectors.vendure.order_reading import WATCHED_MAX
from hub.canonical.json import read_json, write_json
from hub.errors import OutcomeUnknownError, UnmappableError
from hub.flow import Outcome
from hub.sdk.contract import Page, ReadAsk

SHIPPING = Decimal("39.00")


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.stocked(3)
    return made


def _numbers(records: list[Any]) -> list[str]:
    return [record["id"] for record in records]


# reading


def test_an_order_is_read_whole_with_its_money_conserved(rig: Rig) -> None:
    order = rig.order(rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING))
    assert order["total_minor"] == 63885
    (line,), (charge,), (payment,) = order["lines"], order["charges"], order["payments"]
    assert (line["sku"], line["quantity"], line["cancelled"]) == ("TEE-001", 3000, 0)
    assert (line["amount_minor"], line["tax_minor"], line["tax_percent"]) == (59985, 11997, Decimal(25))
    assert (charge["kind"], charge["amount_minor"], charge["tax_minor"], charge["tax_percent"]) == (
        "shipping",
        3900,
        780,
        Decimal(25),
    )
    assert (payment["kind"], payment["amount_minor"]) == ("captured", 63885)
    assert order["state"] == "release"
    assert order["number"] == rig.sandbox.orders_shown()[order["order"]]["number"]


@pytest.mark.parametrize("prices_tax", ["included", "excluded"])
@pytest.mark.parametrize("cents", ["0.01", "0.99", "3.33", "19.99", "199.95"])
def test_money_adds_up_to_the_minor_unit_at_every_price(prices_tax: str, cents: str) -> None:
    rig = Rig(prices_tax=prices_tax, settings={"prices_tax": prices_tax})
    rig.sandbox.add_item("A", "A", price=Decimal(cents))
    rig.sandbox.count("A", 50)
    order = rig.sandbox.order({"A": 7}, shipping=SHIPPING)
    told = rig.order(order)
    charged = sum(charge["amount_minor"] for charge in told["charges"])
    assert told["total_minor"] == sum(line["amount_minor"] for line in told["lines"]) + charged
    assert told["total_minor"] == rig.sandbox.orders_shown()[order]["total_minor"]


@pytest.mark.parametrize("page_max", [1, 2, 3, 50])
def test_reading_to_the_end_gives_every_placed_order_once_and_no_cart(rig: Rig, page_max: int) -> None:
    placed = [rig.sandbox.order({"TEE-001": 1}) for _ in range(5)]
    rig.sandbox.order({"TEE-002": 1}, paid=False)
    records, _ = rig.read("orders", full=True, page_max=page_max)
    assert _numbers(records) == placed
    assert all(not rig.mappings.unread(["order", "party"], record) for record in records)


def test_a_poll_tells_what_was_placed_since_and_an_idle_one_costs_one_request(rig: Rig) -> None:
    first = rig.sandbox.order({"TEE-001": 1})
    rig.clock.advance(300)
    rig.sandbox.order({"TEE-001": 1})
    _, cursor = rig.read("orders")
    rig.clock.advance(300)
    placed = rig.sandbox.order({"TEE-002": 1})
    records, cursor = rig.read("orders", cursor)
    assert placed in _numbers(records)
    assert first not in _numbers(records)
    before = len(rig.wire.requests)
    assert (rig.read("orders", cursor)[0], len(rig.wire.requests) - before) == ([], 1)


def test_an_order_placed_in_the_moment_of_the_last_reading_is_not_missed(rig: Rig) -> None:
    rig.sandbox.order({"TEE-001": 1})
    _, cursor = rig.read("orders")
    placed = rig.sandbox.order({"TEE-002": 1})
    assert placed in _numbers(rig.read("orders", cursor)[0])


def test_what_moves_without_the_orders_own_time_is_seen_by_the_next_poll(rig: Rig) -> None:
    """Authorised, taken, packed in two parcels, delivered, refunded: none of it moves updatedAt on the real one."""
    order = rig.sandbox.order({"TEE-001": 3}, paid=False)
    rig.sandbox.authorise(order)
    seen: list[tuple[str, int, int]] = []
    cursor = ""
    moved = rig.sandbox.orders.found(order).updated_at
    steps: list[Any] = [
        lambda: None,
        lambda: rig.sandbox.pay(order),
        lambda: rig.sandbox.ship(order, {"TEE-001": 1}, "GLS", "TN1"),
        lambda: rig.sandbox.ship(order, {"TEE-001": 1}, "GLS", "TN2"),
        lambda: rig.sandbox.ship(order, {"TEE-001": 1}, "GLS", "TN3"),
        lambda: rig.sandbox.deliver(order),
        lambda: rig.sandbox.refund(order, Decimal("10.00")),
    ]
    for step in steps:
        rig.clock.advance(3600)
        step()
        records, cursor = rig.read("orders", cursor)
        (told,) = rig.mappings.understand("order", records[-1])
        refunds = [one for one in told["payments"] if one["kind"] == "refunded"]
        seen.append((told["state"], len(told["fulfilments"]), len(refunds)))
    assert seen == [
        ("reserve", 0, 0),
        ("release", 0, 0),
        ("release", 1, 0),
        ("release", 2, 0),
        ("ended", 3, 0),
        ("ended", 3, 0),
        ("ended", 3, 1),
    ]
    assert rig.sandbox.orders.found(order).updated_at == moved


def test_a_cursor_watches_a_bounded_number_of_orders_the_open_ones_first(rig: Rig) -> None:
    rig.sandbox.count("TEE-001", 5000)
    opened = [rig.sandbox.order({"TEE-001": 1}) for _ in range(5)]
    for _ in range(WATCHED_MAX):
        rig.sandbox.ship(rig.sandbox.order({"TEE-001": 1}))
    records, cursor = rig.read("orders", full=True, page_max=50)
    assert len(records) == WATCHED_MAX + 5
    assert len(cursor) < 20_000
    rig.clock.advance(3600)
    rig.sandbox.ship(opened[0], None, "GLS", "TN9")
    assert opened[0] in _numbers(rig.read("orders", cursor)[0])


def test_an_order_changed_while_pages_are_read_is_in_the_next_poll(rig: Rig) -> None:
    placed = [rig.sandbox.order({"TEE-001": 1}) for _ in range(5)]
    first = rig.connector.read("orders", ReadAsk("", True, 2, rig.clock.now()))
    rig.clock.advance(200)
    rig.sandbox.cancel(placed[0])
    rest, cursor = rig.read("orders", first.cursor, full=True, page_max=2)
    assert _numbers(rig.records(first, "orders") + rest) == placed
    assert placed[0] in _numbers(rig.read("orders", cursor)[0])


def test_a_look_up_tells_carts_from_orders_and_names_what_is_not_there(rig: Rig) -> None:
    placed, cart = rig.sandbox.order({"TEE-001": 1}), rig.sandbox.order({"TEE-002": 1}, paid=False)
    page: Page = rig.connector.look_up("orders", [placed, cart, "999"])
    assert page.gone == ("999",)
    told = [rig.mappings.understand("order", record)[0] for record in rig.records(page, "orders")]
    assert {one["order"]: one["state"] for one in told} == {placed: "release", cart: "ignore"}


def test_every_state_of_the_platform_has_its_meaning_and_an_unknown_one_is_told(rig: Rig) -> None:
    rig.sandbox.order({"TEE-001": 1})
    (record,), _ = rig.read("orders")
    states = {
        "Created": "ignore", "Draft": "ignore", "AddingItems": "ignore", "ArrangingPayment": "ignore",
        "PaymentAuthorized": "reserve", "PaymentSettled": "release", "PartiallyShipped": "release", "Shipped": "ended",
        "PartiallyDelivered": "release", "Delivered": "ended", "Modifying": "reserve",
        "ArrangingAdditionalPayment": "reserve", "Cancelled": "cancelled",
    }  # fmt: skip
    told = {state: rig.mappings.understand("order", {**record, "state": state})[0]["state"] for state in states}
    assert told == states
    with pytest.raises(UnmappableError):
        rig.mappings.understand("order", {**record, "state": "WaitingForTheMoon"})


def test_a_cancelled_piece_and_one_that_came_back_are_different_facts(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3, "TEE-002": 2}, shipping=SHIPPING)
    rig.sandbox.cancel(order, {"TEE-001": 1})
    cancelled = rig.order(order)
    assert [(line["quantity"], line["cancelled"]) for line in cancelled["lines"]] == [(3000, 1000), (2000, 0)]
    assert cancelled["returns"] == []
    assert cancelled["total_minor"] == 4 * 19995 + 3900

    rig.sandbox.ship(order, None, "GLS", "TN1")
    rig.clock.advance(60)
    rig.sandbox.take_back(order, {"TEE-002": 1})
    first = rig.order(order)
    assert [(line["quantity"], line["cancelled"]) for line in first["lines"]] == [(3000, 1000), (2000, 0)]
    (back,) = first["returns"]
    assert [(part["quantity"], part["condition"], part["restocked"]) for part in back["parts"]] == [(1000, "sellable", True)]
    assert first["total_minor"] == 4 * 19995 + 3900

    rig.clock.advance(60)
    rig.sandbox.take_back(order, {"TEE-002": 1})
    again = rig.order(order)
    assert again["returns"][0] == back
    assert [part["quantity"] for one in again["returns"] for part in one["parts"]] == [1000, 1000]
    assert again["total_minor"] == 4 * 19995 + 3900


def test_an_edit_in_the_shop_is_the_order_as_it_is_now(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 1})
    _, cursor = rig.read("orders")
    rig.clock.advance(120)
    rig.sandbox.edit(order, "TEE-001", 4)
    (record,), cursor = rig.read("orders", cursor)
    (told,) = rig.mappings.understand("order", record)
    assert (told["state"], told["lines"][0]["quantity"], told["total_minor"]) == ("reserve", 4000, 4 * 19995)
    rig.clock.advance(120)
    rig.sandbox.pay(order)
    assert rig.order(order)["state"] == "release"
    assert sum(payment["amount_minor"] for payment in rig.order(order)["payments"]) == 4 * 19995
    _, cursor = rig.read("orders", cursor)
    rig.clock.advance(3600)
    rig.sandbox.edit(order, "TEE-001", 3)
    (told,) = rig.mappings.understand("order", rig.read("orders", cursor)[0][-1])
    assert (told["lines"][0]["quantity"] - told["lines"][0]["cancelled"], told["total_minor"]) == (3000, 3 * 19995)


def test_taking_an_open_piece_off_a_line_that_partly_left_counts_one_too_many_as_the_real_one_does(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3})
    rig.sandbox.ship(order, {"TEE-001": 2})
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 7
    rig.sandbox.cancel(order, {"TEE-001": 1})
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 9
    (listing,) = [one for one, told in rig.seen("item", rig.read("items")[0]).items() if told["sku"] == "TEE-001"]
    assert rig.send_stock({listing: 8})[listing].shows["sellable"] == 8_000
    told = rig.order(order)
    assert (told["lines"][0]["cancelled"], told["returns"], told["total_minor"]) == (1000, [], 2 * 19995)


@pytest.mark.parametrize(
    ("currency", "hundredths", "minor"), [("JPY", 100_000, 1_000), ("KWD", 1_999, 19_990), ("DKK", 1_999, 1_999)]
)
def test_hundredths_of_every_currency_become_its_own_minor_units(rig: Rig, currency: str, hundredths: int, minor: int) -> None:
    rig.sandbox.order({"TEE-001": 1})
    (record,), _ = rig.read("orders")
    line = {**record["lines"][0], "amount": hundredths, "tax": 0}
    told = {**record, "currencyCode": currency, "total": hundredths, "lines": [line], "charges": [], "payments": []}
    (order,) = rig.mappings.understand("order", told)
    assert (order["total_minor"], order["lines"][0]["amount_minor"]) == (minor, minor)
    with pytest.raises(UnmappableError):
        rig.mappings.understand("order", {**told, "currencyCode": "JPY", "total": 100_001})


def test_a_person_is_in_the_party_record_and_nowhere_else(rig: Rig) -> None:
    person = {"name": "Planted Person", "email": "planted@shop.example", "street": "Planted Road 9", "city": "Planted"}
    more = {"phone": "555-PHONE", "postal_code": "POST-1", "country": "DK"}
    order = rig.sandbox.order({"TEE-001": 1}, customer={**person, **more})
    (record,) = rig.records(rig.connector.look_up("orders", [order]), "orders")
    (party,) = rig.mappings.understand("party", record)
    assert (party["order"], party["full_name"], party["email"]) == (order, "Planted Person", "planted@shop.example")
    assert (party["street"], party["postal_code"], party["phone"]) == ("Planted Road 9", "POST-1", "555-PHONE")
    assert (party["city"], party["country"]) == ("Planted", "DK")
    (told,) = rig.mappings.understand("order", record)
    events = [request.body for request in rig.sandbox.outbox]
    for trace in [write_json(told).encode(), *events]:
        assert not re.search(b"(?i)planted|555-phone|post-1", trace)


def test_selling_takes_the_stock_of_the_shop_and_no_more_than_there_is(rig: Rig) -> None:
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 10
    order = rig.sandbox.order({"TEE-001": 12})
    assert rig.sandbox.orders_shown()[order]["lines"][0]["quantity"] == 10
    assert rig.sandbox.order({"TEE-001": 1}) == ""
    rig.sandbox.cancel(order, {"TEE-001": 4})
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 4
    rig.sandbox.ship(order)
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 4
    rig.sandbox.take_back(order, {"TEE-001": 2})
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 6


def test_two_checkouts_for_the_last_piece_both_go_through_as_on_the_real_one(rig: Rig) -> None:
    rig.sandbox.count("TEE-003", 1)
    one, other = (rig.sandbox.order({"TEE-003": 1}, paid=False) for _ in range(2))
    rig.sandbox.pay(one)
    rig.sandbox.pay(other)
    assert rig.sandbox.shown()["TEE-003"]["stock"]["1"] == -1


# deliveries


def test_every_order_event_names_its_placed_order_and_a_cart_is_not_told_of(rig: Rig) -> None:
    rig.sandbox.outbox.clear()
    cart = rig.sandbox.order({"TEE-001": 2}, paid=False)
    assert list(rig.sandbox.outbox) == []
    rig.sandbox.authorise(cart)
    rig.sandbox.pay(cart)
    rig.sandbox.ship(cart, {"TEE-001": 1}, "GLS", "TN1")
    rig.sandbox.cancel(cart, {"TEE-001": 1})
    rig.sandbox.refund(cart, Decimal("1.00"))
    declared = rig.manifest.deliveries
    assert declared is not None
    told = [one.json() for one in rig.sandbox.outbox if one.headers["x-vendure-event"] != "StockMovementEvent"]
    assert {one["event"] for one in told} == {name for name, topic in declared.topics.items() if topic.stream == "orders"}
    for one in told:
        topic = declared.topics[one["event"]]
        assert topic.ids is not None
        assert one[topic.ids] == [cart]


# telling the shop


def test_a_parcel_shows_in_the_shop_with_carrier_and_tracking_and_once_however_often_it_is_told(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3})
    for _ in range(3):
        receipt = rig.fact("fulfilled:erp:7", order, {"TEE-001": 2}, carrier="GLS", tracking="TN1")
        assert receipt.outcome is Outcome.APPLIED
        assert receipt.shows["their"] == order
    shown = rig.sandbox.orders_shown()[order]
    assert shown["state"] == "PartiallyShipped"
    assert [(one["state"], one["carrier"], one["tracking"], one["parts"]) for one in shown["fulfilments"]] == [
        ("Shipped", "GLS", "TN1", {"TEE-001": 2})
    ]
    rig.fact("fulfilled:erp:8", order, {"TEE-001": 1}, carrier="GLS", tracking="TN2")
    assert rig.sandbox.orders_shown()[order]["state"] == "Shipped"


def test_two_equal_parcels_without_a_tracking_code_are_two(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3})
    for fact in ("fulfilled:erp:1", "fulfilled:erp:1", "fulfilled:erp:2"):
        assert rig.fact(fact, order, {"TEE-001": 1}, carrier="GLS", tracking="").outcome is Outcome.APPLIED
    assert [one["parts"] for one in rig.sandbox.orders_shown()[order]["fulfilments"]] == [{"TEE-001": 1}, {"TEE-001": 1}]


@pytest.mark.parametrize(
    ("fact", "more"),
    [
        ("fulfilled:erp:1", {"carrier": "GLS", "tracking": "TN1"}),
        ("fulfilled:erp:1", {"carrier": "", "tracking": ""}),
        ("cancelled:erp:1", {}),
        ("refunded:erp:1", {"amount_minor": 19995, "restock": False}),
    ],
)
@pytest.mark.parametrize("lost", [1, 2, 3])
def test_answers_lost_after_the_effect_end_in_exactly_one_effect(rig: Rig, fact: str, more: dict[str, Any], lost: int) -> None:
    order = rig.sandbox.order({"TEE-001": 3, "TEE-002": 1}, shipping=SHIPPING)
    change = rig.told(fact, order, {"TEE-001": 1}, **more)
    assert [one.outcome for one in rig.connector.find("order", [change])] == [Outcome.NOT_SENT]
    rig.sandbox.faults.lose_answer_next = lost
    outcome, tries = Outcome.UNKNOWN, 0
    while outcome is not Outcome.APPLIED:
        tries += 1
        assert tries < 6
        try:
            outcome = rig.connector.send("order", [change])[0].outcome
        except OutcomeUnknownError:
            (found,) = rig.connector.find("order", [change])
            outcome = found.outcome
    assert rig.connector.find("order", [change])[0].outcome is Outcome.APPLIED
    shown = rig.sandbox.orders_shown()[order]
    told = (
        [one["parts"] for one in shown["fulfilments"]],
        sum(line["cancelled"] for line in shown["lines"]),
        shown["refunded_minor"],
    )
    assert (
        told
        == {
            "fulfilled": ([{"TEE-001": 1}], 0, 0),
            "cancelled": ([], 1, 0),
            "refunded": ([], 0, 19995),
        }[fact.partition(":")[0]]
    )


def test_a_parcel_that_a_clerk_told_of_already_is_no_second_one(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2})
    rig.sandbox.ship(order)
    assert rig.fact("fulfilled:erp:1", order, {"TEE-001": 2}, carrier="GLS", tracking="TN1").outcome is Outcome.APPLIED
    assert len(rig.sandbox.orders_shown()[order]["fulfilments"]) == 1


def test_a_whole_cancellation_gives_up_the_shipping_and_a_part_keeps_it(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2}, shipping=SHIPPING)
    assert rig.fact("cancelled:erp:1", order, {"TEE-001": 1}).outcome is Outcome.APPLIED
    assert rig.sandbox.orders_shown()[order]["total_minor"] == 19995 + 3900
    assert rig.fact("cancelled:erp:2", order, {"TEE-001": 1}).outcome is Outcome.APPLIED
    shown = rig.sandbox.orders_shown()[order]
    assert (shown["state"], shown["total_minor"]) == ("Cancelled", 0)
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 10
    assert rig.order(order)["state"] == "cancelled"


def test_a_refund_is_paid_out_of_as_many_payments_as_it_takes_and_never_more_than_was_paid(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 1})
    rig.sandbox.edit(order, "TEE-001", 2)
    rig.sandbox.pay(order)
    assert rig.fact("refunded:erp:1", order, {}, amount_minor=30000).outcome is Outcome.APPLIED
    assert rig.sandbox.orders_shown()[order]["refunded_minor"] == 30000
    more = rig.fact("refunded:erp:2", order, {}, amount_minor=9991)
    assert (more.outcome, "99.90 DKK" in more.words) == (Outcome.REFUSED, True)
    assert rig.fact("refunded:erp:3", order, {}, amount_minor=9990).outcome is Outcome.APPLIED
    assert rig.sandbox.orders_shown()[order]["refunded_minor"] == 2 * 19995


@pytest.mark.parametrize(
    ("fact", "parts", "more", "words"),
    [
        ("placed", {}, {}, "nothing can be placed"),
        ("fulfilled:x", {}, {}, "at least one"),
        ("fulfilled:x", {"77": 1}, {}, "no line 77"),
        ("fulfilled:x", {"TEE-001": 3}, {"tracking": "T"}, "ITEMS_ALREADY_FULFILLED_ERROR"),
        ("cancelled:x", {"TEE-001": 3}, {}, "QUANTITY_TOO_GREAT_ERROR"),
        ("cancelled:x", {"77": 1}, {}, "no line 77"),
        ("refunded:x", {}, {"amount_minor": 0}, "above zero"),
    ],
)
def test_what_the_shop_cannot_do_is_refused_with_words_and_changes_nothing(
    rig: Rig, fact: str, parts: dict[str, int], more: dict[str, Any], words: str
) -> None:
    order, stranger = rig.sandbox.order({"TEE-001": 2}), rig.sandbox.order({"TEE-002": 1})
    before = rig.sandbox.orders_shown()
    receipt = rig.fact(fact, order, parts, **more)
    assert (receipt.outcome, words in receipt.words) == (Outcome.REFUSED, True)
    assert rig.fact("cancelled:x", "999", {}).words == "the shop has no such order"
    line = rig.order(stranger)["lines"][0]["line"]
    assert rig.fact("fulfilled:y", order, {line: 1}).outcome is Outcome.REFUSED
    assert rig.sandbox.orders_shown() == before


def test_a_success_that_changed_nothing_is_noticed_by_the_next_reading(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 2})
    change = rig.told("cancelled:erp:1", order, {"TEE-001": 1})
    rig.sandbox.faults.ignore_writes_next = 1
    rig.connector.send("order", [change])
    assert rig.order(order)["lines"][0]["cancelled"] == 0
    assert rig.connector.find("order", [change])[0].outcome is Outcome.NOT_SENT


# the mappings and the judge


def test_the_made_orders_are_what_the_reading_gives(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING)
    rig.sandbox.ship(order, None, "GLS", "TN1")
    rig.sandbox.take_back(order, {"TEE-001": 2})
    rig.sandbox.refund(order, Decimal("399.90"))
    (record,), _ = rig.read("orders")
    made = read_json((FOLDER / "samples" / "made" / "orders.json").read_bytes())["data"]["orders"]["items"]
    for sample in made:
        assert sample.keys() == record.keys()
        for rows in ("lines", "charges", "payments"):
            assert sample[rows][0].keys() == record[rows][0].keys()
    assert made[1]["returned"][0].keys() == record["returned"][0].keys()
    assert made[0]["address"].keys() == record["address"].keys()
    assert made[0]["customer"].keys() == record["customer"].keys()
    assert rig.order(order)["total_minor"] == 63885


def test_the_judge_reads_over_http_which_orders_the_shop_holds(rig: Rig) -> None:
    order = rig.sandbox.order({"TEE-001": 3}, shipping=SHIPPING)
    rig.sandbox.ship(order, {"TEE-001": 2})
    rig.sandbox.order({"TEE-002": 1}, paid=False)
    with Served(rig.sandbox) as base_url:
        held = read_orders(base_url, rig.settings, dict(rig.connector.secrets))
    number = rig.sandbox.orders_shown()[order]["number"]
    told = {"number": number, "reference": "", "state": "PartiallyShipped", "lines": {"TEE-001": 3}, "shipped": {"TEE-001": 2}}
    assert held == {order: {**told, "total": "638.85", "notes": []}}
