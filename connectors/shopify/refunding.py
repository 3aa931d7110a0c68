"""Giving money back, and taking pieces off an order that never left: both are refunds to the shop, told apart by their money.

A refund is keyed, so that a repetition of the same request has no second effect, and found again by our mark as its note.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Final

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.catalogue import answered
from connectors.shopify.gids import gid, minor, number
from connectors.shopify.order_documents import REFUND
from connectors.shopify.order_standing import Standing, look
from connectors.shopify.parts import user_errors
from hub.sdk.api import (
    THOUSAND,
    Change,
    Outcome,
    Plain,
    Receipt,
    from_minor,
    minor_from,
    named_mark,
    not_sent,
    plain_decimal,
    refused,
)

TAKING: Final = frozenset({"SALE", "CAPTURE"})

Row = dict[str, Plain]


class Refunding:
    """Refunds of one channel. Amounts are told in the money in which the channel tells its orders."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api
        self._bag = "presentmentMoney" if api.context.settings.get("money", "shop") == "presentment" else "shopMoney"

    def found(self, change: Change, order: Standing) -> Receipt:
        """Whether as much as was asked for stands in refunds under our mark."""
        done = sum(minor(one["totalRefundedSet"][self._bag]) for one in order.refunds_of(named_mark(change)))
        wanted = int(change.after["amount_minor"])
        slack = self._slack(order)
        if done > wanted + slack:
            return refused(change, "more was refunded under our mark than was asked for")
        if done > 0 and abs(done - wanted) <= slack:
            return Receipt(change.id, Outcome.APPLIED, shows={"their": number(order.id), "refunded_minor": done})
        return not_sent(change)

    def refund(self, change: Change, order: Standing) -> Receipt:
        """Give the amount back, out of as many payments as it takes; nothing is put back on the shelf."""
        wanted = int(change.after["amount_minor"])
        done = sum(minor(one["totalRefundedSet"][self._bag]) for one in order.refunds_of(named_mark(change)))
        if wanted <= done + self._slack(order):
            return refused(change, "a refund is an amount above zero")
        rooms = _rooms(order, self._bag)
        if wanted - done > sum(rooms.values()):
            return refused(change, f"only {sum(rooms.values())} minor units of its payments can still be refunded")
        open_minor, rows = wanted - done, []
        for one in order.transactions:
            amount = min(open_minor, rooms.get(one["id"], 0))
            if amount > 0:
                rows.append(self._row(order, one, amount))
                open_minor -= amount
        given: Row = {"orderId": order.id, "note": named_mark(change), "notify": False, "transactions": rows}
        if order.currency != order.presentment:
            given["currency"] = order.presentment
        lines = self._sent_back(change, order) if not done else []
        if lines:
            given["refundLineItems"] = lines
        return self._made(change, given)

    def taken_off(self, change: Change, order: Standing, wanted: dict[str, int]) -> Receipt:
        """Take pieces off the order that were not sent: no money, and nothing goes back on the shelf."""
        lines = [
            {"lineItemId": gid("LineItem", line), "quantity": min(pieces, order.lines[line][2]), "restockType": "NO_RESTOCK"}
            for line, pieces in sorted(wanted.items())
            if order.lines[line][2]
        ]
        if not lines:
            return refused(change, "nothing of it can be taken off the order any more")
        return self._made(change, {"orderId": order.id, "note": named_mark(change), "notify": False, "refundLineItems": lines})

    def _row(self, order: Standing, paid: Row, amount: int) -> Row:
        """A payment's refund, in the money that the customer paid in."""
        currency = str(paid["amountSet"][self._bag]["currencyCode"])
        money = from_minor(amount, currency)
        if self._bag == "shopMoney" and order.currency != order.presentment:
            shop, shown = paid["amountSet"]["shopMoney"], paid["amountSet"]["presentmentMoney"]
            rate = Decimal(str(shown["amount"])) / Decimal(str(shop["amount"]))
            money = from_minor(minor_from(money * rate, order.presentment), order.presentment)
        return {
            "orderId": order.id,
            "parentId": paid["id"],
            "gateway": paid["gateway"] or "manual",
            "kind": "REFUND",
            "amount": plain_decimal(money),
        }

    def _slack(self, order: Standing) -> int:
        """How many minor units one of the customer's money is worth: no refund in it can be told more exactly in ours."""
        if self._bag != "shopMoney" or order.currency == order.presentment:
            return 0
        for one in order.transactions:
            shop, shown = minor(one["amountSet"]["shopMoney"]), minor(one["amountSet"]["presentmentMoney"])
            if shop > 0 and shown > 0:
                return -(-shop // shown)
        return 0

    def _sent_back(self, change: Change, order: Standing) -> list[Row]:
        """The pieces that this money is for, as far as they had left: what had not is taken off by a cancellation."""
        left: dict[str, int] = {}
        for parcel in order.parcels():
            for part in parcel["fulfillmentLineItems"]["nodes"]:
                line = number(part["lineItem"]["id"])
                left[line] = left.get(line, 0) + int(part["quantity"] or 0)
        rows = []
        for part in change.after.get("parts") or []:
            line, pieces = str(part["line"]), int(part.get("quantity") or 0) // THOUSAND
            if line in order.lines:
                pieces = min(pieces, left.get(line, 0), order.lines[line][2])
                if pieces > 0:
                    rows.append({"lineItemId": gid("LineItem", line), "quantity": pieces, "restockType": "NO_RESTOCK"})
        return rows

    def _made(self, change: Change, given: Row) -> Receipt:
        key = hashlib.sha256(f"{change.id}\n{named_mark(change)}".encode()).hexdigest()[:32]
        answer = self._api.ask("create a refund", REFUND, {"input": given, "key": key}, writes=True)
        payload = answered(answer, "refundCreate")
        errors = user_errors(payload, ())
        if errors.whole:
            return refused(change, errors.whole["message"])
        again = look(self._api, str(change.after["their"]))
        if again is None or not again.refunds_of(named_mark(change)):
            return refused(change, "accepted, but the order does not show it")
        if change.after["fact"] == "cancelled":
            return Receipt(change.id, Outcome.APPLIED, shows={"their": number(again.id)})
        found = self.found(change, again)
        if found.outcome is Outcome.NOT_SENT:
            return refused(change, "accepted, but the order shows another amount")
        return found


def _rooms(order: Standing, bag: str) -> dict[str, int]:
    """What of each payment that was taken can still be given back."""
    rooms = {
        one["id"]: minor(one["amountSet"][bag])
        for one in order.transactions
        if one["kind"] in TAKING and one["status"] == "SUCCESS"
    }
    for one in order.transactions:
        parent = (one["parentTransaction"] or {}).get("id")
        if one["kind"] in ("REFUND", "CHANGE") and one["status"] in ("SUCCESS", "PENDING") and parent in rooms:
            rooms[parent] -= minor(one["amountSet"][bag])
    return rooms
