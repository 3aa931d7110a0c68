"""From an order as the API shows it to the record that the mappings read: money in minor units, pieces told apart.

Shopify lowers a line's current quantity when pieces are taken off before they left *and* when they come back. What left is
known from the fulfilments, what is still to be sent from the fulfilment orders: the difference tells the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.shopify.gids import minor, number
from connectors.shopify.order_marks import ATTRIBUTE, reference_in
from hub.sdk.api import Plain

NO_PARCEL: Final = frozenset({"CANCELLED", "ERROR", "FAILURE"})
CLOSED: Final = frozenset({"CLOSED", "CANCELLED"})
OVER_THE_COUNTER: Final = frozenset({"RETAIL", "PICK_UP"})
TILL: Final = "pos"
TAKEN: Final = {
    "AUTHORIZATION": "AUTHORIZATION",
    "EMV_AUTHORIZATION": "AUTHORIZATION",
    "SALE": "SALE",
    "CAPTURE": "CAPTURE",
    "VOID": "VOID",
    "REFUND": "REFUND",
}
"""Kinds of transactions that are facts; CHANGE is given back at once, SUGGESTED_REFUND is no transaction yet."""

Row = dict[str, Plain]


class Told:
    """How a channel's settings want orders told."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.bag = "presentmentMoney" if settings.get("money", "shop") == "presentment" else "shopMoney"
        self.origin_tag = settings.get("origin_tag", "")


class Pieces:
    """What became of the pieces of each line."""

    def __init__(self, order: Row) -> None:
        self.left: dict[str, int] = {}
        self.open: dict[str, int] = {}
        self.methods: dict[str, set[str]] = {}
        self.places: dict[str, set[str]] = {}
        for parcel in order["packed"]:
            if parcel["status"] not in NO_PARCEL:
                for part in parcel["fulfillmentLineItems"]["nodes"]:
                    _add(self.left, part["lineItem"]["id"], int(part["quantity"] or 0))
        for task in order["open"]:
            for part in task["lineItems"]["nodes"]:
                line = part["lineItem"]["id"]
                self.methods.setdefault(line, set()).add(_method(task))
                self.open.setdefault(line, 0)
                if task["status"] not in CLOSED and part["remainingQuantity"]:
                    _add(self.open, line, part["remainingQuantity"])
                    self.places.setdefault(line, set()).add(_place(task))

    def of(self, line: Row) -> tuple[int, int]:
        """(cancelled, back): pieces taken off before they left, and pieces that came back after."""
        ident, quantity, current = line["id"], line["quantity"], line["currentQuantity"]
        if ident not in self.left and ident not in self.open:
            # Nothing to send of it, a gift card or a tip: all that is not there any more was taken off.
            return quantity - current, 0
        left = self.left.get(ident, 0)
        still = min(self.open.get(ident, 0), current)
        back = max(0, left + still - current)
        return max(0, quantity - left - still - max(0, current - left - still)), back


def record(order: Row, told: Told) -> Row:
    """One order for the mappings."""
    pieces = Pieces(order)
    lines = [_line(line, pieces, told) for line in order["lineItems"]["nodes"]]
    charges = _charges(order, told)
    shop = told.bag == "shopMoney"
    tags = [str(tag) for tag in order["tags"]]
    return {
        "id": order["id"],
        "name": order["name"],
        "updatedAt": order["updatedAt"],
        "placedAt": order["processedAt"] or order["createdAt"],
        "cancelled": order["cancelledAt"] is not None,
        "financial": order["displayFinancialStatus"] or "NONE",
        "fulfillment": order["displayFulfillmentStatus"],
        "source": order["sourceName"] or "",
        "reference": reference_in(tags, order["customAttributes"]) or None,
        "origin": _origin(order, tags, told) or None,
        "currency": order["currencyCode"] if shop else order["presentmentCurrencyCode"],
        "taxesIncluded": order["taxesIncluded"],
        "total": _total(order, lines, charges, told),
        "lines": lines,
        "charges": charges,
        "payments": _payments(order, told),
        "fulfilments": _fulfilments(order, pieces),
        "returns": _returns(order),
        "place": number(order["retailLocation"]["id"]) if order["retailLocation"] else None,
        "pickup": next((_place(task) for task in order["open"] if _method(task) == "PICK_UP"), None),
        "customer": order.get("customer"),
        "email": order.get("email"),
        "phone": order.get("phone"),
        "address": order.get("shippingAddress") or order.get("billingAddress"),
        "knowsPerson": any(order.get(name) for name in ("customer", "email", "phone", "shippingAddress", "billingAddress")),
    }


def _origin(order: Row, tags: list[str], told: Told) -> str:
    """The number where the order came from: a tag says it, or the app that brought it in. A till's own receipt is none."""
    tagged = [tag[len(told.origin_tag) :].strip() for tag in tags if told.origin_tag and tag.startswith(told.origin_tag)]
    if tagged:
        return tagged[0]
    return "" if order["sourceName"] == TILL else str(order["sourceIdentifier"] or "")


# money


def _line(line: Row, pieces: Pieces, told: Told) -> Row:
    cancelled, back = pieces.of(line)
    quantity = line["quantity"]
    unit = line["originalUnitPriceSet"][told.bag]
    gross = minor({**unit, "amount": Decimal(str(unit["amount"])) * quantity})
    net = gross - sum(minor(one["allocatedAmountSet"][told.bag]) for one in line["discountAllocations"])
    tax = _tax(line, told)
    rates = {str(one["ratePercentage"]) for one in line["taxLines"] if one["ratePercentage"] is not None}
    places = pieces.places.get(line["id"], set())
    amount, tax_kept = _share(net, quantity - cancelled, quantity), _share(tax, quantity - cancelled, quantity)
    return {
        "id": number(line["id"]),
        "variant": number(line["variant"]["id"]) if line["variant"] else None,
        "sku": line["sku"],
        "title": line["name"],
        "kind": _kind(line),
        "quantity": quantity,
        "cancelled": cancelled,
        "back": back,
        "amount": amount,
        "tax": tax_kept,
        "backAmount": _share(net, back, quantity),
        "backTax": _share(tax, back, quantity),
        "rate": str(sum(Decimal(rate) for rate in rates)) if rates else None,
        "place": next(iter(places)) if len(places) == 1 else None,
    }


def _kind(line: Row) -> str:
    if line["isGiftCard"]:
        return "gift_card"
    if line["variant"] is None:
        return "tip" if line["name"] == "Tip" and not line["requiresShipping"] else "custom"
    return "variant"


def _charges(order: Row, told: Told) -> list[Row]:
    refunded: dict[str, int] = {}
    taxes: dict[str, int] = {}
    for refund in order["refunded"]:
        for one in refund["refundShippingLines"]["nodes"]:
            _add(refunded, one["shippingLine"]["id"], minor(one["subtotalAmountSet"][told.bag]))
            _add(taxes, one["shippingLine"]["id"], 0 if order["taxesIncluded"] else minor(one["taxAmountSet"][told.bag]))
    rows = []
    for line in order["shippingLines"]["nodes"]:
        # What was given back of it is a refund, not a smaller charge.
        amount = minor(line["currentDiscountedPriceSet"][told.bag]) + refunded.get(line["id"], 0)
        rates = {str(one["ratePercentage"]) for one in line["taxLines"] if one["ratePercentage"] is not None}
        rows.append(
            {
                "id": _charge_id(line["id"]),
                "kind": "shipping",
                "title": line["title"],
                "amount": amount,
                "tax": _tax(line, told) if amount else 0,
                "rate": str(sum(Decimal(rate) for rate in rates)) if rates else None,
                "back": refunded.get(line["id"], 0) + taxes.get(line["id"], 0),
            }
        )
    for name, title in (("currentTotalDutiesSet", "Duties"), ("currentTotalAdditionalFeesSet", "Fees")):
        amount = minor(order[name][told.bag]) if order[name] else 0
        if amount:
            rows.append({"id": name, "kind": "fee", "title": title, "amount": amount, "tax": 0, "rate": None, "back": 0})
    return rows


def _total(order: Row, lines: list[Row], charges: list[Row], told: Told) -> int:
    """What the customer pays, and paid for what came back later: the platform's own total of now with that put back.

    A refund of money alone may or may not be in the platform's total: where that explains the difference, it is no reduction.
    """
    included = order["taxesIncluded"]
    total = minor(order["currentTotalPriceSet"][told.bag])
    total += sum(line["backAmount"] + (0 if included else line["backTax"]) for line in lines)
    total += sum(charge["back"] for charge in charges)
    rows = sum(row["amount"] + (0 if included else row["tax"]) for row in (*lines, *charges))
    given_back = sum(
        minor(one["amountSet"][told.bag])
        for one in order["transactions"]
        if one["kind"] == "REFUND" and one["status"] == "SUCCESS"
    )
    explained = given_back and 0 < rows - total <= given_back + len(lines) + len(charges)
    return int(rows if explained else total)


def _tax(row: Row, told: Told) -> int:
    return sum(minor(one["priceSet"][told.bag]) for one in row["taxLines"])


def _share(amount: int, pieces: int, quantity: int) -> int:
    if not quantity or pieces == quantity:
        return amount if quantity else 0
    return int((Decimal(amount) * pieces / quantity).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _payments(order: Row, told: Told) -> list[Row]:
    change: dict[str, int] = {}
    for one in order["transactions"]:
        if one["kind"] == "CHANGE" and one["status"] == "SUCCESS" and one["parentTransaction"]:
            _add(change, one["parentTransaction"]["id"], minor(one["amountSet"][told.bag]))
    parts = _refund_parts(order, told)
    return [
        {
            "id": number(one["id"]),
            "kind": TAKEN[one["kind"]],
            "method": one["gateway"] or "unknown",
            "amount": minor(one["amountSet"][told.bag]) - change.get(one["id"], 0),
            "at": one["processedAt"] or one["createdAt"],
            "parts": parts.get(one["id"], []),
        }
        for one in order["transactions"]
        if one["kind"] in TAKEN and one["status"] == "SUCCESS"
    ]


def _refund_parts(order: Row, told: Told) -> dict[str, list[Row]]:
    """What each refund is for, under the first of its transactions."""
    found: dict[str, list[Row]] = {}
    for refund in order["refunded"]:
        ids = [one["id"] for one in refund["transactions"]["nodes"]]
        if not ids:
            continue
        included = order["taxesIncluded"]
        rows = [
            {
                "line": number(one["lineItem"]["id"]),
                "quantity": one["quantity"],
                "amount": minor(one["subtotalSet"][told.bag]) + (0 if included else minor(one["totalTaxSet"][told.bag])),
            }
            for one in refund["refundLineItems"]["nodes"]
        ]
        rows += [
            {
                "line": _charge_id(one["shippingLine"]["id"]),
                "quantity": 0,
                "amount": minor(one["subtotalAmountSet"][told.bag]) + (0 if included else minor(one["taxAmountSet"][told.bag])),
            }
            for one in refund["refundShippingLines"]["nodes"]
        ]
        found[ids[0]] = rows
    return found


def _charge_id(ident: str) -> str:
    return f"shipping-{number(ident)}"


# goods


def _fulfilments(order: Row, pieces: Pieces) -> list[Row]:
    rows = []
    for one in order["packed"]:
        parts = [
            {"line": number(part["lineItem"]["id"]), "quantity": part["quantity"] or 0}
            for part in one["fulfillmentLineItems"]["nodes"]
        ]
        methods = {
            method
            for part in one["fulfillmentLineItems"]["nodes"]
            for method in pieces.methods.get(part["lineItem"]["id"], set())
        }
        tracking = one["trackingInfo"][0] if one["trackingInfo"] else {}
        handed_over = order["sourceName"] == TILL or (bool(methods) and methods <= OVER_THE_COUNTER)
        rows.append(
            {
                "id": number(one["id"]),
                "standing": one["displayStatus"] or "NONE" if one["status"] == "SUCCESS" else f"STATUS {one['status']}",
                "counter": handed_over,
                "place": number(one["location"]["id"]) if one["location"] else None,
                "carrier": tracking.get("company"),
                "tracking": tracking.get("number"),
                "at": one["deliveredAt"] or one["createdAt"],
                "parts": parts,
            }
        )
    ready = {attribute["value"] for attribute in order["customAttributes"] if attribute["key"].startswith(f"{ATTRIBUTE} ready")}
    for task in order["open"]:
        parts = [
            {"line": number(part["lineItem"]["id"]), "quantity": part["remainingQuantity"]}
            for part in task["lineItems"]["nodes"]
            if part["remainingQuantity"]
        ]
        if task["status"] in CLOSED or not parts:
            continue
        prepared = _method(task) == "PICK_UP" and (task["status"] == "IN_PROGRESS" or bool(ready))
        rows.append(
            {
                "id": f"task-{number(task['id'])}",
                "standing": "TASK prepared" if prepared else f"TASK {task['status']}",
                "counter": False,
                "place": _place(task) or None,
                "carrier": None,
                "tracking": None,
                "at": None,
                "parts": parts,
            }
        )
    return rows


def _returns(order: Row) -> list[Row]:
    """What came back: dispositions of returns, and pieces put back on the shelf with a refund that belongs to no return."""
    rows = []
    for one in order["returned"]:
        for back in one["reverseFulfillmentOrders"]["nodes"]:
            for line in back["lineItems"]["nodes"]:
                for put in line["dispositions"]:
                    parts = [_back(line["fulfillmentLineItem"]["lineItem"]["id"], put["quantity"], put["type"])]
                    rows.append({"id": number(put["id"]), "place": _at(put), "at": put["createdAt"], "parts": parts})
    for refund in order["refunded"]:
        if refund["return"] is not None:
            continue
        by_place: dict[str | None, list[Row]] = {}
        for line in refund["refundLineItems"]["nodes"]:
            if line["restockType"] == "RETURN":
                by_place.setdefault(_at(line), []).append(_back(line["lineItem"]["id"], line["quantity"], "RESTOCKED"))
        for place, parts in by_place.items():
            ident = number(refund["id"]) + (f"-{place}" if len(by_place) > 1 else "")
            rows.append({"id": f"refund-{ident}", "place": place, "at": refund["createdAt"], "parts": parts})
    return rows


def _back(line: str, quantity: int, how: str) -> Row:
    return {"line": number(line), "quantity": quantity, "how": how}


def _at(row: Row) -> str | None:
    return number(row["location"]["id"]) if row["location"] else None


def _place(task: Row) -> str:
    location = task["assignedLocation"]["location"]
    return number(location["id"]) if location else ""


def _method(task: Row) -> str:
    return str(task["deliveryMethod"]["methodType"]) if task["deliveryMethod"] else "NONE"


def _add(counts: dict[str, int], key: str, pieces: int) -> None:
    counts[key] = counts.get(key, 0) + pieces
