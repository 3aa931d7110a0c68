"""Sales of Tryton as order records: one sale with its lines, the moves that ship them, its shipments and its customer.

The platform keeps what we need of an order in six models; all of it comes nested in one search_read. Quantities are told in
the product's own unit, so a line in dozens is told in pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.tryton.rpc import time_of
from hub.sdk.api import Plain, iso

Row = dict[str, Plain]
SALE: Final = "sale.sale"
OUT: Final = "stock.shipment.out"
BACK: Final = "stock.shipment.out.return"
ORDER_MODELS: Final = (SALE, "sale.line", "stock.move", OUT, BACK)
PREFIXES: Final = ("", "lines.", "lines.moves.", "shipments.", "shipment_returns.")
"""Where the dates of those models stand, seen from the sale: an order has changed when any of them has."""

TIMES: Final = ("write_date", "create_date")
ORDER_FIELDS: Final = (
    "number", "reference", "description", "state", "currency.code", "total_amount", "warehouse.storage_location",
    "party.name", "party.contact_mechanisms.type", "party.contact_mechanisms.value",
    "shipment_address.party_name", "shipment_address.street", "shipment_address.postal_code", "shipment_address.city",
    "shipment_address.country.code", "shipment_address.subdivision.name",
    "lines.type", "lines.quantity", "lines.unit.factor", "lines.amount", "lines.description",
    "lines.product.code", "lines.product.name", "lines.product.type", "lines.product.default_uom.factor",
    "lines.taxes.rate", "lines.moves.state", "lines.moves.quantity", "lines.moves.shipment", "lines.moves_ignored",
    "shipments.number", "shipments.reference", "shipments.state", "shipments.warehouse_storage",
    "shipment_returns.state", "shipment_returns.warehouse_storage",
    *(f"{prefix}{name}" for prefix in PREFIXES for name in TIMES),
)  # fmt: skip
AMENDS: Final = "~"
"""Between our number and the count of a sale that amends the one of that number."""
CAME_BACK: Final = ("received", "done")
THOUSANDTH: Final = Decimal("0.001")


def order_record(sale: Row, shipping_product: str) -> Row:
    """The record that the mappings read: lines of products, charges (`shipping_product` and what has no goods), shipments."""
    currency = sale["currency."]["code"]
    told = [line for line in sale["lines."] if line["type"] == "line"]
    lines = [line for line in told if _is_line(line, shipping_product)]
    charges = [line for line in told if not _is_line(line, shipping_product)]
    place = (sale["warehouse."] or {}).get("storage_location")
    return {
        "id": sale["id"],
        "number": sale["number"],
        "reference": sale["reference"],
        "state": sale["state"],
        "placed_at": when(sale["create_date"]),
        "currency": currency,
        "total": _amount(sale["total_amount"]),
        "lines": [_line(line, place) for line in lines],
        "charges": [_charge(line, shipping_product) for line in charges],
        "shipments": [_shipment(shipment, lines) for shipment in sale["shipments."]],
        "returns": [_return(one, lines) for one in sale["shipment_returns."] if one["state"] in CAME_BACK],
        "customer": _customer(sale["party."]),
        "address": _address(sale["shipment_address."] or {}),
    }


def amending(number: Plain) -> str:
    """The description of a sale that amends the one of this number."""
    return f"Changes {number}"


def amended(sale: Row) -> str:
    """The number of the sale that this one amends; "" when it amends none (a reference alone may be a person's)."""
    head, _, count = str(sale["reference"] or "").rpartition(AMENDS)
    return head if count.isascii() and count.isdigit() and sale["description"] == amending(head) else ""


def order_times(sales: Sequence[Row]) -> list[int]:
    """Every write and create date in these sales and in what belongs to them."""
    rows = [*sales]
    for sale in sales:
        rows += [*sale["lines."], *sale["shipments."], *sale["shipment_returns."]]
        rows += [move for line in sale["lines."] for move in line["moves."]]
    return [at for row in rows for name in TIMES if (at := time_of(row.get(name))) is not None]


def in_pieces(line: Row, quantity: Plain) -> Decimal:
    """A quantity of the line in its product's own unit."""
    unit, own = line["unit."], (line["product."] or {}).get("default_uom.")
    if unit is None or own is None or unit["id"] == own["id"]:
        return Decimal(str(quantity))
    pieces = Decimal(str(quantity)) * Decimal(str(unit["factor"])) / Decimal(str(own["factor"]))
    return pieces.quantize(THOUSANDTH, ROUND_HALF_UP)


def ignored(line: Row) -> Decimal:
    """How much of the line will not be shipped any more: cancelled moves that somebody decided not to make again."""
    given_up = set(line["moves_ignored"])
    return sum((in_pieces(line, move["quantity"]) for move in line["moves."] if move["id"] in given_up), Decimal(0))


def _is_line(line: Row, shipping_product: str) -> bool:
    product = line["product."]
    return product is not None and str(product["id"]) != shipping_product and Decimal(str(line["quantity"])) != 0


def _line(line: Row, place: Plain) -> Row:
    product, quantity = line["product."], in_pieces(line, line["quantity"])
    return {
        "id": line["id"],
        "product": product["id"],
        "code": product["code"],
        "title": line["description"] or product["name"],
        "type": product["type"],
        # Below zero: it comes back, and so is what was given up of it.
        "quantity": quantity,
        "cancelled": -ignored(line) if quantity < 0 else ignored(line),
        "place": place,
        **_money(line),
    }


def _charge(line: Row, shipping_product: str) -> Row:
    amount, product = _amount(line["amount"]), line["product."]
    back = Decimal(str(line["quantity"] or 0)) < 0
    shipping = product is not None and str(product["id"]) == shipping_product and (amount >= 0 or back)
    kind = "shipping" if shipping else "fee" if amount >= 0 else "discount"
    title = line["description"] or (product["name"] if product is not None else "")
    return {"id": line["id"], "kind": kind, "title": title, **_money(line)}


def _money(line: Row) -> Row:
    """The line's amount without tax and its tax. The platform rounds the tax of a whole sale, so a line's is computed."""
    amount, rates = _amount(line["amount"]), [_amount(tax["rate"]) for tax in line["taxes."] if tax["rate"] is not None]
    # An amount has as many digits as its currency.
    tax = (amount * sum(rates, Decimal(0))).quantize(Decimal(1).scaleb(int(amount.as_tuple().exponent)), ROUND_HALF_UP)
    return {"amount": amount, "tax": tax, "percent": rates[0] * 100 if len(rates) == 1 else None}


def _shipment(shipment: Row, lines: Sequence[Row]) -> Row:
    return {
        "id": shipment["id"],
        "state": shipment["state"],
        # Carriers and parcels are modules of their own; the reference is where people write a tracking code without them.
        "tracking": shipment["reference"] or shipment["number"],
        "place": shipment["warehouse_storage"],
        "lines": list(_parts(f"{OUT},{shipment['id']}", lines, shipment["state"] == "cancelled")),
    }


def _return(shipment: Row, lines: Sequence[Row]) -> Row:
    """Goods that came back: received into the input zone, in the storage zone's figure once put away."""
    put_away = shipment["state"] == "done"
    parts = [{**part, "put_away": put_away} for part in _parts(f"{BACK},{shipment['id']}", lines)]
    return {"id": shipment["id"], "place": shipment["warehouse_storage"], "lines": parts}


def _parts(shipment: str, lines: Sequence[Row], cancelled: bool = False) -> Iterator[Row]:
    """What a shipment moves by line; what was taken out of it counts only where all of it is cancelled."""
    for line in lines:
        moves = [move for move in line["moves."] if move["shipment"] == shipment]
        moves = [move for move in moves if cancelled or move["state"] != "cancelled"]
        quantity = sum((in_pieces(line, move["quantity"]) for move in moves), Decimal(0))
        if quantity:
            yield {"line": line["id"], "quantity": quantity}


def _customer(party: Row) -> Row:
    contacts = party["contact_mechanisms."] or []
    return {
        "id": party["id"],
        "name": party["name"],
        "email": _contact(contacts, ("email",)),
        "phone": _contact(contacts, ("phone", "mobile")),
    }


def _address(address: Row) -> Row:
    said: Row = {name: address.get(name) for name in ("street", "postal_code", "city")}
    region, country = address.get("subdivision."), address.get("country.")
    return {
        **said,
        "name": address.get("party_name"),
        "region": region["name"] if region else None,
        "country": country["code"] if country else None,
    }


def _contact(contacts: Sequence[Mapping[str, Plain]], kinds: Sequence[str]) -> Plain:
    return next((contact["value"] for contact in contacts if contact["type"] in kinds), None)


def _amount(tag: Plain) -> Decimal:
    return Decimal(tag["decimal"])


def when(tag: Plain) -> Plain:
    """A tagged time as text; None for null."""
    at = time_of(tag)
    return None if at is None else iso(at)
