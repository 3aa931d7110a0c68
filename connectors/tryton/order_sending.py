"""Orders of other channels as sales: one sale per order, found by our number in its reference before anything is made.

A sale is made, checked, quoted, confirmed and processed in calls of their own. Every step looks where the sale stands, so what
a lost answer or a crash cut off is continued by the next send and never made twice. What can no longer be edited (a sale in
processing) is corrected as a person does it: shipments that are not under way are cancelled or shortened, the moves given up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from connectors.tryton.customers import Customers, without_person
from connectors.tryton.order_correcting import Corrector
from connectors.tryton.order_lines import (
    ROUNDING,
    NotBookableError,
    Wanted,
    excess,
    expected_minor,
    goods,
    is_cancelled,
    is_rounding,
    line_values,
    number,
    same_lines,
    standing,
    wanted_lines,
    wanted_rows,
)
from connectors.tryton.order_records import SALE
from connectors.tryton.rpc import ACTIVE_OR_NOT, Session
from hub.sdk.api import (
    Change,
    ChannelContext,
    ConflictError,
    Outcome,
    OutcomeUnknownError,
    Plain,
    Receipt,
    RefusedError,
    exact_minor,
    from_minor,
)

Row = dict[str, Plain]
FOUND_MAX: Final = 10
ROUNDS_MAX: Final = 3
KNOWN_MAX: Final = 20_000
EDITABLE: Final = ("draft", "quotation", "confirmed")
BOOKED: Final = ("processing", "done")
STEPS: Final = ("draft", "quotation", "confirmed", "processing")
VERBS: Final = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
SALE_FIELDS: Final = (
    "number", "reference", "state", "currency.code", "total_amount", "invoices.state", "invoices_ignored",
    "lines.type", "lines.product", "lines.product.type", "lines.product.default_uom.factor", "lines.quantity",
    "lines.unit.factor", "lines.unit_price", "lines.taxes", "lines.description", "lines.moves.state", "lines.moves.quantity",
    "lines.moves.shipment", "lines.moves_ignored", "lines.moves_recreated", "shipments.state",
)  # fmt: skip


class OrderSender:
    """Books, corrects and finds the orders that the hub exports."""

    def __init__(self, session: Session, context: ChannelContext) -> None:
        self._session = session
        self._settings = context.settings
        self._context = context
        self._customers = Customers(session)
        self._corrector = Corrector(session, self._read)
        self._kinds: dict[int, Row] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def send(self, change: Change) -> Receipt:
        """Make the sale what the order is."""
        if change.after.get("fact") != "placed":
            return Receipt(change.id, Outcome.REFUSED, "this is done in Tryton itself, by its own shipments and invoices")
        person = self._context.party(change.key.listing)
        try:
            return self._book(change, person)
        except NotBookableError as bad:
            return Receipt(change.id, Outcome.REFUSED, str(bad))
        except OutcomeUnknownError as bad:
            return Receipt(change.id, Outcome.UNKNOWN, without_person(bad.message, person), bad.request_id)
        except ConflictError as bad:
            return Receipt(change.id, Outcome.CONFLICT, bad.message, bad.request_id)
        except RefusedError as bad:
            return Receipt(change.id, Outcome.REFUSED, without_person(bad.message, person), bad.request_id)

    def find(self, change: Change) -> Receipt:
        """Whether the sale is what the order is by now; not_sent also for one made by half, which the next send finishes."""
        if change.after.get("fact") != "placed":
            return Receipt(change.id, Outcome.NOT_SENT, "nothing of this kind is sent")
        found = self._found(str(change.after["number"]))
        if len(found) > 1:
            return _several(change, len(found))
        if not found or not self._stands(found[0], change.after):
            return Receipt(change.id, Outcome.NOT_SENT, "no sale has our reference" if not found else "not yet finished there")
        return _applied(change, found[0])

    # booking

    def _book(self, change: Change, person: Mapping[str, Plain]) -> Receipt:
        order = change.after
        found = self._found(str(order["number"]))
        if len(found) > 1:
            return _several(change, len(found))
        if not found:
            if is_cancelled(order):
                return Receipt(change.id, Outcome.REFUSED, "cancelled before it was booked here")
            self._make(order, person)
        for _ in range(ROUNDS_MAX):
            found = self._found(str(order["number"]))
            if not found:
                return Receipt(change.id, Outcome.UNKNOWN, "they said yes, but the sale is not there")
            if self._stands(found[0], order):
                return _applied(change, found[0])
            self._bring(found[0], order)
        found = self._found(str(order["number"]))
        if len(found) == 1 and self._stands(found[0], order):
            return _applied(change, found[0])
        return Receipt(change.id, Outcome.REFUSED, "they said yes, but the sale is not what was asked")

    def _make(self, order: Row, person: Mapping[str, Plain]) -> None:
        lines = self._lines(order)
        units = self._products({line.product for line in lines})
        currency = self._id("currency.currency", "code", str(order["currency"]))
        warehouse = self._warehouse(str(order.get("place") or ""))
        customer = self._customers.ensure(person, str(order["number"]))
        values: Row = {
            "party": customer.party,
            "invoice_address": customer.address,
            "shipment_address": customer.address,
            "currency": currency,
            "warehouse": warehouse,
            "reference": order["number"],
            "invoice_method": self._settings["invoice_method"],
            "shipment_method": "order",
            "comment": _paid(order) or None,
            "lines": [["create", [line_values(line, units[line.product]["default_uom"]) for line in lines]]],
        }
        if self._settings["payment_term"]:
            values["payment_term"] = self._id("account.invoice.payment_term", "name", self._settings["payment_term"])
        self._call("create", [values])

    def _bring(self, sale: Row, order: Row) -> None:
        """One stretch of the way from where the sale stands to what the order is."""
        state = sale["state"]
        if state in BOOKED:
            self._corrector.reduce(sale, goods(order, self._known(order)), all_of_it=is_cancelled(order))
            if not is_cancelled(order) and not self._same_charges(sale, order):
                raise NotBookableError("the sale is being processed: a charge that was changed must be settled by a person")
            return
        if state == "cancelled":
            raise NotBookableError("a person cancelled the sale there, so it cannot be corrected")
        if is_cancelled(order):
            if state == "confirmed":
                self._call("draft", [sale["id"]])
            self._call("cancel", [sale["id"]])
            return
        lines = self._lines(order)
        if not same_lines(lines, sale):
            self._rewrite(sale, lines)
            sale = self._read(sale["id"])
        self._round(sale, order)
        self._advance(sale["id"], sale["state"])

    def _rewrite(self, sale: Row, lines: Sequence[Wanted]) -> None:
        if sale["state"] != "draft":
            self._call("draft", [sale["id"]])
        units = self._products({line.product for line in lines})
        made = [line_values(line, units[line.product]["default_uom"]) for line in lines]
        old = [line["id"] for line in sale["lines."]]
        self._call("write", [sale["id"]], {"lines": [["delete", old], ["create", made]]})

    def _round(self, sale: Row, order: Row) -> None:
        """Add the line that makes the total exact; NotBookableError when more than rounding is missing."""
        total = exact_minor(Decimal(sale["total_amount"]["decimal"]), str(order["currency"]))
        missing = expected_minor(order) - total
        if not missing:
            return
        if sale["state"] != "draft" or abs(missing) > max(1, len(wanted_rows(order))):
            raise NotBookableError(f"the sale's total would be off by {missing} minor units: its taxes are others than ours")
        product = number(self._settings["other_product"]) or number(self._settings["shipping_product"])
        if not product:
            raise NotBookableError("no product stands for a rounding line: say one in the setting other_product")
        units = self._products({product})
        rest = Wanted(product, Decimal(1), from_minor(missing, order["currency"]), (), ROUNDING)
        commands: list[Plain] = [["create", [line_values(rest, units[product]["default_uom"])]]]
        if old := [line["id"] for line in sale["lines."] if is_rounding(line)]:
            commands.insert(0, ["delete", old])
        self._call("write", [sale["id"]], {"lines": commands})

    def _advance(self, sale: int, state: str) -> None:
        """Quote, confirm and process from this state on."""
        for step in STEPS[STEPS.index(state) : -1]:
            try:
                self._call(VERBS[step], [sale])
            except RefusedError:
                # Their queue or a person may have been faster: only where nothing moved it is a no.
                if self._read(sale)["state"] == step:
                    raise

    # looking

    def _found(self, reference: str) -> list[Row]:
        return self._session.search_read(SALE, [["reference", "=", reference]], SALE_FIELDS, limit=FOUND_MAX)

    def _read(self, sale: int) -> Row:
        found = self._session.search_read(SALE, [["id", "=", sale]], SALE_FIELDS, limit=1)
        if not found:
            raise OutcomeUnknownError("the sale is no longer there")
        return found[0]

    def _stands(self, sale: Row, order: Row) -> bool:
        if sale["state"] in BOOKED:
            settled = _invoices_settled(sale) if is_cancelled(order) else self._same_charges(sale, order)
            return settled and not excess(sale, goods(order, self._known(order)))
        return bool(sale["state"] == "cancelled" and is_cancelled(order))

    def _same_charges(self, sale: Row, order: Row) -> bool:
        """Whether what is no goods stands in the sale as in the order; goods may be given up and are compared by pieces."""
        lines = self._lines(order)
        known = self._products({line.product for line in lines})
        rows = [line for line in sale["lines."] if line["product."] is not None and line["product."]["type"] != "goods"]
        return same_lines([line for line in lines if known[line.product]["type"] != "goods"], {**sale, "lines.": rows})

    def _lines(self, order: Row) -> list[Wanted]:
        products = {
            "shipping": number(self._settings["shipping_product"]),
            "": number(self._settings["other_product"]) or number(self._settings["shipping_product"]),
        }
        taxes = {percent: self._tax(str(said)) for percent, said in (order.get("taxes") or {}).items()}
        return wanted_lines(order, products, taxes)

    def _known(self, order: Row) -> dict[int, Row]:
        return self._products({number(line["listing"]) for line in order["lines"]} - {0})

    def _products(self, ids: set[int]) -> dict[int, Row]:
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

    def _tax(self, said: str) -> int:
        """The id of a tax by id or name; 0 where the configuration says that none stands there."""
        return number(said) or (self._id("account.tax", "name", said) if said else 0)

    def _warehouse(self, place: str) -> int:
        places = [place] if place else sorted(self._context.places.values())
        key = ("warehouse", ",".join(places))
        if key not in self._ids:
            zones = [number(one) for one in places]
            domain: list[Plain] = [["type", "=", "warehouse"], ["storage_location", "in", zones]]
            found = self._session.search_read("stock.location", domain, ("name",), limit=1)
            if not found:
                raise NotBookableError("no warehouse there has this place as its storage zone")
            self._ids[key] = found[0]["id"]
        return self._ids[key]

    def _id(self, model: str, field: str, value: str) -> int:
        if (model, value) not in self._ids:
            found = self._session.search_read(model, [[field, "=", value]], (field,), limit=FOUND_MAX)
            if len(found) != 1:
                raise NotBookableError(f"{len(found)} of {model} have the {field} `{value}`, there must be one")
            self._ids[model, value] = found[0]["id"]
        return self._ids[model, value]

    def _call(self, verb: str, *params: Plain) -> Plain:
        return self._session.call(f"model.{SALE}.{verb}", *params, operation=f"{verb} a sale", writes=True)


def _invoices_settled(sale: Row) -> bool:
    """Whether no invoice asks for what nobody will get; of a sale that was shipped in part a person decides."""
    ignored = set(sale["invoices_ignored"])
    left = [one for one in sale["invoices."] if one["state"] in ("draft", "cancelled") and one["id"] not in ignored]
    return not left or any(one.done for one in standing(sale).values())


def _paid(order: Row) -> str:
    """The payments as a person reads them on the sale."""
    said = [
        f"{one['kind']} {one['method']} {from_minor(one['amount_minor'], order['currency'])} {order['currency']}"
        for one in order.get("payments") or ()
    ]
    return "\n".join(said)


def _several(change: Change, count: int) -> Receipt:
    return Receipt(change.id, Outcome.REFUSED, f"{count} sales have our reference {change.after['number']}, there must be one")


def _applied(change: Change, sale: Row) -> Receipt:
    return Receipt(change.id, Outcome.APPLIED, shows={"their": str(sale["id"]), "number": sale["number"], "state": sale["state"]})
