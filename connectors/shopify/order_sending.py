"""Telling the shop what became of its orders: a parcel that left, goods that wait to be fetched, pieces that are not coming,
money that was given back here or elsewhere.

Every fact is looked for before it is made, by what it leaves in the order itself: a fulfilment by its tracking number or our
mark as its carrier, a refund by our mark as its note, a cancellation by our mark as its staff note, and what moves nothing by
an attribute of the order (shown to the staff as additional details).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.catalogue import answered
from connectors.shopify.gids import gid, number
from connectors.shopify.order_documents import ARRIVED, CANCEL, FULFIL, MOVE, NOTE, PREPARED
from connectors.shopify.order_marks import attribute
from connectors.shopify.order_standing import Standing, look
from connectors.shopify.parts import user_errors
from connectors.shopify.refunding import Refunding
from hub.sdk.api import (
    Change,
    Outcome,
    Plain,
    Receipt,
    RefusedError,
    from_minor,
    named_mark,
    not_sent,
    plain_decimal,
    refused,
    unsure,
    whole_parts,
)

WORKABLE: Final = frozenset({"OPEN", "IN_PROGRESS"})
OVER_THE_COUNTER: Final = "handed_over"

Row = dict[str, Plain]


class OrderSender:
    """Sends and finds the facts of one shop's orders."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api
        self._notify = api.context.settings.get("notify", "yes") != "no"
        self._refunding = Refunding(api)

    def send(self, change: Change) -> Receipt:
        """Make the fact true, or finish what an earlier try began; already true is applied."""
        facts: dict[str, Callable[[Change, Standing], Receipt]] = {
            "fulfilled": self._fulfil,
            "ready": self._ready,
            "cancelled": self._cancel,
            "refunded": self._refunding.refund,
            "refund_noted": self._note_refund,
        }
        make = facts.get(str(change.after.get("fact")))
        if make is None:
            return refused(change, f"nothing can be {change.after.get('fact')} in the shop from outside")
        if pieces_of(change) is None:
            return refused(change, "the shop counts whole pieces of its lines")
        order = look(self._api, str(change.after["their"]))
        if order is None:
            return refused(change, "the shop has no such order")
        if strange := sorted(set(pieces_of(change) or {}) - set(order.lines) - order.charges(change)):
            return refused(change, f"the order has no line {strange[0]}")
        found = self._found(change, order)
        if found.outcome is not Outcome.NOT_SENT:
            return found
        try:
            return make(change, order)
        except RefusedError as bad:
            return Receipt(change.id, Outcome.REFUSED, bad.message, bad.request_id)

    def find(self, change: Change) -> Receipt | None:
        """Whether the fact stands in the order; a fact made by half is not_sent, and the next send finishes it."""
        order = look(self._api, str(change.after["their"]))
        if order is None:
            return not_sent(change, "the shop has no such order")
        return self._found(change, order)

    def _found(self, change: Change, order: Standing) -> Receipt:
        wanted = pieces_of(change) or {}
        match change.after.get("fact"):
            case "fulfilled":
                sent = self._sent_already(change, order)
                return _judged(change, order, bool(wanted) and all(sent.get(line, 0) >= n for line, n in wanted.items()))
            case "cancelled":
                ours = named_mark(change)
                return _judged(change, order, order.cancelled_by == ours or bool(order.refunds_of(ours)))
            case "refunded":
                return self._refunding.found(change, order)
            case "ready" | "refund_noted":
                return _judged(change, order, attribute(change) in order.attributes)
            case _:
                return not_sent(change)

    # a parcel left, or was handed over the counter

    def _sent_already(self, change: Change, order: Standing) -> dict[str, int]:
        """The pieces of this very parcel that stand in fulfilments already."""
        sent: dict[str, int] = {}
        for parcel in order.parcels():
            if self._is_ours(change, parcel):
                for part in parcel["fulfillmentLineItems"]["nodes"]:
                    line = number(part["lineItem"]["id"])
                    sent[line] = sent.get(line, 0) + int(part["quantity"] or 0)
        return sent

    def _is_ours(self, change: Change, parcel: Row) -> bool:
        info = parcel["trackingInfo"][0] if parcel["trackingInfo"] else {}
        tracking = str(change.after.get("tracking") or "")
        return info.get("number") == tracking if tracking else named_mark(change) in str(info.get("company") or "")

    def _fulfil(self, change: Change, order: Standing) -> Receipt:
        sent = self._sent_already(change, order)
        wanted = {line: n - sent.get(line, 0) for line, n in (pieces_of(change) or {}).items() if n > sent.get(line, 0)}
        if not wanted:
            return refused(change, "a parcel holds at least one piece")
        tasks = order.tasks()
        if not any(part["remainingQuantity"] for task in tasks for part in _parts_of(task) if _line_of(part) in wanted):
            return Receipt(change.id, Outcome.APPLIED, "all of it was shipped there already", shows=_shows(order))
        place = str(change.after.get("place") or "")
        taken, left = _taken([task for task in tasks if not place or _place(task) == place], wanted)
        if left and place:
            # Another location was to send it: the task is moved to the one that did.
            moves, left = _taken([task for task in tasks if _place(task) != place], left)
            for task, rows in moves.items():
                moved = self._moved(change, task, place, rows)
                if isinstance(moved, Receipt):
                    return moved
            if moves:
                return self._fulfil_moved(change, order, place, wanted, sent)
        if left:
            return refused(change, "the order has not so many pieces left to send")
        return self._created(change, order, tasks, taken)

    def _fulfil_moved(self, change: Change, order: Standing, place: str, wanted: dict[str, int], sent: dict[str, int]) -> Receipt:
        again = look(self._api, str(change.after["their"])) or order
        tasks = again.tasks()
        taken, left = _taken([task for task in tasks if _place(task) == place], wanted)
        if left:
            return refused(change, "the pieces could not be moved to the location that sent them")
        return self._created(change, again, tasks, taken)

    def _moved(self, change: Change, task: str, place: str, rows: list[Row]) -> Receipt | None:
        asked = {"id": task, "location": gid("Location", place), "lines": rows}
        payload = answered(self._api.ask("move a fulfilment order", MOVE, asked, writes=True), "fulfillmentOrderMove")
        errors = user_errors(payload, ())
        return refused(change, errors.whole["message"]) if errors.whole else None

    def _created(self, change: Change, order: Standing, tasks: Sequence[Row], taken: dict[str, list[Row]]) -> Receipt:
        """One fulfilment per location: all parts of one must lie at the same."""
        places = {task["id"]: _place(task) for task in tasks}
        shows = _shows(order)
        for place in sorted({places[task] for task in taken}):
            given: Row = {
                "notifyCustomer": self._notify and change.after.get("state") != OVER_THE_COUNTER,
                "trackingInfo": _tracking(change),
                "lineItemsByFulfillmentOrder": [
                    {"fulfillmentOrderId": task, "fulfillmentOrderLineItems": rows}
                    for task, rows in sorted(taken.items())
                    if places[task] == place
                ],
            }
            answer = self._api.ask("create a fulfilment", FULFIL, {"fulfillment": given}, writes=True)
            payload = answered(answer, "fulfillmentCreate")
            errors = user_errors(payload, ())
            if errors.whole:
                return refused(change, errors.whole["message"])
            made = payload.get("fulfillment")
            if not made or made["status"] != "SUCCESS":
                words = f"accepted, but the fulfilment shows {made['status']}" if made else "the answer shows no fulfilment"
                return unsure(change, words, answer.request_id)
            shows["fulfilment"] = number(made["id"])
            if change.after.get("state") == "delivered":
                event = {"fulfillmentId": made["id"], "status": "DELIVERED"}
                self._api.ask("tell of an arrival", ARRIVED, {"event": event}, writes=True)
        return self._seen(change, shows)

    def _seen(self, change: Change, shows: Row) -> Receipt:
        """Success is judged by what the order shows afterwards."""
        found = self.find(change)
        if found is None or found.outcome is not Outcome.APPLIED:
            return refused(change, "accepted, but the order does not show it")
        return Receipt(change.id, Outcome.APPLIED, shows=shows)

    # ready to be fetched

    def _ready(self, change: Change, order: Standing) -> Receipt:
        wanted, place = pieces_of(change) or {}, str(change.after.get("place") or "")
        tasks = [
            task
            for task in order.tasks()
            if task["status"] in WORKABLE
            and _method(task) == "PICK_UP"
            and (not place or _place(task) == place)
            and any(_line_of(part) in wanted and part["remainingQuantity"] for part in _parts_of(task))
        ]
        if not tasks:
            return refused(change, "nothing of it waits to be fetched by the customer there")
        waiting: dict[str, int] = {}
        for part in [part for task in tasks for part in _parts_of(task)]:
            waiting[_line_of(part)] = waiting.get(_line_of(part), 0) + part["remainingQuantity"]
        if any(pieces > wanted.get(line, 0) for line, pieces in waiting.items()):
            return refused(change, "the shop says ready of all that is fetched at one place, not of a part")
        asked = {"input": {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": task["id"]} for task in tasks]}}
        answer = self._api.ask("say that it is ready", PREPARED, asked, writes=True)
        errors = user_errors(answered(answer, "fulfillmentOrderLineItemsPreparedForPickup"), ())
        if errors.whole:
            return refused(change, errors.whole["message"])
        return self._noted(change, order, str(change.after.get("where") or "ready"))

    # pieces are not coming

    def _cancel(self, change: Change, order: Standing) -> Receipt:
        wanted = pieces_of(change) or {line: now for line, (_, now, _) in order.lines.items() if now}
        current = {line: now for line, (_, now, _) in order.lines.items()}
        if order.cancelled or not any(current.get(line) for line in wanted):
            return Receipt(change.id, Outcome.APPLIED, "nothing of it was left to cancel", shows=_shows(order))
        if all(wanted.get(line, 0) >= now for line, now in current.items()) and not order.parcels():
            asked = {"id": order.id, "reason": "OTHER", "note": named_mark(change)}
            answer = self._api.ask("cancel the order", CANCEL, asked, writes=True)
            payload = answered(answer, "orderCancel")
            errors = user_errors(payload, (), "orderCancelUserErrors")
            if errors.whole:
                return refused(change, errors.whole["message"])
            # It is done in the background: what the order shows decides.
            again = look(self._api, str(change.after["their"]))
            if again is None or not again.cancelled:
                return unsure(change, "accepted, but the order is not cancelled yet", answer.request_id)
            return Receipt(change.id, Outcome.APPLIED, shows=_shows(order))
        return self._refunding.taken_off(change, order, wanted)

    # money that somebody else gave back

    def _note_refund(self, change: Change, order: Standing) -> Receipt:
        currency = str(change.after.get("currency") or order.currency)
        amount = plain_decimal(from_minor(int(change.after["amount_minor"]), currency))
        return self._noted(change, order, f"{amount} {currency} given back by {change.after.get('by') or 'another system'}")

    def _noted(self, change: Change, order: Standing, words: str) -> Receipt:
        """An attribute of the order with our key; the others are sent along, because all of them are replaced."""
        key = attribute(change)
        told = [{"key": name, "value": value} for name, value in order.attributes.items()]
        asked = {"input": {"id": order.id, "customAttributes": [*told, {"key": key, "value": words[:200]}]}}
        payload = answered(self._api.ask("note it in the order", NOTE, asked, writes=True), "orderUpdate")
        errors = user_errors(payload, ())
        if errors.whole:
            return refused(change, errors.whole["message"])
        shown = {one["key"] for one in (payload.get("order") or {}).get("customAttributes") or []}
        if key not in shown:
            return refused(change, "accepted, but the order does not show the note")
        return Receipt(change.id, Outcome.APPLIED, shows=_shows(order))


def pieces_of(change: Change) -> dict[str, int] | None:
    """Whole pieces by line; None where a part of a piece is asked for. Parts without pieces are left out."""
    return whole_parts(change.after, least=0)


def _taken(tasks: Sequence[Row], wanted: dict[str, int]) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """From which fulfilment orders these pieces are taken, and what none of them has."""
    left = dict(wanted)
    taken: dict[str, list[Row]] = {}
    for task in tasks:
        if task["status"] not in WORKABLE:
            continue
        for part in _parts_of(task):
            line = _line_of(part)
            pieces = min(left.get(line, 0), part["remainingQuantity"])
            if pieces > 0:
                taken.setdefault(task["id"], []).append({"id": part["id"], "quantity": pieces})
                left[line] -= pieces
    return taken, {line: pieces for line, pieces in left.items() if pieces}


def _tracking(change: Change) -> Row:
    carrier, tracking = str(change.after.get("carrier") or ""), str(change.after.get("tracking") or "")
    if tracking:
        return {"company": carrier, "number": tracking} if carrier else {"number": tracking}
    return {"company": f"{carrier or 'Parcel'} ({named_mark(change)})"}


def _parts_of(task: Row) -> list[Row]:
    return list(task["lineItems"]["nodes"])


def _line_of(part: Row) -> str:
    return number(part["lineItem"]["id"])


def _place(task: Row) -> str:
    location = task["assignedLocation"]["location"]
    return number(location["id"]) if location else ""


def _method(task: Row) -> str:
    return str(task["deliveryMethod"]["methodType"]) if task["deliveryMethod"] else ""


def _judged(change: Change, order: Standing, done: bool) -> Receipt:
    return Receipt(change.id, Outcome.APPLIED, shows=_shows(order)) if done else not_sent(change)


def _shows(order: Standing) -> Row:
    return {"their": number(order.id)}
