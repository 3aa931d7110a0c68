"""A small shop as it runs: `samklang run` as processes of their own, a till and a webshop in small on loopback ports beside them.

The webshop's connector is the shipped one with a deadline of two seconds, as a merchant's own: after a crash the hub waits out
one deadline before it looks, and a test need not.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.clock import SystemClock
from hub.sdk.registry import Registry
from hub.sdk.sandbox import Call
from hub.sdk.wire import Request
from hub.simulate.ports import Port
from hub.simulate.postman import post
from hub.store.sqlite import SqliteDatabase

ROOT = Path(__file__).resolve().parents[2]
PLACE = "LAARHUS000001"
READY_SECONDS = 20.0
WAIT_SECONDS = 20.0
DEADLINE_SECONDS = 2
TAKEN_UP = "the new configuration is taken up"
DOORS_OPEN = "the doors of the new configuration are open"
SKUS = [f"TEE-{number:02d}" for number in range(1, 17)]
PIECES = 40
TILL_SECRETS = {"access_token": "sandbox-access-token", "signature_key": "sandbox-signature-key"}
SHOP_SECRETS = {"password": "made-up-password", "hook_secret": "made-up-hook-secret"}

HUB = """
name: test
server: {{host: 127.0.0.1, port: {port}, public_url: 'http://127.0.0.1:{port}', body_bytes_max: 20000}}
connectors: [own/connectors]
mappings: [own/mappings]
trust_code: true
"""
LOCATIONS = 'aarhus: {title: Shop in Aarhus, channels: {till: "LAARHUS000001"}}\n'
AUTHORITY = """
items: [{channel: till}]
stock: [{channel: till, covers: [aarhus], contains: ["till:*"]}]
prices: [{channel: till, list: shop}]
"""
PRICING = """
lists: {shop: {currency: DKK, tax: included, country: DK}}
taxes: {DK: 25}
channels: {webshop: {list: shop, tax: included}}
"""
TILL = """
channel: till
connector: square
role: pos
mode: live
base_url: {url}
secrets: {{access_token: "file:secrets/access_token", signature_key: "file:secrets/signature_key"}}
streams: {{items: {{poll_seconds: 1, sweep_seconds: 3600}}, stock: {{poll_seconds: {poll}, sweep_seconds: 3600}}}}
"""
WEBSHOP = """
channel: webshop
connector: quickshop
role: webshop
mode: live
base_url: {url}
settings: {{stock_location: "1", currency: DKK, prices_tax: included, username: superadmin}}
secrets: {{password: "file:secrets/password", hook_secret: "file:secrets/hook_secret"}}
sells_from: [aarhus]
streams: {{items: {{poll_seconds: 1, sweep_seconds: 3600}}, stock: {{sweep_seconds: {sweep}}}}}
"""


def until(what: str, true: Callable[[], bool], seconds: float = WAIT_SECONDS) -> float:
    """Wait for a condition, at most so long; how long it took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"in vain for {seconds} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - began


class Shop:
    """The till, the webshop and the hub between them."""

    def __init__(
        self, folder: Path, *, items: int = len(SKUS), till_poll_seconds: int = 0, shop_sweep_seconds: int = 3600
    ) -> None:
        self.folder = folder / "config"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clock, registry = SystemClock(), Registry([])
        self.ports = {
            name: Port(name, registry.sandbox_class(kind)(clock, 0), clock)
            for name, kind in (("till", "square"), ("webshop", "vendure"))
        }
        for name, each in self.ports.items():
            each.sandbox.hook_url = f"{self.url}/hooks/{name}"
            each.start()
        self.effects: list[tuple[str, int, int]] = []
        """(SKU, stock before, stock after) of every stock figure that was written to the webshop."""
        self._processes: list[subprocess.Popen[bytes]] = []
        self.answered: list[Request] = []
        """Deliveries answered 200."""
        self.turned_away = 0
        """How often a true delivery found nobody, or no room."""
        self._stock(SKUS[:items])
        self._watch_effects()
        self._configure(till_poll_seconds, shop_sweep_seconds)

    # what people do and see

    def till(self, hand: str, sku: str, pieces: int) -> list[Request]:
        """Sell, take back or count at the till; the deliveries of counts that this caused, not posted yet."""
        told = self.ports["till"].act(lambda till: getattr(till, hand)(sku, pieces, PLACE))
        return [each for each in told if b'"inventory.count.updated"' in each.body]

    def shows(self) -> dict[str, int]:
        """What the webshop offers of each SKU."""
        return self.ports["webshop"].look(_stocks)

    def lies(self) -> dict[str, int]:
        """What lies in the shop by the till's own count."""
        return self.ports["till"].look(_stocks)

    def prices(self) -> dict[str, Decimal]:
        """What the webshop asks for each SKU."""
        return self.ports["webshop"].look(_prices)

    def agree(self) -> bool:
        """Whether webshop and till show the same."""
        return self.shows() == self.lies()

    def calls(self, name: str) -> list[Call]:
        """Every call that a platform has answered."""
        return self.ports[name].look(lambda sandbox: list(sandbox.calls))

    def deliver(self, deliveries: list[Request], attempts: int = 400) -> int:
        """Post each delivery until it is answered 200, as platforms do; how many were taken."""
        for delivery in deliveries:
            for _ in range(attempts):
                status = post(delivery)
                if status == 200:
                    self.answered.append(delivery)
                    break
                assert status in (0, 503), f"a true delivery was answered {status}"
                self.turned_away += 1
                time.sleep(0.05)
            else:
                raise AssertionError("a delivery was never taken")
        return len(deliveries)

    # the hub

    def start(self, *, ready: bool = True) -> subprocess.Popen[bytes]:
        """Start `samklang run`; with `ready` wait until it takes deliveries and webshop and till agree."""
        with (self.folder.parent / "hub.log").open("ab") as log:
            made = subprocess.Popen([*COMMAND, "run", str(self.folder), "--json-logs"], env=environ(), stdout=log, stderr=log)
        self._processes.append(made)
        if ready:
            until("the receiver is ready", self.ready, READY_SECONDS)
            until("webshop and till agree", self.agree)
        return made

    def stop(self) -> int:
        """End the newest run in good order; its exit code."""
        self._processes[-1].terminate()
        return self._processes[-1].wait(WAIT_SECONDS)

    def ready(self) -> bool:
        """Whether deliveries are taken."""
        last = self._processes[-1]
        assert last.poll() is None, f"the hub ended with {last.returncode}: {self.log()[-3000:]}"
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def halves(self) -> dict[str, int]:
        """The process ids of `serve` and `work` under the newest run."""
        return halves_of(self._processes[-1].pid)

    def kill(self, half: str) -> int:
        """Kill one half (or "run", the parent) where it stands; its process id."""
        pid = self._processes[-1].pid if half == "run" else self.halves()[half]
        os.kill(pid, signal.SIGKILL)
        if half == "run":
            self._processes[-1].wait(WAIT_SECONDS)
        return pid

    def reload(self) -> None:
        """Ask the pair to take up the configuration anew."""
        os.kill(self._processes[-1].pid, signal.SIGHUP)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command on this configuration."""
        return command(*words, "--config", str(self.folder))

    def files(self) -> dict[str, str]:
        """The configuration as it stands, by file name."""
        found = [path for path in self.folder.rglob("*") if path.is_file() and self.folder / "data" not in path.parents]
        return {str(path.relative_to(self.folder)): path.read_text(encoding="utf-8") for path in found if path.suffix != ".pyc"}

    def put_back(self, files: dict[str, str]) -> None:
        """Make the configuration what it was, and wait until the hub works by it again."""
        if self.files() == files:
            return
        for name in self.files().keys() - files.keys():
            (self.folder / name).unlink()
        for name, text in files.items():
            self.write(name, text)
        taken, opened = self.log().count(TAKEN_UP), self.log().count(DOORS_OPEN)
        self.reload()
        until("the old configuration is back", lambda: self.log().count(TAKEN_UP) > taken)
        until("the old doors are back", lambda: self.log().count(DOORS_OPEN) > opened)

    def letters(self) -> list[dict[str, Any]]:
        """The open dead letters, as `samklang dead` lists them."""
        said = self.command("dead", "--json")
        assert said.returncode in (0, 1), said.stderr
        listed: list[dict[str, Any]] = json.loads(said.stdout)["letters"]
        return listed

    def log(self) -> str:
        """What the hub has said."""
        return (self.folder.parent / "hub.log").read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Write a file of the configuration."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def end(self) -> None:
        """End everything that was started, however it stands."""
        for process in self._processes:
            left = list(halves_of(process.pid).values()) if process.poll() is None else []
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(WAIT_SECONDS)
                except subprocess.TimeoutExpired:
                    for pid in (process.pid, *left):
                        os.kill(pid, signal.SIGKILL)
                    process.wait()
        for each in self.ports.values():
            each.stop()

    # beginnings

    def _stock(self, skus: list[str]) -> None:
        for sku in skus:
            for port in self.ports.values():
                port.act(lambda platform, sku=sku: platform.add_item(sku, f"T-shirt {sku}", price=Decimal("100.00")))  # type: ignore[misc]
            self.till("count", sku, PIECES)

    def _watch_effects(self) -> None:
        shop: Any = self.ports["webshop"].sandbox
        update = shop.shop.update_variants

        def watched(variants: list[dict[str, Any]]) -> Any:
            before = _stocks(shop)
            result = update(variants)
            after, named = _stocks(shop), {one.sku: str(one.id) for one in shop.shop.variants.values()}
            written = {str(each["id"]) for each in variants if each.get("stockLevels")}
            self.effects += [(sku, before[sku], after[sku]) for sku, ident in named.items() if ident in written]
            return result

        shop.shop.update_variants = watched

    def _configure(self, poll: int, sweep: int) -> None:
        for name, text in {
            "hub.yaml": HUB.format(port=self.port),
            "locations.yaml": LOCATIONS,
            "authority.yaml": AUTHORITY,
            "pricing.yaml": PRICING,
            "channels/till.yaml": TILL.format(url=self.ports["till"].url, poll=poll),
            "channels/webshop.yaml": WEBSHOP.format(url=self.ports["webshop"].url, sweep=sweep),
            **{f"secrets/{name}": value for name, value in {**TILL_SECRETS, **SHOP_SECRETS}.items()},
        }.items():
            self.write(name, text)
        ignore = shutil.ignore_patterns("__pycache__", "plugin", "sandbox*", "samples")
        shutil.copytree(ROOT / "connectors/vendure", self.folder / "own/connectors/quickshop", ignore=ignore)
        shutil.copytree(ROOT / "mappings/vendure", self.folder / "own/mappings/quickshop")
        for path in (self.folder / "own").rglob("*.yaml"):
            text = path.read_text(encoding="utf-8").replace("connector: vendure", "connector: quickshop")
            text = text.replace('deadline_seconds: "30"', f'deadline_seconds: "{DEADLINE_SECONDS}"')
            path.write_text(text.partition("\nexamples:")[0] + "\n", encoding="utf-8")


COMMAND = [sys.executable, "-m", "hub.cli.main"]


def command(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """What a samklang command says, and its exit code."""
    said = subprocess.run([*COMMAND, *words], env=environ(), capture_output=True, text=True, timeout=30, check=False, **more)
    assert "Traceback" not in said.stderr, said.stderr
    return said


def environ() -> dict[str, str]:
    """An environment in which the hub under test is found."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def halves_of(parent: int) -> dict[str, int]:
    """The children of a run that are alive, by their name."""
    found: dict[str, int] = {}
    try:
        pids = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
    except OSError:
        return {}
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        found |= {half: int(pid) for half in ("serve", "work") if half.encode() in words}
    return found


def alive(pid: int) -> bool:
    """Whether this process is there and not only its remains."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return False


def kept_ids(data: Path, channel: str) -> set[str]:
    """The ids of the deliveries of a channel that a hub has understood, each once."""
    database = SqliteDatabase(data / "hub.db", threaded=False)
    try:
        rows = database.read(
            lambda tx: tx.query(
                "SELECT delivery_id, state FROM inbox WHERE channel = :channel AND door = 'hook' ORDER BY seq", channel=channel
            )
        )
    finally:
        database.close()
    ids = [str(row[0]) for row in rows if row[1] == "done"]
    assert len(ids) == len(set(ids))
    return set(ids)


class Posting(threading.Thread):
    """Sales at the till one after another, each posted until it is taken; `halt` ends it."""

    def __init__(self, shop: Shop, skus: list[str], pause_seconds: float = 0.0) -> None:
        super().__init__()
        self._shop = shop
        self._skus = skus
        self._pause_seconds = pause_seconds
        self.halt = threading.Event()
        self.sold = 0
        self.trouble: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.halt.is_set():
                sku = self._skus[self.sold % len(self._skus)]
                hand = "sell" if self._shop.lies()[sku] > 5 else "take_back"
                self._shop.deliver(self._shop.till(hand, sku, 1))
                self.sold += 1
                self.halt.wait(self._pause_seconds)
        except BaseException as bad:
            self.trouble = bad

    def finish(self) -> None:
        """End after the sale that is under way; raises what went wrong."""
        self.halt.set()
        self.join(30)
        assert not self.is_alive()
        if self.trouble is not None:
            raise self.trouble


def _stocks(platform: Any) -> dict[str, int]:
    return {sku: sum(shown["stock"].values()) for sku, shown in platform.shown().items()}


def _prices(platform: Any) -> dict[str, Decimal]:
    return {sku: shown["price"] for sku, shown in platform.shown().items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
