"""What the rigs of several connectors have in common: a wire that keeps what passes, and a sandbox on a port."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from hub.files import read_yaml
from hub.sdk.manifest import Manifest
from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import Request, Response

ROOT = Path(__file__).parents[2]


def manifest_of(connector: str) -> Manifest:
    """The connector's manifest as the hub reads it."""
    return Manifest.model_validate(read_yaml(ROOT / "connectors" / connector / "connector.yaml").plain())


@dataclass
class Kept:
    """Hands requests to the sandbox and keeps them."""

    sandbox: SandboxBase
    requests: list[Request] = field(default_factory=list)

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        self.requests.append(request)
        return self.sandbox.send(request, deadline_seconds, answer_bytes_max)


class Served:
    """The sandbox on a loopback port for the length of a `with`; the scheme is as if TLS ended before it."""

    def __init__(self, sandbox: SandboxBase, scheme: str = "http") -> None:
        class Answering(BaseHTTPRequestHandler):
            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, f"{scheme}://{headers['host']}{self.path}", headers, body)
                answer = sandbox.send(request, 30, 1 << 25)
                self.send_response(answer.status)
                for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                    if name != "date":
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = _any

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test's output clean."""

        self.server = HTTPServer(("127.0.0.1", 0), Answering)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *raised: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
