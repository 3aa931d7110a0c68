"""The truth of a simulated retailer: what lies on which shelf, who bought what, what was handed out, called off and brought back.

It is written down by those who act, when they act; nothing of it comes from the hub, and no judge asks the hub.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Protocol

TAX_PERCENT: Final = 25
ON_SALE, WITHDRAWN, DELETED = "active", "inactive", "gone"
"""How a thing stands where it was listed once: sold; there and not sold any more; no longer there."""
COUNT_APART_MICROS: Final = 12 * 3_600_000_000
"""What was handed over or brought so lately is not counted: its own figure may not have followed yet."""
UNDER_WAY: Final = 1 << 62
"""When goods arrive that are still on their way to a store."""


@dataclass(frozen=True, slots=True)
class Good:
    """A thing that is sold; `weight` is how often it is wanted, against the others."""

    sku: str
    title: str
    weight: float


@dataclass(slots=True, eq=False)
class Sale:
    """One order or receipt as its buyer remembers it: pieces by SKU (below zero: brought back), money in hundredths."""

    kind: str
    """receipt, sent, fetched or phone."""
    origin: str
    """The channel where it was bought."""
    their: str
    """Its id there."""
    number: str
    """The reference under which the books must hold it; "" when it was born there."""
    place: str
    """The location that hands it out; "" for what was handed over at once."""
    lines: dict[str, int]
    total_minor: int
    at: int
    handed_out: Counter[str] = field(default_factory=Counter)
    called_off: bool = False
    unpaid: bool = False
    """Whether it waits for its money."""
    left_unpaid: bool = False
    """Whether something of it was handed out while it did."""
    aside: bool = False
    """Whether staff have put it aside for its buyer."""
    left_at: int = 0
    """When its goods left."""
    back: Counter[str] = field(default_factory=Counter)
    taken_off: Counter[str] = field(default_factory=Counter)
    """Pieces that a clerk took off it: they are not in `lines` any more, and whoever has not heard of it still counts them."""
    asked: dict[str, Decimal] = field(default_factory=dict)
    """What a shop asked for one piece, by SKU."""
    sent_back: Counter[str] = field(default_factory=Counter)
    """Pieces that came back by post."""
    complaints: int = 0
    given_back_minor: int = 0
    """What of its money the shop where it was bought has given back, in hundredths."""
    credited: list[int] = field(default_factory=list)
    """Sums given back later, below zero."""

    @property
    def open(self) -> dict[str, int]:
        """Pieces that wait to be handed out."""
        if self.called_off or not self.place:
            return {}
        return {sku: pieces - self.handed_out[sku] for sku, pieces in self.lines.items() if pieces > self.handed_out[sku]}


@dataclass(slots=True)
class Oversold:
    """Pieces that were sold when nobody had them any more."""

    channel: str
    sku: str
    pieces: int
    at: int
    whose: str
    """Whose fault it was."""


class Onlooker(Protocol):
    """Hears of what customers do, the moment before it is written down."""

    def buys(self, sale: Sale) -> None:
        """Somebody buys this."""

    def turns_away(self, channel: str, sku: str, pieces: int, place: str) -> None:
        """Somebody wanted so many pieces, was shown fewer, and goes; `place` is where it would have come from."""


@dataclass(slots=True)
class Truth:
    """The whole state; `tells` are words of what happened, the latest last."""

    goods: list[Good]
    shelf: dict[tuple[str, str], int]
    """(location, SKU) → pieces that lie there, those put aside too."""
    price: dict[str, Decimal]
    """SKU → price in the list, without tax."""
    sales: list[Sale] = field(default_factory=list)
    oversold: list[Oversold] = field(default_factory=list)
    typed: dict[tuple[str, str], int] = field(default_factory=dict)
    """(channel, SKU) → pieces that somebody typed into it beyond what was there, until the hub writes there."""
    listed: dict[tuple[str, str], str] = field(default_factory=dict)
    """(channel, SKU) → how its people have left it there; what the hub lists by itself only once they have taken it off."""
    offline: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    """Till that cannot reach its platform → what it will upload once it can, the oldest first."""
    brought: dict[tuple[str, str], int] = field(default_factory=dict)
    """(location, SKU) → when it was last brought there from the warehouse, or `UNDER_WAY`."""
    onlooker: Onlooker | None = None
    _waiting: list[Sale] = field(default_factory=list)

    def waiting(self) -> list[Sale]:
        """The sales of which something waits to be handed out; what left or was called off never waits again."""
        self._waiting = [sale for sale in self._waiting if sale.open]
        return self._waiting

    def promised(self, place: str, sku: str) -> int:
        """Pieces that wait there for somebody."""
        return sum(sale.open.get(sku, 0) for sale in self._waiting if sale.place == place and sku in sale.lines)

    def free(self, place: str, sku: str) -> int:
        """Pieces that lie there and were promised to nobody."""
        return self.shelf[place, sku] - self.promised(place, sku)

    def sellable(self, places: tuple[str, ...], sku: str) -> int:
        """What a channel that sells from these places should show: what waits at one and is not there comes from another."""
        return max(0, sum(self.free(place, sku) for place in places))

    def takeable(self, place: str, sku: str) -> int:
        """What a customer in the shop can lay hands on: all but what is put aside."""
        aside = sum(sale.open.get(sku, 0) for sale in self._waiting if sale.place == place and sale.aside)
        return self.shelf[place, sku] - aside

    def standing(self, channel: str, sku: str) -> str:
        """How the channel's people have left a thing; "" while none of them has listed it."""
        return self.listed.get((channel, sku), "")

    def sold_at(self, channel: str, sku: str) -> bool:
        """Whether the channel's people sell it there now."""
        return self.standing(channel, sku) == ON_SALE

    def brought_lately(self, place: str, sku: str, now: int) -> bool:
        """Whether it was brought there so lately that nobody counts it, or is under way."""
        return self.brought.get((place, sku), 0) > now - COUNT_APART_MICROS

    def hand_out(self, sale: Sale, now: int, parts: dict[str, int] | None = None) -> None:
        """Everything that waits of it (or only these parts) leaves its place for good."""
        for sku, pieces in (sale.open if parts is None else parts).items():
            self.shelf[sale.place, sku] -= pieces
            sale.handed_out[sku] += pieces
        sale.left_at, sale.aside = now, False
        sale.left_unpaid |= sale.unpaid

    def bought(self, sale: Sale) -> Sale:
        """A new sale; who is right about what nobody has looks on."""
        if self.onlooker is not None:
            self.onlooker.buys(sale)
        self.sales.append(sale)
        self.waiting().append(sale)
        return sale

    def stands_again(self, sale: Sale) -> None:
        """What was called off is not, after all."""
        sale.called_off = False
        if sale not in self.waiting():
            self._waiting.append(sale)

    def asked_price(self, sku: str) -> Decimal:
        """What shops ask: the list price with tax, to the hundredth."""
        return with_tax(self.price[sku])


def with_tax(price: Decimal) -> Decimal:
    """A price of the list as shops ask it, to the hundredth."""
    return (price * (100 + TAX_PERCENT) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
