"""The people at the small Tryton who take orders over the phone, ship them, change them and call them off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.tryton import sandbox_models as models
from connectors.tryton import sandbox_sales as sales
from connectors.tryton.sandbox_moving import BACK
from hub.sdk.api import Plain

Basket = Mapping[str, int] | Sequence[tuple[str, int]]
MADE_PERSON = {
    "name": "Made Caller", "street": "Made Road 2", "postal_code": "2000", "city": "Madeville", "email": "caller@shop.example",
}  # fmt: skip


class SalesDesk:
    """The hands; `books` are the records and `_begin` opens a transaction."""

    if TYPE_CHECKING:
        books: sales.SalesBooks
        known: dict[str, str]

        def _begin(self) -> None: ...
        def _run_queue(self) -> None: ...
        def _product(self, sku: str) -> models.Row: ...

    def phone_order(self, basket: Basket, **more: Plain) -> str:
        """An order taken over the phone, confirmed: it waits to be shipped and to be paid by invoice. Gives its id."""
        return self.order(basket, paid=False, **more)

    def order(
        self, basket: Basket, *, paid: bool = True, place: str = "", customer: Mapping[str, str] | None = None,
        shipping: Decimal = Decimal(0), confirmed: bool = True, reference: str = "",
    ) -> str:  # fmt: skip
        """A sale of these pieces (below zero: they come back), shipped from the warehouse of this storage zone; not confirmed it
        is a quotation. `reference` is what the clerk types there."""
        self._begin()
        person = {**MADE_PERSON, **(customer or {})}
        address = {name: person[name] for name in ("street", "postal_code", "city")}
        contact = {"type": "email", "value": person["email"]}
        party = self.books.make_party(
            {"name": person["name"], "addresses": [["create", [address]]], "contact_mechanisms": [["create", [contact]]]}
        )
        (home,) = self.books.children(sales.ADDRESS, "party", party)
        rows = list(basket.items()) if isinstance(basket, Mapping) else list(basket)
        lines = [self._line(self._product(sku), pieces) for sku, pieces in rows]
        if shipping:
            lines.append(self._line(self._product("SHIPPING"), 1, shipping))
        values: models.Row = {"party": party, "invoice_address": home, "shipment_address": home, "currency": 1}
        values["reference"] = reference or None
        sale = self.books.make_sale({**values, "warehouse": self._warehouse(place), "lines": [["create", lines]]})
        for verb in ("quote", "confirm") if confirmed else ("quote",):
            self._press_sale(verb, sale)
        if paid and confirmed:
            self.pay(str(sale))
        return str(sale)

    def add_intangible(self, sku: str, title: str) -> str:
        """A service on sale, such as shipping. Gives the listing id."""
        self._begin()
        self.books.make_template(
            {"name": title, "code": sku, "type": "service", "default_uom": 1, "list_price": 0, "products": [["create", [{}]]]}
        )
        return str(self._product(sku)["id"])

    def pay(self, order: str) -> None:
        """The invoices are paid."""
        self._begin()
        for one in self.books.children(sales.INVOICE, "sale", int(order)):
            self.books.change(sales.INVOICE, one, {"state": "paid"})
        self.books.queue.append(int(order))
        self._run_queue()

    def to_ship(self, order: str) -> bool:
        """Whether a shipment of it waits in the warehouse: one that somebody is changing lies there as a draft."""
        return any(self.books.tables[sales.OUT][one]["state"] == "waiting" for one in self.books.shipments(int(order)))

    def ship(self, order: str, parts: Mapping[str, int] | None = None, carrier: str = "", tracking: str = "") -> str:
        """Ship all that waits, or these pieces by SKU (the rest gets a shipment of its own). Gives the shipment's id.

        Carriers are a module of their own and are not kept.
        """
        waiting = [one for one in self.books.shipments(int(order)) if self.books.tables[sales.OUT][one]["state"] == "waiting"]
        shipment = waiting[0]
        if parts is not None:
            self._shorten(shipment, parts)
        self._begin()
        if tracking:
            self.books.put(sales.OUT, shipment, {"reference": tracking})
        for verb in ("assign_force", "pick", "pack", "ship", "do"):
            self._press_out(verb, shipment)
        return str(shipment)

    def receive_back(self, order: str, *, put_away: bool = True) -> None:
        """What comes back with this sale is here, and put away (or still in the input zone)."""
        for number in self.books.shipments(int(order), BACK):
            self._begin()
            if self.books.tables[BACK][number]["state"] == "draft":
                self.books.receive_back(number)
                self._run_queue()
            if put_away:
                self._begin()
                self.books.put_away(number)

    def transfer(self, basket: Basket, from_place: str, to_place: str) -> str:
        """Goods that are to go from one storage zone to another. Gives the internal shipment's id."""
        self._begin()
        return str(self.books.make_transfer(self._counted(basket), int(from_place), int(to_place)))

    def dispatch(self, transfer: str) -> None:
        """They have left."""
        self._begin()
        self.books.send_transfer(int(transfer))

    def receive_transfer(self, transfer: str, basket: Basket | None = None) -> None:
        """They have arrived: all of them, or these (the rest stays in transit)."""
        self._begin()
        self.books.receive_transfer(int(transfer), None if basket is None else self._counted(basket))

    def cancel_transfer(self, transfer: str) -> None:
        """They stay where they are."""
        self._begin()
        self.books.cancel_transfer(int(transfer))

    def _counted(self, basket: Basket) -> dict[int, Decimal]:
        rows = list(basket.items()) if isinstance(basket, Mapping) else list(basket)
        return {int(self._product(sku)["id"]): Decimal(pieces) for sku, pieces in rows}

    def pick(self, order: str) -> None:
        """Begin to pick what waits."""
        for one in self.books.shipments(int(order)):
            for verb in ("assign_force", "pick"):
                self._press_out(verb, one)

    def cancel(self, order: str, lines: Sequence[str] | None = None) -> None:
        """Call the order off, or these SKUs of it: what is not shipped yet."""
        sale = self.books.tables[sales.SALE][int(order)]
        if sale["state"] in ("draft", "quotation"):
            self._press_sale("cancel", int(order))
            return
        kept = {sku: pieces["fulfilled"] for sku, pieces in self._pieces(int(order)).items() if lines is None or sku in lines}
        for sku, pieces in kept.items():
            self.edit(order, sku, int(pieces))

    def edit(self, order: str, sku: str, pieces: int) -> None:
        """Fewer pieces of a sale that is being processed: its open shipment is cancelled, moves are given up or made anew."""
        product = self._product(sku)["id"]
        for line in self._lines(int(order)):
            if line["product"] != product:
                continue
            self._begin()
            give_up = Decimal(line["quantity"]) - pieces
            for move in self._open_moves(line):
                take = min(give_up, Decimal(move["quantity"]))
                if take <= 0:
                    continue
                self._shorten_move(move, take, line)
                give_up -= take
            self._run_queue()

    def orders_shown(self) -> dict[str, Plain]:
        """The truth by their id."""
        return {str(number): self._shown_order(row) for number, row in self.books.tables[sales.SALE].items()}

    def _shown_order(self, row: models.Row) -> Plain:
        pieces = self._pieces(row["id"])
        shipped = [
            self.books.tables[sales.OUT][one]
            for one in self.books.shipments(row["id"])
            if self.books.tables[sales.OUT][one]["state"] == "done"
        ]
        return {
            "state": row["state"],
            "number": row["number"],
            "reference": row["reference"],
            "lines": [{"sku": sku, **counted} for sku, counted in pieces.items()],
            "total_minor": int(sum(self.books.totals(row), Decimal(0)).scaleb(self.books.digits(row))),
            "fulfilments": [{"fulfilment": str(one["id"]), "tracking": one["reference"] or one["number"]} for one in shipped],
            "refunded_minor": 0,
        }

    def _pieces(self, sale: int) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for line in self._lines(sale):
            counted = found.setdefault(
                self.books.tables[models.PRODUCT][line["product"]]["code"], {"quantity": 0, "cancelled": 0, "fulfilled": 0}
            )
            counted["quantity"] += int(line["quantity"])
            sign = -1 if line["quantity"] < 0 else 1
            for number in self.books.moves(line["id"]):
                move = self.books.tables[models.MOVE][number]
                counted["cancelled"] += sign * int(move["quantity"]) if number in line["moves_ignored"] else 0
                counted["fulfilled"] += sign * int(move["quantity"]) if move["state"] == "done" else 0
        return found

    def _lines(self, sale: int) -> list[models.Row]:
        return [self.books.tables[sales.SALE_LINE][one] for one in self.books.children(sales.SALE_LINE, "sale", sale)]

    def _line(self, product: models.Row, pieces: int, unit_price: Decimal | None = None) -> models.Row:
        cost = self.books.price_of(product) if unit_price is None else unit_price
        taxes = [["add", [1]]]
        return {"type": "line", "product": product["id"], "quantity": pieces, "unit": 1, "unit_price": cost or 0, "taxes": taxes}

    def _warehouse(self, place: str) -> int:
        zone = int(place) if place else models.STORAGE
        rows = self.books.tables[models.LOCATION].values()
        return int(next(row["id"] for row in rows if row["type"] == "warehouse" and row["storage_location"] == zone))

    def _press_sale(self, verb: str, sale: int) -> None:
        self._begin()
        self.books.press_sale(verb, sale)
        self._run_queue()

    def _press_out(self, verb: str, shipment: int) -> None:
        self._begin()
        self.books.press_out(verb, shipment)
        self._run_queue()

    def _open_moves(self, line: models.Row) -> list[models.Row]:
        rows = [self.books.tables[models.MOVE][one] for one in self.books.moves(line["id"])]
        return [row for row in rows if row["state"] not in sales.OVER]

    def _shorten(self, shipment: int, parts: Mapping[str, int]) -> None:
        """Leave these pieces in a waiting shipment; the sale makes another shipment of the rest."""
        self._press_out("draft", shipment)
        touched = self.books.outgoing(shipment)
        self._begin()
        for number in touched:
            move = self.books.tables[models.MOVE][number]
            left = parts.get(self.books.tables[models.PRODUCT][move["product"]]["code"], 0)
            if left:
                self.books.put(models.MOVE, number, {"quantity": left})
            else:
                self.books.delete(models.MOVE, number)
        self._press_out("wait", shipment)
        self._begin()
        self.books.queue += self.books.sales_of(self.books.outgoing(shipment))
        self._run_queue()

    def _shorten_move(self, move: models.Row, take: Decimal, line: models.Row) -> None:
        """Give up so many pieces of an open move: what stays goes on in the same shipment."""
        shipment = int(move["shipment"].rpartition(",")[2])
        left = Decimal(move["quantity"]) - take
        self._press_out("wait", shipment)
        self._press_out("draft", shipment)
        if left:
            self.books.put(models.MOVE, move["id"], {"quantity": left})
            self._press_out("wait", shipment)
            self.books.queue += [line["sale"]]
            self._run_queue()
            rest = self._open_moves(line)[-1]
        else:
            rest = move
        others = [one for one in self.books.outgoing(int(rest["shipment"].rpartition(",")[2])) if one != rest["id"]]
        if others:
            self.books.cancel_moves([rest["id"]])
        else:
            self._press_out("cancel", int(rest["shipment"].rpartition(",")[2]))
        self.books.put(sales.SALE_LINE, line["id"], {"moves_ignored": [["add", [rest["id"]]]]})
        self.books.queue.append(line["sale"])
        self._run_queue()
