"""Reading the catalogue: each item once, what a customer sees understood, look-ups that tell gone from merely alike."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from meta_stage import Stage, stage

from hub.errors import RefusedError, ThrottledError, UnauthorizedError, UnavailableError


@pytest.fixture
def catalogue() -> Stage:
    return stage()


@pytest.mark.parametrize("page_max", [1, 2, 3, 500])
def test_every_item_is_read_once_whatever_the_page_size(catalogue: Stage, page_max: int) -> None:
    pages = catalogue.read(page_max)
    assert [record["retailer_id"] for record in catalogue.records(pages)] == ["A-1", "a-1", "00123"]
    assert {page.total for page in pages} == {3}


def test_the_next_reading_lists_everything_again(catalogue: Stage) -> None:
    first = catalogue.read()
    catalogue.sandbox.count("A-1", 2)
    again = catalogue.records(catalogue.read(cursor=first[-1].cursor, full=False))
    assert [record["quantity_to_sell_on_facebook"] for record in again] == [2, 5, 5]


def test_an_item_added_while_pages_are_read_is_seen(catalogue: Stage) -> None:
    first = catalogue.read(page_max=2)[0]
    catalogue.sandbox.add_item("NEW", "Ny", price=Decimal(10))
    rest = catalogue.records(catalogue.read(page_max=2, cursor=first.cursor))
    assert [record["retailer_id"] for record in rest] == ["00123", "NEW"]


def test_a_listing_cut_in_the_middle_goes_on_where_it_was_cut(catalogue: Stage) -> None:
    first = catalogue.read(page_max=2)[0]
    catalogue.sandbox.faults.cut_next = 9
    with pytest.raises(UnavailableError):
        catalogue.read(page_max=2, cursor=first.cursor)
    catalogue.sandbox.faults.cut_next = 0
    assert [record["retailer_id"] for record in catalogue.records(catalogue.read(2, first.cursor))] == ["00123"]


def test_what_a_customer_sees_is_understood(catalogue: Stage) -> None:
    catalogue.sandbox.set_availability("A-1", "out of stock")
    catalogue.sandbox.set_sale("a-1", Decimal("1000"))
    catalogue.sandbox.hide("00123")
    assert {sku: row["on_hand"] for sku, row in catalogue.understood("stock").items()} == {"A-1": 0, "a-1": 5000, "00123": 5000}
    assert {sku: row["amount"] for sku, row in catalogue.understood("price").items()} == {
        "A-1": Decimal("199.95"),
        "a-1": Decimal("1000.00"),
        "00123": Decimal("45.00"),
    }
    assert {sku: row["state"] for sku, row in catalogue.understood("item").items()} == {
        "A-1": "active",
        "a-1": "active",
        "00123": "inactive",
    }


def test_a_look_up_names_the_gone_and_does_not_take_the_alike_for_the_same(catalogue: Stage) -> None:
    catalogue.sandbox.remove_item("a-1")
    page = catalogue.meta.look_up("items", ["a-1", "00123", "NEVER"])
    assert [record["retailer_id"] for record in catalogue.records([page])] == ["00123"]
    assert page.gone == ("a-1", "NEVER")


def test_a_page_that_is_stored_holds_no_secret(catalogue: Stage) -> None:
    answers = [page.body.decode() for page in catalogue.read(page_max=1)]
    assert len(answers) == 3
    assert not any("made-access-token" in body or "paging" in body for body in answers)


def test_a_refused_token_pauses_the_channel_and_is_not_repeated_in_words() -> None:
    catalogue = stage()
    catalogue.sandbox.options["access_token"] = "another"
    with pytest.raises(UnauthorizedError) as refused:
        catalogue.read()
    assert "made-access-token" not in str(refused.value)


def test_a_proof_of_the_secret_goes_with_every_call() -> None:
    catalogue = stage(require_proof="true")
    assert len(catalogue.records(catalogue.read())) == 3
    catalogue.sandbox.options["app_secret"] = "another"
    with pytest.raises(RefusedError):
        catalogue.read()


def test_too_many_calls_wait_as_told_and_longer_each_time_when_not_told(catalogue: Stage) -> None:
    catalogue.sandbox.faults.throttle_next = 1
    catalogue.sandbox.faults.throttle_retry_after = "120"
    with pytest.raises(ThrottledError) as told:
        catalogue.read()
    assert told.value.retry_after_seconds == 120
    waits = []
    catalogue.sandbox.faults.throttle_retry_after = None
    for _ in range(3):
        catalogue.clock.advance(300)
        catalogue.sandbox.faults.throttle_next = 1
        with pytest.raises(ThrottledError) as untold:
            catalogue.read()
        waits.append(untold.value.retry_after_seconds)
    assert waits[0] is not None
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    catalogue.clock.advance(300)
    assert len(catalogue.records(catalogue.read())) == 3


def test_a_nearly_spent_allowance_pauses_before_the_refusal(catalogue: Stage) -> None:
    catalogue.sandbox.batch_calls = [catalogue.clock.now()] * 195
    catalogue.read()
    with pytest.raises(ThrottledError) as paused:
        catalogue.read()
    assert "our own pace" in str(paused.value)


@pytest.mark.parametrize("fault", ["garbage_next", "endless_next", "fail_next"])
def test_a_broken_answer_to_a_read_is_unavailable(catalogue: Stage, fault: str) -> None:
    setattr(catalogue.sandbox.faults, fault, 9)
    with pytest.raises(UnavailableError):
        catalogue.read()


def test_an_answer_without_a_list_is_unavailable(catalogue: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue.sandbox, "_products", lambda *_: {"data": "none"})
    with pytest.raises(UnavailableError):
        catalogue.read()


def test_every_field_that_the_sandbox_can_show_and_we_ask_for_is_mapped_or_ignored(catalogue: Stage) -> None:
    catalogue.sandbox.set_sale("A-1", Decimal(1))
    catalogue.sandbox.items["A-1"] |= {"product_type": "Køkken", "gtin": "5701234567892"}
    record = json.loads(catalogue.read()[0].body)["data"][0]
    assert set(record) == set(catalogue.meta_fields())
    assert catalogue.mappings.unread(["item", "stock", "price"], record) == []
