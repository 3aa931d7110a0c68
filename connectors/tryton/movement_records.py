"""Internal shipments of Tryton as movement records: per product what is planned, what has left and what has arrived.

Between two warehouses goods lie in a transit location: moves into it are what has left, moves out of it what arrives. Within a
warehouse (or where no transit location is set) each move is both. What is received less is what the done moves out of transit
say; the rest stays in transit, whatever the shipment's state says (tried on 8.2.1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final

from connectors.tryton.order_records import TIMES, Row, in_pieces, when
from connectors.tryton.rpc import time_of
from hub.sdk.api import Plain

INTERNAL: Final = "stock.shipment.internal"
MOVEMENT_MODELS: Final = (INTERNAL, "stock.move")
MOVEMENT_PREFIXES: Final = ("", "moves.")
MOVEMENT_FIELDS: Final = (
    "number", "reference", "state", "internal_transit_location", "from_location.parent", "to_location.parent",
    "moves.product.code", "moves.product.default_uom.factor", "moves.unit.factor", "moves.quantity", "moves.state",
    "moves.from_location", "moves.to_location",
    *(f"{prefix}{name}" for prefix in MOVEMENT_PREFIXES for name in TIMES),
)  # fmt: skip


def movement_record(shipment: Row, places: Collection[str]) -> Row:
    """The record that the mapping reads; a location inside a configured place is told as that place."""
    parts: dict[int, Row] = {}
    for move in shipment["moves."]:
        if move["state"] == "cancelled":
            continue
        product, quantity = move["product."], in_pieces(move, move["quantity"])
        empty = {"product": product["id"], "code": product["code"], "planned": Decimal(0), "dispatched": Decimal(0),
                 "received": Decimal(0)}  # fmt: skip
        part = parts.setdefault(product["id"], empty)
        done = quantity if move["state"] == "done" else Decimal(0)
        transit = shipment["internal_transit_location"]
        if transit is None or move["from_location"] != transit:
            part["planned"] += quantity
            part["dispatched"] += done
        if transit is None or move["to_location"] != transit:
            part["received"] += done
    return {
        "id": shipment["id"],
        "number": shipment["number"],
        "reference": shipment["reference"],
        "state": shipment["state"],
        "from": _place(shipment["from_location."], places),
        "to": _place(shipment["to_location."], places),
        "created_at": when(shipment["create_date"]),
        "parts": [parts[product] for product in sorted(parts)],
    }


def movement_times(shipments: Sequence[Row]) -> list[int]:
    """Every write and create date in these shipments and their moves."""
    rows = [*shipments, *(move for shipment in shipments for move in shipment["moves."])]
    return [at for row in rows for name in TIMES if (at := time_of(row.get(name))) is not None]


def _place(location: Row, places: Collection[str]) -> Plain:
    parent = location["parent"]
    inside = str(location["id"]) not in places and str(parent) in places
    return parent if inside else location["id"]
