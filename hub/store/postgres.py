"""The PostgreSQL engine: any number of processes on one store, through psycopg's synchronous interface and a pool.

Writers take turns, as SQLite's one writer does: a write transaction first takes the gate, so it never reads what another is
about to change. Measured (two cores, 200 keys read and written a unit, 4 writers on overlapping keys): 422 units a second
through the gate, 226 with SERIALIZABLE, 246 with REPEATABLE READ alone, and up to 29 repetitions of one unit without it; on
keys of their own 377, 182 and 379. Reads see one snapshot and wait for nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool, PoolTimeout

from hub.clock import Clock
from hub.errors import ConfigError, InvariantError
from hub.store.database import Cell, Database, Row, Statement, Tx, statement
from hub.store.migrations import migrate
from hub.store.sole import Sole
from hub.store.turns import refuse_former

T = TypeVar("T")
Connection = psycopg.Connection[Row]

CONNECTIONS_MAX: Final = 16
CONNECTION_WAIT_SECONDS_MAX: Final = 30.0
CONNECT_SECONDS_MAX: Final = 10
STATEMENT_SECONDS_MAX: Final = 60
TURN_SECONDS_MAX: Final = 30
"""How long a writer waits for its turn, and how long one that fell silent inside its turn keeps it."""
TX_ATTEMPTS_MAX: Final = 8
REPEAT_WAIT_SECONDS: Final = 0.02
REPEAT_WAIT_SECONDS_MAX: Final = 2.0
PREPARED_MAX: Final = 500
SERVER_VERSION_MIN: Final = 140_000
MIGRATION_LOCK: Final = 0x53414D4B

BEGIN_WRITE: Final = (
    b"BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE schema_versions IN EXCLUSIVE MODE; "
    b"SELECT pg_current_xact_id()::text, (SELECT value FROM sequence WHERE name = 'worker')"
)
"""The gate is a table lock because LOCK takes no snapshot: what the unit reads is what the writer before it committed.
The number of the transaction tells, when the connection breaks during the commit, whether it counted."""
BEGIN_READ: Final = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
NUMBERS: Final = (
    b"INSERT INTO sequence (name, value) VALUES ('hub', $1) "
    b"ON CONFLICT (name) DO UPDATE SET value = sequence.value + $1 RETURNING value"
)
_REPEATED: Final = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
_OURS: Final = (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError, psycopg.NotSupportedError)


class _BoolDumper(Int8Dumper):
    """Booleans are 0/1 in every engine."""

    def dump(self, obj: Any) -> Any:
        return super().dump(int(obj))


def _key_set(columns: tuple[tuple[str, str], ...], place: int) -> str:
    """The key-set subquery of this engine: a JSON list of rows."""
    picked = ", ".join(
        f"(value ->> {index})::bigint AS {name}" if kind == "bigint" else f"value ->> {index} AS {name}"
        for index, (name, kind) in enumerate(columns)
    )
    return f"(SELECT {picked} FROM json_array_elements(${place + 1}::json))"


@lru_cache(maxsize=2_000)
def _prepared(text: str) -> tuple[Statement, bytes]:
    parsed = statement(text)
    keys = _key_set(parsed.key_columns, parsed.names.index("keys")) if parsed.key_columns else ""
    return parsed, parsed.rewritten(lambda _, place: f"${place + 1}", keys).encode()


class PostgresTx(Tx):
    """Statements on one PostgreSQL connection."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = connection.cursor(binary=True)

    def query(self, text: str, **values: Cell) -> list[Row]:
        parsed, sql = _prepared(text)
        return self._cursor.execute(sql, [values[name] for name in parsed.names]).fetchall()

    def execute(self, text: str, **values: Cell) -> int:
        parsed, sql = _prepared(text)
        return self._cursor.execute(sql, [values[name] for name in parsed.names]).rowcount

    def many(self, text: str, rows: Sequence[tuple[Cell, ...]]) -> None:
        if rows:
            self._cursor.executemany(_prepared(text)[1], rows)


class _Doubt:
    """A commit whose answer never came: the transaction's number, and what its unit gave."""

    def __init__(self, number: str, result: object) -> None:
        self.number = number
        self.result = result


class PostgresDatabase(Database):
    """The hub's store in one PostgreSQL database (in the first schema of its search path).

    ConfigError when it cannot be used; ConnectionError when it stays away while the hub runs.
    """

    def __init__(self, url: str, *, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._local = threading.local()
        settings = _settings(url)
        self._where = _where(settings)
        self._sole = Sole(settings, clock)
        try:
            with psycopg.connect(**settings) as connection:
                _check_server(connection)
                migrate(_MigrationTx(connection), "postgresql")
        except psycopg.Error as bad:
            raise ConfigError(f"the store at {self._where} cannot be used: {_opening_words(bad, settings)}") from None
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            "",
            kwargs=settings,
            min_size=1,
            max_size=CONNECTIONS_MAX,
            timeout=CONNECTION_WAIT_SECONDS_MAX,
            configure=_configure,
            name="store",
            open=True,
        )

    def transaction(self, unit: Callable[[Tx], T]) -> T:
        if self._inside_unit():
            raise InvariantError("the writer was called from the writer")
        self._seam("before transaction")
        doubt: list[_Doubt] = []
        result = self._repeated(lambda connection: self._write(connection, unit, doubt))
        self._seam("after transaction")
        return result

    def read(self, unit: Callable[[Tx], T]) -> T:
        if self._inside_unit():
            raise InvariantError("a read was started inside a transaction")
        self._seam("before read")
        result = self._repeated(lambda connection: self._look(connection, unit))
        self._seam("after read")
        return result

    def next_block(self, count: int) -> range:
        """That many consecutive sequence numbers, larger than every one that any process drew before.

        Drawn singly, not in blocks kept by a process: "which is later?" is asked across processes.
        """
        if self._inside_unit():
            raise InvariantError("sequence numbers are drawn before a transaction, not inside one")
        end = self._repeated(lambda connection: int(connection.execute(NUMBERS, [count]).fetchall()[0][0]))
        return range(end - count + 1, end + 1)

    @contextmanager
    def alone(self, wait_seconds: float) -> Iterator[None]:
        self._sole.take(wait_seconds)
        try:
            yield
        finally:
            self._sole.give()

    def still_alone(self) -> bool:
        return not self._sole.number or self._sole.holds()

    def may_write(self) -> bool:
        return not self._sole.number or self._sole.certain()

    def close(self) -> None:
        self._pool.close()

    def size_bytes(self) -> int:
        return self._repeated(lambda c: int(c.execute(b"SELECT pg_database_size(current_database())").fetchall()[0][0]))

    def _sequence_lock(self) -> Any:
        raise InvariantError("this engine draws its numbers from the server")

    def _inside_unit(self) -> bool:
        return bool(getattr(self._local, "inside", False))

    def _repeated(self, work: Callable[[Connection], T]) -> T:
        """Work on a connection; again after what may pass: no connection, a broken one, a conflict with another writer."""
        for attempt in range(1, TX_ATTEMPTS_MAX + 1):
            try:
                with self._connection() as connection:
                    return self._once(connection, work)
            except (_MayPass, PoolTimeout) as bad:
                if attempt == TX_ATTEMPTS_MAX or isinstance(bad, PoolTimeout):
                    raise ConnectionError(f"the store at {self._where} failed {attempt} times, last: {bad}") from None
                if isinstance(bad, _ConnectionLost):
                    # After a restart of the server every idle connection is as dead as this one.
                    self._pool.check()
                longest = min(REPEAT_WAIT_SECONDS * 2**attempt, REPEAT_WAIT_SECONDS_MAX)
                self._clock.sleep(longest * (0.5 + self._clock.fraction() / 2))
        raise InvariantError("unreachable")

    def _once(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        self._local.inside = True
        try:
            return work(connection)
        except psycopg.Error as bad:
            if connection.closed:
                raise _ConnectionLost(_words(bad)) from None
            if isinstance(bad, _REPEATED):
                raise _MayPass(_words(bad)) from None
            if isinstance(bad, _OURS):
                raise InvariantError(f"the store refused a statement: {_words(bad)}") from None
            raise ConnectionError(f"the store at {self._where} failed: {_words(bad)}") from None
        except OverflowError:
            raise InvariantError("the store refused a statement: a number of more than 64 bits") from None
        finally:
            self._local.inside = False

    def _write(self, connection: Connection, unit: Callable[[Tx], T], doubt: list[_Doubt]) -> T:
        try:
            begun = connection.execute(BEGIN_WRITE)
            while begun.nextset():
                pass
            number, turn = begun.fetchall()[0]
            refuse_former(self._sole.number, turn)
            if doubt and _counted(connection, doubt[-1].number):
                connection.execute(b"ROLLBACK")
                result: T = doubt[-1].result  # type: ignore[assignment]
                return result
            result = unit(PostgresTx(connection))
            doubt[:] = [_Doubt(number, result)]
            self._commit(connection)
        except BaseException:
            _roll_back(connection)
            raise
        return result

    def _commit(self, connection: Connection) -> None:
        if connection.execute(b"COMMIT").statusmessage != "COMMIT":
            raise InvariantError("a unit went on after a statement of its own had failed")

    def _look(self, connection: Connection, unit: Callable[[Tx], T]) -> T:
        try:
            connection.execute(BEGIN_READ)
            return unit(PostgresTx(connection))
        finally:
            _roll_back(connection)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = self._pool.getconn()
        try:
            yield connection
        finally:
            self._pool.putconn(connection)


class _MayPass(Exception):
    """The unit may be tried again."""


class _ConnectionLost(_MayPass):
    """The connection broke under the unit."""


class _MigrationTx:
    """What migrations need of this engine; only one process at a time migrates."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self) -> None:
        self._connection.execute(b"BEGIN ISOLATION LEVEL READ COMMITTED")
        self._connection.execute(b"SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK])

    def tables(self) -> set[str]:
        found = self._connection.execute(b"SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()")
        return {row[0] for row in found.fetchall()}

    def run(self, text: str) -> None:
        self._connection.execute(text.encode())

    def version(self) -> int:
        return int(self._connection.execute(b"SELECT coalesce(max(version), 0) FROM schema_versions").fetchall()[0][0])


def _settings(url: str) -> dict[str, Any]:
    """The connection settings of this address; ConfigError (without the address, it may hold a password) when it is none."""
    try:
        settings = dict(conninfo_to_dict(url))
    except psycopg.Error:
        raise ConfigError("the database is no PostgreSQL address: postgresql://user@host:5432/name") from None
    return {
        "connect_timeout": CONNECT_SECONDS_MAX,
        "application_name": "samklang",
        **settings,
        "autocommit": True,
        "cursor_factory": psycopg.RawCursor,
    }


def _where(settings: dict[str, Any]) -> str:
    return f"{settings.get('host') or 'local socket'}:{settings.get('port') or 5432}/{settings.get('dbname') or ''}"


def _configure(connection: Connection) -> None:
    connection.prepared_max = PREPARED_MAX
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_dumper(bool, _BoolDumper)
    connection.execute(
        f"SET statement_timeout = '{STATEMENT_SECONDS_MAX}s'; SET lock_timeout = '{TURN_SECONDS_MAX}s'; "
        f"SET idle_in_transaction_session_timeout = '{TURN_SECONDS_MAX}s'; "
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'".encode()
    )


def _check_server(connection: Connection) -> None:
    if connection.info.server_version < SERVER_VERSION_MIN:
        raise ConfigError(f"PostgreSQL {SERVER_VERSION_MIN // 10_000} or newer is needed")
    encoding, fsync = connection.execute(b"SELECT current_setting('server_encoding'), current_setting('fsync')").fetchall()[0]
    if encoding != "UTF8":
        raise ConfigError(f"the PostgreSQL database has encoding {encoding}: make it with ENCODING 'UTF8'")
    if fsync != "on":
        raise ConfigError("PostgreSQL runs with fsync off: what it calls stored may be lost; turn it on")


def _counted(connection: Connection, number: str) -> bool:
    """Whether that transaction was committed; asked inside the gate, so it is no longer under way."""
    status = connection.execute(b"SELECT pg_xact_status($1::text::xid8)", [number]).fetchall()[0][0]
    return str(status) == "committed"


def _roll_back(connection: Connection) -> None:
    """End the transaction, if there is one; a connection that cannot is closed, and the pool opens another."""
    try:
        if not connection.closed and connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute(b"ROLLBACK")
    except psycopg.Error:
        connection.close()


def _words(bad: psycopg.Error) -> str:
    """What failed, without values: the kind of error and the table or rule it names."""
    if isinstance(bad, psycopg.DataError) and "NUL" in str(bad):
        return "a text with NUL cannot be stored"
    named = " ".join(name for name in (bad.diag.table_name, bad.diag.constraint_name, bad.diag.column_name) if name)
    return f"{type(bad).__name__} {bad.sqlstate or ''} {named}".strip()


def _opening_words(bad: psycopg.Error, settings: dict[str, Any]) -> str:
    words = (bad.diag.message_primary or str(bad)).strip().splitlines()[0][:300]
    password = str(settings.get("password") or "")
    return words.replace(password, "…") if password else words


__all__ = ["PostgresDatabase", "PostgresTx"]
