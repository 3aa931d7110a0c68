"""Platforms in small as separate HTTP servers on loopback ports: one server, one thread, one port and one lock each.

What a sandbox does wrong behind the transport seam happens here on the wire: no answer is a connection reset, an endless body
is streamed until the other side gives up.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.clock import Clock
from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import NoAnswerError, NotSentError, Request, Response

HOST: Final = "127.0.0.1"
REQUEST_BYTES_MAX: Final = 32 * 1024 * 1024
CHUNK_BYTES: Final = 65_536
ANSWER_BYTES_MAX: Final = 2**40
"""The sandbox sends whatever it has: the limit is the client's business."""
DEADLINE_SECONDS: Final = 60.0
START_SECONDS_MAX: Final = 10.0
STOP_SECONDS_MAX: Final = 5.0
KEEP_ALIVE_SECONDS: Final = 60
RESET: Final = "samklang.reset"
Made = TypeVar("Made")


class Scope(Protocol):
    """An ASGI scope, as far as it is read here."""

    def __getitem__(self, name: str) -> Any: ...


class ResettingProtocol(HttpToolsProtocol):
    """HTTP as ever, and a way for the application to break the connection off without an answer."""

    def on_message_begin(self) -> None:
        """Hand the application the means to break off."""
        super().on_message_begin()
        self.scope["extensions"] = {RESET: {"now": self.transport.abort}}


class Port:
    """One small platform on a loopback port of its own, its people's hands beside it."""

    def __init__(self, name: str, sandbox: SandboxBase, clock: Clock) -> None:
        self.name = name
        self.sandbox = sandbox
        self._lock = threading.RLock()
        self._clock = clock
        self._listening = listening_socket()
        self.url = f"http://{HOST}:{self._listening.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._asgi,
                http=ResettingProtocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="critical",
                access_log=False,
                date_header=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._serve, name=f"platform {name}", daemon=True)

    def start(self) -> None:
        """Serve; returns when the platform answers."""
        self._thread.start()
        ends = self._clock.monotonic() + START_SECONDS_MAX
        while not self._server.started:
            if self._clock.monotonic() > ends or not self._thread.is_alive():
                raise RuntimeError(f"the platform of {self.name} does not start")
            self._clock.sleep(0.01)

    def stop(self) -> None:
        """Close the port and every connection."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS_MAX)
        self._listening.close()

    def look(self, eye: Callable[[SandboxBase], Made]) -> Made:
        """What this eye sees of the platform, while nothing changes it."""
        with self._lock:
            return eye(self.sandbox)

    def act(self, hand: Callable[[SandboxBase], object]) -> list[Request]:
        """Let a person do this on the platform; gives the deliveries that just this caused, not posted yet."""
        with self._lock:
            waiting = list(self.sandbox.outbox)
            self.sandbox.outbox.clear()
            hand(self.sandbox)
            caused = list(self.sandbox.outbox)
            self.sandbox.outbox.clear()
            self.sandbox.outbox.extend(waiting)
        return caused

    def take(self) -> list[Request]:
        """The deliveries that wait to be posted, taken out."""
        with self._lock:
            waiting = list(self.sandbox.outbox)
            self.sandbox.outbox.clear()
        return waiting

    def writes(self) -> int:
        """How many writing requests the platform has received."""
        return self.look(lambda sandbox: sum(1 for call in sandbox.calls if call.writes))

    def sandbox_secrets(self) -> dict[str, str]:
        """What lets the hub in, by the manifest's names."""
        channel: dict[str, dict[str, str]] = getattr(self.sandbox, "CHANNEL")  # noqa: B009
        return dict(channel["secrets"])

    def visitor_secrets(self) -> dict[str, str]:
        """What lets a visitor in: where the platform counts each caller's calls, one of its own."""
        own: dict[str, str] = getattr(self.sandbox, "VISITOR", {})
        return {**self.sandbox_secrets(), **own}

    def _serve(self) -> None:
        self._server.run(sockets=[self._listening])

    async def _asgi(self, scope: Scope, receive: Any, send: Any) -> None:
        body = await _body(receive)
        if body is None:
            await _answer(send, Response(413))
            return
        try:
            answer = self.look(lambda sandbox: sandbox.send(_request(scope, body), DEADLINE_SECONDS, ANSWER_BYTES_MAX))
        except (NotSentError, NoAnswerError):
            scope["extensions"][RESET]["now"]()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await _answer(send, answer)


def listening_socket() -> socket.socket:
    """A socket bound to a free loopback port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by every connection: an answer's head and body are two writes, and the second would wait for an acknowledgement
    # that the other side delays by 40 ms. asyncio sees to it only on sockets whose protocol is named.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.bind((HOST, 0))
    return made


def _request(scope: Scope, body: bytes) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = cast(bytes, scope["query_string"]).decode("ascii")
    path = cast(bytes, scope["raw_path"]).decode("ascii")
    url = f"http://{headers.get('host', HOST)}{path}" + (f"?{query}" if query else "")
    return Request(scope["method"], url, headers, body)


async def _body(receive: Any) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > REQUEST_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def _answer(send: Any, answer: Response) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if len(answer.body) <= CHUNK_BYTES:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    for start in range(0, len(answer.body), CHUNK_BYTES):
        # No length is announced: nobody knows beforehand where a long one ends.
        await send({"type": "http.response.body", "body": answer.body[start : start + CHUNK_BYTES], "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b"", "more_body": False})
