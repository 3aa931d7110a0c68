"""Connectors are found by their folders; what is wrong with one is told with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.clock import ManualClock
from hub.errors import ConfigError
from hub.sdk.registry import Registry

MANIFEST = """connector: {name}
title: A made platform
api_version: "1"
checked: 2026-11-21
roles: [webshop]
base_url: ""
pace: {{per_second: 5, burst: 10}}
limits: {{}}
streams:
  items:
    code: read_items
    look_up: look_up_items
    records: records
    maps: [item]
    page_max: 100
sends:
  stock:
    code: send_stock
    stream: items
    batch_max: 10
"""
CODE = """from hub.sdk.api import Connector

from .words import GREETING


class Made(Connector):
    greeting = GREETING

    def read_items(self, ask): ...
    def look_up_items(self, ids): ...
    def send_stock(self, changes): ...
"""
SANDBOX = """from hub.sdk.api import SandboxBase


class Shelf(SandboxBase):
    pass


class Sandbox(Shelf):
    pass
"""


def made(parent: Path, name: str, greeting: str = "hello", **files: str) -> Path:
    folder = parent / name
    folder.mkdir(parents=True)
    texts = {
        "connector.yaml": MANIFEST.format(name=name),
        "connector.py": CODE,
        "sandbox.py": SANDBOX,
        "words.py": f"GREETING = {greeting!r}\n",
        **{file.replace("_py", ".py").replace("_yaml", ".yaml"): text for file, text in files.items()},
    }
    for file, text in texts.items():
        (folder / file).write_text(text)
    return folder


def test_the_shipped_connectors_are_found() -> None:
    registry = Registry()
    assert {"square", "tryton", "vendure", "meta"} <= set(registry.names())
    for name in registry.names():
        assert registry.manifest(name).connector == name
        assert (registry.folder(name) / "connector.py").is_file()


def test_a_merchants_own_connector_stands_beside_them(tmp_path: Path) -> None:
    made(tmp_path, "boutique")
    (tmp_path / "notes").mkdir()
    registry = Registry([tmp_path])
    assert "boutique" in registry.names()
    assert "notes" not in registry.names()
    assert registry.manifest("boutique").streams["items"].page_max == 100
    assert registry.connector_class("boutique").greeting == "hello"  # type: ignore[attr-defined]
    sandbox = registry.sandbox_class("boutique")
    assert sandbox.__name__ == "Sandbox"
    assert sandbox(ManualClock()).calls.maxlen is not None


def test_equal_names_in_two_merchants_folders_stay_apart(tmp_path: Path) -> None:
    made(tmp_path / "one", "boutique", "from one")
    made(tmp_path / "two", "boutique", "from two")
    classes = [Registry([tmp_path / place]).connector_class("boutique") for place in ("one", "two")]
    assert [each.greeting for each in classes] == ["from one", "from two"]  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="a connector `boutique` is already in"):
        Registry([tmp_path / "one", tmp_path / "two"])
    assert Registry([tmp_path / "one", tmp_path / "one"]).folder("boutique") == tmp_path / "one" / "boutique"


def test_a_name_that_nobody_has(tmp_path: Path) -> None:
    made(tmp_path, "boutique")
    registry = Registry(shipped=tmp_path)
    assert registry.names() == ["boutique"]
    for asked in (registry.folder, registry.manifest, registry.connector_class, registry.sandbox_class):
        with pytest.raises(ConfigError, match="there is no connector `boutiqe`: did you mean `boutique`"):
            asked("boutiqe")
    with pytest.raises(ConfigError, match="no such folder of connectors"):
        Registry([tmp_path / "none"])


@pytest.mark.parametrize(
    ("name", "files", "said"),
    [
        (
            "shop_a",
            {"connector_yaml": MANIFEST.format(name="shop_b")},
            "connector.yaml:1: connector: write `shop_a`, the name of the folder",
        ),
        (
            "shop_c",
            {"connector_yaml": MANIFEST.format(name="shop_c").replace("burst", "brust")},
            "connector.yaml:7: pace.burst: is missing",
        ),
        (
            "shop_d",
            {"connector_yaml": MANIFEST.format(name="shop_d").replace("stream: items", "stream: goods")},
            "connector.yaml:1: sends.stock.stream names no stream: goods",
        ),
        (
            "shop_i",
            {"connector_yaml": MANIFEST.format(name="shop_i").replace("look_up:", "look_up_max: 1 #")},
            "connector.yaml:1: sends.stock.stream: `items` has no `look_up`: what came of an unanswered write could not be read",
        ),
        (
            "shop_e",
            {"connector_yaml": MANIFEST.format(name="shop_e").replace("send_stock", "send_stick")},
            "connector.yaml:18: sends.stock.code: Made has no method `send_stick`",
        ),
        (
            "shop_g",
            {"connector_yaml": MANIFEST.format(name="shop_g").replace("stock:", "movement:")},
            "connector.yaml:1: sends.movement: a delta must say how it is found again: `find` and `findable_within_seconds`",
        ),
        (
            "shop_f",
            {"connector_py": "x = 1\n"},
            "connector.py: one class that derives from Connector is wanted here, 0 were found",
        ),
        ("shop_g", {"connector_py": "def x(:\n"}, "connector.py:1: not Python: invalid syntax"),
        (
            "shop_h",
            {"words_py": "x = 1\n\nGREETING = unknown\n"},
            "words.py:3: could not be loaded: NameError: name 'unknown' is not defined",
        ),
        (
            "shop_i",
            {"connector_py": CODE + "\n\nclass Other(Connector): ...\n"},
            "connector.py: one class that derives from Connector is wanted here, 2 were found",
        ),
    ],
)
def test_a_broken_connector_is_told_with_its_line(tmp_path: Path, name: str, files: dict[str, str], said: str) -> None:
    made(tmp_path, name, **files)
    registry = Registry(shipped=tmp_path)
    with pytest.raises(ConfigError) as caught:
        registry.connector_class(name)
    assert f"{tmp_path}/{name}/{said}" in str(caught.value)


def test_a_connector_without_a_sandbox_says_so(tmp_path: Path) -> None:
    (made(tmp_path, "boutique") / "sandbox.py").unlink()
    with pytest.raises(ConfigError, match=r"connector `boutique` has no sandbox\.py"):
        Registry(shipped=tmp_path).sandbox_class("boutique")
