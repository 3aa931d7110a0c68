"""Inward: a document's fields as one compiled function from a record to canonical records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hub.canonical.currencies import MINOR_DIGITS
from hub.canonical.entity import Entity, Field, Kind
from hub.errors import ConfigError
from hub.mapping import times
from hub.mapping.cells import Cells, Goal, fitting, goal_of
from hub.mapping.converters import BY_KIND, CONVERTERS
from hub.mapping.expressions import Base, Scope
from hub.mapping.schema import Cell, Document, RowSource, Way
from hub.mapping.tables import typed

ROOT = Base("r", "r_at", ())
LIST_OPTIONAL = "if v is not None:"


class Inward:
    """Writes the function; after `built` its pool says what is read."""

    def __init__(self, document: Document, entity: Entity, cells: Cells) -> None:
        self.document = document
        self.entity = entity
        self.cells = cells
        self.taken = 0

    def built(self) -> Callable[..., Any]:
        """The function `(record[, trace]) -> list of canonical records`."""
        self._required()
        cells, scope = self.cells, Scope(ROOT, {"record": ROOT})
        if cells.pool.explaining:
            cells.line("r_at = ''")
        cells.line("out = []")
        for source in self.document.rows:
            scope = self._rows(source, scope)
        if self.document.when is not None:
            test = cells.expression(self.document.when, scope, Goal("when", None))
            cells.line(f"if decided({test}):")
            cells.depth += 1
        self._fields("d", self.document.fields, self.entity.fields, scope, "")
        cells.line("out.append(d)")
        cells.depth = 1
        cells.line("return out")
        return cells.built("def mapped(r, at):" if cells.pool.explaining else "def mapped(r):")

    def _required(self) -> None:
        for name, cell in self.document.fields.items():
            if name not in self.entity.fields:
                known = ", ".join(sorted(self.entity.fields))
                raise ConfigError(f"`{self.entity.name}` has no field `{name}`: it has {known}", cell.where)
            if cell.optional and self.entity.fields[name].required:
                raise ConfigError(f"every {self.entity.name} says `{name}`: it cannot be optional", cell.where)
        missing = sorted(self.entity.required - set(self.document.fields))
        if missing:
            raise ConfigError(f"every {self.entity.name} says {', '.join(missing)}", self.document.where)

    def _rows(self, source: RowSource, scope: Scope) -> Scope:
        cells = self.cells
        base, keys = scope.resolve(source.path)
        variable = f"e{len(scope.named)}"
        inner = Base(variable, f"{variable}_at", (*base.pattern, *keys, "*"))
        cells.note(Goal("rows", None), {})
        self._loop(source.path, inner, source.optional, scope)
        return Scope(scope.here, {**scope.named, source.alias: inner})

    def _loop(self, path: tuple[str, ...], inner: Base, optional: bool, scope: Scope) -> None:
        cells = self.cells
        listed = cells.pool.look(scope, path, optional=optional, iterated=True)
        if optional:
            cells.line(f"v = {listed}")
            listed = "([] if v is None else v)"
        if cells.pool.explaining:
            cells.line(f"for {inner.at}, {inner.variable} in numbered({listed}, {cells.pool.path_code(scope, path)}):")
        else:
            cells.line(f"for {inner.variable} in rows({listed}):")
        cells.depth += 1

    def _fields(self, target: str, fields: Mapping[str, Cell], shape: Mapping[str, Field], scope: Scope, prefix: str) -> None:
        cells, later, literal = self.cells, [], []
        for name, cell in fields.items():
            cell, goal = self._goal(name, cell, shape[name], prefix)
            if cell.way in (Way.EACH, Way.EACH_PAIR, Way.PAIRS, Way.FIRST_OF) or cell.optional or cells.pool.explaining:
                later.append((name, cell, goal))
                continue
            literal.append(f"{name!r}: {cells.single(cell, scope, goal)}")
        cells.line(f"{target} = {{{', '.join(literal)}}}")
        for name, cell, goal in later:
            place = f"{target}[{name!r}]"
            if cell.way in (Way.EACH, Way.EACH_PAIR):
                self._each(place, cell, shape[name], scope, goal)
            elif cell.way is Way.PAIRS:
                texts = {key: Field(Kind.TEXT, personal=shape[name].personal) for key in cell.cells}
                self.taken += 1
                held = f"p{self.taken}"
                inner = {key: one for key, one in cell.cells.items() if isinstance(one, Cell)}
                self._fields(held, inner, texts, scope, f"{goal.name}.")
                cells.line(f"{place} = {held}")
            else:
                cells.assign(place, cell, scope, goal)

    def _each(self, place: str, cell: Cell, field: Field, scope: Scope, goal: Goal) -> None:
        cells = self.cells
        self.taken += 1
        number, path = self.taken, cell.paths[0]
        base, keys = scope.resolve(path)
        inner = Base(f"i{number}", f"i{number}_at", (*base.pattern, *keys, "*"))
        inside = Scope(inner, {**scope.named})
        depth, held = cells.depth, f"l{number}"
        cells.note(goal, {})
        if cell.optional:
            # the field is left out where the list is absent, and stays an empty list where it is empty
            cells.line(f"v = {cells.pool.look(scope, path, optional=True, iterated=True)}")
            cells.line(LIST_OPTIONAL)
            cells.depth += 1
        cells.line(f"{held} = {'{}' if cell.way is Way.EACH_PAIR else '[]'}")
        start = cells.depth
        self._loop(path, inner, False, scope)
        if cell.way is Way.EACH_PAIR:
            pair = [one for one in (cell.cells["key"], cell.cells["value"]) if isinstance(one, Cell)]
            said = [cells.converted(*cells.source(one, inside, goal), one, inside, goal) for one in pair]
            cells.line(f"{held}[{said[0]}] = {said[1]}")
        else:
            fields = {name: one for name, one in cell.cells.items() if isinstance(one, Cell)}
            self._fields(f"d{number}", fields, field.rows or {}, inside, f"{goal.name}.")
            cells.line(f"{held}.append(d{number})")
        cells.depth = start
        cells.line(f"{place} = {held}")
        cells.depth = depth

    def _goal(self, name: str, cell: Cell, field: Field, prefix: str) -> tuple[Cell, Goal]:
        full = prefix + name
        if (cell.way is Way.EACH) != (field.kind is Kind.ROWS):
            raise ConfigError(f"`{full}` is {field.kind}, and `each` (only `each`) gives rows", cell.where)
        if cell.way is Way.EACH:
            self._shape(full, cell, field)
            return cell, Goal(full, None, personal=field.personal)
        if cell.way in (Way.EACH_PAIR, Way.PAIRS):
            if field.kind is not Kind.TEXTS:
                raise ConfigError(f"`{full}` is {field.kind}, not texts by name", cell.where)
            return cell, goal_of(CONVERTERS["text"], full, False, personal=field.personal)
        converter = fitting(cell, field.kind, full)
        if converter is None and cell.way in (Way.FROM, Way.FIRST_OF):
            raise ConfigError(f"`{full}` wants `as:`", cell.where)
        if cell.way is Way.CONST:
            return cell, Goal(full, None, constant=self._const(cell, field))
        if converter is not None and converter.needs == "table":
            self._table(cell, field, full)
            if field.kind is Kind.FLAG:
                cell = replace(cell, wire="flag")
        return cell, goal_of(converter or BY_KIND[field.kind], full, False, words=field.words, personal=field.personal)

    def _shape(self, full: str, cell: Cell, field: Field) -> None:
        shape = field.rows or {}
        for name, one in cell.cells.items():
            if name not in shape:
                raise ConfigError(f"`{full}` has no field `{name}`: it has {', '.join(sorted(shape))}", one.where)
        missing = sorted(name for name, one in shape.items() if one.required and name not in cell.cells)
        if missing:
            raise ConfigError(f"every row of `{full}` says {', '.join(missing)}", cell.where)

    def _const(self, cell: Cell, field: Field) -> object:
        if field.kind is Kind.FLAG:
            return typed(cell.said, "flag", cell.where)
        convert: Callable[..., object] = times.utc_time if field.kind is Kind.TIME else BY_KIND[field.kind].inward
        try:
            return convert(cell.said, field.words) if field.kind is Kind.WORD else convert(cell.said)
        except (ValueError, ArithmeticError) as bad:
            raise ConfigError(f"`const: {cell.said}`: {bad}", cell.where) from None

    def _table(self, cell: Cell, field: Field, full: str) -> None:
        table = self.cells.table(cell)
        allowed = {Kind.WORD: field.words, Kind.FLAG: {"true", "false"}, Kind.CURRENCY: set(MINOR_DIGITS)}.get(field.kind)
        if allowed is None:
            return
        strange = sorted(set(table.rows.values()) - allowed)
        if strange:
            raise ConfigError(f"`{strange[0]}` is no {field.kind} that `{full}` could be", table.where)
        if table.otherwise is not None:
            raise ConfigError(f"`else` would guess what `{full}` is: name every value instead", table.where)
