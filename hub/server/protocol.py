"""uvicorn's HTTP protocol with the two limits that it lacks: on the size and on the time of a request's head.

uvicorn arms its keep-alive timer only after an answer, and bounds heads only in its slower h11 protocol.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.server.limits import Limits


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A head that is too long or too slow ends it; bodies are the application's business."""

    limits = Limits()
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer that says nothing is given as long as a slow head."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._head_timer = self.loop.call_later(self.limits.head_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to wait for."""
        self._in_head_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse on, within the limits while no request is complete enough to be served."""
        if self._head_bytes > self.limits.head_bytes_max:
            self._give_up()
            return
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self._head_timer is not None:
                self._in_head_no_more()
            return
        self._head_bytes += len(data)
        if self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(self.limits.head_seconds, self._give_up)

    def _in_head_no_more(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.abort()


def bounded(limits: Limits) -> type[BoundedProtocol]:
    """The protocol class with these limits."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})
