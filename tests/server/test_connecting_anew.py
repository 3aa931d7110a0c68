"""A key that the shop's people take back while the hub runs, and another one that is granted: nobody starts anything again."""

from __future__ import annotations

import json
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

from connectors.woocommerce.sandbox import Sandbox
from hub.clock import SystemClock
from hub.simulate.ports import Port

GIVEN = Sandbox.CHANNEL["secrets"]
ANOTHER = "cs_made_up_secret_0002"
CHANNEL = """
channel: shop
connector: woocommerce
role: webshop
mode: observe
base_url: URL
settings: {currency: DKK, prices_tax: included}
secrets: {hook_secret: "env:HOOK_SECRET"}
streams: {items: {poll_seconds: 1, sweep_seconds: 3600}, orders: {poll_seconds: 1, sweep_seconds: 3600}}
"""


class Shop:
    """The shop, and a hub of which somebody has the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        clock = SystemClock()
        self.port = Port("shop", Sandbox(clock, 0), clock)
        self.port.act(lambda shop: shop.add_item("MUG", "Mug", price=Decimal(100)))  # type: ignore[attr-defined]
        self.port.start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            door = free.getsockname()[1]
        (folder / "channels").mkdir()
        (folder / "hub.yaml").write_text(f"name: anew\nserver: {{host: 127.0.0.1, port: {door}}}\n")
        (folder / "authority.yaml").write_text("items: [{channel: shop}]\nprices: [{channel: shop, list: retail}]\n")
        (folder / "pricing.yaml").write_text("lists: {retail: {currency: DKK, tax: included}}\n")
        (folder / "channels" / "shop.yaml").write_text(CHANNEL.replace("URL", self.port.url))
        self._env = {**os.environ, "HOOK_SECRET": GIVEN["hook_secret"]}
        self.hub: subprocess.Popen[bytes] | None = None

    def ran(self, *words: str, typed: str = "") -> tuple[int, str]:
        """The exit code of a command and what it printed."""
        command = [sys.executable, "-m", "hub.cli.main", *words, "--config", str(self.folder)]
        done = subprocess.run(command, cwd=ROOT, env=self._env, input=typed, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def signed_in(self, secret: str) -> None:
        """Somebody pastes a key."""
        code, said = self.ran("connect", "shop", "--paste", typed=f"{GIVEN['consumer_key']}\n{secret}\n")
        assert (code, secret in said) == (0, False), said

    def starts(self) -> None:
        """The hub runs from now on."""
        command = [sys.executable, "-m", "hub.cli.main", "run", str(self.folder)]
        with (self.folder / "log").open("wb") as said:
            self.hub = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=said, stderr=subprocess.STDOUT)

    def channel(self) -> dict[str, Any]:
        """What `status` says of the channel."""
        code, said = self.ran("status", "--json")
        return dict(json.loads(said)["channels"][0]) if code in (0, 1) and said.startswith("{") else {}

    def takes_back(self) -> None:
        """The key's secret is another one from now on."""
        self.port.look(lambda shop: shop.doorkeeper.change(GIVEN["consumer_key"], ANOTHER))  # type: ignore[attr-defined]

    def names_its_key(self) -> None:
        """The configuration says in which files the key is."""
        for name in ("consumer_key", "consumer_secret"):
            (self.folder / name).write_text(GIVEN[name])
            (self.folder / name).chmod(0o600)
        named = "secrets: {consumer_key: 'file:consumer_key', consumer_secret: 'file:consumer_secret', "
        (self.folder / "channels" / "shop.yaml").write_text(CHANNEL.replace("URL", self.port.url).replace("secrets: {", named))

    def loses_its_key(self) -> None:
        """The shop is read; then its people take the key back, and the channel waits for a person."""
        until("the shop is read", lambda: bool(self.channel()) and not self.channel().get("paused"), 30)
        self.takes_back()
        until("the channel waits for a person", lambda: "login refused" in str(self.channel().get("paused")), 30)

    def goes_on(self) -> None:
        """The channel is paused no more and reads."""
        until("the channel goes on", lambda: not self.channel().get("paused"), 30)
        answered = self._answered()
        until("and reads", lambda: self._answered() > answered, 30)

    def _answered(self) -> int:
        return self.port.look(lambda sandbox: sum(call.status == 200 for call in sandbox.calls))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    if made.hub is not None:
        made.hub.terminate()
        made.hub.wait(20)
    made.port.stop()
    log = made.folder / "log"
    assert not log.exists() or "cs_made_up" not in log.read_text(encoding="utf-8")


def test_a_key_taken_back_pauses_the_channel_and_another_one_lets_it_go_on(shop: Shop) -> None:
    shop.signed_in(GIVEN["consumer_secret"])
    shop.starts()
    shop.loses_its_key()
    shop.signed_in(ANOTHER)
    shop.goes_on()


def test_a_key_mended_in_a_file_lets_the_channel_go_on_at_the_next_reload(shop: Shop) -> None:
    # As where the old key is refused once more after the new one was granted: the pause stands while the hub takes it up.
    shop.names_its_key()
    shop.starts()
    shop.loses_its_key()
    (shop.folder / "consumer_secret").write_text(ANOTHER)
    code, said = shop.ran("reload")
    assert (code, ANOTHER in said) == (0, False), said
    shop.goes_on()


def test_what_a_person_paused_stays_paused_when_the_channel_is_signed_in(shop: Shop) -> None:
    shop.signed_in(GIVEN["consumer_secret"])
    shop.starts()
    until("the shop is read", lambda: bool(shop.channel()) and not shop.channel().get("paused"), 30)
    assert shop.ran("pause", "shop")[0] == 0
    shop.signed_in(GIVEN["consumer_secret"])
    assert shop.channel().get("paused") == "paused by a person"
    assert shop.ran("resume", "shop")[0] == 0
    shop.goes_on()
