"""One channel's turn: a page, a look-up or a batch, then choose again. What follows a failure is the walk's `match`.

Order: what became of changes first (handles, unknown outcomes), then pushes, then look-ups, then due pages; sweeps leave a part
of the pace for pushes. While a queue of pushes stands, news gets its turn all the same. No wait above the short one is slept: it
becomes a time in the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final, Literal

from hub.canonical.json import write_json
from hub.channel import ORDERS, Channel
from hub.clock import Clock
from hub.errors import ChannelError, HubError, ThrottledError
from hub.intake.poll import Poll
from hub.log import logger
from hub.observed import Observed
from hub.push.choose import is_rise, next_at
from hub.push.dispatch import Dispatch
from hub.sdk.contract import Notices
from hub.settings.model import Config
from hub.store import changes, channels, cursors, dirty, ledger
from hub.store.changes import OpenChange
from hub.store.channels import LookUp
from hub.store.cursors import Kind, Reading
from hub.store.database import Database, Tx
from hub.store.vault import Vault
from hub.subscriptions import Subscriptions
from hub.walk import Step, Walk, next_step

BACKOFF_SECONDS: Final = 1.0
BACKOFF_SECONDS_MAX: Final = 300.0
LOOK_UPS_MAX: Final = 1_000
LOOK_UP_ATTEMPTS_MAX: Final = 20
REST_SECONDS_MAX: Final = 60.0
BARRIER_WAIT_MICROS: Final = 200_000
PUSHES_BEFORE_NEWS: Final = 4
"""So many batches at most go before a look-up or a page that is due: a sale that nobody reads is sold again elsewhere."""
CUT_OFF_WAIT_MICROS: Final = 5_000_000
"""A first listing that was cut short is begun anew after this long."""

Did = Literal["worked", "rests"]
_log = logger("turn")


class Turn:
    """Works for one channel; `step` does one thing and says whether there may be more."""

    def __init__(
        self, channel: Channel, config: Config, database: Database, vault: Vault, clock: Clock, walk: Walk, observed: Observed
    ) -> None:
        self._channel = channel
        self._database = database
        self._clock = clock
        self._walk = walk
        self._poll = Poll(channel, database, vault, clock)
        self._dispatch = Dispatch(channel, config, database, clock, observed)
        self.subscriptions = Subscriptions(channel, config.hub.server.public_url, database, clock)
        self._failures = 0
        self._bucket_kept = ""
        self._restored = False
        self._noticed: tuple[str, ...] = ()
        """What the connector wants a person to know, as the store has it."""
        self._pushes = 0
        """Batches that went since something was looked up or read."""
        self._looks_first = True
        self._paced = False
        """Whether the client's bucket was taken up from the store: from then on it knows more than the store does."""

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._channel.name

    def step(self) -> Did:
        """Do the next thing for this channel; "rests" when nothing is due now."""
        try:
            return self._step()
        except Exception:
            # What was being done is half done, and what came of it may not be stored: the next one begins as after a start.
            self._restored = False
            raise

    def _step(self) -> Did:
        if not self._restored:
            self._restore()
        state = self._database.read(lambda tx: channels.state(tx, self.name))
        if state.paused_by or state.paused_until > self._clock.now():
            return "rests"
        failures = self._failures
        try:
            did = self._settle_outcomes() or self._news() or self._push() or self._subscribe() or self._look_up() or self._read()
        except ChannelError as bad:
            self._failed(bad)
            return "rests"
        # A push that failed is something done as well, but no sign that the channel is in order again.
        if did and self._failures == failures:
            self._failures = 0
        if did:
            self._notice()
        self._keep_pace(0)
        return "worked" if did else "rests"

    def rests_until(self) -> int:
        """When the next thing is due for this channel (microseconds), at most a minute from now."""
        now = self._clock.now()
        latest = now + round(REST_SECONDS_MAX * 1_000_000)
        state = self._database.read(lambda tx: channels.state(tx, self.name))
        if state.paused_by:
            return latest
        times = [latest]
        waiting = next_at(self._dispatch.waiting())
        look_up = self._database.read(lambda tx: channels.next_look_up_at(tx, self.name))
        times += [at for at in (waiting, look_up, self.subscriptions.next_at()) if at is not None]
        times += [at for _, _, at in self._readings(now)]
        return max(min(times), state.paused_until, now)

    # what there is to do

    def _news(self) -> bool:
        """A look-up or a poll that is due although changes wait, in turns, once enough of these went before; sweeps can wait."""
        if self._pushes < PUSHES_BEFORE_NEWS:
            return False
        did = (self._looks_first and self._look_up()) or self._read(("poll",)) or self._look_up()
        # Only now: what the pace refused is tried again.
        self._looks_first, self._pushes = not self._looks_first, 0
        return did

    def _settle_outcomes(self) -> bool:
        did = self._dispatch.follow() or self._dispatch.resolve()
        self._read_what_sold()
        return did

    def _push(self) -> bool:
        # In rehearsal nothing is intended by itself: what waits then was applied by a person from a plan.
        if self._channel.settings.mode == "observe":
            return False
        chosen = self._behind_barrier(self._dispatch.next_batch())
        if not chosen:
            return False
        self._channel.client.leave_tokens = 0.0
        try:
            self._dispatch.send(chosen)
        except ChannelError as bad:
            self._push_failed(bad, chosen)
        self._pushes += 1
        self._read_what_sold()
        return True

    def _read_what_sold(self) -> None:
        """A look has found that customers bought unheard: their orders are read at once."""
        if self._dispatch.fell:
            self._dispatch.fell = False
            self._walk.read_now.add((self.name, ORDERS))

    def _behind_barrier(self, chosen: list[OpenChange]) -> list[OpenChange]:
        """Only what may go now: a rise where customers buy waits until the orders were read past what was observed."""
        rises = [c for c in chosen if is_rise(c)] if self._channel.takes_orders else []
        if not rises:
            return chosen
        last = max(change.observed_at for change in rises)
        if self._database.read(lambda tx: cursors.read_past(tx, self.name, ORDERS, last)):
            return chosen
        if not self._database.read(lambda tx: cursors.pages_past(tx, self.name, ORDERS, last)):
            # What was read and only waits to be understood is not read again: a slow platform would be read for ever.
            self._walk.read_now.add((self.name, ORDERS))
        later = self._clock.now() + BARRIER_WAIT_MICROS
        self._dispatch.postpone(rises, later)
        waiting = {change.id for change in rises}
        return [change for change in chosen if change.id not in waiting]

    def _push_failed(self, bad: ChannelError, chosen: list[OpenChange]) -> None:
        step = next_step(bad)
        if step == Step.STOP:
            raise bad
        retry_at = self._retry_at(bad)
        self._dispatch.failed(chosen, str(step), bad.message, retry_at)
        if step in (Step.AGAIN, Step.WAIT, Step.PAUSE, Step.UNKNOWN):
            self._failed(bad)

    def answer(self) -> bool:
        """Answer what a person asked about this channel's subscriptions, and nothing else; False when nothing waits."""
        return self.subscriptions.next_at() == 0 and self._subscribe()

    def _subscribe(self) -> bool:
        """Look after the subscriptions; what a broken one did not tell is read at once."""
        self.subscriptions.untold = self.subscriptions.untold or self._walk.told.untold.pop(self.name, False)
        self._channel.client.leave_tokens = 0.0
        mended = self.subscriptions.step()
        if mended and self._channel.manifest.deliveries is not None:
            self._walk.read_now |= {(self.name, topic.stream) for topic in self._channel.manifest.deliveries.topics.values()}
        return mended is not None

    def _look_up(self) -> bool:
        now = self._clock.now()
        due = self._database.read(lambda tx: channels.due_look_ups(tx, self.name, now, LOOK_UPS_MAX))
        due = self._forget_hopeless(due)
        if not due:
            return False
        stream = due[0].stream
        declared = self._channel.manifest.streams.get(stream)
        mine = [each for each in due if each.stream == stream]
        if declared is None or not declared.look_up:
            self._database.transaction(lambda tx: channels.looked_up(tx, mine))
            return True
        mine = mine[: declared.look_up_max]
        self._channel.client.leave_tokens = 0.0
        try:
            self._poll.look_up(stream, mine)
        except ChannelError as bad:
            retry_at = self._retry_at(bad)
            self._database.transaction(lambda tx: channels.postpone_look_ups(tx, mine, retry_at))
            raise
        self._pushes = 0
        return True

    def _forget_hopeless(self, due: list[LookUp]) -> list[LookUp]:
        """A look-up that failed too often is given up: the next sweep reads the listing anyway. What is known of it is compared
        anew: whoever asked gave a change up for it, and a sweep that says the same as before makes nobody compare."""
        hopeless = [each for each in due if each.attempts >= LOOK_UP_ATTEMPTS_MAX]
        if hopeless:
            mark = self._database.next()

            def give_up(tx: Tx) -> None:
                channels.looked_up(tx, hopeless)
                dirty.mark(tx, [(dirty.LISTING, self.name, each.id) for each in hopeless], mark)

            self._count("look_up_given_up", "", len(hopeless), give_up)
        return [each for each in due if each.attempts < LOOK_UP_ATTEMPTS_MAX]

    def _read(self, kinds: tuple[Kind, ...] = ("poll", "sweep")) -> bool:
        now = self._clock.now()
        due = [each for each in self._readings(now) if each[2] <= now and each[1] in kinds]
        if not due:
            return False
        stream, kind, at = due[0]
        pace = self._channel.manifest.pace
        self._channel.client.leave_tokens = float(pace.reserve_for_push) * pace.burst if kind == "sweep" else 0.0
        # A hint that comes while the page is being read asks for another one.
        asked = (self.name, stream) in self._walk.read_now
        self._walk.read_now.discard((self.name, stream))
        try:
            self._poll.page(stream, kind)
        except Exception:
            if asked:
                self._walk.read_now.add((self.name, stream))
            raise
        finally:
            self._channel.client.leave_tokens = 0.0
        self._count_missed(stream, kind, now - at)
        self._pushes = 0
        return True

    def _count_missed(self, stream: str, kind: Kind, late: int) -> None:
        """Ticks that passed while the channel was down, paused or busy: one reading makes up for all, and they are counted."""
        rhythm = self._channel.rhythm(stream)
        every = int((rhythm.sweep_seconds if kind == "sweep" else rhythm.poll_seconds) * 1_000_000)
        missed = late // every if every else 0
        if missed:
            self._count("tick", f"missed {kind} of {stream}", missed, lambda _: None)

    def _readings(self, now: int) -> list[tuple[str, Kind, int]]:
        """Every reading of this channel with the time at which it is due, the earliest first."""
        known = self._database.read(lambda tx: cursors.readings(tx, self.name))
        due: list[tuple[str, Kind, int]] = []
        for stream, declared in self._channel.manifest.streams.items():
            rhythm = self._channel.rhythm(stream)
            sweep = known.get((self.name, stream, "sweep"))
            if sweep is None or not sweep.completed_at:
                fresh = sweep is None or sweep.under_way
                due.append((stream, "sweep", now if fresh or sweep is None else sweep.started_at + CUT_OFF_WAIT_MICROS))
                continue
            if sweep.under_way:
                due.append((stream, "sweep", now))
            elif rhythm.sweep_seconds:
                due.append((stream, "sweep", sweep.started_at + round(rhythm.sweep_seconds * 1_000_000)))
            if not declared.poll:
                if (self.name, stream) in self._walk.read_now and not sweep.under_way:
                    due.append((stream, "sweep", now))
                continue
            poll = known.get((self.name, stream, "poll"))
            due.append((stream, "poll", self._poll_at(poll, stream, float(rhythm.poll_seconds), now)))
        return sorted((each for each in due if each[2] >= 0), key=lambda each: (each[2], each[1], each[0]))

    def _poll_at(self, poll: Reading | None, stream: str, poll_seconds: float, now: int) -> int:
        if poll is None or poll.under_way or (self.name, stream) in self._walk.read_now:
            return now
        return poll.started_at + int(poll_seconds * 1_000_000) if poll_seconds else -1

    # failures and pace

    def _failed(self, bad: ChannelError) -> None:
        """Carry out what a failure means for the channel as a whole; the others go on."""
        step = next_step(bad)
        if step == Step.STOP:
            raise bad
        now = self._clock.now()
        if step == Step.PAUSE:
            words = f"{channels.LOGIN_REFUSED}: {bad.message}"[:300]
            _log.error("channel paused", channel=self.name, reason=words)
            self._count("paused", "unauthorized", 1, lambda tx: channels.pause(tx, self.name, words))
            return
        if step == Step.WAIT:
            self._count("throttled", "", 1, lambda _: None)
        else:
            self._failures += 1
            _log.warning("channel failed", channel=self.name, failures=self._failures, reason=str(bad)[:300])
            self._count("failed", type(bad).__name__, 1, lambda _: None)
        self._keep_pace(max(self._retry_at(bad), now))

    def _retry_at(self, bad: HubError) -> int:
        now = self._clock.now()
        if isinstance(bad, ThrottledError):
            seconds = bad.retry_after_seconds if bad.retry_after_seconds is not None else BACKOFF_SECONDS
            return now + round(seconds * 1_000_000)
        seconds = min(BACKOFF_SECONDS * 2.0 ** min(self._failures, 10), BACKOFF_SECONDS_MAX)
        return now + round(seconds * (0.5 + self._clock.fraction() / 2) * 1_000_000)

    def _keep_pace(self, paused_until: int) -> None:
        bucket = self._channel.client.bucket
        state = write_json(bucket.state())
        until = max(paused_until, bucket.paused_until)
        if paused_until or until > self._clock.now() or self._bucket_kept == "":
            failures = self._failures
            self._database.transaction(lambda tx: channels.save_pace(tx, self.name, state, until, failures))
            self._bucket_kept = state

    def _restore(self) -> None:
        state, self._noticed = self._database.read(
            lambda tx: (channels.state(tx, self.name), ledger.standing(tx, ledger.NOTICE, self.name))
        )
        if state.bucket and not self._paced:
            self._channel.client.bucket.restore(json.loads(state.bucket))
        self._paced = True
        self._failures = state.failures
        self._dispatch.recover()
        if self._channel.settings.mode != "live":
            self._database.transaction(lambda tx: changes.withdraw_own(tx, self.name))
        self._restored = True

    def _notice(self) -> None:
        """What the connector wants a person to know stands in the status for as long as it lasts."""
        connector = self._channel.connector
        words = tuple(sorted(connector.notices)) if isinstance(connector, Notices) else ()
        if words != self._noticed:
            self._database.transaction(lambda tx: ledger.stand(tx, ledger.NOTICE, self.name, words))
            self._noticed = words

    def _count(self, name: str, what: str, number: int, also: Callable[[Tx], None]) -> None:
        def keep(tx: Tx) -> None:
            ledger.count(tx, {(name, self.name, what): number})
            also(tx)

        self._database.transaction(keep)
