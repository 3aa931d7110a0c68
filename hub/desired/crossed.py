"""Orders of which something was called off where they were bought after it had left elsewhere: the news crossed.

What left was sold, whatever its birthplace says by now; the money that it gives back is a credit. Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.canonical.values import Plain, from_minor, pieces
from hub.desired.credit import Credit
from hub.desired.order import EXPORT, ORIGIN, Facts, Saying, left_of


def as_it_left(sayings: Sequence[Saying]) -> tuple[Sequence[Saying], str]:
    """What is said of an order, its birthplace's lines with no fewer pieces than left, at what one of them costs; and in words
    what left of which no price is told any more, for a person to credit ("" mostly). The same sayings where nothing crossed."""
    origin = next((each for each in sayings if each.role == ORIGIN), None)
    if origin is None or not any(each.role == EXPORT for each in sayings):
        return sayings, ""
    told, record = left_of(sayings), origin.record
    rows, more, lost = [], 0, []
    for row in record["lines"]:
        sold, name = max(0, int(row["quantity"]) - int(row.get("cancelled") or 0)), str(row["line"])
        left = sum(part.quantity for part in told[name].parts()) if name in told else 0
        over = min(left, int(row["quantity"])) - sold
        if over > 0 and not sold:
            lost.append(f"{pieces(over)} of {row.get('sku') or name}")
        elif over > 0:
            whole = _scaled(row, sold + over, sold)
            more += _gross(whole, record) - _gross(row, record)
            rows.append(whole)
            continue
        rows.append(row)
    words = f"{', '.join(lost)} left and was called off in the {origin.channel}: a person credits it in the books" if lost else ""
    if not more:
        return sayings, words
    stood = replace(origin, record={**record, "lines": rows, "total_minor": int(record["total_minor"]) + more})
    return [stood if each is origin else each for each in sayings], words


def called_off(sayings: Sequence[Saying], told: Facts, given_back: Sequence[Credit]) -> str:
    """In words, what left, unheard by its birthplace, of an order that was called off there as a whole while its lines go on
    standing, and of which some money is credited nowhere: for a person, "" mostly."""
    record = told.origin.record
    rest = int(record["total_minor"]) + sum(each.total_minor for each in given_back)
    if told.state != "cancelled" or rest <= 0 or not any(each.role == EXPORT for each in sayings):
        return ""
    # What the shop itself knows to have left and then calls off came back to it.
    knows = {name: sum(part.quantity for part in each.origin) for name, each in told.left.items()}
    unheard = {line: line.left - knows.get(line.line, 0) for line in told.lines}
    gone = ", ".join(f"{pieces(count)} of {line.sku or line.line}" for line, count in unheard.items() if count > 0)
    money = f"{from_minor(rest, str(record['currency']))} {record['currency']}"
    at = told.origin.channel
    words = f"called off in the {at} when {gone} had left: {money} of it are credited nowhere, a person sees to it"
    return words if gone else ""


def _scaled(row: Mapping[str, Plain], quantity: int, of: int) -> dict[str, Plain]:
    """The line over so many units; its amounts are those of `of`, half a hundredth up."""
    amounts = {name: (2 * int(row.get(name) or 0) * quantity + of) // (2 * of) for name in ("amount_minor", "tax_minor")}
    return {**row, **amounts, "cancelled": int(row["quantity"]) - quantity}


def _gross(row: Mapping[str, Plain], record: Mapping[str, Plain]) -> int:
    return int(row["amount_minor"]) + (int(row.get("tax_minor") or 0) if record["tax"] == "excluded" else 0)
