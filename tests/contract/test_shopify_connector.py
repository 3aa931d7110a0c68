"""Shopify's connector on its small shop: reading and writing."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from shopify_rig import DEPOT, STORE, Rig

from hub.flow import Outcome
from hub.sdk.wire import Request, Response

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


def test_one_location_may_show_the_figure_of_all() -> None:
    rig = Rig(settings={"stock_location": STORE})
    (tee,) = rig.stocked(1)
    assert rig.stock() == {f"{tee} {STORE}": 0}
    assert rig.send_stock(rig.change(tee, 15, 0, ""))[tee].outcome is Outcome.APPLIED
    assert rig.stock() == {f"{tee} {STORE}": 15}
    assert rig.sandbox.shown()["TEE-001"]["stock"] == {DEPOT: 10, STORE: 15}


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


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("IDEMPOTENCY_CONCURRENT_REQUEST", Outcome.UNKNOWN),
        ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", Outcome.NOT_SENT),
        ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", Outcome.REFUSED),
    ],
)
def test_what_is_said_of_a_key_decides_what_follows(code: str, outcome: Outcome) -> None:
    rig = Rig()
    (tee,) = rig.stocked(1)
    original = rig.wire.send

    def send(request: Request, deadline: float, most: int) -> Response:
        if b"inventorySetQuantities" not in request.body:
            return original(request, deadline, most)
        error = {"field": None, "message": "said of the key", "code": code}
        payload = {"inventoryAdjustmentGroup": None, "userErrors": [error]}
        return Response(200, {}, json.dumps({"data": {"inventorySetQuantities": payload}}).encode())

    rig.wire.send = send  # type: ignore[method-assign]
    assert rig.send_stock(rig.change(tee, 3, 10))[tee].outcome is outcome


def test_a_key_used_for_something_else_is_noticed_by_the_sandbox() -> None:
    rig = Rig()
    (tee,) = rig.stocked(1)
    sent: list[Request] = []
    original = rig.wire.send

    def send(request: Request, deadline: float, most: int) -> Response:
        if b"inventorySetQuantities" in request.body:
            sent.append(request)
        return original(request, deadline, most)

    rig.wire.send = send  # type: ignore[method-assign]
    rig.send_stock(rig.change(tee, 3, 10))
    again = json.loads(original(sent[0], 5, 1 << 20).body)["data"]["inventorySetQuantities"]
    assert again["userErrors"] == [], "the same request again is answered as before and has no second effect"
    body = json.loads(sent[0].body)
    body["variables"]["input"]["quantities"][0]["quantity"] = 9
    other = Request(sent[0].method, sent[0].url, sent[0].headers, json.dumps(body).encode())
    (error,) = json.loads(original(other, 5, 1 << 20).body)["data"]["inventorySetQuantities"]["userErrors"]
    assert error["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    del body["variables"]["key"]
    bare = Request(sent[0].method, sent[0].url, sent[0].headers, json.dumps(body).encode())
    assert "errors" in json.loads(original(bare, 5, 1 << 20).body), "without a key it is refused"
    assert rig.stock()[f"{tee} {DEPOT}"] == 3
