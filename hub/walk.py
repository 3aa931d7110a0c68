"""The walk: the stations in their order, and the one place where an error becomes a next step. Read `flow.py` first.

    inbox ▶ told (map, identify, claims, observations) ▶ ends of readings ▶ decide (settle, desired, diff) ▶ changes

The push, each channel's turn and the server stand outside; they hand in envelopes and carry out changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from hub.agreement import Agreement
from hub.channel import ORDERS, Channel
from hub.clock import Clock
from hub.decide import Decide
from hub.errors import (
    ConfigError,
    ConflictError,
    GoneError,
    HubError,
    InvariantError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    UnauthorizedError,
    UnavailableError,
    UnmappableError,
    UnverifiedError,
)
from hub.flow import Aspect, Door, Envelope
from hub.merge.authority import Authority
from hub.moved import Moved
from hub.ordered import Ordered
from hub.selling import Sellings
from hub.settings.model import Config
from hub.store import catalogue, channels, cursors, dirty, inbox, ledger, letters, orders, requests
from hub.store.cursors import Reading
from hub.store.database import Database, Tx
from hub.store.deliveries import DeliveryReader, write_position
from hub.store.orders import Reservation
from hub.store.parties import Parties
from hub.store.vault import Vault
from hub.told import Told

DELIVERIES_MAX: Final = 1_000
UNSAID_MAX: Final = 500
"""Open orders looked up after one listing."""
ABSENT_MIN: Final = 10
"""Up to this many absent listings are always looked up; above it the share per sweep counts."""


class Step(StrEnum):
    """What follows an error."""

    STOP = "stop"
    """We are wrong, or a person must edit a file: stop this station, keep the evidence."""
    DROP = "drop"
    """Not theirs: count it, keep nothing."""
    LETTER = "letter"
    """Not understood: dead letter, replay later."""
    AGAIN = "again"
    """Nothing happened: again with backoff, the attempt counts."""
    WAIT = "wait"
    """We were told to wait: no attempt is spent."""
    PAUSE = "pause"
    """This channel does not know us any more: pause it and tell a person."""
    OBSERVE = "observe"
    """Our picture is old: look, then plan again."""
    FORGET = "forget"
    """It is no longer there: drop the observation, plan again."""
    REFUSED = "refused"
    """Their rule said no: this one to the dead letters, the rest go on."""
    UNKNOWN = "unknown"
    """It may have happened: look it up by our key before anything else."""


def next_step(error: HubError) -> Step:
    """The one decision of what follows an error; every class has its own branch."""
    match error:
        case ConfigError() | InvariantError():
            return Step.STOP
        case UnverifiedError():
            return Step.DROP
        case UnmappableError():
            return Step.LETTER
        case UnavailableError():
            return Step.AGAIN
        case ThrottledError():
            return Step.WAIT
        case UnauthorizedError():
            return Step.PAUSE
        case ConflictError():
            return Step.OBSERVE
        case GoneError():
            return Step.FORGET
        case RefusedError():
            return Step.REFUSED
        case OutcomeUnknownError():
            return Step.UNKNOWN
        case _:
            return Step.STOP


class Walk:
    """The walk of one hub: `step` takes everything a little further and says whether there was anything to do."""

    def __init__(
        self,
        config: Config,
        channels: Mapping[str, Channel],
        database: Database,
        vault: Vault,
        clock: Clock,
        *,
        wake: Callable[[str], None] = lambda _: None,
        deliveries: DeliveryReader | None = None,
        position_file: Path | None = None,
    ) -> None:
        self._config = config
        self._channels = channels
        self._database = database
        self._vault = vault
        self._clock = clock
        self._wake = wake
        self._deliveries = deliveries
        self._position_file = position_file
        self._copied = database.read(lambda tx: cursors.position(tx, "intake"))
        self._authority = Authority(config)
        self._decide = Decide(config, channels, database, clock, self._authority)
        self._agreement = Agreement(config, channels, database, clock)
        self._decide.differences.agreed = self._agreement.reached
        self._decide.differences.selling = Sellings(database, clock)
        self.differences = self._decide.differences
        parties = Parties(vault, clock)
        self._ordered = Ordered(config, channels, database, clock, self._authority, self._decide.differences, parties)
        self._moved = Moved(config, channels, database, clock, self._authority, self._decide.differences)
        self.told = Told(config, channels, database, vault, clock, self._authority, self._ordered, self._moved)
        self._heard = self._read_heard()
        self.read_now = {(name, stream) for name, channel in channels.items() for stream in _hinted(channel)}
        """(channel, stream) that a hint asked to read at once; the channel's turn takes them out. After a start every stream that
        hints may speak of: one that was understood before the stop may not have been followed."""

    def step(self) -> bool:
        """One round over all stations; True when something was done."""
        limit = self._config.hub.walk_rows_max
        did = self._copy_deliveries()
        understood, read_now = self.told.step(limit, self._heard)
        if read_now:
            self.read_now |= read_now
            for channel, _ in read_now:
                self._wake(channel)
        ended = self._ends() if understood or did or self._unchecked() else False
        ordered, orders_to_send = self._ordered.step(limit)
        moved, movements_to_send = self._moved.step(limit)
        decided, to_send = self._decide.step(limit, self._heard)
        to_send |= orders_to_send | movements_to_send
        if not (understood or decided or did):
            self._agreement.look(self._heard)
        if understood:
            to_send |= self._with_look_ups()
            to_send |= self._barrier()
            self._decide.heard_again()
        for channel in to_send:
            self._wake(channel)
        return bool(did or understood or ended or ordered or moved or decided)

    def wake(self, channel: str) -> None:
        """Let this channel's turn look for what there is to do."""
        self._wake(channel)

    # deliveries of the receiver

    def _copy_deliveries(self) -> bool:
        """Copy what the receiver stored, with the position in the same transaction: each delivery exactly once."""
        if self._deliveries is None:
            return False
        stored = self._deliveries.after(self._copied, DELIVERIES_MAX)
        if not stored:
            return False
        numbers = self._database.next_block(len(stored))
        arrivals = [
            inbox.Arrival(
                Envelope(
                    numbers[n],
                    each.channel,
                    Door.HOOK,
                    "",
                    each.topic,
                    each.received_at,
                    each.body,
                    each.delivery_id,
                    0,
                    numbers[n],
                )
            )
            for n, each in enumerate(stored)
        ]
        last = stored[-1].seq

        def keep(tx: Tx) -> None:
            inbox.store(tx, self._vault, arrivals)
            cursors.set_position(tx, "intake", last)

        self._database.transaction(keep)
        self._copied = last
        if self._position_file is not None:
            write_position(self._position_file, last)
        return True

    def receive(self, channel: str, topic: str, delivery_id: str, body: bytes) -> None:
        """Take one verified delivery directly (tests and simulation, where no receiver process stands before the hub)."""
        seq = self._database.next()
        envelope = Envelope(seq, channel, Door.HOOK, "", topic, self._clock.now(), body, delivery_id, 0, seq)
        self._database.transaction(lambda tx: inbox.store(tx, self._vault, [inbox.Arrival(envelope)]))

    def _with_look_ups(self) -> set[str]:
        now = self._clock.now()

        def due(tx: Tx) -> set[str]:
            return {name for name in self._channels if channels.due_look_ups(tx, name, now, 1)}

        return self._database.read(due)

    def _barrier(self) -> set[str]:
        """The order barrier: falls that nobody explained count until the order stream has been read past them."""
        woken = self.told.read_orders | self._decide.read_orders
        self.read_now |= {(name, ORDERS) for name in woken}
        self.told.read_orders, self._decide.read_orders = set(), set()
        for name, channel in self._channels.items():
            if channel.takes_orders:
                self._release_falls(name)
                self._work_out_awaited(name)
        return woken

    def _work_out_awaited(self, name: str) -> None:
        """What waits for the orders of a channel to be read past a look at its scarce items is worked out once they were."""
        awaited = self._decide.awaited.get(name)
        if not awaited:
            return
        passed = self._database.read(lambda tx: [each for each, at in awaited.items() if cursors.read_past(tx, name, ORDERS, at)])
        if passed:
            mark = self._database.next()
            self._database.transaction(lambda tx: dirty.mark(tx, [(dirty.LISTING, name, each) for each in passed], mark))
            for each in passed:
                awaited.pop(each, None)

    def _release_falls(self, name: str) -> None:
        def passed(tx: Tx) -> list[Reservation]:
            rows = orders.provisional(tx, name)
            return [row for row in rows if cursors.read_past(tx, name, ORDERS, row.as_of)] if rows else []

        rows = self._database.read(passed)
        if not rows:
            return
        mark = self._database.next()

        def keep(tx: Tx) -> None:
            orders.end_reservations(tx, rows)
            dirty.mark(tx, [(dirty.ITEM, row.item, Aspect.STOCK) for row in rows], mark)

        self._database.transaction(keep)

    # ends of readings

    def _read_heard(self) -> frozenset[tuple[str, str]]:
        readings = self._database.read(cursors.readings)
        return frozenset((r.channel, r.stream) for r in readings.values() if r.kind == "sweep" and r.checked)

    def heard(self) -> frozenset[tuple[str, str]]:
        """The (channel, stream) that have been read to the end at least once."""
        return self._heard

    def _unchecked(self) -> list[Reading]:
        return [
            r
            for r in self._database.read(cursors.unchecked)
            if r.channel in self._channels and r.stream in self._channels[r.channel].manifest.streams
        ]

    def _ends(self) -> bool:
        """Act upon readings that ended and are understood: call the stream heard, look for what the listing lacks."""
        did = False
        for reading in self._unchecked():
            waiting = self._database.read(
                lambda tx, r=reading: inbox.waiting_through(tx, r.channel, r.stream, r.last_seq)  # type: ignore[misc]
            )
            if not waiting:
                self._end(reading)
                did = True
        return did

    def _end(self, reading: Reading) -> None:
        stream = self._channels[reading.channel].manifest.streams[reading.stream]
        first = (reading.channel, reading.stream) not in self._heard
        heard = self._heard | {(reading.channel, reading.stream)}
        numbers = self._database.next_block(3)
        now = self._clock.now()

        def keep(tx: Tx) -> None:
            if "item" in stream.maps and stream.complete:
                self._look_for_absent(tx, reading, now, numbers)
            if "order" in stream.maps and stream.look_up:
                self._look_for_unsaid(tx, reading, now, numbers)
            if first:
                dirty.mark_all_items(tx, numbers[1])
                if not self.told.items_heard(self._heard) and self.told.items_heard(heard):
                    self._name_unbound(tx, now)
            cursors.checked(tx, reading.channel, reading.stream, reading.number)

        self._database.transaction(keep)
        self._heard = heard

    def _look_for_unsaid(self, tx: Tx, reading: Reading, now: int, numbers: range) -> None:
        """Open orders that a listing did not say again are looked up: one may be deleted, of which nobody tells. Not many."""
        unsaid, known = orders.open_unsaid(tx, reading.channel, reading.started_at, UNSAID_MAX)
        guards = self._config.pricing.guards
        if len(unsaid) > ABSENT_MIN and len(unsaid) * 100 > known * guards.gone_percent:
            ledger.count(tx, {("held_sweep", reading.channel, reading.stream): 1})
            unsaid = unsaid[:ABSENT_MIN]
        asked = [(reading.channel, reading.stream, their, "not said again by a listing") for their in unsaid]
        channels.ask(tx, asked, numbers[0], now)

    def _look_for_absent(self, tx: Tx, reading: Reading, now: int, numbers: range) -> None:
        """Absence is not evidence: ids that a complete listing lacks are looked up singly, at most a set share per sweep."""
        missing, listed = catalogue.not_listed(tx, reading.channel, reading.number)
        # Who said that it is not sold any more need not list it.
        over = _not_sold(tx, reading.channel, missing)
        missing = [listing for listing in missing if listing not in over]
        if not missing:
            return
        guards = self._config.pricing.guards
        share = len(missing) * 100 > (len(missing) + listed) * guards.gone_percent
        if (listed == 0 and guards.empty_authority) or (share and len(missing) > ABSENT_MIN):
            guard = "empty_authority" if listed == 0 else "gone"
            words = f"{reading.stream} listed {listed} and lacks {len(missing)} known listings: nothing is believed gone"
            known = any(hold.channel == reading.channel and hold.guard == guard for hold in requests.holds(tx))
            if not known:
                requests.hold(tx, requests.Hold(f"{numbers[2]:x}", reading.channel, guard, words, now, "open", 0))
            ledger.count(tx, {("held_sweep", reading.channel, guard): 1})
            return
        asked = [(reading.channel, reading.stream, listing, "absent from a complete listing") for listing in missing]
        channels.ask(tx, asked, numbers[0], now)

    def _name_unbound(self, tx: Tx, now: int) -> None:
        """Now that all items are known, a listing whose SKU is none of them is named as a dead letter."""
        for name in self._channels:
            unbound = [b for b in catalogue.bindings_in(tx, name, "unbound") if b.sku]
            letters.keep(
                tx,
                [
                    letters.DeadLetter("record", name, "items", b.listing, "sku", b.sku[:80], "no item has this SKU", 0, now)
                    for b in unbound
                ],
            )

    def mark_all(self) -> None:
        """Work everything out again (after new rules)."""
        mark = self._database.next()

        def keep(tx: Tx) -> None:
            dirty.mark_all_items(tx, mark)
            dirty.mark_all_movements(tx, mark)

        self._database.transaction(keep)


def _not_sold(tx: Tx, channel: str, listings: Iterable[str]) -> set[str]:
    """Those of these listings of which the channel itself, which is right about it, said last that they are not sold any more."""
    told = catalogue.claims(tx, [(channel, listing) for listing in listings], Aspect.ITEM)
    return {claim.listing for claim in told if claim.value.get("state") == "inactive"}


def _hinted(channel: Channel) -> set[str]:
    """The streams that a delivery may speak of without naming a record."""
    declared = channel.manifest.deliveries
    topics = declared.topics.values() if declared is not None else ()
    return {topic.stream for topic in topics if topic.ids is None and (topic.records is None or topic.trust != "versioned")}
