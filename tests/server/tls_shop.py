"""A WooCommerce in small behind real TLS: its certificate is its own, its webhooks go out over HTTP."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.woocommerce.sandbox import Sandbox
from hub.clock import SystemClock
from hub.sdk.wire import NoAnswerError, Request
from hub.simulate.postman import post


class TlsShop:
    """The small WooCommerce behind TLS on a loopback port, and the way its webhooks take."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = sandbox = Sandbox(SystemClock())
        self.lock = lock = threading.RLock()

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, f"https://{headers['host']}{self.path}", headers, body)
                try:
                    with lock:
                        answer = sandbox.send(request, 60, 1 << 25)
                except NoAnswerError:
                    self.close_connection = True
                    return
                self.send_response_only(answer.status)
                for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = _any

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        self._server.socket = certified(folder).wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def act(self, hand: Callable[[Sandbox], Any]) -> Any:
        """Let a person do this in the shop."""
        with self.lock:
            return hand(self.sandbox)

    def deliver(self) -> list[int]:
        """Post what its webhooks have to tell; how the hub's server answered."""
        with self.lock:
            told = list(self.sandbox.outbox)
            self.sandbox.outbox.clear()
        answers = [post(one) for one in told]
        for one, status in zip(told, answers, strict=True):
            self.act(lambda shop, one=one, status=status: shop.delivered(one, status))
        return answers

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def certified(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate of its own for 127.0.0.1; written to `shop.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made webshop")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "shop.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "shop.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "shop.pem", folder / "shop.key")
    return context
