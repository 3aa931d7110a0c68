"""Orders of other channels as sales: one sale per document, found by our number in its reference before anything is made.

A sale is made, checked, quoted, confirmed and processed in calls of their own. Every step looks where the sale stands, so what
a lost answer or a crash cut off is continued by the next send and never made twice. What can no longer be edited (a sale in
processing) is corrected: where its goods move here, in its shipments as a person does it (`order_correcting.py`); where they move
elsewhere, by a further sale of the difference (`order_amending.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from connectors.tryton.customers import Customers, without_person
from connectors.tryton.order_amending import Amender
from connectors.tryton.order_batch import Batch
from connectors.tryton.order_correcting import Corrector
from connectors.tryton.order_lines import (
    NotBookableError,
    excess,
    expected_minor,
    goods,
    is_cancelled,
    is_elsewhere,
    same_lines,
    standing,
    wanted_rows,
)
from connectors.tryton.order_lookups import Lookups
from connectors.tryton.order_records import Row
from connectors.tryton.order_writing import BOOKED, Draft, SaleWriter
from connectors.tryton.rpc import Session
from hub.sdk.api import (
    Change,
    ChannelContext,
    ConflictError,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    RefusedError,
    from_minor,
    not_sent,
    refused,
    unsure,
)

ROUNDS_MAX: Final = 3


class OrderSender:
    """Books, corrects and finds the orders that the hub exports."""

    def __init__(self, session: Session, context: ChannelContext) -> None:
        self._settings = context.settings
        self._context = context
        self._customers = Customers(session)
        self._lookups = Lookups(session, context)
        self._writer = SaleWriter(session, context.settings, self._lookups)
        self._corrector = Corrector(session, self._lookups.read)
        self._amender = Amender(self._lookups, self._writer)
        self._batch = Batch(
            self._lookups, self._writer, self._customers, draft=self._draft, stands=self._stands, applied=_applied
        )

    def send(self, change: Change) -> Receipt:
        """Make the sale what the order is."""
        if change.after.get("fact") != "placed":
            return refused(change, "this is done in Tryton itself, by its own shipments and invoices")
        person = self._context.party(change.key.listing)
        try:
            return self._book(change, person)
        except NotBookableError as bad:
            return refused(change, str(bad))
        except OutcomeUnknownError as bad:
            return unsure(change, without_person(bad.message, person), bad.request_id)
        except ConflictError as bad:
            return Receipt(change.id, Outcome.CONFLICT, bad.message, bad.request_id)
        except RefusedError as bad:
            return refused(change, without_person(bad.message, person), bad.request_id)

    def send_all(self, changes: Sequence[Change]) -> list[Receipt]:
        """Make the sales what the orders are: new ones together in the calls of one, what is left each by itself."""
        booked = self._batch.book(changes, self._context.party)
        return [booked.get(change.id) or self.send(change) for change in changes]

    def find(self, change: Change) -> Receipt:
        """Whether the sale is what the order is by now; not_sent also for one made by half, which the next send finishes."""
        if change.after.get("fact") != "placed":
            return not_sent(change, "nothing of this kind is sent")
        found = self._lookups.found(str(change.after["number"]))
        if len(found) > 1:
            return _several(change, len(found))
        if not found or not self._stands(found[0], change.after):
            return not_sent(change, "no sale has our reference" if not found else "not yet finished there")
        return _applied(change, found[0])

    # booking

    def _book(self, change: Change, person: Mapping[str, Plain]) -> Receipt:
        order = change.after
        found = self._lookups.found(str(order["number"]))
        if len(found) > 1:
            return _several(change, len(found))
        if not found:
            if is_cancelled(order):
                return refused(change, "cancelled before it was booked here")
            self._make(order, person)
        for _ in range(ROUNDS_MAX):
            found = self._lookups.found(str(order["number"]))
            if not found:
                return unsure(change, "they said yes, but the sale is not there")
            if self._stands(found[0], order):
                return _applied(change, found[0])
            self._bring(found[0], order)
        found = self._lookups.found(str(order["number"]))
        if len(found) == 1 and self._stands(found[0], order):
            return _applied(change, found[0])
        return refused(change, "they said yes, but the sale is not what was asked")

    def _make(self, order: Row, person: Mapping[str, Plain]) -> None:
        draft = self._draft(order)
        (customer,) = self._customers.ensure_all([(person, str(order["number"]))])
        self._writer.make([draft.of(customer)])

    def _draft(self, order: Row) -> Draft:
        """The sale of an order before its customer is known; what is not there stops the order before one is made for it."""
        lines = self._lookups.lines(order)
        self._lookups.units(lines)
        values: Row = {
            "currency": self._lookups.named("currency.currency", "code", str(order["currency"])),
            "warehouse": self._lookups.warehouse(str(order.get("place") or "")),
            "reference": order["number"],
            "description": f"Credit of {order['of']}" if order.get("of") else None,
            "comment": _remarks(order) or None,
            **self._writer.methods(order),
        }
        if term := self._settings["payment_term"]:
            values["payment_term"] = self._lookups.named("account.invoice.payment_term", "name", term)
        return Draft(values, lines)

    def _bring(self, sale: Row, order: Row) -> None:
        """One stretch of the way from where the sale stands to what the document is."""
        state = sale["state"]
        if state in BOOKED:
            self._correct(sale, order)
            return
        if state == "cancelled":
            raise NotBookableError("a person cancelled the sale there, so it cannot be corrected")
        if is_cancelled(order):
            self._writer.drop(sale)
            return
        lines = self._lookups.lines(order)
        moved = _moved_elsewhere(sale) != is_elsewhere(order)
        if moved or not same_lines(lines, sale):
            sale = self._writer.rewrite(sale, lines, self._writer.methods(order) if moved else {})
        self._writer.finish(sale, order, expected_minor(order), len(wanted_rows(order)))

    def _correct(self, sale: Row, order: Row) -> None:
        if _moved_elsewhere(sale) != is_elsewhere(order) and not is_cancelled(order):
            raise NotBookableError("the sale is being processed: a person has to change which system moves its goods")
        if _moved_elsewhere(sale):
            self._amender.bring(sale, order)
            return
        self._corrector.reduce(sale, goods(order, self._lookups.known(order)), all_of_it=is_cancelled(order))
        if not is_cancelled(order) and not self._same_charges(sale, order):
            raise NotBookableError("the sale is being processed: a charge that was changed must be settled by a person")

    # looking

    def _stands(self, sale: Row, order: Row) -> bool:
        if sale["state"] not in BOOKED:
            return bool(sale["state"] == "cancelled" and is_cancelled(order))
        if _moved_elsewhere(sale):
            return (is_elsewhere(order) or is_cancelled(order)) and self._amender.stands(sale, order)
        if is_elsewhere(order) and not is_cancelled(order):
            return False
        settled = _invoices_settled(sale) if is_cancelled(order) else self._same_charges(sale, order)
        return settled and not excess(sale, goods(order, self._lookups.known(order)))

    def _same_charges(self, sale: Row, order: Row) -> bool:
        """Whether what is no goods stands in the sale as in the order; goods may be given up and are compared by pieces."""
        lines = self._lookups.lines(order)
        known = self._lookups.products({line.product for line in lines})
        rows = [line for line in sale["lines."] if line["product."] is not None and line["product."]["type"] != "goods"]
        return same_lines([line for line in lines if known[line.product]["type"] != "goods"], {**sale, "lines.": rows})


def _moved_elsewhere(sale: Row) -> bool:
    return bool(sale["shipment_method"] == "manual")


def _invoices_settled(sale: Row) -> bool:
    """Whether no invoice asks for what nobody will get; of a sale that was shipped in part a person decides."""
    ignored = set(sale["invoices_ignored"])
    left = [one for one in sale["invoices."] if one["state"] in ("draft", "cancelled") and one["id"] not in ignored]
    return not left or any(one.done for one in standing(sale).values())


def _remarks(order: Row) -> str:
    """The payments, and who fetches it, as a person reads them on the sale."""
    said = [
        f"{one['kind']} {one['method']} {from_minor(one['amount_minor'], order['currency'])} {order['currency']}"
        for one in order.get("payments") or ()
    ]
    return "\n".join([*said, *(["the customer fetches it"] if order.get("pickup") else [])])


def _several(change: Change, count: int) -> Receipt:
    return refused(change, f"{count} sales have our reference {change.after['number']}, there must be one")


def _applied(change: Change, sale: Row) -> Receipt:
    return Receipt(change.id, Outcome.APPLIED, shows={"their": str(sale["id"]), "number": sale["number"], "state": sale["state"]})
