"""The routing station: orders as they stand ▶ what is free at each place ▶ which place delivers what, kept while it fits.

Asked by the order station inside its read; where a parcel goes is opened from the party table for the one decision and is in
nothing that is kept. It never moves what a place was given unless the order shrinks or the place says that it cannot deliver.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from hub.canonical.values import Plain
from hub.desired.order import COUNTING, Facts, Saying
from hub.desired.routing import Destination, Part, Plan, Wanted, matches, route
from hub.desired.standing import Given, Standing, given_now, standing
from hub.free import Free, free_stock, not_in_figures
from hub.merge.authority import Authority
from hub.settings.model import Config
from hub.store import catalogue, order_looks, routes
from hub.store.database import Tx
from hub.store.orders import Order, Reservation
from hub.store.routes import NotFound, Route

Takes = Sequence[tuple[str, int]]
"""(item, pieces per unit): several for a bundle, none for a line without goods."""


class AskedLine(NamedTuple):
    """A line as routing sees it: thousandths of its unit wanted in all, what left from where, and the place given for it."""

    line: str
    item: str
    takes: Takes
    quantity: int
    left: Mapping[str, int]
    place: str = ""


class Failed(NamedTuple):
    """A place told by this fact that it cannot deliver so much of a line."""

    fact: str
    line: str
    place: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Asked:
    """An order to be routed; `open` is False for one that takes nothing: then it stays as it was routed."""

    order: str
    channel: str
    placed_at: int
    open: bool
    lines: tuple[AskedLine, ...]
    pickup: str = ""
    failed: tuple[Failed, ...] = ()


class Persons(Protocol):
    """Who is behind an order, as `hub.store.parties.Parties` tells it."""

    def of(self, tx: Tx, order: str) -> dict[str, Plain]:
        """Their party record; empty where there is none."""
        ...


@dataclass(slots=True)
class Routing:
    """What was decided about a set of orders. `chosen`: order → line → (our location, quantity given in all)."""

    orders: tuple[str, ...]
    chosen: dict[str, dict[str, list[tuple[str, int]]]] = field(default_factory=dict)
    rows: list[Route] = field(default_factory=list)
    not_found: list[NotFound] = field(default_factory=list)
    lifted: list[NotFound] = field(default_factory=list)

    def of(self, order: str) -> dict[str, list[tuple[str, int]]]:
        """Where each line of the order leaves from; a line that is left to no place is not in it."""
        return self.chosen.get(order, {})

    def keep(self, tx: Tx, seq: int, at: int) -> None:
        """Keep it; what is new gets this number and time."""
        routes.replace_routes(tx, self.orders, self.rows, seq, at)
        routes.lift(tx, self.lifted, at)
        routes.keep_not_found(tx, self.not_found, at)


class Routed:
    """Routes orders by routing.yaml. `stock_streams`: channel → its streams about stock."""

    def __init__(
        self, config: Config, authority: Authority, stock_streams: Mapping[str, Collection[str]], persons: Persons | None
    ) -> None:
        self._config = config
        self._authority = authority
        self._streams = stock_streams
        self._persons = persons
        self._near = any("nearest" in rule.by for rule in config.routing.rules) and any(
            location.postal_code for location in config.locations.values()
        )

    def decide(self, tx: Tx, asked: Sequence[Asked], gone: Sequence[Reservation] = ()) -> Routing:
        """Where every line of these orders leaves from. `gone` are promises of theirs that left and may not be in a figure yet.

        Earlier orders are served first.
        """
        ids = tuple(each.order for each in asked)
        items = {item for each in asked for line in each.lines for item, _ in line.takes}
        stored: dict[tuple[str, str], list[Route]] = {}
        for row in routes.routes_of(tx, ids):
            stored.setdefault((row.order, row.line), []).append(row)
        if not stored and not self._config.routing.rules and not any(map(_names_a_place, asked)):
            return Routing(ids)
        told = {(each.order, each.fact, each.line) for each in routes.not_found_in(tx, ids)}
        free = self.free(tx, items, set(ids))
        work = _Work(self._config, stored, told, free, Routing(ids, lifted=free.lifted), _described(tx, asked))
        standing_of = {each.order: work.standing(each) for each in asked if each.open}
        for part in gone:
            free.take(part.place, part.item, part.quantity)
        free.take_unplaced()
        countries = order_looks.persons_kept(tx, ids)
        for each in sorted(asked, key=lambda one: (one.placed_at, one.order)):
            kept = standing_of.get(each.order)
            if kept is None:
                work.as_stored(each)
                continue
            needs = any(line.need for line in kept.values())
            country = countries[each.order].country if each.order in countries else ""
            to = self._destination(tx, each, country) if needs else Destination()
            work.route(each, kept, to)
        return work.routing

    def free(self, tx: Tx, items: Collection[str], without: Collection[str] = ()) -> Free:
        """What is free at each place now, besides what these orders take."""
        return free_stock(tx, items, self._config, self._authority, self._streams, without)

    def still_taken(self, tx: Tx, held: Collection[Reservation], wanted: Sequence[Reservation]) -> list[Reservation]:
        """What orders still take: of what left and is not held any more, only what no figure contains yet.

        An order that is read again tells again of what left long ago: the figure has it, and nothing begins anew.
        """
        known = {(row.order, row.line, row.part, row.place) for row in held}
        left = [row for row in wanted if row.part and (row.order, row.line, row.part, row.place) not in known]
        open_still = not_in_figures(tx, left, self._authority, self._streams) if left else []
        return [row for row in wanted if row not in left or row in open_still]

    def _destination(self, tx: Tx, asked: Asked, country: str) -> Destination:
        if asked.pickup or not self._near or self._persons is None:
            return Destination(country)
        return Destination(country, str(self._persons.of(tx, asked.order).get("postal_code") or ""))


class _Work:
    """One decision about a set of orders under way."""

    def __init__(
        self,
        config: Config,
        stored: Mapping[tuple[str, str], Sequence[Route]],
        told: Collection[tuple[str, str, str]],
        free: Free,
        routing: Routing,
        described: Mapping[str, catalogue.Item],
    ) -> None:
        self._config = config
        self._stored = stored
        self._told = told
        self._free = free
        self.routing = routing
        self._described = described

    def standing(self, asked: Asked) -> dict[str, Standing]:
        """What stands of each line of the order; it is taken from what is free, and what a place did not find holds there."""
        found: dict[str, Standing] = {}
        again = self._whole_again(asked)
        for line in asked.lines:
            failed: dict[str, int] = {}
            for each in asked.failed:
                if each.line == line.line and each.place and (asked.order, each.fact, each.line) not in self._told:
                    failed[each.place] = failed.get(each.place, 0) + each.quantity
                    self._not_found(asked, line, each)
            there = line.place or asked.pickup
            allowed = (there,) if there else () if line.line in again else self._free.delivering
            given = [Given(row.place, row.quantity, row.short) for row in self._stored.get((asked.order, line.line), ())]
            found[line.line] = standing(line.quantity, line.left, given, failed, allowed)
            for place, amount in found[line.line].open.items():
                self._take(line, place, amount)
        return found

    def _whole_again(self, asked: Asked) -> set[str]:
        """The lines that are routed anew altogether: those that may not be split from one that waits for goods."""
        rules: dict[int, list[str]] = {}
        short: set[int] = set()
        for line in asked.lines:
            item = self._described.get(line.item)
            sku, category = (item.sku, item.category) if item is not None else ("", "")
            # Of which country is not asked here: rules of any country that could be about the line count.
            for number, rule in enumerate(self._config.routing.rules):
                if not rule.split and matches(rule, asked.channel, next(iter(rule.countries), ""), sku, category):
                    rules.setdefault(number, []).append(line.line)
                    if any(row.short for row in self._stored.get((asked.order, line.line), ())):
                        short.add(number)
        return {line for number in short for line in rules[number]}

    def _not_found(self, asked: Asked, line: AskedLine, failed: Failed) -> None:
        for item, factor in line.takes:
            on_hand, seen = self._free.block(failed.place, item)
            wanted = failed.quantity * factor
            row = NotFound(asked.order, failed.fact, line.line, item, failed.place, wanted, on_hand, seen)
            self.routing.not_found.append(row)

    def as_stored(self, asked: Asked) -> None:
        """An order that takes nothing stays as it was routed."""
        chosen: dict[str, list[tuple[str, int]]] = {}
        for line in asked.lines:
            rows = self._stored.get((asked.order, line.line), ())
            self.routing.rows += rows
            if any(row.place for row in rows):
                chosen[line.line] = [(row.place, row.quantity) for row in rows]
        self.routing.chosen[asked.order] = _followed(asked, chosen)

    def route(self, asked: Asked, kept: Mapping[str, Standing], to: Destination) -> None:
        """Route what is needed and put together what each place is given from now on."""
        used = {place for each in kept.values() for place in each.open}
        added: dict[str, list[tuple[Part, Plain]]] = {}
        needed = [line for line in asked.lines if line.takes and kept[line.line].need]
        bundles = [line for line in needed if not _simple(line)]
        for group in [[each] for each in bundles] + [[line for line in needed if _simple(line)]]:
            if group:
                plan = self._plan(asked, group, kept, to, used)
                for part in plan.parts:
                    step = next(step for step in plan.because if part.line in step["lines"])
                    added.setdefault(part.line, []).append((part, step))
                    used |= {part.place} - {""}
                    line = next(each for each in group if each.line == part.line)
                    self._take(line, part.place, part.quantity)
        chosen: dict[str, list[tuple[str, int]]] = {}
        for line in asked.lines:
            found = self._given(asked, line, kept[line.line], added.get(line.line, ()))
            if found:
                chosen[line.line] = found
        self.routing.chosen[asked.order] = _followed(asked, chosen)

    def _plan(
        self, asked: Asked, group: Sequence[AskedLine], kept: Mapping[str, Standing], to: Destination, used: Collection[str]
    ) -> Plan:
        """The plan for these lines: single items together, or one bundle whose unit is an item by itself."""
        wanted = []
        for line in group:
            item = self._described.get(line.item)
            sku, category = (item.sku, item.category) if item is not None else ("", "")
            name = line.takes[0][0] if _simple(line) else line.item
            wanted.append(Wanted(line.line, name, kept[line.line].need, sku, category))
        takes = {each.item: line.takes for each, line in zip(wanted, group, strict=True)}
        sells_from = self._config.channels[asked.channel].sells_from if asked.channel in self._config.channels else ()
        return route(
            wanted,
            self._free.places(takes),
            self._config.routing.rules,
            channel=asked.channel,
            sells_from=sells_from,
            pickup=asked.pickup,
            destination=to,
            fixed={line.line: line.place for line in group if line.place},
            used=used,
        )

    def _given(self, asked: Asked, line: AskedLine, kept: Standing, added: Sequence[tuple[Part, Plain]]) -> list[tuple[str, int]]:
        """What each place is given of a line in all, also to be kept; nothing where no place is chosen."""
        before = self._stored.get((asked.order, line.line), ())
        given = [Given(row.place, row.quantity, row.short) for row in before]
        new = [Given(part.place, part.quantity, part.short) for part, _ in added]
        now = given_now(line.quantity, line.left, given, kept.open, new) if line.takes else []
        steps = {part.place: _about(step, part.item) for part, step in added}
        old = {row.place: row for row in before}
        item = line.takes[0][0] if line.takes and _simple(line) else line.item
        waits = next((step for part, step in added if not part.place and step.get("waits_for")), None)
        if waits is not None:
            amount = sum(part.quantity for part, _ in added if not part.place)
            self.routing.rows.append(Route(asked.order, line.line, "", item, amount, 0, _about(waits, item)))
        for each in now:
            same = old.get(each.place)
            if not each.place:
                continue
            if same is not None and (same.quantity, same.short) == (each.quantity, each.short):
                self.routing.rows.append(same)
            else:
                because = steps.get(each.place) or (same.because if same is not None else {"why": "it left from there"})
                self.routing.rows.append(Route(asked.order, line.line, each.place, item, each.quantity, each.short, because))
        return [(each.place, each.quantity) for each in now]

    def _take(self, line: AskedLine, place: str, quantity: int) -> None:
        for item, factor in line.takes:
            self._free.take(place, item, quantity * factor)


def asked(
    order: Order,
    told: Facts,
    sayings: Sequence[Saying],
    takes: Mapping[str, Takes],
    items: Mapping[str, str],
    places: Mapping[tuple[str, str], str],
) -> Asked:
    """An order as routing asks about it. `takes` maps a line to (item, pieces per unit), `items` to the item that it sells,
    `places` (channel, its place id) to our location; every saying is in the lines of the order's birthplace."""
    lines = []
    for line in told.lines:
        left: dict[str, int] = {}
        for part in line.fulfilled:
            place = places.get((part.channel, part.place), "")
            left[place] = left.get(place, 0) + part.quantity
        goods = takes.get(line.line, ()) if line.kind == "stocked" and line.quantity > 0 else ()
        given = places.get((order.channel, line.place), "") if line.place else ""
        wanted = max(0, line.quantity - line.cancelled)
        lines.append(AskedLine(line.line, items.get(line.line, ""), tuple(goods), wanted, left, given))
    failed = tuple(
        Failed(
            f"{each.channel}:{one['fulfilment']}",
            str(part["line"]),
            places.get((each.channel, str(one.get("place") or each.record.get("place") or "")), ""),
            int(part["quantity"]),
        )
        for each in sayings
        for one in each.record.get("fulfilments") or ()
        if one["state"] == "failed"
        for part in one["parts"]
    )
    pickup = places.get((order.channel, str(told.origin.record.get("pickup") or "")), "")
    takes_now = told.state in COUNTING and not order.history
    return Asked(order.order, order.channel, order.placed_at, takes_now, tuple(lines), pickup, failed)


def _described(tx: Tx, asked: Iterable[Asked]) -> dict[str, catalogue.Item]:
    return catalogue.items(tx, {line.item for each in asked for line in each.lines if line.item})


def _names_a_place(asked: Asked) -> bool:
    """Whether there is anything to decide or to keep where nothing is routed by rules."""
    return bool(asked.pickup or asked.failed or any(line.place for line in asked.lines))


def _simple(line: AskedLine) -> bool:
    """Whether one unit of the line is one piece of one item."""
    return len(line.takes) == 1 and line.takes[0][1] == 1


def _followed(asked: Asked, chosen: dict[str, list[tuple[str, int]]]) -> dict[str, list[tuple[str, int]]]:
    """Lines without goods (a gift wrapping, a custom amount) go with the first line that has some, or to where it is fetched."""
    first = asked.pickup or next((chosen[line.line][0][0] for line in asked.lines if line.line in chosen), "")
    if first:
        for line in asked.lines:
            if not line.takes and line.quantity > 0:
                chosen[line.line] = [(first, line.quantity)]
    return chosen


def _about(step: Mapping[str, Plain], item: str) -> dict[str, Plain]:
    """A step of a plan as far as it is about one item; what the places had of the others is left out."""
    places: list[Plain] = []
    for each in step.get("places", ()):
        place = {**each, "available": each["available"].get(item, 0)}
        for name in ("not_found", "unknown"):
            if item in place.pop(name, ()):
                place[name] = True
        places.append(place)
    kept = {name: value for name, value in step.items() if name not in ("lines", "places")}
    return {**kept, "places": places}
