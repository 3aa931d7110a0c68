"""Expressions: what may be written, that it means what Python means, and that nothing hostile gets anywhere."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simpleeval
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mapping_texts import compiled, stock

from hub.canonical.values import Plain
from hub.errors import ConfigError, UnmappableError
from hub.mapping.mapping import CompiledMapping

CORPUS = Path(__file__).with_name("hostile_expressions.txt").read_text().splitlines()
HOSTILE = [line for line in CORPUS if line and not line.startswith("#")]


def expression(source: str, **more: Any) -> CompiledMapping:
    text = f"maps: stock\nconnector: made\ntables: {{words: {{a: b}}}}\nsends: {{x: {{y: {{value: {json.dumps(source)}}}}}}}\n"
    return compiled(text, **more)


def value(source: str, record: Plain) -> Plain:
    return expression(source).express("x", record)["y"]


RECORD: dict[str, Plain] = {
    "id": "abc",
    "lines": [{"sku": "A", "n": 2, "price": Decimal("1.10")}, {"sku": "B", "n": 3, "price": Decimal("2")}],
    "total": Decimal("10.00"),
    "count": 4,
    "enabled": True,
    "nothing": None,
    "empty": [],
    "__typename": "Variant",
    "from": "here",
    "a.b": {"c": 1},
}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("total / count", Decimal("2.5")),
        ("1 / 3 * 3 == 1", False),
        ("0.1 + 0.2 == 0.3", True),
        ("count / 8", Decimal("0.5")),
        ("sum([line.n * line.price for line in lines])", Decimal("8.20")),
        ("[line.sku for line in lines if line.n > 2]", ["B"]),
        ("[a.sku + b.sku for a in lines for b in lines]", ["AA", "AB", "BA", "BB"]),
        ("lines[0].sku + lines[-1].sku", "AB"),
        ("first([line.n for line in lines if line.sku == 'Z'], 0)", 0),
        ("optional(missing) is None", True),
        ("optional(nothing.at.all, 7)", 7),
        ("optional(count, missing)", 4),
        ("'yes' if enabled and not empty else 'no'", "yes"),
        ("money_amount(1995, 2)", Decimal("19.95")),
        ("minor(1995, 'JPY')", Decimal("1995")),
        ("round(2.345, 2)", Decimal("2.35")),
        ("round(2.345, 2, 'half_even')", Decimal("2.34")),
        ("after('gid://x/Variant/42', '/')", "42"),
        ("lookup('a', 'words')", "b"),
        ("__typename == 'Variant'", True),
        ("record['from']", "here"),
        ("record['a.b'].c", 1),
        ("1 < count <= 4", True),
        ("upper(id) in ['ABC']", True),
        ("pieces(12500)", Decimal("12.500")),
        ("utc_time('1970-01-01T00:00:01Z')", 1_000_000),
        ("len([1 for line in lines])", 2),
    ],
)
def test_an_expression_says_what_a_reader_expects(source: str, wanted: Plain) -> None:
    said = value(source, RECORD)
    assert said == wanted
    assert not isinstance(said, float)


@pytest.mark.parametrize(
    ("source", "path", "reason"),
    [
        ("missing", "missing", "nothing there"),
        ("lines[0].colour", "lines.0.colour", "nothing there"),
        ("[line.colour for line in lines]", "lines.0.colour", "nothing there"),
        ("lines[7].sku", "lines.7", "nothing there"),
        ("id.part", "id.part", "a text where an object is expected"),
        ("total * id", "total, id", "not a number"),
        ("[x for x in id]", "id", "not a list"),
        ("nothing", "nothing", "nothing there"),
    ],
)
def test_a_failing_expression_names_path_and_reason(source: str, path: str, reason: str) -> None:
    with pytest.raises(UnmappableError) as told:
        value(source, RECORD)
    assert told.value.path == path
    assert told.value.reason.startswith(reason)


@pytest.mark.parametrize("line", HOSTILE)
def test_nothing_hostile_gets_anywhere(line: str) -> None:
    when, _, source = line.partition(" ")
    if when == "load":
        with pytest.raises(ConfigError, match=r"test\.yaml:\d+"):
            expression(source, settings={})
        return
    deep: Plain = "x"
    for _ in range(20):
        deep = [deep]
    record = {
        "id": "abc", "lines": [{"n": 1}] * 50, "big": 10**18, "huge": 10**4000, "tiny": Decimal("1e-400000"), "zero": 0,
        "long": "a" * 100_000, "half": 0.5, "deep": deep,
    }  # fmt: skip
    with pytest.raises(UnmappableError) as told:
        expression(source, settings={}).express("x", record)
    assert len(str(told.value)) < 500


def test_an_expression_is_bounded_when_it_is_read() -> None:
    for source in ("1 + " * 200 + "1", "a" * 501, "not " * 60 + "enabled", "lower(" * 40 + "id" + ")" * 40):
        with pytest.raises(ConfigError):
            expression(source)


def test_a_when_must_be_yes_or_no() -> None:
    mapping = stock(more="when: sku\n")
    with pytest.raises(UnmappableError, match="sku: neither true nor false"):
        mapping.understand({"id": "1", "sku": "A"})


NUMBERS = st.sampled_from(["qty", "price", "nested.cost", "rows[0].n", "len(rows)", "0", "3", "17", "250"])
TEXTS = st.sampled_from(["name", "'a'", "'Blue'", "nested.label", "rows[1].code"])


def numbers(inner: st.SearchStrategy[str], flags: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda of: f"({of[0]} {of[1]} {of[2]})"),
        inner.map(lambda of: f"(price / {of})"),
        inner.map(lambda of: f"(-{of})"),
        st.tuples(inner, inner).map(lambda of: f"max({of[0]}, {of[1]})"),
        inner.map(lambda of: f"sum([row.n * {of} for row in rows if row.n != 2])"),
        st.tuples(inner, flags, inner).map(lambda of: f"({of[0]} if {of[1]} else {of[2]})"),
    )


def comparisons(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    texts = st.tuples(TEXTS, st.sampled_from(["==", "!=", "in", "not in", "<"]), TEXTS)
    return st.one_of(
        st.tuples(inner, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), inner).map(lambda of: f"({' '.join(of)})"),
        texts.map(lambda of: f"({' '.join(of)})"),
        st.sampled_from(["open", "(not open)", "(upper(name) == 'BLUE')", "('a' in codes)"]),
    )


FLAGS = st.recursive(
    comparisons(NUMBERS),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda of: f"({' '.join(of)})"),
    max_leaves=3,
)
EXPRESSIONS = st.one_of(st.recursive(NUMBERS, lambda inner: numbers(inner, FLAGS), max_leaves=6), FLAGS, TEXTS)
RECORDS = st.fixed_dictionaries(
    {
        "qty": st.integers(-50, 50),
        "price": st.decimals(-100, 100, places=2),
        "name": st.sampled_from(["blue", "Blue", ""]),
        "open": st.booleans(),
        "codes": st.lists(st.sampled_from(["a", "b"]), max_size=3),
        "nested": st.fixed_dictionaries({"cost": st.decimals(0, 9, places=1), "label": st.sampled_from(["a", "Blue"])}),
        "rows": st.lists(st.fixed_dictionaries({"n": st.integers(0, 4), "code": st.sampled_from(["a", "Bluebell"])}), max_size=3),
    }
)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, RECORDS)
def test_an_independent_evaluator_agrees(source: str, record: dict[str, Plain]) -> None:
    ours: Plain = None
    try:
        mapping = expression(source)
    except ConfigError:
        assume(False)
    try:
        ours = mapping.express("x", record)["y"]
    except UnmappableError as told:
        assume("this large" not in told.reason)
    known = {"len": len, "sum": sum, "max": max, "upper": str.upper}
    try:
        theirs = simpleeval.EvalWithCompoundTypes(names=dict(record), functions=known).eval(source)
    except (simpleeval.InvalidExpression, ArithmeticError, LookupError, TypeError):
        assert ours is None
        return
    assert ours == theirs
