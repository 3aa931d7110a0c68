"""Over a real line: an answer is whole and within its limits, or it is none, however slowly or endlessly it comes."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hub.clock import ManualClock, SystemClock
from hub.sdk.transport import HttpTransport
from hub.sdk.wire import AnswerTooLargeError, NoAnswerError, NotSentError, Request

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BYTES_MAX = 100_000
TRICKLED_MAX = 2_000
"""Bytes that the trickling platform sends at most, one second apart: far beyond every deadline here."""

Speak = Callable[[socket.socket], None]


@contextmanager
def platform(speak: Speak) -> Iterator[str]:
    """A loopback server that reads one request per connection and then speaks as it likes; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line:
                try:
                    line.recv(65_536)
                    speak(line)
                except OSError:
                    # The hub hung up: what it had was enough.
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        stopping.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)
        assert not thread.is_alive()


def ask(address: str, clock: ManualClock | SystemClock, deadline_seconds: float = 30.0) -> bytes:
    transport = HttpTransport(clock)
    try:
        return transport.send(Request("GET", address), deadline_seconds, BYTES_MAX).body
    finally:
        transport.close()


def test_an_answer_in_pieces_is_whole() -> None:
    def speak(line: socket.socket) -> None:
        line.sendall(HEAD + b"content-length: 7\r\n\r\n{")
        line.sendall(b'"a":')
        line.sendall(b"1}")

    with platform(speak) as address:
        assert ask(address, ManualClock()) == b'{"a":1}'


def trickle(clock: ManualClock, first: bytes, each: bytes) -> Speak:
    """A platform that sends a byte and lets a second pass on the hub's clock, again and again."""

    def speak(line: socket.socket) -> None:
        line.sendall(first)
        for _ in range(TRICKLED_MAX):
            clock.advance(1)
            line.sendall(each)

    return speak


@pytest.mark.parametrize(
    ("first", "each"),
    [
        (HEAD + b"content-length: 100000\r\n\r\n", b" "),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"x-slow: ", b"y"),
        (b"", b"H"),
    ],
    ids=["body", "chunks", "header", "status line"],
)
def test_a_trickle_ends_with_the_deadline(first: bytes, each: bytes) -> None:
    clock = ManualClock()
    speak = trickle(clock, first, each)
    # Not "connection closed": the platform would have gone on.
    with platform(speak) as address, pytest.raises(NoAnswerError, match=r"(Read|Write)Timeout|deadline passed"):
        ask(address, clock, deadline_seconds=20)


def test_silence_ends_with_the_deadline() -> None:
    heard = threading.Event()

    def speak(line: socket.socket) -> None:
        heard.wait(20)

    clock = SystemClock()
    began = clock.monotonic()
    with platform(speak) as address:
        with pytest.raises(NoAnswerError, match="ReadTimeout"):
            ask(address, clock, deadline_seconds=0.3)
        took = clock.monotonic() - began
        heard.set()
    assert took < 5


def test_an_endless_answer_is_given_up_at_the_limit() -> None:
    poured = [0]

    def speak(line: socket.socket) -> None:
        line.sendall(HEAD + b"\r\n")
        while poured[0] < 1_000 * BYTES_MAX:
            poured[0] += line.send(b" " * 50_000)

    with platform(speak) as address, pytest.raises(AnswerTooLargeError):
        ask(address, ManualClock())
    assert poured[0] < 1_000 * BYTES_MAX


def test_a_packed_bomb_is_given_up_at_the_limit() -> None:
    bomb = gzip.compress(b"0" * 50_000_000, 9)
    head = HEAD + f"content-encoding: gzip\r\ncontent-length: {len(bomb)}\r\n\r\n".encode()
    with platform(lambda line: line.sendall(head + bomb)) as address, pytest.raises(AnswerTooLargeError):
        ask(address, ManualClock())


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 99_999])
def test_a_packed_answer_of_any_size_is_whole(size: int) -> None:
    body = bytes(number * 7919 % 251 for number in range(size))
    packed = gzip.compress(body)
    head = HEAD + f"content-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n".encode()
    with platform(lambda line: line.sendall(head + packed)) as address:
        assert ask(address, ManualClock()) == body


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", HEAD + b"content-length: 10\r\n\r\nhalf", b"SSH-2.0-odd\r\n\r\n"])
def test_half_an_answer_is_none(said: bytes) -> None:
    with platform(lambda line: line.sendall(said)) as address, pytest.raises(NoAnswerError):
        ask(address, ManualClock())


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotSentError):
        ask(f"http://127.0.0.1:{port}/", ManualClock())


def test_no_cookie_is_kept_and_no_proxy_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    heard: list[bytes] = []

    def speak(line: socket.socket) -> None:
        line.sendall(HEAD + b"set-cookie: who=me\r\ncontent-length: 2\r\n\r\n{}")
        heard.append(line.recv(65_536))
        line.sendall(HEAD + b"content-length: 2\r\n\r\n{}")

    with platform(speak) as address:
        transport = HttpTransport(ManualClock())
        for _ in range(2):
            assert transport.send(Request("GET", address), 30, BYTES_MAX).body == b"{}"
        transport.close()
    assert heard[0].startswith(b"GET / HTTP/1.1")
    assert b"cookie" not in heard[0].lower()
