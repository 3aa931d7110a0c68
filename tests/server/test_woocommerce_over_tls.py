"""A WooCommerce in small behind real TLS, an ERP in small, and `samklang run` between them as it is started by a merchant.

Its certificate is self-signed and trusted by the channel's setting; its webhooks come over HTTP to the hub's own server.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from running import ROOT, until

from connectors.tryton.sandbox import Sandbox as Books
from connectors.woocommerce.sandbox import Sandbox
from hub.clock import SystemClock
from hub.sdk.wire import NoAnswerError, Request
from hub.simulate.ports import Port
from hub.simulate.postman import post

WAREHOUSE = "3"
FILES = {
    "locations.yaml": 'warehouse: {title: Warehouse, channels: {erp: "3"}}\n',
    "authority.yaml": """
items: [{channel: erp}]
stock: [{channel: erp, covers: [warehouse], contains: ["own:shipped"], demand: read}]
prices: [{channel: erp, list: retail}]
""",
    "pricing.yaml": """
lists: {retail: {currency: DKK, tax: excluded, country: DK}}
taxes: {DK: 25}
channels: {webshop: {list: retail, tax: included}}
""",
    "channels/erp.yaml": """
channel: erp
connector: tryton
role: erp
mode: live
base_url: BOOKS
orders_since: "2020-01-01"
settings: {database: shop, username: hub, currency: DKK}
secrets: {password: "env:ERP_PASSWORD"}
streams:
  items: {poll_seconds: 1, sweep_seconds: 3600}
  stock: {poll_seconds: 1, sweep_seconds: 3600}
  orders: {poll_seconds: 1, sweep_seconds: 3600}
orders:
  take_in: true
  export_from: [webshop]
  suspense_payment: other
  taxes: {"25": "1"}
  items: {shipping: SHIPPING}
""",
    "channels/webshop.yaml": """
channel: webshop
connector: woocommerce
role: webshop
mode: live
base_url: SHOP
trusted_ca: shop.pem
orders_since: "2020-01-01"
settings: {currency: DKK, prices_tax: included}
secrets: {consumer_key: "env:WOO_KEY", consumer_secret: "env:WOO_SECRET", hook_secret: "env:WOO_HOOK_SECRET"}
sells_from: [warehouse]
price_list: retail
streams:
  items: {poll_seconds: 3600, sweep_seconds: 3600}
  orders: {poll_seconds: 3600, sweep_seconds: 3600}
orders: {take_in: true}
""",
}
"""The webshop is polled once an hour: what the hub hears of it meanwhile its webhooks have told."""


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


class Day:
    """The shop, the books, and the hub between them."""

    def __init__(self, folder: Path) -> None:
        (folder / "channels").mkdir()
        self.shop = TlsShop(folder)
        clock = SystemClock()
        self.books = Port("erp", Books(clock, 0), clock)
        self.books.start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        server = f"name: tls\nserver: {{host: 127.0.0.1, port: {port}, public_url: '{self.url}'}}\n"
        for name, text in {**FILES, "hub.yaml": server}.items():
            (folder / name).write_text(text.replace("SHOP\n", f"{self.shop.url}\n").replace("BOOKS", self.books.url))
        self._furnish()
        given = Sandbox.CHANNEL["secrets"]
        secrets = {
            "WOO_KEY": given["consumer_key"],
            "WOO_SECRET": given["consumer_secret"],
            "WOO_HOOK_SECRET": given["hook_secret"],
            "ERP_PASSWORD": Books.CHANNEL["secrets"]["password"],
        }
        command = [sys.executable, "-m", "hub.cli.main", "run", str(folder)]
        self.log = folder / "log"
        with self.log.open("wb") as said:
            self._hub = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **secrets}, stdout=said, stderr=subprocess.STDOUT)

    def _furnish(self) -> None:
        def fill(books: Any) -> None:
            books.add_intangible("SHIPPING", "Shipping")
            for number in range(4):
                books.add_item(f"TEE-{number}", f"Tee {number}", price=Decimal("159.96"))
                books.count(f"TEE-{number}", 12, WAREHOUSE)

        self.books.act(fill)
        for number in range(4):
            self.shop.act(lambda shop, n=number: shop.add_item(f"TEE-{n}", f"Tee {n}", price=Decimal(180)))

    def offers(self, sku: str) -> tuple[int, Decimal]:
        """Pieces and price that a customer of the webshop sees."""
        shown = self.shop.act(lambda shop: shop.shown()[sku])
        return int(shown["stock"][""]), shown["price"]

    def sales(self) -> list[dict[str, Any]]:
        """What stands in the books."""
        found: list[dict[str, Any]] = self.books.look(lambda books: list(books.orders_shown().values()))  # type: ignore[attr-defined]
        return found

    def order(self, ident: str) -> dict[str, Any]:
        """An order as the shop's admin shows it."""
        found: dict[str, Any] = self.shop.act(lambda shop: shop.orders_shown()[ident])
        return found

    def stop(self) -> str:
        """End everything; what the hub said."""
        self._hub.terminate()
        self._hub.wait(20)
        self.books.stop()
        self.shop.stop()
        return self.log.read_text(encoding="utf-8")


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path)
    try:
        yield made
    finally:
        said = made.stop()
    assert "Traceback" not in said
    assert "cs_made_up_secret_0001" not in said


def test_a_day_over_tls_stock_price_order_parcel_refund_both_ways(day: Day) -> None:
    # The hub signs itself up for the webhooks, and the shop greets its address.
    until("the webhooks are subscribed", lambda: len(day.shop.act(lambda shop: shop.webhooks.kept)) == 8, 30)
    assert set(day.shop.deliver()) == {200}
    for sku in ("TEE-0", "TEE-1", "TEE-2", "TEE-3"):
        until(f"{sku} shows what the books say", lambda sku=sku: day.offers(sku) == (12, Decimal("199.95")), 30)

    # ERP → shop: stock and price.
    day.books.act(lambda books: books.count("TEE-1", 5, WAREHOUSE))  # type: ignore[attr-defined]
    day.books.act(lambda books: books.set_price("TEE-2", Decimal("100.00")))  # type: ignore[attr-defined]
    until("the count arrives", lambda: day.offers("TEE-1")[0] == 5)
    until("the price arrives", lambda: day.offers("TEE-2")[1] == Decimal("125.00"))

    # Shop → ERP: an order, told by a webhook alone.
    ident = day.shop.act(lambda shop: shop.order({"TEE-0": 2, "TEE-1": 1}, shipping=Decimal("39.00")))
    assert set(day.shop.deliver()) == {200}
    booked = [("processing", 63_885)]
    until("the order is booked once", lambda: [(one["state"], one["total_minor"]) for one in day.sales()] == booked)
    assert day.offers("TEE-0")[0] == 10

    # ERP → shop: the parcel.
    number = day.books.look(lambda books: next(iter(books.orders_shown())))  # type: ignore[attr-defined]
    day.books.act(lambda books: books.ship(number, tracking="TN1"))  # type: ignore[attr-defined]
    until("the shop shows the parcel", lambda: day.order(ident)["state"] == "completed")
    assert len(day.order(ident)["notes"]) == 1
    assert "TEE-0" not in day.order(ident)["notes"][0], "customers read names"
    assert day.offers("TEE-0")[0] == 10

    # Shop → ERP: a refund with a piece that the shop put on stock again. The books get the credit, once; the piece is not in the
    # warehouse before the books have it.
    day.shop.act(lambda shop: shop.refund(ident, Decimal("199.95"), {"TEE-0": 1}))
    assert set(day.shop.deliver()) == {200}
    until("the credit is booked", lambda: sorted(one["total_minor"] for one in day.sales()) == [-19_995, 63_885])
    until("the shop's own restock is put right by the books", lambda: day.offers("TEE-0")[0] == 10)
    assert day.order(ident)["refunded_minor"] == 19_995
    assert len(day.order(ident)["notes"]) == 1
