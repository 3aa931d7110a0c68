"""GraphQL in small, for the sandbox: reads a document, counts what it would cost, and shapes an answer by its selection.

A field that the sandbox's objects do not have is refused as the platform refuses a field that its schema does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hub.sdk.api import Plain

TOKEN: Final = re.compile(
    r'\s*(?:,\s*)*(?:#[^\n]*\s*)*(?P<token>\.\.\.|[!$():=@\[\]{|}&]|"""(?:[^"]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"'
    r"|-?\d+(?:\.\d+)?|[_A-Za-z]\w*)"
)
DEPTH_MAX: Final = 24
TOKENS_MAX: Final = 20_000
FREE: Final = frozenset({"pageInfo", "userErrors", "nodes", "edges", "node", "orderCancelUserErrors"})
"""Parts of an answer that cost nothing by themselves."""
MUTATION_COST: Final = 10


class DocumentError(Exception):
    """The document is not what the schema allows: nothing is executed."""


class Variable(NamedTuple):
    """A `$name` in an argument."""

    name: str


@dataclass(slots=True)
class Selection:
    """A field, or a fragment's selections for the type it is on (`on` set, no name)."""

    name: str = ""
    alias: str = ""
    arguments: dict[str, Plain] = field(default_factory=dict)
    directives: dict[str, dict[str, Plain]] = field(default_factory=dict)
    chosen: list[Selection] = field(default_factory=list)
    on: str = ""
    spread: str = ""


@dataclass(slots=True)
class Operation:
    """The one operation of a document: `declared` maps a variable to its type, which has no `!` where a default is given."""

    kind: str
    declared: dict[str, str]
    defaults: dict[str, Plain]
    chosen: list[Selection]
    fragments: dict[str, Selection] = field(default_factory=dict)


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if match is None or len(self.tokens) >= TOKENS_MAX:
                raise DocumentError("syntax error, unexpected invalid token")
            self.tokens.append(match["token"])
            place = match.end()
        self.place = 0
        self.defaults: dict[str, Plain] = {}

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise DocumentError(f"syntax error, unexpected {token or 'end of file'}, expecting {wanted or 'something'}")
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
                raise DocumentError("An operation name is required")
        if operation is None:
            raise DocumentError("No operation")
        operation.fragments = fragments
        return operation

    def operation(self) -> Operation:
        kind, declared = "query", {}
        if self.peek() != "{":
            kind = self.take()
            if kind not in ("query", "mutation"):
                raise DocumentError(f"syntax error, unexpected {kind}")
            if self.peek() not in ("(", "{"):
                self.take()
            if self.took("("):
                while not self.took(")"):
                    self.take("$")
                    name = self.take()
                    self.take(":")
                    declared[name] = self.kind(name)
        return Operation(kind, declared, self.defaults, self.selections(0))

    def kind(self, name: str) -> str:
        said = f"[{self.kind(name)}" + self.take("]") if self.took("[") else self.take()
        if self.took("!"):
            said += "!"
        if self.took("="):
            self.defaults[name] = self.value()
            said = said.rstrip("!")
        return said

    def selections(self, depth: int) -> list[Selection]:
        if depth > DEPTH_MAX:
            raise DocumentError("Query has too many levels")
        self.take("{")
        chosen = []
        while not self.took("}"):
            chosen.append(self.selection(depth))
        return chosen

    def selection(self, depth: int) -> Selection:
        if self.took("..."):
            if self.took("on"):
                return Selection(on=self.take(), directives=self.directives(), chosen=self.selections(depth + 1))
            return Selection(spread=self.take(), directives=self.directives())
        name = alias = self.take()
        if self.took(":"):
            name = self.take()
        arguments = self.arguments()
        directives = self.directives()
        chosen = self.selections(depth + 1) if self.peek() == "{" else []
        return Selection(name, alias, arguments, directives, chosen)

    def directives(self) -> dict[str, dict[str, Plain]]:
        found: dict[str, dict[str, Plain]] = {}
        while self.took("@"):
            name = self.take()
            found[name] = self.arguments()
        return found

    def arguments(self) -> dict[str, Plain]:
        given: dict[str, Plain] = {}
        if self.took("("):
            while not self.took(")"):
                name = self.take()
                self.take(":")
                given[name] = self.value()
        return given

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
    if token.startswith('"""'):
        return token[3:-3]
    if token.startswith('"'):
        return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if re.fullmatch(r"-?\d+", token):
        return int(token)
    return {"true": True, "false": False, "null": None}.get(token, token)


def read_document(text: str) -> Operation:
    """The document's one operation with its fragments; DocumentError for what is not GraphQL."""
    return _Reader(text).document()


def bound(value: Plain, variables: Mapping[str, Plain]) -> Plain:
    """An argument's value with its variables put in; inside an object a variable that was not given is left out."""
    if isinstance(value, Variable):
        return variables.get(value.name)
    if isinstance(value, list):
        return [bound(one, variables) for one in value]
    if isinstance(value, dict):
        given = {name: one for name, one in value.items() if not isinstance(one, Variable) or one.name in variables}
        return {name: bound(one, variables) for name, one in given.items()}
    return value


def included(one: Selection, variables: Mapping[str, Plain]) -> bool:
    """Whether `@include` and `@skip` leave this selection in."""
    for name, wanted in (("include", True), ("skip", False)):
        if name in one.directives and bool(bound(one.directives[name].get("if"), variables)) is not wanted:
            return False
    return True


def requested_cost(operation: Operation, variables: Mapping[str, Plain]) -> int:
    """What the document may cost at most: an object is 1, a connection as many as it may list, a mutation 10.

    Lists that take no `first` count as one object. What is not known of the platform's own count is counted high.
    """
    base = MUTATION_COST if operation.kind == "mutation" else 0
    return sum(base + _cost(one, operation, variables) for one in operation.chosen if included(one, variables))


def _cost(one: Selection, operation: Operation, variables: Mapping[str, Plain]) -> int:
    if one.spread:
        one = operation.fragments.get(one.spread, one)
    # Of several types that an object may be of, the dearest counts.
    parts = [part for part in one.chosen if included(part, variables)]
    inner = sum(_cost(part, operation, variables) for part in parts if part.name)
    inner += max((_cost(part, operation, variables) for part in parts if not part.name), default=0)
    if not one.name or (one.name in FREE and "ids" not in one.arguments):
        return inner
    if not one.chosen:
        return 0
    many = bound(one.arguments.get("first", 1), variables)
    ids = bound(one.arguments.get("ids"), variables)
    return int(len(ids) if isinstance(ids, list) else many or 1) * (1 + inner)


def actual_cost(answer: Plain) -> int:
    """What the answer did cost: one for each object in it that is not a mere wrapper."""
    if isinstance(answer, list):
        return sum(actual_cost(one) for one in answer)
    if not isinstance(answer, dict):
        return 0
    wrapper = "pageInfo" in answer or "nodes" in answer or "edges" in answer
    return (0 if wrapper else 1) + sum(
        actual_cost(part) for name, part in answer.items() if name not in ("pageInfo", "userErrors")
    )


Lazy = Callable[[dict[str, Plain]], Plain]
"""A field that takes arguments, or that costs something to compute: called with its arguments when it is chosen."""


def shaped(found: Plain, chosen: list[Selection], operation: Operation, variables: Mapping[str, Plain], kind: str) -> Plain:
    """The object (or list) with exactly the chosen fields; DocumentError for a field that the kind does not have."""
    if isinstance(found, list):
        return [shaped(one, chosen, operation, variables, kind) for one in found]
    if not isinstance(found, dict):
        if chosen and found is not None:
            raise DocumentError(f"Selections can't be made on scalars (field '{kind}' selects)")
        return found
    if not chosen:
        raise DocumentError(f"Field must have selections (field '{kind}' returns an object but has no selections)")
    answer: dict[str, Plain] = {}
    for one in chosen:
        if not included(one, variables):
            continue
        if not one.name:
            part = operation.fragments.get(one.spread) if one.spread else one
            if part is None:
                raise DocumentError(f"Fragment {one.spread} was used, but not defined")
            if part.on in (found.get("__typename"), *found.get("__interfaces", ())):
                answer.update(shaped(found, part.chosen, operation, variables, kind))
            continue
        if one.name not in found:
            raise DocumentError(f"Field '{one.name}' doesn't exist on type '{found.get('__typename', kind)}'")
        value = found[one.name]
        if callable(value):
            value = value(bound(one.arguments, variables))
        answer[one.alias] = shaped(value, one.chosen, operation, variables, one.name)
    return answer
