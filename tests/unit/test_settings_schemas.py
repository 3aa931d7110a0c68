"""The schemas that editors use: they take the example as an editor reads it, and mark what the hub would refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from hub.paths import shipped_config
from hub.settings.schemas import write_schemas

EXAMPLE = sorted((shipped_config() / "example").rglob("*.yaml"))


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    written = write_schemas(folder)
    assert sorted(path.name for path in written) == sorted(path.name for path in folder.iterdir())
    return folder


def validator(schemas: Path, kind: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads((schemas / f"{kind}.schema.json").read_text()))


@pytest.mark.parametrize("path", EXAMPLE, ids=[path.name for path in EXAMPLE])
def test_the_example_names_its_schema_and_is_valid_by_it(path: Path, schemas: Path) -> None:
    first = path.read_text().splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=((?:\.\./)*)\.schemas/(\w+)\.schema\.json", first)
    assert found is not None, first
    assert (path.parent / found[1]).resolve() == (shipped_config() / "example").resolve()
    errors = [error.message for error in validator(schemas, found[2]).iter_errors(yaml.safe_load(path.read_text()))]
    assert errors == []


def test_an_editor_marks_what_the_hub_refuses(schemas: Path) -> None:
    channel = validator(schemas, "channel")
    sound = {"channel": "shop", "connector": "x", "role": "webshop"}
    assert channel.is_valid(sound)
    assert channel.is_valid({**sound, "settings": {"location": 12, "flag": True}})
    assert not channel.is_valid({**sound, "mode": "life"})
    assert not channel.is_valid({**sound, "settngs": {}})
    assert not channel.is_valid({"channel": "shop"})
    assert not channel.is_valid({**sound, "channel": "My Shop"})


def test_every_field_that_a_person_writes_is_explained(schemas: Path) -> None:
    schema = json.loads((schemas / "channel.schema.json").read_text())
    fields = schema["properties"]
    # A field that is a part of its own is explained by that part.
    unexplained = [name for name, field in fields.items() if "description" not in field and "$ref" not in field]
    assert unexplained == []
