"""The small Square's Orders API: search, look-up, create and sparse update under a version."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final

from connectors.square.objects import stamp
from connectors.square.sandbox_errors import RefusalError, list_of, text_of
from connectors.square.sandbox_orders import FINAL, Row, entered
from connectors.square.sandbox_rules import Rules
from hub.sdk.api import Plain, Request, Response, json_response, read_time

ORDERS_PATH: Final = "/v2/orders"
SEARCH_PAGE: Final = 500
SEARCH_PAGE_MAX: Final = 1_000
LOCATIONS_MAX: Final = 10
IDS_MAX: Final = 100
LINES_MAX: Final = 500
TIMES: Final = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "CLOSED_AT": "closed_at"}
STATES: Final = frozenset({"OPEN", "COMPLETED", "CANCELED", "DRAFT"})
MOVES: Final = ("PROPOSED", "RESERVED", "PREPARED", "COMPLETED")
FOREVER: Final = "9999-12-31T23:59:59Z"


class OrderApi(Rules):
    """The seller's orders, as the public API answers."""

    def order_route(self, request: Request) -> Callable[[Any], Response] | None:
        """The route of one order's address."""
        head, _, ident = request.path.rpartition("/")
        if head != ORDERS_PATH:
            return None
        if request.method == "GET":
            return lambda _: json_response({"order": self._existing(ident)})
        if request.method == "PUT":
            return lambda body: self._once(body, lambda told: self._update(ident, told))
        return None

    def search_orders(self, body: Plain) -> Response:
        """Whole orders in one order of time; filter and sort must name the same time, both ends belong to the range."""
        places = set(list_of(body, "location_ids", LOCATIONS_MAX))
        if places - set(self.locations):
            raise RefusalError("INVALID_LOCATION", "No such location.", "location_ids")
        limit = body.get("limit")
        if limit is not None and (type(limit) is not int or not 1 <= limit <= SEARCH_PAGE_MAX):
            raise RefusalError("INVALID_VALUE", f"limit must be 1 to {SEARCH_PAGE_MAX}.", "limit")
        query = body.get("query") or {}
        sort, told = query.get("sort") or {}, query.get("filter") or {}
        name, low, high = self._range(told.get("date_time_filter") or {}, sort)
        states = (told.get("state_filter") or {}).get("states") or STATES
        found = [
            order
            for order in self.orders.kept.values()
            if order["location_id"] in places and order["state"] in states and name in order
            if low <= read_time(order[name]) <= high
        ]
        sign = 1 if sort.get("sort_order") == "ASC" else -1
        ordered = sorted(found, key=lambda order: (sign * read_time(order[name]), order["id"]))
        page, cursor = self._cut(ordered, limit or SEARCH_PAGE, body, lambda order: [sign * read_time(order[name]), order["id"]])
        return json_response({"orders": page, **cursor})

    def _range(self, times: Row, sort: Row) -> tuple[str, int, int]:
        name = TIMES.get(str(sort.get("sort_field") or "CREATED_AT"), "")
        if not name:
            raise RefusalError("INVALID_ENUM_VALUE", "Not a field to sort by.", "sort_field")
        if set(times) - {name}:
            raise RefusalError("BAD_REQUEST", "The time that is filtered by must be the one that is sorted by.", "sort_field")
        asked = times.get(name) or {}
        try:
            return name, read_time(asked.get("start_at") or "1970-01-01T00:00:00Z"), read_time(asked.get("end_at") or FOREVER)
        except (ValueError, TypeError):
            raise RefusalError("INVALID_TIME", "Not an RFC 3339 time.", name) from None

    def retrieve_orders(self, body: Plain) -> Response:
        """Those of these orders that there are."""
        asked = dict.fromkeys(list_of(body, "order_ids", IDS_MAX))
        return json_response({"orders": [self.orders.kept[one] for one in asked if one in self.orders.kept]})

    def create_order(self, body: Plain) -> Response:
        """A new open order; the reference is the client's own and need not be unique."""
        return self._once(body, self._create)

    def _create(self, body: Plain) -> tuple[int, Plain]:
        asked = body.get("order")
        if not isinstance(asked, dict):
            raise RefusalError("MISSING_REQUIRED_PARAMETER", "Missing required parameter.", "order")
        location = text_of(asked, "location_id", 50)
        if location not in self.locations:
            raise RefusalError("INVALID_LOCATION", "No such location.", "order.location_id")
        if len(str(asked.get("reference_id") or "")) > 40:
            raise RefusalError("VALUE_TOO_LONG", "Field must not be greater than 40 in length.", "order.reference_id")
        order = self._new(location, asked.get("state") or "OPEN", self.micros())
        kept = ("reference_id", "customer_id", "metadata", "ticket_name", "source", "taxes", "service_charges")
        order |= {"taxes": [], "version": 1} | {name: copy.deepcopy(asked[name]) for name in kept if asked.get(name)}
        for charge in order.get("service_charges") or []:
            charge |= {"uid": charge.get("uid") or self.catalog.new_id(), "type": "CUSTOM"}
        order["line_items"] = [self._line(one) for one in list_of(asked, "line_items", LINES_MAX)]
        self._discount(order, asked)
        order["fulfillments"] = [self._wanted(one) for one in list_of(asked, "fulfillments", 1, required=False)]
        order = self.pricing.totalled(order)
        self._keep(order, "created")
        return 200, {"order": self.orders.kept[order["id"]]}

    def _line(self, asked: Row) -> Row:
        """A line of the catalogue at its price, or at the one given; without either there must be a name and a price."""
        line = copy.deepcopy(asked)
        quantity = text_of(line, "quantity", 12)
        if not quantity.isdigit() or not int(quantity):
            raise RefusalError("INVALID_VALUE", "Quantity must be a whole number above 0.", "quantity")
        if line.get("catalog_object_id"):
            found = self.catalog.living(line["catalog_object_id"])
            if found is None or found["type"] != "ITEM_VARIATION":
                raise RefusalError("NOT_FOUND", "No such catalog object.", "catalog_object_id", 404)
            detail = found["item_variation_data"]
            item = self.catalog.objects[detail["item_id"]]["item_data"]
            line = {"name": item.get("name", ""), "variation_name": "Regular", **line}
            line.setdefault("base_price_money", detail.get("price_money"))
        if not line.get("base_price_money") or not line.get("name"):
            raise RefusalError("MISSING_REQUIRED_PARAMETER", "A line needs a name and a price.", "base_price_money")
        if line["base_price_money"]["currency"] != self.pricing.currency:
            raise RefusalError("CURRENCY_MISMATCH", "Not the currency of this seller.", "base_price_money")
        for one in line.get("applied_taxes") or []:
            one.setdefault("uid", self.catalog.new_id())
        return {"uid": self.catalog.new_id(), "item_type": "ITEM", "total_discount_money": self.pricing.money(0), **line}

    def _discount(self, order: Row, asked: Row) -> None:
        """Discounts of single lines, by fixed amounts: what this small Square knows of discounts."""
        told = copy.deepcopy(asked.get("discounts") or [])
        amounts = {one["uid"]: one["amount_money"]["amount"] for one in told}
        for line in order["line_items"]:
            off = sum(amounts[one["discount_uid"]] for one in line.get("applied_discounts") or [])
            line["total_discount_money"] = self.pricing.money(off)
            for one in line.get("applied_discounts") or []:
                one |= {"uid": one.get("uid") or self.catalog.new_id()}
                one["applied_money"] = self.pricing.money(amounts[one["discount_uid"]])
        if told:
            order["discounts"] = [{**one, "applied_money": one["amount_money"]} for one in told]

    def _wanted(self, asked: Row) -> Row:
        """A fulfilment of the whole order; a pickup needs to know who comes and when."""
        kind = text_of(asked, "type", 20)
        details = asked.get(f"{kind.lower()}_details")
        if not isinstance(details, dict) or not (details.get("recipient") or {}).get("display_name"):
            raise RefusalError("MISSING_REQUIRED_PARAMETER", "Missing required parameter.", "recipient.display_name")
        if kind == "PICKUP" and not details.get("pickup_at") and details.get("schedule_type") != "ASAP":
            raise RefusalError("MISSING_REQUIRED_PARAMETER", "Missing required parameter.", "pickup_details.pickup_at")
        uid = asked.get("uid") or self.catalog.new_id()
        placed = {**copy.deepcopy(details), "placed_at": stamp(self.micros())}
        told = {"uid": uid, "type": kind, "state": asked.get("state") or "PROPOSED", "line_item_application": "ALL"}
        return {**told, f"{kind.lower()}_details": placed}

    def _existing(self, ident: str) -> Row:
        order = self.orders.kept.get(ident)
        if order is None:
            raise RefusalError("NOT_FOUND", "Order not found.", "order_id", 404)
        return order

    def _update(self, ident: str, body: Plain) -> tuple[int, Plain]:
        """A sparse update: the state, and the states and details of fulfilments."""
        now, asked = self._existing(ident), body.get("order") or {}
        if ident in self.orders.by_hand or now["state"] not in ("OPEN", "DRAFT"):
            raise RefusalError("BAD_REQUEST", "This order cannot be updated.", "order")
        if asked.get("version") != now.get("version"):
            raise RefusalError("VERSION_MISMATCH", "Order version does not match latest database version.", "order.version", 409)
        given = {one.get("uid"): one for one in asked.get("fulfillments") or []}
        parts = [_changed(one, given.pop(one["uid"], {}), stamp(self.micros())) for one in now.get("fulfillments") or []]
        if given:
            raise RefusalError("NOT_FOUND", "No such fulfillment.", "order.fulfillments.uid", 404)
        was = {one["uid"]: one["state"] for one in now.get("fulfillments") or []}
        moved = [
            {"fulfillment_uid": one["uid"], "old_state": was[one["uid"]], "new_state": one["state"]}
            for one in parts
            if one["state"] != was[one["uid"]]
        ]
        order = {**now, "fulfillments": parts}
        if asked.get("state") == "CANCELED":
            if any(one["state"] not in FINAL for one in parts) or now.get("tenders"):
                raise RefusalError("BAD_REQUEST", "Fulfillments and payments must be canceled first.", "order.state")
            order |= {"state": "CANCELED", "closed_at": stamp(self.micros())}
        self._keep(self._finished(order), "updated")
        order = self.orders.kept[ident]
        if moved:
            # whatever becomes of a fulfilment, goods leave the stock by payment alone
            self._tell_order("fulfillment_updated", order, fulfillment_update=moved)
        return 200, {"order": order}


def _changed(now: Row, given: Row, at: str) -> Row:
    """A fulfilment after a sparse update of it."""
    state = given.get("state") or now["state"]
    if state != now["state"] and (now["state"] in FINAL or (state in MOVES and MOVES.index(state) < MOVES.index(now["state"]))):
        raise RefusalError("BAD_REQUEST", "The fulfillment cannot go to this state.", "order.fulfillments.state")
    name = f"{now['type'].lower()}_details"
    told = {**now, name: {**(now.get(name) or {}), **(given.get(name) or {})}}
    return told if state == now["state"] else entered(told, state, at)
