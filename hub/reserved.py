"""Reservations as people ask about them: which order, how much, in which state, where, since when, and whether it counts now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from hub import remembered
from hub.canonical.values import Plain, iso, pieces
from hub.channel import ORDERS
from hub.desired.order import FigureRead, contained
from hub.store import catalogue, looks, order_looks, orders
from hub.store.database import Tx
from hub.store.orders import PROVISIONAL, UNREAD, Reservation, unread_name


@dataclass(frozen=True, slots=True)
class Reserving:
    """Units that are promised: `order` is the human number, "" for a fall that no order explains yet, the channel's own id of an
    order that is not understood; quantity in thousandths.

    `counts`: whether the figure it would be taken from is not net of it yet; None where no figure is looked at.
    """

    order: str
    channel: str
    line: str
    part: str
    sku: str
    quantity: int
    state: str
    place: str
    since: str
    until: str
    counts: bool | None
    words: str

    def document(self) -> dict[str, Plain]:
        """It as plain values."""
        return asdict(self)


def reserving(tx: Tx, rows: Sequence[Reservation], because: Plain = None) -> list[Reserving]:
    """These reservations in order numbers, SKUs, times and words; `because` derives the stock they are taken from."""
    numbers = order_looks.numbers(tx, {row.order for row in rows})
    unread = {row.order: row.order.removeprefix(unread_name(row.origin, "")) for row in rows if row.state == UNREAD}
    reasons = {row.order: _reason(tx, row.origin, unread[row.order]) for row in rows if row.order in unread}
    items = catalogue.items(tx, {row.item for row in rows})
    heads = looks.heads(tx, {row.seq for row in rows if row.state != PROVISIONAL})
    figures = list(_figures(because)) if because is not None else None
    began = remembered.begun(order_looks.told(tx, {(row.origin, row.order) for row in rows}))
    found = []
    for row in sorted(rows, key=lambda each: (each.seq, each.order, each.line, each.part)):
        head = heads.get(row.seq)
        since = began.get((row.order, row.line, row.part)) or (head.received_at if head is not None else row.as_of)
        counts = None if figures is None else not any(_in(row, figure) for figure in figures)
        item = items.get(row.item)
        number = unread.get(row.order) or numbers.get(row.order, "")
        said = _one(row, number, item.sku if item else row.item, since, counts)
        found.append(replace(said, words=_words(said, reasons.get(row.order, ""))))
    return found


def of_items(tx: Tx, items: Sequence[str], because: Plain) -> list[Reserving]:
    """What is reserved of these items now, and which of it counts against the figures of this derivation."""
    return reserving(tx, orders.reservations_of(tx, items), because)


def _reason(tx: Tx, channel: str, record: str) -> str:
    """Why an order is not understood; "" while it waits to be read again."""
    told = [each.letter for each in looks.letters_of(tx, channel, record) if each.letter.stream == ORDERS]
    return "; ".join(f"{letter.path}: {letter.reason}" for letter in told)


def _one(row: Reservation, number: str, sku: str, since: int, counts: bool | None) -> Reserving:
    line = "" if row.state == PROVISIONAL else row.line
    part = "" if row.state == PROVISIONAL else row.part
    return Reserving(
        number,
        row.origin,
        line.partition(" ")[0],
        part,
        sku,
        row.quantity,
        row.state,
        row.place,
        iso(since) if since else "",
        iso(row.until) if row.until else "",
        counts,
        "",
    )


def _words(each: Reserving, reason: str) -> str:
    """One line: "WEB-41 line 7: 2 of TEE open since …"; `reason` says why an order is not understood."""
    since = f" since {each.since}" if each.since else ""
    if each.state == PROVISIONAL:
        return (
            f"{pieces(each.quantity)} of {each.sku} fell on {each.channel}{since} and no order explains it: "
            "counted as sold until its orders have been read past that"
        )
    if each.state == UNREAD:
        why = f"is not understood ({reason})" if reason else "waits to be understood"
        rest = (
            ", in the figure already" if each.counts is False else ": counted until it is understood or its letter is discarded"
        )
        return f"{pieces(each.quantity)} of {each.sku}{since}: order {each.order} of {each.channel} {why}{rest}"
    at = f" at {each.place}" if each.place else " at no place yet"
    until = f", held until {each.until}" if each.until else ""
    how = each.state if not each.part else f"{each.state} ({each.part})"
    rest = ", in the figure already" if each.counts is False else ", not yet in the figure" if each.counts and each.part else ""
    return f"{each.order} line {each.line}: {pieces(each.quantity)} of {each.sku} {how}{at}{since}{until}{rest}"


def _figures(because: Plain) -> Iterator[tuple[str, FigureRead]]:
    """Every figure that a derivation rests on, by its place."""
    for step in because.get("steps", ()):
        if "component" in step:
            yield from _figures(step)
        elif "location" in step:
            yield str(step["location"]), _read(step)


def _read(step: Mapping[str, Plain]) -> FigureRead:
    sources = step["from"]
    begun = min((int(source.get("begun", 0)) for source in sources), default=0)
    as_of = min((int(source.get("as_of", 0)) for source in sources), default=0)
    channel = str(sources[0]["channel"]) if sources else ""
    return FigureRead(str(step["location"]), channel, tuple(step.get("contains", ())), begun, as_of)


def _in(row: Reservation, figure: tuple[str, FigureRead]) -> bool:
    place, read = figure
    if row.state == PROVISIONAL or (row.place and row.place not in place.split("+")):
        return False
    return contained(row.origin, row.state, row.seq, row.as_of, read, row.teller)
