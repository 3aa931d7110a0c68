"""The inbox: every envelope as received, sealed; new ones wait to be understood. The only writer of table inbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.canonical.json import stored_json
from hub.flow import Door, Envelope
from hub.store.database import Row, Tx
from hub.store.vault import Vault

TABLE = "inbox"


class Arrival(NamedTuple):
    """An envelope to be stored: `delivery_id` names it within its channel, `gone` are ids that the platform says it lacks."""

    envelope: Envelope
    gone: tuple[str, ...] = ()


class Waiting(NamedTuple):
    """An envelope that waits to be understood, with the ids that it says are gone."""

    envelope: Envelope
    gone: tuple[str, ...]


def digest(body: bytes) -> str:
    """The name of these bytes."""
    return hashlib.sha256(body).hexdigest()


def store(tx: Tx, vault: Vault, arrivals: Sequence[Arrival]) -> None:
    """Keep the envelopes; one that is known already is not stored twice but waits again, with the new times of its reading."""
    rows = []
    for envelope, gone in arrivals:
        name = digest(envelope.body)
        sealed = vault.seal(envelope.body, TABLE, "sealed", f"{envelope.channel} {name}")
        rows.append(
            (
                envelope.seq,
                envelope.channel,
                str(envelope.door),
                envelope.stream,
                envelope.topic,
                envelope.delivery_id,
                name,
                envelope.begun,
                envelope.answered,
                envelope.received_at,
                envelope.sweep,
                json.dumps(gone),
                sealed,
            )
        )
    tx.many(
        "INSERT INTO inbox (seq, channel, door, stream, topic, delivery_id, digest, begun, answered, received_at, sweep, "
        "state, doubled, gone, sealed) VALUES (:seq, :channel, :door, :stream, :topic, :delivery_id, :digest, :begun, "
        ":answered, :received_at, :sweep, 'new', 0, :gone, :sealed) "
        "ON CONFLICT (channel, delivery_id, digest) DO UPDATE SET state = 'new', doubled = inbox.doubled + 1, "
        "begun = excluded.begun, answered = excluded.answered, received_at = excluded.received_at, "
        "sweep = excluded.sweep, door = excluded.door, gone = excluded.gone",
        rows,
    )


def waiting(tx: Tx, vault: Vault, limit: int) -> list[Waiting]:
    """The oldest envelopes that wait to be understood."""
    rows = tx.query(
        "SELECT seq, channel, door, stream, topic, delivery_id, digest, begun, answered, received_at, sweep, gone, sealed "
        "FROM inbox WHERE state = 'new' ORDER BY seq LIMIT :limit",
        limit=limit,
    )
    return [_waiting(row, vault) for row in rows]


def fetch(tx: Tx, vault: Vault, seqs: Iterable[int]) -> dict[int, Waiting]:
    """The envelopes with these numbers, as far as they are still kept."""
    rows = tx.query_keys(
        "SELECT i.seq, i.channel, i.door, i.stream, i.topic, i.delivery_id, i.digest, i.begun, i.answered, i.received_at, "
        "i.sweep, i.gone, i.sealed FROM @keys(seq bigint) k CROSS JOIN inbox i WHERE i.seq = k.seq",
        [(seq,) for seq in seqs],
    )
    return {row[0]: _waiting(row, vault) for row in rows}


def understood(tx: Tx, seen: Sequence[tuple[int, int, str]]) -> None:
    """Mark envelopes (number, the `answered` that was seen, new state): one that came again meanwhile goes on waiting."""
    tx.many(
        "UPDATE inbox SET state = :state WHERE seq = :seq AND answered = :answered",
        [(state, seq, answered) for seq, answered, state in seen],
    )


def wait_again(tx: Tx, seqs: Iterable[int]) -> int:
    """Let envelopes be understood again (replay)."""
    return tx.execute_keys(
        "UPDATE inbox SET state = 'new' WHERE seq IN (SELECT k.seq FROM @keys(seq bigint) k)", [(s,) for s in seqs]
    )


def waiting_through(tx: Tx, channel: str, stream: str, seq: int) -> bool:
    """Whether a page of this stream up to that number still waits to be understood."""
    rows = tx.query(
        "SELECT 1 FROM inbox WHERE state = 'new' AND channel = :channel AND stream = :stream AND seq <= :seq LIMIT 1",
        channel=channel,
        stream=stream,
        seq=seq,
    )
    return bool(rows)


def count_waiting(tx: Tx) -> int:
    """How many envelopes wait."""
    return int(tx.query("SELECT count(*) FROM inbox WHERE state = 'new'")[0][0])


def drop_before(tx: Tx, at: int, limit: int) -> int:
    """Forget envelopes that do not wait any more, received before then, at most `limit` of them."""
    return tx.execute(
        "DELETE FROM inbox WHERE seq IN (SELECT seq FROM inbox WHERE received_at < :at AND state <> 'new' LIMIT :limit)",
        at=at,
        limit=limit,
    )


def page(tx: Tx, vault: Vault, after: int, limit: int) -> list[tuple[int, bytes]]:
    """The envelopes after this number, opened: (number, body)."""
    rows = tx.query(
        "SELECT seq, channel, digest, sealed FROM inbox WHERE seq > :after ORDER BY seq LIMIT :limit", after=after, limit=limit
    )
    return [(row[0], vault.open(bytes(row[3]), TABLE, "sealed", f"{row[1]} {row[2]}")) for row in rows]


def drop(tx: Tx, seqs: Iterable[int]) -> tuple[int, set[str]]:
    """Forget these envelopes, also those that wait; gives how many, and the channels of those that still waited."""
    keys = [(seq,) for seq in seqs]
    waited = tx.query_keys(
        "SELECT DISTINCT i.channel FROM @keys(seq bigint) k CROSS JOIN inbox i WHERE i.seq = k.seq AND i.state = 'new'", keys
    )
    dropped = tx.execute_keys("DELETE FROM inbox WHERE seq IN (SELECT k.seq FROM @keys(seq bigint) k)", keys)
    return dropped, {row[0] for row in waited}


def _waiting(row: Row, vault: Vault) -> Waiting:
    seq, channel, door, stream, topic, delivery_id, name, begun, answered, received_at, sweep, gone, sealed = row
    body = vault.open(bytes(sealed), TABLE, "sealed", f"{channel} {name}")
    envelope = Envelope(seq, channel, Door(door), stream, topic, received_at, body, delivery_id, begun, answered, sweep)
    return Waiting(envelope, tuple(stored_json(gone)))
