"""Platforms on ports and the postman: on the wire, what goes wrong looks as it does with a real platform."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from hub.clock import SystemClock
from hub.sdk.registry import Registry
from hub.sdk.transport import HttpTransport
from hub.sdk.wire import AnswerTooLargeError, NoAnswerError, Request
from hub.simulate import judge
from hub.simulate.ports import Port
from hub.simulate.postman import Fate, Postman, forged

CLOCK = SystemClock()
REGISTRY = Registry([])
NAME = "vendure"
WAIT_SECONDS_MAX = 10.0


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port("shop", REGISTRY.sandbox_class(NAME)(CLOCK, 1), CLOCK)
    made.act(lambda shop: shop.add_item("A", "Thing", price=Decimal("10.00")))  # type: ignore[attr-defined]
    made.act(lambda shop: shop.count("A", 5))  # type: ignore[attr-defined]
    made.start()
    yield made
    made.stop()


@pytest.fixture
def http() -> Iterator[HttpTransport]:
    made = HttpTransport(CLOCK)
    yield made
    made.close()


def seat(port: Port) -> judge.Seat:
    settings = dict(REGISTRY.sandbox_class(NAME).CHANNEL["settings"])  # type: ignore[attr-defined]
    return judge.Seat("shop", *judge.readers(REGISTRY.folder(NAME)), port.url, settings, port.sandbox_secrets())


def asking(port: Port) -> Request:
    return Request("POST", f"{port.url}/admin-api", {"content-type": "application/json"}, b'{"query": "{ me { id } }"}')


def test_what_a_person_changes_is_seen_over_http(port: Port) -> None:
    assert judge.look([seat(port)])["shop"]["A"]["stock"] == {"1": "5"}
    port.act(lambda shop: shop.count("A", 8))  # type: ignore[attr-defined]
    assert judge.look([seat(port)])["shop"]["A"]["stock"] == {"1": "8"}


def test_a_platform_that_is_down_gives_no_answer_and_counts_who_knocked(port: Port, http: HttpTransport) -> None:
    port.sandbox.faults.down = True
    for _ in range(2):
        with pytest.raises(NoAnswerError):
            http.send(asking(port), 5.0, 1_000_000)
    assert port.sandbox.faults.spent == {"down": 2}
    port.sandbox.faults.down = False
    assert judge.look([seat(port)])["shop"]["A"]["stock"] == {"1": "5"}


def test_an_endless_answer_is_cut_at_the_clients_limit(port: Port, http: HttpTransport) -> None:
    port.sandbox.faults.endless_next = 1
    with pytest.raises(AnswerTooLargeError):
        http.send(asking(port), 20.0, 1_000_000)
    assert judge.look([seat(port)])["shop"]["A"]["stock"] == {"1": "5"}


class Hub(BaseHTTPRequestHandler):
    """Takes every body but one that holds a 9, which stands for a signature that does not fit."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        server: Any = self.server
        with server.lock:
            taken = server.taken
            status = 401 if b"9" in body and server.strict else 503 if body == b"again" and taken.count(body) == 0 else 200
            taken.append(body)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def hub() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Hub)
    server.taken, server.lock, server.strict = [], threading.Lock(), True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def brought(hub: Any, postman: Postman) -> list[bytes]:
    postman.start()
    ends = CLOCK.monotonic() + WAIT_SECONDS_MAX
    while not postman.idle() and CLOCK.monotonic() < ends:
        CLOCK.sleep(0.01)
    postman.stop()
    return list(hub.taken)


def delivery(hub: Any, body: bytes) -> Request:
    return Request("POST", f"http://127.0.0.1:{hub.server_port}/hooks/shop?x=1", {"content-type": "text/plain"}, body)


def test_the_fates_of_deliveries(hub: Any) -> None:
    postman = Postman([], CLOCK)
    one, two = delivery(hub, b"1"), delivery(hub, b"2")
    postman.hand_over([one, two], Fate.SWAPPED)
    postman.hand_over([delivery(hub, b"3")], Fate.DOUBLED)
    postman.hand_over([delivery(hub, b"4")], Fate.LOST)
    postman.hand_over([delivery(hub, b"late")], Fate.LATE)
    postman.hand_over([delivery(hub, b"5")], Fate.FORGED)
    postman.hand_over([delivery(hub, b"again")])
    got = brought(hub, postman)
    assert got == [b"2", b"1", b"3", b"3", b"5", b"9", b"again", b"again", b"late"]
    assert {fate: postman.counts[fate] for fate in Fate if fate != Fate.SOON} == dict.fromkeys(
        (Fate.LOST, Fate.DOUBLED, Fate.LATE, Fate.SWAPPED, Fate.FORGED), 1
    )
    assert postman.mistaken == []


def test_a_forgery_that_is_taken_and_a_true_delivery_that_is_refused_are_called_out(hub: Any) -> None:
    postman = Postman([], CLOCK)
    postman.hand_over([delivery(hub, b"9 is refused")])
    brought(hub, postman)
    assert postman.mistaken == ["a true delivery was answered 401"]
    hub.strict = False
    postman = Postman([], CLOCK)
    postman.hand_over([delivery(hub, b"5")], Fate.FORGED)
    brought(hub, postman)
    assert postman.mistaken == ["a forged delivery was answered 200"]
    assert postman.counts[Fate.FORGED] == 0


def test_a_forgery_differs_from_what_was_signed() -> None:
    for body in (b'{"n": 19}', b"no digits", b"7"):
        assert forged(Request("POST", "http://h/", {"x-signature": "abc"}, body)).body != body
