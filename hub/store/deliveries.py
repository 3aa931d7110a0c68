"""Deliveries as received, sealed, in `intake.db`: one writer (the receiver process) and readers that only read (the worker).

The deliveries of one commit are one row, sealed together and bound to their sequence numbers: a row each would cost three
times the CPU (measured: 10 against 3.3 µs a delivery of 2 KB, 32 a commit). `append` returns after the commit has reached the
disk: WAL with synchronous=FULL, read back and asserted when the file is opened.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlite_utils
from pydantic_core import from_json, to_json

from hub.clock import Clock
from hub.errors import ConfigError, InvariantError
from hub.store.vault import Vault

TABLE: Final = "deliveries"
BUSY_SECONDS: Final = 5
DROP_ROWS_MAX: Final = 500
READ_MAX: Final = 5_000
WAL_BYTES_MAX: Final = 64 * 1024 * 1024
PAGE_BYTES: Final = 8192
"""Measured: less CPU than SQLite's 4096 or 16384 for commits of 8 to 32 deliveries."""
ROW_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bodies in one row, unless a single one is larger: a reader opens a row as a whole."""
SCHEMA: Final = 1
_LENGTH_BYTES: Final = 4
_INSERT: Final = "INSERT INTO deliveries (last_seq, first_seq, received_at, sealed) VALUES (?,?,?,?)"
_SELECT: Final = "SELECT last_seq, first_seq, sealed FROM deliveries WHERE last_seq > ? ORDER BY last_seq"
_COUNT: Final = (
    "INSERT INTO counts (channel, verdict, number) VALUES (?,?,?) "
    "ON CONFLICT (channel, verdict) DO UPDATE SET number = number + excluded.number"
)


class NewDelivery(NamedTuple):
    """A verified delivery to be stored: times in microseconds, `sent_at` None when the platform does not say it."""

    channel: str
    delivery_id: str
    topic: str
    received_at: int
    sent_at: int | None
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery as stored; `digest` is the SHA-256 of the body in hex, `seq` grows without ever being used twice."""

    seq: int
    channel: str
    delivery_id: str
    topic: str
    digest: str
    received_at: int
    sent_at: int | None
    headers: dict[str, str]
    body: bytes


class DeliveryStore:
    """The writing side, to be opened and used by one thread of one process; ConfigError when another one has it open."""

    def __init__(self, path: Path, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(path.with_name(path.name + ".lock"))
        try:
            self._db: sqlite_utils.Database = _connect(path, writing=True)
            _migrate(self._db)
            _check_durability(self._db.conn)
            self._next = self._last_used() + 1
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def last_seq(self) -> int:
        """The newest sequence number given."""
        return self._next - 1

    def append(self, batch: Sequence[NewDelivery]) -> int:
        """Store the batch durably in one commit; the first one's sequence number, the others follow it in order."""
        first = self._next
        rows, start, size = [], 0, 0
        for ends, delivery in enumerate(batch, 1):
            size += len(delivery.body)
            if size >= ROW_BYTES_MAX or ends == len(batch):
                rows.append(self._row(first + start, batch[start:ends]))
                start, size = ends, 0
        if len(rows) == 1:
            # One statement is a transaction of its own; the interpreter's lock changes hands once instead of three times.
            with self._next_from_file_on_failure():
                self._db.conn.execute(_INSERT, rows[0])
        else:
            with self._transaction() as connection:
                connection.executemany(_INSERT, rows)
        self._next = first + len(batch)
        return first

    def count(self, tally: Mapping[tuple[str, str], int]) -> None:
        """Add to the numbers kept per (channel, verdict)."""
        with self._transaction() as connection:
            connection.executemany(_COUNT, [(channel, verdict, more) for (channel, verdict), more in sorted(tally.items())])

    def probe(self) -> None:
        """Commit a trifle: raises what a commit would raise now."""
        with self._transaction() as connection:
            connection.execute("UPDATE probe SET at = ? WHERE one = 1", (self._clock.now(),))

    def drop_through(self, seq: int, received_before: int) -> int:
        """Drop what the worker has copied (up to and including `seq`) and was received before that time; how many rows went.

        At most DROP_ROWS_MAX rows a call, so that deliveries never wait long for it.
        """
        with self._transaction() as connection:
            gone = connection.execute(
                "DELETE FROM deliveries WHERE last_seq IN "
                "(SELECT last_seq FROM deliveries WHERE last_seq <= ? AND received_at < ? ORDER BY last_seq LIMIT ?)",
                (seq, received_before, DROP_ROWS_MAX),
            )
        return gone.rowcount

    def close(self) -> None:
        """Close the file and let another process have it."""
        self._db.conn.close()
        os.close(self._lock)

    def _row(self, first: int, part: Sequence[NewDelivery]) -> tuple[int, int, int, bytes]:
        last = first + len(part) - 1
        head = to_json([(*delivery[:6], len(delivery.body)) for delivery in part])
        plain = b"".join([len(head).to_bytes(_LENGTH_BYTES, "big"), head, *[delivery.body for delivery in part]])
        return last, first, part[-1].received_at, self._vault.seal(plain, TABLE, "sealed", f"{first} {last}")

    def _last_used(self) -> int:
        found = self._db.conn.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (TABLE,)).fetchone()
        return int(found[0]) if found else 0

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection: sqlite3.Connection = self._db.conn
        with self._next_from_file_on_failure():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _next_from_file_on_failure(self) -> Iterator[None]:
        """Whether a commit that failed at the disk counted after all is for the file to say."""
        try:
            yield
        except BaseException:
            self._next = self._last_used() + 1
            raise


class DeliveryReader:
    """The reading side, for any other thread or process; one thread at a time. Empty before the receiver first ran."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self._path = path
        self._vault = vault
        self._db: sqlite_utils.Database | None = None

    def after(self, seq: int, limit: int) -> list[StoredDelivery]:
        """The deliveries that follow `seq`, oldest first, at most `limit`; InvariantError for one that was tampered with."""
        found: list[StoredDelivery] = []
        most = min(limit, READ_MAX)
        for last, first, sealed in self._rows(_SELECT, seq):
            plain = self._vault.open(sealed, TABLE, "sealed", f"{first} {last}")
            found.extend(delivery for delivery in _opened(plain, first) if delivery.seq > seq)
            if len(found) >= most:
                break
        return found[:most]

    def last_seq(self) -> int:
        """The newest sequence number given, 0 when there was none yet."""
        return next((int(seq) for (seq,) in self._rows("SELECT seq FROM sqlite_sequence WHERE name = ?", TABLE)), 0)

    def counts(self) -> dict[tuple[str, str], int]:
        """How often each (channel, verdict) occurred; channel "" stands for addresses that are no channel."""
        rows = self._rows("SELECT channel, verdict, number FROM counts ORDER BY channel, verdict")
        return {(channel, verdict): number for channel, verdict, number in rows}

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.conn.close()
            self._db = None

    def _rows(self, text: str, *values: int | str) -> Iterator[tuple[Any, ...]]:
        if self._db is None:
            if not self._path.exists():
                return
            db = _connect(self._path, writing=False)
            if db.conn.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
                db.conn.close()
                return
            self._db = db
        cursor = self._db.conn.execute(text, values)
        try:
            yield from cursor
        finally:
            # An unfinished statement would keep the writer from shortening its log.
            cursor.close()


def _opened(plain: bytes, first: int) -> Iterator[StoredDelivery]:
    ends = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
    for seq, (channel, ident, topic, received_at, sent_at, headers, length) in enumerate(
        from_json(plain[_LENGTH_BYTES:ends]), first
    ):
        body = plain[ends : ends + length]
        ends += length
        digest = hashlib.sha256(body).hexdigest()
        yield StoredDelivery(seq, channel, ident, topic, digest, received_at, sent_at, headers, body)


def write_position(path: Path, seq: int) -> None:
    """Say (worker) that everything up to `seq` has been copied; replaces the file in one step."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(f"{seq}\n", "ascii")
    draft.replace(path)


def read_position(path: Path) -> int:
    """How far the worker has copied; 0 when it never said so or the file is unreadable (then nothing is dropped)."""
    try:
        return max(0, int(path.read_text("ascii")))
    except (OSError, ValueError):
        return 0


def _connect(path: Path, *, writing: bool) -> sqlite_utils.Database:
    uri = f"{path.resolve().as_uri()}?mode={'rwc' if writing else 'rw'}"
    # A reader may be closed by another thread than the one that read.
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=writing)
    if writing:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES_MAX}")
    else:
        connection.execute("PRAGMA query_only=ON")
    return sqlite_utils.Database(connection, execute_plugins=False)


def _migrate(db: sqlite_utils.Database) -> None:
    version = db.conn.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA:
        return
    if version > SCHEMA:
        raise ConfigError(f"this store was written by a newer version (schema {version}, this one knows {SCHEMA})", "intake.db")
    db.conn.execute(
        "CREATE TABLE IF NOT EXISTS deliveries (last_seq INTEGER PRIMARY KEY AUTOINCREMENT, first_seq INTEGER NOT NULL, "
        "received_at INTEGER NOT NULL, sealed BLOB NOT NULL)"
    )
    db.table("counts").create(
        {"channel": str, "verdict": str, "number": int},
        pk=("channel", "verdict"),
        not_null={"number"},
        if_not_exists=True,
    )
    db.table("probe").create({"one": int, "at": int}, pk="one", if_not_exists=True)
    db.conn.execute("INSERT OR IGNORE INTO probe (one, at) VALUES (1, 0)")
    db.conn.execute(f"PRAGMA user_version={SCHEMA}")


def _check_durability(connection: sqlite3.Connection) -> None:
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, synchronous) != ("wal", 2):
        raise InvariantError(f"intake.db is not durable: journal_mode={mode}, synchronous={synchronous}")


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise ConfigError("another receiver is running on this folder", str(path)) from None
    return descriptor
