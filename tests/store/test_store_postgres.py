"""What only PostgreSQL can do wrong: broken connections, a commit whose answer is lost, conflicts, addresses, passwords."""

from __future__ import annotations

import builtins
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from hub.clock import ManualClock
from hub.errors import ConfigError, InvariantError
from hub.store import catalogue, postgres
from hub.store.catalogue import Item
from hub.store.database import Tx
from hub.store.open import open_database
from hub.store.postgres import TX_ATTEMPTS_MAX, PostgresDatabase

PASSWORD = "hemmelig-7"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(postgres_url: str, clock: ManualClock) -> Iterator[PostgresDatabase]:
    opened = PostgresDatabase(postgres_url, clock=clock)
    yield opened
    opened.close()


def _number_in_table(tx: Tx) -> None:
    """A statement that would fail, or count twice, if it ran twice."""
    tx.execute(
        "INSERT INTO counters VALUES ('n', '', '', 1) ON CONFLICT (name, channel, what) DO UPDATE SET value = counters.value + 1"
    )


def _value(database: PostgresDatabase) -> int:
    rows = database.read(lambda tx: tx.query("SELECT value FROM counters"))
    return int(rows[0][0]) if rows else 0


def _end_sessions(postgres_url: str, pid: int) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_lost_inside_a_unit_repeats_it_once(
    database: PostgresDatabase, postgres_url: str, clock: ManualClock
) -> None:
    tries: list[int] = []
    begun = clock.now()

    def unit(tx: Tx) -> str:
        _number_in_table(tx)
        pid = int(tx.query("SELECT pg_backend_pid()")[0][0])
        tries.append(pid)
        if len(tries) == 1:
            _end_sessions(postgres_url, pid)
        _number_in_table(tx)
        return "done"

    assert database.transaction(unit) == "done"
    assert _value(database) == 2
    assert len(set(tries)) == 2
    assert clock.now() > begun


@pytest.mark.parametrize("reached", [True, False])
def test_a_commit_whose_answer_is_lost_counts_once(
    database: PostgresDatabase, postgres_url: str, monkeypatch: pytest.MonkeyPatch, reached: bool
) -> None:
    """The server is asked whether the transaction counted; only one that did not is repeated."""
    lost: list[bool] = []
    commit = database._commit

    def losing(connection: Any) -> None:
        if lost:
            commit(connection)
            return
        lost.append(True)
        if reached:
            commit(connection)
        _end_sessions(postgres_url, connection.info.backend_pid)
        connection.execute(b"SELECT 1")

    monkeypatch.setattr(database, "_commit", losing)
    units: list[str] = []

    def unit(tx: Tx) -> str:
        _number_in_table(tx)
        units.append("ran")
        return f"run {len(units)}"

    assert database.transaction(unit) == ("run 1" if reached else "run 2")
    assert _value(database) == 1
    assert lost


def test_a_conflict_with_a_stranger_repeats_the_unit(database: PostgresDatabase, postgres_url: str) -> None:
    """Someone who does not pass the gate (a person with a console) changes the row that the unit has read."""
    database.transaction(_number_in_table)
    tries: list[int] = []

    def unit(tx: Tx) -> int:
        seen = int(tx.query("SELECT value FROM counters")[0][0])
        tries.append(seen)
        if len(tries) == 1:
            with psycopg.connect(postgres_url, autocommit=True) as stranger:
                stranger.execute("UPDATE counters SET value = 40")
        tx.execute("UPDATE counters SET value = :value", value=seen + 1)
        return seen

    assert database.transaction(unit) == 40
    assert (tries, _value(database)) == ([1, 40], 41)


def test_a_store_that_stays_away_is_given_up_after_the_limit(
    database: PostgresDatabase, postgres_url: str, clock: ManualClock
) -> None:
    tries: list[int] = []

    def unit(tx: Tx) -> None:
        tries.append(int(tx.query("SELECT pg_backend_pid()")[0][0]))
        _end_sessions(postgres_url, tries[-1])
        tx.query("SELECT 1")

    begun = clock.now()
    with pytest.raises(ConnectionError, match=f"{TX_ATTEMPTS_MAX} times"):
        database.transaction(unit)
    assert len(tries) == TX_ATTEMPTS_MAX
    assert clock.now() - begun < 20_000_000


def test_a_unit_that_swallows_a_failed_statement_is_not_called_done(database: PostgresDatabase) -> None:
    def unit(tx: Tx) -> None:
        catalogue.save_items(tx, [Item("a", "")])
        try:
            tx.execute("INSERT INTO items (item) VALUES ('b')")
        except Exception:
            return

    with pytest.raises(InvariantError):
        database.transaction(unit)
    assert database.read(catalogue.all_item_ids) == []


def test_a_restarted_server_costs_one_repetition(database: PostgresDatabase, postgres_url: str) -> None:
    """All idle connections are dead at once, more of them than a unit has attempts."""
    many = TX_ATTEMPTS_MAX + 2
    barrier = threading.Barrier(many)

    def pid(tx: Tx) -> int:
        barrier.wait(30)
        return int(tx.query("SELECT pg_backend_pid()")[0][0])

    with ThreadPoolExecutor(many) as threads:
        pids = list(threads.map(lambda _: database.read(pid), range(many)))
    assert len(set(pids)) == many
    for each in pids:
        _end_sessions(postgres_url, each)
    tries: list[str] = []

    def unit(tx: Tx) -> None:
        tries.append("ran")
        _number_in_table(tx)

    database.transaction(unit)
    assert (len(tries), _value(database)) == (1, 1)


def test_texts_are_compared_by_their_bytes_in_every_column(database: PostgresDatabase) -> None:
    """Also on a server that was set up for a language whose order differs."""
    others = database.read(
        lambda tx: tx.query(
            "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
        )
    )
    assert others == []


def test_numbers_rise_over_processes(postgres_url: str, clock: ManualClock) -> None:
    one, two = PostgresDatabase(postgres_url, clock=clock), PostgresDatabase(postgres_url, clock=clock)
    try:
        drawn = [database.next() for _ in range(5) for database in (one, two)]
    finally:
        one.close()
        two.close()
    assert drawn == list(range(1, 11))


def test_many_may_open_an_empty_store_at_once(postgres_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(lambda _: PostgresDatabase(postgres_url, clock=ManualClock()), range(4)))
    for database in opened:
        assert database.read(catalogue.all_item_ids) == []
        database.close()


@pytest.mark.parametrize("where", ["mysql://localhost/hub", "hub.db", ""])
def test_another_kind_of_address_is_refused(where: str, clock: ManualClock) -> None:
    with pytest.raises(ConfigError, match="postgresql://"):
        open_database(where, clock=clock)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://samklang:{PASSWORD}@127.0.0.1:1/hub",
        f"postgresql://samklang:{PASSWORD}@127.0.0.1:1/hub?nonsense={PASSWORD}",
        f"postgres://samklang:{PASSWORD}@[::1/hub",
    ],
)
def test_an_address_that_does_not_answer_is_a_configuration_error(
    url: str, caplog: pytest.LogCaptureFixture, clock: ManualClock
) -> None:
    with pytest.raises(ConfigError) as refused:
        open_database(url, clock=clock)
    assert PASSWORD not in str(refused.value) + repr(refused.value.__cause__) + caplog.text


def test_the_password_is_never_said(database: PostgresDatabase, postgres_server: str, clock: ManualClock) -> None:
    url = postgres_server.replace("postgres:@", f"postgres:{PASSWORD}@")
    with pytest.raises(ConfigError) as refused:
        open_database(url.replace("/postgres?", "/no_such_database?"), clock=clock)
    assert PASSWORD not in str(refused.value) + repr(database)


def test_the_server_must_be_able_to_keep_a_promise(
    postgres_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lax = PostgresDatabase(postgres_url.replace("options=", "options=-csynchronous_commit%3Doff%20"), clock=clock)
    try:
        assert lax.transaction(lambda tx: tx.query("SHOW synchronous_commit")) == [("on",)]
    finally:
        lax.close()
    monkeypatch.setattr(postgres, "SERVER_VERSION_MIN", 990_000)
    with pytest.raises(ConfigError, match="newer is needed"):
        PostgresDatabase(postgres_url, clock=clock)


def test_without_the_driver_a_person_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name.split(".")[0] in ("psycopg", "psycopg_pool"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.delitem(sys.modules, "hub.store.postgres")
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=r"samklang\[postgres\]"):
        open_database("postgresql://anyone@127.0.0.1:1/hub", clock=clock)


# the only worker


def _cut(postgres_url: str) -> None:
    """What a server does with a worker that is silent for too long: its sessions end, and with them its lock."""
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )


def test_only_one_worker_at_a_time_works_on_a_store(database: PostgresDatabase, postgres_url: str, clock: ManualClock) -> None:
    other = PostgresDatabase(postgres_url, clock=clock)
    try:
        with database.alone(0.0):
            with pytest.raises(ConfigError, match="another worker is at work on this store"), other.alone(1.0):
                pass
            database.transaction(_number_in_table)
            assert database.still_alone()
            assert database.may_write()
            # Commands that only ask are no workers.
            other.transaction(_number_in_table)
        with other.alone(0.0):
            other.transaction(_number_in_table)
    finally:
        other.close()
    assert _value(database) == 3


def test_a_worker_that_was_taken_for_dead_writes_nothing_more(
    database: PostgresDatabase, postgres_url: str, clock: ManualClock
) -> None:
    other = PostgresDatabase(postgres_url, clock=clock)
    try:
        with database.alone(0.0):
            _cut(postgres_url)
            assert not database.may_write(), "nobody knows whose turn it is"
            with other.alone(0.0):
                assert (database.may_write(), other.may_write()) == (False, True)
                with pytest.raises(InvariantError, match="another worker has taken this store over"):
                    database.transaction(_number_in_table)
                assert not database.still_alone()
                other.transaction(_number_in_table)
                assert other.still_alone()
            # That one has ended meanwhile: what the first one knows is old all the same.
            assert not database.still_alone()
            with pytest.raises(InvariantError):
                database.transaction(_number_in_table)
    finally:
        other.close()
    assert _value(database) == 1


def test_a_worker_whose_server_was_away_goes_on_when_nobody_came_between(
    database: PostgresDatabase, postgres_url: str, clock: ManualClock
) -> None:
    with database.alone(0.0):
        _cut(postgres_url)
        assert not database.may_write()
        assert database.still_alone()
        assert database.may_write(), "asked anew, it is still ours"
        database.transaction(_number_in_table)
        other = PostgresDatabase(postgres_url, clock=clock)
        with pytest.raises(ConfigError, match="another worker"), other.alone(0.0):
            pass
        other.close()
    assert _value(database) == 1
