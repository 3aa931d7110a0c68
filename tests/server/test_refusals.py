"""Deliveries that are not theirs, or not whole: each is answered for what it is, counted, and nothing of it is kept."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from receiving import BODY_BYTES_MAX, Running, signed, until

BODY = b'{"sku": "00123", "quantity": "7"}'


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    receiver = Running(tmp_path)
    yield receiver
    receiver.stop()


def post(body: bytes, length: int | str, signature: str = "") -> bytes:
    """A POST by hand, with whatever length is claimed."""
    head = f"POST /hooks/till HTTP/1.1\r\nhost: shop\r\nx-made-signature: {signature or signed(body)}\r\n"
    return f"{head}content-length: {length}\r\nconnection: close\r\n\r\n".encode() + body


def counted(running: Running, verdict: str, channel: str = "till") -> None:
    until(lambda: running.counted(channel, verdict) == 1, f"one delivery counted as {verdict}")
    assert running.stored() == []


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (BODY, "0" * 64),
        (BODY, ""),
        (BODY, signed(BODY, b"another secret")),
        (BODY[:-2] + b"8}", signed(BODY)),
        (b"", signed(BODY)),
        (BODY, signed(BODY).upper()),
        (BODY, "Ærlig"),
    ],
    ids=["forged", "empty signature", "wrong secret", "one byte changed", "empty", "other case", "not ascii"],
)
def test_what_is_not_signed_by_them_is_refused(running: Running, body: bytes, signature: str) -> None:
    assert running.deliver(body, signature=signature) == 401
    counted(running, "unverified")


def test_a_missing_signature_is_refused(running: Running) -> None:
    assert running.ask("POST", "/hooks/till", BODY)[0] == 401
    counted(running, "unverified")


@pytest.mark.parametrize("first_is_good", [True, False])
def test_of_two_signature_headers_neither_wins(running: Running, first_is_good: bool) -> None:
    first, last = (signed(BODY), "0" * 64) if first_is_good else ("0" * 64, signed(BODY))
    twice = post(BODY, len(BODY), last).replace(b"host: shop\r\n", f"host: shop\r\nx-made-signature: {first}\r\n".encode())
    assert running.raw(twice).startswith(b"HTTP/1.1 401 ")
    counted(running, "unverified")


def test_a_body_above_the_limit_is_refused_though_it_is_signed(running: Running) -> None:
    assert running.deliver(b"x" * (BODY_BYTES_MAX + 1)) == 413
    counted(running, "too_large")
    assert running.deliver(b"x" * BODY_BYTES_MAX) == 200


def test_who_asks_before_sending_is_told_at_once(running: Running) -> None:
    asked = post(b"", 10_000_000).replace(b"host:", b"expect: 100-continue\r\nhost:")
    answer = running.raw(asked)
    assert answer.startswith(b"HTTP/1.1 413 ")
    counted(running, "too_large")


def test_an_endless_body_ends_at_the_size_limit(running: Running) -> None:
    head = b"POST /hooks/till HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n\r\n"
    sent = 0

    def endlessly(peer: socket.socket) -> None:
        nonlocal sent
        try:
            while sent < 100_000_000:
                peer.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                sent += 4096
        except ConnectionError:
            pass

    running.raw(head, then=endlessly)
    assert sent < 100_000_000
    counted(running, "too_large")


def test_a_trickling_body_ends_at_the_total_time(running: Running) -> None:
    """Each byte comes soon enough for a limit per read; all of them together do not."""
    head = b"POST /hooks/till HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n\r\n"

    def trickle(peer: socket.socket) -> None:
        peer.settimeout(0.02)
        for _ in range(1_000):
            try:
                peer.sendall(b"1\r\nx\r\n")
                if peer.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        peer.settimeout(20)

    answer = running.raw(head, then=trickle)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer
    counted(running, "too_slow")


def test_a_body_that_never_comes_ends_at_the_total_time(running: Running) -> None:
    assert running.raw(post(b"", 100, signed(BODY))).startswith(b"HTTP/1.1 408 ")
    counted(running, "too_slow")


def test_a_truncated_body_is_not_a_delivery(running: Running) -> None:
    """The connection is cut in the middle of a body whose beginning alone would verify."""

    def cut(peer: socket.socket) -> None:
        peer.shutdown(socket.SHUT_WR)

    assert not running.raw(post(BODY, len(BODY) + 10, signed(BODY)), then=cut).startswith(b"HTTP/1.1 200")
    counted(running, "cut_off")


def test_a_length_below_the_truth_cuts_the_body_and_so_its_signature(running: Running) -> None:
    answer = running.raw(post(BODY, len(BODY) - 3, signed(BODY)))
    assert answer.startswith(b"HTTP/1.1 401 ")
    counted(running, "unverified")


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "99999999999999999999999"])
def test_a_length_that_is_none_is_a_bad_request(running: Running, length: str) -> None:
    assert running.raw(post(BODY, length)).startswith(b"HTTP/1.1 400 ")
    assert running.deliver(BODY) == 200
    assert len(running.stored()) == 1


def test_two_requests_cannot_be_smuggled_into_one(running: Running) -> None:
    both = post(BODY, len(BODY)).replace(b"host: shop\r\n", b"host: shop\r\ntransfer-encoding: chunked\r\n")
    assert running.raw(both).startswith(b"HTTP/1.1 400 ")
    assert running.stored() == []


def test_an_unknown_channel_is_counted_without_its_name(running: Running) -> None:
    status, _, body = running.ask("POST", "/hooks/stranger", BODY, {"x-made-signature": signed(BODY)})
    assert (status, body) == (404, b"")
    counted(running, "unknown_channel", channel="")
    assert running.counted("stranger", "unknown_channel") == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_and_the_right_one_named(running: Running, method: str) -> None:
    status, headers, body = running.ask(method, "/hooks/till", BODY, {"x-made-signature": signed(BODY)})
    assert (status, headers["allow"], body) == (405, "POST", b"")
    counted(running, "wrong_method")


@pytest.mark.parametrize("path", ["/", "/hooks", "/hooks/", "/hooks/till/", "/metrics", "/docs", "/hooks/../health", "/ready/"])
def test_nothing_else_is_on_that_port(running: Running, path: str) -> None:
    status, headers, body = running.ask("GET", path)
    assert (status, body) == (404, b"")
    assert "server" not in headers


def test_a_connector_that_breaks_refuses_and_keeps_the_person_out_of_the_log(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    assert running.deliver(b"mette@example.org", channel="broken") == 500
    counted(running, "failed", channel="broken")
    assert "KeyError" in caplog.text
    assert "mette" not in caplog.text


def test_a_head_that_never_ends_ends_the_connection(running: Running) -> None:
    assert running.raw(b"POST /hooks/till HTTP/1.1\r\nhost:") == b""
    assert running.raw(b"") == b""


def test_an_endless_head_ends_the_connection(running: Running) -> None:
    sent = 0

    def endlessly(peer: socket.socket) -> None:
        nonlocal sent
        try:
            while sent < 100_000_000:
                peer.sendall(b"x-made-%d: " % sent + b"y" * 4000 + b"\r\n")
                sent += 4000
        except ConnectionError:
            pass

    running.raw(b"POST /hooks/till HTTP/1.1\r\n", then=endlessly)
    assert sent < 100_000_000
    assert running.deliver(BODY) == 200
