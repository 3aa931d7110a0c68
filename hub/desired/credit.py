"""Credits: what came back of an order and what was paid back, as credit notes that the books must hold. Pure functions.

Money and goods are different facts. A record of its own (a return over a counter) is a credit by itself; a refund in the
order's birthplace is one as far as it is not for pieces that the order's own total no longer has.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Final, NamedTuple

from hub.canonical.values import Plain, from_minor, pieces
from hub.desired.order import ORIGIN, RETURN, Saying

REFUNDED: Final = ("refunded", "charged_back")
OF: Final = "of"
"""In a line of a return: the line of the order that it belongs to."""


class Credit(NamedTuple):
    """One credit note: `rows` and `charges` with amounts below zero; `paid_minor` of it was paid back by `teller` already.

    `place` is the teller's own place id; `parts` the pieces that came back, by the order's lines; `words` why it cannot be
    booked as it is, for a person.
    """

    key: str
    teller: str
    place: str
    at: int
    rows: tuple[dict[str, Plain], ...]
    charges: tuple[dict[str, Plain], ...]
    payments: tuple[Mapping[str, Plain], ...]
    total_minor: int
    paid_minor: int
    parts: tuple[dict[str, Plain], ...]
    words: str = ""
    by_record: bool = False
    """Whether the teller keeps it as a record of its own."""
    worth_minor: int = 0
    """What was paid for the pieces that came back, where the record puts no money on them."""

    @property
    def owed_minor(self) -> int:
        """What of it nobody has paid back yet."""
        return (-self.total_minor or self.worth_minor) - self.paid_minor


class _Room:
    """What of the order's lines can still come back, in thousandths."""

    def __init__(self, record: Mapping[str, Plain]) -> None:
        self.record = record
        self.rows = {str(row["line"]): row for row in record["lines"]}
        self.charges = {str(row["charge"]): row for row in record.get("charges") or ()}
        self.bought = {name: max(0, int(row["quantity"]) - int(row.get("cancelled") or 0)) for name, row in self.rows.items()}
        self.back = dict.fromkeys(self.rows, 0)

    def left(self, line: str) -> int:
        return max(0, self.bought.get(line, 0) - self.back.get(line, 0))

    def worth(self, line: str, quantity: int) -> int:
        """What was paid for these pieces, with tax."""
        row, before, bought = self.rows[line], self.back[line], self.bought[line]
        amount = share(int(row["amount_minor"]), before, quantity, bought)
        tax = share(int(row.get("tax_minor") or 0), before, quantity, bought)
        return amount + (tax if self.record["tax"] == "excluded" else 0)

    def take(self, line: str, quantity: int) -> dict[str, Plain]:
        """The row of these pieces coming back, at what was paid for them."""
        row, before, bought = self.rows[line], self.back[line], self.bought[line]
        self.back[line] = before + quantity
        amount = share(int(row["amount_minor"]), before, quantity, bought)
        tax = share(int(row.get("tax_minor") or 0), before, quantity, bought)
        return {**row, "quantity": -quantity, "cancelled": 0, "amount_minor": -amount, "tax_minor": -tax}


def credits(sayings: Sequence[Saying], stands: Container[str] = ()) -> list[Credit]:
    """The credit notes of an order, in the order in which they came about; none while its birthplace has not spoken.

    `stands` are keys of credits that the books have and that no later return makes needless: what pays for that is still to come.
    """
    origin = next((each for each in sayings if each.role == ORIGIN), None)
    if origin is None:
        return []
    room = _Room(origin.record)
    returns = [each for each in sayings if each.role == RETURN]
    found = [_returned(each, room) for each in sorted(returns, key=lambda r: (_at(r), r.channel, r.their))]
    unpaid = sum(-each.total_minor - each.paid_minor for each in found)
    found += _refunds(origin, room, unpaid, stands)
    return found


def _at(saying: Saying) -> int:
    return int(saying.record.get("placed_at") or 0)


def _returned(saying: Saying, room: _Room) -> Credit:
    """A return that is a record of its own: at its own amounts, as far as the order has so many pieces to give back."""
    record, rows, parts, excess = saying.record, [], [], []
    total, worth = int(record["total_minor"]), 0
    for row in record["lines"]:
        back, line = -int(row["quantity"]), str(row.get(OF) or "")
        if str(row.get("kind") or "stocked") != "stocked" and not line:
            rows.append(dict(row))
            continue
        taken = min(back, room.left(line)) if line in room.rows else 0
        if taken < back:
            excess.append(f"{pieces(back - taken)} of {row.get('sku') or row.get('title') or row['line']}")
            total -= _gross(row, record) - _gross(_cut(row, taken, back), record)
        if taken:
            worth += room.worth(line, taken)
            room.back[line] += taken
            rows.append(_cut(row, taken, back))
            parts.append({"line": line, "quantity": taken})
    words = f"more came back than was bought: {', '.join(excess)}" if excess else ""
    paid = [payment for payment in record.get("payments") or () if payment["kind"] in REFUNDED]
    given = min(sum(int(each["amount_minor"]) for each in paid), -total)
    charges = tuple(dict(charge) for charge in record.get("charges") or ())
    key = f"{saying.channel}:{saying.their}"
    return Credit(
        key,
        saying.channel,
        str(record.get("place") or ""),
        _at(saying),
        tuple(rows),
        charges,
        tuple(paid),
        total,
        max(0, given),
        tuple(parts),
        words,
        True,
        # With goods that go out, or money that was given, the record says itself what they are worth.
        worth if not total and not paid and all(int(row["quantity"]) < 0 for row in record["lines"]) else 0,
    )


def _cut(row: Mapping[str, Plain], taken: int, of: int) -> dict[str, Plain]:
    """A line that gives back `of`, cut to what is taken of it."""
    amount, tax = int(row["amount_minor"]), int(row.get("tax_minor") or 0)
    return {**row, "quantity": -taken, "amount_minor": -share(-amount, 0, taken, of), "tax_minor": -share(-tax, 0, taken, of)}


def _refunds(origin: Saying, room: _Room, unpaid: int, stands: Container[str]) -> list[Credit]:
    """Refunds in the order's birthplace, less what they give back of money for pieces that the total no longer has, and
    less what they pay of returns that are credits already (`unpaid`)."""
    record, found = origin.record, []
    payments = record.get("payments") or ()
    captured = sum(int(each["amount_minor"]) for each in payments if each["kind"] == "captured")
    gone = max(0, captured - int(record["total_minor"]))
    returned = [dict(part) for each in record.get("returns") or () for part in each["parts"]]
    refunds = [each for each in payments if each["kind"] in REFUNDED]
    for refund in sorted(refunds, key=lambda each: (int(each.get("at") or 0), str(each["payment"]))):
        amount = int(refund["amount_minor"])
        less = min(amount, gone)
        gone -= less
        pays = 0 if _key(origin, refund) in stands else min(amount - less, unpaid)
        unpaid -= pays
        if amount > less + pays:
            found.append(_refund(origin, refund, amount - less - pays, room, returned))
    return found


def _key(origin: Saying, refund: Mapping[str, Plain]) -> str:
    return f"{origin.channel}:{refund['payment']}"


def _refund(origin: Saying, refund: Mapping[str, Plain], amount: int, room: _Room, returned: list[dict[str, Plain]]) -> Credit:
    record, rows, charges, parts = origin.record, [], [], []
    left = amount
    for part in refund.get("parts") or _unsaid(returned, room, amount):
        line, quantity = str(part["line"]), int(part.get("quantity") or 0)
        if line in room.charges:
            charge = _negative(room.charges[line], min(left, int(part.get("amount_minor") or left)), record)
            charges.append(charge)
            left += _gross(charge, record)
        elif line in room.rows and 0 < quantity <= room.left(line) and room.worth(line, quantity) <= left:
            row = room.take(line, quantity)
            rows.append(row)
            left += _gross(row, record)
            parts.append({"line": line, "quantity": quantity})
    words = ""
    if left:
        rest = _rest(left, record)
        if rest is None:
            said = f"{from_minor(left, str(record['currency']))} {record['currency']}"
            words = f"a refund of {said} does not say what it is for, and the order has several taxes"
        else:
            charges.append(rest)
    return Credit(
        _key(origin, refund),
        origin.channel,
        "",
        int(refund.get("at") or 0),
        tuple(rows),
        tuple(charges),
        ({**refund, "amount_minor": amount},),
        -amount,
        amount,
        tuple(parts),
        words,
    )


def _unsaid(returned: list[dict[str, Plain]], room: _Room, amount: int) -> list[dict[str, Plain]]:
    """What a refund that does not say it is for: pieces that came back and were not refunded yet, as far as the money goes."""
    found = []
    for part in list(returned):
        line, quantity = str(part["line"]), int(part["quantity"])
        row = room.rows.get(line)
        if row is None or quantity > room.left(line):
            continue
        worth = room.worth(line, quantity)
        if worth <= amount:
            amount -= worth
            found.append({"line": line, "quantity": quantity})
            returned.remove(part)
    return found


def _rest(amount: int, record: Mapping[str, Plain]) -> dict[str, Plain] | None:
    """Money given back for nothing in particular, at the one tax that the whole order has; None where it has several."""
    rows = [*record["lines"], *(record.get("charges") or ())]
    taxed = [row for row in rows if int(row["amount_minor"])]
    rates = {str(row.get("tax_percent")) for row in taxed}
    if len(rates) > 1:
        return None
    like = {"charge": "refund", "kind": "discount", "title": "Refund"}
    whole = {
        **like,
        "amount_minor": sum(int(row["amount_minor"]) for row in rows),
        "tax_minor": sum(int(row.get("tax_minor") or 0) for row in rows),
        "tax_percent": taxed[0].get("tax_percent") if taxed else None,
    }
    return _negative(whole, amount, record)


def _negative(row: Mapping[str, Plain], gross: int, record: Mapping[str, Plain]) -> dict[str, Plain]:
    """The row as given back to this gross amount."""
    whole = _gross(row, record)
    tax = share(int(row.get("tax_minor") or 0), 0, gross, whole) if whole else 0
    amount = gross - tax if record["tax"] == "excluded" else gross
    return {**row, "amount_minor": -amount, "tax_minor": -tax}


def _gross(row: Mapping[str, Plain], record: Mapping[str, Plain]) -> int:
    return int(row["amount_minor"]) + (int(row.get("tax_minor") or 0) if record["tax"] == "excluded" else 0)


def share(amount: int, before: int, part: int, whole: int) -> int:
    """The amount of the next `part` of `whole` after `before`: the shares of all parts add up to the amount."""
    if not whole:
        return 0
    return _rounded(amount * (before + part), whole) - _rounded(amount * before, whole)


def _rounded(numerator: int, denominator: int) -> int:
    """Half away from zero."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    return sign * ((2 * abs(numerator) + abs(denominator)) // (2 * abs(denominator)))
