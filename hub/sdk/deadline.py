"""A total deadline under the HTTP client: every read and write of a connection gets only the time that is left.

The client's own timeouts are per read, so a platform that trickles headers byte by byte would hold a thread for ever.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from hub.clock import Clock

SOCKET_SECONDS_MIN = 0.001


class Deadline:
    """The end of the exchange under way, by the clock's monotonic seconds; `left` is what a wait may still take."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends = 0.0

    def begin(self, seconds: float) -> None:
        """A new exchange begins and may take this long."""
        self._ends = self._clock.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self._clock.monotonic() >= self._ends

    def left(self, seconds: float | None) -> float:
        """The shorter of the wait asked for and the time that is left, never quite zero (which would mean: do not wait)."""
        rest = max(SOCKET_SECONDS_MIN, self._ends - self._clock.monotonic())
        return rest if seconds is None else min(seconds, rest)


class TimedStream(httpcore.NetworkStream):
    """A connection whose reads and writes end with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What came, within what is left of the deadline."""
        if self._deadline.passed:
            raise httpcore.ReadTimeout("the deadline passed")
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write within what is left of the deadline."""
        if buffer and self._deadline.passed:
            raise httpcore.WriteTimeout("the deadline passed")
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection with TLS, still under the deadline."""
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the connection below says of itself."""
        return self._stream.get_extra_info(info)


class TimedBackend(httpcore.NetworkBackend):
    """Opens connections that end with the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._backend = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection that must be made and used within the deadline."""
        timeout = self._deadline.left(timeout)
        return TimedStream(self._backend.connect_tcp(host, port, timeout, local_address, socket_options), self._deadline)
