"""Reading orders, whole: with the details of their refunds, which the list only sums up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connectors.woocommerce.order_records import FIELDS, record
from connectors.woocommerce.shop_api import Row, ShopApi
from connectors.woocommerce.windows import PER_PAGE_MAX, Place, Windows
from hub.sdk.api import ChannelContext, Page, ReadAsk, UnavailableError, body_json

CALLS_PER_PAGE_MAX: Final = 20
"""Requests for refunds in one page."""
REFUND_PAGES_MAX: Final = 10
ASKED: Final = {"_fields": ",".join(FIELDS)}


class OrderReader:
    """Reads the orders of one shop; `pickup_places` maps ways of shipping to places where the customer fetches the goods."""

    def __init__(self, api: ShopApi, context: ChannelContext, overlap_seconds: int, pickup_places: dict[str, str]) -> None:
        self._api = api
        self._channel = context.channel
        self._windows = Windows(api, context, "orders", FIELDS, overlap_seconds)
        self._pickup_places = pickup_places

    def read(self, ask: ReadAsk) -> Page:
        """The next orders; a poll gives those that changed since."""
        place = Place.from_cursor(ask.cursor, full=ask.full)
        stretch = self._windows.stretch(place, ask.page_max, "read orders")
        records: list[Row] = []
        calls = 0
        for order in stretch.rows:
            refunded = bool(order.get("refunds"))
            if records and refunded and calls >= CALLS_PER_PAGE_MAX:
                break
            calls += refunded
            records.append(self._record(order, "read orders"))
        following, more = self._windows.after(stretch, len(records), ask.page_max)
        return Page(body_json({"orders": records}), following.cursor(), more)

    def look_up(self, ids: Sequence[str]) -> Page:
        """These orders as they are now, those in the trash among them; the rest is gone."""
        asked = [one for one in dict.fromkeys(ids) if one.isascii() and one.isdigit()]
        gone = [one for one in ids if one not in asked]
        found: dict[str, Row] = {}
        for start in range(0, len(asked), PER_PAGE_MAX):
            some = asked[start : start + PER_PAGE_MAX]
            query = {**ASKED, "include": ",".join(some), "per_page": str(PER_PAGE_MAX), "status": "any"}
            rows = self._api.list("orders", query, "look up orders").rows
            found.update({str(row["id"]): row for row in rows if str(row.get("id")) in some})
        for ident in asked:
            if ident not in found:
                single = self._api.one(f"orders/{ident}", ASKED, "look up orders")
                if single is None:
                    gone.append(ident)
                else:
                    found[ident] = single
        records = [self._record(order, "look up orders") for order in found.values()]
        return Page(body_json({"orders": records}), "", False, gone=tuple(gone))

    def order(self, ident: str) -> Row | None:
        """The order as the API shows it; None when there is none."""
        return self._api.one(f"orders/{ident}", ASKED, "look at an order") if ident.isascii() and ident.isdigit() else None

    def refunds(self, ident: str, operation: str = "look at refunds") -> list[Row]:
        """The order's refunds, whole."""
        found: dict[int, Row] = {}
        for page in range(1, REFUND_PAGES_MAX + 1):
            query = {"per_page": str(PER_PAGE_MAX), "page": str(page), "orderby": "id", "order": "asc"}
            listing = self._api.list(f"orders/{ident}/refunds", query, operation)
            found.update({int(row["id"]): row for row in listing.rows})
            if len(listing.rows) < PER_PAGE_MAX:
                return list(found.values())
        raise UnavailableError("an order's refunds do not come to an end", channel=self._channel, operation=operation)

    def _record(self, order: Row, operation: str) -> Row:
        refunds = self.refunds(str(order["id"]), operation) if order.get("refunds") else []
        try:
            return record(order, refunds, self._pickup_places)
        except (LookupError, ValueError, ArithmeticError, TypeError) as bad:
            # A plugin has bent it out of shape: the mapping names it as a dead letter, its neighbours go on.
            return {"id": order.get("id"), "unreadable": type(bad).__name__}
