"""The small Tryton's sales: parties, sales from draft to done, the shipments that processing makes, and drafts of invoices.

Rules and sentences as observed on 8.2.1: a sale is edited in draft only; confirming processes it; a cancelled shipment leaves an
exception until its moves are given up; what is missing in moves gets a shipment of its own when the sale is processed again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from connectors.tryton import sandbox_models as models
from connectors.tryton.sandbox_models import (
    COMPUTED,
    FIELDS,
    LOCATION,
    MOVE,
    PARENTS,
    PRODUCT,
    RELATIONS,
    STAMPS,
    TEMPLATE,
    Row,
)
from connectors.tryton.sandbox_moving import BACK, MovingBooks
from connectors.tryton.sandbox_wire import TITLES, Fault, price, user_error
from hub.sdk.api import Plain

PARTY, ADDRESS, CONTACT, PARTY_CODE = "party.party", "party.address", "party.contact_mechanism", "party.identifier"
CURRENCY, COUNTRY, TAX, UOM = "currency.currency", "country.country", "account.tax", "product.uom"
TERM: Final = "account.invoice.payment_term"
REGION: Final = "country.subdivision"
SALE, SALE_LINE, OUT, INVOICE = "sale.sale", "sale.line", "stock.shipment.out", "account.invoice"
OUTPUT: Final = 2
OVER: Final = ("done", "cancelled")

FIELDS.update({
    PARTY: ("name", *STAMPS),
    ADDRESS: ("party", "party_name", "street", "postal_code", "city", "country", "subdivision", *STAMPS),
    CONTACT: ("party", "type", "value", *STAMPS),
    PARTY_CODE: ("party", "type", "code", *STAMPS),
    CURRENCY: ("code", "digits", *STAMPS),
    COUNTRY: ("code", "name", *STAMPS),
    REGION: ("code", "name", *STAMPS),
    TAX: ("name", "description", "type", "rate", *STAMPS),
    TERM: ("name", *STAMPS),
    UOM: ("name", "factor", *STAMPS),
    SALE: ("number", "reference", "state", "party", "invoice_address", "shipment_address", "currency", "payment_term",
           "warehouse", "invoice_method", "shipment_method", "shipment_cost_method", "sale_date", "description", "comment",
           "shipment_state", "invoice_state", "invoices_ignored", *STAMPS),
    SALE_LINE: ("sale", "type", "product", "quantity", "unit", "unit_price", "taxes", "description", "note", "moves_ignored",
                "moves_recreated", *STAMPS),
    OUT: ("number", "reference", "state", "effective_date", "customer", "warehouse", "warehouse_storage", *STAMPS),
    INVOICE: ("sale", "state", *STAMPS),
})  # fmt: skip
RELATIONS.update({
    (TEMPLATE, "default_uom"): UOM, (PRODUCT, "default_uom"): UOM,
    (PARTY, "addresses"): ADDRESS, (PARTY, "contact_mechanisms"): CONTACT, (PARTY, "identifiers"): PARTY_CODE,
    (ADDRESS, "country"): COUNTRY, (ADDRESS, "subdivision"): REGION, (ADDRESS, "party"): PARTY,
    (SALE, "party"): PARTY, (SALE, "shipment_address"): ADDRESS, (SALE, "currency"): CURRENCY, (SALE, "warehouse"): LOCATION,
    (SALE, "lines"): SALE_LINE, (SALE, "shipments"): OUT, (SALE, "shipment_returns"): BACK, (SALE, "invoices"): INVOICE,
    (SALE_LINE, "sale"): SALE, (SALE_LINE, "product"): PRODUCT, (SALE_LINE, "unit"): UOM, (SALE_LINE, "taxes"): TAX,
    (SALE_LINE, "moves"): MOVE, (MOVE, "unit"): UOM, (OUT, "outgoing_moves"): MOVE, (OUT, "inventory_moves"): MOVE,
})  # fmt: skip
PARENTS.update({
    ADDRESS: ("party",), CONTACT: ("party",), PARTY_CODE: ("party",), SALE_LINE: ("sale",), INVOICE: ("sale",),
})  # fmt: skip
TITLES.update({
    PARTY: "Party", ADDRESS: "Address", SALE: "Sale", SALE_LINE: "Sale Line", OUT: "Customer Shipment", INVOICE: "Invoice",
    COUNTRY: "Country", CURRENCY: "Currency", TAX: "Tax",
})  # fmt: skip
COMPUTED.update({
    (PARTY, "addresses"): lambda books, row, _: books.children(ADDRESS, "party", row["id"]),
    (PARTY, "contact_mechanisms"): lambda books, row, _: books.children(CONTACT, "party", row["id"]),
    (PARTY, "identifiers"): lambda books, row, _: books.children(PARTY_CODE, "party", row["id"]),
    (SALE, "lines"): lambda books, row, _: books.children(SALE_LINE, "sale", row["id"]),
    (SALE, "invoices"): lambda books, row, _: books.children(INVOICE, "sale", row["id"]),
    (SALE, "shipments"): lambda books, row, _: books.shipments(row["id"]),
    (SALE, "shipment_returns"): lambda books, row, _: books.shipments(row["id"], BACK),
    (SALE, "untaxed_amount"): lambda books, row, _: books.totals(row)[0],
    (SALE, "tax_amount"): lambda books, row, _: books.totals(row)[1],
    (SALE, "total_amount"): lambda books, row, _: sum(books.totals(row), Decimal(0)),
    (SALE_LINE, "amount"): lambda books, row, _: books.amount(row),
    (SALE_LINE, "moves"): lambda books, row, _: books.moves(row["id"]),
    (MOVE, "unit"): lambda *_: 1,
    (OUT, "outgoing_moves"): lambda books, row, _: books.outgoing(row["id"]),
    (OUT, "inventory_moves"): lambda books, row, _: books.inner(row["id"]),
})  # fmt: skip
SALE_BUTTONS: Final = {
    "quote": (("draft",), "quotation"), "confirm": (("quotation",), "confirmed"),
    "draft": (("cancelled", "quotation", "confirmed"), "draft"), "cancel": (("draft", "quotation"), "cancelled"),
}  # fmt: skip
OUT_BUTTONS: Final = {
    "draft": (("waiting",), "draft"), "wait": (("draft", "waiting", "assigned"), "waiting"),
    "pick": (("assigned",), "picked"), "pack": (("picked",), "packed"), "ship": (("packed",), "shipped"),
    "do": (("packed", "shipped"), "done"), "cancel": (("draft", "waiting", "assigned", "picked", "packed"), "cancelled"),
}  # fmt: skip
BUTTONS: Final = {SALE: (*SALE_BUTTONS, "process"), OUT: (*OUT_BUTTONS, "assign_try", "assign_force")}


class SalesBooks(MovingBooks):
    """All records of one database, sales included."""

    def __init__(self, now: Callable[[], dt.datetime], currency: str, tax_rate: Decimal) -> None:
        super().__init__(now)
        self.queue: list[int] = []
        """Sales to be processed by their queue, in a transaction of its own."""
        for name in ("Made Company", "Made Walk-in"):
            self.make_party({"name": name, "addresses": [["create", [{"street": "Made Yard 1"}]]]})
        known = {currency: 2, "DKK": 2, "EUR": 2, "JPY": 0, "KWD": 3}
        for code, digits in known.items():
            self.insert(CURRENCY, {"code": code, "digits": digits})
        for code in ("DK", "SE", "NO", "DE"):
            self.insert(COUNTRY, {"code": code, "name": code})
        name = f"Tax {tax_rate.normalize()}"
        self.insert(TAX, {"name": name, "description": name, "type": "percentage", "rate": tax_rate})
        self.insert(UOM, {"name": "Unit", "factor": Decimal(1)})

    # reading

    def moves(self, line: int) -> list[int]:
        """The moves that ship this line."""
        return self.children(MOVE, "origin", f"{SALE_LINE},{line}")  # type: ignore[arg-type]

    def outgoing(self, shipment: int) -> list[int]:
        """The shipment's moves to the customer."""
        return [one for one in self._moves_of(shipment) if self.tables[MOVE][one]["from_location"] == OUTPUT]

    def inner(self, shipment: int) -> list[int]:
        """The shipment's moves from the storage to the output zone."""
        return [one for one in self._moves_of(shipment) if self.tables[MOVE][one]["to_location"] == OUTPUT]

    def _moves_of(self, shipment: int) -> list[int]:
        return self.children(MOVE, "shipment", f"{OUT},{shipment}")  # type: ignore[arg-type]

    def shipments(self, sale: int, model: str = OUT) -> list[int]:
        """The shipments (or returns) that have a move of the sale's lines."""
        told = {
            self.tables[MOVE][move]["shipment"] for line in self.children(SALE_LINE, "sale", sale) for move in self.moves(line)
        }
        return sorted(int(one.rpartition(",")[2]) for one in told if one and one.startswith(f"{model},"))

    def digits(self, sale: Row) -> int:
        """How many decimals the sale's currency has."""
        return int(self.tables[CURRENCY][sale["currency"]]["digits"])

    def amount(self, line: Row) -> Decimal:
        """The line's amount, rounded to the currency."""
        return _amount(line, Decimal(1).scaleb(-self.digits(self.tables[SALE][line["sale"]])))

    def totals(self, sale: Row) -> tuple[Decimal, Decimal]:
        """Amount without tax and tax; a tax is rounded once for the whole sale."""
        digits = Decimal(1).scaleb(-self.digits(sale))
        lines = [self.tables[SALE_LINE][line] for line in self.children(SALE_LINE, "sale", sale["id"])]
        amounts = [_amount(line, digits) for line in lines]
        bases: dict[int, Decimal] = {}
        for line, amount in zip(lines, amounts, strict=True):
            for tax in line["taxes"]:
                bases[tax] = bases.get(tax, Decimal(0)) + amount
        taxed = [(base * self.tables[TAX][tax]["rate"]).quantize(digits, ROUND_HALF_EVEN) for tax, base in bases.items()]
        return sum(amounts, Decimal(0).quantize(digits)), sum(taxed, Decimal(0).quantize(digits))

    # making

    def make_party(self, values: Row) -> int:
        """A party with its addresses, contacts and identifiers."""
        children = [(name, values.pop(name, [])) for name in ("addresses", "contact_mechanisms", "identifiers")]
        number = self.insert(PARTY, values)
        for (_, commands), model in zip(children, (ADDRESS, CONTACT, PARTY_CODE), strict=True):
            for command in commands:
                for row in command[1]:
                    if model == ADDRESS:
                        self.make_address({**row, "party": number})
                    else:
                        self.insert(model, {**row, "party": number})
        return number

    def make_address(self, values: Row) -> int:
        """An address of a party."""
        if values.get("country") is not None:
            self.rows(COUNTRY, [values["country"]])
        return self.insert(ADDRESS, values)

    def make_sale(self, values: Row) -> int:
        """A draft with its lines; what the client would fill in must be given."""
        lines = values.pop("lines", [])
        self.rows(PARTY, [values["party"]])
        kept = {"invoice_method": "order", "shipment_method": "order", **values, "state": "draft"}
        number = self.insert(SALE, {**kept, "shipment_state": "none", "invoice_state": "none", "invoices_ignored": []})
        self.put_lines(number, lines)
        return number

    def put_lines(self, sale: int, commands: list[Plain]) -> None:
        """Carry out `create` and `delete` of a sale's lines."""
        row = self.tables[SALE][sale]
        for verb, given in commands:
            if row["state"] != "draft":
                raise user_error(f'To {verb} line you must cancel or reset to draft sale "{self.sale_name(row)}".')
            for one in given:
                if verb == "delete":
                    self.delete(SALE_LINE, one)
                else:
                    self._sell_line(sale, dict(one))

    def _sell_line(self, sale: int, line: Row) -> None:
        (product,) = self.rows(PRODUCT, [line["product"]])
        quantity = Decimal(str(line["quantity"]))
        if quantity != quantity.to_integral_value():
            name = f"{quantity}\u00a0u [{product['code']}] @ {self.sale_name(self.tables[SALE][sale])}"
            raise user_error(
                f'The number of digits in the value "\'{quantity}\'" for field "Quantity" in record "{name}" of "Sale Line" '
                'exceeds the limit of "(None, 0)".'
            )
        taxes = [tax for command in line.pop("taxes", []) for tax in command[1]]
        self.rows(TAX, taxes)
        unit_price = price(line["unit_price"], "Unit Price", "Sale Line")
        kept = {"quantity": quantity, "unit_price": unit_price, "taxes": taxes, "moves_ignored": [], "moves_recreated": []}
        self.insert(SALE_LINE, {**line, **kept, "sale": sale})

    def sale_name(self, row: Row) -> str:
        """How they write a sale for people."""
        said = [part for part in (row["number"], f"[{row['reference']}]" if row["reference"] else "") if part]
        return " ".join(said) or f"({row['id']})"

    # the way of a sale

    def press_sale(self, verb: str, number: int) -> None:
        """A button of a sale."""
        (row,) = self.rows(SALE, [number])
        if verb == "process":
            self.work_off_sale(number)
            return
        before, after = SALE_BUTTONS[verb]
        if row["state"] not in before:
            raise user_error(f'You can not call "{verb}" on "{self.sale_name(row)}" of "Sale".')
        values: Row = {"state": after}
        if verb == "quote":
            if not row["invoice_address"] or not row["shipment_address"]:
                raise user_error(f'You must set an address to quote sale "{self.sale_name(row)}".')
            taken = sum(1 for one in self.tables[SALE].values() if one["number"])
            values["number"] = row["number"] or str(taken + 1)
        if verb == "confirm":
            values["sale_date"] = row["sale_date"] or self._now().date()
            self.queue.append(number)
        self.change(SALE, number, values)

    def work_off_sale(self, number: int) -> None:
        """Invoice and shipment of what has none yet, and the states that follow; nothing is written where nothing changes."""
        row = self.tables[SALE][number]
        if row["state"] not in ("confirmed", "processing", "done"):
            return
        lines = [self.tables[SALE_LINE][line] for line in self.children(SALE_LINE, "sale", number)]
        if row["state"] == "confirmed" and row["invoice_method"] != "manual":
            self.insert(INVOICE, {"sale": number, "state": "draft"})
        ships = row["shipment_method"] != "manual"
        missing = [(line, left) for line in lines if ships and self._goods(line) and (left := self._unmoved(line)) > 0]
        if out := [(line, left) for line, left in missing if line["quantity"] > 0]:
            self._make_shipment(row, out)
        if back := [(line, left) for line, left in missing if line["quantity"] < 0]:
            self.make_return(row, self.tables[LOCATION][row["warehouse"] or 5], back, SALE_LINE)
        values = {
            "shipment_state": self._shipment_state(lines),
            "invoice_state": self._invoice_state(row),
        }
        # A sale of which nothing moves here stays open for ever: they ask for its goods to be moved or given up.
        moved = values["shipment_state"] == "sent" or (values["shipment_state"] == "none" and not self._open_goods(lines))
        done = values["invoice_state"] in ("paid", "none") and moved
        values["state"] = "done" if done else "processing"
        if any(row[name] != value for name, value in values.items()):
            self.change(SALE, number, values)

    def _goods(self, line: Row) -> bool:
        return self._template(self.tables[PRODUCT][line["product"]])["type"] == "goods"  # type: ignore[no-any-return]

    def _moved(self, line: Row, *, but: tuple[str, ...]) -> Decimal:
        skipped = {one for name in but for one in line[name]}
        rows = [self.tables[MOVE][move] for move in self.moves(line["id"]) if move not in skipped]
        return sum((move["quantity"] for move in rows), Decimal(0))

    def _unmoved(self, line: Row) -> Decimal:
        return Decimal(abs(line["quantity"]) - self._moved(line, but=("moves_recreated",)))

    def _open_goods(self, lines: list[Row]) -> bool:
        """Whether goods of these lines are neither moved nor given up."""
        for line in lines:
            moves = [self.tables[MOVE][one] for one in self.moves(line["id"])]
            settled = [one["quantity"] for one in moves if one["state"] == "done" or one["id"] in line["moves_ignored"]]
            if self._goods(line) and sum(settled, Decimal(0)) < abs(line["quantity"]):
                return True
        return False

    def _shipment_state(self, lines: list[Row]) -> str:
        goods = [line for line in lines if self._goods(line)]
        moves = [(line, self.tables[MOVE][move]) for line in goods for move in self.moves(line["id"])]
        if any(
            move["state"] == "cancelled" and move["id"] not in {*line["moves_ignored"], *line["moves_recreated"]}
            for line, move in moves
        ):
            return "exception"
        if all(move["state"] == "cancelled" for _, move in moves):
            return "none"
        settled = [move["quantity"] for line, move in moves if move["state"] == "done" or move["id"] in line["moves_ignored"]]
        whole = sum((abs(line["quantity"]) for line in goods), Decimal(0))
        left = whole - sum(settled, Decimal(0))
        return "sent" if left <= 0 else "partially shipped" if left < whole else "waiting"

    def _invoice_state(self, row: Row) -> str:
        invoices = [self.tables[INVOICE][one] for one in self.children(INVOICE, "sale", row["id"])]
        counted = [one for one in invoices if one["id"] not in row["invoices_ignored"]]
        if not counted:
            return "none"
        if any(one["state"] == "cancelled" for one in counted):
            return "exception"
        return "paid" if all(one["state"] == "paid" for one in counted) else "pending"

    # the way of a shipment

    def _make_shipment(self, sale: Row, missing: list[tuple[Row, Decimal]]) -> None:
        warehouse = sale["warehouse"] or 5
        storage = self.tables[LOCATION][warehouse]["storage_location"]
        kept = {"customer": sale["party"], "warehouse": warehouse, "warehouse_storage": storage, "state": "draft"}
        shipment = self.insert(OUT, kept)
        self.tables[OUT][shipment]["number"] = str(shipment)
        for line, left in missing:
            way = {"from_location": OUTPUT, "to_location": models.CUSTOMER, "state": "draft", "shipment": f"{OUT},{shipment}"}
            self.insert(MOVE, {**way, "product": line["product"], "quantity": left, "origin": f"{SALE_LINE},{line['id']}"})
        self.press_out("wait", shipment)

    def press_out(self, verb: str, number: int) -> None:
        """A button of a shipment."""
        (row,) = self.rows(OUT, [number])
        if verb in ("assign_try", "assign_force"):
            self._assign(row, force=verb == "assign_force")
            return
        before, after = OUT_BUTTONS[verb]
        if row["state"] not in before:
            raise user_error(f'You can not call "{verb}" on "{row["number"]}" of "Customer Shipment".')
        inner, outgoing = self.inner(number), self.outgoing(number)
        if verb in ("draft", "wait"):
            for move in inner:
                self.delete(MOVE, move)
        if verb == "wait":
            self._make_inner(row, outgoing)
        if verb == "pick":
            self._done(inner)
        if verb == "do":
            self._done(outgoing)
        if verb == "cancel":
            for move in (*inner, *outgoing):
                self.change(MOVE, move, {"state": "cancelled"})
        self.change(OUT, number, {"state": after, **({"effective_date": self._now().date()} if verb == "do" else {})})
        if verb in ("do", "cancel", "ship"):
            self.queue += self.sales_of(outgoing)

    def _make_inner(self, row: Row, outgoing: list[int]) -> None:
        for move in outgoing:
            out = self.tables[MOVE][move]
            if out["state"] != "cancelled":
                way = {"from_location": row["warehouse_storage"], "to_location": OUTPUT, "state": "draft"}
                shipped = {"product": out["product"], "quantity": out["quantity"], "shipment": f"{OUT},{row['id']}"}
                self.insert(MOVE, {**way, **shipped, "origin": f"{MOVE},{move}"})

    def _assign(self, row: Row, *, force: bool) -> None:
        if row["state"] != "waiting":
            return
        for number in self.inner(row["id"]):
            move = self.tables[MOVE][number]
            there = self.quantity(move["product"], {"locations": [move["from_location"]], "stock_date_end": dt.date.max})
            if there < move["quantity"] and not force:
                # Not all of it is there: it stays waiting.
                return
        self.change(OUT, row["id"], {"state": "assigned"})

    def _done(self, moves: list[int]) -> None:
        for move in moves:
            if self.tables[MOVE][move]["state"] != "cancelled":
                self.change(MOVE, move, {"state": "done", "effective_date": self._now().date()})

    def sales_of(self, moves: list[int]) -> list[int]:
        """The sales whose lines these moves ship."""
        origins = [self.tables[MOVE][move]["origin"] or "" for move in moves]
        lines = [int(one.rpartition(",")[2]) for one in origins if one.startswith(f"{SALE_LINE},")]
        return sorted({self.tables[SALE_LINE][line]["sale"] for line in lines})

    # single moves, invoices and written fields

    def cancel_moves(self, ids: list[int]) -> None:
        """Cancel moves that are not done."""
        for row in self.rows(MOVE, ids):
            if row["state"] == "done":
                raise user_error(f'You can not call "cancel" on move "{row["id"]}" of "Stock Move".')
            self.change(MOVE, row["id"], {"state": "cancelled"})
        self.queue += self.sales_of(ids)

    def cancel_invoices(self, ids: list[int]) -> None:
        """Cancel drafts of invoices."""
        for row in self.rows(INVOICE, ids):
            if row["state"] != "draft":
                raise user_error(f'You can not call "cancel" on "{row["id"]}" of "Invoice".')
            self.change(INVOICE, row["id"], {"state": "cancelled"})
        self.queue += [self.tables[INVOICE][one]["sale"] for one in ids]

    def put(self, model: str, number: int, values: Row) -> None:
        """Write fields of a sale, a line, a move or a shipment; lists are changed by commands."""
        (row,) = self.rows(model, [number], "write to")
        if "lines" in values:
            self.put_lines(number, values.pop("lines"))
        for name, value in values.items():
            if name not in FIELDS[model]:
                raise Fault(f"'{name}'", "")
            if name in ("moves_ignored", "invoices_ignored"):
                values[name] = [*row[name], *(one for command in value for one in command[1])]
            if name == "quantity":
                values[name] = Decimal(str(value))
        self.change(model, number, values)

    def run_queue(self) -> bool:
        """Process one sale that waits for it; whether there was one."""
        if not self.queue:
            return False
        self.work_off_sale(self.queue.pop(0))
        return True


def _amount(line: Row, digits: Decimal) -> Decimal:
    return Decimal(line["quantity"] * line["unit_price"]).quantize(digits, ROUND_HALF_EVEN)
