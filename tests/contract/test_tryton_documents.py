"""Documents of an order at Tryton: goods that move elsewhere, credits, receipts with goods taken back, and their corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tryton_orders import SHIPPING, Desk, line, placed, tees
from tryton_stage import listed

from connectors.tryton.sandbox import Sandbox
from hub.canonical.order import conserved
from hub.flow import Outcome

CREDITED_PARCEL = {**SHIPPING, "amount_minor": -3900, "tax_minor": -780}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def elsewhere(pieces: int = 3, **more: Any) -> dict[str, Any]:
    """Tees and a parcel that the store hands out."""
    return tees(pieces, number="WEB-41/aarhus", stock="elsewhere", place="10", **more)


def credit(pieces: int = 2, **more: Any) -> dict[str, Any]:
    """Tees that came back."""
    back = line("1", pieces, -19995 * pieces, -3999 * pieces)
    kept = {"number": "WEB-41/R1", "of": "WEB-41", "charges": (), **more}
    return placed([{**back, "quantity": -1000 * pieces}], **kept)


def stock(desk: Desk) -> int:
    """Tees in the warehouse's storage zone."""
    return int(desk.sandbox.shown()["TEE-S"]["stock"]["3"])


def rows(desk: Desk, model: str) -> list[dict[str, Any]]:
    return list(desk.sandbox.books.tables[model].values())


def totals(desk: Desk) -> dict[str, int]:
    return {sale["reference"]: sale["total_minor"] for sale in desk.sales()}


def test_goods_that_move_elsewhere_are_booked_and_nothing_moves_here(desk: Desk) -> None:
    assert desk.send(elsewhere())[0] is Outcome.APPLIED
    assert desk.find(elsewhere()) is Outcome.APPLIED
    (sale,) = desk.sales()
    assert (sale["state"], sale["total_minor"], sale["fulfilments"]) == ("processing", 63885, [])
    assert rows(desk, "stock.shipment.out") == []
    assert [row["state"] for row in rows(desk, "account.invoice")] == ["draft"]
    (booked,) = rows(desk, "sale.sale")
    # Nothing of it is ever moved here, so by what was moved it would never be invoiced.
    assert (booked["shipment_method"], booked["invoice_method"]) == ("manual", "order")
    (told,) = desk.told()
    assert (told["reference"], told["state"], told.get("fulfilments")) == ("WEB-41/aarhus", "release", [])
    assert stock(desk) == 10
    desk.sandbox.pay("1")
    assert desk.sales()[0]["state"] == "processing"
    assert desk.find(elsewhere()) is Outcome.APPLIED


def test_fewer_pieces_of_what_moves_elsewhere_are_a_further_sale_of_the_difference(desk: Desk) -> None:
    desk.send(elsewhere(3))
    assert desk.find(elsewhere(2)) is Outcome.NOT_SENT
    assert desk.send(elsewhere(2), elsewhere(3))[0] is Outcome.APPLIED
    assert desk.send(elsewhere(2), elsewhere(3))[0] is Outcome.APPLIED
    assert totals(desk) == {"WEB-41/aarhus": 63885, "WEB-41/aarhus~1": -19995}
    assert [told["reference"] for told in desk.told()] == ["WEB-41/aarhus"]
    assert desk.send(elsewhere(4), elsewhere(2))[0] is Outcome.APPLIED
    assert totals(desk) == {"WEB-41/aarhus": 63885, "WEB-41/aarhus~1": -19995, "WEB-41/aarhus~2": 39990}
    off = elsewhere(4, state="cancelled")
    assert desk.send(off, elsewhere(4))[0] is Outcome.APPLIED
    assert sum(totals(desk).values()) == 0
    assert desk.find(off) is Outcome.APPLIED
    assert rows(desk, "stock.shipment.out") == rows(desk, "stock.shipment.out.return") == []


def test_a_lost_answer_while_a_difference_is_booked_still_books_it_once() -> None:
    for lost in range(4):
        desk = Desk()
        desk.send(elsewhere(3))
        writes = 0

        def lose(request: Any, *rest: Any, desk: Desk = desk, lost: int = lost) -> Any:
            nonlocal writes
            if desk.sandbox.is_write(request):
                desk.sandbox.faults.lose_answer_next = int(writes == lost)
                writes += 1
            return Sandbox.send(desk.sandbox, request, *rest)

        desk.sandbox.send = lose  # type: ignore[method-assign]
        outcome, _ = desk.send(elsewhere(1), elsewhere(3))
        if outcome is Outcome.UNKNOWN:
            assert desk.find(elsewhere(1)) in (Outcome.NOT_SENT, Outcome.APPLIED)
            # Meanwhile it was changed once more: what was cut off is brought up to date, not doubled.
            assert desk.send(elsewhere(2), elsewhere(3))[0] is Outcome.APPLIED
        assert sum(totals(desk).values()) == (43890 if outcome is Outcome.UNKNOWN else 23895), f"answer {lost} lost"
        assert {sale["state"] for sale in desk.sales()} == {"processing"}


def test_a_reference_like_a_difference_that_a_person_typed_is_told(desk: Desk) -> None:
    desk.sandbox.order({"CAP": 1}, reference="PO~1")
    assert [told["reference"] for told in desk.told()] == ["PO~1"]


def test_who_moves_the_goods_cannot_change_once_it_is_processed(desk: Desk) -> None:
    desk.send(elsewhere())
    outcome, words = desk.send({**elsewhere(), "stock": "here"}, elsewhere())
    assert (outcome, "which system moves its goods" in words) == (Outcome.REFUSED, True)


def test_a_credit_waits_for_the_goods_where_they_come_back_here(desk: Desk) -> None:
    desk.send(tees(number="WEB-41"))
    desk.sandbox.ship("1")
    assert stock(desk) == 7
    assert desk.send(credit(charges=[CREDITED_PARCEL]))[0] is Outcome.APPLIED
    assert totals(desk)["WEB-41/R1"] == -43890
    _, booked = rows(desk, "sale.sale")
    assert (booked["description"], booked["state"]) == ("Credit of WEB-41", "processing")
    (back,) = rows(desk, "stock.shipment.out.return")
    assert (back["state"], stock(desk)) == ("draft", 7)
    desk.sandbox.receive_back("2", put_away=False)
    told = desk.told()[1]
    assert [(part["quantity"], part["restocked"]) for one in told["returns"] for part in one["parts"]] == [(2000, False)]
    assert stock(desk) == 7
    desk.sandbox.receive_back("2")
    told = desk.told()[1]
    assert (told["reference"], told["total_minor"], told["lines"][0]["quantity"]) == ("WEB-41/R1", -43890, -2000)
    assert [row["kind"] for row in told["charges"]] == ["shipping"]
    assert told["returns"] == [
        {"return": "1", "place": "3", "parts": [
            {"line": told["lines"][0]["line"], "quantity": 2000, "condition": "sellable", "restocked": True}]}
    ]  # fmt: skip
    assert told["fulfilments"] == []
    assert conserved(told) == told
    assert stock(desk) == 9
    assert desk.find(credit(charges=[CREDITED_PARCEL])) is Outcome.APPLIED


def test_a_credit_for_goods_that_came_back_elsewhere_moves_nothing(desk: Desk) -> None:
    assert desk.send(credit(stock="elsewhere"))[0] is Outcome.APPLIED
    assert totals(desk) == {"WEB-41/R1": -39990}
    assert rows(desk, "stock.shipment.out.return") == []
    assert stock(desk) == 10


def test_a_credit_of_the_parcel_alone_is_money_only(desk: Desk) -> None:
    parcel = credit(0, charges=[CREDITED_PARCEL])
    assert desk.send(parcel)[0] is Outcome.APPLIED
    assert desk.find(parcel) is Outcome.APPLIED
    assert totals(desk) == {"WEB-41/R1": -3900}
    assert [row["kind"] for row in desk.told()[0]["charges"]] == ["shipping"]


def test_a_receipt_with_goods_taken_back_in_exchange_is_one_sale(desk: Desk) -> None:
    back = {**line("1", 1, -29995, -5999, name="1"), "quantity": -1000}
    receipt = placed([back, line("2", 1, 34995, 6999, name="2")], number="TILL-7", charges=(), stock="elsewhere")
    assert desk.send(receipt)[0] is Outcome.APPLIED
    assert totals(desk) == {"TILL-7": 5000}
    (told,) = desk.told()
    assert [row["quantity"] for row in told["lines"]] == [-1000, 1000]
    assert conserved(told)["total_minor"] == 5000
    same = placed([back, line("1", 1, 29995, 5999, name="2")], number="TILL-8", charges=(), stock="here")
    assert desk.send(same)[0] is Outcome.APPLIED
    assert desk.find(same) is Outcome.APPLIED
    assert totals(desk)["TILL-8"] == 0
    assert [row["state"] for row in rows(desk, "stock.shipment.out.return")] == ["draft"]


def test_what_is_to_come_back_is_changed_by_a_person(desk: Desk) -> None:
    desk.send(credit(2))
    outcome, words = desk.send(credit(1), credit(2))
    assert (outcome, "what comes back" in words) == (Outcome.REFUSED, True)


@pytest.mark.parametrize(("pieces", "amount", "tax"), [(3, 10000, 2000), (7, 9999, 2000), (300, 12345, 2469), (1, 1, 0)])
def test_credited_amounts_are_exact_whatever_the_number_of_pieces(desk: Desk, pieces: int, amount: int, tax: int) -> None:
    back = {**line("1", pieces, -amount, -tax), "quantity": -1000 * pieces}
    assert desk.send(placed([back], number="WEB-41/R1", of="WEB-41", charges=()))[0] is Outcome.APPLIED
    assert totals(desk) == {"WEB-41/R1": -amount}
    (told,) = desk.told()
    assert conserved(told)["total_minor"] == -amount


def test_what_the_configuration_names_for_a_kind_is_the_product_used(desk: Desk) -> None:
    tip = desk.sandbox.add_intangible("TIP", "Tip")
    gift = desk.sandbox.add_intangible("GIFT", "Gift card")
    charge = {"charge": "t", "kind": "tip", "title": "Tip", "amount_minor": 2000, "tax_minor": 0, "listing": tip}
    card = line(gift, 1, 50000, 0, percent=None, kind="gift_card_sale")
    assert desk.send(placed([card], number="TILL-9", charges=[charge], stock="elsewhere"))[0] is Outcome.APPLIED
    assert {(row["product"], row["unit_price"]) for row in rows(desk, "sale.line")} == {(int(gift), 500), (int(tip), 20)}
    assert desk.find(placed([card], number="TILL-9", charges=[charge], stock="elsewhere")) is Outcome.APPLIED


def test_what_is_to_be_fetched_says_so_to_the_staff(desk: Desk) -> None:
    desk.send(tees(place="10", pickup=True))
    assert "the customer fetches it" in rows(desk, "sale.sale")[0]["comment"]
    assert desk.told()[0]["lines"][0]["place"] == "10"


def test_a_return_that_the_clerk_typed_names_the_order_it_belongs_to(desk: Desk) -> None:
    number = desk.sandbox.order({"TEE-S": -2}, reference="WEB-41")
    desk.sandbox.receive_back(number)
    (told,) = desk.told()
    assert (told["reference"], told["total_minor"], told["lines"][0]["amount_minor"]) == ("WEB-41", -39990, -31992)
    assert len(told["returns"]) == 1
    assert stock(desk) == 12


def test_a_return_that_arrives_later_is_read_again(desk: Desk) -> None:
    number = desk.sandbox.order({"TEE-S": -2})
    _, cursor = listed(desk.connector, "orders")
    desk.sandbox.clock.advance(600)  # type: ignore[attr-defined]
    desk.sandbox.receive_back(number)
    records, _ = listed(desk.connector, "orders", cursor, full=False)
    assert [str(record["id"]) for record in records] == [number]


def test_a_phone_order_that_is_shipped_is_told_with_its_parcel(desk: Desk) -> None:
    number = desk.sandbox.phone_order({"CAP": 2})
    _, cursor = listed(desk.connector, "orders")
    desk.sandbox.clock.advance(600)  # type: ignore[attr-defined]
    desk.sandbox.ship(number, {"CAP": 1}, tracking="TN7")
    records, _ = listed(desk.connector, "orders", cursor, full=False)
    assert [(one["tracking"], one["state"]) for one in shipments(records)] == [("TN7", "done"), ("2", "waiting")]


def shipments(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for record in records for one in record["shipments"]]
