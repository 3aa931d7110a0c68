"""The small Square's Inventory API: counts, the ledger of changes, and batches of changes that apply as a whole or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from connectors.square.sandbox_errors import RefusalError, list_of
from connectors.square.sandbox_ledger import Line, Place, change_record, read_change
from connectors.square.sandbox_order_api import OrderApi
from connectors.square.sandbox_rules import time_of
from hub.sdk.api import Plain, Response, json_response

LIST_PAGE: Final = 100
PAGE_MAX: Final = 1_000
CHANGES_MAX: Final = 100
TYPES: Final = ("PHYSICAL_COUNT", "ADJUSTMENT")


class InventoryApi(OrderApi):
    """The seller's inventory, as the public API answers."""

    def read_counts(self, body: Plain) -> Response:
        """Counts in stock, the newest first."""
        ids, places, after, limit = self._asked_for(body)
        states = list_of(body, "states", 20, required=False)
        found = [
            (-figure[1], place)
            for place, figure in self.ledger.figures.items()
            if figure[1] > after and (not ids or place[0] in ids) and (not places or place[1] in places)
        ]
        if states and "IN_STOCK" not in states:
            found = []
        page, cursor = self._cut(sorted(found), limit, body, lambda one: [one[0], list(one[1])])
        return json_response({"counts": self._counts([place for _, place in page]), **cursor})

    def read_changes(self, body: Plain) -> Response:
        """Physical counts and adjustments, the earliest occurred first."""
        ids, places, after, limit = self._asked_for(body)
        types = set(list_of(body, "types", 2, required=False)) or set(TYPES)
        if types - set(TYPES):
            raise RefusalError("INVALID_ENUM_VALUE", "Not a type of inventory change.", "types")
        found = self.ledger.told(ids, places, types, after)
        page, cursor = self._cut(found, limit, body, lambda one: [one[0], one[1]])
        return json_response({"changes": [change for _, _, change in page], **cursor})

    def _asked_for(self, body: Plain) -> tuple[set[str], set[str], int, int]:
        """The things and places asked for (none: all), since when, and how many on a page."""
        ids = set(list_of(body, "catalog_object_ids", PAGE_MAX, required=False))
        places = set(list_of(body, "location_ids", PAGE_MAX, required=False))
        limit = body.get("limit")
        if limit is not None and (type(limit) is not int or not 1 <= limit <= PAGE_MAX):
            raise RefusalError("INVALID_VALUE", f"limit must be 1 to {PAGE_MAX}.", "limit")
        return ids, places, time_of(body, "updated_after") if body.get("updated_after") else -1, limit or LIST_PAGE

    def change_inventory(self, body: Plain) -> Response:
        """A batch of changes."""
        return self._once(body, self._apply)

    def _apply(self, body: Plain) -> tuple[int, Plain]:
        """All or nothing; changes are entered at the times at which they occurred."""
        changes = list_of(body, "changes", CHANGES_MAX)
        read = []
        for number, change in enumerate(changes):
            try:
                read.append(self._known(read_change(change, self.micros())))
            except RefusalError as refusal:
                if self.options["error_index"] == "yes":
                    refusal.error["field"] = f"changes[{number}].{refusal.error.get('field', '')}"
                raise
        ignores = body.get("ignore_unchanged_counts") is not False
        listed: list[Plain] = []
        moved: dict[Place, None] = {}
        for change, (name, place, is_count, quantity, at) in zip(changes, read, strict=True):
            if is_count and ignores and self.ledger.last_count(place) == quantity:
                continue
            received, block = self._tick(), change[name]
            if self.ledger.add(place, Line(at, received, is_count, quantity)):
                moved[place] = None
            states = (block["state"],) if is_count else (block["from_state"], block["to_state"])
            kept = {"reference_id": block["reference_id"]} if block.get("reference_id") else {}
            made = change_record(self.catalog.new_id(), place, states, abs(quantity), (at, received), **kept)
            self.ledger.note(at, received, made)
            listed.append(made)
        for place in moved:
            self._tell_count(place)
        return 200, {"counts": self._counts(list(dict.fromkeys(place for _, place, _, _, _ in read))), "changes": listed}

    def _known(self, read: tuple[str, Place, bool, Decimal, int]) -> tuple[str, Place, bool, Decimal, int]:
        found = self.catalog.living(read[1][0])
        if found is None or found["type"] != "ITEM_VARIATION":
            raise RefusalError("NOT_FOUND", "No such catalog object.", "catalog_object_id", 404)
        if read[1][1] not in self.locations:
            raise RefusalError("INVALID_LOCATION", "No such location.", "location_id")
        return read
