"""What must hold at every step, however much goes wrong. Judged from what the platforms hold and from the truth.

Of the hub only its store is looked at, where the promise is about the store: an intent before a send, persons, reservations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.sdk.manifest import Manifest
from hub.sdk.wire import Request
from hub.simulate.crew import HubCrew
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler
from hub.simulate.truth import Truth
from hub.simulate.weather import Quota
from hub.store import changes, ledger, orders

VIOLATIONS_MAX: Final = 50
PACE_SLACK: Final = 3.0
"""Requests reach a platform closer together than they left: their ways differ."""
SURNAME: Final = "zimulant"
LINES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken: which, when (microseconds and scheduler step), and in words."""

    promise: str
    words: str
    at: int
    step: int

    def __str__(self) -> str:
        return f"{self.promise}: {self.words} (step {self.step})"


@dataclass(slots=True)
class Findings:
    """What was found wrong, the first ones first."""

    scheduler: Scheduler
    violations: list[Violation] = field(default_factory=list)
    _known: set[tuple[str, str]] = field(default_factory=set)

    def found(self, promise: str, words: str) -> None:
        """Note it once."""
        if (promise, words) not in self._known and len(self.violations) < VIOLATIONS_MAX:
            self._known.add((promise, words))
            self.violations.append(Violation(promise, words, self.scheduler.now, self.scheduler.steps))


class PaceJudge:
    """Counts requests as the platform does: so many in a row, so many a second."""

    def __init__(self, manifests: Mapping[str, Manifest], shares: Mapping[str, float], findings: Findings) -> None:
        self._findings = findings
        self._allowed = {
            name: Quota(float(m.pace.per_second) * shares[name], m.pace.burst * shares[name] + PACE_SLACK, 0)
            for name, m in manifests.items()
        }

    def arrived(self, channel: str, now: int) -> None:
        """A request came."""
        if not self._allowed[channel].admits(now):
            self._findings.found("pace", f"{channel} is asked more often than it allows")

    def restarted(self) -> None:
        """A hub that died has forgotten what it asked a moment ago; the platform would tell it by a 429."""
        for allowed in self._allowed.values():
            allowed.left = allowed.burst


class StepJudge:
    """Looks on while the hub works."""

    def __init__(self, retailer: Retailer, truth: Truth, crew: HubCrew, findings: Findings) -> None:
        self._retailer = retailer
        self._truth = truth
        self._crew = crew
        self._findings = findings
        self._seen_ledger = 0
        self.calls: Counter[tuple[str, str]] = Counter()
        """(channel, read or write or refused) → how many requests."""
        shares = {name: float(each.pace_share or 1) for name, each in retailer.config.channels.items()}
        manifests = {name: retailer.registry.manifest(each.connector) for name, each in retailer.config.channels.items()}
        self.pace = PaceJudge(manifests, shares, findings)

    def leaving(self, channel: str, request: Request, writes: bool) -> None:
        """A request is about to leave: what it writes must have been intended, durably."""
        if not writes or self._retailer.platforms[channel].subscribes(request):
            return
        with self._findings.scheduler.alone():
            sent = self._crew.store.read(lambda tx: changes.open_in(tx, channel, ["sent"], 1))
        if not sent:
            self._findings.found("intent first", f"{channel}: {request.method} {request.path} without a stored intent")

    def arrived(self, channel: str, request: Request, writes: bool, status: int) -> None:
        """A request reached the platform and had its effect."""
        subscribes = writes and self._retailer.platforms[channel].subscribes(request)
        self.calls[channel, "subscription" if subscribes else "write" if writes else "read"] += 1
        self.calls[channel, "refused"] += status >= 400
        self.pace.arrived(channel, self._findings.scheduler.now)

    def _look_at_books(self) -> None:
        """Each sale stands in the books at most once."""
        held = self._retailer.platforms[self._retailer.books].orders_shown()
        named = Counter(str(slip["reference"]) for slip in held.values() if slip["reference"] and slip["state"] != "cancelled")
        for reference, times in named.items():
            if times > 1:
                self._findings.found("each sale at most once", f"the books hold {reference} {times} times")

    def look(self) -> None:
        """What stays once it is there: sales in the books, what was promised to whom, where persons stand."""
        self._look_at_books()
        with self._findings.scheduler.alone():
            self._look_at_reservations()
            self._look_at_ledger()

    def _look_at_reservations(self) -> None:
        known = {sale.number: sale for sale in self._truth.sales if sale.number}

        def held(tx: Any) -> tuple[list[orders.Reservation], dict[str, orders.Order]]:
            rows = orders.all_reservations(tx, LINES_MAX)
            return rows, orders.orders(tx, {row.order for row in rows})

        rows, by_id = self._crew.store.read(held)
        promised: Counter[str] = Counter()
        for row in rows:
            if row.quantity <= 0:
                self._findings.found("reservations", f"a reservation of {row.quantity} thousandths for order {row.order}")
            if row.state != "provisional":
                promised[row.order] += row.quantity
        for order, thousandths in promised.items():
            sale = known.get(by_id[order].number) if order in by_id else None
            if sale is not None and thousandths > 1000 * (sum(map(abs, sale.lines.values())) + sale.taken_off.total()):
                self._findings.found("reservations", f"{sale.number} is promised {thousandths} thousandths of {sale.lines}")

    def _look_at_ledger(self) -> None:
        for line in self._crew.store.read(lambda tx: ledger.after(tx, self._seen_ledger, LINES_MAX)):
            self._seen_ledger = line.seq
            if SURNAME in str(line).lower():
                self._findings.found("persons", f"ledger line {line.seq} ({line.event}) names a person")

    def look_for_persons(self) -> None:
        """Nowhere in the store may a person stand in plain: the inbox and the parties are sealed."""
        for table in sorted(self._crew.store.tables_with(SURNAME)):
            self._findings.found("persons", f"table {table} holds a person in plain")
