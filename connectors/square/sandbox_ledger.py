"""The small Square's inventory: a ledger per variation and location, ordered by when things occurred, not by when they came."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from connectors.square.objects import stamp
from connectors.square.sandbox_errors import RefusalError, text_of
from hub.sdk.api import MICROS_PER_SECOND, Plain, read_time

DAY: Final = 24 * 3600 * MICROS_PER_SECOND
LINES_MAX: Final = 400
KEEP: Final = 3 * DAY
HISTORY_MAX: Final = 100_000
MOVES: Final = {
    ("NONE", "IN_STOCK"): 1,
    ("UNLINKED_RETURN", "IN_STOCK"): 1,
    ("IN_STOCK", "SOLD"): -1,
    ("IN_STOCK", "WASTE"): -1,
}

Place = tuple[str, str]
"""(variation, location)"""


@dataclass(order=True, slots=True)
class Line:
    """One ledger line: a physical count (the figure then) or a move (a signed difference)."""

    occurred_at: int
    received_at: int
    is_count: bool = field(compare=False)
    quantity: Decimal = field(compare=False)


@dataclass(slots=True)
class Ledger:
    """All lines, and the figure that follows from them with the time of the last line that bears on it.

    `history` holds the same and what moved past IN_STOCK, as Square tells it: (occurred, received, InventoryChange).
    """

    lines: dict[Place, list[Line]] = field(default_factory=dict)
    figures: dict[Place, tuple[Decimal, int]] = field(default_factory=dict)
    history: list[tuple[int, int, dict[str, Plain]]] = field(default_factory=list)

    def note(self, occurred_at: int, received_at: int, change: dict[str, Plain]) -> None:
        """Keep a change as it will be told; the oldest go where there are too many."""
        self.history.append((occurred_at, received_at, change))
        del self.history[: max(0, len(self.history) - HISTORY_MAX)]

    def told(self, ids: set[str], places: set[str], types: set[str], after: int) -> list[tuple[int, int, dict[str, Plain]]]:
        """The changes of these things, places (none: all) and types that were received after that time, by when they occurred."""
        found = []
        for one in self.history:
            block = one[2][one[2]["type"].lower()]
            fits = (not ids or block["catalog_object_id"] in ids) and (not places or block["location_id"] in places)
            if fits and one[2]["type"] in types and one[1] > after:
                found.append(one)
        return sorted(found, key=lambda one: one[:2])

    def add(self, place: Place, line: Line) -> bool:
        """Enter the line where it belongs in time; says whether the figure (or what it rests on) changed."""
        lines = self.lines.setdefault(place, [])
        insort(lines, line)
        if len(lines) > LINES_MAX:
            self._fold(place, line.received_at - KEEP)
        before = self.figures.get(place)
        self.figures[place] = _figure(self.lines[place])
        return self.figures[place] != before

    def last_count(self, place: Place) -> Decimal | None:
        """The figure of the latest physical count, None where nobody ever counted."""
        counts = [line for line in self.lines.get(place, []) if line.is_count]
        return counts[-1].quantity if counts else None

    def _fold(self, place: Place, until: int) -> None:
        lines = self.lines[place]
        old = [line for line in lines if line.occurred_at < until]
        if len(old) > 1:
            quantity, at = _figure(old)
            self.lines[place] = [Line(old[-1].occurred_at, at, True, quantity), *lines[len(old) :]]


def _figure(lines: list[Line]) -> tuple[Decimal, int]:
    """The last physical count and every move after it (without a count: from zero)."""
    total, at = Decimal(0), 0
    for line in reversed(lines):
        at = max(at, line.received_at)
        total += line.quantity
        if line.is_count:
            break
    return total, at


def decimal_text(quantity: Decimal) -> str:
    """The quantity as Square writes it."""
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def count_record(place: Place, figure: tuple[Decimal, int]) -> dict[str, Plain]:
    """An InventoryCount."""
    return {
        "catalog_object_id": place[0],
        "catalog_object_type": "ITEM_VARIATION",
        "state": "IN_STOCK",
        "location_id": place[1],
        "quantity": decimal_text(figure[0]),
        "calculated_at": stamp(figure[1]),
    }


def change_record(
    ident: str, place: Place, states: tuple[str, ...], quantity: Decimal, times: tuple[int, int], **more: Plain
) -> dict[str, Plain]:
    """An InventoryChange: of one state a physical count, of two an adjustment; `times` are those of occurring and receipt."""
    block: dict[str, Plain] = {
        "id": ident,
        "catalog_object_id": place[0],
        "catalog_object_type": "ITEM_VARIATION",
        "location_id": place[1],
        "quantity": decimal_text(quantity),
        "occurred_at": stamp(times[0]),
        "created_at": stamp(times[1]),
        **more,
    }
    if len(states) == 1:
        return {"type": "PHYSICAL_COUNT", "physical_count": {**block, "state": states[0]}}
    return {"type": "ADJUSTMENT", "adjustment": {**block, "from_state": states[0], "to_state": states[1]}}


def read_change(change: Plain, now: int) -> tuple[str, Place, bool, Decimal, int]:
    """A change of a batch as (its block's name, place, is it a count, quantity, occurred at), checked by Square's rules."""
    kind = change.get("type") if isinstance(change, dict) else None
    if kind == "TRANSFER":
        raise RefusalError("BAD_REQUEST", "Transfers need an active Retail Plus subscription.", "type")
    if kind not in ("PHYSICAL_COUNT", "ADJUSTMENT"):
        raise RefusalError("INVALID_ENUM_VALUE", "Not a type of inventory change.", "type")
    name = kind.lower()
    block = change.get(name)
    if not isinstance(block, dict):
        raise RefusalError("MISSING_REQUIRED_PARAMETER", f"{name} is missing.", name)
    place = (text_of(block, "catalog_object_id", 100), text_of(block, "location_id", 100))
    quantity = _quantity(block)
    if kind == "PHYSICAL_COUNT":
        if block.get("state") != "IN_STOCK":
            raise RefusalError("INVALID_VALUE", "A physical count sets IN_STOCK here.", "state")
    else:
        sign = MOVES.get((str(block.get("from_state")), str(block.get("to_state"))))
        if sign is None:
            raise RefusalError("INVALID_VALUE", "Not a supported change of state.", "to_state")
        quantity *= sign
    if len(str(block.get("reference_id") or "")) > 255:
        raise RefusalError("VALUE_TOO_LONG", "Field must not be greater than 255 in length.", "reference_id")
    return name, place, kind == "PHYSICAL_COUNT", quantity, _occurred_at(block, now)


def _quantity(block: Plain) -> Decimal:
    text = text_of(block, "quantity", 26)
    # without a unit of measurement things are sold in whole pieces; and nobody counts less than nothing
    if not text.isascii() or not text.isdigit():
        raise RefusalError("INVALID_VALUE", "Quantity must be a whole number, 0 or more.", "quantity")
    return Decimal(text)


def _occurred_at(block: Plain, now: int) -> int:
    try:
        at = read_time(text_of(block, "occurred_at", 34))
    except ValueError:
        raise RefusalError("INVALID_TIME", "Not an RFC 3339 time.", "occurred_at") from None
    if at > now:
        raise RefusalError("INVALID_TIME", "occurred_at is in the future.", "occurred_at")
    if now - at > DAY:
        raise RefusalError("INVALID_TIME", "occurred_at is more than 24 hours ago.", "occurred_at")
    return at
