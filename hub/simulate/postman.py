"""The postman between platforms and hub: brings deliveries over real HTTP, and loses, doubles, delays, swaps and forges some.

Which delivery has which fate is decided by whoever hands it over, never by timing.
"""

from __future__ import annotations

import heapq
import http.client
import threading
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from hub.clock import Clock
from hub.sdk.wire import Request
from hub.simulate.ports import Port

TIMEOUT_SECONDS: Final = 10.0
TICK_SECONDS: Final = 0.02
LATE_SECONDS: Final = 1.5
AGAIN_SECONDS: Final = 0.5
ATTEMPTS_MAX: Final = 40
QUEUE_MAX: Final = 100_000
UNVERIFIED: Final = 401


class Fate(StrEnum):
    """What happens to a delivery on its way."""

    SOON = "soon"
    LOST = "lost"
    DOUBLED = "doubled"
    LATE = "late"
    SWAPPED = "out of order"
    FORGED = "forged"


class Postman:
    """Posts deliveries from a thread of its own; `counts` says what became of them."""

    def __init__(self, ports: Sequence[Port], clock: Clock) -> None:
        self._ports = ports
        self._clock = clock
        self._lock = threading.Lock()
        self._bag: list[tuple[float, int, Request, bool, int]] = []
        self._number = 0
        self._under_way = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._rounds, name="postman", daemon=True)
        self.counts: Counter[str] = Counter()
        self.mistaken: list[str] = []
        """Answers that should not have been: a forgery taken, a true delivery refused."""

    def start(self) -> None:
        """Begin the rounds."""
        self._thread.start()

    def stop(self) -> None:
        """End the rounds."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_SECONDS)

    def hand_over(self, deliveries: Sequence[Request], fate: Fate = Fate.SOON) -> None:
        """Take these deliveries; all of them share the fate. `SWAPPED` posts them last one first."""
        if fate == Fate.LOST:
            self.counts[Fate.LOST] += len(deliveries)
            return
        if fate == Fate.SWAPPED:
            deliveries = list(reversed(deliveries))
            self.counts[Fate.SWAPPED] += len(deliveries) // 2
        for delivery in deliveries:
            self._put(delivery, LATE_SECONDS if fate == Fate.LATE else 0.0)
            if fate == Fate.DOUBLED:
                self._put(delivery, 0.0)
            elif fate == Fate.FORGED:
                self._put(forged(delivery), 0.0, forgery=True)
            if fate in (Fate.DOUBLED, Fate.LATE):
                self.counts[fate] += 1

    def idle(self) -> bool:
        """Whether nothing is under way."""
        with self._lock:
            return not self._bag and not self._under_way and not any(port.look(_waiting) for port in self._ports)

    def _put(self, delivery: Request, wait: float, *, forgery: bool = False, attempts: int = 0) -> None:
        with self._lock:
            self._number += 1
            if len(self._bag) >= QUEUE_MAX:
                raise RuntimeError("the postman's bag is full")
            heapq.heappush(self._bag, (self._clock.monotonic() + wait, self._number, delivery, forgery, attempts))

    def _rounds(self) -> None:
        while not self._ends.is_set():
            for port in self._ports:
                for delivery in port.take():
                    self._put(delivery, 0.0)
            job = self._due()
            if job is None:
                self._clock.sleep(TICK_SECONDS)
                continue
            self._bring(*job)
            with self._lock:
                self._under_way -= 1

    def _due(self) -> tuple[Request, bool, int] | None:
        with self._lock:
            if not self._bag or self._bag[0][0] > self._clock.monotonic():
                return None
            self._under_way += 1
            _, _, delivery, forgery, attempts = heapq.heappop(self._bag)
            return delivery, forgery, attempts

    def _bring(self, delivery: Request, forgery: bool, attempts: int) -> None:
        status = post(delivery)
        if not forgery:
            self._report(delivery, status)
        if forgery and status == UNVERIFIED:
            self.counts[Fate.FORGED] += 1
        elif not forgery and 200 <= status < 300:
            self.counts["delivered"] += 1
        elif status in (0, 429, 503) and attempts < ATTEMPTS_MAX:
            # As the platforms do: what was not taken is brought again.
            self._put(delivery, AGAIN_SECONDS, forgery=forgery, attempts=attempts + 1)
        else:
            self.mistaken.append(f"{'a forged' if forgery else 'a true'} delivery was answered {status or 'not at all'}")

    def _report(self, delivery: Request, status: int) -> None:
        """Tell the platform what was answered, where it gives up on whoever never takes what it brings."""
        for port in self._ports:
            hears = getattr(port.sandbox, "delivered", None)
            if hears is not None and port.sandbox.hook_url == delivery.url:
                port.look(lambda _, hears=hears: hears(delivery, status))  # type: ignore[misc]


def forged(delivery: Request) -> Request:
    """The delivery with one digit changed and its old signature: what a stranger would send."""
    body = bytearray(delivery.body)
    place = next((n for n in range(len(body) - 1, -1, -1) if chr(body[n]).isdigit()), len(body) - 1)
    body[place] = ord("8") if body[place] == ord("9") else ord("9")
    return Request(delivery.method, delivery.url, delivery.headers, bytes(body))


def post(delivery: Request) -> int:
    """The status of the hub's answer; 0 when there was none."""
    parts = urlsplit(delivery.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(delivery.method, path, delivery.body, dict(delivery.headers))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _waiting(sandbox: object) -> int:
    return len(getattr(sandbox, "outbox", ()))
