"""Dead letters: what was not understood or not accepted, with the reason in words. The only writer of table dead_letters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.flow import Key
from hub.store.database import Tx


class DeadLetter(NamedTuple):
    """One record or change that a person must look at. `value` is shortened and holds no person."""

    kind: str
    channel: str
    stream: str
    record: str
    path: str
    value: str
    reason: str
    seq: int
    at: int

    @property
    def id(self) -> str:
        """The same fault of the same record has the same id, so it is counted and not repeated."""
        text = "\x1f".join((self.kind, self.channel, self.stream, self.record, self.path, self.reason))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class StoredLetter(NamedTuple):
    """A dead letter as stored, with how often it came."""

    id: str
    letter: DeadLetter
    state: str
    times: int


def id_in(record: str) -> str:
    """The id in a record's name: where that is an address, what it ends with."""
    return record.rpartition("/")[2]


def keep(tx: Tx, letters: Sequence[DeadLetter]) -> None:
    """Keep the letters; one that is known is counted and open again."""
    tx.many(
        "INSERT INTO dead_letters (id, kind, channel, stream, record, path, value, reason, seq, at, state, count) VALUES "
        "(:id, :kind, :channel, :stream, :record, :path, :value, :reason, :seq, :at, 'open', 1) "
        "ON CONFLICT (id) DO UPDATE SET value = excluded.value, seq = excluded.seq, at = excluded.at, state = 'open', "
        "count = dead_letters.count + 1",
        [(letter.id, *letter) for letter in letters],
    )


def open_letters(tx: Tx, limit: int = 1_000) -> list[StoredLetter]:
    """The open dead letters, newest first."""
    rows = tx.query(
        "SELECT id, kind, channel, stream, record, path, value, reason, seq, at, state, count FROM dead_letters "
        "WHERE state = 'open' ORDER BY at DESC, id LIMIT :limit",
        limit=limit,
    )
    return [StoredLetter(row[0], DeadLetter(*row[1:10]), row[10], row[11]) for row in rows]


def fetch(tx: Tx, ids: Sequence[str]) -> list[StoredLetter]:
    """The letters with these ids (or unambiguous beginnings of ids)."""
    return [each for each in open_letters(tx, 100_000) if any(each.id.startswith(i) for i in ids)]


def close_of_record(tx: Tx, channel: str, stream: str, records: Sequence[str]) -> None:
    """The records are understood now: their letters are closed."""
    tx.many(
        "UPDATE dead_letters SET state = 'closed' WHERE channel = :channel AND stream = :stream AND record = :record "
        "AND kind = 'record' AND state = 'open'",
        [(channel, stream, record) for record in sorted(set(records))],
    )


def close_of_changes(tx: Tx, keys: Iterable[Key]) -> None:
    """The changes are made, or not needed any more: their letters are closed."""
    tx.many(
        "UPDATE dead_letters SET state = 'closed' WHERE channel = :channel AND record = :listing AND stream = :aspect "
        "AND path = :place AND kind = 'change' AND state = 'open'",
        [tuple(key) for key in sorted(set(keys))],
    )


def close(tx: Tx, ids: Sequence[str]) -> None:
    """A person has dealt with these."""
    tx.many("UPDATE dead_letters SET state = 'closed' WHERE id = :id", [(each,) for each in ids])


def mentioning(tx: Tx, texts: Sequence[str]) -> list[str]:
    """The ids of all letters, open or closed, in whose value or reason one of these texts stands, in whatever case."""
    rows = tx.query("SELECT id, value, reason FROM dead_letters")
    return [row[0] for row in rows if any(text in " ".join(row[1:]).casefold() for text in texts)]


def redact(tx: Tx, ids: Sequence[str], seqs: Iterable[int]) -> int:
    """Take the words out of these letters, and the value out of those about these envelopes; gives how many."""
    named = tx.execute_keys(
        "UPDATE dead_letters SET value = '', reason = 'erased with a person' WHERE id IN (SELECT k.id FROM @keys(id) k)",
        [(each,) for each in ids],
    )
    told = tx.execute_keys(
        "UPDATE dead_letters SET value = '' WHERE value <> '' AND seq IN (SELECT k.seq FROM @keys(seq bigint) k)",
        [(seq,) for seq in seqs],
    )
    return named + told


def count_open(tx: Tx) -> int:
    """How many are open."""
    return int(tx.query("SELECT count(*) FROM dead_letters WHERE state = 'open'")[0][0])


def open_records(tx: Tx) -> set[tuple[str, str, str]]:
    """The (channel, stream, record) that have an open letter."""
    rows = tx.query("SELECT channel, stream, record FROM dead_letters WHERE state = 'open' AND kind = 'record'")
    return {(row[0], row[1], row[2]) for row in rows}
