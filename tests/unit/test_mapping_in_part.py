"""A record read in part: every field that can be read is, whatever is wrong with the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping_texts import compiled

from hub.canonical.order import TAKING, TAKING_LINES
from hub.canonical.values import Plain
from hub.mapping.mapping import CompiledMapping

FIELDS = """
    maps: order
    connector: made
    identity: id
    fields:
      order: {from: id, as: text}
      state: {from: state, as: lookup, table: states}
      placed_at: {from: placed, as: utc_time}
      currency: {from: money.currency, as: currency}
      tax: {const: included}
      total_minor: {from: money.total, as: whole}
      lines:
        from: basket.rows
        each:
          line: {from: id, as: text}
          listing: {from: thing, as: text, optional: true}
          kind: {const: stocked}
          quantity: {from: pieces, as: quantity}
          amount_minor: {from: amount, as: whole}
    tables: {states: {open: release}}
"""


def record(**other: Plain) -> dict[str, Plain]:
    rows = [{"id": "a", "thing": "T", "pieces": 2, "amount": 10}, {"id": "b", "thing": "H", "pieces": 1, "amount": 5}]
    money = {"currency": "DKK", "total": 15}
    whole = {"id": "7", "state": "open", "placed": "2026-11-22T09:00:00Z", "money": money, "basket": {"rows": rows}}
    return {**whole, **other}


@pytest.fixture(scope="module")
def mapping() -> CompiledMapping:
    return compiled(FIELDS)


def told(mapping: CompiledMapping, record: Plain) -> dict[str, Plain]:
    return mapping.in_part(record, TAKING, TAKING_LINES)


def lines(mapping: CompiledMapping, *rows: Plain) -> Plain:
    return told(mapping, record(basket={"rows": [*rows]}))["lines"]


TEE = {"line": "a", "listing": "T", "kind": "stocked", "quantity": 2_000}
HAT = {"line": "b", "listing": "H", "kind": "stocked", "quantity": 1_000}


def test_of_a_good_record_it_says_what_the_whole_mapping_says(mapping: CompiledMapping) -> None:
    (whole,) = mapping.understand(record())
    found = told(mapping, record())
    assert found == {"order": "7", "state": "release", "placed_at": whole["placed_at"], "lines": [TEE, HAT]}


@pytest.mark.parametrize("wrong", ["unheard of", None, 7, [], {}])
def test_a_field_that_cannot_be_read_is_left_out_and_no_other(mapping: CompiledMapping, wrong: Plain) -> None:
    for name, lost in (("state", {"state"}), ("placed", {"placed_at"}), ("money", set()), ("basket", {"lines"})):
        assert told(mapping, record()).keys() - told(mapping, record(**{name: wrong})).keys() == lost


def test_lines_are_read_row_by_row_and_cell_by_cell(mapping: CompiledMapping) -> None:
    good = {"id": "b", "thing": "H", "pieces": 1}
    assert lines(mapping, {"id": "a", "thing": "T", "pieces": "many", "amount": None}, good) == [
        {"line": "a", "listing": "T", "kind": "stocked"},
        HAT,
    ]
    assert lines(mapping, {"thing": ["T"], "pieces": 2}, good) == [{"kind": "stocked", "quantity": 2_000}, HAT]
    assert lines(mapping, "nothing like a row", good) == [{"kind": "stocked"}, HAT]
    assert lines(mapping) == []


def test_the_record_itself_stays_as_it_was(mapping: CompiledMapping) -> None:
    told_record = record(state="unheard of")
    told(mapping, told_record)
    assert told_record == record(state="unheard of")


def test_where_one_record_of_theirs_is_several_of_ours_no_field_is_said_alone() -> None:
    several = compiled(FIELDS.replace("    fields:", "    rows: {from: parts, as: part}\n    fields:", 1))
    assert told(several, record(parts=[{}, {}])) == {}


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rows", "id", "thing", "pieces"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*record()]), _PLAIN) | _PLAIN)
def test_nothing_that_a_platform_may_send_breaks_it(wrong: Any) -> None:
    mapping = compiled(FIELDS)
    said = told(mapping, {**record(), **wrong} if isinstance(wrong, dict) else wrong)
    assert said.keys() <= {*TAKING, *TAKING_LINES}
