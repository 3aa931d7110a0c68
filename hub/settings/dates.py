"""Dates in the configuration, as microseconds."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hub.canonical.values import Micros, micros


def day_micros(text: str) -> Micros:
    """The moment that a date (its beginning in UTC) or a time with its zone names; ValueError for anything else."""
    told = dt.datetime.fromisoformat(text)
    return micros(told if told.tzinfo is not None else told.replace(tzinfo=dt.UTC))


def is_before(at: int, since: str) -> bool:
    """Whether a moment (microseconds) is before that date or time; nothing is before none."""
    return bool(since) and at < day_micros(since)


def day_of(at: Micros, zone: str, ends: str) -> tuple[str, Micros]:
    """The business day (2026-11-21) of a moment and when that day ends, by a time zone and the time of day at which days end.

    A day that ends at 04:00 has the hours after midnight of the next date; a day of a changed clock has 23 or 25 hours.
    """
    place, (hour, minute) = ZoneInfo(zone), (int(part) for part in ends.split(":"))
    local = dt.datetime.fromtimestamp(at / 1_000_000, place)
    last = dt.time(hour, minute)
    day = local.date() if (last == dt.time(0) or local.time() >= last) else local.date() - dt.timedelta(days=1)
    return day.isoformat(), micros(dt.datetime.combine(day + dt.timedelta(days=1), last, place))
