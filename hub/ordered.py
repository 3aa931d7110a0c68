"""The order station: what systems say of orders ▶ identity ▶ facts ▶ reservations, and what other systems must know.

One order per (channel, its id), whatever arrives how often in which order. A record that carries our reference never becomes
a new order. Persons go into the party table, sealed, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub import remembered
from hub.books import DAY, Books, Entry
from hub.canonical.order import MoneyError, conserved
from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import Clock
from hub.desired.credit import OF, share
from hub.desired.order import CREDIT, EXPORT, ORIGIN, RECEIPT, RETURN, Facts, Line, Saying, facts, number_of, promises
from hub.desired.rules import Rules
from hub.differences import Differences, Seen
from hub.documents import Around, documents, moved_since
from hub.flow import Aspect, Key, Target
from hub.intake.understand import RecordTold
from hub.merge.authority import Authority
from hub.settings.dates import day_micros
from hub.settings.model import Config
from hub.store import catalogue, changes, channels, dirty, ledger, letters, orders, requests, targets
from hub.store.database import Database, Tx
from hub.store.dirty import Dirty
from hub.store.orders import Order, OrderBinding, Reservation
from hub.store.parties import Parties

DOCUMENT: Final = "/"
"""What stands between an order's number and the mark of one of several documents of it."""
CREDIT_MARK: Final = "R"


@dataclass(frozen=True, slots=True)
class Known:
    """One snapshot of everything that working off a set of orders needs."""

    orders: dict[str, Order]
    sayings: dict[str, list[Saying]]
    around: Around
    skus: dict[str, str]
    """Item → its SKU."""
    components: dict[str, str]
    """SKU → item, of components of virtual bundles."""
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
        self._executors = {name: place.authority.channel for name, place in authority.figure_of.items()}
        rules = [settings.orders for settings in config.channels.values()]
        self._named = {sku for rule in rules for sku in (*rule.items.values(), rule.catch_all_item) if sku}
        self._bundles = Rules(config)
        self._books = Books(config, clock, database)
        self._moving = [name for name, channel in channels.items() if channel.send(Aspect.MOVEMENT) is not None]

    # taking in, inside the transaction that understood the envelopes

    def keep(self, tx: Tx, told: Sequence[RecordTold], now: int, mark: int, numbers: Sequence[int]) -> None:
        """Keep what was said of orders, in the order in which it was said; `numbers` are for the ledger, one a record."""
        said = [each for each in told if each.entity == "order"]
        if not said:
            self._keep_parties(tx, told, {}, now)
            return
        known = orders.bindings(tx, [(t.channel, str(t.value["order"])) for t in said])
        told_numbers = [str(t.value.get("reference") or "") for t in said]
        bases = [number.rpartition(DOCUMENT)[0] for number in told_numbers]
        ours = orders.by_number(tx, {name for name in (*told_numbers, *bases) if name})
        of = [(t.channel, str(t.value["returns_of"])) for t in said if t.value.get("returns_of")]
        sales = {key: binding.order for key, binding in orders.bindings(tx, of).items()}
        carried: dict[tuple[str, str], str] = {key: binding.order for key, binding in known.items()}
        new: dict[str, Order] = {}
        bound: list[OrderBinding] = []
        refused: list[letters.DeadLetter] = []
        for each in said:
            record = self._conserved(each, refused, now)
            if record is None:
                continue
            key = (each.channel, str(record["order"]))
            order, role = self._identity(each, record, {**sales, **carried}, ours, known)
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
        found, role = _referred(record, ours)
        if found:
            return found, role
        sale = carried.get((told.channel, str(record.get("returns_of") or "")))
        if sale and _is_return(record):
            return sale, RETURN
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
        self._books.close()
        self._expire(limit)
        rows = self._database.read(lambda tx: dirty.oldest_orders(tx, limit))
        if not rows:
            return 0, set()
        found = self._database.read(lambda tx: self._known(tx, rows))
        known, held, seen = found.orders, found.reserved, found.seen
        wanted: dict[Key, Target] = {}
        reserved: list[Reservation] = []
        stuck: list[Order] = []
        entries: list[Entry] = []
        for order in known.values():
            sayings = [self._in_lines_of(order, each, found) for each in found.sayings.get(order.order, ())]
            told = facts(sayings, self._clock.now())
            if told is None:
                continue
            routes = self._routes(order, told)
            reserved += self._reserved(order, told, found, routes)
            if order.channel in self._books.days and not order.history:
                entries += self._books.entries(sayings, self._places)
            targets_of, words = documents(order, told, sayings, found.around, routes)
            wanted.update(targets_of)
            stuck.append(_said(order, told, words))
        decided = self._differences.decide(wanted, seen, lambda item, aspect: item in known and aspect == Aspect.ORDER)
        touched = {r.item for r in reserved} | {r.item for r in held}
        numbers, now = self._database.next_block(1 + len(held) + len(reserved)), self._clock.now()
        mark, lines = numbers[0], remembered.reserved(held, reserved, {each.order: each for each in stuck}, numbers[1:], now)

        def keep(tx: Tx) -> None:
            self._books.enter(tx, entries, now)
            orders.replace_reservations(tx, list(known), reserved)
            ledger.write(tx, lines)
            orders.save_orders(tx, stuck)
            targets.drop_targets(tx, decided.dropped)
            targets.save_targets(tx, decided.targets, now)
            changes.withdraw(tx, decided.withdrawn)
            changes.intend(tx, decided.changes)
            for hold in decided.holds:
                requests.hold(tx, hold)
            channels.ask(tx, self._figures_of(held, reserved, found.around), mark, now)
            dirty.mark(tx, [(dirty.ITEM, item, Aspect.STOCK) for item in touched if item], mark)
            dirty.clear(tx, rows)

        self._database.transaction(keep)
        return len(rows), {change.key.channel for change in decided.changes if change.state == "intended"}

    def _expire(self, limit: int) -> None:
        """Orders whose hold ran out are worked out again: they reserve no more."""
        now = self._clock.now()
        over = self._database.read(lambda tx: orders.expired(tx, now, limit))
        if over:
            mark = self._database.next()
            self._database.transaction(lambda tx: dirty.mark(tx, [(dirty.ORDER, each.order, "") for each in over], mark))

    def _known(self, tx: Tx, rows: Sequence[Dirty]) -> Known:
        ids = [row.a for row in rows]
        known = orders.orders(tx, ids)
        sayings: dict[str, list[Saying]] = {}
        listed: set[tuple[str, str]] = set()
        for binding in orders.bindings_of(tx, ids):
            sayings.setdefault(binding.order, []).append(
                Saying(
                    binding.channel, binding.their, binding.role, binding.value, binding.seq, binding.as_of, binding.begun
                )
            )
            listed |= {(binding.channel, str(line.get("listing") or "")) for line in binding.value["lines"]}
        items = catalogue.bindings(tx, listed)
        named = {sku: each[0].item for sku, each in catalogue.items_by_sku(tx, self._named).items() if len(each) == 1}
        ours = {each.item for each in items.values() if each.item}
        everywhere = catalogue.bindings_of(tx, ours | set(named.values()))
        listings = {(each.channel, each.item): each for each in everywhere if each.state == "bound"}
        skus = {item: each.sku for item, each in catalogue.items(tx, ours).items()}
        parts = {part.sku for sku in skus.values() for part in self._bundles.bundle(sku)}
        components = {sku: each[0].item for sku, each in catalogue.items_by_sku(tx, parts).items() if len(each) == 1}
        keys = {(name, order) for order in known for name in self._channels}
        moving = {(name, listings[name, item].listing) for name in self._moving for item in ours if (name, item) in listings}
        seen = Seen(
            {**targets.targets_of(tx, keys, Aspect.ORDER), **targets.targets_of(tx, moving, Aspect.MOVEMENT)},
            {**targets.observations_of(tx, keys, Aspect.ORDER), **targets.observations_of(tx, moving, Aspect.MOVEMENT)},
            {**changes.open_of(tx, keys, Aspect.ORDER), **changes.open_of(tx, moving, Aspect.MOVEMENT)},
            set(),
            requests.holds(tx),
        )
        around = Around(
            self._config,
            self._channels,
            items,
            listings,
            named,
            self._executors,
            seen.targets,
            seen.observations,
            self._places,
        )
        return Known(known, sayings, around, skus, components, orders.reservations_for(tx, ids), seen)

    def _in_lines_of(self, order: Order, saying: Saying, found: Known) -> Saying:
        """What another system says of the order, in the lines of its birthplace: matched by item, quantities dealt out."""
        if saying.role in (ORIGIN, CREDIT):
            return saying
        origin = next((each for each in found.sayings[order.order] if each.role == ORIGIN), None)
        if origin is None:
            return saying
        around = found.around
        room: dict[str, list[list[Plain]]] = {}
        for line in origin.record["lines"]:
            item = around.item_of(order.channel, str(line.get("listing") or ""))
            if item and int(line["quantity"]) > 0:
                left = int(line["quantity"]) - int(line.get("cancelled") or 0)
                room.setdefault(item, []).append([str(line["line"]), left])
        lines = saying.record["lines"]
        theirs = {str(line["line"]): around.item_of(saying.channel, str(line.get("listing") or "")) for line in lines}
        if saying.role == RETURN:
            told = [row for line in lines for row in _as_returned(line, room.get(theirs[str(line["line"])], []))]
            return replace(saying, record={**saying.record, "lines": told})
        if saying.role == RECEIPT:
            sold = [
                {**line, **part}
                for line in lines
                for part in _dealt(room.get(theirs[str(line["line"])], []), int(line["quantity"]))
            ]
            return replace(saying, record={**saying.record, "lines": sold})
        fulfilments = []
        for fulfilment in saying.record.get("fulfilments") or ():
            parts: list[Plain] = []
            for part in fulfilment["parts"]:
                parts += _dealt(room.get(theirs.get(str(part["line"]), ""), []), int(part["quantity"]))
            fulfilments.append({**fulfilment, "parts": parts})
        return replace(saying, record={**saying.record, "fulfilments": fulfilments})

    def _routes(self, order: Order, told: Facts) -> dict[str, list[tuple[str, int]]]:
        """Where each line is to leave from: the place where the customer fetches it, where the order names one of ours."""
        pickup = self._places.get((order.channel, str(told.origin.record.get("pickup") or "")), "")
        if not pickup:
            return {}
        return {line.line: [(pickup, max(0, line.quantity - line.cancelled))] for line in told.lines if line.quantity > 0}

    def _reserved(
        self, order: Order, told: Facts, found: Known, routes: Mapping[str, Sequence[tuple[str, int]]]
    ) -> list[Reservation]:
        """What this order takes from the stock; history takes nothing."""
        if order.history or told.origin.record.get(DAY):
            # The sales of a day are promised one by one, not once more by their book.
            return []
        by_line = {line.line: self._items_of(order, line, found) for line in told.lines}
        moved = moved_since(order, told, found.around)
        return [
            Reservation(order.order, p.line, p.part, p.item, p.place, p.quantity, order.channel, p.state, p.seq, p.as_of, p.until)
            for p in promises(told, by_line, self._places, routes, moved)
        ]

    def _figures_of(
        self, held: Sequence[Reservation], reserved: Sequence[Reservation], around: Around
    ) -> list[tuple[str, str, str, str]]:
        """The figures to read at once: what just left counts twice until the figure of its place is read without it."""
        before = {(each.order, each.line, each.part) for each in held}
        asked = set()
        for each in reserved:
            channel = self._channels.get(self._executors.get(each.place, ""))
            # A till tells its figure with each of its own sales.
            if not each.part or channel is None or each.teller == each.origin or (each.order, each.line, each.part) in before:
                continue
            listing, stream = around.listings.get((channel.name, each.item)), channel.lookup_stream("stock")
            if listing is not None and stream:
                asked.add((channel.name, stream, listing.listing, "something of it left"))
        return sorted(asked)

    def _items_of(self, order: Order, line: Line, found: Known) -> list[tuple[str, int]]:
        """The items that a line takes and pieces of each per unit: of a virtual bundle its components."""
        binding = found.around.items.get((order.channel, line.listing))
        if binding is None or not binding.item:
            return []
        parts = self._bundles.bundle(found.skus.get(binding.item, ""))
        if not parts:
            return [(binding.item, binding.factor)]
        return [(found.components[part.sku], part.pieces * binding.factor) for part in parts if part.sku in found.components]


def _referred(record: Mapping[str, Plain], ours: Mapping[str, Order]) -> tuple[str, str]:
    """The order of ours that a record refers to by our number, and the role of who speaks; "" where it refers to none."""
    reference = str(record.get("reference") or "")
    number, _, mark = reference.rpartition(DOCUMENT)
    if reference not in ours and number in ours:
        return ours[number].order, CREDIT if mark[:1] == CREDIT_MARK and mark[1:].isdigit() else EXPORT
    if reference not in ours:
        return "", ""
    if _is_return(record):
        return ours[reference].order, RETURN
    rung_up = record["state"] == "ended" and record.get("place") and not record.get("fulfilments")
    return ours[reference].order, RECEIPT if rung_up else EXPORT


def _is_return(record: Mapping[str, Plain]) -> bool:
    """Whether a record is nothing but goods or money that came back."""
    lines = record["lines"]
    back = all(int(line["quantity"]) < 0 for line in lines) and int(record["total_minor"]) <= 0
    return back and bool(lines or record.get("charges"))


def _as_returned(line: Mapping[str, Plain], room: list[list[Plain]]) -> list[dict[str, Plain]]:
    """A line of a return, dealt out over the order's lines of the same item; amounts go with the pieces."""
    back = -int(line["quantity"])
    rows, before = [], 0
    for part in _dealt(room, back):
        quantity = int(part["quantity"])
        amounts = {
            name: share(int(line.get(name) or 0), before, quantity, back) for name in ("amount_minor", "tax_minor")
        }
        rows.append({**line, **amounts, "quantity": -quantity, OF: part["line"]})
        before += quantity
    return rows or [{**line, OF: ""}]


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
