"""What systems say of an order, understood: whose order it is by our number, and everything in the lines of its birthplace.

Pure functions. Lines of different systems are matched by item, quantities are dealt out over lines of the same item.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from hub.canonical.values import Plain
from hub.desired.credit import OF, share
from hub.desired.order import CREDIT, DONE_STATES, EXPORT, ORIGIN, RECEIPT, RETURN, Saying

DOCUMENT: Final = "/"
"""What stands between an order's number and the mark of one of several documents of it."""
CREDIT_MARK: Final = "R"
ItemOf = Callable[[str, str], str]
"""(channel, listing) → the item it is bound to; "" where it is bound to none."""
GoodsOf = Callable[[str], Sequence[tuple[str, int]]]
"""Item → (item, pieces) that move for one unit of it: itself, or the components of a virtual bundle."""
UNIT: Final = 1_000
"""One unit, in thousandths."""


def in_lines_of(origin: Saying, saying: Saying, item_of: ItemOf, goods_of: GoodsOf) -> Saying:
    """What another system says of the order, in the lines of its birthplace."""
    if saying.role in (ORIGIN, CREDIT):
        return saying
    room = _Room(origin, item_of, goods_of)
    lines = saying.record["lines"]
    theirs = {str(line["line"]): item_of(saying.channel, str(line.get("listing") or "")) for line in lines}
    if saying.role == RETURN:
        told = [row for line in lines for row in _as_returned(line, room.plain.get(theirs[str(line["line"])], []))]
        return replace(saying, record={**saying.record, "lines": told})
    if saying.role == RECEIPT:
        rung = [(line, room.taken(theirs[str(line["line"])], int(line["quantity"]), True)) for line in lines]
        sold = [{**line, **part} for line, parts in rung for part in parts]
        return replace(saying, record={**saying.record, "lines": sold})
    fulfilments = []
    for fulfilment in saying.record.get("fulfilments") or ():
        gone, parts = fulfilment["state"] in DONE_STATES, list[Plain]()
        for part in fulfilment["parts"]:
            parts += room.taken(theirs.get(str(part["line"]), ""), int(part["quantity"]), gone)
        fulfilments.append({**fulfilment, "parts": parts})
    return replace(saying, record={**saying.record, "fulfilments": fulfilments})


class _Bundle(NamedTuple):
    """A line whose units are several goods: what of them was told and makes no whole unit yet, by whether it is gone."""

    line: list[Plain]
    goods: Sequence[tuple[str, int]]
    loose: dict[tuple[str, bool], int]


class _Room:
    """The lines of an order's birthplace with what each has room for: `plain` by item, and those of virtual bundles."""

    def __init__(self, origin: Saying, item_of: ItemOf, goods_of: GoodsOf) -> None:
        self.plain: dict[str, list[list[Plain]]] = {}
        self._bundles: list[_Bundle] = []
        for line in origin.record["lines"]:
            item = item_of(origin.channel, str(line.get("listing") or ""))
            if item and int(line["quantity"]) > 0:
                row = [str(line["line"]), int(line["quantity"]) - int(line.get("cancelled") or 0)]
                self.plain.setdefault(item, []).append(row)
                if len(goods_of(item)) > 1 or goods_of(item)[0] != (item, 1):
                    self._bundles.append(_Bundle(row, goods_of(item), {}))

    def taken(self, item: str, quantity: int, gone: bool) -> list[Plain]:
        """The parts of lines that this much of an item is; goods of a bundle are part of it once they make a whole unit."""
        lines = self.plain.get(item, [])
        within = [each for each in self._bundles if any(part == item for part, _ in each.goods)]
        if not within or quantity <= 0:
            return dealt_over(lines, quantity)
        parts = dealt_over(lines, min(quantity, sum(max(0, int(line[1])) for line in lines)))
        rest = quantity - sum(int(part["quantity"]) for part in parts)
        for each in within:
            wanted = next(pieces for part, pieces in each.goods if part == item) * int(each.line[1])
            held = each.loose.get((item, gone), 0)
            more = rest if each is within[-1] else max(0, min(rest, wanted - held))
            each.loose[item, gone] = held + more
            rest -= more
            units = min(each.loose.get((part, gone), 0) // pieces for part, pieces in each.goods) // UNIT * UNIT
            if units > 0:
                for part, pieces in each.goods:
                    each.loose[part, gone] -= units * pieces
                each.line[1] -= units
                parts.append({"line": each.line[0], "quantity": units})
        return parts


def numbers_in(record: Mapping[str, Plain], prefixes: Collection[str]) -> set[str]:
    """The numbers of ours that a record may refer to: the order's own, that of one of several documents of it, or the origin's
    number under any of our prefixes."""
    reference = str(record.get("reference") or "")
    return {name for name in (reference, reference.rpartition(DOCUMENT)[0]) if name} | set(_of_origin(record, prefixes))


def _of_origin(record: Mapping[str, Plain], prefixes: Collection[str]) -> list[str]:
    origin = str(record.get("origin_reference") or "")
    return [origin, *(f"{prefix}-{origin}" for prefix in sorted(prefixes))] if origin else []


def referred(record: Mapping[str, Plain], ours: Mapping[str, str], prefixes: Collection[str]) -> tuple[str, str]:
    """The order of ours that a record refers to, by our number or else its origin's, and the role of who speaks; "" where it
    refers to none, or to several by the origin's number.

    `ours` maps our numbers to our ids.
    """
    reference = str(record.get("reference") or "")
    number, _, mark = reference.rpartition(DOCUMENT)
    if reference not in ours and number in ours:
        return ours[number], CREDIT if mark[:1] == CREDIT_MARK and mark[1:].isdigit() else EXPORT
    if reference not in ours:
        copied = {ours[name] for name in _of_origin(record, prefixes) if name in ours}
        return (copied.pop(), EXPORT) if len(copied) == 1 else ("", "")
    if is_return(record):
        return ours[reference], RETURN
    rung_up = record["state"] == "ended" and record.get("place") and not record.get("fulfilments")
    return ours[reference], RECEIPT if rung_up else EXPORT


def is_return(record: Mapping[str, Plain]) -> bool:
    """Whether a record is nothing but goods or money that came back."""
    lines = record["lines"]
    back = all(int(line["quantity"]) < 0 for line in lines) and int(record["total_minor"]) <= 0
    return back and bool(lines or record.get("charges"))


def _as_returned(line: Mapping[str, Plain], room: list[list[Plain]]) -> list[dict[str, Plain]]:
    """A line of a return, dealt out over the order's lines of the same item; amounts go with the pieces."""
    back = -int(line["quantity"])
    rows, before = [], 0
    for part in dealt_over(room, back):
        quantity = int(part["quantity"])
        amounts = {name: share(int(line.get(name) or 0), before, quantity, back) for name in ("amount_minor", "tax_minor")}
        rows.append({**line, **amounts, "quantity": -quantity, OF: part["line"]})
        before += quantity
    return rows or [{**line, OF: ""}]


def dealt_over(room: list[list[Plain]], quantity: int) -> list[Plain]:
    """The quantity dealt out over lines with room for it, in their order; what fits none goes on the last."""
    parts: list[Plain] = []
    for place, line in enumerate(room):
        last = place == len(room) - 1
        taken = quantity if last else min(quantity, line[1])
        if taken > 0:
            parts.append({"line": line[0], "quantity": taken})
            line[1] -= taken
            quantity -= taken
    return parts


def given_up(before: Plain, after: Plain) -> set[str]:
    """The listings of which an order stands with fewer pieces than before: called off, taken out of it, or brought back."""
    stood, stands = _standing(before), _standing(after)
    return {listing for listing, quantity in stood.items() if stands.get(listing, 0) < quantity}


def _standing(record: Plain) -> dict[str, int]:
    lines = record.get("lines") or () if record.get("state") != "cancelled" else ()
    listing_of = {str(line["line"]): str(line.get("listing") or "") for line in lines}
    stands: dict[str, int] = {}
    for line in lines:
        listing = listing_of[str(line["line"])]
        stands[listing] = stands.get(listing, 0) + int(line["quantity"]) - int(line.get("cancelled") or 0)
    for part in (part for each in record.get("returns") or () for part in each["parts"]):
        listing = listing_of.get(str(part.get("line") or ""), "")
        stands[listing] = stands.get(listing, 0) - int(part["quantity"])
    stands.pop("", None)
    return stands
