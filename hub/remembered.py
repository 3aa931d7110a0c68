"""What the ledger keeps of orders: every change of what a system says, and reservations as they begin, change and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hub.canonical.values import Plain, from_minor, pieces
from hub.desired.order import DONE_STATES
from hub.flow import Aspect, Key
from hub.store.ledger import Entry
from hub.store.orders import Order, OrderBinding, Reservation

SAID, RESERVED, SETTLED = "said", "reserved", "settled"
ENDS = {"cancelled": ", the order is cancelled", "expired": ", its hold ran out unpaid"}


def said(
    bound: Sequence[OrderBinding], known: Mapping[tuple[str, str], OrderBinding], numbers: Sequence[int], now: int
) -> list[Entry]:
    """A line for each statement that is another than what its system said before."""
    lines: list[Entry] = []
    for binding in bound:
        old = known.get((binding.channel, binding.their))
        words = _record(binding.value)
        if old is None or _record(old.value) != words:
            told = {"words": f"said: {words}", "inbox": binding.seq}
            key = Key(binding.channel, binding.order, Aspect.ORDER, SAID)
            lines.append(Entry(numbers[len(lines)], now, SAID, key, binding.order, told))
    return lines


def reserved(
    held: Iterable[Reservation], new: Iterable[Reservation], orders: Mapping[str, Order], numbers: Sequence[int], now: int
) -> list[Entry]:
    """A line for each reservation of these orders that begins, changes or ends without a figure having it."""
    before = {(row.order, row.line, row.part): row for row in held}
    after = {(row.order, row.line, row.part): row for row in new}
    lines: list[Entry] = []
    for key in sorted(before.keys() | after.keys()):
        old, now_held = before.get(key), after.get(key)
        if old is not None and now_held is not None and _same(old, now_held):
            continue
        row = now_held or old
        assert row is not None
        if now_held is None:
            state = orders[row.order].state if row.order in orders else ""
            words = f"no longer reserved: {_units(row)}" + ENDS.get(state, "")
        else:
            words = f"reserved: {_units(now_held)}" + (f" (before: {pieces(old.quantity)})" if old is not None else "")
        lines.append(_line(row, numbers[len(lines)], now, words, began=old is None))
    return lines


def contained(rows: Iterable[Reservation], numbers: Sequence[int], now: int) -> list[Entry]:
    """A line for each reservation that ends because the figure of its place has it."""
    unique = {(row.order, row.line, row.part): row for row in rows}
    told = [row for _, row in sorted(unique.items())]
    return [_line(row, numbers[n], now, f"no longer reserved: {_units(row)}, the figure has it") for n, row in enumerate(told)]


def settled(order: Order, number: int, now: int) -> Entry:
    """The line of a person who did by hand what only a person can do."""
    key = Key(order.channel, order.order, Aspect.ORDER, SETTLED)
    return Entry(number, now, SETTLED, key, order.order, {"words": f"settled by hand: {order.by_hand}"})


def begun(lines: Iterable[Entry]) -> dict[tuple[str, str, str], int]:
    """When reservations began last: (order, line, part) → microseconds, as far as these lines tell."""
    told = [line for line in lines if line.event == RESERVED and line.words.get("began")]
    return {(line.key.listing, str(line.words["line"]), str(line.words["part"])): line.at for line in told}


def _line(row: Reservation, number: int, now: int, words: str, *, began: bool = False) -> Entry:
    told = {"words": words, "line": row.line, "part": row.part, "began": began, "inbox": row.seq}
    return Entry(number, now, RESERVED, Key(row.origin, row.order, Aspect.ORDER, RESERVED), row.order, told)


def _same(old: Reservation, new: Reservation) -> bool:
    return (old.item, old.quantity, old.state, old.place) == (new.item, new.quantity, new.state, new.place)


def _units(row: Reservation) -> str:
    part, place = f" ({row.part})" if row.part else "", f" at {row.place}" if row.place else ""
    return f"{pieces(row.quantity)} of line {row.line.partition('/')[0]}, {row.state}{part}{place}"


def _record(record: Mapping[str, Plain]) -> str:
    """What a record says, as far as it matters to the story: state, total, quantities, what left and what was paid."""
    lines = record.get("lines") or ()
    told = [str(record["state"])]
    if "total_minor" in record:
        told.append(f"{from_minor(int(record['total_minor']), str(record['currency']))} {record['currency']}")
    told.append(f"{pieces(sum(int(line['quantity']) for line in lines))} wanted")
    cancelled = sum(int(line.get("cancelled") or 0) for line in lines)
    parts = [part for each in record.get("fulfilments") or () if each["state"] in DONE_STATES for part in each["parts"]]
    back = [part for each in record.get("returns") or () for part in each["parts"]]
    for count, word in ((cancelled, "cancelled"), (_sum(parts), "left"), (_sum(back), "came back")):
        if count:
            told.append(f"{pieces(count)} {word}")
    kinds = sorted({str(payment["kind"]) for payment in record.get("payments") or ()})
    return ", ".join([*told, *kinds])


def _sum(parts: Iterable[Mapping[str, Plain]]) -> int:
    return sum(int(part["quantity"]) for part in parts)
