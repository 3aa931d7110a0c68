"""Staff: they ship, put aside and hand over, call off what nobody has, receive goods, count shelves and change prices.

They work from what their own system shows them; whether it is true they find out at the shelf.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final

from hub.simulate.calling_off import call_off
from hub.simulate.demand import HOUR, is_day
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler
from hub.simulate.supply import comes_in
from hub.simulate.truth import COUNT_APART_MICROS, Sale, Truth

ROUND_SECONDS: Final = 1_200.0
COLLECTS_AFTER_MICROS: Final = HOUR // 2
SHORT_AFTER_MICROS: Final = 2 * HOUR
"""So long they look for goods that are not there before they call an order off."""
PARTS_SHARE: Final = 0.3
"""How often not everything is sent at once."""
RUNG_UP_SHARE: Final = 0.3
"""How often a clerk rings up what somebody fetches, instead of marking it as collected."""
CHORES_PER_DAY: Final = 20
CHORES: Final = (("receives", 8), ("counts_shop", 3), ("counts_warehouse", 3), ("changes_price", 4))


class Staff:
    """They make their rounds while it is day, and at all hours once `finish` is called, until nothing is left to do."""

    def __init__(self, retailer: Retailer, truth: Truth, scheduler: Scheduler, seed: int, tell: Callable[[str], None]) -> None:
        self._retailer = retailer
        self._truth = truth
        self._scheduler = scheduler
        self._luck = Random(f"staff {seed}")
        self._tell = tell
        self._finishing = False
        self._ready_at: dict[str, int] = {}
        scheduler.start("staff", self._rounds)
        scheduler.start("chores", self._chores)

    def finish(self) -> None:
        """No new goods, counts or prices: only what was bought is still handed out."""
        self._finishing = True

    def left(self) -> list[Sale]:
        """What still waits for somebody, and not for its money."""
        return [sale for sale in self._truth.waiting() if not sale.unpaid]

    def _rounds(self) -> None:
        while True:
            self._scheduler.sleep(ROUND_SECONDS)
            if self._finishing or self._is_day:
                self._ship()
                self._put_aside()
                self._hand_over()

    @property
    def _is_day(self) -> bool:
        return is_day(self._scheduler.now)

    def _hand(self, channel: str) -> Any:
        return self._retailer.platforms[channel]

    # orders

    def _ship(self) -> None:
        """The warehouse sends what the books' slips say, when that is what was bought and it is there."""
        books = self._hand(self._retailer.books)
        slips = {ident: slip for ident, slip in books.orders_shown().items() if slip["state"] == "processing"}
        by_number = {str(slip["reference"]): ident for ident, slip in slips.items() if slip["reference"]}
        for sale in list(self._truth.waiting()):
            if sale.place != self._retailer.warehouse:
                continue
            ident = by_number.get(sale.number, "") if sale.number else sale.their
            if not self._is_there(sale):
                self._give_up(sale)
            elif ident in slips and self._says_the_same(slips[ident], sale) and books.to_ship(ident):
                self._send(books, ident, sale)

    def _send(self, books: Any, ident: str, sale: Sale) -> None:
        """All of it, or of several things the first, and the rest at a later round."""
        parts = dict(sale.open)
        if len(parts) > 1 and self._luck.random() < PARTS_SHARE:
            parts = dict(list(parts.items())[:1])
        whole = parts == sale.open
        try:
            books.ship(ident, None if whole else parts, tracking=f"TRACK-{ident}-{len(sale.handed_out)}")
        except IndexError:
            # It is being changed in the books just now and no parcel of it waits: the next round looks again.
            return
        self._truth.hand_out(sale, self._scheduler.now, parts)
        self._tell(f"the warehouse sends {'all' if whole else parts} of {sale.number or sale.their}")

    def _says_the_same(self, slip: dict[str, Any], sale: Sale) -> bool:
        """Whether the slip is over what was bought; what of it was sent counts with it."""
        wanted = {line["sku"]: line["quantity"] - line["cancelled"] for line in slip["lines"] if line["sku"] in sale.lines}
        return wanted == sale.lines

    def _put_aside(self) -> None:
        waiting = [sale for sale in self.left() if sale.kind == "fetched" and not sale.aside and self._online(sale)]
        slips = self._slips_at_tills() if waiting else {}
        for sale in waiting:
            if not self._is_there(sale):
                self._give_up(sale)
            elif sale.number in slips:
                self._till_for(sale).prepare(slips[sale.number])
                sale.aside = True
                self._tell(f"the shop puts {sale.number} aside")

    def _slips_at_tills(self) -> dict[str, str]:
        """Every order that waits at a counter, by its number."""
        held = (self._hand(till).orders_shown() for till in self._retailer.tills)
        return {slip["number"]: ident for slips in held for ident, slip in slips.items()}

    def _online(self, sale: Sale) -> bool:
        """Whether the till where it waits can be asked."""
        return self._retailer.till_of(sale.place) not in self._truth.offline

    def _till_for(self, sale: Sale) -> Any:
        return self._hand(self._retailer.till_of(sale.place))

    def _hand_over(self) -> None:
        """Customers who were told that it is ready come for it after a while."""
        waiting = [sale for sale in self.left() if sale.aside and self._online(sale)]
        if not waiting:
            return
        slips = self._slips_at_tills()
        told = {webshop: self._hand(webshop).orders_shown() for webshop in self._retailer.webshops}
        for sale in waiting:
            if not told[sale.origin][sale.their]["notes"]:
                continue
            ready = self._ready_at.setdefault(sale.number, self._scheduler.now)
            if self._scheduler.now - ready < COLLECTS_AFTER_MICROS:
                continue
            till = self._till_for(sale)
            if self._luck.random() < RUNG_UP_SHARE:
                place = self._retailer.place(sale.place, self._retailer.till_of(sale.place))
                till.ring_up(dict(sale.open), place=place, reference=sale.number)
                self._tell(f"{sale.number} is fetched and rung up")
            else:
                till.collect(slips[sale.number])
                self._tell(f"{sale.number} is fetched")
            self._truth.hand_out(sale, self._scheduler.now)

    def _is_there(self, sale: Sale) -> bool:
        room = {sku: self._truth.shelf[sale.place, sku] for sku in sale.open}
        if sale.kind == "fetched" and not sale.aside:
            room = {sku: self._truth.takeable(sale.place, sku) for sku in sale.open}
        return all(room[sku] >= pieces for sku, pieces in sale.open.items())

    def _give_up(self, sale: Sale) -> None:
        """Nobody finds it: after a while it is called off where it was bought."""
        if self._scheduler.now - sale.at < SHORT_AFTER_MICROS:
            return
        if sale.handed_out:
            # A part of it is on its way already: the rest is bought in.
            for sku in sale.open:
                self._receives(sku)
        else:
            call_off(self._hand(sale.origin), sale)
            self._tell(f"{sale.number or sale.their} is called off: it is not there")

    # chores

    def _chores(self) -> None:
        words, weights = [word for word, _ in CHORES], [weight for _, weight in CHORES]
        while not self._finishing:
            self._scheduler.sleep(self._luck.expovariate(CHORES_PER_DAY / 86_400))
            if self._is_day and not self._finishing:
                act: Callable[[str], None] = getattr(self, f"_{self._luck.choices(words, weights)[0]}")
                sku = self._luck.choice(self._truth.goods).sku
                if self._truth.sold_at(self._retailer.books, sku):
                    act(sku)

    def _receives(self, sku: str) -> None:
        pieces = self._luck.randint(5, 30)
        comes_in(self._retailer, self._truth, sku, pieces)
        self._tell(f"the warehouse receives {pieces} of {sku}")

    def _counts_shop(self, sku: str) -> None:
        till = self._luck.choice(self._retailer.tills)
        if till not in self._truth.offline:
            self._counts(sku, self._retailer.shops[till], till)

    def _counts_warehouse(self, sku: str) -> None:
        self._counts(sku, self._retailer.warehouse, self._retailer.books)

    def _counts(self, sku: str, place: str, channel: str) -> None:
        """Somebody counts, and may find one piece gone."""
        if not self._truth.sold_at(channel, sku) or self._truth.brought_lately(place, sku, self._scheduler.now):
            return
        before = self._scheduler.now - COUNT_APART_MICROS
        if any(sku in sale.lines and sale.place == place and (sale.open or sale.left_at > before) for sale in self._truth.sales):
            return
        if self._luck.random() < 0.3 and self._truth.shelf[place, sku] > 0:
            self._truth.shelf[place, sku] -= 1
        self._hand(channel).count(sku, self._truth.shelf[place, sku], self._retailer.place(place, channel))
        self._tell(f"{sku} is counted at {place}: {self._truth.shelf[place, sku]}")

    def _changes_price(self, sku: str) -> None:
        # At most a seventh at a time: a larger step waits for a person, and nobody sits there.
        minor = int(self._truth.price[sku] * 100) * self._luck.randint(88, 113) // 100
        self._truth.price[sku] = Decimal(minor).scaleb(-2)
        self._hand(self._retailer.books).set_price(sku, self._truth.price[sku])
        self._tell(f"{sku} costs {self._truth.price[sku]} from now on")
