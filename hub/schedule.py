"""The schedule: wakes what may be due, and does the nightly tidying. The only door to APScheduler.

What is due when is a pure function of the walk's cursors and the channels' rhythms; a tick that is missed or late changes
nothing but the moment, and is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from hub import moved
from hub.app import Hub
from hub.forgetting import erase_over
from hub.log import logger
from hub.store import changes, inbox, ledger, parties, requests
from hub.store.database import Tx
from hub.store.parties import Parties

TIDY_SECONDS: Final = 3_600
TIDY_ROWS_MAX: Final = 5_000
DAY_MICROS: Final = 86_400_000_000
RECEIPT_DAYS: Final = 90
REQUEST_DAYS: Final = 30
SHORTEST_SECONDS: Final = 1.0
_log = logger("schedule")


class Schedule:
    """Wakes each channel at the grid of its shortest rhythm and tidies the store every hour."""

    def __init__(self, hub: Hub, wake: Callable[[str], None]) -> None:
        self._hub = hub
        self._wake = wake
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._scheduler.add_listener(self._late, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR)
        for name in hub.channels:
            self._scheduler.add_job(wake, IntervalTrigger(seconds=self._rhythm(name)), args=[name], id=f"wake {name}")
        self._scheduler.add_job(self.tidy, IntervalTrigger(seconds=TIDY_SECONDS), id="tidy")

    def start(self) -> None:
        """Begin; jobs run in threads of the scheduler."""
        self._scheduler.start()

    def stop(self) -> None:
        """End; a tidying that is under way finishes first."""
        self._scheduler.shutdown(wait=True)

    def tidy(self) -> int:
        """Forget what retention says, a bounded number of rows; gives how many."""
        now, hub = self._hub.clock.now(), self._hub.config.hub
        erased = erase_over(self._hub.database, Parties(self._hub.vault, self._hub.clock), hub.people, now)
        if erased:
            _log.info("persons erased, their time is over", count=erased)

        def forget(tx: Tx) -> int:
            return (
                inbox.drop_before(tx, now - hub.inbox_days * DAY_MICROS, TIDY_ROWS_MAX)
                + parties.drop_unkept(tx, TIDY_ROWS_MAX)
                + moved.tidy(tx, now - hub.ledger_days * DAY_MICROS, TIDY_ROWS_MAX)
                + ledger.drop_before(tx, now - hub.ledger_days * DAY_MICROS, TIDY_ROWS_MAX)
                + changes.drop_receipts_before(tx, now - RECEIPT_DAYS * DAY_MICROS, TIDY_ROWS_MAX)
                + requests.drop_before(tx, now - REQUEST_DAYS * DAY_MICROS)
            )

        return erased + self._hub.database.transaction(forget)

    def _rhythm(self, name: str) -> float:
        channel = self._hub.channels[name]
        rhythms = [channel.rhythm(stream) for stream in channel.manifest.streams]
        seconds = [float(s) for r in rhythms for s in (r.poll_seconds, r.sweep_seconds) if s]
        return max(SHORTEST_SECONDS, min(seconds, default=60.0))

    def _late(self, event: JobExecutionEvent) -> None:
        """A tick that was missed, overrun or failed: counted and said, never silent."""
        kind = {EVENT_JOB_MISSED: "missed", EVENT_JOB_MAX_INSTANCES: "overrun"}.get(event.code, "failed")
        _log.warning("tick", kind=kind, job=event.job_id)
        channel = event.job_id.removeprefix("wake ")
        self._hub.database.transaction(lambda tx: ledger.count(tx, {("tick", channel, kind): 1}))
