"""The platforms' times as microseconds: written in a record, or when an answer was made."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Final

from hub.canonical.values import micros
from hub.sdk.wire import Response

MICROS_PER_SECOND: Final = 1_000_000


def read_time(text: str) -> int:
    """Microseconds of an ISO 8601 time with its zone (digits beyond microseconds are dropped); ValueError for anything else."""
    return micros(dt.datetime.fromisoformat(text))


def answered_at(answer: Response) -> int | None:
    """Microseconds of the answer's Date header (whole seconds): the platform's own clock; None when it cannot be read."""
    # Some servers put more behind the zone, which is always GMT (RFC 9110, 5.6.7).
    head, found, _ = answer.headers.get("date", "").partition("GMT")
    if not found:
        return None
    try:
        return round(parsedate_to_datetime(head + found).timestamp()) * MICROS_PER_SECOND
    except (ValueError, TypeError):
        return None
