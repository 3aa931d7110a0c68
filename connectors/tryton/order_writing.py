"""The writes that make a sale: its values, its lines, the rounding line that makes its total exact, its way to processing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from connectors.tryton.customers import Customer
from connectors.tryton.order_lines import ROUNDING, NotBookableError, Wanted, is_elsewhere, is_rounding, line_values, number
from connectors.tryton.order_lookups import Lookups
from connectors.tryton.order_records import SALE, Row
from connectors.tryton.rpc import Session
from hub.sdk.api import OutcomeUnknownError, Plain, RefusedError, exact_minor, from_minor

EDITABLE: Final = ("draft", "quotation", "confirmed")
BOOKED: Final = ("processing", "done")
STEPS: Final = ("draft", "quotation", "confirmed", "processing")
VERBS: Final = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}


class Draft(NamedTuple):
    """A sale to be made: its values and its lines."""

    values: Row
    lines: Sequence[Wanted]

    def of(self, customer: Customer) -> Draft:
        """The draft with its customer."""
        whose = {"party": customer.party, "invoice_address": customer.address, "shipment_address": customer.address}
        return Draft({**self.values, **whose}, self.lines)


class SaleWriter:
    """Makes sales and brings them to processing; every step may be repeated."""

    def __init__(self, session: Session, settings: Mapping[str, str], lookups: Lookups) -> None:
        self._session = session
        self._settings = settings
        self._lookups = lookups

    def make(self, drafts: Sequence[Draft]) -> list[int]:
        """Make these sales by one call; gives their ids in that order."""
        rows: list[Plain] = []
        for values, lines in drafts:
            units = self._lookups.units(lines)
            rows.append({**values, "lines": [["create", [line_values(line, units[line.product]) for line in lines]]]})
        made = self.call("create", rows)
        if not isinstance(made, list) or len(made) != len(rows):
            raise OutcomeUnknownError("sales were made without their ids")
        return [int(one) for one in made]

    def methods(self, order: Row) -> Row:
        """When the sale is invoiced and whether it ships. A sale of which nothing moves here would never be invoiced by what was
        moved, so it is invoiced when it is ordered."""
        invoice = self._settings["invoice_method"]
        if is_elsewhere(order):
            return {"shipment_method": "manual", "invoice_method": "order" if invoice == "fulfillment" else invoice}
        return {"shipment_method": "order", "invoice_method": invoice}

    def rewrite(self, sale: Row, lines: Sequence[Wanted], more: Mapping[str, Plain]) -> Row:
        """Give a sale that is not processed yet these lines (and values); the sale as it is then, in draft."""
        if sale["state"] != "draft":
            self.call("draft", [sale["id"]])
        units = self._lookups.units(lines)
        made = [line_values(line, units[line.product]) for line in lines]
        old = [line["id"] for line in sale["lines."]]
        self.call("write", [sale["id"]], {**more, "lines": [["delete", old], ["create", made]]})
        return self._lookups.read(sale["id"])

    def finish(self, sale: Row, order: Row, expected_minor: int, rows: int) -> None:
        """Make the total exact and bring the sale to processing; NotBookableError when more than rounding is missing."""
        currency = str(order["currency"])
        total = exact_minor(Decimal(sale["total_amount"]["decimal"]), currency)
        if missing := expected_minor - total:
            if sale["state"] != "draft" or abs(missing) > max(1, rows):
                words = f"the sale's total would be off by {missing} minor units: its taxes are others than ours"
                raise NotBookableError(words)
            self._round(sale, order, from_minor(missing, currency))
        self._advance(sale["id"], sale["state"])

    def _round(self, sale: Row, order: Row, missing: Decimal) -> None:
        product = number(order.get("rounding")) or self._lookups.other_product()
        if not product:
            raise NotBookableError("no product stands for a rounding line: say one in the setting other_product")
        rest = Wanted(product, Decimal(1), missing, (), ROUNDING)
        commands: list[Plain] = [["create", [line_values(rest, self._lookups.units([rest])[product])]]]
        if old := [line["id"] for line in sale["lines."] if is_rounding(line)]:
            commands.insert(0, ["delete", old])
        self.call("write", [sale["id"]], {"lines": commands})

    def _advance(self, sale: int, state: str) -> None:
        """Quote, confirm and process from this state on."""
        for step in STEPS[STEPS.index(state) : -1]:
            try:
                self.call(VERBS[step], [sale])
            except RefusedError:
                # Their queue or a person may have been faster: only where nothing moved it is a no.
                if self._lookups.read(sale)["state"] == step:
                    raise

    def drop(self, sale: Row) -> None:
        """Cancel a sale that is not processed yet."""
        if sale["state"] == "confirmed":
            self.call("draft", [sale["id"]])
        self.call("cancel", [sale["id"]])

    def call(self, verb: str, *params: Plain) -> Plain:
        """A call that changes sales."""
        return self._session.call(f"model.{SALE}.{verb}", *params, operation=f"{verb} a sale", writes=True)
