"""The contract suite over every connector there is, over a fresh copy of the example, and over liars, each caught by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from liars import LIARS
from liars.liar import Liar

from hub.errors import ConfigError
from hub.kit.new import make
from hub.kit.suite import rule_names, run
from hub.kit.verdict import Verdict
from hub.sdk.registry import Registry

SHARED = Path(os.environ.get("SAMKLANG_SHARED") or Path(__file__).resolve().parents[3] / "shared")
SPECIFIED = "requests are in the specification"


def broken(verdicts: list[Verdict]) -> str:
    """The rules that do not hold, as a person reads them."""
    return "\n".join(f"{verdict.rule}: {verdict.evidence}" for verdict in verdicts if not verdict.held)


@pytest.mark.parametrize("name", Registry([]).names())
def test_every_connector_keeps_the_contract(name: str) -> None:
    published = sorted((SHARED / "specs" / name).glob("*openapi*"))
    verdicts = list(run(Registry([]), name, published[0] if published else None))
    assert broken(verdicts) == ""
    assert [verdict.rule for verdict in verdicts] == rule_names()
    assert all(verdict.evidence for verdict in verdicts)


def test_a_new_connector_keeps_the_contract_at_once(tmp_path: Path) -> None:
    connectors, mappings = tmp_path / "connectors", tmp_path / "mappings"
    written = make(connectors, mappings, "little_shop")
    assert mappings / "little_shop" / "stock.yaml" in written
    registry = Registry([connectors])
    assert registry.connector_class("little_shop").__name__ == "LittleShop"
    assert broken(list(run(registry, "little_shop", mappings=[mappings]))) == ""
    left = [path for path in written if "template" in path.read_text(encoding="utf-8").lower()]
    assert left == [], "nothing of the copy speaks of the original"


@pytest.mark.parametrize("name", ["", "Shop", "9shop", "my-shop", "class", "template", "../shop", "x" * 41])
def test_what_is_no_name_makes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        make(tmp_path / "connectors", tmp_path / "mappings", name)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mappings" / "shop").mkdir(parents=True)
    with pytest.raises(ConfigError, match="nothing is overwritten"):
        make(tmp_path / "connectors", tmp_path / "mappings", "shop")
    assert not (tmp_path / "connectors").exists()


@pytest.mark.parametrize("liar", LIARS, ids=[liar.name for liar in LIARS])
def test_every_liar_is_caught_by_the_rule_that_it_breaks(tmp_path: Path, liar: Liar) -> None:
    registry, mappings = liar.plant(tmp_path)
    (verdict,) = run(registry, liar.name, mappings=mappings, only=[liar.rule])
    assert not verdict.held, f"not caught: {verdict.evidence}"
    assert verdict.rule == liar.rule
    assert verdict.evidence


def test_every_rule_catches_a_liar() -> None:
    assert set(rule_names()) - {liar.rule for liar in LIARS} == {SPECIFIED}


def published(folder: Path, paths: dict[str, object]) -> Path:
    file = folder / "made.openapi.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "servers": [{"url": "https://any.example/"}], "paths": paths}))
    return file


def body(*fields: str) -> dict[str, object]:
    properties = {field: {"type": "string"} for field in fields}
    return {"put": {"requestBody": {"content": {"application/json": {"schema": {"properties": properties}}}}}}


def test_what_the_specification_does_not_know_is_named(tmp_path: Path) -> None:
    reads: dict[str, object] = {path: {"get": {}} for path in ("/items", "/items/{id}", "/orders", "/orders/{id}")}
    writes = {
        "/items/{id}/stock": body("quantity"),
        "/items/{id}/price": body("amount", "currency"),
        "/items/{id}/listing": body("title", "text", "picture", "link", "category", "state"),
    }
    without = {**reads, **writes, "/items/{id}/price": body("amount")}
    for paths, evidence in (
        (reads, "PUT /items/i-000001/stock is not in"),
        (without, "knows no field currency"),
        ({**reads, **writes}, "operations of made.openapi.json"),
    ):
        (verdict,) = run(Registry([]), "template", published(tmp_path, paths), only=[SPECIFIED])
        assert evidence in verdict.evidence
        assert verdict.held == evidence.startswith("operations")
