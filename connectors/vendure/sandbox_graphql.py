"""GraphQL in small, for the sandbox: reads a document and shapes an answer by its selection; no schema, no library.

A field that the sandbox's objects do not have is refused as the platform refuses a field that its schema does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hub.sdk.api import Plain

TOKEN: Final = re.compile(
    r'\s*(?:,\s*)*(?:#[^\n]*\s*)*(?P<token>\.\.\.|[!$():=@\[\]{|}&]|"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?|[_A-Za-z]\w*)'
)
DEPTH_MAX: Final = 20
TOKENS_MAX: Final = 10_000


class DocumentError(Exception):
    """The document is not what the schema allows; the platform answers 400."""


class VariablesError(Exception):
    """The variables are not what their declared types allow; the platform answers 200 with errors and no data."""


class Variable(NamedTuple):
    """A `$name` in an argument."""

    name: str


@dataclass(slots=True)
class Selection:
    """A field, or a fragment's selections for the types it is on (`on` set, no name)."""

    name: str = ""
    alias: str = ""
    arguments: dict[str, Plain] = field(default_factory=dict)
    chosen: list[Selection] = field(default_factory=list)
    on: str = ""
    spread: str = ""


@dataclass(slots=True)
class Operation:
    """The one operation of a document: `required` variables have no default and end in `!`."""

    kind: str
    declared: dict[str, str]
    chosen: list[Selection]
    fragments: dict[str, Selection]

    @property
    def required(self) -> list[str]:
        """Variables that must be given."""
        return [name for name, kind in self.declared.items() if kind.endswith("!")]


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if match is None or len(self.tokens) >= TOKENS_MAX:
                raise DocumentError("Syntax Error: Unexpected character.")
            self.tokens.append(match["token"])
            place = match.end()
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise DocumentError(f"Syntax Error: Expected {wanted or 'a token'}, found {token or '<EOF>'}.")
        self.place += 1
        return token

    def took(self, token: str) -> bool:
        if self.peek() == token:
            self.place += 1
            return True
        return False

    def document(self) -> Operation:
        operation: Operation | None = None
        fragments: dict[str, Selection] = {}
        while self.peek():
            if self.took("fragment"):
                name = self.take()
                self.take("on")
                fragments[name] = Selection(on=self.take(), chosen=self.selections(0))
            elif operation is None:
                operation = self.operation()
            else:
                raise DocumentError("Must provide operation name if query contains multiple operations.")
        if operation is None:
            raise DocumentError("Must provide an operation.")
        operation.fragments = fragments
        return operation

    def operation(self) -> Operation:
        kind, declared = "query", {}
        if self.peek() != "{":
            kind = self.take()
            if kind not in ("query", "mutation"):
                raise DocumentError(f'Syntax Error: Unexpected Name "{kind}".')
            if self.peek() not in ("(", "{"):
                self.take()
            if self.took("("):
                while not self.took(")"):
                    self.take("$")
                    name = self.take()
                    self.take(":")
                    declared[name] = self.kind()
        return Operation(kind, declared, self.selections(0), {})

    def kind(self) -> str:
        said = f"[{self.kind()}" + self.take("]") if self.took("[") else self.take()
        if self.took("!"):
            said += "!"
        if self.took("="):
            self.value()
            said = said.rstrip("!")
        return said

    def selections(self, depth: int) -> list[Selection]:
        if depth > DEPTH_MAX:
            raise DocumentError("Nested too deeply.")
        self.take("{")
        chosen = []
        while not self.took("}"):
            chosen.append(self.selection(depth))
        return chosen

    def selection(self, depth: int) -> Selection:
        if self.took("..."):
            if self.took("on"):
                return Selection(on=self.take(), chosen=self.selections(depth + 1))
            return Selection(spread=self.take())
        name = alias = self.take()
        if self.took(":"):
            name = self.take()
        arguments = {}
        if self.took("("):
            while not self.took(")"):
                argument = self.take()
                self.take(":")
                arguments[argument] = self.value()
        chosen = self.selections(depth + 1) if self.peek() == "{" else []
        return Selection(name, alias, arguments, chosen)

    def value(self) -> Plain:
        if self.took("$"):
            return Variable(self.take())
        if self.took("["):
            listed = []
            while not self.took("]"):
                listed.append(self.value())
            return listed
        if self.took("{"):
            keyed = {}
            while not self.took("}"):
                name = self.take()
                self.take(":")
                keyed[name] = self.value()
            return keyed
        return _scalar(self.take())


def _scalar(token: str) -> Plain:
    if token.startswith('"'):
        return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if re.fullmatch(r"-?\d+", token):
        return int(token)
    return {"true": True, "false": False, "null": None}.get(token, token)


def read_document(text: str) -> Operation:
    """The document's one operation with its fragments; DocumentError in GraphQL's own words for what is not GraphQL."""
    return _Reader(text).document()


def bound(value: Plain, variables: Mapping[str, Plain]) -> Plain:
    """An argument's value with its variables put in; a variable that was not given is null."""
    if isinstance(value, Variable):
        return variables.get(value.name)
    if isinstance(value, list):
        return [bound(one, variables) for one in value]
    if isinstance(value, dict):
        return {name: bound(one, variables) for name, one in value.items()}
    return value


class Scalar(NamedTuple):
    """A value of the JSON scalar: shown as it is, and nothing of it can be chosen."""

    value: Plain


Lazy = Callable[[dict[str, Plain]], Plain]
"""A field that takes arguments, or that costs something to compute: called with its arguments when it is chosen."""


def shaped(found: Plain, chosen: list[Selection], operation: Operation, variables: Mapping[str, Plain], kind: str) -> Plain:
    """The object (or list) with exactly the chosen fields; DocumentError for a field that the kind does not have."""
    if isinstance(found, list):
        return [shaped(one, chosen, operation, variables, kind) for one in found]
    if not isinstance(found, dict):
        if chosen and found is not None:
            raise DocumentError(f'Field "{kind}" must not have a selection since it has no subfields.')
        return found.value if isinstance(found, Scalar) else found
    if not chosen:
        raise DocumentError(f'Field "{kind}" of an object type must have a selection of subfields.')
    answer: dict[str, Plain] = {}
    for one in chosen:
        if one.spread or one.on:
            part = operation.fragments.get(one.spread) if one.spread else one
            if part is None:
                raise DocumentError(f'Unknown fragment "{one.spread}".')
            if part.on in (found.get("__typename"), *found.get("__interfaces", ())):
                answer.update(shaped(found, part.chosen, operation, variables, kind))
            continue
        if one.name not in found:
            raise DocumentError(f'Cannot query field "{one.name}" on type "{found.get("__typename", kind)}".')
        value = found[one.name]
        if callable(value):
            value = value(bound(one.arguments, variables))
        answer[one.alias] = shaped(value, one.chosen, operation, variables, one.name)
    return answer
