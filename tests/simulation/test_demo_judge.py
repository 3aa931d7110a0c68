"""The judge: it knows nothing of the hub, and no wrong number passes it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.simulate import judge
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


@pytest.mark.parametrize("path", [Path(judge.__file__), *sorted(CONNECTORS.glob("*/judge.py"))], ids=lambda p: p.parent.name)
def test_the_judge_imports_the_standard_library_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names - set(sys.stdlib_module_names) == set()
