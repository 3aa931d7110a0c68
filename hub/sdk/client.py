"""The client that connectors call: paced, bounded, and every failure turned into the error whose next step is right.

A read that failed may be repeated here (tenacity, a few short waits); a write never is: its outcome is the walk's business.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlencode, urljoin

import tenacity

from hub.canonical.json import body_json
from hub.canonical.values import Plain, micros
from hub.clock import Clock
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
from hub.sdk.pace import Bucket, retry_after_seconds
from hub.sdk.wire import AnswerTooLargeError, NoAnswerError, NotSentError, Request, Response, Transport

READ_TRIES_MAX: Final = 3
RETRY_WAIT_SECONDS: Final = 0.2
RETRY_WAIT_SECONDS_MAX: Final = 1.0
PAGE_WAIT_SECONDS_MAX: Final = 30.0
"""So long a page that has begun waits for its next call: begun anew it would spend the same calls again, and wait again."""
WORDS_CHARS_MAX: Final = 300
CLOCK_SECONDS: Final = 1.0
"""Clocks as close as this are taken for one."""
NOT_A_RULE: Final = frozenset({408, 425})
"""Request timeout and too early: nobody looked at the request, so no rule of theirs said no (RFC 9110, RFC 8470)."""
REQUEST_ID_HEADERS: Final = ("x-request-id", "request-id", "x-fb-trace-id", "x-fb-request-id")


class Client:
    """One channel's only way out. Requests stay on the configured host; `writes=True` decides what a failure means."""

    def __init__(
        self,
        *,
        channel: str,
        transport: Transport,
        clock: Clock,
        base_url: str,
        bucket: Bucket,
        deadline_seconds: float = 30.0,
        answer_bytes_max: int = 33_554_432,
        short_wait_seconds_max: float = 2.0,
        remaining_header: str = "",
    ) -> None:
        self.channel = channel
        self.base_url = base_url.rstrip("/")
        self.bucket = bucket
        self.deadline_seconds = deadline_seconds
        self.sign: Callable[[Request], Request] | None = None
        """Signs each request right before it leaves, repeats included: for signatures that may be used only once."""
        self.may_write: Callable[[], bool] = lambda: True
        """Asked right before a write leaves: a worker that was paused may have been replaced by another meanwhile."""
        self.leave_tokens = 0.0
        """Tokens that the present work must leave for more urgent work (set while reading and sweeping)."""
        self.reads = 0
        self.writes = 0
        self._reading_page = self._page_begun = False
        self.clock_skew_seconds = 0.0
        """By how much the platform's clock is before ours (below zero: behind), as the last answer's Date told it."""
        self._transport = transport
        self._clock = clock
        self._answer_bytes_max = answer_bytes_max
        self._short_wait_seconds_max = short_wait_seconds_max
        self._remaining_header = remaining_header
        self._host = Request("GET", self.base_url).host

    @contextlib.contextmanager
    def page(self) -> Iterator[None]:
        """What is read within belongs together: once its first call was answered, the next ones are waited for (at most
        `PAGE_WAIT_SECONDS_MAX` each) instead of refused by our own pace, and told to wait they are asked again."""
        self._reading_page = True
        try:
            yield
        finally:
            self._reading_page = self._page_begun = False

    def call(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        writes: bool,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Plain = None,
        body: bytes = b"",
        cost: float = 1.0,
        statuses: frozenset[int] = frozenset(),
    ) -> Response:
        """The answer when its status is 2xx (or one of `statuses`); otherwise the channel error that fits.

        `path` is relative to the base URL, or absolute on the same host. `json` sets body and content type.
        """
        all_headers = {"accept": "application/json", "accept-encoding": "gzip", **(headers or {})}
        if json is not None:
            body = body_json(json)
            all_headers.setdefault("content-type", "application/json")
        request = Request(method, self._url(path, query), all_headers, body)
        if writes:
            return self._once(request, operation, True, cost, statuses)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._worth_another),
            stop=tenacity.stop_after_attempt(READ_TRIES_MAX),
            wait=tenacity.wait_exponential(RETRY_WAIT_SECONDS, RETRY_WAIT_SECONDS_MAX),
            sleep=self._clock.sleep,
            reraise=True,
        )
        return retrying(self._once, request, operation, False, cost, statuses)

    def _worth_another(self, bad: BaseException) -> bool:
        # Told to wait, the bucket is paused: the next try waits for its end, or is refused if that is too long.
        return isinstance(bad, UnavailableError) or (isinstance(bad, ThrottledError) and self._page_begun)

    def json(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        writes: bool,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Plain = None,
        cost: float = 1.0,
        statuses: frozenset[int] = frozenset(),
    ) -> Plain:
        """The answer's body as exact JSON; a body that is not JSON is Unavailable for a read, OutcomeUnknown for a write."""
        answer = self.call(
            method,
            path,
            operation=operation,
            writes=writes,
            query=query,
            headers=headers,
            json=json,
            cost=cost,
            statuses=statuses,
        )
        try:
            return answer.json()
        except ValueError as bad:
            raise self._failed(operation, f"answered with no JSON: {bad}", writes, answer) from None

    def told(self, answer: Response, operation: str, *, writes: bool) -> dict[str, Plain]:
        """The answer's body as a JSON object; anything else is Unavailable for a read, OutcomeUnknown for a write."""
        try:
            body = answer.json()
        except ValueError as bad:
            raise self.unclear(f"answered with no JSON: {bad}", operation, answer, writes=writes) from None
        if not isinstance(body, dict):
            raise self.unclear("answered with no JSON object", operation, answer, writes=writes)
        return body

    def unclear(self, words: str, operation: str, answer: Response | None = None, *, writes: bool) -> ChannelError:
        """The error for an answer that does not say what was done: Unavailable for a read, OutcomeUnknown for a write."""
        return self._failed(operation, words, writes, answer)

    def file(
        self, url: str, *, operation: str, hosts: frozenset[str] = frozenset(), first_byte: int = 0, bytes_max: int
    ) -> Response:
        """A part of a file that an answer of the platform named: at most `bytes_max` bytes from `first_byte` on.

        It is asked for bare, without any header that signs us in, at the channel's own host or at one of `hosts` (as
        `https://name`) only; UnavailableError for a file elsewhere. A host that knows no ranges answers with all of it.
        """
        part = f"bytes={first_byte}-{first_byte + bytes_max - 1}"
        request = Request("GET", url, {"accept-encoding": "identity", "range": part})
        if request.host != self._host and request.host not in hosts:
            raise UnavailableError("a file at a host that is not the platform's", channel=self.channel, operation=operation)
        return self._once(request, operation, False, 0.0, frozenset())

    def _once(self, request: Request, operation: str, writes: bool, cost: float, statuses: frozenset[int]) -> Response:
        self._wait_for_pace(operation, cost)
        if writes:
            self.writes += 1
        else:
            self.reads += 1
        sent_at, begun = self._clock.now(), self._clock.monotonic()
        try:
            leaving = request if self.sign is None or request.host != self._host else self.sign(request)
            if writes and not self.may_write():
                raise NotSentError("not ours to write any more: another worker may be at work")
            # A pause since that was asked takes its part of the deadline: after it nothing leaves.
            left = self.deadline_seconds - (self._clock.monotonic() - begun)
            if left <= 0:
                raise NotSentError("paused for too long before it left")
            answer = self._transport.send(leaving, left, self._answer_bytes_max)
        except NotSentError as bad:
            raise UnavailableError(str(bad), channel=self.channel, operation=operation) from None
        except NoAnswerError as bad:
            raise self._failed(operation, str(bad), writes, None) from None
        except AnswerTooLargeError:
            raise self._failed(operation, f"answer above {self._answer_bytes_max} bytes", writes, None) from None
        if request.host == self._host:
            self._learn_clock(answer.headers.get("date", ""), sent_at)
        judged = self._judge(answer, operation, writes, statuses)
        self._page_begun = self._reading_page
        return judged

    def theirs(self, at: int) -> int:
        """This time of ours (microseconds) on the platform's clock: for what they date by a time that we must give."""
        return at + round(self.clock_skew_seconds * 1_000_000)

    def _learn_clock(self, date: str, sent_at: int) -> None:
        """An answer is dated within the second in which it was made, which was between request and answer (RFC 9110, 6.6.1)."""
        try:
            told = micros(parsedate_to_datetime(date))
        except (TypeError, ValueError, OverflowError):
            return
        earliest = (told - self._clock.now()) / 1_000_000
        latest = (told - sent_at) / 1_000_000 + 1
        self.clock_skew_seconds = 0.0 if earliest <= CLOCK_SECONDS and latest >= -CLOCK_SECONDS else earliest

    def _wait_for_pace(self, operation: str, cost: float) -> None:
        now = self._clock.now()
        wait = self.bucket.wait_seconds(cost, now, self.leave_tokens)
        if wait > (PAGE_WAIT_SECONDS_MAX if self._page_begun else self._short_wait_seconds_max):
            raise ThrottledError(
                f"our own pace: {wait:.1f} s to wait",
                retry_after_seconds=wait,
                channel=self.channel,
                operation=operation,
            )
        if wait > 0:
            self._clock.sleep(wait)
        self.bucket.take(cost, self._clock.now())

    def _judge(self, answer: Response, operation: str, writes: bool, statuses: frozenset[int]) -> Response:
        now = self._clock.now()
        remaining = answer.headers.get(self._remaining_header, "") if self._remaining_header else ""
        if remaining.isascii() and remaining.isdigit():
            self.bucket.learn(float(remaining), now)
        if answer.status == 429:
            told = retry_after_seconds(answer.headers.get("retry-after", ""), now)
            wait = self.bucket.throttled(told, now)
            raise ThrottledError(
                "too many requests",
                retry_after_seconds=wait,
                channel=self.channel,
                operation=operation,
                request_id=request_id(answer),
            )
        if 200 <= answer.status < 300 or answer.status in statuses:
            self.bucket.went_through()
            return answer
        return self._refused(answer, operation, writes, now)

    def _refused(self, answer: Response, operation: str, writes: bool, now: int) -> Response:
        status, words, ident = answer.status, f"status {answer.status}: {spoken(answer)}", request_id(answer)
        kinds: dict[int, type[ChannelError]] = {
            401: UnauthorizedError,
            403: UnauthorizedError,
            404: GoneError,
            410: GoneError,
            409: ConflictError,
            412: ConflictError,
        }
        if status == 503 and answer.headers.get("retry-after"):
            told = retry_after_seconds(answer.headers["retry-after"], now)
            wait = self.bucket.throttled(told, now)
            raise ThrottledError(words, retry_after_seconds=wait, channel=self.channel, operation=operation, request_id=ident)
        self.bucket.went_through()
        if status in kinds:
            raise kinds[status](words, channel=self.channel, operation=operation, request_id=ident)
        if 400 <= status < 500 and status not in NOT_A_RULE:
            raise RefusedError(words, channel=self.channel, operation=operation, request_id=ident)
        raise self._failed(operation, words, writes, answer)

    def _failed(self, operation: str, words: str, writes: bool, answer: Response | None) -> ChannelError:
        kind = OutcomeUnknownError if writes else UnavailableError
        return kind(words, channel=self.channel, operation=operation, request_id=request_id(answer) if answer else "")

    def _url(self, path: str, query: Mapping[str, str] | None) -> str:
        url = path if "://" in path else urljoin(self.base_url + "/", path.lstrip("/"))
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
        if Request("GET", url).host != self._host:
            raise InvariantError(f"{self.channel}: a request would leave {self._host}")
        return url


def request_id(answer: Response) -> str:
    """The platform's own id of the request, when an answer header names one."""
    for name in REQUEST_ID_HEADERS:
        if name in answer.headers:
            return answer.headers[name][:100]
    return ""


def spoken(answer: Response) -> str:
    """The answer's words, shortened to one line; bodies of error answers carry no person on the platforms' error routes."""
    return " ".join(answer.body[: WORDS_CHARS_MAX * 4].decode("utf-8", "replace").split())[:WORDS_CHARS_MAX]
