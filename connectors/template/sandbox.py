"""Template in small: it keeps items, answers like the platform would, and tells its subscriber by signed deliveries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Final

from hub.sdk.api import Plain, Request, Response, SandboxBase, body_json, json_response, plain_decimal, sign

from .sandbox_orders import Order, OrderBook, RefusalError

SIZE_DEFAULT: Final = 20
SIZE_MAX: Final = 100
STOCK_MAX: Final = 1_000_000
WORDS: Final = ("title", "text", "picture", "link", "category")
STATES: Final = {"on_sale": "active", "off_sale": "inactive", "deleted": "gone"}


@dataclass(slots=True)
class Item:
    """One item, as the platform keeps it."""

    id: str
    sku: str
    barcode: str
    title: str
    text: str
    picture: str
    link: str
    category: str
    state: str
    amount: Decimal
    stock: int
    version: int
    changed: int


class Sandbox(OrderBook, SandboxBase):
    """One shop. Options: token, hook_secret, currency."""

    # What a channel must say to talk to a sandbox that was made without options.
    CHANNEL: ClassVar[dict[str, dict[str, str]]] = {
        "settings": {"tax": "included"},
        "secrets": {"token": "made-token-of-template", "hook_secret": "made-hook-secret-of-template"},
        "places": {},
    }
    secret_names = ("token", "hook_secret")

    def started(self) -> None:
        """An empty shop."""
        self.options = {**self.CHANNEL["secrets"], "currency": "DKK", **self.options}
        self.items: dict[str, Item] = {}
        self.orders: dict[str, Order] = {}
        self.moves: list[dict[str, Plain]] = []
        self.versions = 0
        self.deliveries = 0

    # the platform seen from outside

    def is_write(self, request: Request) -> bool:
        return request.method in ("PUT", "POST")

    def whole_state(self) -> Plain:
        return self.items, self.orders, self.moves

    def put_state(self, state: Plain) -> None:
        self.items, self.orders, self.moves = state

    def ignored(self, request: Request) -> Response:
        """Success in words, and the item as it was: nobody is told, because nothing happened."""
        kept, told = self.snapshot(), len(self.outbox)
        answer = self.route(request)
        self.restore(kept)
        while len(self.outbox) > told:
            self.outbox.pop()
        if answer.status != 200:
            return answer
        parts = request.path.strip("/").split("/")
        if parts[0] == "orders":
            return json_response(self.orders.get(parts[1], {}) if len(parts) > 1 else {})
        shown = self.items.get(parts[1])
        return json_response(self._shown(shown)) if shown is not None else answer

    def route(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization") != f"Bearer {self.options['token']}":
            return self.unauthorized()
        parts = request.path.strip("/").split("/")
        try:
            if parts[0] == "orders":
                return self._of_orders(parts, request)
            if len(parts) == 3 and parts[0] == "items" and parts[2] == "moves":
                return self._of_moves(parts[1], request)
            if parts == ["items"] and request.method == "GET":
                return self._page(request.query, "items", [self._shown(item) for item in self.items.values()])
            if len(parts) == 2 and parts[0] == "items" and request.method == "GET":
                return json_response(self._shown(self._item(parts[1])))
            writes: dict[str, Callable[[Item, dict[str, Plain]], None]] = {
                "stock": self._stock,
                "price": self._price,
                "listing": self._listing,
            }
            if len(parts) == 3 and parts[0] == "items" and request.method == "PUT" and parts[2] in writes:
                return self._write(parts[1], writes[parts[2]], request)
            raise RefusalError(404, "no such address")
        except RefusalError as refusal:
            return json_response({"error": str(refusal)}, refusal.status)

    def _of_orders(self, parts: list[str], request: Request) -> Response:
        if request.method != "GET":
            return json_response(self.write_order(parts, request.method, _object(request)))
        if len(parts) == 2:
            return json_response(self._order(parts[1]))
        reference = request.query.get("reference")
        return self._page(request.query, "orders", [one for one in self.orders.values() if reference in (None, one["reference"])])

    def _of_moves(self, ident: str, request: Request) -> Response:
        """What moved an item besides sales: each with the mark of whoever entered it."""
        item = self._item(ident)
        if request.method == "POST":
            body = _object(request)
            self.moves.append({"item": ident, "mark": str(body.get("mark")), "by": int(_number(body.get("by"), "by"))})
            item.stock += self.moves[-1]["by"]
            self._moved(item)
        return json_response({**self._shown(item), "moves": [one for one in self.moves if one["item"] == ident]})

    def _page(self, query: dict[str, str], key: str, listed: list[dict[str, Plain]]) -> Response:
        """Records by id, after the one that `page` names. New ones come last, so nothing moves to a page already read."""
        if query.get("page") and self.faults.cut_next > 0:
            self.faults.cut_next -= 1
            self.faults.spend("cut")
            return json_response({"error": "internal error"}, 500)
        try:
            size, since = int(query.get("size", SIZE_DEFAULT)), int(query.get("changed_since", 0))
        except ValueError:
            raise RefusalError(400, "size and changed_since are whole numbers") from None
        if not 1 <= size <= SIZE_MAX:
            raise RefusalError(400, f"size goes from 1 to {SIZE_MAX}")
        found = sorted((one for one in listed if one["changed"] >= since), key=lambda one: str(one["id"]))
        rest = [one for one in found if one["id"] > query.get("page", "")]
        page = rest[:size]
        following = page[-1]["id"] if len(rest) > size else None
        said: dict[str, Plain] = {key: page, "next": following, "total": len(found)}
        return json_response({**said, "now": self._now()})

    def _write(self, ident: str, write: Callable[[Item, dict[str, Plain]], None], request: Request) -> Response:
        item = self._item(ident)
        write(item, _object(request))
        self._moved(item)
        return json_response(self._shown(item))

    def _stock(self, item: Item, body: dict[str, Plain]) -> None:
        quantity = _number(body.get("quantity"), "quantity")
        if quantity != int(quantity) or not 0 <= quantity <= STOCK_MAX:
            raise RefusalError(422, f"quantity is a whole number from 0 to {STOCK_MAX}")
        item.stock = int(quantity)

    def _price(self, item: Item, body: dict[str, Plain]) -> None:
        amount = _number(body.get("amount"), "amount")
        if body.get("currency") != self.options["currency"]:
            raise RefusalError(422, f"currency is {self.options['currency']} in this shop")
        if amount < 0 or amount != round(amount, 2):
            raise RefusalError(422, "amount has two decimals and is not below 0")
        item.amount = amount

    def _listing(self, item: Item, body: dict[str, Plain]) -> None:
        for name, value in body.items():
            if name not in (*WORDS, "state") or not isinstance(value, str):
                raise RefusalError(422, f"{name[:40]}: not a text of a listing")
        if body.get("state", item.state) not in STATES:
            raise RefusalError(422, f"state is one of {', '.join(STATES)}")
        for name, value in body.items():
            setattr(item, name, value)

    def _item(self, ident: str) -> Item:
        item = self.items.get(ident)
        if item is None:
            raise RefusalError(404, "no such item")
        return item

    def _shown(self, item: Item) -> dict[str, Plain]:
        price = {"amount": plain_decimal(item.amount), "currency": self.options["currency"]}
        shown: dict[str, Plain] = {name: value for name, value in asdict(item).items() if name != "amount"}
        return {**shown, "price": price}

    def _now(self) -> int:
        return self.micros() // 1_000

    # deliveries

    def _moved(self, item: Item) -> None:
        """Every change has a version and a time, and is told; without the numbers, so whoever hears it must ask."""
        self.versions += 1
        item.version, item.changed = self.versions, self._now()
        self._told("items.changed", "items", item.id)

    def _told(self, topic: str, key: str, ident: str) -> None:
        self.deliveries += 1
        self._tell({"delivery": f"d-{self.deliveries:06d}", "topic": topic, key: [ident]})

    def _tell(self, said: dict[str, Plain]) -> None:
        body, stamp = body_json(said), str(self.micros() // 1_000_000)
        signature = sign(self.options["hook_secret"], stamp.encode() + body, "hex")
        headers = {"content-type": "application/json", "x-timestamp": stamp, "x-signature": signature}
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
        """A new item that is on sale, with nothing in stock; gives its id."""
        ident = f"i-{len(self.items) + 1:06d}"
        item = Item(ident, sku, barcode, title, text, picture, link, category, "on_sale", price, 0, 0, 0)
        self.items[ident] = item
        self._moved(item)
        return ident

    def count(self, sku: str, pieces: int, place: str = "") -> None:
        """A person types the stock."""
        item = self._of(sku)
        item.stock = pieces
        self._moved(item)

    def receive(self, sku: str, pieces: int, place: str = "") -> None:
        """Goods come in."""
        self.count(sku, self._of(sku).stock + pieces)

    def sell(self, sku: str, pieces: int, place: str = "") -> int:
        """A customer buys what is there, at most `pieces`; gives how many."""
        sold = min(pieces, self._of(sku).stock)
        self.receive(sku, -sold)
        return sold

    def take_back(self, sku: str, pieces: int, place: str = "") -> None:
        """A customer brings pieces back."""
        self.receive(sku, pieces)

    def set_price(self, sku: str, amount: Decimal) -> None:
        """A person types the price."""
        item = self._of(sku)
        item.amount = amount
        self._moved(item)

    def shown(self) -> dict[str, dict[str, Plain]]:
        """What customers see, by SKU."""
        return {
            item.sku: {
                "stock": {"": item.stock},
                "price": item.amount,
                "currency": self.options["currency"],
                "state": STATES[item.state],
                "title": item.title,
            }
            for item in self.items.values()
        }

    def _of(self, sku: str) -> Item:
        return next((item for item in self.items.values() if item.sku == sku), None) or _nobody(sku)


def _nobody(sku: str) -> Item:
    raise KeyError(sku)


def _object(request: Request) -> dict[str, Plain]:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RefusalError(400, "the body is no JSON object")
    return body


def _number(value: Plain, name: str) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise RefusalError(422, f"{name} is a number")
    return number
