"""The base of every small platform: stateful, with faults on request, served behind the transport seam or on a port.

A connector's `sandbox.py` has one class `Sandbox(SandboxBase)`: it registers its routes, keeps its own state by its own
rules, and tells its subscribers by signed deliveries. It never makes it easier than the platform does.
"""

from __future__ import annotations

import pickle
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from hub.canonical.json import body_json
from hub.canonical.values import Plain
from hub.clock import Clock
from hub.sdk.sandbox_listing import ended_early
from hub.sdk.wire import NoAnswerError, NotSentError, Request, Response

OUTBOX_MAX: Final = 100_000
LOG_MAX: Final = 50_000
ENDLESS_BYTES: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class Faults:
    """What the platform does wrong on request; counts go down as they are spent, `spent` counts what occurred."""

    throttle_next: int = 0
    throttle_retry_after: str | None = "1"
    lose_answer_next: int = 0
    """Writes whose effect takes place but whose answer is lost."""
    fail_next: int = 0
    """Requests answered with 500 and without effect."""
    down: bool = False
    unauthorized: bool = False
    ignore_writes_next: int = 0
    """Writes answered with success that change nothing."""
    endless_next: int = 0
    """Reads answered with a body that never ends."""
    garbage_next: int = 0
    """Reads answered with a body that is no JSON."""
    cut_next: int = 0
    """Listings cut short by a 500 in the middle."""
    short_next: int = 0
    """Pages of a listing that lack their second half and say that this was all."""
    tear_after: int = 0
    """The next request that is worked off item by item breaks off after so many; 0: none does."""
    spent: dict[str, int] = field(default_factory=dict)

    def spend(self, name: str) -> None:
        """Count one occurrence."""
        self.spent[name] = self.spent.get(name, 0) + 1


class TornError(Exception):
    """A request broke off in the middle; what it had done stays done."""


class Call(NamedTuple):
    """One call that the sandbox answered, for checkers: when, what, whether it wrote, and the status given."""

    at: int
    method: str
    path: str
    writes: bool
    status: int


class SandboxBase:
    """A small platform. Subclasses define `route(request)`, `is_write(request)` and the hands that people use."""

    secret_names: tuple[str, ...] = ()
    dated_waits: bool = True
    """Whether who is told to wait may be told a date (Retry-After: RFC 9110, section 10.2.3)."""
    full_tax: str = ""
    """Its own name for the tax that all things have, where it books sales."""

    own_places: tuple[str, ...] = ()
    """Its own names for places, the main one first; none where it calls them as the `locations` option does."""

    pays_later: tuple[str, ...] = ()
    """How an order can wait here for its money, in the words that `awaits` takes; none where whoever orders pays."""

    stands_again: bool = False
    """Whether an order that was called off stands again once it is paid."""

    def __init__(self, clock: Clock, seed: int = 0, **options: str) -> None:
        self.clock = clock
        self.options: dict[str, str] = dict(options)
        self.random = random.Random(seed)
        self.faults = Faults()
        self.calls: deque[Call] = deque(maxlen=LOG_MAX)
        self.outbox: deque[Request] = deque(maxlen=OUTBOX_MAX)
        """Deliveries ready to be posted, in the order in which they arose; whoever runs the world posts (or loses) them."""
        self.hook_url = ""
        """Where deliveries go: the address as subscribed; empty: nobody is subscribed."""
        self.admits = 1.0
        """The share of its own limit that it really grants, where it keeps count of points itself."""
        self.seam: Callable[[str], None] | None = None
        """Called with "effect" between a request's effect and its answer (the simulator switches workers there)."""
        self._lock = threading.RLock()
        self.started()

    # what a subclass says

    def started(self) -> None:
        """Called once at the end of construction: make the initial state here."""

    def route(self, request: Request) -> Response:
        """The platform's answer; subclasses dispatch here."""
        raise NotImplementedError

    def is_write(self, request: Request) -> bool:
        """Whether this request means to change something."""
        raise NotImplementedError

    def awaits(self, order: str, way: str) -> None:
        """An unpaid order waits for its money in one of the ways of `pays_later`."""
        raise NotImplementedError

    def sent_back(self, order: str, parts: Mapping[str, int], amount: Decimal) -> None:
        """These pieces came back by post: a clerk takes them back in the order, and gives this much money back for them."""
        raise NotImplementedError

    def kept_aside(self, sku: str) -> int:
        """Pieces of what is shown that the shop keeps from other customers, for orders that wait for their money."""
        return 0

    def subscribes(self, request: Request) -> bool:
        """Whether this write is about who is told of what, not about anything that a customer sees or anybody books."""
        return False

    def unauthorized(self) -> Response:
        """The platform's own answer to a login that has expired."""
        return json_response({"error": "unauthorized"}, 401)

    def throttled(self, retry_after: str | None) -> Response:
        """The platform's own answer when it is asked too often."""
        return json_response({"error": "too many requests"}, 429, {"retry-after": retry_after} if retry_after else {})

    def ignored(self, request: Request) -> Response:
        """The success-shaped answer of a write that changes nothing (used by `Faults.ignore_writes_next`).

        The default takes the effect back by restoring a snapshot of the state.
        """
        kept = self.snapshot()
        answer = self.route(request)
        self.restore(kept)
        return answer

    def whole_state(self) -> Plain:
        """The whole state, itself and not a copy of it; plain enough to be pickled."""
        raise NotImplementedError

    def put_state(self, state: Plain) -> None:
        """Put such a state in place of the one that is held."""
        raise NotImplementedError

    def snapshot(self) -> bytes:
        """A copy of the whole state, to be restored."""
        return pickle.dumps(self.whole_state(), pickle.HIGHEST_PROTOCOL)

    def restore(self, snapshot: bytes) -> None:
        """Put back what was there when this snapshot was taken."""
        self.put_state(pickle.loads(snapshot))

    def lists(self, request: Request) -> bool:
        """Whether this reads a page of a listing, and not things by their ids or by our reference."""
        return False

    def worked_off(self) -> None:
        """To be called after each item of a request whose items are done one by one, each for good."""
        if self.faults.tear_after > 0:
            self.faults.tear_after -= 1
            if self.faults.tear_after == 0:
                self.faults.spend("torn")
                raise TornError

    def end_sign_ins(self) -> bool:
        """Everybody who signed in must do so again; False where nobody does, because a key is given that stays."""
        return False

    def stop_telling(self) -> None:
        """Subscriptions are switched off, and nobody is told."""
        self.hook_url = ""

    # the transport seam

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """Answer as a transport does (see `hub.sdk.wire.Transport`), faults included."""
        with self._lock:
            return self._answer(request, answer_bytes_max)

    def _answer(self, request: Request, answer_bytes_max: int) -> Response:
        faults, writes = self.faults, self.is_write(request)
        if faults.down:
            faults.spend("down")
            raise NotSentError("no connection: the platform is down")
        answer = self._faulty(writes, answer_bytes_max)
        if answer is None:
            if writes and faults.ignore_writes_next > 0:
                faults.ignore_writes_next -= 1
                faults.spend("ignored_write")
                answer = self.ignored(request)
            else:
                answer = self._routed_or_torn(request)
        if self.seam is not None:
            self.seam("effect")
        self.calls.append(Call(self.clock.now(), request.method, request.path, writes, answer.status))
        if writes and faults.lose_answer_next > 0 and answer.status < 300:
            faults.lose_answer_next -= 1
            faults.spend("lost_answer")
            raise NoAnswerError("no answer: it was lost on the way")
        if len(answer.body) > answer_bytes_max:
            from hub.sdk.wire import AnswerTooLargeError

            raise AnswerTooLargeError
        return answer

    def _routed_or_torn(self, request: Request) -> Response:
        try:
            answer = self.route(request)
        except TornError:
            return Response(500, {}, b"internal error")
        if self.faults.short_next > 0 and self.lists(request) and (short := ended_early(answer)) is not None:
            self.faults.short_next -= 1
            self.faults.spend("short")
            return short
        return answer

    def _faulty(self, writes: bool, answer_bytes_max: int) -> Response | None:
        faults = self.faults
        if faults.unauthorized:
            faults.spend("unauthorized")
            return self.unauthorized()
        if faults.throttle_next > 0:
            faults.throttle_next -= 1
            faults.spend("throttled")
            return self.throttled(faults.throttle_retry_after)
        if faults.fail_next > 0:
            faults.fail_next -= 1
            faults.spend("failed")
            return Response(500, {}, b"internal error")
        if not writes and faults.garbage_next > 0:
            faults.garbage_next -= 1
            faults.spend("garbage")
            return Response(200, {"content-type": "text/html"}, b"<html>maintenance</html>")
        if not writes and faults.endless_next > 0:
            faults.endless_next -= 1
            faults.spend("endless")
            # More than is taken is as good as endless.
            return Response(200, {}, b" " * min(ENDLESS_BYTES, answer_bytes_max + 1))
        return None

    # deliveries

    def tell(self, headers: Mapping[str, str], body: bytes, method: str = "POST") -> None:
        """Put one signed delivery into the outbox, if anybody is subscribed."""
        if self.hook_url:
            self.outbox.append(Request(method, self.hook_url, dict(headers), body))

    def micros(self) -> int:
        """The platform's own time, microseconds UTC."""
        return self.clock.now()


def json_response(value: Plain, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, {"content-type": "application/json", **(headers or {})}, body_json(value))
