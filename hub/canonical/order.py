"""An order record: a set of facts with keys, each possibly partial, as one system tells them.

Amounts are minor units of the order's currency. With `tax: included` the amounts of lines, charges and discounts contain
their tax, with `excluded` they do not; `total_minor` is always what the customer pays. Persons are a record of their own.
"""

from __future__ import annotations

from typing import Final

from hub.canonical.entity import TAXES, Entity, Field, Kind, words
from hub.canonical.values import Plain

ORDER_STATES: Final = ("ignore", "hold", "reserve", "release", "ended", "cancelled")
"""What a platform's order state means: a cart; held until `hold_until`; reserved; free to be fulfilled; finished; cancelled."""

LINE_KINDS: Final = ("stocked", "service", "fee", "deposit", "gift_card_sale", "tip", "custom")
PAYMENT_KINDS: Final = ("authorised", "captured", "voided", "refunded", "charged_back")
FULFILMENT_STATES: Final = ("planned", "ready", "shipped", "delivered", "handed_over", "cancelled", "failed")
"""`failed`: the place says that it cannot deliver; the order itself stands."""
CONDITIONS: Final = ("sellable", "quarantine", "damaged", "lost")

LINE: Final = {
    "line": Field(Kind.TEXT, required=True),
    "listing": Field(Kind.TEXT),
    "sku": Field(Kind.TEXT),
    "title": Field(Kind.TEXT),
    "kind": words(*LINE_KINDS),
    "quantity": Field(Kind.QUANTITY, required=True),
    "cancelled": Field(Kind.QUANTITY),
    "amount_minor": Field(Kind.MINOR, required=True),
    "tax_minor": Field(Kind.MINOR),
    "tax_percent": Field(Kind.AMOUNT),
    "fulfilled_by": words("merchant", "platform"),
    "place": Field(Kind.TEXT),
}
"""`quantity` as ordered now (edits change it), `cancelled` of it; `amount_minor` the line after its
own discounts, net of what was cancelled."""

CHARGE: Final = {
    "charge": Field(Kind.TEXT, required=True),
    "kind": words("shipping", "fee", "tip", "rounding", "discount", "deposit", required=True),
    "title": Field(Kind.TEXT),
    "amount_minor": Field(Kind.MINOR, required=True),
    "tax_minor": Field(Kind.MINOR),
    "tax_percent": Field(Kind.AMOUNT),
}
"""What is paid besides the lines; a discount that is not in the lines' amounts is negative."""

PART: Final = {"line": Field(Kind.TEXT, required=True), "quantity": Field(Kind.QUANTITY, required=True)}

REFUNDED_PART: Final = {
    "line": Field(Kind.TEXT, required=True),
    "quantity": Field(Kind.QUANTITY),
    "amount_minor": Field(Kind.MINOR),
}

PAYMENT: Final = {
    "payment": Field(Kind.TEXT, required=True),
    "kind": words(*PAYMENT_KINDS, required=True),
    "method": Field(Kind.TEXT),
    "amount_minor": Field(Kind.MINOR, required=True),
    "at": Field(Kind.TIME),
    "parts": Field(Kind.ROWS, rows=REFUNDED_PART),
}
"""`parts`: what a refund is for, where the platform says it: lines or charges by their ids, pieces given back with it, money."""

FULFILMENT: Final = {
    "fulfilment": Field(Kind.TEXT, required=True),
    "state": words(*FULFILMENT_STATES, required=True),
    "place": Field(Kind.TEXT),
    "carrier": Field(Kind.TEXT),
    "tracking": Field(Kind.TEXT),
    "at": Field(Kind.TIME),
    "parts": Field(Kind.ROWS, required=True, rows=PART),
}

RETURN: Final = {
    "return": Field(Kind.TEXT, required=True),
    "place": Field(Kind.TEXT),
    "at": Field(Kind.TIME),
    "parts": Field(
        Kind.ROWS,
        required=True,
        rows={**PART, "condition": words(*CONDITIONS), "restocked": Field(Kind.FLAG)},
    ),
}

ORDER: Final = Entity(
    "order",
    {
        "order": Field(Kind.TEXT, required=True),
        "number": Field(Kind.TEXT),
        "reference": Field(Kind.TEXT),
        "origin_reference": Field(Kind.TEXT),
        "returns_of": Field(Kind.TEXT),
        "state": words(*ORDER_STATES, required=True),
        "hold_until": Field(Kind.TIME),
        "placed_at": Field(Kind.TIME),
        "currency": Field(Kind.CURRENCY, required=True),
        "tax": words(*TAXES, required=True),
        "total_minor": Field(Kind.MINOR, required=True),
        "lines": Field(Kind.ROWS, required=True, rows=LINE),
        "charges": Field(Kind.ROWS, rows=CHARGE),
        "payments": Field(Kind.ROWS, rows=PAYMENT),
        "fulfilments": Field(Kind.ROWS, rows=FULFILMENT),
        "returns": Field(Kind.ROWS, rows=RETURN),
        "place": Field(Kind.TEXT),
        "pickup": Field(Kind.TEXT),
        "version": Field(Kind.WHOLE),
        "as_of": Field(Kind.TIME),
    },
)
"""`reference` is ours, where their record carries it (an export of ours); `origin_reference` that of the channel the order
came from; `place` where it was sold (a till's location), `pickup` where the customer fetches it: their own place ids.
`returns_of` names the order that a separate return record belongs to."""

TAKING: Final = (
    "order",
    "reference",
    "origin_reference",
    "returns_of",
    "state",
    "hold_until",
    "placed_at",
    "place",
    "as_of",
)
TAKING_LINES: Final = {"lines": ("line", "listing", "sku", "kind", "quantity", "cancelled", "place")}
"""The fields that decide what an order takes from the stock: they are read also where its money or persons cannot be."""

PARTY: Final = Entity(
    "party",
    {
        "order": Field(Kind.TEXT, required=True),
        "customer": Field(Kind.TEXT),
        "full_name": Field(Kind.TEXT, personal=True),
        "company": Field(Kind.TEXT, personal=True),
        "email": Field(Kind.TEXT, personal=True),
        "phone": Field(Kind.TEXT, personal=True),
        "street": Field(Kind.TEXT, personal=True),
        "street2": Field(Kind.TEXT, personal=True),
        "city": Field(Kind.TEXT, personal=True),
        "postal_code": Field(Kind.TEXT, personal=True),
        "region": Field(Kind.TEXT, personal=True),
        "country": Field(Kind.TEXT),
        "vat_number": Field(Kind.TEXT, personal=True),
    },
)
"""The person behind an order: kept only in the inbox and, sealed, in the party table."""

ROUNDING_MINOR_PER_ROW: Final = 1
"""How much a platform's own rounding may differ, in minor units per line and charge."""


class MoneyError(ValueError):
    """The amounts of an order do not add up to its total; says by how much."""


def conserved(order: dict[str, Plain]) -> dict[str, Plain]:
    """The order with its money conserved to the minor unit: lines + charges (+ their tax) = total.

    A difference within the bound becomes a charge of kind `rounding`; a larger one is a MoneyError.
    """
    rows = [*order["lines"], *(order.get("charges") or ())]
    amount = sum(row["amount_minor"] for row in rows)
    if order["tax"] == "excluded":
        amount += sum(row.get("tax_minor") or 0 for row in rows)
    difference = order["total_minor"] - amount
    if difference == 0:
        return order
    bound = ROUNDING_MINOR_PER_ROW * max(1, len(rows))
    if abs(difference) > bound:
        raise MoneyError(f"lines and charges make {amount}, the total is {order['total_minor']} (minor units)")
    rounding = {"charge": "rounding", "kind": "rounding", "title": "Rounding", "amount_minor": difference}
    return {**order, "charges": [*(order.get("charges") or ()), rounding]}
