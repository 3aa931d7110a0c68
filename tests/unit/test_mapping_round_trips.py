"""Two ways: out and then in again is the same value; and the explaining twin never disagrees with the fast one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_texts import compiled

from hub.canonical.currencies import MINOR_DIGITS
from hub.canonical.json import body_json, read_json
from hub.canonical.values import Plain, micros
from hub.errors import ConfigError, UnmappableError
from hub.mapping.converters import CONVERTERS
from hub.mapping.mapping import CompiledMapping

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
QUANTITY = st.integers(-(10**12), 10**12)
AMOUNT = st.decimals(-(10**9), 10**9, places=4)
TIME = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(9000, 1, 1), timezones=st.just(dt.UTC)).map(micros)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "sku": TEXT.map(str.strip).filter(bool),
    "barcode": st.from_regex(r"[0-9]{8,14}", fullmatch=True),
    "id_number": st.integers(0, 10**17).map(str),
    "whole": st.integers(-(10**18), 10**18),
    "quantity": QUANTITY,
    "quantity_text": QUANTITY,
    "whole_quantity": st.integers(-(10**9), 10**9).map(lambda pieces: pieces * 1000),
    "amount": AMOUNT,
    "amount_text": AMOUNT,
    "utc_time": TIME,
    "utc_naive_time": TIME,
    "unix_time": TIME,
    "unix_millis": TIME,
    "flag": st.booleans(),
    "currency": st.sampled_from(sorted(MINOR_DIGITS)),
}
APART = {"minor_amount", "word", "lookup"}


def test_every_converter_is_tried_here() -> None:
    assert VALUES.keys() | APART == CONVERTERS.keys()


@pytest.mark.parametrize("name", sorted(VALUES))
@settings(max_examples=60, deadline=None)
@given(choice=st.data())
def test_out_and_in_again_is_the_same(name: str, choice: st.DataObject) -> None:
    value = choice.draw(VALUES[name])
    converter = CONVERTERS[name]
    wire = read_json(body_json({"v": converter.outward(value)}))["v"]
    back = converter.inward(wire)
    assert back == value
    assert type(back) is type(value)


@given(st.integers(-(10**9), 10**9), st.sampled_from(sorted(MINOR_DIGITS)))
def test_minor_units_go_out_and_in(minor: int, currency: str) -> None:
    converter = CONVERTERS["minor_amount"]
    amount = converter.inward(minor, currency)
    assert converter.outward(amount, currency) == minor


@pytest.mark.parametrize("name", sorted(CONVERTERS.keys() - APART))
@settings(max_examples=60, deadline=None)
@given(st.one_of(st.floats(), st.none(), st.lists(st.integers(), max_size=1), st.dictionaries(TEXT, TEXT, max_size=1)))
def test_no_converter_takes_a_float_a_null_or_a_shape(name: str, value: Plain) -> None:
    for convert in (CONVERTERS[name].inward, CONVERTERS[name].outward):
        with pytest.raises((ValueError, ArithmeticError)):
            convert(value)


SENDS = """
    maps: stock
    connector: made
    identity: id
    fields:
      listing: {from: id, as: id_number}
      place: {from: levels.0.place, as: text, optional: true}
      on_hand: {from: levels.0.onHand, as: quantity}
      version: {from: meta.version, as: whole, optional: true}
    tables:
      states: {'1': active, '0': inactive}
      doubled: {a: active, b: active}
      doubled_outward: {active: a}
    sends:
      stock:
        id: {from: listing, as: id_number}
        levels.0.onHand: {from: on_hand, as: quantity}
        levels.0.place: {from: place, as: text, optional: true}
        meta: {version: {from: version, as: whole, optional: true}, channel: {setting: channel, default: '4', of: whole}}
      state:
        enabled: {from: state, as: lookup, table: states, of: whole}
        letter: {from: state, as: lookup, table: doubled}
        loud: {const: 'true', of: flag}
      lines: {input: {from: lines, each: {sku: {from: sku, as: text}, pieces: {value: "round(pieces(n), 0)"}}}}
"""


@given(st.integers(0, 10**9).map(str), QUANTITY, st.none() | TEXT, st.none() | st.integers(0, 99))
def test_a_payload_read_again_is_the_record(listing: str, on_hand: int, place: str | None, version: int | None) -> None:
    record = {"listing": listing, "place": place, "on_hand": on_hand, "version": version}
    record = {name: said for name, said in record.items() if said is not None}
    payload = read_json(body_json(MAPPING.express("stock", record)))
    assert MAPPING.understand(payload) == [record]


def test_a_payload_has_the_shape_that_was_written() -> None:
    assert MAPPING.express("stock", {"listing": "7", "on_hand": 1500}) == {
        "id": 7, "levels": [{"onHand": Decimal("1.500")}], "meta": {"channel": 4},
    }  # fmt: skip
    assert MAPPING.express("state", {"state": "active"}) == {"enabled": 1, "letter": "a", "loud": True}
    assert MAPPING.express("lines", {"lines": [{"sku": "A", "n": 2000}]}) == {"input": [{"sku": "A", "pieces": Decimal(2)}]}


def test_a_payload_refuses_what_it_cannot_say() -> None:
    for name, record, said in (
        ("stock", {"listing": "7"}, "on_hand: nothing there"),
        ("stock", {"listing": "007", "on_hand": 0}, "listing: not an id number"),
        ("state", {"state": "gone"}, "state: in no row of table states"),
        ("lines", {"lines": [{"sku": "A"}]}, r"lines\.0\.n: nothing there"),
    ):
        with pytest.raises(UnmappableError, match=said):
            MAPPING.express(name, record)
    with pytest.raises(ConfigError, match="no payload `other`"):
        MAPPING.express("other", {})


def test_a_table_goes_outward_only_one_to_one() -> None:
    with pytest.raises(ConfigError, match=r"said by both `a` and `b`.*doubled2_outward"):
        compiled(SENDS.replace("doubled:", "doubled2:").replace("table: doubled", "table: doubled2"))


VALUES_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=True) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "n", "a", "b"]), inner, max_size=3),
    max_leaves=6,
)
TWINS = """
    maps: stock
    connector: made
    identity: id
    rows: {from: rows, as: row, optional: true}
    when: "optional(row.a) is not None"
    fields:
      listing: {from: id, as: text}
      on_hand: {from: row.n, as: quantity}
      own_open: {value: "sum([x.n for x in rows if x.n != 7])"}
      sku: {first_of: [row.a, a.b, n.0], as: sku, optional: true}
      refs: {pairs: {a: {from: a, as: text, optional: true}}}
      version: {value: "optional(a.n)", as: whole, optional: true}
"""


def outcome(call: Callable[[], Plain]) -> Plain:
    try:
        return call()
    except UnmappableError:
        return "refused"


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({}, optional={"id": VALUES_ANY, "rows": VALUES_ANY, "a": VALUES_ANY, "n": VALUES_ANY}))
def test_any_record_is_understood_or_refused_in_words(record: dict[str, Plain]) -> None:
    # a record that the fast form refuses and the explaining form takes would be an InvariantError, and fail here
    assert outcome(lambda: TWIN.understand(record)) is not None
    assert outcome(lambda: MAPPING.understand(record)) is not None
    assert isinstance(TWIN.coverage(record), list)


MAPPING: CompiledMapping = compiled(SENDS)
TWIN: CompiledMapping = compiled(TWINS)
