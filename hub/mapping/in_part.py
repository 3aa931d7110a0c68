"""A mapping read field by field: what of a record is understood, though the record as a whole is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Final

from hub.canonical.entity import Entity, Field
from hub.canonical.values import Plain
from hub.mapping.cells import Cells
from hub.mapping.dotted import Path
from hub.mapping.explain import ROWS_MAX, peek
from hub.mapping.inward import Inward
from hub.mapping.schema import Cell, Document, Way

Reading = Callable[[Plain], Any]
ROOT_NAME: Final = "record"


class InPart:
    """Reads some fields of a mapping one by one; of a field of rows those named in `rows`, row by row and cell by cell."""

    def __init__(
        self,
        document: Document,
        entity: Entity,
        cells: Callable[[], Cells],
        names: Sequence[str],
        rows: Mapping[str, Sequence[str]],
    ) -> None:
        self._document = document
        self._entity = entity
        self._cells = cells
        self._single: dict[str, Reading] = {}
        self._rows: dict[str, tuple[Path, list[Reading]]] = {}
        # Where one record of theirs is several of ours, a field alone does not say of which it is.
        for name, cell in {} if document.rows else document.fields.items():
            field = entity.fields[name]
            if name in rows and cell.way is Way.EACH:
                shape = field.rows or {}
                parts = [
                    self._reading(name, replace(cell, cells={part: one}), replace(field, rows={part: shape[part]}))
                    for part, one in cell.cells.items()
                    if part in rows[name]
                ]
                path = cell.paths[0]
                self._rows[name] = (path[1:] if path[0] == ROOT_NAME else path, parts)
            elif name in names:
                self._single[name] = self._reading(name, cell, field)

    def read(self, record: Plain) -> dict[str, Plain]:
        """The fields that can be read, of each row its cells that can be; what cannot be read is left out."""
        found: dict[str, Plain] = {}
        for one in self._single.values():
            found.update(_read(one, record))
        for name, (path, parts) in self._rows.items():
            elements = peek(record, path)
            if isinstance(elements, list):
                found[name] = [self._row(name, record, path, element, parts) for element in elements[:ROWS_MAX]]
        return found

    def _row(self, name: str, record: Plain, path: Path, element: Plain, parts: Sequence[Reading]) -> dict[str, Plain]:
        alone = _with(record, path, [element])
        row: dict[str, Plain] = {}
        for part in parts:
            for told in _read(part, alone).get(name, ()):
                row.update(told)
        return row

    def _reading(self, name: str, cell: Cell, field: Field) -> Reading:
        return Inward(
            replace(self._document, fields={name: cell}), Entity(self._entity.name, {name: field}), self._cells()
        ).built()


def _read(one: Reading, record: Plain) -> dict[str, Plain]:
    """What this reading gives; nothing where it fails, in whatever way records can be wrong."""
    try:
        told: list[dict[str, Plain]] = one(record)
    except Exception:
        return {}
    return told[0] if told else {}


def _with(record: Plain, path: Path, value: Plain) -> Plain:
    """The record with another value at this path; the record itself stays as it is."""
    if not path:
        return value
    other, key = copy(record), int(path[0]) if isinstance(record, list) else path[0]
    other[key] = _with(record[key], path[1:], value)
    return other
