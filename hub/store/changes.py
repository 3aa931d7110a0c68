"""Changes and receipts: what was intended, what was sent, what became of it. Their only writer.

A key has at most one open change. Its state: `intended` (may be replaced by a newer one), `held` (by a guard), `sent`,
`accepted` (a handle is followed), `unknown` (looked up before anything else), `refused` (their rule said no to this value).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.canonical.json import stored_json, write_json
from hub.canonical.values import Plain
from hub.flow import Key, Receipt
from hub.store.database import Tx

REPLACEABLE = ("intended", "held", "refused")
BY_PLAN = "by a plan"
"""Words of a change that a person applied from a plan."""


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A key's open change."""

    key: Key
    id: str
    item: str
    before: Plain
    after: Plain
    state: str
    urgency: int
    attempts: int = 0
    not_before: int = 0
    decided_at: int = 0
    observed_at: int = 0
    sent_at: int = 0
    sent_seq: int = 0
    handle: str = ""
    hold: str = ""
    words: str = ""


_COLUMNS = (
    "c.channel, c.listing, c.aspect, c.place, c.id, c.item, c.before, c.after, c.state, c.urgency, c.attempts, c.not_before, "
    "c.decided_at, c.observed_at, c.sent_at, c.sent_seq, c.handle, c.hold, c.words"
)


def open_of(tx: Tx, listings: Iterable[tuple[str, str]], aspect: str = "") -> dict[Key, OpenChange]:
    """The open changes of these (channel, listing); of one aspect only, where one is named."""
    rows = tx.query_keys(
        f"SELECT {_COLUMNS} FROM @keys(channel, listing) k CROSS JOIN changes c "
        "WHERE c.channel = k.channel AND c.listing = k.listing AND (c.aspect = :aspect OR :aspect = '')",
        listings,
        aspect=aspect,
    )
    return {Key(*row[:4]): _change(row) for row in rows}


def open_in(tx: Tx, channel: str, states: Sequence[str], limit: int) -> list[OpenChange]:
    """The open changes of a channel in these states, most urgent first."""
    if not states:
        return []
    marks = ", ".join(f"'{state}'" for state in states)
    rows = tx.query(
        f"SELECT {_COLUMNS} FROM changes c WHERE c.channel = :channel AND c.state IN ({marks}) "
        "ORDER BY c.urgency, c.listing, c.aspect, c.place LIMIT :limit",
        channel=channel,
        limit=limit,
    )
    return [_change(row) for row in rows]


def counts(tx: Tx) -> dict[tuple[str, str], int]:
    """How many open changes there are by (channel, state)."""
    rows = tx.query("SELECT channel, state, count(*) FROM changes GROUP BY channel, state")
    return {(row[0], row[1]): row[2] for row in rows}


def intend(tx: Tx, changes: Sequence[OpenChange]) -> None:
    """Keep newly decided changes. One already sent is not replaced: its key is worked out again when its outcome is known. When
    the listing was looked at last stands, even where this decision was made before it knew of that."""
    tx.many(
        "INSERT INTO changes (channel, listing, aspect, place, id, item, before, after, state, urgency, attempts, "
        "not_before, decided_at, observed_at, sent_at, sent_seq, handle, hold, words) VALUES (:channel, :listing, :aspect, "
        ":place, :id, :item, :before, :after, :state, :urgency, 0, :not_before, :decided_at, :observed_at, 0, 0, '', :hold, "
        ":words) ON CONFLICT (channel, listing, aspect, place) DO UPDATE SET id = excluded.id, item = excluded.item, "
        "before = excluded.before, after = excluded.after, state = excluded.state, urgency = excluded.urgency, attempts = 0, "
        "not_before = excluded.not_before, decided_at = excluded.decided_at, observed_at = CASE WHEN changes.observed_at > "
        "excluded.observed_at THEN changes.observed_at ELSE excluded.observed_at END, sent_at = 0, "
        "sent_seq = 0, handle = '', hold = excluded.hold, words = excluded.words "
        "WHERE changes.state IN ('intended', 'held', 'refused')",
        [
            (
                *c.key,
                c.id,
                c.item,
                write_json(c.before),
                write_json(c.after),
                c.state,
                c.urgency,
                c.not_before,
                c.decided_at,
                c.observed_at,
                c.hold,
                c.words,
            )
            for c in changes
        ],
    )


def withdraw_own(tx: Tx, channel: str) -> int:
    """Take back what the hub itself intends on a channel (it is no longer live); what a person applied stays."""
    return tx.execute(
        "DELETE FROM changes WHERE channel = :channel AND state IN ('intended', 'held') AND words <> :by_plan",
        channel=channel,
        by_plan=BY_PLAN,
    )


def withdraw(tx: Tx, keys: Sequence[Key]) -> None:
    """Take back changes that are no longer needed, unless they were sent."""
    tx.many(
        "DELETE FROM changes WHERE channel = :channel AND listing = :listing AND aspect = :aspect AND place = :place "
        "AND state IN ('intended', 'held', 'refused')",
        [tuple(key) for key in keys],
    )


def send(tx: Tx, chosen: Sequence[OpenChange], at: int, seq: int) -> list[str]:
    """Mark as sent, before a byte leaves; gives the ids that were still open for sending and are now ours to send."""
    taken: list[str] = []
    for change in chosen:
        touched = tx.execute(
            "UPDATE changes SET state = 'sent', sent_at = :at, sent_seq = :seq, attempts = attempts + 1 "
            "WHERE channel = :channel AND listing = :listing AND aspect = :aspect AND place = :place AND id = :id "
            "AND state = 'intended'",
            at=at,
            seq=seq,
            channel=change.key.channel,
            listing=change.key.listing,
            aspect=change.key.aspect,
            place=change.key.place,
            id=change.id,
        )
        if touched:
            taken.append(change.id)
    return taken


def settle(tx: Tx, outcomes: Sequence[tuple[OpenChange, str, int, str, str]]) -> None:
    """Put sent changes into a new state: (change, state, not_before, handle, words)."""
    tx.many(
        "UPDATE changes SET state = :state, not_before = :not_before, handle = :handle, words = :words "
        "WHERE channel = :channel AND listing = :listing AND aspect = :aspect AND place = :place AND id = :id",
        [(state, not_before, handle, words, *c.key, c.id) for c, state, not_before, handle, words in outcomes],
    )


def seen(tx: Tx, changes: Sequence[OpenChange], at: int) -> None:
    """What these changes would replace was looked at then."""
    tx.many(
        "UPDATE changes SET observed_at = :at WHERE channel = :channel AND listing = :listing AND aspect = :aspect "
        "AND place = :place AND id = :id",
        [(at, *c.key, c.id) for c in changes],
    )


def close(tx: Tx, done: Sequence[OpenChange]) -> None:
    """The changes are done (or given up); their receipts tell the story."""
    tx.many(
        "DELETE FROM changes WHERE channel = :channel AND listing = :listing AND aspect = :aspect AND place = :place "
        "AND id = :id",
        [(*c.key, c.id) for c in done],
    )


def unspend(tx: Tx, given_back: Sequence[OpenChange], not_before: int) -> None:
    """The request did not leave or was turned away unread: the change is intended again and the attempt is not counted."""
    tx.many(
        "UPDATE changes SET state = 'intended', attempts = attempts - 1, not_before = :not_before "
        "WHERE channel = :channel AND listing = :listing AND aspect = :aspect AND place = :place AND id = :id",
        [(not_before, *c.key, c.id) for c in given_back],
    )


def release(tx: Tx, hold: str) -> int:
    """A person approved: the held changes may go."""
    return tx.execute("UPDATE changes SET state = 'intended', hold = '' WHERE hold = :hold AND state = 'held'", hold=hold)


def held(tx: Tx, hold: str) -> list[OpenChange]:
    """The changes that a hold keeps back."""
    rows = tx.query(f"SELECT {_COLUMNS} FROM changes c WHERE c.hold = :hold ORDER BY c.listing, c.aspect", hold=hold)
    return [_change(row) for row in rows]


def retry(tx: Tx, key: Key) -> int:
    """Let a refused change be tried again."""
    return tx.execute(
        "UPDATE changes SET state = 'intended', attempts = 0, not_before = 0 WHERE channel = :channel AND listing = :listing "
        "AND aspect = :aspect AND place = :place AND state = 'refused'",
        channel=key.channel,
        listing=key.listing,
        aspect=key.aspect,
        place=key.place,
    )


def keep_receipts(tx: Tx, rows: Sequence[tuple[int, OpenChange, Receipt, int]]) -> None:
    """Keep receipts: (number, change, receipt, at)."""
    tx.many(
        "INSERT INTO receipts (seq, change, channel, listing, aspect, place, before, after, outcome, words, request_id, at) "
        "VALUES (:seq, :change, :channel, :listing, :aspect, :place, :before, :after, :outcome, :words, :request_id, :at)",
        [
            (
                seq,
                c.id,
                *c.key,
                write_json(c.before),
                write_json(c.after),
                str(r.outcome),
                r.words[:500],
                r.request_id[:100],
                at,
            )
            for seq, c, r, at in rows
        ],
    )


def receipts_of(tx: Tx, key: Key, limit: int) -> list[tuple[int, str, str, str, str, str, int]]:
    """The latest receipts of a key: (number, before, after, outcome, words, request id, at), newest first."""
    return [
        (row[0], row[1], row[2], row[3], row[4], row[5], row[6])
        for row in tx.query(
            "SELECT seq, before, after, outcome, words, request_id, at FROM receipts WHERE channel = :channel "
            "AND listing = :listing AND aspect = :aspect AND place = :place ORDER BY seq DESC LIMIT :limit",
            channel=key.channel,
            listing=key.listing,
            aspect=key.aspect,
            place=key.place,
            limit=limit,
        )
    ]


def drop_receipts_before(tx: Tx, at: int, limit: int) -> int:
    """Forget old receipts, at most `limit`."""
    return tx.execute(
        "DELETE FROM receipts WHERE seq IN (SELECT seq FROM receipts WHERE at < :at LIMIT :limit)", at=at, limit=limit
    )


def _change(row: tuple[Plain, ...]) -> OpenChange:
    return OpenChange(Key(*row[:4]), row[4], row[5], stored_json(row[6]), stored_json(row[7]), *row[8:])


def count_falling(tx: Tx, before: int = 2**62) -> dict[str, int]:
    """How many changes to zero are held, or were intended before that time and are not yet made, by channel.

    They carry the words "to zero".
    """
    rows = tx.query(
        "SELECT channel, count(*) FROM changes WHERE words = 'to zero' "
        "AND (state = 'held' OR (state = 'intended' AND decided_at < :before)) GROUP BY channel",
        before=before,
    )
    return {row[0]: row[1] for row in rows}
