"""Where a test's store lives, and its doors."""

from __future__ import annotations

from pathlib import Path

from hub.clock import SystemClock
from hub.store.database import Database
from hub.store.open import open_database


class Place:
    """Where one test's store lives: `open` gives another door to the same store, as another process would have it."""

    def __init__(self, engine: str, where: str | Path) -> None:
        self.engine = engine
        self.where = where
        self._opened: list[Database] = []

    @property
    def shared_by_threads(self) -> bool:
        return self.engine != "sqlite-inline"

    def open(self) -> Database:
        opened = open_database(self.where, clock=SystemClock(), threaded=self.engine != "sqlite-inline")
        self._opened.append(opened)
        return opened

    def close(self, database: Database) -> None:
        self._opened.remove(database)
        database.close()

    def close_all(self) -> None:
        while self._opened:
            self._opened.pop().close()
