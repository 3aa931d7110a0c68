"""Our order as Square takes it: what a shop is to hand over or to send, with the amounts that the customer was promised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.square.objects import stamp
from connectors.square.order_records import Row
from hub.sdk.api import Change, Plain, pieces

NAME_CHARS_MAX: Final = 255
TITLE_CHARS_MAX: Final = 512
REFERENCE_CHARS_MAX: Final = 40
ADDRESS: Final = {
    "street": "address_line_1",
    "street2": "address_line_2",
    "city": "locality",
    "postal_code": "postal_code",
    "region": "administrative_district_level_1",
    "country": "country",
}


def unsayable(change: Change, place: str) -> str:
    """Why Square cannot take this document; "" when it can."""
    after = change.after
    if not place:
        return "no Square location of it"
    if len(str(after["number"])) > REFERENCE_CHARS_MAX:
        return f"a number of more than {REFERENCE_CHARS_MAX} characters"
    if after.get("of") or any(line["quantity"] < 0 or line["amount_minor"] < 0 for line in after["lines"]):
        return "what comes back is taken back at the till: Square's orders only sell"
    if any(line["quantity"] % 1000 for line in after["lines"] if _is_stocked(line)):
        return "a part of a piece of an item sold by the piece"
    return ""


def document(change: Change, place: str, person: Mapping[str, Plain]) -> Row:
    """The order as it is asked for: lines at prices that make their amounts, and one fulfilment of the whole."""
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
    return {
        "location_id": place,
        "reference_id": str(after["number"]),
        "line_items": lines,
        "taxes": list(taxes.values()),
        **({"discounts": discounts} if discounts else {}),
        **({"service_charges": charges} if charges else {}),
        "fulfillments": [_fulfilment(change, person)],
    }


def wanted_lines(change: Change) -> list[tuple[str, str]]:
    """The lines as Square will hold them: (variation, quantity)."""
    return sorted((str(one.get("listing") or ""), _count(one)) for one in change.after["lines"] if one["quantity"])


def held_lines(order: Row) -> list[tuple[str, str]]:
    """The lines that an order holds: (variation, quantity)."""
    return sorted((str(one.get("catalog_object_id") or ""), str(one["quantity"])) for one in order.get("line_items") or [])


def _fulfilment(change: Change, person: Mapping[str, Plain]) -> Row:
    number = str(change.after["number"])
    recipient: Row = {"display_name": str(person.get("full_name") or number)[:NAME_CHARS_MAX]}
    if change.after.get("pickup", True):
        details = {"recipient": recipient, "schedule_type": "SCHEDULED", "pickup_at": stamp(change.at), "note": number}
        return {"type": "PICKUP", "state": "PROPOSED", "pickup_details": details}
    # whoever packs a parcel has to know where it goes
    address = {theirs: str(person[ours]) for ours, theirs in ADDRESS.items() if person.get(ours)}
    recipient |= {"phone_number": str(person["phone"])} if person.get("phone") else {}
    recipient |= {"address": address} if address else {}
    return {"type": "SHIPMENT", "state": "PROPOSED", "shipment_details": {"recipient": recipient, "shipping_note": number}}


def _line(one: Row, after: Row, taxes: dict[str, Row], less: int) -> tuple[Row, Row | None]:
    """The line at a unit price that makes its amount; `less` and the rest of an uneven one come off as a discount."""
    count, amount = int(_count(one)), _gross(one, after["tax"])
    title = str(one.get("title") or one.get("sku") or "Item")
    unit = -(-amount // count)
    line: Row = {
        "uid": _uid(one["line"]),
        "quantity": str(count),
        "name": (title if one["quantity"] % 1000 == 0 else f"{title} ({pieces(one['quantity'])})")[:TITLE_CHARS_MAX],
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


def _count(one: Row) -> str:
    """Whole pieces; an hour and a half of work is one line at its amount."""
    return pieces(one["quantity"]) if one["quantity"] % 1000 == 0 else "1"


def _is_stocked(one: Row) -> bool:
    return str(one.get("kind") or "stocked") == "stocked"


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
