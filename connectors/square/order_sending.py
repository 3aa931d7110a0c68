"""Telling Square of an order that a shop must hand over, that it is ready, handed over, or not wanted any more.

References are not unique at Square, so an order is looked for by our number before it is made, and more than one is a refusal.
A receipt that a person rang up under our number is no order of ours: it has nothing left to be handed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connectors.square.objects import errors_of, stamp
from connectors.square.order_document import document, held_lines, unsayable, wanted_lines
from connectors.square.order_records import Row
from connectors.square.sending import denied, write
from hub.sdk.api import (
    MICROS_PER_SECOND,
    Change,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    UnavailableError,
    not_sent,
    pieces,
    refused,
)

if TYPE_CHECKING:
    from connectors.square.connector import Square

SEARCHED_SECONDS: Final = 31 * 24 * 3600
"""How far back from when an order was decided its reference is looked for."""
PAGES_MAX: Final = 200
PAGE: Final = 1_000
FINAL: Final = frozenset({"COMPLETED", "CANCELED", "FAILED"})
STATES: Final = {"fulfilled": "COMPLETED", "ready": "PREPARED", "cancelled": "CANCELED", "placed": "CANCELED"}
"""The state of its fulfilment by which each fact is told; a document is moved only to be withdrawn."""


class OrderSender:
    """Sends and finds the facts of one seller's orders."""

    def __init__(self, square: Square) -> None:
        self.square = square

    def send(self, change: Change) -> Receipt:
        """Make the fact true; what is true already is applied and made no second time."""
        found = self.find(change)
        if found.outcome is not Outcome.NOT_SENT:
            return found
        match change.after.get("fact"):
            case "placed":
                return self._cancel_placed(change) if _is_nothing(change.after) else self._place(change)
            case "cancelled" | "fulfilled" | "ready":
                return self._move(change, str(change.after["their"]))
            case fact:
                return refused(change, f"Square's orders cannot be {fact} from outside")

    def find(self, change: Change) -> Receipt:
        """Whether the fact stands: an order by our number, a hand-over or a cancellation by the order itself."""
        if change.after.get("fact") == "placed":
            return self._find_placed(change)
        order = self._order(str(change.after["their"]))
        return not_sent(change, "no such order") if order is None else _stands(change, order)

    # looking

    def _order(self, ident: str) -> Row | None:
        answer = self.square.ask("/v2/orders/batch-retrieve", {"order_ids": [ident]}, "look at an order")
        return next(iter(self.square.told(answer, "look at an order").get("orders") or []), None)

    def _find_placed(self, change: Change) -> Receipt:
        known = self._by_number(change) if self._place_of(change) else []
        living = [one for one in known if one["state"] != "CANCELED"]
        if len(living) > 1:
            return refused(change, f"{len(living)} orders carry this number")
        if _is_nothing(change.after):
            if living:
                return not_sent(change, "it is there, not cancelled yet")
            if known:
                return _there(change, known[0])
            if change.before is None:
                return Receipt(change.id, Outcome.APPLIED, "it was never told, and needs not be", shows={"their": ""})
            return not_sent(change)
        # one that we withdrew does not stand for what is wanted anew; one that staff cancelled was made all the same
        anew = change.before is not None and _is_nothing(change.before)
        found = living or ([] if anew else known)
        if not found:
            return not_sent(change)
        if wanted_lines(change) != held_lines(found[0]):
            return refused(change, "it is there with other lines: the shop's own order is corrected by a person")
        return _there(change, found[0])

    def _by_number(self, change: Change) -> list[Row]:
        """Orders at the place that carry our number and have something to hand over, the newest first."""
        since = min(change.at, int(change.after["placed_at"])) - SEARCHED_SECONDS * MICROS_PER_SECOND
        body: dict[str, Plain] = {
            "location_ids": [self._place_of(change)],
            "query": {
                "filter": {"date_time_filter": {"created_at": {"start_at": stamp(max(0, since))}}},
                "sort": {"sort_field": "CREATED_AT", "sort_order": "DESC"},
            },
            "limit": PAGE,
        }
        found: list[Row] = []
        for _ in range(PAGES_MAX):
            told = self.square.told(self.square.ask("/v2/orders/search", body, "find an order"), "find an order")
            listed = [one for one in told.get("orders") or [] if one.get("fulfillments")]
            found += [one for one in listed if one.get("reference_id") == change.after["number"]]
            if not told.get("cursor"):
                return found
            body["cursor"] = told["cursor"]
        raise UnavailableError("orders go on without an end", channel=self.square.context.channel, operation="find an order")

    def _place_of(self, change: Change) -> str:
        """The location that is to hand it over; a channel with one location needs not name it."""
        known = sorted(set(self.square.context.places.values()))
        return str(change.after.get("place") or (known[0] if len(known) == 1 else ""))

    # making

    def _place(self, change: Change) -> Receipt:
        number, place = str(change.after["number"]), self._place_of(change)
        if change.before is not None and not _is_nothing(change.before):
            return refused(change, "it was there before and is there no more")
        if words := unsayable(change, place):
            return refused(change, words)
        person = self.square.context.party(change.key.listing)
        asked: Row = {"idempotency_key": change.id, "order": document(change, place, person)}
        status, told = write(self.square, "/v2/orders", asked, "place an order")
        if status >= 300:
            errors = errors_of(told)
            return denied(change, errors[0]) if errors else refused(change, f"status {status}")
        order = told.get("order")
        if not order or order.get("reference_id") != number:
            raise OutcomeUnknownError(
                "answered success without the order", channel=self.square.context.channel, operation="place an order"
            )
        shows = {"their": order["id"]}
        total = order["total_money"]["amount"]
        words = "" if total == change.after["total_minor"] else f"Square makes {total} of it, not {change.after['total_minor']}"
        return Receipt(change.id, Outcome.APPLIED, words, shows=shows, version=int(order.get("version") or 0))

    def _cancel_placed(self, change: Change) -> Receipt:
        living = [one for one in self._by_number(change) if one["state"] != "CANCELED"]
        return self._move(change, living[0]["id"]) if living else refused(change, "no order carries this number")

    def _move(self, change: Change, ident: str) -> Receipt:
        """Bring the whole order on, or cancel it, under the version just read."""
        order = self._order(ident)
        if order is None:
            return refused(change, "no such order")
        if not _is_whole(change, order):
            return refused(change, "Square moves an order as a whole, not by its lines")
        state = STATES[change.after["fact"]]
        waiting = [one for one in order.get("fulfillments") or [] if one["state"] not in FINAL]
        if state != "CANCELED" and not waiting:
            return refused(change, f"nothing of it waits to be handed over: it is {order['state']}")
        parts = [{"uid": one["uid"], "state": state, **_parcel(change, one)} for one in waiting]
        asked: Row = {"location_id": order["location_id"], "version": order.get("version"), "fulfillments": parts}
        body: Row = {"order": {**asked, "state": state} if state == "CANCELED" else asked}
        status, told = write(self.square, f"/v2/orders/{ident}", body, "move an order", "PUT")
        if status >= 300:
            errors = errors_of(told)
            return denied(change, errors[0]) if errors else refused(change, f"status {status}")
        after = told.get("order")
        if not after:
            raise OutcomeUnknownError(
                "answered success without the order", channel=self.square.context.channel, operation="move an order"
            )
        receipt = _stands(change, after)
        return receipt if receipt.outcome is Outcome.APPLIED else refused(change, "answered success, but the order was not moved")


def _parcel(change: Change, fulfilment: Row) -> Row:
    """Carrier and number of a parcel, where there is one to be told of."""
    after = change.after
    told = {theirs: after[ours] for ours, theirs in (("carrier", "carrier"), ("tracking", "tracking_number")) if after.get(ours)}
    return {"shipment_details": told} if told and fulfilment["type"] == "SHIPMENT" else {}


def _is_nothing(after: Row) -> bool:
    return after.get("state") == "cancelled" or not any(line["quantity"] for line in after.get("lines") or [])


def _is_whole(change: Change, order: Row) -> bool:
    parts = {str(part["line"]): part["quantity"] for part in change.after.get("parts") or []}
    return not parts or all(pieces(parts.get(one["uid"], 0)) == one["quantity"] for one in order.get("line_items") or [])


def _stands(change: Change, order: Row) -> Receipt:
    states = {one["state"] for one in order.get("fulfillments") or []}
    match change.after["fact"]:
        case "fulfilled":
            done = order["state"] == "COMPLETED" or (bool(states) and states <= FINAL and "COMPLETED" in states)
        case "ready":
            done = order["state"] != "CANCELED" and bool(states) and states <= {"PREPARED", "COMPLETED"}
        case _:
            done = order["state"] == "CANCELED"
    shows = {"their": order["id"]}
    return Receipt(change.id, Outcome.APPLIED, shows=shows) if done else not_sent(change)


def _there(change: Change, order: Row) -> Receipt:
    return Receipt(change.id, Outcome.APPLIED, shows={"their": order["id"]}, version=int(order.get("version") or 0))
