"""The later stations of the walk: dirty keys ▶ settle ▶ desired ▶ target ▶ diff ▶ changes.

Reads marks, computes outside any transaction, then commits with the marks it saw: what was marked meanwhile stays dirty.
Everything works on sets of items; there is no query per key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from hub import oversold, remembered
from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.channel import ORDERS, Channel
from hub.clock import Clock
from hub.desired import price as prices
from hub.desired.listing import listing as worded_listing
from hub.desired.listing import offered, worded
from hub.desired.rules import Rules
from hub.differences import Differences, Falls, Seen
from hub.flow import Aspect, Key, Target
from hub.merge.authority import Authority
from hub.merge.settle import Settled, settle
from hub.merge.settle import Told as ToldClaim
from hub.pools import EVERY, Known, Pools
from hub.settings.model import Config, StreamRhythm
from hub.store import catalogue, changes, channels, cursors, dirty, ledger, letters, orders, oversells, requests, routes, targets
from hub.store.catalogue import Binding, Item
from hub.store.database import Database, Tx
from hub.store.orders import Reservation
from hub.store.oversells import Oversell

T = TypeVar("T")
FOR_EVER: Final = 2**62
MISSED_MAX: Final = 3
"""Readings in a row that may fail before a channel counts as not heard."""
STUCK_MAX: Final = 1_000
"""Stuck orders that are looked at again when an item is described anew."""


class Decide:
    """The station that turns what is known into what should be shown, and the difference into changes."""

    def __init__(
        self, config: Config, channels: Mapping[str, Channel], database: Database, clock: Clock, authority: Authority
    ) -> None:
        self._config = config
        self._channels = channels
        self._database = database
        self._clock = clock
        self._authority = authority
        self._rules = Rules(config)
        self._pools = Pools(config, channels, authority, self._rules)
        self.differences = Differences(config, channels, clock, self._count_falls)
        self._creating = tuple(
            name
            for name, channel in channels.items()
            if channel.settings.listing.offer == "all" and (send := channel.send(Aspect.LISTING)) is not None and send.create
        )
        self.awaited: dict[str, dict[str, int]] = {}
        """Channel → listing of a scarce item → when it was looked at: it is worked out again once the orders were read past that.

        A start forgets them: whoever looks at the listing next has it worked out again as well.
        """
        self._hidden = {name for rule in config.allocation.rules for name, weight in rule.quota_weights.items() if weight}
        self._hidden &= {each.channel for each in config.authority.stock}
        self._unheard: dict[str, frozenset[str]] = {}
        """Scarce item → who keeps its part of it until it is heard again."""
        self.read_orders: set[str] = set()
        """Channels whose orders are to be read for that; the walk takes them out."""
        self._bundles_with: dict[str, list[str]] = {}
        for bundle, parts in config.allocation.bundles.items():
            for part in parts:
                self._bundles_with.setdefault(part.sku, []).append(bundle)
        self._claiming = {a.channel for a in config.authority.stock} | set(authority.item_channels)
        self._claiming |= set(authority.price_channel.values())

    def step(self, limit: int, heard: frozenset[tuple[str, str]]) -> tuple[int, set[str]]:
        """Work off up to `limit` dirty keys; gives how many, and the channels that have something to send now."""
        known = self._database.read(lambda tx: self._known(tx, limit))
        if not known.dirty:
            return 0, set()
        wanted: dict[Key, Target] = {}
        refused: list[letters.DeadLetter] = []
        for item in known.items.values():
            self._item_targets(item, known, heard, wanted, refused)
        self.differences.heard = heard
        decided = self.differences.decide(wanted, known.seen, known.works_out)
        settled_rows = self._changed_catalogue(known)
        now = self._clock.now()
        ended = [each for each in known.contained if each.part]
        lines = remembered.contained(ended, self._database.next_block(len(ended)), now) if ended else []
        short, newly = self._oversold(known, heard, now), list[Oversell]()
        stirred = {row[0] for row in settled_rows if row[1] == Aspect.STOCK}
        # Only what was marked so: an item of which no listing is made is worked out wholly each time, and tells nothing new.
        described = {row.a for row in known.dirty if row.kind == dirty.ITEM and row.b == EVERY}
        stirred |= described & known.items.keys()
        again = self._database.next() if stirred else 0
        asked = self._database.next() if known.asked or known.again else 0

        def keep(tx: Tx) -> None:
            catalogue.save_catalogue(tx, settled_rows)
            decided.keep(tx, now)
            letters.keep(tx, refused)
            orders.end_reservations(tx, ended)
            ledger.write(tx, lines)
            newly[:] = oversold.keep(tx, short)
            if again:
                # What an order lacked may be somewhere now, or be an item by now: it is looked at again.
                waiting = {*routes.waiting(tx, stirred), *(orders.stuck(tx, STUCK_MAX) if described else ())}
                dirty.mark(tx, [(dirty.ORDER, order, "") for order in waiting], again)
            channels.ask(tx, known.asked, asked, now)
            dirty.mark(tx, [(dirty.LISTING, *listing) for listing in known.again], asked)
            dirty.clear(tx, known.dirty)

        self._database.transaction(keep)
        for (channel, listing), at in known.awaited.items():
            self.awaited.setdefault(channel, {})[listing] = at
            self.read_orders.add(channel)
        others = {item: quiet for item, quiet in self._unheard.items() if item not in known.items}
        self._unheard = others | dict.fromkeys(known.unheard, known.quiet)
        oversold.count(newly)
        return len(known.dirty), decided.to_send

    # what is known

    def _known(self, tx: Tx, limit: int) -> Known:
        rows = dirty.oldest(tx, limit)
        aspects: dict[str, set[str]] = {}
        for row in rows:
            if row.kind == dirty.ITEM:
                aspects.setdefault(row.a, set()).add(row.b)
        listings = {(row.a, row.b) for row in rows if row.kind == dirty.LISTING}
        for scarce in self._scarce(tx, listings):
            aspects.setdefault(scarce, set()).add(Aspect.STOCK)
        items = catalogue.items(tx, aspects)
        for item, bundle in self._bundles_of(tx, items.values()).items():
            items[item] = bundle
            aspects[item] = {EVERY}
        components = self._components(tx, items.values())
        bindings: dict[str, list[Binding]] = {item: [] for item in (*items, *components.values())}
        for binding in catalogue.bindings_of(tx, bindings):
            bindings[binding.item].append(binding)
        for item in items:
            if self._to_be_created(bindings[item]):
                aspects[item] = {EVERY}
        settled = self._settled(tx, bindings, aspects, set(components.values()))
        seen = self._seen(tx, items, bindings, aspects, listings)
        stored: dict[str, dict[tuple[str, str], Plain]] = {}
        for aspect, group in _by_aspect((item, aspects[item]) for item in items).items():
            for item, values in catalogue.catalogue(tx, group, aspect).items():
                stored.setdefault(item, {}).update(values)
        reserved: dict[str, list[Reservation]] = {}
        for each in orders.reservations_of(tx, {*items, *components.values()}):
            reserved.setdefault(each.item, []).append(each)
        short = oversells.levels(tx, items)
        missing = routes.not_found_now(tx, {*items, *components.values()})
        known = Known(rows, items, bindings, settled, stored, seen, aspects, components, reserved, missing, oversold=short)
        known.read_past = self._read_past(tx, seen) if self._rules.has_quota else set()
        known.quiet = self._quiet(tx)
        return known

    def _read_past(self, tx: Tx, seen: Seen) -> set[Key]:
        """The figures under quota that the orders of their channel have been read past."""
        scarce = [key for key, each in seen.targets.items() if key.aspect == Aspect.STOCK and "quota" in each.target.because]
        return {
            key
            for key in scarce
            if (seen_at := seen.observations.get(key)) and cursors.read_past(tx, key.channel, ORDERS, seen_at.observation.at)
        }

    def _quiet(self, tx: Tx) -> frozenset[str]:
        """Those of whom a part of the last pieces is kept back, and who were not heard when they should have been."""
        now = self._clock.now()
        found = set()
        for name in sorted(self._hidden & self._channels.keys()):
            channel, ended = self._channels[name], dict[str, int]()
            for each in cursors.readings(tx, name).values():
                ended[each.stream] = max(ended.get(each.stream, 0), each.completed_at)
            streams = [*channel.streams_about("stock"), *([ORDERS] if channel.settings.orders.take_in else [])]
            if any(now - ended.get(stream, 0) > _patience(channel.rhythm(stream)) for stream in streams):
                found.add(name)
        return frozenset(found)

    def heard_again(self) -> None:
        """Scarce items of which somebody's part was kept because nobody heard of it are divided anew once it is heard."""
        quiet = self._database.read(self._quiet) if self._unheard else frozenset[str]()
        items = sorted(item for item, silent in self._unheard.items() if silent - quiet)
        if items:
            mark = self._database.next()
            self._database.transaction(lambda tx: dirty.mark(tx, [(dirty.ITEM, item, Aspect.STOCK) for item in items], mark))

    def _seen(
        self,
        tx: Tx,
        items: Mapping[str, Item],
        bindings: Mapping[str, Sequence[Binding]],
        aspects: Mapping[str, set[str]],
        listings: set[tuple[str, str]],
    ) -> Seen:
        """What is wanted, shown and under way of these items' listings, and of the listings that are dirty themselves."""
        shown = _by_aspect(((b.channel, b.listing), aspects[item]) for item in items for b in bindings[item])
        described = [item for item in items.values() if item.sku and EVERY in aspects[item.item]]
        made = {(name, item.sku) for name in self._creating for item in described}
        shown.setdefault(EVERY, set()).update(made | listings)
        seen = Seen({}, {}, {}, listings, requests.holds(tx))
        for aspect, group in shown.items():
            seen.targets.update(targets.targets_of(tx, group, aspect))
            seen.observations.update(targets.observations_of(tx, group, aspect))
            seen.changes.update(changes.open_of(tx, group, aspect))
        return seen

    def _scarce(self, tx: Tx, listings: set[tuple[str, str]]) -> set[str]:
        """The items of these listings that are under quota: what one of them shows decides what the others may."""
        if not (self._rules.has_quota and listings):
            return set()
        wanted = targets.targets_of(tx, listings, Aspect.STOCK).values()
        return {stored.target.item for stored in wanted if "quota" in stored.target.because}

    def _bundles_of(self, tx: Tx, items: Iterable[Item]) -> dict[str, Item]:
        """The virtual bundles that have one of these items as a component: they move with it."""
        skus = {bundle for item in items for bundle in self._bundles_with.get(item.sku, ())}
        return {item.item: item for found in catalogue.items_by_sku(tx, skus).values() for item in found} if skus else {}

    def _components(self, tx: Tx, items: Iterable[Item]) -> dict[str, str]:
        skus = {part.sku for item in items for part in self._rules.bundle(item.sku)}
        return catalogue.only_items(tx, skus) if skus else {}

    def _settled(
        self,
        tx: Tx,
        bindings: Mapping[str, Sequence[Binding]],
        aspects: Mapping[str, set[str]],
        components: set[str],
    ) -> dict[str, Settled]:
        """The canonical values of what is asked of each item; of a bundle's component always its stock."""
        told = _by_aspect(
            ((b.channel, b.listing), aspects.get(item, set()) | ({Aspect.STOCK} if item in components else set()))
            for item, bound in bindings.items()
            for b in bound
            if b.channel in self._claiming
        )
        by_listing: dict[tuple[str, str], list[catalogue.StoredClaim]] = {}
        for aspect, listings in told.items():
            for claim in catalogue.claims(tx, listings, aspect):
                by_listing.setdefault((claim.channel, claim.listing), []).append(claim)
        return {
            item: settle(
                [
                    ToldClaim(c.channel, c.listing, c.aspect, c.place, c.value, c.as_of, c.seq, binding.factor, c.begun)
                    for binding in bound
                    if binding.state == "bound"
                    for c in by_listing.get((binding.channel, binding.listing), ())
                ],
                self._authority,
            )
            for item, bound in bindings.items()
        }

    def _count_falls(self, before: int) -> Falls:
        return self._database.read(lambda tx: Falls(changes.count_falling(tx, before), catalogue.count_bound(tx)))

    def _changed_catalogue(self, known: Known) -> list[tuple[str, str, str, str, int]]:
        now = self._clock.now()
        rows = []
        for item in sorted(known.items):
            for (aspect, place), settled in sorted(known.settled.get(item, {}).items()):
                before = known.stored.get(item, {}).get((aspect, place))
                value = oversold.dated(settled, before) if aspect == Aspect.STOCK else settled
                if before != value:
                    rows.append((item, aspect, place, write_json(value), now))
        return rows

    # targets

    def _item_targets(
        self,
        item: Item,
        known: Known,
        heard: frozenset[tuple[str, str]],
        wanted: dict[Key, Target],
        refused: list[letters.DeadLetter],
    ) -> None:
        settled = known.settled.get(item.item, {})
        bound = [b for b in known.bindings.get(item.item, ()) if b.state == "bound"]
        if not any(b.channel in self._authority.naming_channels for b in bound):
            # Nobody who is right about items lists it any more: it is offered nowhere.
            settled = {**settled, (Aspect.ITEM, ""): {"from": [], "state": "gone"}}
        if known.works_out(item.item, Aspect.STOCK):
            self._pools.targets(item, bound, known, heard, wanted)
        for binding in bound:
            channel = self._channels.get(binding.channel)
            if channel is None:
                continue
            if known.works_out(item.item, Aspect.PRICE):
                self._price_target(channel, binding, item, settled, wanted, refused)
            if known.works_out(item.item, Aspect.LISTING):
                self._listing_target(channel, binding.listing, item, settled, wanted)
        for name in self._to_be_created(known.bindings[item.item]):
            channel = self._channels[name]
            if self._may_create(channel, heard):
                self._created_listing(channel, item, settled, known, heard, wanted)

    def _oversold(self, known: Known, heard: frozenset[tuple[str, str]], now: int) -> list[Oversell]:
        """What the record of oversells is to say anew; nothing of an item while a figure of it is not known."""
        found = []
        for item in known.items.values():
            rows, before = known.reserved.get(item.item, ()), known.oversold.get(item.item, 0)
            if not (rows or before) or not known.works_out(item.item, Aspect.STOCK):
                continue
            settled, figures = known.settled.get(item.item, {}), {}
            for name, location in self._config.locations.items():
                if location.sellable and name in self._authority.figure_of:
                    figures[name] = self._pools.figure(name, settled, heard)
            there = {name: figure for name, figure in figures.items() if figure is not None}
            short = oversold.shortage(rows, there)
            if len(there) == len(figures) and short.quantity != before:
                first = oversold.since(known.stored.get(item.item, {}), there)
                sure = oversold.certain(rows, there)
                found.append(oversold.Short(item.item, item.sku, before, short, there, first, sure))
        if not found:
            return []
        told = self._database.read(lambda tx: oversold.lines(tx, found, now))
        return [line._replace(seq=seq) for line, seq in zip(told, self._database.next_block(len(told)), strict=True)]

    def _price_target(
        self,
        channel: Channel,
        binding: Binding,
        item: Item,
        settled: Settled,
        wanted: dict[Key, Target],
        refused: list[letters.DeadLetter],
    ) -> None:
        rule = self._config.pricing.channels.get(channel.name)
        if rule is None or channel.send(Aspect.PRICE) is None or self._authority.price_channel.get(rule.list) == channel.name:
            return
        listed = settled.get((Aspect.PRICE, rule.list))
        if listed is None or binding.factor != 1:
            # What a box of six costs is nobody's list price times six: the hub does not guess it.
            return
        found = prices.price(channel.name, item.category, listed, self._config.pricing)
        if found.value is None:
            source = listed["from"][0]
            refused.append(
                letters.DeadLetter(
                    "record",
                    source["channel"],
                    "prices",
                    source["listing"],
                    "currency",
                    listed["currency"],
                    str(found.because["refused"]),
                    source["seq"],
                    self._clock.now(),
                )
            )
            return
        key = Key(channel.name, binding.listing, Aspect.PRICE)
        wanted[key] = Target(key, item.item, found.value, found.because)

    def _listing_target(self, channel: Channel, listing: str, item: Item, settled: Settled, wanted: dict[Key, Target]) -> None:
        rule = channel.settings.listing
        if channel.send(Aspect.LISTING) is None or channel.name in self._authority.item_channels or not worded(rule):
            return
        told = settled.get((Aspect.ITEM, ""), {"from": []})
        value, because = worded_listing(rule, item.sku, told, offered(rule, item.sku, item.category, told))
        known_fields = channel.manifest.sends[Aspect.LISTING].fields
        if known_fields:
            value = {name: each for name, each in value.items() if name in known_fields}
        key = Key(channel.name, listing, Aspect.LISTING)
        wanted[key] = Target(key, item.item, value, because)

    # listings that the hub makes

    def _to_be_created(self, bindings: Sequence[Binding]) -> list[str]:
        """The channels on which the hub makes listings and an item with these bindings has none."""
        return [name for name in self._creating if not any(b.channel == name for b in bindings)]

    def _may_create(self, channel: Channel, heard: frozenset[tuple[str, str]]) -> bool:
        """Only after the channel's own listings are all known: what exists there is bound, never made again."""
        return channel.heard_about("item", heard)

    def _created_listing(
        self,
        channel: Channel,
        item: Item,
        settled: Settled,
        known: Known,
        heard: frozenset[tuple[str, str]],
        wanted: dict[Key, Target],
    ) -> None:
        told = settled.get((Aspect.ITEM, ""), {"from": []})
        rule = self._config.pricing.channels.get(channel.name)
        listed = settled.get((Aspect.PRICE, rule.list)) if rule else None
        if not offered(channel.settings.listing, item.sku, item.category, told) or rule is None or listed is None:
            return
        found = prices.price(channel.name, item.category, listed, self._config.pricing)
        first = self._pools.first_shown(channel, item, known, heard)
        if found.value is None or first is None:
            return
        shown, stock_because = first
        self._listing_target(channel, item.sku, item, settled, wanted)
        key = Key(channel.name, item.sku, Aspect.LISTING)
        target = wanted.get(key)
        if target is not None:
            because = {**target.because, "price": found.because, "stock": stock_because}
            wanted[key] = Target(key, item.item, target.value, because)
            self.differences.first_values[key] = {"sku": item.sku, "sellable": shown, **found.value}


def _patience(rhythm: StreamRhythm) -> int:
    """How long a stream may be silent, in microseconds: a few of its readings; for ever where it is never read by itself."""
    often = [seconds for seconds in (rhythm.poll_seconds, rhythm.sweep_seconds) if seconds > 0]
    return round(min(often) * MISSED_MAX * 1_000_000) if often else FOR_EVER


def _by_aspect(asked: Iterable[tuple[T, Collection[str]]]) -> dict[str, set[T]]:
    """The keys grouped by the aspects that are asked of them; under EVERY those that are asked for all."""
    found: dict[str, set[T]] = {}
    for key, aspects in asked:
        for aspect in (EVERY,) if EVERY in aspects else aspects:
            found.setdefault(str(aspect), set()).add(key)
    return found
