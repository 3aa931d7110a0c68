"""Vendure: what a merchant may rely on when the connector reads from and writes to a shop."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from rig import Served
from vendure_rig import FOLDER, Rig

from connectors.vendure.judge import read_shown
from hub.errors import OutcomeUnknownError, ThrottledError, UnauthorizedError, UnavailableError, UnverifiedError
from hub.flow import Outcome
from hub.sdk.contract import Delivery, ReadAsk
from hub.sdk.sandbox import json_response
from hub.sdk.wire import Request


@pytest.fixture
def rig() -> Rig:
    return Rig()


# reading


@pytest.mark.parametrize("page_max", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("stream", ["items", "stock"])
def test_reading_to_the_end_gives_every_listing_once(rig: Rig, stream: str, page_max: int) -> None:
    ids = rig.stocked(7)
    records, _ = rig.read(stream, page_max=page_max)
    assert [record["id"] for record in records] == ids
    assert all(one["on_hand"] == 10_000 for one in rig.seen("stock", records).values())


def test_what_is_read_is_what_the_customer_sees(rig: Rig) -> None:
    (listing,) = rig.stocked(1)
    rig.sandbox.sell("TEE-001", 3)
    records, _ = rig.read("items")
    stock, price, item = (rig.seen(entity, records)[listing] for entity in ("stock", "price", "item"))
    assert stock["on_hand"] - stock["own_open"] == 7_000
    assert (price["amount"], price["currency"], price["tax"]) == (Decimal("199.95"), "DKK", "included")
    assert (item["sku"], item["title"], item["state"]) == ("TEE-001", "Tee 1", "active")
    assert all(not rig.mappings.unread(["item", "stock", "price"], record) for record in records)


def test_a_poll_sees_what_a_person_changed_and_an_idle_poll_costs_one_request(rig: Rig) -> None:
    ids = rig.stocked(5)
    rig.clock.advance(600)
    rig.sandbox.set_price("TEE-002", Decimal("150.00"))
    _, cursor = rig.read("items")
    rig.clock.advance(300)
    rig.sandbox.set_price("TEE-004", Decimal("99.95"))
    records, cursor = rig.read("items", cursor)
    assert rig.seen("price", records)[ids[3]]["amount"] == Decimal("99.95")
    assert ids[0] not in rig.seen("price", records)

    before = len(rig.wire.requests)
    records, cursor = rig.read("items", cursor)
    assert (records, len(rig.wire.requests) - before) == ([], 1)

    rig.sandbox.count("TEE-001", 4)
    records, _ = rig.read("items", cursor)
    assert rig.seen("stock", records)[ids[0]]["on_hand"] == 4_000


def test_a_change_made_while_pages_are_being_read_is_in_the_next_poll(rig: Rig) -> None:
    ids = rig.stocked(6)
    first = rig.connector.read("items", ReadAsk("", True, 2, rig.clock.now()))
    rig.clock.advance(200)
    rig.sandbox.set_price("TEE-001", Decimal("88.00"))
    rest, cursor = rig.read("items", first.cursor, full=True, page_max=2)
    assert [record["id"] for record in rig.records(first) + rest] == ids
    records, _ = rig.read("items", cursor)
    assert rig.seen("price", records)[ids[0]]["amount"] == Decimal("88.00")


@pytest.mark.parametrize("stream", ["items", "stock"])
def test_a_deletion_while_pages_are_being_read_loses_nobody(rig: Rig, stream: str) -> None:
    ids = rig.stocked(9)
    first = rig.connector.read(stream, ReadAsk("", True, 3, rig.clock.now()))
    rig.sandbox.remove_item("TEE-002")
    rig.sandbox.remove_item("TEE-003")
    rest, _ = rig.read(stream, first.cursor, full=True, page_max=3)
    assert {record["id"] for record in rig.records(first) + rest} >= set(ids) - {ids[1], ids[2]}


def test_a_sale_moves_no_variant_so_only_the_stock_sweep_and_the_event_tell(rig: Rig) -> None:
    ids = rig.stocked(2)
    _, cursor = rig.read("items")
    rig.sandbox.outbox.clear()
    rig.clock.advance(100)
    rig.sandbox.sell("TEE-001", 4)
    assert rig.read("items", cursor)[0] == []
    (told,) = rig.sandbox.outbox
    assert told.json()["variants"] == [ids[0]]
    swept = rig.seen("stock", rig.read("stock", full=True)[0])
    assert swept[ids[0]]["on_hand"] - swept[ids[0]]["own_open"] == 6_000


def test_a_look_up_names_those_that_are_gone(rig: Rig) -> None:
    ids = rig.stocked(3)
    rig.sandbox.remove_item("TEE-002")
    page = rig.connector.look_up("stock", [*ids, "999"])
    assert [record["id"] for record in rig.records(page)] == [ids[0], ids[2]]
    assert set(page.gone) == {ids[1], "999"}


def test_only_the_channels_own_location_and_currency_count(rig: Rig) -> None:
    two = Rig(settings={"stock_location": "2"}, locations="Warehouse,Aarhus")
    two.sandbox.add_item("TEE-001", "Tee", price=Decimal("199.95"))
    two.sandbox.count("TEE-001", 12, "1")
    two.sandbox.count("TEE-001", 3, "2")
    assert [one["on_hand"] for one in two.seen("stock", two.read("items")[0]).values()] == [3_000]


def test_a_reading_that_was_cut_goes_on_where_it_stopped(rig: Rig) -> None:
    ids = rig.stocked(6)
    first = rig.connector.read("stock", ReadAsk("", True, 2, rig.clock.now()))
    rig.sandbox.faults.cut_next = 3
    with pytest.raises(UnavailableError):
        rig.connector.read("stock", ReadAsk(first.cursor, True, 2, rig.clock.now()))
    assert rig.sandbox.faults.spent == {"cut": 3}
    rest, _ = rig.read("stock", first.cursor, full=True, page_max=2)
    assert [record["id"] for record in rig.records(first) + rest] == ids


# sending


def test_stock_that_is_sent_shows_and_neighbours_stay(rig: Rig) -> None:
    ids = rig.stocked(3)
    receipts = rig.send_stock({ids[0]: 4, ids[2]: 0})
    assert {one.outcome for one in receipts.values()} == {Outcome.APPLIED}
    assert receipts[ids[0]].shows == {"raw": 4_000, "sellable": 4_000}
    assert [rig.sandbox.shown()[sku]["stock"]["1"] for sku in ("TEE-001", "TEE-002", "TEE-003")] == [4, 10, 0]


def test_on_hand_is_written_with_what_orders_have_allocated(rig: Rig) -> None:
    (listing,) = rig.stocked(1)
    rig.sandbox.sell("TEE-001", 2)
    receipt = rig.send_stock({listing: 12})[listing]
    assert receipt.shows == {"raw": 12_000, "sellable": 10_000}
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 10
    rig.sandbox.fulfil("TEE-001", 2)
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 10


def test_a_price_that_is_sent_shows(rig: Rig) -> None:
    ids = rig.stocked(2)
    receipts = rig.send_price({ids[0]: "149.5", ids[1]: "0.05"})
    assert {one.outcome for one in receipts.values()} == {Outcome.APPLIED}
    assert receipts[ids[0]].shows == {"amount": "149.5", "currency": "DKK", "tax": "included"}
    assert [rig.sandbox.shown()[sku]["price"] for sku in ("TEE-001", "TEE-002")] == [Decimal("149.50"), Decimal("0.05")]


def test_one_unknown_listing_does_not_fail_its_neighbours(rig: Rig) -> None:
    ids = rig.stocked(6)
    rig.sandbox.remove_item("TEE-003")
    receipts = rig.send_stock(dict.fromkeys(ids, 1))
    assert receipts[ids[2]].outcome is Outcome.REFUSED
    assert "could be found" in receipts[ids[2]].words
    assert all(receipts[one].outcome is Outcome.APPLIED for one in ids if one != ids[2])
    assert all(shown["stock"]["1"] == 1 for sku, shown in rig.sandbox.shown().items() if sku != "TEE-003")


def test_a_batch_above_the_limit_is_split(rig: Rig) -> None:
    ids = rig.stocked(103)
    receipts = rig.send_stock(dict.fromkeys(ids, 5))
    sent = [len(one["variables"]["input"]) for one in rig.wire.documents() if "SendStock" in one["query"]]
    assert sent == [100, 3]
    assert {one.outcome for one in receipts.values()} == {Outcome.APPLIED}


def test_a_success_that_changed_nothing_is_noticed(rig: Rig) -> None:
    (listing,) = rig.stocked(1)
    rig.send_stock({listing: 10})
    rig.sandbox.faults.ignore_writes_next = 2
    stock, price = rig.send_stock({listing: 3})[listing], rig.send_price({listing: "5.00"})[listing]
    assert (stock.outcome, stock.shows["raw"]) == (Outcome.REFUSED, 10_000)
    assert (price.outcome, price.shows["amount"]) == (Outcome.REFUSED, "199.95")


@pytest.mark.parametrize(
    ("amount", "currency", "tax", "words"),
    [
        ("10.005", "DKK", "included", "more decimals"),
        ("10", "SEK", "included", "no prices in SEK"),
        ("10", "DKK", "excluded", "tax"),
        ("-1", "DKK", "included", "range"),
    ],
)
def test_a_price_that_the_shop_cannot_show_is_refused_before_it_is_sent(
    rig: Rig, amount: str, currency: str, tax: str, words: str
) -> None:
    (listing,) = rig.stocked(1)
    receipt = rig.send_price({listing: amount}, currency, tax)[listing]
    assert receipt.outcome is Outcome.REFUSED
    assert words in receipt.words
    assert rig.sandbox.shown()["TEE-001"]["price"] == Decimal("199.95")


def test_stock_for_an_unknown_location_or_below_zero_is_refused_alone(rig: Rig) -> None:
    ids = rig.stocked(2)
    receipts = rig.send_stock({ids[0]: -1, ids[1]: 7})
    assert [receipts[one].outcome for one in ids] == [Outcome.REFUSED, Outcome.APPLIED]
    assert rig.send_stock({ids[0]: 1}, place_ref="77")[ids[0]].words == "the shop has no stock location 77"


def test_a_variant_without_tracking_is_reported_and_gives_no_figure(rig: Rig) -> None:
    (listing,) = rig.stocked(1)
    rig.sandbox.shop.variants[int(listing)].track = "FALSE"
    assert rig.seen("stock", rig.read("stock")[0]) == {}
    assert rig.send_stock({listing: 2})[listing].outcome is Outcome.REFUSED


# trouble


def test_an_ended_session_is_renewed_once_even_before_a_write(rig: Rig) -> None:
    (listing,) = rig.stocked(1)
    rig.send_stock({listing: 8})
    rig.sandbox.end_sessions()
    assert rig.send_stock({listing: 6})[listing].outcome is Outcome.APPLIED
    assert rig.sandbox.shown()["TEE-001"]["stock"]["1"] == 6


def test_a_login_that_is_no_longer_good_pauses_the_channel_without_telling_the_password() -> None:
    rig = Rig(secrets={"password": "old-password"})
    with pytest.raises(UnauthorizedError) as refused:
        rig.read("items")
    assert "INVALID_CREDENTIALS_ERROR" in str(refused.value)
    assert "old-password" not in str(refused.value)
    rig = Rig()
    rig.sandbox.faults.unauthorized = True
    with pytest.raises(UnauthorizedError):
        rig.read("stock")


def test_an_api_key_needs_no_login() -> None:
    rig = Rig(secrets={"api_key": "made-up-key"}, api_key="made-up-key")
    rig.stocked(2)
    assert len(rig.read("stock")[0]) == 2
    assert not [one for one in rig.wire.documents() if "login" in one["query"]]
    with pytest.raises(UnauthorizedError):
        Rig(secrets={"api_key": "revoked"}, api_key="made-up-key").read("stock")


def test_a_lost_answer_is_unknown_and_a_look_up_tells_what_became_of_it(rig: Rig) -> None:
    (listing,) = rig.stocked(1)
    rig.read("stock")
    rig.sandbox.faults.lose_answer_next = 1
    with pytest.raises(OutcomeUnknownError):
        rig.send_stock({listing: 2})
    assert rig.seen("stock", rig.records(rig.connector.look_up("stock", [listing])))[listing]["on_hand"] == 2_000


def test_parts_that_were_answered_keep_their_receipts_when_a_later_part_fails(rig: Rig) -> None:
    ids = rig.stocked(150)
    rig.send_stock({ids[0]: 10})
    sandbox_route, writes = rig.sandbox.route, iter([False, True])

    def route(request: Request) -> Any:
        if rig.sandbox.is_write(request) and next(writes):
            raise TimeoutError
        return sandbox_route(request)

    rig.sandbox.route = route  # type: ignore[method-assign]
    rig.wire.send = _lost_on_timeout(rig)  # type: ignore[method-assign]
    receipts = rig.send_stock(dict.fromkeys(ids, 3))
    outcomes = [receipts[one].outcome for one in ids]
    assert outcomes == [Outcome.APPLIED] * 100 + [Outcome.UNKNOWN] * 50


def _lost_on_timeout(rig: Rig) -> Any:
    from hub.sdk.wire import NoAnswerError

    def send(request: Request, deadline_seconds: float, answer_bytes_max: int) -> Any:
        try:
            return rig.sandbox.send(request, deadline_seconds, answer_bytes_max)
        except TimeoutError:
            raise NoAnswerError("no answer") from None

    return send


def test_throttling_garbage_and_an_outage_are_told_apart(rig: Rig) -> None:
    rig.stocked(1)
    rig.read("stock")
    rig.sandbox.faults.throttle_next = 1
    with pytest.raises(ThrottledError):
        rig.read("stock")
    rig.clock.advance(5)
    rig.sandbox.faults.garbage_next = 1
    with pytest.raises(UnavailableError):
        rig.read("stock")
    rig.sandbox.faults.fail_next = 1
    assert len(rig.read("stock")[0]) == 1
    rig.sandbox.faults.down = True
    with pytest.raises(UnavailableError):
        rig.read("stock")


# deliveries


def _delivery(told: Request, **changed: Any) -> Delivery:
    said: dict[str, Any] = {"headers": told.headers, "body": told.body, **changed}
    return Delivery("POST", told.url, said["headers"], {}, said["body"])


def test_a_delivery_verifies_and_a_changed_byte_a_wrong_or_missing_signature_does_not(rig: Rig) -> None:
    rig.stocked(1)
    told = rig.sandbox.outbox[-1]
    verdict = rig.connector.verify(_delivery(told))
    assert verdict.topic == "ProductVariantEvent"
    body = told.body.replace(b'"enabled":true', b'"enabled":truE')
    assert body != told.body
    signature = told.headers["x-signature"]
    turned = ("0" if signature[0] != "0" else "1") + signature[1:]
    unsigned = {name: value for name, value in told.headers.items() if name != "x-signature"}
    for changed in ({"body": body}, {"body": b""}, {"headers": unsigned}, {"headers": {**told.headers, "x-signature": turned}}):
        with pytest.raises(UnverifiedError):
            rig.connector.verify(_delivery(told, **changed))


def test_every_event_that_the_shop_tells_is_a_topic_or_ignored_by_name(rig: Rig) -> None:
    rig.stocked(1)
    rig.sandbox.sell("TEE-001", 1)
    rig.sandbox.enable_product("TEE-001", False)
    declared = rig.manifest.deliveries
    assert declared is not None
    told = {request.headers["x-vendure-event"] for request in rig.sandbox.outbox}
    assert told == {"ProductEvent", "ProductVariantEvent", "ProductVariantPriceEvent", "StockMovementEvent"}
    assert told <= set(declared.topics) | set(declared.ignored_topics)
    made = FOLDER / "samples" / "made" / "stock_moved.json"
    assert set(json.loads(made.read_text())) == set(rig.sandbox.outbox[-2].json())


def test_a_switched_off_product_makes_its_listing_inactive(rig: Rig) -> None:
    (listing,) = rig.stocked(1)
    rig.sandbox.enable_product("TEE-001", False)
    named = rig.sandbox.outbox[-1].json()["variants"]
    page = rig.connector.look_up("items", named)
    assert rig.seen("item", rig.records(page))[listing]["state"] == "inactive"


# the mappings and the judge


def test_the_mappings_examples_hold(rig: Rig) -> None:
    assert rig.mappings.run_examples(FOLDER) == []


def test_the_judge_reads_over_http_what_the_shop_shows(rig: Rig) -> None:
    rig.stocked(3)
    rig.sandbox.sell("TEE-002", 4)
    rig.sandbox.enable_product("TEE-003", False)
    with Served(rig.sandbox) as base_url:
        shown = read_shown(base_url, rig.settings, dict(rig.connector.secrets))
    expected = {
        sku: {
            "stock": {place: str(pieces) for place, pieces in one["stock"].items()},
            "price": str(one["price"]),
            "currency": "DKK",
            "state": one["state"],
        }
        for sku, one in rig.sandbox.shown().items()
    }
    assert shown == expected
    assert shown["TEE-002"]["stock"] == {"1": "6"}


# without a reason from the shop


def _faulty(rig: Rig, is_bad: Any) -> None:
    """The shop's server fails, without a named reason, on every batch for which `is_bad` holds."""
    route = rig.sandbox.route

    def answer(request: Request) -> Any:
        if rig.sandbox.is_write(request) and is_bad([one["id"] for one in request.json()["variables"]["input"]]):
            error = {"message": "deadlock detected", "path": ["updateProductVariants"]}
            return json_response({"errors": [error], "data": None})
        return route(request)

    rig.sandbox.route = answer  # type: ignore[method-assign]


def test_a_fault_that_the_server_does_not_explain_may_be_tried_again(rig: Rig) -> None:
    ids = rig.stocked(8)
    _faulty(rig, lambda asked: ids[3] in asked)
    receipts = rig.send_stock(dict.fromkeys(ids, 2))
    assert receipts[ids[3]].outcome is Outcome.NOT_SENT
    assert all(receipts[one].outcome is Outcome.APPLIED for one in ids if one != ids[3])


def test_a_server_that_fails_at_everything_is_not_asked_once_per_change(rig: Rig) -> None:
    ids = rig.stocked(100)
    _faulty(rig, lambda asked: True)
    receipts = rig.send_stock(dict.fromkeys(ids, 2))
    assert {one.outcome for one in receipts.values()} == {Outcome.NOT_SENT}
    assert len([one for one in rig.wire.documents() if "SendStock" in one["query"]]) < 20


def test_an_answer_that_broke_after_the_effect_is_unknown(rig: Rig) -> None:
    (listing,) = rig.stocked(1)
    route = rig.sandbox.route

    def answer(request: Request) -> Any:
        done = route(request)
        if not rig.sandbox.is_write(request):
            return done
        error = {"message": "Cannot return null", "path": ["updateProductVariants", 0, "stockLevels"]}
        return json_response({"errors": [error], "data": None})

    rig.sandbox.route = answer  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknownError):
        rig.send_stock({listing: 2})
