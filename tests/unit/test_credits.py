"""Credit notes: what came back and what was paid back, each once, to the minor unit, never more than was bought."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.desired.credit import OF, Credit, credits, share
from hub.desired.order import Saying

PIECE = 1000


def sale(**more: Any) -> dict[str, Any]:
    line = {"line": "1", "listing": "v1", "sku": "TEE", "quantity": 3 * PIECE, "amount_minor": 59985, "tax_minor": 11997}
    shipping = {"charge": "s", "kind": "shipping", "amount_minor": 3900, "tax_minor": 780, "tax_percent": "25"}
    paid = {"payment": "p", "kind": "captured", "method": "card", "amount_minor": 63885, "at": 1}
    told: dict[str, Any] = {
        "order": "7",
        "state": "ended",
        "currency": "DKK",
        "tax": "included",
        "total_minor": 63885,
        "lines": [{**line, "tax_percent": "25"}],
        "charges": [shipping],
        "payments": [paid],
    }
    return {**told, **more}


def back(their: str, quantity: int, amount: int, at: int = 5, paid: bool = True, line: str = "1") -> Saying:
    row = {"line": "x", "listing": "t1", "sku": "TEE", OF: line, "quantity": -quantity * PIECE, "amount_minor": -amount}
    refund = [{"payment": f"r{their}", "kind": "refunded", "method": "cash", "amount_minor": amount, "at": at}] if paid else []
    record = {
        "order": their,
        "currency": "DKK",
        "tax": "included",
        "total_minor": -amount,
        "place": "L1",
        "placed_at": at,
        "lines": [{**row, "tax_minor": -amount // 5, "tax_percent": "25"}],
        "payments": refund,
    }
    return Saying("till", their, "return", record, 9, 0)


def found(record: dict[str, Any], *returns: Saying) -> list[Credit]:
    return credits([Saying("webshop", "7", "origin", record, 1, 0), *returns])


def refund(amount: int, **more: Any) -> dict[str, Any]:
    return {"payment": f"r{amount}", "kind": "refunded", "method": "card", "amount_minor": amount, "at": 9, **more}


def refunded(*payments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return sale(payments=[*sale()["payments"], *payments], **more)


def test_goods_returned_at_a_till_are_one_credit_at_what_the_till_paid() -> None:
    (credit,) = found(sale(), back("A", 2, 39990))
    assert (credit.total_minor, credit.paid_minor, credit.place) == (-39990, 39990, "L1")
    assert [(row["quantity"], row["amount_minor"], row["tax_minor"]) for row in credit.rows] == [(-2000, -39990, -7998)]
    assert credit.parts == ({"line": "1", "quantity": 2000},)


def test_a_second_return_gets_at_most_what_is_left_and_says_so() -> None:
    first, second = found(sale(), back("A", 2, 39990), back("B", 2, 39990, at=6))
    assert (first.words, second.total_minor, second.paid_minor) == ("", -19995, 19995)
    assert second.words == "more came back than was bought: 1 of TEE"


def test_something_that_was_never_in_the_order_is_named_and_not_credited() -> None:
    (credit,) = found(sale(), back("A", 1, 5000, line=""))
    assert (credit.rows, credit.total_minor) == ((), 0)
    assert credit.words == "more came back than was bought: 1 of TEE"


def test_a_refund_that_says_what_it_is_for_credits_those_lines_and_charges() -> None:
    parts = [{"line": "1", "quantity": 1 * PIECE}, {"line": "s", "amount_minor": 3900}]
    (credit,) = found(refunded(refund(23895, parts=parts)))
    assert [(row["line"], row["amount_minor"], row["tax_minor"]) for row in credit.rows] == [("1", -19995, -3999)]
    assert [(row["charge"], row["amount_minor"], row["tax_minor"]) for row in credit.charges] == [("s", -3900, -780)]
    assert credit.total_minor == -23895


def test_a_refund_of_shipping_only_moves_no_goods() -> None:
    (credit,) = found(refunded(refund(3900, parts=[{"line": "s"}])))
    assert (credit.rows, credit.parts, credit.total_minor) == ((), (), -3900)


def test_money_for_nothing_in_particular_has_the_orders_one_tax() -> None:
    (credit,) = found(refunded(refund(5000)))
    assert [(row["kind"], row["amount_minor"], row["tax_minor"]) for row in credit.charges] == [("discount", -5000, -1000)]


def test_money_for_nothing_in_particular_of_an_order_with_several_taxes_is_for_a_person() -> None:
    lines = [*sale()["lines"], {"line": "2", "quantity": PIECE, "amount_minor": 1000, "tax_minor": 0, "tax_percent": "0"}]
    (credit,) = found(refunded(refund(5000), lines=lines, total_minor=64885))
    assert not credit.charges
    assert "50.00 DKK" in credit.words


def test_what_was_paid_for_pieces_that_the_total_no_longer_has_is_no_credit() -> None:
    lines = [{**sale()["lines"][0], "cancelled": PIECE, "amount_minor": 39990, "tax_minor": 7998}]
    assert found(refunded(refund(19995), lines=lines, total_minor=43890)) == []


def test_a_return_that_the_shop_pays_back_is_one_credit() -> None:
    (credit,) = found(refunded(refund(19995)), back("A", 1, 19995, paid=False))
    assert (credit.teller, credit.paid_minor, credit.total_minor) == ("till", 0, -19995)


def test_a_credit_that_stands_is_not_taken_for_what_pays_a_later_return() -> None:
    record, later = refunded(refund(3900, parts=[{"line": "s"}])), back("A", 1, 19995, at=20, paid=False)
    before = found(record)
    origin = Saying("webshop", "7", "origin", record, 1, 0)
    assert [each.key for each in credits([origin, later], {before[0].key})] == ["till:A", "webshop:r3900"]
    paid = Saying("webshop", "7", "origin", refunded(*record["payments"][1:], refund(19995, at=21)), 1, 0)
    notes = credits([paid, later], {before[0].key})
    assert [(each.key, each.total_minor) for each in notes] == [("till:A", -19995), ("webshop:r3900", -3900)]


def test_pieces_that_came_back_without_money_are_no_credit_and_money_later_is_for_them() -> None:
    returns = [{"return": "1", "parts": [{"line": "1", "quantity": PIECE}]}]
    assert found(sale(returns=returns)) == []
    (credit,) = found(refunded(refund(19995), returns=returns))
    assert credit.parts == ({"line": "1", "quantity": PIECE},)


@given(st.integers(-100_000, 100_000), st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_shares_of_all_parts_add_up(amount: int, parts: list[int]) -> None:
    whole, before, total = sum(parts), 0, 0
    for part in parts:
        total += share(amount, before, part, whole)
        before += part
    assert total == amount


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=5), st.lists(st.integers(1, 30_000), max_size=4))
def test_credits_never_give_back_more_pieces_than_were_bought_nor_money_out_of_nothing(
    returns: list[tuple[int, bool]], refunds: list[int]
) -> None:
    record = refunded(*[refund(amount) | {"payment": str(n)} for n, amount in enumerate(refunds)])
    told = [back(str(n), pieces, 19995 * pieces, at=n, paid=paid) for n, (pieces, paid) in enumerate(returns)]
    notes = found(record, *told)
    assert sum(part["quantity"] for note in notes for part in note.parts) <= 3 * PIECE
    for note in notes:
        assert 0 <= note.paid_minor <= -note.total_minor
        booked = sum(row["amount_minor"] for row in (*note.rows, *note.charges))
        assert booked == note.total_minor
