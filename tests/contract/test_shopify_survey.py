"""Shopify: what a first configuration asks of a shop, against the published schema and the shop in small."""

from __future__ import annotations

from graphql import build_client_schema, parse, validate
from shopify_rig import Rig, specified

from connectors.shopify.survey import SURVEY


def test_the_document_is_valid() -> None:
    schema = build_client_schema(specified("admin_2026-10.introspection.json.gz")["data"], assume_valid=True)
    assert [error.message for error in validate(schema, parse(SURVEY))] == []


def test_a_shop_says_its_money_and_its_places() -> None:
    told = Rig().connector.survey()
    assert (told["title"], len(told["currency"]), told["tax"]) == ("Made shop", 3, "included")
    assert told["locations"][0] == {"id": "70000001", "title": "Place 70000001", "country": "DK", "postal_code": "8000"}
