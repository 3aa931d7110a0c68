"""The small shop's API for orders: how they look, what may be asked of them, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from connectors.shopify.gids import gid, kind_of, number
from connectors.shopify.sandbox_catalogue import CatalogueApi, changed, connection
from connectors.shopify.sandbox_orders import CENT, Line, Order, OrderFault, Orders, Parcel, Payment, Refund, Return, Task
from connectors.shopify.sandbox_shop import zulu
from hub.sdk.api import Plain

NOTE_CHARS_MAX: Final = 255
Row = dict[str, Plain]
Root = Callable[[Row], Plain]


class OrderApi:
    """Root fields and nodes about orders."""

    def __init__(self, orders: Orders, catalogue: CatalogueApi) -> None:
        self.orders = orders
        self._catalogue = catalogue
        self.queries: dict[str, Root] = {"orders": self._listed, "order": self._one, "node": lambda said: self.node(said["id"])}
        self.mutations: dict[str, Root] = {
            "fulfillmentCreate": self._fulfil,
            "fulfillmentOrderMove": self._move,
            "fulfillmentOrderLineItemsPreparedForPickup": self._prepared,
            "fulfillmentEventCreate": self._event,
            "orderCancel": self._cancel,
            "refundCreate": self._refund,
            "orderUpdate": self._update,
        }

    def _listed(self, said: Row) -> Row:
        now = self.orders.shop.now()
        rows = [
            (str(one.id), lambda one=one: self.order(one))
            for one in sorted(self.orders.kept.values(), key=lambda one: one.id, reverse=bool(said.get("reverse")))
            if changed(said.get("query"), one.updated_at, one.before_at or one.placed_at, now)
        ]
        return connection(rows, said)

    def _one(self, said: Row) -> Plain:
        found = self.orders.kept.get(int(number(said["id"])))
        return self.order(found) if found is not None else None

    def node(self, ident: str) -> Plain:
        """The part of an order with this id; None when there is none."""
        kind, wanted = kind_of(ident), int(number(ident))
        for order in self.orders.kept.values():
            if kind == "Order" and order.id == wanted:
                return self.order(order)
            found = self._part(order, kind, wanted)
            if found is not None:
                return found
        return None

    def _part(self, order: Order, kind: str, wanted: int) -> Plain:
        kept: dict[str, tuple[Sequence[Plain], Callable[..., Row]]] = {
            "FulfillmentOrder": (order.tasks, self.task),
            "Fulfillment": (order.parcels, self.parcel),
            "Refund": (order.refunds, self.refund),
            "Return": (order.returns, self.returned),
        }
        parts, shape = kept.get(kind, ((), self.task))
        return next((shape(order, one) for one in parts if one.id == wanted), None)

    # what things look like

    def bag(self, order: Order, amount: Decimal) -> Row:
        """An amount in the shop's money and in the customer's."""
        shown = (amount * order.rate).quantize(CENT)
        return {
            "shopMoney": {"amount": f"{amount:.2f}", "currencyCode": order.currency},
            "presentmentMoney": {"amount": f"{shown:.2f}", "currencyCode": order.presentment},
        }

    def order(self, one: Order) -> Row:
        """An order with all its parts."""
        orders = self.orders
        person, when = one.person, zulu(one.placed_at)
        address = _address(person)
        cancellation = {"staffNote": one.staff_note} if one.cancelled_at else None
        customer = {
            "id": gid("Customer", "7700000001"),
            "displayName": person.get("name", ""),
            "defaultEmailAddress": {"emailAddress": person["email"]} if person.get("email") else None,
            "defaultPhoneNumber": {"phoneNumber": person["phone"]} if person.get("phone") else None,
        }
        return {
            "__typename": "Order",
            "id": gid("Order", str(one.id)),
            "name": one.name,
            "createdAt": when,
            "processedAt": when,
            "updatedAt": zulu(one.updated_at),
            "cancelledAt": zulu(one.cancelled_at) if one.cancelled_at else None,
            "cancellation": cancellation,
            "displayFinancialStatus": orders.financial(one),
            "displayFulfillmentStatus": orders.goods(one),
            "sourceName": one.source,
            "sourceIdentifier": one.source_id or None,
            "tags": list(one.tags),
            "customAttributes": [{"key": key, "value": value} for key, value in one.attributes.items()],
            "currencyCode": one.currency,
            "presentmentCurrencyCode": one.presentment,
            "taxesIncluded": one.taxes_included,
            "retailLocation": {"id": gid("Location", str(one.retail))} if one.retail else None,
            "currentTotalPriceSet": self.bag(one, orders.total(one)),
            "currentTotalDutiesSet": None,
            "currentTotalAdditionalFeesSet": None,
            "lineItems": lambda said: connection(
                [(str(line.id), lambda line=line: self.line(one, line)) for line in one.lines],  # type: ignore[misc]
                said,
            ),
            "shippingLines": lambda said: connection(
                [(str(one.shipping_id), lambda: self.shipping(one))] if one.shipping else [], said
            ),
            "transactions": lambda said: [self.payment(one, each) for each in one.payments][: said["first"]],
            "fulfillments": lambda said: [self.parcel(one, each) for each in one.parcels][: said["first"]],
            "fulfillmentOrders": lambda said: connection(
                [(str(each.id), lambda each=each: self.task(one, each)) for each in one.tasks],  # type: ignore[misc]
                said,
            ),
            "refunds": lambda said: [self.refund(one, each) for each in one.refunds][: said["first"]],
            "returns": lambda said: connection(
                [(str(each.id), lambda each=each: self.returned(one, each)) for each in one.returns],  # type: ignore[misc]
                said,
            ),
            "email": person.get("email"),
            "phone": person.get("phone"),
            "customer": customer if person.get("name") else None,
            "shippingAddress": address,
            "billingAddress": address,
        }

    def _taxes(self, order: Order, amount: Decimal) -> list[Row]:
        price = self.bag(order, self.orders.tax_in(order, amount))
        return [{"ratePercentage": float(self.orders.tax_percent), "priceSet": price}]

    def line(self, order: Order, one: Line) -> Row:
        """A line; its totals speak of all pieces that ever were in it."""
        discounts = [{"allocatedAmountSet": self.bag(order, one.discount)}] if one.discount else []
        live = one.variant is not None and not self.orders.shop.state.variants[one.variant].deleted
        return {
            "__typename": "LineItem",
            "id": gid("LineItem", str(one.id)),
            "quantity": one.quantity,
            "currentQuantity": one.current,
            "refundableQuantity": one.current,
            "sku": one.sku or None,
            "name": one.title,
            "isGiftCard": one.gift_card,
            "requiresShipping": one.variant is not None and not one.gift_card,
            "variant": {"id": gid("ProductVariant", str(one.variant))} if live else None,
            "originalUnitPriceSet": self.bag(order, one.price),
            "discountAllocations": discounts,
            "taxLines": self._taxes(order, one.price * one.quantity - one.discount),
        }

    def shipping(self, order: Order) -> Row:
        """The shipping line."""
        return {
            "id": gid("ShippingLine", str(order.shipping_id)),
            "title": "Standard",
            "currentDiscountedPriceSet": self.bag(order, self.orders.shipping_now(order)),
            "taxLines": self._taxes(order, order.shipping),
        }

    def payment(self, order: Order, one: Payment) -> Row:
        """A transaction."""
        return {
            "id": gid("OrderTransaction", str(one.id)),
            "kind": one.kind,
            "status": one.status,
            "gateway": one.gateway,
            "processedAt": zulu(one.at),
            "createdAt": zulu(one.at),
            "amountSet": self.bag(order, one.amount),
            "parentTransaction": {"id": gid("OrderTransaction", str(one.parent))} if one.parent else None,
        }

    def parcel(self, order: Order, one: Parcel) -> Row:
        """A fulfilment."""
        parts = [
            (
                str(ident),
                {"id": gid("FulfillmentLineItem", str(ident)), "quantity": n, "lineItem": self.line(order, order.line(line))},
            )
            for ident, line, n in one.parts
        ]
        tracked = [{"company": one.company, "number": one.number}] if one.company or one.number else []
        return {
            "__typename": "Fulfillment",
            "id": gid("Fulfillment", str(one.id)),
            "status": one.status,
            "displayStatus": one.shown,
            "createdAt": zulu(one.at),
            "deliveredAt": zulu(one.delivered_at) if one.delivered_at else None,
            "location": {"id": gid("Location", str(one.location))},
            "trackingInfo": lambda _: tracked,
            "fulfillmentLineItems": lambda said: connection([(key, lambda row=row: row) for key, row in parts], said),  # type: ignore[misc]
        }

    def task(self, order: Order, one: Task) -> Row:
        """A fulfilment order."""
        parts = [
            (
                str(ident),
                {
                    "id": gid("FulfillmentOrderLineItem", str(ident)),
                    "totalQuantity": total,
                    "remainingQuantity": left,
                    "lineItem": self.line(order, order.line(line)),
                },
            )
            for ident, line, total, left in one.parts
        ]
        return {
            "__typename": "FulfillmentOrder",
            "id": gid("FulfillmentOrder", str(one.id)),
            "orderId": gid("Order", str(order.id)),
            "status": one.status,
            "assignedLocation": {"location": {"id": gid("Location", str(one.location))}},
            "deliveryMethod": {"methodType": one.method},
            "lineItems": lambda said: connection([(key, lambda row=row: row) for key, row in parts], said),  # type: ignore[misc]
        }

    def refund(self, order: Order, one: Refund) -> Row:
        """A refund."""
        rows = [
            {
                "quantity": pieces,
                "restockType": kind,
                "location": {"id": gid("Location", str(place))} if place else None,
                "lineItem": self.line(order, order.line(line)),
                "subtotalSet": self.bag(order, subtotal),
                "totalTaxSet": self.bag(order, self.orders.tax_in(order, subtotal)),
            }
            for line, pieces, kind, place, subtotal in one.parts
        ]
        tax = self.orders.tax_in(order, one.shipping)
        shipping = [
            {
                "shippingLine": self.shipping(order),
                "subtotalAmountSet": self.bag(order, one.shipping),
                "taxAmountSet": self.bag(order, tax),
            }
        ]
        paid = [each for each in order.payments if each.id in one.payments]
        return {
            "__typename": "Refund",
            "id": gid("Refund", str(one.id)),
            "createdAt": zulu(one.at),
            "note": one.note,
            "return": {"id": gid("Return", str(one.of_return))} if one.of_return else None,
            "totalRefundedSet": self.bag(order, sum((each.amount for each in paid), Decimal(0))),
            "refundLineItems": lambda said: connection(
                [(str(place), lambda row=row: row) for place, row in enumerate(rows)],  # type: ignore[misc]
                said,
            ),
            "refundShippingLines": lambda said: connection([("1", lambda: shipping[0])] if one.shipping else [], said),
            "transactions": lambda said: connection(
                [(str(each.id), lambda each=each: self.payment(order, each)) for each in paid],  # type: ignore[misc]
                said,
            ),
        }

    def returned(self, order: Order, one: Return) -> Row:
        """A return with what became of its pieces."""

        def put(part: tuple[int, int, int, str, int | None]) -> Row:
            ident, line, pieces, kind, place = part
            disposed = {
                "id": gid("ReverseFulfillmentOrderDisposition", str(ident)),
                "type": kind,
                "quantity": pieces,
                "createdAt": zulu(one.at),
                "location": {"id": gid("Location", str(place))} if place else None,
            }
            return {
                "fulfillmentLineItem": {"lineItem": self.line(order, order.line(line))},
                "dispositions": [disposed] if kind else [],
            }

        lines = [(str(part[0]), lambda part=part: put(part)) for part in one.parts]
        back = {"lineItems": lambda said: connection(lines, said)}
        return {
            "__typename": "Return",
            "id": gid("Return", str(one.id)),
            "status": one.status,
            "createdAt": zulu(one.at),
            "reverseFulfillmentOrders": lambda said: connection([("1", lambda: back)], said),
        }

    # mutations

    def _task(self, ident: str) -> tuple[Order, Task]:
        wanted = int(number(ident))
        for order in self.orders.kept.values():
            for task in order.tasks:
                if task.id == wanted:
                    return order, task
        raise OrderFault("Fulfillment order does not exist.")

    def _fulfil(self, said: Row) -> Row:
        given = said["fulfillment"]
        tracking = given.get("trackingInfo") or {}
        try:
            found = [(*self._task(one["fulfillmentOrderId"]), one) for one in given["lineItemsByFulfillmentOrder"]]
            if len({order.id for order, _, _ in found}) != 1:
                raise OrderFault("All fulfillment orders must belong to the same order.")
            chosen = []
            for _, task, one in found:
                rows = one.get("fulfillmentOrderLineItems")
                if rows is None:
                    rows = [{"id": str(part[0]), "quantity": part[3]} for part in task.parts if part[3]]
                chosen += [(task, int(number(row["id"])), row["quantity"]) for row in rows]
            order = found[0][0]
            parcel = self.orders.fulfil(order, chosen, tracking.get("company"), tracking.get("number"))
        except OrderFault as bad:
            return {"fulfillment": None, "userErrors": [_error(["fulfillment"], str(bad))]}
        if given.get("notifyCustomer") and not self.orders.shop.deaf:
            self.orders.shop.state.mails.append((order.name, "shipped"))
        return {"fulfillment": self.parcel(order, parcel), "userErrors": []}

    def _move(self, said: Row) -> Row:
        try:
            order, task = self._task(said["id"])
            rows = {int(number(one["id"])): one["quantity"] for one in said["fulfillmentOrderLineItems"] or []}
            chosen = rows or {part[0]: part[3] for part in task.parts if part[3]}
            made = self.orders.move_task(order, task, int(number(said["newLocationId"])), chosen)
        except OrderFault as bad:
            return {"movedFulfillmentOrder": None, "userErrors": [_error(["id"], str(bad))]}
        return {"movedFulfillmentOrder": self.task(order, made), "userErrors": []}

    def _prepared(self, said: Row) -> Row:
        try:
            found = [self._task(one["fulfillmentOrderId"]) for one in said["input"]["lineItemsByFulfillmentOrder"]]
            if any(task.method != "PICK_UP" or task.status not in ("OPEN", "IN_PROGRESS") for _, task in found):
                raise OrderFault("The fulfillment order is not ready to be prepared for pickup.")
        except OrderFault as bad:
            return {"userErrors": [_error(["input"], str(bad))]}
        for order, task in found:
            if not self.orders.shop.deaf:
                task.prepared = True
                self.orders.shop.state.mails.append((order.name, "ready for pickup"))
            self.orders.touch(order)
        return {"userErrors": []}

    def _event(self, said: Row) -> Row:
        wanted = int(number(said["fulfillmentEvent"]["fulfillmentId"]))
        for order in self.orders.kept.values():
            for parcel in order.parcels:
                if parcel.id == wanted:
                    parcel.shown, parcel.delivered_at = said["fulfillmentEvent"]["status"], self.orders.shop.now()
                    self.orders.touch(order)
                    return {"fulfillmentEvent": {"id": gid("FulfillmentEvent", "1"), "status": parcel.shown}, "userErrors": []}
        return {"fulfillmentEvent": None, "userErrors": [_error(["fulfillmentEvent"], "Fulfillment does not exist.")]}

    def _cancel(self, said: Row) -> Row:
        order = self.orders.kept.get(int(number(said["orderId"])))
        refund = bool((said.get("refundMethod") or {}).get("originalPaymentMethodsRefund"))
        note = str(said.get("staffNote") or "")
        try:
            if order is None:
                raise OrderFault("Order does not exist")
            if len(note) > NOTE_CHARS_MAX:
                raise OrderFault("Staff note is too long")
            self.orders.cancel(order, note, restock=bool(said["restock"]), refund=refund)
        except OrderFault as bad:
            return {"job": None, "orderCancelUserErrors": [_error(["orderId"], str(bad))]}
        return {"job": {"id": gid("Job", "made"), "done": False}, "orderCancelUserErrors": []}

    def _refund(self, said: Row) -> Row:
        given = said["input"]
        order = self.orders.kept.get(int(number(given["orderId"])))
        try:
            if order is None:
                raise OrderFault("Order does not exist")
            if order.currency != order.presentment and given.get("currency") != order.presentment:
                raise OrderFault("Currency must be the presentment currency of the order")
            paid = {one.id: one for one in order.payments}
            money = []
            for one in given.get("transactions") or []:
                parent = paid.get(int(number(one["parentId"])))
                if parent is None:
                    raise OrderFault("Transaction does not exist")
                money.append((parent, (Decimal(one["amount"]) / order.rate).quantize(CENT)))
            parts = [
                (
                    int(number(one["lineItemId"])),
                    int(one["quantity"]),
                    str(one.get("restockType") or "NO_RESTOCK"),
                    int(number(one["locationId"])) if one.get("locationId") else None,
                )
                for one in given.get("refundLineItems") or []
            ]
            made = self.orders.refund(order, money, parts, str(given.get("note") or ""))
        except OrderFault as bad:
            return {"refund": None, "order": None, "userErrors": [_error(["input"], str(bad))]}
        return {"refund": self.refund(order, made), "order": self.order(order), "userErrors": []}

    def _update(self, said: Row) -> Row:
        given = said["input"]
        order = self.orders.kept.get(int(number(given["id"])))
        if order is None:
            return {"order": None, "userErrors": [_error(["id"], "Order does not exist")]}
        if "customAttributes" in given and not self.orders.shop.deaf:
            order.attributes = {one["key"]: one["value"] for one in given["customAttributes"]}
            self.orders.touch(order)
        return {"order": self.order(order), "userErrors": []}


def _address(person: dict[str, str] | Plain) -> Plain:
    if not person.get("street"):
        return None
    return {
        "name": person.get("name"),
        "company": person.get("company"),
        "address1": person.get("street"),
        "address2": None,
        "city": person.get("city"),
        "zip": person.get("postal_code"),
        "province": None,
        "countryCodeV2": person.get("country"),
        "phone": person.get("phone"),
    }


def _error(field: list[str], message: str) -> Row:
    return {"field": field, "message": message, "code": "INVALID"}
