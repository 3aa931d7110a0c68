"""Requests of people to the worker, holds of guards, and who is at work. Their only writer.

A command that changes something writes a request and watches it; the worker carries it out.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from hub.canonical.json import write_json
from hub.canonical.values import Plain
from hub.store.database import Tx


class Asked(NamedTuple):
    """A request: `state` is waiting, done or failed; `answer` is what the worker says."""

    id: str
    kind: str
    body: Plain
    state: str
    answer: Plain
    at: int
    done_at: int


class Hold(NamedTuple):
    """Changes that wait for a person: which guard holds them and why."""

    id: str
    channel: str
    guard: str
    words: str
    at: int
    state: str
    closed_at: int


def ask(tx: Tx, id: str, kind: str, body: Plain, at: int) -> None:
    """Write a request."""
    tx.execute(
        "INSERT INTO requests (id, kind, body, state, answer, at, done_at) VALUES (:id, :kind, :body, 'waiting', 'null', :at, 0)",
        id=id,
        kind=kind,
        body=write_json(body),
        at=at,
    )


def waiting(tx: Tx, limit: int = 100) -> list[Asked]:
    """Requests that wait, oldest first."""
    rows = tx.query(
        "SELECT id, kind, body, state, answer, at, done_at FROM requests WHERE state = 'waiting' ORDER BY at, id LIMIT :limit",
        limit=limit,
    )
    return [_asked(row) for row in rows]


def one(tx: Tx, id: str) -> Asked | None:
    """The request with this id."""
    rows = tx.query("SELECT id, kind, body, state, answer, at, done_at FROM requests WHERE id = :id", id=id)
    return _asked(rows[0]) if rows else None


def answer(tx: Tx, id: str, state: str, said: Plain, at: int) -> None:
    """Answer a request."""
    tx.execute(
        "UPDATE requests SET state = :state, answer = :answer, done_at = :at WHERE id = :id",
        state=state,
        answer=write_json(said),
        at=at,
        id=id,
    )


def drop_before(tx: Tx, at: int) -> int:
    """Forget old answered requests."""
    return tx.execute("DELETE FROM requests WHERE done_at > 0 AND done_at < :at", at=at)


def hold(tx: Tx, new: Hold) -> None:
    """Open a hold, or say anew why it holds."""
    tx.many(
        "INSERT INTO holds (id, channel, guard, words, at, state, closed_at) VALUES (:id, :channel, :guard, :words, :at, "
        ":state, :closed_at) ON CONFLICT (id) DO UPDATE SET words = excluded.words, state = excluded.state",
        [tuple(new)],
    )


def holds(tx: Tx, state: str = "open") -> list[Hold]:
    """Holds in this state, oldest first."""
    rows = tx.query(
        "SELECT id, channel, guard, words, at, state, closed_at FROM holds WHERE state = :state ORDER BY at, id", state=state
    )
    return [Hold(*row) for row in rows]


def close_hold(tx: Tx, id: str, state: str, at: int) -> int:
    """A person has decided: approved or rejected."""
    return tx.execute(
        "UPDATE holds SET state = :state, closed_at = :at WHERE id = :id AND state = 'open'", state=state, at=at, id=id
    )


def seen_worker(tx: Tx, worker: str, started_at: int, now: int, version: str, words: str) -> None:
    """This worker lives."""
    tx.execute(
        "INSERT INTO workers (worker, started_at, seen_at, version, words) VALUES (:worker, :started_at, :now, :version, "
        ":words) ON CONFLICT (worker) DO UPDATE SET seen_at = excluded.seen_at, words = excluded.words",
        worker=worker,
        started_at=started_at,
        now=now,
        version=version,
        words=words,
    )


def workers(tx: Tx) -> list[tuple[str, int, int, str]]:
    """Known workers: (name, started, last seen, version), the latest seen first."""
    rows = tx.query("SELECT worker, started_at, seen_at, version FROM workers ORDER BY seen_at DESC LIMIT 20")
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _asked(row: tuple[Plain, ...]) -> Asked:
    return Asked(row[0], row[1], json.loads(row[2]), row[3], json.loads(row[4]), row[5], row[6])
