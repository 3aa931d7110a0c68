"""The judge: it knows nothing of the hub, and no wrong number passes it."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.simulate import judge
from hub.simulate.trade import Paper
from hub.simulate.world import Expected

RIGHT: dict[str, Any] = {"stock": {"3": "10", "11": "4.000"}, "price": "199.950", "currency": "DKK", "state": "active"}
EXPECTED = {"erp": {"A": Expected({"3": 10, "": 14}, 19_995)}}
CONNECTORS = Path(__file__).parents[2] / "connectors"


def found(shown: dict[str, dict[str, Any]]) -> list[str]:
    return [str(each) for each in judge.differences(EXPECTED, {"erp": shown}, "DKK")]


def test_what_is_right_passes() -> None:
    assert found({"A": RIGHT}) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"stock": {"3": "9", "11": "5"}}, "erp A stock at 3: should be 10, shows 9"),
        ({"stock": {"3": "10", "11": "5"}}, "erp A stock: should be 14, shows 15"),
        ({"stock": {}}, "erp A stock at 3: should be 10, shows 0"),
        ({"price": "199.96"}, "erp A price: should be 199.95, shows 199.96"),
        ({"price": None}, "erp A price: should be 199.95, shows "),
        ({"currency": "EUR"}, "erp A currency: should be DKK, shows EUR"),
        ({"state": "inactive"}, "erp A state: should be active, shows inactive"),
    ],
)
def test_a_wrong_number_is_named(changed: dict[str, Any], words: str) -> None:
    assert words in found({"A": {**RIGHT, **changed}})


def test_missing_and_surplus_listings_are_named() -> None:
    assert found({}) == ["erp A listing: should be one, shows none"]
    assert found({"A": RIGHT, "B": RIGHT}) == ["erp B listing: should be none, shows one"]
    assert judge.differences(EXPECTED, {"erp": {"A": RIGHT, "B": RIGHT}}, "DKK", ["B"]) == []


@pytest.mark.parametrize("path", [Path(judge.__file__), *sorted(CONNECTORS.glob("*/judge.py"))], ids=lambda p: p.parent.name)
def test_the_judge_imports_the_standard_library_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names - set(sys.stdlib_module_names) == set()


# orders


def sale(reference: str, lines: dict[str, int], total: str = "399.90", shipped: dict[str, int] | None = None) -> dict[str, Any]:
    return {
        "number": "1",
        "reference": reference,
        "state": "processing",
        "lines": lines,
        "shipped": shipped or {},
        "total": total,
    }


BOUGHT = Paper("", "webshop-1", {"A": 2}, {}, 39_990, [])
BOOKED = sale("webshop-1", {"A": 2})


def told(*rows: dict[str, Any], papers: tuple[Paper, ...] = (BOUGHT,)) -> judge.Tally:
    return judge.tally({"erp": list(papers)}, {"erp": {str(number): row for number, row in enumerate(rows, 1)}})


def test_an_order_that_is_held_once_as_it_was_bought_passes() -> None:
    assert told(BOOKED) == judge.Tally()


def test_an_order_that_is_not_held_is_lost() -> None:
    assert told().lost == ["erp does not hold webshop-1"]


def test_an_order_that_is_held_twice_is_doubled() -> None:
    assert told(BOOKED, BOOKED).doubled == ["erp holds webshop-1 once more"]


def test_an_order_that_nobody_bought_is_doubled() -> None:
    assert told(BOOKED, sale("", {"B": 1})).doubled == ["erp holds 2, which nobody bought"]
    assert told(BOOKED, sale("webshop-9", {"B": 1})).doubled == ["erp holds webshop-9, which nobody bought"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (sale("webshop-1", {"A": 1}), "erp webshop-1 pieces: should be 2 A, shows 1 A"),
        (sale("webshop-1", {"A": 2, "B": 1}), "erp webshop-1 pieces: should be 2 A, shows 2 A, 1 B"),
        (sale("webshop-1", {"A": 2}, "399.91"), "erp webshop-1 total: should be 399.9, shows 399.91"),
        (sale("webshop-1", {"A": 2}, shipped={"A": 2}), "erp webshop-1 handed out: should be nothing, shows 2 A"),
    ],
)
def test_an_order_that_is_held_otherwise_is_a_difference(row: dict[str, Any], words: str) -> None:
    assert [str(each) for each in told(row).differences] == [words]


def test_a_credit_is_held_once_and_only_when_it_was_given() -> None:
    credited = replace(BOUGHT, credited=[3_900])
    credit = sale("webshop-1/R1", {}, "-39.00")
    assert told(BOOKED, credit, papers=(credited,)) == judge.Tally()
    assert told(BOOKED, papers=(credited,)).lost == ["erp holds no credit of -39 for webshop-1"]
    assert told(BOOKED, credit, credit, papers=(credited,)).doubled == [
        "erp holds a credit of -39 for webshop-1, which nobody was given"
    ]
    assert told(BOOKED, credit).doubled == ["erp holds a credit of -39 for webshop-1, which nobody was given"]


def test_an_order_called_off_at_once_need_not_be_held_but_may() -> None:
    called_off = replace(BOUGHT, lines={}, total=None, needless=True)
    assert told(papers=(called_off,)) == judge.Tally()
    assert told(sale("webshop-1", {}), papers=(called_off,)) == judge.Tally()
    assert told({**BOOKED, "state": "cancelled"}, papers=(called_off,)) == judge.Tally()
    assert told(BOOKED, papers=(called_off,)).differences != []
    assert told({**BOOKED, "state": "cancelled"}).differences != []


def test_what_has_no_number_is_found_by_its_id_there_and_by_nothing_else() -> None:
    phoned = Paper("1", "", {"A": 2}, {"A": 2}, None, [])
    assert told(sale("", {"A": 2}, shipped={"A": 2}), papers=(phoned,)) == judge.Tally()
    assert told(papers=(phoned,)).lost == ["erp does not hold 1"]
