"""Customers who order online and pay later, or never: what waits for its money is kept for them, and does not leave.

Nobody sends it before it is paid. What a shop calls off for want of money may be paid after all, and stands again.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from hub.simulate.calling_off import call_off
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler
from hub.simulate.truth import Sale, Truth

LOOK_SECONDS: Final = 120.0
MINUTE_MICROS: Final = 60_000_000
WAITS_MINUTES: Final = (2, 480)
PAID_SHARE: Final = 0.65
"""How many pay in the end; the others are called off."""
TOO_LATE_SHARE: Final = 0.4
"""How many of these pay right after that."""
TOO_LATE_MINUTES: Final = (1, 90)


class LatePayers:
    """`share` of the orders that can be paid later are. What still waits when `finish` is called waits for good."""

    def __init__(
        self, retailer: Retailer, truth: Truth, scheduler: Scheduler, seed: int, share: float, tell: Callable[[str], None]
    ) -> None:
        self._retailer = retailer
        self._truth = truth
        self._scheduler = scheduler
        self._luck = Random(f"late payers {seed}")
        self._share = share
        self._tell = tell
        self._open = True
        self._due: list[tuple[int, Sale, Callable[[Sale], None]]] = []
        if share:
            scheduler.start("late payers", self._work)

    def finish(self) -> None:
        """Nobody pays any more."""
        self._open = False

    def way(self, webshop: str) -> str:
        """How the next order there waits for its money; "" where it is paid at once."""
        ways = self._hand(webshop).pays_later
        return self._luck.choice(ways) if self._share and ways and self._luck.random() < self._share else ""

    def owes(self, sale: Sale) -> None:
        """This order waits for its money."""
        sale.unpaid = True
        self._later(WAITS_MINUTES, sale, self._pays if self._luck.random() < PAID_SHARE else self._never_pays)

    def _hand(self, webshop: str) -> Any:
        return self._retailer.platforms[webshop]

    def _later(self, minutes: tuple[int, int], sale: Sale, act: Callable[[Sale], None]) -> None:
        self._due.append((self._scheduler.now + self._luck.randint(*minutes) * MINUTE_MICROS, sale, act))

    def _work(self) -> None:
        while self._open:
            self._scheduler.sleep(LOOK_SECONDS)
            for each in [each for each in self._due if self._open and each[0] <= self._scheduler.now]:
                self._due.remove(each)
                _, sale, act = each
                act(sale)

    def _pays(self, sale: Sale) -> None:
        if not sale.called_off:
            self._hand(sale.origin).pay(sale.their)
            sale.unpaid = False
            self._tell(f"{sale.number} is paid")

    def _never_pays(self, sale: Sale) -> None:
        if sale.called_off:
            return
        hand = self._hand(sale.origin)
        call_off(hand, sale)
        self._tell(f"{sale.number} is called off: nobody has paid it")
        if hand.stands_again and self._luck.random() < TOO_LATE_SHARE:
            self._later(TOO_LATE_MINUTES, sale, self._pays_too_late)

    def _pays_too_late(self, sale: Sale) -> None:
        """The shop takes the money as long as it has the goods, and otherwise gives it back at once."""
        shown = self._hand(sale.origin).shown()
        has = all(sku in shown and sum(shown[sku]["stock"].values()) >= n for sku, n in sale.lines.items())
        if has and all(self._truth.free(sale.place, sku) >= pieces for sku, pieces in sale.lines.items()):
            self._hand(sale.origin).pay(sale.their)
            sale.unpaid = False
            self._truth.stands_again(sale)
            self._tell(f"{sale.number} is paid after all")
