"""Times as platforms write them, as microseconds UTC and back. A time without a zone is only UTC when the mapping says so."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Final

from hub.canonical.values import EPOCH, Plain
from hub.canonical.values import micros as micros_of

MILLION: Final = 1_000_000
_SECONDS: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_LEAST: Final = int((dt.datetime.min.replace(tzinfo=dt.UTC) - EPOCH).total_seconds()) * MILLION
_MOST: Final = int((dt.datetime.max.replace(tzinfo=dt.UTC, microsecond=0) - EPOCH).total_seconds()) * MILLION


def bounded(at: int) -> int:
    """The microseconds, if they fall into the years 1 to 9999."""
    if not _LEAST <= at <= _MOST:
        raise ValueError("a time outside the years 1 to 9999")
    return at


def utc_time(value: Plain) -> int:
    """Microseconds of an ISO 8601 time that names its zone (`Z` or an offset)."""
    moment = _iso(value)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return bounded(micros_of(moment))


def utc_naive_time(value: Plain) -> int:
    """Microseconds of an ISO 8601 time that names no zone and means UTC."""
    moment = _iso(value)
    if moment.tzinfo is not None:
        raise ValueError("a time with a zone where none was expected")
    return bounded(micros_of(moment.replace(tzinfo=dt.UTC)))


def unix_time(value: Plain) -> int:
    """Microseconds of seconds since 1970."""
    return _since(value, MILLION)


def unix_millis(value: Plain) -> int:
    """Microseconds of milliseconds since 1970."""
    return _since(value, 1000)


def told_utc_time(value: Plain) -> str:
    """Outward: ISO 8601 with `Z`, with six decimals where they say something."""
    return told_utc_naive_time(value) + "Z"


def told_utc_naive_time(value: Plain) -> str:
    """Outward: ISO 8601 in UTC without a zone."""
    return (EPOCH + dt.timedelta(microseconds=_at(value))).replace(tzinfo=None).isoformat()


def told_unix_time(value: Plain) -> Plain:
    """Outward: seconds since 1970, a Decimal where a second is not whole."""
    return _parts(_at(value), MILLION)


def told_unix_millis(value: Plain) -> Plain:
    """Outward: milliseconds since 1970, a Decimal where a millisecond is not whole."""
    return _parts(_at(value), 1000)


def _iso(value: Plain) -> dt.datetime:
    # Python takes any character between date and time, and a lone date; a platform that sends those means something else.
    if type(value) is not str or len(value) < 16 or value[10] not in "T t":
        raise ValueError("null" if value is None else "not an ISO 8601 time")
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("not an ISO 8601 time") from None


def _since(value: Plain, per: int) -> int:
    if type(value) is str and _SECONDS.fullmatch(value):
        value = Decimal(value)
    if type(value) is int and abs(value) <= _MOST:
        return bounded(value * per)
    if type(value) is Decimal and value.is_finite() and abs(value) <= _MOST:
        scaled = value * per
        if scaled == scaled.to_integral_value():
            return bounded(int(scaled))
        raise ValueError("finer than a microsecond")
    raise ValueError("null" if value is None else "not a time since 1970")


def _at(value: Plain) -> int:
    if type(value) is not int:
        raise ValueError("not a time")
    return bounded(value)


def _parts(at: int, per: int) -> Plain:
    whole, rest = divmod(at, per)
    return whole if not rest else Decimal(at) / per
