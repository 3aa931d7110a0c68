"""Many orders at once and Tryton: booked together, and one that cannot be holds up none of the others."""

from __future__ import annotations

from typing import Any

import pytest
from tryton_orders import PERSON, Desk, line, placed, tees

from connectors.tryton.sandbox import Sandbox
from connectors.tryton.sandbox_wire import user_error
from hub.flow import Change, Key, Outcome

COUNT = 6


class Batch:
    """A desk at which several orders of several customers are booked by one call."""

    def __init__(self) -> None:
        self.desk = Desk()
        persons = {f"our-{number}": {**PERSON, "order": f"our-{number}", "customer": str(number % 4)} for number in range(COUNT)}
        object.__setattr__(self.desk.connector.context, "party", persons.__getitem__)

    def send(self, *orders: dict[str, Any]) -> list[Outcome]:
        """What became of each order."""
        changes = [
            Change(f"change-{number}", Key("erp", f"our-{number}", "order", "placed"), f"our-{number}", None, order, {}, 0)
            for number, order in enumerate(orders)
        ]
        outcomes = {receipt.change: receipt.outcome for receipt in self.desk.connector.send("order", changes)}
        return [outcomes[change.id] for change in changes]

    def booked(self) -> dict[str, tuple[str, int]]:
        """State and total of every sale by our number; two sales of one number fail."""
        sales = self.desk.sales()
        assert len({sale["reference"] for sale in sales}) == len(sales)
        return {sale["reference"]: (sale["state"], sale["total_minor"]) for sale in sales}

    def parties(self) -> int:
        """How many customers were made."""
        return sum(one["name"] == "Made Buyer" for one in self.desk.sandbox.books.tables["party.party"].values())


@pytest.fixture
def batch() -> Batch:
    return Batch()


def orders() -> list[dict[str, Any]]:
    """Six orders of one to six tees; the third has a minor unit that only a rounding line brings in."""
    made = [tees(1 + number, number=f"WEB-{number}") for number in range(COUNT)]
    made[2] = placed([line("1", 3, 10000, 2000)], number="WEB-2")
    return made


def expected() -> dict[str, tuple[str, int]]:
    return {order["number"]: ("processing", order["total_minor"]) for order in orders()}


def test_they_are_booked_together_in_few_calls(batch: Batch) -> None:
    assert batch.send(*orders()) == [Outcome.APPLIED] * COUNT
    assert batch.booked() == expected()
    assert batch.parties() == 4
    created = [call for call in batch.desk.sandbox.calls if call.writes]
    assert len(created) <= 2 * COUNT
    assert batch.send(*orders()) == [Outcome.APPLIED] * COUNT
    assert batch.booked() == expected()


def test_one_that_they_refuse_holds_up_no_other(batch: Batch) -> None:
    wanted = orders()
    wanted[1] = placed([line("999999", 1, 19995, 3999)], number="WEB-1")
    wanted[4] = placed([line("1", 1, 19995, 3000)], number="WEB-4")
    outcomes = batch.send(*wanted)
    assert [number for number, outcome in enumerate(outcomes) if outcome is not Outcome.APPLIED] == [1, 4]
    assert outcomes[1] is outcomes[4] is Outcome.REFUSED
    booked = batch.booked()
    assert {number: booked[number] for number in ("WEB-0", "WEB-2", "WEB-3", "WEB-5")} == {
        number: expected()[number] for number in ("WEB-0", "WEB-2", "WEB-3", "WEB-5")
    }
    assert "WEB-1" not in booked
    assert booked["WEB-4"][0] == "draft"


def test_a_button_that_is_refused_for_all_is_pressed_for_each(batch: Batch) -> None:
    pressed = batch.desk.sandbox.books.press_sale

    def press(verb: str, sale: int) -> None:
        if batch.desk.sandbox.books.tables["sale.sale"][sale]["reference"] == "WEB-3":
            raise user_error("A person must look at this sale first.")
        pressed(verb, sale)

    batch.desk.sandbox.books.press_sale = press  # type: ignore[method-assign]
    outcomes = batch.send(*orders())
    assert [number for number, outcome in enumerate(outcomes) if outcome is not Outcome.APPLIED] == [3]
    booked = batch.booked()
    assert booked.pop("WEB-3")[0] == "draft"
    assert booked == {number: said for number, said in expected().items() if number != "WEB-3"}


def test_every_lost_answer_still_ends_in_one_sale_each() -> None:
    for lost in range(10):
        batch, writes = Batch(), 0

        def lose(request: Any, *rest: Any, sandbox: Sandbox = batch.desk.sandbox, lost: int = lost) -> Any:
            nonlocal writes
            if sandbox.is_write(request):
                sandbox.faults.lose_answer_next = int(writes == lost)
                writes += 1
            return Sandbox.send(sandbox, request, *rest)

        batch.desk.sandbox.send = lose  # type: ignore[method-assign]
        for _ in range(3):
            outcomes = batch.send(*orders())
        assert outcomes == [Outcome.APPLIED] * COUNT
        assert batch.booked() == expected(), f"answer {lost} lost"
        assert batch.parties() == 4, f"answer {lost} lost"
