"""Goods come in where hardly any are left, and go on to the stores: under way for hours, and now and then not all of it arrives.

What is on its way to a store, or has just come, is not counted there, nor deleted at its till: the till's own figure may not have
followed yet, and nobody could tell a count that found it already from one that did not.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from hub.flow import Aspect
from hub.simulate.demand import CLOSES, HOUR, OPENS, is_day
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler
from hub.simulate.truth import UNDER_WAY, Truth

ROUND_SECONDS: Final = 1_200.0
LOW: Final = 2
"""Pieces that are left in the warehouse for nobody in particular when more are ordered."""
ORDERED_SHARE: Final = 0.25
"""In how many rounds a thing comes that is low: it is out of stock for an hour or two of the day, and all night."""
ORDERED: Final = (15, 60)
VANS_PER_DAY: Final = 4.0
"""To each store, about."""
WANTED: Final = 1
"""Pieces that lie in a store when it is sent more."""
KEPT: Final = 10
"""Pieces that the warehouse keeps of what it sends on: enough that nobody buys them away while the news spreads."""
CARRIED: Final = (3, 8)
LINES_MAX: Final = 12
VAN_HOURS: Final = (0.2, 5.0)
SHORT_SHARE: Final = 0.2
"""In how many vans a thing is a piece or two short."""


def comes_in(retailer: Retailer, truth: Truth, sku: str, pieces: int) -> None:
    """So many pieces arrive in the warehouse, and its people book them in."""
    books, warehouse = retailer.books, retailer.warehouse
    retailer.platforms[books].receive(sku, pieces, retailer.place(warehouse, books))
    truth.shelf[warehouse, sku] += pieces


class Supply:
    """Its rounds go on while it is day, until `finish`."""

    def __init__(self, retailer: Retailer, truth: Truth, scheduler: Scheduler, seed: int, tell: Callable[[str], None]) -> None:
        self._retailer = retailer
        self._truth = truth
        self._scheduler = scheduler
        self._luck = Random(f"supply {seed}")
        self._tell = tell
        self._vans: list[tuple[int, str, str, dict[str, int]]] = []
        """(when it arrives, the store's till, the books' number, pieces by SKU)"""
        self._over = False
        self._served = [till for till in retailer.tills if _is_told(retailer, till)]
        scheduler.start("supply", self._rounds)

    def finish(self) -> None:
        """Nothing more is sent, and what is under way arrives at once."""
        self._over = True
        self._arrive()

    def _rounds(self) -> None:
        while not self._over:
            self._scheduler.sleep(ROUND_SECONDS)
            if is_day(self._scheduler.now) and not self._over:
                self._arrive()
                self._order_in()
                rounds = (CLOSES - OPENS) * 3_600 / ROUND_SECONDS
                for till in self._served:
                    if self._luck.random() < VANS_PER_DAY / rounds:
                        self._send(till)

    @property
    def _books(self) -> Any:
        return self._retailer.platforms[self._retailer.books]

    def _order_in(self) -> None:
        books, warehouse = self._retailer.books, self._retailer.warehouse
        for good in self._truth.goods:
            if not self._truth.sold_at(books, good.sku) or self._truth.free(warehouse, good.sku) > LOW:
                continue
            if self._luck.random() < ORDERED_SHARE:
                pieces = self._luck.randint(*ORDERED)
                comes_in(self._retailer, self._truth, good.sku, pieces)
                self._tell(f"the warehouse gets {pieces} of {good.sku} in")

    def _send(self, till: str) -> None:
        """What the store lacks and the warehouse has plenty of."""
        retailer, truth, luck = self._retailer, self._truth, self._luck
        shop, warehouse = retailer.shops[till], retailer.warehouse
        lacking = [
            good.sku
            for good in truth.goods
            if truth.sold_at(till, good.sku)
            and truth.sold_at(retailer.books, good.sku)
            and truth.shelf[shop, good.sku] <= WANTED
            and truth.brought.get((shop, good.sku)) != UNDER_WAY
        ]
        basket = {}
        for sku in luck.sample(lacking, min(len(lacking), LINES_MAX)):
            pieces = luck.randint(*CARRIED)
            if truth.free(warehouse, sku) - pieces >= KEPT:
                basket[sku] = pieces
        if not basket:
            return
        places = [retailer.place(each, retailer.books) for each in (warehouse, shop)]
        number = self._books.transfer(basket, *places)
        self._books.dispatch(number)
        for sku, pieces in basket.items():
            truth.shelf[warehouse, sku] -= pieces
            truth.brought[shop, sku] = UNDER_WAY
        arrives = self._scheduler.now + round(luck.uniform(*VAN_HOURS) * HOUR)
        self._vans.append((arrives, till, number, basket))
        self._tell(f"{basket} leave for {shop} with {number}")

    def _arrive(self) -> None:
        due = [van for van in self._vans if van[0] <= self._scheduler.now or self._over]
        for van in due:
            _, till, number, basket = van
            self._vans.remove(van)
            shop, came = self._retailer.shops[till], dict(basket)
            if self._luck.random() < SHORT_SHARE:
                short = self._luck.choice(list(came))
                came[short] -= self._luck.randint(1, 2)
            self._books.receive_transfer(number, came)
            for sku, pieces in came.items():
                self._truth.shelf[shop, sku] += pieces
                self._truth.brought[shop, sku] = self._scheduler.now
            self._tell(f"{came} arrive at {shop} with {number}")


def _is_told(retailer: Retailer, till: str) -> bool:
    """Whether the books' people can send something to this till's store, and the till can be told of it."""
    books, where = retailer.books, retailer.config.locations[retailer.shops[till]].channels
    manifest, told = (retailer.registry.manifest(retailer.config.channels[name].connector) for name in (books, till))
    tells = any("movement" in stream.maps for stream in manifest.streams.values())
    return tells and books in where and hasattr(retailer.platforms[books], "transfer") and Aspect.MOVEMENT in told.sends
