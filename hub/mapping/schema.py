"""The written form of a mapping as checked values: what a person may write, each refusal with file:line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.errors import ConfigError
from hub.files import Node
from hub.mapping.converters import CONVERTERS
from hub.mapping.dotted import ANY, Path, dotted
from hub.mapping.tables import Table

ROWS_DEEP_MAX: Final = 3


class Way(StrEnum):
    """Where a cell's value comes from."""

    FROM = "from"
    FIRST_OF = "first_of"
    VALUE = "value"
    CODE = "code"
    CONST = "const"
    SETTING = "setting"
    EACH = "each"
    EACH_PAIR = "each_pair"
    PAIRS = "pairs"


_ALSO: Final[dict[Way, frozenset[str]]] = {
    Way.FROM: frozenset({"as", "optional", "table", "currency", "of"}),
    Way.FIRST_OF: frozenset({"as", "optional", "table", "currency", "of"}),
    Way.VALUE: frozenset({"as", "optional", "table", "currency", "of"}),
    Way.CODE: frozenset({"as", "optional", "table", "currency", "of", "reads"}),
    Way.CONST: frozenset({"of"}),
    Way.SETTING: frozenset({"default", "optional", "of"}),
    Way.EACH: frozenset({"from", "optional"}),
    Way.EACH_PAIR: frozenset({"from", "optional"}),
    Way.PAIRS: frozenset(),
}
_WIRES: Final = ("text", "flag", "whole")


@dataclass(frozen=True, slots=True)
class Cell:
    """One rule: a value's source (`way`), its converter and what it may lack."""

    where: str
    way: Way
    paths: tuple[Path, ...] = ()
    said: str = ""
    converter: str = ""
    optional: bool = False
    table: str = ""
    currency: Cell | None = None
    wire: str = "text"
    default: str | None = None
    reads: tuple[Path, ...] = ()
    cells: Mapping[str, Cell | Tree] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tree:
    """Outward: the nested shape of a payload; `entries` has text keys for a mapping, places 0, 1, … for a list."""

    where: str
    entries: Mapping[str, Cell | Tree]
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class RowSource:
    """One canonical record per element of the list at `path`, under the name `alias`."""

    path: Path
    alias: str
    optional: bool
    where: str


@dataclass(frozen=True, slots=True)
class Example:
    """A sample and what it must give."""

    sample: str
    record: Path
    gives: Mapping[str, str]
    count: int | None
    settings: Mapping[str, str]
    where: str


@dataclass(frozen=True, slots=True)
class Document:
    """One mapping file (with its overlays) as written."""

    where: str
    maps: str
    connector: str
    identity: Path
    rows: tuple[RowSource, ...]
    when: Cell | None
    fields: Mapping[str, Cell]
    tables: Mapping[str, Table]
    sends: Mapping[str, Tree]
    ignored: tuple[Path, ...]
    examples: tuple[Example, ...]


def path_of(node: Node) -> Path:
    """The dotted path written here."""
    try:
        return dotted(node.text())
    except ValueError as bad:
        raise ConfigError(str(bad), node.where) from None


def only_keys(node: Node, allowed: Sequence[str] | frozenset[str]) -> Mapping[str, Node]:
    """The mapping's entries; ConfigError naming the first unknown key and what may stand there."""
    for key, entry in node.mapping().items():
        if key not in allowed:
            raise ConfigError(f"unknown `{key}`: here may stand {', '.join(sorted(allowed))}", entry.where)
    return node.mapping()


def yes(node: Node | None) -> bool:
    """A written true or false; absent is false."""
    if node is None:
        return False
    if node.text() not in ("true", "false"):
        raise ConfigError("write true or false", node.where)
    return node.text() == "true"


def way_of(node: Node) -> Way | None:
    """Which way of a cell the mapping speaks, None when it is no cell (then it is a nested payload)."""
    if not isinstance(node.value, dict):
        return None
    for way in (Way.EACH, Way.EACH_PAIR, Way.FIRST_OF, Way.PAIRS):
        inner = node.value.get(way)
        source = node.value.get("from")
        if inner is None:
            continue
        if way is Way.FIRST_OF and isinstance(inner.value, list):
            return way
        if way is Way.PAIRS and isinstance(inner.value, dict) and len(node.value) == 1:
            return way
        if source is not None and isinstance(source.value, str):
            return way
    for way in (Way.FROM, Way.VALUE, Way.CODE, Way.CONST, Way.SETTING):
        inner = node.value.get(way)
        if inner is not None and isinstance(inner.value, str):
            return way
    return None


def cell(node: Node, *, outward: bool = False) -> Cell:
    """The rule written here."""
    way = way_of(node)
    if way is None:
        raise ConfigError(f"a field is one of {', '.join(Way)}", node.where)
    said = only_keys(node, _ALSO[way] | {str(way)})
    head = said[way]
    shared = _shared(node, said)
    if way is Way.FIRST_OF:
        return _cell(node, way, shared, paths=tuple(path_of(one) for one in head.sequence()))
    if way is Way.FROM:
        return _cell(node, way, shared, paths=(path_of(head),))
    if way is Way.EACH:
        inner: Mapping[str, Cell | Tree]
        inner = tree(head).entries if outward else {name: cell(one) for name, one in head.mapping().items()}
        return _cell(node, way, shared, paths=(path_of(said["from"]),), cells=inner)
    if way is Way.EACH_PAIR:
        pair = only_keys(head, ("key", "value"))
        if len(pair) != 2:
            raise ConfigError("each_pair wants `key` and `value`", head.where)
        texts = {name: Cell(one.where, Way.FROM, (path_of(one),), converter="text") for name, one in pair.items()}
        return _cell(node, way, shared, paths=(path_of(said["from"]),), cells=texts)
    if way is Way.PAIRS:
        return _cell(node, way, shared, cells={name: cell(one) for name, one in head.mapping().items()})
    return _cell(node, way, shared, said=head.text())


def tree(node: Node) -> Tree:
    """The payload shape written here: nested mappings and lists of cells; dotted target names unfold."""
    if isinstance(node.value, list):
        return Tree(node.where, {str(place): branch(one) for place, one in enumerate(node.value)}, is_list=True)
    root: dict[str, object] = {}
    for name, one in node.mapping().items():
        try:
            path = dotted(name)
        except ValueError as bad:
            raise ConfigError(str(bad), one.where) from None
        here = root
        for segment in path[:-1]:
            deeper = here.setdefault(segment, {})
            if not isinstance(deeper, dict):
                raise ConfigError(f"`{name}` lies inside a value that is written already", one.where)
            here = deeper
        if path[-1] in here:
            raise ConfigError(f"`{name}` is written twice", one.where)
        here[path[-1]] = branch(one)
    return _unfolded(root, node.where)


def branch(node: Node) -> Cell | Tree:
    """A cell, or a nested payload."""
    return cell(node, outward=True) if way_of(node) is not None else tree(node)


def _unfolded(raw: Mapping[str, object], where: str) -> Tree:
    entries: dict[str, Cell | Tree] = {}
    for name, one in raw.items():
        entries[name] = one if isinstance(one, Cell | Tree) else _unfolded(one, where)  # type: ignore[arg-type]
    if not entries:
        raise ConfigError("an empty payload", where)
    places = all(name.isascii() and name.isdigit() for name in entries)
    if places and sorted(map(int, entries)) != list(range(len(entries))):
        raise ConfigError("places in a list are 0, 1, 2 … without a gap", where)
    if places:
        entries = dict(sorted(entries.items(), key=lambda entry: int(entry[0])))
    return Tree(where, entries, is_list=places)


def _shared(node: Node, said: Mapping[str, Node]) -> Cell:
    converter = said["as"].text() if "as" in said else ""
    if converter and converter not in CONVERTERS:
        raise ConfigError(f"no converter `{converter}`: there are {', '.join(sorted(CONVERTERS))}", said["as"].where)
    wire = said["of"].text() if "of" in said else "text"
    if wire not in _WIRES:
        raise ConfigError(f"`of` is one of {', '.join(_WIRES)}", said["of"].where)
    currency = None
    if "currency" in said:
        spoken = said["currency"]
        currency = Cell(spoken.where, Way.FROM, (path_of(spoken),)) if isinstance(spoken.value, str) else cell(spoken)
    needs = CONVERTERS[converter].needs if converter else ""
    for extra in ("table", "currency"):
        if (extra in said) != (needs == extra):
            raise ConfigError(
                f"`as: {converter or 'nothing'}` and `{extra}:` do not go together"
                if extra in said
                else f"`as: {converter}` wants `{extra}:`",
                node.where,
            )
    return Cell(
        node.where, Way.FROM, converter=converter, optional=yes(said.get("optional")), currency=currency, wire=wire,
        table=said["table"].text() if "table" in said else "",
        default=said["default"].text() if "default" in said else None,
        reads=tuple(path_of(one) for one in said["reads"].sequence()) if "reads" in said else (),
    )  # fmt: skip


def _cell(
    node: Node,
    way: Way,
    shared: Cell,
    *,
    paths: tuple[Path, ...] = (),
    said: str = "",
    cells: Mapping[str, Cell | Tree] | None = None,
) -> Cell:
    if any(ANY in path for path in paths):
        raise ConfigError("`*` says every element only under `ignored` and `reads`", node.where)
    return Cell(
        node.where, way, paths, said, shared.converter, shared.optional, shared.table, shared.currency, shared.wire,
        shared.default, shared.reads, cells or {},
    )  # fmt: skip
