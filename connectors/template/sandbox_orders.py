"""Template's orders in small: customers buy, software puts documents in, clerks ship, cancel and pay back.

Nothing here is done only once by itself: a reference may stand on two orders, and the same call twice does it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from hub.sdk.api import Plain, exact_minor

Order = dict[str, Any]
Wanted = Mapping[str, int] | Iterable[tuple[str, int]]
TAX_PERCENT: Final = 25
MADE_BUYER: Final = {
    "name": "Made Buyer",
    "email": "made.buyer@shop.example",
    "phone": "+4500000000",
    "street": "Made Street 1",
    "postal_code": "1000",
    "city": "Made Town",
    "country": "DK",
}


class RefusalError(Exception):
    """An answer that says no."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class OrderBook:
    """Mixed into the sandbox: its orders, what can be asked of them, and the hands of those who buy and of those who work."""

    orders: dict[str, Order]
    items: Mapping[str, Any]
    options: dict[str, str]
    versions: int

    def _of(self, sku: str) -> Any:
        """The item of this SKU."""
        raise NotImplementedError

    def _moved(self, item: Any) -> None:
        """Give the item a new version, and tell of it."""
        raise NotImplementedError

    def _told(self, topic: str, key: str, ident: str) -> None:
        """Tell of what changed."""
        raise NotImplementedError

    def _now(self) -> int:
        """The platform's time in milliseconds."""
        raise NotImplementedError

    # what software can ask for

    def write_order(self, parts: list[str], method: str, body: dict[str, Any]) -> Order:
        """A write to `orders`, or to something of one order; gives the order as it is then."""
        if parts == ["orders"] and method == "POST":
            order = self._new(str(body.get("reference") or ""), moves=body.get("moves", True) is True)
            self._fill(order, body)
            return self._saved(order)
        order = self._order(parts[1])
        if len(parts) == 2 and method == "PUT":
            self._fill(order, body)
            return self._saved(order)
        does: dict[str, Callable[[Order, dict[str, Any]], None]] = {
            "parcels": self._send_off,
            "cancellations": self._call_off,
            "refunds": self._pay_back,
            "notes": self._write_note,
        }
        if len(parts) != 3 or method != "POST" or parts[2] not in does:
            raise RefusalError(404, "no such address")
        does[parts[2]](order, body)
        return self._saved(order)

    def _fill(self, order: Order, body: dict[str, Any]) -> None:
        """A document's lines, charges, payments and customer in place of those that it had."""
        if any(str(line.get("item")) not in self.items for line in body["lines"] if line.get("item")):
            raise RefusalError(422, "a line of an item that is not here")
        self._take(order, put_back=True)
        ident = order["id"]
        order["lines"] = [{"id": f"{ident}-{n}", "cancelled": 0, **line} for n, line in enumerate(body["lines"], start=1)]
        order["charges"] = [{"id": f"{ident}-c{n}", **one} for n, one in enumerate(body["charges"], start=1)]
        order["payments"] = [{"id": f"{ident}-p{n}", "parts": [], **one} for n, one in enumerate(body["payments"], start=1)]
        order["customer"] = body.get("customer") or {}
        order["state"] = body.get("state") or "open"
        self._take(order)

    def _send_off(self, order: Order, body: dict[str, Any]) -> None:
        for part in body["lines"]:
            line, left = self._line(order, part["line"]), _left(order, part["line"])
            if part["quantity"] > left:
                raise RefusalError(422, f"only {left} of line {line['id']} are still here")
        number = len(order["parcels"]) + 1
        order["parcels"].append({"id": f"{order['id']}-s{number}", "at": self._now(), **body})

    def _call_off(self, order: Order, body: dict[str, Any]) -> None:
        for part in body["lines"]:
            line, left = self._line(order, part["line"]), _left(order, part["line"])
            if part["quantity"] > left:
                raise RefusalError(422, f"only {left} of line {line['id']} have not left")
        for part in body["lines"]:
            line = self._line(order, part["line"])
            kept = line["quantity"] - line["cancelled"]
            for name in ("amount", "tax"):
                line[name] -= line[name] * part["quantity"] // kept
            line["cancelled"] += part["quantity"]
            self._shift(order, line, part["quantity"])
        order["cancellations"].append(body)

    def _pay_back(self, order: Order, body: dict[str, Any]) -> None:
        paid = sum(one["amount"] * (1 if one["kind"] == "paid" else -1) for one in order["payments"])
        if not 0 < body["amount"] <= paid:
            raise RefusalError(422, f"at most {paid} can be paid back")
        number = len(order["payments"]) + 1
        order["payments"].append(
            {"id": f"{order['id']}-p{number}", "kind": "refunded", "method": "card", "at": self._now(), "parts": [], **body}
        )

    def _write_note(self, order: Order, body: dict[str, Any]) -> None:
        order["notes"].append(body)

    # the rules

    def _new(self, reference: str, *, moves: bool = True) -> Order:
        ident = f"o-{len(self.orders) + 1:06d}"
        empty: Order = {"lines": [], "charges": [], "payments": [], "parcels": [], "cancellations": [], "notes": []}
        about: Order = {"id": ident, "number": str(1000 + len(self.orders) + 1), "reference": reference, "state": "open"}
        return {**about, "placed": self._now(), "currency": self.options["currency"], "moves": moves, "customer": {}, **empty}

    def _saved(self, order: Order) -> Order:
        """The order under a new version; done once all has left."""
        whole = order["lines"] and not any(_left(order, line["id"]) for line in order["lines"])
        if order["state"] in ("open", "done"):
            called_off = not any(line["quantity"] - line["cancelled"] for line in order["lines"]) and order["cancellations"]
            order["state"] = "cancelled" if called_off else "done" if whole else "open"
        order["total"] = sum(row["amount"] for row in (*order["lines"], *order["charges"]))
        self.versions += 1
        order["version"], order["changed"] = self.versions, self._now()
        self.orders[order["id"]] = order
        self._told("orders.changed", "orders", order["id"])
        return order

    def _take(self, order: Order, *, put_back: bool = False) -> None:
        """Its open pieces leave the stock, or come back to it."""
        for line in order["lines"] if order["state"] != "cancelled" else []:
            self._shift(order, line, _left(order, line["id"]) * (1 if put_back else -1))

    def _shift(self, order: Order, line: Order, pieces: int) -> None:
        item = self.items.get(str(line.get("item")))
        if order["moves"] and item is not None and pieces:
            item.stock += pieces
            self._moved(item)

    def _order(self, ident: str) -> Order:
        if ident not in self.orders:
            raise RefusalError(404, "no such order")
        return self.orders[ident]

    def _line(self, order: Order, ident: str) -> Order:
        found: Order | None = next((line for line in order["lines"] if line["id"] == ident), None)
        if found is None:
            raise RefusalError(422, "no such line")
        return found

    # the hands of people

    def order(
        self,
        wanted: Wanted,
        *,
        paid: bool = True,
        place: str = "",
        customer: Mapping[str, str] | None = None,
        shipping: Decimal = Decimal(0),
        reference: str = "",
    ) -> str:
        """A customer buys what is there of it; gives the order's id. `reference` is what a clerk types there."""
        order = self._new(reference)
        order["customer"] = {**MADE_BUYER, **(customer or {})}
        for sku, pieces in wanted.items() if isinstance(wanted, Mapping) else wanted:
            item = self._of(sku)
            amount = self._minor(item.amount) * min(pieces, item.stock)
            line = {"id": f"{order['id']}-{len(order['lines']) + 1}", "item": item.id, "sku": sku, "title": item.title}
            line |= {"quantity": min(pieces, item.stock), "cancelled": 0, "amount": amount, "tax": _tax(amount)}
            order["lines"].append({**line, "rate": str(TAX_PERCENT)})
        self._take(order)
        if shipping:
            amount = self._minor(shipping)
            charge = {"id": f"{order['id']}-c1", "kind": "shipping", "title": "Shipping", "amount": amount, "tax": _tax(amount)}
            order["charges"].append({**charge, "rate": str(TAX_PERCENT)})
        order["state"] = "waiting"
        self._saved(order)
        if paid:
            self.pay(order["id"])
        return str(order["id"])

    def pay(self, order: str) -> None:
        """The customer pays what the order costs."""
        kept = self._order(order)
        paid = {"id": f"{order}-p1", "kind": "paid", "method": "card", "amount": kept["total"], "at": self._now(), "parts": []}
        kept["payments"], kept["state"] = [paid], "open"
        self._saved(kept)

    def edit(self, order: str, sku: str, pieces: int) -> None:
        """A clerk sets how many pieces of a line are ordered."""
        kept = self._order(order)
        line = next(one for one in kept["lines"] if one["sku"] == sku)
        self._shift(kept, line, line["quantity"] - pieces)
        line["quantity"], line["amount"] = pieces, line["amount"] * pieces // line["quantity"]
        line["tax"] = _tax(line["amount"])
        self._saved(kept)

    def cancel(self, order: str, lines: Wanted | None = None) -> None:
        """A clerk calls off these pieces, or all that has not left."""
        self.write_order(["orders", order, "cancellations"], "POST", {"mark": "", "lines": self._parts(order, lines)})

    def ship(self, order: str, parts: Wanted | None = None, carrier: str = "", tracking: str = "") -> str:
        """A clerk ships these pieces, or all that is left; gives the parcel's id."""
        parcel = {"mark": "", "state": "shipped", "carrier": carrier, "tracking": tracking, "lines": self._parts(order, parts)}
        return str(self.write_order(["orders", order, "parcels"], "POST", parcel)["parcels"][-1]["id"])

    def refund(self, order: str, amount: Decimal) -> None:
        """A clerk pays money back, nothing comes back for it."""
        self.write_order(["orders", order, "refunds"], "POST", {"mark": "", "amount": self._minor(amount)})

    def orders_shown(self) -> dict[str, dict[str, Plain]]:
        """The truth by id: state, number, reference, lines by SKU in pieces, total and refunds in minor units, parcels, notes."""
        return {ident: self._order_shown(order) for ident, order in self.orders.items()}

    def _order_shown(self, order: Order) -> dict[str, Plain]:
        lines = [
            {
                "sku": self.items[line["item"]].sku if line.get("item") else "",
                "quantity": line["quantity"],
                "cancelled": line["cancelled"],
                "fulfilled": _shipped(order, line["id"]),
            }
            for line in order["lines"]
        ]
        return {
            "state": order["state"],
            "number": order["number"],
            "reference": order["reference"],
            "lines": lines,
            "total_minor": order["total"],
            "fulfilments": [{"fulfilment": one["id"], "tracking": one["tracking"]} for one in order["parcels"]],
            "refunded_minor": sum(one["amount"] for one in order["payments"] if one["kind"] == "refunded"),
            "notes": [note["text"] for note in order["notes"]],
        }

    def _parts(self, order: str, wanted: Wanted | None) -> list[dict[str, Plain]]:
        kept = self._order(order)
        if wanted is None:
            left = [(line["id"], _left(kept, line["id"])) for line in kept["lines"]]
            return [{"line": ident, "quantity": pieces} for ident, pieces in left if pieces]
        ids = {line["sku"]: line["id"] for line in kept["lines"]}
        asked = wanted.items() if isinstance(wanted, Mapping) else wanted
        return [{"line": ids[sku], "quantity": pieces} for sku, pieces in asked]

    def _minor(self, amount: Decimal) -> int:
        return exact_minor(amount, self.options["currency"])


def _shipped(order: Order, line: str) -> int:
    return sum(part["quantity"] for parcel in order["parcels"] for part in parcel["lines"] if part["line"] == line)


def _left(order: Order, ident: str) -> int:
    """Pieces of a line that have neither left nor been cancelled."""
    line = next((one for one in order["lines"] if one["id"] == ident), None)
    return 0 if line is None else int(line["quantity"] - line["cancelled"] - _shipped(order, ident))


def _tax(amount: int) -> int:
    """The tax that an amount contains."""
    return amount * TAX_PERCENT // (100 + TAX_PERCENT)
