"""The `errors` of a GraphQL answer, which come under any HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from hub.canonical.values import Plain
from hub.sdk.receipts import one_line

WORDS_CHARS_MAX: Final = 300


class Said(NamedTuple):
    """What an answer's errors say: each as an object, their codes (`extensions.code`), and the first one's words."""

    errors: list[dict[str, Plain]]
    codes: frozenset[str]
    words: str


def errors_said(body: Mapping[str, Plain]) -> Said | None:
    """The errors of an answer, None when it has none; some platforms write a sentence in place of the list."""
    told = body.get("errors")
    if not told:
        return None
    errors = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else [{"message": told}]
    codes = frozenset(code_of(one) for one in errors)
    words = one_line(errors[0].get("message") if errors else None, WORDS_CHARS_MAX)
    return Said(errors, codes, words or "an error without words")


def code_of(error: Mapping[str, Plain]) -> str:
    """The error's code, "" when it names none."""
    return str((error.get("extensions") or {}).get("code") or "")
