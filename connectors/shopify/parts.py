"""What all writes share: the errors of a payload by the input they speak of, and receipts of what a failure broke off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from hub.sdk.api import Change, ChannelError, Outcome, OutcomeUnknownError, Plain, Receipt

WORDS_CHARS_MAX: Final = 200


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
        words = " ".join(str(error.get("message") or "").split())[:WORDS_CHARS_MAX]
        said = {"code": str(error.get("code") or ""), "message": words}
        place = field[len(path)] if len(field) > len(path) and field[: len(path)] == list(path) else ""
        if path and place.isdigit():
            by_place.setdefault(int(place), said)
        elif whole is None:
            whole = said
    return Errors(by_place, whole)


def refused(change: Change, words: str) -> Receipt:
    """Their rule, or ours in their name, says no."""
    return Receipt(change.id, Outcome.REFUSED, words)


def broken_off(part: Iterable[Change], later: Iterable[Change], failed: ChannelError) -> list[Receipt]:
    """Receipts of a call that failed after others of the batch were answered, and of what was not sent because of that."""
    outcome = Outcome.UNKNOWN if isinstance(failed, OutcomeUnknownError) else Outcome.NOT_SENT
    receipts = [Receipt(one.id, outcome, failed.message[:WORDS_CHARS_MAX], failed.request_id) for one in part]
    return receipts + [Receipt(one.id, Outcome.NOT_SENT, "not sent: the call before it failed") for one in later]
