"""The movement station: what systems say of goods between places ▶ what others, who are right about those places, must learn.

What left is in nobody's figure until it arrives. Where the teller is right about a place itself its own figure tells;
another who is right is told one keyed delta a line, once. What was moved before the hub first read the teller is taken as known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import Clock
from hub.desired.movement import RECEIPT, Leg, delta, fact, fact_of, in_units_of, legs, place_of
from hub.differences import Differences, Seen
from hub.flow import Aspect, Key, Target
from hub.intake.understand import RecordTold
from hub.merge.authority import Authority
from hub.settings.model import Config
from hub.store import catalogue, changes, dirty, movements, requests, targets
from hub.store.catalogue import Binding
from hub.store.database import Database, Tx
from hub.store.dirty import Dirty
from hub.store.movements import Movement, Name, Part

ENTITY: Final = "movement"
DAY_MICROS: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """One snapshot of everything that working off a set of movements needs."""

    heads: dict[Name, Movement]
    parts: dict[Name, list[Part]]
    bindings: dict[tuple[str, str], Binding]
    """(teller, its listing) → its binding."""
    by_sku: dict[str, str]
    """SKU → the one item that has it."""
    listings: dict[tuple[str, str], list[Binding]]
    """(channel, item) → its listings there."""
    seen: Seen


@dataclass(slots=True)
class Working:
    """One line while it is worked off: what is settled of it, and what keeps it from being told."""

    head: Movement
    part: Part
    words: str = ""


class Moved:
    """Takes movement records in and works off dirty movements."""

    def __init__(
        self,
        config: Config,
        channels: Mapping[str, Channel],
        database: Database,
        clock: Clock,
        authority: Authority,
        differences: Differences,
    ) -> None:
        self._config = config
        self._channels = channels
        self._database = database
        self._clock = clock
        self._authority = authority
        self._differences = differences

    # taking in, inside the transaction that understood the envelopes

    def keep(self, tx: Tx, told: Sequence[RecordTold], heard: frozenset[tuple[str, str]], now: int, mark: int) -> None:
        """Keep what was said of movements. `heard` are the streams that have been read to the end at least once."""
        newest: dict[Name, RecordTold] = {}
        for each in told:
            name = each.channel, str(each.value["movement"])
            if name not in newest or _not_older(_age(each), _age(newest[name])):
                newest[name] = each
        if not newest:
            return
        known, parts = movements.heads(tx, newest), movements.parts(tx, newest)
        heads: list[Movement] = []
        lines: list[Part] = []
        worked_off: list[Name] = []
        for name, each in sorted(newest.items()):
            old = known.get(name)
            if old is not None and not _not_older(_age(each), (old.version, old.begun)):
                continue
            head = _head(each, old, now)
            before = old is None and self._known_before(each, heard, now)
            mine = _lines(head, each.value["parts"], parts.get(name, []), before)
            heads.append(head)
            lines += mine
            if old is None or old.words or _places(old) != _places(head) or mine != parts.get(name, []):
                worked_off.append(name)
        movements.save_heads(tx, heads)
        movements.save_parts(tx, lines)
        dirty.mark(tx, [(dirty.MOVEMENT, *name) for name in worked_off], mark)

    def _known_before(self, told: RecordTold, heard: frozenset[tuple[str, str]], now: int) -> bool:
        """Whether what this new movement has moved is known where it went: it was moved before the hub first read its teller
        to the end, or so long ago that the hub has forgotten it."""
        channel = self._channels[told.channel]
        if not channel.heard_about(ENTITY, heard):
            return True
        return 0 < int(told.value.get("at") or 0) < now - self._config.hub.ledger_days * DAY_MICROS

    # working off

    def step(self, limit: int) -> tuple[int, set[str]]:
        """Work off up to `limit` dirty movements; gives how many, and the channels that have something to send."""
        rows = self._database.read(lambda tx: dirty.oldest_movements(tx, limit))
        if not rows:
            return 0, set()
        known = self._database.read(lambda tx: self._known(tx, rows))
        wanted: dict[Key, Target] = {}
        settled: list[Part] = []
        words: list[tuple[Name, str]] = []
        for name, head in known.heads.items():
            lines = [Working(head, part) for part in known.parts.get(name, ())]
            for line in lines:
                self._tell(line, known, wanted)
            settled += [line.part for line in lines]
            words.append((name, "; ".join(dict.fromkeys(line.words for line in lines if line.words))[:500]))
        mine = {_fact(part) for those in known.parts.values() for part in those}
        decided = self._differences.decide(wanted, _only(known.seen, mine), lambda _, aspect: aspect == Aspect.MOVEMENT)
        now = self._clock.now()

        def keep(tx: Tx) -> None:
            movements.settle_parts(tx, settled)
            movements.say(tx, words)
            decided.keep(tx, now)
            dirty.clear(tx, rows)

        self._database.transaction(keep)
        return len(rows), decided.to_send

    def _known(self, tx: Tx, rows: Sequence[Dirty]) -> Known:
        names = [(row.a, row.b) for row in rows]
        heads, parts = movements.heads(tx, names), movements.parts(tx, names)
        lines = [part for each in parts.values() for part in each]
        bindings = catalogue.bindings(tx, {(part.channel, part.listing) for part in lines if part.listing})
        found = catalogue.items_by_sku(tx, {part.sku for part in lines if part.sku and not part.listing})
        by_sku = {sku: each[0].item for sku, each in found.items() if len(each) == 1}
        listings: dict[tuple[str, str], list[Binding]] = {}
        for each in catalogue.bindings_of(tx, {b.item for b in bindings.values() if b.item} | set(by_sku.values())):
            if each.state == "bound":
                listings.setdefault((each.channel, each.item), []).append(each)
        shown = {(b.channel, b.listing) for those in listings.values() for b in those}
        shown |= {who for part in lines for who in part.told.values()}
        return Known(heads, parts, bindings, by_sku, listings, seen(tx, shown))

    def _tell(self, line: Working, known: Known, wanted: dict[Key, Target]) -> None:
        """The targets of one line; what nobody has to be told is settled."""
        part, head = line.part, line.head
        quantities = {
            "dispatched": part.dispatched,
            "received": part.received,
            "left_before": part.left_before,
            "came_before": part.came_before,
        }
        for leg in legs(head.from_place, head.to_place, quantities):
            location = self._authority.location(head.channel, leg.place)
            place = self._authority.figure_of.get(location) if location else None
            owner = place.authority.channel if place is not None else ""
            told = line.part.told.get(location or "")
            if not location or not owner or owner == head.channel or not self._hears(owner, line):
                if told is None:
                    line.part = _settled(line.part, leg)
            elif told is None or told[0] == owner:
                self._tell_leg(line, leg, location, owner, known, wanted)

    def _hears(self, owner: str, line: Working) -> bool:
        """Whether the channel can be told what moved: a person does it by hand where it cannot."""
        channel = self._channels.get(owner)
        if channel is None or channel.settings.mode == "observe":
            return False
        if channel.send(Aspect.MOVEMENT) is None:
            line.words = f"{owner} takes no movements: what came and went is counted there by hand"
            return False
        return True

    def _tell_leg(self, line: Working, leg: Leg, location: str, owner: str, known: Known, wanted: dict[Key, Target]) -> None:
        part, head = line.part, line.head
        told = part.told.get(location)
        if told is None and leg.moved == 0:
            return
        teller = known.bindings.get((part.channel, part.listing))
        item = teller.item if teller is not None else known.by_sku.get(part.sku, "")
        there = _listing(known.listings.get((owner, item), ()), told) if item else None
        if there is None and told is None:
            what = f"no listing of {part.sku or part.listing} on {owner}" if item else f"{part.sku or part.listing} is no item"
            line.words = f"line {part.part}: {what}"
            return
        factor = there.factor if there is not None else 1
        moved = in_units_of(leg.moved, teller.factor if teller is not None else 1, factor)
        if moved is None:
            line.words = f"line {part.part}: the quantity is no whole number of units of {factor} on {owner}"
            return
        who = told or (owner, there.listing if there is not None else "")
        line.part = replace(part, told={**part.told, location: who})
        source = {"channel": head.channel, "listing": part.listing, "as_of": head.as_of or head.seen_at, "seq": head.seq}
        because = {"movement": head.number or head.movement, "told_by": head.channel, "location": location, "from": [source]}
        target = delta(*who, item, location, _fact(part), moved, leg.kind, because)
        wanted[target.key] = target


def seen(tx: Tx, listings: set[tuple[str, str]]) -> Seen:
    """What is wanted, acknowledged and under way of movements of these (channel, listing): deltas count from it."""
    return Seen(
        targets.targets_of(tx, listings, Aspect.MOVEMENT),
        targets.observations_of(tx, listings, Aspect.MOVEMENT),
        changes.open_of(tx, listings, Aspect.MOVEMENT),
        set(),
        requests.holds(tx),
    )


def tidy(tx: Tx, before: int, limit: int) -> int:
    """Forget movements dated before that time, with what was told of them, at most `limit`; gives how many rows went."""
    names = movements.at_rest_before(tx, before, limit)
    if not names:
        return 0
    told: dict[Name, set[Key]] = {name: set() for name in names}
    for name, parts in movements.parts(tx, names).items():
        for part in parts:
            told[name] |= {Key(*who, Aspect.MOVEMENT, place_of(where, _fact(part))) for where, who in part.told.items()}
    listings = {(key.channel, key.listing) for keys in told.values() for key in keys}
    under_way = changes.open_of(tx, listings, Aspect.MOVEMENT).keys()
    gone = [name for name in names if not told[name] & under_way]
    keys = sorted(key for name in gone for key in told[name])
    targets.drop_targets(tx, keys)
    targets.drop_acknowledged(tx, keys)
    return movements.drop(tx, gone)


def _fact(part: Part) -> str:
    return fact(part.channel, part.movement, part.part)


def _only(shown: Seen, mine: set[str]) -> Seen:
    """Of what was seen only the targets of these facts: those of others are none of ours to drop."""
    return replace(shown, targets={key: each for key, each in shown.targets.items() if fact_of(key.place) in mine})


def _listing(there: Sequence[Binding], told: tuple[str, str] | None) -> Binding | None:
    """The listing that learns of it: the one that was told before, else a single unit of the item rather than a box."""
    if told is not None:
        return next((each for each in there if (each.channel, each.listing) == told), None)
    return min(there, key=lambda each: (each.factor, each.listing), default=None)


def _settled(part: Part, leg: Leg) -> Part:
    return replace(part, came_before=part.received) if leg.kind == RECEIPT else replace(part, left_before=part.dispatched)


def _places(head: Movement) -> tuple[str, str]:
    return head.from_place, head.to_place


def _head(told: RecordTold, old: Movement | None, now: int) -> Movement:
    value, envelope = told.value, told.envelope
    return Movement(
        told.channel,
        str(value["movement"]),
        str(value.get("number") or ""),
        str(value["kind"]),
        str(value.get("state") or ""),
        str(value.get("from") or ""),
        str(value.get("to") or ""),
        str(value.get("document") or ""),
        int(value.get("at") or 0),
        int(value.get("version") or 0),
        int(value.get("as_of") or 0),
        envelope.begun,
        envelope.seq,
        now,
        old.words if old is not None else "",
    )


def _lines(head: Movement, told: Sequence[Mapping[str, Plain]], known: Sequence[Part], before: bool) -> list[Part]:
    """The lines as told now; with `before` all that has moved is known where it went. A line that is told no more has
    nothing under way: what arrived of it stays."""
    old = {part.part: part for part in known}
    lines: dict[str, Part] = {}
    for row in told:
        ident, dispatched, received = str(row["part"]), int(row.get("dispatched") or 0), int(row.get("received") or 0)
        kept = old.pop(ident, Part(*head.name, ident, "", "", 0, 0, 0, *((dispatched, received) if before else (0, 0))))
        lines[ident] = replace(
            kept,
            listing=str(row.get("listing") or ""),
            sku=str(row.get("sku") or ""),
            planned=int(row.get("planned") or 0),
            dispatched=dispatched,
            received=received,
        )
    for ident, part in old.items():
        lines[ident] = replace(part, planned=part.received, dispatched=part.received)
    return [lines[ident] for ident in sorted(lines)]


def _age(told: RecordTold) -> tuple[int, int]:
    return int(told.value.get("version") or 0), told.envelope.begun


def _not_older(new: tuple[int, int], old: tuple[int, int]) -> bool:
    """Which was said later: by the teller's version where both have one, else by our own sequence."""
    return new[0] >= old[0] if new[0] and old[0] else new[1] >= old[1]
