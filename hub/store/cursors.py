"""How far each stream has been read, by polls and by sweeps. The only writer of table cursors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.store.database import Tx

Kind = Literal["poll", "sweep"]


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of one reading: `cursor` continues it; `under_way` while pages are left; `number` counts the readings.

    `completed_at` is when the last whole reading ended (0: never), `last_seq` its last page, `checked` the number of the last
    reading whose end has been acted upon (absent ids looked for, stream called heard).
    """

    channel: str
    stream: str
    kind: Kind
    cursor: str = ""
    started_at: int = 0
    under_way: bool = False
    pages: int = 0
    records: int = 0
    number: int = 0
    completed_at: int = 0
    last_seq: int = 0
    checked: int = 0


_COLUMNS = "channel, stream, kind, cursor, started_at, under_way, pages, records, number, completed_at, last_seq, checked"


def readings(tx: Tx, channel: str | None = None) -> dict[tuple[str, str, str], Reading]:
    """All readings (of one channel) by (channel, stream, kind)."""
    where = "" if channel is None else " WHERE channel = :channel"
    rows = tx.query(f"SELECT {_COLUMNS} FROM cursors{where}", **({} if channel is None else {"channel": channel}))
    return {(row[0], row[1], row[2]): _reading(row) for row in rows}


def unchecked(tx: Tx) -> list[Reading]:
    """The sweeps that came to their end and of which nobody has acted upon it."""
    rows = tx.query(
        f"SELECT {_COLUMNS} FROM cursors WHERE kind = 'sweep' AND under_way = 0 AND started_at > 0 "
        "AND completed_at >= started_at AND checked <> number ORDER BY channel, stream"
    )
    return [_reading(row) for row in rows]


def reading(tx: Tx, channel: str, stream: str, kind: Kind) -> Reading:
    """One reading; a fresh one when it never began."""
    rows = tx.query(
        f"SELECT {_COLUMNS} FROM cursors WHERE channel = :channel AND stream = :stream AND kind = :kind",
        channel=channel,
        stream=stream,
        kind=kind,
    )
    return _reading(rows[0]) if rows else Reading(channel, stream, kind)


def save(tx: Tx, now: Reading) -> None:
    """Keep the reading; always in the transaction that stored its page, after it. `checked` is left as it is."""
    tx.many(
        "INSERT INTO cursors (channel, stream, kind, cursor, started_at, under_way, pages, records, number, completed_at, "
        "last_seq, checked) VALUES (:channel, :stream, :kind, :cursor, :started_at, :under_way, :pages, :records, :number, "
        ":completed_at, :last_seq, 0) ON CONFLICT (channel, stream, kind) DO UPDATE SET cursor = excluded.cursor, "
        "started_at = excluded.started_at, under_way = excluded.under_way, pages = excluded.pages, "
        "records = excluded.records, number = excluded.number, completed_at = excluded.completed_at, "
        "last_seq = excluded.last_seq",
        [
            (
                now.channel,
                now.stream,
                now.kind,
                now.cursor,
                now.started_at,
                int(now.under_way),
                now.pages,
                now.records,
                now.number,
                now.completed_at,
                now.last_seq,
            )
        ],
    )


def checked(tx: Tx, channel: str, stream: str, number: int) -> None:
    """The end of that sweep has been acted upon."""
    tx.execute(
        "UPDATE cursors SET checked = :number WHERE channel = :channel AND stream = :stream AND kind = 'sweep'",
        number=number,
        channel=channel,
        stream=stream,
    )


def restart(tx: Tx, channel: str) -> None:
    """Read every stream of the channel from the beginning again."""
    tx.execute("UPDATE cursors SET cursor = '', under_way = 0, completed_at = 0 WHERE channel = :channel", channel=channel)


def read_past(tx: Tx, channel: str, stream: str, at: int) -> bool:
    """Whether a stream was read to its end by a reading that began after this moment, and all of it is understood."""
    if not pages_past(tx, channel, stream, at):
        return False
    waits = tx.query(
        "SELECT 1 FROM inbox WHERE state = 'new' AND channel = :channel AND stream = :stream LIMIT 1",
        channel=channel,
        stream=stream,
    )
    return not waits


def pages_past(tx: Tx, channel: str, stream: str, at: int) -> bool:
    """Whether a stream was read to its end by a reading that began after this moment, understood yet or not."""
    kinds: tuple[Kind, ...] = ("poll", "sweep")
    found = (reading(tx, channel, stream, kind) for kind in kinds)
    return any(not now.under_way and now.started_at > at and now.completed_at >= now.started_at for now in found)


def position(tx: Tx, name: str) -> int:
    """How far a foreign sequence (the deliveries of the receiver) has been copied."""
    rows = tx.query("SELECT value FROM sequence WHERE name = :name", name=name)
    return int(rows[0][0]) if rows else 0


def set_position(tx: Tx, name: str, value: int) -> None:
    """Remember how far; in the transaction that stores what was copied."""
    tx.execute(
        "INSERT INTO sequence (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name=name,
        value=value,
    )


def _reading(row: tuple[object, ...]) -> Reading:
    values = list(row)
    values[5] = bool(values[5])
    return Reading(*values)  # type: ignore[arg-type]
