"""Money given back by the shop itself: refunds of an order's payments, found again by our mark as their reason."""

from __future__ import annotations

from connectors.vendure.admin_api import AdminApi
from connectors.vendure.money import amount_of, from_minor_units, minor_units
from connectors.vendure.order_documents import REFUND_ORDER, SETTLE_REFUND
from connectors.vendure.order_facts import OVER, applied, asked, denied, strange
from connectors.vendure.order_records import Row
from hub.sdk.api import THOUSAND, Change, Plain, Receipt, named_mark, not_sent, refused


def found_refund(change: Change, order: Row) -> Receipt:
    """Whether exactly this amount was paid back under our mark."""
    refunds, wanted = _ours(change, order), _wanted(change, order)
    if wanted is None:
        return not_sent(change)
    if sum(one["total"] for one in refunds) > wanted:
        return refused(change, "more was refunded under our mark than was asked for")
    paid = sum(one["total"] for one in refunds if one["state"] == "Settled")
    return applied(change, order) if 0 < paid == wanted else not_sent(change)


def refund(api: AdminApi, change: Change, order: Row) -> Receipt:
    """Pay back what is still open of it, out of as many payments as it takes, and settle it."""
    left = _wanted(change, order)
    if left is None:
        return refused(change, "Vendure keeps hundredths: the amount has a smaller part")
    if left <= 0:
        return refused(change, "a refund is an amount above zero")
    for one in _ours(change, order):
        left -= one["total"]
        if one["state"] == "Pending" and (no := _settled(api, change, one)) is not None:
            return no
    room = {one["id"]: _room(one) for one in order["payments"] or [] if one["state"] == "Settled"}
    if left > sum(room.values()):
        words = f"only {amount_of(sum(room.values()))} {order['currencyCode']} of its payments can still be refunded"
        return refused(change, words)
    lines, shipping, adjustment = _purpose(change, order)
    for payment, free in room.items():
        total = min(free, left)
        if total <= 0:
            continue
        # 3.7.3 takes the amount as it is and only keeps what it is said to be for; left out, these two make it fail.
        carriage = min(shipping, total)
        other = min(adjustment, total - carriage)
        given: dict[str, Plain] = {"paymentId": payment, "amount": total, "reason": named_mark(change)}
        said = asked(api, "refund", REFUND_ORDER, {"input": {**given, "lines": lines, "shipping": carriage, "adjustment": other}})
        if said["__typename"] != "Refund":
            return denied(change, said)
        if said["state"] == "Pending" and (no := _settled(api, change, said)) is not None:
            return no
        left, lines = left - said["total"], []
        shipping, adjustment = shipping - carriage, adjustment - other
    if left:
        return refused(change, f"{amount_of(left)} {order['currencyCode']} were not refunded")
    return applied(change, order, refunded_minor=minor_units(_wanted(change, order) or 0, str(order["currencyCode"])))


def _settled(api: AdminApi, change: Change, pending: Row) -> Receipt | None:
    """None when it is paid out now."""
    given = {"id": pending["id"], "transactionId": named_mark(change)}
    said = asked(api, "settle a refund", SETTLE_REFUND, {"input": given})
    return None if said["__typename"] == "Refund" and said["state"] == "Settled" else denied(change, said)


def _wanted(change: Change, order: Row) -> int | None:
    """The whole amount as the shop counts; None where it cannot."""
    try:
        return from_minor_units(int(change.after["amount_minor"]), str(order["currencyCode"]))
    except ValueError:
        return None


def _purpose(change: Change, order: Row) -> tuple[list[dict[str, Plain]], int, int]:
    """What it is for as the shop keeps it: lines with their whole pieces, of the shipping, of other charges."""
    lines: dict[str, int] = {}
    charged = {"shipping": 0, "surcharge": 0}
    for part in change.after.get("parts") or []:
        line, kind = str(part["line"]), str(part["line"]).partition("-")[0]
        if kind in charged:
            charged[kind] += max(0, _kept(part, order))
        elif not strange(order, {line: 0}):
            lines[line] = lines.get(line, 0) + int(part.get("quantity") or 0) // THOUSAND
    rows: list[dict[str, Plain]] = [{"orderLineId": line, "quantity": whole} for line, whole in lines.items()]
    return rows, charged["shipping"], charged["surcharge"]


def _kept(part: Row, order: Row) -> int:
    try:
        return from_minor_units(int(part.get("amount_minor") or 0), str(order["currencyCode"]))
    except ValueError:
        return 0


def _ours(change: Change, order: Row) -> list[Row]:
    told = [one for payment in order["payments"] or [] for one in payment["refunds"]]
    return [one for one in told if one["reason"] == named_mark(change) and one["state"] not in OVER]


def _room(payment: Row) -> int:
    return int(payment["amount"]) - sum(int(one["total"]) for one in payment["refunds"] if one["state"] != "Failed")
