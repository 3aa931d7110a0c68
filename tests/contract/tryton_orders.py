"""Made orders of a webshop as the hub exports them to Tryton, the person behind them, and the desk at which they are booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tryton_stage import listed, mappings, stocked, wired

from connectors.tryton.connector import TrytonConnector
from connectors.tryton.sandbox import Sandbox
from hub.flow import Change, Key, Outcome

PERSON = {
    "order": "our-1", "customer": "5", "full_name": "Made Buyer", "company": None, "email": "made.buyer@shop.example",
    "phone": "+4512345678", "street": "Made Street 1", "street2": "2nd floor", "city": "Madetown", "postal_code": "1000",
    "region": None, "country": None, "vat_number": None,
}  # fmt: skip


def line(
    listing: str, pieces: int, amount: int, tax: int, *, percent: str | None = "25", kind: str = "stocked", name: str = "1"
) -> dict[str, Any]:
    """One line whose amount contains its tax."""
    return {
        "line": name, "listing": listing, "sku": "", "title": f"Made line {name}", "kind": kind, "quantity": pieces * 1000,
        "amount_minor": amount, "tax_minor": tax, "tax_percent": percent, "refs": {},
    }  # fmt: skip


SHIPPING = {
    "charge": "s", "kind": "shipping", "title": "Parcel", "amount_minor": 3900, "tax_minor": 780, "tax_percent": "25",
}  # fmt: skip


def placed(
    lines: Sequence[Mapping[str, Any]],
    *,
    number: str = "webshop-1001",
    charges: Sequence[Mapping[str, Any]] = (SHIPPING,),
    currency: str = "DKK",
    taxes: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The payload of an order, tax included, paid by card."""
    total = sum(row["amount_minor"] for row in (*lines, *charges))
    paid = {"payment": "p1", "kind": "captured", "method": "card", "amount_minor": total, "at": 1}
    return {
        "fact": "placed", "number": number, "placed_at": 1, "currency": currency, "tax": "included", "total_minor": total,
        "lines": [dict(one) for one in lines], "charges": [dict(one) for one in charges], "payments": [paid], "place": "",
        "taxes": {"25": "1"} if taxes is None else dict(taxes), **more,
    }  # fmt: skip


def tees(pieces: int = 3, **more: Any) -> dict[str, Any]:
    """So many tees at 199.95 and a parcel at 39.00."""
    return placed([line("1", pieces, 19995 * pieces, 3999 * pieces)], **more)


def book(after: Mapping[str, Any], before: Mapping[str, Any] | None = None, *, number: int = 1) -> Change:
    """The change that makes the ERP know of it."""
    key = Key("erp", "our-1", "order", "placed")
    return Change(f"made-order-{number}", key, "our-1", None if before is None else dict(before), dict(after), {}, at=0)


class Desk:
    """A small Tryton with goods and a shipping service, and the connector that books orders there."""

    def __init__(self, **person: Any) -> None:
        self.sandbox: Sandbox = stocked()
        shipping = self.sandbox.add_intangible("SHIPPING", "Shipping")
        self.connector: TrytonConnector = wired(self.sandbox, self.sandbox.clock, settings={"shipping_product": shipping})
        said = {**PERSON, **person}
        object.__setattr__(self.connector.context, "party", lambda _: said)

    def send(self, after: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> tuple[Outcome, str]:
        (receipt,) = self.connector.send("order", [book(after, before)])
        return receipt.outcome, receipt.words

    def find(self, after: Mapping[str, Any]) -> Outcome:
        (receipt,) = self.connector.find("order", [book(after)])
        return receipt.outcome

    def sales(self) -> list[dict[str, Any]]:
        return list(self.sandbox.orders_shown().values())

    def told(self) -> list[dict[str, Any]]:
        return [order for record in listed(self.connector, "orders")[0] for order in mappings().understand("order", record)]
