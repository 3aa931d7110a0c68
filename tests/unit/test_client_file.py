"""Files that an answer of the platform names: read in parts, without our sign-in, from the platform's own hosts only."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from hub.clock import ManualClock
from hub.errors import GoneError, UnavailableError
from hub.sdk.client import Client
from hub.sdk.pace import Bucket
from hub.sdk.wire import Request, Response


@dataclass
class Files:
    """Answers every request alike, and keeps them."""

    status: int = 206
    asked: list[Request] = field(default_factory=list)

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        self.asked.append(request)
        return Response(self.status, {}, b"part")


def client(files: Files) -> Client:
    clock = ManualClock()
    bucket = Bucket.full(Decimal(1), 1, clock.now())
    return Client(channel="shop", transport=files, clock=clock, base_url="https://shop.example", bucket=bucket)


@pytest.mark.parametrize("url", ["https://shop.example/file?signed=1", "https://files.example/shop/file?signed=1"])
def test_a_part_is_asked_for_bare_and_costs_no_pace(url: str) -> None:
    files = Files()
    reader = client(files)
    for first in (0, 10):
        answer = reader.file(url, operation="read", hosts=frozenset({"https://files.example"}), first_byte=first, bytes_max=10)
        assert (answer.status, answer.body) == (206, b"part")
    assert [dict(one.headers) for one in files.asked] == [
        {"accept-encoding": "identity", "range": "bytes=0-9"},
        {"accept-encoding": "identity", "range": "bytes=10-19"},
    ]


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example/file", "http://files.example/file", "https://shop.example.evil.example/f"]
)
def test_a_file_elsewhere_is_not_asked_for(url: str) -> None:
    files = Files()
    with pytest.raises(UnavailableError, match="not the platform's"):
        client(files).file(url, operation="read", hosts=frozenset({"https://files.example"}), bytes_max=10)
    assert files.asked == []


def test_a_file_that_is_no_longer_there_is_gone() -> None:
    with pytest.raises(GoneError):
        client(Files(404)).file("https://shop.example/file", operation="read", bytes_max=10)
