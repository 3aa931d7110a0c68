"""`samklang connect` as a person uses it on a machine that the browser cannot reach: from the first yes over an hour and more.

The platform is the small Shopify on a port of its own, with tokens that end and a refresh token that changes at every use.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from running import ROOT

from connectors.shopify.sandbox import Sandbox
from hub.clock import SystemClock
from hub.simulate.ports import Port

SECRET = Sandbox.CHANNEL["secrets"]["client_secret"]
APP = """
channel: app
connector: shopify
role: webshop
base_url: URL
settings: {client_id: made-app, shop: made-shop.myshopify.com}
secrets: {client_secret: "env:APP_SECRET"}
"""


class Counter:
    """The shop, and the command line of a hub that is to be signed in to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        clock = SystemClock()
        self.port = Port("app", Sandbox(clock, 0, client_id="made-app", own_app="no"), clock)
        self.port.start()
        (folder / "channels").mkdir()
        (folder / "hub.yaml").write_text("name: by hand\n")
        (folder / "channels" / "app.yaml").write_text(APP.replace("URL", self.port.url))

    def desk(self) -> Any:
        """Who gives tokens there."""
        return self.port.look(lambda sandbox: sandbox.tokens)  # type: ignore[attr-defined]

    def started(self, *words: str) -> subprocess.Popen[str]:
        """The command, with pipes."""
        command = [sys.executable, "-m", "hub.cli.main", *words, "--config", str(self.folder)]
        pipe = subprocess.PIPE
        env = {**os.environ, "APP_SECRET": SECRET}
        return subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdin=pipe, stdout=pipe, stderr=pipe)

    def ran(self, *words: str) -> tuple[int, str]:
        """The exit code of a command and all that it printed."""
        process = self.started(*words)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err

    def says_yes(self, opened: str) -> str:
        """A person says yes at this address; the address at which the browser ends."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(opened).query).items()}
        query = {
            "code": self.desk().install(),
            "shop": "made-shop.myshopify.com",
            "state": asked["state"],
            "timestamp": "1790000000",
        }
        signed = hmac.new(SECRET.encode(), urlencode(sorted(query.items()), quote_via=quote).encode(), hashlib.sha256).hexdigest()
        return f"{asked['redirect_uri']}?{urlencode({**query, 'hmac': signed})}"

    def connected(self, change: str = "") -> tuple[int, str]:
        """`samklang connect app --by-hand`; `change` spoils the address on its way."""
        process = self.started("connect", "app", "--by-hand")
        assert process.stderr is not None
        head = [process.stderr.readline() for _ in range(4)]
        opened = next(line.strip() for line in head if "/admin/oauth/authorize?" in line)
        out, err = process.communicate(self.says_yes(opened).replace("code=", f"code={change}") + "\n", timeout=60)
        return process.returncode, "".join(head) + out + err


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path)
    yield made
    made.port.stop()


def test_a_shop_is_connected_by_hand_and_stays_so_when_its_tokens_end(counter: Counter) -> None:
    code, said = counter.ran("check", "--connect")
    assert code == 1
    assert "samklang connect" in said
    code, said = counter.connected()
    assert code == 0, said
    assert "made-token" not in said
    code, said = counter.ran("check", "--connect")
    assert (code, f"app: reached: items can be read at {counter.port.url}" in said) == (0, True), said
    for _ in range(2):
        counter.desk().expire()
        code, said = counter.ran("check", "--connect")
        assert code == 0, said
    assert counter.desk().granted_times == 3, "one by the code, two by the refresh token that each of them brought"


def test_an_address_that_is_not_the_answer_is_refused_in_words(counter: Counter) -> None:
    code, said = counter.connected(change="0")
    assert code == 2
    assert "not where the browser ended" in said
    assert counter.desk().granted_times == 0
