"""The commands of Shopify's page, as a newcomer types them, against the small Shopify on a port of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from running import ROOT

from connectors.shopify.sandbox import Sandbox
from hub.clock import SystemClock
from hub.simulate.ports import Port


def test_the_readmes_commands_work_the_first_time(tmp_path: Path) -> None:
    text = (ROOT / "connectors" / "shopify" / "README.md").read_text(encoding="utf-8")
    said = re.findall(r"^ *\$ samklang (.*)$", text, re.MULTILINE)
    assert [line.split()[0] for line in said] == ["init", "check", "align", "run", "connect", "hooks", "hooks"]
    secrets = {"SHOPIFY_CLIENT_ID": "made-app", "SHOPIFY_CLIENT_SECRET": Sandbox.CHANNEL["secrets"]["client_secret"]}
    assert all(f"{name}=" in text for name in secrets), "the page says which variables"
    clock = SystemClock()
    port = Port("shopify", Sandbox(clock, 0, client_id="made-app"), clock)
    port.act(lambda shop: shop.add_item("MUG", "Mug", price=Decimal(100)))  # type: ignore[attr-defined]
    port.start()

    def done(line: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "hub.cli.main", *line.replace("https://NAME.myshopify.com", port.url).split()]
        env = {**os.environ, "PYTHONPATH": str(ROOT), **secrets}
        ended = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        return ended.returncode, ended.stdout + ended.stderr

    try:
        init, check, align, _, _, look, heal = said
        for line, words in ((init, "locations.yaml"), (check, "in order"), (align, "1 listings matched")):
            code, told = done(line)
            assert (code, words in told) == (0, True), told
        assert "could not be asked" not in told
        hub = tmp_path / "shop" / "hub.yaml"
        hub.write_text(hub.read_text().replace('public_url: ""', "public_url: https://hub.example"))
        assert done(look)[0] == 1, "nothing is delivered to us yet"
        code, told = done(heal)
        assert (code, told.count("subscribed to ")) == (0, 23), told
        assert done(look)[0] == 0
        granted = port.look(lambda shop: shop.tokens.granted_times)  # type: ignore[attr-defined]
        assert granted == 3, "init, the check before anything is stored, and one for all that follows"
    finally:
        port.stop()
