"""Requests and answers as plain values, and the transport seam between the hub and everything outside.

Production puts httpx under the seam; tests and simulations put the small platforms there. Header names are lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from hub.canonical.json import read_json
from hub.canonical.values import Plain

ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
DEADLINE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `url` is absolute and already has its query."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The URL's path without the query."""
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        """scheme://host:port, the part that must be the configured one."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def query(self) -> dict[str, str]:
        """The query as a plain mapping (the last of repeated names wins)."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    def json(self) -> Plain:
        """The body as exact JSON; ValueError in words."""
        return read_json(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Plain:
        """The body as exact JSON; ValueError in words."""
        return read_json(self.body)


class NotSentError(Exception):
    """The request certainly did not reach the platform (refused connection, unknown host)."""


class NoAnswerError(Exception):
    """The request may have reached the platform; no whole answer came within the deadline."""


class AnswerTooLargeError(Exception):
    """The answer was cut off at the byte limit: it is not an answer."""


class Transport(Protocol):
    """The seam: sends one request and reads its whole answer, or says which of the three ways it failed."""

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """The whole answer; NotSentError, NoAnswerError or AnswerTooLargeError otherwise."""
        ...
