"""A listener that waits for one answer and ends: where a browser, or the platform itself, comes back to after a grant."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import uvicorn

from hub.clock import Clock
from hub.errors import ConfigError, HubError, UnverifiedError

HOST: Final = "127.0.0.1"
BODY_BYTES_MAX: Final = 16_384
QUERY_CHARS_MAX: Final = 16_384
STRANGERS_MAX: Final = 50
"""Requests that are no answer to our question; after so many it stops listening."""
START_SECONDS_MAX: Final = 10.0
STOP_SECONDS_MAX: Final = 3.0
DONE: Final = "<!doctype html><title>Samklang</title><p>{}</p>"
TAKEN: Final = "Granted. You may close this window."
NOT_TAKEN: Final = "This did not work. The command that you started says why."

Accept = Callable[[str, Mapping[str, str], bytes], None]
"""Takes method, query and body; UnverifiedError: not for us, listen on; any other HubError ends the waiting."""


class Once:
    """Listens on a loopback port until an answer was accepted."""

    def __init__(self, path: str, accept: Accept, clock: Clock, port: int = 0) -> None:
        self._path = path
        self._accept = accept
        self._clock = clock
        self._over = clock.wake()
        self._strangers = 0
        self._failed: HubError | None = None
        self._port = port
        self._ready = clock.wake()
        config = uvicorn.Config(
            self._asgi,
            host=HOST,
            port=port,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, self._ready.set)
        self._thread = threading.Thread(target=self._serve, name="once", daemon=True)

    def wait(self, seconds: float, started: Callable[[int], None] = lambda _: None) -> None:
        """Listen until an answer is accepted; ConfigError when none came in time, the accepting error when it was a no.

        `started` is called with the port as soon as it listens.
        """
        self._thread.start()
        try:
            self._clock.wait(self._ready, START_SECONDS_MAX)
            if not self._server.started:
                words = f"cannot listen on {HOST} port {self._port}: is `samklang run` at work there? Name another with --port"
                raise ConfigError(words)
            started(self._server.port())
            came = self._clock.wait(self._over, seconds)
        finally:
            self._server.should_exit = True
            self._thread.join(STOP_SECONDS_MAX)
        if self._failed is not None:
            raise self._failed
        if not came:
            raise ConfigError(f"nobody answered within {seconds:g} s")

    def _serve(self) -> None:
        try:
            self._server.run()
        except SystemExit:
            # uvicorn's way to say that the port is taken.
            pass
        finally:
            self._ready.set()

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        body = await _body(receive)
        status, words = 404, ""
        if scope["path"] == self._path and scope["method"] in ("GET", "POST") and body is not None and not self._over.is_set():
            status, words = self._answered(scope["method"], scope["query_string"], body)
        text = DONE.format(words).encode() if words else b""
        headers = [
            (b"content-length", str(len(text)).encode()),
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"referrer-policy", b"no-referrer"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    def _answered(self, method: str, query_string: bytes, body: bytes) -> tuple[int, str]:
        if len(query_string) > QUERY_CHARS_MAX:
            return 414, ""
        try:
            self._accept(method, dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)), body)
        except UnverifiedError:
            self._strangers += 1
            if self._strangers >= STRANGERS_MAX:
                self._end(ConfigError(f"{STRANGERS_MAX} requests came that were no answer: begin again"))
            return 401, ""
        except HubError as bad:
            self._end(bad)
            return 200, NOT_TAKEN
        self._end(None)
        return 200, TAKEN

    def _end(self, failed: HubError | None) -> None:
        self._failed = failed
        self._over.set()


class _Server(uvicorn.Server):
    """Says when it listens, and where."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listening()

    def port(self) -> int:
        """The port that it listens on."""
        return int(self.servers[0].sockets[0].getsockname()[1])


async def _body(receive: Any) -> bytes | None:
    """The request's body; None when it is longer than an answer can be."""
    parts, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)
