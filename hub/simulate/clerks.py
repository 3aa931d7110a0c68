"""Clerks who change an order in the webshop's own admin after it was placed: a piece fewer of a line.

What is added to a sale that is being shipped already a person must add in the books (the hub says so by name): nobody sits there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.simulate.faults import Mischief
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler
from hub.simulate.truth import DELETED, Sale, Truth

KIND: Final = "order_edits_per_day"


class Clerks:
    """They change what waits to be sent, is worked on as it was paid, and nobody has changed before; the truth follows."""

    def __init__(
        self, retailer: Retailer, truth: Truth, scheduler: Scheduler, mischief: Mischief, tell: Callable[[str], None]
    ) -> None:
        self._retailer = retailer
        self._truth = truth
        self._scheduler = scheduler
        self._mischief = mischief
        self._tell = tell
        self._edited: set[str] = set()
        scheduler.start("clerks", self._work)

    def _work(self) -> None:
        luck = self._mischief.luck(KIND)
        while (seconds := self._mischief.seconds_to_next(KIND)) is not None:
            self._scheduler.sleep(seconds)
            slips = self._retailer.platforms[self._retailer.books].orders_shown().values()
            booked = {str(slip["reference"]) for slip in slips if slip["state"] == "processing"}
            waiting = [sale for sale in self._truth.sales if sale.number in booked and self._may_be_edited(sale)]
            if self._mischief.on and waiting:
                self._edit(luck.choice(waiting))

    def _may_be_edited(self, sale: Sale) -> bool:
        # A line whose product was deleted is edited by nobody: its page is gone.
        there = all(self._truth.standing(sale.origin, sku) != DELETED for sku in sale.lines)
        whole = sale.kind == "sent" and sale.open == sale.lines
        return whole and there and max(sale.lines.values()) > 1 and sale.number not in self._edited

    def _edit(self, sale: Sale) -> None:
        """One piece fewer; what was paid stays paid until somebody gives it back."""
        sku = max(sale.lines, key=lambda one: sale.lines[one])
        left = sale.lines[sku] - 1
        shop = self._retailer.platforms[sale.origin]
        shop.edit(sale.their, sku, left)
        self._edited.add(sale.number)
        sale.lines[sku] = left
        sale.taken_off[sku] += 1
        self._mischief.came(KIND)
        self._tell(f"a clerk makes it {left} of {sku} in {sale.number}")
