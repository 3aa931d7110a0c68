"""Deliveries and the subscription's challenge: only theirs pass, and what they mean is "read again"."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from meta_stage import FOLDER, Stage, stage, stock

from connectors.meta.judge import read_shown
from connectors.meta.sandbox import Sandbox
from hub.errors import UnverifiedError
from hub.sdk.contract import Delivery
from hub.sdk.signature import sign
from hub.sdk.wire import Request

HOOK = "https://hub.example/hooks/social"


@pytest.fixture
def catalogue() -> Stage:
    made = stage()
    made.sandbox.hook_url = HOOK
    return made


def delivered(request: Request, **headers: str) -> Delivery:
    """The request as the receiver hands it over."""
    query = dict(parse_qsl(urlsplit(request.url).query))
    return Delivery(request.method, request.url, {**request.headers, **headers}, query, request.body)


def test_a_finished_batch_is_told_and_verified(catalogue: Stage) -> None:
    catalogue.send("stock", stock("c1", "A-1", 1))
    (told,) = catalogue.sandbox.outbox
    verdict = catalogue.meta.verify(delivered(told))
    assert verdict.topic == "catalog"
    deliveries = catalogue.meta.manifest.deliveries
    assert deliveries is not None
    assert deliveries.topics[verdict.topic].stream == "items"


@pytest.mark.parametrize(
    "header", ["", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "sha256=é"], ids=["none", "empty", "wrong", "other", "letters"]
)
def test_a_delivery_with_another_signature_is_refused(catalogue: Stage, header: str) -> None:
    catalogue.send("stock", stock("c1", "A-1", 1))
    with pytest.raises(UnverifiedError):
        catalogue.meta.verify(delivered(catalogue.sandbox.outbox[0], **{"x-hub-signature-256": header}))


def test_one_changed_byte_is_refused(catalogue: Stage) -> None:
    catalogue.send("stock", stock("c1", "A-1", 1))
    told = catalogue.sandbox.outbox[0]
    with pytest.raises(UnverifiedError):
        catalogue.meta.verify(
            delivered(Request(told.method, told.url, told.headers, told.body.replace(b"finished", b"Finished")))
        )


def test_the_made_delivery_is_of_the_declared_topic(catalogue: Stage) -> None:
    body = (FOLDER / "samples" / "made" / "catalog.delivery.json").read_bytes()
    headers = {"x-hub-signature-256": "sha256=" + sign("made-app-secret", body, "hex")}
    assert catalogue.meta.verify(Delivery("POST", HOOK, headers, {}, body)).topic == "catalog"


def test_a_persons_edit_is_not_told(catalogue: Stage) -> None:
    catalogue.sandbox.count("A-1", 1)
    assert not catalogue.sandbox.outbox


def test_the_challenge_is_handed_back_to_them_only(catalogue: Stage) -> None:
    asked = catalogue.sandbox.verification("20261121")
    assert catalogue.meta.challenge(delivered(asked)) == b"20261121"
    catalogue.sandbox.options["verify_token"] = "another"
    with pytest.raises(UnverifiedError):
        catalogue.meta.challenge(delivered(catalogue.sandbox.verification("20261121")))
    assert catalogue.meta.challenge(Delivery("GET", HOOK, {}, {}, b"")) is None


@contextmanager
def served(sandbox: Sandbox) -> Iterator[str]:
    """The sandbox on a loopback port."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = sandbox.send(Request("GET", f"http://{self.headers['host']}{self.path}", headers), 30, 10_000_000)
            self.send_response(answer.status)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_judge_sees_what_the_catalogue_shows(catalogue: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.meta.judge.PAGE_MAX", 2)
    catalogue.sandbox.set_availability("A-1", "out of stock")
    catalogue.sandbox.hide("00123")
    channel = catalogue.sandbox.CHANNEL
    with served(catalogue.sandbox) as base_url:
        seen = read_shown(base_url, channel["settings"], channel["secrets"])
    assert seen == {
        "A-1": {"stock": {"": "0"}, "price": "199.95", "currency": "DKK", "state": "active"},
        "a-1": {"stock": {"": "5"}, "price": "1299.50", "currency": "DKK", "state": "active"},
        "00123": {"stock": {"": "5"}, "price": "45.00", "currency": "DKK", "state": "inactive"},
    }
