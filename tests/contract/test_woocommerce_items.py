"""WooCommerce: what is read of products and variations, and that a success which changed nothing is noticed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from woocommerce_rig import START, Rig

from connectors.woocommerce.sending import price_text
from hub.errors import UnavailableError
from hub.flow import Change, Key
from hub.sdk.contract import ReadAsk
from hub.sdk.wire import Request, Response

PRICE = Decimal("199.95")


def stocked(rig: Rig, count: int = 8) -> dict[str, str]:
    """That many items, ten pieces of each, half of them variations two by two; listing by SKU."""
    made = {f"TEE-{n}": rig.sandbox.add_item(f"TEE-{n}", f"Tee {n}", price=PRICE) for n in range(count)}
    for sku in made:
        rig.sandbox.count(sku, 10)
    rig.clock.advance(600)
    return made


@pytest.mark.parametrize("page_max", [1, 2, 3, 7, 100])
def test_a_full_reading_gives_each_product_and_variation_once(page_max: int) -> None:
    rig = Rig()
    ids = stocked(rig)
    records, _ = rig.read(page_max=page_max)
    assert sorted(str(record["product"]["id"]) for record in records) == sorted(ids.values())
    assert {one["on_hand"] for one in rig.seen("stock", records).values()} == {10_000}
    titles = {one["sku"]: one["title"] for one in rig.seen("item", records).values()}
    assert titles["TEE-0"] == "Tee 0"
    assert titles["TEE-1"] == "Range 11 - Tee 1", "a variation is known by its product and its options"


def test_a_deletion_in_the_middle_of_a_reading_loses_nobody() -> None:
    rig = Rig(mixed="no")
    ids = stocked(rig)
    ask = ReadAsk("", True, 3, rig.clock.now())
    first = rig.connector.read("items", ask)
    rig.sandbox.remove_item("TEE-1")
    records = rig.records(first)
    cursor = first.cursor
    while True:
        page = rig.connector.read("items", ReadAsk(cursor, True, 3, rig.clock.now()))
        records += rig.records(page)
        cursor = page.cursor
        if not page.more:
            break
    assert {str(one["product"]["id"]) for one in records} == set(ids.values())


@pytest.mark.parametrize("hours", ["0", "1", "-8", "13"])
def test_a_poll_sees_what_changed_since_wherever_the_site_lies(hours: str) -> None:
    rig = Rig(utc_offset_hours=hours)
    ids = stocked(rig)
    _, cursor = rig.read()
    assert rig.read(cursor=cursor)[0] == []
    for sku in ("TEE-7", "TEE-1", "TEE-4"):
        rig.clock.advance(600)
        rig.sandbox.count(sku, 3)
        rig.clock.advance(60)
        records, cursor = rig.read(cursor=cursor)
        assert rig.seen("stock", records)[ids[sku]]["on_hand"] == 3_000, sku
        assert len(records) < 4, "a poll does not read everything"


def test_a_value_written_past_the_shop_is_found_by_the_sweep_only() -> None:
    rig = Rig()
    ids = stocked(rig)
    _, cursor = rig.read()
    rig.sandbox.count_in_database("TEE-0", 2)
    assert rig.read(cursor=cursor)[0] == []
    assert rig.seen("stock", rig.read(full=True)[0])[ids["TEE-0"]]["on_hand"] == 2_000


def test_a_cut_list_is_no_end_and_an_empty_one_must_say_so() -> None:
    rig = Rig(mixed="no")
    stocked(rig)
    for body in (b"[]", b"null", b"{}", b"<html>", b""):
        real = rig.wire.send

        def answer(request: Request, deadline: float, most: int, body: bytes = body) -> Response:
            return Response(200, {}, body)

        rig.wire.send = answer  # type: ignore[method-assign]
        with pytest.raises(UnavailableError):
            rig.connector.read("items", ReadAsk("", True, 100, START))
        rig.wire.send = real  # type: ignore[method-assign]


# looking up


def test_a_look_up_tells_products_variations_and_the_trash_and_names_the_gone() -> None:
    rig = Rig()
    ids = stocked(rig)
    rig.sandbox.trash_item("TEE-0")
    rig.sandbox.remove_item("TEE-3")
    rig.again()
    page = rig.connector.look_up("items", [*ids.values(), "424242", "no-number"])
    assert set(page.gone) == {ids["TEE-3"], "424242", "no-number"}
    seen = rig.seen("item", rig.records(page))
    assert seen[ids["TEE-0"]]["state"] == "gone"
    assert {seen[ids[f"TEE-{n}"]]["state"] for n in (1, 2, 4, 5, 6, 7)} == {"active"}


def test_variations_are_looked_up_by_their_products_once_these_are_known() -> None:
    rig = Rig()
    ids = stocked(rig)
    variations = [ids[sku] for sku in ("TEE-1", "TEE-2", "TEE-5", "TEE-6")]
    rig.again()
    rig.connector.look_up("items", variations)
    first = len(rig.wire.requests)
    rig.connector.look_up("items", variations)
    assert len(rig.wire.requests) - first == 4, "one list of products, one of their products, one for each of the two"


def test_a_changed_product_stands_for_its_variations() -> None:
    rig = Rig()
    ids = stocked(rig)
    parent = str(rig.sandbox.catalogue.products[int(ids["TEE-1"])].parent)
    rig.sandbox.publish("TEE-1", False)
    seen = rig.look("item", parent)
    assert {listing: one["state"] for listing, one in seen.items()} == {ids["TEE-1"]: "inactive", ids["TEE-2"]: "inactive"}


def test_a_shop_that_was_switched_off_has_lost_nothing() -> None:
    rig = Rig()
    ids = stocked(rig)
    rig.again()

    def off(request: Request, deadline: float, most: int) -> Response:
        if "?" in request.url and "/products?" in request.url:
            return Response(200, {"x-wp-total": "0"}, b"[]")
        return Response(404, {}, b'{"code":"rest_no_route","message":"No route","data":{"status":404}}')

    rig.wire.send = off  # type: ignore[method-assign]
    with pytest.raises(UnavailableError, match="no such route"):
        rig.connector.look_up("items", [ids["TEE-0"]])


# kinds of stock


def test_stock_is_told_where_it_is_kept_and_nowhere_else() -> None:
    rig = Rig()
    ids = stocked(rig)
    rig.sandbox.manage_stock("TEE-0", False)
    parent = rig.sandbox.keep_stock_in_parent("TEE-1", 50)
    stock = rig.seen("stock", rig.read()[0])
    assert ids["TEE-0"] not in stock, "without management it sells without limit"
    assert ids["TEE-1"] not in stock, "its product keeps the stock"
    assert (stock[ids["TEE-2"]]["on_hand"], stock[parent]["on_hand"]) == (10_000, 50_000)
    prices = rig.seen("price", rig.read()[0])
    assert ids["TEE-1"] in prices
    assert parent not in prices, "the least price of its variations is none of its own"


def test_a_figure_that_was_taken_and_ignored_is_not_called_applied() -> None:
    rig = Rig()
    ids = stocked(rig)
    rig.sandbox.manage_stock("TEE-0", False)
    parent = rig.sandbox.keep_stock_in_parent("TEE-1", 50)
    receipts = rig.send_stock({ids["TEE-0"]: 7, ids["TEE-1"]: 7, ids["TEE-2"]: 7, ids["TEE-3"]: 7, parent: 7, "999999": 7})
    assert {listing: one.outcome for listing, one in receipts.items()} == {
        ids["TEE-0"]: "refused",
        ids["TEE-1"]: "refused",
        ids["TEE-2"]: "applied",
        ids["TEE-3"]: "applied",
        parent: "applied",
        "999999": "refused",
    }
    assert "does not manage its stock" in receipts[ids["TEE-0"]].words
    assert "kept by its product" in receipts[ids["TEE-1"]].words
    shown = rig.sandbox.shown()
    assert (shown["TEE-2"]["stock"], shown["TEE-3"]["stock"], shown["TEE-0"]["stock"]) == ({"": 7}, {"": 7}, {})


def test_where_the_merchant_says_so_a_figure_switches_management_on() -> None:
    rig = Rig(settings={"unmanaged": "manage"})
    ids = stocked(rig)
    rig.sandbox.manage_stock("TEE-0", False)
    rig.sandbox.keep_stock_in_parent("TEE-1", 50)
    receipts = rig.send_stock({ids["TEE-0"]: 7, ids["TEE-1"]: 3})
    assert [one.outcome for one in receipts.values()] == ["applied", "applied"]
    shown = rig.sandbox.shown()
    assert (shown["TEE-0"]["stock"], shown["TEE-1"]["stock"]) == ({"": 7}, {"": 3})


def test_whole_pieces_only_and_none_below_zero() -> None:
    rig = Rig(mixed="no")
    ids = stocked(rig, 2)
    first, second = ids.values()
    receipts = rig.send("stock", {first: {"raw": 2_500}, second: {"raw": -1_000}})
    assert [one.outcome for one in receipts.values()] == ["refused", "refused"]
    assert rig.sandbox.shown()["TEE-0"]["stock"] == {"": 10}


def test_a_hundred_variations_and_products_go_in_few_calls_and_errors_stay_with_their_own() -> None:
    rig = Rig()
    ids = stocked(rig, 40)
    rig.read()
    before = len(rig.wire.requests)
    receipts = rig.send_stock({**dict.fromkeys(ids.values(), 4), "999999": 1})
    writes = [one for one in rig.wire.requests[before:] if one.method == "POST"]
    assert len(writes) == 1 + 10, "one for all products, one for each product with variations"
    assert sorted({one.outcome for one in receipts.values()}) == ["applied", "refused"]
    assert receipts["999999"].outcome == "refused"
    assert {one["stock"][""] for one in rig.sandbox.shown().values()} == {4}


def test_a_variation_written_as_a_product_is_looked_at_again() -> None:
    rig = Rig()
    ids = stocked(rig)
    after = {"sellable": 3_000, "raw": 3_000}
    change = Change("c", Key("webshop", ids["TEE-1"], "stock"), "item", None, after, {}, START)
    (receipt,) = rig.connector.send("stock", [change])
    assert receipt.outcome == "conflict"


def test_a_site_that_takes_smaller_batches_gets_them() -> None:
    rig = Rig(mixed="no")
    ids = stocked(rig, 9)
    real = rig.wire.send

    def send(request: Request, deadline: float, most: int) -> Response:
        if request.path.endswith("/batch") and len(request.json()["update"]) > 3:
            return Response(413, {}, b'{"code":"woocommerce_rest_request_entity_too_large","message":"x","data":{"status":413}}')
        return real(request, deadline, most)

    rig.wire.send = send  # type: ignore[method-assign]
    assert {one.outcome for one in rig.send_stock(dict.fromkeys(ids.values(), 2)).values()} == {"applied"}
    before = len(rig.wire.requests)
    rig.send_stock(dict.fromkeys(ids.values(), 3))
    assert sum(one.method == "POST" for one in rig.wire.requests[before:]) == 5, "nine in batches of two: it was remembered"
    assert {one["stock"][""] for one in rig.sandbox.shown().values()} == {3}


# prices


@pytest.mark.parametrize(
    ("amount", "text"),
    [("199.95", "199.95"), ("199.9", "199.90"), ("200", "200"), ("1E+3", "1000"), ("0.05", "0.05"), ("1234567.5", "1234567.50")],
)
def test_prices_are_written_so_that_the_shop_reads_the_same(amount: str, text: str) -> None:
    assert price_text(Decimal(amount)) == text


def test_a_price_is_what_customers_pay_afterwards_also_during_a_sale() -> None:
    rig = Rig()
    ids = stocked(rig)
    rig.sandbox.put_on_sale("TEE-0", Decimal(150))
    told = rig.seen("price", rig.read()[0])[ids["TEE-0"]]
    assert (told["amount"], told["reference"]) == (Decimal("150.00"), PRICE)
    receipts = rig.send_price({ids["TEE-0"]: "180.5", ids["TEE-1"]: "1000"})
    assert {one.outcome for one in receipts.values()} == {"applied"}
    assert receipts[ids["TEE-0"]].shows == {"amount": "180.5", "currency": "DKK", "tax": "included"}
    shown = rig.sandbox.shown()
    assert (shown["TEE-0"]["price"], shown["TEE-1"]["price"]) == (Decimal("180.50"), Decimal(1000))


def test_a_planned_sale_changes_the_price_when_cron_runs_and_not_before() -> None:
    rig = Rig(mixed="no")
    ids = stocked(rig, 1)
    begins = rig.clock.now() + 3_600_000_000
    rig.sandbox.put_on_sale("TEE-0", Decimal(150), begins)
    rig.clock.advance(4_000)
    (record,), cursor = rig.read()
    assert record["product"]["on_sale"] is True
    assert rig.seen("price", [record])[ids["TEE-0"]]["amount"] == PRICE
    rig.clock.advance(600)
    rig.sandbox.cron()
    records, _ = rig.read(cursor=cursor)
    assert rig.seen("price", records)[ids["TEE-0"]]["amount"] == Decimal("150.00")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"currency": "EUR"}, "in DKK"),
        ({"tax": "excluded"}, "tax included"),
        ({"amount": "-1"}, "from 0 up"),
        ({"amount": "NaN"}, "from 0 up"),
    ],
)
def test_a_price_that_is_none_of_this_shops_is_not_sent(given: dict[str, str], words: str) -> None:
    rig = Rig(mixed="no")
    ids = stocked(rig, 1)
    after: dict[str, Any] = {"amount": "5", "currency": "DKK", "tax": "included", **given}
    receipt = rig.send("price", {ids["TEE-0"]: after})[ids["TEE-0"]]
    assert receipt.outcome == "refused"
    assert words in receipt.words
    assert not any(one.method == "POST" for one in rig.wire.requests)


def test_a_product_without_a_price_tells_none() -> None:
    rig = Rig(mixed="no")
    rig.sandbox.add_item("FREE", "Not priced", price=Decimal(1))
    rig.sandbox.catalogue.products[10].regular = ""
    rig.sandbox.count("FREE", 1)
    records, _ = rig.read()
    assert rig.seen("price", records) == {}
    assert rig.seen("stock", records)["10"]["on_hand"] == 1_000


def test_without_a_date_header_the_newest_change_is_the_start_of_the_next_reading() -> None:
    rig = Rig()
    ids = stocked(rig)
    real = rig.wire.send

    def send(request: Request, deadline: float, most: int) -> Response:
        answer = real(request, deadline, most)
        return Response(answer.status, {name: one for name, one in answer.headers.items() if name != "date"}, answer.body)

    rig.wire.send = send  # type: ignore[method-assign]
    _, cursor = rig.read(page_max=2)
    rig.clock.advance(600)
    rig.sandbox.count("TEE-6", 1)
    assert rig.seen("stock", rig.read(cursor=cursor)[0])[ids["TEE-6"]]["on_hand"] == 1_000
