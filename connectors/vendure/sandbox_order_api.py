"""The sandbox's Admin API for orders: lists, the order as an object, and the mutations that the connector sends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from connectors.vendure.sandbox_orders import Fulfillment, Line, NoError, Order, Orders, Payment, Refund, next_of
from connectors.vendure.sandbox_shop import ResolverFault, VariablesError
from hub.sdk.api import Plain, iso, micros
from hub.sdk.sandbox_graphql import DocumentError, Scalar

Root = Callable[[dict[str, Plain]], Plain]
NEXT: Final = {
    "PaymentSettled": (
        "PartiallyDelivered", "Delivered", "PartiallyShipped", "Shipped", "Cancelled", "Modifying", "ArrangingAdditionalPayment",
    ),
    "Delivered": ("Cancelled",),
    "Cancelled": (),
}  # fmt: skip
"""The next states of those states that recorded calls show; elsewhere they are not kept."""

FILTERS: Final[dict[str, Callable[[Order], Plain]]] = {
    "id": lambda order: str(order.id),
    "code": lambda order: order.code,
    "state": lambda order: order.state,
    "active": lambda order: order.active,
    "updatedAt": lambda order: order.updated_at,
    "orderPlacedAt": lambda order: order.placed_at,
}
ADDRESS: Final = {
    "fullName": "name", "streetLine1": "street", "streetLine2": "street2", "province": "region", "company": "company",
    "city": "city", "postalCode": "postal_code", "countryCode": "country", "phoneNumber": "phone",
}  # fmt: skip


class OrderApi:
    """The root fields about orders; `paged` lists rows by the platform's list options."""

    def __init__(self, orders: Orders, paged: Callable[[list[Plain], dict[str, Plain]], Plain]) -> None:
        self._orders = orders
        self._paged = paged
        self.queries: dict[str, Root] = {"orders": self._list, "order": self._one}
        self.mutations: dict[str, Root] = {
            "addFulfillmentToOrder": _union(self._add_fulfillment),
            "transitionFulfillmentToState": _union(self._move_fulfillment),
            "cancelOrder": _union(self._cancel),
            "refundOrder": _union(self._refund),
            "settleRefund": _union(self._settle),
            "addNoteToOrder": self._add_note,
            "updateOrderNote": lambda said: _entry(self._orders.rewrite(str(said["input"]["noteId"]), said["input"]["note"])),
        }

    # queries

    def _list(self, said: dict[str, Plain]) -> Plain:
        options = said.get("options") or {}
        passes = _passes(options.get("filter") or {})
        found = [one for one in self._orders.kept.values() if passes(one)]
        for name, way in (options.get("sort") or {}).items():
            found.sort(key=lambda one, name=name: _sorted_by(one, name), reverse=way == "DESC")  # type: ignore[misc]
        return self._paged([lambda one=one: self.shown(one) for one in found], {"options": options})

    def _one(self, said: dict[str, Plain]) -> Plain:
        try:
            return self.shown(self._orders.found(said.get("id")))
        except ResolverFault:
            return None

    # mutations

    def _add_fulfillment(self, said: dict[str, Plain]) -> Plain:
        given = said["input"]
        handler = given["handler"]
        if handler["code"] != "manual-fulfillment":
            words = "No FulfillmentHandler with the specified code was found"
            raise NoError("InvalidFulfillmentHandlerError", "INVALID_FULFILLMENT_HANDLER_ERROR", words)
        told = {one["name"]: one["value"] for one in handler["arguments"]}
        return _fulfillment(self._orders.fulfil(_lines(given["lines"]), told.get("method", ""), told.get("trackingCode", "")))

    def _move_fulfillment(self, said: dict[str, Plain]) -> Plain:
        return _fulfillment(self._orders.move(int(said["id"]), said["state"]))

    def _cancel(self, said: dict[str, Plain]) -> Plain:
        given = said["input"]
        order = self._orders.found(given["orderId"])
        lines = _lines(given["lines"]) if given.get("lines") is not None else None
        self._orders.cancel(order, lines, given.get("reason") or "", bool(given.get("cancelShipping")))
        return self.shown(order)

    def _refund(self, said: dict[str, Plain]) -> Plain:
        given = said["input"]
        for name in ("shipping", "adjustment"):
            if given.get(name) is None:
                raise ResolverFault(f"NOT NULL constraint failed: refund.{name}", "INTERNAL_SERVER_ERROR")
        if not given.get("amount"):
            raise NoError("NothingToRefundError", "NOTHING_TO_REFUND_ERROR", "Nothing to refund")
        lines = _lines(given.get("lines") or [])
        purpose = (given.get("reason") or "", lines, given["shipping"], given["adjustment"])
        return _refund(self._orders.refund(int(given["paymentId"]), given["amount"], *purpose))

    def _settle(self, said: dict[str, Plain]) -> Plain:
        return _refund(self._orders.settle(int(said["input"]["id"]), said["input"]["transactionId"]))

    def _add_note(self, said: dict[str, Plain]) -> Plain:
        given = said["input"]
        order = self._orders.found(given["id"])
        self._orders.note(order, given["note"], given["isPublic"])
        return self.shown(order)

    # showing

    def shown(self, order: Order) -> dict[str, Plain]:
        """The order as an API object."""
        orders, shop = self._orders, self._orders.shop
        net, gross = orders.totals(order)
        shipping, shipping_gross = orders.shipping_price(order)
        carried = [{"id": str(order.id), "code": order.method, "name": order.method.replace("-", " ").title()}]
        return {
            "__typename": "Order",
            "id": str(order.id),
            "code": order.code,
            "state": order.state,
            "active": order.active,
            "createdAt": iso(order.created_at),
            "updatedAt": iso(order.updated_at),
            "orderPlacedAt": None if order.placed_at is None else iso(order.placed_at),
            "currencyCode": shop.currency,
            "subTotal": net - shipping,
            "subTotalWithTax": gross - shipping_gross,
            "shipping": shipping,
            "shippingWithTax": shipping_gross,
            "total": net,
            "totalWithTax": gross,
            "totalQuantity": sum(line.quantity for line in order.lines),
            "couponCodes": [],
            "customer": _customer(order.person),
            "shippingAddress": _address(order.person),
            "billingAddress": _address({}),
            "lines": [self._line(order, line) for line in order.lines],
            "surcharges": [],
            "shippingLines": [
                {
                    "id": one["id"],
                    "shippingMethod": {"code": one["code"], "name": one["name"]},
                    "priceWithTax": shipping_gross,
                    "discountedPrice": shipping,
                    "discountedPriceWithTax": shipping_gross,
                }
                for one in carried
                if order.placed_at is not None
            ],
            "payments": [_payment(one) for one in order.payments],
            "fulfillments": [_fulfillment(one) for one in order.fulfillments],
            "nextStates": list(NEXT.get(order.state, ())),
            "taxSummary": self._taxes(order),
            "history": lambda said: _history(order, said),
        }

    def _line(self, order: Order, line: Line) -> dict[str, Plain]:
        unit, unit_gross = self._orders.line_price(line.entered, 1)
        net, gross = self._orders.line_price(line.entered, line.quantity)
        variant = self._orders.shop.variants[line.variant]
        parts = [(one.id, pieces) for one in order.fulfillments for ident, pieces in one.lines if ident == line.id]
        return {
            "__typename": "OrderLine",
            "id": str(line.id),
            "quantity": line.quantity,
            "orderPlacedQuantity": line.placed,
            "unitPrice": unit,
            "unitPriceWithTax": unit_gross,
            "proratedUnitPrice": unit,
            "proratedUnitPriceWithTax": unit_gross,
            "linePriceWithTax": gross,
            "proratedLinePrice": net,
            "proratedLinePriceWithTax": gross,
            "taxRate": self._orders.shop.tax_percent,
            "discounts": [],
            "productVariant": {"id": str(variant.id), "sku": variant.sku, "name": variant.name},
            "fulfillmentLines": [{"fulfillmentId": str(ident), "quantity": pieces} for ident, pieces in parts],
        }

    def _taxes(self, order: Order) -> list[dict[str, Plain]]:
        rows: list[dict[str, Plain]] = []
        pairs = [self._orders.line_price(line.entered, line.quantity) for line in order.lines]
        goods = sum(gross - net for net, gross in pairs)
        shipping, shipping_gross = self._orders.shipping_price(order)
        if order.lines:
            rows.append({"description": "Standard Tax Europe", "taxRate": self._orders.shop.tax_percent, "taxTotal": goods})
        if order.placed_at is not None:
            total = shipping_gross - shipping
            rows.append({"description": "shipping tax", "taxRate": self._orders.shipping_tax, "taxTotal": total})
        return rows


def _union(root: Root) -> Root:
    def answered(said: dict[str, Plain]) -> Plain:
        try:
            return root(said)
        except NoError as no:
            return no.shown

    return answered


def _passes(wanted: dict[str, Plain]) -> Callable[[Order], bool]:
    parts = [_holds(name, said) for name, said in wanted.items()]
    return lambda order: all(part(order) for part in parts)


def _holds(name: str, said: Plain) -> Callable[[Order], bool]:
    if name in ("_or", "_and"):
        parts, together = [_passes(one) for one in said], any if name == "_or" else all
        return lambda order: together(part(order) for part in parts)
    if name not in FILTERS:
        raise DocumentError(f'The filter "{name}" is not known here.')
    value, tests = FILTERS[name], [_meets(operator, wanted) for operator, wanted in said.items()]
    return lambda order: all(test(value(order)) for test in tests)


def _meets(operator: str, wanted: Plain) -> Callable[[Plain], bool]:
    match operator:
        case "eq":
            return lambda value: bool(value == wanted)
        case "in":
            return lambda value: value in wanted
        case "isNull":
            return lambda value: (value is None) is wanted
        case "after":
            since = micros(dt.datetime.fromisoformat(wanted))
            return lambda value: value is not None and value > since
    raise DocumentError(f'The operator "{operator}" is not known here.')


def _sorted_by(order: Order, name: str) -> Plain:
    keys = {"id": order.id, "updatedAt": order.updated_at, "orderPlacedAt": order.placed_at or 0}
    if name not in keys:
        raise DocumentError(f'Field "{name}" is not sorted by in this sandbox.')
    return keys[name]


def _lines(given: list[dict[str, Plain]]) -> list[tuple[int, int]]:
    for one in given:
        if type(one["quantity"]) is not int or one["quantity"] < 0:
            raise VariablesError("Int cannot represent this quantity.")
    return [(int(one["orderLineId"]), one["quantity"]) for one in given]


def _parts(lines: list[tuple[int, int]]) -> list[dict[str, Plain]]:
    return [{"orderLineId": str(ident), "quantity": pieces} for ident, pieces in lines]


def _fulfillment(one: Fulfillment) -> dict[str, Plain]:
    return {
        "__typename": "Fulfillment",
        "id": str(one.id),
        "state": one.state,
        "method": one.method,
        "trackingCode": one.tracking,
        "updatedAt": iso(one.at),
        "nextStates": list(next_of(one)),
        "lines": _parts(one.lines),
    }


def _payment(one: Payment) -> dict[str, Plain]:
    return {
        "__typename": "Payment",
        "id": str(one.id),
        "method": "dummy",
        "amount": one.amount,
        "state": one.state,
        "transactionId": one.transaction,
        "updatedAt": iso(one.at),
        "refunds": [_refund(refund) for refund in one.refunds],
    }


def _refund(one: Refund) -> dict[str, Plain]:
    return {
        "__typename": "Refund",
        "id": str(one.id),
        "total": one.total,
        "items": 0,
        "shipping": one.shipping,
        "adjustment": one.adjustment,
        "state": one.state,
        "reason": one.reason,
        "transactionId": one.transaction,
        "updatedAt": iso(one.at),
        "lines": _parts(one.lines),
    }


def _history(order: Order, said: dict[str, Plain]) -> Plain:
    kind = ((said.get("options") or {}).get("filter") or {}).get("type", {})
    kinds = kind.get("in", [kind["eq"]] if "eq" in kind else None)
    rows = [one for one in order.history if kinds is None or one["type"] in kinds]
    return {"totalItems": len(rows), "items": [_entry(one) for one in rows]}


def _entry(one: dict[str, Plain]) -> dict[str, Plain]:
    return {"__typename": "HistoryEntry", **one, "data": Scalar(one["data"])}


def _customer(person: dict[str, str]) -> Plain:
    if not person.get("email"):
        return None
    first, _, last = person.get("name", "").partition(" ")
    told = {"id": person.get("id", "1"), "firstName": first, "lastName": last, "emailAddress": person["email"]}
    return {"__typename": "Customer", **told, "phoneNumber": person.get("phone")}


def _address(person: dict[str, str]) -> dict[str, Plain]:
    return {"country": None, **{theirs: person.get(ours) for theirs, ours in ADDRESS.items()}}
