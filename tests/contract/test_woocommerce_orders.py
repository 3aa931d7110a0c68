"""WooCommerce: orders as facts, and telling the shop what became of them, each once whatever answers are lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from woocommerce_rig import Rig, shared

from connectors.woocommerce.order_records import record
from hub.canonical.json import read_json
from hub.canonical.order import conserved
from hub.canonical.values import THOUSAND
from hub.errors import OutcomeUnknownError, UnmappableError
from hub.flow import Receipt
from hub.sdk.wire import Request, Response

FREIGHT = Decimal("39.00")


@pytest.fixture
def rig() -> Rig:
    """A shop with four items of 199.95, ten pieces each; TEE-1 and TEE-2 are variations."""
    rig = Rig()
    for number in range(4):
        rig.sandbox.add_item(f"TEE-{number}", f"Tee {number}", price=Decimal("199.95"))
        rig.sandbox.count(f"TEE-{number}", 10)
    rig.clock.advance(60)
    return rig


def pieces(order: dict[str, Any], name: str = "quantity") -> dict[str, int]:
    return {line["sku"]: line[name] // THOUSAND for line in order["lines"]}


def left(order: dict[str, Any]) -> dict[str, int]:
    skus = {line["line"]: line["sku"] for line in order["lines"]}
    found: dict[str, int] = {}
    for fulfilment in order["fulfilments"]:
        for part in fulfilment["parts"]:
            found[skus[part["line"]]] = found.get(skus[part["line"]], 0) + part["quantity"] // THOUSAND
    return found


def stock(rig: Rig, sku: str) -> int:
    return int(rig.sandbox.shown()[sku]["stock"][""])


# reading


def test_an_order_is_told_whole_in_minor_units_with_its_tax(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 3, "TEE-1": 1}, shipping=FREIGHT)
    order = rig.order(ident)
    assert (order["state"], order["total_minor"], order["tax"], order["currency"]) == ("release", 83_880, "included", "DKK")
    assert [(line["sku"], line["amount_minor"], line["tax_minor"], str(line["tax_percent"])) for line in order["lines"]] == [
        ("TEE-0", 59_985, 11_997, "25"),
        ("TEE-1", 19_995, 3_999, "25"),
    ]
    listings = {line["sku"]: line["listing"] for line in order["lines"]}
    assert rig.look("item", listings["TEE-1"])[listings["TEE-1"]]["sku"] == "TEE-1", "a variation is sold, not its product"
    assert [(one["kind"], one["amount_minor"], one["tax_minor"]) for one in order["charges"]] == [("shipping", 3_900, 780)]
    assert [(one["kind"], one["amount_minor"]) for one in order["payments"]] == [("captured", 83_880)]


def test_persons_are_in_their_own_record_only(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 1})
    (found,) = rig.records(rig.connector.look_up("orders", [ident]), "orders")
    (party,) = rig.mappings.understand("party", found)
    assert (party["full_name"], party["city"], party["country"]) == ("Made Buyer", "Made Town", "DK")
    (order,) = rig.mappings.understand("order", found)
    assert "Made" not in json.dumps(order, default=str)
    nobody = rig.sandbox.order({"TEE-0": 1}, customer={})
    (found,) = rig.records(rig.connector.look_up("orders", [nobody]), "orders")
    assert rig.mappings.understand("party", found) == []


@pytest.mark.parametrize(
    ("act", "state", "taken"),
    [
        (lambda shop, order: None, "hold", 0),
        (lambda shop, order: shop.put_on_hold(order), "reserve", 2),
        (lambda shop, order: shop.pay(order), "release", 2),
        (lambda shop, order: shop.complete(order), "ended", 2),
        (lambda shop, order: (shop.pay(order), shop.cancel(order)), "cancelled", 0),
        (lambda shop, order: (shop.pay(order), shop.refund(order, Decimal("399.90"))), "cancelled", 2),
        (lambda shop, order: (shop.complete(order), shop.refund(order, Decimal("399.90"))), "ended", 2),
        (lambda shop, order: (shop.pay(order), shop.trash_order(order)), "cancelled", 2),
    ],
)
def test_every_state_has_its_meaning_and_takes_stock_as_the_shop_does(
    rig: Rig, act: Callable[[Any, str], object], state: str, taken: int
) -> None:
    ident = rig.sandbox.order({"TEE-0": 2}, paid=False)
    act(rig.sandbox, ident)
    assert rig.order(ident)["state"] == state
    assert stock(rig, "TEE-0") == 10 - taken


def test_a_state_of_a_plugin_is_not_guessed(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 1})
    rig.sandbox.orders.kept[int(ident)].status = "wc-lost-in-post"
    with pytest.raises(UnmappableError, match="standing"):
        rig.order(ident)


def test_the_storefront_refuses_what_is_not_there_and_the_api_does_not(rig: Rig) -> None:
    rig.sandbox.order({"TEE-0": 8}, paid=False)
    with pytest.raises(ValueError, match="not there"):
        rig.sandbox.order({"TEE-0": 3})
    given = {"set_paid": True, "line_items": [{"product_id": 10, "quantity": 13}, {"product_id": 99_999, "quantity": 1}]}
    said = read_json(rig.client.call("POST", "wp-json/wc/v3/orders", operation="sell", writes=True, json=given).body)
    assert stock(rig, "TEE-0") == -3
    order = rig.order(str(said["id"]))
    assert [line["kind"] for line in order["lines"]] == ["stocked", "custom"], "a product that the shop does not know"
    assert rig.look("stock", "10")["10"]["on_hand"] == -3_000


def test_a_poll_of_orders_sees_payment_shipping_and_refunds(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 2}, paid=False)
    others = [rig.sandbox.order({"TEE-3": 1}) for _ in range(3)]
    rig.clock.advance(600)
    records, cursor = rig.read("orders", page_max=2)
    assert [str(one["id"]) for one in records] == [ident, *others]
    for act in (
        lambda: rig.sandbox.pay(ident),
        lambda: rig.sandbox.ship(ident, carrier="PostNord", tracking="TN1"),
        lambda: rig.sandbox.refund(ident, Decimal("199.95"), {"TEE-0": 1}),
    ):
        rig.clock.advance(600)
        act()
        rig.clock.advance(60)
        records, cursor = rig.read("orders", cursor)
        assert [str(one["id"]) for one in records] == [ident]
    assert rig.order(ident)["payments"][1]["amount_minor"] == 19_995


def test_orders_in_the_trash_are_called_off_and_deleted_ones_are_gone(rig: Rig) -> None:
    first, second = rig.sandbox.order({"TEE-0": 1}), rig.sandbox.order({"TEE-0": 1})
    rig.sandbox.trash_order(first)
    rig.sandbox.remove_order(second)
    assert rig.read("orders")[0] == []
    page = rig.connector.look_up("orders", [first, second])
    assert page.gone == (second,)
    assert [one["standing"] for one in rig.records(page, "orders")] == ["trash open"]


def test_one_order_that_makes_no_sense_does_not_hold_up_the_others(rig: Rig) -> None:
    bad, good = rig.sandbox.order({"TEE-0": 1}), rig.sandbox.order({"TEE-0": 1})
    rig.sandbox.orders.kept[int(bad)].number = ""
    real = rig.sandbox.order_api.show

    def show(order: Any) -> dict[str, Any]:
        shown = real(order)
        return {**shown, "line_items": None} if str(order.id) == bad else shown

    rig.sandbox.order_api.show = show  # type: ignore[method-assign]
    records, _ = rig.read("orders")
    assert [str(one["id"]) for one in records] == [bad, good]
    with pytest.raises(UnmappableError):
        rig.mappings.understand("order", records[0])
    assert [order["order"] for order in rig.mappings.understand("order", records[1])] == [good]


# refunds: cancelled, returned, or only money


def test_pieces_refunded_before_they_left_are_cancelled(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 3, "TEE-3": 1}, shipping=FREIGHT)
    rig.sandbox.refund(ident, Decimal("399.90"), {"TEE-0": 2})
    order = rig.order(ident)
    assert (order["state"], pieces(order), pieces(order, "cancelled")) == (
        "release",
        {"TEE-0": 3, "TEE-3": 1},
        {"TEE-0": 2, "TEE-3": 0},
    )
    assert (order["lines"][0]["amount_minor"], order["total_minor"]) == (19_995, 43_890)
    assert (order["returns"], order["payments"][1]["amount_minor"]) == ([], 39_990)
    assert stock(rig, "TEE-0") == 9


def test_pieces_refunded_after_they_left_came_back_if_the_shop_restocked_them(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 3})
    rig.sandbox.ship(ident)
    rig.clock.advance(60)
    rig.sandbox.refund(ident, Decimal("199.95"), {"TEE-0": 1})
    rig.clock.advance(60)
    rig.sandbox.refund(ident, Decimal("199.95"), {"TEE-0": 1}, restock=False)
    order = rig.order(ident)
    assert (order["state"], order["total_minor"], pieces(order, "cancelled")) == ("ended", 59_985, {"TEE-0": 0})
    assert [part["quantity"] for one in order["returns"] for part in one["parts"]] == [1_000]
    assert [one["amount_minor"] for one in order["payments"]] == [59_985, 19_995, 19_995]
    assert left(order) == {"TEE-0": 3}
    assert stock(rig, "TEE-0") == 8


def test_money_alone_is_a_payment_with_its_parts(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 2}, shipping=FREIGHT)
    rig.sandbox.refund(ident, Decimal("39.00"), shipping=FREIGHT)
    order = rig.order(ident)
    (charge,) = order["charges"]
    refund = order["payments"][1]
    assert (refund["kind"], refund["amount_minor"]) == ("refunded", 3_900)
    assert refund["parts"] == [{"line": charge["charge"], "quantity": 0, "amount_minor": 3_900}]
    assert (order["total_minor"], order["returns"], pieces(order, "cancelled")) == (43_890, [], {"TEE-0": 0})


def test_every_recorded_order_adds_up(rig: Rig) -> None:
    folder = shared() / "samples" / "woocommerce"
    refunds = read_json((folder / "refund-list.json").read_bytes())["response"]["body"]
    seen = 0
    for path in sorted(folder.glob("order-*.json")):
        body = read_json(path.read_bytes())["response"]["body"]
        if "line_items" not in body:
            continue
        told = record(body, refunds if body["refunds"] else [], {})
        (order,) = rig.mappings.understand("order", told)
        conserved(order)
        assert not rig.mappings.unread(("order", "party"), told), "every field is read, or ignored by name"
        seen += 1
    assert seen >= 9
    told = record(read_json((folder / "order-get-after-refund.json").read_bytes())["response"]["body"], refunds, {})
    (order,) = rig.mappings.understand("order", told)
    assert (pieces(order, "cancelled"), order["total_minor"]) == ({"MUG-1": 1, "SHIRT-S-RED": 0}, 3_594)


def test_a_way_of_shipping_names_where_it_is_fetched() -> None:
    rig = Rig(settings={"pickup_places": "local_pickup:3=aarhus, pickup_location=odense"})
    rig.sandbox.add_item("TEE-0", "Tee", price=Decimal(100))
    rig.sandbox.count("TEE-0", 9)
    wanted = {"local_pickup:3": "aarhus", "local_pickup:4": None, "pickup_location:0": "odense", "": None}
    for way, place in wanted.items():
        ident = rig.sandbox.order({"TEE-0": 1}, pickup=way)
        assert rig.order(ident).get("pickup") == place
        rig.sandbox.complete(ident)
        assert rig.order(ident)["fulfilments"][0]["state"] == ("handed_over" if way else "shipped")


# telling the shop


def test_a_parcel_is_a_note_to_the_customer_and_completes_what_is_wholly_sent(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 2, "TEE-1": 1})
    first = rig.fact("fulfilled:erp:1", ident, {"TEE-0": 2}, carrier="PostNord", tracking="TN1")
    assert (first.outcome, first.shows) == ("applied", {"their": ident})
    shown = rig.sandbox.orders_shown()[ident]
    assert shown["state"] == "processing"
    assert len(shown["notes"]) == 1
    assert "PostNord, tracking number TN1: 2 × Tee 0." in shown["notes"][0]
    order = rig.order(ident)
    assert (order["state"], left(order), order["fulfilments"][0]["tracking"]) == ("release", {"TEE-0": 2}, "TN1")
    rig.clock.advance(60)
    assert rig.fact("fulfilled:erp:2", ident, {"TEE-1": 1}).outcome == "applied"
    assert rig.sandbox.orders_shown()[ident]["state"] == "completed"
    order = rig.order(ident)
    assert (order["state"], left(order)) == ("ended", {"TEE-0": 2, "TEE-1": 1})
    assert stock(rig, "TEE-0") == 8, "the stock was taken when it was paid, once"


def test_notes_can_be_kept_from_customers_and_have_the_merchants_words() -> None:
    rig = Rig(settings={"notes": "private", "shipped_note": "Sendt med {carrier} ({tracking})"})
    rig.sandbox.add_item("TEE-0", "Tee", price=Decimal(100))
    rig.sandbox.count("TEE-0", 9)
    ident = rig.sandbox.order({"TEE-0": 1})
    rig.fact("fulfilled:erp:1", ident, {"TEE-0": 1}, carrier="GLS", tracking="T9")
    shown = rig.sandbox.orders_shown()[ident]
    assert shown["notes"] == []
    assert any(note.startswith("Sendt med GLS (T9) [") for note in shown["staff_notes"])


def test_cancelling_everything_restocks_and_cancelling_a_part_leaves_the_rest(rig: Rig) -> None:
    whole, part = rig.sandbox.order({"TEE-0": 2}), rig.sandbox.order({"TEE-1": 3, "TEE-3": 1})
    assert rig.fact("cancelled:erp:1", whole, {"TEE-0": 2}).outcome == "applied"
    assert rig.sandbox.orders_shown()[whole]["state"] == "cancelled"
    assert rig.fact("cancelled:erp:1", part, {"TEE-1": 2}).outcome == "applied"
    shown = rig.sandbox.orders_shown()[part]
    assert (shown["state"], shown["refunded_minor"], shown["lines"][0]["cancelled"]) == ("processing", 0, 2)
    assert pieces(rig.order(part), "cancelled") == {"TEE-1": 2, "TEE-3": 0}
    assert [stock(rig, sku) for sku in ("TEE-0", "TEE-1", "TEE-3")] == [10, 9, 9]


def test_the_rest_of_an_order_that_partly_left_is_cancelled_and_the_parcel_stays(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 3})
    rig.fact("fulfilled:erp:1", ident, {"TEE-0": 1})
    rig.clock.advance(60)
    assert rig.fact("cancelled:erp:1", ident, {"TEE-0": 2}).outcome == "applied"
    order = rig.order(ident)
    assert (pieces(order, "cancelled"), left(order), order["returns"]) == ({"TEE-0": 2}, {"TEE-0": 1}, [])
    assert (order["total_minor"], stock(rig, "TEE-0")) == (19_995, 9)


def test_a_refund_pays_by_the_gateway_and_moves_no_stock(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 2}, shipping=FREIGHT)
    rig.sandbox.ship(ident)
    rig.clock.advance(60)
    receipt = rig.fact("refunded:till:1", ident, {"TEE-0": 1}, amount_minor=19_995, restock=False)
    assert (receipt.outcome, receipt.shows) == ("applied", {"their": ident, "refunded_minor": 19_995})
    assert stock(rig, "TEE-0") == 8
    refund = rig.order(ident)["payments"][1]
    line = rig.order(ident)["lines"][0]["line"]
    assert refund["parts"] == [{"line": line, "quantity": 0, "amount_minor": 19_995}]
    assert rig.order(ident)["returns"] == []
    too_much = rig.fact("refunded:till:2", ident, {}, amount_minor=99_999)
    assert too_much.outcome == "refused"
    assert "only 238.95 DKK" in too_much.words


def test_a_gateway_that_cannot_pay_back_is_a_refusal_and_by_hand_it_is_recorded(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 1}, method="bacs")
    receipt = rig.fact("refunded:till:1", ident, {}, amount_minor=5_000)
    assert receipt.outcome == "refused"
    assert "does not support automatic refunds" in receipt.words
    assert rig.sandbox.orders_shown()[ident]["refunded_minor"] == 0
    by_hand = Rig(settings={"refunds": "record"})
    by_hand.sandbox.add_item("TEE-0", "Tee", price=Decimal(100))
    by_hand.sandbox.count("TEE-0", 9)
    ident = by_hand.sandbox.order({"TEE-0": 1}, method="bacs")
    assert by_hand.fact("refunded:till:1", ident, {}, amount_minor=5_000).outcome == "applied"
    assert by_hand.sandbox.orders_shown()[ident]["refunded_minor"] == 5_000


def test_what_another_has_paid_back_and_what_is_ready_are_words_only(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 2})
    more = {"amount_minor": 19_995, "currency": "DKK", "by": "Aarhus"}
    assert rig.fact("refund_noted:till:1", ident, {"TEE-0": 1}, **more).outcome == "applied"
    assert rig.fact("ready:till:1", ident, {}, where="Aarhus").outcome == "applied"
    shown = rig.sandbox.orders_shown()[ident]
    assert (shown["refunded_minor"], shown["state"], stock(rig, "TEE-0")) == (0, "processing", 8)
    assert any("199.95 DKK was paid back by Aarhus for 1 × Tee 0" in note for note in shown["staff_notes"])
    assert len(shown["notes"]) == 1
    assert "ready to be collected at Aarhus" in shown["notes"][0]


FACTS: list[tuple[str, dict[str, int], dict[str, Any]]] = [
    ("fulfilled:erp:1", {"TEE-0": 1}, {"carrier": "PostNord", "tracking": "TN1"}),
    ("fulfilled:erp:2", {"TEE-0": 2}, {}),
    ("cancelled:erp:1", {"TEE-0": 1}, {}),
    ("cancelled:erp:2", {"TEE-0": 2}, {}),
    ("refunded:till:1", {"TEE-0": 1}, {"amount_minor": 10_000}),
    ("refund_noted:till:1", {}, {"amount_minor": 10_000, "currency": "DKK", "by": "Aarhus"}),
    ("ready:till:1", {}, {"where": "Aarhus"}),
]


def losing(rig: Rig, number: int) -> None:
    """Let the answer of this write be lost, counted from 0."""
    real, writes = rig.wire.send, iter(range(100))

    def send(request: Request, deadline: float, most: int) -> Response:
        if request.method != "GET" and next(writes) == number:
            rig.sandbox.faults.lose_answer_next = 1
        return real(request, deadline, most)

    rig.wire.send = send  # type: ignore[method-assign]


@pytest.mark.parametrize(("fact", "parts", "more"), FACTS)
def test_a_fact_is_made_once_whatever_answers_are_lost(rig: Rig, fact: str, parts: dict[str, int], more: dict[str, Any]) -> None:
    ident = rig.sandbox.order({"TEE-0": 2})
    assert rig.found(fact, ident, parts, **more).outcome == "not_sent"
    rig.fact(fact, ident, parts, **more)
    wanted = rig.sandbox.orders_shown()[ident]
    calls = sum(one.method != "GET" for one in rig.wire.requests)
    for lost in range(calls):
        again = Rig()
        for number in range(4):
            again.sandbox.add_item(f"TEE-{number}", f"Tee {number}", price=Decimal("199.95"))
            again.sandbox.count(f"TEE-{number}", 10)
        again.clock.advance(60)
        assert again.sandbox.order({"TEE-0": 2}) == ident
        losing(again, lost)
        with pytest.raises(OutcomeUnknownError):
            again.fact(fact, ident, parts, **more)
        if again.found(fact, ident, parts, **more).outcome == "not_sent":
            assert again.fact(fact, ident, parts, **more).outcome == "applied"
        assert again.found(fact, ident, parts, **more).outcome == "applied"
        assert again.fact(fact, ident, parts, **more).outcome == "applied"
        assert again.sandbox.orders_shown()[ident] == wanted


def refusal(receipt: Receipt) -> str:
    assert receipt.outcome == "refused", receipt
    return receipt.words


def test_what_cannot_be_is_refused_in_words(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 2})
    assert "no such order" in refusal(rig.fact("fulfilled:erp:1", "4242", {"1": 1}))
    assert "no line 77" in refusal(rig.fact("fulfilled:erp:1", ident, {"77": 1}))
    assert "at least one" in refusal(rig.fact("fulfilled:erp:1", ident, {}))
    assert "above zero" in refusal(rig.fact("refunded:erp:1", ident, {}, amount_minor=0))
    assert "nothing can be placed" in refusal(rig.fact("placed", ident, {}))
    rig.sandbox.cancel(ident)
    assert "cancelled in the shop" in refusal(rig.fact("fulfilled:erp:1", ident, {"TEE-0": 1}))


def test_a_shop_that_says_yes_and_does_nothing_is_noticed(rig: Rig) -> None:
    ident = rig.sandbox.order({"TEE-0": 2})
    rig.sandbox.faults.ignore_writes_next = 10
    assert "does not show the parcel" in refusal(rig.fact("fulfilled:erp:1", ident, {"TEE-0": 2}))
    assert "the order is processing" in refusal(rig.fact("cancelled:erp:1", ident, {"TEE-0": 2}))
