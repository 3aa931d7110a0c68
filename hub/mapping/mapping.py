"""One compiled mapping: fast first; when a record fails, the explaining twin says which path and which value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.canonical.entity import Entity
from hub.canonical.values import Plain
from hub.errors import ConfigError, HubError, InvariantError, UnmappableError
from hub.mapping import coverage
from hub.mapping.cells import Cells
from hub.mapping.explain import Trace, peek
from hub.mapping.in_part import InPart
from hub.mapping.inward import Inward
from hub.mapping.outward import Outward
from hub.mapping.schema import Document

Code = Callable[[str, str], Callable[..., Any]]
"""Finds a function of the mapping's own by name; the second argument is where it is asked for."""


class Compiled:
    """A function in its fast form, and in its explaining form once that is needed."""

    def __init__(self, fast: Callable[..., Any], explaining: Callable[[], Callable[..., Any]]) -> None:
        self._fast = fast
        self._explaining = explaining

    def __call__(self, record: Plain) -> Any:
        """The mapped value; UnmappableError names path and value of the first thing that is not understood."""
        try:
            return self._fast(record)
        except HubError:
            raise
        except Exception:
            return self._explained(record)

    def _explained(self, record: Plain) -> Any:
        if not isinstance(record, dict):
            raise UnmappableError("not an object", "", "")
        trace = Trace()
        try:
            self._explaining()(record, trace)
        except HubError as told:
            raise told from None
        except Exception as bad:
            raise trace.refusal(bad) from None
        raise InvariantError("a mapping failed on a record, but its explaining twin did not")


class CompiledMapping:
    """One mapping file in its compiled form; `settings` None means it is not bound to a channel (for examples)."""

    def __init__(self, document: Document, entity: Entity, settings: Mapping[str, str] | None, code: Code) -> None:
        self.document = document
        self.entity = entity
        self._settings = settings
        self._code = code
        reads, visits = {*document.ignored}, set[tuple[str, ...]]()
        if document.identity:
            reads.add(document.identity)
        self._understand: Compiled | None = None
        self._in_part: dict[object, InPart] = {}
        if document.fields:
            cells = self._cells(False)
            self._understand = Compiled(Inward(document, entity, cells).built(), self._explaining_inward)
            reads |= cells.pool.reads
            visits |= cells.pool.visits
            self._explaining_inward()
        self._sends = {name: self._outward(name) for name in document.sends}
        self.branch = coverage.branch(reads, visits)

    def understand(self, record: Plain) -> list[dict[str, Plain]]:
        """The canonical records that this record of theirs holds; UnmappableError where it is not understood."""
        if self._understand is None:
            raise ConfigError(f"the mapping only sends: it has no fields of {self.entity.name}", self.document.where)
        found: list[dict[str, Plain]] = self._understand(record)
        return found

    def in_part(self, record: Plain, names: Sequence[str], rows: Mapping[str, Sequence[str]]) -> dict[str, Plain]:
        """Of a record that is not understood as a whole: those of these fields (of rows: of their cells) that are."""
        asked = (tuple(names), tuple((name, tuple(cells)) for name, cells in rows.items()))
        if asked not in self._in_part:
            self._in_part[asked] = InPart(self.document, self.entity, lambda: self._cells(False), names, rows)
        return self._in_part[asked].read(record)

    def express(self, name: str, canonical: Mapping[str, Plain]) -> Plain:
        """The payload `name` for this canonical record; UnmappableError where the record lacks what it says."""
        if name not in self._sends:
            raise ConfigError(f"no payload `{name}` under `sends`", self.document.where)
        return self._sends[name](canonical)

    @property
    def sends(self) -> Sequence[str]:
        """The names of the payloads."""
        return tuple(self._sends)

    def identity(self, record: Plain) -> str:
        """The record's own id for errors and dead letters; "" where it has none."""
        said = peek(record, self.document.identity) if self.document.identity else None
        return str(said)[:80] if isinstance(said, str | int) else ""

    def coverage(self, record: Plain) -> list[str]:
        """The sorted dotted paths of the record that are neither read nor ignored."""
        return coverage.unread(record, [self.branch])

    def bound(self, settings: Mapping[str, str] | None) -> CompiledMapping:
        """The same mapping with the settings of a channel."""
        return CompiledMapping(self.document, self.entity, settings, self._code)

    def _cells(self, explaining: bool, outward: bool = False) -> Cells:
        return Cells(explaining, self.document.tables, self._settings, self._code, outward)

    def _explaining_inward(self) -> Callable[..., Any]:
        return Inward(self.document, self.entity, self._cells(True)).built()

    def _outward(self, name: str) -> Compiled:
        def built(explaining: bool) -> Callable[..., Any]:
            return Outward(name, self.document.sends[name], self._cells(explaining, outward=True)).built()

        return Compiled(built(False), lambda: built(True))
