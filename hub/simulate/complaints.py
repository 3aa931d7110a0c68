"""Customers who are not content with what was sent: some of their money is given back, or they send a thing back by post.

The shop keeps that much less, and the books must hold it as a credit. What is sent back arrives in the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Final

from hub.simulate.demand import is_day
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler
from hub.simulate.supply import comes_in
from hub.simulate.truth import ON_SALE, WITHDRAWN, Sale, Truth

MINOR_MAX: Final = 6_000
"""So much (in hundredths) is given back at most."""
SENDS_BACK_SHARE: Final = 0.5
"""How many send something back."""
TIMES_MAX: Final = 2
"""So often somebody complains of one order at most."""


class Complaints:
    """They come `per_day` times in a day, about, while shops are open; with `finish` they end."""

    def __init__(
        self, retailer: Retailer, truth: Truth, scheduler: Scheduler, seed: int, per_day: float, tell: Callable[[str], None]
    ) -> None:
        self._retailer = retailer
        self._truth = truth
        self._scheduler = scheduler
        self._luck = Random(f"complaints {seed}")
        self._per_day = per_day
        self._tell = tell
        self._open = True
        if per_day:
            scheduler.start("complaints", self._come)

    def finish(self) -> None:
        """Nobody complains any more."""
        self._open = False

    def _come(self) -> None:
        while self._open:
            self._scheduler.sleep(self._luck.expovariate(self._per_day / 86_400))
            known = [sale for sale in self._truth.sales if self._may(sale)]
            if self._open and known and is_day(self._scheduler.now):
                sale = self._luck.choice(known)
                act = self._sends_back if self._luck.random() < SENDS_BACK_SHARE else self._complains
                act(sale)

    def _may(self, sale: Sale) -> bool:
        """Whether all of it has left as it was bought and paid: nothing else is to be given back of it."""
        whole = sale.left_at and not sale.open and not sale.taken_off and not sale.back
        return bool(whole) and sale.origin in self._retailer.webshops and sale.complaints < TIMES_MAX

    def _complains(self, sale: Sale) -> None:
        """It is not worth what was paid for it."""
        room = self._kept(sale)
        if room > 1:
            amount = Decimal(self._luck.randint(1, min(MINOR_MAX, room - 1))).scaleb(-2)
            self._retailer.platforms[sale.origin].refund(sale.their, amount)
            self._given_back(sale, room)

    def _sends_back(self, sale: Sale) -> None:
        """One piece comes by post, and is on the shelf again."""
        room, books = self._kept(sale), self._retailer.books
        # What a shop calls off whole, not knowing yet that it has left, a person must credit: nobody sits there.
        few = 0 if self._told(sale) else 1
        sku = next((sku for sku, pieces in sale.lines.items() if pieces - sale.sent_back[sku] > few), "")
        # Nobody takes back what its shop or the books have deleted.
        known = all(self._truth.standing(channel, sku) in (ON_SALE, WITHDRAWN) for channel in (sale.origin, books))
        if sale.kind == "sent" and sku and known and room > sale.asked[sku] * 100:
            self._retailer.platforms[sale.origin].sent_back(sale.their, {sku: 1}, sale.asked[sku])
            sale.sent_back[sku] += 1
            comes_in(self._retailer, self._truth, sku, 1)
            self._tell(f"{sku} of {sale.number} is sent back")
            self._given_back(sale, room)

    def _told(self, sale: Sale) -> bool:
        """Whether its shop knows by now that all of it has left."""
        lines = self._retailer.platforms[sale.origin].orders_shown()[sale.their]["lines"]
        left = {line["sku"]: line["fulfilled"] + sale.sent_back[line["sku"]] for line in lines}
        return all(left[sku] >= pieces for sku, pieces in sale.lines.items())

    def _kept(self, sale: Sale) -> int:
        return int(self._retailer.platforms[sale.origin].orders_shown()[sale.their]["kept_minor"])

    def _given_back(self, sale: Sale, room: int) -> None:
        minor = room - self._kept(sale)
        sale.complaints += 1
        sale.given_back_minor += minor
        sale.credited.append(-minor)
        self._tell(f"{minor} of {sale.number} are given back")
