"""From wanted targets and what is shown to changes, in a safe order, with those that a guard holds."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, NamedTuple

from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import Clock
from hub.diff.compare import Difference, difference
from hub.diff.damage import UNSOLD, Selling, damage, urgency
from hub.diff.guards import NEW_ORDERS, UNEXPLAINED, Held, new_orders_guard, price_guard, to_zero_guard, unexplained_guard
from hub.flow import Aspect, Key, Target
from hub.settings.model import Config
from hub.store import changes, letters, requests, targets
from hub.store.changes import OpenChange
from hub.store.database import Tx
from hub.store.requests import Hold
from hub.store.targets import StoredObservation, StoredTarget

GUARD_WINDOW_MICROS: Final = 600_000_000
"""Falls to zero, and new orders, within ten minutes count together for their guards."""
PLACED: Final = "placed"
"""How the places of documents of an order begin, in the keys of the systems that book or fulfil it."""
TO_ZERO: Final = "to zero"
"""Words by which the store counts falls to zero."""
RECENT_MAX: Final = 100_000
"""Falls to zero, and new orders, remembered for their guards; beyond it the oldest are forgotten."""
IN_FLIGHT: Final = ("sent", "accepted", "unknown")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store held of the keys in question when deciding began."""

    targets: dict[Key, StoredTarget]
    observations: dict[Key, StoredObservation]
    changes: dict[Key, OpenChange]
    listings: set[tuple[str, str]]
    """Listings that are dirty themselves: compared anew though their item is not."""
    holds: list[Hold]


class Falls(NamedTuple):
    """What the mass guard compares with, by channel: changes to zero decided and not yet made, and bound listings."""

    pending: dict[str, int]
    listed: dict[str, int]


@dataclass(slots=True)
class Decided:
    """What to commit: targets that are new or changed or no longer wanted, changes to intend or withdraw, holds."""

    targets: list[Target] = field(default_factory=list)
    dropped: list[Key] = field(default_factory=list)
    changes: list[OpenChange] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)

    @property
    def to_send(self) -> set[str]:
        """The channels that have something to send now."""
        return {change.key.channel for change in self.changes if change.state == "intended"}

    def keep(self, tx: Tx, now: int) -> None:
        """Commit it."""
        targets.drop_targets(tx, self.dropped)
        targets.save_targets(tx, self.targets, now)
        changes.withdraw(tx, self.withdrawn)
        letters.close_of_changes(tx, self.withdrawn)
        changes.intend(tx, self.changes)
        for hold in self.holds:
            requests.hold(tx, hold)


class Differences:
    """Compares targets with observations and applies the guards."""

    def __init__(
        self, config: Config, channels: Mapping[str, Channel], clock: Clock, count_falls: Callable[[int], Falls]
    ) -> None:
        self._config = config
        self._channels = channels
        self._clock = clock
        self._guards = config.pricing.guards
        self._count_falls = count_falls
        self._started = clock.now()
        self._recent: dict[Key, int] = {}
        """Falls to zero decided within the window, oldest first: key → when."""
        self._placed: dict[Key, int] = {}
        """New documents of orders decided within the window, oldest first; a start forgets them."""
        self._asked: set[str] = set()
        """Channels where a hold of new orders waited for a person."""
        self.heard: frozenset[tuple[str, str]] = frozenset()
        """The (channel, stream) that have been read to their end at least once; kept up to date by the walk."""
        self.agreed: Callable[[str], bool] = lambda _: True
        """Whether a channel was in agreement once: until then differences that nothing explains wait for a person."""
        self.selling: Callable[[Sequence[OpenChange]], Mapping[Key, Selling]] = lambda _: {}
        """How the listings of these changes sell."""
        self.urgency: Callable[[int, Decimal], int] = urgency
        """The place in the queue of what was decided then and costs so much an hour."""
        self.first_values: dict[Key, dict[str, Plain]] = {}
        """What a listing that is made by us must have from its first moment: SKU, price, sellable."""

    def decide(self, wanted: Mapping[Key, Target], seen: Seen, worked_out: Callable[[str, str], bool]) -> Decided:
        """The changes for these targets, and for the dirty listings whose targets stand as they are.

        `worked_out` says of an item and an aspect whether `wanted` has all its targets: a stored one beyond them is dropped.
        """
        decided = Decided()
        for key, target in wanted.items():
            old = seen.targets.get(key)
            if old is None or old.target.value != target.value or old.target.because != target.because:
                decided.targets.append(target)
        compare = dict(wanted)
        for key, stored in seen.targets.items():
            if key in wanted:
                continue
            if worked_out(stored.target.item, key.aspect):
                decided.dropped.append(key)
            elif (key.channel, key.listing) in seen.listings:
                compare[key] = stored.target
        decided.withdrawn.extend(key for key in decided.dropped if key in seen.changes)
        new: list[tuple[OpenChange, Difference]] = []
        for key, target in compare.items():
            self._compare(key, target, seen, decided, new)
        self.first_values.clear()
        self._hold(self._queued(new, seen), seen, decided)
        return decided

    def _queued(self, new: list[tuple[OpenChange, Difference]], seen: Seen) -> list[tuple[OpenChange, Difference]]:
        """These changes with their places in the queue: by what it costs to leave them as they are."""
        selling = self.selling([change for change, _ in new]) if new else {}
        queued = []
        for change, found in new:
            cost = damage(change.key.aspect, change.before, change.after, selling.get(change.key, UNSOLD))
            place, former = self.urgency(change.decided_at, cost), seen.changes.get(change.key)
            # A newer value of a key that waits already keeps its place: else one that changes often would never be sent.
            if former is not None and former.state == "intended":
                place = min(place, former.urgency)
            queued.append((replace(change, urgency=place), found))
        return queued

    def _read_once(self, channel: Channel, key: Key) -> bool:
        send = channel.send(key.aspect)
        return send is not None and (key.channel, send.stream) in self.heard

    def _compare(self, key: Key, target: Target, seen: Seen, decided: Decided, new: list[tuple[OpenChange, Difference]]) -> None:
        channel = self._channels.get(key.channel)
        if channel is None or channel.settings.mode != "live":
            return
        stored, open_change = seen.observations.get(key), seen.changes.get(key)
        if open_change is not None and open_change.state in IN_FLIGHT:
            return
        shown = stored.observation.value if stored else None
        if shown is None and key.aspect in (Aspect.STOCK, Aspect.PRICE) and not self._read_once(channel, key):
            # Nothing is written over what was never looked at: the channel's own figures come first.
            return
        found = difference(key.aspect, target.value, shown)
        if found is None:
            if open_change is not None:
                decided.withdrawn.append(key)
            return
        after = target.value
        if shown is None and key.aspect == Aspect.LISTING:
            first = self.first_values.get(key)
            if first is None:
                return
            after = {**after, **first}
        if (
            open_change is not None
            and open_change.after == after
            and (open_change.state == "refused" or open_change.before == shown)
        ):
            return
        now = self._clock.now()
        change = OpenChange(
            key=key,
            id=self._clock.token(),
            item=target.item,
            before=shown,
            after=after,
            state="intended",
            urgency=now,
            decided_at=now,
            observed_at=stored.observation.at if stored else 0,
            words=TO_ZERO if found.to_zero and shown is not None else "",
        )
        new.append((change, found))

    def _hold(self, new: list[tuple[OpenChange, Difference]], seen: Seen, decided: Decided) -> None:
        now = self._clock.now()
        falling: dict[str, list[Key]] = {}
        for change, found in new:
            if found.to_zero and change.before is not None:
                falling.setdefault(change.key.channel, []).append(change.key)
        masses = self._masses(falling, seen, now) if falling else {}
        many = self._many_orders([change.key for change, _ in new if _placed_anew(change, seen)], seen, now)
        opened: dict[tuple[str, str], Hold] = {(hold.channel, hold.guard): hold for hold in seen.holds}
        for change, found in new:
            held = many.get(change.key) or self._held(change, found, masses, seen)
            if held is None:
                decided.changes.append(change)
                continue
            hold = opened.get((change.key.channel, held.guard))
            if hold is None:
                ident = f"{change.key.channel}:{held.guard}:{now}"
                short = hashlib.sha256(ident.encode()).hexdigest()[:8]
                hold = Hold(short, change.key.channel, held.guard, held.words, now, "open", 0)
                opened[(change.key.channel, held.guard)] = hold
                decided.holds.append(hold)
            decided.changes.append(_held_by(change, hold.id))
        for channel, keys in falling.items():
            if channel not in masses:
                for key in keys:
                    self._recent.pop(key, None)
                    self._recent[key] = now

    def _many_orders(self, keys: Sequence[Key], seen: Seen, now: int) -> dict[Key, Held]:
        """The new documents of orders that are too many at once; what a person has approved no longer counts."""
        if not keys:
            return {}
        waiting = {hold.channel for hold in seen.holds if hold.guard == NEW_ORDERS}
        decided, self._asked = self._asked - waiting, set(waiting)
        since = now - GUARD_WINDOW_MICROS
        self._placed = {key: at for key, at in self._placed.items() if at > since and key.channel not in decided}
        new: dict[str, list[Key]] = {}
        for key in keys:
            new.setdefault(key.channel, []).append(key)
        lately = Counter(key.channel for key in self._placed.keys() - set(keys))
        held = new_orders_guard(new, lately, waiting, self._guards)
        self._asked |= {key.channel for key in held}
        for key in keys:
            self._placed.setdefault(key, now)
        while len(self._placed) > RECENT_MAX:
            del self._placed[next(iter(self._placed))]
        return held

    def _masses(self, falling: Mapping[str, list[Key]], seen: Seen, now: int) -> dict[str, Held]:
        """The channels of which too many listings would fall to zero, these and earlier falls together."""
        since = now - GUARD_WINDOW_MICROS
        while self._recent and (oldest := next(iter(self._recent.items())))[1] < since:
            del self._recent[oldest[0]]
        while len(self._recent) > RECENT_MAX:
            del self._recent[next(iter(self._recent))]
        # Each fall counts once: those that this process decided lately are remembered here, the store counts the others.
        since = max(since, self._started)
        pending, listed = self._count_falls(since)
        again = {key for keys in falling.values() for key in keys}
        for key in again:
            former = seen.changes.get(key)
            if former is None or former.words != TO_ZERO:
                continue
            if former.state == "held" or (former.state == "intended" and former.decided_at < since):
                pending[key.channel] = pending.get(key.channel, 0) - 1
        for key in self._recent:
            if key not in again:
                pending[key.channel] = pending.get(key.channel, 0) + 1
        return to_zero_guard(falling, pending, listed, self._guards)

    def _held(self, change: OpenChange, found: Difference, masses: Mapping[str, Held], seen: Seen) -> Held | None:
        key = change.key
        if found.to_zero and change.before is not None and key.channel in masses:
            return masses[key.channel]
        if key.aspect == Aspect.PRICE or (key.aspect == Aspect.LISTING and "amount" in change.after):
            held = price_guard(key, change.before, change.after, self._guards)
            if held is not None:
                return held
        if key.aspect == Aspect.STOCK and self._waits_unexplained(change, seen):
            held = unexplained_guard(key, change.before, change.after, self._guards)
            if held is not None:
                return held
        stored = seen.observations.get(key)
        rule = self._config.channels[key.channel].person_edits
        if stored is None or not stored.flips:
            return None
        if stored.flips >= rule.flips_max:
            words = f"{key} was changed back {stored.flips} times by someone else: is another integration still running?"
            return Held(key, "flipped_back", words)
        old = seen.targets.get(key)
        if rule.verdict == "hold" and old is not None and old.target.value == change.after:
            return Held(key, "person_edit", f"{key} was changed by someone on the channel")
        return None

    def _waits_unexplained(self, change: OpenChange, seen: Seen) -> bool:
        """At first contact, or while an earlier value of the same key waits for a person because of it."""
        if self._guards.unexplained_pieces is None:
            return False
        former = seen.changes.get(change.key)
        waits = {hold.id for hold in seen.holds if hold.guard == UNEXPLAINED}
        return (former is not None and former.hold in waits) or not self.agreed(change.key.channel)


def _placed_anew(change: OpenChange, seen: Seen) -> bool:
    """Whether the change makes a document of an order that was not let through before."""
    former = seen.changes.get(change.key)
    is_new = change.key.aspect == Aspect.ORDER and change.key.place.startswith(PLACED) and change.before is None
    return is_new and (former is None or former.state != "intended")


def _held_by(change: OpenChange, hold: str) -> OpenChange:
    return OpenChange(
        change.key,
        change.id,
        change.item,
        change.before,
        change.after,
        "held",
        change.urgency,
        decided_at=change.decided_at,
        observed_at=change.observed_at,
        hold=hold,
        words=change.words,
    )
