"""Customers: when they come over the day, what they want, and where they buy it; each draw from one seed, whatever the hub does.

What they can buy depends on what a channel shows them at that moment, as it does for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random
from typing import Any, Final

from hub.simulate.calling_off import call_off
from hub.simulate.late_payers import LatePayers
from hub.simulate.retailer import Retailer
from hub.simulate.scheduler import Scheduler
from hub.simulate.truth import ON_SALE, WITHDRAWN, Sale, Truth

HOUR: Final = 3_600_000_000
OPENS, CLOSES = 8, 18
CURVE: Final = (1, 1, 1, 1, 1, 2, 3, 5, 8, 9, 10, 11, 11, 10, 10, 11, 12, 12, 13, 15, 16, 12, 6, 2)
"""How busy each hour of the day is, UTC."""
WANTS: Final = (
    ("rings_up", 40),
    ("orders", 28),
    ("fetches", 8),
    ("phones", 6),
    ("gives_back", 4),
    ("brings_back", 4),
    ("rings_up_more", 5),
    ("swaps", 2),
    ("thinks_again", 3),
)
MORE: Final = ("tip", "cash", "custom", "discount", "gift card")
"""What stands on a receipt besides goods."""
SHIPPING: Final = Decimal("39.00")
CAMPAIGN_WEIGHT: Final = 40.0
"""How much more one thing is wanted while there is a campaign for it."""
CAMPAIGN_SHARE: Final = 0.5
"""On how many days there is one."""
CAMPAIGN_HOURS: Final = (2.0, 5.0)
BASKET: Final = (1, 1, 1, 1, 1, 2, 2, 3)
"""How many different things somebody buys at once."""


def is_day(now: int) -> bool:
    """Whether shops are open and people at work."""
    return OPENS <= now // HOUR % 24 < CLOSES


def person(number: int) -> dict[str, str]:
    """A made buyer; the surname is what no system but the shop and the books may know."""
    return {
        "name": f"Made Zimulant{number}",
        "email": f"zimulant{number}@buyer.example",
        "street": f"Zimulantgade {number}",
        "city": "Made Town",
        "postal_code": "1000",
        "country": "DK",
        "phone": "+4500000000",
    }


class Customers:
    """They come until `close`; `tell` hears in words what they do."""

    def __init__(
        self,
        retailer: Retailer,
        truth: Truth,
        scheduler: Scheduler,
        seed: int,
        per_day: int,
        late: LatePayers,
        tell: Callable[[str], None],
    ) -> None:
        self._retailer = retailer
        self._truth = truth
        self._scheduler = scheduler
        self._luck = Random(f"customers {seed}")
        self._mean_seconds = 86_400 / per_day * sum(CURVE) / len(CURVE)
        self._late = late
        self._tell = tell
        self._open = True
        self._persons = 0
        self._campaign = ""
        scheduler.start("customers", self._come)
        scheduler.start("campaigns", self._campaigns)

    def close(self) -> None:
        """Nobody comes any more, and nobody pays what he owes."""
        self._open = False
        self._late.finish()

    def _campaigns(self) -> None:
        """On some days everybody talks of one thing for some hours, whatever it is."""
        luck = Random(f"campaigns {self._luck.random()}")
        while self._open:
            until_noon, hours = luck.uniform(4, 12), luck.uniform(*CAMPAIGN_HOURS)
            self._scheduler.sleep(until_noon * 3_600)
            if luck.random() < CAMPAIGN_SHARE and self._open:
                self._campaign = luck.choice(self._truth.goods).sku
                self._tell(f"a campaign for {self._campaign} begins")
            self._scheduler.sleep(hours * 3_600)
            self._campaign = ""
            self._scheduler.sleep((24 - until_noon - hours) * 3_600)

    def _come(self) -> None:
        words, weights = [word for word, _ in WANTS], [weight for _, weight in WANTS]
        while self._open:
            hour = self._scheduler.now // HOUR % 24
            self._scheduler.sleep(self._luck.expovariate(CURVE[hour] / self._mean_seconds))
            if self._open:
                act: Callable[[], None] = getattr(self, f"_{self._luck.choices(words, weights)[0]}")
                act()

    @property
    def _is_day(self) -> bool:
        return is_day(self._scheduler.now)

    def _wanted(self) -> str:
        goods = self._truth.goods
        weights = [good.weight * (CAMPAIGN_WEIGHT if good.sku == self._campaign else 1.0) for good in goods]
        return self._luck.choices(goods, weights)[0].sku

    def _basket(self, pieces: tuple[int, ...]) -> dict[str, int]:
        return {self._wanted(): self._luck.choice(pieces) for _ in range(self._luck.choice(BASKET))}

    def _hand(self, channel: str) -> Any:
        return self._retailer.platforms[channel]

    # in the shop

    def _rings_up(self) -> None:
        till, basket = self._counter(), self._basket((1, 1, 1, 2))
        there = {sku: n for sku, n in basket.items() if self._on_shelf(till, sku, n)}
        if self._is_day and there:
            self._receipt(till, there, {}, {})

    def _on_shelf(self, till: str, sku: str, pieces: int) -> bool:
        """Whether they lie there to be taken, and the till knows what they cost."""
        return self._truth.sold_at(till, sku) and self._truth.takeable(self._retailer.shops[till], sku) >= pieces

    def _counter(self) -> str:
        return self._luck.choice(self._retailer.tills)

    def _rings_up_more(self) -> None:
        till, sku, kind = self._counter(), self._wanted(), self._luck.choice(MORE)
        if not self._is_day or not self._on_shelf(till, sku, 1):
            return
        more: dict[str, dict[str, Any]] = {
            "tip": {"tip": Decimal(20)},
            "cash": {"rounding": Decimal("0.05"), "tender": "CASH"},
            "custom": {"custom": [("Repair", Decimal(150))]},
            "discount": {"discounts": {sku: Decimal(5)}},
            "gift card": {"gift_cards": [Decimal(500)]},
        }
        self._receipt(till, {sku: 1}, {}, more[kind])

    def _swaps(self) -> None:
        """Somebody brings one thing and takes another."""
        till, brought, taken = self._counter(), self._wanted(), self._wanted()
        if self._is_day and brought != taken and self._on_shelf(till, taken, 1) and self._truth.sold_at(till, brought):
            self._receipt(till, {taken: 1}, {brought: 1}, {})

    def _gives_back(self) -> None:
        if self._is_day:
            till, sku = self._counter(), self._wanted()
            # What it does not sell (any more) a till only takes back by the order's number.
            if self._truth.sold_at(till, sku):
                self._receipt(till, {}, {sku: 1}, {})

    def _receipt(self, till: str, goods: dict[str, int], back: dict[str, int], more: dict[str, Any]) -> None:
        shop, hand, happened = self._retailer.shops[till], self._hand(till), self._hand(till).micros()
        for sku, pieces in goods.items():
            self._truth.shelf[shop, sku] -= pieces
        for sku, pieces in back.items():
            self._truth.shelf[shop, sku] += pieces
        lines = {**goods, **{sku: -pieces for sku, pieces in back.items()}}
        sale = self._truth.bought(Sale("receipt", till, "", "", "", lines, 0, self._scheduler.now))

        def upload() -> None:
            sale.their = hand.ring_up(goods, place=self._retailer.place(shop, till), back=back, at=happened, **more)
            sale.number = f"{self._retailer.config.prefix_of(till)}-{sale.their}"
            sale.total_minor = int(hand.orders_shown()[sale.their]["total_minor"])

        waiting = self._truth.offline.get(till)
        if waiting is None:
            upload()
        else:
            waiting.append(upload)
        self._tell(f"the {till} rings up {lines} as {sale.their or 'it is offline'}")

    def _brings_back(self) -> None:
        """Something that was sent to them comes back over the counter, by its number."""
        known = [sale for sale in self._truth.sales if sale.kind == "sent" and sale.left_at and not sale.back]
        known = [sale for sale in known if not sale.sent_back]
        if not self._is_day or not known:
            return
        told = {webshop: self._hand(webshop).orders_shown() for webshop in self._retailer.webshops}
        sure = [sale for sale in known if _left(told[sale.origin][sale.their])]
        if not sure:
            return
        sale, till = self._luck.choice(sure), self._counter()
        if till in self._truth.offline:
            return
        shop, sku = self._retailer.shops[till], next(iter(sale.lines))
        if self._truth.standing(till, sku) not in (ON_SALE, WITHDRAWN):
            return
        hand = self._hand(till)
        receipt = hand.take_back(sku, 1, self._retailer.place(shop, till), reference=sale.number)
        self._truth.shelf[shop, sku] += 1
        sale.back[sku] += 1
        sale.credited.append(int(hand.orders_shown()[receipt]["total_minor"]))
        self._tell(f"{sku} of {sale.number} comes back over the counter")

    # in the webshops and on the phone

    def _orders(self) -> None:
        if self._retailer.webshops:
            webshop, warehouse = self._luck.choice(self._retailer.webshops), self._retailer.warehouse
            how: dict[str, Any] = {"shipping": SHIPPING} if self._luck.random() < 0.5 else {}
            if self._retailer.each_place(webshop):
                how["place"] = self._retailer.place(warehouse, webshop)
            self._order(webshop, "sent", warehouse, how)

    def _fetches(self) -> None:
        if self._retailer.webshops:
            webshop, shop = self._luck.choice(self._retailer.webshops), self._retailer.shops[self._counter()]
            how = self._retailer.fetching(webshop, shop)
            if how is not None:
                self._order(webshop, "fetched", shop, how)

    def _order(self, webshop: str, kind: str, place: str, how: dict[str, Any]) -> None:
        hand = self._hand(webshop)
        displayed = hand.shown()
        basket: dict[str, int] = {}
        for sku, pieces in self._basket((1, 1, 2, 3)).items():
            if displayed.get(sku, {}).get("state") != ON_SALE:
                # Nobody finds it there: it was never listed, or is not sold any more.
                continue
            stock = displayed[sku]["stock"]
            shown = stock.get(how["place"], 0) if "place" in how else sum(stock.values())
            shown -= hand.kept_aside(sku)
            # Who means to fetch it asks whether it is there.
            if kind == "fetched" and self._truth.free(place, sku) < pieces:
                continue
            if shown >= pieces:
                basket[sku] = pieces
            elif self._truth.onlooker is not None:
                self._truth.onlooker.turns_away(webshop, sku, pieces, place)
        if not basket:
            return
        self._persons += 1
        later = self._late.way(webshop) if kind == "sent" else ""
        their = hand.order(basket, customer=person(self._persons), **how, **({"paid": False} if later else {}))
        if later:
            hand.awaits(their, later)
        slip = hand.orders_shown()[their]
        lines = {line["sku"]: int(line["quantity"]) for line in slip["lines"]}
        number = f"{self._retailer.config.prefix_of(webshop)}-{slip['number']}"
        sale = self._truth.bought(Sale(kind, webshop, their, number, place, lines, int(slip["total_minor"]), self._scheduler.now))
        sale.asked = {sku: Decimal(displayed[sku]["price"]) for sku in lines}
        if later:
            self._late.owes(sale)
        self._tell(f"{webshop}: {number} over {lines}, to be {kind}{', not paid yet' if later else ''}")

    def _phones(self) -> None:
        books, warehouse = self._retailer.books, self._retailer.warehouse
        sku = self._wanted()
        if not self._is_day or not self._truth.sold_at(books, sku) or self._truth.free(warehouse, sku) < 1:
            return
        self._persons += 1
        hand = self._hand(books)
        their = hand.phone_order({sku: 1}, customer=person(self._persons))
        total = int(hand.orders_shown()[their]["total_minor"])
        self._truth.bought(Sale("phone", books, their, "", warehouse, {sku: 1}, total, self._scheduler.now))
        self._tell(f"somebody phones for {sku}: {their}")

    def _thinks_again(self) -> None:
        """Somebody calls an order off that has not left, and nobody has begun to put aside."""
        waiting = [sale for sale in self._truth.sales if sale.kind == "sent" and sale.open and not sale.handed_out]
        if waiting:
            sale = self._luck.choice(waiting)
            call_off(self._hand(sale.origin), sale)
            self._tell(f"{sale.number} is called off by its customer")


def _left(slip: Mapping[str, Any]) -> bool:
    """Whether its buyer was told that all of it is on its way."""
    return all(line["fulfilled"] == line["quantity"] - line["cancelled"] for line in slip["lines"])
