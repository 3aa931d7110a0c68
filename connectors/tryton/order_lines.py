"""The lines of a sale for an order: net unit prices that multiply back to the exact amounts, taxes by their ids, a rounding line.

Sale lines stand without tax here and the platform computes the tax of the whole sale, so an order whose amounts contain tax
can differ by a minor unit; a small difference becomes a line of its own, a large one is a wrong tax and stops the order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from connectors.tryton.order_records import ignored, in_pieces
from connectors.tryton.rpc import decimal_tag
from hub.sdk.api import THOUSAND, Plain, from_minor

Row = dict[str, Plain]
PRICE_DIGITS: Final = Decimal("0.0001")
ROUNDING: Final = "Rounding"
CASH_ROUNDING: Final = "Cash rounding"


class NotBookableError(Exception):
    """The order cannot become a sale as it is; says why, without a person."""


class Wanted(NamedTuple):
    """One line of a sale as it should be; `taxes` are ids, in order."""

    product: int
    quantity: Decimal
    unit_price: Decimal
    taxes: tuple[int, ...]
    title: str


def wanted_rows(order: Mapping[str, Plain]) -> list[Row]:
    """The document's lines and charges that are still wanted, as its payload says them; below zero what comes back."""
    lines = [{**line, "pieces": Decimal(line["quantity"]) / THOUSAND} for line in order["lines"] if line["quantity"]]
    # A credit gives back a parcel that was charged for; elsewhere a charge below zero is a discount: one piece at that price.
    credit = -1 if order.get("of") else 1
    charges = [{**charge, "pieces": Decimal(credit)} for charge in order["charges"]]
    return [*lines, *charges]


def is_cancelled(order: Mapping[str, Plain]) -> bool:
    """Whether nothing of the document is wanted any more; a credit may be about charges alone."""
    called_off = bool(order["lines"]) and not any(line["quantity"] for line in order["lines"])
    return order.get("state") == "cancelled" or (called_off and not (order.get("of") and order["charges"]))


def is_elsewhere(order: Mapping[str, Plain]) -> bool:
    """Whether another system moves the goods, so that only the money is booked here."""
    return bool(order.get("stock") == "elsewhere")


def goods(order: Mapping[str, Plain], products: Mapping[int, Row]) -> Counter[int]:
    """Thousandths wanted of each product that is shipped; what comes back stands under the product's id below zero."""
    counted: Counter[int] = Counter()
    for row in wanted_rows(order):
        product = number(row.get("listing"))
        if product in products and products[product]["type"] == "goods":
            wanted = 0 if is_cancelled(order) else int(row["pieces"] * THOUSAND)
            counted[-product if wanted < 0 else product] += abs(wanted)
    return counted


def net_minor(row: Mapping[str, Plain], tax: str) -> int:
    """A row's amount without tax."""
    return int(row["amount_minor"]) - (int(row.get("tax_minor") or 0) if tax == "included" else 0)


def expected_minor(order: Mapping[str, Plain]) -> int:
    """What the customer pays for the rows that are still wanted."""
    return sum(net_minor(row, order["tax"]) + int(row.get("tax_minor") or 0) for row in wanted_rows(order))


def split(net: Decimal, pieces: Decimal, digits: Decimal) -> list[tuple[Decimal, Decimal]]:
    """Quantities with unit prices of at most four decimals that the platform multiplies to exactly this amount.

    One price does it for fewer than a hundred pieces; beyond that the last piece carries the rest. What comes back has its price
    above zero like what is sold.
    """
    if pieces < 0:
        return [(-part, price) for part, price in split(-net, -pieces, digits)]
    price = (net / pieces).quantize(PRICE_DIGITS, ROUND_HALF_UP)
    whole = pieces == pieces.to_integral_value()
    if (price * pieces).quantize(digits, ROUND_HALF_EVEN) == net or not whole or pieces < 2:
        return [(pieces, price)]
    price = (net / pieces).quantize(digits, ROUND_HALF_UP)
    return [(pieces - 1, price), (Decimal(1), net - price * (pieces - 1))]


def wanted_lines(order: Mapping[str, Plain], product_of: Mapping[str, int], taxes: Mapping[str, int]) -> list[Wanted]:
    """The lines of the order's sale; `product_of` says which product stands for a charge or a line that is no product of
    theirs, by kind ("" any), `taxes` their ids by percentage. NotBookableError where a row cannot be said."""
    lines: list[Wanted] = []
    digits = Decimal(1).scaleb(int(from_minor(0, order["currency"]).as_tuple().exponent))
    rows = wanted_rows(order)
    for row in rows:
        if row.get("kind") == "rounding":
            # A rounding of sums is not ours: the line for it is made from what their total lacks. That of cash is paid.
            if abs(int(row["amount_minor"])) <= max(1, len(rows)):
                continue
            row = {**row, "title": CASH_ROUNDING}
        product = number(row.get("listing")) or product_of.get(str(row.get("kind")), 0) or product_of.get("", 0)
        if not product:
            raise NotBookableError(f"no product stands for `{row.get('kind')}`: say one in the setting other_product")
        net = from_minor(net_minor(row, order["tax"]), order["currency"])
        on_it = _taxes(row, taxes)
        lines += [
            Wanted(product, pieces, price, on_it, str(row.get("title") or ""))
            for pieces, price in split(net, row["pieces"], digits)
        ]
    return lines


def _taxes(row: Row, taxes: Mapping[str, int]) -> tuple[int, ...]:
    percent = row.get("tax_percent")
    if percent is None:
        if row.get("tax_minor"):
            raise NotBookableError("a line has a tax but no rate")
        return ()
    if str(percent) not in taxes:
        raise NotBookableError(f"no tax stands for {percent} %")
    return (taxes[str(percent)],) if taxes[str(percent)] else ()


def line_values(line: Wanted, unit: int) -> Row:
    """The line as the platform takes it."""
    values: Row = {
        "type": "line",
        "product": line.product,
        # Their quantities are floats on the wire; a whole one stays a whole number.
        "quantity": int(line.quantity) if line.quantity == line.quantity.to_integral_value() else line.quantity,
        "unit": unit,
        "unit_price": decimal_tag(line.unit_price),
        "description": line.title or None,
    }
    if line.taxes:
        values["taxes"] = [["add", list(line.taxes)]]
    return values


def same_lines(wanted: Sequence[Wanted], sale: Row) -> bool:
    """Whether the sale has these lines, its own rounding line aside."""
    return Counter(one._replace(title="") for one in booked(sale)) == Counter(one._replace(title="") for one in wanted)


def net_of(lines: Iterable[Wanted]) -> dict[Wanted, Decimal]:
    """The quantity of each product at each price with its taxes, where it is not zero; the key has no quantity or title."""
    counted: dict[Wanted, Decimal] = {}
    for line in lines:
        key = line._replace(quantity=Decimal(0), title="")
        counted[key] = counted.get(key, Decimal(0)) + line.quantity
    return {key: quantity for key, quantity in counted.items() if quantity}


def booked(sale: Row) -> Iterator[Wanted]:
    """The lines that the sale has, its own rounding line aside."""
    for line in sale["lines."]:
        if line["type"] == "line" and not is_rounding(line):
            price, taxes = Decimal(line["unit_price"]["decimal"]), tuple(sorted(line["taxes"]))
            yield Wanted(line["product"], Decimal(str(line["quantity"])), price, taxes, line["description"] or "")


def is_rounding(line: Row) -> bool:
    """Whether this is the line that we added for a difference of rounding."""
    return bool(line["description"] == ROUNDING and not line["taxes"])


class Standing(NamedTuple):
    """What a sale has of one product, in thousandths: `kept` booked and not given up, `done` shipped (or come back)."""

    kept: int
    done: int


def standing(sale: Row) -> dict[int, Standing]:
    """What the sale has of each product that is shipped; what comes back stands under the product's id below zero."""
    found: dict[int, Standing] = {}
    for line in sale["lines."]:
        if line["type"] != "line" or line["product."] is None or line["product."]["type"] != "goods":
            continue
        quantity = in_pieces(line, line["quantity"])
        side = -line["product"] if quantity < 0 else line["product"]
        old = found.get(side, Standing(0, 0))
        kept = abs(quantity) - ignored(line)
        moved = [in_pieces(line, move["quantity"]) for move in line["moves."] if move["state"] == "done"]
        done = sum(moved, Decimal(0))
        found[side] = Standing(old.kept + int(kept * THOUSAND), old.done + int(done * THOUSAND))
    return found


def excess(sale: Row, wanted: Mapping[int, int]) -> dict[int, int]:
    """Thousandths of each product that the sale has too much of and has not moved; below zero where it lacks some."""
    found = {side: one.kept - max(wanted.get(side, 0), one.done) for side, one in standing(sale).items()}
    for side, quantity in wanted.items():
        if side not in found and quantity:
            found[side] = -quantity
    return {side: quantity for side, quantity in found.items() if quantity}


def number(text: Plain) -> int:
    """The id that a text is; 0 when it is none."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else 0
