"""A catalogue in small: cursors, asynchronous batches with per-item errors, usage limits, signed webhooks.

Where a fact is not confirmed it is the stricter one: prices are printed for people, a batch with an id twice is refused
whole, filters do not mind case, and a person's edits are never announced.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.meta import sandbox_items as rules
from hub.sdk.api import Plain, Request, Response, SandboxBase, body_json, json_response, sign

ITEMS_MAX: Final = 5_000
PAYLOAD_BYTES_MAX: Final = 28_000_000
LIMIT_DEFAULT: Final = 25
LIMIT_MAX: Final = 1_000
FILTER_IDS_MAX: Final = 1_000
JOBS_KEPT_MAX: Final = 2_000
BATCH_SECONDS: Final = (1.0, 3.0)
MINUTE: Final = 60_000_000
DEFAULTS: Final[Mapping[str, str]] = {
    "catalog_id": "1029384756",
    "business_id": "5647382910",
    "currency": "DKK",
    "access_token": "made-access-token",
    "app_secret": "made-app-secret",
    "verify_token": "made-verify-token",
    "validation": "status",
    "require_proof": "false",
    "calls_per_minute": "200",
}


class GraphError(Exception):
    """An error answer of the platform."""

    def __init__(self, code: int, message: str, *, status: int = 400, subcode: int = 0) -> None:
        super().__init__(message)
        self.code, self.status, self.subcode = code, status, subcode


class Sandbox(SandboxBase):
    """One app, one system user, one catalogue.

    Options: the settings and secrets below by name; `validation` ("status": errors come with the finished batch; "answer":
    bad entries are named at once and nothing of their request is taken), `require_proof` ("true"), `calls_per_minute`.
    """

    CHANNEL: ClassVar[dict[str, dict[str, str]]] = {
        "settings": {
            "catalog_id": DEFAULTS["catalog_id"],
            "currency": DEFAULTS["currency"],
            "tax": "included",
            "brand": "Made",
            "condition": "new",
            "link_base": "https://shop.example/items/",
            "picture_default": "https://shop.example/picture.jpg",
        },
        "secrets": {name: DEFAULTS[name] for name in ("access_token", "app_secret", "verify_token")},
        "places": {},
    }
    dated_waits = False
    secret_names = ("access_token", "app_secret", "verify_token")

    def started(self) -> None:
        self.options = {**DEFAULTS, **self.options}
        self._ignoring = False
        self.items: dict[str, rules.Item] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self._waiting: list[str] = []
        """Handles of the jobs that have not taken effect yet: nearly all that are kept have."""
        self.made = 0
        self.batch_calls: list[int] = []

    def whole_state(self) -> Plain:
        """Items, batches and counts."""
        return [self.items, self.jobs, self.made, self.batch_calls]

    def put_state(self, state: Plain) -> None:
        """Others in their place."""
        self.items, self.jobs, self.made, self.batch_calls = state
        self._waiting = [handle for handle, job in self.jobs.items() if not job["done"]]

    # the public interface

    def is_write(self, request: Request) -> bool:
        """Every POST means to change something."""
        return request.method != "GET"

    def route(self, request: Request) -> Response:
        """The Graph API's answer."""
        self.settle()
        try:
            asked = self._asked(request)
            self._signed_in(request, asked)
            parts = [part for part in request.path.split("/") if part]
            if parts and parts[0].startswith("v") and "." in parts[0]:
                parts = parts[1:]
            if not parts or parts[0] != self.options["catalog_id"]:
                raise GraphError(100, "Unsupported request. The object does not exist or cannot be loaded", subcode=33)
            return self._edge(request, parts[1:], asked)
        except GraphError as error:
            return self._error(error)

    def _edge(self, request: Request, edge: list[str], asked: Mapping[str, Plain]) -> Response:
        match (request.method, *edge):
            case ("GET", "products"):
                return self._answer_with_usage(self._products(request, asked))
            case ("GET", "check_batch_request_status"):
                return self._answer_with_usage(self._status(asked))
            case ("POST", "items_batch"):
                return self._answer_with_usage(self._items_batch(request, asked))
            case ("GET",):
                return self._answer_with_usage({"id": self.options["catalog_id"], "name": "Made catalogue"})
        raise GraphError(2500, "Unknown path components")

    def lists(self, request: Request) -> bool:
        return request.method == "GET" and request.path.endswith("/products") and "filter" not in request.query

    def unauthorized(self) -> Response:
        """An expired token."""
        return self._error(GraphError(190, "Error validating access token: the session has expired", subcode=463))

    def throttled(self, retry_after: str | None) -> Response:
        """Too many batches; the wait is told in whole minutes in a usage header, and shorter ones are not told."""
        minutes = int(float(retry_after or 0)) // 60
        answer = self._error(GraphError(80_014, "There have been too many calls for the batch uploads to this catalog account"))
        return Response(answer.status, {**answer.headers, **self._usage(100, minutes)}, answer.body)

    def ignored(self, request: Request) -> Response:
        """A batch that is taken and finishes without an error, and changes nothing."""
        self._ignoring = True
        try:
            return self.route(request)
        finally:
            self._ignoring = False

    def _asked(self, request: Request) -> dict[str, Plain]:
        asked: dict[str, Plain] = dict(request.query)
        if request.method == "GET":
            return asked
        if len(request.body) > PAYLOAD_BYTES_MAX:
            raise GraphError(1, "Please reduce the amount of data you're asking for, then retry your request")
        try:
            if request.headers.get("content-type", "").startswith("application/json"):
                body = request.json()
                return {**asked, **body} if isinstance(body, dict) else asked
            form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
            return {**asked, **form, **({"requests": json.loads(form["requests"])} if "requests" in form else {})}
        except ValueError:
            raise GraphError(100, "The request body is no JSON") from None

    def _signed_in(self, request: Request, asked: Mapping[str, Plain]) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ") or str(asked.get("access_token", ""))
        if not hmac.compare_digest(given.encode(), self.options["access_token"].encode()):
            raise GraphError(190, f"Malformed access token {given}")
        proof, wanted = str(asked.get("appsecret_proof", "")), sign(self.options["app_secret"], given.encode(), "hex")
        if (proof or self.options["require_proof"] == "true") and not hmac.compare_digest(proof, wanted):
            raise GraphError(100, "Invalid appsecret_proof provided in the API argument")

    def _error(self, error: GraphError) -> Response:
        trace = f"T{self.random.getrandbits(48):012x}"
        said: dict[str, Plain] = {"message": f"(#{error.code}) {error}", "type": "OAuthException", "code": error.code}
        if error.subcode:
            said["error_subcode"] = error.subcode
        return json_response({"error": {**said, "fbtrace_id": trace}}, error.status, {"x-fb-trace-id": trace})

    def _answer_with_usage(self, value: Plain) -> Response:
        share = len(self._recent_batches()) * 100 // int(self.options["calls_per_minute"])
        headers = {"x-fb-trace-id": f"T{self.random.getrandbits(48):012x}", **self._usage(share, 0)}
        return json_response(value, 200, headers)

    def _recent_batches(self) -> list[int]:
        self.batch_calls = [at for at in self.batch_calls if self.clock.now() - at < MINUTE]
        return self.batch_calls

    def _usage(self, share: int, minutes: int) -> dict[str, str]:
        row = {"type": "catalog_batch", "call_count": share, "total_cputime": 1, "total_time": 1}
        told = {self.options["business_id"]: [{**row, "estimated_time_to_regain_access": minutes}]}
        return {"x-business-use-case-usage": json.dumps(told), "x-app-usage": '{"call_count":1,"total_cputime":1,"total_time":1}'}

    # reading

    def _products(self, request: Request, asked: Mapping[str, Plain]) -> Plain:
        after = str(asked.get("after", ""))
        if after and self.faults.cut_next > 0:
            self.faults.cut_next -= 1
            self.faults.spend("cut")
            raise GraphError(2, "Service temporarily unavailable", status=500)
        fields = [name for name in str(asked.get("fields", "id,retailer_id")).split(",") if name]
        limit = self._limit(asked)
        rows = self._filtered(str(asked.get("filter", "")))
        start = self._position(after)
        page = [item for item in rows if int(item["node"]) > start] if start else rows
        answer: dict[str, Plain] = {"data": [self._node(item, fields) for item in page[:limit]]}
        if page:
            cursors = {"before": _cursor(page[0]), "after": _cursor(page[:limit][-1])}
            answer["paging"] = {"cursors": cursors}
            if len(page) > limit:
                # The real address repeats the token of the call, whichever way it came.
                query = {**request.query, "access_token": self.options["access_token"], "after": cursors["after"]}
                answer["paging"]["next"] = f"{request.host}{urlsplit(request.url).path}?{urlencode(query)}"
        if str(asked.get("summary", "")).lower() in ("true", "1", "total_count"):
            answer["summary"] = {"total_count": len(rows)}
        return answer

    def _limit(self, asked: Mapping[str, Plain]) -> int:
        try:
            limit = int(asked.get("limit", LIMIT_DEFAULT))
        except ValueError:
            raise GraphError(100, "Param limit must be an integer") from None
        if limit < 1:
            raise GraphError(100, "Param limit must be greater than 0")
        return min(limit, LIMIT_MAX)

    def _filtered(self, text: str) -> list[rules.Item]:
        # Nodes are numbered as items are made, so they already stand in this order.
        everything = list(self.items.values())
        if not text:
            return everything
        try:
            wanted = json.loads(text)["retailer_id"]
            ids = wanted["is_any"] if "is_any" in wanted else [wanted["eq"]]
            alike = {str(one).casefold() for one in ids}
        except (ValueError, KeyError, TypeError):
            raise GraphError(100, "Invalid filter") from None
        if len(ids) > FILTER_IDS_MAX:
            raise GraphError(100, "Invalid filter: too many values")
        return [item for item in everything if item["id"].casefold() in alike]

    def _position(self, after: str) -> int:
        try:
            return int(base64.urlsafe_b64decode(after.encode()).decode()) if after else 0
        except ValueError:
            raise GraphError(100, "Invalid cursor") from None

    def _node(self, item: rules.Item, fields: list[str]) -> rules.Item:
        whole = rules.node(item)
        for name in fields:
            if name not in rules.NODE_FIELDS:
                raise GraphError(100, f"Tried accessing nonexistent field ({name}) on node type (ProductItem)")
        return {name: whole[name] for name in ["id", *fields] if name in whole}

    # writing

    def _items_batch(self, request: Request, asked: Mapping[str, Plain]) -> Plain:
        if len(self._recent_batches()) >= int(self.options["calls_per_minute"]):
            raise GraphError(80_014, "There have been too many calls for the batch uploads to this catalog account")
        self.batch_calls.append(self.clock.now())
        if asked.get("item_type") != "PRODUCT_ITEM":
            raise GraphError(100, "Param item_type must be one of the item types of this catalogue")
        entries = asked.get("requests")
        if not isinstance(entries, list) or not 0 < len(entries) <= ITEMS_MAX:
            raise GraphError(100, f"Param requests must hold 1 to {ITEMS_MAX} items")
        for entry in entries:
            self._shaped(entry)
        ids = [entry["data"]["id"] for entry in entries]
        if len(set(ids)) != len(ids):
            raise GraphError(100, "Param requests holds an item id twice")
        upsert = str(asked.get("allow_upsert", "true")).lower() != "false"
        validation = []
        if self.options["validation"] == "answer":
            told = [(one["data"]["id"], *self._faults(one, upsert)) for one in entries]
            validation = [
                {"retailer_id": ident, "errors": [{"message": words} for words in bad], "warnings": []}
                for ident, bad, _ in told
                if bad
            ]
        if validation:
            return {"handles": [], "validation_status": validation}
        return {"handles": [self._job(entries, upsert)], "validation_status": validation}

    def _shaped(self, entry: Plain) -> None:
        shaped = isinstance(entry, dict) and entry.get("method") in ("CREATE", "UPDATE", "DELETE")
        ident = entry["data"].get("id") if shaped and isinstance(entry.get("data"), dict) else None
        if not isinstance(ident, str) or not 0 < len(ident) <= rules.ID_CHARS_MAX:
            raise GraphError(100, "Param requests: each has a method and data with an id")

    def _faults(self, entry: Mapping[str, Plain], upsert: bool) -> tuple[list[str], list[str]]:
        method, known = entry["method"], entry["data"]["id"] in self.items
        errors, warnings = rules.faults_of(method, entry["data"], known and method != "CREATE", self.options["currency"])
        if method == "CREATE" and known:
            errors.append("An item with this id exists already")
        if method != "CREATE" and not known and not (upsert and method == "UPDATE"):
            errors = ["There is no item with this id"]
        return errors, warnings

    def _job(self, entries: list[Plain], upsert: bool) -> str:
        handle = "Ac" + base64.urlsafe_b64encode(self.random.randbytes(36)).decode().rstrip("=")
        low, high = BATCH_SECONDS
        due = self.clock.now() + round((low + (high - low) * self.random.random()) * 1_000_000)
        if len(self.jobs) >= JOBS_KEPT_MAX:
            self.jobs.pop(next(iter(self.jobs)))
        self.jobs[handle] = {
            "entries": entries, "upsert": upsert, "posted": self.clock.now(), "due": due,
            "ignored": self._ignoring, "done": False, "errors": [], "warnings": [],
        }  # fmt: skip
        self._waiting.append(handle)
        return handle

    def settle(self) -> None:
        """Let every batch take effect whose time has come."""
        now = self.clock.now()
        due = sorted((self.jobs[one]["due"], one) for one in self._waiting if one in self.jobs and self.jobs[one]["due"] <= now)
        for _, handle in due:
            self._waiting.remove(handle)
            self._finish(handle, self.jobs[handle])

    def _finish(self, handle: str, job: dict[str, Any]) -> None:
        job["done"] = True
        for line, entry in enumerate(job["entries"] if not job["ignored"] else []):
            ident = entry["data"]["id"]
            errors, warnings = self._faults(entry, job["upsert"])
            job["errors"] += [{"line": line, "id": ident, "message": words} for words in errors]
            job["warnings"] += [{"line": line, "id": ident, "message": words} for words in warnings]
            if errors:
                continue
            if entry["method"] == "DELETE":
                del self.items[ident]
            else:
                rules.save(self._item(ident), entry["data"])
        job["entries"] = []
        value = {"catalog_id": self.options["catalog_id"], "handle": handle, "status": "finished"}
        self._tell("items_batch", value)

    def _item(self, ident: str) -> rules.Item:
        if ident not in self.items:
            self.made += 1
            self.items[ident] = {"node": str(7_000_000_000 + self.made), "id": ident, "status": "active"}
        return self.items[ident]

    def _status(self, asked: Mapping[str, Plain]) -> Plain:
        handle = str(asked.get("handle", ""))
        if handle not in self.jobs:
            raise GraphError(100, "Param handle is not known")
        job = self.jobs[handle]
        begun = self.clock.now() - job["posted"] > (job["due"] - job["posted"]) // 2
        told: dict[str, Plain] = {
            "handle": handle,
            "status": "finished" if job["done"] else "started" if begun else "dispatched",
            "errors": job["errors"],
            "errors_total_count": len(job["errors"]),
            "warnings": job["warnings"],
            "warnings_total_count": len(job["warnings"]),
            "ids_of_invalid_requests": [],
        }
        if str(asked.get("load_ids_of_invalid_requests", "")).lower() == "true":
            told["ids_of_invalid_requests"] = sorted({error["id"] for error in job["errors"]})
        named = [name for name in str(asked.get("fields", "")).split(",") if name]
        return {"data": [{name: told[name] for name in named or told if name in told}]}

    # deliveries

    def _tell(self, field: str, value: Plain) -> None:
        change = {"field": field, "value": value}
        entry = {"id": self.options["catalog_id"], "time": self.clock.now() // 1_000_000, "changes": [change]}
        body = body_json({"object": "catalog", "entry": [entry]})
        signature = "sha256=" + sign(self.options["app_secret"], body, "hex")
        self.tell({"content-type": "application/json", "x-hub-signature-256": signature}, body)

    def verification(self, challenge: str) -> Request:
        """The request with which a subscription is made: its answer must be the challenge."""
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self.options["verify_token"]}
        return Request("GET", f"{self.hook_url}?{urlencode(query)}", {})

    # hands: what a person does in the commerce manager (never announced)

    def add_item(
        self, sku: str, title: str, *, price: Decimal, barcode: str = "", text: str = "", picture: str = "",
        link: str = "", category: str = "",
    ) -> str:  # fmt: skip
        """Add an item by hand, with none for sale yet; gives its listing id."""
        said = {
            "title": title, "description": text or title, "condition": "new", "brand": "Made", "gtin": barcode,
            "price": f"{price:.2f} {self.options['currency']}", "link": link or f"https://shop.example/items/{sku}",
            "image_link": picture or "https://shop.example/picture.jpg", "product_type": category,
            "quantity_to_sell_on_facebook": 0, "availability": "out of stock",
        }  # fmt: skip
        rules.save(self._item(sku), said)
        return sku

    def count(self, sku: str, pieces: int, place: str = "") -> None:
        """Set the figure by hand."""
        said = {"quantity_to_sell_on_facebook": pieces, "availability": "in stock" if pieces > 0 else "out of stock"}
        self._by_hand(sku, said)

    def set_price(self, sku: str, amount: Decimal) -> None:
        """Set the price by hand."""
        self._by_hand(sku, {"price": f"{amount:.2f} {self.options['currency']}"})

    def set_sale(self, sku: str, amount: Decimal | None) -> None:
        """Set a sale price by hand, or end it."""
        self._by_hand(sku, {"sale_price": f"{amount:.2f} {self.options['currency']}" if amount is not None else ""})

    def set_availability(self, sku: str, word: str) -> None:
        """Set the availability by hand, the figure beside it stays."""
        self._by_hand(sku, {"availability": word})

    def hide(self, sku: str) -> None:
        """Archive an item by hand."""
        self._by_hand(sku, {"status": "archived"})

    def remove_item(self, sku: str) -> None:
        """Delete an item by hand."""
        self.settle()
        del self.items[sku]

    def sell(self, sku: str, pieces: int, place: str = "") -> None:
        """Never: nothing is sold on the platform itself."""
        raise NotImplementedError("orders are placed on the merchant's own site")

    def take_back(self, sku: str, pieces: int, place: str = "") -> None:
        """Never: nothing is sold on the platform itself."""
        raise NotImplementedError("orders are placed on the merchant's own site")

    def _by_hand(self, sku: str, said: Mapping[str, Plain]) -> None:
        self.settle()
        rules.save(self.items[sku], said)

    def shown(self) -> dict[str, dict[str, Plain]]:
        """The catalogue's own truth: what a customer sees, by SKU."""
        self.settle()
        return {
            sku: {
                "stock": {"": rules.sellable(item)},
                "price": rules.amount(item),
                "currency": self.options["currency"],
                "state": "active" if item["status"] == "active" else "inactive",
                "title": item.get("title", ""),
            }
            for sku, item in self.items.items()
        }


def _cursor(item: rules.Item) -> str:
    return base64.urlsafe_b64encode(str(item["node"]).encode()).decode()
