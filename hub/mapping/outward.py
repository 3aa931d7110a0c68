"""Outward: one payload of `sends` as a compiled function from a canonical record to what the platform wants to hear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.errors import ConfigError
from hub.mapping.cells import Cells, Goal, goal_of
from hub.mapping.converters import CONVERTERS, exact
from hub.mapping.expressions import Base, Scope
from hub.mapping.schema import Cell, Tree, Way
from hub.mapping.tables import typed

ROOT = Base("r", "r_at", ())


class Outward:
    """Writes the function for one payload."""

    def __init__(self, name: str, tree: Tree, cells: Cells) -> None:
        self.name = name
        self.tree = tree
        self.cells = cells
        self.taken = 0

    def built(self) -> Callable[..., Any]:
        """The function `(canonical record[, trace]) -> payload`."""
        cells = self.cells
        if cells.pool.explaining:
            cells.line("r_at = ''")
        held = self._tree(self.tree, Scope(ROOT, {"record": ROOT}), self.name)
        cells.line(f"return {held}")
        return cells.built("def mapped(r, at):" if cells.pool.explaining else "def mapped(r):")

    def _tree(self, tree: Tree, scope: Scope, prefix: str) -> str:
        self.taken += 1
        held = f"t{self.taken}"
        self.cells.line(f"{held} = {'[]' if tree.is_list else '{}'}")
        for name, entry in tree.entries.items():
            full = f"{prefix}.{name}"
            if isinstance(entry, Tree):
                inner = self._tree(entry, scope, full)
                self.cells.line(f"{held}.append({inner})" if tree.is_list else f"{held}[{name!r}] = {inner}")
                continue
            if not tree.is_list:
                self._cell(f"{held}[{name!r}]", entry, scope, full)
                continue
            if entry.optional:
                raise ConfigError("an element of a list cannot be optional: the others would move up", entry.where)
            self._cell("w", entry, scope, full)
            self.cells.line(f"{held}.append(w)")
        return held

    def _cell(self, target: str, cell: Cell, scope: Scope, full: str) -> None:
        if cell.way is Way.EACH:
            self._each(target, cell, scope, full)
        elif cell.way in (Way.EACH_PAIR, Way.PAIRS):
            raise ConfigError(f"`{cell.way}` has no outward form: write the keys", cell.where)
        elif cell.way in (Way.CONST, Way.SETTING) and not cell.optional:
            self.cells.line(f"{target} = {self._fixed(cell)}")
        else:
            self.cells.assign(target, cell, scope, self._goal(cell, full))

    def _fixed(self, cell: Cell) -> str:
        if cell.way is Way.CONST:
            return self.cells.pool.constant(typed(cell.said, cell.wire, cell.where))
        code = self.cells.fixed(cell)
        if cell.wire == "text" or code not in self.cells.pool.names:
            return code
        return self.cells.pool.constant(typed(str(self.cells.pool.names[code]), cell.wire, cell.where))

    def _goal(self, cell: Cell, full: str) -> Goal:
        if cell.converter:
            return goal_of(CONVERTERS[cell.converter], full, True)
        if cell.way in (Way.FROM, Way.FIRST_OF):
            raise ConfigError(f"`{full}` wants `as:`", cell.where)
        return Goal(full, exact)

    def _each(self, target: str, cell: Cell, scope: Scope, full: str) -> None:
        cells = self.cells
        self.taken += 1
        held, inner = f"l{self.taken}", Base(f"i{self.taken}", f"i{self.taken}_at", ())
        depth, path = cells.depth, cell.paths[0]
        cells.note(Goal(full, None), {})
        listed = cells.pool.look(scope, path, optional=cell.optional, iterated=True)
        if cell.optional:
            cells.line(f"v = {listed}")
            cells.line("if v is not None:")
            cells.depth += 1
            listed = "v"
        cells.line(f"{held} = []")
        start = cells.depth
        if cells.pool.explaining:
            cells.line(f"for {inner.at}, {inner.variable} in numbered({listed}, {cells.pool.path_code(scope, path)}):")
        else:
            cells.line(f"for {inner.variable} in rows({listed}):")
        cells.depth += 1
        made = self._tree(Tree(cell.where, cell.cells), Scope(inner, scope.named), full)
        cells.line(f"{held}.append({made})")
        cells.depth = start
        cells.line(f"{target} = {held}")
        cells.depth = depth
