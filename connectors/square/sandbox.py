"""Square in small: the HTTP side of one seller, with Square's limits, cursors, idempotency keys and error shapes.

Where Square's behaviour is not published, this one is the stricter (README.md lists where).
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import format_datetime
from typing import Any, Final

from connectors.square.objects import stamp
from connectors.square.sandbox_catalog import DEFAULT_TYPES
from connectors.square.sandbox_errors import RefusalError, list_of
from connectors.square.sandbox_inventory_api import InventoryApi
from connectors.square.sandbox_order_api import ORDERS_PATH
from connectors.square.sandbox_rules import time_of
from hub.sdk.api import Plain, Request, Response, json_response, moment

LIST_PAGE: Final = 100
PAGE_MAX: Final = 1_000
OBJECTS_PER_BATCH_MAX: Final = 1_000
OBJECTS_MAX: Final = 10_000
WRITES: Final = frozenset({"/v2/catalog/batch-upsert", "/v2/inventory/changes/batch-create", ORDERS_PATH})


class Sandbox(InventoryApi):
    """The seller of `sandbox_people`, as its public API answers."""

    # the platform

    def is_write(self, request: Request) -> bool:
        return request.path in WRITES or (request.method == "PUT" and request.path.startswith(f"{ORDERS_PATH}/"))

    def lists(self, request: Request) -> bool:
        """Items and counts by their last change; what was ordered is also searched to find one order."""
        try:
            asked = request.json()
        except ValueError:
            return False
        counts = request.path == "/v2/inventory/counts/batch-retrieve" and not asked.get("catalog_object_ids")
        return counts or request.path == "/v2/catalog/search"

    def whole_state(self) -> Plain:
        return self.catalog, self.ledger, self.orders, self.skus, self.keys, self._last

    def put_state(self, state: Plain) -> None:
        self.catalog, self.ledger, self.orders, self.skus, self.keys, self._last = state
        self.random = self.catalog.random

    def unauthorized(self) -> Response:
        return RefusalError("UNAUTHORIZED", "This request could not be authorized.", status=401).response()

    def throttled(self, retry_after: str | None) -> Response:
        answer = RefusalError("RATE_LIMITED", "Too many requests.", status=429).response()
        return Response(429, {**answer.headers, **({"retry-after": retry_after} if retry_after else {})}, answer.body)

    def ignored(self, request: Request) -> Response:
        """Success that changed nothing: the answer shows what is there, as Square's answers do."""
        kept, told = self.snapshot(), len(self.outbox)
        answer = self.route(request)
        self.restore(kept)
        while len(self.outbox) > told:
            self.outbox.pop()
        if answer.status >= 300:
            return answer
        body = answer.json()
        if "order" in body:
            kept_order = self.orders.kept.get(body["order"]["id"])
            return self._dated(json_response({"order": kept_order} if kept_order else {}))
        if "counts" in body:
            places = [(count["catalog_object_id"], count["location_id"]) for count in body["counts"]]
            return self._dated(json_response({"counts": self._counts(places), "changes": []}))
        return self._dated(json_response({"objects": [self.catalog.shown(one["id"]) for one in body["objects"]]}))

    def route(self, request: Request) -> Response:
        try:
            return self._dated(self._answer_of(request))
        except RefusalError as refusal:
            return self._dated(refusal.response())

    def _dated(self, answer: Response) -> Response:
        date = format_datetime(moment(self.micros()), usegmt=True)
        return Response(answer.status, {**answer.headers, "date": date}, answer.body)

    def _answer_of(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization") != f"Bearer {self.options['access_token']}":
            return self.unauthorized()
        version = headers.get("square-version", "")
        if version and (len(version) != 10 or not version.replace("-", "").isdigit()):
            raise RefusalError("INVALID_SQUARE_VERSION_FORMAT", "Square-Version must be a date.")
        route: Callable[[Any], Response] | None = {
            ("GET", "/v2/locations"): self._locations,
            ("GET", "/v2/catalog/list"): self._list,
            ("POST", "/v2/catalog/search"): self._search,
            ("POST", "/v2/catalog/batch-retrieve"): self._retrieve,
            ("POST", "/v2/catalog/batch-upsert"): self._upsert,
            ("POST", "/v2/inventory/counts/batch-retrieve"): self.read_counts,
            ("POST", "/v2/inventory/changes/batch-retrieve"): self.read_changes,
            ("POST", "/v2/inventory/changes/batch-create"): self.change_inventory,
            ("POST", "/v2/orders/search"): self.search_orders,
            ("POST", "/v2/orders/batch-retrieve"): self.retrieve_orders,
            ("POST", ORDERS_PATH): self.create_order,
        }.get((request.method, request.path)) or self.order_route(request)
        if route is None:
            raise RefusalError("NOT_FOUND", "Resource not found.", status=404)
        if request.method == "GET":
            return route(request.query)
        try:
            body = request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise RefusalError("EXPECTED_JSON_BODY", "The request body is not a JSON object.")
        return route(body)

    def _locations(self, query: Plain) -> Response:
        listed = [
            {"id": one, "name": one, "status": "ACTIVE", "country": "DK", "currency": self.options["currency"]}
            for one in self.locations
        ]
        return json_response({"locations": listed})

    # catalogue

    def _list(self, query: Plain) -> Response:
        types = tuple(query["types"].upper().split(",")) if query.get("types") else DEFAULT_TYPES
        found = [one for one in self._sorted(types) if not self.catalog.objects[one]["is_deleted"]]
        page, cursor = self._cut(found, LIST_PAGE, query, lambda ident: ident)
        return json_response({"objects": [self.catalog.shown(one) for one in page], **cursor})

    def _search(self, body: Plain) -> Response:
        types = tuple(list_of(body, "object_types", 20, required=False)) or DEFAULT_TYPES
        deleted = body.get("include_deleted_objects") is True
        # exclusive, and by the catalogue's own times
        after = time_of(body, "begin_time") // 1000 if body.get("begin_time") else -1
        objects = self.catalog.objects
        found = [
            one for one in self._sorted(types) if objects[one]["version"] > after and (deleted or not objects[one]["is_deleted"])
        ]
        limit = body.get("limit")
        size = limit if type(limit) is int and 1 <= limit <= PAGE_MAX else PAGE_MAX
        page, cursor = self._cut(found, size, body, lambda ident: ident)
        told = {"objects": [self.catalog.shown(one) for one in page], **cursor}
        if body.get("include_related_objects"):
            told["related_objects"] = self.catalog.related(page)
        return json_response({**told, "latest_time": stamp(self.catalog.version * 1000)})

    def _sorted(self, types: tuple[str, ...]) -> list[str]:
        return sorted(ident for ident, one in self.catalog.objects.items() if one["type"] in types)

    def _retrieve(self, body: Plain) -> Response:
        deleted = body.get("include_deleted_objects") is True
        asked = dict.fromkeys(list_of(body, "object_ids", PAGE_MAX))
        found = [one for one in asked if one in self.catalog.objects and (deleted or not self.catalog.objects[one]["is_deleted"])]
        told: dict[str, Plain] = {"objects": [self.catalog.shown(one) for one in found]}
        if body.get("include_related_objects"):
            told["related_objects"] = self.catalog.related(found)
        return json_response(told)

    def _upsert(self, body: Plain) -> Response:
        if self.catalog_busy_next > 0:
            self.catalog_busy_next -= 1
            return self.throttled(None)
        return self._once(body, self._upsert_batches)

    def _upsert_batches(self, body: Plain) -> tuple[int, Plain]:
        """Inner batches in order, each all or nothing; an error names the field, but not the batch."""
        batches = [list_of(one, "objects", OBJECTS_PER_BATCH_MAX) for one in list_of(body, "batches", OBJECTS_MAX)]
        if sum(map(len, batches)) > OBJECTS_MAX:
            raise RefusalError("ARRAY_LENGTH_TOO_LONG", f"More than {OBJECTS_MAX} objects.", "batches")
        written: list[str] = []
        refusals: list[RefusalError] = []
        for batch in batches:
            try:
                written += self.catalog.upsert(batch, self.micros())
            except RefusalError as refusal:
                refusals.append(refusal)
            self.worked_off()
        if not written:
            raise refusals[0]
        self._tell_catalog()
        told: dict[str, Plain] = {"objects": [self.catalog.shown(one) for one in written]}
        told["updated_at"] = stamp(self.catalog.version * 1000)
        if refusals:
            told["errors"] = [refusal.error for refusal in refusals]
        return 200, told
