"""Vendure in small: an Admin API with its sessions, list rules and error shapes, and the hands of those who work in the shop."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from connectors.vendure.money import amount_of, hundredths
from connectors.vendure.sandbox_admin import FORBIDDEN, AdminRoutes
from connectors.vendure.sandbox_desk import OrderDesk
from connectors.vendure.sandbox_orders import Orders
from connectors.vendure.sandbox_shop import Product, Shop, Variant
from hub.sdk.api import Plain, Request, Response, SandboxBase, body_json, iso, json_response, sign
from hub.sdk.sandbox_graphql import DocumentError, read_document

STATE: Final = (
    "currency",
    "currencies",
    "tax_included",
    "locations",
    "products",
    "groups",
    "options",
    "variants",
    "last_ids",
)


class Sandbox(OrderDesk, SandboxBase):
    """A shop with one channel.

    Options: username, password, api_key, hook_secret, currency, prices_tax, tax_percent, shipping_tax,
    locations (comma), stock_location (the id of the one place, where no locations are named).
    """

    secret_names = ("password", "api_key", "hook_secret")
    pays_later = ("authorised",)
    CHANNEL: Final[dict[str, dict[str, str]]] = {
        "settings": {
            "stock_location": "1",
            "currency": "DKK",
            "prices_tax": "included",
            "username": "superadmin",
        },
        "secrets": {"password": "made-up-password", "hook_secret": "made-up-hook-secret"},
        "places": {},
    }

    def started(self) -> None:
        """An empty shop with its stock locations."""
        tax_percent = int(self.options.get("tax_percent", "25"))
        self.shop = Shop(
            currency=self.options.get("currency", "DKK"),
            currencies=[self.options.get("currency", "DKK")],
            tax_included=self.options.get("prices_tax", "included") == "included",
            now=self.clock.now,
            tell=self._event,
            tax_percent=tax_percent,
        )
        self.orders = Orders(self.shop, int(self.options.get("shipping_tax", tax_percent)))
        if "locations" not in self.options:
            # The one place has the id by which the channel knows it.
            self.shop.last_ids["location"] = int(self.options.get("stock_location", "1")) - 1
        for name in self.options.get("locations", "Default Stock Location").split(","):
            self.shop.locations[str(self.shop.next_id("location"))] = name
        self._keys = {self.options["api_key"]} if self.options.get("api_key") else set()
        self._sessions: set[str] = set()
        self._logins = 0

    # the platform seen from outside

    def route(self, request: Request) -> Response:
        """POST /admin-api; everything else is not there."""
        if request.path != "/admin-api" or request.method != "POST":
            return json_response({"statusCode": 404, "message": f"Cannot {request.method} {request.path}"}, 404)
        try:
            body = request.json()
        except ValueError:
            return json_response({"errors": [{"message": "Bad Request", "extensions": {"code": "BAD_REQUEST"}}]}, 400)
        if self.faults.cut_next > 0 and _later_page(body):
            self.faults.cut_next -= 1
            self.faults.spend("cut")
            return Response(500, {}, b"internal error")
        token = f"session-{self._logins + 1}"
        admin = AdminRoutes(self.shop, self.orders, self._sign_in, self._make_key, token)
        return admin.answer(body, self._signed_in(request))

    def is_write(self, request: Request) -> bool:
        """A mutation other than signing in."""
        return bool(set(self._mutations(request)) - {"login"})

    def lists(self, request: Request) -> bool:
        """A page of things or orders by their order; by id they are asked for with a filter."""
        try:
            options = request.json()["variables"]["options"]
        except (ValueError, KeyError, TypeError):
            return False
        return isinstance(options, dict) and "skip" in options and "id" not in (options.get("filter") or {})

    def _mutations(self, request: Request) -> list[str]:
        try:
            operation = read_document(str(request.json().get("query", "")))
        except (ValueError, AttributeError, DocumentError):
            return []
        return [one.name for one in operation.chosen] if operation.kind == "mutation" else []

    def unauthorized(self) -> Response:
        """The guard's refusal: HTTP 200, as all errors of a resolver."""
        error = {"message": FORBIDDEN, "path": ["activeChannel"], "extensions": {"code": "FORBIDDEN"}}
        return json_response({"errors": [error], "data": None})

    def whole_state(self) -> Plain:
        """The shop's state."""
        return {**{name: getattr(self.shop, name) for name in STATE}, "orders": self.orders.kept}

    def put_state(self, state: Plain) -> None:
        """Another state in its place; ids that were used stay used."""
        used = self.shop.last_ids
        for name in STATE:
            setattr(self.shop, name, state[name])
        self.shop.last_ids = used
        self.orders.kept = state["orders"]

    def ignored(self, request: Request) -> Response:
        """The success-shaped answer of a write that changes nothing: what is still there, and no event."""
        if "updateProductVariants" not in self._mutations(request):
            return super().ignored(request)
        self.shop.deaf = True
        try:
            return self.route(request)
        finally:
            self.shop.deaf = False

    def end_sign_ins(self) -> bool:
        self.end_sessions()
        return not self._keys

    def end_sessions(self) -> None:
        """Everybody who signed in with a password must do so again."""
        self._sessions.clear()

    def _signed_in(self, request: Request) -> bool:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        return bearer in self._sessions or request.headers.get("vendure-api-key", "") in self._keys

    def _sign_in(self, username: str, password: str) -> bool:
        secrets, settings = self.CHANNEL["secrets"], self.CHANNEL["settings"]
        if username != self.options.get("username", settings["username"]):
            return False
        if password != self.options.get("password", secrets["password"]):
            return False
        self._logins += 1
        self._sessions.add(f"session-{self._logins}")
        return True

    def _make_key(self) -> str:
        made = f"made-up-api-key-{len(self._keys) + 1}"
        self._keys.add(made)
        return made

    def _event(self, name: str, said: dict[str, Plain]) -> None:
        """What the plugin posts: the event's plain columns, signed over the body's bytes."""
        body = body_json({"event": name, "createdAt": iso(self.micros()), **said})
        secret = self.options.get("hook_secret", self.CHANNEL["secrets"]["hook_secret"])
        headers = {"content-type": "application/json", "x-vendure-event": name, "x-signature": sign(secret, body, "hex")}
        self.tell(headers, body)

    # the hands of people

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
        """A product with one variant, its stock tracked and 0; Vendure's core has no barcode, and its links are slugs."""
        shop = self.shop
        product = shop.add_product(title, "".join(one if one.isalnum() else "-" for one in sku.lower()), text, True, picture)
        minor = hundredths(price)
        given = {"productId": str(product.id), "sku": sku, "price": minor, "trackInventory": "TRUE"}
        variant = shop.create_variants([{**given, "translations": [{"languageCode": "en", "name": title}]}])[0]
        return str(variant.id)

    def count(self, sku: str, pieces: int, place: str = "") -> None:
        """A person types stock on hand into the admin, which sends the same mutation as everybody."""
        levels = [{"stockLocationId": place or self._first_place(), "stockOnHand": pieces}]
        self.shop.update_variants([{"id": str(self._variant(sku).id), "stockLevels": levels}])

    def set_price(self, sku: str, amount: Decimal) -> None:
        """A person types a price into the admin."""
        prices = [{"currencyCode": self.shop.currency, "price": hundredths(amount)}]
        self.shop.update_variants([{"id": str(self._variant(sku).id), "prices": prices}])

    def sell(self, sku: str, pieces: int, place: str = "") -> int:
        """What a paid order does to the stock, without the order: allocates at most `pieces` of what is there, says how many."""
        variant, place = self._variant(sku), place or self._first_place()
        level = variant.levels[place]
        sold = min(pieces, max(0, level.on_hand - level.allocated))
        if sold:
            self.shop.moved(variant, place, "Allocation", "ALLOCATION", sold, allocated=sold)
        return sold

    def fulfil(self, sku: str, pieces: int, place: str = "") -> None:
        """A fulfilment is made: on hand and allocated fall together."""
        variant, place = self._variant(sku), place or self._first_place()
        self.shop.moved(variant, place, "Sale", "SALE", -pieces, on_hand=-pieces, allocated=-pieces)

    def remove_item(self, sku: str) -> None:
        """A person deletes the variant."""
        self.shop.delete_variant(self._variant(sku))

    def withdraw(self, sku: str) -> None:
        """A person takes it off the shop: its product is switched off."""
        self.enable_product(sku, False)

    def sell_again(self, sku: str) -> None:
        """A person switches its product on again."""
        self.enable_product(sku, True)

    def enable_product(self, sku: str, enabled: bool) -> None:
        """A person switches the product on or off: the product's updatedAt moves, its variants' does not."""
        product = self._product(sku)
        product.enabled, product.updated_at = enabled, self.micros() // 1000 * 1000
        below = [str(one.id) for one in self.shop.variants.values() if one.product == product.id and not one.deleted]
        self._event("ProductEvent", {"entity": {"id": product.id, "enabled": enabled}, "type": "updated", "variants": below})

    def shown(self) -> dict[str, dict[str, Any]]:
        """By SKU what a customer sees: pieces that may be bought by stock location id, price as entered, state, title."""
        truth: dict[str, dict[str, Any]] = {}
        products, currency = self.shop.products, self.shop.currency
        for one in self.shop.variants.values():
            active = one.enabled and products[one.product].enabled
            minor = one.prices.get(currency)
            truth[one.sku] = {
                "stock": {place: level.on_hand - level.allocated for place, level in one.levels.items()},
                "price": None if minor is None else amount_of(minor),
                "currency": currency,
                "state": "gone" if one.deleted else "active" if active else "inactive",
                "title": one.name,
            }
        return truth

    def _first_place(self) -> str:
        return next(iter(self.shop.locations))

    def _variant(self, sku: str) -> Variant:
        for one in self.shop.variants.values():
            if one.sku == sku and not one.deleted:
                return one
        raise KeyError(sku)

    def _product(self, sku: str) -> Product:
        return self.shop.products[self._variant(sku).product]


def _later_page(body: Plain) -> bool:
    variables = body.get("variables") if isinstance(body, dict) else None
    options = variables.get("options") if isinstance(variables, dict) else None
    return isinstance(options, dict) and bool(options.get("skip"))
