"""Orders that are not understood: what of their lines can be read is reserved all the same, until they are.

In doubt it counts. Such a reservation stands under its dead letter's name, exports nothing and ends when the record is
understood, when the platform definitely lacks it, or when a person discards the letter. What an order took when it was last
understood it keeps by itself; only what it wants beyond that is reserved here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from hub.canonical.values import THOUSAND, Plain
from hub.desired.order import COUNTING, ORIGIN
from hub.desired.rules import Rules
from hub.desired.spoken import numbers_in
from hub.flow import Aspect
from hub.intake.understand import UnreadOrder
from hub.settings.model import Config
from hub.store import catalogue, dirty, orders
from hub.store.database import Tx
from hub.store.orders import UNREAD, OrderBinding, Reservation, unread_name


class Line(NamedTuple):
    """A line that can be read: what it names, thousandths of it that it takes, and from which of the channel's places."""

    line: str
    listing: str
    sku: str
    quantity: int
    place: str


class Unread:
    """Reserves for orders that are not understood."""

    def __init__(self, config: Config) -> None:
        self._taken_in = {name for name, settings in config.channels.items() if settings.orders.take_in}
        self._prefixes = config.order_prefixes()
        self._bundles = Rules(config)
        self._places = config.locations_by_place()

    def keep(self, tx: Tx, unread: Iterable[UnreadOrder], settled: Collection[tuple[str, str]], now: int, mark: int) -> None:
        """Reserve for these; what was reserved for `settled` (channel, record), which are understood now or gone, ends."""
        latest = {(each.channel, each.record): each for each in unread if each.record}
        names = {unread_name(*key) for key in (*settled, *latest)}
        if not names:
            return
        held = orders.reservations_for(tx, names)
        rows = _kept(self._wanted(tx, latest.values(), now, mark) if latest else [], held)
        if set(rows) == set(held):
            return
        orders.replace_reservations(tx, names, rows)
        touched = {row.item for row in set(rows) ^ set(held)}
        dirty.mark(tx, [(dirty.ITEM, item, Aspect.STOCK) for item in sorted(touched)], mark)

    def _wanted(self, tx: Tx, unread: Collection[UnreadOrder], now: int, mark: int) -> list[Reservation]:
        known = orders.bindings(tx, {(each.channel, _their(each)) for each in unread})
        meant = orders.by_number(tx, {name for each in unread for name in numbers_in(each.said, self._prefixes)})
        told: list[tuple[UnreadOrder, Line]] = []
        held: list[OrderBinding] = []
        for each in unread:
            before = known.get((each.channel, _their(each)))
            if before is not None:
                if before.role == ORIGIN and before.begun <= each.envelope.begun:
                    held += _held_on(before, each.said, now)
                    told += [(each, line) for line in _beyond(before.value, each)]
            elif each.channel not in self._taken_in or each.said.get("returns_of"):
                continue
            elif not numbers_in(each.said, self._prefixes) & meant.keys():
                # Who carries a number of ours speaks of an order that is known, and that keeps what it has.
                told += [(each, line) for line in _lines(each)]
        orders.save_bindings(tx, held)
        dirty.mark(tx, [(dirty.ORDER, binding.order, "") for binding in held], mark)
        return self._taken(tx, told) if told else []

    def _taken(self, tx: Tx, told: Sequence[tuple[UnreadOrder, Line]]) -> list[Reservation]:
        """What these lines take, in items; nothing of what is none of our items."""
        bound = catalogue.bindings(tx, {(each.channel, line.listing) for each, line in told if line.listing})
        by_sku: dict[tuple[str, str], list[catalogue.Binding]] = {}
        for binding in catalogue.bindings_by_sku(tx, {line.sku for _, line in told if line.sku}):
            if binding.item:
                by_sku.setdefault((binding.channel, binding.sku), []).append(binding)
        found: list[tuple[UnreadOrder, Line, catalogue.Binding]] = []
        for each, line in told:
            one = bound.get((each.channel, line.listing)) if line.listing else None
            # Where the listing cannot be read, the SKU of one and only one listing there says it as well.
            same = by_sku.get((each.channel, line.sku), []) if not line.listing else []
            one = same[0] if len(same) == 1 else one
            if one is not None and one.item:
                found.append((each, line, one))
        skus = {item: each.sku for item, each in catalogue.items(tx, {binding.item for _, _, binding in found}).items()}
        parts = {part.sku for sku in skus.values() for part in self._bundles.bundle(sku)}
        components = catalogue.only_items(tx, parts)
        rows: dict[tuple[str, str], Reservation] = {}
        for each, line, binding in found:
            sku = skus.get(binding.item, "")
            several = len(self._bundles.bundle(sku)) > 1
            for item, pieces in self._bundles.takes(binding.item, sku, components):
                row = self._row(each, line, item, line.quantity * pieces * binding.factor, several=several)
                rows[row.order, row.line] = row
        return list(rows.values())

    def _row(self, each: UnreadOrder, line: Line, item: str, quantity: int, *, several: bool) -> Reservation:
        return Reservation(
            unread_name(each.channel, each.record),
            f"{line.line} {item}" if several else line.line,
            "",
            item,
            self._places.get((each.channel, line.place), ""),
            quantity,
            each.channel,
            UNREAD,
            each.envelope.seq,
            int(each.said.get("as_of") or 0),
        )


def dismiss(tx: Tx, records: Iterable[tuple[str, str]], mark: int) -> None:
    """A person has dealt with these (channel, record): nothing is reserved for them any more."""
    names = {unread_name(*each) for each in records}
    held = orders.reservations_for(tx, names)
    orders.replace_reservations(tx, names, [])
    dirty.mark(tx, [(dirty.ITEM, item, Aspect.STOCK) for item in sorted({row.item for row in held})], mark)


def _their(each: UnreadOrder) -> str:
    return str(each.said.get("order") or each.record)


def _kept(rows: Sequence[Reservation], held: Sequence[Reservation]) -> list[Reservation]:
    """The reservations with the numbers of when they were told first: the same read again proves nothing new to a figure."""
    before = {(row.order, row.line): row for row in held}
    kept = []
    for row in rows:
        old = before.get((row.order, row.line))
        same = old is not None and (old.item, old.place, old.quantity) == (row.item, row.place, row.quantity)
        kept.append(old if old is not None and same else row)
    return kept


def _lines(each: UnreadOrder) -> list[Line]:
    """The lines of an order that take something. A quantity that cannot be read is one at least."""
    if each.untaken or str(each.said.get("state") or "reserve") not in COUNTING:
        return []
    found = []
    for number, line in enumerate(each.said.get("lines") or ()):
        open_now = int(line.get("quantity", THOUSAND)) - int(line.get("cancelled") or 0)
        if open_now > 0 and str(line.get("kind") or "stocked") == "stocked":
            listing, sku = str(line.get("listing") or ""), str(line.get("sku") or "")
            place = str(line.get("place") or each.said.get("place") or "")
            found.append(Line(str(line.get("line") or f"#{number + 1}"), listing, sku, open_now, place))
    return found


def _beyond(known: Mapping[str, Plain], each: UnreadOrder) -> list[Line]:
    """What it wants beyond what it did when it was last understood. What was called off stays so, unless it says otherwise."""
    if known["state"] not in COUNTING and "state" not in each.said:
        return []
    counted = known["lines"] if known["state"] in COUNTING else ()
    before = {str(line["line"]): int(line["quantity"]) - int(line.get("cancelled") or 0) for line in counted}
    wanted = [line._replace(quantity=line.quantity - before.get(line.line, 0)) for line in _lines(each)]
    unnamed = before and any(not line.get("line") for line in each.said.get("lines") or ())
    # Lines that cannot be told from those known before are those.
    return [line for line in wanted if line.quantity > 0 and not (unnamed and line.line not in before)]


def _held_on(known: OrderBinding, said: Mapping[str, Plain], now: int) -> list[OrderBinding]:
    """The order with its hold that runs out no more: it may be paid by now, and nobody can read that."""
    if (
        known.value["state"] != "hold"
        or not known.value.get("hold_until")
        or said.get("state") in ("hold", "ignore", "cancelled")
    ):
        return []
    return [replace(known, value={**known.value, "hold_until": 0}, at=now)]
