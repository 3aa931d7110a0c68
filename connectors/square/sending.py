"""What both ways of writing share: one call for many changes, split until each change has an answer of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from connectors.square.objects import words_of
from hub.sdk.api import (
    Change,
    ChannelError,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    body_json,
)

if TYPE_CHECKING:
    from connectors.square.connector import Square

BODY_STATUSES = frozenset({400, 404, 409, 413, 422})
"""Refusals whose body says which of the changes was wrong, so that the others can go on."""
CONFLICT_CODES = frozenset({"VERSION_MISMATCH", "CONFLICT"})

Post = Callable[[list[Change]], tuple[list[Receipt], list[Change]]]
"""Sends some changes in one call: receipts of the decided ones, and those that the answer left undecided and undone."""


def send_in_parts(changes: Sequence[Change], post: Post) -> list[Receipt]:
    """One receipt per change: what a call leaves undecided goes out again in smaller calls, down to single changes.

    A failing call raises only while nothing is decided yet; later it leaves receipts for what it kept from being sent.
    """
    receipts: list[Receipt] = []
    todo = [list(changes)] if changes else []
    while todo:
        part = todo.pop()
        try:
            done, left = post(part)
        except ChannelError as bad:
            if not receipts:
                raise
            lost = Outcome.UNKNOWN if isinstance(bad, OutcomeUnknownError) else Outcome.NOT_SENT
            receipts += [Receipt(one.id, lost, bad.message[:200]) for one in part]
            receipts += [Receipt(one.id, Outcome.NOT_SENT, "the call before it failed") for rest in todo for one in rest]
            return receipts
        receipts += done
        if len(left) < len(part):
            todo += [left] if left else []
        else:
            middle = len(left) // 2
            todo += [left[middle:], left[:middle]]
    return receipts


def refused(change: Change, error: Mapping[str, str]) -> Receipt:
    """The receipt of a change that Square would not make: an old picture or an old time is decided again, the rest is final."""
    old = error["code"] in CONFLICT_CODES or "occurred_at" in error["field"] + error["detail"]
    outcome = Outcome.CONFLICT if old else Outcome.REFUSED
    return Receipt(change.id, outcome, words_of(dict(error)))


def write(
    square: Square, path: str, body: dict[str, Plain], operation: str, method: str = "POST"
) -> tuple[int, dict[str, Plain]]:
    """Status and JSON object of a write's answer; a body that is none means that its outcome is unknown.

    The idempotency key is the digest of the whole body: the same changes again are the same request, others never are.
    """
    key = hashlib.sha256(body_json(body)).hexdigest()
    answer = square.client.call(
        method,
        path,
        operation=operation,
        writes=True,
        headers=square.headers,
        json={"idempotency_key": key, **body},
        statuses=BODY_STATUSES,
    )
    try:
        told = answer.json()
    except ValueError:
        told = None
    if isinstance(told, dict):
        return answer.status, told
    if answer.status in BODY_STATUSES:
        return answer.status, {"errors": [{"code": f"status {answer.status}", "detail": "no JSON object", "field": ""}]}
    raise OutcomeUnknownError("answered with no JSON object", channel=square.context.channel, operation=operation)
