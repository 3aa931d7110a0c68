"""WooCommerce: the sandbox against all that was recorded on 10.0.2, requests against the published specification."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rig import Served
from woocommerce_replay import KEY, ORDER, SECRET, Difference, Replay, differences
from woocommerce_rig import Rig, as_delivery, deliveries, shared

from connectors.woocommerce import judge
from connectors.woocommerce.sandbox import Sandbox
from hub.canonical.json import read_json
from hub.clock import SystemClock
from hub.errors import UnverifiedError
from hub.sdk.wire import Request

WHY = {
    "numbers of an order's own fields and key are drawn anew by every shop": r"meta_data\.\d+\.id|order_key|payment_url",
    "which products are related is chance": r"related_ids",
    "a price's markup is of the shop's theme": r"price_html",
    "words of a payment gateway are the shop's": r"gateway-enable .*(title|description|settings\.|method_)",
    "among equal dates the database lists as it likes": r"product-search_sku [12]\.",
    "recorded calls took up to two seconds, so a time within can be one earlier": r"(date_paid|date_modified)(_gmt)?$",
    "notes share their numbers with the comments of the whole site": r"order-note (id|_links)",
    "addresses in answers follow the caller's scheme there, the shop's setting here": r"oauth-put (permalink|_links)",
}
"""Why an answer may differ from the recorded one, and where (sample and path)."""
RECORDED_APART = {"webhook-disabled", "storefront-checkout"}
"""Samples that are no exchange with this API: a webhook as it stood, and an answer of the storefront's own API."""
NEWER = {"_fields", "modified_after", "dates_are_gmt", "global_unique_id"}
"""Parameters that came after the published index of routes (5.8 and later; `_fields` is WordPress's own)."""
NEWER_VALUES = {("products", "orderby", "modified"), ("orders", "orderby", "modified")}


@pytest.fixture(scope="module")
def samples() -> Path:
    return shared() / "samples" / "woocommerce"


def why(difference: Difference) -> str:
    """The reason for a difference; "" when there is none."""
    place = f"{difference.sample} {difference.path}"
    return next((reason for reason, pattern in WHY.items() if re.search(pattern, place)), "")


def test_every_recorded_call_answers_with_the_recorded_status_shape_and_effect(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found: list[Difference] = []
    for name, recorded, said, differing in Replay(samples).run():
        assert said == recorded, name
        found += differing
    assert [str(one) for one in found if not why(one)] == []
    told = Counter(why(one) for one in found)
    with capsys.disabled():
        print(f"\n{len(ORDER)} recorded calls put again, {len(found)} differences in their bodies:")
        for reason, count in told.most_common():
            print(f"  {count:4} {reason}")
    assert set(told) == set(WHY), "a reason that explains nothing any more belongs out of the list"


def test_no_recorded_call_was_left_out(samples: Path) -> None:
    put = set(ORDER) | {path.stem for path in samples.glob("webhook-*.json") if "raw_b64" in json.loads(path.read_text())}
    assert {path.stem for path in samples.glob("*.json")} - put == RECORDED_APART
    assert len(ORDER) == len(set(ORDER))


def test_the_replay_itself_notices_another_value_another_kind_and_another_field() -> None:
    recorded = {"price": "10", "rows": [{"id": 1}], "gone": None}
    said = {"price": Decimal(10), "rows": [{"id": 2}], "new": 1}
    assert [one.path for one in differences("made", "", recorded, said)] == ["price", "rows.0.id", "gone", "new"]


# deliveries


def recorded_deliveries(samples: Path) -> Iterator[tuple[str, Request]]:
    for path in sorted(samples.glob("webhook-*.json")):
        kept = json.loads(path.read_text())
        if "raw_b64" in kept:
            headers = {name.lower(): value for name, value in kept["headers"]}
            body = base64.b64decode(kept["raw_b64"])
            yield path.stem, Request("POST", f"http://127.0.0.1:8080{kept['path']}", headers, body)
        elif "body" in kept and "headers" in kept:
            yield path.stem, Request("POST", "http://127.0.0.1:8080/", dict(kept["headers"]), kept["body"].encode())


def test_recorded_deliveries_are_taken_and_with_one_other_byte_refused(samples: Path) -> None:
    rig = Rig(secrets={"hook_secret": "lab-secret-&-x"})
    told = dict(recorded_deliveries(samples))
    assert len(told) == 6
    for name, request in told.items():
        verdict = rig.connector.verify(as_delivery(request))
        assert verdict.topic == request.headers.get("x-wc-webhook-topic", "ping"), name
        changed = Request("POST", request.url, request.headers, request.body[:-2] + b"1" + request.body[-1:])
        with pytest.raises(UnverifiedError):
            rig.connector.verify(
                as_delivery(Request("POST", request.url, {**request.headers, "x-wc-webhook-signature": "x"}, changed.body))
            )


def test_our_deliveries_have_the_recorded_headers_and_fields(samples: Path) -> None:
    rig = Rig(currency="EUR", tax_percent="19", hook_secret="lab-secret-&-x", mixed="no")
    told = dict(recorded_deliveries(samples))
    rig.sandbox.add_item("MUG-1", "Mug", price=Decimal(10))
    rig.sandbox.count("MUG-1", 5)
    rig.sandbox.hook_url = "https://hub.test/hooks/webshop"
    rig.sandbox.order({"MUG-1": 2}, method="cod", paid=False, shipping=Decimal("5.94"))
    made = {one.headers["x-wc-webhook-topic"]: one for one in deliveries(rig.sandbox)}
    assert set(made) == {"order.created", "order.updated", "product.updated"}
    for name, topic in (
        ("webhook-order.created-storefront", "order.created"),
        ("webhook-product.updated-by-order", "product.updated"),
    ):
        recorded = told[name]
        wanted = {key for key in recorded.headers if key.startswith("x-wc") or key == "content-type"}
        assert wanted <= set(made[topic].headers)
        assert set(read_json(made[topic].body)) == set(read_json(recorded.body)), topic
    shown, recorded_order = read_json(made["order.created"].body), read_json(told["webhook-order.created-storefront"].body)
    assert shown["status"] == recorded_order["status"] == "processing"
    assert shown["date_paid"] is recorded_order["date_paid"] is None, "cash on delivery is paid when it is completed"


# the published specification


def routes(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "specs" / "woocommerce" / "wc-v3-route-index.json").read_text())["routes"]
    return found


def properties(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "specs" / "woocommerce" / "wc-v3-properties.json").read_text())
    return found


def faults(request: Request, folder: Path) -> list[str]:
    """What of a request is in neither of the published lists."""
    path = request.path.partition("/wp-json")[2]
    route = next((route for pattern, route in routes(folder).items() if re.fullmatch(pattern, path)), None)
    if route is None:
        return [f"{path} is no route"]
    endpoints = [one for one in route["endpoints"] if request.method in one["methods"]]
    if not endpoints:
        return [f"{request.method} {path} is not offered"]
    args = endpoints[0]["args"]
    found = []
    for name, value in request.query.items():
        known = args.get(name)
        if known is None and name not in NEWER:
            found.append(f"{path}: no parameter {name}")
        elif known and known.get("enum") and value not in known["enum"]:
            found.append(f"{path}: {name} may not be {value}")
    if request.body:
        found += _body_faults(path, request.json(), folder)
    return found


def _body_faults(path: str, body: dict[str, Any], folder: Path) -> list[str]:
    resource = "product-variations" if "/variations" in path else path.split("/")[3]
    resource = {"notes": "order-notes", "refunds": "order-refunds"}.get(path.split("/")[-1], resource)
    tables = properties(folder)[resource]
    main = next(table for title, table in tables.items() if title.endswith("properties"))
    lines = next((table for title, table in tables.items() if "ine items" in title), {})
    rows = body["update"] if path.endswith("/batch") else [body]
    found = []
    for row in rows:
        for name, value in row.items():
            if name != "id" and (name not in main or (main[name].get("read_only") and name != "delivery_url")):
                found.append(f"{path}: {name} is nothing that can be written")
            elif name == "line_items":
                unknown = {key for one in value for key in one} - set(lines) - {"refund_tax"}
                found += [f"{path}: line_items.{key} is unknown" for key in unknown]
            elif name in main and not _fits(value, str(main[name]["type"])):
                found.append(f"{path}: {name} is {main[name]['type']}, this is {value!r}")
    return found


def _fits(value: Any, kind: str) -> bool:
    kinds: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "boolean": bool, "array": list}
    return kind not in kinds or (isinstance(value, kinds[kind]) and (kind != "integer" or not isinstance(value, bool)))


def test_every_request_of_a_working_day_is_in_the_published_specification() -> None:
    folder = shared()
    rig = Rig(settings={"unmanaged": "manage"})
    ids = [rig.sandbox.add_item(f"TEE-{n}", f"Tee {n}", price=Decimal("199.95")) for n in range(6)]
    for n in range(6):
        rig.sandbox.count(f"TEE-{n}", 10)
    _, cursor = rig.read(page_max=2)
    rig.clock.advance(300)
    rig.sandbox.set_price("TEE-3", Decimal(10))
    rig.read(cursor=cursor)
    rig.again()
    rig.connector.look_up("items", [*ids, "999"])
    rig.send_stock(dict.fromkeys(ids, 7))
    rig.send_price(dict.fromkeys(ids, "19.95"))
    order = rig.sandbox.order({"TEE-3": 3, "TEE-4": 1}, shipping=Decimal("39.00"))
    for fact, parts, more in (
        ("fulfilled:erp:1", {"TEE-3": 2}, {"carrier": "PostNord", "tracking": "TN1"}),
        ("cancelled:erp:1", {"TEE-3": 1}, {}),
        ("refunded:erp:1", {"TEE-3": 1}, {"amount_minor": 1000}),
        ("refund_noted:till:1", {}, {"amount_minor": 500, "currency": "DKK", "by": "Aarhus"}),
        ("ready:till:1", {}, {"where": "Aarhus"}),
        ("fulfilled:erp:2", {"TEE-4": 1}, {}),
    ):
        assert rig.fact(fact, order, parts, **more).outcome == "applied", fact
        rig.clock.advance(60)
    whole = rig.sandbox.order({"TEE-5": 1})
    assert rig.fact("cancelled:erp:2", whole, {"TEE-5": 1}).outcome == "applied"
    _, cursor = rig.read("orders", page_max=1)
    rig.read("orders", cursor)
    rig.connector.look_up("orders", [order, "999"])
    rig.connector.heal_hooks("https://hub.test/hooks/webshop")
    rig.sandbox.webhooks.kept[1].status = "disabled"
    rig.connector.heal_hooks("https://hub.test/hooks/webshop")
    assert len(rig.wire.requests) > 40
    assert [fault for request in rig.wire.requests for fault in faults(request, folder)] == []


def test_the_check_itself_notices_a_wrong_route_parameter_field_and_type() -> None:
    folder, base = shared(), "https://shop.test/wp-json/wc/v3"
    wrong = [
        Request("GET", f"{base}/variations"),
        Request("DELETE", f"{base}/products/batch"),
        Request("GET", f"{base}/products?changed_since=1"),
        Request("GET", f"{base}/products?orderby=sku"),
        Request("PUT", f"{base}/products/10", {}, b'{"price":"10"}'),
        Request("PUT", f"{base}/products/10", {}, b'{"regular_price":10}'),
        Request("POST", f"{base}/products/12/variations/batch", {}, b'{"update":[{"id":13,"stock":1}]}'),
    ]
    assert [len(faults(request, folder)) for request in wrong] == [1] * len(wrong)


# the official client


@pytest.fixture
def official() -> Any:
    pytest.importorskip("woocommerce", reason="the official Python client is not installed")
    from woocommerce import API

    return API


def test_the_official_client_drives_the_sandbox_unchanged(official: Any) -> None:
    sandbox = Sandbox(SystemClock(), consumer_key=KEY, consumer_secret=SECRET, mixed="no")
    with Served(sandbox) as url:
        shop = official(url=url, consumer_key=KEY, consumer_secret=SECRET, version="wc/v3", timeout=10)
        given = {"name": "Mug", "sku": "MUG-1", "regular_price": "12.50", "manage_stock": True, "stock_quantity": 10}
        made = shop.post("products", given)
        assert made.status_code == 201
        ident = made.json()["id"]
        assert shop.put(f"products/{ident}", {"stock_quantity": 8}).json()["stock_quantity"] == 8
        listed = shop.get("products", params={"per_page": 1, "search": "a b&c"})
        assert (listed.status_code, listed.headers["X-WP-Total"]) == (200, "0")
        assert [one["sku"] for one in shop.get("products", params={"sku": "MUG-1"}).json()] == ["MUG-1"]
        batch = shop.post(
            "products/batch", {"update": [{"id": ident, "stock_quantity": 5}, {"id": 99999, "stock_quantity": 1}]}
        ).json()
        assert batch["update"][0]["stock_quantity"] == 5
        assert batch["update"][1]["error"]["code"] == "woocommerce_rest_product_invalid_id"
        order = shop.post("orders", {"set_paid": True, "line_items": [{"product_id": ident, "quantity": 2}]}).json()
        assert (order["status"], order["total"]) == ("processing", "25.00")
        assert shop.post(f"orders/{order['id']}/notes", {"note": "on its way"}).status_code == 201
        assert shop.delete(f"products/{ident}", params={"force": True}).json()["stock_quantity"] == 3
        assert shop.get(f"products/{ident}").status_code == 404
        stranger = official(url=url, consumer_key=KEY, consumer_secret="cs_wrong", version="wc/v3")
        assert stranger.get("products").status_code == 401


def test_the_judge_reads_what_customers_see_by_its_own_means() -> None:
    sandbox = Sandbox(SystemClock())
    for number, sku in enumerate(("TEE-0", "TEE-1", "TEE-2", "TEE-3")):
        sandbox.add_item(sku, f"Tee {number}", price=Decimal(100 + number))
        sandbox.count(sku, 10 + number)
    sandbox.publish("TEE-3", False)
    order = sandbox.order({"TEE-0": 2, "TEE-1": 1}, shipping=Decimal("39.00"))
    given = Sandbox.CHANNEL
    with Served(sandbox) as url:
        shown = judge.read_shown(url, given["settings"], given["secrets"])
        orders = judge.read_orders(url, given["settings"], given["secrets"])
    assert {sku: (one["stock"][""], one["price"], one["state"]) for sku, one in shown.items()} == {
        "TEE-0": ("8", "100.00", "active"),
        "TEE-1": ("10", "101.00", "active"),
        "TEE-2": ("12", "102.00", "active"),
        "TEE-3": ("13", "103.00", "inactive"),
    }
    assert orders[order]["lines"] == {"TEE-0": 2, "TEE-1": 1}
    assert (orders[order]["state"], orders[order]["total"], orders[order]["shipped"]) == ("processing", "340.00", {})
