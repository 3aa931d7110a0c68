"""What is free at each of our places: the figure, less what is promised there, less what staff did not find.

Promises without a place are taken from the place that has most. Quantities are thousandths of pieces; unknown is not zero.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hub import figures
from hub.desired.routing import Place
from hub.figures import Figures, in_figure, newest_claim, still_held
from hub.merge.authority import Authority
from hub.settings.model import Config
from hub.store import orders, routes
from hub.store.database import Tx
from hub.store.orders import Reservation
from hub.store.routes import NotFound
from hub.waiting import heard_streams

UNKNOWN_ON_HAND = -1


class Free:
    """What is free, while it is being given out. `delivering` are the places that can deliver at all, by priority; `lifted` what
    was not found once and does not hold any more."""

    def __init__(self, config: Config, authority: Authority, figures_of: Mapping[str, Figures], held: Sequence[NotFound]) -> None:
        self._config = config
        shared = {name: entry.covers[0] for entry in config.authority.stock if not entry.each for name in entry.covers}
        self._stands_for = shared
        """A figure over several locations is all at the first of them."""
        able = [n for n, each in config.locations.items() if each.sellable and n in authority.figure_of and shared.get(n, n) == n]
        named = [name for name in config.routing.priority if name in able]
        self.delivering = (*named, *(name for name in able if name not in named))
        self._figures = figures_of
        self._free = {
            (name, item): max(0, at[name].on_hand)  # type: ignore[union-attr]
            for item, at in figures_of.items()
            for name in self.delivering
            if at.get(name) is not None
        }
        self._unplaced: list[tuple[str, int]] = []
        self.lifted = [row for row in held if not still_held(row, figures_of.get(row.item, {}).get(row.place))]
        self._blocked = {(row.place, row.item) for row in held if row not in self.lifted}

    def take(self, place: str, item: str, quantity: int) -> None:
        """So much of it is promised there; without a place it waits for `take_unplaced`, then comes from where most is."""
        if not place:
            self._unplaced.append((item, quantity))
            return
        key = (self._stands_for.get(place, place), item)
        if key in self._free:
            self._free[key] -= quantity

    def take_unplaced(self) -> None:
        """Take what has no place from the places that have most of it."""
        for item, quantity in sorted(self._unplaced):
            while quantity > 0:
                most = max(((self._free.get((name, item), 0), -n) for n, name in enumerate(self.delivering)), default=(0, 0))
                if most[0] <= 0:
                    break
                taken = min(most[0], quantity)
                self._free[(self.delivering[-most[1]], item)] -= taken
                quantity -= taken
        self._unplaced = []

    def block(self, place: str, item: str) -> tuple[int, int]:
        """From now on the item is not found there; gives its figure (-1: unknown) and the newest claim that it rests on."""
        self._blocked.add((place, item))
        figure = self._figures.get(item, {}).get(place)
        return (figure.on_hand, newest_claim(figure)) if figure is not None else (UNKNOWN_ON_HAND, 0)

    def places(self, takes: Mapping[str, Sequence[tuple[str, int]]]) -> list[Place]:
        """Every place with what it has of these things, each of which takes (item, pieces) per unit."""
        self.take_unplaced()
        return [self._place(n, name, takes) for n, name in enumerate(self.delivering)]

    def _place(self, priority: int, name: str, takes: Mapping[str, Sequence[tuple[str, int]]]) -> Place:
        location = self._config.locations[name]
        available = {
            thing: max(0, min((self._free.get((name, item), 0) // pieces for item, pieces in parts), default=0))
            for thing, parts in takes.items()
        }
        blocked = {thing for thing, parts in takes.items() if any((name, item) in self._blocked for item, _ in parts)}
        unknown = {thing for thing, parts in takes.items() if any((name, item) not in self._free for item, _ in parts)}
        return Place(
            name, available, location.country, location.postal_code, priority, frozenset(blocked), frozenset(unknown - blocked)
        )


def free_stock(
    tx: Tx,
    items: Collection[str],
    config: Config,
    authority: Authority,
    stock_streams: Mapping[str, Collection[str]],
    without: Collection[str],
) -> Free:
    """What is free of these items now, leaving out what these orders take; promises without a place are not yet taken."""
    at = figures.figures_of(tx, items, config.locations, authority, _heard_out(tx, stock_streams))
    free = Free(config, authority, at, routes.not_found_now(tx, items))
    for row in orders.reservations_of(tx, items):
        there = at.get(row.item, {})
        if row.order in without or any(in_figure(row, figure) for name, figure in there.items() if row.place in ("", name)):
            continue
        free.take(row.place, row.item, row.quantity)
    return free


def not_in_figures(
    tx: Tx, rows: Sequence[Reservation], authority: Authority, stock_streams: Mapping[str, Collection[str]]
) -> list[Reservation]:
    """Those promises that the figure of their place does not contain yet."""
    places = {row.place for row in rows if row.place}
    at = figures.figures_of(tx, {row.item for row in rows}, places, authority, _heard_out(tx, stock_streams))
    return [row for row in rows if not row.place or not in_figure(row, at[row.item].get(row.place))]


def _heard_out(tx: Tx, stock_streams: Mapping[str, Collection[str]]) -> set[str]:
    heard = heard_streams(tx)
    return {channel for channel, streams in stock_streams.items() if any((channel, each) in heard for each in streams)}
