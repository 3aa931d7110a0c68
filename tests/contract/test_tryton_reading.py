"""What the Tryton connector reads: every product once, what changed, what is gone, and figures per location."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tryton_stage import FOLDER, GOODS, listed, mappings, of, stocked, wired

from connectors.tryton.sandbox import Sandbox
from hub.canonical.values import Plain
from hub.clock import ManualClock
from hub.errors import ConfigError, UnauthorizedError, UnavailableError
from hub.sdk.contract import ReadAsk
from hub.sdk.wire import NoAnswerError, Request, Response


@pytest.mark.parametrize("page_max", [1, 2, 3, 7, 200])
def test_a_full_reading_says_each_product_once_whatever_the_page_size(page_max: int) -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    records, _ = listed(connector, "items", page_max=page_max)
    assert [record["code"] for record in records] == list(GOODS)
    figures, _ = listed(connector, "stock", page_max=page_max)
    assert [(record["code"], record["quantity"]) for record in figures] == [(sku, "10") for sku in GOODS]


def test_two_places_give_two_figures_of_each_product() -> None:
    sandbox = stocked()
    sandbox.receive("CAP", 4, "11")
    connector = wired(sandbox, sandbox.clock, places={"warehouse": "3", "store": "10"})
    records, _ = listed(connector, "stock", page_max=3)
    shown = {(record["code"], str(record["location"])): record["quantity"] for record in records}
    assert len(records) == len(shown) == 2 * len(GOODS)
    assert shown["CAP", "3"] == "10"
    assert shown["CAP", "10"] == "4", "goods on a shelf inside the store floor count for the floor"
    assert shown["MUG", "10"] == "0"


def test_a_price_changed_at_the_template_is_seen_by_the_next_poll() -> None:
    clock = ManualClock()
    sandbox = stocked(clock)
    connector = wired(sandbox, clock)
    _, cursor = listed(connector, "items")
    clock.advance(3_600)
    sandbox.set_price("MUG", Decimal("64.0000"))
    records, cursor = listed(connector, "items", cursor, full=False)
    told = {record["code"]: mappings().understand("price", record)[0]["amount"] for record in records}
    assert told["MUG"] == Decimal(64)
    clock.advance(3_600)
    sandbox.set_price("CAP", Decimal(1))
    records, _ = listed(connector, "items", cursor, full=False)
    assert {record["code"] for record in records} == {"MUG", "CAP"}, "an hour old changes are past the overlap"


def test_a_new_product_is_seen_by_the_next_poll_of_items_and_stock() -> None:
    clock = ManualClock()
    sandbox = stocked(clock)
    connector = wired(sandbox, clock)
    cursors = {stream: listed(connector, stream)[1] for stream in ("items", "stock")}
    clock.advance(3_600)
    sandbox.add_item("NEW", "A new one", price=Decimal(5))
    assert [record["code"] for record in listed(connector, "items", cursors["items"], full=False)[0]][-1] == "NEW"
    figures, _ = listed(connector, "stock", cursors["stock"], full=False)
    assert {record["code"]: record["quantity"] for record in figures}["NEW"] == "0"


def test_a_sale_moves_no_date_of_the_product_and_is_seen_all_the_same() -> None:
    clock = ManualClock()
    sandbox = stocked(clock)
    connector = wired(sandbox, clock)
    clock.advance(3_600)
    sandbox.sell("BAG", 3)
    _, cursor = listed(connector, "stock")
    clock.advance(3_600)
    sandbox.sell("TEE-M", 1)
    for page_max in (1, 2, 400):
        figures, _ = listed(connector, "stock", cursor, full=False, page_max=page_max)
        assert {record["code"]: record["quantity"] for record in figures}["TEE-M"] == "9"
        assert "CAP" not in {record["code"] for record in figures}


def test_a_change_on_a_page_already_read_is_found_by_the_next_reading() -> None:
    clock = ManualClock()
    sandbox = stocked(clock)
    connector = wired(sandbox, clock)
    cursor, first = "", True
    while True:
        page = connector.read("items", ReadAsk(cursor, True, 2, clock.now()))
        cursor = page.cursor
        if first:
            clock.advance(600)
            sandbox.set_price("TEE-S", Decimal(1))
            clock.advance(600)
            # a later page's product changes last, and must not move the window past the earlier change
            sandbox.set_price("SOCK", Decimal(2))
            first = False
        if not page.more:
            break
    assert "TEE-S" in {record["code"] for record in listed(connector, "items", cursor, full=False)[0]}


def test_withdrawn_and_deleted_products() -> None:
    clock = ManualClock()
    sandbox = stocked(clock)
    connector = wired(sandbox, clock)
    ids = {record["code"]: str(record["id"]) for record in listed(connector, "items")[0]}
    _, cursor = listed(connector, "items")
    clock.advance(3_600)
    sandbox.withdraw("CAP")
    sandbox.remove("MUG")
    told = {record["code"]: record for record in listed(connector, "items", cursor, full=False)[0]}
    assert mappings().understand("item", told["CAP"])[0]["state"] == "inactive"
    assert "MUG" not in told
    assert {"CAP", "MUG"}.isdisjoint(record["code"] for record in listed(connector, "items")[0])
    for stream in ("items", "stock"):
        page = connector.look_up(stream, [ids["CAP"], ids["MUG"], ids["BAG"], "no-number"])
        assert set(page.gone) == {ids["MUG"], "no-number"}
        assert {record["code"] for record in of(page)} == {"CAP", "BAG"}


def test_the_product_filter_decides_what_is_listed() -> None:
    sandbox = stocked()
    ours = {"product_filter": '[["code", "ilike", "TEE-%"]]'}
    connector = wired(sandbox, sandbox.clock, settings=ours)
    assert {record["code"] for record in listed(connector, "items")[0]} == {"TEE-S", "TEE-M", "TEE-L"}
    assert {record["code"] for record in listed(connector, "stock")[0]} == {"TEE-S", "TEE-M", "TEE-L"}
    cap = next(str(row["id"]) for row in sandbox.books.tables["product.product"].values() if row["code"] == "CAP")
    (record,) = of(connector.look_up("items", [cap]))
    assert mappings().understand("item", record)[0]["state"] == "inactive", "it is there, but not for this channel"
    for wrong in ("salable", '{"salable": true}'):
        with pytest.raises(ConfigError, match="product_filter"):
            wired(sandbox, sandbox.clock, settings={"product_filter": wrong})


def test_every_field_that_comes_is_mapped_or_ignored_by_name() -> None:
    sandbox = stocked()
    sandbox.add_item("EAN", "With a barcode", price=Decimal(1), barcode="4006381333931", text="Made.")
    connector, understood = wired(sandbox, sandbox.clock), mappings()
    for record in listed(connector, "items")[0]:
        assert understood.unread(["item", "price"], record) == []
    for record in listed(connector, "stock")[0]:
        assert understood.unread(["stock"], record) == []
    assert understood.understand("item", listed(connector, "items")[0][-1])[0]["barcode"] == "4006381333931"


def test_the_mappings_examples_hold() -> None:
    assert mappings().run_examples(FOLDER) == []


def test_a_session_that_has_run_out_is_opened_again_without_anyone_noticing() -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    listed(connector, "items")
    sandbox.sign_out()
    assert len(listed(connector, "items")[0]) == len(GOODS)


def test_a_sign_in_cut_short_is_begun_anew() -> None:
    sandbox = stocked()
    asked: list[Plain] = []
    broken = [3]

    class Cut:
        def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
            asked.append(request.json())
            if asked[-1]["method"].endswith("get_preferences") and broken[0]:
                broken[0] -= 1
                raise NoAnswerError("cut")
            return sandbox.send(request, deadline_seconds, answer_bytes_max)

    connector = wired(Cut(), sandbox.clock)
    with pytest.raises(UnavailableError):
        listed(connector, "items")
    assert len(listed(connector, "items")[0]) == len(GOODS)
    assert all(one["params"][-1]["company"] == 1 for one in asked if one["method"].endswith("search_read"))


def test_a_wrong_password_and_an_unknown_database_want_a_person() -> None:
    sandbox = stocked()
    with pytest.raises(UnauthorizedError) as wrong:
        listed(wired(sandbox, sandbox.clock, secrets={"password": "not-this-one"}), "items")
    assert "not-this-one" not in str(wrong.value)
    with pytest.raises(UnauthorizedError, match="no such database"):
        listed(wired(sandbox, sandbox.clock, settings={"database": "elsewhere"}), "items")
    sandbox.faults.unauthorized = True
    with pytest.raises(UnauthorizedError):
        listed(wired(sandbox, sandbox.clock), "items")


def test_a_cut_reading_goes_on_where_it_was() -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    page = connector.read("items", ReadAsk("", True, 3, 0))
    sandbox.faults.fail_next = 10
    with pytest.raises(UnavailableError):
        connector.read("items", ReadAsk(page.cursor, True, 3, 0))
    sandbox.faults.fail_next = 0
    rest, _ = listed(connector, "items", page.cursor, page_max=3)
    assert [record["code"] for record in of(page) + rest] == list(GOODS)


def test_a_refused_reading_is_no_empty_list() -> None:
    sandbox = stocked()
    connector = wired(sandbox, sandbox.clock, settings={"product_filter": '[["no_such_field", "=", 1]]'})
    with pytest.raises(UnavailableError, match="no_such_field"):
        listed(connector, "items")


def test_who_does_not_accept_gzip_cannot_read_a_long_answer() -> None:
    sandbox: Sandbox = stocked()
    connector = wired(sandbox, sandbox.clock)
    listed(connector, "items")
    session: Plain = connector.session
    body = b'{"id":1,"method":"model.product.product.search_read","params":[[],0,50,null,["name","create_date","write_date"],{}]}'
    request = Request(
        "POST", "http://erp.example/shop/rpc/", {"authorization": session._authorization, "accept-encoding": "identity"}, body
    )
    with pytest.raises(NoAnswerError, match="encoding"):
        sandbox.send(request, 30.0, 10_000_000)


@pytest.mark.parametrize("stream", ["items", "stock", "orders"])
def test_many_changes_that_filled_several_pages_are_read_once_and_not_by_every_reading_after(stream: str) -> None:
    clock = ManualClock()
    sandbox = stocked(clock)
    connector = wired(sandbox, clock)

    def changed(sku: str, price: int) -> str:
        sandbox.sell(sku, 1)
        sandbox.set_price(sku, Decimal(price))
        return sandbox.phone_order({sku: 1})

    _, cursor = listed(connector, stream)
    clock.advance(3_600)
    # The first page's own times reach no further than the overlap of two readings.
    for price in range(1, 5):
        for sku in GOODS:
            changed(sku, price)
    clock.advance(600)
    last = changed("BAG", 9)
    told, cursor = listed(connector, stream, cursor, full=False, page_max=3)
    assert len(told) >= len(GOODS)
    clock.advance(3_600)
    told, _ = listed(connector, stream, cursor, full=False, page_max=3)
    known = {str(record["id"]) for record in told} if stream == "orders" else {record["code"] for record in told}
    assert known == {last if stream == "orders" else "BAG"}
