"""What other systems must know of an order, as targets: the document in the books, the parcel in the shop.

Everything walks like stock: a fact is a target of the system that must know it, a receipt or what it tells is the observation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hub.canonical.values import Plain, plain_decimal
from hub.channel import Channel
from hub.desired.order import Facts, Line, Saying
from hub.flow import Aspect, Key, Target
from hub.settings.model import OrderRule
from hub.store.catalogue import Binding
from hub.store.orders import Order

PLACED: Final = "placed"
EXPORTED_STATES: Final = ("reserve", "release", "ended", "cancelled")
Listings = Mapping[tuple[str, str], Binding]
"""(channel, item) → its listing there."""


class NotExportableError(Exception):
    """This order cannot be booked yet; says why, for a person."""


def documents(
    order: Order,
    told: Facts,
    sayings: Sequence[Saying],
    listings: Listings,
    channels: Mapping[str, Channel],
    items: Mapping[tuple[str, str], Binding],
    exported: frozenset[str],
) -> tuple[dict[Key, Target], str]:
    """The targets of one order, and why it is stuck ("" when it is not).

    `exported` are the channels that already hold it as a document: a cancelled order is told to them only.
    """
    wanted: dict[Key, Target] = {}
    words = ""
    if order.history:
        return wanted, words
    for name, channel in channels.items():
        rule = channel.settings.orders
        if order.channel not in rule.export_from or channel.send(Aspect.ORDER) is None:
            continue
        if told.state not in EXPORTED_STATES or (told.state == "cancelled" and name not in exported):
            continue
        try:
            value = _placed(order, told, name, rule, listings, items)
        except NotExportableError as bad:
            words = f"{name}: {bad}"
            continue
        key = Key(name, order.order, Aspect.ORDER, PLACED)
        wanted[key] = Target(key, order.order, value, {"order": order.number, "placed_on": order.channel})
    origin = channels.get(order.channel)
    if origin is not None and origin.send(Aspect.ORDER) is not None and not _born_done(told):
        wanted.update(_fulfilments(order, sayings))
    return wanted, words


def _born_done(told: Facts) -> bool:
    return bool(told.origin.record["state"] == "ended")


def _placed(
    order: Order, told: Facts, name: str, rule: OrderRule, listings: Listings, items: Mapping[tuple[str, str], Binding]
) -> dict[str, Plain]:
    record = told.origin.record
    if record.get("returns_of") or any(int(row["quantity"]) < 0 for row in record["lines"]):
        raise NotExportableError("a return is not booked by the hub: book the credit by hand")
    rows = {str(row["line"]): row for row in record["lines"]}
    lines = [_line(order, line, rows[line.line], name, listings, items) for line in told.lines]
    charges = [_taxed(dict(charge)) for charge in record.get("charges") or ()]
    taxes = {str(row["tax_percent"]) for row in (*lines, *charges) if row.get("tax_percent") is not None}
    value: dict[str, Plain] = {
        "fact": PLACED,
        "number": order.number,
        "placed_at": order.placed_at,
        "currency": str(record["currency"]),
        "tax": str(record["tax"]),
        "total_minor": int(record["total_minor"]),
        "lines": lines,
        "charges": charges,
        "payments": [_payment(payment, rule) for payment in record.get("payments") or ()],
        "taxes": {percent: _mapped("tax", percent, rule.taxes, rule.suspense_tax) for percent in sorted(taxes)},
    }
    if told.state == "cancelled":
        value["state"] = "cancelled"
    return value


def _line(
    order: Order,
    line: Line,
    row: Mapping[str, Plain],
    name: str,
    listings: Listings,
    items: Mapping[tuple[str, str], Binding],
) -> dict[str, Plain]:
    binding = items.get((order.channel, line.listing))
    there = listings.get((name, binding.item)) if binding is not None and binding.item else None
    if there is None and line.kind == "stocked":
        raise NotExportableError(f"line {line.line}: {line.sku or line.listing or 'no SKU'} is no item there")
    return _taxed(
        {
            "line": line.line,
            "listing": there.listing if there is not None else "",
            "sku": line.sku,
            "title": str(row.get("title") or line.sku),
            "kind": line.kind,
            "quantity": max(0, line.quantity - line.cancelled),
            "amount_minor": int(row["amount_minor"]),
            "tax_minor": int(row.get("tax_minor") or 0),
            "tax_percent": row.get("tax_percent"),
        }
    )


def _taxed(row: dict[str, Plain]) -> dict[str, Plain]:
    if row.get("tax_percent") is not None:
        row["tax_percent"] = plain_decimal(row["tax_percent"]) if not isinstance(row["tax_percent"], str) else row["tax_percent"]
    return row


def _payment(payment: Mapping[str, Plain], rule: OrderRule) -> dict[str, Plain]:
    method = str(payment.get("method") or "")
    return {
        "payment": payment["payment"],
        "kind": payment["kind"],
        "method": _mapped("payment method", method, rule.payments, rule.suspense_payment),
        "amount_minor": int(payment["amount_minor"]),
        "at": payment.get("at"),
    }


def _mapped(what: str, told: str, table: Mapping[str, str], suspense: str) -> str:
    if told in table:
        return table[told]
    if suspense:
        return suspense
    raise NotExportableError(f"the {what} `{told}` is not mapped")


def _fulfilments(order: Order, sayings: Sequence[Saying]) -> dict[Key, Target]:
    """Every parcel that another system told of, for the channel where the order was placed."""
    wanted: dict[Key, Target] = {}
    for saying in sayings:
        if saying.channel == order.channel:
            continue
        for fulfilment in saying.record.get("fulfilments") or ():
            if fulfilment["state"] not in ("shipped", "delivered", "handed_over") or not fulfilment["parts"]:
                continue
            fact = f"fulfilled:{saying.channel}:{fulfilment['fulfilment']}"
            key = Key(order.channel, order.order, Aspect.ORDER, fact)
            value = {
                "fact": "fulfilled",
                "their": order.their,
                "carrier": fulfilment.get("carrier") or "",
                "tracking": fulfilment.get("tracking") or "",
                "parts": [dict(part) for part in fulfilment["parts"]],
            }
            wanted[key] = Target(key, order.order, value, {"order": order.number, "told_by": saying.channel})
    return wanted
