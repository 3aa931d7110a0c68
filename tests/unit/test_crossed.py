"""What was called off where it was bought after it had left: sold all the same, at what one piece costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.desired.credit import credits
from hub.desired.crossed import as_it_left, called_off
from hub.desired.order import Saying, facts

PIECE = 1_000


def line(name: str, quantity: int, cancelled: int, amount: int, tax: int) -> dict[str, Any]:
    return {
        "line": name, "sku": f"SKU-{name}", "listing": name, "kind": "stocked", "quantity": quantity * PIECE,
        "cancelled": cancelled * PIECE, "amount_minor": amount, "tax_minor": tax, "tax_percent": "25",
    }  # fmt: skip


def born(*lines: dict[str, Any], total: int, captured: int, refunded: int = 0, tax: str = "included") -> Saying:
    payments = [{"payment": "p", "kind": "captured", "amount_minor": captured, "at": 1}]
    payments += [{"payment": "r", "kind": "refunded", "amount_minor": refunded, "at": 2}] if refunded else []
    record = {"order": "1", "state": "release", "currency": "DKK", "tax": tax, "total_minor": total, "lines": list(lines)}
    return Saying("shop", "1", "origin", {**record, "payments": payments}, 1, 1)


def sent(**parts: int) -> Saying:
    told = [{"line": name, "quantity": quantity * PIECE} for name, quantity in parts.items()]
    done = [{"fulfilment": "7", "state": "shipped", "place": "w", "parts": told}]
    return Saying("erp", "9", "export", {"state": "release", "lines": [], "fulfilments": done}, 2, 2)


def test_two_of_three_are_wanted_and_three_left() -> None:
    stood, words = as_it_left([born(line("a", 3, 1, 20_000, 4_000), total=20_000, captured=30_000), sent(a=3)])
    record = stood[0].record
    assert (record["total_minor"], words) == (30_000, "")
    (row,) = record["lines"]
    assert (row["quantity"], row["cancelled"], row["amount_minor"], row["tax_minor"]) == (3 * PIECE, 0, 30_000, 6_000)


def test_what_was_given_back_for_it_is_a_credit() -> None:
    said = [born(line("a", 3, 1, 20_000, 4_000), total=20_000, captured=30_000, refunded=10_000), sent(a=3)]
    assert credits(said) == []
    (credit,) = credits(as_it_left(said)[0])
    assert credit.total_minor == -10_000


def test_net_prices_count_with_their_tax() -> None:
    said = [born(line("a", 2, 1, 8_000, 2_000), total=10_000, captured=20_000, tax="excluded"), sent(a=2)]
    assert as_it_left(said)[0][0].record["total_minor"] == 20_000


@pytest.mark.parametrize("left", [0, 1, 2])
def test_nothing_is_changed_where_no_more_left_than_is_wanted(left: int) -> None:
    said = [born(line("a", 3, 1, 20_000, 4_000), total=20_000, captured=20_000), sent(a=left)]
    assert as_it_left(said) == (said, "")


def test_what_is_called_off_whole_has_no_price_any_more_and_is_named() -> None:
    said = [born(line("a", 1, 1, 0, 0), line("b", 1, 0, 5_000, 1_000), total=5_000, captured=9_000), sent(a=1, b=1)]
    assert as_it_left(said) == (said, "1 of SKU-a left and was called off in the shop: a person credits it in the books")


def cancelled(*, heard: bool, refunded: int = 0) -> str:
    """What is asked of a person when one piece and its shipping, 140.00, are called off; the shop may have heard of it."""
    said = born(line("a", 1, 0, 10_000, 2_000), total=14_000, captured=14_000, refunded=refunded)
    record = {**said.record, "state": "cancelled"}
    if heard:
        record["fulfilments"] = [{"fulfilment": "s", "state": "shipped", "parts": [{"line": "a", "quantity": PIECE}]}]
    sayings = [replace(said, record=record), sent(a=1)]
    told = facts(sayings)
    assert told is not None
    return called_off(sayings, told, credits(sayings))


def test_an_order_called_off_as_a_whole_unheard_is_for_a_person_as_far_as_nobody_credited_it() -> None:
    words = "called off in the shop when 1 of SKU-a had left: {} DKK of it are credited nowhere, a person sees to it"
    assert cancelled(heard=False) == words.format("140.00")
    assert cancelled(heard=False, refunded=10_000) == words.format("40.00")
    assert cancelled(heard=False, refunded=14_000) == ""


def test_what_the_shop_calls_off_though_it_knows_that_it_left_came_back_and_its_shipping_stays_paid() -> None:
    assert cancelled(heard=True, refunded=10_000) == ""


def test_an_order_that_nobody_else_holds_is_as_its_birthplace_says() -> None:
    said = [born(line("a", 3, 1, 20_000, 4_000), total=20_000, captured=20_000)]
    assert as_it_left(said) == (said, "")
