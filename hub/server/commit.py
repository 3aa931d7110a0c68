"""Group commit: the event loop collects verified deliveries, one writer thread commits them, one wake-up answers them all.

At most one batch is with the writer; what arrives meanwhile is the next batch. The loop side and the writer side share
nothing but the batches that they hand to each other.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from hub import metrics
from hub.clock import Clock
from hub.intake.receive import Became
from hub.server.limits import Limits
from hub.store.deliveries import DeliveryStore, NewDelivery, read_position

log: Final = logging.getLogger("samklang.intake")
OPEN_SECONDS_MAX: Final = 30.0


class QueueFullError(Exception):
    """No room: ask the platform to come back."""


class NotStoredError(Exception):
    """The commit failed: nothing was stored."""


class Batch(NamedTuple):
    """Deliveries for one commit, each with the future of its request; no deliveries at all is a probe of the disk."""

    rows: list[NewDelivery]
    waiting: list[asyncio.Future[int]]


class Tidy(NamedTuple):
    """Time to write counts down and drop what was copied; how often each (channel, verdict) occurred since the last."""

    tally: Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Intake:
    """What a receiver is told about its store: `position` is the worker's file, `wake_fd` is written to after each commit.

    `before_commit` and `trace` are for tests: the writer calls `before_commit()` before and `trace("committed", seq)` after
    each commit, the loop `trace("answering", seq)` right before an answer.
    """

    store: Callable[[], DeliveryStore]
    position: Path
    wake_fd: int = -1
    before_commit: Callable[[], None] | None = None
    trace: Callable[[str, int], None] | None = None


class GroupCommit:
    """The loop's side: a bounded queue of deliveries. `start` and `stop` belong to the thread that runs the loop."""

    def __init__(self, intake: Intake, limits: Limits, clock: Clock) -> None:
        self.tally: Counter[tuple[str, str]] = Counter()
        """How often each (channel, verdict) occurred since the writer was last told; only the loop may touch it."""
        self.trace = intake.trace
        self._limits = limits
        self._writer = Writer(intake, limits, clock, self._settled)
        self._rows: list[NewDelivery] = []
        self._waiting: list[asyncio.Future[int]] = []
        self._held = 0
        self._held_bytes = 0
        self._writing: Batch | None = None
        self._writing_since = 0.0
        self._due = False
        self._last_size = 1
        self._drained: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop

    def start(self) -> None:
        """Open the store; what prevents that is raised here, before anything listens."""
        self._writer.start()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say which loop the requests run on; from now on the writer is told to tidy up at intervals."""
        self._loop = loop
        self._writer.loop = loop
        self._tidy()

    @property
    def full(self) -> bool:
        """No room for another delivery."""
        limits = self._limits
        return (
            self._held >= limits.queue_max
            or self._held_bytes >= limits.queue_bytes_max
            or self._writer.behind > limits.behind_max
        )

    def submit(self, row: NewDelivery) -> asyncio.Future[int]:
        """The future of this delivery's sequence number, done after its commit; QueueFullError when there is no room."""
        if self.full:
            raise QueueFullError
        self._held += 1
        self._held_bytes += len(row.body)
        future = self._loop.create_future()
        self._rows.append(row)
        self._waiting.append(future)
        if not self._due and self._writing is None:
            self._schedule()
        return future

    async def probe(self) -> None:
        """Returns after a trifle was committed; NotStoredError or TimeoutError when commits do not get through."""
        future = self._loop.create_future()
        self._writer.take(Batch([], [future]))
        async with asyncio.timeout(self._limits.ready_seconds):
            await future

    async def flush(self) -> None:
        """Returns when everything submitted is committed (or has failed), at the latest after `stop_seconds`."""
        if self._held:
            self._drained = self._loop.create_future()
            self._hand_over()
            await asyncio.wait([self._drained], timeout=self._limits.stop_seconds)

    def stop(self) -> None:
        """End the writer after what it holds."""
        self._writer.take(Tidy(self.tally))
        self._writer.stop()

    def _tidy(self) -> None:
        metrics.gauge("intake_queue", self._held)
        self._writer.take(Tidy(self.tally))
        self.tally = Counter()
        if self._writing is not None and self._loop.time() - self._writing_since > self._limits.commit_seconds_max:
            self._give_up([*self._writing.waiting, *self._waiting])
        self._loop.call_later(self._limits.tidy_seconds, self._tidy)

    def _give_up(self, waiting: list[asyncio.Future[int]]) -> None:
        """The disk (or the writer) hangs: tell everyone to come back. What is stored after all is then delivered twice."""
        for future in waiting:
            if not future.done():
                future.set_exception(NotStoredError())

    def _schedule(self) -> None:
        """Wait for company only where there was some: a lone delivery is committed at once."""
        self._due = True
        if self._last_size > 1:
            self._loop.call_later(self._limits.commit_wait_seconds, self._hand_over)
        else:
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._due = False
        if self._writing is not None or not self._rows:
            return
        most = self._limits.commit_rows_max
        batch = Batch(self._rows[:most], self._waiting[:most])
        self._rows, self._waiting = self._rows[most:], self._waiting[most:]
        self._writing = batch
        self._writing_since = self._loop.time()
        self._last_size = len(batch.rows)
        self._writer.take(batch)

    def _settled(self, batch: Batch, first: int, stored: bool) -> None:
        """On the loop: answer everyone of the batch, then hand over what has come meanwhile."""
        for seq, future in enumerate(batch.waiting, first):
            if future.done():
                continue  # Its request was given up.
            if stored:
                future.set_result(seq)
            else:
                future.set_exception(NotStoredError())
        if batch.rows:
            self._held -= len(batch.rows)
            self._held_bytes -= sum(len(row.body) for row in batch.rows)
            self._writing = None
            if stored:
                for channel, number in Counter(row.channel for row in batch.rows).items():
                    self.tally[channel, Became.STORED] += number
            if self._rows:
                self._schedule()
        if self._drained is not None and not self._held and not self._drained.done():
            self._drained.set_result(None)


class Writer:
    """The other side: one thread that owns the store, takes batches in order and says on the loop how each one went."""

    def __init__(self, intake: Intake, limits: Limits, clock: Clock, settled: Callable[[Batch, int, bool], None]) -> None:
        self.loop: asyncio.AbstractEventLoop
        self.behind = 0
        """How many deliveries the worker has not copied, as of the last tidying."""
        self._intake = intake
        self._limits = limits
        self._clock = clock
        self._settled = settled
        self._batches: queue.SimpleQueue[Batch | Tidy | None] = queue.SimpleQueue()
        self._opened = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="intake-writer", daemon=True)

    def start(self) -> None:
        """Open the store on the thread; what prevents that is raised here."""
        self._thread.start()
        if not self._opened.wait(OPEN_SECONDS_MAX):
            raise NotStoredError("the store did not open in time")
        if self._failure is not None:
            raise self._failure

    def take(self, work: Batch | Tidy) -> None:
        """Queue it; the loop's side bounds how much that can be."""
        self._batches.put(work)

    def stop(self) -> None:
        """Returns when all that was taken is done and the store is closed, at the latest after `stop_seconds`."""
        self._batches.put(None)
        self._thread.join(self._limits.stop_seconds)

    def _run(self) -> None:
        try:
            store = self._intake.store()
        except BaseException as bad:
            self._failure = bad
            return
        finally:
            self._opened.set()
        try:
            while (work := self._batches.get()) is not None:
                if isinstance(work, Tidy):
                    self._tidy(store, work.tally)
                else:
                    self._commit(store, work)
        finally:
            store.close()

    def _commit(self, store: DeliveryStore, batch: Batch) -> None:
        first, stored = 0, True
        try:
            if self._intake.before_commit is not None:
                self._intake.before_commit()
            if batch.rows:
                first = store.append(batch.rows)
            else:
                store.probe()
        except Exception as bad:
            log.error("a commit of %d deliveries failed: %s", len(batch.rows), type(bad).__name__)
            stored = False
        if stored and batch.rows:
            self._tell(first, len(batch.rows))
        try:
            self.loop.call_soon_threadsafe(self._settled, batch, first, stored)
        except RuntimeError:
            # The loop has ended: nobody waits for the answer any more.
            log.warning("%d deliveries were committed after the server had stopped", len(batch.rows))

    def _tell(self, first: int, rows: int) -> None:
        if self._intake.trace is not None:
            for seq in range(first, first + rows):
                self._intake.trace("committed", seq)
        if self._intake.wake_fd >= 0:
            try:
                os.write(self._intake.wake_fd, b"\0")
            except OSError:
                pass  # Full: it is awake anyway. Closed: it will look by itself.
        metrics.count("intake_commits")
        metrics.observe("intake_commit_rows", rows)

    def _tidy(self, store: DeliveryStore, tally: Counter[tuple[str, str]]) -> None:
        position = read_position(self._intake.position)
        self.behind = store.last_seq - position
        for (channel, verdict), number in tally.items():
            metrics.count("deliveries", number, channel=channel, verdict=verdict)
        try:
            if tally:
                store.count(tally)
            store.drop_through(position, self._clock.now() - self._limits.keep_seconds * 1_000_000)
        except Exception as bad:
            log.error("%d counts were not written down: %s", tally.total(), type(bad).__name__)
