"""Results that are kept in a file, a line each, so that a long course of seeds goes on where it was stopped.

A line counts only for the same code, the same configuration and the same wishes: each carries a mark of them all. Comments and
docstrings are no code, and neither is what only keeps results or shows them.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

import hub
from hub.simulate.faults import Faults
from hub.simulate.simulation import Result, Wanted

MARK_CHARS: Final = 16
SOURCES: Final = ("hub/**/*.py", "connectors/**/*.py", "connectors/**/*.yaml", "mappings/**/*.yaml", "mappings/**/*.py")
SHOWING: Final = frozenset({"hub/simulate/earlier.py", "hub/simulate/report.py"})
"""No result depends on these."""
_RESULT: Final = TypeAdapter(Result)


def mark(texts: Mapping[str, str], wanted: Wanted, faults: Faults) -> str:
    """What a result depends on besides its seed, as a short word: the code, the configuration (by file name) and the wishes."""
    known = hashlib.sha256(_sources())
    for name, text in sorted(texts.items()):
        known.update(f"{name}\0{text}".encode())
    known.update(f"{replace(wanted, seed=0)}\0{faults.model_dump_json()}".encode())
    return known.hexdigest()[:MARK_CHARS]


def code(text: str) -> str:
    """What of a Python source a result can depend on: everything but comments, docstrings and how it is laid out."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _is_words(each)]
    return ast.dump(tree)


def _is_words(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _sources() -> bytes:
    known = hashlib.sha256()
    root = Path(hub.__file__).resolve().parents[1]
    for pattern in SOURCES:
        for file in sorted(root.glob(pattern)):
            name, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
            if name not in SHOWING:
                known.update(f"{name}\0{code(text) if file.suffix == '.py' else text}\0".encode())
    return known.digest()


class Earlier:
    """The results in one file; a line that is cut short (the machine was switched off) is as if it were not there."""

    def __init__(self, file: Path, marked: str) -> None:
        self._file = file
        self._mark = marked

    def results(self) -> dict[int, Result]:
        """Seed → its result, of those that still count."""
        if not self._file.exists():
            return {}
        found = (self._read(line) for line in self._file.read_text(encoding="utf-8").splitlines())
        return {result.seed: result for result in found if result is not None}

    def keep(self, result: Result) -> None:
        """Add one, at once; what leads up to a failure only where there is one."""
        plain = asdict(result if result.violations else replace(result, tells=[], last_lines=[]))
        plain["calls"] = [[channel, what, count] for (channel, what), count in result.calls.items()]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as opened:
            # Begins with an end of line: what a stop cut short before it stays a line of its own.
            opened.write("\n" + json.dumps({"mark": self._mark, "result": plain}))

    def _read(self, line: str) -> Result | None:
        try:
            kept: dict[str, Any] = json.loads(line)
            if kept["mark"] != self._mark:
                return None
            plain = kept["result"]
            plain["calls"] = {(channel, what): count for channel, what, count in plain["calls"]}
            return _RESULT.validate_python(plain)
        except (ValueError, KeyError, TypeError, ValidationError):
            return None
