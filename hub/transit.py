"""Movements as people look at them: what is under way between places, what is missing, and who was told what came and went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Final

from hub.canonical.values import Plain, iso, pieces
from hub.desired.movement import fact, place_of
from hub.flow import Aspect, Key
from hub.settings.model import Config
from hub.store import catalogue, movements, targets
from hub.store.database import Database, Tx
from hub.store.movements import Movement, Part
from hub.store.targets import StoredObservation, StoredTarget

MOVEMENTS_MAX: Final = 1_000


@dataclass(slots=True)
class Line:
    """One line: pieces as people write them; `told` says who is told of it at which place, how much of it they know so far,
    and how much they should."""

    part: str
    sku: str
    planned: str
    dispatched: str
    received: str
    open: str
    told: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Transit:
    """A movement: `told_by` tells of it, places are our locations (theirs in quotes where we know none), `open` what left and has
    not arrived, `words` what keeps it from being told to others."""

    number: str
    told_by: str
    movement: str
    kind: str
    state: str
    source: str
    destination: str
    document_of: str
    at: str
    seen_at: str
    open: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    words: str = ""

    def document(self) -> dict[str, Plain]:
        """It as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Known:
    bindings: dict[tuple[str, str], catalogue.Binding]
    wanted: dict[Key, StoredTarget]
    shown: dict[Key, StoredObservation]


def latest(config: Config, database: Database, *, only_open: bool = False, limit: int = 50) -> list[Transit]:
    """The movements heard of last, newest first; `only_open` those with something under way or missing, or told to nobody."""

    def read(tx: Tx) -> list[Transit]:
        heads = movements.latest(tx, min(limit, MOVEMENTS_MAX), only_open=only_open)
        parts = movements.parts(tx, [head.name for head in heads])
        known = _known(tx, [part for those in parts.values() for part in those])
        return [_transit(config, head, parts.get(head.name, []), known) for head in heads]

    return database.read(read)


def _known(tx: Tx, parts: Iterable[Part]) -> _Known:
    listed = {(part.channel, part.listing) for part in parts if part.listing}
    told = {who for part in parts for who in part.told.values()}
    return _Known(
        catalogue.bindings(tx, listed),
        targets.targets_of(tx, told, Aspect.MOVEMENT),
        targets.observations_of(tx, told, Aspect.MOVEMENT),
    )


def _transit(config: Config, head: Movement, parts: Iterable[Part], known: _Known) -> Transit:
    lines = [_line(part, known) for part in parts]
    return Transit(
        head.number or head.movement,
        head.channel,
        head.movement,
        head.kind,
        head.state,
        _place(config, head.channel, head.from_place),
        _place(config, head.channel, head.to_place),
        head.document,
        iso(head.at) if head.at else "",
        iso(head.seen_at),
        [f"{line.open} of {line.sku}" for line in lines if line.open != "0"],
        lines,
        head.words,
    )


def _line(part: Part, known: _Known) -> Line:
    binding = known.bindings.get((part.channel, part.listing))
    sku = part.sku or (binding.sku if binding is not None else "") or part.listing
    return Line(
        part.part,
        sku,
        pieces(part.planned),
        pieces(part.dispatched),
        pieces(part.received),
        pieces(part.open),
        [_told(part, location, who, known) for location, who in sorted(part.told.items())],
    )


def _told(part: Part, location: str, who: tuple[str, str], known: _Known) -> dict[str, str]:
    key = Key(*who, Aspect.MOVEMENT, place_of(location, fact(part.channel, part.movement, part.part)))
    shown, wanted = known.shown.get(key), known.wanted.get(key)
    knows = int(shown.observation.value["moved"]) if shown is not None else 0
    should = int(wanted.target.value["moved"]) if wanted is not None else knows
    return {"channel": who[0], "listing": who[1], "location": location, "knows": pieces(knows), "should": pieces(should)}


def _place(config: Config, channel: str, place: str) -> str:
    for name, location in config.locations.items():
        if place and location.channels.get(channel) == place:
            return name
    return f"“{place}”" if place else ""
