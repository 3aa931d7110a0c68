"""Record: what became of sent changes, in one transaction: receipts, observations, bindings made, prices shown, letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.channel import ORDERS, Channel
from hub.clock import Clock
from hub.flow import Aspect, Change, Key, Observation, Outcome, Receipt
from hub.push.batch import acknowledged
from hub.settings.model import Config
from hub.store import catalogue, changes, channels, dirty, ledger, letters, orders, targets
from hub.store.catalogue import Binding
from hub.store.changes import OpenChange
from hub.store.database import Database, Tx
from hub.store.orders import PROVISIONAL, OrderBinding, Reservation
from hub.store.targets import StoredObservation

FOLLOW_FIRST_SECONDS: Final = 0.5
CONFLICT_LOOK_UP: Final = "our picture was old"
REFUSED_LOOK_UP: Final = "their rule said no"
OF_LISTINGS: Final = (Aspect.STOCK, Aspect.PRICE, Aspect.LISTING)
OF_FACTS: Final = (Aspect.ORDER, Aspect.MOVEMENT)
GONE_LOOK_UP: Final = "not there right before writing"
MOVED_LOOK_UP: Final = "moved by us"
AGAIN_SECONDS: Final = 1
AGAIN_SECONDS_MAX: Final = 300
AGAIN_DOUBLINGS_MAX: Final = 10
_STOPPED: Final = frozenset({Outcome.NOT_SENT, Outcome.UNKNOWN})


class Sent(NamedTuple):
    """A change as stored, as it was sent, and what became of it."""

    change: OpenChange
    sent: Change
    receipt: Receipt


class Record:
    """Keeps the outcomes of one channel's changes."""

    def __init__(self, channel: Channel, config: Config, database: Database, clock: Clock) -> None:
        self._channel = channel
        self._config = config
        self._database = database
        self._clock = clock
        rule = config.pricing.channels.get(channel.name)
        self._country = config.pricing.lists[rule.list].country if rule and rule.list in config.pricing.lists else ""

    def receipts(self, outcomes: Sequence[Sent]) -> None:
        """Keep receipts and do what each outcome asks for; listings touched are compared anew."""
        if not outcomes:
            return
        now, ended = self._clock.now(), self._ended(outcomes)
        first = self._database.next_block(2 * len(ended) + 1)
        self._database.transaction(lambda tx: self._keep(tx, ended, now, first))

    def observed(self, seen: Sequence[Observation]) -> None:
        """Keep what was seen right before writing: the changes are not needed any more."""
        mark = self._database.next()

        def keep(tx: Tx) -> None:
            targets.save_observations(tx, [StoredObservation(o) for o in seen])
            changes.withdraw(tx, [o.key for o in seen])
            dirty.mark(tx, [(dirty.LISTING, o.key.channel, o.key.listing) for o in seen], mark)

        self._database.transaction(keep)

    def gone(self, missing: Sequence[OpenChange]) -> None:
        """Have it looked at what was not there right before writing: once that is certain nothing waits to be written to it."""
        stream, send = self._channel.lookup_stream("item"), self._channel.send(missing[0].key.aspect)
        if not stream or send is None:
            return
        mark, at = self._database.next(), self._clock.now() + send.visible_after_seconds * 1_000_000
        asked = [(self._channel.name, stream, listing, GONE_LOOK_UP) for listing in sorted({c.key.listing for c in missing})]
        self._database.transaction(lambda tx: channels.ask(tx, asked, mark, at))

    def sold(self, sold: Sequence[tuple[OpenChange, Plain]], begun: int) -> set[Key]:
        """Keep what was seen right before writing where pieces were gone. Those that no order explains count as sold until the
        orders were read past this; a change that would offer them again is not written. Gives the keys where that is sure.
        """
        mark, now = self._database.next(), self._clock.now()
        return self._database.transaction(lambda tx: self._sold(tx, sold, begun, mark, now))

    def _sold(self, tx: Tx, sold: Sequence[tuple[OpenChange, Plain]], begun: int, mark: int, now: int) -> set[Key]:
        listings = [(change.key.channel, change.key.listing) for change, _ in sold]
        known, bound = targets.observations_of(tx, listings, Aspect.STOCK), catalogue.bindings(tx, listings)
        reserved = orders.reservations_of(tx, {binding.item for binding in bound.values()})
        fell: set[Key] = set()
        rows, seen, lifting = [], [], []
        for change, shown in sold:
            key, old, binding = change.key, known.get(change.key), bound.get((change.key.channel, change.key.listing))
            if old is None or binding is None or not binding.item or not self._visible(old.observation, now):
                continue
            fell.add(key)
            seen.append(StoredObservation(Observation(key, shown, True, 0, begun, mark, now, 0), old.flips, old.flips_since))
            lift = int(change.after["sellable"]) - int(shown["sellable"])
            lifting += [change] if lift >= 0 else []
            fall = (int(old.observation.value["sellable"]) - int(shown["sellable"])) * binding.factor
            heard = _heard_since(reserved, key, binding.item, old.observation.begun)
            fall = min(fall, max(lift * binding.factor, fall - heard))
            if fall > 0:
                rows.append(orders.fallen(key, binding.item, fall, mark, now))
        orders.reserve(tx, rows)
        targets.save_observations(tx, seen)
        changes.withdraw(tx, [change.key for change in lifting])
        dirty.mark(tx, [(dirty.ITEM, row.item, Aspect.STOCK) for row in rows], mark)
        dirty.mark(tx, [(dirty.LISTING, key.channel, key.listing) for key in fell], mark)
        return fell

    def _visible(self, seen: Observation, now: int) -> bool:
        """Whether a reading shows by now what our own last write made of it."""
        send = self._channel.send(Aspect.STOCK)
        return seen.told or now - seen.at >= (send.visible_after_seconds if send else 0) * 1_000_000

    def not_applied(self, unsent: Sequence[OpenChange], shown: Mapping[Key, Plain], begun: int) -> bool:
        """Looked up and not found as it should be: what was seen is kept, and the same change goes again later, its attempts
        counted; where the world has moved meanwhile the difference is worked out anew. Whether pieces may have been sold."""
        if not unsent:
            return False
        now = self._clock.now()
        mark = self._database.next()
        seen = [Observation(key, value, True, 0, begun, mark, now, 0) for key, value in shown.items()]
        rows = [(c, "intended", _again_at(c, now), "", c.words) for c in unsent if not self._spent(c)]

        def keep(tx: Tx) -> bool:
            sold = self._sold_from_either(tx, unsent, shown, mark, now)
            orders.reserve(tx, sold)
            dirty.mark(tx, [(dirty.ITEM, row.item, Aspect.STOCK) for row in sold], mark)
            targets.save_observations(tx, [StoredObservation(o) for o in seen])
            changes.settle(tx, rows)
            # Who finds the old figure cannot know whether the write came to nothing or what it brought is sold by now: a rise
            # goes again only once the orders were read past this look.
            changes.seen(tx, [c for c in unsent if c.key in shown], now)
            dirty.mark(tx, [(dirty.LISTING, c.key.channel, c.key.listing) for c in unsent], mark)
            return bool(sold)

        fell = self._database.transaction(keep)
        self._give_up([c for c in unsent if self._spent(c)])
        return fell

    def _sold_from_either(
        self, tx: Tx, unsent: Sequence[OpenChange], shown: Mapping[Key, Plain], mark: int, now: int
    ) -> list[Reservation]:
        """Where neither the old figure nor the new one is shown, customers bought: from the higher of the two, in doubt."""
        asked = [c for c in unsent if c.key.aspect == Aspect.STOCK and c.key in shown]
        if not self._channel.takes_orders or not asked:
            return []
        listings = [(c.key.channel, c.key.listing) for c in asked]
        known, bound = targets.observations_of(tx, listings, Aspect.STOCK), catalogue.bindings(tx, listings)
        rows = []
        for change in asked:
            key, old, binding = change.key, known.get(change.key), bound.get((change.key.channel, change.key.listing))
            if old is None or binding is None or not binding.item:
                continue
            figures = int(old.observation.value["sellable"]), int(change.after["sellable"])
            shows = int(shown[key]["sellable"])
            if shows not in figures and shows < max(figures):
                rows.append(orders.fallen(key, binding.item, (max(figures) - shows) * binding.factor, mark, now))
        return rows

    def _spent(self, change: OpenChange) -> bool:
        return change.attempts >= self._channel.manifest.limits.attempts_max

    def _give_up(self, spent: Sequence[OpenChange]) -> None:
        as_sent = [Change(c.id, c.key, c.item, c.before, c.after, {}, c.sent_at) for c in spent]
        self.receipts([Sent(c, s, _given_up(c, c.words)) for c, s in zip(spent, as_sent, strict=True)])

    def _ended(self, outcomes: Sequence[Sent]) -> Sequence[Sent]:
        """The outcomes, where changes that are turned back time and again without any neighbour going through are given up,
        and so are facts of orders that met a document changed meanwhile time and again."""
        stopped = all(each.receipt.outcome in _STOPPED for each in outcomes)
        return [
            each._replace(receipt=_given_up(each.change, each.receipt.words))
            if self._spent(each.change) and (_met_another(each) or (stopped and each.receipt.outcome == Outcome.NOT_SENT))
            else each
            for each in outcomes
        ]

    def _keep(self, tx: Tx, outcomes: Sequence[Sent], now: int, numbers: range) -> None:
        kept = [(numbers[place], _as_shown(each), each.receipt, now) for place, each in enumerate(outcomes)]
        changes.keep_receipts(tx, kept)
        by: dict[Outcome, list[Sent]] = {}
        for each in outcomes:
            by.setdefault(each.receipt.outcome, []).append(each)
        self._applied(tx, by.get(Outcome.APPLIED, []), now, numbers[-1], numbers[len(outcomes) :])
        self._refused(tx, by.get(Outcome.REFUSED, []), now, numbers[-1])
        facts = [e for e in by.get(Outcome.CONFLICT, []) if e.change.key.aspect in OF_FACTS]
        self._conflicts(tx, [e for e in by.get(Outcome.CONFLICT, []) if e not in facts], now, numbers[-1])
        follow_at = now + round(FOLLOW_FIRST_SECONDS * 1_000_000)
        settled = [(e.change, "accepted", follow_at, e.receipt.handle, "") for e in by.get(Outcome.ACCEPTED, [])]
        settled += [
            (e.change, "unknown", self._findable_at(e.change, now), "", e.receipt.words) for e in by.get(Outcome.UNKNOWN, [])
        ]
        # A delta or a fact of an order expects no value of theirs: it waits and goes again as it is.
        settled += [(e.change, "intended", _again_at(e.change, now), "", e.change.words) for e in facts]
        turned_back = [e.change for e in by.get(Outcome.NOT_SENT, [])]
        if set(by) <= _STOPPED:
            # Nothing went through: sent again at once it would only be turned back again.
            settled += [(c, "intended", _again_at(c, now), "", c.words) for c in turned_back]
        else:
            changes.unspend(tx, turned_back, now)
        changes.settle(tx, settled)

    def _applied(self, tx: Tx, done: Sequence[Sent], now: int, mark: int, numbers: range) -> None:
        seen = []
        shown_prices = []
        for each in done:
            value = acknowledged(each.sent, each.receipt.shows)
            if each.change.key.aspect == Aspect.LISTING:
                value = {k: v for k, v in value.items() if k not in ("sku", "amount", "currency", "tax", "sellable", "own_open")}
            if each.change.key.aspect == Aspect.PRICE:
                shown_prices.append((*each.change.key[:2], self._country, str(value["amount"]), str(value["currency"]), now))
            seen.append(StoredObservation(self._acknowledgement(each, value, now, mark)))
        old = targets.observations_of(tx, [(s.observation.key.channel, s.observation.key.listing) for s in seen])
        targets.save_observations(tx, [_keep_flips(s, old.get(s.observation.key)) for s in seen])
        changes.close(tx, [each.change for each in done])
        letters.close_of_changes(tx, [each.change.key for each in done])
        ledger.show_prices(tx, shown_prices)
        self._bind_created(tx, done, now, mark)
        self._bind_exported(tx, done, now, mark)
        self._ask_for_figures(tx, done, now, mark)
        dirty.mark(tx, [(dirty.LISTING, e.change.key.channel, e.change.key.listing) for e in done], mark)
        ledger.write(
            tx,
            [
                ledger.Entry(
                    numbers[place],
                    now,
                    "applied",
                    e.change.key,
                    e.change.item,
                    {
                        "before": e.change.before,
                        "after": e.change.after,
                        "request": e.receipt.request_id,
                        "words": e.receipt.words,
                    },
                )
                for place, e in enumerate(done)
            ],
        )

    def _acknowledgement(self, each: Sent, value: Plain, now: int, mark: int) -> Observation:
        return Observation(each.change.key, value, False, each.receipt.version, each.change.sent_seq, mark, now, 0)

    def _bind_created(self, tx: Tx, done: Sequence[Sent], now: int, mark: int) -> None:
        """A listing that was made by us is bound to its item, and read once more as the platform has it."""
        made = [e for e in done if e.change.key.aspect == Aspect.LISTING and e.change.before is None]
        if not made:
            return
        known = catalogue.bindings(tx, [(e.change.key.channel, e.change.key.listing) for e in made])
        new = [e for e in made if not (known.get((e.change.key.channel, e.change.key.listing)) or _NONE).item]
        catalogue.save_bindings(
            tx,
            [
                Binding(
                    e.change.key.channel,
                    e.change.key.listing,
                    e.change.item,
                    "bound",
                    str(e.change.after.get("sku") or ""),
                    "{}",
                    1,
                    "created",
                    now,
                    0,
                )
                for e in new
            ],
        )
        dirty.mark(tx, [(dirty.ITEM, e.change.item, "") for e in made], mark)
        stream = self._channel.lookup_stream("item")
        if stream:
            channels.ask(tx, [(self._channel.name, stream, e.change.key.listing, "made by us") for e in made], mark, now)

    def _bind_exported(self, tx: Tx, done: Sequence[Sent], now: int, mark: int) -> None:
        """An order that another system holds as a document now is bound to it, and read once more as it stands there."""
        documents = [e for e in done if e.change.key.aspect == Aspect.ORDER and e.change.after.get("fact") == "placed"]
        made = [e for e in documents if (e.receipt.shows or {}).get("their")]
        rows = [
            OrderBinding(
                self._channel.name,
                str(e.receipt.shows["their"]),
                e.change.key.listing,
                "credit" if e.change.after.get("of") else "export",
                {"order": str(e.receipt.shows["their"]), "state": "reserve", "lines": []},
                0,
                0,
                e.change.sent_seq,
                0,
                now,
            )
            for e in made
        ]
        orders.save_bindings(tx, rows)
        dirty.mark(tx, [(dirty.ORDER, row.order, "") for row in rows], mark)
        if ORDERS in self._channel.manifest.streams and self._channel.manifest.streams[ORDERS].look_up:
            channels.ask(tx, [(self._channel.name, ORDERS, row.their, "exported by us") for row in rows], mark, now)

    def _ask_for_figures(self, tx: Tx, done: Sequence[Sent], now: int, mark: int) -> None:
        """A figure moved by a fact is read again at once: until then the one that is known does not contain it."""
        send = self._channel.send(Aspect.MOVEMENT)
        if send is None:
            return
        moved = sorted({e.change.key.listing for e in done if e.change.key.aspect == Aspect.MOVEMENT})
        at = now + send.visible_after_seconds * 1_000_000
        channels.ask(tx, [(self._channel.name, send.stream, listing, MOVED_LOOK_UP) for listing in moved], mark, at)

    def _refused(self, tx: Tx, turned_down: Sequence[Sent], now: int, mark: int) -> None:
        stream = self._channel.lookup_stream("item")
        listed = sorted({e.change.key.listing for e in turned_down if e.change.key.aspect in OF_LISTINGS})
        if stream:
            # It may have been deleted there: then nothing waits for a person.
            channels.ask(tx, [(self._channel.name, stream, listing, REFUSED_LOOK_UP) for listing in listed], mark, now)
        changes.settle(tx, [(e.change, "refused", 0, "", e.receipt.words[:500]) for e in turned_down])
        letters.keep(
            tx,
            [
                letters.DeadLetter(
                    "change",
                    e.change.key.channel,
                    e.change.key.aspect,
                    e.change.key.listing,
                    e.change.key.place,
                    write_json(e.change.after)[:80],
                    f"their rule said no: {e.receipt.words[:300]}",
                    0,
                    now,
                )
                for e in turned_down
            ],
        )

    def _conflicts(self, tx: Tx, old: Sequence[Sent], now: int, mark: int) -> None:
        changes.close(tx, [e.change for e in old])
        asked = []
        for each in old:
            send = self._channel.send(each.change.key.aspect)
            if send is not None:
                asked.append((self._channel.name, send.stream, each.change.key.listing, CONFLICT_LOOK_UP))
        channels.ask(tx, asked, mark, now)

    def _findable_at(self, change: OpenChange, now: int) -> int:
        send = self._channel.send(change.key.aspect)
        seconds = (send.findable_within_seconds or send.visible_after_seconds) if send else 0
        return now + (seconds + 1) * 1_000_000


_NONE: Final = Binding("", "", "", "unbound")


def _heard_since(rows: Sequence[Reservation], key: Key, item: str, begun: int) -> int:
    """What was sold there (of that place, where it shows one) by orders that were heard of after its figure was read."""
    return sum(
        row.quantity
        for row in rows
        if (row.origin, row.item) == (key.channel, item)
        and row.state != PROVISIONAL
        and row.seq > begun
        and (not key.place or row.place == key.place)
    )


def _as_shown(each: Sent) -> OpenChange:
    """The change with the figure that their answer shows: of what was bought meanwhile they show less than was meant."""
    if each.receipt.outcome != Outcome.APPLIED or each.change.key.aspect != Aspect.STOCK:
        return each.change
    shown = acknowledged(each.sent, each.receipt.shows)["sellable"]
    return replace(each.change, after={**each.change.after, "sellable": shown})


def _keep_flips(new: StoredObservation, old: StoredObservation | None) -> StoredObservation:
    return StoredObservation(new.observation, old.flips, old.flips_since) if old else new


def _again_at(change: OpenChange, now: int) -> int:
    """When a change that came to nothing goes again: later each time."""
    return now + min(AGAIN_SECONDS << min(change.attempts, AGAIN_DOUBLINGS_MAX), AGAIN_SECONDS_MAX) * 1_000_000


def _met_another(each: Sent) -> bool:
    """Whether a fact of an order was turned away because its document is not what it was, or not there."""
    return (each.change.key.aspect, each.receipt.outcome) == (Aspect.ORDER, Outcome.CONFLICT)


def _given_up(change: OpenChange, words: str) -> Receipt:
    return Receipt(change.id, Outcome.REFUSED, f"given up after {change.attempts} attempts: {words}")
