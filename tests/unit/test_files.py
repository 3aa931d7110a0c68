"""What a person who writes a file sees: text stays text, and every mistake is named with its line and its mending."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from hub.errors import ConfigError
from hub.files import FILE_BYTES_MAX, NESTING_MAX, Node, parse_yaml, read_yaml, validate


class Wheel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = Field(ge=1)
    kind: Literal["road", "mountain"] = "road"


class Bicycle(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    price: Decimal = Decimal(0)
    sold: bool = False
    gears: int | None = None
    wheels: tuple[Wheel, ...] = ()
    parts: dict[str, Wheel] = {}


def refused(text: str, model: type[BaseModel] = Bicycle) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        validate(parse_yaml(text, "bike.yaml"), model)
    return str(caught.value).split("\n")


def test_every_scalar_is_text() -> None:
    node = parse_yaml("country: NO\nsku: 00123\nflag: yes\nprice: 1.10\nnone: null\ntime: 12:30\n", "a.yaml")
    assert node.plain() == {
        "country": "NO",
        "sku": "00123",
        "flag": "yes",
        "price": "1.10",
        "none": "null",
        "time": "12:30",
    }


def test_places_are_those_of_the_keys() -> None:
    node = parse_yaml("a: 1\n\nlist:\n  - one\n  - two\ndeep:\n\n  inner: x\n", "a.yaml")
    assert node.place(["list"]) == "a.yaml:3"
    assert node.place(["list", 1]) == "a.yaml:5"
    assert node.place(["deep", "inner"]) == "a.yaml:8"
    assert node.place(["deep", "missing", "more"]) == "a.yaml:6"


def test_shapes_are_refused_with_their_line() -> None:
    node = parse_yaml("a: 1\nb: [x]\n", "a.yaml").mapping()
    for wrong, line in ((node["a"].mapping, 1), (node["a"].sequence, 1), (node["b"].text, 2)):
        with pytest.raises(ConfigError, match=f"^a.yaml:{line}: "):
            wrong()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "`a` is said twice"),
        ("a: &x 1\nb: *x\n", 1, "an anchor is refused"),
        ("a: *x\n", 1, "alias"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "a tag is refused"),
        ("a: !!int 5\n", 1, "a tag is refused"),
        ("a: !secret x\n", 1, "a tag is refused"),
        ("a: 1\nb: '{{ x }}'\n", 2, "templates"),
        ("a: '{% if %}'\n", 1, "templates"),
        ("a: [1\n", 2, "not YAML"),
        ("? [a, b]\n: 1\n", 1, "a key must be text"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML"),
        ('a: "x\\0y"\n', 1, "NUL"),
        ("# nothing\n", 1, "the file is empty"),
        ("[" * (NESTING_MAX + 1), 1, "nested more than"),
        ("[" * 500_000, 1, "nested more than"),
        ("a" * 300 + ": 1\n", 1, "at most 200 characters"),
    ],
)
def test_hostile_and_mistaken_yaml_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "a.yaml")
    assert str(caught.value).startswith(f"a.yaml:{line}: ")
    assert words in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    with pytest.raises(ConfigError, match="larger than"):
        read_yaml(tmp_path / "large.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nname: K\xf8benhavn\n")
    with pytest.raises(ConfigError, match=r"latin.yaml:2: not UTF-8"):
        read_yaml(tmp_path / "latin.yaml")
    (tmp_path / "marked.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(tmp_path / "marked.yaml").plain() == {"a": "1"}


def test_texts_become_what_the_model_wants() -> None:
    text = "name: 00123\nprice: 19.90\nsold: yes\ngears: 7\nwheels: [{size: 28, kind: mountain}]\n"
    bicycle = validate(parse_yaml(text, "bike.yaml"), Bicycle)
    assert (bicycle.name, bicycle.price, bicycle.sold, bicycle.gears) == ("00123", Decimal("19.90"), True, 7)
    assert bicycle.wheels == (Wheel(size=28, kind="mountain"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price: 1\n", "bike.yaml:1: name: is missing: write `name: …` here"),
        ("name: x\npirce: 1\n", "bike.yaml:2: pirce: nothing of this name belongs here: did you mean `price`?"),
        ("name: x\nprice: much\n", "bike.yaml:2: price: a number is wanted, such as 12.5"),
        ("name: x\nprice: NaN\n", "bike.yaml:2: price: a number is wanted, such as 12.5"),
        ("name: x\nsold: perhaps\n", "bike.yaml:2: sold: `true` or `false` is wanted"),
        ("name: x\nsold:\n", "bike.yaml:2: sold: nothing stands here: write a value or leave the whole line out"),
        ("name: x\ngears: 1.5\n", "bike.yaml:2: gears: a whole number is wanted, such as 60"),
        ("name: [x]\n", "bike.yaml:1: name: one text is wanted, not a list and not lines of its own"),
        ("name: x\nwheels: 28\n", "bike.yaml:2: wheels: a list is wanted: `[one, two]`, or lines that begin with `- `"),
        ("name: x\nparts: 28\n", "bike.yaml:2: parts: `key: value` lines are wanted"),
        ("name: x\nwheels:\n  - size: 0\n", "bike.yaml:3: wheels.0.size: at least 1 is wanted"),
        (
            "name: x\nwheels:\n  - {size: 1, kind: mountian}\n",
            "bike.yaml:3: wheels.0.kind: `mountian` is not one of `road`, `mountain`: did you mean `mountain`?",
        ),
        (
            "name: x\nparts:\n  front:\n    siez: 1\n    size: 1\n",
            "bike.yaml:4: parts.front.siez: nothing of this name belongs here: did you mean `size`?",
        ),
        (
            "name: x\nwheels:\n- size: 1\n  zzz: 1\n",
            "bike.yaml:4: wheels.0.zzz: nothing of this name belongs here: write one of `kind`, `size`",
        ),
        ("[]\n", "bike.yaml:1: `key: value` lines are wanted"),
    ],
)
def test_each_problem_says_where_and_what_to_write(text: str, said: str) -> None:
    assert refused(text) == [said]


def test_all_problems_are_told_at_once_in_reading_order() -> None:
    lines = refused("zzz: 1\nsold: perhaps\nprice: much\n")
    assert [line.split(": ")[0] for line in lines] == ["bike.yaml:1", "bike.yaml:1", "bike.yaml:2", "bike.yaml:3"]


def test_a_node_made_without_key_places_still_names_its_values() -> None:
    made = Node({"name": Node("x", "over.yaml:7"), "sold": Node("perhaps", "over.yaml:9")}, "over.yaml:7")
    with pytest.raises(ConfigError, match=r"^over.yaml:9: sold: "):
        validate(made, Bicycle)
