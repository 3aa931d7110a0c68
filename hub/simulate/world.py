"""The truth of the demo's world: what lies on each shelf, what each thing costs, and so what every channel must show.

Nothing here uses the hub's arithmetic: the rules of config/demo are written down a second time, in whole pieces and øre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final, TypeVar

from hub.clock import ManualClock
from hub.simulate.trade import Bought, Paper, booked_paper, fetched_paper, own_paper, receipt_papers

TILL, ERP, WEBSHOP, SOCIAL = "till", "erp", "webshop", "social"
CHANNELS: Final = (TILL, ERP, WEBSHOP, SOCIAL)
SHOP, WAREHOUSE = "aarhus", "warehouse"
POOL: Final = ""
"""In an expectation: all that the channel shows together, wherever it keeps it."""
CURRENCY: Final = "DKK"
TAX_PERCENT: Final = 25
ENDING_ORE: Final = 95
SOCIAL_KEPT_BACK: Final = 1
ITEMS_MIN, ITEMS_MAX = 12, 500
KINDS_BOOKED: Final = {"SHIPPING": "Shipping", "OTHER": "Other", "GIFT": "Gift card", "TIP": "Tip"}
"""Items of the books that no shop sells: what is no article is booked on them."""
Choice = TypeVar("Choice")

_MADE: Final = (
    ("TEE", "T-shirt", "Clothes", 11_200),
    ("MUG", "Mug", "Kitchen", 7_120),
    ("BAG", "Canvas bag", "Bags", 15_960),
    ("CAP", "Cap", "Clothes", 9_560),
    ("TEA", "Green tea", "Food", 4_720),
    ("LMP", "Table lamp", "Home", 39_960),
)
_COLOURS: Final = ("red", "blue", "green", "white", "black", "grey", "yellow", "sand")


@dataclass(frozen=True, slots=True)
class Article:
    """A thing that is sold."""

    sku: str
    title: str
    category: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What one listing must show: pieces by the channel's own place id (or `POOL`), and the price in øre."""

    pieces: dict[str, int]
    ore: int

    @property
    def price(self) -> str:
        """The price in kroner, two digits."""
        return f"{self.ore // 100}.{self.ore % 100:02d}"


class Chance:
    """Seeded luck: the same seed, the same draws."""

    def __init__(self, seed: int) -> None:
        self._drawn = ManualClock(seed=seed)

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        return low + int(self._drawn.fraction() * (high - low + 1))

    def one_of(self, choices: Sequence[Choice]) -> Choice:
        """One of them."""
        return choices[self.whole(0, len(choices) - 1)]


class World:
    """What is really there. `places` says how a channel calls a location: (location, channel) → its id.

    A world of its own (`samklang demo --world NAME`) is a folder of configuration of that name and a subclass that says what its
    channels must show and hold.
    """

    channels: ClassVar[tuple[str, ...]] = CHANNELS
    pools: ClassVar[Mapping[str, int]] = {WEBSHOP: 0, SOCIAL: SOCIAL_KEPT_BACK}
    """Channels that sell from both places as one, and how many pieces of everything are kept back there."""
    shops: ClassVar[tuple[str, ...]] = (WEBSHOP,)
    """Channels where orders are placed."""
    options: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """By channel, what its platform in small is told when it starts."""
    more: ClassVar[Mapping[int, tuple[str, str]]] = {}
    """What happens here besides the usual script: the step's number → what, and about what."""

    def __init__(self, seed: int, items: int, places: dict[tuple[str, str], str]) -> None:
        if not ITEMS_MIN <= items <= ITEMS_MAX:
            raise ValueError(f"a world has {ITEMS_MIN} to {ITEMS_MAX} items")
        chance = Chance(seed)
        self.articles = [_article(number) for number in range(items)]
        self.skus = [article.sku for article in self.articles]
        self.shelf: dict[tuple[str, str], int] = {}
        """(location, SKU) → pieces that lie there, those that wait for somebody too."""
        self.list_ore: dict[str, int] = {}
        self.bought: list[Bought] = []
        self._places = places
        for number, sku in enumerate(self.skus):
            sold_out = number == ITEMS_MIN - 1
            self.shelf[SHOP, sku] = 0 if sold_out else chance.whole(3, 12)
            self.shelf[WAREHOUSE, sku] = 0 if sold_out else chance.whole(5, 40)
            self.list_ore[sku] = _MADE[number % len(_MADE)][3] + 80 * chance.whole(0, 60)

    def place(self, location: str, channel: str) -> str:
        """How this channel calls the location."""
        return self._places[location, channel]

    def together(self, shop: str, place: str) -> tuple[str, ...]:
        """The locations whose pieces this shop sells as one figure, when an order is to be handed out at `place`."""
        return (SHOP, WAREHOUSE)

    def fetching(self, shop: str) -> dict[str, Any]:
        """What a customer of this shop chooses to fetch an order in Aarhus, as its people's hands take it."""
        return {"pickup": "fetch-aarhus"}

    def list_price(self, sku: str) -> Decimal:
        """The price in the list, without tax, in kroner."""
        return Decimal(self.list_ore[sku]).scaleb(-2)

    def hand_out(self, bought: Bought, parts: Mapping[str, int]) -> None:
        """These pieces leave the order's place for good."""
        for sku, pieces in parts.items():
            self.shelf[bought.place, sku] -= pieces
            bought.handed_out[sku] += pieces

    def expected(self, channel: str, sku: str) -> Expected:
        """What this channel must show of this SKU."""
        shop, warehouse = self.shelf[SHOP, sku], self.shelf[WAREHOUSE, sku]
        if channel == ERP:
            # The shop is one shelf of many there, so it is seen in the sum.
            return Expected({self.place(WAREHOUSE, ERP): warehouse, POOL: shop + warehouse}, self.list_ore[sku])
        ore = shown_ore(self.list_ore[sku])
        if channel == TILL:
            return Expected({self.place(SHOP, TILL): shop}, ore)
        waiting = sum(each.waiting(sku) for each in self.bought)
        return Expected({POOL: max(0, shop + warehouse - waiting - self.pools[channel])}, ore)

    def picture(self) -> dict[str, dict[str, Expected]]:
        """What must be shown everywhere: channel → SKU → expectation."""
        return {channel: {sku: self.expected(channel, sku) for sku in self.skus} for channel in self.channels}

    def papers(self) -> dict[str, list[Paper]]:
        """What every channel must hold of the orders: all in the books, what is fetched at the till, each where it was bought."""
        own = {name: [own_paper(each) for each in self.bought if each.origin == name] for name in self.channels if name != ERP}
        fetched = [fetched_paper(each) for each in self.bought if each.place == SHOP]
        fetched += [paper for each in self.bought for paper in receipt_papers(each)]
        booked = [booked_paper(each, each.place == WAREHOUSE) for each in self.bought]
        return {**own, TILL: own[TILL] + fetched, ERP: booked}


def shown_ore(list_ore: int) -> int:
    """A list price without tax as shops show it: tax on top, then the nearest price ending in ,95 (the lower on a tie)."""
    with_tax = taxed_ore(list_ore)
    below = (with_tax - ENDING_ORE) // 100 * 100 + ENDING_ORE
    if below == with_tax:
        return with_tax
    above = below + 100
    return below if below > 0 and with_tax - below <= above - with_tax else above


def taxed_ore(list_ore: int) -> int:
    """A list price with the tax on top, half an øre up."""
    return (list_ore * (100 + TAX_PERCENT) * 2 + 100) // 200


def _article(number: int) -> Article:
    short, name, category, _ = _MADE[number % len(_MADE)]
    colour = _COLOURS[number // len(_MADE) % len(_COLOURS)]
    return Article(f"{short}-{number + 1:03d}", f"{name}, {colour}, no. {number + 1}", category)
