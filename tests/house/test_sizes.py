"""Sizes that keep the house readable: files, functions, rooms."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
from house_grounds import CODE, ROOT, defined, modules, parsed, text

FILE_LINES_MAX = 500
MEDIAN_LINES_MAX = 150
FUNCTION_LINES_MAX = 60


def lines(path: Path) -> int:
    return text(path).count("\n")


def test_no_file_is_over_500_lines() -> None:
    long = {str(path): lines(path) for path in modules(*CODE, "tests") if lines(path) > FILE_LINES_MAX}
    assert not long, f"files to divide: {long}"


def test_the_median_file_is_near_120_lines(record_property: Callable[[str, object], None]) -> None:
    sizes = [lines(path) for path in modules("hub", "connectors") if path.name != "__init__.py"]
    middle = median(sizes)
    record_property("median_lines", middle)
    assert middle <= MEDIAN_LINES_MAX, f"the median file has {middle} lines"


def test_a_function_fits_a_screen() -> None:
    long = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in modules(*CODE)
        for node in defined(path)
        if not isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    }
    assert not long, f"functions longer than {FUNCTION_LINES_MAX} lines: {long}"


@pytest.mark.parametrize("room", sorted(p.parent.name for p in (ROOT / "hub").glob("*/__init__.py")))
def test_a_room_says_in_a_few_sentences_what_it_is(room: str) -> None:
    """What it answers, what it may never do, who calls it; and its `__init__` holds nothing else."""
    tree = parsed((ROOT / "hub" / room / "__init__.py").relative_to(ROOT))
    said = ast.get_docstring(tree) or ""
    sentences = len(re.findall(r"[.?!](?=\s|$)", said))
    assert 2 <= sentences <= 5, f"hub/{room}/__init__.py says {sentences} sentences: what it answers, may never do, who calls it"
    assert "never" in said, f"hub/{room}/__init__.py does not say what the room may never do"
    assert len(tree.body) == 1, f"hub/{room}/__init__.py holds more than its docstring"
