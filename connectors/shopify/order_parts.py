"""Reading orders whole: the head of each, then its parts by their ids, then what a part has more of than one answer holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Never

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.order_documents import MORE_LINES, ORDER_HEAD, PACKED, REFUNDED, RETURNED
from hub.sdk.api import Plain, UnavailableError

PACKED_MAX: Final = 9
REFUNDED_MAX: Final = 5
RETURNED_MAX: Final = 3
"""So many parts in one call: more might cost above the limit of a single document."""
MORE_MAX: Final = 100
LISTED: Final = {
    "Order": "lineItems",
    "Fulfillment": "fulfillmentLineItems",
    "FulfillmentOrder": "lineItems",
    "Refund": "refundLineItems",
}

Row = dict[str, Plain]


class OrderParts:
    """Reads the orders of one channel, in the money and with the persons that its settings say."""

    def __init__(self, api: AdminApi) -> None:
        settings = api.context.settings
        self._api = api
        self._money = {"shop": settings.get("money", "shop") != "presentment"}
        self._persons = {"persons": settings.get("persons", "yes") != "no"}

    def whole(self, ids: Sequence[str]) -> list[Row]:
        """The orders of these global ids that are there, each with its `packed`, `open`, `refunded` and `returned` parts."""
        orders = [order for one in ids if (order := self._head(one)) is not None]
        packed = self._parts(
            "read what was packed",
            PACKED,
            PACKED_MAX,
            [one["id"] for order in orders for one in (*order["fulfillments"], *order["fulfillmentOrders"]["nodes"])],
            {},
        )
        refunded = self._parts(
            "read refunds", REFUNDED, REFUNDED_MAX, [one["id"] for order in orders for one in order["refunds"]], self._money
        )
        returned = self._parts(
            "read returns", RETURNED, RETURNED_MAX, [one["id"] for order in orders for one in order["returns"]["nodes"]], {}
        )
        for order in orders:
            order["packed"] = [packed[one["id"]] for one in order.pop("fulfillments") if one["id"] in packed]
            order["open"] = [packed[one["id"]] for one in order.pop("fulfillmentOrders")["nodes"] if one["id"] in packed]
            order["refunded"] = [refunded[one["id"]] for one in order.pop("refunds") if one["id"] in refunded]
            order["returned"] = [returned[one["id"]] for one in order.pop("returns")["nodes"] if one["id"] in returned]
        return orders

    def packed(self, ids: Sequence[str]) -> dict[str, Row]:
        """Fulfilments and fulfilment orders by their ids."""
        return self._parts("read what was packed", PACKED, PACKED_MAX, ids, {})

    def _head(self, ident: str) -> Row | None:
        operation = "read an order"
        answer = self._api.ask(operation, ORDER_HEAD, {"id": ident, **self._money, **self._persons})
        if "order" not in answer.told:
            self._unavailable(operation, "the answer holds no order")
        order: Row | None = answer.told["order"]
        if order is not None:
            order["__typename"] = "Order"
            self._completed(order)
        return order

    def _parts(self, operation: str, document: str, most: int, ids: Sequence[str], also: Row) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for start in range(0, len(ids), most):
            nodes = self._api.ask(operation, document, {"ids": list(ids[start : start + most]), **also}).told.get("nodes")
            if not isinstance(nodes, list):
                self._unavailable(operation, "the answer lists nothing")
            for node in nodes:
                if node is not None:
                    if "taskStatus" in node:
                        # Two kinds of states cannot stand under one name in one answer.
                        node["status"] = node.pop("taskStatus")
                    self._completed(node)
                    found[node["id"]] = node
        return found

    def _completed(self, node: Row) -> None:
        """Read the rest of the lines of a part that has more than one answer holds."""
        name = LISTED.get(node["__typename"])
        if name is None:
            return
        listing = node[name]
        for _ in range(MORE_MAX):
            if not listing["pageInfo"]["hasNextPage"]:
                return
            asked = {"id": node["id"], "after": listing["pageInfo"]["endCursor"], **self._money}
            more = (self._api.ask("read more lines", MORE_LINES, asked).told.get("node") or {}).get(name)
            if not more:
                self._unavailable("read more lines", "the answer holds no lines")
            node[name]["nodes"] += more["nodes"]
            listing = more
        self._unavailable("read more lines", "lines go on without an end")

    def _unavailable(self, operation: str, words: str) -> Never:
        raise UnavailableError(words, channel=self._api.context.channel, operation=operation)
