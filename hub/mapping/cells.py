"""One cell as straight-line code, fast or explaining: the part of the compiler that both directions share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, Final

from hub.canonical.entity import Kind
from hub.errors import ConfigError
from hub.mapping import explain, functions
from hub.mapping.converters import CONVERTERS, Converter
from hub.mapping.dotted import Path, spelled
from hub.mapping.expressions import Base, Expression, Pool, Scope
from hub.mapping.schema import Cell, Way
from hub.mapping.tables import Table, lookup

RUNTIME: Final[Mapping[str, Any]] = {
    "__builtins__": {}, "seek": explain.seek, "seek_optional": explain.seek_optional, "peek": explain.peek,
    "told": explain.told, "numbered": explain.numbered, "item": explain.item, "maybe": explain.maybe, "rows": explain.rows,
    "decided": explain.decided, "there": explain.there, "blank": explain.blank, "lookup": lookup, "pick": functions.pick,
    "plus": functions.plus, "minus": functions.minus, "times": functions.times_, "divide": functions.divide,
    "negative": functions.negative,
}  # fmt: skip
"""All that generated code can name besides its own constants: no builtins, no import."""

RUNNING_CHARS_MAX: Final = 400_000


@dataclass(frozen=True, slots=True)
class Goal:
    """What a cell's value must become: a converter, what else it needs, and how errors name it."""

    name: str
    convert: Callable[..., Any] | None
    needs: str = ""
    words: frozenset[str] = frozenset()
    blank_is_nothing: bool = False
    personal: bool = False
    constant: object = None


class Cells:
    """Writes the code of cells; `tables` are the names of tables in the pool, `settings` None means not bound to a channel."""

    def __init__(
        self,
        explaining: bool,
        tables: Mapping[str, Table],
        settings: Mapping[str, str] | None,
        code: Callable[[str, str], Callable[..., Any]],
        outward: bool = False,
    ) -> None:
        self.pool = Pool(explaining)
        self.lines: list[str] = []
        self.tables = tables
        self.table_names = {name: self.pool.constant(table) for name, table in tables.items()}
        self.settings = settings
        self.code = code
        self.outward = outward
        self.depth = 1

    def line(self, text: str) -> None:
        """One line of code at the present indentation."""
        self.lines.append("    " * self.depth + text)

    def expression(self, cell: Cell, scope: Scope, goal: Goal) -> str:
        """Code of the cell's expression; the explaining code first notes what it reads."""
        spoken = Expression(cell.said, cell.where, self.pool, self.table_names, self.settings, {})
        code = spoken.code(scope)
        self.note(goal, spoken.seen)
        return code

    def note(self, goal: Goal, seen: Mapping[str, tuple[Base, Path]]) -> None:
        """The explaining code remembers which field comes next and what it reads."""
        if not self.pool.explaining:
            return
        read = "".join(f"({base.at} + {spelled(keys)!r}, peek({base.variable}, {keys!r})), " for base, keys in seen.values())
        self.line(f"at.at({goal.name!r}, {goal.personal!r}, ({read}))")

    def currency(self, cell: Cell, scope: Scope) -> str:
        """Code of the currency that a minor amount is in."""
        if cell.way is Way.FROM:
            return self.pool.look(scope, cell.paths[0])
        if cell.way in (Way.CONST, Way.SETTING):
            return self.fixed(cell)
        raise ConfigError("a currency is a path, a `const:` or a `setting:`", cell.where)

    def fixed(self, cell: Cell) -> str:
        """Code of a constant's or setting's text."""
        if cell.way is Way.CONST:
            return self.pool.constant(cell.said)
        if self.settings is None:
            self.pool.names["unset"] = _unset
            return self.pool.constant(cell.default) if cell.default is not None else f"unset({cell.said!r})"
        said = self.settings.get(cell.said, cell.default)
        if said is None and not cell.optional:
            raise ConfigError(f"the channel has no setting `{cell.said}`", cell.where)
        return self.pool.constant(said)

    def called(self, cell: Cell, scope: Scope, goal: Goal) -> str:
        """Code of a call to the mapping's own function with the record (and the element)."""
        function = self.code(cell.said, cell.where)
        takes = sum(one.kind is Parameter.POSITIONAL_OR_KEYWORD for one in signature(function).parameters.values())
        inner = [scope.here, *(base for name, base in reversed([*scope.named.items()]) if name != "record")]
        given = ["r", *[base.variable for base in inner if base.variable != "r"][:1]]
        if not 1 <= takes <= len(given):
            gets = "the record and the element" if len(given) > 1 else "the record"
            raise ConfigError(f"`{cell.said}` takes {takes} arguments, but gets {gets}", cell.where)
        self.pool.reads.update(cell.reads)
        self.note(goal, {})
        return f"{self.pool.constant(function)}({', '.join(given[:takes])})"

    def converted(self, code: str, path_code: str, cell: Cell, scope: Scope, goal: Goal) -> str:
        """Code that passes the value through the goal's converter."""
        if goal.convert is None:
            return code
        extra = ""
        if goal.needs == "currency" and cell.currency is not None:
            extra = f", {self.currency(cell.currency, scope)}"
        elif goal.needs == "table":
            extra = f", {self.pool.constant(self.table(cell))}"
        elif goal.needs == "words":
            extra = f", {self.pool.constant(goal.words)}"
        converter = self.named(goal.convert)
        if not self.pool.explaining or cell.way in (Way.VALUE, Way.CODE):
            # a refused result is told with the paths that the expression read: the trace knows them
            return f"{converter}({code}{extra})"
        return f"told({converter}, {code}, {path_code}, {goal.name!r}, {goal.personal!r}{extra})"

    def table(self, cell: Cell) -> Table:
        """The cell's table in this direction, with rows of its wire type."""
        table = self.tables.get(cell.table)
        if table is None:
            raise ConfigError(f"no table `{cell.table}`", cell.where)
        if self.outward and not cell.table.endswith("_outward"):
            outward = self.tables.get(f"{cell.table}_outward")
            table = table.reversed() if outward is None else outward
        return table.typed(cell.wire)

    def named(self, function: Callable[..., Any]) -> str:
        """A stable name for a converter, one per function."""
        for name, known in self.pool.names.items():
            if known is function:
                return name
        return self.pool.constant(function)

    def single(self, cell: Cell, scope: Scope, goal: Goal) -> str | None:
        """The whole cell as one expression, where it needs no statement of its own: required `from`, const, setting, value."""
        if cell.optional or cell.way not in (Way.FROM, Way.VALUE, Way.CODE, Way.CONST, Way.SETTING):
            return None
        code, path_code = self.source(cell, scope, goal)
        return self.converted(code, path_code, cell, scope, goal)

    def source(self, cell: Cell, scope: Scope, goal: Goal) -> tuple[str, str]:
        """Code of the unconverted value, and of its path's text."""
        match cell.way:
            case Way.FROM:
                path = cell.paths[0]
                self.note(goal, {})
                return self.pool.look(scope, path, optional=cell.optional), self.pool.path_code(scope, path)
            case Way.VALUE:
                return self.expression(cell, scope, goal), repr(goal.name)
            case Way.CODE:
                return self.called(cell, scope, goal), repr(goal.name)
            case Way.CONST if goal.constant is not None:
                return self.pool.constant(goal.constant), repr(goal.name)
            case _:
                return self.fixed(cell), repr(goal.name)

    def assign(self, target: str, cell: Cell, scope: Scope, goal: Goal) -> None:
        """Statements that put the cell's value into the target, or leave it out when it is optional and absent."""
        if cell.way is Way.FIRST_OF:
            self._first_of(target, cell, scope, goal)
            return
        whole = self.single(cell, scope, goal)
        if whole is not None:
            self.line(f"{target} = {whole}")
            return
        code, path_code = self.source(cell, scope, goal)
        self.line(f"v = blank({code})" if goal.blank_is_nothing else f"v = {code}")
        self.line("if v is not None:")
        self.line(f"    {target} = {self.converted('v', path_code, cell, scope, goal)}")

    def _first_of(self, target: str, cell: Cell, scope: Scope, goal: Goal) -> None:
        self.note(goal, {spelled(path): scope.resolve(path) for path in cell.paths})
        self.line("v = None")
        for path in cell.paths:
            found = self.pool.look(scope, path, optional=True)
            self.line("if v is None:")
            self.line(f"    v = blank({found})" if goal.blank_is_nothing else f"    v = {found}")
            if self.pool.explaining:
                self.line(f"    v_at = {self.pool.path_code(scope, path)}")
        if not cell.optional:
            self.line("v = there(v)")
        self.line("if v is not None:")
        self.line(f"    {target} = {self.converted('v', 'v_at', cell, scope, goal)}")

    def built(self, head: str, more: Mapping[str, Any] | None = None) -> Callable[..., Any]:
        """The function compiled once from all lines."""
        source = "\n".join([head, *self.lines]) + "\n"
        if len(source) > RUNNING_CHARS_MAX:
            raise ConfigError("the mapping is too large")
        space: dict[str, Any] = {**RUNTIME, **self.pool.names, **(more or {})}
        exec(compile(source, "<mapping>", "exec"), space)
        made: Callable[..., Any] = space["mapped"]
        return made


def goal_of(
    converter: Converter, name: str, outward: bool, *, words: frozenset[str] = frozenset(), personal: bool = False
) -> Goal:
    """What the converter asks for in this direction."""
    convert = converter.outward if outward else converter.inward
    if converter.needs == "table":
        convert = lookup
    needs = "" if outward and converter.needs == "words" else converter.needs
    return Goal(name, convert, needs, words, converter.blank_is_nothing and not outward, personal)


def fitting(cell: Cell, kind: Kind, name: str) -> Converter | None:
    """The converter that the cell names, if it can fill a field of this kind; None when it names none."""
    if not cell.converter:
        return None
    converter = CONVERTERS[cell.converter]
    if kind not in converter.kinds:
        fit = ", ".join(sorted(key for key, one in CONVERTERS.items() if kind in one.kinds))
        raise ConfigError(f"`as: {cell.converter}` does not give {kind} for `{name}`: use {fit or 'another form'}", cell.where)
    return converter


def _unset(name: str) -> None:
    raise ConfigError(f"the mapping wants the channel's setting `{name}`, but was loaded without a channel")
