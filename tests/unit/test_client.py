"""Every way a platform can fail becomes the error whose next step is right, for reads and for writes."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from email.utils import format_datetime

import httpx
import pytest
import respx

from hub.canonical.values import moment
from hub.clock import ManualClock
from hub.errors import (
    ChannelError,
    ConflictError,
    GoneError,
    InvariantError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    UnauthorizedError,
    UnavailableError,
)
from hub.sdk.client import PAGE_WAIT_SECONDS_MAX, READ_TRIES_MAX, Client
from hub.sdk.pace import Bucket
from hub.sdk.transport import HttpTransport
from hub.sdk.wire import AnswerTooLargeError, NoAnswerError, NotSentError, Request, Response

BASE = "https://till.example/v2"
Answer = Response | Exception


class Line:
    """A transport that answers from a list, the last answer for ever, and remembers what was asked."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(
    *answers: Answer, per_second: int = 1_000, burst: int = 1_000, remaining_header: str = ""
) -> tuple[Client, Line, ManualClock]:
    line, clock = Line(answers), ManualClock()
    made = Client(
        channel="till",
        transport=line,
        clock=clock,
        base_url=BASE,
        bucket=Bucket.full(Decimal(per_second), burst, clock.now()),
        remaining_header=remaining_header,
    )
    return made, line, clock


def failure(made: Client, *, writes: bool) -> ChannelError:
    with pytest.raises(ChannelError) as said:
        made.call("POST" if writes else "GET", "items", operation="work", writes=writes)
    return said.value


@pytest.mark.parametrize(
    ("answer", "read", "write"),
    [
        (Response(301, {"location": "https://elsewhere.example"}), UnavailableError, OutcomeUnknownError),
        (Response(304), UnavailableError, OutcomeUnknownError),
        (Response(400), RefusedError, RefusedError),
        (Response(401), UnauthorizedError, UnauthorizedError),
        (Response(403), UnauthorizedError, UnauthorizedError),
        (Response(404), GoneError, GoneError),
        (Response(408), UnavailableError, OutcomeUnknownError),
        (Response(409), ConflictError, ConflictError),
        (Response(410), GoneError, GoneError),
        (Response(412), ConflictError, ConflictError),
        (Response(413), RefusedError, RefusedError),
        (Response(422), RefusedError, RefusedError),
        (Response(425), UnavailableError, OutcomeUnknownError),
        (Response(429), ThrottledError, ThrottledError),
        (Response(500), UnavailableError, OutcomeUnknownError),
        (Response(502), UnavailableError, OutcomeUnknownError),
        (Response(503), UnavailableError, OutcomeUnknownError),
        (Response(503, {"retry-after": "9"}), ThrottledError, ThrottledError),
        (Response(504), UnavailableError, OutcomeUnknownError),
        (Response(599), UnavailableError, OutcomeUnknownError),
        (Response(103), UnavailableError, OutcomeUnknownError),
        (NotSentError("no connection"), UnavailableError, UnavailableError),
        (NoAnswerError("lost"), UnavailableError, OutcomeUnknownError),
        (AnswerTooLargeError(), UnavailableError, OutcomeUnknownError),
    ],
)
def test_each_answer_has_its_next_step(answer: Answer, read: type[ChannelError], write: type[ChannelError]) -> None:
    assert type(failure(client(answer)[0], writes=False)) is read
    assert type(failure(client(answer)[0], writes=True)) is write


def test_only_what_may_pass_by_itself_is_read_again_and_a_write_never_is() -> None:
    made, line, _ = client(Response(500), NoAnswerError("lost"), Response(200, {}, b"{}"))
    assert made.json("GET", "items", operation="read", writes=False) == {}
    assert len(line.asked) == 3
    made, line, clock = client(Response(500))
    began = clock.now()
    failure(made, writes=False)
    assert len(line.asked) == READ_TRIES_MAX
    assert clock.now() - began <= 2_000_000
    for answer in (Response(500), NoAnswerError("lost"), NotSentError("no connection")):
        made, line, _ = client(answer)
        failure(made, writes=True)
        assert len(line.asked) == 1
    for answer in (Response(400), Response(401), Response(404), Response(429)):
        made, line, _ = client(answer)
        failure(made, writes=False)
        assert len(line.asked) == 1


def test_a_status_that_the_caller_expects_is_an_answer() -> None:
    made, _, _ = client(Response(404, {}, b"none"))
    assert made.call("GET", "items/1", operation="look", writes=False, statuses=frozenset({404})).body == b"none"


@pytest.mark.parametrize("body", [b"", b"<html>maintenance</html>", b"{", b"\xff", b"NaN"])
def test_a_body_that_is_no_json_is_a_failure(body: bytes) -> None:
    for writes, kind in ((False, UnavailableError), (True, OutcomeUnknownError)):
        with pytest.raises(kind, match="no JSON"):
            client(Response(200, {}, body))[0].json("POST", "items", operation="work", writes=writes)


def test_waits_are_told_and_bounded() -> None:
    for answer, seconds in (
        (Response(429, {"retry-after": "7"}), 7.0),
        (Response(429, {"retry-after": "Mon, 21 Sep 2026 14:14:40 GMT"}), 80.0),
        (Response(429, {"retry-after": "999999999"}), 3_600.0),
        (Response(429), 5.0),
        (Response(429, {"retry-after": "rather long"}), 5.0),
        (Response(503, {"retry-after": "11"}), 11.0),
    ):
        told = failure(client(answer)[0], writes=True)
        assert isinstance(told, ThrottledError)
        assert told.retry_after_seconds == seconds


def test_waits_that_are_not_said_grow_for_either_status() -> None:
    for answer in (Response(429), Response(503, {"retry-after": "?"})):
        made, _, clock = client(answer)
        waits = []
        for _ in range(3):
            told = failure(made, writes=True)
            assert isinstance(told, ThrottledError)
            waits.append(told.retry_after_seconds)
            clock.advance(told.retry_after_seconds or 0)
        assert waits == [5, 10, 20]


def test_while_told_to_wait_nothing_is_asked() -> None:
    made, line, clock = client(Response(429, {"retry-after": "60"}), Response(200))
    failure(made, writes=False)
    told = failure(made, writes=False)
    assert isinstance(told, ThrottledError)
    assert len(line.asked) == 1
    clock.advance(60)
    assert made.call("GET", "items", operation="read", writes=False).status == 200


def test_a_short_wait_is_waited_and_a_long_one_is_given_back() -> None:
    made, _, clock = client(Response(200), per_second=1, burst=1)
    began = clock.now()
    made.call("GET", "items", operation="read", writes=False)
    made.call("GET", "items", operation="read", writes=False)
    assert clock.now() - began == 1_000_000
    made.bucket.take(5, clock.now())
    with pytest.raises(ThrottledError, match="own pace"):
        made.call("GET", "items", operation="read", writes=False)
    assert clock.now() - began == 1_000_000


def test_a_page_that_has_begun_is_read_to_its_end_at_whatever_pace() -> None:
    made, line, clock = client(Response(200), per_second=1, burst=2)
    made.bucket.per_second = 0.2
    began = clock.now()
    with made.page():
        for _ in range(5):
            made.call("GET", "items", operation="read", writes=False)
    assert clock.now() - began == 15_000_000
    with made.page(), pytest.raises(ThrottledError, match="own pace"):
        made.call("GET", "items", operation="read", writes=False)
    clock.advance(5)
    with made.page():
        made.call("GET", "items", operation="read", writes=False)
        made.bucket.pause(PAGE_WAIT_SECONDS_MAX + 1, clock.now())
        with pytest.raises(ThrottledError, match="own pace"):
            made.call("GET", "items", operation="read", writes=False)
    assert len(line.asked) == 6


def test_a_page_that_has_begun_waits_as_it_is_told_and_goes_on() -> None:
    made, line, clock = client(Response(200), Response(429, {"retry-after": "20"}), Response(200))
    began = clock.now()
    with made.page():
        made.call("GET", "items", operation="read", writes=False)
        assert made.call("GET", "items", operation="read", writes=False).status == 200
    assert clock.now() - began >= 20_000_000
    assert len(line.asked) == 3


def test_the_platforms_count_of_what_is_left_is_taken() -> None:
    made, _, _ = client(Response(200, {"x-left": "0"}), per_second=1, burst=10, remaining_header="x-left")
    made.call("GET", "items", operation="read", writes=False)
    assert made.bucket.tokens == 0
    for odd in ("²", "-1", "many", ""):
        made, _, _ = client(Response(200, {"x-left": odd}), remaining_header="x-left")
        assert made.call("GET", "items", operation="read", writes=False).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.example/v2/items",
        "http://till.example/v2/items",
        "https://till.example.evil.example/v2",
        "https://till.example@evil.example/v2",
        "https://till.example:444/v2",
    ],
)
def test_no_request_leaves_the_configured_host(path: str) -> None:
    made, line, _ = client(Response(200))
    with pytest.raises(InvariantError, match="would leave"):
        made.call("GET", path, operation="read", writes=False)
    assert line.asked == []


@pytest.mark.parametrize("path", ["items", "/items", "//items", "https://till.example/v2/items"])
def test_paths_are_under_the_base_address(path: str) -> None:
    made, line, _ = client(Response(200))
    made.call("GET", path, operation="read", writes=False, query={"q": "a b&c"})
    assert line.asked[0].url == "https://till.example/v2/items?q=a+b%26c"


def test_an_error_names_channel_work_and_request_and_is_short() -> None:
    made, _, _ = client(Response(422, {"x-request-id": "r-1"}, b"too\n  long " + b"x" * 10_000))
    words = str(failure(made, writes=True))
    assert words.startswith("till work: status 422: too long xxx")
    assert words.endswith("(request r-1)")
    assert len(words) < 400


# the real transport


@pytest.fixture
def mocked(respx_mock: respx.MockRouter) -> Callable[..., Client]:
    clock = ManualClock()

    def made(**kwargs: object) -> Client:
        respx_mock.route(host="till.example").mock(**kwargs)  # type: ignore[arg-type]
        full = Bucket.full(Decimal(1_000), 1_000, clock.now())
        return Client(
            channel="till", transport=HttpTransport(clock), clock=clock, base_url=BASE, bucket=full, answer_bytes_max=1_000
        )

    return made


@pytest.mark.parametrize(
    ("bad", "read", "write"),
    [
        (httpx.ConnectError("refused"), UnavailableError, UnavailableError),
        (httpx.ConnectTimeout("slow"), UnavailableError, UnavailableError),
        (httpx.ReadTimeout("slow"), UnavailableError, OutcomeUnknownError),
        (httpx.WriteError("cut"), UnavailableError, OutcomeUnknownError),
        (httpx.ReadError("cut"), UnavailableError, OutcomeUnknownError),
        (httpx.RemoteProtocolError("odd"), UnavailableError, OutcomeUnknownError),
    ],
)
def test_each_break_of_the_line_has_its_next_step(
    mocked: Callable[..., Client], bad: Exception, read: type[ChannelError], write: type[ChannelError]
) -> None:
    made = mocked(side_effect=bad)
    assert type(failure(made, writes=True)) is write
    assert type(failure(made, writes=False)) is read


def test_a_redirect_is_not_followed(mocked: Callable[..., Client], respx_mock: respx.MockRouter) -> None:
    made = mocked(return_value=httpx.Response(302, headers={"location": "https://elsewhere.example/"}))
    assert type(failure(made, writes=True)) is OutcomeUnknownError
    assert {call.request.url.host for call in respx_mock.calls} == {"till.example"}


def test_a_packed_answer_is_unpacked(mocked: Callable[..., Client]) -> None:
    made = mocked(return_value=httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Sent(gzip.compress(b'{"a": 1}'))))
    assert made.json("GET", "items", operation="read", writes=False) == {"a": 1}


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", gzip.compress(b"0" * 100_000_000, 1)),
        ("gzip", gzip.compress(b"[]")[:-9]),
        ("gzip", b"no gzip at all"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"[]"))),
        ("deflate", b"[]"),
        ("br", b"[]"),
    ],
    ids=["bomb", "cut", "broken", "twice", "deflate", "brotli"],
)
def test_an_answer_that_cannot_be_unpacked_within_its_limit_is_none(
    mocked: Callable[..., Client], encoding: str, sent: bytes
) -> None:
    made = mocked(side_effect=lambda _: httpx.Response(200, headers={"content-encoding": encoding}, stream=Sent(sent)))
    assert type(failure(made, writes=False)) is UnavailableError
    assert type(failure(made, writes=True)) is OutcomeUnknownError


class Sent(httpx.SyncByteStream):
    """Bytes as they come over the line."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def __iter__(self) -> Iterator[bytes]:
        yield from (self._sent[at : at + 65_536] for at in range(0, len(self._sent), 65_536))


def test_each_attempt_is_signed_anew() -> None:
    made, line, _ = client(Response(500), Response(500), Response(200, {}, b"[]"))
    numbers = iter(range(10))
    made.sign = lambda request: replace(request, headers={**request.headers, "signature": f"number {next(numbers)}"})
    made.call("GET", "items", operation="work", writes=False)
    assert [request.headers["signature"] for request in line.asked] == ["number 0", "number 1", "number 2"]


@pytest.mark.parametrize(("seconds", "told"), [(0, 0), (-1, 0), (-531, -531), (600, 600)])
def test_a_time_is_told_by_the_platforms_own_clock_once_an_answer_was_dated(seconds: int, told: int) -> None:
    made, line, clock = client(Response(200, {}, b"{}"))
    assert made.theirs(clock.now()) == clock.now()
    date = format_datetime(moment(clock.now() + seconds * 1_000_000), usegmt=True)
    line.answers = [Response(200, {"date": date}, b"{}"), Response(200, {"date": "yesterday"}, b"{}")]
    for _ in range(2):
        made.call("GET", "items", operation="work", writes=False)
        assert made.theirs(clock.now()) == clock.now() + told * 1_000_000


def test_who_may_not_write_any_more_sends_nothing_and_may_read() -> None:
    made, line, _ = client(Response(200, {}, b"{}"))
    made.may_write = lambda: False
    assert type(failure(made, writes=True)) is UnavailableError
    assert line.asked == []
    made.call("GET", "items", operation="work", writes=False)
    assert len(line.asked) == 1


def test_a_write_that_is_paused_after_it_was_allowed_leaves_within_its_deadline_or_not_at_all() -> None:
    made, line, clock = client(Response(200, {}, b"{}"))

    def paused() -> bool:
        clock.advance(made.deadline_seconds)
        return True

    made.may_write = paused
    assert type(failure(made, writes=True)) is UnavailableError
    assert line.asked == []
