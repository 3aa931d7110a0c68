"""What the receiver's port serves: `/hooks/…`, `/health`, `/ready`; anything else is 404 without a body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from starlette.types import Receive, Scope, Send

from hub.clock import Clock
from hub.server.body import BodyReader, BodyRefusedError, body_message, start_message
from hub.server.commit import GroupCommit, NotStoredError
from hub.server.hooks import PREFIX, Hooks
from hub.server.limits import Limits

JSON: Final = (b"content-type", b"application/json")


class ReceiverApp:
    """The ASGI application; its lifespan attaches the queue to the loop and flushes it at the end."""

    def __init__(self, hooks: Hooks, bodies: BodyReader, commits: GroupCommit, limits: Limits, clock: Clock) -> None:
        self._hooks = hooks
        self._bodies = bodies
        self._commits = commits
        self._limits = limits
        self._clock = clock
        self._ready: tuple[float, str] | None = None
        self._asking: asyncio.Task[str] | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Chooses who answers; not a coroutine itself, which the hot path would pay for."""
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        if scope["path"].startswith(PREFIX):
            return self._hooks(scope, receive, send)
        return self._other(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        loop = asyncio.get_running_loop()
        self._bodies.attach(loop)
        self._commits.attach(loop)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._commits.flush()
        await send({"type": "lifespan.shutdown.complete"})

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._limits.refused_bytes_max
        closing: list[tuple[bytes, bytes]] = []
        try:
            await self._bodies.read(receive, most, 0)
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
