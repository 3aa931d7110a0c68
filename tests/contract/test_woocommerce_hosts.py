"""WooCommerce: signing in with and without TLS, and hosts that are slow, that block after bursts, that speak for the shop."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rig import Served
from woocommerce_rig import FOLDER, ROOT, Rig

from connectors.woocommerce.sandbox import Sandbox
from hub.clock import SystemClock
from hub.errors import (
    ConfigError,
    OutcomeUnknownError,
    ThrottledError,
    UnauthorizedError,
    UnavailableError,
)
from hub.sdk.contract import ReadAsk
from hub.sdk.wire import Request, Response

READ = ReadAsk("", True, 100, 0)


def test_with_tls_the_key_goes_in_the_header_and_without_it_never_leaves() -> None:
    secure, plain = Rig(), Rig(base_url="http://shop.test")
    for rig in (secure, plain):
        rig.sandbox.add_item("MUG", "Mug", price=Decimal(1))
        assert len(rig.read()[0]) == 1
    assert secure.wire.requests[0].headers["authorization"].startswith("Basic ")
    asked = plain.wire.requests[0]
    assert "authorization" not in asked.headers
    assert asked.query["oauth_signature_method"] == "HMAC-SHA256"
    assert "cs_made_up_secret_0001" not in asked.url


def test_the_shop_refuses_what_is_not_signed_right() -> None:
    rig = Rig(base_url="http://shop.test", secrets={"consumer_secret": "cs_wrong"})
    with pytest.raises(UnauthorizedError, match="signature does not match"):
        rig.connector.read("items", READ)
    late = Rig(base_url="http://shop.test")
    late.sandbox.clock = late.clock
    real = late.wire.send

    def delayed(request: Request, deadline: float, most: int) -> Response:
        late.clock.advance(1_000)
        return real(request, deadline, most)

    late.wire.send = delayed  # type: ignore[method-assign]
    with pytest.raises(UnauthorizedError, match="Invalid timestamp"):
        late.connector.read("items", READ)


def test_a_repeat_is_signed_anew_because_a_nonce_serves_once() -> None:
    rig = Rig(base_url="http://shop.test")
    rig.sandbox.add_item("MUG", "Mug", price=Decimal(1))
    real, broken = rig.wire.send, iter([True, True, False])

    def send(request: Request, deadline: float, most: int) -> Response:
        answer = real(request, deadline, most)
        return Response(502, {}, b"bad gateway") if next(broken, False) else answer

    rig.wire.send = send  # type: ignore[method-assign]
    assert len(rig.connector.read("items", READ).body) > 100
    nonces = [one.query["oauth_nonce"] for one in rig.wire.requests]
    assert len(set(nonces)) == len(nonces) == 3


def test_where_a_server_drops_the_header_the_pair_goes_in_the_query() -> None:
    rig = Rig(settings={"sign_in": "query"})
    rig.read()
    assert rig.wire.requests[0].query["consumer_key"] == "ck_made_up_key_0001"
    with pytest.raises(ConfigError, match="oauth1"):
        Rig(base_url="http://shop.test", settings={"sign_in": "basic"})
    with pytest.raises(ConfigError, match="is not one of"):
        Rig(settings={"sign_in": "digest"})


def test_a_key_that_may_only_read_is_a_refused_login() -> None:
    rig = Rig(
        reading_key="ck_reader",
        reading_secret="cs_reader",
        secrets={"consumer_key": "ck_reader", "consumer_secret": "cs_reader"},
        mixed="no",
    )
    rig.sandbox.add_item("MUG", "Mug", price=Decimal(1))
    assert len(rig.read()[0]) == 1
    with pytest.raises(UnauthorizedError, match="write permissions"):
        rig.send_stock({"10": 1})


def test_a_firewall_is_waited_out_and_is_no_refused_login() -> None:
    rig = Rig(burst="5", mixed="no")
    rig.sandbox.add_item("MUG", "Mug", price=Decimal(1))
    for _ in range(5):
        rig.connector.read("items", READ)
    with pytest.raises(ThrottledError, match="turned away by the host") as told:
        rig.connector.read("items", READ)
    assert told.value.retry_after_seconds == 300
    asked = len(rig.wire.requests)
    with pytest.raises(ThrottledError):
        rig.connector.read("items", READ)
    assert len(rig.wire.requests) == asked, "while we wait nothing is asked"
    rig.clock.advance(301)
    assert rig.connector.read("items", READ).more is False


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, b"<html>Forbidden</html>", ThrottledError),
        (406, b"Not Acceptable", ThrottledError),
        (403, b'{"code":"woocommerce_rest_cannot_view","message":"no","data":{"status":403}}', UnauthorizedError),
        (401, b"<html>Authorization Required</html>", UnauthorizedError),
        (503, b"<html>maintenance</html>", UnavailableError),
        (200, b"<b>Warning</b>: foo in plugin.php on line 3[]", UnavailableError),
    ],
)
def test_who_says_no_decides_what_follows(status: int, body: bytes, kind: type[Exception]) -> None:
    rig = Rig()
    rig.wire.send = lambda request, deadline, most: Response(status, {}, body)  # type: ignore[method-assign]
    with pytest.raises(kind):
        rig.connector.read("items", READ)


def test_a_shop_at_another_address_says_which_one_to_write() -> None:
    rig = Rig()
    moved = Response(301, {"location": "https://www.shop.test/wp-json/wc/v3/products?x=1"}, b"")
    rig.wire.send = lambda request, deadline, most: moved  # type: ignore[method-assign]
    with pytest.raises(UnavailableError, match=r"https://www\.shop\.test\)"):
        rig.connector.read("items", READ)


def test_a_shop_in_a_folder_of_its_site_is_asked_there() -> None:
    rig = Rig(base_url="https://site.test/shop")
    rig.read()
    assert urlsplit(rig.wire.requests[0].url).path == "/shop/wp-json/wc/v3/products"


def test_a_slow_host_has_its_time_and_beyond_it_the_outcome_is_unknown() -> None:
    rig = Rig(mixed="no")
    rig.sandbox.add_item("MUG", "Mug", price=Decimal(1))
    rig.sandbox.slow_seconds = 15
    assert rig.send_stock({"10": 5})["10"].outcome == "applied"
    rig.sandbox.slow_seconds = 90
    with pytest.raises(OutcomeUnknownError):
        rig.send_stock({"10": 4})
    assert rig.sandbox.shown()["MUG"]["stock"] == {"": 4}, "it had happened"
    rig.sandbox.slow_seconds = 0
    assert rig.look("stock", "10")["10"]["on_hand"] == 4_000


def test_no_error_says_the_key() -> None:
    for base_url in ("http://shop.test", "https://shop.test"):
        rig = Rig(base_url=base_url, settings={"sign_in": "query"} if base_url.startswith("https") else {})
        rig.sandbox.faults.fail_next = 100
        with pytest.raises(UnavailableError) as told:
            rig.connector.read("items", READ)
        assert "cs_made_up" not in str(told.value)


def test_the_readmes_configuration_works_the_first_time(tmp_path: Path) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"`(trial/[\w/.]+)`\n *```yaml\n(.*?) *```", text, re.DOTALL))
    assert len(files) == 5
    sandbox = Sandbox(SystemClock())
    sandbox.add_item("MUG", "Mug", price=Decimal(100))
    sandbox.count("MUG", 3)
    sandbox.order({"MUG": 1})
    given = Sandbox.CHANNEL["secrets"]
    secrets = {"WOO_KEY": given["consumer_key"], "WOO_SECRET": given["consumer_secret"], "WOO_HOOK_SECRET": given["hook_secret"]}
    with Served(sandbox) as url:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content).replace("https://YOUR-SHOP", url), encoding="utf-8")
        command = [sys.executable, "-m", "hub.cli.main", "check", "--config", str(tmp_path / "trial"), "--connect"]
        done = subprocess.run(command, env={**os.environ, **secrets}, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "in order" in done.stdout
        wrong = subprocess.run(
            command, env={**os.environ, **secrets, "WOO_SECRET": "cs_wrong"}, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert wrong.returncode != 0
        assert "signature does not match" in wrong.stdout + wrong.stderr
        assert "cs_wrong" not in wrong.stdout + wrong.stderr


def test_the_readmes_commands_work_the_first_time(tmp_path: Path) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    said = re.findall(r"^ *\$ samklang (.*)$", text, re.MULTILINE)
    assert [line.split()[0] for line in said] == ["init", "check", "align", "run", "hooks", "hooks"]
    assert "samklang connect woocommerce --paste --config shop" in " ".join(text.split())
    sandbox = Sandbox(SystemClock())
    sandbox.add_item("MUG", "Mug", price=Decimal(100))
    given = Sandbox.CHANNEL["secrets"]
    secrets = {f"WOOCOMMERCE_{name}".upper(): value for name, value in given.items()}
    assert all(f"{name}=" in text for name in secrets), "the page says which variables"

    def done(line: str, typed: str = "", **more: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "hub.cli.main", *line.replace("https://YOUR-SHOP", url).split()]
        env = {**os.environ, "PYTHONPATH": str(ROOT), **secrets, **more}
        ended = subprocess.run(command, env=env, cwd=tmp_path, input=typed, capture_output=True, text=True, timeout=60)
        return ended.returncode, ended.stdout + ended.stderr

    with Served(sandbox) as url:
        init, check, align, _, look, heal = said
        for line, words in ((init, "observe"), (check, "in order"), (align, "1 listings matched")):
            code, told = done(line)
            assert (code, words in told) == (0, True), told
        hub = tmp_path / "shop" / "hub.yaml"
        hub.write_text(hub.read_text().replace('public_url: ""', "public_url: https://hub.example"))
        assert done(look)[0] == 1, "nothing is delivered to us yet"
        code, told = done(heal)
        assert (code, told.count("subscribed ")) == (0, 8), told
        assert done(look)[0] == 0
        # The keys leave the file, and are granted instead.
        channel = tmp_path / "shop" / "channels" / "woocommerce.yaml"
        kept = [line for line in channel.read_text().splitlines() if "consumer_" not in line]
        channel.write_text("\n".join(kept) + "\n")
        code, told = done(check)
        assert (code, "samklang connect woocommerce" in told) == (1, True), told
        code, told = done("connect woocommerce --paste --config shop", f"{given['consumer_key']}\n{given['consumer_secret']}\n")
        assert (code, given["consumer_secret"] in told) == (0, False), told
        code, told = done(check)
        assert (code, "in order" in told) == (0, True), told
