"""README.md tells what is there: the tree, the commands, the files it points to."""

from __future__ import annotations

import re

import pytest
import typer
from house_grounds import ROOT, rooms

FENCE = re.compile(r"^```[\w-]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LISTED = re.compile(r"^(?:[│├└─\s]*)((?:[a-z_]+(?:\.py|/)[ ,·]*)+)")
COMMAND = re.compile(r"(?:^|`)(?:\$ )?(?:\.venv/bin/)?samklang ([a-z]+)", re.MULTILINE)
TARGET = re.compile(r"(?:^|`)(?:\$ )?make ([a-z]+)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


@pytest.fixture(scope="module")
def readme() -> str:
    path = ROOT / "README.md"
    assert path.is_file(), "the project has no README.md"
    return path.read_text(encoding="utf-8")


def code(readme: str) -> str:
    """What the README shows as code: its blocks and its words between backticks."""
    spans = re.findall(r"`[^`\n]+`", FENCE.sub("", readme))
    return "\n".join([*FENCE.findall(readme), *spans])


def listed(readme: str) -> set[str]:
    """The rooms under `hub/` in the README's tree, by name."""
    block = next((block for block in FENCE.findall(readme) if re.search(r"^\W*hub/", block, re.MULTILINE)), "")
    assert block, "README.md shows no tree with hub/ in it"
    lines = block.splitlines()
    start = next(at for at, line in enumerate(lines) if re.match(r"\W*hub/", line))
    depth = len(re.match(r"\W*", lines[start]).group())  # type: ignore[union-attr]
    names: set[str] = set()
    first = 0
    for line in lines[start + 1 :]:
        if line.strip() and len(re.match(r"\W*", line).group()) <= depth:  # type: ignore[union-attr]
            break
        indent = len(re.match(r"\W*", line).group())  # type: ignore[union-attr]
        first = first or indent
        if indent == first and (match := LISTED.match(line)):
            names |= {name.removesuffix(".py").removesuffix("/") for name in re.findall(r"[a-z_]+(?:\.py|/)", match[1])}
    return names


def test_the_tree_lists_every_room_and_no_other(readme: str) -> None:
    shown = listed(readme)
    assert rooms() - shown == set(), "rooms that the README's tree does not show"
    assert shown - rooms() == set(), "rooms in the README's tree that are not there"


def test_the_trees_top_level_is_there(readme: str) -> None:
    block = next(block for block in FENCE.findall(readme) if re.search(r"^\W*hub/", block, re.MULTILINE))
    top = set(re.findall(r"^([a-z]+)/", block, re.MULTILINE))
    assert {"hub", "connectors", "mappings", "config", "tests"} <= top
    assert not [name for name in top if not (ROOT / name).is_dir()]


def test_every_command_it_names_exists(readme: str) -> None:
    from hub.cli.main import COMMANDS, command

    named = set(COMMAND.findall(code(readme)))
    assert named, "README.md names no command"
    assert named <= set(COMMANDS), f"no such commands: {sorted(named - set(COMMANDS))}"
    assert all(isinstance(command(name), typer.Typer) for name in named)


def test_every_make_target_it_names_exists(readme: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(TARGET.findall(code(readme)))
    assert {"demo", "test", "check", "real", "bench"} <= targets
    assert "demo" in named
    assert named <= targets


def test_every_file_it_points_to_is_there(readme: str) -> None:
    assert not [place for place in LINK.findall(readme) if not (ROOT / place).exists()]
