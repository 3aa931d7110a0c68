"""The only worker on a PostgreSQL store: a lock that the server holds for as long as a session lives, and a number that says
whose turn it is.

A worker that was paused or cut off for so long that the server gave its lock to another has an old number: its next transaction
finds that, and writes nothing more.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, Final

import psycopg

from hub.clock import Clock
from hub.errors import ConfigError
from hub.store.turns import TAKE_TURN, WHOSE_TURN

WORKER_LOCK: Final = 0x53414D57
GLANCE_SECONDS: Final = 0.2
WORDS: Final = "another worker is at work on this store"
_TAKE: Final = b"SELECT pg_try_advisory_lock($1::int, hashtext(current_schema()::text))"
_GIVE: Final = b"SELECT pg_advisory_unlock_all()"
_TURN: Final = TAKE_TURN.encode()
_WHOSE: Final = WHOSE_TURN.encode()


class Sole:
    """Takes the lock, and looks whether it is still held. `settings` are those of the store's own connections."""

    def __init__(self, settings: dict[str, Any], clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._session: psycopg.Connection[Any] | None = None
        # Every channel asks before it writes, and the worker asks every second.
        self._asking = threading.RLock()
        self.number = 0
        """Whose turn it is, while it is ours."""

    def take(self, wait_seconds: float) -> int:
        """Our number, once nobody else works on this store; ConfigError when another worker keeps it for so long."""
        ends = self._clock.monotonic() + wait_seconds
        while not self._locked():
            if self._clock.monotonic() >= ends:
                self.give()
                raise ConfigError(WORDS)
            self._clock.sleep(GLANCE_SECONDS)
        assert self._session is not None
        self.number = int(self._session.execute(_TURN).fetchall()[0][0])
        return self.number

    def certain(self) -> bool:
        """Whether the lock is ours at this very moment, as the server says; where it cannot be asked, nobody knows."""
        with self._asking:
            try:
                if self._session is None or self._session.closed:
                    return False
                self._session.execute(b"SELECT 1")
            except psycopg.Error:
                self._close()
                return False
            return True

    def holds(self) -> bool:
        """Whether nobody has taken the store over. While the server cannot be asked nobody can: then it is still ours."""
        with self._asking:
            return self._holds()

    def _holds(self) -> bool:
        try:
            if self._session is not None and not self._session.closed:
                self._session.execute(b"SELECT 1")
                return True
        except psycopg.Error:
            self._close()
        try:
            ours = self._locked() and self._turn() == self.number
            if not ours:
                # Looked at again next time, and never taken for the lock that was ours.
                self._close()
            return ours
        except psycopg.Error:
            self._close()
            return True

    def give(self) -> None:
        """Let others take it."""
        self.number = 0
        if self._session is not None:
            # A session that is closed keeps its lock until the server has noticed.
            with suppress(psycopg.Error):
                self._session.execute(_GIVE)
        self._close()

    def _locked(self) -> bool:
        if self._session is None:
            self._session = psycopg.connect(**self._settings)
        return bool(self._session.execute(_TAKE, [WORKER_LOCK]).fetchall()[0][0])

    def _turn(self) -> int:
        assert self._session is not None
        return int(self._session.execute(_WHOSE).fetchall()[0][0])

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = None
