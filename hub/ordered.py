"""The order station: what systems say of orders ▶ identity ▶ facts ▶ reservations, and what other systems must know.

One order per (channel, its id), whatever arrives how often in which order. A record that carries our reference never becomes
a new order. Persons go into the party table, sealed, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hub import remembered
from hub.books import DAY, Books, Entry
from hub.canonical.order import MoneyError, conserved
from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import Clock
from hub.desired.order import COUNTING, EXPORT, ORIGIN, RETURN, Facts, Line, Promise, Saying, facts, number_of, promises
from hub.desired.rules import Rules
from hub.desired.spoken import given_up, in_lines_of, is_return, numbers_in, referred
from hub.differences import IN_FLIGHT, Differences, Seen
from hub.documents.all import documents
from hub.documents.around import Around
from hub.documents.moved import since as moved_since
from hub.flow import Aspect, Key, Target
from hub.intake.understand import RecordTold
from hub.merge.authority import Authority
from hub.recognised import recognised
from hub.routed import Routed, Routing, asked
from hub.selling import learn
from hub.settings.dates import is_before
from hub.settings.model import Config
from hub.store import catalogue, changes, channels, dirty, ledger, letters, orders, requests, targets
from hub.store.catalogue import Binding
from hub.store.database import Database, Tx
from hub.store.dirty import Dirty
from hub.store.orders import Order, OrderBinding, Reservation
from hub.store.parties import Parties


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


class Looked(NamedTuple):
    """An order as it stands: its facts, what is said of it in its own lines, and what each line takes, (item, pieces)."""

    order: Order
    told: Facts
    sayings: list[Saying]
    takes: dict[str, list[tuple[str, int]]]


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
        self._places = config.locations_by_place()
        self._executors = {name: place.authority.channel for name, place in authority.figure_of.items()}
        rules = [settings.orders for settings in config.channels.values()]
        self._named = {sku for rule in rules for sku in (*rule.items.values(), rule.catch_all_item) if sku}
        self._prefixes = config.order_prefixes()
        self._bundles = Rules(config)
        self._books = Books(config, clock, database)
        streams = {name: channel.streams_about("stock") for name, channel in channels.items()}
        self._routed = Routed(config, authority, streams, parties)
        self._moving = [name for name, channel in channels.items() if channel.send(Aspect.MOVEMENT) is not None]

    # taking in, inside the transaction that understood the envelopes

    def keep(self, tx: Tx, told: Sequence[RecordTold], now: int, mark: int, numbers: Sequence[int]) -> list[RecordTold]:
        """Keep what was said of orders, in the order in which it was said; `numbers` are for the ledger, one a record. Gives the
        records that are refused, for which dead letters are kept."""
        said = [each for each in told if each.entity == "order"]
        if not said:
            self._keep_parties(tx, told, {}, now)
            return []
        known = orders.bindings(tx, [(t.channel, str(t.value["order"])) for t in said])
        records = recognised(tx, [(t.channel, t.value) for t in said], known)
        said = [t._replace(value=record) for t, record in zip(said, records, strict=True)]
        asked_for = {name for t in said for name in numbers_in(t.value, self._prefixes)}
        meant = orders.by_number(tx, asked_for)
        ours = {number: order.order for number, order in meant.items()}
        births = orders.bindings(tx, [(order.channel, order.their) for order in meant.values()])
        born_back = {birth.order for birth in births.values() if is_return(birth.value)}
        of = [(t.channel, str(t.value["returns_of"])) for t in said if t.value.get("returns_of")]
        sales = {key: binding.order for key, binding in orders.bindings(tx, of).items()}
        carried: dict[tuple[str, str], str] = {key: binding.order for key, binding in known.items()}
        roles: dict[tuple[str, str], str] = {key: binding.role for key, binding in known.items()}
        new: dict[str, Order] = {}
        bound: list[OrderBinding] = []
        refused: list[tuple[RecordTold, letters.DeadLetter]] = []
        for each in said:
            record = _conserved(each, refused, now)
            if record is None:
                continue
            key = (each.channel, str(record["order"]))
            order, role = self._identity(each, record, {**sales, **carried}, ours, roles)
            if role == RETURN and order in born_back and key not in known:
                # Nothing comes back of what came back: it is that return, as another system holds it.
                role = EXPORT
            if not order:
                continue
            if order not in new and key not in known and role == ORIGIN:
                new[order] = self._new_order(order, each.channel, record, now)
            carried[key], roles[key] = order, role
            bound.append(_binding(each, record, order, role, now))
        orders.save_orders(tx, list(new.values()))
        learn(tx, bound, new)
        newest = [since(each, known.get((each.channel, each.their))) for each in _newest(bound)]
        orders.save_bindings(tx, newest)
        # A shop puts what was given up of its orders back on sale by itself: heard of before the order, it looked like an edit.
        rose = [(b.channel, known[b.channel, b.their].value, b.value) for b in newest if (b.channel, b.their) in known]
        targets.explain_rises(tx, {(channel, listing) for channel, was, now_is in rose for listing in given_up(was, now_is)})
        old_news = {order.order for order in new.values() if order.history}
        ledger.write(tx, remembered.said([b for b in newest if b.order not in old_news], known, numbers, now))
        letters.keep(tx, [letter for _, letter in refused])
        dirty.mark(tx, [(dirty.ORDER, binding.order, "") for binding in bound], mark)
        self._keep_parties(tx, told, carried, now)
        return [each for each, _ in refused]

    def gone(self, tx: Tx, ids: Sequence[tuple[str, str]], now: int, mark: int) -> None:
        """Orders that their birthplace definitely lacks: what is open of them is called off."""
        rows = [
            replace(each, value={**each.value, "state": "cancelled"}, version=0, begun=mark, seq=mark, at=now)
            for each in orders.bindings(tx, ids).values()
            if each.role == ORIGIN and each.value["state"] in ("hold", "reserve", "release")
        ]
        orders.save_bindings(tx, rows)
        dirty.mark(tx, [(dirty.ORDER, each.order, "") for each in rows], mark)

    def _identity(
        self,
        told: RecordTold,
        record: Mapping[str, Plain],
        carried: Mapping[tuple[str, str], str],
        ours: Mapping[str, str],
        roles: Mapping[tuple[str, str], str],
    ) -> tuple[str, str]:
        """Our id of the order and the role of who speaks; "" when it is none of ours to carry.

        `carried` and `roles` know what was said before, of this very lot too: who is heard twice at once keeps the role.
        """
        key = (told.channel, str(record["order"]))
        if key in roles:
            return carried[key], roles[key]
        found, role = referred(record, ours, self._prefixes)
        if found:
            return found, role
        sale = carried.get((told.channel, str(record.get("returns_of") or "")))
        if sale and is_return(record):
            return sale, RETURN
        rule = self._config.channels[told.channel].orders
        if not rule.take_in or record["state"] == "ignore":
            return "", ""
        return self._clock.token(), ORIGIN

    def _new_order(self, order: str, channel: str, record: Mapping[str, Plain], now: int) -> Order:
        placed_at = int(record.get("placed_at") or now)
        return Order(
            order,
            channel,
            str(record["order"]),
            number_of(self._config.prefix_of(channel), record),
            str(record["state"]),
            placed_at,
            now,
            is_before(placed_at, self._config.channels[channel].orders_since),
            str(record["currency"]),
            int(record["total_minor"]),
        )

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
        looked = [each for order in known.values() if (each := self._look_at(order, found)) is not None]
        routing = self._routing(looked)
        for order, told, sayings, takes in looked:
            routes = routing.of(order.order)
            reserved += self._reserved(order, told, takes, found.around, routes)
            if order.channel in self._books.days and not order.history:
                entries += self._books.entries(sayings, self._places)
            made = documents(order, told, sayings, found.around, routes)
            wanted.update(made.wanted)
            lacking = _unreserved(order, told, takes)
            stuck.append(_said(order, told, "; ".join([*lacking, *([made.words] if made.words else [])]), made.by_hand))
        reserved = self._database.read(lambda tx: self._routed.still_taken(tx, held, reserved))
        decided = self._differences.decide(wanted, seen, lambda item, aspect: item in known and aspect == Aspect.ORDER)
        touched = {r.item for r in reserved} | {r.item for r in held}
        numbers, now = self._database.next_block(1 + len(held) + len(reserved)), self._clock.now()
        mark, lines = numbers[0], remembered.reserved(held, reserved, {each.order: each for each in stuck}, numbers[1:], now)

        def keep(tx: Tx) -> None:
            self._books.enter(tx, entries, now)
            routing.keep(tx, mark, now)
            orders.replace_reservations(tx, list(known), reserved)
            ledger.write(tx, lines)
            orders.save_orders(tx, stuck)
            decided.keep(tx, now)
            channels.ask(tx, self._figures_of(held, reserved, found.around), mark, now)
            dirty.mark(tx, [(dirty.ITEM, item, Aspect.STOCK) for item in touched if item], mark)
            dirty.clear(tx, rows)

        self._database.transaction(keep)
        return len(rows), decided.to_send

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
                Saying(binding.channel, binding.their, binding.role, binding.value, binding.seq, binding.as_of, binding.begun)
            )
            listed |= {(binding.channel, str(line.get("listing") or "")) for line in binding.value["lines"]}
        keys = {(name, order) for order in known for name in self._channels}
        wanted = targets.targets_of(tx, keys, Aspect.ORDER)
        # What was told of may be gone from there since, and a document still speaks of it.
        listed |= {
            (key.channel, str(line["listing"])) for key, each in wanted.items() for line in each.target.value.get("lines", ())
        }
        items = catalogue.bindings(tx, listed)
        named = catalogue.only_items(tx, self._named)
        ours = {each.item for each in items.values() if each.item}
        skus = {item: each.sku for item, each in catalogue.items(tx, ours).items()}
        parts = {part.sku for sku in skus.values() for part in self._bundles.bundle(sku)}
        components = catalogue.only_items(tx, parts)
        ours |= set(components.values())
        everywhere = catalogue.bindings_of(tx, ours | set(named.values()))
        listings = {(each.channel, each.item): each for each in everywhere if each.state == "bound"}
        gone: dict[tuple[str, str], list[Binding]] = {}
        for each in everywhere:
            if each.state == "gone":
                gone.setdefault((each.channel, each.item), []).append(each)
        moving = {(each.channel, each.listing) for each in everywhere if each.channel in self._moving and each.item in ours}
        seen = Seen(
            {**wanted, **targets.targets_of(tx, moving, Aspect.MOVEMENT)},
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
            {item: goods for item, sku in skus.items() if (goods := self._goods(sku, components))},
            gone,
            frozenset(key for key, change in seen.changes.items() if change.state in IN_FLIGHT),
        )
        return Known(known, sayings, around, skus, components, orders.reservations_for(tx, ids), seen)

    def _goods(self, sku: str, components: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
        """(component item, pieces) of a virtual bundle, all of which are items; none of anything else."""
        parts = self._bundles.bundle(sku)
        whole = all(part.sku in components for part in parts)
        return tuple((components[part.sku], part.pieces) for part in parts) if whole else ()

    def _look_at(self, order: Order, found: Known) -> Looked | None:
        """What is said of the order, as facts; None while its birthplace has not spoken."""
        said = found.sayings.get(order.order, ())
        origin = next((each for each in said if each.role == ORIGIN), None)
        if origin is None:
            return None
        sayings = [in_lines_of(origin, each, found.around.item_of, found.around.goods_of) for each in said]
        told = facts(sayings, self._clock.now())
        assert told is not None
        return Looked(order, told, sayings, {line.line: self._items_of(order, line, found) for line in told.lines})

    def _routing(self, looked: Sequence[Looked]) -> Routing:
        """Where every line is to leave from. The book of a day leaves from nowhere: its sales left one by one."""
        asking = [each for each in looked if DAY not in each.told.origin.record]
        wanted = [
            asked(
                each.order,
                each.told,
                each.sayings,
                each.takes,
                {line: takes[0][0] for line, takes in each.takes.items() if takes},
                self._places,
            )
            for each in asking
        ]
        gone = [
            _reservation(each.order, promise)
            for each in asking
            for promise in promises(each.told, each.takes, self._places)
            if promise.part and not each.order.history
        ]
        return self._database.read(lambda tx: self._routed.decide(tx, wanted, gone))

    def _reserved(
        self,
        order: Order,
        told: Facts,
        takes: Mapping[str, Sequence[tuple[str, int]]],
        around: Around,
        routes: Mapping[str, Sequence[tuple[str, int]]],
    ) -> list[Reservation]:
        """What this order takes from the stock; history takes nothing."""
        if order.history or told.origin.record.get(DAY):
            # The sales of a day are promised one by one, not once more by their book.
            return []
        moved = moved_since(order, told, around)
        return [_reservation(order, promise) for promise in promises(told, takes, self._places, routes, moved)]

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
        taken = self._bundles.takes(binding.item, found.skus.get(binding.item, ""), found.components)
        return [(item, pieces * binding.factor) for item, pieces in taken]


def _binding(told: RecordTold, record: dict[str, Plain], order: str, role: str, now: int) -> OrderBinding:
    versions = int(record.get("version") or 0), int(record.get("as_of") or 0)
    return OrderBinding(
        told.channel, str(record["order"]), order, role, record, *versions, told.envelope.begun, told.envelope.seq, now
    )


def _conserved(told: RecordTold, refused: list[tuple[RecordTold, letters.DeadLetter]], now: int) -> dict[str, Plain] | None:
    """The record with its money conserved; None where it is not, with a dead letter among `refused`."""
    try:
        return conserved(told.value)
    except MoneyError as bad:
        stream, total = told.envelope.told_on, str(told.value["total_minor"])
        letter = letters.DeadLetter(
            "record", told.channel, stream, told.record, "total_minor", total, str(bad), told.envelope.seq, now
        )
        refused.append((told, letter))
        return None


def _unreserved(order: Order, told: Facts, takes: Mapping[str, Sequence[tuple[str, int]]]) -> list[str]:
    """The lines that promise something that is none of our items, in words."""
    if order.history or told.state not in COUNTING:
        return []
    return [
        f"line {line.line}: {line.sku or line.listing or 'no SKU'} on {order.channel} is bound to no item, "
        "so nothing of it is reserved"
        for line in told.lines
        if line.kind == "stocked" and line.open and not takes.get(line.line)
    ]


def _reservation(order: Order, p: Promise) -> Reservation:
    return Reservation(order.order, p.line, p.part, p.item, p.place, p.quantity, order.channel, p.state, p.seq, p.as_of, p.until)


def since(new: OrderBinding, old: OrderBinding | None) -> OrderBinding:
    """What is said, with our numbers of when each part of it was said first: the same again proves nothing new.

    A figure that was read after a parcel was first heard of contains it, however often the parcel is told of again.
    """
    before = {str(each["fulfilment"]): each for each in old.value.get("fulfilments") or ()} if old is not None else {}
    fulfilments = []
    for each in new.value.get("fulfilments") or ():
        same = before.get(str(each["fulfilment"]))
        known = same is not None and _left(same) == _left(each)
        fulfilments.append({**each, "seq": same["seq"] if same is not None and known and "seq" in same else new.seq})
    value = {**new.value, "fulfilments": fulfilments} if fulfilments else new.value
    unchanged = old is not None and _promised(old.value) == _promised(value)
    return replace(new, value=value, seq=old.seq if old is not None and unchanged else new.seq)


def _left(fulfilment: Mapping[str, Plain]) -> Plain:
    """What left from where: it has left when it is shipped, and no more so when it is delivered."""
    state = fulfilment["state"]
    return ["shipped" if state == "delivered" else state, fulfilment.get("place"), fulfilment["parts"]]


def _promised(record: Mapping[str, Plain]) -> Plain:
    """As much of a record as decides what it takes from the stock."""
    names = ("line", "listing", "quantity", "cancelled", "place")
    lines = [[line.get(name) for name in names] for line in record["lines"]]
    return [record["state"], record.get("place"), record.get("pickup"), record.get("hold_until"), lines]


def _newest(bound: Sequence[OrderBinding]) -> list[OrderBinding]:
    """One statement per (channel, their id): the last said by version where both have one, else the last of the batch."""
    newest: dict[tuple[str, str], OrderBinding] = {}
    for each in bound:
        old = newest.get((each.channel, each.their))
        if old is None or not (old.version and each.version) or each.version >= old.version:
            newest[(each.channel, each.their)] = each
    return list(newest.values())


def _said(order: Order, told: Facts, words: str, by_hand: str) -> Order:
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
        by_hand,
    )
