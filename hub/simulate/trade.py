"""Who bought what in the demo's world, and so what every system must hold of it: each order once, each parcel, each credit.

It is written down from receipts and slips, as the people who got them would; nothing here comes from the hub.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bought:
    """One order or receipt, as its buyer remembers it; pieces by SKU, money in hundredths."""

    origin: str
    """The channel where it was bought."""
    their: str
    """Its id there."""
    number: str
    """The number under which every other system must hold it; "" when none has to."""
    place: str
    """The location that hands it out; "" when it was handed out at once."""
    lines: dict[str, int]
    """What is bought, less what was called off and what came back on the same receipt."""
    total: int | None
    """What the receipt says; None once the order was changed."""
    handed_out: Counter[str] = field(default_factory=Counter)
    credited: list[int] = field(default_factory=list)
    """Sums that were given back later."""
    receipts: list[str] = field(default_factory=list)
    """Receipts of the till that carry its number: it was handed over, or some of it came back."""

    def waiting(self, sku: str) -> int:
        """Pieces that still wait at the place."""
        return self.lines.get(sku, 0) - self.handed_out[sku] if self.place else 0

    @property
    def open(self) -> dict[str, int]:
        """All that still waits."""
        return {sku: self.waiting(sku) for sku in self.lines if self.waiting(sku)}


@dataclass(frozen=True, slots=True)
class Paper:
    """What one system must hold of one order: found by its id there, or by the number that it carries as a reference."""

    their: str
    number: str
    lines: dict[str, int] | None
    """Pieces by SKU; None where only its being there matters."""
    shipped: dict[str, int] | None
    """Pieces that must show as sent or handed over there; None where that is not this system's business."""
    total: int | None
    credited: list[int]
    needless: bool = False
    """Right too when it is not there: called off before anybody else had to know."""

    @property
    def name(self) -> str:
        """How people call it."""
        return self.number or self.their


def own_paper(bought: Bought) -> Paper:
    """What the channel where it was bought must show: what was handed out, whoever did it."""
    shipped = {sku: pieces for sku, pieces in bought.handed_out.items() if pieces} if bought.place else None
    return Paper(bought.their, "", bought.lines, shipped, None, [])


def receipt_papers(bought: Bought) -> list[Paper]:
    """The receipts that the till must hold besides."""
    return [Paper(receipt, "", None, None, None, []) for receipt in bought.receipts]


def booked_paper(bought: Bought, ships: bool) -> Paper:
    """What the books must hold; with `ships` they also show what left."""
    shipped = {sku: pieces for sku, pieces in bought.handed_out.items() if pieces} if ships else {}
    their = "" if bought.number else bought.their
    needless = not bought.lines and bought.total is None
    return Paper(their, bought.number, bought.lines, shipped, bought.total, bought.credited, needless)


def fetched_paper(bought: Bought) -> Paper:
    """What the counter must hold of an order that is fetched there."""
    return Paper("", bought.number, bought.lines, {sku: n for sku, n in bought.handed_out.items() if n}, bought.total, [])
