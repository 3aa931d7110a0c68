"""A mapping file read whole: `document` turns its merged nodes into checked values."""

from __future__ import annotations

from typing import Final

from hub.errors import ConfigError
from hub.files import Node
from hub.mapping.dotted import dotted
from hub.mapping.schema import ROWS_DEEP_MAX, Cell, Document, Example, RowSource, Way, cell, only_keys, path_of, tree, yes
from hub.mapping.tables import Table

KEYS: Final = frozenset({"maps", "connector", "identity", "rows", "when", "fields", "tables", "sends", "ignored", "examples"})
RESERVED: Final = frozenset({"record", "optional", "lookup", "setting"})


def document(node: Node) -> Document:
    """The file's rules; ConfigError with file:line for anything unknown, missing or of another shape."""
    said = only_keys(node, KEYS)
    for key in ("maps", "connector"):
        if key not in said:
            raise ConfigError(f"a mapping says `{key}:`", node.where)
    fields = {name: cell(one) for name, one in said["fields"].mapping().items()} if "fields" in said else {}
    sends = {name: tree(one) for name, one in said["sends"].mapping().items()} if "sends" in said else {}
    if not fields and not sends:
        raise ConfigError("a mapping has `fields` (in), `sends` (out) or both", node.where)
    if fields and "identity" not in said:
        raise ConfigError("a mapping with `fields` says `identity:`, the path that names the record in errors", node.where)
    return Document(
        where=node.where,
        maps=said["maps"].text(),
        connector=said["connector"].text(),
        identity=path_of(said["identity"]) if "identity" in said else (),
        rows=_rows(said["rows"]) if "rows" in said else (),
        when=Cell(said["when"].where, Way.VALUE, said=said["when"].text()) if "when" in said else None,
        fields=fields,
        tables={name: _table(name, one) for name, one in said["tables"].mapping().items()} if "tables" in said else {},
        sends=sends,
        ignored=tuple(path_of(one) for one in said["ignored"].sequence()) if "ignored" in said else (),
        examples=tuple(_example(one) for one in said["examples"].sequence()) if "examples" in said else (),
    )


def _rows(node: Node) -> tuple[RowSource, ...]:
    nodes = node.sequence() if isinstance(node.value, list) else [node]
    if len(nodes) > ROWS_DEEP_MAX:
        raise ConfigError(f"rows within rows at most {ROWS_DEEP_MAX} deep", node.where)
    sources: list[RowSource] = []
    for one in nodes:
        said = only_keys(one, ("from", "as", "optional"))
        if "from" not in said or "as" not in said:
            raise ConfigError("`rows` wants `from:` (a list in the record) and `as:` (the name of one element)", one.where)
        alias = said["as"].text()
        if not alias.isidentifier() or alias in RESERVED or alias in {source.alias for source in sources}:
            raise ConfigError(f"`{alias}` cannot name an element", said["as"].where)
        sources.append(RowSource(path_of(said["from"]), alias, yes(said.get("optional")), one.where))
    return tuple(sources)


def _table(name: str, node: Node) -> Table:
    rows = {key: one.text() for key, one in node.mapping().items() if key != "else"}
    otherwise = node.mapping()["else"].text() if "else" in node.mapping() else None
    return Table(name, rows, otherwise, node.where)


def _example(node: Node) -> Example:
    said = only_keys(node, ("sample", "record", "gives", "count", "settings"))
    if "sample" not in said or not ("gives" in said or "count" in said):
        raise ConfigError("an example wants `sample:` and what it `gives:` (or the `count:` of records)", node.where)
    gives: dict[str, str] = {}
    for name, one in (said["gives"].mapping() if "gives" in said else {}).items():
        gives[_checked(name, one.where)] = one.text()
    count = said["count"].text() if "count" in said else None
    if count is not None and not (count.isascii() and count.isdigit()):
        raise ConfigError("`count` is a number of records", said["count"].where)
    return Example(
        sample=said["sample"].text(),
        record=path_of(said["record"]) if "record" in said else (),
        gives=gives,
        count=int(count) if count is not None else None,
        settings={key: one.text() for key, one in said["settings"].mapping().items()} if "settings" in said else {},
        where=node.where,
    )


def _checked(name: str, where: str) -> str:
    try:
        dotted(name)
    except ValueError as bad:
        raise ConfigError(str(bad), where) from None
    return name
