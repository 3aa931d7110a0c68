"""People of the demo who buy, change their minds, fetch and bring back, and those who work their orders off.

What is bought, changed and called off is a step of the script. What only becomes possible when others have heard of it (a slip
lies in the warehouse, a customer was told that it is ready) is a duty: done as soon as it can be, and it decides nothing else.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from hub.sdk.wire import Request
from hub.simulate.ports import Port
from hub.simulate.postman import Fate, Postman
from hub.simulate.trade import Bought
from hub.simulate.world import ERP, SHOP, TILL, WAREHOUSE, Chance, World

SHIPPING: Final = Decimal("39.00")
MARGIN: Final = 3
RISEN_STEPS: Final = 30
"""What rose so lately is not ordered: whether the webshop shows it already is the hub's speed, and that decides nothing here."""
CHANGED: Final = {
    "edited": "one piece less",
    "halved": "one of two things is called off",
    "called off": "called off",
    "shipping back": "its shipping is paid back",
    "phone": "to be sent today",
}
"""Kinds of order about which somebody does something a few steps later."""
SENT: Final = ("sent", "half shipped", "brought back", "edited", "halved", "called off", "shipping back", "left")
FETCHED: Final = ("fetched", "rung up", "put aside")
PHONE: Final = ("phone", "phone left")
WITH_GOODS: Final = ("exchange", "tip", "cash", "discount")
RECEIPTS: Final = {
    "exchange": " in exchange for ",
    "tip": " and a tip",
    "cash": ", rounded for cash",
    "discount": " at a discount",
    "custom": "a repair",
    "gift card": "a gift card",
}
TWO_LINES: Final = ("halved", "half shipped")


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to be done once it is possible; `attempt` does it and says whether it did."""

    words: str
    attempt: Callable[[], bool]


class Shoppers:
    """The people; `tell` hears in words what they do."""

    def __init__(
        self, world: World, ports: Mapping[str, Port], postman: Postman, chance: Chance, tell: Callable[[str], None]
    ) -> None:
        self._world = world
        self._ports = ports
        self._postman = postman
        self._chance = chance
        self._tell = tell
        self._sure = dict(world.shelf)
        self._risen: deque[str] = deque(maxlen=RISEN_STEPS)
        self._changing: deque[tuple[str, Bought]] = deque()
        self._ordered_so_far: Counter[str] = Counter()
        self._duties: list[Duty] = []

    # what is there for sure, whatever others still have to do

    def stocked(self, place: str, pieces: int = 1) -> list[str]:
        """What lies there unpromised, whenever one looks."""
        return [sku for sku in self._world.skus if self._sure[place, sku] >= pieces]

    def risen(self, place: str, sku: str, pieces: int) -> None:
        """So many pieces more lie there."""
        self._world.shelf[place, sku] += pieces
        self._sure[place, sku] += pieces
        self._risen.append(sku)

    def step_passed(self) -> None:
        """A step of the day is over."""
        self._risen.append("")

    def never_fetched(self) -> list[str]:
        """What no customer fetches in the shop: it can be counted there at any time."""
        fetched = {sku for each in self._world.bought if each.place == SHOP for sku in each.lines}
        return [sku for sku in self._world.skus if sku not in fetched]

    # at the till

    def sell(self, sku: str, pieces: int) -> list[Request]:
        """A plain sale; gives its deliveries, not posted yet."""
        return self._rung({sku: pieces}, {}, lambda till, place: till.sell(sku, pieces, place))

    def give_back(self, sku: str) -> list[Request]:
        """A return without a number; gives its deliveries, not posted yet."""
        return self._rung({}, {sku: 1}, lambda till, place: till.take_back(sku, 1, place))

    def receipt(self, kind: str) -> str:
        """A receipt with more than goods on it; gives it in words."""
        first = self._chance.one_of(self.stocked(SHOP) or self._world.skus)
        second = self._chance.one_of(self._world.skus)
        sold = kind in WITH_GOODS and self._sure[SHOP, first] > 0
        goods: dict[str, int] = {first: 1} if sold else {}
        back: dict[str, int] = {second: 1} if kind == "exchange" and second != first else {}
        more: dict[str, dict[str, Any]] = {
            "exchange": {"back": back},
            "tip": {"tip": Decimal(20)},
            "cash": {"rounding": Decimal("0.05"), "tender": "CASH"},
            "custom": {"custom": [("Repair", Decimal(150))]},
            "gift card": {"gift_cards": [Decimal(500)]},
            "discount": {"discounts": {sku: Decimal(10) for sku in goods}},
        }
        caused = self._rung(goods, back, lambda till, place: till.ring_up(goods, place=place, **more[kind]))
        self._postman.hand_over(caused)
        return f"the till rings up {''.join(goods)}{RECEIPTS[kind]}{''.join(back)}"

    def _rung(self, goods: Mapping[str, int], back: Mapping[str, int], hand: Callable[[Any, str], str]) -> list[Request]:
        place = self._world.place(SHOP, TILL)
        receipt, caused = self._did(TILL, lambda till: hand(till, place))
        for sku, pieces in goods.items():
            self._world.shelf[SHOP, sku] -= pieces
            self._sure[SHOP, sku] -= pieces
        for sku, pieces in back.items():
            self.risen(SHOP, sku, pieces)
        lines = Counter(goods)
        lines.subtract(back)
        total = self._seen(TILL, receipt)["total_minor"]
        self._world.bought.append(Bought(TILL, receipt, f"{TILL}-{receipt}", "", dict(lines), total))
        return caused

    # in the shops and on the phone

    def order(self, kind: str, fate: Fate) -> str:
        """Somebody orders, and what this kind of order leads to is due from now on; gives it in words."""
        place = SHOP if kind in FETCHED else WAREHOUSE
        shop = self._shop(kind)
        together = self._world.together(shop, place)
        basket = self._basket(place, together, 2 if kind in TWO_LINES else 1, 2 if kind == "edited" else 1)
        if not basket:
            return "somebody finds nothing to order"
        bought = self._phoned(basket) if kind in PHONE else self._ordered(shop, basket, kind, place, fate)
        if bought is None:
            return f"somebody finds nothing to order in the {shop}"
        if bought.lines != basket:
            # The shop sold fewer than they lay there: nothing more is done about such an order.
            kind = "left" if place == WAREHOUSE else "put aside"
        for sku, pieces in bought.lines.items():
            self._sure[place, sku] -= pieces
        self._world.bought.append(bought)
        if kind in CHANGED:
            self._changing.append((kind, bought))
        self._duties += self._due_at_once(kind, bought)
        how = "by phone" if kind in PHONE else f"in the {shop}"
        return f"somebody orders {_words(bought.lines)} {how}" + (", to fetch it in the shop" if place == SHOP else "")

    def change(self) -> str:
        """Something happens to the oldest order about which somebody thinks again; gives it in words."""
        if not self._changing:
            return "nobody thinks again"
        kind, bought = self._changing.popleft()
        webshop, their = self._ports[bought.origin], bought.their
        first = next(iter(bought.lines))
        if kind == "edited":
            # Fewer, for what is added to a sale that the books are working on is added there by a person.
            bought.lines[first] -= 1
            self._postman.hand_over(webshop.act(lambda shop: _as_any(shop).edit(their, first, bought.lines[first])))
        elif kind == "halved":
            self._called_off(bought, {first: bought.lines[first]})
        elif kind == "called off":
            self._postman.hand_over(webshop.act(lambda shop: _as_any(shop).cancel(their)))
            bought.lines = {}
        elif kind == "shipping back":
            self._postman.hand_over(webshop.act(lambda shop: _as_any(shop).refund(their, SHIPPING, shipping=SHIPPING)))
            bought.credited.append(int(SHIPPING * 100))
        if kind in ("edited", "halved", "called off"):
            bought.total = None
        if kind in ("edited", "halved", "phone"):
            self._duties.append(self._shipping(bought))
        return f"{bought.number or f'order {their} of the phone'}: {CHANGED[kind]}"

    def _called_off(self, bought: Bought, parts: dict[str, int]) -> None:
        their = bought.their
        self._postman.hand_over(self._ports[bought.origin].act(lambda shop: _as_any(shop).cancel(their, parts)))
        bought.lines = {sku: pieces - parts.get(sku, 0) for sku, pieces in bought.lines.items() if pieces > parts.get(sku, 0)}
        bought.total = None

    def _shop(self, kind: str) -> str:
        """Where the next order of this kind is placed: every kind goes round all shops."""
        shops = self._world.shops
        kinds = (*SENT, *FETCHED, *PHONE)
        self._ordered_so_far[kind] += 1
        return shops[(kinds.index(kind) + self._ordered_so_far[kind]) % len(shops)]

    def _ordered(self, shop: str, basket: dict[str, int], kind: str, place: str, fate: Fate) -> Bought | None:
        """None where the shop shows none of it."""
        how = self._world.fetching(shop) if place == SHOP else {}
        if kind == "shipping back" or (place == WAREHOUSE and self._chance.whole(0, 1)):
            how["shipping"] = SHIPPING
        their, caused = self._did(shop, lambda hands: hands.order(basket, **how))
        self._postman.hand_over(caused, fate)
        if not their:
            return None
        slip = self._seen(shop, their)
        lines = {line["sku"]: int(line["quantity"]) for line in slip["lines"]}
        return Bought(shop, their, f"{shop}-{slip['number']}", place, lines, slip["total_minor"])

    def _phoned(self, basket: dict[str, int]) -> Bought:
        their, _ = self._did(ERP, lambda erp: erp.phone_order(basket))
        return Bought(ERP, their, "", WAREHOUSE, dict(basket), self._seen(ERP, their)["total_minor"])

    def _basket(self, place: str, together: tuple[str, ...], lines: int, pieces_min: int) -> dict[str, int]:
        """Things that can be ordered whatever the hub has done by now."""
        sure = [sku for sku in self.stocked(place, 2) if sku not in self._risen]
        there = [sku for sku in sure if sum(self._sure[each, sku] for each in together) >= 2 + MARGIN]
        basket: dict[str, int] = {}
        for _ in range(min(lines, len(there))):
            sku = self._chance.one_of([one for one in there if one not in basket])
            basket[sku] = self._chance.whole(pieces_min, 2)
        return basket

    # what is due

    def work(self) -> None:
        """Everybody does what has become possible."""
        # An attempt may add what is due after it.
        waiting, self._duties = self._duties, []
        self._duties = [duty for duty in waiting if not duty.attempt()] + self._duties

    def left(self) -> list[str]:
        """What has not become possible yet."""
        return [duty.words for duty in self._duties]

    def _due_at_once(self, kind: str, bought: Bought) -> Iterable[Duty]:
        if kind in ("sent", "brought back", "shipping back"):
            yield self._shipping(bought)
        if kind == "half shipped":
            first = next(iter(bought.lines))
            yield self._shipping(bought, {first: bought.lines[first]})
            yield Duty(f"nobody was told of the first half of {bought.number}", lambda: self._rest_called_off(bought, first))
        if kind == "brought back":
            yield Duty(f"the customer of {bought.number} was never told that it left", lambda: self._brought_back(bought))
        if kind in FETCHED:
            yield Duty(f"the shop never heard of {bought.number}", lambda: self._put_aside(bought))
        if kind in ("fetched", "rung up"):
            words = f"the customer of {bought.number} was never told that it is ready"
            yield Duty(words, lambda: self._handed_over(bought, ring_up=kind == "rung up"))

    def _shipping(self, bought: Bought, parts: dict[str, int] | None = None) -> Duty:
        words = f"the warehouse has no slip of {bought.number or bought.their} over {_words(bought.lines)}"
        return Duty(words, lambda: self._shipped(bought, parts))

    def _shipped(self, bought: Bought, parts: dict[str, int] | None) -> bool:
        """The warehouse sends what the slip in the ERP says, when it says what was bought."""

        def hand(erp: Any) -> bool:
            for ident, slip in erp.orders_shown().items():
                if slip["reference"] == bought.number if bought.number else ident == bought.their:
                    wanted = {line["sku"]: line["quantity"] - line["cancelled"] for line in slip["lines"]}
                    known = {sku: pieces for sku, pieces in wanted.items() if sku in self._world.skus and pieces}
                    if slip["state"] == "processing" and known == bought.lines:
                        erp.ship(ident, parts, tracking=f"TRACK-{ident}")
                        return True
            return False

        shipped, _ = self._did(ERP, hand)
        if shipped:
            self._world.hand_out(bought, parts or bought.lines)
            self._tell(f"the warehouse sends {_words(parts or bought.lines)}")
        return bool(shipped)

    def _rest_called_off(self, bought: Bought, first: str) -> bool:
        if not self._told_that_left(bought, first):
            return False
        rest = {sku: pieces for sku, pieces in bought.lines.items() if sku != first}
        self._called_off(bought, rest)
        self._tell(f"{bought.number}: the rest is called off")
        return True

    def _brought_back(self, bought: Bought) -> bool:
        sku = next(iter(bought.lines))
        if not self._told_that_left(bought, sku):
            return False
        place, number = self._world.place(SHOP, TILL), bought.number
        receipt, caused = self._did(TILL, lambda till: till.take_back(sku, 1, place, reference=number))
        self._postman.hand_over(caused)
        self._world.shelf[SHOP, sku] += 1
        bought.receipts.append(receipt)
        bought.credited.append(-self._seen(TILL, receipt)["total_minor"])
        self._tell(f"{sku} of {number} comes back over the counter")
        return True

    def _told_that_left(self, bought: Bought, sku: str) -> bool:
        lines = self._seen(bought.origin, bought.their)["lines"]
        return any(line["sku"] == sku and line["fulfilled"] == bought.lines[sku] for line in lines)

    def _put_aside(self, bought: Bought) -> bool:
        def hand(till: Any) -> bool:
            for ident, slip in till.orders_shown().items():
                if slip["number"] == bought.number:
                    till.prepare(ident)
                    return True
            return False

        found, caused = self._did(TILL, hand)
        self._postman.hand_over(caused)
        if found:
            self._tell(f"the shop puts {_words(bought.lines)} aside")
        return bool(found)

    def _handed_over(self, bought: Bought, *, ring_up: bool) -> bool:
        if not self._seen(bought.origin, bought.their)["notes"]:
            return False
        place, number, lines = self._world.place(SHOP, TILL), bought.number, dict(bought.lines)

        def hand(till: Any) -> str:
            if ring_up:
                return str(till.ring_up(lines, place=place, reference=number))
            till.collect(next(ident for ident, slip in till.orders_shown().items() if slip["number"] == number))
            return ""

        receipt, caused = self._did(TILL, hand)
        self._postman.hand_over(caused, Fate.DOUBLED)
        bought.receipts += [receipt] if receipt else []
        self._world.hand_out(bought, lines)
        self._tell(f"{_words(lines)} is fetched in the shop" + (" and rung up with its number" if ring_up else ""))
        return True

    def _did(self, channel: str, hand: Callable[[Any], Any]) -> tuple[Any, list[Request]]:
        results: list[Any] = []
        caused = self._ports[channel].act(lambda sandbox: results.append(hand(sandbox)))
        return results[0], caused

    def _seen(self, channel: str, ident: str) -> dict[str, Any]:
        found: dict[str, Any] = self._ports[channel].look(lambda sandbox: _as_any(sandbox).orders_shown()[ident])
        return found


def _as_any(sandbox: Any) -> Any:
    return sandbox


def _words(pieces: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {sku}" for sku, count in pieces.items()) or "nothing"
