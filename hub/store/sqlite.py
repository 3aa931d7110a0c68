"""The SQLite engine: WAL with synchronous=FULL, one writer, group commit with a savepoint per unit.

With `threaded`, transactions run on a writer thread of their own and readers have a connection per thread; without, all runs
on the calling thread (tests, kit and simulation), through the same code.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlite_utils

from hub.errors import InvariantError
from hub.store.database import Cell, Database, Row, Statement, Tx, refuse_nul, statement
from hub.store.migrations import MIGRATIONS, SCHEMA_VERSION, migrate

EngineError = sqlite3.OperationalError
"""What this engine raises when it cannot go on: its disk is full, its file is gone."""
DISK_FULL: Final = "database or disk is full"
T = TypeVar("T")
BUSY_SECONDS: Final = 10
UNITS_PER_COMMIT_MAX: Final = 64
QUEUE_MAX: Final = 1_000
UNIT_WAIT_SECONDS_MAX: Final = 120.0
STATEMENTS_KEPT: Final = 1_000
"""Compiled statements a connection keeps: the hub knows some two hundred, and the engine's own 128 are taken up in turn."""


def _key_set(columns: tuple[tuple[str, str], ...]) -> str:
    """The key-set subquery of this engine: a JSON list of rows."""
    picked = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, (name, _) in enumerate(columns))
    return f"(SELECT {picked} FROM json_each(:keys))"


@lru_cache(maxsize=2_000)
def _prepared(text: str) -> tuple[Statement, str]:
    parsed = statement(text)
    keys = _key_set(parsed.key_columns).replace(":keys", f"?{parsed.names.index('keys') + 1}") if parsed.key_columns else ""
    return parsed, parsed.rewritten(lambda _, place: f"?{place + 1}", keys)


class SqliteTx(Tx):
    """Statements on one SQLite connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def query(self, text: str, **values: Cell) -> list[Row]:
        refuse_nul(values.values())
        parsed, sql = _prepared(text)
        return self._connection.execute(sql, [values[name] for name in parsed.names]).fetchall()

    def execute(self, text: str, **values: Cell) -> int:
        refuse_nul(values.values())
        parsed, sql = _prepared(text)
        return self._connection.execute(sql, [values[name] for name in parsed.names]).rowcount

    def many(self, text: str, rows: Sequence[tuple[Cell, ...]]) -> None:
        if rows:
            refuse_nul(chain.from_iterable(rows))
            self._connection.executemany(_prepared(text)[1], rows)


class SqliteDatabase(Database):
    """The hub's store in one SQLite file (or in memory, for tests, when `path` is ":memory:" and not threaded)."""

    def __init__(self, path: Path | str, *, threaded: bool) -> None:
        super().__init__()
        self._path = str(path)
        self._writer = self._connect()
        self._check_durability()
        migrate(_MigrationTx(self._writer), "sqlite")
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._lock = threading.RLock()
        self._queue: queue.Queue[tuple[Callable[[Tx], Any], Future[Any]] | None] = queue.Queue(QUEUE_MAX)
        self._thread: threading.Thread | None = None
        self._inside = False
        if threaded:
            if self._path == ":memory:":
                raise InvariantError("a threaded store needs a file")
            self._thread = threading.Thread(target=self._write_loop, name="store-writer", daemon=True)
            self._thread.start()

    def transaction(self, unit: Callable[[Tx], T]) -> T:
        if self._inside_unit():
            raise InvariantError("the writer was called from the writer")
        self._seam("before transaction")
        if self._thread is None:
            result = self._inline(unit)
        else:
            future: Future[T] = Future()
            self._queue.put((unit, future), timeout=UNIT_WAIT_SECONDS_MAX)
            result = future.result(timeout=UNIT_WAIT_SECONDS_MAX)
        self._seam("after transaction")
        return result

    def read(self, unit: Callable[[Tx], T]) -> T:
        if self._inside_unit():
            raise InvariantError("a read was started inside a transaction")
        self._seam("before read")
        if self._thread is None:
            result = self._look_inline(unit)
        else:
            connection = self._reader()
            connection.execute("BEGIN")
            try:
                result = _run(unit, connection)
            finally:
                connection.execute("ROLLBACK")
        self._seam("after read")
        return result

    def close(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(UNIT_WAIT_SECONDS_MAX)
        for connection in self._readers:
            connection.close()
        self._writer.close()

    def size_bytes(self) -> int:
        if self._path == ":memory:":
            return 0
        return sum(Path(self._path + end).stat().st_size for end in ("", "-wal") if Path(self._path + end).exists())

    def _sequence_lock(self) -> Any:
        return self._lock

    def _inside_unit(self) -> bool:
        return self._inside if self._thread is None else threading.current_thread() is self._thread

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_KEPT,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-65536")
        return connection

    def _reader(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._connect()
            found.execute("PRAGMA query_only=ON")
            self._local.connection = found
            with self._lock:
                self._readers.append(found)
        return found

    def _check_durability(self) -> None:
        synchronous = self._writer.execute("PRAGMA synchronous").fetchone()[0]
        mode = self._writer.execute("PRAGMA journal_mode").fetchone()[0]
        if synchronous != 2 or (self._path != ":memory:" and mode != "wal"):
            raise InvariantError(f"the store is not durable: journal_mode={mode}, synchronous={synchronous}")

    def _look_inline(self, unit: Callable[[Tx], T]) -> T:
        # The connection that writes is not made read-only for it: setting that pragma throws away every compiled statement
        # of the connection (SQLite, documentation of its bytecode: Expire), and each would be compiled anew at each read.
        self._inside, before = True, self._writer.total_changes
        self._writer.execute("BEGIN")
        try:
            result = _run(unit, self._writer)
        finally:
            self._writer.execute("ROLLBACK")
            self._inside = False
        if self._writer.total_changes != before:
            raise InvariantError("a read is read-only, and this one wrote")
        return result

    def _inline(self, unit: Callable[[Tx], T]) -> T:
        self._inside = True
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                result = _run(unit, self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
        finally:
            self._inside = False
        return result

    def _write_loop(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            units = [first]
            ended = False
            while len(units) < UNITS_PER_COMMIT_MAX and not self._queue.empty():
                following = self._queue.get_nowait()
                if following is None:
                    ended = True
                    break
                units.append(following)
            self._commit_group(units)
            if ended:
                return

    def _commit_group(self, units: list[tuple[Callable[[Tx], Any], Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for unit, future in units:
                done.append((future, *self._in_savepoint(unit)))
            self._writer.execute("COMMIT")
        except BaseException as bad:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            for _, future in units:
                future.set_exception(bad)
            return
        for future, result, failure in done:
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)

    def _in_savepoint(self, unit: Callable[[Tx], Any]) -> tuple[Any, BaseException | None]:
        self._writer.execute("SAVEPOINT unit")
        try:
            result = _run(unit, self._writer)
        except Exception as bad:
            # A full disk ends the whole transaction: then no unit of this group may be called done.
            if not self._writer.in_transaction:
                raise
            self._writer.execute("ROLLBACK TO unit")
            self._writer.execute("RELEASE unit")
            return None, bad
        self._writer.execute("RELEASE unit")
        return result, None


def _run(unit: Callable[[Tx], T], connection: sqlite3.Connection) -> T:
    """The unit's result; InvariantError for a statement that this store can never run, without its values."""
    try:
        return unit(SqliteTx(connection))
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError) as bad:
        raise InvariantError(f"the store refused a statement: {bad}") from None
    except OverflowError:
        raise InvariantError("the store refused a statement: a number of more than 64 bits") from None


class _MigrationTx:
    """What migrations need of this engine: run, look, and say which tables exist (by sqlite-utils)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._inspect = sqlite_utils.Database(connection, execute_plugins=False)

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def tables(self) -> set[str]:
        return set(self._inspect.table_names())

    def run(self, text: str) -> None:
        self._connection.execute(text)

    def version(self) -> int:
        return int(self._connection.execute("SELECT coalesce(max(version), 0) FROM schema_versions").fetchone()[0])


__all__ = ["MIGRATIONS", "SCHEMA_VERSION", "SqliteDatabase", "SqliteTx"]
