"""Shopify in small: an Admin API with its versions, tokens, cost points, idempotency keys and error shapes, and the hands of
those who buy and work in the shop.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from decimal import Decimal
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qs

from connectors.shopify.gids import gid
from connectors.shopify.sandbox_bulk import bulk_lines
from connectors.shopify.sandbox_catalogue import CatalogueApi, digest
from connectors.shopify.sandbox_desk import OrderDesk
from connectors.shopify.sandbox_graphql import PHRASES, actual_cost, requested_cost
from connectors.shopify.sandbox_order_api import OrderApi
from connectors.shopify.sandbox_orders import Orders
from connectors.shopify.sandbox_posts import Posts
from connectors.shopify.sandbox_shop import PriceList, Shop, State
from connectors.shopify.sandbox_tokens import TokenDesk
from hub.sdk.api import Plain, Request, Response, SandboxBase, json_response, read_json
from hub.sdk.sandbox_graphql import DocumentError, Operation, Selection, bound, read_document, shaped

COST_MAX: Final = 1_000
POINTS_SECONDS: Final = 20.0
"""The bucket holds the points of so many seconds, on every plan."""
KEYED: Final = frozenset({"inventorySetQuantities", "inventoryActivate", "refundCreate"})
"""Mutations that are refused without an idempotency key."""
QUIET: Final = frozenset({"bulkOperationRunQuery"})
"""Mutations that change nothing in the shop."""


class Sandbox(OrderDesk, SandboxBase):
    """One shop.

    Options: access_token, client_id, client_secret, refresh_token, shop, currency, prices_tax, tax_percent, locations (comma),
    versions (comma, the supported ones), header_style (classic or events), points_per_second (of its plan), files_host,
    sold_from (location that ships).
    """

    VISITOR: Final[dict[str, str]] = {"access_token": "made-up-token-of-another-app"}
    """Signs in who only looks: points are counted for each app by itself, and these calls cost the app under test nothing."""
    dated_waits = False
    secret_names = ("access_token", "client_secret", "refresh_token")
    pays_later = ("by transfer",)
    CHANNEL: Final[dict[str, dict[str, str]]] = {
        "settings": {"shop": "made-shop.myshopify.com"},
        "secrets": {"access_token": "made-up-access-token", "client_secret": "made-up-client-secret"},
        "places": {"depot": "70000001"},
    }

    def started(self) -> None:
        """An empty shop with its locations."""
        defaults = {
            **self.CHANNEL["secrets"],
            **self.CHANNEL["settings"],
            "currency": "DKK",
            "prices_tax": "included",
            "tax_percent": "25",
            "locations": self.options.get("stock_location") or "70000001,70000002",
            "versions": "2026-10,2026-07,2026-04,2026-01",
            "header_style": "classic",
            "points_per_second": "100",
        }
        self.options = {**defaults, **self.options}
        self.state = State(self.options["currency"], self.options["prices_tax"] == "included")
        self.posts = Posts(self)
        self.shop = Shop(self.state, self.micros, self._told)
        self.orders = Orders(self.shop, Decimal(self.options["tax_percent"]))
        self.tokens = TokenDesk(self.options, self.micros, self.random.getrandbits)
        self._rate = float(self.options["points_per_second"])
        self._points_max = self._rate * POINTS_SECONDS
        self.points, self._points_at = self._points_max, self.micros()
        self._files: dict[str, bytes] = {}
        self._base = ""
        self._wire_up()
        for ident in self.options["locations"].split(","):
            self.state.locations[int(ident)] = f"Place {ident}"

    def _wire_up(self) -> None:
        self.shop.state = self.state
        self.catalogue_api = CatalogueApi(self.shop, self.options["shop"], self._file)
        self.order_api = OrderApi(self.orders, self.catalogue_api)
        self.queries = {**self.catalogue_api.queries, **self.order_api.queries, "nodes": self._nodes}
        self.mutations = {**self.catalogue_api.mutations, **self.order_api.mutations}

    def _told(self, topic: str, body: dict[str, Plain]) -> None:
        self.posts.told(topic, body)

    # the platform seen from outside

    def route(self, request: Request) -> Response:
        """POST graphql.json of a version, the token's address, and the files of bulk operations."""
        self._base = request.host
        if request.method == "GET" and request.path in self._files:
            return self._part(request)
        if request.path == "/admin/oauth/access_token" and request.method == "POST":
            return self.tokens.granted({name: values[-1] for name, values in parse_qs(request.body.decode()).items()})
        path = request.path.split("/")
        if request.method != "POST" or len(path) != 5 or path[1:3] != ["admin", "api"] or path[4] != "graphql.json":
            return self._headed(json_response({"errors": "Not Found"}, 404), "")
        token = request.headers.get("x-shopify-access-token", "")
        visits = token == self.VISITOR["access_token"]
        if not visits and not self.tokens.knows(token):
            return self._headed(self.unauthorized(), path[3])
        try:
            body = request.json()
        except ValueError:
            return self._headed(json_response({"errors": {"query": "Required parameter missing or invalid"}}, 400), path[3])
        if self.faults.cut_next > 0 and _later_page(body):
            self.faults.cut_next -= 1
            self.faults.spend("cut")
            return Response(500, {}, b"internal error")
        if visits and self.is_write(request):
            return self._headed(self.unauthorized(), path[3])
        if not visits:
            return self._headed(self._executed(body), path[3])
        kept, self.points = (self.points, self._points_at), self._points_max
        answer = self._executed(body)
        self.points, self._points_at = kept
        return self._headed(answer, path[3])

    def _headed(self, answer: Response, version: str) -> Response:
        """With the headers of every answer: an expired version is answered by the oldest that is supported."""
        supported = self.options["versions"].split(",")
        said = version if version in supported else min(supported)
        date = formatdate(self.micros() // 1_000_000, usegmt=True)
        ident = f"{self.random.getrandbits(64):016x}-made"
        return Response(
            answer.status,
            {**answer.headers, "x-shopify-api-version": said, "x-request-id": ident, "date": date},
            answer.body,
        )

    def _executed(self, body: Plain) -> Response:
        query = body.get("query") if isinstance(body, dict) else None
        if not isinstance(query, str):
            return json_response({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        variables = body.get("variables") or {}
        try:
            operation = read_document(query, PHRASES)
            variables = {**operation.defaults, **variables}
            self._check(operation, variables)
            requested = requested_cost(operation, variables)
        except DocumentError as bad:
            return _faulted(str(bad), "invalidDocument")
        self._restore_points()
        if requested > COST_MAX:
            words = f"Query cost is {requested}, which exceeds the single query max cost limit ({COST_MAX})."
            return _faulted(words, "MAX_COST_EXCEEDED", {"cost": requested, "maxCost": COST_MAX})
        if requested > self.points:
            return json_response({"errors": [_throttled_error()], "extensions": {"cost": self._cost(requested, None)}})
        try:
            told: dict[str, Plain] = {}
            for one in operation.chosen:
                told[one.alias] = self._field(operation, one, variables)
                if operation.kind == "mutation":
                    # The fields of a mutation are carried out one after another (GraphQL, section 6.2.2), each for good.
                    self.worked_off()
        except DocumentError as bad:
            return _faulted(str(bad), "invalidDocument")
        base = 10 * len(operation.chosen) if operation.kind == "mutation" else 0
        actual = min(requested, base + actual_cost(list(told.values())))
        self.points -= actual
        return json_response({"data": told, "extensions": {"cost": self._cost(requested, actual)}})

    def _check(self, operation: Operation, variables: Mapping[str, Plain]) -> None:
        roots = self.queries if operation.kind == "query" else self.mutations
        for one in operation.chosen:
            if one.name not in roots:
                raise DocumentError(f"Field '{one.name}' doesn't exist on type '{operation.kind.title()}'")
            if one.name in KEYED and not str(bound(one.directives.get("idempotent", {}).get("key"), variables) or "").strip():
                raise DocumentError("The @idempotent directive is required for this mutation but was not provided.")
        for name, kind in operation.declared.items():
            if kind.endswith("!") and variables.get(name) is None:
                raise DocumentError(f"Variable ${name} of type {kind} was provided invalid value")
        if set(variables) - set(operation.declared):
            raise DocumentError("a variable was given that is not declared")

    def _field(self, operation: Operation, one: Selection, variables: Mapping[str, Plain]) -> Plain:
        said = bound(one.arguments, variables)
        if operation.kind == "query":
            return shaped(self.queries[one.name](said), one.chosen, operation, variables, one.name)
        key = str(bound(one.directives.get("idempotent", {}).get("key"), variables) or "")
        known = self.state.keys.get(key) if key else None
        if known is not None and not self.shop.deaf:
            if known[0] != digest([one.name, said]):
                words = "The same idempotency key cannot be used with different operation parameters."
                error = {"field": None, "message": words, "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"}
                kept = [part for part in one.chosen if part.name == "userErrors"]
                return shaped({"userErrors": [error]}, kept, operation, variables, one.name)
            return known[1]
        answer = shaped(self.mutations[one.name](said), one.chosen, operation, variables, one.name)
        if key and not self.shop.deaf:
            self.state.keys[key] = (digest([one.name, said]), answer)
        return answer

    def _nodes(self, said: dict[str, Plain]) -> Plain:
        if len(said["ids"]) > 250:
            raise DocumentError("The input array size is greater than the maximum of 250.")
        for one in said["ids"]:
            if not str(one).startswith("gid://shopify/"):
                raise DocumentError(f"Invalid global id '{one}'")
        return [self.catalogue_api.node(one) or self.order_api.node(one) for one in said["ids"]]

    # points

    def _restore_points(self) -> None:
        now = self.micros()
        self.points = min(self._points_max, self.points + (now - self._points_at) / 1_000_000 * self._rate * self.admits)
        self._points_at = now

    def _cost(self, requested: int, actual: int | None) -> Plain:
        status = {
            "maximumAvailable": int(self._points_max),
            "currentlyAvailable": int(self.points),
            "restoreRate": int(self._rate * self.admits),
        }
        return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}

    # files of bulk operations

    def _file(self, ident: int) -> str:
        kept = self.state.bulks[ident]
        path = f"/bulk/{ident}.jsonl"
        lines = bulk_lines(kept["query"], self.catalogue_api.queries)
        self._files[path] = "".join(f"{line}\n" for line in lines).encode()
        kept["size"] = len(self._files[path])
        return f"{self.options.get('files_host') or self._base}{path}?signed=made"

    def _part(self, request: Request) -> Response:
        if "x-shopify-access-token" in request.headers:
            return Response(400, {}, b"a file is asked for without a token")
        whole, asked = self._files[request.path], request.headers.get("range", "")
        if not asked.startswith("bytes="):
            return Response(200, {"content-type": "application/jsonl"}, whole)
        first, last = asked.removeprefix("bytes=").split("-")
        return Response(206, {"content-type": "application/jsonl"}, whole[int(first) : int(last) + 1])

    # what the base asks for

    def is_write(self, request: Request) -> bool:
        """A mutation that changes something in the shop."""
        try:
            operation = read_document(str(read_json(request.body).get("query", "")), PHRASES)
        except (ValueError, AttributeError, DocumentError):
            return False
        return operation.kind == "mutation" and bool({one.name for one in operation.chosen} - QUIET)

    def subscribes(self, request: Request) -> bool:
        """A mutation of subscriptions only."""
        operation = read_document(str(read_json(request.body)["query"]), PHRASES)
        return all(one.name.startswith("webhookSubscription") for one in operation.chosen)

    def unauthorized(self) -> Response:
        """A token that is not known, or has ended."""
        words = "[API] Invalid API key or access token (unrecognized login or wrong password)"
        return json_response({"errors": words}, 401)

    def end_sign_ins(self) -> bool:
        """Tokens that are renewed end early; one for ever stays."""
        if not self.options.get("client_id"):
            return False
        self.tokens.expire()
        return True

    def stop_telling(self) -> None:
        super().stop_telling()
        self.state.subscriptions.clear()

    def throttled(self, retry_after: str | None) -> Response:
        """Too often, as HTTP 200; how long to wait is for the client to work out of the points."""
        if retry_after is None:
            return json_response({"errors": [_throttled_error()]})
        status = {"maximumAvailable": 2_000, "currentlyAvailable": 0, "restoreRate": 1}
        cost = {"requestedQueryCost": int(retry_after), "actualQueryCost": None, "throttleStatus": status}
        return json_response({"errors": [_throttled_error()], "extensions": {"cost": cost}})

    def ignored(self, request: Request) -> Response:
        """The success-shaped answer of a write that changes nothing: what is still there, and no delivery."""
        self.shop.deaf = True
        kept = copy.deepcopy(self.state.orders)
        try:
            return self.route(request)
        finally:
            self.shop.deaf = False
            self.state.orders.clear()
            self.state.orders.update(kept)

    def whole_state(self) -> Plain:
        """The shop's state."""
        return self.state

    def put_state(self, state: Plain) -> None:
        """Another state in its place; ids that were used stay used."""
        used = self.state.last_ids
        self.state = state
        self.state.last_ids = used
        self._wire_up()

    # the hands of those who keep the catalogue

    def add_item(
        self,
        sku: str,
        title: str,
        *,
        price: Decimal,
        barcode: str = "",
        text: str = "",
        picture: str = "",
        link: str = "",
        category: str = "",
    ) -> str:
        """A product with one variant, tracked and stocked with 0; Shopify makes the link itself."""
        product = self.shop.add_product(title, text, picture, category)
        return str(self.shop.add_variant(product, sku, price, barcode).id)

    def add_variant_to(self, sku: str, other: str, title: str, price: Decimal) -> str:
        """Another variant of the product that `sku` is of."""
        product = self.state.products[self.shop.on_sale(sku).product]
        return str(self.shop.add_variant(product, other, price, title=title).id)

    def add_market(self, country: str, currency: str, rate: Decimal) -> str:
        """A market with a price list of its own; gives the list's id."""
        ident = self.shop.next_id("PriceList")
        self.state.price_lists[ident] = PriceList(ident, currency, country, rate)
        return str(ident)

    def count(self, sku: str, pieces: int, place: str = "") -> None:
        """A person types what is available into the admin."""
        one, location = self.shop.on_sale(sku), self.place_of(place)
        level = self.shop.stock_at(one.id, location)
        self.shop.moved(one.id, location, available=pieces - level.available)

    def set_price(self, sku: str, amount: Decimal) -> None:
        """A person types a price into the admin."""
        one = self.shop.on_sale(sku)
        one.price = amount
        self.shop.touch(one)

    def retitle(self, sku: str, title: str) -> None:
        """A person renames the product: its variants' own time does not move."""
        one = self.shop.on_sale(sku)
        self.state.products[one.product].title = title
        self.shop.told_product(one.product, "products/update")

    def withdraw(self, sku: str) -> None:
        """A person archives the product: its variants' own time does not move."""
        self._stands(sku, "ARCHIVED")

    def sell_again(self, sku: str) -> None:
        """A person takes the product out of the archive and sells it."""
        self._stands(sku, "ACTIVE")

    def _stands(self, sku: str, status: str) -> None:
        one = self.shop.on_sale(sku)
        self.state.products[one.product].status = status
        self.shop.told_product(one.product, "products/update")

    def remove_item(self, sku: str) -> None:
        """A person deletes the product."""
        self.shop.remove_product(self.shop.on_sale(sku).product)

    def untrack(self, sku: str) -> None:
        """A person switches off that the item's stock is tracked."""
        self.shop.on_sale(sku).tracked = False

    def disconnect(self, sku: str, place: str = "") -> None:
        """A person takes the item off a location."""
        level = self.state.levels[(self.shop.on_sale(sku).id, self.place_of(place))]
        level.active = False
        self.shop.tell(
            "inventory_levels/disconnect", {"inventory_item_id": self.shop.on_sale(sku).item, "location_id": level.location}
        )

    def lose_subscription(self, topic: str) -> None:
        """Eight deliveries failed in a row: the platform deletes the subscription."""
        for ident in [one for one, kept in self.state.subscriptions.items() if kept["topic"] == topic]:
            del self.state.subscriptions[ident]

    def shown(self) -> dict[str, dict[str, Any]]:
        """By SKU what a customer sees: pieces that may be bought by location id, price, state, title."""
        truth: dict[str, dict[str, Any]] = {}
        places, all_levels = [(place, str(place)) for place in self.state.locations], self.state.levels
        for one in self.state.variants.values():
            product = self.state.products[one.product]
            state = "gone" if one.deleted else "active" if product.status == "ACTIVE" else "inactive"
            levels = [(name, all_levels.get((one.id, place))) for place, name in places]
            truth[one.sku] = {
                "stock": {name: level.available for name, level in levels if level is not None and level.active},
                "price": one.price,
                "currency": self.state.currency,
                "state": state,
                "title": product.title,
            }
        return truth

    def place_of(self, place: str) -> int:
        """The location of this id; "" is the first."""
        ident = int(place) if place else next(iter(self.state.locations))
        if ident not in self.state.locations:
            raise KeyError(place)
        return ident

    def listing_gid(self, sku: str) -> str:
        """The global id of this SKU's variant."""
        return gid("ProductVariant", str(self.shop.on_sale(sku).id))


def _later_page(body: Plain) -> bool:
    variables = body.get("variables") if isinstance(body, dict) else None
    return isinstance(variables, dict) and bool(variables.get("after"))


def _throttled_error() -> Plain:
    return {"message": "Throttled", "extensions": {"code": "THROTTLED"}}


def _faulted(message: str, code: str, more: dict[str, Plain] | None = None) -> Response:
    return json_response({"errors": [{"message": message, "extensions": {"code": code, **(more or {})}}]})
