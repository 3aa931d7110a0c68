"""Moving stock by facts from outside: one adjustment per fact and difference, found again by our mark in Square's ledger.

Square sums up what occurred after the last physical count; so an adjustment bears the time at which it was decided, and one
from before a count is in the ledger without changing the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from connectors.square.objects import stamp
from connectors.square.sending import parted, write
from hub.sdk.api import (
    MICROS_PER_SECOND,
    THOUSAND,
    Change,
    Outcome,
    Plain,
    Receipt,
    UnavailableError,
    not_sent,
    pieces,
    read_time,
    refused,
    send_in_parts,
    unsure,
)

if TYPE_CHECKING:
    from connectors.square.connector import Square

OCCURRED_SECONDS_MAX: Final = 24 * 3600 - 60
"""Square takes no adjustment older than 24 hours; a minute is kept for the way."""
LOOKED_BACK_SECONDS: Final = 3600
"""How long before its decision a change is looked for: two clocks may differ so much."""
PAGE: Final = 1_000
PAGES_MAX: Final = 50


class MovementBatch:
    """Sends and finds movements of one channel."""

    def __init__(self, square: Square) -> None:
        self.square = square

    def send(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change; what stands in the ledger already is not entered again."""
        receipts = [receipt for one in changes if (receipt := _settled(one)) is not None]
        rest = _without(changes, receipts)
        receipts += [one for one in self.find(rest) if one.outcome is not Outcome.NOT_SENT]
        return receipts + send_in_parts([_without(changes, receipts)], self._post)

    def find(self, changes: Sequence[Change]) -> list[Receipt]:
        """Whether each change is in the ledger: by our mark, among what Square received since it was decided."""
        if not changes:
            return []
        marked: dict[str, list[Plain]] = {one.id: [] for one in changes}
        since = self.square.client.theirs(min(one.at for one in changes)) - LOOKED_BACK_SECONDS * MICROS_PER_SECOND
        body: dict[str, Plain] = {
            "catalog_object_ids": sorted({one.key.listing for one in changes}),
            "location_ids": sorted({one.place_ref for one in changes if one.place_ref}),
            "types": ["ADJUSTMENT"],
            "updated_after": stamp(max(0, since)),
            "limit": PAGE,
        }
        for _ in range(PAGES_MAX):
            answer = self.square.ask("/v2/inventory/changes/batch-retrieve", body, "find movements")
            told = self.square.told(answer, "find movements")
            for line in told.get("changes") or []:
                adjustment = line.get("adjustment") or {}
                marked.get(str(adjustment.get("reference_id")), []).append(adjustment)
            if not told.get("cursor"):
                return [_found(one, marked[one.id]) for one in changes]
            body["cursor"] = told["cursor"]
        raise UnavailableError("changes go on without an end", channel=self.square.context.channel, operation="find movements")

    def _post(self, part: list[Change]) -> tuple[list[Receipt], list[Change]]:
        now, client = self.square.clock.now(), self.square.client
        body: dict[str, Plain] = {"changes": [_adjustment(one, now, client.theirs) for one in part]}
        status, told = write(self.square, "/v2/inventory/changes/batch-create", body, "send movements")
        return (_judged(part, told), []) if status < 300 else parted(part, status, told)


def _difference(change: Change) -> int:
    """By how much the figure is still to move, in thousandths."""
    return int(change.after["moved"]) - int((change.before or {}).get("moved") or 0)


def _settled(change: Change) -> Receipt | None:
    """The receipt of a change that needs no call or can make none; None for the others."""
    if not change.place_ref:
        return refused(change, "no location: name the Square location of this place in the channel")
    if _difference(change) % THOUSAND:
        return refused(change, "a part of a piece: Square counts this item by the piece")
    if not _difference(change):
        return Receipt(change.id, Outcome.APPLIED, shows={"moved": change.after["moved"]})
    return None


def _without(changes: Sequence[Change], receipts: Sequence[Receipt]) -> list[Change]:
    decided = {receipt.change for receipt in receipts}
    return [one for one in changes if one.id not in decided]


def _adjustment(change: Change, now: int, theirs: Callable[[int], int]) -> Plain:
    moved = _difference(change)
    states = ("NONE", "IN_STOCK") if moved > 0 else ("IN_STOCK", "SOLD" if change.after["kind"] == "handed_over" else "WASTE")
    # a fact must arrive, however late: one that waited longer than Square looks back occurs as early as Square allows
    occurred = min(now, max(change.at, now - OCCURRED_SECONDS_MAX * MICROS_PER_SECOND))
    adjustment = {
        "reference_id": change.id,
        "from_state": states[0],
        "to_state": states[1],
        "location_id": change.place_ref,
        "catalog_object_id": change.key.listing,
        "catalog_object_type": "ITEM_VARIATION",
        "quantity": pieces(abs(moved)),
        "occurred_at": stamp(theirs(occurred)),
    }
    return {"type": "ADJUSTMENT", "adjustment": adjustment}


def _judged(part: list[Change], told: Plain) -> list[Receipt]:
    """What a successful answer really says of each change: only a line in the ledger is a movement."""
    lines: dict[str, list[Plain]] = {}
    for line in told.get("changes") or []:
        adjustment = line.get("adjustment") or {}
        lines.setdefault(str(adjustment.get("reference_id")), []).append(adjustment)
    unsaid = "answered success without this movement"
    return [_found(one, lines[one.id]) if one.id in lines else unsure(one, unsaid) for one in part]


def _found(change: Change, lines: list[Plain]) -> Receipt:
    """By the ledger's lines with our mark; the version is when Square received it, the time that its counts bear."""
    if not lines:
        return not_sent(change)
    if len(lines) > 1:
        return refused(change, f"{len(lines)} lines of the ledger carry this mark")
    received = read_time(lines[0]["created_at"])
    return Receipt(change.id, Outcome.APPLIED, shows={"moved": change.after["moved"]}, version=received)
