"""Words of the house: what things are called, and that they are explained."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from house_grounds import CODE, ROOT, Defined, defined, modules, parsed, words

SAYS_NOTHING = {"sync", "process", "handle", "handler", "manager", "service", "util", "helper", "common", "misc", "data", "info"}
SAYS_NOTHING |= {f"{word}s" for word in SAYS_NOTHING}
VERBS = {"sync", "process", "handle"}
ALLOWED = {
    ("hub/sdk/deadline.py", "get_extra_info"): "the name that httpcore calls it by",
    ("connectors/meta/payload.py", "Handle"): "the thing that an accepted batch is followed by, as in Receipt.handle",
}


def empty(name: str) -> bool:
    """Whether the name is, begins (a verb) or ends (a noun) with a word that says nothing."""
    parts = words(name)
    return bool(parts) and (parts[0] in VERBS or parts[-1] in SAYS_NOTHING)


def test_no_name_says_nothing() -> None:
    found = [
        f"{path}:{node.lineno} {node.name}"
        for path in modules(*CODE, "tests")
        for node in defined(path)
        if empty(node.name) and (str(path), node.name) not in ALLOWED and not node.name.startswith("test_")
    ]
    assert not found, f"names to find better words for: {found}"


def test_no_module_or_folder_name_says_nothing() -> None:
    found = {str(path) for path in modules(*CODE, "tests") for part in path.with_suffix("").parts if empty(part)}
    assert not found, f"modules to find better words for: {sorted(found)}"


def public(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, Defined]]:
    """Public functions, classes and methods with their dotted names."""
    for node in body:
        if isinstance(node, Defined) and not node.name.startswith("_"):
            yield f"{owner}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{owner}{node.name}.")


def documented_methods() -> set[str]:
    """Methods that some class of the hub explains: who implements them need not say it again."""
    every = (pair for path in modules("hub") for pair in public(parsed(path).body))
    return {name.rpartition(".")[2] for name, node in every if "." in name and ast.get_docstring(node)}


def unexplained(path: Path, known: set[str]) -> Iterator[str]:
    for name, node in public(parsed(path).body):
        implements = "." in name and node.name in known
        if not ast.get_docstring(node) and not implements:
            yield f"{path}:{node.lineno} {name}"


def test_everything_public_is_explained() -> None:
    known = documented_methods()
    found = [said for path in modules(*CODE) for said in unexplained(path, known)]
    assert not found, f"public without a docstring: {found}"


def test_every_module_is_explained() -> None:
    found = [str(path) for path in modules(*CODE) if not ast.get_docstring(parsed(path))]
    assert not found, f"modules without a docstring: {found}"


def test_every_connector_folder_has_its_parts() -> None:
    parts = ("connector.yaml", "connector.py", "sandbox.py", "judge.py", "README.md", "samples/made")
    folders = [path.parent for path in (ROOT / "connectors").glob("*/connector.yaml")]
    missing = [f"{folder.name}/{part}" for folder in folders for part in parts if not (folder / part).exists()]
    assert len(folders) >= 4
    assert not missing
