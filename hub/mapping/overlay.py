"""A merchant's folder over the shipped mappings, field by field: later files win, `drop` removes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hub.errors import ConfigError
from hub.files import Node

DROP: Final = "drop"
_BY_KEY: Final = frozenset({"fields"})
_BY_ROW: Final = frozenset({"tables", "sends"})
_DROPPABLE: Final = _BY_KEY | _BY_ROW
_UNITED: Final = frozenset({"ignored", "examples"})
_FIXED: Final = frozenset({"maps", "connector"})


def overlaid(nodes: Sequence[Node]) -> Node:
    """The nodes of one mapping, earliest first, as one."""
    whole = nodes[0]
    for later in nodes[1:]:
        merged = dict(whole.mapping())
        for key, said in later.mapping().items():
            merged[key] = _merged(key, merged.get(key), said)
        whole = Node(merged, whole.where)
    kept = {key: _without_dropped(said) if key in _DROPPABLE else said for key, said in whole.mapping().items()}
    return Node(kept, whole.where)


def speaks_code(node: Node) -> str:
    """Where the fields or payloads here call a function of their own (`code:`), or "" when they nowhere do."""
    if isinstance(node.value, list):
        return next((place for one in node.value if (place := speaks_code(one))), "")
    if isinstance(node.value, dict):
        code = node.value.get("code")
        if code is not None and isinstance(code.value, str):
            return code.where
        return next((place for one in node.value.values() if (place := speaks_code(one))), "")
    return ""


def _merged(key: str, earlier: Node | None, later: Node) -> Node:
    if earlier is None:
        return later
    if key in _FIXED and earlier.text() != later.text():
        raise ConfigError(f"`{key}` is `{earlier.text()}` in the mapping below: an overlay cannot change it", later.where)
    if key in _UNITED:
        return Node([*earlier.sequence(), *later.sequence()], later.where)
    if key in _BY_KEY:
        return Node({**earlier.mapping(), **later.mapping()}, later.where)
    if key in _BY_ROW:
        return Node(_row_by_row(earlier.mapping(), later.mapping()), later.where)
    return later


def _row_by_row(earlier: Mapping[str, Node], later: Mapping[str, Node]) -> dict[str, Node]:
    tables = dict(earlier)
    for name, rows in later.items():
        below = tables.get(name)
        if below is not None and isinstance(below.value, dict) and isinstance(rows.value, dict):
            rows = _without_dropped(Node({**below.value, **rows.value}, rows.where))
        tables[name] = rows
    return tables


def _without_dropped(node: Node) -> Node:
    return Node({key: said for key, said in node.mapping().items() if said.value != DROP}, node.where)
