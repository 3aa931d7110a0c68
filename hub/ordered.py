"""The order station: what systems say of orders ▶ identity ▶ facts ▶ reservations, and what other systems must know.

One order per (channel, its id), whatever arrives how often in which order. A record that carries our reference never becomes
a new order. Persons go into the party table, sealed, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub import remembered
from hub.canonical.order import MoneyError, conserved
from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import Clock
from hub.desired.order import Facts, Line, Saying, facts, number_of, promises
from hub.differences import Differences, Seen
from hub.documents import documents
from hub.flow import Aspect, Key, Target
from hub.intake.understand import RecordTold
from hub.merge.authority import Authority
from hub.settings.dates import day_micros
from hub.settings.model import Config
from hub.store import catalogue, changes, dirty, ledger, letters, orders, requests, targets
from hub.store.database import Database, Tx
from hub.store.dirty import Dirty
from hub.store.orders import Order, OrderBinding, Reservation
from hub.store.parties import Parties

ORIGIN: Final = "origin"
EXPORT: Final = "export"


@dataclass(frozen=True, slots=True)
class Known:
    """One snapshot of everything that working off a set of orders needs."""

    orders: dict[str, Order]
    sayings: dict[str, list[Saying]]
    items: dict[tuple[str, str], catalogue.Binding]
    """(channel, listing) → its binding."""
    listings: dict[tuple[str, str], catalogue.Binding]
    """(channel, item) → its listing there."""
    reserved: list[Reservation]
    seen: Seen


class Ordered:
    """Takes order records in and works off dirty orders."""

    def __init__(
        self,
        config: Config,
        channels: Mapping[str, Channel],
        database: Database,
        clock: Clock,
        authority: Authority,
        differences: Differences,
        parties: Parties,
    ) -> None:
        self._config = config
        self._channels = channels
        self._database = database
        self._clock = clock
        self._authority = authority
        self._differences = differences
        self._parties = parties
        self._places = {
            (channel, place): name for name, location in config.locations.items() for channel, place in location.channels.items()
        }

    # taking in, inside the transaction that understood the envelopes

    def keep(self, tx: Tx, told: Sequence[RecordTold], now: int, mark: int, numbers: Sequence[int]) -> None:
        """Keep what was said of orders, in the order in which it was said; `numbers` are for the ledger, one a record."""
        said = [each for each in told if each.entity == "order"]
        if not said:
            self._keep_parties(tx, told, {}, now)
            return
        known = orders.bindings(tx, [(t.channel, str(t.value["order"])) for t in said])
        ours = orders.by_number(tx, [str(t.value.get("reference") or "") for t in said])
        carried: dict[tuple[str, str], str] = {key: binding.order for key, binding in known.items()}
        new: dict[str, Order] = {}
        bound: list[OrderBinding] = []
        refused: list[letters.DeadLetter] = []
        for each in said:
            record = self._conserved(each, refused, now)
            if record is None:
                continue
            key = (each.channel, str(record["order"]))
            order, role = self._identity(each, record, carried, ours, known)
            if not order:
                continue
            if order not in new and key not in known and role == ORIGIN:
                new[order] = self._new_order(order, each.channel, record, now)
            carried[key] = order
            bound.append(
                OrderBinding(
                    *key,
                    order,
                    role,
                    record,
                    int(record.get("version") or 0),
                    int(record.get("as_of") or 0),
                    each.envelope.begun,
                    each.envelope.seq,
                    now,
                )
            )
        orders.save_orders(tx, list(new.values()))
        orders.save_bindings(tx, _newest(bound))
        old_news = {order.order for order in new.values() if order.history}
        ledger.write(tx, remembered.said([b for b in _newest(bound) if b.order not in old_news], known, numbers, now))
        letters.keep(tx, refused)
        dirty.mark(tx, [(dirty.ORDER, binding.order, "") for binding in bound], mark)
        self._keep_parties(tx, told, carried, now)

    def _conserved(self, told: RecordTold, refused: list[letters.DeadLetter], now: int) -> dict[str, Plain] | None:
        try:
            return conserved(told.value)
        except MoneyError as bad:
            refused.append(
                letters.DeadLetter(
                    "record",
                    told.channel,
                    "orders",
                    str(told.value["order"]),
                    "total_minor",
                    str(told.value["total_minor"]),
                    str(bad),
                    told.envelope.seq,
                    now,
                )
            )
            return None

    def _identity(
        self,
        told: RecordTold,
        record: Mapping[str, Plain],
        carried: Mapping[tuple[str, str], str],
        ours: Mapping[str, Order],
        known: Mapping[tuple[str, str], OrderBinding],
    ) -> tuple[str, str]:
        """Our id of the order and the role of who speaks; "" when it is none of ours to carry."""
        key = (told.channel, str(record["order"]))
        if key in known:
            return known[key].order, known[key].role
        if key in carried:
            return carried[key], ORIGIN
        reference = str(record.get("reference") or "")
        if reference in ours:
            return ours[reference].order, EXPORT
        rule = self._config.channels[told.channel].orders
        if not rule.take_in or record["state"] == "ignore":
            return "", ""
        return self._clock.token(), ORIGIN

    def _new_order(self, order: str, channel: str, record: Mapping[str, Plain], now: int) -> Order:
        settings = self._config.channels[channel]
        placed_at = int(record.get("placed_at") or now)
        return Order(
            order,
            channel,
            str(record["order"]),
            number_of(settings.orders.prefix or channel, record),
            str(record["state"]),
            placed_at,
            now,
            self._is_history(settings.orders_since, placed_at),
            str(record["currency"]),
            int(record["total_minor"]),
        )

    def _is_history(self, since: str, placed_at: int) -> bool:
        return bool(since) and placed_at < day_micros(since)

    def _keep_parties(self, tx: Tx, told: Sequence[RecordTold], carried: Mapping[tuple[str, str], str], now: int) -> None:
        for each in told:
            if each.entity != "party":
                continue
            order = carried.get((each.channel, str(each.value.get("order"))))
            if order:
                self._parties.keep(tx, order, each.channel, each.value, each.envelope.seq, now)
            else:
                self._parties.heard(tx, each.channel, each.value, each.envelope.seq)

    # working off

    def step(self, limit: int) -> tuple[int, set[str]]:
        """Work off up to `limit` dirty orders; gives how many, and the channels that have something to send."""
        rows = self._database.read(lambda tx: dirty.oldest_orders(tx, limit))
        if not rows:
            return 0, set()
        found = self._database.read(lambda tx: self._known(tx, rows))
        known, items, held, seen = found.orders, found.items, found.reserved, found.seen
        wanted: dict[Key, Target] = {}
        reserved: list[Reservation] = []
        stuck: list[Order] = []
        for order in known.values():
            sayings = [self._in_lines_of(order, each, found) for each in found.sayings.get(order.order, ())]
            told = facts(sayings)
            if told is None:
                continue
            reserved += self._reserved(order, told, items)
            exported = frozenset(each.channel for each in sayings if each.role == EXPORT)
            targets_of, words = documents(order, told, sayings, found.listings, self._channels, items, exported)
            wanted.update(targets_of)
            stuck.append(_said(order, told, words))
        decided = self._differences.decide(wanted, seen, lambda item, _: item in known)
        touched = {r.item for r in reserved} | {r.item for r in held}
        numbers, now = self._database.next_block(1 + len(held) + len(reserved)), self._clock.now()
        mark, lines = numbers[0], remembered.reserved(held, reserved, {each.order: each for each in stuck}, numbers[1:], now)

        def keep(tx: Tx) -> None:
            orders.replace_reservations(tx, list(known), reserved)
            ledger.write(tx, lines)
            orders.save_orders(tx, stuck)
            targets.drop_targets(tx, decided.dropped)
            targets.save_targets(tx, decided.targets, now)
            changes.withdraw(tx, decided.withdrawn)
            changes.intend(tx, decided.changes)
            for hold in decided.holds:
                requests.hold(tx, hold)
            dirty.mark(tx, [(dirty.ITEM, item, Aspect.STOCK) for item in touched if item], mark)
            dirty.clear(tx, rows)

        self._database.transaction(keep)
        return len(rows), {change.key.channel for change in decided.changes if change.state == "intended"}

    def _known(self, tx: Tx, rows: Sequence[Dirty]) -> Known:
        ids = [row.a for row in rows]
        known = orders.orders(tx, ids)
        sayings: dict[str, list[Saying]] = {}
        listed: set[tuple[str, str]] = set()
        for binding in orders.bindings_of(tx, ids):
            sayings.setdefault(binding.order, []).append(
                Saying(binding.channel, binding.their, binding.role, binding.value, binding.seq, binding.as_of)
            )
            listed |= {(binding.channel, str(line.get("listing") or "")) for line in binding.value["lines"]}
        items = catalogue.bindings(tx, listed)
        everywhere = catalogue.bindings_of(tx, {each.item for each in items.values() if each.item})
        keys = {(name, order) for order in known for name in self._channels}
        seen = Seen(
            targets.targets_of(tx, keys, Aspect.ORDER),
            targets.observations_of(tx, keys, Aspect.ORDER),
            changes.open_of(tx, keys, Aspect.ORDER),
            set(),
            requests.holds(tx),
        )
        listings = {(each.channel, each.item): each for each in everywhere if each.state == "bound"}
        return Known(known, sayings, items, listings, orders.reservations_for(tx, ids), seen)

    def _in_lines_of(self, order: Order, saying: Saying, found: Known) -> Saying:
        """What another system says of the order, in the lines of its birthplace: matched by item, quantities dealt out."""
        if saying.role == ORIGIN:
            return saying
        origin = next((each for each in found.sayings[order.order] if each.role == ORIGIN), None)
        if origin is None:
            return saying
        room: dict[str, list[list[Plain]]] = {}
        for line in origin.record["lines"]:
            binding = found.items.get((order.channel, str(line.get("listing") or "")))
            if binding is not None:
                left = int(line["quantity"]) - int(line.get("cancelled") or 0)
                room.setdefault(binding.item, []).append([str(line["line"]), left])
        theirs = {str(line["line"]): str(line.get("listing") or "") for line in saying.record["lines"]}
        fulfilments = []
        for fulfilment in saying.record.get("fulfilments") or ():
            parts: list[Plain] = []
            for part in fulfilment["parts"]:
                binding = found.items.get((saying.channel, theirs.get(str(part["line"]), "")))
                parts += _dealt(room.get(binding.item, []) if binding is not None else [], int(part["quantity"]))
            fulfilments.append({**fulfilment, "parts": parts})
        return replace(saying, record={**saying.record, "fulfilments": fulfilments})

    def _reserved(self, order: Order, told: Facts, items: Mapping[tuple[str, str], catalogue.Binding]) -> list[Reservation]:
        """What this order takes from the stock; history takes nothing."""
        if order.history:
            return []
        by_line = {line.line: self._items_of(order, line, items) for line in told.lines}
        return [
            Reservation(order.order, p.line, p.part, p.item, p.place, p.quantity, order.channel, p.state, p.seq, p.as_of, p.until)
            for p in promises(told, by_line, self._places)
        ]

    def _items_of(self, order: Order, line: Line, items: Mapping[tuple[str, str], catalogue.Binding]) -> list[tuple[str, int]]:
        binding = items.get((order.channel, line.listing))
        return [(binding.item, binding.factor)] if binding is not None and binding.item else []


def _newest(bound: Sequence[OrderBinding]) -> list[OrderBinding]:
    """One statement per (channel, their id): the last said by version where both have one, else the last of the batch."""
    newest: dict[tuple[str, str], OrderBinding] = {}
    for each in bound:
        old = newest.get((each.channel, each.their))
        if old is None or not (old.version and each.version) or each.version >= old.version:
            newest[(each.channel, each.their)] = each
    return list(newest.values())


def _said(order: Order, told: Facts, words: str) -> Order:
    record = told.origin.record
    return Order(
        order.order,
        order.channel,
        order.their,
        order.number,
        told.state,
        order.placed_at,
        order.seen_at,
        order.history,
        str(record["currency"]),
        int(record["total_minor"]),
        words,
    )


def _dealt(room: list[list[Plain]], quantity: int) -> list[Plain]:
    """The quantity dealt out over lines with room for it, in their order; what fits none goes on the last."""
    parts: list[Plain] = []
    for place, line in enumerate(room):
        last = place == len(room) - 1
        taken = quantity if last else min(quantity, line[1])
        if taken > 0:
            parts.append({"line": line[0], "quantity": taken})
            line[1] -= taken
            quantity -= taken
    return parts
