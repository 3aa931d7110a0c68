"""A listing that ends early and says that this was all: what a small platform makes of its own answer to show it."""

from __future__ import annotations

from typing import Any, Final

from hub.canonical.json import body_json, read_json
from hub.canonical.values import Plain
from hub.sdk.wire import Response

MORE: Final = frozenset({"cursor", "next", "paging"})
"""Names under which listings say where they go on."""
TOTALS: Final = frozenset({"totalItems", "total_count"})
"""Names under which they say how many there are."""


def ended_early(answer: Response) -> Response | None:
    """The answer with the second half of its records left out, as if there were no more; None when it holds less than two."""
    if answer.status != 200:
        return None
    try:
        body = read_json(answer.body)
    except ValueError:
        return None
    kept = _halved(body)
    if kept is None:
        return None
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in ("link", "x-wp-totalpages")}
    if "x-wp-total" in headers:
        headers["x-wp-total"] = str(kept)
    return Response(answer.status, headers, body_json(body))


def _halved(found: Plain) -> int | None:
    """Cut the first list of records in half, in place, with all that speaks of more: how many are left; None where none is."""
    if isinstance(found, list):
        if len(found) < 2 or not isinstance(found[0], dict):
            return None
        del found[(len(found) + 1) // 2 :]
        return len(found)
    if not isinstance(found, dict):
        return None
    for value in list(found.values()):
        kept = _halved(value)
        if kept is not None:
            _say_that_is_all(found, kept)
            return kept
    return None


def _say_that_is_all(found: dict[str, Any], kept: int) -> None:
    for name in MORE & set(found):
        del found[name]
    for name in TOTALS & set(found):
        found[name] = kept
    if isinstance(found.get("summary"), dict):
        found["summary"] = {name: kept if name in TOTALS else value for name, value in found["summary"].items()}
