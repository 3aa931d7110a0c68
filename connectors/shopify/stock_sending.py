"""Writing stock: `available` at a location, set to a figure if it still is what the hub saw there (compare and set).

Right before each write the levels are looked at: an item that is not tracked takes no figure, one that is not stocked at the
location is made so, and one that moved since is told as a conflict, so that the hub observes it and plans again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple, Never

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.documents import LOOK_AT_STOCK, SET_STOCK, STOCK_HERE
from connectors.shopify.gids import gid, is_id, number
from connectors.shopify.parts import user_errors
from hub.sdk.api import (
    THOUSAND,
    Change,
    ChannelError,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    compared,
    refused,
    send_in_parts,
    unsure,
    whole_figure,
    write_json,
)

PIECES_MAX: Final = 1_000_000_000
REASON: Final = "correction"
STALE: Final = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
BUSY: Final = frozenset({"IDEMPOTENCY_CONCURRENT_REQUEST"})
SPENT: Final = frozenset({"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"})
"""Nothing was done under this key, and nothing will be: the next try has another one."""


class Level(NamedTuple):
    """What a location shows of a variant's inventory item; `available` None: it is not stocked there."""

    item: str
    tracked: bool
    available: int | None


class StockSender:
    """Sends stock changes of one channel."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    def send(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change; all of one location go together."""
        pool = self._api.context.settings.get("stock_location", "")
        unsendable = [receipt for one in changes if (receipt := _unsendable(one, one.place_ref or pool)) is not None]
        held = {receipt.change for receipt in unsendable}
        groups: dict[str, list[Change]] = {}
        for change in changes:
            if change.id not in held:
                groups.setdefault(change.place_ref or pool, []).append(change)
        return unsendable + send_in_parts(groups.values(), lambda group: (self._at(group[0].place_ref or pool, group), []))

    def _at(self, place: str, changes: list[Change]) -> list[Receipt]:
        location = gid("Location", place)
        levels = self._levels(location, changes)
        receipts: list[Receipt] = []
        to_set: list[Change] = []
        to_stock: list[Change] = []
        for change in changes:
            level = levels.get(change.key.listing)
            before = None if change.before is None else change.before["raw"] // THOUSAND
            if level is None:
                receipts.append(refused(change, "the shop has no such variant"))
            elif not level.tracked:
                receipts.append(refused(change, "this item does not track its stock, so it sells without limit"))
            elif level.available is None:
                to_stock.append(change)
            elif before is not None and level.available != before:
                words = f"it shows {level.available}, not the {before} that this change was worked out from"
                shows = {"raw": level.available * THOUSAND}
                receipts.append(Receipt(change.id, Outcome.CONFLICT, words, shows=shows))
            else:
                to_set.append(change)

        def post(part: list[Change]) -> tuple[list[Receipt], list[Change]]:
            if levels[part[0].key.listing].available is None:
                return [self._stocked(location, part[0], levels)], []
            return self._set(location, part, levels)

        return receipts + send_in_parts([to_set, *([one] for one in to_stock)], post)

    def _levels(self, location: str, changes: Sequence[Change]) -> dict[str, Level]:
        ids = sorted({change.key.listing for change in changes if is_id(change.key.listing)})
        if not ids:
            return {}
        asked = {"ids": [gid("ProductVariant", one) for one in ids], "location": location}
        answer = self._api.ask("look at stock", LOOK_AT_STOCK, asked)
        found: dict[str, Level] = {}
        for node in answer.told.get("nodes") or []:
            if node is not None and node["__typename"] == "ProductVariant":
                item = node["inventoryItem"]
                found[number(node["id"])] = Level(item["id"], item["tracked"], _available(item["inventoryLevel"]))
        return found

    def _set(self, location: str, part: list[Change], levels: dict[str, Level]) -> tuple[list[Receipt], list[Change]]:
        """Receipts of the changes that one call decided, and those that it left undone because of the others."""
        rows = [
            {
                "inventoryItemId": levels[one.key.listing].item,
                "locationId": location,
                "quantity": one.after["raw"] // THOUSAND,
                "changeFromQuantity": levels[one.key.listing].available,
            }
            for one in part
        ]
        given = {"name": "available", "reason": REASON, "quantities": rows}
        asked = {"input": given, "location": location, "key": key_of(part, rows)}
        answer = self._api.ask("set stock", SET_STOCK, asked, writes=True)
        payload = answer.told.get("inventorySetQuantities")
        if not isinstance(payload, dict):
            self._unknown("set stock", answer.request_id)
        errors = user_errors(payload, ("input", "quantities"))
        if errors.whole and not errors.by_place:
            return [_judged_error(one, errors.whole, answer.request_id) for one in part], []
        if errors.by_place:
            # One that is wrong leaves all undone: the others go again without it.
            done = [_judged_error(part[at], error, answer.request_id) for at, error in errors.by_place.items() if at < len(part)]
            return done, [one for at, one in enumerate(part) if at not in errors.by_place]
        group = payload.get("inventoryAdjustmentGroup") or {}
        shown = {one["item"]["id"]: _available(one["item"]["inventoryLevel"]) for one in group.get("changes") or []}
        unsaid = [one for one in part if levels[one.key.listing].item not in shown]
        if unsaid:
            shown |= {level.item: level.available for level in self._looked_after(location, unsaid).values()}
        return [_judged(one, shown.get(levels[one.key.listing].item), answer.request_id) for one in part], []

    def _looked_after(self, location: str, changes: Sequence[Change]) -> dict[str, Level]:
        """What was not in the answer is looked at once more: nothing is said of a figure that does not change."""
        try:
            return self._levels(location, changes)
        except ChannelError:
            return {}

    def _stocked(self, location: str, change: Change, levels: dict[str, Level]) -> Receipt:
        """An item that the location does not hold yet is stocked there."""
        pieces = change.after["raw"] // THOUSAND
        asked = {"item": levels[change.key.listing].item, "location": location, "available": pieces}
        answer = self._api.ask("stock an item", STOCK_HERE, {**asked, "key": key_of([change], [asked])}, writes=True)
        payload = answer.told.get("inventoryActivate") or {}
        errors = user_errors(payload, ())
        if errors.whole:
            return _judged_error(change, errors.whole, answer.request_id)
        return _judged(change, _available(payload.get("inventoryLevel")), answer.request_id)

    def _unknown(self, operation: str, ident: str) -> Never:
        words = "the answer does not speak of it"
        raise OutcomeUnknownError(words, channel=self._api.context.channel, operation=operation, request_id=ident)


def key_of(changes: Sequence[Change], rows: Plain) -> str:
    """The idempotency key: the same for the same changes at the same time with the same figures, and for nothing else."""
    told = [[one.id, one.at] for one in changes]
    return hashlib.sha256(write_json([told, rows]).encode()).hexdigest()[:32]


def _available(level: Plain) -> int | None:
    if not level or level.get("isActive") is False:
        return None
    return next((int(one["quantity"]) for one in level["quantities"] if one["name"] == "available"), None)


def _unsendable(change: Change, place: str) -> Receipt | None:
    if not place:
        return refused(change, "no location: name the shop's location of this place in the channel")
    if whole_figure(change, PIECES_MAX) is None:
        return refused(change, "the shop counts whole pieces from 0 up")
    return None


def _judged_error(change: Change, error: dict[str, str], ident: str) -> Receipt:
    outcome = Outcome.REFUSED
    if error["code"] in STALE:
        outcome = Outcome.CONFLICT
    elif error["code"] in BUSY:
        outcome = Outcome.UNKNOWN
    elif error["code"] in SPENT:
        outcome = Outcome.NOT_SENT
    return Receipt(change.id, outcome, f"{error['code']} {error['message']}".strip(), ident)


def _judged(change: Change, shown: int | None, ident: str) -> Receipt:
    if shown is None:
        return unsure(change, "answered success without this figure", ident)
    return compared(change, change.after["raw"] // THOUSAND, shown, {"raw": shown * THOUSAND}, ident)
