"""Dispatch: intent stored, then sent, then the receipts; unknown outcomes are looked up before anything else.

No transaction is open during a call. What a failed call means is decided by the walk's one `match`; here it is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from hub.canonical.json import at_path, read_json
from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import Clock
from hub.diff.compare import difference
from hub.errors import UnmappableError
from hub.flow import Aspect, Change, Key, Observation, Outcome, Receipt
from hub.observed import Observed
from hub.push import batch as batches
from hub.push.choose import ALONE, CANDIDATES_MAX, choose, is_fall
from hub.push.record import Record, Sent
from hub.settings.model import Config
from hub.store import catalogue, changes
from hub.store.changes import OpenChange
from hub.store.database import Database

FOLLOW_SECONDS: Final = 1.0
FOLLOW_MAX: Final = 500
UNKNOWN_MAX: Final = 100
WRITE_COST: Final = 1.0
"""What a write is taken to cost of the pace before it is known."""
SETTLE_MARGIN_SECONDS: Final = 1.0
UNREAD_SECONDS: Final = 60.0
"""So much later is looked again at what was shown in a way that is not understood."""
LOOK_SECONDS_MAX: Final = 10
LOOK_CALL_SECONDS: Final = 3
"""A look right before writing that took longer, and so much longer for each of its calls, was held up: what it began with is old
by now. What our own pace lets through slowly is no quicker the second time."""
LOOKS_MAX: Final = 2
"""So often is looked then: a platform that is always so slow has no better."""
FIND_AGAIN_SECONDS: Final = 5.0


class Looked(NamedTuple):
    """What listings show now, by observation key; the changes of which that is not known, because a record was not understood
    and may be theirs (what is not understood is not what is not there); and those whose listings are not there."""

    shown: dict[Key, Plain]
    unread: list[OpenChange]
    gone: list[OpenChange]


class Dispatch:
    """Sends the changes of one channel."""

    def __init__(self, channel: Channel, config: Config, database: Database, clock: Clock, observed: Observed) -> None:
        self._channel = channel
        self._config = config
        self._database = database
        self._clock = clock
        self._observed = observed
        self._record = Record(channel, config, database, clock)
        self.fell = False
        """Whether a look has found that customers bought, or may have bought, unheard: their orders are to be read then."""

    def recover(self) -> None:
        """After a start: every change that was sent and has no receipt is of unknown outcome, to be looked up once no
        request of the former worker can still arrive: each has left within its deadline, the last right before this start."""
        deadline = self._channel.client.deadline_seconds + SETTLE_MARGIN_SECONDS
        left = self._database.read(lambda tx: changes.open_in(tx, self._channel.name, ["sent"], CANDIDATES_MAX))
        at = self._clock.now() + round(deadline * 1_000_000)
        rows = [(c, "unknown", at, c.handle, "no receipt before a restart") for c in left]
        if rows:
            self._database.transaction(lambda tx: changes.settle(tx, rows))

    def next_batch(self) -> list[OpenChange]:
        """The changes to send next; empty when nothing may be sent now."""
        now, name = self._clock.now(), self._channel.name
        waiting = self._database.read(lambda tx: changes.open_in(tx, name, ["intended"], CANDIDATES_MAX))
        return choose(self._channel, waiting, now)

    def waiting(self) -> list[OpenChange]:
        """Everything of this channel that is not at rest: to be sent, followed or looked up."""
        states = ["intended", "accepted", "unknown"]
        return self._database.read(lambda tx: changes.open_in(tx, self._channel.name, states, CANDIDATES_MAX))

    def send(self, chosen: Sequence[OpenChange]) -> None:
        """Send the batch and keep what became of each; a channel error of the whole call is raised with the batch's intent
        already stored, and `failed` carries out what follows."""
        aspect = chosen[0].key.aspect
        declared = self._channel.manifest.sends[aspect]
        fresh: dict[Key, Plain] = {}
        if declared.look_before and chosen[0].before is not None:
            begun = self._database.next()
            fresh, unread, gone = self._looked(declared.stream, chosen)
            if gone:
                self._record.gone(gone)
            if unread or gone:
                self.postpone([*unread, *gone], self._clock.now() + round(UNREAD_SECONDS * 1_000_000))
                chosen = [change for change in chosen if change not in unread and change not in gone]
                if not chosen:
                    return
            chosen = self._sold_before(chosen, fresh, begun)
            chosen = self._settled_before(chosen, fresh)
            if not chosen:
                return
        keys = [(c.key.channel, c.key.listing) for c in chosen]
        bindings = self._database.read(lambda tx: catalogue.bindings(tx, keys))
        now, seq = self._clock.now(), self._database.next()
        taken = set(self._database.transaction(lambda tx: changes.send(tx, chosen, now, seq)))
        ours = [replace(c, state="sent", sent_at=now, sent_seq=seq, attempts=c.attempts + 1) for c in chosen if c.id in taken]
        if not ours:
            return
        sent = batches.to_send(self._channel, ours, bindings, self._config.locations, fresh, now)
        receipts = self._channel.connector.send(aspect, sent)
        self._record.receipts(self._paired(ours, sent, receipts))

    def postpone(self, waiting: Sequence[OpenChange], until: int) -> None:
        """Let intended changes wait until then."""
        rows = [(change, "intended", until, "", change.words) for change in waiting]
        self._database.transaction(lambda tx: changes.settle(tx, rows))

    def follow(self) -> bool:
        """Ask what became of accepted changes whose time has come; whether there were any."""
        now, name = self._clock.now(), self._channel.name
        accepted = self._database.read(lambda tx: changes.open_in(tx, name, ["accepted"], FOLLOW_MAX))
        due = [c for c in accepted if c.not_before <= now]
        if not due:
            return False
        aspect = due[0].key.aspect
        mine = [c for c in due if c.key.aspect == aspect]
        receipts = {r.change: r for r in self._channel.connector.follow(aspect, [c.handle for c in mine])}
        done: list[Sent] = []
        later: list[tuple[OpenChange, str, int, str, str]] = []
        for change in mine:
            receipt = receipts.get(change.id)
            if receipt is None or receipt.outcome == Outcome.ACCEPTED:
                later.append((change, "accepted", now + round(FOLLOW_SECONDS * 1_000_000), change.handle, change.words))
            else:
                done.append(Sent(change, self._as_sent(change), receipt))
        if later:
            self._database.transaction(lambda tx: changes.settle(tx, later))
        self._record.receipts(done)
        return True

    def resolve(self) -> bool:
        """Look up changes of unknown outcome whose time has come: applied, or certainly not and then free to be sent again."""
        now, name = self._clock.now(), self._channel.name
        unknown = self._database.read(lambda tx: changes.open_in(tx, name, ["unknown"], UNKNOWN_MAX))
        due = [c for c in unknown if c.not_before <= now]
        if not due:
            return False
        if self._channel.manifest.sends[due[0].key.aspect].find:
            return self._find(due[0])
        stream = self._channel.manifest.sends[due[0].key.aspect].stream
        mine = [c for c in due if self._channel.manifest.sends[c.key.aspect].stream == stream]
        mine = mine[: self._channel.manifest.streams[stream].look_up_max]
        begun = self._database.next()
        shown, unread, _ = self._look(stream, mine)
        if unread:
            later = self._clock.now() + round(UNREAD_SECONDS * 1_000_000)
            rows = [(change, "unknown", later, change.handle, change.words) for change in unread]
            self._database.transaction(lambda tx: changes.settle(tx, rows))
            mine = [change for change in mine if change not in unread]
        done: list[Sent] = []
        again: list[OpenChange] = []
        for change in mine:
            if difference(change.key.aspect, _comparable(change), shown.get(change.key)) is None:
                receipt = Receipt(change.id, Outcome.APPLIED, "found applied by looking it up")
                done.append(Sent(change, self._as_sent(change), receipt))
            else:
                again.append(change)
        self._record.receipts(done)
        fell = self._record.not_applied(again, {c.key: shown[c.key] for c in again if c.key in shown}, begun)
        self.fell = fell or self._may_be_sold(done) or self.fell
        return True

    def _may_be_sold(self, found: Sequence[Sent]) -> bool:
        """Whether a lower figure was found where one was to be written: that tells nothing of who lowered it. Where the write
        came to nothing, customers bought exactly as much."""
        return self._channel.takes_orders and any(is_fall(each.change) for each in found)

    def _find(self, change: OpenChange) -> bool:
        """Find by our reference what became of a change that makes something new: only what is certainly not there is
        sent again, and what is there more than once is a dead letter."""
        key = change.key.channel, change.key.listing
        bindings = self._database.read(lambda tx: catalogue.bindings(tx, [key]))
        (sent,) = batches.to_send(self._channel, [change], bindings, self._config.locations, {}, change.sent_at)
        found = {r.change: r for r in self._channel.connector.find(change.key.aspect, [sent])}
        receipt = found.get(change.id)
        if receipt is None:
            later = self._clock.now() + round(FIND_AGAIN_SECONDS * 1_000_000)
            self._database.transaction(lambda tx: changes.settle(tx, [(change, "unknown", later, change.handle, change.words)]))
        elif receipt.outcome == Outcome.NOT_SENT:
            self._record.not_applied([change], {}, self._database.next())
        else:
            self._record.receipts([Sent(change, sent, receipt)])
        return True

    def failed(self, chosen: Sequence[OpenChange], step: str, words: str, retry_at: int) -> None:
        """Carry out what a failed call means for its batch; `step` as the walk's `match` named it."""
        now = self._clock.now()
        sent = self._database.read(lambda tx: changes.open_of(tx, [(c.key.channel, c.key.listing) for c in chosen]))
        ours = [sent[c.key] for c in chosen if c.key in sent and sent[c.key].id == c.id and sent[c.key].state == "sent"]
        declared = self._channel.manifest.sends[chosen[0].key.aspect]
        if step == "unknown":
            settle = declared.findable_within_seconds or declared.visible_after_seconds
            at = now + round((settle + SETTLE_MARGIN_SECONDS) * 1_000_000)
            rows = [(c, "unknown", at, c.handle, words) for c in ours]
            self._database.transaction(lambda tx: changes.settle(tx, rows))
        elif step in ("wait", "pause", "again"):
            # Nothing left for the platform, or all was turned away: that is the channel's failure, counted and waited out
            # there. A change's own attempts are those that may have reached it.
            self._database.transaction(lambda tx: changes.unspend(tx, ours, retry_at))
        elif step == "refused" and len(ours) > 1:
            alone = [(c, "intended", 0, "", ALONE) for c in ours]
            self._database.transaction(lambda tx: changes.settle(tx, alone))
        else:
            outcome = Outcome.REFUSED if step == "refused" else Outcome.CONFLICT
            self._record.receipts([Sent(c, self._as_sent(c), Receipt(c.id, outcome, words)) for c in ours])

    def _looked(self, stream: str, chosen: Sequence[OpenChange]) -> Looked:
        """What they show right before writing. Where that was held up and what was looked at first is old by now, what is there
        is looked at once more: a figure written over an old one offers again what was sold meanwhile."""
        gone: list[OpenChange] = []
        for _ in range(LOOKS_MAX):
            began, calls = self._clock.now(), self._channel.client.reads
            looked = self._look_before(stream, chosen)
            gone += looked.gone
            chosen = [change for change in chosen if change not in looked.gone]
            usual = LOOK_SECONDS_MAX + LOOK_CALL_SECONDS * (self._channel.client.reads - calls)
            if not chosen or self._clock.now() - began <= usual * 1_000_000:
                break
        return looked._replace(gone=gone)

    def _look_before(self, stream: str, chosen: Sequence[OpenChange]) -> Looked:
        """What they show right before writing. Where the pace is small the look waits until the write may follow at once: else
        it would be old by then, and be paid again and again."""
        self._channel.client.leave_tokens = WRITE_COST
        try:
            return self._look(stream, chosen)
        finally:
            self._channel.client.leave_tokens = 0.0

    def _look(self, stream: str, chosen: Sequence[OpenChange]) -> Looked:
        """What the listings of these changes show now."""
        connector, declared = self._channel.connector, self._channel.manifest.streams[stream]
        ids = sorted({c.key.listing for c in chosen})
        shown: dict[Key, Plain] = {}
        understood, gone = True, set[str]()
        for start in range(0, len(ids), declared.look_up_max):
            page = connector.look_up(stream, ids[start : start + declared.look_up_max])
            gone.update(page.gone)
            records = at_path(read_json(page.body), declared.records)
            understood = isinstance(records, list) and understood
            for record in records if isinstance(records, list) else ():
                for mapping in declared.maps:
                    understood = self._add_shown(mapping, record, shown) and understood
        missing = [change for change in chosen if change.key.listing in gone]
        unread = [change for change in chosen if change.key not in shown and change not in missing]
        return Looked(shown, [] if understood else unread, missing)

    def _add_shown(self, mapping: str, record: Plain, shown: dict[Key, Plain]) -> bool:
        try:
            for value in self._channel.mappings.understand(mapping, record):
                seen = self._observed.of(self._channel, mapping.partition(".")[0], value)
                if seen is not None:
                    shown[seen[0]] = seen[1]
        except UnmappableError:
            # The page that the stream reads next names it as a dead letter.
            return False
        return True

    def _sold_before(self, chosen: Sequence[OpenChange], fresh: Mapping[Key, Plain], begun: int) -> list[OpenChange]:
        """What shows fewer than when its change was decided was sold meanwhile, unheard: that counts as sold from now on, and
        only what takes it down further still goes. A figure written over it would offer the same pieces once more."""
        sold: list[tuple[OpenChange, Plain]] = []
        for change in chosen if chosen[0].key.aspect == Aspect.STOCK and self._channel.takes_orders else ():
            shown = fresh.get(change.key)
            if shown is not None and shown["sellable"] < change.before["sellable"]:
                sold.append((change, shown))
        if not sold:
            return list(chosen)
        fell = self._record.sold(sold, begun)
        self.fell = self.fell or bool(fell)
        return [change for change in chosen if change.key not in fell or change.after["sellable"] < fresh[change.key]["sellable"]]

    def _settled_before(self, chosen: Sequence[OpenChange], fresh: dict[Key, Plain]) -> list[OpenChange]:
        """Leave out what already shows what it should: someone (or a lost answer of ours) was there before."""
        left: list[OpenChange] = []
        done: list[Observation] = []
        now, seq = self._clock.now(), self._database.next()
        for change in chosen:
            shown = fresh.get(change.key)
            if shown is not None and difference(change.key.aspect, _comparable(change), shown) is None:
                done.append(Observation(change.key, shown, True, 0, seq, seq, now, 0))
            else:
                left.append(change)
        if done:
            self._record.observed(done)
        return left

    def _paired(self, ours: Sequence[OpenChange], sent: Sequence[Change], receipts: Sequence[Receipt]) -> list[Sent]:
        """Every change with its receipt; one that the connector did not speak of is of unknown outcome."""
        by_change = {receipt.change: receipt for receipt in receipts}
        silent = "the answer did not speak of this change"
        return [
            Sent(change, as_sent, by_change.get(change.id, Receipt(change.id, Outcome.UNKNOWN, silent)))
            for change, as_sent in zip(ours, sent, strict=True)
        ]

    def _as_sent(self, change: OpenChange) -> Change:
        return batches.to_send(self._channel, [change], {}, self._config.locations, {}, change.sent_at)[0]


def _comparable(change: OpenChange) -> Plain:
    """The part of a change's value that an observation can be compared with."""
    if change.key.aspect == Aspect.LISTING:
        extra = ("sku", "amount", "currency", "tax", "sellable", "raw")
        return {name: value for name, value in change.after.items() if name not in extra}
    return change.after
