"""What all writes share: a call under its own key, and what an error of its answer means for the change it speaks of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from connectors.square.objects import errors_of, named_changes, words_of
from hub.sdk.api import Change, Outcome, OutcomeUnknownError, Plain, Receipt, body_json

if TYPE_CHECKING:
    from connectors.square.connector import Square

BODY_STATUSES = frozenset({400, 404, 409, 413, 422})
"""Refusals whose body says which of the changes was wrong, so that the others can go on."""
CONFLICT_CODES = frozenset({"VERSION_MISMATCH", "CONFLICT"})


def denied(change: Change, error: Mapping[str, str]) -> Receipt:
    """The receipt of a change that Square would not make: an old picture or an old time is decided again, the rest is final."""
    old = error["code"] in CONFLICT_CODES or "occurred_at" in error["field"] + error["detail"]
    outcome = Outcome.CONFLICT if old else Outcome.REFUSED
    return Receipt(change.id, outcome, words_of(dict(error)))


def parted(part: Sequence[Change], status: int, told: Plain) -> tuple[list[Receipt], list[Change]]:
    """Of a batch that was not done: receipts of the changes that its errors name, and the others, which they left undone."""
    errors = errors_of(told)
    if len(part) == 1:
        return [denied(part[0], errors[0] if errors else {"code": f"status {status}", "detail": "", "field": ""})], []
    named = named_changes(errors)
    done = [denied(one, named[place]) for place, one in enumerate(part) if place in named]
    return done, [one for place, one in enumerate(part) if place not in named]


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
