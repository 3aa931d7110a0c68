"""What the receiver's port serves: `/hooks/…`, `/health`, `/ready`; anything else is 404 without a body."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Receive, Scope, Send

from hub.clock import Clock
from hub.server.body import BodyRefusedError, body_message, read_body, start_message
from hub.server.commit import GroupCommit, NotStoredError
from hub.server.hooks import PREFIX, Hooks
from hub.server.limits import Limits

JSON: Final = (b"content-type", b"application/json")


class ReceiverApp:
    """The ASGI application; its lifespan attaches the queue to the loop and flushes it at the end."""

    def __init__(self, hooks: Hooks, commits: GroupCommit, limits: Limits, clock: Clock) -> None:
        self._hooks = hooks
        self._commits = commits
        self._limits = limits
        self._clock = clock
        self._ready: tuple[float, str] | None = None
        self._asking: asyncio.Task[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            if scope["path"].startswith(PREFIX):
                await self._hooks(scope, receive, send)
            else:
                await self._other(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._commits.attach(asyncio.get_running_loop())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._commits.flush()
        await send({"type": "lifespan.shutdown.complete"})

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._limits.refused_bytes_max
        closing: list[tuple[bytes, bytes]] = []
        try:
            await read_body(receive, most, self._limits.body_seconds, 0)
        except BodyRefusedError:
            closing = [(b"connection", b"close")]
        status, body = 404, b""
        if scope["method"] in ("GET", "HEAD"):
            if scope["path"] == "/health":
                status, body = 200, b'{"alive":true}'
            elif scope["path"] == "/ready":
                status, body = await self._readiness()
        await send(start_message(status, body, *([JSON] if body else []), *closing))
        await send(body_message(body))

    async def _readiness(self) -> tuple[int, bytes]:
        """Ready means: a commit gets through now and there is room. Asked more often than `tidy_seconds`, the last word holds."""
        now = self._clock.monotonic()
        if self._ready is None or now - self._ready[0] > self._limits.tidy_seconds:
            if self._asking is None:
                self._asking = asyncio.ensure_future(self._ask())
            why = await asyncio.shield(self._asking)
            self._asking = None
            self._ready = (now, why)
        why = "the queue is full" if self._commits.full else self._ready[1]
        return (503, b'{"ready":false,"because":"%s"}' % why.encode()) if why else (200, b'{"ready":true}')

    async def _ask(self) -> str:
        try:
            await self._commits.probe()
        except NotStoredError:
            return "the disk refuses writes"
        except TimeoutError:
            return "the writer does not answer"
        return ""
