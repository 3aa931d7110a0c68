"""Signing in with a browser: what is asked, who is believed, and that no secret is ever shown."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from hub.app import build, open_vault
from hub.cli.main import command
from hub.clock import SystemClock
from hub.connecting import Opened, Way, by_browser, connect_of
from hub.errors import ConfigError, RefusedError
from hub.sdk.registry import Registry
from hub.sdk.wire import Request, Response
from hub.settings.load import load
from hub.store.open import open_database
from hub.store.sqlite import SqliteDatabase
from hub.store.tokens import Tokens

APP_SECRET = "made-up-app-secret"
TOKEN, REFRESH = "made-up-access-token", "made-up-refresh-token"
KEY, SECRET = "ck_made_up_granted_key", "cs_made_up_granted_secret"
BOTH = {"channels/app.yaml": """
channel: app
connector: shopify
role: webshop
base_url: https://made.myshopify.com
settings: {client_id: made-client}
secrets: {client_secret: "env:APP_SECRET"}
""", "channels/shop.yaml": """
channel: shop
connector: woocommerce
role: webshop
base_url: https://shop.example/store
settings: {currency: DKK, prices_tax: included}
secrets: {hook_secret: "env:APP_SECRET"}
""", "hub.yaml": "server: {public_url: https://hub.example}\n"}  # fmt: skip


class Desk:
    """A platform that exchanges codes."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer = Response(200, {}, json.dumps({"access_token": TOKEN, "refresh_token": REFRESH, "scope": "x"}).encode())

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        self.asked.append(request)
        return self.answer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("APP_SECRET", APP_SECRET)
    for name, text in BOTH.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def granted(
    folder: Path, channel: str, browser: Callable[[Opened, int], None], desk: Desk | None = None, seconds: float = 20
) -> Any:
    """What the platform gives while this browser does what it does; the port is any free one."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    threads: list[threading.Thread] = []

    def tell(opened: Opened) -> None:
        threads.append(threading.Thread(target=browser, args=(opened, port)))
        threads[0].start()

    line = desk or Desk()
    try:
        return by_browser(load(folder), Registry([]), channel, SystemClock(), lambda _: line, Way(port=port), seconds, tell)
    finally:
        for thread in threads:
            thread.join()


def back(port: int, channel: str, query: dict[str, str]) -> int:
    """The browser comes back; gives the status."""
    return httpx.get(f"http://127.0.0.1:{port}/connect/{channel}", params=query, timeout=10).status_code


def signed(query: dict[str, str]) -> dict[str, str]:
    """The query with the app's signature over it."""
    text = urlencode(sorted(query.items()), quote_via=quote)
    return {**query, "hmac": hmac.new(APP_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()}


def test_a_code_becomes_tokens(folder: Path) -> None:
    seen: dict[str, Any] = {}
    desk = Desk()

    def browser(opened: Opened, port: int) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(opened.url).query).items()}
        seen.update(asked, opened=opened.url)
        state = asked["state"]
        seen["wrong state"] = back(port, "app", signed({"code": "c", "state": "0" * 32, "shop": "made.myshopify.com"}))
        seen["wrong hmac"] = back(port, "app", {**signed({"code": "c", "state": state}), "code": "other"})
        seen["elsewhere"] = back(port, "other", signed({"code": "c", "state": state}))
        seen["right"] = back(port, "app", signed({"code": "made-code", "state": state, "shop": "made.myshopify.com"}))

    found = granted(folder, "app", browser, desk)
    assert found == {"access_token": TOKEN, "refresh_token": REFRESH}
    assert seen["opened"].startswith("https://made.myshopify.com/admin/oauth/authorize?")
    assert seen["client_id"] == "made-client"
    assert "read_products,write_products" in seen["scope"]
    assert seen["redirect_uri"].endswith("/connect/app")
    assert len(seen["state"]) == 32
    assert (seen["wrong state"], seen["wrong hmac"], seen["elsewhere"], seen["right"]) == (401, 401, 404, 200)
    assert len(desk.asked) == 1, "only the answer that was theirs was exchanged"
    form = {name: values[0] for name, values in parse_qs(desk.asked[0].body.decode()).items()}
    assert desk.asked[0].url == "https://made.myshopify.com/admin/oauth/access_token"
    assert form == {"code": "made-code", "client_id": "made-client", "client_secret": APP_SECRET, "expiring": "1"}


def test_a_signature_over_the_query_as_it_is_written_plainly_is_known_too(folder: Path) -> None:
    seen: dict[str, Any] = {}

    def browser(opened: Opened, port: int) -> None:
        state = parse_qs(urlsplit(opened.url).query)["state"][0]
        query = {"code": "made-code", "host": "bWFkZQ==", "shop": "made.myshopify.com", "state": state, "timestamp": "1"}
        text = "&".join(f"{name}={value}" for name, value in sorted(query.items()))
        plainly = {**query, "hmac": hmac.new(APP_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()}
        seen["changed"] = back(port, "app", {**plainly, "host": "b3RoZXI="})
        seen["right"] = back(port, "app", plainly)

    assert granted(folder, "app", browser)["access_token"] == TOKEN
    assert seen == {"changed": 401, "right": 200}


def test_further_scopes_are_asked_for_where_the_channel_names_them(folder: Path) -> None:
    channel = folder / "channels" / "app.yaml"
    asked: list[str] = []

    def browser(opened: Opened, port: int) -> None:
        query = parse_qs(urlsplit(opened.url).query)
        asked.extend(query["scope"][0].split(","))
        back(port, "app", signed({"error": "access_denied", "state": query["state"][0]}))

    for more, wanted in (("", False), ('scopes: "read_all_orders, read_markets"', True)):
        asked.clear()
        channel.write_text(BOTH["channels/app.yaml"].replace("client_id: made-client", f"client_id: made-client, {more}"))
        with pytest.raises(RefusedError):
            granted(folder, "app", browser)
        assert ("read_orders" in asked, "read_all_orders" in asked, "read_markets" in asked) == (True, wanted, wanted)


def test_a_no_ends_it_in_words(folder: Path) -> None:
    def browser(opened: Opened, port: int) -> None:
        state = parse_qs(urlsplit(opened.url).query)["state"][0]
        back(port, "app", signed({"error": "access_denied", "state": state}))

    with pytest.raises(RefusedError, match="access_denied"):
        granted(folder, "app", browser)


def test_a_refused_code_is_said_without_the_secret(folder: Path) -> None:
    desk = Desk()
    desk.answer = Response(400, {}, b'{"error":"invalid_request"}')

    def browser(opened: Opened, port: int) -> None:
        back(port, "app", signed({"code": "old", "state": parse_qs(urlsplit(opened.url).query)["state"][0]}))

    with pytest.raises(RefusedError) as bad:
        granted(folder, "app", browser, desk)
    assert "exchange the code" in str(bad.value)
    assert APP_SECRET not in str(bad.value)


def test_nobody_answers(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"nobody answered within 0\.2 s"):
        granted(folder, "app", lambda *_: None, seconds=0.2)


def test_a_shop_posts_the_keys_itself(folder: Path) -> None:
    seen: dict[str, Any] = {}

    def browser(opened: Opened, port: int) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(opened.url).query).items()}
        seen.update(asked, opened=opened.url)
        to = f"http://127.0.0.1:{port}/connect/shop"
        keys = {"key_id": 1, "consumer_key": KEY, "consumer_secret": SECRET, "key_permissions": "read_write"}
        seen["stranger"] = httpx.post(to, json={**keys, "user_id": "1"}, timeout=10).status_code
        seen["too long"] = httpx.post(to, content=b"x" * 20_000, timeout=10).status_code
        seen["right"] = httpx.post(to, json={**keys, "user_id": asked["user_id"]}, timeout=10).status_code

    assert granted(folder, "shop", browser) == {"consumer_key": KEY, "consumer_secret": SECRET}
    assert seen["opened"].startswith("https://shop.example/store/wc-auth/v1/authorize?")
    assert (seen["scope"], seen["app_name"]) == ("read_write", "Samklang")
    assert seen["callback_url"] == seen["return_url"] == "https://hub.example/connect/shop"
    assert (seen["stranger"], seen["too long"], seen["right"]) == (401, 404, 200)


def test_a_shop_that_was_told_no_comes_back_with_it(folder: Path) -> None:
    def browser(opened: Opened, port: int) -> None:
        back(port, "shop", {"success": "0", "user_id": parse_qs(urlsplit(opened.url).query)["user_id"][0]})

    with pytest.raises(RefusedError, match="not granted"):
        granted(folder, "shop", browser)


def test_keys_that_are_posted_need_an_https_address(folder: Path) -> None:
    (folder / "hub.yaml").write_text("")
    with pytest.raises(ConfigError, match="https address"):
        granted(folder, "shop", lambda *_: None)


def test_what_is_pasted_is_kept_sealed_and_signs_in(folder: Path) -> None:
    given = ["shop", "--paste", "--config", str(folder)]
    done = CliRunner().invoke(command("connect"), given, input=f"{KEY}\n{SECRET}\n")
    assert done.exit_code == 0, done.output
    assert KEY not in done.output
    assert SECRET not in done.output
    files = b"".join(path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file())
    assert KEY.encode() not in files
    assert SECRET.encode() not in files
    config, clock = load(folder), SystemClock()
    database = open_database(folder / "data" / "hub.db", clock=clock, threaded=False)
    vault = open_vault(config, clock)
    assert Tokens(database, vault).granted("shop") == {"consumer_key": KEY, "consumer_secret": SECRET}
    hub = build(config, clock, lambda _: Desk(), database, vault)
    assert hub.channels["shop"].connector.secrets["consumer_key"] == KEY
    assert KEY not in repr(hub.channels["shop"].connector.context.secrets)
    database.close()


def test_a_channel_that_nobody_signed_in_does_not_start(folder: Path) -> None:
    config, clock = load(folder), SystemClock()
    database = SqliteDatabase(":memory:", threaded=False)
    with pytest.raises(ConfigError, match="samklang connect shop"):
        build(config, clock, lambda _: Desk(), database, open_vault(config, clock))
    database.close()


def test_what_the_configuration_names_is_not_connected_over(folder: Path) -> None:
    text = (folder / "channels" / "shop.yaml").read_text().replace("secrets: {", 'secrets: {consumer_key: "env:APP_SECRET", ')
    (folder / "channels" / "shop.yaml").write_text(text)
    with pytest.raises(ConfigError, match="take the line out"):
        connect_of(load(folder), Registry([]), "shop")


def test_what_a_platform_renewed_outlasts_a_restart(folder: Path) -> None:
    config, clock = load(folder), SystemClock()
    database = SqliteDatabase(":memory:", threaded=False)
    vault = open_vault(config, clock)
    tokens = Tokens(database, vault)
    tokens.keep("app", "access", "made-up-renewed-1")
    tokens.keep("app", "access", "made-up-renewed-2")
    assert Tokens(database, vault).kept("app", "access") == "made-up-renewed-2"
    assert tokens.kept("shop", "access") == ""
    database.transaction(lambda tx: tokens.take(tx, "app", tokens.sealed("app", {"access_token": TOKEN})))
    assert tokens.kept("app", "access") == "", "a new sign-in ends what was renewed of the old one"
    database.close()


def test_a_taken_port_is_named(folder: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        way, clock = Way(port=port), SystemClock()
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}"):
            by_browser(load(folder), Registry([]), "app", clock, lambda _: Desk(), way, 5, lambda _: None)
