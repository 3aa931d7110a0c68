"""A transport that stands between the connector and its small platform: it remembers every request and can break answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import AnswerTooLargeError, NoAnswerError, Request, Response

EXCHANGES_MAX: Final = 200_000
BAD_ANSWERS: Final = (None, b"", b"null", b"{}", b"<html>maintenance</html>")
"""In place of the answer to a write: none at all, or one that says nothing."""
Before = Callable[[Request, bool], None]
After = Callable[[Request, bool, Response], Response]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it left the connector: when, whether it writes, and the status (0: no answer came)."""

    at: int
    request: Request
    writes: bool
    status: int


class Spy:
    """The transport of a channel under test."""

    def __init__(self, sandbox: SandboxBase) -> None:
        self.sandbox = sandbox
        self.exchanges: list[Exchange] = []
        self.cut_off = 0
        """Answers that were cut at the byte limit."""
        self.cut_calls: frozenset[int] = frozenset()
        """Numbers of calls (counted from 0 on) whose connection breaks before anything is done."""
        self.before: Before | None = None
        """Called with each request and whether it writes, before the platform sees it."""
        self.after: After | None = None
        """Gives the answer that the connector gets in place of the platform's."""

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """As a transport does; what the platform raises goes through."""
        if len(self.exchanges) >= EXCHANGES_MAX:
            raise RuntimeError(f"more than {EXCHANGES_MAX} requests: this never ends")
        writes, number = self.sandbox.is_write(request), len(self.exchanges)
        at, status = self.sandbox.clock.now(), 0
        try:
            if number in self.cut_calls:
                raise NoAnswerError("the connection broke")
            if self.before is not None:
                self.before(request, writes)
            answer = self.sandbox.send(request, deadline_seconds, answer_bytes_max)
            status = answer.status
        except AnswerTooLargeError:
            self.cut_off += 1
            raise
        finally:
            self.exchanges.append(Exchange(at, request, writes, status))
        return self.after(request, writes, answer) if self.after is not None else answer

    def spoil(self, number: int, bad: bytes | None) -> list[int]:
        """From here on the answer to writing call `number` (from 0) is lost (None), or is this; gives where in the exchanges
        the writing calls stand, and goes on to."""
        writes: list[int] = []

        def before(_: Request, writing: bool) -> None:
            if writing:
                writes.append(len(self.exchanges))
                self.sandbox.faults.lose_answer_next = int(bad is None and len(writes) == number + 1)

        def after(_: Request, writing: bool, answer: Response) -> Response:
            if bad is None or not writing or len(writes) != number + 1:
                return answer
            return Response(200, {"content-type": "application/json"}, bad)

        self.before, self.after = before, after
        return writes

    def writes(self) -> int:
        """How many writing requests there were."""
        return sum(exchange.writes for exchange in self.exchanges)
