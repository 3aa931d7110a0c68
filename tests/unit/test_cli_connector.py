"""`samklang connector new` and `connector test`: what is made passes at once, and what is broken is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.main import command


def typed(*arguments: str) -> Any:
    """The result of `samklang connector …`."""
    done = CliRunner().invoke(command("connector"), list(arguments), prog_name="samklang connector")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture
def made(tmp_path: Path) -> Path:
    done = typed("new", "till9", "--to", str(tmp_path))
    assert done.exit_code == 0
    assert f"--folder {tmp_path / 'connectors'} --mappings {tmp_path / 'mappings'}" in done.stdout
    return tmp_path


def contract(folder: Path) -> Any:
    """The contract tried on till9 in this folder."""
    where = ["--folder", str(folder / "connectors"), "--mappings", str(folder / "mappings"), "--config", str(folder)]
    return typed("test", "till9", *where, "--json")


def test_a_new_connector_keeps_every_rule(made: Path) -> None:
    done = contract(made)
    verdicts = json.loads(done.stdout)["till9"]
    assert [each for each in verdicts if not each["held"]] == []
    assert len(verdicts) > 20
    assert done.exit_code == 0


def test_the_folders_may_be_said_as_seen_from_here(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    done = typed("test", "till9", "--folder", "connectors", "--mappings", "mappings")
    assert done.exit_code == 0, done.stdout


def test_a_connector_that_breaks_a_rule_ends_with_one_and_its_name(made: Path) -> None:
    (made / "connectors" / "till9" / "README.md").unlink()
    done = contract(made)
    assert done.exit_code == 1
    assert [each["rule"] for each in json.loads(done.stdout)["till9"] if not each["held"]] == ["the folder is whole"]


def test_nothing_is_written_over(made: Path) -> None:
    again = typed("new", "till9", "--to", str(made))
    assert again.exit_code == 2
    assert "is there already" in again.stderr


@pytest.mark.parametrize("name", ["Till9", "9till", "till-9", "../till", "class", ""])
def test_a_name_that_cannot_be_a_package_is_refused(tmp_path: Path, name: str) -> None:
    done = typed("new", name, "--to", str(tmp_path))
    assert done.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_connector_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    done = typed("test", "vendura", "--config", str(tmp_path))
    assert done.exit_code == 2
    assert "did you mean `vendure`?" in done.stderr
