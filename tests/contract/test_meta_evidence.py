"""Held to the platform's published specification: every request, every field read, every word written or understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from meta_stage import FOLDER, ROOT, Stage, listing, price, shared, stage, stock

from connectors.meta import figures, payload, sandbox_items
from connectors.meta.connector import STATUS_FIELDS
from hub.canonical.json import read_json
from hub.mapping.mappings import load_mappings
from hub.sdk.registry import Registry
from hub.sdk.wire import Request

EVERYWHERE = {"fields", "limit", "after", "summary", "appsecret_proof"}
"""What any edge of the Graph API takes; the specification lists only what an edge has of its own."""


@pytest.fixture(scope="module")
def specs() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("specs/meta/graph_specs.json").read_text())
    return found


@pytest.fixture(scope="module")
def words() -> dict[str, set[str]]:
    return {one["name"]: set(one["values"]) for one in json.loads(shared("specs/meta/enum_types.json").read_text())}


def fields_of(specs: dict[str, Any], node: str) -> set[str]:
    return {one["name"] for one in specs[node]["fields"]}


def edge_of(specs: dict[str, Any], request: Request) -> dict[str, Any]:
    """The specification's edge of the catalogue that a request goes to."""
    endpoint = request.path.rsplit("/", 1)[1]
    (edge,) = [
        one for one in specs["ProductCatalog"]["apis"] if one.get("endpoint") == endpoint and one["method"] == request.method
    ]
    found: dict[str, Any] = edge
    return found


def everything_sent() -> Stage:
    """A stage on which each kind of request was made once."""
    made = stage()
    made.read(page_max=2)
    made.meta.look_up("items", ["A-1", "NEVER"])
    made.send("stock", stock("c1", "A-1", 3))
    made.send("price", price("c2", "A-1", "12.5"))
    new = {"title": "Vase", "state": "active", "amount": "249.5", "currency": "DKK", "sellable": 1000, "category": "Stue"}
    made.send("listing", listing("c3", "VASE", **new))
    made.send("listing", listing("c4", "VASE", new, state="inactive"), listing("c5", "A-1", new, state="gone"))
    return made


def test_every_request_is_one_that_the_specification_knows(specs: dict[str, Any]) -> None:
    sent = everything_sent().seen.requests
    assert {request.path.rsplit("/", 1)[1] for request in sent} == {"products", "items_batch", "check_batch_request_status"}
    for request in sent:
        edge = edge_of(specs, request)
        given = set(request.query) | (set(request.json()) if request.body else set())
        known = {one["name"] for one in edge["params"]}
        needed = {one["name"] for one in edge["params"] if one["required"]}
        assert given - known <= EVERYWHERE, request.path
        assert needed <= given, request.path


def test_every_field_that_is_read_is_in_the_specification(specs: dict[str, Any]) -> None:
    asked = set(everything_sent().meta_fields())
    assert asked <= fields_of(specs, "ProductItem")
    assert set(STATUS_FIELDS.split(",")) <= fields_of(specs, "CheckBatchRequestStatus")


def test_the_sandbox_answers_no_field_that_the_platform_has_not(specs: dict[str, Any]) -> None:
    made = everything_sent()
    assert fields_of(specs, "ProductItem") >= sandbox_items.NODE_FIELDS
    seen = [set(record) for record in made.records(made.read())]
    assert all(fields <= fields_of(specs, "ProductItem") for fields in seen)
    handle = next(iter(made.sandbox.jobs))
    assert set(made.sandbox._status({"handle": handle})["data"][0]) <= fields_of(specs, "CheckBatchRequestStatus")


def test_every_word_is_one_of_the_platforms(words: dict[str, set[str]]) -> None:
    assert words["ProductItem_availability"] == sandbox_items.AVAILABILITIES
    assert figures.BUYABLE | {"out of stock"} <= words["ProductItem_availability"]
    assert words["ProductItem_condition"] == sandbox_items.CONDITIONS
    for seen in words["ProductItem_visibility"]:
        assert figures.state({"visibility": seen}) in payload.STATES
    assert {"FETCHED", "FETCH_FAILED"} <= words["ProductItem_image_fetch_status"]


def test_names_of_the_single_item_edge_are_not_names_of_batches(specs: dict[str, Any]) -> None:
    single = {one["name"] for one in edge_of(specs, Request("POST", "https://graph.example/1/products"))["params"]}
    assert single >= sandbox_items.NODE_NAMES
    sent = [request.json()["requests"] for request in everything_sent().seen.requests if request.method == "POST"]
    named = {name for entries in sent for entry in entries for name in entry["data"]}
    assert named <= sandbox_items.FEED_FIELDS
    assert not named & sandbox_items.NODE_NAMES


def test_a_batch_says_its_item_type_and_never_makes_what_it_only_means_to_change() -> None:
    posts = [request.json() for request in everything_sent().seen.requests if request.method == "POST"]
    assert {body["item_type"] for body in posts} == {"PRODUCT_ITEM"}
    making = [body for body in posts if body["allow_upsert"]]
    assert [[entry["data"]["id"] for entry in body["requests"]] for body in making] == [["VASE"]]


def test_the_connector_is_found_with_every_method_that_its_manifest_names() -> None:
    registry = Registry()
    assert registry.manifest("meta").never["order"]
    assert registry.connector_class("meta").__name__ == "Meta"
    assert registry.sandbox_class("meta").__name__ == "Sandbox"


def test_the_mappings_examples_hold_and_every_sampled_field_is_read_or_ignored() -> None:
    mappings = load_mappings([ROOT / "mappings"], "meta")
    assert mappings.run_examples(FOLDER) == []
    records = read_json((FOLDER / "samples" / "made" / "products.page.json").read_bytes())["data"]
    assert [mappings.unread(["item", "stock", "price"], record) for record in records] == [[], [], []]


@pytest.mark.parametrize(
    ("printed", "currency", "amount"),
    [
        ("199,95 kr.", "DKK", "199.95"),
        ("kr. 1.299,50", "DKK", "1299.50"),
        ("1.999 kr.", "DKK", "1999"),
        ("$1,999.95", "USD", "1999.95"),
        ("₹1,00,000.00", "INR", "100000.00"),
        ("CHF 1'299.50", "CHF", "1299.50"),
        ("1 299,50 €", "EUR", "1299.50"),
        ("¥12,000", "JPY", "12000"),
        ("KWD 1.250", "KWD", "1.250"),
        ("5 kr.", "DKK", "5"),
    ],
)
def test_a_printed_price_is_understood_in_each_manner(printed: str, currency: str, amount: str) -> None:
    assert str(figures.shown_price(printed, currency)) == amount


@pytest.mark.parametrize("printed", ["", "gratis", "199,9 kr.", "10,00 - 20,00 kr.", "1,2345 kr.", "9" * 60, None, 19995])
def test_a_printed_price_that_cannot_be_told_is_refused(printed: Any) -> None:
    with pytest.raises(ValueError):
        figures.shown_price(printed, "DKK")


def test_what_the_sandbox_prints_is_read_back_in_every_currency() -> None:
    for currency in ("DKK", "USD", "EUR", "SEK", "GBP"):
        for written in ("0.05", "9.90", "199.95", "1299.50", "1234567.00"):
            printed = sandbox_items.printed(f"{written} {currency}")
            assert str(figures.shown_price(printed, currency)) == written
