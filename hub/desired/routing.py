"""Routing: which of our places delivers what of an order, by the merchant's rules, with the whole derivation.

Pure functions over thousandths. Every wanted unit is given to a place, left to no place ("") or named as short; no place is
given more than it has without that being said. The same lines and places in any order give the same plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hub.canonical.values import THOUSAND, Plain, pieces
from hub.desired.deal import Cover, cover, dealt
from hub.desired.rules import whole_pieces
from hub.settings.model import RoutingRule

FEWEST: Final = "fewest_parcels"


class Wanted(NamedTuple):
    """Thousandths of an item that one line of an order still wants from somewhere."""

    line: str
    item: str
    quantity: int
    sku: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One of our places as routing sees it: `available` thousandths per item (its figure less what is promised there),
    `priority` counted from 0, the items that staff did not find there, and those of which no figure is known yet."""

    name: str
    available: Mapping[str, int]
    country: str = ""
    postal_code: str = ""
    priority: int = 0
    blocked: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the parcel goes; the postal code is a person's and is in no plan."""

    country: str = ""
    postal_code: str = field(default="", repr=False)


class Part(NamedTuple):
    """What one place is given of a line ("" is no place yet); `short` thousandths of it are not there."""

    line: str
    item: str
    place: str
    quantity: int
    short: int = 0


class Plan(NamedTuple):
    """Who delivers what, in order of line and place, and why: one step per rule, with its `lines`."""

    parts: tuple[Part, ...]
    because: list[dict[str, Plain]]


def route(
    lines: Sequence[Wanted],
    places: Sequence[Place],
    rules: Sequence[RoutingRule],
    *,
    channel: str = "",
    sells_from: Collection[str] = (),
    pickup: str = "",
    destination: Destination = Destination(),
    fixed: Mapping[str, str] | None = None,
    used: Collection[str] = (),
) -> Plan:
    """The plan for these lines. `pickup` is where the customer fetches all of it, `fixed` maps a line to the place that its
    channel named for it, `used` are places that send a parcel of this order anyway, `sells_from` deliver where a rule names none.
    """
    shelves = Shelves(places)
    parts: list[Part] = []
    because: list[dict[str, Plain]] = []
    by_place, by_rule = _grouped(lines, rules, channel, destination.country, pickup, fixed or {})
    for place, there in sorted(by_place.items()):
        found, step = _kept(there, place, shelves, fetched=place == pickup)
        parts += found
        because.append(step)
    taken = set(used) | {part.place for part in parts}
    for number, group in sorted(by_rule.items()):
        if not number:
            parts += [Part(each.line, each.item, "", each.quantity) for each in group]
            because.append({"rule": "none", "lines": _lines(group), "why": "no rule of routing.yaml is about it"})
            continue
        rule = rules[number - 1]
        chosen = _Choice(group, rule, shelves.deliver(rule, sells_from), destination, taken)
        found, step = chosen.plan(shelves)
        parts += found
        taken |= {part.place for part in found if part.place}
        because.append({"rule": f"routing rule {number}", **step})
    return Plan(tuple(sorted(_merged(parts))), because)


class Shelves:
    """What is left at each place while parts are given out."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = {place.name: place for place in sorted(places, key=lambda each: (each.priority, each.name))}
        self._left = {(name, item): max(0, left) for name, place in self.places.items() for item, left in place.available.items()}

    def deliver(self, rule: RoutingRule, sells_from: Collection[str]) -> list[Place]:
        """The places that may deliver by this rule, by priority."""
        allowed = set(rule.places or sells_from or self.places) - set(rule.never)
        return [place for name, place in self.places.items() if name in allowed]

    def left(self, place: str, item: str, keep_back: int = 0) -> int:
        """What can be taken of the item there: nothing where staff did not find it or no figure is known."""
        at = self.places.get(place)
        if at is None or item in at.blocked or item in at.unknown:
            return 0
        return max(0, self._left.get((place, item), 0) - keep_back * THOUSAND)

    def take(self, place: str, item: str, quantity: int) -> None:
        """So much of it is given out."""
        self._left[(place, item)] = self._left.get((place, item), 0) - quantity

    def knows(self, place: str, item: str) -> bool:
        """Whether a figure of the item is known there."""
        at = self.places.get(place)
        return at is not None and item not in at.unknown


class _Choice:
    """The choice for the lines under one rule."""

    def __init__(
        self, group: Sequence[Wanted], rule: RoutingRule, may: Sequence[Place], destination: Destination, used: Collection[str]
    ) -> None:
        self.group = sorted(group, key=lambda each: (each.item, each.line))
        self.rule = rule
        self.may = may
        self.used = frozenset(used)
        self.destination = destination
        self.demand: dict[str, int] = {}
        for each in self.group:
            self.demand[each.item] = self.demand.get(each.item, 0) + each.quantity

    def plan(self, shelves: Shelves) -> tuple[list[Part], dict[str, Plain]]:
        """The parts of these lines, and the step that says what each place had and why these were chosen."""
        stock = {place.name: self._stock(place.name, shelves) for place in self.may}
        ranks = self._ranks(stock)
        ordered = sorted(stock, key=lambda name: self._place_key(name, ranks))
        whole = [name for name in ordered if all(stock[name][item] >= amount for item, amount in self.demand.items())]
        unknown = sorted(place.name for place in self.may if place.unknown & self.demand.keys())
        places: list[Plain] = [_seen(shelves.places[name], stock[name], self.rule) for name in ordered]
        step: dict[str, Plain] = {"lines": _lines(self.group), "by": list(self.rule.by), "places": places}
        if whole:
            chosen = [min(whole, key=lambda name: self._key({name}, ranks))]
            step["why"] = self._why_one(chosen[0], whole, ranks)
        elif self.rule.split:
            chosen = cover(self.demand, {name: _in_parcels(stock[name], self.demand) for name in ordered}, self._cover(ranks))
            step["why"] = f"no place has all of it; {_and(chosen)} together have most" if chosen else "no place has any of it"
        else:
            chosen = []
            step["why"] = "no place has all of it, and it is not split"
        parts, rest = dealt([(each.line, each.item, each.quantity) for each in self.group], chosen, stock)
        if rest and (whole or self.rule.split):
            # What is no whole piece at one of them may be one with a place that was not needed for anything else.
            more, rest = dealt(rest, [name for name in ordered if name not in chosen], stock)
            parts += more
        found = [Part(line, item, place, quantity) for line, item, place, quantity in parts]
        for part in found:
            shelves.take(part.place, part.item, part.quantity)
        if not rest and not whole:
            step["why"] = f"no place has all of it; {_and(sorted({part.place for part in found}))} together have it"
        if rest:
            found += self._waiting(rest, unknown, shelves, step)
        step["chosen"] = sorted({part.place for part in found if part.place})
        return found, step

    def _waiting(
        self, rest: Sequence[tuple[str, str, int]], unknown: Sequence[str], shelves: Shelves, step: dict[str, Plain]
    ) -> list[Part]:
        """Where what no place gives is waited for: nowhere yet while a figure is unknown, else where it comes in."""
        if any(not shelves.knows(name, item) for name in unknown for _, item, _ in rest):
            step["waits_for"] = list(unknown)
            step["why"] += f"; the stock at {_and(unknown)} is not known yet"
            return [Part(line, item, "", quantity) for line, item, quantity in rest]
        place = self.rule.backorder_place or (self.may[0].name if self.may else "")
        if not place:
            step["why"] = "no place may deliver it"
            return [Part(line, item, "", quantity) for line, item, quantity in rest]
        kept = max(0, self.rule.keep_back.get(place, 0))
        found = [_at(place, line, item, quantity, shelves, kept) for line, item, quantity in rest]
        names = {each.line: each.sku or each.item for each in self.group}
        short = [f"{pieces(part.short)} of {names[part.line]}" for part in found if part.short]
        step["short"] = short
        step["why"] += f"; {_and(short)} {'is' if len(short) == 1 else 'are'} waited for at {place}"
        return found

    def _stock(self, name: str, shelves: Shelves) -> dict[str, int]:
        kept = max(0, self.rule.keep_back.get(name, 0))
        return {item: shelves.left(name, item, kept) for item in self.demand}

    def _ranks(self, stock: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
        """Criterion → place → its rank by it, from 0; equals share a rank."""
        by = {place.name: place for place in self.may}
        told: dict[str, dict[str, tuple[int, ...]]] = {
            "nearest": {name: nearness(place, self.destination) for name, place in by.items()},
            "most_stock": {name: (-sum(stock[name].values()),) for name in by},
            "priority": {name: (place.priority,) for name, place in by.items()},
        }
        return {
            criterion: {name: sorted(set(keys.values())).index(key) for name, key in keys.items()}
            for criterion, keys in told.items()
        }

    def _place_key(self, name: str, ranks: Mapping[str, Mapping[str, int]]) -> tuple[int | str, ...]:
        return (*(ranks[c][name] for c in self.rule.by if c != FEWEST), ranks["priority"][name], name)

    def _key(self, chosen: Collection[str], ranks: Mapping[str, Mapping[str, int]]) -> tuple[Plain, ...]:
        """What decides between sets of places: each criterion in its order, at last priority and name."""
        told: list[Plain] = [
            len(set(chosen) - self.used) if criterion == FEWEST else sorted(ranks[criterion][name] for name in chosen)
            for criterion in self.rule.by
        ]
        return (*told, sorted((ranks["priority"][name], name) for name in chosen))

    def _cover(self, ranks: Mapping[str, Mapping[str, int]]) -> Cover:
        fewest = FEWEST in self.rule.by
        return Cover(
            lambda chosen: self._key(chosen, ranks),
            lambda name: (name not in self.used if fewest else 0, *self._place_key(name, ranks)),
            fewest,
            self.rule.by[0] == FEWEST and not self.used,
        )

    def _why_one(self, chosen: str, whole: Sequence[str], ranks: Mapping[str, Mapping[str, int]]) -> str:
        others = [name for name in whole if name != chosen]
        if not others:
            return f"{chosen} alone has all of it"
        second = min(others, key=lambda name: self._key({name}, ranks))
        mine, theirs = self._key({chosen}, ranks), self._key({second}, ranks)
        place = next(n for n, (own, other) in enumerate(zip(mine, theirs, strict=True)) if own != other)
        criterion = self.rule.by[place] if place < len(self.rule.by) else "priority"
        return f"{_and(sorted(whole))} each have all of it; {criterion} chose {chosen}"


def nearness(place: Place, destination: Destination) -> tuple[int, int, int]:
    """How near the place is, smaller is nearer: the same country first; in it by the difference of the postal codes where both
    are numbers of one length, else by how much of their beginning is equal. Everything is equally near to an unknown country."""
    if not destination.country:
        return (0, 0, 0)
    if place.country != destination.country:
        return (1 if place.country else 2, 0, 0)
    here, there = _code(place.postal_code), _code(destination.postal_code)
    if not here or not there:
        return (0, 2 if there else 0, 0)
    if here.isdecimal() and there.isdecimal() and len(here) == len(there):
        return (0, 0, abs(int(here) - int(there)))
    same = next((n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there)))
    return (0, 1, -same)


def matches(rule: RoutingRule, channel: str, country: str, sku: str, category: str) -> bool:
    """Whether a rule is about this line of an order from this channel to this country."""
    return (
        (not rule.channels or channel in rule.channels)
        and (not rule.countries or country in rule.countries)
        and (not rule.skus or sku in rule.skus)
        and (not rule.categories or category in rule.categories)
    )


def _grouped(
    lines: Sequence[Wanted], rules: Sequence[RoutingRule], channel: str, country: str, pickup: str, fixed: Mapping[str, str]
) -> tuple[dict[str, list[Wanted]], dict[int, list[Wanted]]]:
    """The lines by the place that is given for them, and the others by the number of their rule (0: none)."""
    by_place: dict[str, list[Wanted]] = {}
    by_rule: dict[int, list[Wanted]] = {}
    for each in lines:
        place = fixed.get(each.line) or pickup
        if each.quantity <= 0:
            continue
        if place:
            by_place.setdefault(place, []).append(each)
        else:
            found = enumerate(rules, start=1)
            number = next((n for n, rule in found if matches(rule, channel, country, each.sku, each.category)), 0)
            by_rule.setdefault(number, []).append(each)
    return by_place, by_rule


def _kept(group: Sequence[Wanted], place: str, shelves: Shelves, *, fetched: bool) -> tuple[list[Part], dict[str, Plain]]:
    """All of it at a place that was given; what is not there is named, and stays there."""
    ordered = sorted(group, key=lambda each: (each.item, each.line))
    at = shelves.places.get(place)
    seen = [_seen(at, {each.item: shelves.left(place, each.item) for each in ordered}, None)] if at is not None else []
    parts = [_at(place, each.line, each.item, each.quantity, shelves) for each in ordered]
    short = [f"{pieces(part.short)} of {each.sku or each.item}" for part, each in zip(parts, ordered, strict=True) if part.short]
    why = f"the customer fetches it at {place}" if fetched else f"it was placed to be delivered by {place}"
    step: dict[str, Plain] = {
        "rule": "pickup" if fetched else "given",
        "lines": _lines(ordered),
        "places": seen,
        "chosen": [place],
        "why": f"{why}, which lacks {_and(short)}" if short else why,
    }
    if short:
        step["short"] = short
    return parts, step


def _at(place: str, line: str, item: str, quantity: int, shelves: Shelves, keep_back: int = 0) -> Part:
    """The whole quantity at one place; what it does not have is short, unless nobody knows what it has."""
    there = min(quantity, shelves.left(place, item, keep_back))
    shelves.take(place, item, there)
    return Part(line, item, place, quantity, quantity - there if shelves.knows(place, item) else 0)


def _in_parcels(stock: Mapping[str, int], demand: Mapping[str, int]) -> dict[str, int]:
    """What a place can put into a parcel of its own: all that is wanted, or whole pieces."""
    return {item: amount if amount >= demand[item] else whole_pieces(amount) for item, amount in stock.items()}


def _seen(place: Place, stock: Mapping[str, int], rule: RoutingRule | None) -> dict[str, Plain]:
    """What a place had when it was decided, in thousandths per item."""
    step: dict[str, Plain] = {"place": place.name, "available": dict(sorted(stock.items()))}
    kept = rule.keep_back.get(place.name, 0) if rule is not None else 0
    if kept:
        step["kept_back"] = kept * THOUSAND
    for name, items in (("not_found", place.blocked), ("unknown", place.unknown)):
        if items & stock.keys():
            step[name] = sorted(items & stock.keys())
    return step


def _merged(parts: Iterable[Part]) -> list[Part]:
    """One part per line and place."""
    found: dict[tuple[str, str, str], Part] = {}
    for part in parts:
        key = (part.line, part.item, part.place)
        old = found.get(key)
        found[key] = part if old is None else old._replace(quantity=old.quantity + part.quantity, short=old.short + part.short)
    return list(found.values())


def _lines(group: Iterable[Wanted]) -> list[Plain]:
    return sorted({each.line for each in group})


def _code(postal_code: str) -> str:
    return "".join(each for each in postal_code.upper() if each.isalnum())


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
