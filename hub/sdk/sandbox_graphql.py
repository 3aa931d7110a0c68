"""GraphQL in small, for sandboxes: reads a document and shapes an answer by its selection; no schema, no library.

A field that the sandbox's objects do not have is refused as a platform refuses one that its schema does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from hub.canonical.values import Plain

TOKEN: Final = re.compile(
    r'\s*(?:,\s*)*(?:#[^\n]*\s*)*(?P<token>\.\.\.|[!$():=@\[\]{|}&]|"""(?:[^"]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"'
    r"|-?\d+(?:\.\d+)?|[_A-Za-z]\w*)"
)
BARE: Final = frozenset({str, int, float, bool})
"""What an object's fields without fields of their own are: nothing of it is shaped."""
DEPTH_MAX: Final = 24
TOKENS_MAX: Final = 20_000
DOCUMENTS_MAX: Final = 256
"""So many documents are kept as they were read: a client asks the same few again and again."""


class DocumentError(Exception):
    """The document is not what the schema allows: nothing is executed."""


class Phrases(NamedTuple):
    """In which words the platform's own reader refuses a document; these are those of the reference implementation."""

    character: str = "Syntax Error: Unexpected character."
    token: str = "Syntax Error: Expected {wanted}, found {found}."
    kind: str = 'Syntax Error: Unexpected Name "{found}".'
    several: str = "Must provide operation name if query contains multiple operations."
    none: str = "Must provide an operation."
    deep: str = "Nested too deeply."
    scalar: str = 'Field "{name}" must not have a selection since it has no subfields.'
    bare: str = 'Field "{name}" of an object type must have a selection of subfields.'
    fragment: str = 'Unknown fragment "{name}".'
    unknown: str = 'Cannot query field "{name}" on type "{kind}".'


REFERENCE: Final = Phrases()


class Variable(NamedTuple):
    """A `$name` in an argument."""

    name: str


class Scalar(NamedTuple):
    """A value of a JSON scalar: shown as it is, and nothing of it can be chosen."""

    value: Plain


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
    phrases: Phrases = REFERENCE
    fragments: dict[str, Selection] = field(default_factory=dict)

    @property
    def required(self) -> list[str]:
        """Variables that must be given."""
        return [name for name, kind in self.declared.items() if kind.endswith("!")]


class _Reader:
    def __init__(self, text: str, phrases: Phrases) -> None:
        self.phrases = phrases
        self.tokens: list[str] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if match is None or len(self.tokens) >= TOKENS_MAX:
                raise DocumentError(phrases.character)
            self.tokens.append(match["token"])
            place = match.end()
        self.place = 0
        self.defaults: dict[str, Plain] = {}

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise DocumentError(self.phrases.token.format(wanted=wanted or "a token", found=token or "the end"))
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
                raise DocumentError(self.phrases.several)
        if operation is None:
            raise DocumentError(self.phrases.none)
        operation.fragments = fragments
        return operation

    def operation(self) -> Operation:
        kind, declared = "query", {}
        if self.peek() != "{":
            kind = self.take()
            if kind not in ("query", "mutation"):
                raise DocumentError(self.phrases.kind.format(found=kind))
            if self.peek() not in ("(", "{"):
                self.take()
            if self.took("("):
                while not self.took(")"):
                    self.take("$")
                    name = self.take()
                    self.take(":")
                    declared[name] = self.kind(name)
        return Operation(kind, declared, self.defaults, self.selections(0), self.phrases)

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
            raise DocumentError(self.phrases.deep)
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


@lru_cache(maxsize=DOCUMENTS_MAX)
def read_document(text: str, phrases: Phrases = REFERENCE) -> Operation:
    """The document's one operation with its fragments; DocumentError in the platform's words for what is not GraphQL.

    Whoever asks the same again is given the same: it is not to be changed.
    """
    return _Reader(text, phrases).document()


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


Lazy = Callable[[dict[str, Plain]], Plain]
"""A field that takes arguments, or that costs something to compute: called with its arguments when it is chosen."""


def shaped(found: Plain, chosen: list[Selection], operation: Operation, variables: Mapping[str, Plain], kind: str) -> Plain:
    """The object (or list) with exactly the chosen fields; DocumentError for a field that the kind does not have."""
    phrases = operation.phrases
    if isinstance(found, list):
        return [shaped(one, chosen, operation, variables, kind) for one in found]
    if not isinstance(found, dict):
        if chosen and found is not None:
            raise DocumentError(phrases.scalar.format(name=kind))
        return found.value if isinstance(found, Scalar) else found
    if not chosen:
        raise DocumentError(phrases.bare.format(name=kind))
    answer: dict[str, Plain] = {}
    for one in chosen:
        if one.directives and not included(one, variables):
            continue
        if not one.name:
            part = operation.fragments.get(one.spread) if one.spread else one
            if part is None:
                raise DocumentError(phrases.fragment.format(name=one.spread))
            if part.on in (found.get("__typename"), *found.get("__interfaces", ())):
                answer.update(shaped(found, part.chosen, operation, variables, kind))
            continue
        if one.name not in found:
            raise DocumentError(phrases.unknown.format(name=one.name, kind=found.get("__typename", kind)))
        value = found[one.name]
        if callable(value):
            value = value(bound(one.arguments, variables))
        if value is None or (type(value) in BARE and not one.chosen):
            answer[one.alias] = value
        else:
            answer[one.alias] = shaped(value, one.chosen, operation, variables, one.name)
    return answer
