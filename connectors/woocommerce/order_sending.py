"""Telling the shop what became of its orders: parcels, cancellations, refunds, and what customers and staff should read there.

Every fact is looked for before it is made, by our mark: a parcel in the order's own fields, a cancellation there or as the reason
of a refund without money, a refund by its reason, words for people in a note. So an answer that was lost does no harm.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.woocommerce.order_reading import OrderReader
from connectors.woocommerce.order_records import PARCEL, gross, meta, minor, parcels_of, refunded_rows
from connectors.woocommerce.shop_api import Row, ShopApi, words_of
from hub.sdk.api import (
    THOUSAND,
    Change,
    Outcome,
    Plain,
    Receipt,
    from_minor,
    mark,
    named_mark,
    not_sent,
    pieces,
    refused,
    strange_line,
    unsure,
    whole_parts,
)

CANCELLED: Final = "_samklang_cancelled_"
REFUND_REFUSED: Final = "woocommerce_rest_cannot_create_order_refund"
"""Comes as a 500, with a body that says so: nothing was kept of the refund (the gateway said no, or the amount is too large)."""
NOTE_CHARS_MAX: Final = 1_000
OVER: Final = frozenset({"cancelled", "refunded", "failed", "trash"})

Fact = Callable[[Change, Row], Receipt]


class OrderSender:
    """Sends and finds the facts of one shop's orders."""

    def __init__(self, api: ShopApi, reader: OrderReader, settings: Mapping[str, str], now: Callable[[], int]) -> None:
        self._api = api
        self._reader = reader
        self._settings = settings
        self._now = now

    def send(self, change: Change) -> Receipt:
        """Make the fact true, or finish what an earlier try began; already true is applied."""
        facts: dict[str, Fact] = {
            "fulfilled": self._fulfil,
            "ready": self._tell_ready,
            "cancelled": self._cancel,
            "refunded": self._refund,
            "refund_noted": self._note_refund,
        }
        make = facts.get(str(change.after.get("fact")))
        if make is None:
            return refused(change, f"nothing can be {change.after.get('fact')} in the shop from outside")
        order = self._reader.order(str(change.after["their"]))
        if order is None:
            return refused(change, "the shop has no such order")
        found = self._found(change, order)
        return found if found.outcome is not Outcome.NOT_SENT else make(change, order)

    def find(self, change: Change) -> Receipt:
        """Whether the fact stands in the order; a fact made by half is not_sent, and the next send finishes it."""
        order = self._reader.order(str(change.after["their"]))
        return not_sent(change, "the shop has no such order") if order is None else self._found(change, order)

    def _found(self, change: Change, order: Row) -> Receipt:
        match change.after.get("fact"):
            case "fulfilled":
                here = any(parcel["mark"] == mark(change) for parcel in parcels_of(order))
            case "cancelled":
                here = meta(order, CANCELLED + mark(change)) is not None or bool(self._ours(change, order))
            case "refunded":
                ours = self._ours(change, order)
                if len(ours) > 1:
                    return refused(change, f"the order shows it {len(ours)} times")
                here = bool(ours)
            case _:
                here = self._noted(change)
        return Receipt(change.id, Outcome.APPLIED, shows=_shows(change)) if here else not_sent(change)

    # a parcel left

    def _fulfil(self, change: Change, order: Row) -> Receipt:
        parts = whole_parts(change.after)
        if not parts:
            return refused(change, "the shop ships whole pieces of its lines, at least one")
        if strange := _strange(order, parts):
            return refused(change, f"the order has no line {strange}")
        if order["status"] in OVER:
            return refused(change, f"the order is {order['status']} in the shop")
        carrier, tracking = str(change.after.get("carrier") or ""), str(change.after.get("tracking") or "")
        text = self._settings["shipped_note"] if tracking or carrier else self._settings["shipped_bare_note"]
        what = ", ".join(f"{count} × {row['name']}" for row in order["line_items"] if (count := parts.get(str(row["id"]), 0)))
        self._note(change, text.replace("{carrier}", carrier).replace("{tracking}", tracking).replace("{what}", what), True)
        parcel = {
            "at": self._now(),
            "carrier": carrier,
            "tracking": tracking,
            "state": str(change.after.get("state") or "shipped"),
            "parts": [[line, count * THOUSAND] for line, count in parts.items()],
        }
        kept = {"key": PARCEL + mark(change), "value": json.dumps(parcel, separators=(",", ":"))}
        given: Row = {"meta_data": [kept]}
        if order["status"] != "completed" and not self._left_after(order, parts):
            given["status"] = "completed"
        _, said = self._api.write("PUT", f"orders/{order['id']}", given, "tell of a parcel")
        if meta(said, kept["key"]) is None or ("status" in given and said.get("status") != "completed"):
            return refused(change, f"accepted, but the order is {said.get('status')} and does not show the parcel as told")
        return Receipt(change.id, Outcome.APPLIED, shows=_shows(change))

    def _left_after(self, order: Row, parts: Mapping[str, int]) -> bool:
        """Whether anything of the order is still to leave once these parts have."""
        left: dict[str, int] = dict(parts)
        for parcel in parcels_of(order):
            for line, quantity in parcel["parts"]:
                left[line] = left.get(line, 0) + quantity // THOUSAND
        for refund in self._reader.refunds(str(order["id"])) if order.get("refunds") else []:
            for line, row in refunded_rows(refund):
                left[line] = left.get(line, 0) - int(row.get("quantity") or 0)
        return any(int(row["quantity"]) > left.get(str(row["id"]), 0) for row in order["line_items"] if row.get("product_id"))

    # pieces are not coming

    def _cancel(self, change: Change, order: Row) -> Receipt:
        parts = whole_parts(change.after)
        if not parts:
            return refused(change, "the shop cancels whole pieces of its lines, at least one")
        if strange := _strange(order, parts):
            return refused(change, f"the order has no line {strange}")
        if order["status"] in OVER:
            return Receipt(change.id, Outcome.APPLIED, f"the order is {order['status']} already", shows=_shows(change))
        if not parcels_of(order) and not order.get("date_completed_gmt") and not self._left_after(order, parts):
            given = {"status": "cancelled", "meta_data": [{"key": CANCELLED + mark(change), "value": "1"}]}
            _, said = self._api.write("PUT", f"orders/{order['id']}", given, "cancel an order")
            if said.get("status") != "cancelled":
                return refused(change, f"accepted, but the order is {said.get('status')}")
            return Receipt(change.id, Outcome.APPLIED, shows=_shows(change))
        rows = [{"id": line, "quantity": count, "refund_total": 0} for line, count in parts.items()]
        return self._give_back(change, order, 0, rows, restock=True, pays=False)

    # money is given back

    def _refund(self, change: Change, order: Row) -> Receipt:
        amount = int(change.after["amount_minor"])
        if amount <= 0:
            return refused(change, "a refund is an amount above zero")
        currency = str(order["currency"])
        given_back = sum(-minor(one.get("total"), currency) for one in order.get("refunds") or [])
        room = minor(order["total"], currency) - given_back
        if amount > room:
            return refused(change, f"only {from_minor(max(0, room), currency)} {currency} of it can still be given back")
        rows = _money_rows(order, change.after.get("parts") or [], amount, currency)
        pays = self._settings.get("refunds", "gateway") == "gateway"
        return self._give_back(change, order, amount, rows, restock=False, pays=pays)

    def _give_back(
        self, change: Change, order: Row, amount_minor: int, rows: Sequence[Row], *, restock: bool, pays: bool
    ) -> Receipt:
        currency = str(order["currency"])
        given = {
            "amount": str(from_minor(amount_minor, currency)),
            "reason": named_mark(change),
            "api_refund": pays,
            "api_restock": restock,
            "line_items": list(rows),
        }
        path = f"orders/{order['id']}/refunds"
        status, said = self._api.write("POST", path, given, "refund", statuses=frozenset({400, 404, 500}))
        if status >= 400:
            if status == 500 and said.get("code") != REFUND_REFUSED:
                return unsure(change, words_of(said))
            return refused(change, words_of(said))
        shown = minor(said.get("amount"), currency)
        if shown != amount_minor or said.get("reason") != named_mark(change):
            return refused(change, f"asked for {amount_minor} minor units, the shop shows {shown}")
        return Receipt(change.id, Outcome.APPLIED, shows={**_shows(change), "refunded_minor": shown})

    def _ours(self, change: Change, order: Row) -> list[Row]:
        return [one for one in order.get("refunds") or [] if one.get("reason") == named_mark(change)]

    # words for people

    def _tell_ready(self, change: Change, order: Row) -> Receipt:
        self._note(change, self._settings["ready_note"].replace("{where}", str(change.after.get("where") or "")), True)
        return Receipt(change.id, Outcome.APPLIED, shows=_shows(change))

    def _note_refund(self, change: Change, order: Row) -> Receipt:
        currency = str(change.after.get("currency") or order["currency"])
        amount = from_minor(int(change.after["amount_minor"]), currency)
        names = {str(row["id"]): str(row["name"]) for row in order["line_items"]}
        parts = [
            f"{pieces(int(part['quantity']))} × {names.get(str(part['line']), part['line'])}"
            for part in change.after.get("parts") or []
            if int(part.get("quantity") or 0)
        ]
        of = f" for {', '.join(parts)}" if parts else ""
        by = f" by {change.after['by']}" if change.after.get("by") else ""
        self._note(change, f"{amount} {currency} was paid back{by}{of}. Nothing was paid from this shop.", False)
        return Receipt(change.id, Outcome.APPLIED, shows=_shows(change))

    def _note(self, change: Change, text: str, to_customer: bool) -> None:
        """A note under our mark, once; one to the customer is mailed to them by the shop."""
        if self._noted(change):
            return
        shown = to_customer and self._settings.get("notes", "customer") == "customer"
        given = {"note": f"{text.strip()[:NOTE_CHARS_MAX]} [{mark(change)}]", "customer_note": shown}
        self._api.write("POST", f"orders/{change.after['their']}/notes", given, "write a note")

    def _noted(self, change: Change) -> bool:
        notes = self._api.list(f"orders/{change.after['their']}/notes", {}, "look at notes", counted=False).rows
        return any(f"[{mark(change)}]" in str(note.get("note")) for note in notes)


def _money_rows(order: Row, parts: Sequence[Mapping[str, Plain]], amount: int, currency: str) -> list[Row]:
    """For which lines and charges the money is, without pieces; no more than the amount, and than each row has."""
    rows = {str(row["id"]): row for kind in ("line_items", "shipping_lines", "fee_lines") for row in order.get(kind) or []}
    given: list[Row] = []
    for part in parts:
        row = rows.get(str(part["line"]))
        if row is None or amount <= 0:
            continue
        whole = gross(row, currency)
        share = int(part.get("amount_minor") or 0)
        if not share and row.get("quantity"):
            share = whole * int(part.get("quantity") or 0) // (int(row["quantity"]) * THOUSAND)
        share = min(share, whole, amount)
        if share <= 0:
            continue
        amount -= share
        tax = _part(minor(row.get("total_tax"), currency), share, whole)
        rates = [one.get("id") for one in row.get("taxes") or [] if Decimal(str(one.get("total") or 0))]
        if len(rates) == 1:
            taxes = [{"id": str(rates[0]), "refund_total": str(from_minor(tax, currency))}]
            net = {"refund_total": str(from_minor(share - tax, currency)), "refund_tax": taxes}
        else:
            net = {"refund_total": str(from_minor(share, currency))}
        given.append({"id": str(row["id"]), "quantity": 0, **net})
    return given


def _part(amount: int, share: int, whole: int) -> int:
    return int((Decimal(amount) * share / whole).quantize(Decimal(1), rounding=ROUND_HALF_UP)) if whole else 0


def _strange(order: Row, parts: Mapping[str, int]) -> str:
    return strange_line(parts, {str(row["id"]) for row in order["line_items"]})


def _shows(change: Change) -> Row:
    return {"their": str(change.after["their"])}
