"""The transport of production: httpx with a total deadline and a byte limit over the whole answer.

httpx's own timeouts are per read, so a slow trickle could hold a thread for ever; the answer is read as a stream and given
up when the deadline has passed. The only door to httpx.
"""

from __future__ import annotations

import ssl
from typing import Final

import httpx

from hub.clock import Clock
from hub.sdk.wire import AnswerTooLargeError, NoAnswerError, NotSentError, Request, Response

CONNECT_SECONDS_MAX: Final = 5.0


class HttpTransport:
    """Sends requests over real HTTP; one instance per channel (its own connections, no cookies, no redirects)."""

    def __init__(self, clock: Clock, trusted_ca: str = "") -> None:
        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=trusted_ca) if trusted_ca else True
        self._clock = clock
        self._client = httpx.Client(
            verify=verify,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=2, keepalive_expiry=5.0),
            headers={"user-agent": "samklang"},
        )

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """The whole answer within the deadline; see `hub.sdk.wire.Transport` for the three ways to fail."""
        ends = self._clock.monotonic() + deadline_seconds
        timeout = httpx.Timeout(deadline_seconds, connect=min(CONNECT_SECONDS_MAX, deadline_seconds))
        try:
            with self._client.stream(
                request.method, request.url, headers=dict(request.headers), content=request.body, timeout=timeout
            ) as answer:
                body = self._read(answer, ends, answer_bytes_max)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, headers, body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as bad:
            raise NotSentError(f"no connection: {type(bad).__name__}") from None
        except httpx.TransportError as bad:
            raise NoAnswerError(f"no answer: {type(bad).__name__}") from None
        except httpx.DecodingError:
            raise NoAnswerError("no answer: its encoding is broken") from None
        finally:
            self._client.cookies.clear()

    def _read(self, answer: httpx.Response, ends: float, answer_bytes_max: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in answer.iter_bytes():
            size += len(part)
            if size > answer_bytes_max:
                raise AnswerTooLargeError
            if self._clock.monotonic() > ends:
                raise NoAnswerError("no answer: the deadline passed while it was being read")
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
