"""Oversold: units that are promised and not there; which orders get none, and whether the hub could have known.

Only what is certain counts: a fall that no order explains yet, an order that is not understood, and what a figure may be net of
already, wait for the next reading. Nobody is accused by guess: who placed an order when is the channel's word, what the hub had
heard by then its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, NamedTuple

from hub import metrics, remembered
from hub.canonical.json import stored_json
from hub.canonical.values import Plain, iso, pieces
from hub.desired.order import declares
from hub.desired.stock import Figure
from hub.figures import figure_read
from hub.flow import Aspect, Key
from hub.store import catalogue, changes, ledger, looks, order_looks, orders, oversells
from hub.store.database import Tx
from hub.store.orders import PROVISIONAL, UNREAD, Order, Reservation
from hub.store.oversells import Oversell

NO, HUB, TOLD = "no", "hub", "told"
RECEIPTS_MAX: Final = 200
"""How far back what a channel was told of one listing is looked through."""
NAMED_MAX: Final = 5
"""Orders told one by one; of more only their number is said."""


class Shortage(NamedTuple):
    """How much of an item (thousandths) is promised and not there, and the promises of which some cannot be kept."""

    quantity: int
    promised: tuple[Reservation, ...]


class Short(NamedTuple):
    """An item whose shortage is another than the record says: `before` is the record's, `since` names for each place the
    envelopes that first told of its figure."""

    item: str
    sku: str
    before: int
    shortage: Shortage
    figures: Mapping[str, Figure]
    since: Mapping[str, tuple[int, ...]]
    rows: tuple[Reservation, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the record for people: pieces as text, `now` what of the item is oversold at this moment, `rose` signed."""

    at: str
    sku: str
    item: str
    rose: str
    quantity: str
    now: str
    orders: tuple[str, ...]
    channels: tuple[str, ...]
    known: str
    words: str

    def document(self) -> dict[str, Plain]:
        """It as plain values."""
        return asdict(self)


class _Loser(NamedTuple):
    order: Order
    quantity: int
    place: str
    known: str
    words: str


def certain(rows: Iterable[Reservation], figures: Mapping[str, Figure]) -> tuple[Reservation, ...]:
    """The promises that surely are in none of the figures (by location) of where they would be taken from."""
    found = []
    for row in rows:
        at = [figure for name, figure in figures.items() if row.place in ("", name)]
        if at and row.state not in (PROVISIONAL, UNREAD) and not any(_may_contain(figure, row) for figure in at):
            found.append(row)
    return tuple(found)


def _may_contain(figure: Figure, row: Reservation) -> bool:
    return declares(figure_read(figure), row.origin, row.state, row.teller)


def shortage(rows: Sequence[Reservation], figures: Mapping[str, Figure]) -> Shortage:
    """What is promised beyond the figures (by location; one that covers several counts once), never more than is still open."""
    sure = certain(rows, figures)
    over, left, short = 0, 0, set()
    for place in {figure.place for figure in figures.values()}:
        covered = [name for name, figure in figures.items() if figure.place == place]
        taken = sum(row.quantity for row in sure if row.place in covered)
        there = max(0, figures[covered[0]].on_hand)
        left += max(0, there - taken)
        if taken > there:
            over += taken - there
            short |= set(covered)
    unplaced = sum(row.quantity for row in sure if not row.place)
    if unplaced > left:
        over += unplaced - left
        short.add("")
    promised = tuple(row for row in sure if not row.part and row.place in short)
    return Shortage(min(over, sum(row.quantity for row in promised)), promised)


def lines(tx: Tx, shorts: Sequence[Short], now: int) -> list[Oversell]:
    """The record's next line for each of these items, yet without their numbers."""
    return [_rose(tx, each, now) if each.shortage.quantity > each.before else _fell(each, now) for each in shorts]


def keep(tx: Tx, told: Sequence[Oversell]) -> list[Oversell]:
    """Write the lines into the record and count them; gives those that were new."""
    new = oversells.record(tx, told)
    risen = [(channel, line.known) for line in new if line.rose > 0 for channel in line.channels]
    ledger.count(tx, {("oversold", channel, known): risen.count((channel, known)) for channel, known in set(risen)})
    return new


def count(new: Sequence[Oversell]) -> None:
    """Count what was recorded in this process's metrics."""
    for line in new:
        for channel in line.channels if line.rose > 0 else ():
            metrics.count("oversells", channel=channel, known=line.known)


def latest(tx: Tx, limit: int) -> list[Told]:
    """The latest lines of the record, newest first."""
    found = oversells.latest(tx, limit)
    now = oversells.levels(tx, {line.item for line in found})
    items = catalogue.items(tx, {line.item for line in found})
    return [
        Told(
            iso(line.at),
            items[line.item].sku if line.item in items else line.item,
            line.item,
            f"{'+' if line.rose > 0 else ''}{pieces(line.rose)}",
            pieces(line.quantity),
            pieces(now.get(line.item, 0)),
            line.orders,
            line.channels,
            line.known,
            line.words,
        )
        for line in found
    ]


def _fell(short: Short, now: int) -> Oversell:
    left, rose = short.shortage.quantity, short.shortage.quantity - short.before
    rest = f"{pieces(left)} still are" if left else "every promise can be kept again"
    words = f"{pieces(-rose)} of {short.sku} are no longer oversold: {rest}"
    return Oversell(0, short.item, now, left, rose, (), (), "", words)


def _rose(tx: Tx, short: Short, now: int) -> Oversell:
    rose = short.shortage.quantity - short.before
    losers = _losers(tx, short, rose)
    known = next(verdict for verdict in (TOLD, HUB, NO) if verdict == NO or any(each.known == verdict for each in losers))
    there = ", ".join(f"{name} has {pieces(max(0, figure.on_hand))}" for name, figure in _by_place(short.figures))
    words = [f"{pieces(rose)} of {short.sku} sold that nobody has ({there})", *(each.words for each in losers[:NAMED_MAX])]
    if len(losers) > NAMED_MAX:
        words.append(f"and {len(losers) - NAMED_MAX} orders more")
    channels = tuple(sorted({each.order.channel for each in losers}))
    numbers = tuple(dict.fromkeys(each.order.number for each in losers))
    return Oversell(0, short.item, now, short.shortage.quantity, rose, channels, numbers, known, "; ".join(words))


def _by_place(figures: Mapping[str, Figure]) -> Iterator[tuple[str, Figure]]:
    yield from sorted({figure.place: figure for figure in figures.values()}.items())


def _losers(tx: Tx, short: Short, rose: int) -> list[_Loser]:
    """The promises that were made last: they are those that cannot be kept."""
    known = orders.orders(tx, {row.order for row in short.rows})
    began = _began(tx, short.rows)
    latest = sorted(
        (row for row in short.shortage.promised if row.order in known),
        key=lambda row: (known[row.order].placed_at, began[row], row.order, row.line),
        reverse=True,
    )
    found: list[_Loser] = []
    for row in latest:
        if rose <= 0:
            break
        missing, rose = min(rose, row.quantity), rose - row.quantity
        found.append(_loser(tx, short, known[row.order], row, missing, began))
    return found


def _loser(tx: Tx, short: Short, order: Order, row: Reservation, missing: int, began: Mapping[Reservation, int]) -> _Loser:
    placed = f"{order.number} on {order.channel}, placed {iso(order.placed_at)}, gets {pieces(missing)} too few"
    told = _told_channel(tx, short.item, order, row.quantity)
    if told is not None:
        at, shown = told
        words = f"{placed}: {order.channel} had been told at {iso(at)} to show {pieces(shown)} and sold more than it showed"
        return _Loser(order, missing, row.place, TOLD, words)
    heard = _left_then(tx, short, row, order.placed_at, began)
    if heard is not None and heard[1] < row.quantity:
        at, left = heard
        since = f"since {iso(at)}" if at else "long since"
        words = f"{placed}: the hub had known {since} that {pieces(max(0, left))} were left, {order.channel} did not show it yet"
        return _Loser(order, missing, row.place, HUB, words)
    words = f"{placed}: the hub could not have known, it was bought within the time that the news takes"
    return _Loser(order, missing, row.place, NO, words)


def _told_channel(tx: Tx, item: str, order: Order, wanted: int) -> tuple[int, int] | None:
    """When the channel last was told what to show before this order was placed, and what, where that was too little."""
    for binding in catalogue.bindings_of(tx, [item]):
        if binding.channel != order.channel:
            continue
        receipts = changes.receipts_of(tx, Key(binding.channel, binding.listing, Aspect.STOCK), RECEIPTS_MAX)
        for _, _, after, outcome, _, _, at in receipts:
            if outcome != "applied" or at > order.placed_at:
                continue
            shown = int(stored_json(after)["sellable"]) * binding.factor
            if shown < wanted:
                return at, shown
            break
    return None


def _left_then(
    tx: Tx, short: Short, row: Reservation, placed_at: int, began: Mapping[Reservation, int]
) -> tuple[int, int] | None:
    """Since when (0: longer than is kept) the hub had heard, when this order was placed, of how much was left for it; None
    where a figure was told after that."""
    places = {figure.place: figure.on_hand for name, figure in short.figures.items() if row.place in ("", name)}
    heads = looks.heads(tx, {seq for place in places for seq in short.since.get(place, ())})
    heard = max((head.received_at for head in heads.values()), default=0)
    if heard > placed_at:
        return None
    left = sum(max(0, on_hand) for on_hand in places.values())
    for other in short.rows:
        if other != row and row.place in ("", other.place) and began[other] <= placed_at:
            left -= other.quantity
            heard = max(heard, began[other])
    return heard, left


def _began(tx: Tx, rows: Sequence[Reservation]) -> dict[Reservation, int]:
    """When the hub first heard of each promise."""
    begun = remembered.begun(order_looks.told(tx, {(row.origin, row.order) for row in rows}))
    heads = looks.heads(tx, {row.seq for row in rows})
    return {
        row: begun.get((row.order, row.line, row.part)) or (heads[row.seq].received_at if row.seq in heads else row.as_of)
        for row in rows
    }


def dated(figure: Plain, before: Plain) -> Plain:
    """A settled figure with `since`: the envelopes that first told of this number. `before` is what was settled last, or None."""
    return {**figure, "since": _first_told(figure["on_hand"], figure["from"], before)}


def since(stored: Mapping[tuple[str, str], Plain], figures: Mapping[str, Figure]) -> dict[str, tuple[int, ...]]:
    """For each place the envelopes that first told of its figure as it is."""
    return {
        figure.place: tuple(_first_told(figure.on_hand, figure.sources, stored.get((Aspect.STOCK, figure.place))))
        for figure in figures.values()
    }


def _first_told(on_hand: int, sources: Iterable[Plain], before: Plain) -> list[int]:
    if before is None or before["on_hand"] != on_hand:
        return _seqs(sources)
    return list(before.get("since") or _seqs(before["from"]))


def _seqs(sources: Iterable[Plain]) -> list[int]:
    return [int(source["seq"]) for source in sources if "seq" in source]
