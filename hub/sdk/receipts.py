"""Receipts as every connector writes them: what the answer shows compared with what was asked, and what a failure broke off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from hub.canonical.values import Plain
from hub.errors import ChannelError, OutcomeUnknownError
from hub.flow import Change, Outcome, Receipt

WORDS_CHARS_MAX: Final = 200


class Known(Protocol):
    """What a receipt can be written for: it has the id of its change."""

    @property
    def id(self) -> str:
        """The change's id."""


def one_line(words: object, chars_max: int = WORDS_CHARS_MAX) -> str:
    """A platform's words as one line of at most so many characters; "" for None."""
    return " ".join(str("" if words is None else words).split())[:chars_max]


def refused(change: Known, words: str, request_id: str = "", shows: Plain = None) -> Receipt:
    """It cannot be made true: their rule, or ours in their name, says no in these words."""
    return Receipt(change.id, Outcome.REFUSED, words, request_id, shows=shows)


def not_sent(change: Known, words: str = "") -> Receipt:
    """Certainly without effect, or done by half in a way that the next try finishes: it may be sent again."""
    return Receipt(change.id, Outcome.NOT_SENT, words)


def unsure(change: Known, words: str, request_id: str = "") -> Receipt:
    """Answered with success, but the answer does not say what became of it: to be looked up."""
    return Receipt(change.id, Outcome.UNKNOWN, words, request_id)


def compared(change: Change, asked: object, shown: object, shows: Plain, request_id: str = "", unit: str = "") -> Receipt:
    """Applied when the answer shows what was asked; a success that changed nothing, or made it something else, is refused."""
    if shown == asked:
        return Receipt(change.id, Outcome.APPLIED, request_id=request_id, shows=shows)
    return refused(change, f"asked for {asked}{unit and f' {unit}'}, the shop shows {shown}", request_id, shows)


def broken_off(part: Iterable[Known], later: Iterable[Known], failed: ChannelError) -> list[Receipt]:
    """Receipts of a call that failed after other parts of its batch were answered, and of what was not sent because of that."""
    outcome = Outcome.UNKNOWN if isinstance(failed, OutcomeUnknownError) else Outcome.NOT_SENT
    words = failed.message[:WORDS_CHARS_MAX]
    receipts = [Receipt(one.id, outcome, words, failed.request_id) for one in part]
    return receipts + [not_sent(one, "not sent: the call before it failed") for one in later]
