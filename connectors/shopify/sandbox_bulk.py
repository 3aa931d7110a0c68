"""Bulk queries of the small shop: every object of a connection on a line of its own, with the id of its parent."""

from __future__ import annotations

import json

from connectors.shopify.sandbox_graphql import PHRASES
from hub.sdk.api import Plain
from hub.sdk.sandbox_graphql import DocumentError, Operation, Selection, bound, read_document, shaped

CONNECTIONS_MAX = 5
PAGE = 250


def bulk_lines(query: str, roots: dict[str, Plain]) -> list[str]:
    """The file's lines for a bulk query over these root connections."""
    operation = read_document(query, PHRASES)
    if len(operation.chosen) != 1:
        raise DocumentError("Bulk queries must contain exactly one top-level field")
    if not 1 <= _connections(operation.chosen[0]) <= CONNECTIONS_MAX:
        raise DocumentError("Bulk queries contain one to five connections")
    lines: list[str] = []
    _listed(roots[operation.chosen[0].name], operation.chosen[0], operation, "", lines)
    return lines


def _connections(one: Selection) -> int:
    return sum(_connections(part) for part in one.chosen) + any(part.name in ("edges", "nodes") for part in one.chosen)


def _listed(ask: Plain, one: Selection, operation: Operation, parent: str, lines: list[str]) -> None:
    after: str | None = None
    while True:
        page = ask({**bound(one.arguments, {}), "first": PAGE, "after": after})
        for node in page["nodes"]:
            _written(node, _node(one), operation, parent, lines)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _node(one: Selection) -> list[Selection]:
    edges = next(part for part in one.chosen if part.name in ("edges", "nodes"))
    return edges.chosen if edges.name == "nodes" else next(part for part in edges.chosen if part.name == "node").chosen


def _written(node: Plain, chosen: list[Selection], operation: Operation, parent: str, lines: list[str]) -> None:
    nested: list[tuple[Plain, Selection]] = []
    kept = _without(node, chosen, nested)
    row = shaped(node, kept, operation, {}, "node")
    if parent:
        row["__parentId"] = parent
    lines.append(json.dumps(row, separators=(",", ":")))
    for ask, one in nested:
        _listed(ask, one, operation, node["id"], lines)


def _without(found: Plain, chosen: list[Selection], nested: list[tuple[Plain, Selection]]) -> list[Selection]:
    """The selections without their connections, which are set aside with what lists them."""
    kept = []
    for one in chosen:
        inner = found.get(one.name) if isinstance(found, dict) else None
        if any(part.name in ("edges", "nodes") for part in one.chosen):
            nested.append((inner, one))
            continue
        if one.chosen and inner is not None:
            seen = inner(bound(one.arguments, {})) if callable(inner) else inner
            rest = _without(seen, one.chosen, nested) if isinstance(seen, dict) else one.chosen
            if not rest:
                continue
            one = Selection(one.name, one.alias, one.arguments, one.directives, rest, one.on, one.spread)
        kept.append(one)
    return kept
