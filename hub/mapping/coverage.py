"""Coverage: which paths of a record are neither read nor ignored by name. What is left over is schema drift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.canonical.values import Plain
from hub.mapping.dotted import ANY, Path, is_place, spelled

NESTING_MAX = 100


@dataclass(slots=True)
class Branch:
    """One segment of the read paths: what lies below, and whether everything below counts as read."""

    below: dict[str, Branch] = field(default_factory=dict)
    whole: bool = False

    def add(self, path: Path, whole: bool) -> None:
        """One more read path (`whole`: all that lies below it too)."""
        here = self
        for segment in path:
            # one place of a list read is the list's shape known: 0, 1 and -1 all stand for any element
            here = here.below.setdefault(ANY if is_place(segment) else segment, Branch())
        here.whole = here.whole or whole


def branch(reads: Iterable[Path], visits: Iterable[Path]) -> Branch:
    """The tree of all paths that are read whole, or only gone through."""
    root = Branch()
    for path in reads:
        root.add(path, True)
    for path in visits:
        root.add(path, False)
    return root


def unread(record: Plain, known: list[Branch]) -> list[str]:
    """The record's unread paths, sorted, with `*` for the elements of a list."""
    found: set[Path] = set()
    _walk(record, known, (), found)
    return sorted(spelled(path) if path else "(the whole record)" for path in found)


def _walk(value: Plain, known: list[Branch], path: Path, found: set[Path]) -> None:
    if any(one.whole for one in known):
        return
    if not known or len(path) > NESTING_MAX:
        found.update(_leaves(value, path))
        return
    if isinstance(value, dict):
        for key, below in value.items():
            _walk(below, _next(known, key), (*path, key), found)
    elif isinstance(value, list):
        inside = _next(known, ANY)
        for below in value:
            _walk(below, inside, (*path, ANY), found)


def _next(known: list[Branch], key: str) -> list[Branch]:
    return [one.below[segment] for one in known for segment in {key, ANY} if segment in one.below]


def _leaves(value: Plain, path: Path) -> set[Path]:
    """The single values below (an empty list or object is one itself)."""
    if len(path) > NESTING_MAX or not value or not isinstance(value, dict | list):
        return {path}
    if isinstance(value, dict):
        return {leaf for key, below in value.items() for leaf in _leaves(below, (*path, key))}
    return {leaf for below in value for leaf in _leaves(below, (*path, ANY))}
