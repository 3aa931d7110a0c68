"""The sandbox's Admin API: which fields may be asked, who may ask them, and how its errors look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from connectors.vendure.sandbox_order_api import OrderApi
from connectors.vendure.sandbox_orders import Orders
from connectors.vendure.sandbox_shop import ResolverFault, Shop, VariablesError, Variant
from hub.sdk.api import Plain, Response, json_response, micros
from hub.sdk.sandbox_graphql import DocumentError, Operation, Selection, bound, read_document, shaped

TAKE_MAX: Final = 1_000
LIST_KEYS: Final = frozenset({"skip", "take", "sort", "filter"})
FORBIDDEN: Final = "You are not currently authorized to perform this action"
OPEN_FIELDS: Final = frozenset({"login", "__typename"})

Root = Callable[[dict[str, Plain]], Plain]


class AdminRoutes:
    """The root fields that the connector and the recorded calls use; any other is unknown to the schema."""

    def __init__(
        self, shop: Shop, orders: Orders, sign_in: Callable[[str, str], bool], make_key: Callable[[], str], token: str
    ) -> None:
        self._shop = shop
        self._sign_in = sign_in
        self._make_key = make_key
        self._token = token
        self.queries: dict[str, Root] = {
            "productVariants": self._product_variants,
            "productVariant": lambda said: self._one(str(said.get("id"))),
            "products": lambda said: _paged([shop.product_shown(one) for one in shop.products.values()], said),
            "activeChannel": lambda _: self._channel(),
            "stockLocations": lambda said: _paged([{"id": i, "name": n} for i, n in shop.locations.items()], said),
            "roles": lambda said: _paged(
                [{"id": "1", "code": "__super_admin_role__"}, {"id": "2", "code": "__customer_role__"}], said
            ),
            "taxCategories": lambda said: _paged([{"id": "1", "name": "Standard Tax", "isDefault": False}], said),
            "paymentMethods": lambda said: _paged([{"code": "dummy", "name": "Dummy"}], said),
            "shippingMethods": lambda said: _paged(
                [{"id": "1", "code": "standard-shipping", "fulfillmentHandlerCode": "manual-fulfillment"}], said
            ),
        }
        self.mutations: dict[str, Root] = {
            "login": self._login,
            "createApiKey": lambda _: {"apiKey": self._make_key(), "entityId": str(shop.next_id("key") + 1)},
            "updateChannel": self._update_channel,
            "createStockLocation": self._create_location,
            "createProduct": self._create_product,
            "createProductOptionGroup": self._create_group,
            "addOptionGroupToProduct": lambda said: {"id": str(said["productId"])},
            "createProductVariants": lambda said: [shop.variant_shown(one) for one in shop.create_variants(said["input"])],
            "updateProductVariants": lambda said: [shop.variant_shown(one) for one in shop.update_variants(said["input"])],
        }
        about_orders = OrderApi(orders, _paged)
        self.queries.update(about_orders.queries)
        self.mutations.update(about_orders.mutations)

    def answer(self, body: Plain, signed_in: bool) -> Response:
        """The answer to one posted document: 400 for a bad one, otherwise 200 with data or errors."""
        query = body.get("query") if isinstance(body, dict) else None
        if not isinstance(query, str):
            return _bad("GraphQL operations must contain a non-empty `query`.", "BAD_REQUEST")
        variables = body.get("variables") or {}
        try:
            operation = read_document(query)
            self._check(operation, variables)
            return self._executed(operation, variables, signed_in)
        except VariablesError as bad:
            return _bad(str(bad), "BAD_USER_INPUT", 200)
        except DocumentError as bad:
            return _bad(str(bad), "GRAPHQL_VALIDATION_FAILED")

    def _check(self, operation: Operation, variables: dict[str, Plain]) -> None:
        roots = self.queries if operation.kind == "query" else self.mutations
        for one in operation.chosen:
            if one.name not in roots:
                raise DocumentError(f'Cannot query field "{one.name}" on type "{operation.kind.title()}".')
        for name in operation.required:
            if variables.get(name) is None:
                raise VariablesError(f'Variable "${name}" of required type "{operation.declared[name]}" was not provided.')

    def _executed(self, operation: Operation, variables: dict[str, Plain], signed_in: bool) -> Response:
        roots = self.queries if operation.kind == "query" else self.mutations
        shown: dict[str, Plain] = {}
        headers: dict[str, str] = {}
        for one in operation.chosen:
            if not signed_in and one.name not in OPEN_FIELDS:
                return _faulted(one, FORBIDDEN, "FORBIDDEN")
            try:
                found = roots[one.name](bound(one.arguments, variables))
            except ResolverFault as fault:
                return _faulted(one, str(fault), fault.code)
            if one.name == "login" and found["__typename"] == "CurrentUser":
                headers["vendure-auth-token"] = self._token
            shown[one.alias] = shaped(found, one.chosen, operation, variables, one.name)
        return json_response({"data": shown}, 200, headers)

    # queries

    def _product_variants(self, said: dict[str, Plain]) -> Plain:
        options = said.get("options") or {}
        found = [one for one in self._shop.variants.values() if not one.deleted]
        wanted = [(name, *one) for name, told in (options.get("filter") or {}).items() for one in told.items()]
        for passes in [_passes(*one) for one in wanted]:
            found = [one for one in found if passes(one)]
        for name, order in (options.get("sort") or {}).items():
            if name not in ("id", "updatedAt", "sku"):
                raise DocumentError(f'Field "{name}" is not sorted by in this sandbox.')
            keys: dict[str, Callable[[Variant], Plain]] = {
                "id": lambda one: one.id,
                "updatedAt": lambda one: (one.updated_at, one.id),
                "sku": lambda one: one.sku,
            }
            found.sort(key=keys[name], reverse=order == "DESC")
        return _paged([lambda one=one: self._shop.variant_shown(one) for one in found], {"options": options})

    def _one(self, ident: str) -> Plain:
        try:
            return self._shop.variant_shown(self._shop.found(ident))
        except ResolverFault:
            return None

    def _channel(self) -> dict[str, Plain]:
        return {
            "__typename": "Channel",
            "id": "1",
            "code": "__default_channel__",
            "token": "channel-token",
            "defaultCurrencyCode": self._shop.currency,
            "availableCurrencyCodes": list(self._shop.currencies),
            "pricesIncludeTax": self._shop.tax_included,
            "defaultTaxZone": {"id": "1"},
            "defaultShippingZone": {"id": "1"},
        }

    # mutations

    def _login(self, said: dict[str, Plain]) -> dict[str, Plain]:
        if not self._sign_in(str(said.get("username")), str(said.get("password"))):
            return {
                "__typename": "InvalidCredentialsError",
                "__interfaces": ("ErrorResult",),
                "errorCode": "INVALID_CREDENTIALS_ERROR",
                "message": "The provided credentials are invalid",
                "authenticationError": "",
            }
        channels = [{"code": "__default_channel__", "token": "channel-token"}]
        return {"__typename": "CurrentUser", "id": "1", "identifier": said["username"], "channels": channels}

    def _update_channel(self, said: dict[str, Plain]) -> Plain:
        given = said["input"]
        self._shop.currencies = list(given.get("availableCurrencyCodes") or self._shop.currencies)
        self._shop.currency = given.get("defaultCurrencyCode") or self._shop.currency
        if given.get("pricesIncludeTax") is not None:
            self._shop.tax_included = given["pricesIncludeTax"]
        return self._channel()

    def _create_location(self, said: dict[str, Plain]) -> Plain:
        made = str(self._shop.next_id("location"))
        self._shop.locations[made] = said["input"]["name"]
        self._shop.tell("StockLocationEvent", {"entity": {"id": int(made)}, "type": "created"})
        return {"id": made, "name": self._shop.locations[made]}

    def _create_product(self, said: dict[str, Plain]) -> Plain:
        given = said["input"]
        words = given["translations"][0]
        enabled = given.get("enabled") is not False
        made = self._shop.add_product(words["name"], words["slug"], words["description"], enabled)
        return self._shop.product_shown(made)

    def _create_group(self, said: dict[str, Plain]) -> Plain:
        given, shop = said["input"], self._shop
        group = shop.next_id("group")
        shop.groups[group] = {"code": given["code"], "name": given["translations"][0]["name"]}
        made = []
        for one in given.get("options") or []:
            option = shop.next_id("option")
            shop.options[option] = {"code": one["code"], "name": one["translations"][0]["name"], "group": group}
            made.append({"id": str(option), "code": one["code"]})
        return {"id": str(group), "code": given["code"], "options": made}


def _passes(name: str, operator: str, value: Plain) -> Callable[[Variant], bool]:
    match name, operator:
        case "updatedAt", "after":
            since = micros(dt.datetime.fromisoformat(value))
            return lambda one: one.updated_at > since
        case "id", "in":
            return lambda one: str(one.id) in value
        case "id", "eq":
            return lambda one: str(one.id) == value
        case "sku", "eq":
            return lambda one: one.sku == value
        case "sku", "in":
            return lambda one: one.sku in value
    raise DocumentError(f'The filter "{name}.{operator}" is not known here.')


def _paged(rows: list[Plain], said: dict[str, Plain]) -> Plain:
    options = said.get("options") or {}
    if set(options) - LIST_KEYS:
        raise DocumentError("unknown list option")
    take, skip = options.get("take") or TAKE_MAX, max(0, options.get("skip") or 0)
    if take > TAKE_MAX:
        raise ResolverFault(f"Cannot take more than {TAKE_MAX} results from a list query", "USER_INPUT_ERROR")
    page = [row() if callable(row) else row for row in rows[skip : skip + take]]
    return {"totalItems": len(rows), "items": page}


def _faulted(one: Selection, message: str, code: str) -> Response:
    error: dict[str, Plain] = {"message": message, "locations": [{"line": 1, "column": 1}], "path": [one.alias]}
    if code != "INTERNAL_SERVER_ERROR":
        error["extensions"] = {"code": code}
    return json_response({"errors": [error], "data": None})


def _bad(message: str, code: str, status: int = 400) -> Response:
    return json_response({"errors": [{"message": message, "extensions": {"code": code}}]}, status)
