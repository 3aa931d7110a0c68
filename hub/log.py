"""Logs: one line per event, as JSON or for a terminal; secrets are blotted out and persons never written.

Every secret that the hub reads is remembered here at once, so no later line can carry it, whoever writes that line.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Final, TextIO
from urllib.parse import quote

import structlog

SECRETS_MAX: Final = 2_000
SECRET_CHARS_MIN: Final = 4
BLOT: Final = "<secret>"
LINE_CHARS_MAX: Final = 4_000
DEPTH_MAX: Final = 6
_PERSONAL: Final = (
    "email e_mail phone telephone mobile name first_name last_name full_name company_name customer customer_name address "
    "street street1 street2 address1 address2 city postal_code postcode zip birthday ip ip_address billing shipping"
)
PERSONAL_KEYS: Final = frozenset(_PERSONAL.split())
QUIET: Final = ("httpx", "httpcore", "apscheduler", "uvicorn.access", "uvicorn.error")

_secrets: set[str] = set()
_pattern: re.Pattern[str] | None = None


def remember_secret(value: str) -> None:
    """From now on this value, as it is and as it stands in a URL, is blotted out; ValueError for one too short to be found."""
    global _pattern
    if len(value) < SECRET_CHARS_MIN:
        raise ValueError(f"a secret has at least {SECRET_CHARS_MIN} characters")
    known = {value, quote(value, safe="")} - _secrets
    if not known:
        return
    if len(_secrets) + len(known) > SECRETS_MAX:
        raise ValueError(f"more than {SECRETS_MAX} secrets")
    _secrets.update(known)
    # Longest first: a secret that begins like another must not leave its tail behind.
    _pattern = re.compile("|".join(re.escape(secret) for secret in sorted(_secrets, key=len, reverse=True)))


def redact(text: str) -> str:
    """The text with every remembered secret blotted out."""
    return _pattern.sub(BLOT, text) if _pattern is not None else text


def configure(*, now: Callable[[], int], as_json: bool, level: str = "info", stream: TextIO | None = None) -> None:
    """Set logging up for this process; `now` gives microseconds UTC (the clock's), lines go to `stream` (standard error)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _stamp(now),
    ]
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _clean,
        structlog.processors.JSONRenderer(default=str) if as_json else structlog.dev.ConsoleRenderer(colors=False),
    ]
    # Lines of libraries come through the standard library's logging and take the same last steps as our own.
    out = logging.StreamHandler(stream or sys.stderr)
    out.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    for earlier in list(root.handlers):
        root.removeHandler(earlier)
    root.addHandler(out)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def logger(room: str) -> structlog.stdlib.BoundLogger:
    """A logger for this room; call it with an event's name and its fields (keys of things, never persons)."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(room)
    return bound


def bound(**fields: str | int) -> AbstractContextManager[None]:
    """Inside this context every line of this thread carries these fields (channel, stream, trace)."""
    return structlog.contextvars.bound_contextvars(**fields)


def _stamp(now: Callable[[], int]) -> structlog.typing.Processor:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    def stamp(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        at = epoch + dt.timedelta(microseconds=now())
        event["at"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    return stamp


def _clean(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {redact(key): _cleaned(value, 0) for key, value in event.items() if key.lower() not in PERSONAL_KEYS}


def _cleaned(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if depth < DEPTH_MAX and isinstance(value, dict):
        return {
            redact(str(key)): _cleaned(inner, depth + 1) for key, inner in value.items() if str(key).lower() not in PERSONAL_KEYS
        }
    if depth < DEPTH_MAX and isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(inner, depth + 1) for inner in value]
    # Blot first, then shorten: a secret cut in half would no longer be found.
    text = redact(value if isinstance(value, str) else str(value))
    return text if len(text) <= LINE_CHARS_MAX else text[:LINE_CHARS_MAX] + "…"


# Until `configure` has run, our own lines are cleaned all the same.
_BEFORE: Final[list[structlog.typing.Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.format_exc_info,
    _clean,
    structlog.processors.KeyValueRenderer(),
]
structlog.configure(
    processors=_BEFORE,
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)
