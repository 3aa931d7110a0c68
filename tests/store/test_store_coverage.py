"""No function of a table module is without a test here: what only one engine was seen to do is not known to work."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
STORE = HERE.parents[1] / "hub" / "store"


def _takes_a_transaction(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and bool(node.args.args)
        and node.args.args[0].arg == "tx"
    )


def test_every_table_function_is_tried_on_every_engine() -> None:
    tests = "\n".join(path.read_text() for path in sorted(HERE.glob("test_store_*.py")))
    found = {
        f"{path.stem}.{node.name}"  # type: ignore[attr-defined]
        for path in sorted(STORE.glob("*.py"))
        for node in ast.parse(path.read_text()).body
        if _takes_a_transaction(node)
    }
    assert len(found) > 80
    assert sorted(name for name in found if name not in tests) == []
