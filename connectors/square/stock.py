"""Writing stock: physical counts, each as of the moment at which the hub decided it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from connectors.square.objects import stamp
from connectors.square.sending import parted, write
from hub.sdk.api import (
    MICROS_PER_SECOND,
    Change,
    Outcome,
    Plain,
    Receipt,
    pieces,
    quantity,
    read_time,
    refused,
    send_in_parts,
    unsure,
)

if TYPE_CHECKING:
    from connectors.square.connector import Square

DECIDED_SECONDS_MAX: Final = 24 * 3600 - 60
"""Square refuses a count older than 24 hours; a minute is kept for the way."""


class StockBatch:
    """Sends stock changes of one channel."""

    def __init__(self, square: Square) -> None:
        self.square = square

    def send(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change."""
        now = self.square.clock.now()
        unsendable = [receipt for one in changes if (receipt := _unsendable(one, now)) is not None]
        held = {receipt.change for receipt in unsendable}
        return unsendable + send_in_parts([[one for one in changes if one.id not in held]], self._post)

    def _post(self, part: list[Change]) -> tuple[list[Receipt], list[Change]]:
        # Unchanged counts are sent too: Square compares with the last physical count, not with what is left after
        # sales, so the very figure that repairs a difference could be dropped as unchanged.
        body: dict[str, Plain] = {
            "changes": [_physical_count(one, self.square.client.theirs(one.at)) for one in part],
            "ignore_unchanged_counts": False,
        }
        status, told = write(self.square, "/v2/inventory/changes/batch-create", body, "send stock")
        return (_judged(part, told), []) if status < 300 else parted(part, status, told)


def _unsendable(change: Change, now: int) -> Receipt | None:
    """The receipt of a change that cannot be put to Square at all, None when it can."""
    if not change.place_ref:
        return refused(change, "no location: name the Square location of this place in the channel")
    if change.at > now or now - change.at > DECIDED_SECONDS_MAX * MICROS_PER_SECOND:
        return Receipt(change.id, Outcome.CONFLICT, "decided more than a day ago, or later than now: observe and decide again")
    return None


def _physical_count(change: Change, occurred: int) -> Plain:
    return {
        "type": "PHYSICAL_COUNT",
        "physical_count": {
            "reference_id": change.id,
            "catalog_object_id": change.key.listing,
            "catalog_object_type": "ITEM_VARIATION",
            "state": "IN_STOCK",
            "location_id": change.place_ref,
            "quantity": pieces(change.after["raw"]),
            "occurred_at": stamp(occurred),
        },
    }


def _judged(part: list[Change], told: Plain) -> list[Receipt]:
    """What a successful answer really says of each change: its counts and the ledger lines that it lists."""
    counts = {
        (count["catalog_object_id"], count["location_id"]): count
        for count in told.get("counts") or []
        if count.get("state") == "IN_STOCK"
    }
    lines = {(line.get("physical_count") or {}).get("reference_id") for line in told.get("changes") or []}
    return [_receipt(one, counts.get((one.key.listing, one.place_ref)), one.id in lines) for one in part]


def _receipt(change: Change, count: Plain, in_ledger: bool) -> Receipt:
    if count is None:
        return unsure(change, "answered success without this count")
    shown = quantity(count["quantity"])
    shows, version = {"raw": shown}, read_time(count["calculated_at"])
    if shown == change.after["raw"]:
        return Receipt(change.id, Outcome.APPLIED, shows=shows, version=version)
    if in_ledger:
        # It was taken; sales or a later count that Square knows of explain the difference.
        words = f"counted {pieces(change.after['raw'])}, {pieces(shown)} after what happened since"
        return Receipt(change.id, Outcome.APPLIED, words, shows=shows, version=version)
    if change.before is not None and shown == change.before["raw"]:
        words = f"answered success, but it still shows {pieces(shown)}"
        return Receipt(change.id, Outcome.REFUSED, words, shows=shows, version=version)
    return Receipt(change.id, Outcome.CONFLICT, f"it shows {pieces(shown)}, not what was asked", shows=shows, version=version)
