"""What channels may sell of an item: the pools of the places that each sells from, and the targets made of them.

While an item is under quota, those who sell the same stock are looked at together: what one still shows is no other's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.canonical.values import THOUSAND, Plain
from hub.channel import Channel, all_heard
from hub.desired.quota import Member, Share, kept_of, parts, shares
from hub.desired.rules import Rules
from hub.desired.stock import Figure, Pool, Reserved, bundle_pool, figure_shown, in_units, pool, sellable
from hub.differences import Seen
from hub.figures import figure_at, in_figure, still_held
from hub.flow import Aspect, Key, Target
from hub.merge.authority import Authority
from hub.merge.settle import Settled
from hub.sdk.manifest import Send
from hub.settings.model import AllocationRule, Config
from hub.store import dirty
from hub.store.catalogue import Binding, Item
from hub.store.dirty import Dirty
from hub.store.orders import Reservation
from hub.store.routes import NotFound

EVERY = ""
"""In place of an aspect: all of them."""
LOOKED_FOR = "how much it shows decides what others may show of a scarce item"
WAITING = ("intended", "held", "refused")


@dataclass(slots=True)
class Known:
    """One snapshot of everything that deciding about a set of items needs."""

    dirty: list[Dirty]
    items: dict[str, Item]
    bindings: dict[str, list[Binding]]
    settled: dict[str, Settled]
    stored: dict[str, dict[tuple[str, str], Plain]]
    seen: Seen
    aspects: dict[str, set[str]]
    """Item → the aspects of it that are dirty; "" stands for all of them."""
    components: dict[str, str] = field(default_factory=dict)
    """SKU → item, of components of virtual bundles."""
    reserved: dict[str, list[Reservation]] = field(default_factory=dict)
    not_found: list[NotFound] = field(default_factory=list)
    """Where staff did not find these items."""
    contained: list[Reservation] = field(default_factory=list)
    """Reservations found to be in a figure while deciding."""
    oversold: dict[str, int] = field(default_factory=dict)
    """Item → how much of it is oversold by the record."""
    asked: set[tuple[str, str, str, str]] = field(default_factory=set)
    """(channel, stream, listing, why) to be looked at before others may show more of a scarce item."""
    read_past: set[Key] = field(default_factory=set)
    """Figures under quota that the orders of their channel have been read past."""
    quiet: frozenset[str] = frozenset()
    """Channels that sell unseen and were not heard lately."""
    unheard: set[str] = field(default_factory=set)
    """Items of which such a channel keeps its part until it is heard again."""
    awaited: dict[tuple[str, str], int] = field(default_factory=dict)
    """(channel, listing) → when it was looked at: before others may show more, the channel's orders are to be read past that."""
    again: set[tuple[str, str]] = field(default_factory=set)
    """(channel, listing) to be worked out once more: what waits for them is decided once they are."""

    def works_out(self, item: str, aspect: str) -> bool:
        """Whether this aspect of the item is worked out now; what facts moved is worked out from movements, not from items."""
        if aspect == Aspect.MOVEMENT:
            return False
        asked = self.aspects.get(item, ())
        return EVERY in asked or aspect in asked


class _Seller(NamedTuple):
    """A listing that sells an item out of a pool."""

    channel: Channel
    send: Send
    binding: Binding
    key: Key
    locations: Sequence[str]
    stock: Pool
    number: int
    rule: AllocationRule


class Pools:
    """Makes the stock targets of items. `heard` everywhere are the (channel, stream) that were read to their end once."""

    def __init__(self, config: Config, channels: Mapping[str, Channel], authority: Authority, rules: Rules) -> None:
        self._config = config
        self._channels = channels
        self._authority = authority
        self._rules = rules
        self._out: tuple[frozenset[tuple[str, str]], frozenset[str]] = (frozenset(), frozenset())

    # targets

    def targets(
        self, item: Item, bound: Sequence[Binding], known: Known, heard: frozenset[tuple[str, str]], wanted: dict[Key, Target]
    ) -> None:
        """Add the stock targets of all these listings of the item to `wanted`."""
        sellers = [each for binding in bound for each in self._sellers(binding, item, known, heard, wanted)]
        groups: dict[tuple[frozenset[str], frozenset[str]], list[_Seller]] = {}
        for each in sellers:
            divided = self._rules.quota_places(each.locations)
            # Who sells at counters only gets no part; each such pool stands by itself.
            groups.setdefault((divided, frozenset() if divided else frozenset(each.locations)), []).append(each)
        for (places, _), group in groups.items():
            if self._scarce(group, item, known):
                self._by_quota(item, group, sorted(places), known, heard, wanted)
                continue
            for each in group:
                name, whole, factor = each.channel.name, each.send.step == "whole", each.binding.factor
                shown, because = sellable(name, item.sku, item.category, each.stock, self._rules, factor=factor, whole=whole)
                wanted[each.key] = Target(each.key, item.item, {"sellable": shown}, because)

    def first_shown(
        self, channel: Channel, item: Item, known: Known, heard: frozenset[tuple[str, str]]
    ) -> tuple[int, Plain] | None:
        """What a listing that is made there shows first, and why; None while that is not known. Of what is or may soon be
        scarce it shows nothing until it is there, and takes part."""
        stock = self.pool(channel, item, known, heard, channel.settings.sells_from)
        if stock is None:
            return None
        shown, because = sellable(channel.name, item.sku, item.category, stock, self._rules)
        _, rule = self._rules.allocation(channel.name, item.sku, item.category)
        if self._rules.under_quota(rule, item.sku) and stock.amount <= self._rules.quota_ends(rule) * THOUSAND:
            return 0, {**because, "quota": {"below": rule.quota_below, "first": True}, "sellable": 0}
        return shown, because

    def _sellers(
        self,
        binding: Binding,
        item: Item,
        known: Known,
        heard: frozenset[tuple[str, str]],
        wanted: dict[Key, Target],
    ) -> list[_Seller]:
        """The pools that this listing sells from; figures of places that it is only told of go to `wanted` right away."""
        channel = self._channels.get(binding.channel)
        send = channel.send(Aspect.STOCK) if channel is not None else None
        if channel is None or send is None or item.kind in ("service", "gift_card"):
            return []
        settings = channel.settings
        pools: dict[str, Sequence[str]] = {}
        if settings.sells_from and not self._own_stock(channel):
            pools[""] = settings.sells_from
        if send.basis == "available":
            # Whoever shows what can be bought sells from each place: what is promised there is not free.
            pools |= {place: (place,) for place in settings.figures_at}
        number, rule = self._rules.allocation(channel.name, item.sku, item.category)
        found = []
        for place, locations in pools.items():
            stock = self.pool(channel, item, known, heard, locations)
            if stock is not None:
                key = Key(channel.name, binding.listing, Aspect.STOCK, place)
                found.append(_Seller(channel, send, binding, key, locations, stock, number, rule))
        for location in settings.figures_at if send.basis != "available" else ():
            figure = self.figure(location, known.settled.get(item.item, {}), heard)
            if figure is not None:
                key = Key(channel.name, binding.listing, Aspect.STOCK, location)
                shown, because = figure_shown(figure, factor=binding.factor, whole=send.step == "whole")
                wanted[key] = Target(key, item.item, {"sellable": shown}, because)
        return found

    # quota

    def _scarce(self, group: Sequence[_Seller], item: Item, known: Known) -> bool:
        """Whether these sell by quota now: from when the smallest of their pools is scarce until it is so no longer."""
        rule = group[0].rule
        if not self._rules.under_quota(rule, item.sku) or any(each.number != group[0].number for each in group):
            return False
        was = any((old := known.seen.targets.get(each.key)) and "quota" in old.target.because for each in group)
        ends = self._rules.quota_ends(rule) if was else rule.quota_below
        return min(each.stock.amount for each in group) <= ends * THOUSAND

    def _by_quota(
        self,
        item: Item,
        group: Sequence[_Seller],
        places: Sequence[str],
        known: Known,
        heard: frozenset[tuple[str, str]],
        wanted: dict[Key, Target],
    ) -> None:
        """Divide what lies where nobody sells over a counter, each step safe whatever becomes of the writes."""
        number, rule = group[0].number, group[0].rule
        stock = self.pool(group[0].channel, item, known, heard, places) if places else Pool(0, [])
        if stock is None:
            return
        since = self._since(group, item, known)
        pieces = max(0, stock.amount // THOUSAND - rule.safety_stock)
        members = [self._member(each, rule, known, heard, since) for each in group]
        hidden = self._shown_nothing(rule, places, group)
        kept = sum(hidden.values())
        by_weight = kept_of(pieces, members, kept)
        # Who was not heard lately may have sold all of its part since: what the others sell is not divided with it anew.
        still = self._kept_before(group, known) if hidden.keys() & known.quiet else 0
        found_parts = parts(pieces - still, members) if still > by_weight else parts(pieces, members, kept)
        divided = [_bounded(part, m.factor, rule) for part, m in zip(found_parts, members, strict=True)]
        told = {
            "below": rule.quota_below,
            "until": self._rules.quota_ends(rule),
            "pool": min(each.stock.amount for each in group),
            "pieces": pieces,
            "kept": kept,
            "weights": sum(member.weight for member in members) + kept,
            "left_to": {place: self._rules.counters[place] for place in group[0].locations if place in self._rules.counters},
            "since": since,
        }
        if kept:
            told["kept_pieces"] = max(by_weight, still)
        if still > by_weight:
            told["unheard"] = sorted(hidden.keys() & known.quiet)
            known.unheard.add(item.item)
        found = shares(pieces, members, divided)
        for each, member, share in zip(group, members, found, strict=True):
            quota: dict[str, Plain] = {**told, "weight": member.weight, "part": share.part, "shows": member.shown}
            if share.waits_for:
                quota["waits_for"] = list(share.waits_for)
            if share.zero_first:
                quota["zero_first"] = True
            if self._asks(each, member, found, since, known):
                quota["looked_for"] = True
            because: dict[str, Plain] = {"pool": stock.amount, "steps": stock.steps, "rule": f"allocation rule {number}"}
            if rule.safety_stock:
                because["safety_stock"] = rule.safety_stock * THOUSAND
            because["quota"] = quota
            because["sellable"] = in_units(share.now * THOUSAND, member.factor, True, because)
            wanted[each.key] = Target(each.key, item.item, {"sellable": because["sellable"]}, because)
            self._withdraws(each, share, known)

    def _since(self, group: Sequence[_Seller], item: Item, known: Known) -> int:
        """The number of the last news of the item's stock: who was not looked at since may have got pieces back unheard."""
        news = [(dirty.ITEM, item.item, EVERY), (dirty.ITEM, item.item, Aspect.STOCK)]
        marks = [row.mark for row in known.dirty if row[:3] in news]
        for each in group:
            old = known.seen.targets.get(each.key)
            if old is not None and "quota" in old.target.because:
                marks.append(int(old.target.because["quota"].get("since", 0)))
        return max(marks, default=0)

    def _member(self, each: _Seller, rule: AllocationRule, known: Known, heard: frozenset[tuple[str, str]], since: int) -> Member:
        stored, change = known.seen.observations.get(each.key), known.seen.changes.get(each.key)
        shown = int(stored.observation.value["sellable"]) if stored is not None else 0
        # Sent, to be sent, or to be sent again should a person say so: it may come to be shown.
        may_show = int(change.after["sellable"]) if change is not None else 0
        read = (each.channel.name, each.send.stream) in heard
        fresh = read if stored is None else not each.channel.takes_orders
        if stored is not None and stored.observation.begun > since:
            # A sale and a return may hide one another in what is shown: the orders tell.
            fresh = fresh or each.key in known.read_past
        overwrites = each.channel.takes_orders and each.send.manner == "set" and each.send.own_orders != "subtracted_by_platform"
        place = f" at {each.key.place}" if each.key.place else ""
        return Member(
            f"{each.channel.name} {each.key.listing}{place}",
            rule.quota_weights.get(each.channel.name, 1),
            each.binding.factor,
            max(0, -(-shown // THOUSAND)) * each.binding.factor,
            max(0, -(-may_show // THOUSAND)) * each.binding.factor,
            fresh,
            overwrites,
        )

    def _shown_nothing(self, rule: AllocationRule, places: Sequence[str], group: Sequence[_Seller]) -> dict[str, int]:
        """The weights of those who sell what lies there and are shown no figure of it (an ERP's telephone), by channel."""
        shown = {each.channel.name for each in group}
        right = {self._authority.figure_of[name].authority.channel for name in places if name in self._authority.figure_of}
        return {name: rule.quota_weights[name] for name in right - shown if rule.quota_weights.get(name)}

    def _kept_before(self, group: Sequence[_Seller], known: Known) -> int:
        """How many pieces were kept back for them when these were divided last."""
        old = [stored.target.because.get("quota", {}) for each in group if (stored := known.seen.targets.get(each.key))]
        return max((int(quota.get("kept_pieces", 0)) for quota in old), default=0)

    def _asks(self, each: _Seller, member: Member, found: Sequence[Share], since: int, known: Known) -> bool:
        """Ask for how much a member shows now, then for its orders up to then, where that keeps others from rising."""
        if member.fresh or not any(member.name in share.waits_for for share in found):
            return False
        stored = known.seen.observations.get(each.key)
        if stored is not None and stored.observation.begun > since:
            known.awaited[each.key.channel, each.key.listing] = stored.observation.at
        elif each.channel.manifest.streams[each.send.stream].look_up:
            known.asked.add((each.channel.name, each.send.stream, each.key.listing, LOOKED_FOR))
        return True

    def _withdraws(self, each: _Seller, share: Share, known: Known) -> None:
        """A change that waits to be sent and is taken back now gives room: what waits for that is worked out right after."""
        stored, change = known.seen.observations.get(each.key), known.seen.changes.get(each.key)
        if stored is None or change is None or change.state not in WAITING or each.channel.settings.mode != "live":
            return
        may_show = max(int(stored.observation.value["sellable"]) // THOUSAND, share.now // each.binding.factor)
        if int(change.after["sellable"]) // THOUSAND > may_show:
            known.again.add((each.key.channel, each.key.listing))

    # pools and figures

    def _own_stock(self, channel: Channel) -> bool:
        """Whether the channel is itself right about what it sells from (a till): then it is told nothing."""
        owners = {
            place.authority.channel for name in channel.settings.sells_from if (place := self._authority.figure_of.get(name))
        }
        return channel.name in owners

    def pool(
        self, channel: Channel, item: Item, known: Known, heard: frozenset[tuple[str, str]], locations: Sequence[str]
    ) -> Pool | None:
        """What lies at these places and is promised to nobody, before anything is kept back from the channel; of a bundle as many
        as its components allow. None while an authority has not been heard."""
        bundle = self._rules.bundle(item.sku)
        if not bundle:
            return self._item_pool(channel, item.item, item.sku, item.category, known, heard, locations)
        stocks = []
        for part in bundle:
            component = known.components.get(part.sku)
            # A component that is no item (any more) cannot be taken from a shelf: once all items are known it counts as none.
            named = component is not None or all_heard(self._authority.item_channels, self._channels, heard)
            stock = self._item_pool(channel, component or "", part.sku, "", known, heard, locations) if named else None
            stocks.append((part.sku, part.pieces, stock))
        return bundle_pool(stocks)

    def _item_pool(
        self,
        channel: Channel,
        item: str,
        sku: str,
        category: str,
        known: Known,
        heard: frozenset[tuple[str, str]],
        locations: Sequence[str],
    ) -> Pool | None:
        settled = known.settled.get(item, {})
        figures = {name: self.figure(name, settled, heard) for name, each in self._config.locations.items() if each.sellable}
        _, rule = self._rules.allocation(channel.name, sku, category)
        sellable_places = [name for name in locations if name in figures]
        reserved = self._reserved(item, known, sellable_places, figures)
        held = {row.place for row in known.not_found if row.item == item and still_held(row, figures.get(row.place))}
        return pool(sellable_places, figures, reserved, rule.safety_per_location, held)

    def _reserved(self, item: str, known: Known, places: Collection[str], figures: Mapping[str, Figure | None]) -> list[Reserved]:
        """What is promised of an item at these places and not yet in a figure. In doubt it counts.

        `figures` are those of all places: what is of none is in one or in none of them, whichever places somebody sells from.
        """
        counting: list[Reserved] = []
        for each in known.reserved.get(item, ()):
            if each.place and each.place not in places:
                continue
            if any(in_figure(each, figure) for name, figure in figures.items() if each.place in ("", name)):
                known.contained.append(each)
                continue
            because = {"order": each.order, "line": each.line, "quantity": each.quantity, "state": each.state}
            counting.append(Reserved(each.place, each.quantity, because, waits=not each.part))
        return counting

    def figure(self, location: str, settled: Settled, heard: frozenset[tuple[str, str]]) -> Figure | None:
        """The figure of a location: what its authority says, zero when it was read to the end and lists nothing, or None."""
        return figure_at(location, settled, self._authority, self._heard_out(heard))

    def _heard_out(self, heard: frozenset[tuple[str, str]]) -> frozenset[str]:
        """The channels whose stock was read to the end."""
        if self._out[0] != heard:
            told = (name for name, channel in self._channels.items() if channel.heard_about("stock", heard))
            self._out = (heard, frozenset(told))
        return self._out[1]


def _bounded(part: int, factor: int, rule: AllocationRule) -> int:
    """A part of the pieces within what the rule lets a channel show, in whole units."""
    most = part if rule.cap is None else min(part, rule.cap)
    return most // factor * factor if most >= rule.threshold else 0
