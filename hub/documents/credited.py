"""Credit notes for the books: what came back and what was paid back, as documents with amounts below zero.

They move no goods: whoever took the goods back has them in its own figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.canonical.values import Plain
from hub.desired.credit import Credit
from hub.desired.order import Facts
from hub.documents.around import CREDITED, PLACED, Around, NotExportableError, target
from hub.documents.placed import document_charge, document_lines, document_payment, document_taxes, rounded_on, takes_all
from hub.flow import Key, Target
from hub.store.orders import Order

MARK: Final = "/R"
"""What stands between an order's number and the number of a credit note of it."""


def credited(order: Order, told: Facts, name: str, found: Sequence[Credit], around: Around) -> tuple[dict[Key, Target], str]:
    """The credit notes that this channel must hold, and why one cannot be made; none where only goods are handed over."""
    wanted: dict[Key, Target] = {}
    words = ""
    if not takes_all(name, around):
        return wanted, words
    numbers = _numbers(order, name, around)
    for credit in found:
        if credit.teller == name or not (credit.rows or credit.charges):
            continue
        fact = f"{CREDITED}:{credit.key}"
        number = numbers.setdefault(fact, 1 + max(numbers.values(), default=0))
        try:
            value = _note(order, told, credit, number, name, around)
        except NotExportableError as bad:
            words = f"{name}: {bad}"
            continue
        wanted.update([target(name, order, fact, value, told_by=credit.teller)])
    return wanted, words


def credited_before(order: Order, around: Around) -> frozenset[str]:
    """The keys of the credits that some books were told of before."""
    told = (key.place for name in around.channels for key in around.told_before(order, name, CREDITED))
    return frozenset(place.partition(":")[2] for place in told)


def _numbers(order: Order, name: str, around: Around) -> dict[str, int]:
    """Fact → the number that its credit note has there: what was once numbered keeps its number, whatever comes later."""
    told = {key.place: stored.target.value for key, stored in around.told_before(order, name, CREDITED).items()}
    for key, seen in around.observations.items():
        if key.channel == name and key.listing == order.order and key.place.partition(":")[0] == CREDITED:
            told[key.place] = seen.observation.value
    return {fact: int(str(value["number"]).rpartition(MARK)[2]) for fact, value in told.items()}


def _note(order: Order, told: Facts, credit: Credit, number: int, name: str, around: Around) -> dict[str, Plain]:
    rule, record = around.rule(name), told.origin.record
    origin_lines = {str(row["line"]) for row in record["lines"]}
    lines = []
    for row in credit.rows:
        # A row that came from the order's own lines names the birthplace's listing, any other that of who told it.
        channel = order.channel if str(row["line"]) in origin_lines and "of" not in row else credit.teller
        lines += document_lines(channel, row, name, around)
    charges = [document_charge(charge, name, around) for charge in credit.charges]
    location = around.places.get((credit.teller, credit.place), "")
    rounding = rounded_on(name, around)
    return {
        "fact": PLACED,
        "number": f"{order.number}{MARK}{number}",
        "of": order.number,
        "placed_at": credit.at or order.placed_at,
        "currency": str(record["currency"]),
        "tax": str(record["tax"]),
        "total_minor": credit.total_minor,
        "lines": lines,
        "charges": charges,
        "payments": [document_payment(payment, rule) for payment in credit.payments],
        "taxes": document_taxes((*lines, *charges), rule),
        "place": around.place_there(name, location),
        "stock": "elsewhere",
        "pickup": False,
        **({"rounding": rounding} if rounding else {}),
    }
