"""Fields: what a record of theirs becomes, and that nothing is guessed where it says something else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mapping_texts import compiled, stock

from hub.canonical.entity import Entity, Field, Kind, words
from hub.canonical.values import Plain
from hub.errors import ConfigError, UnmappableError

VARIANT = """
    maps: stock
    connector: made
    identity: id
    rows: {from: stockLevels, as: level}
    when: "level.place != 'closed'"
    fields:
      listing: {from: id, as: text}
      place: {from: level.place, as: text}
      on_hand: {from: level.stockOnHand, as: quantity}
      own_open: {value: "level.stockAllocated"}
      sku: {first_of: [sku, product.sku], as: sku, optional: true}
      refs: {pairs: {product: {from: product.id, as: text}, variant: {from: id, as: text, optional: true}}}
    ignored: [_links, "stockLevels.*.id"]
"""
RECORD: dict[str, Plain] = {
    "id": 7,
    "sku": " 00123 ",
    "product": {"id": "P1", "colour": "red"},
    "stockLevels": [
        {"id": 1, "place": "north", "stockOnHand": 12, "stockAllocated": 2},
        {"id": 2, "place": "closed", "stockOnHand": 99, "stockAllocated": 0},
        {"id": 3, "place": "south", "stockOnHand": Decimal("0.5"), "stockAllocated": 0, "bin": "A7"},
    ],
    "_links": {"self": "…"},
}

ORDER = Entity(
    "order",
    {
        "number": Field(Kind.TEXT, required=True),
        "email": Field(Kind.TEXT, personal=True),
        "paid": Field(Kind.FLAG),
        "state": words("hold", "reserve"),
        "total": Field(Kind.AMOUNT),
        "total_minor": Field(Kind.MINOR),
        "currency": Field(Kind.CURRENCY),
        "options": Field(Kind.TEXTS),
        "placed_at": Field(Kind.TIME),
        "lines": Field(Kind.ROWS, rows={"sku": Field(Kind.TEXT), "quantity": Field(Kind.QUANTITY, required=True),
                                        "price": Field(Kind.AMOUNT)}),
    },
)  # fmt: skip


def order(fields: str, record: Plain, **more: Plain) -> Plain:
    lines = "".join(f"  {line.strip()}\n" for line in fields.strip().splitlines())
    text = "maps: order\nconnector: made\nidentity: id\nfields:\n  number: {from: id, as: text}\n" + lines
    [found] = compiled(text + str(more.pop("tables", "")), entity=ORDER, **more).understand({"id": "1", **record})
    return {name: said for name, said in found.items() if name != "number"}


def test_each_place_of_a_variant_is_a_record() -> None:
    north, south = compiled(VARIANT).understand(RECORD)
    assert north == {
        "listing": "7", "place": "north", "on_hand": 12_000, "own_open": 2000, "sku": "00123",
        "refs": {"product": "P1", "variant": "7"},
    }  # fmt: skip
    assert (south["place"], south["on_hand"]) == ("south", 500)


def test_what_is_neither_read_nor_ignored_is_named() -> None:
    assert compiled(VARIANT).coverage(RECORD) == ["product.colour", "stockLevels.*.bin"]
    assert compiled(VARIANT).coverage({**RECORD, "stockLevels": [], "new": {"a": [{"b": None}], "c": {}}}) == [
        "new.a.*.b", "new.c", "product.colour",
    ]  # fmt: skip


def test_the_record_has_a_name_in_errors() -> None:
    assert compiled(VARIANT).identity(RECORD) == "7"
    assert compiled(VARIANT).identity({"id": None}) == ""
    assert compiled(VARIANT).identity("no object") == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": None}, "id: null (for listing) (value null)"),
        ({"id": True}, "id: not a text (for listing) (value true)"),
        ({"id": "a\0b"}, r"id: a text with NUL (for listing) (value 'a\x00b')"),
        ({"id": "\ud800"}, r"id: a text with half a character (for listing) (value '\ud800')"),
        ({"stockLevels": None}, "stockLevels: null (value null)"),
        ({"stockLevels": {}}, "stockLevels: not a list (value <object, 0 keys>)"),
        ({"product": {}}, "product.id: nothing there (value <object, 0 keys>)"),
        ({"product": "P1"}, "product.id: a text where an object is expected (value <text, 2 chars>)"),
        ({"sku": 1.5}, "sku: not a text (for sku) (value <float>)"),
        ({"stockLevels": [{"place": "n", "stockOnHand": 1.5, "stockAllocated": 0}]},
         "stockLevels.0.stockOnHand: a float is not exact (for on_hand) (value <float>)"),
        ({"stockLevels": [{"place": "n", "stockOnHand": "1e3", "stockAllocated": "two"}]},
         "stockLevels.0.stockAllocated: not a number (for own_open) (value 'two')"),
        ({"stockLevels": [{"place": "n", "stockOnHand": Decimal("0.0001"), "stockAllocated": 0}]},
         "stockLevels.0.stockOnHand: a quantity has at most three decimals (for on_hand) (value 0.0001)"),
        ({"stockLevels": [{"place": "n", "stockOnHand": 10**30, "stockAllocated": 0}]},
         "stockLevels.0.stockOnHand: a quantity this large is a mistake (for on_hand) (value " + str(10**30) + ")"),
        ({"stockLevels": [{"place": "n", "stockOnHand": "x" * 500, "stockAllocated": 0}]},
         "stockLevels.0.stockOnHand: not a number (for on_hand) (value '" + "x" * 78 + "…)"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_told_with_path_and_value(change: dict[str, Plain], said: str) -> None:
    with pytest.raises(UnmappableError) as told:
        compiled(VARIANT).understand({**RECORD, **change})
    assert str(told.value) == said


@pytest.mark.parametrize("record", [None, [], "text", 7])
def test_a_record_that_is_no_object_is_refused(record: Plain) -> None:
    with pytest.raises(UnmappableError, match="not an object"):
        compiled(VARIANT).understand(record)


def test_zero_null_and_absent_are_three_things() -> None:
    mapping = stock("own_open: {from: held, as: quantity, optional: true}")
    assert mapping.understand({"id": "1", "held": 0})[0]["own_open"] == 0
    for absent in ({"id": "1", "held": None}, {"id": "1"}):
        assert "own_open" not in mapping.understand(absent)[0]
    with pytest.raises(UnmappableError, match="held: not a number"):
        mapping.understand({"id": "1", "held": ""})
    strict = stock("own_open: {from: held, as: quantity}")
    with pytest.raises(UnmappableError, match="held: null"):
        strict.understand({"id": "1", "held": None})
    with pytest.raises(UnmappableError, match="held: nothing there"):
        strict.understand({"id": "1"})


def test_optional_rows_may_be_absent_but_not_of_another_shape() -> None:
    more = "rows: {from: levels, as: level, optional: true}\n"
    mapping = stock("place: {from: level.at, as: text}", more)
    assert mapping.understand({"id": "1"}) == mapping.understand({"id": "1", "levels": None}) == []
    assert [one["place"] for one in mapping.understand({"id": "1", "levels": [{"at": "a"}, {"at": "b"}]})] == ["a", "b"]
    with pytest.raises(UnmappableError, match="levels: not a list"):
        mapping.understand({"id": "1", "levels": "none"})


def test_rows_within_rows_see_both() -> None:
    more = "rows: [{from: variants, as: variant}, {from: variant.levels, as: level}]\n"
    mapping = stock("place: {from: level.at, as: text}\nsku: {from: variant.sku, as: sku}", more)
    record = {"id": "1", "variants": [{"sku": "A", "levels": [{"at": "x"}, {"at": "y"}]}, {"sku": "B", "levels": [{"at": "z"}]}]}
    assert [(one["sku"], one["place"]) for one in mapping.understand(record)] == [("A", "x"), ("A", "y"), ("B", "z")]
    with pytest.raises(UnmappableError, match=r"^variants\.1\.levels\.0\.at: nothing there"):
        mapping.understand({"id": "1", "variants": [{"sku": "A", "levels": []}, {"sku": "B", "levels": [{}]}]})


def test_a_table_refuses_what_no_row_says() -> None:
    tables = "tables: {states: {'true': reserve, pending: hold}}\n"
    field = "state: {from: status, as: lookup, table: states}"
    assert order(field, {"status": "pending"}, tables=tables) == {"state": "hold"}
    assert order(field, {"status": True}, tables=tables) == {"state": "reserve"}
    with pytest.raises(UnmappableError, match=r"status: in no row of table states \(for state\) \(value 'lost'\)"):
        order(field, {"status": "lost"}, tables=tables)


def test_a_minor_amount_is_exact_in_its_currency() -> None:
    field = "total: {from: sum, as: minor_amount, currency: money.code}"
    assert order(field, {"sum": 1995, "money": {"code": "DKK"}}) == {"total": Decimal("19.95")}
    assert order(field, {"sum": 1995, "money": {"code": "JPY"}}) == {"total": Decimal("1995")}
    with pytest.raises(UnmappableError, match="not an ISO 4217"):
        order(field, {"sum": 1995, "money": {"code": "XXX"}})
    with pytest.raises(UnmappableError, match="not a whole number"):
        order(field, {"sum": "19.95", "money": {"code": "DKK"}})


def test_lines_see_their_element_and_the_record() -> None:
    field = """
        lines: {from: items, each: {quantity: {from: n, as: quantity}, price: PRICE, sku: {from: sku, as: sku, optional: true}}}
    """.replace("PRICE", "{from: cents, as: minor_amount, currency: record.currency}")
    items = [{"sku": "", "n": 2, "cents": 150}, {"sku": "B", "n": "1.5", "cents": 99}]
    assert order(field, {"currency": "EUR", "items": items})["lines"] == [
        {"quantity": 2000, "price": Decimal("1.50")}, {"sku": "B", "quantity": 1500, "price": Decimal("0.99")},
    ]  # fmt: skip
    with pytest.raises(UnmappableError, match=r"^items\.1\.n: nothing there"):
        order(field, {"currency": "EUR", "items": [items[0], {"sku": "B"}]})


def test_options_become_texts_by_name() -> None:
    field = "options: {from: options, each_pair: {key: code, value: name}}"
    assert order(field, {"options": [{"code": "size", "name": "L"}]}) == {"options": {"size": "L"}}
    with pytest.raises(UnmappableError, match=r"options\.0\.name: null"):
        order(field, {"options": [{"code": "size", "name": None}]})


def test_constants_and_settings() -> None:
    fields = "paid: {const: 'true'}\ncurrency: {setting: money}\nplaced_at: {const: '1970-01-01T00:00:01Z'}"
    assert order(fields, {}, settings={"money": "DKK"}) == {"paid": True, "currency": "DKK", "placed_at": 1_000_000}
    with pytest.raises(ConfigError, match="the channel has no setting `money`"):
        order(fields, {}, settings={})
    with pytest.raises(ConfigError, match="without a channel"):
        order(fields, {})
    with pytest.raises(UnmappableError, match="not an ISO 4217"):
        order(fields, {}, settings={"money": "kroner"})


def test_a_function_of_the_mapping_gets_the_record_and_the_element() -> None:
    def both(record: dict[str, Plain], row: dict[str, Plain]) -> int:
        return int(record["times"]) * int(row["n"])

    rows = "rows: {from: rows, as: row}\n"
    mapping = stock("on_hand: {code: both, reads: [times, 'rows.*.n']}", rows, functions={"both": both})
    assert [one["on_hand"] for one in mapping.understand({"id": "1", "times": 2, "rows": [{"n": 3}]})] == [6000]
    assert mapping.coverage({"id": "1", "times": 2, "rows": [{"n": 3, "m": 4}]}) == ["rows.*.m"]
    with pytest.raises(UnmappableError, match="nothing there"):
        mapping.understand({"id": "1", "rows": [{"n": 3}]})


def test_what_belongs_to_a_person_is_never_printed() -> None:
    secret = "anna@example.org"
    for field in ("email: {from: mail, as: sku}", "email: {value: mail}", "email: {first_of: [mail], as: text}"):
        with pytest.raises(UnmappableError) as told:
            order(field, {"mail": secret + "\0"})
        assert "<text, 17 chars>" in str(told.value)
        assert "anna" not in str(told.value)


FAULTS = [
    ("on_hand: {from: n, as: text}", "`as: text` does not give quantity for `on_hand`"),
    ("on_hand: {from: n}", "`on_hand` wants `as:`"),
    ("on_hand: {from: n, as: quantity, optional: true}", "it cannot be optional"),
    ("sku: {from: n, as: sku, colour: red}", "unknown `colour`"),
    ("sku: {from: n, as: magic}", "no converter `magic`"),
    ("skew: {from: n, as: sku}", "has no field `skew`"),
    ("sku: {as: sku}", "a field is one of"),
    ("sku: {from: a..b, as: sku}", "an empty part"),
    ("sku: {from: 'a.*.b', as: sku}", r"`\*` says every element"),
    ("sku: {from: n, as: lookup}", "wants `table:`"),
    ("sku: {from: n, as: lookup, table: none}", "no table `none`"),
    ("sku: {from: n, as: text, table: none}", "do not go together"),
    ("sku: {from: n, as: text, optional: maybe}", "write true or false"),
    ("on_hand: {const: many}", "not a number"),
    ("sku: {value: 'n +'}", "not an expression"),
    ("sku: {from: n, each: {sku: {from: n, as: text}}}", "gives rows"),
]


@pytest.mark.parametrize(("line", "said"), FAULTS)
def test_a_wrong_field_is_refused_with_its_line(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as told:
        stock(line)
    assert told.value.where in ("test.yaml:6", "test.yaml:7")


def test_a_table_may_not_guess_a_word_nor_say_a_strange_one() -> None:
    for rows, said in (("{pending: hold, else: reserve}", "`else` would guess"), ("{pending: held}", "`held` is no word")):
        with pytest.raises(ConfigError, match=said):
            order("state: {from: s, as: lookup, table: t}", {"s": "x"}, tables=f"tables: {{t: {rows}}}\n")


def test_every_record_says_what_its_kind_requires() -> None:
    with pytest.raises(ConfigError, match="every stock says on_hand"):
        compiled("maps: stock\nconnector: made\nidentity: id\nfields: {listing: {from: id, as: text}}\n")
    with pytest.raises(ConfigError, match="`identity:`"):
        compiled("maps: stock\nconnector: made\nfields: {listing: {from: id, as: text}}\n")
