"""The house as the house rules see it: its files, its parsed modules, its names, and the shared folder when there is one."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("hub", "connectors", "mappings")
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """The Python files of these folders, relative to the checkout."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file of the checkout."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


@cache
def tracked() -> tuple[Path, ...]:
    """What git holds (and the disk still has), relative to the checkout; skips outside a git checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    return tuple(path for path in map(Path, filter(None, listed.stdout.decode().split("\0"))) if (ROOT / path).is_file())


@cache
def text(path: Path) -> str:
    """The file's text; "" for what is no text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def shared(*parts: str) -> Path:
    """A place in the shared folder of specifications and recordings; skips when it is not there."""
    folder = Path(os.environ.get("SAMKLANG_SHARED") or ROOT.parent / "shared").joinpath(*parts)
    if not folder.exists():
        pytest.skip(f"no shared folder with {'/'.join(parts) or 'anything'} in it: set SAMKLANG_SHARED")
    return folder


def defined(path: Path) -> Iterator[Defined]:
    """Every function and class of a file, nested ones too."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Defined))


def words(name: str) -> list[str]:
    """The words of an identifier: `readStock_now` → read, stock, now."""
    return [word.lower() for word in WORD.findall(name)]


def rooms() -> set[str]:
    """The rooms of the hub by name: its packages and modules, without `__init__`."""
    packages = {path.parent.name for path in (ROOT / "hub").glob("*/__init__.py")}
    return packages | {path.stem for path in (ROOT / "hub").glob("*.py") if path.stem != "__init__"}
