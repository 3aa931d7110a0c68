"""Telling Square of an order that a shop must hand over, that it is cancelled, and that it was handed over.

References are not unique at Square, so an order is looked for by our number before it is made, and more than one is a refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connectors.square.objects import errors_of, stamp
from connectors.square.order_records import Row
from connectors.square.sending import refused, write
from hub.sdk.api import Change, Outcome, OutcomeUnknownError, Plain, Receipt, UnavailableError, pieces

if TYPE_CHECKING:
    from connectors.square.connector import Square

REFERENCE_CHARS_MAX: Final = 40
SEARCHED_SECONDS: Final = 31 * 24 * 3600
"""How far back from when an order was decided its reference is looked for."""
PAGES_MAX: Final = 200
PAGE: Final = 1_000
FINAL: Final = frozenset({"COMPLETED", "CANCELED", "FAILED"})
NAME_CHARS_MAX: Final = 255
TITLE_CHARS_MAX: Final = 512


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
            case "cancelled" | "fulfilled":
                return self._move(change, str(change.after["their"]))
            case fact:
                return _no(change, f"Square's orders cannot be {fact} from outside")

    def find(self, change: Change) -> Receipt:
        """Whether the fact stands: an order by our number, a hand-over or a cancellation by the order itself."""
        if change.after.get("fact") == "placed":
            return self._find_placed(change)
        order = self._order(str(change.after["their"]))
        return Receipt(change.id, Outcome.NOT_SENT, "no such order") if order is None else _stands(change, order)

    # looking

    def _order(self, ident: str) -> Row | None:
        answer = self.square.ask("/v2/orders/batch-retrieve", {"order_ids": [ident]}, "look at an order")
        return next(iter(self.square.told(answer, "look at an order").get("orders") or []), None)

    def _find_placed(self, change: Change) -> Receipt:
        known = self._by_number(change) if self._place_of(change) else []
        if len(known) > 1:
            return _no(change, f"{len(known)} orders carry this number")
        if not known:
            if _is_nothing(change.after) and change.before is None:
                return Receipt(change.id, Outcome.APPLIED, "it was never told, and needs not be", shows={"their": ""})
            return Receipt(change.id, Outcome.NOT_SENT)
        order = known[0]
        if _is_nothing(change.after) and order["state"] != "CANCELED":
            return Receipt(change.id, Outcome.NOT_SENT, "it is there, not cancelled yet")
        if not _is_nothing(change.after) and _wanted_lines(change) != _held_lines(order):
            return _no(change, "it is there with other lines: the shop's own order is corrected by a person")
        return Receipt(change.id, Outcome.APPLIED, shows={"their": order["id"]}, version=int(order.get("version") or 0))

    def _by_number(self, change: Change) -> list[Row]:
        """Orders at the place that carry our number."""
        since = min(change.at, int(change.after["placed_at"])) - SEARCHED_SECONDS * 1_000_000
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
            found += [one for one in told.get("orders") or [] if one.get("reference_id") == change.after["number"]]
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
        if change.before is not None:
            return _no(change, "it was there before and is there no more")
        if not place or len(number) > REFERENCE_CHARS_MAX:
            return _no(
                change, "no Square location of it" if not place else f"a number of more than {REFERENCE_CHARS_MAX} characters"
            )
        if any(line["quantity"] % 1000 for line in change.after["lines"]):
            return _no(change, "a part of a piece cannot be handed over at the till")
        asked: Row = {"idempotency_key": change.id, "order": self._asked(change, number, place)}
        status, told = write(self.square, "/v2/orders", asked, "place an order")
        if status >= 300:
            errors = errors_of(told)
            return refused(change, errors[0]) if errors else _no(change, f"status {status}")
        order = told.get("order")
        if not order or order.get("reference_id") != number:
            raise OutcomeUnknownError(
                "answered success without the order", channel=self.square.context.channel, operation="place an order"
            )
        shows = {"their": order["id"]}
        total = order["total_money"]["amount"]
        words = "" if total == change.after["total_minor"] else f"Square makes {total} of it, not {change.after['total_minor']}"
        return Receipt(change.id, Outcome.APPLIED, words, shows=shows, version=int(order.get("version") or 0))

    def _asked(self, change: Change, number: str, place: str) -> Row:
        after, discounts = change.after, []
        taxes: dict[str, Row] = {}
        lines = []
        charged = after.get("charges") or []
        # a discount over the whole order comes off its first lines: the till knows what is paid, the books know why
        off = -sum(min(0, _gross(one, after["tax"])) for one in charged)
        for one in after["lines"]:
            if not one["quantity"]:
                continue
            less = min(off, _gross(one, after["tax"]))
            off -= less
            line, discount = _line(one, after, taxes, less)
            lines.append(line)
            discounts += [discount] if discount else []
        charges = []
        for one in [each for each in charged if _gross(each, after["tax"]) > 0]:
            amount = {"amount": _gross(one, after["tax"]), "currency": after["currency"]}
            charge: Row = {"uid": _uid(one["charge"]), "name": one.get("title") or one["kind"], "amount_money": amount}
            charges.append({**charge, "calculation_phase": "SUBTOTAL_PHASE", **_taxed(one, taxes)})
        person = self.square.context.party(change.key.listing)
        pickup = {
            "recipient": {"display_name": str(person.get("full_name") or number)[:NAME_CHARS_MAX]},
            "schedule_type": "SCHEDULED",
            "pickup_at": stamp(change.at),
            "note": number,
        }
        return {
            "location_id": place,
            "reference_id": number,
            "line_items": lines,
            "taxes": list(taxes.values()),
            **({"discounts": discounts} if discounts else {}),
            **({"service_charges": charges} if charges else {}),
            "fulfillments": [{"type": "PICKUP", "state": "PROPOSED", "pickup_details": pickup}],
        }

    def _cancel_placed(self, change: Change) -> Receipt:
        known = self._by_number(change)
        return self._move(change, known[0]["id"]) if known else _no(change, "no order carries this number")

    def _move(self, change: Change, ident: str) -> Receipt:
        """Cancel or finish the whole order, under the version just read."""
        order = self._order(ident)
        if order is None:
            return _no(change, "no such order")
        if not _is_whole(change, order):
            return _no(change, "Square moves a pickup as a whole, not by its lines")
        done = change.after["fact"] == "fulfilled"
        state = "COMPLETED" if done else "CANCELED"
        parts = [{"uid": one["uid"], "state": state} for one in order.get("fulfillments") or [] if one["state"] not in FINAL]
        asked: Row = {"location_id": order["location_id"], "version": order.get("version"), "fulfillments": parts}
        body: Row = {"order": asked if done else {**asked, "state": "CANCELED"}}
        status, told = write(self.square, f"/v2/orders/{ident}", body, "move an order", "PUT")
        if status >= 300:
            errors = errors_of(told)
            return refused(change, errors[0]) if errors else _no(change, f"status {status}")
        after = told.get("order") or {}
        receipt = _stands(change, after) if after else Receipt(change.id, Outcome.NOT_SENT)
        return receipt if receipt.outcome is Outcome.APPLIED else _no(change, "answered success, but the order was not moved")


def _line(one: Row, after: Row, taxes: dict[str, Row], less: int) -> tuple[Row, Row | None]:
    """The line at a unit price that makes its amount; `less` and the rest of an uneven one come off as a discount."""
    count, amount = one["quantity"] // 1000, _gross(one, after["tax"])
    unit = -(-amount // count)
    line: Row = {
        "uid": _uid(one["line"]),
        "quantity": pieces(one["quantity"]),
        "name": str(one.get("title") or one.get("sku") or "Item")[:TITLE_CHARS_MAX],
        "base_price_money": {"amount": unit, "currency": after["currency"]},
        **_taxed(one, taxes),
    }
    if one.get("listing"):
        line["catalog_object_id"] = one["listing"]
    rest = unit * count - amount + less
    if not rest:
        return line, None
    mark = _uid(f"off-{one['line']}")
    money = {"amount": rest, "currency": after["currency"]}
    discount: Row = {"uid": mark, "name": "Discount", "type": "FIXED_AMOUNT", "amount_money": money, "scope": "LINE_ITEM"}
    return {**line, "applied_discounts": [{"discount_uid": mark}]}, discount


def _gross(one: Row, tax: str) -> int:
    """The amount with its tax, so that Square has nothing to add."""
    return int(one["amount_minor"]) + (int(one.get("tax_minor") or 0) if tax == "excluded" else 0)


def _taxed(one: Row, taxes: dict[str, Row]) -> Row:
    percent = one.get("tax_percent")
    if not percent or not one.get("tax_minor"):
        return {}
    uid = _uid(f"tax-{percent}")
    taxes[uid] = {"uid": uid, "name": f"{percent} %", "percentage": str(percent), "type": "INCLUSIVE", "scope": "LINE_ITEM"}
    return {"applied_taxes": [{"tax_uid": uid}]}


def _uid(text: Plain) -> str:
    return str(text)[:60]


def _is_nothing(after: Row) -> bool:
    return after.get("state") == "cancelled" or not any(line["quantity"] for line in after["lines"])


def _wanted_lines(change: Change) -> list[tuple[str, str]]:
    return sorted((str(one.get("listing") or ""), pieces(one["quantity"])) for one in change.after["lines"] if one["quantity"])


def _held_lines(order: Row) -> list[tuple[str, str]]:
    return sorted((str(one.get("catalog_object_id") or ""), str(one["quantity"])) for one in order.get("line_items") or [])


def _is_whole(change: Change, order: Row) -> bool:
    parts = {str(part["line"]): part["quantity"] for part in change.after.get("parts") or []}
    return not parts or all(pieces(parts.get(one["uid"], 0)) == one["quantity"] for one in order.get("line_items") or [])


def _stands(change: Change, order: Row) -> Receipt:
    states = {one["state"] for one in order.get("fulfillments") or []}
    if change.after["fact"] == "fulfilled":
        done = order["state"] == "COMPLETED" or (bool(states) and states <= FINAL and "COMPLETED" in states)
    else:
        done = order["state"] == "CANCELED"
    shows = {"their": order["id"]}
    return Receipt(change.id, Outcome.APPLIED, shows=shows) if done else Receipt(change.id, Outcome.NOT_SENT)


def _no(change: Change, words: str) -> Receipt:
    return Receipt(change.id, Outcome.REFUSED, words[:200])
