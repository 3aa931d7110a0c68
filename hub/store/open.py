"""Which engine a configured address means: `sqlite` is a file beside the configuration, `postgresql://…` a server."""

from __future__ import annotations

from pathlib import Path

from hub.clock import Clock
from hub.errors import ConfigError
from hub.store.database import Database
from hub.store.sqlite import SqliteDatabase


def open_database(where: str | Path, *, clock: Clock, threaded: bool = True) -> Database:
    """The store at this path (SQLite; `threaded` gives it a writer thread) or `postgresql://` address (always for many threads).

    ConfigError in words when it cannot be used.
    """
    if isinstance(where, Path):
        return SqliteDatabase(where, threaded=threaded)
    if not where.startswith(("postgresql://", "postgres://")):
        raise ConfigError("database: write `sqlite` or a postgresql:// address")
    try:
        from hub.store.postgres import PostgresDatabase
    except ImportError:
        raise ConfigError("PostgreSQL needs one more package: pip install 'samklang[postgres]'") from None
    return PostgresDatabase(where, clock=clock)
