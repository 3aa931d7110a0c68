"""Reading a request's body: never more than its limit, never longer than its time, and only whole."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Message, Receive

from hub.intake.receive import Became

CLOSING: Final = frozenset({Became.TOO_LARGE, Became.TOO_SLOW, Became.CUT_OFF})
"""After these the rest of the body may still be on its way, so the connection ends with the answer."""
WATCH_SECONDS: Final = 0.25


class BodyRefusedError(Exception):
    """The body did not come whole within its limits; `became` says which."""

    def __init__(self, became: Became) -> None:
        super().__init__(became)
        self.became = became


class BodyReader:
    """Reads bodies under one total time each. One timer watches over all of them: a timer a request would cost more than
    everything else that is done here.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._reading: dict[asyncio.Task[object], float] = {}
        """When each task began, oldest first."""
        self._late: set[asyncio.Task[object]] = set()
        self._loop: asyncio.AbstractEventLoop

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch from now on, on the loop that the requests run on."""
        self._loop = loop
        self._watch()

    async def read(self, receive: Receive, bytes_max: int, more_bytes_max: int) -> bytes:
        """The whole body, at most `bytes_max` long; BodyRefusedError when it is longer, too slow or cut off.

        Of a body that is too long, up to `more_bytes_max` is read and thrown away: a peer that is still writing when the
        connection closes would never see the answer.
        """
        task = asyncio.current_task()
        assert task is not None
        self._reading[task] = self._loop.time()
        try:
            message = await receive()
            if message["type"] == "http.request" and not message["more_body"] and len(message["body"]) <= bytes_max:
                return message["body"]  # type: ignore[no-any-return]
            return await _whole(message, receive, bytes_max, more_bytes_max)
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            raise BodyRefusedError(Became.TOO_SLOW) from None
        finally:
            self._reading.pop(task, None)
            self._late.discard(task)

    def _watch(self) -> None:
        begun_before = self._loop.time() - self._seconds
        for task, begun in self._reading.items():
            if begun > begun_before:
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        self._loop.call_later(min(self._seconds / 4, WATCH_SECONDS), self._watch)


async def _whole(message: Message, receive: Receive, bytes_max: int, more_bytes_max: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise BodyRefusedError(Became.CUT_OFF)
        part: bytes = message["body"]
        more: bool = message["more_body"]
        size += len(part)
        if size <= bytes_max:
            if not more:
                return part if not parts else b"".join((*parts, part))
            parts.append(part)
        elif not more or size > bytes_max + more_bytes_max:
            raise BodyRefusedError(Became.TOO_LARGE)
        else:
            parts.clear()
        message = await receive()


def start_message(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Message:
    """The head of an answer with this body."""
    length = (b"content-length", str(len(body)).encode())
    return {"type": "http.response.start", "status": status, "headers": [*headers, length]}


def body_message(body: bytes) -> Message:
    """The body of an answer, whole."""
    return {"type": "http.response.body", "body": body}
