"""Goods on their way between two places of Tryton: planned, dispatched, received in part, read again when anything moved."""

from __future__ import annotations

from typing import Any

import pytest
from tryton_stage import listed, mappings, of, stocked, wired

from connectors.tryton.connector import TrytonConnector
from connectors.tryton.sandbox import Sandbox

PLACES = {"warehouse": "3", "aarhus": "10"}


class Yard:
    """A small Tryton with goods, and the connector that reads what moves between its places."""

    def __init__(self) -> None:
        self.sandbox: Sandbox = stocked()
        self.connector: TrytonConnector = wired(self.sandbox, self.sandbox.clock, places=PLACES)

    def told(self) -> list[dict[str, Any]]:
        records, _ = listed(self.connector, "movements")
        return [one for record in records for one in mappings().understand("movement", record)]

    def stock(self) -> dict[str, int]:
        return dict(self.sandbox.shown()["CAP"]["stock"])


@pytest.fixture
def yard() -> Yard:
    return Yard()


def sums(movement: dict[str, Any]) -> list[tuple[str, int, int, int]]:
    return [(part["sku"], part["planned"], part["dispatched"], part["received"]) for part in movement["parts"]]


def test_goods_leave_travel_and_arrive_in_part(yard: Yard) -> None:
    number = yard.sandbox.transfer({"CAP": 8, "MUG": 2}, "3", "10")
    (told,) = yard.told()
    assert (told["movement"], told["kind"], told["state"]) == (number, "transfer", "planned")
    assert (told["from"], told["to"]) == ("3", "10")
    assert sums(told) == [("CAP", 8000, 0, 0), ("MUG", 2000, 0, 0)]
    yard.sandbox.dispatch(number)
    (told,) = yard.told()
    assert (told["state"], sums(told)[0]) == ("dispatched", ("CAP", 8000, 8000, 0))
    assert yard.stock() == {"3": 2, "10": 0}
    yard.sandbox.receive_transfer(number, {"CAP": 7, "MUG": 2})
    (told,) = yard.told()
    assert (told["state"], sums(told)) == ("received", [("CAP", 8000, 8000, 7000), ("MUG", 2000, 2000, 2000)])
    assert yard.stock() == {"3": 2, "10": 7}


def test_within_a_warehouse_goods_leave_and_arrive_at_once(yard: Yard) -> None:
    number = yard.sandbox.transfer({"CAP": 3}, "3", "1")
    assert sums(yard.told()[0]) == [("CAP", 3000, 0, 0)]
    yard.sandbox.dispatch(number)
    assert sums(yard.told()[0]) == [("CAP", 3000, 3000, 3000)]


def test_a_shelf_inside_a_place_is_told_as_that_place(yard: Yard) -> None:
    yard.sandbox.transfer({"CAP": 3}, "3", "11")
    assert yard.told()[0]["to"] == "10"


def test_what_was_called_off_moved_nothing(yard: Yard) -> None:
    yard.sandbox.cancel_transfer(yard.sandbox.transfer({"CAP": 3}, "3", "10"))
    (told,) = yard.told()
    assert (told["state"], told["parts"]) == ("cancelled", [])


def test_whatever_of_a_transfer_changes_is_read_again(yard: Yard) -> None:
    yard.sandbox.transfer({"MUG": 1}, "3", "10")
    yard.sandbox.clock.advance(600)  # type: ignore[attr-defined]
    number = yard.sandbox.transfer({"CAP": 4}, "3", "10")
    _, cursor = listed(yard.connector, "movements")
    for change in (lambda: yard.sandbox.dispatch(number), lambda: yard.sandbox.receive_transfer(number, {"CAP": 3})):
        yard.sandbox.clock.advance(600)  # type: ignore[attr-defined]
        change()
        records, cursor = listed(yard.connector, "movements", cursor, full=False)
        assert [str(record["id"]) for record in records] == [number]


@pytest.mark.parametrize("page_max", [1, 2, 50])
def test_every_transfer_is_read_once_and_looked_up(yard: Yard, page_max: int) -> None:
    numbers = [yard.sandbox.transfer({"CAP": 1}, "3", "10") for _ in range(5)]
    records, _ = listed(yard.connector, "movements", page_max=page_max)
    assert [str(record["id"]) for record in records] == numbers
    page = yard.connector.look_up("movements", [numbers[1], "99"])
    assert ([str(record["id"]) for record in of(page)], page.gone) == ([numbers[1]], ("99",))
