"""What each system says of the stock, what explains that they differ, and what nothing explains.

    figures − open orders − what rules keep back + under way + unexplained = what the channel shows

All quantities are pieces of the item in thousandths, also where a listing sells boxes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.canonical.values import Plain, pieces
from hub.flow import Aspect, Key
from hub.merge.authority import Authority
from hub.settings.model import Config
from hub.store import catalogue, first_looks, targets
from hub.store.catalogue import Binding
from hub.store.database import Tx
from hub.store.targets import StoredObservation, StoredTarget

SET: Final = 1_000
LISTED_MAX: Final = 1_000
UNDER_WAY_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One system's figure of one place (several joined with "+")."""

    channel: str
    place: str
    on_hand: int


@dataclass(frozen=True, slots=True)
class Row:
    """One listing against what is known of its item: `shown` there, what it should show, and the parts of the difference.

    `waits`: the unexplained rest is above the threshold, and going live waits for a decision about it.
    """

    channel: str
    listing: str
    sku: str
    item: str
    place: str
    figures: tuple[Figure, ...]
    shown: int
    should: int
    explained: tuple[tuple[str, int], ...]
    unexplained: int
    waits: bool

    def document(self) -> dict[str, Plain]:
        """The row with quantities as people write them."""
        return {
            "channel": self.channel,
            "listing": self.listing,
            "sku": self.sku,
            "item": self.item,
            "place": self.place,
            "figures": [{"channel": f.channel, "place": f.place, "on_hand": pieces(f.on_hand)} for f in self.figures],
            "shown": pieces(self.shown),
            "should": pieces(self.should),
            "explained": [{"what": what, "quantity": pieces(amount)} for what, amount in self.explained],
            "unexplained": pieces(self.unexplained),
            "waits": self.waits,
        }


@dataclass(slots=True)
class Alignment:
    """One channel: how many figures agree, differ with an explanation, differ without one, and wait; the rows that differ."""

    channel: str
    agree: int = 0
    explained: int = 0
    unexplained: int = 0
    waiting: int = 0
    not_shown: int = 0
    """Listings that should show a figure and whose figure is not known yet."""
    rows: list[Row] = field(default_factory=list)


def alignment(tx: Tx, config: Config, authority: Authority, only: str | None = None) -> list[Alignment]:
    """The alignment of every channel that is told what to show (or of one)."""
    moving = _moving(tx, authority)
    found = []
    for name in sorted(config.channels):
        settings = config.channels[name]
        if only not in (None, name) or not (settings.sells_from or settings.figures_at):
            continue
        made = Alignment(name)
        for row in _rows(tx, config, name, moving, made):
            _count(made, row)
        found.append(made)
    return found


def _count(made: Alignment, row: Row) -> None:
    if row.shown == row.should:
        made.agree += 1
        return
    made.explained += not row.unexplained
    made.unexplained += bool(row.unexplained)
    made.waiting += row.waits
    made.rows.append(row)
    if len(made.rows) > 2 * LISTED_MAX:
        _largest(made)


def _largest(made: Alignment) -> None:
    """Keep the largest differences: a report is for people."""
    made.rows.sort(key=lambda row: (-abs(row.unexplained), row.listing, row.place))
    del made.rows[LISTED_MAX:]


def _rows(tx: Tx, config: Config, name: str, moving: Mapping[str, list[tuple[str, str, int]]], made: Alignment) -> Iterator[Row]:
    after, most = "", config.pricing.guards.unexplained_pieces
    while some := first_looks.stock_keys_after(tx, name, after, SET):
        listings = [(name, listing) for listing in some]
        wanted = targets.targets_of(tx, listings, Aspect.STOCK)
        seen = targets.observations_of(tx, listings, Aspect.STOCK)
        bindings = catalogue.bindings(tx, listings)
        for key, target in sorted(wanted.items()):
            shown, binding = seen.get(key), bindings.get((key.channel, key.listing))
            if shown is None or binding is None:
                made.not_shown += 1
                continue
            places = (key.place,) if key.place else config.channels[name].sells_from
            yield _row(key, target, shown, binding, places, moving.get(binding.item, []), most)
        after = some[-1]
    _largest(made)


def _row(
    key: Key,
    target: StoredTarget,
    seen: StoredObservation,
    binding: Binding,
    places: tuple[str, ...],
    moving: list[tuple[str, str, int]],
    most: int | None,
) -> Row:
    because, factor = target.target.because, binding.factor
    figures = tuple(_figures(because))
    on_hand = sum(figure.on_hand for figure in figures)
    should, shown = int(target.target.value["sellable"]) * factor, int(seen.observation.value["sellable"]) * factor
    promised = sum(_promised(because))
    parts = [("open orders", -promised), ("kept back by rules", should - (on_hand - promised))]
    gap = shown - should
    way = min(gap, sum(amount for source, to, amount in moving if source in places or to in places)) if gap > 0 else 0
    parts.append(("under way between places", way))
    rest = gap - way
    return Row(
        key.channel, key.listing, binding.sku, binding.item, key.place or "+".join(places), figures, shown, should,
        tuple((what, amount) for what, amount in parts if amount), rest, most is not None and abs(rest) > most * 1000,
    )  # fmt: skip


def _figures(because: Plain) -> Iterator[Figure]:
    """The figures that a target rests on; of a bundle those of its parts say nothing in its own pieces, so its own pool."""
    if "figure_of" in because:
        yield Figure(_teller(because), str(because["figure_of"]), int(because["on_hand"]))
    for step in because.get("steps", ()):
        if "component" in step:
            yield Figure("bundle", f"made of {step['component']}", int(because.get("pool", 0)))
            return
        if "location" in step:
            yield Figure(_teller(step), str(step["location"]), int(step["on_hand"]))


def _teller(step: Mapping[str, Plain]) -> str:
    return next((str(source["channel"]) for source in step.get("from", ())), "")


def _promised(because: Plain) -> Iterator[int]:
    for step in because.get("steps", ()):
        yield int(step.get("reserved", 0)) + int(step.get("reserved_without_place", 0))


def _moving(tx: Tx, authority: Authority) -> dict[str, list[tuple[str, str, int]]]:
    """What is under way by item: (our location it left, our location it goes to, thousandths)."""
    rows = first_looks.under_way(tx, UNDER_WAY_MAX)
    known = catalogue.bindings(tx, {(row.channel, row.listing) for row in rows})
    found: dict[str, list[tuple[str, str, int]]] = {}
    for row in rows:
        binding = known.get((row.channel, row.listing))
        if binding is not None and binding.item:
            source = authority.location(row.channel, row.from_place) or ""
            to = authority.location(row.channel, row.to_place) or ""
            found.setdefault(binding.item, []).append((source, to, row.quantity * binding.factor))
    return found
