"""How an order stands right now, as far as it decides what can be told of it."""

from __future__ import annotations

from typing import Final

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.gids import gid, is_id, number
from connectors.shopify.order_documents import STANDING
from connectors.shopify.order_parts import OrderParts
from hub.sdk.api import Change, Plain, UnavailableError

PAGES_MAX: Final = 50
NO_PARCEL: Final = frozenset({"CANCELLED", "ERROR", "FAILURE"})

Row = dict[str, Plain]


class Standing:
    """One order. `lines` maps a line to its quantities: as ordered, now, and what may still be refunded."""

    def __init__(self, api: AdminApi, said: Row) -> None:
        self._parts = OrderParts(api)
        self._said = said
        self._packed: dict[str, Row] | None = None
        self.id = str(said["id"])
        self.cancelled = said["cancelledAt"] is not None
        self.cancelled_by = str((said["cancellation"] or {}).get("staffNote") or "")
        self.currency = str(said["currencyCode"])
        self.presentment = str(said["presentmentCurrencyCode"])
        self.attributes = {str(one["key"]): str(one["value"] or "") for one in said["customAttributes"]}
        self.transactions: list[Row] = said["transactions"]
        self.refunds: list[Row] = said["refunds"]
        self.lines = {
            number(one["id"]): (one["quantity"], one["currentQuantity"], one["refundableQuantity"])
            for one in said["lineItems"]["nodes"]
        }

    def refunds_of(self, mark: str) -> list[Row]:
        """The refunds that carry this mark as their note."""
        return [one for one in self.refunds if one["note"] == mark]

    def parcels(self) -> list[Row]:
        """The fulfilments that were not withdrawn."""
        ids = [one["id"] for one in self._said["fulfillments"]]
        return [one for one in self._part(ids) if one["status"] not in NO_PARCEL]

    def tasks(self) -> list[Row]:
        """The fulfilment orders."""
        return self._part([one["id"] for one in self._said["fulfillmentOrders"]["nodes"]])

    def charges(self, change: Change) -> set[str]:
        """The ids of charges that the change speaks of: they are no lines, and may stand in a refund."""
        return {str(part["line"]) for part in change.after.get("parts") or [] if str(part["line"]).startswith("shipping-")}

    def _part(self, ids: list[str]) -> list[Row]:
        if self._packed is None:
            every = [one["id"] for one in (*self._said["fulfillments"], *self._said["fulfillmentOrders"]["nodes"])]
            self._packed = self._parts.packed(every)
        return [self._packed[one] for one in ids if one in self._packed]


def look(api: AdminApi, their: str) -> Standing | None:
    """The order of this id as it stands now; None when the shop has none."""
    if not is_id(their):
        return None
    said: Row | None = None
    after: str | None = None
    for _ in range(PAGES_MAX):
        order = api.ask("look at an order", STANDING, {"id": gid("Order", their), "after": after}).told.get("order")
        if order is None:
            return None
        if said is None:
            said = order
        else:
            said["lineItems"]["nodes"] += order["lineItems"]["nodes"]
        if not order["lineItems"]["pageInfo"]["hasNextPage"]:
            return Standing(api, said)
        after = order["lineItems"]["pageInfo"]["endCursor"]
    raise UnavailableError("lines go on without an end", channel=api.context.channel, operation="look at an order")
