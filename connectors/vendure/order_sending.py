"""Telling the shop what became of its orders: a parcel that left, pieces that are not coming, money that was given back.

Every fact is looked for before it is made, by what it leaves in the order itself: a fulfilment by its tracking code or, without
one, by our mark in its method; a cancellation by our mark in the reason of its history entry; a refund by our mark as reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from connectors.vendure.admin_api import AdminApi, RejectedError
from connectors.vendure.order_documents import (
    ADD_FULFILLMENT,
    CANCEL_ORDER,
    MOVE_FULFILLMENT,
    ORDER_STANDING,
    REFUND_ORDER,
    SETTLE_REFUND,
)
from connectors.vendure.order_records import Row
from hub.sdk.api import Change, Outcome, Plain, Receipt

THOUSAND: Final = 1000
MARK_CHARS: Final = 10
HANDLER: Final = "manual-fulfillment"
LEFT: Final = ("Shipped", "Delivered")
WORDS_CHARS_MAX: Final = 200
OVER: Final = ("Cancelled", "Failed")


class OrderSender:
    """Sends and finds the facts of one shop's orders."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    def send(self, change: Change) -> Receipt:
        """Make the fact true, or finish what an earlier try began; already true is applied."""
        facts: dict[str, Callable[[Change, Row], Receipt]] = {
            "fulfilled": self._fulfil,
            "cancelled": self._cancel,
            "refunded": self._refund,
        }
        make = facts.get(str(change.after.get("fact")))
        if make is None:
            return _refused(change, f"nothing can be {change.after.get('fact')} in the shop from outside")
        order = self._standing(change)
        if order is None:
            return _refused(change, "the shop has no such order")
        found = _found(change, order)
        if found is not None and found.outcome is not Outcome.NOT_SENT:
            return found
        try:
            return make(change, order)
        except RejectedError as refused:
            outcome = Outcome.REFUSED if refused.meant else Outcome.NOT_SENT
            return Receipt(change.id, outcome, refused.message, refused.request_id)

    def find(self, change: Change) -> Receipt | None:
        """Whether the fact stands in the order; a fact made by half is not_sent, and the next send finishes it."""
        order = self._standing(change)
        return Receipt(change.id, Outcome.NOT_SENT, "the shop has no such order") if order is None else _found(change, order)

    def _standing(self, change: Change) -> Row | None:
        said, _ = self._api.ask("look at an order", ORDER_STANDING, {"id": str(change.after["their"])}, writes=False)
        order: Row | None = said["order"]
        return order

    def _ask(self, operation: str, document: str, variables: dict[str, Plain]) -> Row:
        """The one field of a mutation's answer."""
        said, _ = self._api.ask(operation, document, variables, writes=True)
        (answer,) = said.values()
        return answer  # type: ignore[no-any-return]

    # a parcel left

    def _fulfil(self, change: Change, order: Row) -> Receipt:
        parts = _pieces(change)
        if not parts:
            return _refused(change, "the shop ships whole pieces of its lines, at least one")
        if strange := _strange(order, parts):
            return _refused(change, f"the order has no line {strange}")
        begun = [one for one in _ours(change, order) if one["state"] not in OVER]
        if not begun:
            if _nothing_left(order, parts):
                return Receipt(change.id, Outcome.APPLIED, "all of it was shipped there already", shows=_shows(order))
            tracking, method = str(change.after.get("tracking") or ""), _method(change)
            said = self._ask(
                "add a fulfilment",
                ADD_FULFILLMENT,
                {
                    "input": {
                        "lines": [{"orderLineId": line, "quantity": pieces} for line, pieces in parts.items()],
                        "handler": {
                            "code": HANDLER,
                            "arguments": [
                                {"name": "method", "value": method},
                                {"name": "trackingCode", "value": tracking},
                            ],
                        },
                    }
                },
            )
            if said["__typename"] != "Fulfillment":
                return _no(change, said)
            begun = [said]
        if begun[0]["state"] not in LEFT:
            said = self._ask("ship a fulfilment", MOVE_FULFILLMENT, {"id": begun[0]["id"], "state": "Shipped"})
            if said["__typename"] != "Fulfillment":
                return _no(change, said)
            begun = [said]
        if begun[0]["state"] not in LEFT:
            return _refused(change, f"accepted, but the fulfilment shows {begun[0]['state']}")
        return Receipt(change.id, Outcome.APPLIED, shows={**_shows(order), "fulfilment": begun[0]["id"]})

    # pieces are not coming

    def _cancel(self, change: Change, order: Row) -> Receipt:
        parts = _pieces(change)
        if parts is None or (change.after.get("parts") and not parts):
            return _refused(change, "the shop cancels whole pieces of its lines")
        if strange := _strange(order, parts):
            return _refused(change, f"the order has no line {strange}")
        before = {line["id"]: line["quantity"] for line in order["lines"]}
        parts = parts or {line: pieces for line, pieces in before.items() if pieces}
        if not parts:
            return Receipt(change.id, Outcome.APPLIED, "nothing of it was left to cancel", shows=_shows(order))
        whole = all(parts.get(line, 0) >= pieces for line, pieces in before.items())
        shipped = any(one["state"] not in OVER for one in order["fulfillments"] or [])
        lines = [{"orderLineId": line, "quantity": pieces} for line, pieces in parts.items()]
        # Shipping is given up only with an order of which nothing has left.
        given = {"orderId": order["id"], "lines": lines, "reason": _mark(change), "cancelShipping": whole and not shipped}
        said = self._ask("cancel", CANCEL_ORDER, {"input": given})
        if said["__typename"] != "Order":
            return _no(change, said)
        after = {line["id"]: line["quantity"] for line in said["lines"]}
        if any(after.get(line) != before.get(line, 0) - pieces for line, pieces in parts.items()):
            return _refused(change, "accepted, but the order shows other quantities")
        return Receipt(change.id, Outcome.APPLIED, shows=_shows(said))

    # money is given back

    def _refund(self, change: Change, order: Row) -> Receipt:
        open_minor = int(change.after["amount_minor"])
        if open_minor <= 0:
            return _refused(change, "a refund is an amount above zero")
        parts = {line: pieces for line, pieces in (_pieces(change) or {}).items() if not _strange(order, {line: pieces})}
        for refund in _refunds(change, order):
            open_minor -= refund["total"]
            if refund["state"] == "Pending" and (no := self._settle(change, refund)) is not None:
                return no
        room = {one["id"]: _room(one) for one in order["payments"] or [] if one["state"] == "Settled"}
        if open_minor > sum(room.values()):
            return _refused(change, f"only {sum(room.values())} minor units of its payments can still be refunded")
        for payment, left in room.items():
            amount = min(left, open_minor)
            if amount <= 0:
                continue
            lines = [{"orderLineId": line, "quantity": pieces} for line, pieces in parts.items()]
            # Without shipping and adjustment 3.7.3 fails; with an amount it counts neither.
            given = {"paymentId": payment, "amount": amount, "lines": lines, "shipping": 0, "adjustment": 0}
            said = self._ask("refund", REFUND_ORDER, {"input": {**given, "reason": _mark(change)}})
            if said["__typename"] != "Refund":
                return _no(change, said)
            if said["state"] == "Pending" and (no := self._settle(change, said)) is not None:
                return no
            open_minor, parts = open_minor - said["total"], {}
        shows = {**_shows(order), "refunded_minor": int(change.after["amount_minor"]) - open_minor}
        if open_minor:
            return Receipt(change.id, Outcome.REFUSED, f"{open_minor} minor units were not refunded", shows=shows)
        return Receipt(change.id, Outcome.APPLIED, shows=shows)

    def _settle(self, change: Change, refund: Row) -> Receipt | None:
        given = {"id": refund["id"], "transactionId": _mark(change)}
        said = self._ask("settle a refund", SETTLE_REFUND, {"input": given})
        return None if said["__typename"] == "Refund" and said["state"] == "Settled" else _no(change, said)


def _found(change: Change, order: Row) -> Receipt | None:
    match change.after.get("fact"):
        case "fulfilled":
            return _found_fulfilment(change, order)
        case "cancelled":
            done = [one for one in order["history"]["items"] if one["data"].get("reason") == _mark(change)]
            return _judged(change, order, done, bool(done))
        case "refunded":
            refunds = _refunds(change, order)
            paid = sum(one["total"] for one in refunds if one["state"] == "Settled")
            if sum(one["total"] for one in refunds) > int(change.after["amount_minor"]):
                return _refused(change, "more was refunded under our mark than was asked for")
            return _judged(change, order, [], 0 < paid == int(change.after["amount_minor"]))
        case _:
            return Receipt(change.id, Outcome.NOT_SENT)


def _found_fulfilment(change: Change, order: Row) -> Receipt:
    ours = [one for one in _ours(change, order) if one["state"] not in OVER]
    return _judged(change, order, ours, bool(ours) and ours[0]["state"] in LEFT)


def _judged(change: Change, order: Row, found: Sequence[Row], done: bool) -> Receipt:
    if len(found) > 1:
        return _refused(change, f"the order shows it {len(found)} times")
    shows = _shows(order)
    return Receipt(change.id, Outcome.APPLIED, shows=shows) if done else Receipt(change.id, Outcome.NOT_SENT)


def _ours(change: Change, order: Row) -> list[Row]:
    """The fulfilments that are this parcel: the same pieces under its tracking code, or under our mark."""
    parts, tracking = _pieces(change), str(change.after.get("tracking") or "")
    same = []
    for one in order["fulfillments"] or []:
        told = {part["orderLineId"]: part["quantity"] for part in one["lines"]}
        named = one["trackingCode"] == tracking if tracking else _mark(change) in one["method"]
        if named and told == parts:
            same.append(one)
    return same


def _refunds(change: Change, order: Row) -> list[Row]:
    mark = _mark(change)
    told = [refund for payment in order["payments"] or [] for refund in payment["refunds"]]
    return [refund for refund in told if refund["reason"] == mark and refund["state"] not in OVER]


def _room(payment: Row) -> int:
    return int(payment["amount"]) - sum(int(one["total"]) for one in payment["refunds"] if one["state"] != "Failed")


def _nothing_left(order: Row, parts: dict[str, int]) -> bool:
    """Whether every piece of these lines has left already: somebody in the shop told of the same parcel before us."""
    left: dict[str, int] = {}
    for one in order["fulfillments"] or []:
        if one["state"] in LEFT:
            for part in one["lines"]:
                left[part["orderLineId"]] = left.get(part["orderLineId"], 0) + part["quantity"]
    quantities = {line["id"]: line["quantity"] for line in order["lines"]}
    return all(left.get(line, 0) >= max(pieces, quantities.get(line, 0)) for line, pieces in parts.items())


def _pieces(change: Change) -> dict[str, int] | None:
    """Whole pieces by line; None where a part of a piece is asked for, or less than one."""
    parts: dict[str, int] = {}
    for part in change.after.get("parts") or []:
        pieces, rest = divmod(int(part["quantity"]), THOUSAND)
        if rest or pieces < 1:
            return None
        parts[str(part["line"])] = parts.get(str(part["line"]), 0) + pieces
    return parts


def _strange(order: Row, parts: dict[str, int]) -> str:
    """The first line that is not the order's own: the shop itself would fulfil a line of anybody's."""
    own = {line["id"] for line in order["lines"]}
    return next((line for line in parts if line not in own), "")


def _mark(change: Change) -> str:
    """Our mark of this fact: the same for every try of it, and of no other."""
    told = f"{change.key.listing}\n{change.key.place}\n{change.after['their']}"
    return f"Samklang {hashlib.sha256(told.encode()).hexdigest()[:MARK_CHARS]}"


def _method(change: Change) -> str:
    carrier = str(change.after.get("carrier") or "")
    if change.after.get("tracking"):
        return carrier or "Parcel"
    return f"{carrier or 'Parcel'} ({_mark(change)})"


def _shows(order: Row) -> dict[str, Plain]:
    return {"their": order["id"]}


def _no(change: Change, said: Row) -> Receipt:
    words = f"{said.get('errorCode', said.get('state', ''))}: {said.get('message', '')}"
    return _refused(change, " ".join(words.split())[:WORDS_CHARS_MAX])


def _refused(change: Change, words: str) -> Receipt:
    return Receipt(change.id, Outcome.REFUSED, words)
