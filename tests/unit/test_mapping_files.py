"""Files: found by name, overlaid field by field, refused with file and line, proven by their own examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.errors import ConfigError, UnmappableError
from hub.mapping.mappings import load_mappings

STOCK = """maps: stock
connector: made
identity: id
fields:
  listing: {from: id, as: text}
  on_hand: {from: n, as: quantity}
  sku: {from: sku, as: sku, optional: true}
tables:
  states: {on: active}
sends:
  stock: {id: {from: listing, as: text}, n: {from: raw, as: quantity}}
ignored: [_links]
examples:
  - {sample: samples/made/one.json, record: body.item, gives: {listing: '7', 0.on_hand: '12.50'}, count: 1}
"""


def write(folder: Path, name: str, text: str) -> Path:
    (folder / "made").mkdir(parents=True, exist_ok=True)
    (folder / "made" / name).write_text(text)
    return folder


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return write(tmp_path / "shipped", "stock.yaml", STOCK)


def test_a_connector_has_its_mappings_by_file_name(shipped: Path) -> None:
    hook = STOCK.replace("from: n,", "from: quantity,").split("tables:")[0]
    write(shipped, "stock.webhook.yaml", hook)
    mappings = load_mappings([shipped], "made")
    assert mappings.entities == ("stock", "stock.webhook")
    assert mappings.understand("stock", {"id": "1", "n": 2})[0]["on_hand"] == 2000
    assert mappings.understand("stock.webhook", {"id": "1", "quantity": 3})[0]["on_hand"] == 3000
    assert mappings.express("stock", {"listing": "1", "raw": 2000}) == {"id": "1", "n": 2}
    assert mappings.identity("stock", {"id": "1"}) == "1"
    assert mappings.unread(["stock"], {"id": "1", "quantity": 3, "_links": 1}) == ["quantity"]
    assert mappings.unread(["stock", "stock.webhook"], {"id": "1", "quantity": 3, "n": 1}) == []
    with pytest.raises(ConfigError, match="no mapping `price`"):
        mappings.understand("price", {})


def test_an_overlay_changes_field_by_field(shipped: Path, tmp_path: Path) -> None:
    text = (
        "fields: {on_hand: {value: 'n - held'}, sku: drop}\ntables: {states: {off: inactive}}\n"
        "sends: {stock: {id: drop, shop: {const: A}}}\nignored: [colour]\n"
    )
    own = write(tmp_path / "own", "stock.yaml", text)
    mappings = load_mappings([shipped, own], "made")
    assert mappings.understand("stock", {"id": "1", "n": 5, "held": 2, "sku": "A"}) == [{"listing": "1", "on_hand": 3000}]
    assert mappings.unread(["stock"], {"id": "1", "n": 5, "held": 2, "sku": "A", "colour": 1, "_links": 1}) == ["sku"]
    assert mappings.express("stock", {"listing": "1", "raw": 1000}) == {"n": 1, "shop": "A"}
    assert mappings.mappings["stock"].document.tables["states"].rows == {"on": "active", "off": "inactive"}


def test_a_function_in_a_folder_of_ones_own_needs_trust(shipped: Path, tmp_path: Path) -> None:
    own = write(tmp_path / "own", "stock.yaml", "fields:\n  on_hand: {code: doubled}\n")
    write(own, "functions.py", "def doubled(record):\n    return record['n'] * 2\n")
    with pytest.raises(ConfigError, match=r"stock\.yaml:2: .*trust_code"):
        load_mappings([shipped, own], "made")
    trusted = load_mappings([shipped, own], "made", trust_code=True)
    assert trusted.understand("stock", {"id": "1", "n": 5})[0]["on_hand"] == 10_000


def test_an_untrusted_folder_cannot_replace_a_shipped_function(shipped: Path, tmp_path: Path) -> None:
    write(shipped, "stock.yaml", STOCK.replace("{from: n, as: quantity}", "{code: figure, reads: [n]}"))
    write(shipped, "functions.py", "def figure(record):\n    return record['n']\n")
    own = write(tmp_path / "own", "functions.py", "def figure(record):\n    return 999\n")
    assert load_mappings([shipped, own], "made").understand("stock", {"id": "1", "n": 5})[0]["on_hand"] == 5000


def test_a_setting_is_wanted_when_a_channel_is_bound(shipped: Path) -> None:
    write(shipped, "stock.yaml", STOCK.replace("fields:", "fields:\n  place: {setting: location}"))
    bound = load_mappings([shipped], "made", settings={"location": "L1"})
    assert bound.understand("stock", {"id": "1", "n": 1})[0]["place"] == "L1"
    with pytest.raises(ConfigError, match=r"stock\.yaml:5: the channel has no setting `location`"):
        load_mappings([shipped], "made", settings={})


def test_examples_are_run(shipped: Path, tmp_path: Path) -> None:
    samples = tmp_path / "connector" / "samples" / "made"
    samples.mkdir(parents=True)
    mappings = load_mappings([shipped], "made")
    (samples / "one.json").write_text(json.dumps({"body": {"item": {"id": 7, "n": "12.5"}}}))
    assert mappings.run_examples(tmp_path / "connector") == []
    (samples / "one.json").write_text(json.dumps({"body": {"item": {"id": 7, "n": 13}}}))
    [wrong] = mappings.run_examples(tmp_path / "connector")
    assert wrong.endswith("stock.yaml:14: 0.on_hand is '13', not '12.50'")
    (samples / "one.json").write_text(json.dumps({"body": {"item": {"id": 7, "n": 1.25e-9}}}))
    assert "at most three decimals" in mappings.run_examples(tmp_path / "connector")[0]
    (samples / "one.json").unlink()
    assert "samples/made/one.json" in mappings.run_examples(tmp_path / "connector")[0]


def test_an_example_stays_in_the_connector_folder(shipped: Path, tmp_path: Path) -> None:
    write(shipped, "stock.yaml", STOCK.replace("samples/made/one.json", "../secret.json"))
    (tmp_path / "connector").mkdir()
    (tmp_path / "secret.json").write_text("{}")
    assert "outside" in load_mappings([shipped], "made").run_examples(tmp_path / "connector")[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("maps: stock", "maps: price"), "`maps: price` in a file named stock.yaml"),
        (("connector: made", "connector: other"), "in the folder of made"),
        (("ignored:", "ignore:"), r"stock\.yaml:12: unknown `ignore`"),
        (("identity: id\n", ""), "identity"),
        (("  sku:", "  listing:"), r"stock\.yaml:7: .*twice"),
        (("n: {from: raw", "id: {from: raw"), "twice"),
        (("{from: raw, as: quantity}", "{from: raw}"), "wants `as:`"),
        (("'12.50'}", "'12.50'}, x: 1"), "unknown `x`"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(shipped: Path, change: tuple[str, str], said: str) -> None:
    write(shipped, "stock.yaml", STOCK.replace(*change))
    with pytest.raises(ConfigError, match=said):
        load_mappings([shipped], "made")


def test_a_payload_name_stands_once(shipped: Path) -> None:
    write(shipped, "stock.other.yaml", STOCK)
    with pytest.raises(ConfigError, match="declared twice"):
        load_mappings([shipped], "made")
    with pytest.raises(ConfigError, match="no mapping of nobody"):
        load_mappings([shipped], "nobody")


def test_the_broken_neighbour_does_not_hold_up_the_others(shipped: Path) -> None:
    mappings, good, bad = load_mappings([shipped], "made"), [], []
    for record in ({"id": "1", "n": 1}, {"id": "2", "n": "many"}, {"id": "3", "n": 3}):
        try:
            good += mappings.understand("stock", record)
        except UnmappableError as told:
            bad.append((mappings.identity("stock", record), told.path, told.value))
    assert bad == [("2", "n", "'many'")]
    assert [one["listing"] for one in good] == ["1", "3"]
