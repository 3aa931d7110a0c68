"""A WooCommerce in small behind real TLS, an ERP and a till in small, and `samklang run` between them as a merchant starts it.

The shop's certificate is self-signed and trusted by the channel's setting; its webhooks come over HTTP to the hub's own server.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from running import ROOT, until
from tls_shop import TlsShop

from connectors.square.sandbox import Sandbox as Till
from connectors.tryton.sandbox import Sandbox as Books
from connectors.woocommerce.sandbox import Sandbox
from hub.clock import SystemClock
from hub.simulate.ports import Port

WAREHOUSE, AARHUS = "3", "LAARHUS000001"
FILES = {
    "locations.yaml": """
warehouse: {title: Warehouse, channels: {erp: "3"}}
aarhus: {title: Shop in Aarhus, channels: {till: LAARHUS000001}}
""",
    "authority.yaml": """
items: [{channel: erp}]
stock:
  - {channel: erp, covers: [warehouse], contains: ["own:shipped"], demand: read}
  - {channel: till, covers: [aarhus], contains: ["till:*"]}
prices: [{channel: erp, list: retail}]
""",
    "pricing.yaml": """
lists: {retail: {currency: DKK, tax: excluded, country: DK}}
taxes: {DK: 25}
channels: {webshop: {list: retail, tax: included}, till: {list: retail, tax: included}}
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
  export_from: [webshop, till]
  suspense_payment: other
  taxes: {"25": "1"}
  items: {shipping: SHIPPING}
  catch_all_item: OTHER
""",
    "channels/till.yaml": """
channel: till
connector: square
role: pos
mode: live
base_url: TILL
orders_since: "2020-01-01"
secrets: {access_token: "env:TILL_TOKEN", signature_key: "env:TILL_KEY"}
price_list: retail
streams:
  items: {poll_seconds: 1, sweep_seconds: 3600}
  stock: {poll_seconds: 1, sweep_seconds: 3600}
  orders: {poll_seconds: 1, sweep_seconds: 3600}
orders: {take_in: true}
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
sells_from: [warehouse, aarhus]
price_list: retail
streams:
  items: {poll_seconds: 3600, sweep_seconds: 3600}
  orders: {poll_seconds: 3600, sweep_seconds: 3600}
orders: {take_in: true, pay_refunds: true}
""",
}
"""The webshop is polled once an hour: what the hub hears of it meanwhile its webhooks have told. For goods that came back
and that nobody has paid it pays."""


class Day:
    """The shop, the books, the till, and the hub between them."""

    def __init__(self, folder: Path) -> None:
        (folder / "channels").mkdir()
        self.shop = TlsShop(folder)
        clock = SystemClock()
        self.books, self.till = Port("erp", Books(clock, 0), clock), Port("till", Till(clock, 0), clock)
        self.books.start()
        self.till.start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        server = f"name: tls\nserver: {{host: 127.0.0.1, port: {port}, public_url: '{self.url}'}}\n"
        for name, text in {**FILES, "hub.yaml": server}.items():
            for word, url in (("SHOP\n", f"{self.shop.url}\n"), ("BOOKS", self.books.url), ("TILL\n", f"{self.till.url}\n")):
                text = text.replace(word, url)
            (folder / name).write_text(text)
        self._furnish()
        given, counter = Sandbox.CHANNEL["secrets"], Till.CHANNEL["secrets"]
        secrets = {
            "WOO_KEY": given["consumer_key"],
            "WOO_SECRET": given["consumer_secret"],
            "WOO_HOOK_SECRET": given["hook_secret"],
            "TILL_TOKEN": counter["access_token"],
            "TILL_KEY": counter["signature_key"],
            "ERP_PASSWORD": Books.CHANNEL["secrets"]["password"],
        }
        command = [sys.executable, "-m", "hub.cli.main", "run", str(folder)]
        self.log = folder / "log"
        with self.log.open("wb") as said:
            self._hub = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **secrets}, stdout=said, stderr=subprocess.STDOUT)

    def _furnish(self) -> None:
        def fill(books: Any) -> None:
            books.add_intangible("SHIPPING", "Shipping")
            books.add_intangible("OTHER", "Other")
            for number in range(4):
                books.add_item(f"TEE-{number}", f"Tee {number}", price=Decimal("159.96"))
                books.count(f"TEE-{number}", 12, WAREHOUSE)

        self.books.act(fill)
        for number in range(4):
            self.shop.act(lambda shop, n=number: shop.add_item(f"TEE-{n}", f"Tee {n}", price=Decimal(180)))
            self.till.act(lambda till, n=number: till.add_item(f"TEE-{n}", f"Tee {n}", price=Decimal(180)))  # type: ignore[attr-defined]
            self.till.act(lambda till, n=number: till.count(f"TEE-{n}", 0, AARHUS))  # type: ignore[attr-defined]

    def offers(self, sku: str) -> tuple[int, Decimal]:
        """Pieces and price that a customer of the webshop sees."""
        shown = self.shop.act(lambda shop: shop.shown()[sku])
        return int(shown["stock"][""]), shown["price"]

    def sales(self) -> list[dict[str, Any]]:
        """What stands in the books."""
        found: list[dict[str, Any]] = self.books.look(lambda books: list(books.orders_shown().values()))  # type: ignore[attr-defined]
        return found

    def booked(self) -> list[int]:
        """The totals of what stands in the books, in minor units; credits are below zero."""
        return sorted(one["total_minor"] for one in self.sales())

    def ship(self, tracking: str) -> None:
        """The warehouse sends the one order that stands in the books."""
        (sale,) = self.books.look(lambda books: list(books.orders_shown()))  # type: ignore[attr-defined]
        self.books.act(lambda books: books.ship(sale, tracking=tracking))  # type: ignore[attr-defined]

    def take_back(self, sku: str, number: str, amount: Decimal) -> None:
        """A piece of an order comes back over the counter in Aarhus, and this much is paid out."""
        self.till.act(lambda till: till.take_back(sku, 1, AARHUS, reference=number, amount=amount))  # type: ignore[attr-defined]

    def order(self, ident: str) -> dict[str, Any]:
        """An order as the shop's admin shows it."""
        found: dict[str, Any] = self.shop.act(lambda shop: shop.orders_shown()[ident])
        return found

    def stop(self) -> str:
        """End everything; what the hub said."""
        self._hub.terminate()
        self._hub.wait(20)
        self.books.stop()
        self.till.stop()
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


def opened(day: Day) -> None:
    """The hub signs itself up for the webhooks, the shop greets its address, and everything shows what the books say."""
    until("the webhooks are subscribed", lambda: len(day.shop.act(lambda shop: shop.webhooks.kept)) == 8, 30)
    assert set(day.shop.deliver()) == {200}
    for sku in ("TEE-0", "TEE-1", "TEE-2", "TEE-3"):
        until(f"{sku} shows what the books say", lambda sku=sku: day.offers(sku) == (12, Decimal("199.95")), 30)


def test_a_day_over_tls_stock_price_order_parcel_both_ways(day: Day) -> None:
    opened(day)

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
    day.ship("TN1")
    until("the shop shows the parcel", lambda: day.order(ident)["state"] == "completed")
    assert len(day.order(ident)["notes"]) == 1
    assert "TEE-0" not in day.order(ident)["notes"][0], "customers read names"
    until("what was sent is sold once", lambda: day.offers("TEE-0")[0] == 10)

    # Shop → ERP: a count in the shop's own admin is no word about stock here, and is put right.
    day.shop.act(lambda shop: shop.count("TEE-3", 40))
    assert set(day.shop.deliver()) == {200}
    until("the shop's own count is put right by the books", lambda: day.offers("TEE-3")[0] == 12)


def test_refunds_over_tls_both_ways(day: Day) -> None:
    opened(day)
    ident = day.shop.act(lambda shop: shop.order({"TEE-0": 5}, shipping=Decimal("39.00")))
    assert set(day.shop.deliver()) == {200}
    booked = [("processing", 103_875)]
    until("the order is booked once", lambda: [(one["state"], one["total_minor"]) for one in day.sales()] == booked)
    number = f"webshop-{day.order(ident)['number']}"
    day.ship("TN1")
    until("the shop shows the parcel", lambda: day.order(ident)["state"] == "completed")
    until("what was sent is sold once", lambda: day.offers("TEE-0")[0] == 7)

    # Shop → books: money for the shipping alone, then for a piece that the shop put on stock again by itself. Each becomes a
    # credit once; the piece is nowhere before whoever counts it has it.
    day.shop.act(lambda shop: shop.refund(ident, Decimal("39.00"), shipping=Decimal("39.00")))
    assert set(day.shop.deliver()) == {200}
    until("the shipping is credited", lambda: day.booked() == [-3_900, 103_875])
    day.shop.act(lambda shop: shop.refund(ident, Decimal("199.95"), {"TEE-0": 1}))
    assert set(day.shop.deliver()) == {200}
    until("the piece is credited", lambda: day.booked() == [-19_995, -3_900, 103_875])
    until("the shop's own restock is put right by the books", lambda: day.offers("TEE-0")[0] == 7)

    # Till → shop: a piece comes back over the counter and its money is paid out there. The books get the credit; the shop is
    # told, pays nothing, and sells the piece again.
    day.take_back("TEE-0", number, Decimal("199.95"))
    until("the till's return is credited", lambda: day.booked() == [-19_995, -19_995, -3_900, 103_875])
    until("the shop is told what was paid elsewhere", lambda: bool(paid_elsewhere(day, ident)))
    until("the shop sells what came back", lambda: day.offers("TEE-0")[0] == 8)
    (words,) = paid_elsewhere(day, ident)
    assert words.startswith("199.95 DKK was paid back by Shop in Aarhus for 1 × Tee 0.")
    assert day.order(ident)["refunded_minor"] == 23_895

    # Till → shop: another one comes back without money. The shop pays it. The books get the goods, and what was paid, each once.
    day.take_back("TEE-0", number, Decimal(0))
    until("the shop pays what nobody paid", lambda: day.order(ident)["refunded_minor"] == 43_890)
    assert set(day.shop.deliver()) == {200}
    until("what the shop paid is credited", lambda: day.booked() == [-19_995, -19_995, -19_995, -3_900, 0, 103_875])
    until("the shop sells that one too", lambda: day.offers("TEE-0")[0] == 9)

    # ERP → shop: a parcel with the fourth comes back to the warehouse. The books have their credit themselves; the shop pays it.
    back = day.books.look(lambda books: books.order({"TEE-0": -1}, paid=False, reference=number))  # type: ignore[attr-defined]
    day.books.act(lambda books: books.receive_back(back))  # type: ignore[attr-defined]
    until("the shop pays what came back to the warehouse", lambda: day.order(ident)["refunded_minor"] == 63_885)
    assert set(day.shop.deliver()) == {200}
    until("the shop sells what is in the warehouse again", lambda: day.offers("TEE-0")[0] == 10)

    # What the hub did itself came back to it as webhooks and made nothing new: a last refund is credited beside what stood there.
    day.shop.act(lambda shop: shop.refund(ident, Decimal("1.00")))
    assert set(day.shop.deliver()) == {200}
    stood = [-19_995, -19_995, -19_995, -19_995, -3_900, -100, 0, 103_875]
    until("the last refund is credited, and nothing else", lambda: day.booked() == stood)
    day.shop.act(lambda shop: shop.count("TEE-3", 40))
    assert set(day.shop.deliver()) == {200}
    until("what was done after it is put right, so all of it was worked off", lambda: day.offers("TEE-3")[0] == 12)
    assert day.booked() == stood
    assert (day.order(ident)["refunded_minor"], len(paid_elsewhere(day, ident))) == (63_985, 1)


def paid_elsewhere(day: Day, ident: str) -> list[str]:
    """What the shop's staff read of money that was not paid there."""
    return [note for note in day.order(ident)["staff_notes"] if "was paid back" in note]
