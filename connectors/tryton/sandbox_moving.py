"""The small Tryton's goods that come back from customers and goods between two warehouses, as observed on 8.2.1.

A return is received into the input zone and put away by a second step. Between warehouses goods lie in transit from shipping to
receipt; what is received less stays there, and the shipment is done all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.tryton.sandbox_models import (
    COMPUTED,
    CUSTOMER,
    FIELDS,
    LOCATION,
    MOVE,
    PARENTS,
    RELATIONS,
    STAMPS,
    Books,
    Row,
)
from connectors.tryton.sandbox_wire import TITLES

BACK, INTERNAL = "stock.shipment.out.return", "stock.shipment.internal"
INPUT, TRANSIT = 1, 8

FIELDS.update({
    BACK: ("number", "reference", "state", "effective_date", "customer", "warehouse", "warehouse_storage", *STAMPS),
    INTERNAL: ("number", "reference", "state", "effective_date", "effective_start_date", "from_location", "to_location",
               "internal_transit_location", *STAMPS),
})  # fmt: skip
RELATIONS.update({
    (BACK, "moves"): MOVE, (INTERNAL, "moves"): MOVE, (INTERNAL, "from_location"): LOCATION, (INTERNAL, "to_location"): LOCATION,
})  # fmt: skip
COMPUTED.update({
    (BACK, "moves"): lambda books, row, _: books.moved_by(BACK, row["id"]),
    (INTERNAL, "moves"): lambda books, row, _: books.moved_by(INTERNAL, row["id"]),
})  # fmt: skip
PARENTS.update({MOVE: ("product", "origin", "shipment")})
TITLES.update({BACK: "Customer Return Shipment", INTERNAL: "Internal Shipment"})


class MovingBooks(Books):
    """Records of returns and internal shipments."""

    if TYPE_CHECKING:
        queue: list[int]
        _now: Callable[[], dt.datetime]

        def sales_of(self, moves: list[int]) -> list[int]: ...

    def moved_by(self, model: str, shipment: int) -> list[int]:
        """All moves of a shipment of this model."""
        return self.children(MOVE, "shipment", f"{model},{shipment}")  # type: ignore[arg-type]

    # goods that come back

    def make_return(self, sale: Row, warehouse: Row, missing: list[tuple[Row, Decimal]], origin: str) -> int:
        """A draft for what comes back with a sale; `origin` is the model of its lines."""
        zone = {"warehouse": warehouse["id"], "warehouse_storage": warehouse["storage_location"]}
        number = self.insert(BACK, {"customer": sale["party"], **zone, "state": "draft"})
        self.tables[BACK][number]["number"] = str(number)
        for line, left in missing:
            way = {"from_location": CUSTOMER, "to_location": INPUT, "state": "draft", "shipment": f"{BACK},{number}"}
            self.insert(MOVE, {**way, "product": line["product"], "quantity": left, "origin": f"{origin},{line['id']}"})
        return number

    def receive_back(self, number: int) -> None:
        """The goods have arrived in the input zone."""
        row, arrived = self.tables[BACK][number], self.moved_by(BACK, number)
        for one in arrived:
            self._do(one)
            move = self.tables[MOVE][one]
            way = {"from_location": INPUT, "to_location": row["warehouse_storage"], "state": "draft"}
            kept = {"product": move["product"], "quantity": move["quantity"], "shipment": move["shipment"]}
            self.insert(MOVE, {**way, **kept, "origin": f"{MOVE},{one}"})
        self.change(BACK, number, {"state": "received"})
        self.queue += self.sales_of(arrived)

    def put_away(self, number: int) -> None:
        """The goods that came back are in the storage zone."""
        for one in self.moved_by(BACK, number):
            if self.tables[MOVE][one]["from_location"] == INPUT:
                self._do(one)
        self.change(BACK, number, {"state": "done", "effective_date": self._now().date()})

    # goods between places

    def make_transfer(self, wanted: Mapping[int, Decimal], source: int, target: int) -> int:
        """An internal shipment that waits for its goods; between warehouses by way of the transit location."""
        transit = TRANSIT if self._house(source) != self._house(target) else None
        kept = {"from_location": source, "to_location": target, "internal_transit_location": transit, "state": "waiting"}
        number = self.insert(INTERNAL, kept)
        self.tables[INTERNAL][number]["number"] = str(number)
        for product, quantity in wanted.items():
            way = {"product": product, "quantity": quantity, "state": "draft", "shipment": f"{INTERNAL},{number}"}
            arriving = self.insert(MOVE, {**way, "from_location": transit or source, "to_location": target})
            if transit:
                self.insert(MOVE, {**way, "from_location": source, "to_location": transit, "origin": f"{MOVE},{arriving}"})
        return number

    def send_transfer(self, number: int) -> None:
        """The goods have left; without transit they arrive at once."""
        row = self.tables[INTERNAL][number]
        if row["internal_transit_location"] is None:
            self.receive_transfer(number, None)
            return
        for one in self.moved_by(INTERNAL, number):
            if self.tables[MOVE][one]["to_location"] == TRANSIT:
                self._do(one)
        self.change(INTERNAL, number, {"state": "shipped", "effective_start_date": self._now().date()})

    def receive_transfer(self, number: int, came: Mapping[int, Decimal] | None) -> None:
        """The goods have arrived, or these of them: the clerk writes what came and confirms that it is less."""
        for one in self.moved_by(INTERNAL, number):
            move = self.tables[MOVE][one]
            if move["to_location"] == TRANSIT:
                continue
            if came is not None:
                self.change(MOVE, one, {"quantity": came.get(move["product"], Decimal(0))})
            self._do(one)
        self.change(INTERNAL, number, {"state": "done", "effective_date": self._now().date()})

    def cancel_transfer(self, number: int) -> None:
        """Nothing of it leaves."""
        for one in self.moved_by(INTERNAL, number):
            self.change(MOVE, one, {"state": "cancelled"})
        self.change(INTERNAL, number, {"state": "cancelled"})

    def _house(self, place: int) -> int | None:
        """The warehouse that a location is in."""
        row = self.tables[LOCATION][place]
        while row["type"] != "warehouse" and row["parent"] is not None:
            row = self.tables[LOCATION][row["parent"]]
        return int(row["id"]) if row["type"] == "warehouse" else None

    def _do(self, move: int) -> None:
        self.change(MOVE, move, {"state": "done", "effective_date": self._now().date()})
