"""Files that people write: the only door to YAML. Every scalar stays text and every value remembers where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from hub.errors import ConfigError

FILE_BYTES_MAX: Final = 1_000_000
NESTING_MAX: Final = 40
KEY_CHARS_MAX: Final = 200
PROBLEMS_SHOWN_MAX: Final = 50
VALUE_CHARS_MAX: Final = 40

Model = TypeVar("Model", bound=BaseModel)
Steps = tuple[str | int, ...]


class Problem(NamedTuple):
    """One thing that a person must put right: where (`file:line`), and what is wrong and what to write instead."""

    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.where}: {self.words}" if self.where else self.words


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a file and its place, `file:line`; a scalar is always text (`NO` is Norway, 00123 keeps its zeros).

    `keys` holds the place of each key of a mapping, since a key may stand lines above its value.
    """

    value: str | list[Node] | dict[str, Node]
    where: str
    keys: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def text(self) -> str:
        """The scalar's text; ConfigError where a list or mapping stands."""
        if not isinstance(self.value, str):
            raise ConfigError("text is wanted here", self.where)
        return self.value

    def mapping(self) -> Mapping[str, Node]:
        """The mapping's entries in file order; ConfigError where something else stands (an empty value is no mapping)."""
        if not isinstance(self.value, dict):
            raise ConfigError("`key: value` lines are wanted here", self.where)
        return self.value

    def sequence(self) -> Sequence[Node]:
        """The list's elements; ConfigError where something else stands."""
        if not isinstance(self.value, list):
            raise ConfigError("a list is wanted here", self.where)
        return self.value

    def plain(self) -> Any:
        """The value without places: nested dict, list and str."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, path: Sequence[str | int]) -> Node | None:
        """The value at this path of keys and list positions; None where the path leads nowhere."""
        found: Node | None = self
        for part in path:
            if found is None:
                return None
            inside = found.value
            if isinstance(inside, dict):
                found = inside.get(str(part))
            elif isinstance(inside, list) and isinstance(part, int) and part < len(inside):
                found = inside[part]
            else:
                found = None
        return found

    def place(self, path: Sequence[str | int]) -> str:
        """`file:line` of the key or list element at this path, or of what encloses it as far as the path leads."""
        where, found = self.where, self
        for part in path:
            inside = found.at([part])
            if inside is None:
                break
            where, found = found.keys.get(str(part), inside.where), inside
        return where


def read_yaml(path: Path) -> Node:
    """The file as a Node; ConfigError with file:line for anything that is not plain YAML within the limits."""
    return parse_yaml(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The file's text; ConfigError when it cannot be read, is too large or not UTF-8."""
    try:
        with path.open("rb") as opened:
            raw = opened.read(FILE_BYTES_MAX + 1)
    except OSError as bad:
        raise ConfigError(f"cannot be read: {bad.strerror}", str(path)) from None
    if len(raw) > FILE_BYTES_MAX:
        raise ConfigError(f"larger than {FILE_BYTES_MAX} bytes", str(path))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        line = raw[: bad.start].count(b"\n") + 1
        raise ConfigError("not UTF-8: save the file in that encoding", f"{path}:{line}") from None


def parse_yaml(text: str, name: str) -> Node:
    """The text as a Node; `name` stands for the file in every place. Templates, anchors, tags and double keys are refused."""
    for number, line in enumerate(text.splitlines(), start=1):
        if "{{" in line or "{%" in line:
            raise ConfigError("templates are not understood here: write the value out", f"{name}:{number}")
    try:
        _look_over(text, name)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as bad:
        line_number = bad.problem_mark.line + 1 if bad.problem_mark else 1
        raise ConfigError(f"not YAML: {bad.problem}", f"{name}:{line_number}") from None
    except yaml.YAMLError:
        raise ConfigError("not YAML (a character that may not stand there)", name) from None
    if root is None:
        raise ConfigError("the file is empty", f"{name}:1")
    return _node(root, name)


def _look_over(text: str, name: str) -> None:
    # The parser's events come one by one, so nesting is bounded here before anything recursive sees the text.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        where = f"{name}:{event.start_mark.line + 1}" if event.start_mark else name
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError("an alias is refused: write the value out", where)
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.NodeEvent):
            if event.anchor is not None:
                raise ConfigError("an anchor is refused: write each value out where it belongs", where)
            if getattr(event, "tag", None) is not None:
                raise ConfigError("a tag is refused: every value here is text", where)
            depth += isinstance(event, yaml.CollectionStartEvent)
        if depth > NESTING_MAX:
            raise ConfigError(f"nested more than {NESTING_MAX} deep", where)


def _node(raw: yaml.Node, name: str) -> Node:
    where = f"{name}:{raw.start_mark.line + 1}"
    if isinstance(raw, yaml.ScalarNode):
        if "\0" in raw.value:
            raise ConfigError("a NUL character may not stand here", where)
        return Node(raw.value, where)
    if isinstance(raw, yaml.SequenceNode):
        return Node([_node(element, name) for element in raw.value], where)
    entries: dict[str, Node] = {}
    keys: dict[str, str] = {}
    for key, value in raw.value:
        stands = f"{name}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or len(key.value) > KEY_CHARS_MAX:
            raise ConfigError(f"a key must be text of at most {KEY_CHARS_MAX} characters", stands)
        if key.value in entries:
            raise ConfigError(f"`{key.value}` is said twice: keep one (the other is {keys[key.value]})", stands)
        entries[key.value], keys[key.value] = _node(value, name), stands
    return Node(entries, where, keys)


def validate(node: Node, model: type[Model]) -> Model:
    """The file's content as this model; ConfigError lists every problem with file:line and what to write instead."""
    made, problems = examine(node, model)
    refuse(problems)
    assert made is not None
    return made


def examine(node: Node, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """The model and no problems, or None and all of them; texts become numbers and flags as the model's fields want them."""
    try:
        return model.model_validate(node.plain()), []
    except ValidationError as bad:
        return None, [_problem(node, model, error) for error in bad.errors(include_url=False)]


def refuse(problems: Sequence[Problem]) -> None:
    """Nothing when there are no problems; else one ConfigError with a line for each, in the order of the files' lines."""
    if not problems:
        return
    ordered = sorted(dict.fromkeys(problems), key=_reading_order)
    lines = [str(problem) for problem in ordered[1:PROBLEMS_SHOWN_MAX]]
    if len(ordered) > PROBLEMS_SHOWN_MAX:
        lines.append(f"… and {len(ordered) - PROBLEMS_SHOWN_MAX} more")
    raise ConfigError("\n".join([ordered[0].words, *lines]), ordered[0].where)


def meant(word: str, allowed: Iterable[str]) -> str:
    """What to write instead of an unknown word: `did you mean …?`, else the allowed words."""
    known = sorted(set(allowed))
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    if not known:
        return "none is declared"
    shown = ", ".join(f"`{name}`" for name in known[:20])
    return f"write one of {shown}{' …' if len(known) > 20 else ''}"


def _reading_order(problem: Problem) -> tuple[str, int]:
    name, _, line = problem.where.rpartition(":")
    return (name, int(line)) if line.isdigit() else (problem.where, 0)


def _problem(node: Node, model: type[BaseModel], error: ErrorDetails) -> Problem:
    steps: Steps = tuple(error["loc"])
    where = node.place(steps)
    path = ".".join(str(step) for step in steps)
    value = node.at(steps)
    words = _words(error, value, steps, model)
    return Problem(where, f"{path}: {words}" if path else words)


def _words(error: ErrorDetails, value: Node | None, steps: Steps, model: type[BaseModel]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return f"is missing: write `{steps[-1]}: …` here"
    if kind == "extra_forbidden":
        return f"nothing of this name belongs here: {meant(str(steps[-1]), _names_at(model, steps[:-1]))}"
    if value is not None and value.value == "":
        return "nothing stands here: write a value or leave the whole line out"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(context["expected"]))
        said = value.value[:VALUE_CHARS_MAX] if value is not None and isinstance(value.value, str) else "this"
        return f"`{said}` is not one of {', '.join(f'`{word}`' for word in allowed)}{_close(said, allowed)}"
    if kind == "string_pattern_mismatch":
        return f"does not have the form {context['pattern']}"
    if kind == "value_error":
        return str(context["error"])
    if kind.startswith(("greater_than", "less_than")):
        bounds = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        return " and ".join(f"{bounds[name]} {bound} is wanted" for name, bound in context.items() if name in bounds)
    if kind == "too_short":
        return f"at least {context['min_length']} must stand here"
    return next((words for start, words in WANTED.items() if kind.startswith(start)), error["msg"])


WANTED: Final[Mapping[str, str]] = {
    "int_": "a whole number is wanted, such as 60",
    "decimal_": "a number is wanted, such as 12.5",
    "finite_": "a number is wanted, such as 12.5",
    "bool_": "`true` or `false` is wanted",
    "date_": "a date is wanted, such as 2026-11-21",
    "string_": "one text is wanted, not a list and not lines of its own",
    "tuple_": "a list is wanted: `[one, two]`, or lines that begin with `- `",
    "list_": "a list is wanted: `[one, two]`, or lines that begin with `- `",
    "dict_": "`key: value` lines are wanted",
    "model_": "`key: value` lines are wanted",
}


def _close(said: str, allowed: list[str]) -> str:
    close = get_close_matches(said.lower(), allowed, n=1, cutoff=0.6)
    return f": did you mean `{close[0]}`?" if close else ""


def _names_at(model: type[BaseModel], steps: Steps) -> list[str]:
    shape: Any = model.model_fields["root"].annotation if issubclass(model, RootModel) else model
    for step in steps:
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            found = shape.model_fields.get(str(step))
            shape = found.annotation if found else None
        else:
            inner = [part for part in get_args(shape) if part not in (Ellipsis, NoneType)]
            shape = inner[-1] if inner else None
        if get_origin(shape) in (Union, UnionType):
            shape = next((part for part in get_args(shape) if part is not NoneType), None)
    return list(shape.model_fields) if isinstance(shape, type) and issubclass(shape, BaseModel) else []
