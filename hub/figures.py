"""What is on the shelves as the authorities say it: the figure of each of our locations, and which promises it contains already.

Read by whoever decides about stock: what channels show, and which place delivers. Quantities are thousandths.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from hub.desired.order import FigureRead, contained
from hub.desired.stock import Figure
from hub.flow import Aspect
from hub.merge.authority import Authority
from hub.merge.settle import Settled, Told, settle
from hub.store import catalogue
from hub.store.database import Tx
from hub.store.orders import PROVISIONAL, Reservation
from hub.store.routes import NotFound

Figures = Mapping[str, Figure | None]
"""Our location → its figure; None while its authority has not been heard."""


def figure_at(location: str, settled: Settled, authority: Authority, heard_out: Collection[str]) -> Figure | None:
    """The figure of a location: what its authority says, zero when it was read to the end and lists nothing, or None.

    `heard_out` are the channels whose stock was read to the end at least once.
    """
    place = authority.figure_of.get(location)
    if place is None:
        return None
    contains = place.authority.contains
    value = settled.get((Aspect.STOCK, place.place))
    if value is not None:
        return Figure(place.place, value["on_hand"], contains, value["negative"], value["from"])
    if place.authority.channel in heard_out:
        return Figure(place.place, 0, contains, False, [{"channel": place.authority.channel, "listed": False}])
    return None


def figure_read(figure: Figure) -> FigureRead:
    """What is known of a figure's reading, from the claims that it rests on."""
    begun = min((int(source.get("begun", 0)) for source in figure.sources), default=0)
    as_of = min((int(source.get("as_of", 0)) for source in figure.sources), default=0)
    channel = str(figure.sources[0]["channel"]) if figure.sources else ""
    return FigureRead(figure.place, channel, figure.contains, begun, as_of)


def newest_claim(figure: Figure) -> int:
    """The number of the newest envelope that the figure rests on; 0 where nothing was listed."""
    return max((int(source.get("seq", 0)) for source in figure.sources), default=0)


def still_held(row: NotFound, figure: Figure | None) -> bool:
    """Whether what staff did not find still holds the item there: until a newer claim says another figure."""
    return figure is None or figure.on_hand == row.on_hand or newest_claim(figure) <= row.seen


def in_figure(row: Reservation, figure: Figure | None) -> bool:
    """Whether the figure is net of this promise already; in doubt it is not."""
    if figure is None or row.state == PROVISIONAL:
        return False
    return contained(row.origin, row.state, row.seq, row.as_of, figure_read(figure), row.teller)


def figures_of(
    tx: Tx, items: Iterable[str], locations: Iterable[str], authority: Authority, heard_out: Collection[str]
) -> dict[str, Figures]:
    """Item → the figures of these locations, settled from what is claimed now."""
    asked, places = set(items), list(locations)
    settled = settled_stock(tx, asked, authority)
    return {item: {name: figure_at(name, settled.get(item, {}), authority, heard_out) for name in places} for item in asked}


def settled_stock(tx: Tx, items: Collection[str], authority: Authority) -> dict[str, Settled]:
    """The settled figures of these items, from the claims of every bound listing."""
    bound = {(b.channel, b.listing): b for b in catalogue.bindings_of(tx, items) if b.state == "bound"}
    told: dict[str, list[Told]] = {}
    for c in catalogue.claims(tx, bound, Aspect.STOCK):
        binding = bound[(c.channel, c.listing)]
        claim = Told(c.channel, c.listing, c.aspect, c.place, c.value, c.as_of, c.seq, binding.factor, c.begun)
        told.setdefault(binding.item, []).append(claim)
    return {item: settle(claims, authority) for item, claims in told.items()}
