"""From where an order is delivered, for people: what was decided and what each place had then, what it has now, and what would be
decided now.

A reading of the store; where the parcel goes is opened for the one answer and is in no word of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from hub.canonical.values import Plain, iso, pieces
from hub.desired.routing import Destination, Plan, Wanted, route
from hub.errors import ConfigError
from hub.free import Free, free_stock
from hub.merge.authority import Authority
from hub.routed import Persons
from hub.settings.model import Config
from hub.store import catalogue, order_looks, orders, routes
from hub.store.catalogue import Item
from hub.store.database import Database, Tx
from hub.store.orders import Order
from hub.store.routes import Route


class Decided(NamedTuple):
    """What a place delivers of a line, and why; `then` and `now` say what each place had and has. Quantities are in words."""

    line: str
    sku: str
    place: str
    quantity: str
    short: str
    at: str
    rule: str
    why: str
    then: dict[str, str]
    now: dict[str, str]


@dataclass(slots=True)
class Whence:
    """One order: `decided` is stored, `would_be` what would be decided now of what is still open, `same` whether they agree."""

    order: str
    number: str
    channel: str
    state: str
    decided: list[Decided] = field(default_factory=list)
    would_be: list[Decided] = field(default_factory=list)
    same: bool = True

    @property
    def lacking(self) -> bool:
        """Whether a part of it waits for goods, or for a figure."""
        return any(each.short != "0" or not each.place for each in self.decided)

    def document(self) -> dict[str, Plain]:
        """It as plain values."""
        told = asdict(self)
        return {**told, **{name: [each._asdict() for each in getattr(self, name)] for name in ("decided", "would_be")}}


def whence(
    config: Config,
    database: Database,
    name: str,
    stock_streams: Mapping[str, Sequence[str]],
    persons: Persons | None = None,
) -> Whence:
    """From where the order of this name (our id, the human number, or any system's own id) is delivered.

    ConfigError when there is none, or when several systems use this id for different orders. `persons` is asked where the
    parcel goes, where a rule wants to know what is near.
    """

    def read(tx: Tx) -> Whence:
        order = _order_named(tx, name)
        stored = routes.routes_of(tx, [order.order])
        held = [row for row in orders.reservations_for(tx, [order.order]) if not row.part]
        named = {row.item for row in stored} | {row.item for row in held}
        items = catalogue.items(tx, named - {""})
        takes = _takes(tx, config, items)
        every = {item for parts in takes.values() for item, _ in parts}
        free = free_stock(tx, every, config, Authority(config), stock_streams, {order.order})
        told = Whence(order.order, order.number, order.channel, order.state)
        told.decided = list(_decided(stored, items, _seen_now(free, takes)))
        wanted: dict[tuple[str, str], int] = {}
        for row in held:
            key = (row.line.partition(" ")[0], row.item)
            wanted[key] = wanted.get(key, 0) + row.quantity
        lines = [_wanted(line, item, quantity, items) for (line, item), quantity in sorted(wanted.items()) if item in items]
        plan = _plan(tx, config, order, lines, free, persons)
        told.would_be = list(_planned(plan, lines, _seen_now(free, takes)))
        told.same = {(d.line, d.place) for d in told.would_be if d.place} <= {(d.line, d.place) for d in told.decided}
        return told

    return database.read(read)


def _order_named(tx: Tx, name: str) -> Order:
    found = order_looks.only(tx, name)
    if isinstance(found, str):
        raise ConfigError(found)
    return found


def _takes(tx: Tx, config: Config, items: Mapping[str, Item]) -> dict[str, tuple[tuple[str, int], ...]]:
    """Item → the stocked items that one of it takes: itself, or the parts of a bundle."""
    bundles = {item: config.allocation.bundles.get(each.sku, ()) for item, each in items.items()}
    by_sku = catalogue.items_by_sku(tx, {part.sku for parts in bundles.values() for part in parts})
    return {
        item: tuple((by_sku[part.sku][0].item, part.pieces) for part in parts if part.sku in by_sku) or ((item, 1),)
        for item, parts in bundles.items()
    }


def _plan(tx: Tx, config: Config, order: Order, lines: Sequence[Wanted], free: Free, persons: Persons | None) -> Plan:
    """What would be decided now for what is open."""
    places = config.locations_by_place()
    origin = next((each.value for each in orders.bindings_of(tx, [order.order]) if each.role == "origin"), {"lines": ()})
    pickup = places.get((order.channel, str(origin.get("pickup") or "")), "")
    fixed = {str(row["line"]): places.get((order.channel, str(row.get("place") or "")), "") for row in origin["lines"]}
    country = order_looks.persons_kept(tx, [order.order]).get(order.order)
    code = str(persons.of(tx, order.order).get("postal_code") or "") if persons is not None and lines else ""
    channel = config.channels.get(order.channel)
    return route(
        lines,
        free.places({each.item: ((each.item, 1),) for each in lines}),
        config.routing.rules,
        channel=order.channel,
        sells_from=channel.sells_from if channel is not None else (),
        pickup=pickup,
        destination=Destination(country.country if country is not None else "", code),
        fixed={line: place for line, place in fixed.items() if place},
    )


def _wanted(line: str, item: str, quantity: int, items: Mapping[str, Item]) -> Wanted:
    return Wanted(line, item, quantity, items[item].sku, items[item].category)


def _seen_now(free: Free, takes: Mapping[str, Sequence[tuple[str, int]]]) -> dict[str, dict[str, str]]:
    """Item → place → what is free there now, in words."""
    seen: dict[str, dict[str, str]] = {item: {} for item in takes}
    for place in free.places(takes):
        for item in takes:
            there = pieces(place.available[item])
            words = "not known" if item in place.unknown else f"{there}, not found by staff" if item in place.blocked else there
            seen[item][place.name] = words
    return seen


def _decided(stored: Sequence[Route], items: Mapping[str, Item], now: Mapping[str, dict[str, str]]) -> Iterator[Decided]:
    for row in sorted(stored, key=lambda each: (each.line, each.place)):
        because = row.because if isinstance(row.because, dict) else {}
        sku = items[row.item].sku if row.item in items else row.item
        yield Decided(
            row.line,
            sku,
            row.place,
            pieces(row.quantity),
            pieces(row.short),
            iso(row.at),
            str(because.get("rule", "")),
            str(because.get("why", "")),
            {str(each["place"]): _then(each) for each in because.get("places", ())},
            now.get(row.item, {}),
        )


def _then(seen: Mapping[str, Plain]) -> str:
    kept = f", {pieces(seen['kept_back'])} more kept back" if seen.get("kept_back") else ""
    if seen.get("unknown"):
        return "not known"
    return pieces(int(seen["available"])) + kept + (", not found by staff" if seen.get("not_found") else "")


def _planned(plan: Plan, lines: Sequence[Wanted], now: Mapping[str, dict[str, str]]) -> Iterator[Decided]:
    skus = {each.item: each.sku for each in lines}
    for part in plan.parts:
        step = next(step for step in plan.because if part.line in step["lines"])
        rule, why = str(step["rule"]), str(step["why"])
        amounts = (pieces(part.quantity), pieces(part.short))
        yield Decided(part.line, skus[part.item], part.place, *amounts, "", rule, why, {}, now.get(part.item, {}))
