"""Reading orders: those changed since, by their time of update, each whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.gids import gid, is_id, kind_of, number
from connectors.shopify.order_documents import LIST_ORDERS, NEWEST_ORDERS, ORDERS_OF
from connectors.shopify.order_parts import OrderParts
from connectors.shopify.order_records import Told, record
from connectors.shopify.reading import Reading
from hub.sdk.api import Page, ReadAsk, UnavailableError, body_json, read_time


class OrderReader:
    """Reads the orders of one shop."""

    def __init__(self, api: AdminApi, overlap_seconds: int) -> None:
        self._api = api
        self._overlap_seconds = overlap_seconds
        self._parts = OrderParts(api)
        self._told = Told(api.context.settings)

    def read(self, ask: ReadAsk) -> Page:
        """The next orders in the order of their ids."""
        reading = Reading.from_cursor(ask.cursor, full=ask.full)
        asked = {"first": ask.page_max, "after": reading.page or None, "query": reading.query}
        answer = self._api.ask("list orders", LIST_ORDERS, asked)
        listing = answer.told.get("orders")
        if not isinstance(listing, dict) or not isinstance(listing.get("nodes"), list):
            words = "the answer holds no listing"
            raise UnavailableError(words, channel=self._api.context.channel, operation="list orders")
        ids = [one["id"] for one in listing["nodes"]]
        if not reading.under_way and reading.since is not None:
            ids += [one for one in self._newest(reading.since, ask.page_max) if one not in ids]
        orders = self._parts.whole(ids)
        more = bool(listing["pageInfo"]["hasNextPage"])
        after = replace(reading.opened(answer.at), page=str(listing["pageInfo"]["endCursor"] or "") if more else "")
        cursor = after.cursor() if more else after.closed(self._overlap_seconds).cursor()
        return Page(body_json({"orders": [record(order, self._told) for order in orders]}), cursor, more)

    def _newest(self, since: int, most: int) -> list[str]:
        """The newest orders, without the search: its index does not know yet what was bought a moment ago."""
        listing = self._api.ask("list the newest orders", NEWEST_ORDERS, {"first": most}).told.get("orders")
        if not isinstance(listing, dict) or not isinstance(listing.get("nodes"), list):
            words = "the answer holds no listing"
            raise UnavailableError(words, channel=self._api.context.channel, operation="list the newest orders")
        return [one["id"] for one in listing["nodes"] if read_time(one["updatedAt"]) >= since]

    def look_up(self, ids: Sequence[str]) -> Page:
        """These orders as they are now, also by the id of a fulfilment order, as deliveries name them."""
        asked = {one for one in ids if is_id(one)}
        gone = set(ids) - asked
        others = sorted(one for one in asked if kind_of(one) == "FulfillmentOrder")
        wanted = {gid("Order", one): one for one in asked if kind_of(one) in ("", "Order")}
        if others:
            nodes = self._api.ask("find the orders of parts", ORDERS_OF, {"ids": others}).told.get("nodes") or []
            wanted |= {node["orderId"]: node["orderId"] for node in nodes if node and node.get("orderId")}
        orders = self._parts.whole(sorted(wanted))
        found = {order["id"] for order in orders}
        gone |= {name for ident, one in wanted.items() if ident not in found for name in (one, number(one))}
        body = body_json({"orders": [record(order, self._told) for order in orders]})
        return Page(body, "", False, gone=tuple(sorted(gone)))
