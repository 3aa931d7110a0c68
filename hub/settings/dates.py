"""Dates in the configuration, as microseconds."""

from __future__ import annotations

import datetime as dt

from hub.canonical.values import Micros, micros


def day_micros(text: str) -> Micros:
    """The moment that a date (its beginning in UTC) or a time with its zone names; ValueError for anything else."""
    told = dt.datetime.fromisoformat(text)
    return micros(told if told.tzinfo is not None else told.replace(tzinfo=dt.UTC))
