"""Square's orders as records for the mapping: one row per line, charge, payment, fulfilment and return, in Square's own words.

What a row says is copied, never reckoned; only what is given back is written with a minus, because Square tells it without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.sdk.api import Plain

Row = dict[str, Plain]

TAKEN: Final = frozenset(
    {
        "line_items",
        "service_charges",
        "tenders",
        "refunds",
        "fulfillments",
        "returns",
        "rounding_adjustment",
        "net_amounts",
        "return_amounts",
        "total_money",
        "total_tip_money",
        "net_amount_due_money",
        "taxes",
    }
)
"""What becomes rows; everything else of an order is passed on as it is."""
STANDINGS: Final = ("PROPOSED", "RESERVED", "PREPARED", "COMPLETED", "FAILED", "CANCELED")
"""Fulfilment states, the one that needs most first: the first found says how an order stands."""
DETAILS: Final = {"PICKUP": "pickup_details", "SHIPMENT": "shipment_details", "DELIVERY": "delivery_details"}
DONE_AT: Final = ("picked_up_at", "shipped_at", "completed_at", "delivered_at")


def record(order: Row) -> Row:
    """One order with its rows; fields of Square's that are not known here stay in it, so that they are noticed."""
    total = (order.get("net_amounts") or {}).get("total_money") or order.get("total_money") or {}
    returns = order.get("returns") or []
    sources = {one["source_order_id"] for one in returns if one.get("source_order_id")}
    recipient = _recipient(order)
    return {
        **{name: value for name, value in order.items() if name not in TAKEN},
        "standing": _standing(order),
        "total": total.get("amount", 0),
        "currency": total.get("currency"),
        "lines": _lines(order),
        "charges": _charges(order),
        "payments": _payments(order),
        "fulfilments": [_fulfilment(one, order) for one in order.get("fulfillments") or []],
        "returns": [_return(one, order) for one in returns],
        # one return record may belong to several sales: then it is attached to none by guess
        "returns_of": next(iter(sources)) if len(sources) == 1 else None,
        "pickup": _pickup(order),
        "recipient": recipient,
        "knows_person": bool(recipient or order.get("customer_id")),
    }


def _standing(order: Row) -> str:
    """The order's state, with the state of what has to be handed over where that matters."""
    state = str(order.get("state"))
    states = {one.get("state") for one in order.get("fulfillments") or []}
    if state not in ("OPEN", "COMPLETED") or not states:
        return state
    least = next((one for one in STANDINGS if one in states), str(min(str(one) for one in states)))
    if least == "FAILED" and order.get("reference_id"):
        # the place could not; whether the order stands is for those to say whose number it carries
        return f"{state} {least} referenced"
    if least != "PROPOSED":
        return f"{state} {least}"
    due = (order.get("net_amount_due_money") or {}).get("amount")
    return f"{state} {least} {'paid' if due == 0 else 'unpaid'}"


def _lines(order: Row) -> list[Row]:
    """What is sold, and what is taken back with a minus before quantity and money."""
    rates = _rates(order.get("taxes"))
    rows = [_line(one, rates, 1) for one in order.get("line_items") or []]
    for back in order.get("returns") or []:
        rates = _rates(back.get("return_taxes"))
        rows += [_line(one, rates, -1) for one in back.get("return_line_items") or []]
    return rows


def _line(line: Row, rates: dict[str, str], sign: int) -> Row:
    listed = "listed" if line.get("catalog_object_id") else "free"
    name, variation = line.get("name") or "", line.get("variation_name") or ""
    row: Row = {
        "uid": line["uid"],
        "listing": line.get("catalog_object_id"),
        "title": f"{name}, {variation}" if name and variation else name or variation,
        "word": f"{line.get('item_type') or 'ITEM'} {listed}",
        "quantity": line["quantity"] if sign > 0 else f"-{line['quantity']}",
        "amount": sign * _amount(line.get("total_money")),
        "tax": sign * _amount(line.get("total_tax_money")),
    }
    return _with_rate(row, line, rates)


def _rates(taxes: Sequence[Row] | None) -> dict[str, str]:
    return {one["uid"]: one["percentage"] for one in taxes or [] if one.get("uid") and one.get("percentage")}


def _with_rate(row: Row, told: Row, rates: dict[str, str]) -> Row:
    """The row with its tax rate, where exactly one applies: several rates are not one."""
    applied = [rates.get(one["tax_uid"]) for one in told.get("applied_taxes") or []]
    if len(applied) == 1 and applied[0] is not None:
        row["percent"] = applied[0]
    return row


def _charges(order: Row) -> list[Row]:
    """What is paid besides the lines: service charges, tips and the rounding of cash."""
    rows = _charges_of(order.get("service_charges"), "service_charge", _rates(order.get("taxes")), 1)
    rows += _sums("tip", _amount(order.get("total_tip_money")), order.get("rounding_adjustment"), "", 1)
    for number, back in enumerate(order.get("returns") or []):
        mark = f"return{number}:"
        charges = back.get("return_service_charges")
        rows += _charges_of(charges, "service_charge", _rates(back.get("return_taxes")), -1)
        tips = sum(_amount(one.get("applied_money")) for one in back.get("return_tips") or [])
        rows += _sums("tip", tips, back.get("rounding_adjustment"), mark, -1)
    return rows


def _charges_of(charges: Sequence[Row] | None, kind: str, rates: dict[str, str], sign: int) -> list[Row]:
    rows = []
    for one in charges or []:
        # an apportioned charge stands in the lines' own totals already
        if one.get("treatment_type") == "APPORTIONED_TREATMENT":
            continue
        row: Row = {
            "uid": one["uid"],
            "word": one.get("type") or "CUSTOM",
            "title": one.get("name") or kind,
            "amount": sign * _amount(one.get("total_money")),
            "tax": sign * _amount(one.get("total_tax_money")),
        }
        rows.append(_with_rate(row, one, rates))
    return rows


def _sums(name: str, tip: int, rounding: Row | None, mark: str, sign: int) -> list[Row]:
    rows: list[Row] = []
    if tip:
        rows.append({"uid": f"{mark}{name}", "word": "TIP", "title": "Tip", "amount": sign * tip, "tax": 0})
    rounded = _amount((rounding or {}).get("amount_money"))
    if rounded:
        uid = f"{mark}rounding"
        rows.append({"uid": uid, "word": "ROUNDING", "title": "Cash rounding", "amount": sign * rounded, "tax": 0})
    return rows


def _payments(order: Row) -> list[Row]:
    """Money taken and money given back; what failed or is still under way took nothing."""
    rows: list[Row] = []
    methods = {}
    for one in order.get("tenders") or []:
        status = (one.get("card_details") or {}).get("status") or "TAKEN"
        methods[one["id"]] = one["type"]
        if status != "FAILED":
            rows.append(_payment(one, status, one["type"]))
    for one in order.get("refunds") or []:
        if one.get("status") == "APPROVED":
            rows.append(_payment(one, "REFUNDED", methods.get(one.get("tender_id") or "", "")))
    return rows


def _payment(one: Row, word: str, method: str) -> Row:
    return {
        "id": one["id"],
        "word": word,
        "method": method,
        "amount": _amount(one.get("amount_money")),
        "at": one.get("created_at"),
    }


def _fulfilment(one: Row, order: Row) -> Row:
    """A fulfilment with its parts: those it names, or every line where it is for the whole order."""
    named = one.get("entries") or []
    if one.get("line_item_application") == "ENTRY_LIST" or named:
        parts = [{"line": entry["line_item_uid"], "quantity": entry["quantity"]} for entry in named]
    else:
        parts = [{"line": line["uid"], "quantity": line["quantity"]} for line in order.get("line_items") or []]
    details = _details(one)
    # Square notes an expiry beside the state: nobody came, which is not that the place could not
    expired = " expired" if one.get("state") == "FAILED" and details.get("expired_at") else ""
    return {
        "uid": one["uid"],
        "word": f"{one.get('type')} {one.get('state')}{expired}",
        "place": order["location_id"],
        "carrier": details.get("carrier"),
        "tracking": details.get("tracking_number"),
        "at": next((details[name] for name in DONE_AT if details.get(name)), None),
        "parts": parts,
    }


def _return(one: Row, order: Row) -> Row:
    """What came back of one sale, by that sale's own lines; without a sale by the return's."""
    parts = [
        {"line": line.get("source_line_item_uid") or line["uid"], "quantity": line["quantity"]}
        for line in one.get("return_line_items") or []
    ]
    at = order.get("closed_at") or order.get("created_at")
    return {"uid": one["uid"], "place": order["location_id"], "at": at, "parts": parts}


def _pickup(order: Row) -> str | None:
    waits = any(one.get("type") == "PICKUP" for one in order.get("fulfillments") or [])
    return str(order["location_id"]) if waits else None


def _details(one: Row) -> Row:
    details: Row = one.get(DETAILS.get(str(one.get("type")), "")) or {}
    return details


def _recipient(order: Row) -> Row | None:
    """The person of the first fulfilment that names one."""
    for one in order.get("fulfillments") or []:
        person: Row | None = _details(one).get("recipient")
        if person:
            return person
    return None


def _amount(money: Row | None) -> int:
    return int(money["amount"]) if money else 0
