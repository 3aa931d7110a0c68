"""Movements as their tellers tell them: what is under way between places, what came, who is told. Their only writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hub.canonical.json import stored_json, write_json
from hub.canonical.values import Plain
from hub.store.database import Tx

Name = tuple[str, str]
"""(channel that tells of it, its id there)"""


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement: places are the teller's own ids; `words` say what keeps it from being told to others, "" when nothing does."""

    channel: str
    movement: str
    number: str
    kind: str
    state: str
    from_place: str
    to_place: str
    document: str
    at: int
    version: int
    as_of: int
    begun: int
    seq: int
    seen_at: int
    words: str = ""

    @property
    def name(self) -> Name:
        """Its key."""
        return self.channel, self.movement


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a movement, quantities in thousandths of the teller's listing.

    `left_before` and `came_before` of them are taken as known where they left and arrived without our telling; `told` says
    which (channel, listing) is told of the rest, by location.
    """

    channel: str
    movement: str
    part: str
    listing: str
    sku: str
    planned: int
    dispatched: int
    received: int
    left_before: int = 0
    came_before: int = 0
    told: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> Name:
        """The movement that it belongs to."""
        return self.channel, self.movement

    @property
    def open(self) -> int:
        """What left and has not arrived."""
        return max(0, self.dispatched - self.received)


_HEAD = (
    "m.channel, m.movement, m.number, m.kind, m.state, m.from_place, m.to_place, m.document, m.at, m.version, m.as_of, m.begun, "
    "m.seq, m.seen_at, m.words"
)
_PART = (
    "p.channel, p.movement, p.part, p.listing, p.sku, p.planned, p.dispatched, p.received, p.left_before, p.came_before, p.told"
)
_OPEN = (
    "(m.words <> '' OR EXISTS (SELECT 1 FROM moved_parts p WHERE p.channel = m.channel AND p.movement = m.movement "
    "AND p.dispatched > p.received))"
)


def heads(tx: Tx, names: Iterable[Name]) -> dict[Name, Movement]:
    """These movements, as far as they are known."""
    rows = tx.query_keys(
        f"SELECT {_HEAD} FROM @keys(channel, movement) k CROSS JOIN movements m "
        "WHERE m.channel = k.channel AND m.movement = k.movement",
        names,
    )
    return {(row[0], row[1]): Movement(*row) for row in rows}


def parts(tx: Tx, names: Iterable[Name]) -> dict[Name, list[Part]]:
    """The lines of these movements."""
    rows = tx.query_keys(
        f"SELECT {_PART} FROM @keys(channel, movement) k CROSS JOIN moved_parts p "
        "WHERE p.channel = k.channel AND p.movement = k.movement ORDER BY p.channel, p.movement, p.part",
        names,
    )
    found: dict[Name, list[Part]] = {}
    for row in rows:
        found.setdefault((row[0], row[1]), []).append(_part(row))
    return found


def save_heads(tx: Tx, rows: Sequence[Movement]) -> None:
    """Keep the movements, new or told anew."""
    tx.many(
        "INSERT INTO movements (channel, movement, number, kind, state, from_place, to_place, document, at, version, as_of, "
        "begun, seq, seen_at, words) VALUES (:channel, :movement, :number, :kind, :state, :from_place, :to_place, :document, "
        ":at, :version, :as_of, :begun, :seq, :seen_at, :words) ON CONFLICT (channel, movement) DO UPDATE SET "
        "number = excluded.number, kind = excluded.kind, state = excluded.state, from_place = excluded.from_place, "
        "to_place = excluded.to_place, document = excluded.document, at = excluded.at, version = excluded.version, "
        "as_of = excluded.as_of, begun = excluded.begun, seq = excluded.seq, seen_at = excluded.seen_at, words = excluded.words",
        [
            (
                *m.name,
                m.number,
                m.kind,
                m.state,
                m.from_place,
                m.to_place,
                m.document,
                m.at,
                m.version,
                m.as_of,
                m.begun,
                m.seq,
                m.seen_at,
                m.words,
            )
            for m in rows
        ],
    )


def save_parts(tx: Tx, rows: Sequence[Part]) -> None:
    """Keep the lines of movements, new or changed; what was settled of a known line stays."""
    tx.many(
        "INSERT INTO moved_parts (channel, movement, part, listing, sku, planned, dispatched, received, left_before, "
        "came_before, told) VALUES (:channel, :movement, :part, :listing, :sku, :planned, :dispatched, :received, :left_before, "
        ":came_before, :told) ON CONFLICT (channel, movement, part) DO UPDATE SET listing = excluded.listing, "
        "sku = excluded.sku, planned = excluded.planned, dispatched = excluded.dispatched, received = excluded.received",
        [
            (
                *p.name,
                p.part,
                p.listing,
                p.sku,
                p.planned,
                p.dispatched,
                p.received,
                p.left_before,
                p.came_before,
                _told(p),
            )
            for p in rows
        ],
    )


def settle_parts(tx: Tx, rows: Sequence[Part]) -> None:
    """Keep of these lines what is taken as known without our telling, and who is told of the rest."""
    tx.many(
        "UPDATE moved_parts SET left_before = :left_before, came_before = :came_before, told = :told "
        "WHERE channel = :channel AND movement = :movement AND part = :part",
        [(p.left_before, p.came_before, _told(p), *p.name, p.part) for p in rows],
    )


def say(tx: Tx, words: Sequence[tuple[Name, str]]) -> None:
    """Keep in words what stands in the way of these movements."""
    tx.many(
        "UPDATE movements SET words = :words WHERE channel = :channel AND movement = :movement",
        [(said, *name) for name, said in words],
    )


def latest(tx: Tx, limit: int, *, only_open: bool = False) -> list[Movement]:
    """The movements heard of last, newest first; `only_open` those with something under way or missing, or told to nobody."""
    rows = tx.query(
        f"SELECT {_HEAD} FROM movements m {f'WHERE {_OPEN} ' if only_open else ''}"
        "ORDER BY m.seen_at DESC, m.channel, m.movement LIMIT :limit",
        limit=limit,
    )
    return [Movement(*row) for row in rows]


def count_open(tx: Tx) -> int:
    """How many movements have something under way or missing, or something told to nobody."""
    return int(tx.query(f"SELECT count(*) FROM movements m WHERE {_OPEN}")[0][0])


def at_rest_before(tx: Tx, at: int, limit: int) -> list[Name]:
    """Movements dated before that time with nothing open, oldest first; one without a date is never among them."""
    rows = tx.query(
        f"SELECT m.channel, m.movement FROM movements m WHERE m.at > 0 AND m.at < :at AND NOT {_OPEN} "
        "ORDER BY m.at, m.channel, m.movement LIMIT :limit",
        at=at,
        limit=limit,
    )
    return [(row[0], row[1]) for row in rows]


def drop(tx: Tx, names: Sequence[Name]) -> int:
    """Forget these movements; gives how many lines and heads went."""
    gone = 0
    for table in ("moved_parts", "movements"):
        for channel, movement in sorted(set(names)):
            gone += tx.execute(
                f"DELETE FROM {table} WHERE channel = :channel AND movement = :movement", channel=channel, movement=movement
            )
    return gone


def _told(part: Part) -> str:
    return write_json({place: list(who) for place, who in part.told.items()})


def _part(row: tuple[Plain, ...]) -> Part:
    channel, movement, part, listing, sku, planned, dispatched, received, left_before, came_before, told = row
    whom = {place: (who[0], who[1]) for place, who in stored_json(told).items()}
    return Part(channel, movement, part, listing, sku, planned, dispatched, received, left_before, came_before, whom)
