"""The transport of production: httpx with a total deadline and a byte limit over the whole answer.

httpx's own timeouts are per read and it unpacks whatever encodings an answer names; so every wait is cut to what is left of
the deadline, and the answer is unpacked here, piece by piece, never beyond the limit. The only door to httpx.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Iterator
from typing import Final

import httpcore
import httpx

from hub.clock import Clock
from hub.sdk.deadline import Deadline, TimedBackend
from hub.sdk.wire import AnswerTooLargeError, NoAnswerError, NotSentError, Request, Response, Transport

CONNECT_SECONDS_MAX: Final = 5.0
PIECE_BYTES_MAX: Final = 65_536
KEEP_SECONDS: Final = 5.0
BYTES_MAX: Final = "answer_bytes_max"
"""How the limit on an answer is told to what carries requests instead of the network."""
_GZIP: Final = 16 + zlib.MAX_WBITS


class HttpTransport:
    """Sends requests over real HTTP, one at a time; one instance per channel (its own connections, no cookies, no redirects).

    With `below` all is as over HTTP but the network itself: what would go to a connection is carried by that transport.
    """

    def __init__(self, clock: Clock, trusted_ca: str = "", below: Transport | None = None) -> None:
        self._deadline = Deadline(clock)
        wire = _network(self._deadline, trusted_ca) if below is None else _carried(below)
        self._client = httpx.Client(transport=wire, follow_redirects=False, trust_env=False, headers={"user-agent": "samklang"})

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """The whole answer within the deadline; see `hub.sdk.wire.Transport` for the three ways to fail."""
        self._deadline.begin(deadline_seconds)
        timeout = httpx.Timeout(deadline_seconds, connect=min(CONNECT_SECONDS_MAX, deadline_seconds))
        try:
            with self._client.stream(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                timeout=timeout,
                extensions={BYTES_MAX: answer_bytes_max},
            ) as answer:
                body = self._read(answer, answer_bytes_max)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, headers, body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as bad:
            raise NotSentError(f"no connection: {type(bad).__name__}") from None
        except httpx.TransportError as bad:
            raise NoAnswerError(f"no answer: {type(bad).__name__}") from None
        except zlib.error:
            raise NoAnswerError("no answer: its encoding is broken") from None
        finally:
            self._client.cookies.clear()

    def _read(self, answer: httpx.Response, answer_bytes_max: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in _unpacked(answer):
            size += len(part)
            if size > answer_bytes_max:
                raise AnswerTooLargeError
            if self._deadline.passed:
                raise NoAnswerError("no answer: the deadline passed while it was being read")
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _network(deadline: Deadline, trusted_ca: str) -> httpx.BaseTransport:
    """The pool that httpx would make, but over connections that know the deadline: httpx has no setting for that."""
    context = ssl.create_default_context(cafile=trusted_ca) if trusted_ca else httpx.create_ssl_context(trust_env=False)
    wire = httpx.HTTPTransport(verify=context, trust_env=False)
    wire._pool = httpcore.ConnectionPool(
        ssl_context=context,
        max_connections=4,
        max_keepalive_connections=2,
        keepalive_expiry=KEEP_SECONDS,
        network_backend=TimedBackend(deadline),
    )
    return wire


def _carried(below: Transport) -> httpx.BaseTransport:
    """Hands httpx's own requests to another transport, and gives its answers and failures back as a connection would."""

    def carry(request: httpx.Request) -> httpx.Response:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers.raw}
        asked = Request(request.method, str(request.url), headers, request.read())
        bytes_max = int(request.extensions[BYTES_MAX])
        try:
            answer = below.send(asked, float(request.extensions["timeout"]["read"]), bytes_max)
        except AnswerTooLargeError:
            # Given on as what it is: the limit is kept where it is kept over a network.
            answer = Response(200, {}, bytes(bytes_max + 1))
        except NotSentError:
            raise httpx.ConnectError("nobody answers there", request=request) from None
        except NoAnswerError:
            raise httpx.ReadTimeout("no answer", request=request) from None
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=httpx.ByteStream(answer.body))

    return httpx.MockTransport(carry)


def _unpacked(answer: httpx.Response) -> Iterator[bytes]:
    """The body's pieces without its content encoding, each small: only gzip is ever asked for, and only once around."""
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        yield from answer.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip"):
        raise NoAnswerError("no answer: in an encoding that was not asked for")
    unpack = zlib.decompressobj(_GZIP)
    came = False
    for packed in answer.iter_raw():
        came = came or bool(packed)
        while packed and not unpack.eof:
            yield unpack.decompress(packed, PIECE_BYTES_MAX)
            packed = unpack.unconsumed_tail
    if came and not unpack.eof:
        yield unpack.flush()
    if came and not unpack.eof:
        raise NoAnswerError("no answer: it ended before its encoding did")
