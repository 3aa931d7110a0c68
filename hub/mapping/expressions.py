"""Expressions: a closed subset of Python's syntax, translated so that nothing but plain data can be reached.

A name or a dot becomes a look-up in dicts and lists (never an attribute), a call only one of our functions, a loop only one
over lists of the record. What is not in the list below does not exist.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from inspect import signature
from typing import Final

from hub.errors import ConfigError
from hub.mapping.dotted import Path, is_place, spelled
from hub.mapping.functions import FUNCTIONS

CHARS_MAX: Final = 500
NODES_MAX: Final = 120
NESTING_MAX: Final = 16
LOOPS_MAX: Final = 2
CONSTANT_MAX: Final = 10**18

_NODES: Final = (
    ast.Expression, ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp, ast.BoolOp,
    ast.Compare, ast.IfExp, ast.List, ast.Tuple, ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.Load, ast.Store,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub, ast.Not, ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt,
    ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
)  # fmt: skip
_BINARY: Final = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divide"}
_COMPARE: Final = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
_MEANT: Final = {"true": "True", "false": "False", "null": "None", "none": "None"}


@dataclass(frozen=True, slots=True)
class Base:
    """A thing that paths start from: its variable, the code of its path text, and its pattern for coverage."""

    variable: str
    at: str
    pattern: Path
    fixed: bool = True
    """Known outside the expression (not a loop's own name)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean here: `named` bases first (record, row aliases, loop names), every other name is a key of `here`."""

    here: Base
    named: Mapping[str, Base]

    def resolve(self, path: Path) -> tuple[Base, Path]:
        """The base of a path and what is left of it."""
        base = self.named.get(path[0])
        return (self.here, path) if base is None else (base, path[1:])


class Pool:
    """The names that one compiled mapping's code sees, and what it reads: filled while translating."""

    def __init__(self, explaining: bool) -> None:
        self.explaining = explaining
        self.names: dict[str, object] = {}
        self.reads: set[Path] = set()
        self.visits: set[Path] = set()

    def constant(self, value: object) -> str:
        """A name for the value."""
        name = f"K{len(self.names)}"
        self.names[name] = value
        return name

    def look(self, scope: Scope, path: Path, *, optional: bool = False, iterated: bool = False) -> str:
        """Code for what stands at the path."""
        base, keys = scope.resolve(path)
        return self.under(base, keys, optional=optional, iterated=iterated)

    def under(self, base: Base, keys: Path, *, optional: bool = False, iterated: bool = False) -> str:
        """Code for what stands under the keys of a base."""
        (self.visits if iterated else self.reads).add(base.pattern + keys)
        if not keys:
            return base.variable
        if self.explaining:
            return f"seek{'_optional' if optional else ''}({base.variable}, {keys!r}, {base.at})"
        if not optional:
            return descend(base.variable, keys)
        if len(keys) == 1 and not is_place(keys[0]):
            return f"{base.variable}.get({keys[0]!r})"
        return f"maybe({base.variable}, {keys!r})"

    def path_code(self, scope: Scope, path: Path) -> str:
        """Code for the path's text as a person reads it."""
        base, keys = scope.resolve(path)
        return f"({base.at} + {spelled(keys)!r})" if keys else f"{base.at}[:-1]"


def descend(code: str, keys: Path) -> str:
    """Code that looks the keys up one by one; whatever is not a dict or list with them fails by itself."""
    for key in keys:
        code = f"item({code}, {key!r})" if is_place(key) else f"{code}[{key!r}]"
    return code


@dataclass(slots=True)
class Expression:
    """One expression being translated."""

    source: str
    where: str
    pool: Pool
    tables: Mapping[str, str]
    settings: Mapping[str, str] | None
    seen: dict[str, tuple[Base, Path]]

    def fail(self, message: str) -> ConfigError:
        """The error to raise: names the expression and where it is written."""
        return ConfigError(f"expression `{self.source[:80]}`: {message}", self.where)

    def code(self, scope: Scope) -> str:
        """Python source of the expression; ConfigError for whatever is not in the closed list."""
        return self._code(self._parsed(), scope, 0)

    def _parsed(self) -> ast.expr:
        if len(self.source) > CHARS_MAX:
            raise self.fail(f"longer than {CHARS_MAX} characters: write a `code:` function")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                root = ast.parse(self.source.strip(), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError, Warning):
            raise self.fail("not an expression") from None
        for count, node in enumerate(ast.walk(root)):
            if count >= NODES_MAX:
                raise self.fail(f"more than {NODES_MAX} parts: write a `code:` function")
            if not isinstance(node, _NODES):
                raise self.fail(f"{type(node).__name__} is not part of the language")
        return root.body

    def _code(self, node: ast.expr, scope: Scope, depth: int) -> str:
        if depth > NESTING_MAX:
            raise self.fail(f"nested deeper than {NESTING_MAX}")
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._chain(node, scope, depth)
            case ast.Call():
                return self._call(node, scope, depth)
            case ast.BinOp():
                if type(node.op) not in _BINARY:
                    raise self.fail(f"{type(node.op).__name__} is not part of the language")
                left, right = self._code(node.left, scope, depth + 1), self._code(node.right, scope, depth + 1)
                return f"{_BINARY[type(node.op)]}({left}, {right})"
            case ast.UnaryOp():
                inner = self._code(node.operand, scope, depth + 1)
                return f"(not {inner})" if isinstance(node.op, ast.Not) else f"negative({inner})"
            case ast.BoolOp():
                word = " and " if isinstance(node.op, ast.And) else " or "
                return f"({word.join(self._code(one, scope, depth + 1) for one in node.values)})"
            case ast.IfExp():
                then, test, other = (self._code(one, scope, depth + 1) for one in (node.body, node.test, node.orelse))
                return f"({then} if {test} else {other})"
            case ast.Compare():
                return self._comparison(node, scope, depth)
            case ast.List() | ast.Tuple():
                return f"[{', '.join(self._code(one, scope, depth + 1) for one in node.elts)}]"
            case ast.ListComp() | ast.GeneratorExp():
                return self._loop(node, scope, depth)
        raise self.fail(f"{type(node).__name__} cannot stand here")

    def _constant(self, node: ast.Constant) -> str:
        value = node.value
        if value is None or isinstance(value, bool):
            return repr(value)
        if isinstance(value, float):
            # the digits as written: 0.1 is a tenth, not the float next to it
            return self.pool.constant(Decimal(ast.get_source_segment(self.source.strip(), node) or str(value)))
        if isinstance(value, str) or (isinstance(value, int) and abs(value) <= CONSTANT_MAX):
            return self.pool.constant(value)
        raise self.fail("a constant is a text, a number of at most 18 digits, True, False or None")

    def _unchained(self, node: ast.expr) -> tuple[ast.expr, Path]:
        keys: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                keys.append(node.attr)
            elif isinstance(node, ast.Subscript) and (key := _fixed_key(node.slice)) is not None:
                keys.append(key)
            else:
                return node, tuple(reversed(keys))
            node = node.value

    def _chain(self, node: ast.expr, scope: Scope, depth: int) -> str:
        root, keys = self._unchained(node)
        for name in keys:
            self._plain_name(name)
        if isinstance(root, ast.Name):
            return self._look(self._path(root, keys), scope)
        if isinstance(root, ast.Subscript):
            if isinstance(root.slice, ast.Slice):
                raise self.fail("a slice is not part of the language")
            self._wants_thing(root.value)
            whole = f"pick({self._code(root.value, scope, depth + 1)}, {self._code(root.slice, scope, depth + 1)})"
        else:
            self._wants_thing(root)
            whole = self._code(root, scope, depth + 1)
        return f"seek({whole}, {keys!r}, '….')" if self.pool.explaining and keys else descend(whole, keys)

    def _wants_thing(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            raise self.fail("only names and results of functions have parts")

    def _path(self, root: ast.Name, keys: Path) -> Path:
        self._plain_name(root.id)
        if root.id in _MEANT:
            raise self.fail(f"write {_MEANT[root.id]} for {root.id}")
        return (root.id, *keys)

    def _plain_name(self, name: str) -> None:
        if name.startswith("__") and name.endswith("__"):
            raise self.fail(f"`{name}` is no name of a record's field")

    def _look(self, path: Path, scope: Scope, *, optional: bool = False, iterated: bool = False) -> str:
        base, keys = scope.resolve(path)
        if base.fixed:
            self.seen.setdefault(spelled(path), (base, keys))
        return self.pool.under(base, keys, optional=optional, iterated=iterated)

    def _comparison(self, node: ast.Compare, scope: Scope, depth: int) -> str:
        code = self._code(node.left, scope, depth + 1)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.Is | ast.IsNot):
                none = isinstance(right, ast.Constant) and right.value is None
                if not none or len(node.ops) > 1 or isinstance(node.left, ast.Constant):
                    raise self.fail("`is` asks only for None")
            code += f" {_COMPARE[type(operator)]} {self._code(right, scope, depth + 1)}"
        return f"({code})"

    def _loop(self, node: ast.ListComp | ast.GeneratorExp, scope: Scope, depth: int) -> str:
        loops = ""
        for loop in node.generators:
            source, keys = self._unchained(loop.iter)
            if not isinstance(source, ast.Name) or not isinstance(loop.target, ast.Name) or loop.is_async:
                raise self.fail("a loop goes over one list of the record, with one name")
            self._plain_name(loop.target.id)
            path = self._path(source, keys)
            listed, (base, rest) = self._look(path, scope, iterated=True), scope.resolve(path)
            taken = sum(not one.fixed for one in scope.named.values())
            if taken >= LOOPS_MAX:
                raise self.fail(f"more than {LOOPS_MAX} loops within one another")
            variable = f"x{taken}"
            named = Base(variable, f"{variable}_at", (*base.pattern, *rest, "*"), fixed=False)
            if self.pool.explaining:
                loops += f" for {named.at}, {variable} in numbered({listed}, {self.pool.path_code(scope, path)})"
            else:
                loops += f" for {variable} in rows({listed})"
            # a loop's name hides an outer one, which still counts towards the limit
            hidden = {f"\0{taken}": scope.named[loop.target.id]} if loop.target.id in scope.named else {}
            scope = Scope(scope.here, {**scope.named, **hidden, loop.target.id: named})
            loops += "".join(f" if {self._code(test, scope, depth + 1)}" for test in loop.ifs)
        return f"[{self._code(node.elt, scope, depth + 1)}{loops}]"

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> str:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.fail("only our own functions are called, with plain arguments")
        name, arguments = node.func.id, node.args
        if name == "optional" and len(arguments) in (1, 2):
            return self._optional(arguments, scope, depth)
        if name == "lookup" and len(arguments) == 2:
            table = self.tables.get(_word(arguments[1]))
            if table is None:
                raise self.fail("lookup(value, 'table') names no table of this mapping")
            return f"lookup({self._code(arguments[0], scope, depth + 1)}, {table})"
        if name == "setting" and len(arguments) == 1:
            return self._setting(_word(arguments[0]))
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.fail(f"no function `{name[:40]}` with {len(arguments)} arguments")
        try:
            signature(function).bind(*arguments)
        except TypeError:
            raise self.fail(f"`{name}` does not take {len(arguments)} arguments") from None
        return f"{self._function(name)}({', '.join(self._code(one, scope, depth + 1) for one in arguments)})"

    def _function(self, name: str) -> str:
        self.pool.names[f"f_{name}"] = FUNCTIONS[name]
        return f"f_{name}"

    def _optional(self, arguments: list[ast.expr], scope: Scope, depth: int) -> str:
        root, keys = self._unchained(arguments[0])
        if not isinstance(root, ast.Name):
            raise self.fail("optional(…) takes a name or a path")
        found = self._look(self._path(root, keys), scope, optional=True)
        if len(arguments) == 1:
            return found
        return f"({found} if {found} is not None else {self._code(arguments[1], scope, depth + 1)})"

    def _setting(self, name: str) -> str:
        if self.settings is None:
            return f"unset({name!r})"
        if name not in self.settings:
            raise self.fail(f"the channel has no setting `{name}`")
        return self.pool.constant(self.settings[name])


def _word(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _fixed_key(node: ast.expr) -> str | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _fixed_key(node.operand)
        return f"-{inner}" if inner is not None and is_place(inner) and not inner.startswith("-") else None
    if isinstance(node, ast.Constant) and type(node.value) in (str, int):
        return str(node.value)
    return None
