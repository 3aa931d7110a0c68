"""What is known of each channel while it works: pace, pauses, look-ups to make. Their only writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from hub.store.database import Tx

LOGIN_REFUSED: Final = "login refused"


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel's stored state: its bucket as JSON text, until when it is paused by pace, and by whom it is paused.

    `paused_by` is "" (it runs), "person" or words that begin with LOGIN_REFUSED; `failures` counts failures in a row.
    """

    channel: str
    bucket: str = ""
    paused_until: int = 0
    paused_by: str = ""
    failures: int = 0


class LookUp(NamedTuple):
    """An id whose current record is to be read: `mark` tells two askings apart."""

    channel: str
    stream: str
    id: str
    mark: int
    not_before: int
    attempts: int
    reason: str


def state(tx: Tx, channel: str) -> ChannelState:
    """The channel's state; a fresh one when nothing is known."""
    rows = tx.query(
        "SELECT channel, bucket, paused_until, paused_by, failures FROM pace WHERE channel = :channel", channel=channel
    )
    return ChannelState(*rows[0]) if rows else ChannelState(channel)


def states(tx: Tx) -> dict[str, ChannelState]:
    """The states of all channels that have one."""
    return {row[0]: ChannelState(*row) for row in tx.query("SELECT channel, bucket, paused_until, paused_by, failures FROM pace")}


def save_pace(tx: Tx, channel: str, bucket: str, paused_until: int, failures: int) -> None:
    """Keep how fast the channel may be asked; who paused it is left alone."""
    tx.execute(
        "INSERT INTO pace (channel, bucket, paused_until, paused_by, failures) VALUES (:channel, :bucket, :paused_until, '', "
        ":failures) ON CONFLICT (channel) DO UPDATE SET bucket = excluded.bucket, paused_until = excluded.paused_until, "
        "failures = excluded.failures",
        channel=channel,
        bucket=bucket,
        paused_until=paused_until,
        failures=failures,
    )


def pause(tx: Tx, channel: str, by: str) -> None:
    """Pause the channel ("" lets it go on)."""
    tx.execute(
        "INSERT INTO pace (channel, bucket, paused_until, paused_by, failures) VALUES (:channel, '', 0, :by, 0) "
        "ON CONFLICT (channel) DO UPDATE SET paused_by = excluded.paused_by, paused_until = 0, failures = 0",
        channel=channel,
        by=by,
    )


def let_in(tx: Tx, channel: str) -> None:
    """Let a channel whose login was refused go on, now that it has another one; what a person paused stays paused."""
    if state(tx, channel).paused_by.startswith(LOGIN_REFUSED):
        pause(tx, channel, "")


def ask(tx: Tx, asked: Iterable[tuple[str, str, str, str]], mark: int, not_before: int) -> None:
    """Ask for the current record of these (channel, stream, id, reason); an earlier asking for the same keeps its turn."""
    tx.many(
        "INSERT INTO lookups (channel, stream, id, mark, not_before, attempts, reason) VALUES (:channel, :stream, :id, :mark, "
        ":not_before, 0, :reason) ON CONFLICT (channel, stream, id) DO UPDATE SET mark = excluded.mark, attempts = 0, "
        "not_before = CASE WHEN excluded.not_before > lookups.not_before THEN excluded.not_before ELSE lookups.not_before END, "
        "reason = excluded.reason",
        [(channel, stream, id, mark, not_before, reason) for channel, stream, id, reason in sorted(set(asked))],
    )


def due_look_ups(tx: Tx, channel: str, now: int, limit: int) -> list[LookUp]:
    """Look-ups of a channel whose time has come, oldest first."""
    rows = tx.query(
        "SELECT channel, stream, id, mark, not_before, attempts, reason FROM lookups WHERE channel = :channel "
        "AND not_before <= :now ORDER BY mark, id LIMIT :limit",
        channel=channel,
        now=now,
        limit=limit,
    )
    return [LookUp(*row) for row in rows]


def next_look_up_at(tx: Tx, channel: str) -> int | None:
    """When the next look-up of a channel is due; None when there is none."""
    rows = tx.query("SELECT min(not_before) FROM lookups WHERE channel = :channel", channel=channel)
    return int(rows[0][0]) if rows and rows[0][0] is not None else None


def looked_up(tx: Tx, done: Sequence[LookUp]) -> None:
    """The look-ups are made; one asked again meanwhile stays."""
    tx.many(
        "DELETE FROM lookups WHERE channel = :channel AND stream = :stream AND id = :id AND mark = :mark",
        [(each.channel, each.stream, each.id, each.mark) for each in done],
    )


def postpone_look_ups(tx: Tx, failed: Sequence[LookUp], not_before: int) -> None:
    """The look-ups failed: later again."""
    tx.many(
        "UPDATE lookups SET not_before = :not_before, attempts = attempts + 1 WHERE channel = :channel AND stream = :stream "
        "AND id = :id AND mark = :mark",
        [(not_before, each.channel, each.stream, each.id, each.mark) for each in failed],
    )


def count_look_ups(tx: Tx) -> int:
    """How many look-ups wait."""
    return int(tx.query("SELECT count(*) FROM lookups")[0][0])
