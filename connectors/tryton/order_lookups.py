"""What booking an order asks the platform first: its sale by our reference, and the ids of what our names stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connectors.tryton.order_lines import NotBookableError, Wanted, number, wanted_lines
from connectors.tryton.order_records import AMENDS, SALE, Row, amended
from connectors.tryton.rpc import ACTIVE_OR_NOT, Session
from hub.sdk.api import ChannelContext, OutcomeUnknownError, Plain

DEPTH_MAX: Final = 6
"""How many shelves within shelves are looked through for their warehouse."""
FOUND_MAX: Final = 10
KNOWN_MAX: Final = 20_000
AMENDED_MAX: Final = 100
SALE_FIELDS: Final = (
    "number", "reference", "state", "currency.code", "total_amount", "invoices.state", "invoices_ignored", "shipment_method",
    "party", "invoice_address", "shipment_address", "warehouse", "currency", "payment_term", "invoice_method", "description",
    "lines.type", "lines.product", "lines.product.type", "lines.product.default_uom.factor", "lines.quantity",
    "lines.unit.factor", "lines.unit_price", "lines.taxes", "lines.description", "lines.moves.state", "lines.moves.quantity",
    "lines.moves.shipment", "lines.moves_ignored", "lines.moves_recreated", "shipments.state",
)  # fmt: skip


class Lookups:
    """Reads sales and ids of one database; what cannot change while it is used is asked for once."""

    def __init__(self, session: Session, context: ChannelContext) -> None:
        self._session = session
        self._settings = context.settings
        self._places = context.places
        self._kinds: dict[int, Row] = {}
        self._ids: dict[tuple[str, str], int] = {}

    # sales

    def found(self, reference: str) -> list[Row]:
        """The sales with this reference."""
        return self._session.search_read(SALE, [["reference", "=", reference]], SALE_FIELDS, limit=FOUND_MAX)

    def found_of(self, references: Sequence[str]) -> list[Row]:
        """Id and reference of every sale with one of these references."""
        domain: list[Plain] = [["reference", "in", list(references)]]
        return self._session.search_read(SALE, domain, ("reference",), limit=FOUND_MAX * len(references))

    def amending(self, reference: str) -> list[Row]:
        """The sales that amend the one of this reference, in the order in which they were made."""
        rows = self._session.search_read(SALE, [["reference", "like", f"{reference}{AMENDS}%"]], SALE_FIELDS, limit=AMENDED_MAX)
        return [row for row in rows if amended(row) == reference]

    def read(self, sale: int) -> Row:
        """The sale as it is now."""
        rows = self._session.search_read(SALE, [["id", "=", sale]], SALE_FIELDS, limit=1)
        if not rows:
            raise OutcomeUnknownError("the sale is no longer there")
        return rows[0]

    def read_all(self, sales: Sequence[int]) -> list[Row]:
        """These sales as they are now, by id."""
        rows = self._session.search_read(SALE, [["id", "in", list(sales)]], SALE_FIELDS, limit=len(sales))
        if len(rows) != len(sales):
            raise OutcomeUnknownError("a sale is no longer there")
        return rows

    # what a document needs

    def lines(self, order: Row) -> list[Wanted]:
        """The lines that the document's sale should have; NotBookableError where something of it has no counterpart there."""
        shipping = number(self._settings["shipping_product"])
        products = {"shipping": shipping, "": self.other_product()}
        taxes = {percent: self._tax(str(said)) for percent, said in (order.get("taxes") or {}).items()}
        return wanted_lines(order, products, taxes)

    def other_product(self) -> int:
        """The product for what is none of theirs; 0 where none was named."""
        return number(self._settings["other_product"]) or number(self._settings["shipping_product"])

    def known(self, order: Row) -> dict[int, Row]:
        """Kind and unit of the products that the document names."""
        return self.products({number(row.get("listing")) for row in (*order["lines"], *order["charges"])} - {0})

    def products(self, ids: set[int]) -> dict[int, Row]:
        """Kind and unit of these products; neither changes once a product was moved, so they are asked for once."""
        if unknown := ids - set(self._kinds):
            domain: list[Plain] = [["id", "in", sorted(unknown)], ACTIVE_OR_NOT]
            rows = self._session.search_read("product.product", domain, ("type", "default_uom"), limit=len(unknown))
            if len(self._kinds) > KNOWN_MAX:
                self._kinds = {one: self._kinds[one] for one in ids & set(self._kinds)}
            self._kinds |= {row["id"]: row for row in rows}
        if missing := ids - set(self._kinds):
            raise NotBookableError(f"no product there has the id {min(missing)}")
        return {one: self._kinds[one] for one in ids}

    def units(self, lines: Sequence[Wanted]) -> dict[int, int]:
        """The unit in which each product of the lines is counted."""
        return {product: row["default_uom"] for product, row in self.products({line.product for line in lines}).items()}

    def warehouse(self, place: str) -> int:
        """The warehouse whose storage zone this place is or lies in ("" the first configured one)."""
        places = [place] if place else sorted(self._places.values())
        key = ("warehouse", ",".join(places))
        if key not in self._ids:
            zones = [number(one) for one in places]
            rows: list[Row] = []
            for _ in range(DEPTH_MAX):
                domain: list[Plain] = [["type", "=", "warehouse"], ["storage_location", "in", zones]]
                rows = self._session.search_read("stock.location", domain, ("name",), limit=1)
                if rows or not zones:
                    break
                above = self._session.search_read("stock.location", [["id", "in", zones]], ("parent",), limit=len(zones))
                zones = [one["parent"] for one in above if one["parent"]]
            if not rows:
                raise NotBookableError("no warehouse there has this place in its storage zone")
            self._ids[key] = rows[0]["id"]
        return self._ids[key]

    def named(self, model: str, field: str, value: str) -> int:
        """The id of the one record with this value."""
        if (model, value) not in self._ids:
            rows = self._session.search_read(model, [[field, "=", value]], (field,), limit=FOUND_MAX)
            if len(rows) != 1:
                raise NotBookableError(f"{len(rows)} of {model} have the {field} `{value}`, there must be one")
            self._ids[model, value] = rows[0]["id"]
        return self._ids[model, value]

    def _tax(self, said: str) -> int:
        """The id of a tax by id or name; 0 where the configuration says that none stands there."""
        return number(said) or (self.named("account.tax", "name", said) if said else 0)
