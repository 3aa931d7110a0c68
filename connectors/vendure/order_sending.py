"""Telling the shop what became of its orders: parcels, cancellations, refunds, and what its people and customers must know.

Every fact is looked for before it is made, by what it leaves in the order itself: a fulfilment by its tracking code or, without
one, by our mark in its method; a cancellation by our mark in the reason of its history entry; a refund by our mark as reason;
a note by our mark in its words.
"""

from __future__ import annotations

from typing import Final

from connectors.vendure.admin_api import AdminApi, RejectedError
from connectors.vendure.order_documents import ADD_FULFILLMENT, CANCEL_ORDER, MOVE_FULFILLMENT, ORDER_STANDING
from connectors.vendure.order_facts import OVER, applied, asked, denied, strange
from connectors.vendure.order_notes import found_note, note
from connectors.vendure.order_records import Row, gone
from connectors.vendure.order_refunding import found_refund, refund
from hub.sdk.api import Change, Outcome, Plain, Receipt, named_mark, not_sent, refused, whole_parts

HANDLER: Final = "manual-fulfillment"
STEPS: Final = ("Shipped", "Delivered")
ARRIVED: Final = ("delivered", "handed_over")


class OrderSender:
    """Sends and finds the facts of one shop's orders."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    def send(self, change: Change) -> Receipt:
        """Make the fact true, or finish what an earlier try began; already true is applied."""
        if change.after.get("fact") not in ("fulfilled", "cancelled", "refunded", "refund_noted", "ready"):
            return refused(change, f"nothing can be {change.after.get('fact')} in the shop from outside")
        order = self._standing(change)
        if order is None:
            return refused(change, "the shop has no such order")
        found = _found(change, order)
        if found.outcome is not Outcome.NOT_SENT:
            return found
        try:
            return self._made(change, order)
        except RejectedError as no:
            return Receipt(change.id, Outcome.REFUSED if no.meant else Outcome.NOT_SENT, no.message, no.request_id)

    def find(self, change: Change) -> Receipt:
        """Whether the fact stands in the order; a fact made by half is not_sent, and the next send finishes it."""
        order = self._standing(change)
        return not_sent(change, "the shop has no such order") if order is None else _found(change, order)

    def _made(self, change: Change, order: Row) -> Receipt:
        match change.after["fact"]:
            case "fulfilled":
                return self._fulfil(change, order)
            case "cancelled":
                return self._cancel(change, order)
            case "refunded":
                return refund(self._api, change, order)
            case _:
                return note(self._api, change, order)

    def _standing(self, change: Change) -> Row | None:
        said, _ = self._api.ask("look at an order", ORDER_STANDING, {"id": str(change.after["their"])}, writes=False)
        order: Row | None = said["order"]
        return order

    # a parcel left, or was handed over

    def _fulfil(self, change: Change, order: Row) -> Receipt:
        parts = whole_parts(change.after)
        if not parts:
            return refused(change, "the shop ships whole pieces of its lines, at least one")
        if line := strange(order, parts):
            return refused(change, f"the order has no line {line}")
        begun = _ours(change, order, change.after)
        if not begun:
            if change.before and _ours(change, order, change.before):
                return refused(change, "a parcel that is in the shop already cannot be given other pieces or another code")
            if _all_left(order, parts):
                return self._left_before(change, order, parts)
            said = asked(self._api, "add a fulfilment", ADD_FULFILLMENT, {"input": _parcel(change, parts)})
            if said["__typename"] != "Fulfillment":
                return denied(change, said)
            begun = [said]
        no = self._moved(change, begun[0])
        return applied(change, order, fulfilment=begun[0]["id"]) if no is None else no

    def _moved(self, change: Change, parcel: Row) -> Receipt | None:
        """Move it step by step to where it must be; a receipt when the shop says no."""
        stands = _step(parcel["state"])
        for number in range(stands, _goal(change) + 1):
            said = asked(self._api, "move a fulfilment", MOVE_FULFILLMENT, {"id": parcel["id"], "state": STEPS[number]})
            if said["__typename"] != "Fulfillment":
                return denied(change, said)
            if said["state"] != STEPS[number]:
                return refused(change, f"accepted, but the fulfilment shows {said['state']}")
        return None

    def _left_before(self, change: Change, order: Row, parts: dict[str, int]) -> Receipt:
        """Somebody in the shop told of it before us. Where the fact speaks of whole lines, their parcels arrive with it."""
        quantities = {line["id"]: line["quantity"] for line in order["lines"]}
        if all(whole >= quantities.get(line, 0) for line, whole in parts.items()):
            for parcel in order["fulfillments"]:
                within = parcel["state"] in STEPS and {part["orderLineId"] for part in parcel["lines"]} <= parts.keys()
                if within and (no := self._moved(change, parcel)) is not None:
                    return no
        return applied(change, order, "all of it was shipped there already")

    # pieces are not coming

    def _cancel(self, change: Change, order: Row) -> Receipt:
        told = whole_parts(change.after)
        if told is None:
            return refused(change, "the shop cancels whole pieces of its lines")
        if line := strange(order, told):
            return refused(change, f"the order has no line {line}")
        before = {line["id"]: int(line["quantity"]) for line in order["lines"]}
        packed = gone(order, lambda state: state not in OVER)
        still = {line: max(0, quantity - packed.get(line, 0)) for line, quantity in before.items()}
        done = _cancelled(change, order)
        wanted = {line: whole - done.get(line, 0) for line, whole in told.items()} if told else still
        parts = {line: whole for line, whole in wanted.items() if whole > 0}
        if not parts:
            return applied(change, order, "nothing of it was left to cancel")
        if left := [line for line, whole in parts.items() if still[line] < whole <= before[line]]:
            return refused(change, f"only {still[left[0]]} pieces of line {left[0]} have not left: others can only come back")
        # Shipping is given up only with an order of which nothing has left.
        whole_order = not packed and all(parts.get(line, 0) >= quantity for line, quantity in before.items())
        lines = [{"orderLineId": line, "quantity": whole} for line, whole in parts.items()]
        given = {"orderId": order["id"], "lines": lines, "reason": named_mark(change), "cancelShipping": whole_order}
        said = asked(self._api, "cancel", CANCEL_ORDER, {"input": given})
        if said["__typename"] != "Order":
            return denied(change, said)
        after = {line["id"]: line["quantity"] for line in said["lines"]}
        if any(after.get(line) != before[line] - whole for line, whole in parts.items()):
            return refused(change, "accepted, but the order shows other quantities")
        return applied(change, said)


def _found(change: Change, order: Row) -> Receipt:
    match change.after.get("fact"):
        case "fulfilled":
            ours = _ours(change, order, change.after)
            if len(ours) > 1:
                return refused(change, f"the order shows it {len(ours)} times")
            there = bool(ours) and _step(ours[0]["state"]) > _goal(change)
            return applied(change, order, fulfilment=ours[0]["id"]) if there else not_sent(change)
        case "cancelled":
            return _found_cancellation(change, order)
        case "refunded":
            return found_refund(change, order)
        case "refund_noted" | "ready":
            return found_note(change, order)
        case _:
            return not_sent(change)


def _found_cancellation(change: Change, order: Row) -> Receipt:
    done, told = _cancelled(change, order), whole_parts(change.after)
    if not done or told is None:
        return not_sent(change)
    if told and any(whole > told.get(line, 0) for line, whole in done.items()):
        return refused(change, "more was cancelled under our mark than was asked for")
    return applied(change, order) if not told or done == told else not_sent(change)


def _cancelled(change: Change, order: Row) -> dict[str, int]:
    """Pieces by line that were taken off under our mark."""
    done: dict[str, int] = {}
    for entry in order["history"]["items"]:
        for part in (entry["data"].get("lines") or []) if entry["data"].get("reason") == named_mark(change) else []:
            done[str(part["orderLineId"])] = done.get(str(part["orderLineId"]), 0) + part["quantity"]
    return done


def _ours(change: Change, order: Row, said: Plain) -> list[Row]:
    """The fulfilments that are this parcel as it is said: the same pieces under its tracking code, or under our mark."""
    parts, tracking = whole_parts(said), str(said.get("tracking") or "")
    same = []
    for one in order["fulfillments"] or []:
        told = {part["orderLineId"]: part["quantity"] for part in one["lines"]}
        named = one["trackingCode"] == tracking if tracking else named_mark(change) in one["method"]
        if named and told == parts and one["state"] not in OVER:
            same.append(one)
    return same


def _all_left(order: Row, parts: dict[str, int]) -> bool:
    """Whether every piece of these lines has left already."""
    left, quantities = gone(order), {line["id"]: line["quantity"] for line in order["lines"]}
    return all(left.get(line, 0) >= max(whole, quantities.get(line, 0)) for line, whole in parts.items())


def _step(state: str) -> int:
    """How many steps a parcel in this state has made."""
    return STEPS.index(state) + 1 if state in STEPS else 0


def _goal(change: Change) -> int:
    """The number of the step that makes the fact true."""
    return 1 if change.after.get("state") in ARRIVED else 0


def _parcel(change: Change, parts: dict[str, int]) -> dict[str, Plain]:
    carrier, tracking = str(change.after.get("carrier") or ""), str(change.after.get("tracking") or "")
    ready = "Handed over" if change.after.get("state") == "handed_over" else "Parcel"
    method = (carrier or ready) if tracking else f"{carrier or ready} ({named_mark(change)})"
    arguments = [{"name": "method", "value": method}, {"name": "trackingCode", "value": tracking}]
    return {
        "lines": [{"orderLineId": line, "quantity": whole} for line, whole in parts.items()],
        "handler": {"code": HANDLER, "arguments": arguments},
    }
