"""Reads across tables that people ask for: heads of envelopes, changes by age, lines of the ledger by event. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from hub.flow import Key
from hub.store.database import Tx
from hub.store.ledger import Entry
from hub.store.letters import DeadLetter, StoredLetter


class Head(NamedTuple):
    """An envelope without its body: by which door it came, when, and the name of its bytes (`digest`, 64 hex digits)."""

    seq: int
    channel: str
    door: str
    stream: str
    topic: str
    delivery_id: str
    digest: str
    received_at: int
    state: str
    doubled: int


def heads(tx: Tx, seqs: Iterable[int]) -> dict[int, Head]:
    """The heads of the envelopes with these numbers, as far as they are still kept; no body is opened."""
    rows = tx.query_keys(
        "SELECT i.seq, i.channel, i.door, i.stream, i.topic, i.delivery_id, i.digest, i.received_at, i.state, i.doubled "
        "FROM @keys(seq bigint) k CROSS JOIN inbox i WHERE i.seq = k.seq",
        [(seq,) for seq in seqs if seq],
    )
    return {row[0]: Head(*row) for row in rows}


def oldest_changes(tx: Tx) -> dict[str, int]:
    """When the oldest change that is still to be made was decided, by channel."""
    rows = tx.query("SELECT channel, min(decided_at) FROM changes WHERE state NOT IN ('held', 'refused') GROUP BY channel")
    return {row[0]: int(row[1]) for row in rows}


def lines_about(tx: Tx, event: str, since: int, limit: int) -> list[Entry]:
    """The ledger's lines of this event since then, newest first."""
    rows = tx.query(
        "SELECT seq, at, event, channel, listing, aspect, place, item, words FROM ledger WHERE event = :event AND at >= :since "
        "ORDER BY seq DESC LIMIT :limit",
        event=event,
        since=since,
        limit=limit,
    )
    return [Entry(row[0], row[1], row[2], Key(*row[3:7]), row[7], json.loads(row[8])) for row in rows]


def letters_of(tx: Tx, channel: str, record: str) -> list[StoredLetter]:
    """The open dead letters about one record of a channel, newest first."""
    rows = tx.query(
        "SELECT id, kind, channel, stream, record, path, value, reason, seq, at, state, count FROM dead_letters "
        "WHERE state = 'open' AND channel = :channel AND record = :record ORDER BY at DESC, id",
        channel=channel,
        record=record,
    )
    return [StoredLetter(row[0], DeadLetter(*row[1:10]), row[10], row[11]) for row in rows]


def bound_counts(tx: Tx) -> dict[tuple[str, str], int]:
    """How many listings there are by (channel, state)."""
    rows = tx.query("SELECT channel, state, count(*) FROM bindings GROUP BY channel, state")
    return {(row[0], row[1]): int(row[2]) for row in rows}


def change_outcomes(tx: Tx, keys: Iterable[Key], since: int) -> dict[str, tuple[str, str, str]]:
    """What became of changes of these keys since then: change id → (outcome, words, request id); a later receipt counts."""
    rows = tx.query_keys(
        "SELECT r.change, r.outcome, r.words, r.request_id FROM @keys(channel, listing, aspect, place) k CROSS JOIN receipts r "
        "WHERE r.channel = k.channel AND r.listing = k.listing AND r.aspect = k.aspect AND r.place = k.place AND r.at >= :since "
        "ORDER BY r.seq",
        [tuple(key) for key in keys],
        since=since,
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}
