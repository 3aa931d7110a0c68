"""What all writes share: the errors of a payload by the input they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.sdk.api import Plain, one_line


class Errors(NamedTuple):
    """A payload's errors: those of one input by its place in the list, and the first that speaks of none."""

    by_place: dict[int, dict[str, str]]
    whole: dict[str, str] | None


def user_errors(payload: dict[str, Plain], path: Sequence[str], name: str = "userErrors") -> Errors:
    """The errors of a payload; `path` leads to the list of inputs, whose places stand behind it in an error's field."""
    by_place: dict[int, dict[str, str]] = {}
    whole: dict[str, str] | None = None
    for error in payload.get(name) or []:
        field = [str(one) for one in error.get("field") or []]
        said = {"code": str(error.get("code") or ""), "message": one_line(error.get("message"))}
        place = field[len(path)] if len(field) > len(path) and field[: len(path)] == list(path) else ""
        if path and place.isdigit():
            by_place.setdefault(int(place), said)
        elif whole is None:
            whole = said
    return Errors(by_place, whole)
