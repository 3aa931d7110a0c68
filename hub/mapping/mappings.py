"""All mappings of one connector: found in the folders, overlaid, compiled once; the way into this room."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from hub.canonical.entities import ENTITIES
from hub.canonical.values import Plain
from hub.errors import ConfigError
from hub.files import Node, read_yaml
from hub.mapping import coverage, examples
from hub.mapping.documents import document
from hub.mapping.mapping import CompiledMapping
from hub.mapping.overlay import overlaid, speaks_code

FILES_MAX = 100


class Mappings:
    """The mappings of one connector by name: `stock`, or `stock.webhook` where one entity comes in several shapes."""

    def __init__(self, connector: str, mappings: Mapping[str, CompiledMapping]) -> None:
        self.connector = connector
        self.mappings = mappings
        self._sends: dict[str, CompiledMapping] = {}
        for mapping in mappings.values():
            for name in mapping.sends:
                if name in self._sends:
                    raise ConfigError(f"the payload `{name}` is declared twice", mapping.document.sends[name].where)
                self._sends[name] = mapping

    @property
    def entities(self) -> tuple[str, ...]:
        """The names of the mappings that understand records."""
        return tuple(name for name, mapping in self.mappings.items() if mapping.document.fields)

    @property
    def sends(self) -> tuple[str, ...]:
        """The names of the payloads that can be expressed."""
        return tuple(self._sends)

    def understand(self, entity: str, record: Plain) -> list[dict[str, Plain]]:
        """The canonical records in this record of theirs (none, one or many); UnmappableError names path and value."""
        return self._named(entity).understand(record)

    def in_part(self, entity: str, record: Plain, names: Sequence[str], rows: Mapping[str, Sequence[str]]) -> dict[str, Plain]:
        """Those of these fields that can be read of a record that is not understood as a whole; `rows` names cells of rows."""
        return self._named(entity).in_part(record, names, rows)

    def express(self, name: str, canonical: Mapping[str, Plain]) -> Plain:
        """The payload `name` of `sends` for a canonical record; UnmappableError names what is lacking or does not fit."""
        if name not in self._sends:
            raise ConfigError(f"{self.connector} has no payload `{name}` under `sends`")
        return self._sends[name].express(name, canonical)

    def identity(self, entity: str, record: Plain) -> str:
        """The record's own id for errors and dead letters, at most 80 characters; "" where it has none."""
        return self._named(entity).identity(record)

    def unread(self, entities: Sequence[str], record: Plain) -> list[str]:
        """The sorted paths of the record that none of these mappings reads or ignores by name."""
        return unread(record, [self._named(entity) for entity in entities])

    def run_examples(self, connector_folder: Path) -> list[str]:
        """What is wrong with the mappings' examples, each with file:line; empty when all hold."""
        return [wrong for mapping in self.mappings.values() for wrong in examples.problems(mapping, connector_folder)]

    def _named(self, entity: str) -> CompiledMapping:
        if entity not in self.mappings:
            raise ConfigError(f"{self.connector} has no mapping `{entity}`: it has {', '.join(self.mappings) or 'none'}")
        return self.mappings[entity]


def unread(record: Plain, mappings: Sequence[CompiledMapping]) -> list[str]:
    """The sorted paths of the record that none of these mappings reads or ignores by name."""
    return coverage.unread(record, [mapping.branch for mapping in mappings])


def load_mappings(
    folders: Sequence[Path],
    connector: str,
    *,
    settings: Mapping[str, str] | None = None,
    trust_code: bool = False,
) -> Mappings:
    """The connector's mappings from `<folder>/<connector>/*.yaml`, later folders over earlier; ConfigError with file:line.

    The first folder is the shipped one; `code:` in a later one needs `trust_code`. With `settings` None nothing is bound to
    a channel: a field that wants a setting is refused when it is used.
    """
    found: dict[str, list[Node]] = {}
    modules: list[Path] = []
    for place, folder in enumerate(folders):
        trusted = place == 0 or trust_code
        for file in sorted((folder / connector).glob("*.yaml"))[:FILES_MAX]:
            node = read_yaml(file)
            spoken = [one for key, one in node.mapping().items() if key in ("fields", "sends")]
            if not trusted and (where := next(filter(None, map(speaks_code, spoken)), "")):
                raise ConfigError("`code:` in a folder of your own needs `trust_code: true`", where)
            found.setdefault(file.name.removesuffix(".yaml"), []).append(node)
        if trusted and (folder / connector / "functions.py").is_file():
            modules.append(folder / connector / "functions.py")
    if not found:
        raise ConfigError(f"no mapping of {connector} in {', '.join(map(str, folders))}")
    code = _Functions(modules)
    return Mappings(connector, {name: _compiled(name, found[name], connector, settings, code) for name in sorted(found)})


def _compiled(
    name: str, nodes: Sequence[Node], connector: str, settings: Mapping[str, str] | None, code: _Functions
) -> CompiledMapping:
    spoken = document(overlaid(nodes))
    if spoken.connector != connector:
        raise ConfigError(f"says `connector: {spoken.connector}` in the folder of {connector}", spoken.where)
    if spoken.maps != name.split(".")[0]:
        raise ConfigError(f"`maps: {spoken.maps}` in a file named {name}.yaml", spoken.where)
    if spoken.maps not in ENTITIES:
        raise ConfigError(f"`{spoken.maps}` is no canonical record: there are {', '.join(ENTITIES)}", spoken.where)
    return CompiledMapping(spoken, ENTITIES[spoken.maps], settings, code)


class _Functions:
    """The connector's own pure functions, read when the first is asked for; later files win."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._modules: list[ModuleType] | None = None

    def __call__(self, name: str, where: str) -> Callable[..., Any]:
        """The function of this name; ConfigError when there is none."""
        if self._modules is None:
            self._modules = [_module(file) for file in self._files]
        for module in reversed(self._modules):
            function = getattr(module, name, None) if not name.startswith("_") else None
            if callable(function):
                found: Callable[..., Any] = function
                return found
        raise ConfigError(f"no function `{name}` in {', '.join(map(str, self._files)) or 'a functions.py'}", where)


def _module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"samklang_functions_{file.parent.name.replace('-', '_')}", file)
    if spec is None or spec.loader is None:
        raise ConfigError("cannot be read as Python", str(file))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as bad:
        raise ConfigError(f"cannot be run: {type(bad).__name__}", str(file)) from None
    return module
