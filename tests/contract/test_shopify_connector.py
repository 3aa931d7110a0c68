"""Shopify's connector on its small shop: reading, writing, pace, deliveries, subscriptions, sign-in, versions."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from shopify_rig import BASE_URL, DEPOT, HOOK, STORE, Rig

from connectors.shopify.hooks import TOPICS
from hub.errors import RefusedError, ThrottledError, UnauthorizedError, UnavailableError, UnverifiedError
from hub.flow import Outcome
from hub.sdk.contract import ReadAsk
from hub.sdk.signature import sign
from hub.sdk.wire import NoAnswerError, Request, Response

SECRET = "made-up-client-secret"

# reading


@pytest.mark.parametrize("page_max", [1, 2, 3, 100])
def test_a_full_reading_gives_each_variant_and_level_once(page_max: int) -> None:
    rig = Rig()
    ids = rig.stocked(5)
    items, _ = rig.read("items", full=True, page_max=page_max)
    levels, _ = rig.read("stock", full=True, page_max=page_max)
    assert sorted(rig.seen("item", items)) == sorted(ids)
    assert sorted(rig.seen("stock", levels)) == sorted(f"{one} {place}" for one in ids for place in (DEPOT, STORE))
    assert len(items) == 5
    assert len(levels) == 10


def test_what_is_read_of_a_variant_is_what_the_shop_shows() -> None:
    rig = Rig()
    tee = rig.sandbox.add_item(
        "00123", "Tee", price=Decimal("199.95"), barcode="5701234567899", picture="https://x.example/t.jpg"
    )
    small = rig.sandbox.add_variant_to("00123", "00124", "Small", Decimal("149.00"))
    rig.sandbox.shop.on_sale("00123").compare_at = Decimal("249.95")
    rig.sandbox.count("00123", 7, STORE)
    items, _ = rig.read("items", full=True)
    seen = rig.seen("item", items)
    assert (seen[tee]["sku"], seen[tee]["title"], seen[tee]["barcode"]) == ("00123", "Tee", "5701234567899")
    assert (seen[small]["title"], seen[small]["group"] == seen[tee]["group"]) == ("Tee Small", True)
    assert seen[small]["options"] == {"Title": "Small"}
    prices = rig.seen("price", items)
    assert (prices[tee]["amount"], prices[tee]["reference"], prices[tee]["currency"]) == (
        Decimal("199.95"),
        Decimal("249.95"),
        "DKK",
    )
    assert rig.stock()[f"{tee} {STORE}"] == 7


def test_a_poll_gives_what_changed_and_nothing_else() -> None:
    rig = Rig()
    ids = rig.stocked(4)
    rig.clock.advance(600)
    _, items = rig.read("items", full=True)
    _, levels = rig.read("stock", full=True)
    rig.clock.advance(600)
    rig.sandbox.set_price("TEE-002", Decimal("5.00"))
    rig.sandbox.count("TEE-003", 1, STORE)
    rig.clock.advance(60)
    changed, items = rig.read("items", items)
    moved, _ = rig.read("stock", levels)
    assert {key: one["amount"] for key, one in rig.seen("price", changed).items()} == {ids[1]: Decimal("5.00")}
    assert {key: one["on_hand"] for key, one in rig.seen("stock", moved).items()} == {f"{ids[2]} {STORE}": 1000}
    rig.clock.advance(600)
    again, items = rig.read("items", items)
    assert list(rig.seen("price", again)) == [ids[1]], "what lies in the overlap is read once more"
    rig.clock.advance(600)
    assert rig.read("items", items)[0] == []


def test_what_the_search_learns_late_is_read_by_the_next_poll() -> None:
    rig = Rig()
    ids = rig.stocked(1)
    rig.clock.advance(600)
    _, cursor = rig.read("items", full=True)
    rig.clock.advance(600)
    rig.sandbox.set_price("TEE-001", Decimal("5.00"))
    at_once, cursor = rig.read("items", cursor)
    assert at_once == [], "the search does not know of it yet"
    rig.clock.advance(60)
    assert list(rig.seen("price", rig.read("items", cursor)[0])) == ids


def test_only_the_channels_own_locations_are_read() -> None:
    rig = Rig(places={"store": STORE})
    (tee,) = rig.stocked(1)
    assert list(rig.stock()) == [f"{tee} {STORE}"]
    everywhere = Rig(places={})
    (tee,) = everywhere.stocked(1)
    assert list(everywhere.stock()) == [f"{tee} {DEPOT}", f"{tee} {STORE}"]


def test_a_look_up_names_what_is_gone() -> None:
    rig = Rig()
    ids = rig.stocked(2)
    rig.sandbox.remove_item("TEE-002")
    for stream in ("items", "stock"):
        page = rig.connector.look_up(stream, [*ids, "999", "no id at all", f"gid://shopify/ProductVariant/{ids[1]}"])
        assert {ids[1], "999", "no id at all"} <= set(page.gone)
        assert ids[0] not in page.gone


def test_what_does_not_track_its_stock_has_no_figure() -> None:
    rig = Rig()
    tee, other = rig.stocked(2)
    rig.sandbox.untrack("TEE-001")
    assert sorted(rig.stock()) == [f"{other} {DEPOT}", f"{other} {STORE}"]
    assert rig.send_stock(rig.change(tee, 3, None))[tee].outcome is Outcome.REFUSED


# the price lists of markets


def test_a_channel_may_be_a_market_with_its_own_price_list() -> None:
    rig = Rig()
    tee, other = rig.stocked(2)
    market = rig.sandbox.add_market("SE", "SEK", Decimal("1.5"))
    rig.settings |= {"price_list": market, "market_country": "SE"}
    rig.restart()
    items, _ = rig.read("items", full=True)
    price = rig.seen("price", items)[tee]
    assert (price["currency"], price["list"], price["amount"]) == ("SEK", market, Decimal("299.92"))
    receipts = rig.send_price({tee: "349.00", "999": "1.00"}, "SEK")
    assert {listing: receipt.outcome for listing, receipt in receipts.items()} == {tee: Outcome.APPLIED, "999": Outcome.REFUSED}
    after = rig.seen("price", rig.read("items", full=True)[0])
    assert (after[tee]["amount"], after[other]["amount"]) == (Decimal("349.00"), Decimal("299.92"))
    assert rig.sandbox.shown()["TEE-001"]["price"] == Decimal("199.95"), "the shop's own price stays"
    assert rig.send_price({tee: "199.00"}, "DKK")[tee].outcome is Outcome.REFUSED


# writing


def test_stock_is_set_where_it_still_is_what_was_seen() -> None:
    rig = Rig()
    tee, other = rig.stocked(2)
    receipts = rig.send_stock(rig.change(tee, 3, 10), rig.change(other, 4, 9))
    assert (receipts[tee].outcome, receipts[tee].shows) == (Outcome.APPLIED, {"raw": 3000})
    assert (receipts[other].outcome, receipts[other].shows) == (Outcome.CONFLICT, {"raw": 10_000})
    assert (rig.stock()[f"{tee} {DEPOT}"], rig.stock()[f"{other} {DEPOT}"]) == (3, 10)


def test_a_sale_between_looking_and_writing_is_a_conflict_and_is_not_overwritten() -> None:
    rig = Rig()
    tee, other = rig.stocked(2)

    original, sold = rig.wire.send, []

    def send(request: Request, deadline: float, most: int) -> Response:
        if b"inventorySetQuantities" in request.body and not sold:
            sold.append(rig.sandbox.sell("TEE-001", 1, DEPOT))
        return original(request, deadline, most)

    rig.wire.send = send  # type: ignore[method-assign]
    receipts = rig.send_stock(rig.change(tee, 7, 10), rig.change(other, 6, 10))
    assert receipts[tee].outcome is Outcome.CONFLICT
    assert "CHANGE_FROM_QUANTITY_STALE" in receipts[tee].words
    assert receipts[other].outcome is Outcome.APPLIED, "the neighbour goes again without it"
    assert (rig.stock()[f"{tee} {DEPOT}"], rig.stock()[f"{other} {DEPOT}"]) == (9, 6)


def test_every_write_of_stock_carries_a_key_and_the_figure_seen() -> None:
    rig = Rig()
    (tee,) = rig.stocked(1)
    rig.send_stock(rig.change(tee, 3, 10))
    rig.clock.advance(1)
    rig.send_stock(rig.change(tee, 10, 3))
    rig.clock.advance(1)
    assert rig.send_stock(rig.change(tee, 3, 10))[tee].outcome is Outcome.APPLIED, "the same again later is another write"
    sent = [one["variables"] for one in rig.wire.documents() if "inventorySetQuantities" in one["query"]]
    assert [one["input"]["quantities"][0]["changeFromQuantity"] for one in sent] == [10, 3, 10]
    assert len({one["key"] for one in sent}) == 3


def test_an_item_that_a_location_does_not_hold_is_stocked_there() -> None:
    rig = Rig()
    tee, other = rig.stocked(2)
    rig.sandbox.disconnect("TEE-001", STORE)
    receipts = rig.send_stock(rig.change(tee, 4, None, STORE), rig.change(other, 2, 0, STORE))
    assert {one.outcome for one in receipts.values()} == {Outcome.APPLIED}
    assert (rig.stock()[f"{tee} {STORE}"], rig.stock()[f"{other} {STORE}"]) == (4, 2)


def test_figures_of_two_locations_go_in_one_batch() -> None:
    rig = Rig()
    (tee,) = rig.stocked(1)
    changes = [rig.change(tee, 3, 10, DEPOT, "one"), rig.change(tee, 5, 0, STORE, "two")]
    assert [one.outcome for one in rig.connector.send("stock", changes)] == [Outcome.APPLIED] * 2
    assert rig.stock() == {f"{tee} {DEPOT}": 3, f"{tee} {STORE}": 5}


@pytest.mark.parametrize(("pieces", "place"), [(-1, DEPOT), (3, ""), (3, "70000099")])
def test_what_cannot_be_put_to_the_shop_is_refused_alone(pieces: int, place: str) -> None:
    rig = Rig()
    tee, other = rig.stocked(2)
    receipts = rig.send_stock(rig.change(tee, pieces, None, place), rig.change(other, 4, 10))
    assert receipts[tee].outcome is Outcome.REFUSED
    assert receipts[other].outcome is Outcome.APPLIED


def test_a_lost_answer_leaves_the_batch_unknown_and_the_sale_is_seen() -> None:
    rig = Rig()
    (tee,) = rig.stocked(1)
    rig.sandbox.faults.lose_answer_next = 1
    with pytest.raises(Exception, match="lost"):
        rig.send_stock(rig.change(tee, 3, 10))
    assert rig.stock()[f"{tee} {DEPOT}"] == 3


def test_prices_of_many_products_go_in_one_document_and_a_wrong_one_stands_alone() -> None:
    rig = Rig()
    ids = rig.stocked(3)
    small = rig.sandbox.add_variant_to("TEE-001", "TEE-001-S", "Small", Decimal("9.00"))
    before = len(rig.wire.requests)
    receipts = rig.send_price({ids[0]: "19.95", small: "1000000000", ids[1]: "20", ids[2]: "1.234", "999": "5"})
    outcomes = {listing: receipt.outcome for listing, receipt in receipts.items()}
    assert outcomes == {
        ids[0]: Outcome.APPLIED,
        small: Outcome.REFUSED,
        ids[1]: Outcome.APPLIED,
        ids[2]: Outcome.REFUSED,
        "999": Outcome.REFUSED,
    }
    shown = rig.sandbox.shown()
    assert (shown["TEE-001"]["price"], shown["TEE-001-S"]["price"], shown["TEE-002"]["price"]) == (
        Decimal("19.95"),
        Decimal("9.00"),
        Decimal("20.00"),
    )
    writes = [one for one in rig.wire.documents()[before:] if one["query"].startswith("mutation")]
    assert len(writes) == 1


def test_a_price_in_another_money_or_with_another_tax_is_refused() -> None:
    rig = Rig()
    (tee,) = rig.stocked(1)
    assert rig.send_price({tee: "10"}, "EUR")[tee].outcome is Outcome.REFUSED
    assert rig.send_price({tee: "10"}, tax="excluded")[tee].outcome is Outcome.REFUSED
    assert rig.sandbox.shown()["TEE-001"]["price"] == Decimal("199.95")


def test_successes_that_change_nothing_are_noticed() -> None:
    rig = Rig()
    (tee,) = rig.stocked(1)
    rig.sandbox.faults.ignore_writes_next = 2
    assert rig.send_stock(rig.change(tee, 3, 10))[tee].outcome is Outcome.REFUSED
    assert rig.send_price({tee: "10.00"})[tee].outcome is Outcome.REFUSED


# pace


def test_the_pace_is_what_the_platform_says_it_is() -> None:
    rig = Rig()
    rig.stocked(3)
    rig.read("items", full=True)
    said = rig.sandbox.points
    assert abs(rig.client.bucket.tokens - said) < 2
    assert rig.client.bucket.burst == 2000


def test_throttled_under_200_is_waited_out_as_the_points_say() -> None:
    rig = Rig()
    rig.stocked(1)
    rig.read("items", full=True)
    rig.sandbox._restore_points()
    rig.sandbox.points = 2.0
    rig.client.bucket.tokens = 2000.0
    with pytest.raises(ThrottledError) as told:
        rig.connector.read("items", ReadAsk("", True, 100, 0))
    assert told.value.retry_after_seconds is not None
    assert 6 < told.value.retry_after_seconds < 9, "about 700 points at 100 a second"
    with pytest.raises(ThrottledError):
        rig.connector.read("items", ReadAsk("", True, 100, 0))
    rig.clock.advance(told.value.retry_after_seconds)
    assert len(rig.records(rig.connector.read("items", ReadAsk("", True, 100, 0)), "items")) == 1


def test_no_request_may_cost_more_than_a_document_may() -> None:
    rig = Rig()
    rig.stocked(60)
    order = rig.sandbox.order({f"TEE-{one:03d}": 1 for one in range(1, 60)})
    rig.read("items", full=True)
    rig.clock.advance(60)
    rig.read("stock", full=True)
    rig.clock.advance(60)
    assert len(rig.order(order)["lines"]) == 59
    costs = list(rig.connector.api._costs.values())
    assert costs
    assert max(costs) < 1000


# the sign-in


def test_tokens_of_an_app_that_end_are_renewed_and_survive_a_restart() -> None:
    app = {"client_id": "made-app", "refresh_token": "made-first-refresh"}
    secrets = {"client_secret": SECRET, "refresh_token": "made-first-refresh"}
    kept: dict[str, str] = {}
    rig = Rig(settings={"client_id": "made-app"}, secrets=secrets, kept=kept, **app)
    rig.stocked(1)
    rig.read("items")
    rig.read("items")
    assert rig.sandbox.tokens.granted_times == 1
    rig.clock.advance(3600)
    rig.read("items")
    assert rig.sandbox.tokens.granted_times == 2, "renewed before it was refused"
    rig.restart()
    rig.read("items")
    assert rig.sandbox.tokens.granted_times == 2, "the kept token still holds"
    rig.clock.advance(3600)
    rig.restart()
    assert len(rig.read("items")[0]) == 1, "the kept refresh token is the newest one"
    assert "made-first-refresh" not in rig.sandbox.tokens._refresh
    asked = [one for one in rig.wire.requests if one.path == "/admin/oauth/access_token"]
    assert all(one.headers["content-type"] == "application/x-www-form-urlencoded" for one in asked)


def test_a_token_that_is_refused_is_renewed_once() -> None:
    rig = Rig(settings={"client_id": "made-app"}, secrets={"client_secret": SECRET}, client_id="made-app")
    rig.stocked(1)
    rig.read("items")
    rig.sandbox.tokens.expire()
    assert len(rig.read("items")[0]) == 1
    assert rig.sandbox.tokens.granted_times == 2
    rig.sandbox.tokens.revoke()
    rig.sandbox.options["client_secret"] = "another"
    with pytest.raises(UnauthorizedError, match="install the app again"):
        rig.read("items")


def test_a_lost_answer_to_a_renewal_is_asked_for_again() -> None:
    app = {"client_id": "made-app", "refresh_token": "made-first-refresh"}
    secrets = {"client_secret": SECRET, "refresh_token": "made-first-refresh"}
    rig = Rig(settings={"client_id": "made-app"}, secrets=secrets, **app)
    rig.stocked(1)
    original, lost = rig.wire.send, []

    def send(request: Request, deadline: float, most: int) -> Response:
        answer = original(request, deadline, most)
        if request.path.endswith("access_token") and not lost:
            lost.append(request)
            raise NoAnswerError("lost on the way")
        return answer

    rig.wire.send = send  # type: ignore[method-assign]
    assert len(rig.read("items")[0]) == 1
    assert rig.sandbox.tokens.granted_times == 2


@pytest.mark.parametrize(("status", "words"), [(401, "not accepted"), (402, "frozen"), (423, "locked")])
def test_a_shop_that_lets_nobody_in_waits_for_a_person(status: int, words: str) -> None:
    rig = Rig()
    rig.wire.send = lambda *_: Response(status, {}, b'{"errors": "no"}')  # type: ignore[method-assign]
    with pytest.raises(UnauthorizedError, match=words):
        rig.read("items")


def test_a_missing_access_scope_is_told_by_name() -> None:
    rig = Rig()
    words = "Access denied for productVariants field. Required access: `read_products` access scope."
    answered = {"errors": [{"message": words, "extensions": {"code": "ACCESS_DENIED"}}], "data": None}
    rig.wire.send = lambda *_: Response(200, {}, json.dumps(answered).encode())  # type: ignore[method-assign]
    with pytest.raises(UnauthorizedError, match="read_products"):
        rig.read("items")


# versions


def test_a_version_that_has_expired_is_noticed_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(versions="2027-01,2027-04")
    rig.stocked(1)
    assert len(rig.read("items")[0]) == 1
    rig.read("stock")
    assert rig.connector.notices == [
        "asked for API version 2026-10, answered by 2027-01: this connector must be brought up to date"
    ]
    assert len([one for one in caplog.records if "2027-01" in one.getMessage()]) == 1, "said once"
    rig.sandbox.options["versions"] = "2026-10"
    rig.read("items")
    assert rig.connector.notices == []


# deliveries


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
    for name in told.headers:
        if name.endswith(("hmac-sha256", "topic", "shop-domain", "api-version", "webhook-id")):
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


def test_an_address_without_tls_is_refused_in_words() -> None:
    with pytest.raises(RefusedError, match="not supported"):
        Rig().connector.heal_hooks("http://hub.example/hooks/webshop")


def test_hooks_at_another_address_are_left_alone() -> None:
    rig = Rig()
    rig.connector.heal_hooks("https://old.example/hooks/webshop")
    assert len(rig.connector.heal_hooks(HOOK)) == len(TOPICS)
    assert len(rig.connector.hooks()) == 2 * len(TOPICS)


# bulk


def test_a_large_catalogue_is_read_by_a_bulk_operation() -> None:
    rig = Rig(settings={"bulk_from": "50"})
    ids = rig.stocked(60)
    rig.clock.advance(600)
    before = len(rig.wire.requests)
    items, cursor = rig.read("items", full=True)
    assert sorted(rig.seen("price", items)) == sorted(ids)
    queries = [one["query"] for one in rig.wire.documents()[before:]]
    assert not [query for query in queries if query.startswith("query ReadItems")]
    levels = rig.stock()
    assert len(levels) == 120
    assert levels[f"{ids[0]} {DEPOT}"] == 10
    rig.clock.advance(600)
    rig.sandbox.set_price("TEE-007", Decimal("1.00"))
    rig.clock.advance(60)
    assert list(rig.seen("price", rig.read("items", cursor)[0])) == [ids[6]], "the poll goes on from where the bulk began"


def test_what_changes_while_a_bulk_operation_runs_is_seen_by_the_next_poll() -> None:
    rig = Rig(settings={"bulk_from": "5"})
    ids = rig.stocked(6)
    page = rig.connector.read("items", ReadAsk("", True, 100, 0))
    assert page.more, "the operation is under way"
    rig.sandbox.set_price("TEE-001", Decimal("1.00"))
    _, cursor = rig.read("items", page.cursor, full=True)
    rig.clock.advance(600)
    assert ids[0] in rig.seen("price", rig.read("items", cursor)[0])


def test_a_killed_first_reading_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.shopify.bulk.PART_BYTES_MAX", 5_000)
    rig = Rig(settings={"bulk_from": "5"})
    ids = rig.stocked(40)
    records: list[Any] = []
    cursor, pages = "", 0
    for _ in range(200):
        pages += 1
        page = rig.connector.read("items", ReadAsk(cursor, True, 100, 0))
        records += rig.records(page, "items")
        cursor = page.cursor
        rig.restart()
        if not page.more:
            break
    assert pages > 5
    assert sorted(one["id"].rpartition("/")[2] for one in records) == sorted(ids), "each once, though killed after every page"
    started = [one for one in rig.wire.documents() if "bulkOperationRunQuery" in one["query"]]
    assert len(started) == 1


def test_a_bulk_operation_that_fails_gives_way_to_pages() -> None:
    rig = Rig(settings={"bulk_from": "5"})
    ids = rig.stocked(6)
    page = rig.connector.read("items", ReadAsk("", True, 100, 0))
    for kept in rig.sandbox.state.bulks.values():
        kept["failed"] = True
    records = rig.records(page, "items") + rig.read("items", page.cursor, full=True)[0]
    assert sorted(rig.seen("item", records)) == sorted(ids)


def test_files_are_read_from_the_platforms_own_hosts_without_our_token() -> None:
    rig = Rig(settings={"bulk_from": "5"}, files_host="https://storage.googleapis.com")
    ids = rig.stocked(6)
    assert sorted(rig.seen("item", rig.read("items", full=True)[0])) == sorted(ids)
    files = [one for one in rig.wire.requests if one.host == "https://storage.googleapis.com"]
    assert files
    assert not any("token" in name for one in files for name in one.headers)
    elsewhere = Rig(settings={"bulk_from": "5"}, files_host="https://elsewhere.example")
    elsewhere.stocked(6)
    with pytest.raises(UnavailableError, match="not the platform's"):
        elsewhere.read("items", full=True)


def test_five_thousand_products_take_few_calls() -> None:
    rig = Rig()
    product = rig.sandbox.shop.add_product("Tee")
    rig.sandbox.hook_url = ""
    for one in range(3000):
        if one % 3 == 0:
            product = rig.sandbox.shop.add_product(f"Tee {one}")
        rig.sandbox.state.subscriptions[1] = {"topic": "NONE", "uri": ""}
        rig.sandbox.shop.add_variant(product, f"TEE-{one}", Decimal("10.00"))
    begun, calls = rig.clock.now(), len(rig.wire.requests)
    items, _ = rig.read("items", full=True)
    assert len({one["id"] for one in items}) == 3000
    assert len(rig.wire.requests) - calls < 30
    assert (rig.clock.now() - begun) / 1_000_000 < 120
