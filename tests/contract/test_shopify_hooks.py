"""Shopify's deliveries in both header styles, and the subscriptions that bring them."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from shopify_rig import BASE_URL, DEPOT, HOOK, Rig

from connectors.shopify.hooks import TOPICS
from hub.errors import RefusedError, UnverifiedError
from hub.sdk.signature import sign
from hub.sdk.wire import Request, Response

SECRET = "made-up-client-secret"


@pytest.mark.parametrize("style", ["classic", "events"])
def test_deliveries_of_both_header_styles_verify(style: str) -> None:
    rig = Rig(header_style=style)
    rig.stocked(1)
    rig.sandbox.set_price("TEE-001", Decimal("5.00"))
    told = rig.sandbox.outbox[-1]
    verdict = rig.verify(told)
    assert verdict.topic == ("products/update" if style == "classic" else "event/Product")
    assert verdict.delivery_id
    assert verdict.sent_at == rig.clock.now()
    for place in range(0, len(told.body), 7):
        body = told.body[:place] + bytes([told.body[place] ^ 1]) + told.body[place + 1 :]
        with pytest.raises(UnverifiedError):
            rig.verify(replace(told, body=body))
    needed = ("api-version", "webhook-id") if style == "classic" else ()
    for name in told.headers:
        if name.endswith(("hmac-sha256", "topic", "shop-domain", *needed)):
            with pytest.raises(UnverifiedError):
                rig.verify(replace(told, headers={key: value for key, value in told.headers.items() if key != name}))


def test_a_delivery_for_another_shop_of_the_same_app_is_refused() -> None:
    rig = Rig()
    rig.stocked(1)
    told = rig.sandbox.outbox[-1]
    with pytest.raises(UnverifiedError, match="another shop"):
        rig.verify(replace(told, headers={**told.headers, "x-shopify-shop-domain": "other.myshopify.com"}))


def test_the_shops_name_is_that_of_its_address_when_none_is_set() -> None:
    rig = Rig(settings={"shop": ""})
    assert rig.connector.shop == BASE_URL.removeprefix("https://")


def test_a_stale_repetition_of_a_delivery_only_asks_what_is_there_now() -> None:
    rig = Rig()
    (tee,) = rig.stocked(1)
    rig.sandbox.count("TEE-001", 5, DEPOT)
    stale = rig.sandbox.outbox[-1]
    rig.sandbox.count("TEE-001", 2, DEPOT)
    assert rig.verify(stale).topic == "inventory_levels/update"
    named = json.loads(stale.body)["admin_graphql_api_id"]
    page = rig.connector.look_up("stock", [named])
    (level,) = rig.seen("stock", rig.records(page, "stock")).values()
    assert (level["listing"], level["on_hand"]) == (tee, 2000)


def test_an_event_of_a_kind_that_is_not_known_here_is_ignored_by_name() -> None:
    rig = Rig(header_style="events")
    rig.stocked(1)
    told = rig.sandbox.outbox[-1]
    body = b'{"topic":"Collection"}'
    named = {**told.headers, "shopify-topic": "Collection", "shopify-hmac-sha256": sign(SECRET, body, "base64")}
    assert rig.verify(replace(told, body=body, headers=named)).topic == "event/other"
    assert rig.manifest.deliveries is not None
    assert "event/other" in rig.manifest.deliveries.ignored_topics


# subscriptions


def test_subscriptions_are_made_once_and_bring_ids_only() -> None:
    rig = Rig()
    rig.stocked(1)
    done = rig.connector.heal_hooks(HOOK)
    assert len(done) == len(TOPICS)
    assert rig.connector.heal_hooks(HOOK) == []
    listed = rig.connector.hooks()
    assert {one["topic"] for one in listed} == set(TOPICS)
    assert {(one["url"], one["status"], one["version"]) for one in listed} == {(HOOK, "active", "2026-10")}
    rig.sandbox.outbox.clear()
    rig.sandbox.order({"TEE-001": 1})
    told = {rig.verify(one).topic: json.loads(one.body) for one in rig.sandbox.outbox}
    assert set(told["orders/create"]) == {"id", "admin_graphql_api_id", "updated_at"}
    assert all(one.url == HOOK for one in rig.sandbox.outbox)


def test_a_subscription_that_the_platform_deleted_is_made_again() -> None:
    rig = Rig()
    rig.connector.heal_hooks(HOOK)
    rig.sandbox.lose_subscription("ORDERS_UPDATED")
    rig.sandbox.state.subscriptions[next(iter(rig.sandbox.state.subscriptions))]["includeFields"] = ["id"]
    done = rig.connector.heal_hooks(HOOK)
    assert sorted(one.split()[0] for one in done) == ["mended", "subscribed"]
    assert "subscribed to ORDERS_UPDATED" in done
    assert rig.connector.heal_hooks(HOOK) == []


def test_a_topic_that_the_app_may_not_have_keeps_no_other_away() -> None:
    rig = Rig()
    original = rig.wire.send

    def send(request: Request, deadline: float, most: int) -> Response:
        if b"RETURNS_APPROVE" in request.body:
            told = {"errors": [{"message": "Access denied: read_returns", "extensions": {"code": "ACCESS_DENIED"}}], "data": None}
            return Response(200, {}, json.dumps(told).encode())
        return original(request, deadline, most)

    rig.wire.send = send  # type: ignore[method-assign]
    done = rig.connector.heal_hooks(HOOK)
    assert next(one for one in done if "could not" in one).startswith("could not subscribe to RETURNS_APPROVE")
    assert len(rig.connector.hooks()) == len(TOPICS) - 1


def test_an_address_without_tls_is_refused_in_words() -> None:
    with pytest.raises(RefusedError, match="not supported"):
        Rig().connector.heal_hooks("http://hub.example/hooks/webshop")


def test_hooks_at_another_address_are_left_alone() -> None:
    rig = Rig()
    rig.connector.heal_hooks("https://old.example/hooks/webshop")
    assert len(rig.connector.heal_hooks(HOOK)) == len(TOPICS)
    assert len(rig.connector.hooks()) == 2 * len(TOPICS)
