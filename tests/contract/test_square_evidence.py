"""The small Square held to evidence: the published specification, the official SDK over real HTTP, and the judge."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jsonschema_rs
import pytest
from square_channel import AARHUS, FOLDER, HOOK, ODENSE, Channel, published, stocked

from connectors.square.judge import read_orders, read_shown
from connectors.square.objects import stamp
from connectors.square.sandbox import Sandbox
from hub.clock import ManualClock
from hub.flow import Change, Key, Outcome
from hub.sdk.wire import Request


class Specification:
    """The published OpenAPI document as JSON Schema: `nullable` said properly, unknown fields refused."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths = document["paths"]
        schemas = {name: self._schema(one) for name, one in document["components"]["schemas"].items()}
        # the document points at one schema that it does not hold
        schemas.setdefault("CatalogModifierToggleOverrideType", {})
        self.components = {"schemas": schemas}

    def _schema(self, one: Any) -> Any:
        if isinstance(one, list):
            return [self._schema(part) for part in one]
        if not isinstance(one, dict):
            return one
        plain = {name: self._schema(part) for name, part in one.items() if name not in ("nullable", "example", "examples")}
        if plain.get("type") == "object" and isinstance(plain.get("properties"), dict):
            plain.setdefault("additionalProperties", False)
        return {"anyOf": [plain, {"type": "null"}]} if one.get("nullable") is True else plain

    def check(self, reference: str, value: Any) -> None:
        """ValidationError when the value is not of this schema."""
        schema = {"$ref": reference, "components": self.components}
        jsonschema_rs.validator_for(schema).validate(value)

    def operation(self, request: Request) -> Any:
        """The published operation of a request; KeyError when there is none."""
        known = request.path if request.path in self.paths else request.path.rpartition("/")[0] + "/{order_id}"
        return self.paths[known][request.method.lower()]

    def body_of(self, request: Request) -> str:
        reference: str = self.operation(request)["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        return reference

    def answer_of(self, request: Request) -> str:
        reference: str = self.operation(request)["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        return reference


@pytest.fixture(scope="module")
def specification() -> Specification:
    return Specification(published())


def a_busy_day() -> Channel:
    """Every kind of request that the connector can make, against every kind of thing."""
    channel = Channel()
    ids = [*stocked(channel, 4), channel.sandbox.add_item("00123", "Mug", price=Decimal("199.95"), barcode="5701234567899",
                                                          text="Holds tea", category="Kitchen")]  # fmt: skip
    _, items = channel.read("items", page_max=2)
    _, stock = channel.read("stock", page_max=2)
    channel.sandbox.remove_item("SKU-003")
    channel.sandbox.retitle("SKU-002", "Renamed")
    channel.sandbox.sell("SKU-000", 7)
    channel.read("items", cursor=items, page_max=2)
    channel.read("stock", cursor=stock, page_max=2)
    channel.connector.look_up("items", [*ids, "VNEVER"])
    channel.connector.look_up("stock", [*ids, "VNEVER"])
    sale, pickup = a_day_of_orders(channel)
    _, orders = channel.read("orders", page_max=2)
    channel.read("orders", cursor=orders, page_max=2)
    channel.connector.look_up("orders", [sale, pickup, "ONEVER"])
    an_order_for_the_till(channel, ids[0])
    a_movement(channel, ids[0])
    channel.connector.send("stock", [channel.stock(one, 30, before=5) for one in ids])
    channel.connector.send("price", [channel.price(one, "59.95") for one in ids])
    return channel


def a_day_of_orders(channel: Channel) -> tuple[str, str]:
    """Receipts and a pickup order of every kind that the small Square knows; a sale's and the pickup's id."""
    till = channel.sandbox
    sale = till.ring_up(
        {"SKU-000": 2, "SKU-001": 1},
        custom=[("Wrapping", Decimal("25.00"))],
        gift_cards=[Decimal(500)],
        discounts={"SKU-001": Decimal(5)},
        tip=Decimal(20),
        rounding=Decimal("0.15"),
        tender="CASH",
    )
    till.take_back("SKU-000", 1, of=sale, damaged=1)
    till.take_back("SKU-002", 2, reference="WEB-41", amount=Decimal("79.95"))
    till.ring_up({"SKU-001": 1}, back={"SKU-000": 1})
    till.refund(sale, Decimal(5))
    pickup = till.order({"SKU-001": 2}, shipping=Decimal("39.00"))
    till.accept(pickup)
    till.ship(pickup)
    till.expire(till.order({"SKU-001": 1}))
    till.cannot_deliver(till.order({"SKU-001": 1}))
    unpaid = till.order({"SKU-001": 2}, paid=False)
    till.edit(unpaid, "SKU-001", 1)
    till.cancel(unpaid)
    return sale, pickup


def an_order_for_the_till(channel: Channel, listing: str) -> None:
    """An order of another channel is put to the till with all that an order can have, and cancelled again."""
    taxed = {"tax_minor": 1000, "tax_percent": "25"}
    line = {"line": "1", "listing": listing, "sku": "SKU-000", "title": "Thing", "kind": "stocked", "quantity": 3000}
    after = {
        "fact": "placed",
        "number": "webshop-1001",
        "placed_at": channel.clock.now(),
        "currency": "DKK",
        "tax": "included",
        "total_minor": 8900,
        "lines": [{**line, "amount_minor": 5000, **taxed}],
        "charges": [{"charge": "s", "kind": "shipping", "title": "Shipping", "amount_minor": 3900, **taxed}],
        "place": AARHUS,
    }
    parcel = {"number": "webshop-1002", "pickup": False}
    for fact, more in (("placed", {}), ("ready", {}), ("placed", {"state": "cancelled"}), ("placed", parcel), ("fulfilled", {})):
        told = {**after, **more, "fact": fact, "their": next(reversed(channel.sandbox.orders.kept)), "tracking": "TN1"}
        change = Change(f"o-{fact}-{len(more)}", Key("till", "o", "order", fact), "o", None, told, {}, channel.clock.now())
        [receipt] = channel.connector.send("order", [change])
        assert receipt.outcome is Outcome.APPLIED, receipt.words


def a_movement(channel: Channel, listing: str) -> None:
    """Goods come to the shop from elsewhere, and one of them is handed over for another channel."""
    for number, (kind, moved) in enumerate((("receipt", 3000), ("handed_over", -1000), ("correction", -1000))):
        key, after = Key("till", listing, "movement", f"aarhus|{kind}"), {"moved": moved, "kind": kind}
        change = Change(f"m-{number}", key, "item", None, after, {}, channel.clock.now(), AARHUS)
        [receipt] = channel.connector.send("movement", [change])
        assert receipt.outcome is Outcome.APPLIED, receipt.words
        assert channel.connector.find("movement", [change])[0].outcome is Outcome.APPLIED


def test_every_request_is_one_that_the_published_specification_knows(specification: Specification) -> None:
    channel = a_busy_day()
    assert {one.path for one in channel.sent} == {
        "/v2/catalog/search",
        "/v2/catalog/batch-retrieve",
        "/v2/catalog/batch-upsert",
        "/v2/inventory/counts/batch-retrieve",
        "/v2/inventory/changes/batch-create",
        "/v2/inventory/changes/batch-retrieve",
        "/v2/orders/search",
        "/v2/orders/batch-retrieve",
        "/v2/orders",
        *(one.path for one in channel.sent if one.method == "PUT"),
    }
    for request in channel.sent:
        assert request.headers["square-version"] == "2025-08-20"
        specification.check(specification.body_of(request), json.loads(request.body))


def test_the_specification_check_can_fail(specification: Specification) -> None:
    channel = a_busy_day()
    request = next(one for one in channel.sent if one.path.endswith("batch-create"))
    body = json.loads(request.body)
    for broken in ({**body, "idempotency_key": "x" * 129}, {**body, "changed": []}, {**body, "changes": [{"type": "COUNT"}]}):
        with pytest.raises(jsonschema_rs.ValidationError):
            specification.check(specification.body_of(request), broken)


def test_the_sandboxs_answers_and_deliveries_have_the_published_shape(specification: Specification) -> None:
    channel = a_busy_day()
    for request in channel.sent:
        answer = channel.sandbox.route(Request(request.method, request.url, request.headers, request.body))
        if answer.status == 200:
            specification.check(specification.answer_of(request), json.loads(answer.body))
        else:
            assert 400 <= answer.status < 500
            errors = json.loads(answer.body)["errors"]
            # this one code is answered in practice, but stands in no enumeration of the specification
            for one in [one for one in errors if one["code"] != "VERSION_MISMATCH"]:
                specification.check("#/components/schemas/Error", one)
    events = {
        "inventory.count.updated": "InventoryCountUpdatedEvent",
        "catalog.version.updated": "CatalogVersionUpdatedEvent",
        "order.created": "OrderCreatedEvent",
        "order.updated": "OrderUpdatedEvent",
        "order.fulfillment.updated": "OrderFulfillmentUpdatedEvent",
    }
    delivered = [json.loads(one.body) for one in channel.sandbox.outbox]
    made = [json.loads((FOLDER / f"samples/made/{topic}.json").read_text()) for topic in events]
    assert {one["type"] for one in delivered} == set(events)
    for event in delivered + made:
        # the specification leaves the id out of the catalogue event's schema, but shows it in its example
        event["data"].pop("id") if event["type"].startswith("catalog") else None
        specification.check(f"#/components/schemas/{events[event['type']]}", event)


@contextmanager
def served(sandbox: Sandbox) -> Iterator[str]:
    """The sandbox on a loopback port; its base URL."""

    class Door(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = sandbox.send(Request(self.command, f"http://{headers['host']}{self.path}", headers, body), 30.0, 10**8)
            self.send_response_only(told.status)
            for name, value in {**told.headers, "content-length": str(len(told.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = do_PUT = answer

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def official(sandbox: Sandbox) -> Iterator[Any]:
    """The official SDK's client, unchanged but for the base URL; skips where the SDK is not installed."""
    square = pytest.importorskip("square")
    with served(sandbox) as base_url, httpx.Client(trust_env=False) as http:
        yield square.Square(token=sandbox.options["access_token"], base_url=base_url, httpx_client=http)


def a_small_shop() -> tuple[Sandbox, list[str]]:
    sandbox = Sandbox(ManualClock(), seed=3)
    sandbox.hook_url = HOOK
    ids = [sandbox.add_item(f"S{number}", f"Thing {number}", price=Decimal("49.95")) for number in range(3)]
    for number in range(3):
        sandbox.count(f"S{number}", 5)
    return sandbox, ids


def test_the_official_sdk_reads_the_catalogue_and_the_counts() -> None:
    sandbox, ids = a_small_shop()
    with official(sandbox) as client:
        assert [one.id for one in client.locations.list().locations] == [AARHUS, ODENSE]
        assert sorted(one.id for one in client.catalog.list(types="ITEM_VARIATION")) == sorted(ids)
        question = {"object_types": ["ITEM_VARIATION"], "include_related_objects": True, "limit": 2}
        found = client.catalog.search(**question)
        rest = client.catalog.search(**question, cursor=found.cursor)
        assert sorted(one.id for one in [*found.objects, *rest.objects]) == sorted(ids)
        assert rest.cursor is None
        assert {one.item_data.name for one in [*found.related_objects, *rest.related_objects]} == {f"Thing {n}" for n in range(3)}
        counts = client.inventory.batch_get_counts(location_ids=[AARHUS], states=["IN_STOCK"], limit=2)
        assert sorted((one.catalog_object_id, one.quantity) for one in counts) == sorted((one, "5") for one in ids)


def test_the_official_sdk_counts_and_sells() -> None:
    sandbox, ids = a_small_shop()
    sandbox.clock.sleep(60)
    at = {"catalog_object_id": ids[0], "location_id": AARHUS, "occurred_at": stamp(sandbox.clock.now())}
    count = {"type": "PHYSICAL_COUNT", "physical_count": {**at, "state": "IN_STOCK", "quantity": "12"}}
    sale = {"type": "ADJUSTMENT", "adjustment": {**at, "from_state": "IN_STOCK", "to_state": "SOLD", "quantity": "2"}}
    with official(sandbox) as client:
        change = client.inventory.batch_create_changes
        told = change(idempotency_key="one", changes=[count, sale], ignore_unchanged_counts=True)
        again = change(idempotency_key="one", changes=[count, sale], ignore_unchanged_counts=True)
        assert [(one.catalog_object_id, one.quantity) for one in told.counts] == [(ids[0], "10")]
        assert again.counts == told.counts
        assert refusal(lambda: change(idempotency_key="one", changes=[sale])) == "IDEMPOTENCY_KEY_REUSED"
        later = {**at, "occurred_at": stamp(sandbox.clock.now() + 1_000_000), "state": "IN_STOCK", "quantity": "1"}
        future = {"type": "PHYSICAL_COUNT", "physical_count": later}
        assert refusal(lambda: change(idempotency_key="two", changes=[future])) == "INVALID_TIME"
        lines = list(client.inventory.batch_get_changes(catalog_object_ids=[ids[0]], types=["ADJUSTMENT"]))
        assert [(one.adjustment.to_state, one.adjustment.quantity) for one in lines] == [("SOLD", "2")]
    assert sandbox.shown()["S0"]["stock"] == {AARHUS: 10}


def test_the_official_sdk_edits_a_price_under_the_version_lock() -> None:
    sandbox, ids = a_small_shop()
    with official(sandbox) as client:
        [kept] = client.catalog.batch_get(object_ids=[ids[1]]).objects
        money = kept.item_variation_data.price_money.model_copy(update={"amount": 5995})
        detail = kept.item_variation_data.model_copy(update={"price_money": money})
        dearer = kept.model_copy(update={"item_variation_data": detail})
        written = client.catalog.batch_upsert(idempotency_key="two", batches=[{"objects": [dearer]}])
        assert written.objects[0].version > kept.version
        stale = refusal(lambda: client.catalog.batch_upsert(idempotency_key="three", batches=[{"objects": [dearer]}]))
        assert stale == "VERSION_MISMATCH"
    assert sandbox.shown()["S1"]["price"] == Decimal("59.95")


def test_the_official_signature_check_accepts_our_deliveries() -> None:
    verify_signature = pytest.importorskip("square.utils.webhooks_helper").verify_signature
    sandbox, _ = a_small_shop()
    key = sandbox.options["signature_key"]
    assert sandbox.outbox
    for sent in sandbox.outbox:
        signed = {"signature_header": sent.headers["x-square-hmacsha256-signature"], "notification_url": HOOK}
        assert verify_signature(request_body=sent.body.decode(), signature_key=key, **signed)
        assert not verify_signature(request_body=sent.body.decode() + " ", signature_key=key, **signed)


def refusal(call: Callable[[], Any]) -> str:
    """The code of the error that the SDK raises."""
    api_error = pytest.importorskip("square.core.api_error").ApiError
    with pytest.raises(api_error) as refused:
        call()
    code: str = refused.value.errors[0].code
    return code


def test_the_judge_sees_what_the_platform_shows() -> None:
    sandbox = Sandbox(ManualClock(), seed=3)
    for number in range(4):
        sandbox.add_item(f"S{number}", f"Thing {number}", price=Decimal("49.95"))
        sandbox.count(f"S{number}", 5 + number)
    sandbox.count("S0", 7, ODENSE)
    sandbox.sell("S1", 9)
    sandbox.withdraw("S2")
    sandbox.remove_item("S3")
    sandbox.set_price("S0", Decimal("60"))
    with served(sandbox) as base_url:
        seen = read_shown(base_url, dict(Sandbox.CHANNEL["settings"]), dict(Sandbox.CHANNEL["secrets"]))
    truth = {
        sku: {
            "stock": {place: str(count) for place, count in one["stock"].items()},
            "price": format(one["price"].normalize(), "f"),
            "currency": one["currency"],
            "state": one["state"],
        }
        for sku, one in sandbox.shown().items()
        if one["state"] != "gone"
    }
    assert seen == truth
    assert seen["S0"] == {"stock": {AARHUS: "5", ODENSE: "7"}, "price": "60", "currency": "DKK", "state": "active"}
    assert seen["S1"]["stock"] == {AARHUS: "-3"}


def test_the_judge_reads_the_orders_that_the_small_square_holds() -> None:
    sandbox, _ = a_small_shop()
    sale = sandbox.sell("S0", 2, ODENSE)
    back = sandbox.take_back("S0", 1, ODENSE, of=sale)
    pickup = sandbox.order({"S1": 1, "S2": 2})
    with served(sandbox) as base_url:
        held = read_orders(base_url, Sandbox.CHANNEL["settings"], Sandbox.CHANNEL["secrets"])
    assert {one: (told["state"], told["lines"], told["shipped"], told["total"]) for one, told in held.items()} == {
        sale: ("COMPLETED", {"S0": 2}, {"S0": 2}, "99.90"),
        back: ("COMPLETED", {"S0": -1}, {"S0": -1}, "-49.95"),
        pickup: ("OPEN", {"S1": 1, "S2": 2}, {}, "149.85"),
    }


def test_the_official_sdk_finds_makes_and_cancels_orders() -> None:
    sandbox, ids = a_small_shop()
    sale = sandbox.sell("S0", 2)
    line = {"catalog_object_id": ids[1], "quantity": "2"}
    pickup = {"recipient": {"display_name": "Made Buyer"}, "schedule_type": "ASAP"}
    wanted = {"location_id": AARHUS, "reference_id": "R1", "line_items": [line]}
    wanted["fulfillments"] = [{"type": "PICKUP", "pickup_details": pickup}]
    with official(sandbox) as client:
        made = client.orders.create(idempotency_key="one", order=wanted).order
        assert (made.state, made.total_money.amount, made.fulfillments[0].state) == ("OPEN", 9990, "PROPOSED")
        assert client.orders.create(idempotency_key="one", order=wanted).order.id == made.id
        found = client.orders.search(location_ids=[AARHUS], query={"sort": {"sort_field": "CREATED_AT", "sort_order": "ASC"}})
        assert {one.id for one in found.orders} == {sale, made.id}
        parts = [{"uid": made.fulfillments[0].uid, "state": "CANCELED"}]
        sparse = {"location_id": AARHUS, "version": made.version, "state": "CANCELED", "fulfillments": parts}
        told = client.orders.update(made.id, order=sparse, idempotency_key="two").order
        assert (told.state, told.version) == ("CANCELED", 2)
        assert refusal(lambda: client.orders.update(made.id, order=sparse, idempotency_key="three")) == "BAD_REQUEST"
        assert client.orders.get(made.id).order.state == "CANCELED"
