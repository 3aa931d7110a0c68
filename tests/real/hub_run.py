"""A hub as a merchant runs it: `samklang run` on a configuration of its own, stopped after the test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from systems import RealTryton, RealVendure

READY_SECONDS_MAX = 40
END_SECONDS_MAX = 90
LOOK_SECONDS = 0.1
HOOK_SECRET = "made-up-hook-secret"

HUB = "name: real\nserver: {{host: 127.0.0.1, port: {port}, public_url: 'http://127.0.0.1:{port}'}}\n"
LOCATIONS = 'warehouse: {{title: Warehouse, channels: {{erp: "{storage}"}}}}\n'
AUTHORITY = """
items: [{channel: erp}]
stock: [{channel: erp, covers: [warehouse], contains: ["own:shipped"]}]
prices: [{channel: erp, list: retail}]
"""
PRICING = """
lists: {retail: {currency: DKK, tax: excluded, country: DK}}
taxes: {DK: 25}
channels:
  webshop: {list: retail, tax: included}
"""
ERP = """
channel: erp
connector: tryton
role: erp
mode: live
base_url: {url}
settings: {{database: {database}, username: {user}, currency: DKK, shipping_product: "{shipping}"}}
secrets: {{password: "env:REAL_ERP_PASSWORD"}}
streams:
  items: {{poll_seconds: 1, sweep_seconds: 60}}
  stock: {{poll_seconds: 1, sweep_seconds: 60}}
  orders: {{poll_seconds: 1, sweep_seconds: 3600}}
orders: {{export_from: [webshop], suspense_payment: web, taxes: {{"25": "{tax}"}}, suspense_tax: "{tax}"}}
"""
WEBSHOP = """
channel: webshop
connector: vendure
role: webshop
mode: {mode}
base_url: {url}
settings: {{stock_location: "1", currency: DKK, prices_tax: included, username: {user}}}
secrets: {{password: "env:REAL_SHOP_PASSWORD", hook_secret: "env:REAL_HOOK_SECRET"}}
sells_from: [warehouse]
streams:
  items: {{poll_seconds: 1, sweep_seconds: 60}}
  stock: {{poll_seconds: 0, sweep_seconds: 10}}
  orders: {{poll_seconds: 2, sweep_seconds: 3600}}
orders: {{take_in: true}}
orders_since: "2020-01-01"
"""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningHub:
    """`samklang run` for a real ERP and a real shop; `command` runs another samklang command on the same configuration."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.hook_url = f"http://127.0.0.1:{port}/hooks/webshop"
        self._running: subprocess.Popen[bytes] | None = None
        self._environment = dict(os.environ)

    def configure(
        self, erp: RealTryton, storage: int, shop: RealVendure, mode: str = "live", *, shipping: str = "", tax: str = ""
    ) -> None:
        """Write the configuration; `shipping` and `tax` are the ERP's ids of its shipping service and of 25 % VAT."""
        files = {
            "hub.yaml": HUB.format(port=self.port),
            "locations.yaml": LOCATIONS.format(storage=storage),
            "authority.yaml": AUTHORITY,
            "pricing.yaml": PRICING,
            "channels/erp.yaml": ERP.format(url=erp.base_url, database=erp.database, user=erp.user, shipping=shipping, tax=tax),
            "channels/webshop.yaml": WEBSHOP.format(url=shop.base_url, user=shop.superadmin, mode=mode),
        }
        (self.folder / "channels").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self._environment |= {
            "REAL_ERP_PASSWORD": erp.password, "REAL_SHOP_PASSWORD": shop.password, "REAL_HOOK_SECRET": HOOK_SECRET,
        }  # fmt: skip

    def start(self) -> None:
        """Start it and wait until its receiver is ready."""
        command = [sys.executable, "-m", "hub.cli.main", "run", str(self.folder)]
        with (self.folder / "hub.log").open("ab") as log:
            self._running = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        wait_for("the hub is ready", self._ready, READY_SECONDS_MAX)

    def stop(self) -> int:
        """End it in good order; gives its exit code."""
        if self._running is None:
            return 0
        self._running.terminate()
        return self._running.wait(END_SECONDS_MAX)

    def kill(self) -> None:
        """Kill it and both its halves at once, as a machine that loses its power."""
        if self._running is None:
            return
        halves = Path(f"/proc/{self._running.pid}/task/{self._running.pid}/children").read_text(encoding="ascii").split()
        for pid in [self._running.pid, *map(int, halves)]:
            os.kill(pid, signal.SIGKILL)
        self._running.wait(END_SECONDS_MAX)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another samklang command on this configuration."""
        command = [sys.executable, "-m", "hub.cli.main", *arguments, "--config", str(self.folder)]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60, check=False)

    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "hub.log").read_text(encoding="utf-8")

    def _ready(self) -> bool:
        if self._running is not None and self._running.poll() is not None:
            raise AssertionError(f"the hub ended: {self.log()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def wait_for(what: str, reached: Callable[[], bool], seconds: float) -> float:
    """Wait until the state is reached, at most so long; gives how long it took."""
    began = time.monotonic()
    while not reached():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not reached within {seconds} s: {what}")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began
