"""Many new orders in the calls of one: their customers, their sales and every button pressed for all of them together.

A call is one transaction there: what it refuses it refuses for all, and then each order goes its own way by `OrderSender.send`,
which begins by looking where its sale stands. Nothing here is made for an order of which a sale is there already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from connectors.tryton.customers import Customers, without_person
from connectors.tryton.order_lines import NotBookableError, expected_minor, is_cancelled
from connectors.tryton.order_lookups import Lookups
from connectors.tryton.order_records import Row
from connectors.tryton.order_writing import STEPS, VERBS, Draft, SaleWriter
from hub.sdk.api import (
    Change,
    ConflictError,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    RefusedError,
    exact_minor,
)

Person = Mapping[str, Plain]


class Batch:
    """Books new orders together. `draft` is the sale of an order before its customer is known, `stands` whether a sale is its
    order, `applied` the receipt that says so."""

    def __init__(
        self,
        lookups: Lookups,
        writer: SaleWriter,
        customers: Customers,
        *,
        draft: Callable[[Row], Draft],
        stands: Callable[[Row, Row], bool],
        applied: Callable[[Change, Row], Receipt],
    ) -> None:
        self._lookups = lookups
        self._writer = writer
        self._customers = customers
        self._draft = draft
        self._stands = stands
        self._applied = applied

    def book(self, changes: Sequence[Change], person_of: Callable[[str], Person]) -> dict[str, Receipt]:
        """Receipts by change of what was booked or has an unknown outcome; every other order must be sent by itself."""
        new = [each for each in changes if is_new(each)]
        if len(new) < 2:
            return {}
        known = {row["reference"] for row in self._lookups.found_of([str(each.after["number"]) for each in new])}
        able = [(each, draft) for each in new if each.after["number"] not in known and (draft := self._able(each.after))]
        persons = [person_of(each.key.listing) for each, _ in able]
        if len(able) < 2:
            return {}
        try:
            return self._booked(able, persons)
        except OutcomeUnknownError as bad:
            words = bad.message
            for person in persons:
                words = without_person(words, person)
            return {each.id: Receipt(each.id, Outcome.UNKNOWN, words, bad.request_id) for each, _ in able}
        except (RefusedError, ConflictError, NotBookableError):
            return {}

    def _able(self, order: Row) -> Draft | None:
        """The draft of an order; None where it cannot be booked: by itself it is told why."""
        try:
            return self._draft(order)
        except NotBookableError:
            return None

    def _booked(self, able: Sequence[tuple[Change, Draft]], persons: Sequence[Person]) -> dict[str, Receipt]:
        asked = [(person, str(each.after["number"])) for person, (each, _) in zip(persons, able, strict=True)]
        customers = self._customers.ensure_all(asked)
        made = self._writer.make([draft.of(customer) for customer, (_, draft) in zip(customers, able, strict=True)])
        change_of = dict(zip(made, (each for each, _ in able), strict=True))
        exact = [row["id"] for row in self._lookups.read_all(made) if _exact(row, change_of[row["id"]].after)]
        if not exact:
            return {}
        for step in STEPS[:-1]:
            self._writer.call(VERBS[step], exact)
        stands = [row for row in self._lookups.read_all(exact) if self._stands(row, change_of[row["id"]].after)]
        return {change_of[row["id"]].id: self._applied(change_of[row["id"]], row) for row in stands}


def is_new(change: Change) -> bool:
    """Whether the change is about a document of which nothing was ever acknowledged, and which is still wanted."""
    return change.before is None and change.after.get("fact") == "placed" and not is_cancelled(change.after)


def _exact(sale: Row, order: Row) -> bool:
    """Whether the sale's total is the order's without a line for rounding."""
    return exact_minor(Decimal(sale["total_amount"]["decimal"]), str(order["currency"])) == expected_minor(order)
