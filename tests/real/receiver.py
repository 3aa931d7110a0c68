"""A loopback receiver that keeps every delivery's raw bytes, for tests of the webshop without a hub."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

BODY_BYTES_MAX = 1_000_000
KEPT_MAX = 10_000
WAIT_SECONDS_MAX = 20


@dataclass(frozen=True)
class Delivery:
    """One POST as it came: header names in lower case, body untouched."""

    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """Answers 200 to every POST and keeps it (507 when full)."""

    secret = "loopback-hook-secret"

    def __init__(self) -> None:
        self._kept: list[Delivery] = []
        self._arrived = threading.Condition()
        keep = self._keep

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("content-length", "0")), BODY_BYTES_MAX)
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(200 if keep(Delivery(headers, self.rfile.read(length))) else 507)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hooks/webshop"

    def forget(self) -> None:
        """Drop what has arrived so far."""
        with self._arrived:
            self._kept.clear()

    def told(self, event: str) -> Delivery:
        """The first kept delivery of this event, waiting for it; TimeoutError when it does not come."""
        found: list[Delivery] = []

        def there() -> bool:
            found[:] = [one for one in self._kept if one.headers.get("x-vendure-event") == event][:1]
            return bool(found)

        with self._arrived:
            if not self._arrived.wait_for(there, WAIT_SECONDS_MAX):
                raise TimeoutError(f"no {event} within {WAIT_SECONDS_MAX} s")
        return found[0]

    def _keep(self, delivery: Delivery) -> bool:
        with self._arrived:
            if len(self._kept) >= KEPT_MAX:
                return False
            self._kept.append(delivery)
            self._arrived.notify_all()
            return True

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
