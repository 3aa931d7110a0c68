"""Reading orders: searched by when they were last updated, because a till that was offline delivers late under its old date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from connectors.square.objects import stamp
from connectors.square.order_records import record
from hub.sdk.api import Page, Plain, ReadAsk, UnavailableError, Window, body_json, read_time

if TYPE_CHECKING:
    from connectors.square.connector import Square

LOCATIONS_PER_SEARCH_MAX: Final = 10
"""Square searches at most so many locations at once."""
MARK: Final = "|"


class OrderReader:
    """Reads the orders of one seller at this channel's locations."""

    def __init__(self, square: Square) -> None:
        self.square = square

    def read(self, ask: ReadAsk) -> Page:
        """Orders of every state, the earliest updated first; with more than 10 locations they are asked for in groups."""
        window = Window.from_cursor(ask.cursor, full=ask.full)
        group, _, following = window.page.partition(MARK)
        groups, number = self._groups(), int(group or 0)
        # an account that lost locations since the last page has nothing more to say of them
        asked = groups[number] if number < len(groups) else groups[-1]
        body: dict[str, Plain] = {"location_ids": asked, "query": _query(window.since), "limit": ask.page_max}
        if following:
            body["cursor"] = following
        answer = self.square.ask("/v2/orders/search", body, "read orders")
        told = self.square.told(answer, "read orders")
        orders = told.get("orders") or []
        times = [read_time(one["updated_at"]) for one in orders]
        if told.get("cursor"):
            told = {"cursor": f"{number}{MARK}{told['cursor']}"}
        elif number + 1 < len(groups):
            told = {"cursor": f"{number + 1}{MARK}"}
        return self.square.page("orders", window, answer, told, {"orders": [record(one) for one in orders]}, times)

    def look_up(self, ids: Sequence[str]) -> Page:
        """These orders as they are now; an unknown id is left out of Square's answer and is gone."""
        asked = self.square.ask("/v2/orders/batch-retrieve", {"order_ids": list(ids)}, "look up orders")
        found = {one["id"]: one for one in self.square.told(asked, "look up orders").get("orders") or []}
        records = [record(found[one]) for one in ids if one in found]
        gone = tuple(one for one in ids if one not in found)
        return Page(body_json({"orders": records}), "", False, gone=gone)

    def _groups(self) -> list[list[str]]:
        known = sorted(set(self.square.context.places.values())) or self._all_locations()
        return [known[at : at + LOCATIONS_PER_SEARCH_MAX] for at in range(0, len(known), LOCATIONS_PER_SEARCH_MAX)]

    def _all_locations(self) -> list[str]:
        square = self.square
        answer = square.client.call("GET", "/v2/locations", operation="list locations", writes=False, headers=square.headers)
        known = sorted(str(one["id"]) for one in square.told(answer, "list locations").get("locations") or [])
        if not known:
            raise UnavailableError("the account names no location", channel=square.context.channel, operation="list locations")
        return known


def _query(since: int | None) -> Plain:
    """Filter and sort name the same time, as Square demands; everything is what was updated since 1970."""
    return {
        "filter": {"date_time_filter": {"updated_at": {"start_at": stamp(since or 0)}}},
        "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
    }
