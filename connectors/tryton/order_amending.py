"""Corrections of a sale whose goods move elsewhere: a further sale of the difference, as a bookkeeper would book it.

A sale in processing cannot be edited there, cancelled or set back (tried on 8.2.1), and one of which nothing moves has no
shipment that could be shortened. So what its document and it differ by becomes a sale of its own, `WEB-41~1`, with quantities
below zero for what is no longer wanted. The sale and those that amend it stand for the document together.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from connectors.tryton.order_lines import Wanted, booked, expected_minor, is_cancelled, net_of, wanted_rows
from connectors.tryton.order_lookups import Lookups
from connectors.tryton.order_records import AMENDS, Row, amending
from connectors.tryton.order_writing import BOOKED, EDITABLE, Draft, SaleWriter
from hub.sdk.api import Plain, exact_minor

KEPT: Final = (
    "party", "invoice_address", "shipment_address", "currency", "warehouse", "payment_term", "invoice_method", "shipment_method",
)  # fmt: skip


class Amender:
    """Compares and amends sales of which nothing moves here."""

    def __init__(self, lookups: Lookups, writer: SaleWriter) -> None:
        self._lookups = lookups
        self._writer = writer

    def stands(self, sale: Row, order: Row) -> bool:
        """Whether the sale and what amends it are what the document is by now."""
        others = self._others(sale)
        if any(one["state"] in EDITABLE for one in others):
            return False
        return not self._difference(order, [sale, *others]) and not _missing(order, [sale, *others])

    def bring(self, sale: Row, order: Row) -> None:
        """Book what is missing; a sale of a difference that was cut off is brought up to date and finished first."""
        others = self._others(sale)
        settled = [sale, *(one for one in others if one["state"] in BOOKED)]
        lines, missing = self._difference(order, settled), _missing(order, settled)
        unfinished = [one for one in others if one["state"] in EDITABLE]
        if not lines and not missing:
            for one in unfinished:
                self._writer.drop(one)
            return
        if unfinished:
            found = self._writer.rewrite(unfinished[0], lines, {})
        else:
            number = sale["reference"]
            reference = f"{number}{AMENDS}{1 + max((_count(one) for one in self._lookups.amending(number)), default=0)}"
            values = {**_values(sale), "reference": reference, "description": amending(number)}
            self._writer.make([Draft(values, lines)])
            (found,) = self._lookups.found(reference)
        self._writer.finish(found, order, missing, len(wanted_rows(order)) + len(lines))

    def _others(self, sale: Row) -> list[Row]:
        return [one for one in self._lookups.amending(str(sale["reference"])) if one["state"] != "cancelled"]

    def _difference(self, order: Row, sales: Sequence[Row]) -> list[Wanted]:
        wanted = [] if is_cancelled(order) else self._lookups.lines(order)
        titles = {one._replace(quantity=Decimal(0), title=""): one.title for one in wanted}
        taken = [one._replace(quantity=-one.quantity) for sale in sales for one in booked(sale)]
        rest = net_of([*wanted, *taken])
        return [key._replace(quantity=quantity, title=titles.get(key, "")) for key, quantity in rest.items()]


def _missing(order: Row, sales: Sequence[Row]) -> int:
    """Minor units that the document asks for beyond what these sales do."""
    expected = 0 if is_cancelled(order) else expected_minor(order)
    totals = (exact_minor(Decimal(sale["total_amount"]["decimal"]), str(order["currency"])) for sale in sales)
    return expected - sum(totals)


def _values(sale: Row) -> dict[str, Plain]:
    return {name: sale[name] for name in KEPT if sale[name] is not None}


def _count(sale: Row) -> int:
    return int(str(sale["reference"]).rpartition(AMENDS)[2])
