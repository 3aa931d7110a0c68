"""What is sold changes: new things are taken in and old ones given up, in every system by its own people and at its own time.

A new thing is entered in the books, at the tills and in the webshops in any order, and counted where it comes to lie. What is
given up is withdrawn as one does there, or deleted. It may be sold again: offered as before, or listed anew under its old number
where it was deleted. What the hub lists by itself it is to follow by itself; once somebody has deleted it there by hand, it stays
away.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, Final

from hub.simulate.retailer import Retailer, made_good, made_price
from hub.simulate.scheduler import Scheduler
from hub.simulate.truth import DELETED, ON_SALE, WITHDRAWN, Truth

KINDS: Final = (("takes_in", 5), ("gives_up", 4), ("takes_down", 1), ("sells_again", 2))
FIRST_SECONDS: Final = 60.0
APART: Final = 240.0
"""People follow after a minute at the soonest, and this many times as late at the latest; any order of magnitude is as likely."""
WAYS: Final = (("withdraw", WITHDRAWN), ("trash_item", DELETED), ("remove_item", DELETED))
"""The hands by which people stop selling something, as far as they have them, and how it stands then. The books keep it."""
UNPACKED: Final = (4, 30)
KEPT_SHARE: Final = 0.5
"""Of all that was ever sold so much is never given up."""
TYPED_MORE: Final = (0, 0, 3)
"""What people are wrong by when they type the price of something new."""


class Assortment:
    """Plans come `per_day`; what one begins is done step by step until `finish`."""

    def __init__(
        self, retailer: Retailer, truth: Truth, scheduler: Scheduler, seed: int, per_day: float, tell: Callable[[str], None]
    ) -> None:
        self._retailer = retailer
        self._truth = truth
        self._scheduler = scheduler
        self._luck = Random(f"assortment {seed}")
        self._per_day = per_day
        self._tell = tell
        self._steps: list[tuple[int, int, Callable[[], None]]] = []
        """(when, number, what) of what is begun."""
        self._numbers = 0
        self._over = False
        self._given_up: set[str] = set()
        if per_day > 0:
            scheduler.start("assortment", self._work)

    def finish(self) -> None:
        """Nothing new is begun, and what is begun is done at once."""
        self._over = True
        while self._steps:
            heapq.heappop(self._steps)[2]()

    def _work(self) -> None:
        planned = self._next_plan()
        while not self._over:
            due = min([planned, *(at for at, _, _ in self._steps[:1])])
            self._scheduler.sleep(max(0, due - self._scheduler.now) / 1_000_000)
            while self._steps and self._steps[0][0] <= self._scheduler.now:
                heapq.heappop(self._steps)[2]()
            if not self._over and planned <= self._scheduler.now:
                kind = self._luck.choices([word for word, _ in KINDS], [weight for _, weight in KINDS])[0]
                plan: Callable[[], None] = getattr(self, f"_{kind}")
                plan()
                planned = self._next_plan()

    def _next_plan(self) -> int:
        return self._scheduler.now + round(self._luck.expovariate(self._per_day / 86_400) * 1_000_000)

    def _later(self, after: int, act: Callable[[], None]) -> int:
        """Somebody does this some time after that; gives when."""
        at = after + round(FIRST_SECONDS * float(APART ** self._luck.random()) * 1_000_000)
        self._numbers += 1
        heapq.heappush(self._steps, (at, self._numbers, act))
        return at

    def _hand(self, channel: str) -> Any:
        return self._retailer.platforms[channel]

    # something new

    def _takes_in(self) -> None:
        truth, retailer, luck = self._truth, self._retailer, self._luck
        good = made_good(len(truth.goods), 1 / luck.randint(1, len(truth.goods) + 1))
        truth.goods.append(good)
        truth.price[good.sku] = made_price(luck)
        for place in (retailer.warehouse, *retailer.shops.values()):
            truth.shelf[place, good.sku] = 0
        self._tell(f"{good.sku} is new")
        at = {
            channel: self._later(self._scheduler.now, partial(self._lists, channel, good.sku, good.title))
            for channel in retailer.kept_by_people
        }
        for channel, place in ((retailer.books, retailer.warehouse), *retailer.shops.items()):
            pieces = luck.randint(*UNPACKED)
            self._later(at[channel], partial(self._unpacks, channel, place, good.sku, pieces))

    def _lists(self, channel: str, sku: str, title: str) -> None:
        """Its people enter it; what it costs in the list is what the books say, the others type what it costs with tax."""
        price = self._truth.price[sku]
        if channel != self._retailer.books:
            price = self._truth.asked_price(sku) + Decimal(self._luck.choice(TYPED_MORE))
        self._hand(channel).add_item(sku, title, price=price)
        self._truth.listed[channel, sku] = ON_SALE
        self._tell(f"{sku} is listed in the {channel}")

    def _unpacks(self, channel: str, place: str, sku: str, pieces: int) -> None:
        """The first of it comes to lie there, and is counted, unless it was deleted there before."""
        if self._truth.standing(channel, sku) == DELETED:
            return
        if self._truth.brought_lately(place, sku, self._scheduler.now):
            # It is there already, or comes with a van: that much is not counted before it is told.
            return
        self._truth.shelf[place, sku] += pieces
        self._hand(channel).count(sku, self._truth.shelf[place, sku], self._retailer.place(place, channel))
        self._tell(f"the first {pieces} of {sku} are counted at {place}")

    # what is given up

    def _gives_up(self) -> None:
        """It is not sold any more; where it is a webshop's or a till's, its people may delete it as well."""
        retailer, known = self._retailer, [good.sku for good in self._truth.goods]
        sold = [sku for sku in known if sku not in self._given_up and self._sold_everywhere(sku)]
        if len(self._given_up) >= len(known) * (1 - KEPT_SHARE) or not sold:
            return
        sku = self._luck.choice(sold)
        self._given_up.add(sku)
        self._tell(f"{sku} is given up")
        for channel in retailer.kept_by_people:
            ways = [way for way in WAYS if hasattr(self._hand(channel), way[0])]
            way = self._luck.choice(ways) if channel != retailer.books else WAYS[0]
            self._later(self._scheduler.now, partial(self._stops, channel, sku, *way))

    def _sold_everywhere(self, sku: str) -> bool:
        return all(self._truth.sold_at(channel, sku) for channel in self._retailer.kept_by_people)

    def _stops(self, channel: str, sku: str, hand: str, stands: str) -> None:
        if stands == DELETED and self._is_waited_for(channel, sku):
            if not self._over:
                self._later(self._scheduler.now, partial(self._stops, channel, sku, hand, stands))
            if not self._truth.sold_at(channel, sku):
                return
            hand, stands = WAYS[0]
        getattr(self._hand(channel), hand)(sku)
        self._truth.listed[channel, sku] = stands
        if stands == DELETED and channel in self._retailer.shops:
            # What a till does not know is not kept in its store.
            self._truth.shelf[self._retailer.shops[channel], sku] = 0
        self._tell(f"{sku} is {stands} in the {channel} ({hand})")

    def _is_waited_for(self, channel: str, sku: str) -> bool:
        """Whether somebody waits for it who bought it there: where deleting makes orders forget what they are about (which is why
        such a shop has a trash) nobody deletes it yet; nor at a till where it is to be fetched or brought, or that is offline."""
        if channel in self._retailer.shops:
            place = self._retailer.shops[channel]
            on_its_way = self._truth.brought_lately(place, sku, self._scheduler.now)
            return channel in self._truth.offline or self._truth.promised(place, sku) > 0 or on_its_way
        forgets = hasattr(self._hand(channel), "trash_item")
        return forgets and any(sale.origin == channel and sku in sale.open for sale in self._truth.waiting())

    def _sells_again(self) -> None:
        """What is not sold anywhere any more comes back everywhere."""
        over = sorted(
            sku for sku in self._given_up if not any(self._truth.sold_at(at, sku) for at in self._retailer.kept_by_people)
        )
        if not over:
            return
        sku = self._luck.choice(over)
        self._given_up.remove(sku)
        self._tell(f"{sku} is to be sold again")
        (title,) = (good.title for good in self._truth.goods if good.sku == sku)
        for channel in self._retailer.kept_by_people:
            self._later(self._scheduler.now, partial(self._offers_again, channel, sku, title))

    def _offers_again(self, channel: str, sku: str, title: str) -> None:
        """As it was, out of the trash too; deleted for good it is listed anew, and what comes to lie there is counted."""
        hand = self._hand(channel)
        in_trash = hasattr(hand, "trash_item") and sku in hand.shown()
        if self._truth.standing(channel, sku) == DELETED and not in_trash:
            self._lists(channel, sku, title)
            if channel in self._retailer.shops:
                pieces, place = self._luck.randint(*UNPACKED), self._retailer.shops[channel]
                self._later(self._scheduler.now, partial(self._unpacks, channel, place, sku, pieces))
            return
        hand.sell_again(sku)
        self._truth.listed[channel, sku] = ON_SALE
        self._tell(f"{sku} is sold again in the {channel}")

    def _takes_down(self) -> None:
        """Somebody deletes by hand what the hub has listed."""
        places = [name for name in self._retailer.platforms if name not in self._retailer.kept_by_people]
        shown = [
            (channel, sku)
            for channel in places
            for sku, seen in self._hand(channel).shown().items()
            if seen["state"] == ON_SALE and self._truth.sold_at(self._retailer.books, sku)
        ]
        if shown:
            channel, sku = self._luck.choice(shown)
            self._stops(channel, sku, "remove_item", DELETED)
