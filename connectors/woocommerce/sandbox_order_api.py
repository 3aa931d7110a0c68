"""Orders, refunds and notes by REST."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from connectors.woocommerce.sandbox_catalogue import Product, local
from connectors.woocommerce.sandbox_orders import STATES, Line, Order, Orders, Refund, shown
from connectors.woocommerce.sandbox_rest import (
    NUMBER,
    Listed,
    RestError,
    Row,
    changed,
    check,
    fields,
    ids,
    no_route,
    truth,
    whole,
)
from hub.sdk.api import Plain, Response, json_response, plain_decimal

KINDS: Final = {
    "status": "string", "payment_method": "string", "set_paid": "boolean", "line_items": "array", "shipping_lines": "array",
    "fee_lines": "array", "meta_data": "array", "customer_note": "string", "amount": "string", "reason": "string",
    "api_refund": "boolean", "api_restock": "boolean",
}  # fmt: skip
INVALID: Final = ("woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
ADDRESS: Final = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")
ALL: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class OrderApi:
    """Routes under /orders and /refunds."""

    def __init__(self, orders: Orders, home: str, offset: int, currency: str) -> None:
        self._orders = orders
        self._shop = orders.shop
        self._home = home
        self._offset = offset
        self._currency = currency

    def answer(self, method: str, parts: list[str], query: Mapping[str, str], body: Row) -> Response:
        """The answer of one route below `orders`."""
        match method, parts:
            case "GET", []:
                return self._list(query)
            case "POST", []:
                return self._create(body)
            case "GET", [ident]:
                return json_response(fields(self.show(self._there(ident, 404)), query))
            case (("POST" | "PUT" | "PATCH"), [ident]):
                return json_response(self.show(self._update(self._there(ident, 400), body)))
            case "DELETE", [ident]:
                return json_response(self._delete(self._there(ident, 404), truth(query.get("force"))))
            case "GET", [ident, "notes"]:
                order = self._there(ident, 404)
                return json_response([self._show_note(order, note) for note in reversed(order.notes)])
            case "POST", [ident, "notes"]:
                return self._note(self._there(ident, 404), body)
            case "GET", [ident, "refunds"]:
                order = self._there(ident, 404)
                rows = sorted(order.refunds, key=lambda one: one.id, reverse=query.get("order", "desc") == "desc")
                address = f"{self._base()}/orders/{order.id}/refunds"
                return Listed(query).answer(address, rows, lambda one: self.show_refund(order, one))
            case "POST", [ident, "refunds"]:
                return self._refund(self._there(ident, 404), body)
        raise no_route()

    def all_refunds(self, query: Mapping[str, str]) -> Response:
        """GET /refunds: of all orders, each with its order's id."""
        rows = [(order, refund) for order in self._orders.kept.values() for refund in order.refunds]
        rows.sort(key=lambda pair: pair[1].id, reverse=True)

        def show(pair: Plain) -> Row:
            made = self.show_refund(*pair)
            return {"id": made.pop("id"), "parent_id": pair[0].id, **made}

        return Listed(query).answer(f"{self._base()}/refunds", rows, show)

    def _base(self) -> str:
        return f"{self._home}/wp-json/wc/v3"

    def _there(self, ident: str, status: int) -> Order:
        order = self._orders.kept.get(whole(ident) or 0)
        if order is None:
            raise RestError(*INVALID, status)
        return order

    def _list(self, query: Mapping[str, str]) -> Response:
        wanted = query.get("status", "any").split(",")
        check({"status": wanted[0]}, {"status": "string"}, {"status": ("any", "trash", *STATES)})
        rows = [one for one in self._orders.kept.values() if one.status in wanted or ("any" in wanted and one.status != "trash")]
        if query.get("include"):
            asked = set(ids(query["include"]))
            rows = [one for one in rows if one.id in asked]
        rows = [
            one
            for one in rows
            if changed(one.modified, query, self._offset, "modified") and changed(one.created, query, self._offset, "")
        ]
        by = query.get("orderby", "date")
        rows.sort(
            key=lambda one: (one.modified if by == "modified" else 0 if by == "id" else one.created, one.id),
            reverse=query.get("order", "desc") == "desc",
        )
        return Listed(query).answer(f"{self._base()}/orders", rows, self.show)

    # writing

    def _create(self, given: Row) -> Response:
        check(given, KINDS, {"status": STATES})
        order = self._orders.create()
        order.method, order.method_title = str(given.get("payment_method") or ""), str(given.get("payment_method_title") or "")
        self._addresses(order, given)
        for row in given.get("line_items") or []:
            self._orders.add_line(order, self._meant(row), whole(row.get("quantity", 1)) or 1)
        for kind, name, title in (("shipping", "shipping_lines", "method_title"), ("fee", "fee_lines", "name")):
            for row in given.get(name) or []:
                net = Decimal(str(row.get("total") or 0))
                self._orders.add_charge(order, kind, str(row.get(title) or ""), net, str(row.get("method_id") or ""))
        order.tax_line = self._orders.next_row()
        self._meta(order, given)
        self._orders.saved(order, "created")
        if given.get("status"):
            self._orders.move(order, str(given["status"]))
        if truth(given.get("set_paid")):
            self._orders.move(order, "processing")
        place = f"{self._base()}/orders/{order.id}"
        return json_response(self.show(order), 201, {"location": place})

    def _meant(self, row: Row) -> Product | None:
        if row.get("sku") and not row.get("product_id"):
            return self._shop.products.get(self._shop.by_sku.get(str(row["sku"]), 0))
        return self._shop.products.get(whole(row.get("variation_id")) or whole(row.get("product_id")) or 0)

    def _update(self, order: Order, given: Row) -> Order:
        check(given, KINDS, {"status": STATES})
        for row in given.get("line_items") or []:
            line = next((one for one in order.lines if one.id == whole(row.get("id"))), None)
            if line is None:
                self._orders.add_line(order, self._meant(row), whole(row.get("quantity", 1)) or 1)
            elif whole(row.get("quantity")) == 0:
                order.lines.remove(line)
            elif row.get("quantity") is not None:
                self._orders.edit(order, line, whole(row["quantity"]) or 0)
        self._addresses(order, given)
        self._meta(order, given)
        if given.get("customer_note") is not None:
            order.customer_note = str(given["customer_note"])
        if given.get("status"):
            self._orders.move(order, str(given["status"]))
        if truth(given.get("set_paid")) and order.status in ("pending", "failed"):
            self._orders.move(order, "processing")
        self._orders.saved(order)
        return order

    def _addresses(self, order: Order, given: Row) -> None:
        for name, kept in (("billing", order.billing), ("shipping", order.shipping_to)):
            kept.update({key: str(value) for key, value in (given.get(name) or {}).items()})

    def _meta(self, order: Order, given: Row) -> None:
        for row in given.get("meta_data") or []:
            order.meta = [one for one in order.meta if one["key"] != row["key"]] + [{"key": row["key"], "value": row["value"]}]

    def _delete(self, order: Order, force: bool) -> Row:
        shown_before = self.show(order)
        if force:
            del self._orders.kept[order.id]
        elif order.status == "trash":
            raise RestError("woocommerce_rest_already_trashed", "The shop_order has already been deleted.", 410)
        else:
            self.trash(order)
        return shown_before

    def trash(self, order: Order) -> None:
        """Into the trash: `deleted` is told, with nothing but the id."""
        order.status = "trash"
        self._orders.saved(order, "deleted")

    def _note(self, order: Order, given: Row) -> Response:
        check(given, {"note": "string", "customer_note": "boolean"})
        if not given.get("note"):
            data = {"status": 400, "params": ["note"]}
            raise RestError("rest_missing_callback_param", "Missing parameter(s): note", 400, data)
        note = self._orders.note(order, str(given["note"]), truth(given.get("customer_note")))
        place = f"{self._base()}/orders/{order.id}/notes/{note['id']}"
        return json_response(self._show_note(order, note), 201, {"location": place})

    def _refund(self, order: Order, given: Row) -> Response:
        check(given, KINDS)
        pays, restock = given.get("api_refund"), given.get("api_restock")
        refund = self._orders.refund(
            order,
            Decimal(str(given.get("amount") or 0)),
            str(given.get("reason") or ""),
            given.get("line_items") or [],
            pays=True if pays is None else truth(pays),
            restock=True if restock is None else truth(restock),
        )
        place = rf"{self._base()}/orders/(?P<order_id>[\d]+)/refunds/{refund.id}"
        return json_response(self.show_refund(order, refund), 201, {"location": place})

    # showing

    def show(self, order: Order) -> Row:
        """An order as the API shows it."""
        rows = [*order.lines, *order.shipping, *order.fees]
        cart_tax = sum((row.tax for row in order.lines), Decimal(0))
        shipping_tax = sum((row.tax for row in order.shipping), Decimal(0))
        pays = order.status in ("pending", "failed") and order.total() > 0
        base = f"{self._base()}/orders"
        own = f"{base}/{order.id}"
        return {
            "id": order.id, "parent_id": 0, "status": order.status, "currency": self._currency, "version": "10.0.2",
            "prices_include_tax": self._orders.tax_included, **self._time("date_created", order.created, gmt=False),
            **self._time("date_modified", order.modified, gmt=False), "discount_total": "0.00", "discount_tax": "0.00",
            "shipping_total": money(sum((row.net for row in order.shipping), Decimal(0))), "shipping_tax": money(shipping_tax),
            "cart_tax": money(cart_tax), "total": money(order.total()),
            "total_tax": money(sum((row.tax for row in rows), Decimal(0))), "customer_id": order.customer,
            "order_key": f"wc_order_{order.id:013d}", "billing": _address(order.billing, "email", "phone"),
            "shipping": _address(order.shipping_to, "phone"), "payment_method": order.method,
            "payment_method_title": order.method_title, "transaction_id": "", "customer_ip_address": "",
            "customer_user_agent": "", "created_via": order.created_via, "customer_note": order.customer_note,
            **self._time("date_completed", order.completed, gmt=False), **self._time("date_paid", order.paid, gmt=False),
            "cart_hash": "", "number": order.number, "meta_data": [{"id": 1 + n, **row} for n, row in enumerate(order.meta)],
            "line_items": [self._show_line(line) for line in order.lines],
            "tax_lines": [self._show_tax(order.tax_line, cart_tax, shipping_tax)],
            "shipping_lines": [self._show_shipping(line) for line in order.shipping],
            "fee_lines": [self._show_fee(line) for line in order.fees], "coupon_lines": [],
            "refunds": [{"id": one.id, "reason": one.reason, "total": money(-one.amount)} for one in order.refunds],
            "payment_url": f"{self._home}/checkout/order-pay/{order.id}/?pay_for_order=true&key=wc_order_{order.id:013d}",
            "is_editable": order.status in ("pending", "on-hold", "auto-draft"), "needs_payment": pays,
            "needs_processing": any(line.product for line in order.lines),
            **self._time("date_created", order.created, local_=False),
            **self._time("date_modified", order.modified, local_=False),
            **self._time("date_completed", order.completed, local_=False), **self._time("date_paid", order.paid, local_=False),
            "currency_symbol": {"EUR": "€"}.get(self._currency, "kr."),
            "_links": {
                "self": [{"href": own, "targetHints": {"allow": ALL}}], "collection": [{"href": base}],
                "email_templates": [{"embeddable": True, "href": f"{own}/actions/email_templates"}],
            },
        }  # fmt: skip

    def show_refund(self, order: Order, refund: Refund) -> Row:
        """A refund as the API shows it: `amount` is positive, its rows are negative."""
        base = f"{self._base()}/orders/{order.id}"
        tax = sum((row.tax for row in refund.lines), Decimal(0))
        shipping_tax = sum((row.tax for row in refund.shipping), Decimal(0))
        return {
            "id": refund.id, **self._time("date_created", refund.created), "amount": money(refund.amount),
            "reason": refund.reason, "refunded_by": 1, "refunded_payment": refund.paid, "meta_data": [],
            "line_items": [self._show_line(line) for line in refund.lines],
            "shipping_lines": [self._show_shipping(line) for line in refund.shipping],
            "tax_lines": [self._show_tax(refund.tax_line, tax, shipping_tax)] if refund.lines or refund.shipping else [],
            "fee_lines": [self._show_fee(line) for line in refund.fees],
            "_links": {
                "self": [{"href": f"{base}/refunds/{refund.id}", "targetHints": {"allow": ["GET", "DELETE"]}}],
                "collection": [{"href": f"{base}/refunds"}], "up": [{"href": base}],
            },
        }  # fmt: skip

    def _show_line(self, line: Line) -> Row:
        above = self._shop.products.get(line.product) if line.variation else None
        # A product that was deleted for good is forgotten by its orders, SKU and all (woocommerce issues 12722, 23656).
        known = (line.variation or line.product) in self._shop.products
        product, variation = (line.product, line.variation) if known else (0, 0)
        taxes = [{"id": 1, "total": money(line.tax), "subtotal": money(line.tax)}]
        meta = [{"key": row["key"], "value": row["value"]} for row in line.options] + [
            {"key": name, "value": value} for name, value in line.meta.items()
        ]
        return {
            "id": line.id, "name": line.name, "product_id": product, "variation_id": variation,
            "quantity": line.quantity, "tax_class": "", "subtotal": money(line.subtotal), "subtotal_tax": money(line.tax),
            "total": money(line.net), "total_tax": money(line.tax), "taxes": taxes,
            "meta_data": [
                {"id": 1 + n, **row, "display_key": _spoken(str(row["key"])), "display_value": row["value"]}
                for n, row in enumerate(meta)
            ],
            "sku": line.sku if known else None, "price": _each(line),
            "image": {"id": 0 if variation or not product else "", "src": ""},
            "parent_name": above.name if above else None,
        }  # fmt: skip

    def _show_shipping(self, line: Line) -> Row:
        taxes = [{"id": 1, "total": money(line.tax), "subtotal": ""}]
        return {
            "id": line.id, "method_title": line.name, "method_id": line.method, "instance_id": line.instance,
            "total": money(line.net), "total_tax": money(line.tax), "taxes": taxes, "tax_status": "taxable",
            "meta_data": [{"id": 1, "key": name, "value": value} for name, value in line.meta.items()],
        }  # fmt: skip

    def _show_fee(self, line: Line) -> Row:
        taxes = [{"id": 1, "total": money(line.tax), "subtotal": ""}]
        return {
            "id": line.id, "name": line.name, "tax_class": "", "tax_status": "taxable", "amount": money(line.net),
            "total": money(line.net), "total_tax": money(line.tax), "taxes": taxes,
            "meta_data": [{"id": 1, "key": name, "value": value} for name, value in line.meta.items()],
        }  # fmt: skip

    def _show_tax(self, ident: int, tax: Decimal, shipping_tax: Decimal) -> Row:
        return {
            "id": ident, "rate_code": "DE-MWST-1", "rate_id": 1, "label": "MwSt", "compound": False, "tax_total": money(tax),
            "shipping_tax_total": money(shipping_tax), "rate_percent": self._orders.tax_percent, "meta_data": [],
        }  # fmt: skip

    def _show_note(self, order: Order, note: Row) -> Row:
        base = f"{self._base()}/orders/{order.id}"
        return {
            "id": note["id"], "author": note["author"], **self._time("date_created", note["at"]), "note": note["note"],
            "customer_note": note["customer_note"],
            "_links": {
                "self": [{"href": f"{base}/notes/{note['id']}", "targetHints": {"allow": ["GET", "DELETE"]}}],
                "collection": [{"href": f"{base}/notes"}], "up": [{"href": base}],
            },
        }  # fmt: skip

    def _time(self, name: str, seconds: int | None, *, local_: bool = True, gmt: bool = True) -> Row:
        made: Row = {name: local(seconds, self._offset)} if local_ else {}
        return {**made, f"{name}_gmt": local(seconds, 0)} if gmt else made


def money(amount: Decimal) -> str:
    """An amount as the API writes it."""
    return f"{shown(amount):.2f}"


def _spoken(key: str) -> str:
    return key if key.startswith("_") else key.title()


def _each(line: Line) -> Plain:
    """One piece's net price: a number with many decimals, where everything else is text."""
    each = (line.net / line.quantity if line.quantity else Decimal(0)).quantize(Decimal("0.000000001"))
    return NUMBER + plain_decimal(each)


def _address(kept: Mapping[str, str], *more: str) -> Row:
    return {name: kept.get(name, "") for name in (*ADDRESS, *more)}
