"""Reading a request's body: never more than its limit, never longer than its time, and only whole."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Message, Receive

from hub.intake.receive import Became

CLOSING: Final = frozenset({Became.TOO_LARGE, Became.TOO_SLOW, Became.CUT_OFF})
"""After these the rest of the body may still be on its way, so the connection ends with the answer."""


class BodyRefusedError(Exception):
    """The body did not come whole within its limits; `became` says which."""

    def __init__(self, became: Became) -> None:
        super().__init__(became)
        self.became = became


async def read_body(receive: Receive, bytes_max: int, seconds: float, more_bytes_max: int) -> bytes:
    """The whole body, at most `bytes_max` long; BodyRefusedError when it is longer, slower than `seconds` or cut off.

    Of a body that is too long, up to `more_bytes_max` is read and thrown away: a peer that is still writing when the
    connection closes would never see the answer.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise BodyRefusedError(Became.CUT_OFF)
                part, more = message.get("body", b""), message.get("more_body", False)
                size += len(part)
                if size <= bytes_max:
                    if not more:
                        return part if not parts else b"".join((*parts, part))
                    parts.append(part)
                elif not more or size > bytes_max + more_bytes_max:
                    raise BodyRefusedError(Became.TOO_LARGE)
                else:
                    parts.clear()
    except TimeoutError:
        raise BodyRefusedError(Became.TOO_SLOW) from None


def start_message(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Message:
    """The head of an answer with this body."""
    length = (b"content-length", str(len(body)).encode())
    return {"type": "http.response.start", "status": status, "headers": [*headers, length]}


def body_message(body: bytes) -> Message:
    """The body of an answer, whole."""
    return {"type": "http.response.body", "body": body}
