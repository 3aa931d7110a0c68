"""What counts as done must have been so: a write is believed when the platform showed it, and never on hope.

At every effect and look the platforms are looked at as a customer would; each receipt that says "applied" is held against that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from hub.canonical.json import stored_json
from hub.canonical.values import THOUSAND, Plain
from hub.simulate.checkers import Findings
from hub.simulate.crew import HubCrew
from hub.simulate.retailer import Retailer
from hub.store import changes
from hub.store.database import Tx

OPEN: Final = ("accepted", "unknown")
"""States of changes that the platform is asked about."""
KEPT_MAX: Final = 200
"""Values of one number remembered: what it showed since the oldest sending that still waits."""
Shown = tuple[str, str, str, str]
"""(channel, SKU, aspect, place)"""


class Evidence:
    """Remembers what platforms showed, and judges receipts."""

    def __init__(self, retailer: Retailer, crew: Callable[[], HubCrew], findings: Findings) -> None:
        self._retailer = retailer
        self._crew = crew
        self._findings = findings
        self._showed: dict[Shown, deque[Decimal]] = {}
        self._last: dict[tuple[str, str], Plain] = {}
        """(channel, SKU) → what it showed last: most things stay as they were."""
        self._row = 0

    def doubts(self, channel: str) -> bool:
        """Whether a look there may prove a write whose outcome is open."""
        with self._findings.scheduler.alone():
            return bool(self._crew().store.read(lambda tx: changes.open_in(tx, channel, OPEN, 1)))

    def passed(self, channel: str) -> None:
        """A request had its effect there (or looked) just now."""
        if channel == self._retailer.books:
            # Its figures are worked out from every move ever made: too slow to be looked at so often.
            return
        for sku, seen in self._retailer.platforms[channel].shown().items():
            if self._last.get((channel, sku)) == seen:
                continue
            self._last[channel, sku] = seen
            if seen["price"] is not None:
                self._note((channel, sku, "price", ""), Decimal(seen["price"]))
            for place, pieces in seen["stock"].items():
                self._note((channel, sku, "stock", str(place)), Decimal(int(pieces)))
            self._note((channel, sku, "stock", ""), Decimal(sum(int(each) for each in seen["stock"].values())))

    def _note(self, key: Shown, value: Decimal) -> None:
        known = self._showed.setdefault(key, deque(maxlen=KEPT_MAX))
        if not known or known[-1] != value:
            known.append(value)

    def committed(self) -> None:
        """Look at the receipts that are new since the last commit."""
        with self._findings.scheduler.alone():
            new = [row for row in self._crew().store.read(self._new) if row[0] != self._retailer.books]
            for channel in sorted({row[0] for row in new}):
                self.passed(channel)
            for channel, listing, aspect, place, after, sku in new:
                value = stored_json(after)
                there = self._retailer.place(place, channel) if place else ""
                wanted = _wanted(aspect, value)
                showed = self._showed.get((channel, sku, aspect, there), ())
                if wanted is not None and wanted not in showed:
                    words = f"{channel} {listing} {aspect} {place} counts as {wanted} and never showed it"
                    self._findings.found("applied on evidence", words)

    def _new(self, tx: Tx) -> list[tuple[str, str, str, str, str, str]]:
        newest = int(tx.query("SELECT max(rowid) FROM receipts")[0][0] or 0)
        if newest == self._row:
            # As after most commits.
            return []
        rows = tx.query(
            "SELECT r.rowid, r.channel, r.listing, r.aspect, r.place, r.after, b.sku FROM receipts r JOIN bindings b ON "
            "b.channel = r.channel AND b.listing = r.listing WHERE r.rowid > :row AND r.outcome = 'applied' "
            "AND r.aspect IN ('stock', 'price') ORDER BY r.rowid",
            row=self._row,
        )
        self._row = newest
        return [(row[1], row[2], row[3], row[4], row[5], row[6]) for row in rows]


def _wanted(aspect: str, value: Plain) -> Decimal | None:
    if aspect == "price":
        return Decimal(str(value["amount"]))
    return Decimal(max(0, int(value["sellable"]))) / THOUSAND
