"""A small Tryton: one database with a company, two warehouses and whatever its people put into it.

Facts and sentences are those of 8.2.1; what the connector does not use answers as an unknown method does.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Final

from connectors.tryton import sandbox_models as models
from connectors.tryton import sandbox_sales as sales
from connectors.tryton.sandbox_desk import SalesDesk
from connectors.tryton.sandbox_wire import (
    PLAIN_CHARS_MAX,
    Fault,
    StatusError,
    compact,
    decoded,
    encoded,
    naive,
    page,
    price,
    timestamp,
)
from hub.sdk.api import Plain, Request, Response, SandboxBase, json_response
from hub.sdk.wire import NoAnswerError

SESSION_SECONDS_MAX: Final = 30 * 86_400
STORES_MAX: Final = 100
TICK_MICROS: Final = 100
"""Transactions never share a time: `_timestamp` has only ten microseconds' resolution."""
PREFERENCES: Final = {
    "company_filter": "one", "employees": [], "companies": [1], "company": 1, "company.rec_name": "Made Company",
    "language": "en", "language_direction": "ltr", "administrator": 0, "groups": [1, 2, 3, 4],
    "locale": {
        "date": "%m/%d/%Y", "grouping": [3, 3, 0], "decimal_point": ".", "thousands_sep": ",", "mon_grouping": [3, 3, 0],
        "mon_decimal_point": ".", "mon_thousands_sep": ",", "p_sign_posn": 1, "n_sign_posn": 1, "positive_sign": "",
        "negative_sign": "-", "p_cs_precedes": 1, "n_cs_precedes": 1, "p_sep_by_space": 0, "n_sep_by_space": 0,
    },
}  # fmt: skip
WRITES: Final = (
    "create", "write", "delete", "confirm", "cancel", "quote", "process", "draft", "wait", "assign_try", "assign_force", "pick",
    "pack", "ship", "do",
)  # fmt: skip


class Sandbox(SalesDesk, SandboxBase):
    """The ERP's JSON-RPC in small."""

    secret_names = ("password",)
    CHANNEL: ClassVar[dict[str, dict[str, str]]] = {
        "settings": {
            "database": "shop",
            "username": "hub",
            "currency": "DKK",
            "price_tax": "excluded",
            "product_filter": "[]",
            "shipping_product": "",
            "other_product": "",
            "invoice_method": "fulfillment",
            "payment_term": "",
        },
        "secrets": {"password": "made-password-of-the-hub"},
        "places": {"warehouse": "3"},
    }

    full_tax = "1"

    own_places = tuple(str(each) for each in (3, 11, *range(14, 14 + 3 * STORES_MAX, 3)))
    """The storage zone, the shelf in the store, and the shelves of so many stores more."""

    def started(self) -> None:
        """An empty database; options replace the channel's settings and secrets of the same names."""
        defaults = {**self.CHANNEL["settings"], **self.CHANNEL["secrets"]}
        self.known = {name: self.options.get(name, default) for name, default in defaults.items()}
        self.sessions: dict[str, int] = {}
        self.busy_next = 0
        """Writes answered with 503 after the transaction was undone, as PostgreSQL makes it happen."""
        self._last = 0
        self._now = naive(0)
        self._begin()
        rate = Decimal(self.options.get("tax_percent", "25")) / 100
        self.books = sales.SalesBooks(lambda: self._now, self.known["currency"], rate)
        for place in self.options.get("locations", "").split(","):
            if place and int(place) not in self.books.tables[models.LOCATION]:
                self.books.open_store(int(place))

    # the seam

    def is_write(self, request: Request) -> bool:
        """Whether the method changes records."""
        try:
            method = str(request.json()["method"])
        except (ValueError, KeyError, TypeError):
            return False
        return method.startswith("model.") and method.rpartition(".")[2] in WRITES

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """As a transport gives it: a long answer that was not asked for gzipped cannot be decoded."""
        answer = super().send(request, deadline_seconds, answer_bytes_max)
        asked = request.headers.get("accept-encoding", "")
        if "json" in answer.headers.get("content-type", "") and len(answer.body) > PLAIN_CHARS_MAX and "gzip" not in asked:
            raise NoAnswerError("no answer: its encoding is broken")
        return answer

    def route(self, request: Request) -> Response:
        """The answer to one call."""
        try:
            body = request.json()
            method, params = str(body["method"]), decoded(body["params"])
        except (ValueError, KeyError, TypeError):
            return page(400)
        enveloped = set(body) == {"id", "method", "params"}
        try:
            result = self._call(request, method, params)
        except StatusError as bad:
            return self.unauthorized() if bad.status == 401 and method != "common.db.login" else page(bad.status)
        except Fault as bad:
            if not enveloped:
                return page(400)
            return json_response({"id": body["id"], "error": bad.said})
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as bad:
            # What they did not foresee they report as its bare words.
            return json_response({"id": body["id"], "error": [str(bad), ""]}) if enveloped else page(400)
        said = encoded(result)
        return Response(
            200, {"content-type": "application/json"}, compact({"id": body["id"], "result": said} if enveloped else said)
        )

    def unauthorized(self) -> Response:
        """A session that is not (or no longer) theirs."""
        return Response(401, {"www-authenticate": 'Basic realm="Tryton"', "content-type": "text/plain; charset=utf-8"}, b"")

    def throttled(self, retry_after: str | None) -> Response:
        """The page for who asks too often."""
        return page(429, {"retry-after": retry_after} if retry_after else {})

    def end_sign_ins(self) -> bool:
        self.sessions.clear()
        return True

    def whole_state(self) -> Plain:
        """The records; sessions and the time stay as they are."""
        return self.books.kept

    def put_state(self, state: Plain) -> None:
        """Other records in their place."""
        self.books.kept = state

    # calls

    def _begin(self) -> None:
        self._last = max(self.micros(), self._last + TICK_MICROS)
        self._now = naive(self._last)
        if hasattr(self, "books"):
            self.books.begin()

    def _run_queue(self) -> None:
        """Without workers of its own the platform works its queue off right after, in transactions of their own."""
        while self.books.queue:
            self._begin()
            self.books.run_queue()

    def _call(self, request: Request, method: str, params: list[Plain]) -> Plain:
        if request.path == "/rpc/" and method == "common.server.version":
            return "8.2"
        if request.path != f"/{self.known['database']}/rpc/":
            raise StatusError(404)
        if method == "common.db.login":
            return self._login(params)
        self._check_session(request.headers.get("authorization", ""))
        kind, _, rest = method.partition(".")
        model, _, verb = rest.rpartition(".")
        if kind != "model" or (model not in models.FIELDS and model != "res.user"):
            raise Fault(f"'{model or method}'", "")
        found = self._verbs(model).get(verb)
        if found is None:
            raise StatusError(403)
        if not params or not isinstance(params[-1], dict):
            raise StatusError(422)
        self._begin()
        if verb not in WRITES:
            return found(*params)
        if self.busy_next > 0:
            self.busy_next -= 1
            self.faults.spend("busy")
            raise StatusError(503)
        try:
            result = found(*(params if verb == "write" else params[:-1]))
        except Exception:
            # One call is one transaction.
            self.books.roll_back()
            self.books.queue.clear()
            raise
        self._run_queue()
        return result

    def _login(self, params: list[Plain]) -> Plain:
        user, given = params[0], params[1] if len(params) > 1 else {}
        if user != self.known["username"] or given != {"password": self.known["password"]}:
            raise StatusError(401)
        token = f"{self.random.getrandbits(256):064x}"
        self.sessions[token] = self.micros()
        return [1, token, None]

    def _check_session(self, header: str) -> None:
        scheme, _, coded = header.partition(" ")
        try:
            name, user, token = base64.b64decode(coded, validate=True).decode().split(":")
        except ValueError:
            raise StatusError(401) from None
        used = self.sessions.get(token)
        fresh = used is not None and self.micros() - used < SESSION_SECONDS_MAX * 1_000_000
        if scheme != "Session" or name != self.known["username"] or user != "1" or not fresh:
            raise StatusError(401)
        self.sessions[token] = self.micros()

    def _verbs(self, model: str) -> dict[str, Callable[..., Any]]:
        if model == "res.user":
            return {"get_preferences": lambda *_: PREFERENCES}
        books = self.books
        verbs: dict[str, Callable[..., Any]] = {
            "search": lambda domain, start, limit, order, context: [
                row["id"] for row in books.search(model, domain, order, context)[start : start + limit]
            ],
            "search_count": lambda domain, *rest: len(books.search(model, domain, None, rest[-1])),
            "search_read": lambda domain, start, limit, order, fields, context: [
                books.read(model, row, fields, context)
                for row in books.search(model, domain, order, context)[start : None if limit is None else start + limit]
            ],
            "read": lambda ids, fields, context: [books.read(model, row, fields, context) for row in books.rows(model, ids)],
        }
        makers: dict[str, Callable[[models.Row], int]] = {
            models.TEMPLATE: books.make_template,
            models.PRODUCT: books.make_product,
            models.INVENTORY: books.make_inventory,
            sales.PARTY: books.make_party,
            sales.ADDRESS: books.make_address,
            sales.SALE: books.make_sale,
        }
        if model in makers:
            verbs["create"] = lambda rows: [makers[model](dict(values)) for values in rows]
        if model in (models.TEMPLATE, models.PRODUCT):
            verbs["write"] = lambda *params: self._write(model, params)
            verbs["delete"] = lambda ids: self._delete(model, ids)
        if model == models.INVENTORY:
            verbs["confirm"] = lambda ids: self._each(books.confirm, ids)
            verbs["cancel"] = lambda ids: self._each(books.cancel, ids)
        if model in (sales.SALE, sales.SALE_LINE, sales.OUT, models.MOVE):
            verbs["write"] = lambda *params: self._write(model, params)
        pressed = {sales.SALE: books.press_sale, sales.OUT: books.press_out}.get(model)
        if pressed is not None:
            for verb in sales.BUTTONS[model]:
                verbs[verb] = lambda ids, verb=verb: self._each(lambda one: pressed(verb, one), ids)
        if model == models.MOVE:
            verbs["cancel"] = books.cancel_moves
        if model == sales.INVOICE:
            verbs["cancel"] = books.cancel_invoices
        if model == models.LINE:
            verbs["delete"] = lambda ids: books.delete_lines(ids)
        return verbs

    def _each(self, act: Callable[[int], None], ids: list[int]) -> None:
        for one in ids:
            act(one)

    def _write(self, model: str, params: tuple[Plain, ...]) -> None:
        locks = params[-1].get("_timestamp") or {}
        for ids, values in zip(params[0:-1:2], params[1:-1:2], strict=True):
            for row in self.books.rows(model, ids, "write to"):
                lock = locks.get(f"{model},{row['id']}")
                if lock is not None and lock != timestamp(row["write_date"] or row["create_date"]):
                    raise Fault("ConcurrencyException", "Records were modified in the meanwhile")
                self._put(model, row["id"], dict(values))

    def _put(self, model: str, number: int, values: models.Row) -> None:
        if model not in (models.TEMPLATE, models.PRODUCT):
            self.books.put(model, number, values)
            return
        for name in values:
            if name not in models.FIELDS[model] or (model == models.PRODUCT and name == "code"):
                raise Fault(f"'{name}'", "")
        if "list_price" in values:
            values["list_price"] = price(values["list_price"])
        self.books.change(model, number, values)
        row = self.books.tables[model][number]
        self.books.join_codes(number if model == models.TEMPLATE else row["template"])

    def _delete(self, model: str, ids: list[int]) -> None:
        self.books.rows(model, ids, "delete")
        for one in ids:
            if model == models.TEMPLATE:
                for number in self.books.children(models.PRODUCT, "template", one):
                    self.books.delete(models.PRODUCT, number)
            self.books.delete(model, one)

    # people

    def add_item(self, sku: str, title: str, *, price: Decimal, barcode: str = "", text: str = "", picture: str = "",
                 link: str = "", category: str = "") -> str:  # fmt: skip
        """A new product with one variant; pictures, links and web categories are not kept here. Gives the listing id."""
        self._begin()
        identifiers = [["create", [{"type": "ean", "code": barcode}]]] if barcode else []
        variant = {"description": text or None, "identifiers": identifiers}
        self.books.make_template(
            {"name": title, "code": sku, "default_uom": 1, "list_price": price, "products": [["create", [variant]]]}
        )
        return str(self._product(sku)["id"])

    def count(self, sku: str, pieces: int, place: str = "") -> None:
        """A person counts a location and confirms the stocktake."""
        self._begin()
        line = {"product": self._product(sku)["id"], "quantity": pieces}
        self.books.confirm(self.books.make_inventory({"location": self._place(place), "lines": [["create", [line]]]}))

    def sell(self, sku: str, pieces: int, place: str = "") -> None:
        """A shipment to a customer is done."""
        self._moved(sku, pieces, self._place(place), models.CUSTOMER)

    def take_back(self, sku: str, pieces: int, place: str = "") -> None:
        """A customer's return is received."""
        self._moved(sku, pieces, models.CUSTOMER, self._place(place))

    def receive(self, sku: str, pieces: int, place: str = "") -> None:
        """Goods arrive from a supplier."""
        self._moved(sku, pieces, models.SUPPLIER, self._place(place))

    def set_price(self, sku: str, amount: Decimal) -> None:
        """A person edits the list price: the variant's own where it has one, else the template's."""
        self._begin()
        row = self._product(sku)
        own = row["list_price"] is not None
        model, number = (models.PRODUCT, row["id"]) if own else (models.TEMPLATE, row["template"])
        self._put(model, number, {"list_price": amount})

    def withdraw(self, sku: str) -> None:
        """A person deactivates the product."""
        self._begin()
        self._put(models.TEMPLATE, self._product(sku)["template"], {"active": False})

    def sell_again(self, sku: str) -> None:
        """A person activates the product again."""
        self._begin()
        self._put(models.TEMPLATE, self._product(sku)["template"], {"active": True})

    def remove(self, sku: str) -> None:
        """A person deletes the product; nothing remains to poll."""
        self._delete(models.TEMPLATE, [self._product(sku)["template"]])

    def sign_out(self) -> None:
        """Every session has run out."""
        self.sessions.clear()

    def shown(self) -> dict[str, Plain]:
        """The truth by SKU: stock of each warehouse's storage zone, list price, state and title."""
        zones = [row["storage_location"] for row in self.books.tables[models.LOCATION].values() if row["storage_location"]]
        inside, today = {zone: self.books.within(zone) for zone in zones}, self._now.date()
        said: dict[str, Plain] = {}
        for row in self.books.tables[models.PRODUCT].values():
            template = self.books.tables[models.TEMPLATE][row["template"]]
            stock = {str(zone): int(self.books.held(row["id"], places, today)) for zone, places in inside.items()}
            said[row["code"]] = {
                "stock": stock,
                "price": self.books.price_of(row),
                "currency": self.known["currency"],
                "state": "active" if row["active"] and template["active"] else "inactive",
                "title": template["name"],
            }
        return said

    def _product(self, sku: str) -> models.Row:
        for row in self.books.tables[models.PRODUCT].values():
            if row["code"] == sku:
                return row
        raise KeyError(sku)

    def _place(self, place: str) -> int:
        return int(place) if place else models.STORAGE

    def _moved(self, sku: str, pieces: int, source: int, target: int) -> None:
        self._begin()
        self.books.move(self._product(sku)["id"], Decimal(pieces), source, target)
