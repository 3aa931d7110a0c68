"""What a hub that knows everything at once would have shown, and by it who is to blame for what was sold twice, or not at all.

Measured when somebody buys or goes away, from the truth and from what stood on the screen; the hub is not asked.

A piece sold that nobody had is *nobody's* fault when it was taken over a counter although it was promised: no hub can keep a
hand from a shelf. It is *somebody's* who typed more into the channel than there was, as long as that stood there. All else is
*ours*: the channel showed more than a hub without delay would have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hub.simulate.retailer import Retailer
from hub.simulate.truth import Oversold, Sale, Truth

NOBODY, SOMEBODY, OURS = "nobody", "somebody", "ours"
BLAME: Final = (NOBODY, SOMEBODY, OURS)


@dataclass(slots=True)
class Account:
    """What came of it in pieces, by channel."""

    oversold: dict[str, dict[str, int]] = field(default_factory=dict)
    """Channel → who is to blame → pieces sold that nobody had."""
    turned_away: dict[str, int] = field(default_factory=dict)
    """Channel → pieces that were not sold although they were there."""
    rightly: dict[str, int] = field(default_factory=dict)
    """Channel → pieces that were wanted and were not there either."""

    def blamed(self, whose: str) -> int:
        """Pieces oversold by the fault of these, everywhere."""
        return sum(each.get(whose, 0) for each in self.oversold.values())

    @property
    def lost(self) -> int:
        """Pieces that were there and not sold, because too little was shown."""
        return sum(self.turned_away.values())


class AllKnowing:
    """Keeps the account of a truth; hears of every sale before it is written down."""

    def __init__(self, retailer: Retailer, truth: Truth) -> None:
        self._retailer = retailer
        self._truth = truth
        self.account = Account()
        truth.onlooker = self

    def would_show(self, channel: str, sku: str, place: str = "") -> int:
        """What this channel would show at this moment, of all that it sells from or of one of its places.

        Of what the books do not list (yet) nothing: to whoever goes by them it is no item.
        """
        if not self._truth.standing(self._retailer.books, sku):
            return 0
        if place:
            return max(0, self._left(place, sku) - self._sent(place, sku))
        places = self._retailer.sells_from(channel)
        # What is to be sent may come from any of its places; what is fetched or was sold by telephone waits at its own.
        return max(0, sum(max(0, self._left(each, sku)) for each in places) - sum(self._sent(each, sku) for each in places))

    def buys(self, sale: Sale) -> None:
        """Somebody buys: what of it nobody has is on somebody's account. What is taken from a counter is gone from its shelf."""
        for sku, pieces in sale.lines.items():
            if sale.origin in self._retailer.shops:
                self._taken(sale, sku, pieces)
            elif sale.origin in self._retailer.webshops:
                free = self.would_show(sale.origin, sku, sale.place if self._retailer.each_place(sale.origin) else "")
                self._short(sale, sku, max(0, pieces - free))

    def turns_away(self, channel: str, sku: str, pieces: int, place: str) -> None:
        """Somebody wants more than is shown, and goes: needlessly where a hub that knows all would have shown as much."""
        free = self.would_show(channel, sku, place if self._retailer.each_place(channel) else "")
        counted = self.account.turned_away if free >= pieces else self.account.rightly
        counted[channel] = counted.get(channel, 0) + pieces

    def _left(self, place: str, sku: str) -> int:
        """What lies there less what waits there for those who fetch it, or ordered it there."""
        waits = sum(sale.open.get(sku, 0) for sale in self._truth.waiting() if sale.place == place and sale.kind != "sent")
        return self._truth.shelf[place, sku] - waits

    def _sent(self, place: str, sku: str) -> int:
        return sum(sale.open.get(sku, 0) for sale in self._truth.waiting() if sale.place == place and sale.kind == "sent")

    def _taken(self, sale: Sale, sku: str, pieces: int) -> None:
        """Over the counter: the shelf is lower already; what was promised and is there no more is nobody's fault."""
        place = self._retailer.shops[sale.origin]
        over = self._truth.promised(place, sku) - self._truth.shelf[place, sku]
        self._note(sale, sku, min(max(0, pieces), max(0, over)), NOBODY)

    def _short(self, sale: Sale, sku: str, pieces: int) -> None:
        typed = min(pieces, self._truth.typed.get((sale.origin, sku), 0))
        self._note(sale, sku, typed, SOMEBODY)
        self._note(sale, sku, pieces - typed, OURS)

    def _note(self, sale: Sale, sku: str, pieces: int, whose: str) -> None:
        if pieces > 0:
            blamed = self.account.oversold.setdefault(sale.origin, {})
            blamed[whose] = blamed.get(whose, 0) + pieces
            self._truth.oversold.append(Oversold(sale.origin, sku, pieces, sale.at, whose))
