"""WooCommerce: deliveries that come late, merged, out of order and under one id; webhooks that were switched off."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from woocommerce_rig import HOOK, Rig, deliveries, topics

from connectors.woocommerce.connector import decoded
from connectors.woocommerce.hooks import TOPICS
from hub.canonical.json import read_json
from hub.errors import UnverifiedError
from hub.kit.subject import Subject
from hub.sdk.registry import Registry
from hub.sdk.signature import sign
from hub.sdk.wire import Request


def rig_with_hooks() -> Rig:
    """A shop whose webhooks deliver to us, with one product, and nothing under way."""
    rig = Rig(mixed="no")
    rig.connector.heal_hooks(HOOK)
    rig.sandbox.add_item("MUG", "Mug", price=Decimal(100))
    rig.sandbox.count("MUG", 10)
    deliveries(rig.sandbox)
    return rig


def test_the_greeting_of_a_new_webhook_is_taken_unsigned_and_nothing_else_is() -> None:
    rig = Rig()
    rig.connector.heal_hooks(HOOK)
    pings = deliveries(rig.sandbox)
    assert [one.body for one in pings] == [f"webhook_id={n}".encode() for n in range(1, 9)]
    assert {rig.verify(one).topic for one in pings} == {"ping"}
    assert "ping" in (rig.manifest.deliveries.ignored_topics if rig.manifest.deliveries else ())
    for body in (
        b"webhook_id=",
        b"webhook_id=0",
        b"webhook_id=1&x=1",
        b"webhook_id=1 ",
        b'{"id":1}',
        b"",
        b"webhook_id=1234567",
    ):
        with pytest.raises(UnverifiedError):
            rig.verify(replace(pings[0], body=body))
    with pytest.raises(UnverifiedError):
        rig.verify(replace(pings[0], headers={"content-type": "application/json"}))
    with pytest.raises(UnverifiedError):
        rig.verify(replace(pings[0], headers={**pings[0].headers, "x-wc-webhook-signature": "x"}))


def test_a_greeting_ends_in_no_dead_letter() -> None:
    stage = Subject(Registry(), "woocommerce").settled(2)
    stage.post("tested", Request("POST", HOOK, {"content-type": "application/x-www-form-urlencoded"}, b"webhook_id=3"))
    stage.run(1)
    assert (stage.dead_letters(), stage.hooked()) == ([], [])


def test_deliveries_of_one_second_share_their_id_and_are_told_apart() -> None:
    rig = rig_with_hooks()
    rig.sandbox.add_item("CAP", "Cap", price=Decimal(50))
    rig.sandbox.count("MUG", 9)
    told = [one for one in deliveries(rig.sandbox) if one.headers["x-wc-webhook-topic"] == "product.updated"]
    assert len({one.headers["x-wc-webhook-delivery-id"] for one in told}) == 1
    order = rig.sandbox.order({"MUG": 1})
    rig.sandbox.trash_order(order)
    rig.sandbox.trash_item("MUG")
    deleted = [one for one in deliveries(rig.sandbox) if one.headers["x-wc-webhook-event"] == "deleted"]
    assert [read_json(one.body) for one in deleted] == [{"id": int(order)}, {"id": 10}]
    same = [replace(one, body=b'{"id":10}', headers=signed(rig, one, b'{"id":10}')) for one in deleted]
    assert [rig.verify(one).delivery_id for one in same] == ["order.deleted", "product.deleted"], (
        "equal bodies are two deliveries"
    )


def signed(rig: Rig, told: Request, body: bytes) -> dict[str, str]:
    secret = rig.context.secrets["hook_secret"]
    return {**told.headers, "x-wc-webhook-signature": sign(secret, body, "base64")}


def test_changes_that_wait_are_merged_and_the_body_is_of_the_moment_of_delivery() -> None:
    rig = rig_with_hooks()
    for pieces in (8, 7, 6):
        rig.sandbox.count("MUG", pieces)
    (told,) = deliveries(rig.sandbox)
    assert read_json(told.body)["stock_quantity"] == 6


def test_what_was_updated_can_come_before_what_was_created_and_ends_the_same() -> None:
    rig = rig_with_hooks()
    rig.sandbox.webhooks.unordered = True
    order = rig.sandbox.order({"MUG": 2})
    told = deliveries(rig.sandbox)
    names = [name for name in topics(told) if name.startswith("order.")]
    assert names == ["order.updated", "order.created"]
    for one in told:
        if one.headers["x-wc-webhook-resource"] == "order":
            assert rig.order(str(read_json(one.body)["id"]))["state"] == "release"
    assert rig.look("stock", "10")["10"]["on_hand"] == 8_000
    assert order in {str(read_json(one.body)["id"]) for one in told}


def test_a_variation_comes_as_a_product_and_is_looked_up_as_what_it_is() -> None:
    rig = Rig()
    rig.connector.heal_hooks(HOOK)
    for n in range(3):
        rig.sandbox.add_item(f"TEE-{n}", f"Tee {n}", price=Decimal(100))
    deliveries(rig.sandbox)
    rig.sandbox.count("TEE-1", 4)
    (told,) = deliveries(rig.sandbox)
    shown = read_json(told.body)
    assert (told.headers["x-wc-webhook-topic"], shown["type"]) == ("product.updated", "variation")
    assert rig.look("stock", str(shown["id"]))[str(shown["id"])]["on_hand"] == 4_000


def test_a_save_without_change_is_told_and_a_force_delete_is_not() -> None:
    rig = rig_with_hooks()
    rig.sandbox.count("MUG", 10)
    assert topics(deliveries(rig.sandbox)) == ["product.updated"]
    rig.sandbox.remove_item("MUG")
    assert deliveries(rig.sandbox) == []
    assert rig.connector.look_up("items", ["10"]).gone == ("10",)


def test_an_event_of_what_is_gone_by_then_is_still_a_hint() -> None:
    rig = rig_with_hooks()
    rig.sandbox.count("MUG", 3)
    rig.sandbox.remove_item("MUG")
    (told,) = deliveries(rig.sandbox)
    assert rig.verify(told).topic == "product.updated"
    assert read_json(told.body)["code"] == "woocommerce_rest_product_invalid_id"


@pytest.mark.parametrize(
    ("secret", "meant"),
    [("plain", "plain"), ("a&b", "a&b"), ("a&amp;b", "a&b"), ("&quot;x&#039;", "\"x'"), ("&amp;lt;", "&lt;")],
)
def test_a_secret_is_read_as_the_shop_reads_it(secret: str, meant: str) -> None:
    assert decoded(secret) == meant
    rig = Rig(secrets={"hook_secret": secret})
    body = b'{"id":1}'
    headers = {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-signature": sign(meant, body, "base64")}
    assert rig.verify(Request("POST", HOOK, headers, body)).topic == "order.updated"


# subscriptions


def test_missing_webhooks_are_made_once() -> None:
    rig = Rig()
    assert rig.connector.hooks() == []
    done = rig.connector.heal_hooks(HOOK)
    assert done == [f"subscribed {topic} (webhook {number})" for number, topic in enumerate(TOPICS, start=1)]
    assert rig.connector.heal_hooks(HOOK) == []
    found = rig.connector.hooks()
    assert {(one["topic"], one["url"], one["status"]) for one in found} == {(topic, HOOK, "active") for topic in TOPICS}
    assert set(found[0]) == {"id", "name", "topic", "url", "status", "since"}


def test_seven_failures_switch_a_webhook_off_and_healing_switches_it_on_and_the_gap_is_read() -> None:
    rig = rig_with_hooks()
    _, cursor = rig.read()
    for pieces in range(7):
        rig.clock.advance(60)
        rig.sandbox.count("MUG", pieces)
        (told,) = deliveries(rig.sandbox)
        rig.sandbox.delivered(told, 503)
    rig.clock.advance(60)
    rig.sandbox.count("MUG", 42)
    assert deliveries(rig.sandbox) == [], "nobody tells us any more"
    assert [one["status"] for one in rig.connector.hooks() if one["topic"] == "product.updated"] == ["disabled"]
    (done,) = rig.connector.heal_hooks(HOOK)
    assert "product.updated" in done
    assert "was disabled" in done
    assert rig.seen("stock", rig.read(cursor=cursor)[0])["10"]["on_hand"] == 42_000
    rig.sandbox.count("MUG", 41)
    (told,) = deliveries(rig.sandbox)
    rig.sandbox.delivered(told, 500)
    assert len(rig.connector.heal_hooks(HOOK)) == 1, "the count of failures was kept: one more ends it again"


def test_a_webhook_that_a_person_paused_stays_paused() -> None:
    rig = rig_with_hooks()
    rig.sandbox.webhooks.kept[3].status = "paused"
    assert rig.connector.heal_hooks(HOOK) == []
    assert [one["status"] for one in rig.connector.hooks() if one["id"] == "3"] == ["paused"]


def test_an_answer_in_between_begins_the_count_anew() -> None:
    rig = rig_with_hooks()
    for number in range(12):
        rig.sandbox.count("MUG", number)
        (told,) = deliveries(rig.sandbox)
        rig.sandbox.delivered(told, 200 if number % 6 == 5 else 500)
    assert rig.connector.heal_hooks(HOOK) == []


def test_webhooks_to_an_old_address_and_doubles_are_named_and_left_to_a_person() -> None:
    rig = rig_with_hooks()
    rig.sandbox.webhooks.add("Samklang order.created", "order.created", HOOK, "x")
    rig.sandbox.webhooks.add("Samklang order.created", "order.created", "https://old.test/hooks/webshop", "x")
    rig.sandbox.webhooks.add("mailing list", "order.created", "https://mail.test/", "x")
    assert rig.connector.heal_hooks(HOOK) == [], "all of ours is well"
    assert [one["id"] for one in rig.connector.hooks() if one.get("words")] == ["9"]
    done = rig.connector.heal_hooks("https://new.test/hooks/webshop")
    assert len([words for words in done if words.startswith("subscribed")]) == len(TOPICS)
    assert len([words for words in done if "still delivers to" in words]) == len(TOPICS) + 2
    assert len(rig.connector.hooks()) == 11 + len(TOPICS)


def test_a_survey_tells_what_a_first_configuration_needs() -> None:
    assert Rig(currency="EUR", prices_tax="excluded", title="Mug & Co").connector.survey() == {
        "title": "Mug & Co",
        "currency": "EUR",
        "settings": {"currency": "EUR", "prices_tax": "excluded"},
        "locations": [],
    }
    stranger = Rig(secrets={"consumer_secret": "cs_wrong"})
    assert stranger.connector.survey() == {"title": "Made shop", "settings": {}, "locations": []}
