"""How fast things sell, learnt from every order that is taken in, and what a listing's difference therefore costs by the hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hub.canonical.values import Plain
from hub.clock import Clock
from hub.desired.order import ORIGIN
from hub.diff.damage import LATELY_MICROS, PRICE_UNKNOWN, RATE_MIN, USUALLY_MICROS, Selling, faded, rate
from hub.flow import Aspect, Key
from hub.store import catalogue, targets, velocities
from hub.store.changes import OpenChange
from hub.store.database import Database, Tx
from hub.store.orders import Order, OrderBinding
from hub.store.velocities import Velocity


def learn(tx: Tx, said: Sequence[OrderBinding], new: Mapping[str, Order]) -> None:
    """Count what the new ones of these orders took, as it was first said where they were placed; nothing for what comes back."""
    first = {each.order: each for each in reversed(said) if each.order in new and each.role == ORIGIN}
    sold: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for order, each in first.items():
        for line in each.value["lines"]:
            if line.get("listing") and int(line["quantity"]) > 0:
                lot = (int(line["quantity"]), new[order].placed_at)
                sold.setdefault((each.channel, str(line["listing"])), []).append(lot)
    if not sold:
        return
    by_item: dict[str, list[tuple[int, int]]] = {}
    for key, binding in catalogue.bindings(tx, sold).items():
        if binding.item:
            by_item.setdefault(binding.item, []).extend((units * binding.factor, at) for units, at in sold[key])
    known = velocities.velocities(tx, by_item)
    old = {item: known.get(item, Velocity(item, 0, 0, 0)) for item in sorted(by_item)}
    velocities.save_velocities(tx, [_more(each, by_item[item]) for item, each in old.items()])


def _more(known: Velocity, lots: Sequence[tuple[int, int]]) -> Velocity:
    """The velocity with these (units, when) as well; what is told late counts as faded as it is."""
    at = max(known.at, *(when for _, when in lots))
    lately, usually = _faded(known, at)
    lately += sum(faded(units, at - when, LATELY_MICROS) for units, when in lots)
    usually += sum(faded(units, at - when, USUALLY_MICROS) for units, when in lots)
    return Velocity(known.item, lately, usually, at)


def _faded(known: Velocity, now: int) -> tuple[int, int]:
    """What counts at that time of what was sold lately, and usually."""
    ago = now - known.at
    return faded(known.lately, ago, LATELY_MICROS), faded(known.usually, ago, USUALLY_MICROS)


class Sellings:
    """What is known of how listings sell, from the store."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def __call__(self, changes: Sequence[OpenChange]) -> dict[Key, Selling]:
        """How the listings of these changes sell: the rate of their item, and the price that they should show or do show."""
        now = self._clock.now()
        listings = {(change.key.channel, change.key.listing) for change in changes}

        def read(tx: Tx) -> tuple[dict[str, Velocity], dict[tuple[str, str], Plain]]:
            shown = {key[:2]: each.observation.value for key, each in targets.observations_of(tx, listings, Aspect.PRICE).items()}
            wanted = {key[:2]: each.target.value for key, each in targets.targets_of(tx, listings, Aspect.PRICE).items()}
            return velocities.velocities(tx, {change.item for change in changes}), {**shown, **wanted}

        known, prices = self._database.read(read)
        found = {}
        for change in changes:
            sold = known.get(change.item)
            priced = prices.get(change.key[:2])
            price = Decimal(priced["amount"]) if priced is not None else PRICE_UNKNOWN
            found[change.key] = Selling(rate(*_faded(sold, now)) if sold is not None else RATE_MIN, price)
        return found
