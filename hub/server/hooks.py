"""`/hooks/{channel}`: the hot path, a raw ASGI callable. Size, signature on the raw bytes, durable commit, then the answer.

Nothing is understood here. An answer 200 means that the delivery is on the disk; every other answer means that nothing
of it was kept.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope, Send

from hub.clock import Clock
from hub.errors import UnverifiedError
from hub.intake.receive import Became, ChannelDoor, admit, challenged
from hub.sdk.contract import Delivery
from hub.server.address import PublicAddress
from hub.server.body import CLOSING, BodyReader, BodyRefusedError, body_message, start_message
from hub.server.commit import GroupCommit, NotStoredError, QueueFullError
from hub.server.limits import Limits

log: Final = logging.getLogger("samklang.intake")
PREFIX: Final = "/hooks/"
STATUS: Final = {
    Became.UNVERIFIED: 401,
    Became.UNKNOWN_CHANNEL: 404,
    Became.WRONG_METHOD: 405,
    Became.TOO_LARGE: 413,
    Became.TOO_SLOW: 408,
    Became.CUT_OFF: 400,
    Became.QUEUE_FULL: 503,
    Became.NOT_STORED: 503,
    Became.FAILED: 500,
}
STORED_START: Final = start_message(200, b"{}")
"""Without a content type: platforms look at the status alone, and each header costs the hot path (measured: 2 % of it)."""
STORED_BODY: Final = body_message(b"{}")


class Hooks:
    """The ASGI callable; `doors` may be replaced at any time, requests under way go on with the door they came by."""

    def __init__(
        self, doors: Mapping[str, ChannelDoor], bodies: BodyReader, commits: GroupCommit, limits: Limits, clock: Clock
    ) -> None:
        self.doors = doors
        self._bodies = bodies
        self._commits = commits
        self._limits = limits
        self._clock = clock
        self._trace = commits.trace
        self._address = PublicAddress(limits.public_url, limits.trusted_proxies)
        self._refusals = {became: _refusal(became, limits.retry_after_seconds) for became in STATUS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self.doors.get(scope["path"][len(PREFIX) :])
        method: str = scope["method"]
        refused = Became.UNKNOWN_CHANNEL if door is None else Became.WRONG_METHOD if method not in door.methods else None
        limits = self._limits
        headers = _headers(scope)
        try:
            bytes_max = limits.refused_bytes_max if door is None or refused else door.body_bytes_max
            # Who asks first whether to send (Expect) is told at once; nobody else is cut short while writing.
            declared = headers.get("content-length", "") if "expect" in headers else ""
            if declared.isdecimal() and int(declared) > bytes_max:
                raise BodyRefusedError(Became.TOO_LARGE)
            body = await self._bodies.read(receive, bytes_max, limits.refused_bytes_max)
        except BodyRefusedError as bad:
            await self._refuse(send, door, refused or bad.became, closing=True)
            return
        if door is None or refused:
            await self._refuse(send, door, refused or Became.UNKNOWN_CHANNEL)
            return
        query_string: bytes = scope["query_string"]
        query = dict(parse_qsl(query_string.decode("latin-1"), True)) if query_string else {}
        delivery = Delivery(method, self._address.url(scope, headers), headers, query, body)
        if method != "POST":
            await self._challenge(send, door, delivery)
            return
        try:
            seq = await self._commits.submit(admit(door, delivery, self._clock))
        except UnverifiedError:
            became = Became.UNVERIFIED
        except QueueFullError:
            became = Became.QUEUE_FULL
        except NotStoredError:
            became = Became.NOT_STORED
        except Exception as bad:
            log.error("channel %s: verifying a delivery broke: %s", door.channel, type(bad).__name__)
            became = Became.FAILED
        else:
            if self._trace is not None:
                self._trace("answering", seq)
            await send(STORED_START)
            await send(STORED_BODY)
            return
        await self._refuse(send, door, became)

    async def _challenge(self, send: Send, door: ChannelDoor, delivery: Delivery) -> None:
        try:
            answer = challenged(door, delivery)
        except UnverifiedError:
            await self._refuse(send, door, Became.UNVERIFIED)
            return
        except Exception as bad:
            log.error("channel %s: answering a challenge broke: %s", door.channel, type(bad).__name__)
            await self._refuse(send, door, Became.FAILED)
            return
        self._commits.tally[door.channel, Became.CHALLENGED] += 1
        await send(start_message(200, answer, (b"content-type", b"text/plain; charset=utf-8")))
        await send(body_message(answer))

    async def _refuse(self, send: Send, door: ChannelDoor | None, became: Became, *, closing: bool = False) -> None:
        # An unknown name is a stranger's word: it is counted, but not under that name.
        self._commits.tally[door.channel if door else "", became] += 1
        start = self._refusals[became]
        extra = []
        if door is not None and became is Became.WRONG_METHOD:
            extra.append((b"allow", ", ".join(sorted(door.methods)).encode()))
        if closing or became in CLOSING:
            extra.append((b"connection", b"close"))
        await send({**start, "headers": [*start["headers"], *extra]})
        await send(body_message(b""))


def _refusal(became: Became, retry_after_seconds: int) -> Message:
    again = [(b"retry-after", str(retry_after_seconds).encode())] if STATUS[became] == 503 else []
    return start_message(STATUS[became], b"", *again)


def _headers(scope: Scope) -> dict[str, str]:
    """Names in lower case; a repeated name keeps all its values, so that a second signature cannot replace the first."""
    pairs: list[tuple[bytes, bytes]] = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    if len(headers) != len(pairs):
        headers = {}
        for name, value in pairs:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
