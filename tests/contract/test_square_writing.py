"""Writing to Square: what was asked is shown afterwards, and what was not done is said."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from square_channel import AARHUS, Channel, stocked

from hub.errors import OutcomeUnknownError, ThrottledError
from hub.flow import Outcome


def shows(channel: Channel, sku: str) -> int:
    return channel.sandbox.shown()[sku]["stock"][AARHUS]


def test_a_physical_count_is_shown_by_a_later_read() -> None:
    channel = Channel()
    ids = stocked(channel, 3)
    receipts = channel.connector.send("stock", [channel.stock(one, 40 + place, before=5) for place, one in enumerate(ids)])
    assert [(one.outcome, one.shows) for one in receipts] == [(Outcome.APPLIED, {"raw": 40_000 + n * 1000}) for n in range(3)]
    counts, _ = channel.read("stock")
    assert {one["catalog_object_id"]: one["quantity"] for one in counts} == dict(zip(ids, ("40", "41", "42"), strict=True))
    assert channel.sandbox.calls[-2].path == "/v2/inventory/changes/batch-create"


def test_sales_after_the_decision_are_subtracted_by_the_platform() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    decided = channel.stock(ident, 10, before=5)
    channel.clock.advance(5)
    channel.sandbox.sell("SKU-000", 2)
    [receipt] = channel.connector.send("stock", [decided])
    assert (receipt.outcome, receipt.shows) == (Outcome.APPLIED, {"raw": 8000})
    assert shows(channel, "SKU-000") == 8


def test_the_same_figure_as_the_last_count_still_undoes_what_was_sold_since() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    channel.sandbox.sell("SKU-000", 2)
    channel.clock.advance(1)
    [receipt] = channel.connector.send("stock", [channel.stock(ident, 5, before=3)])
    assert (receipt.outcome, shows(channel, "SKU-000")) == (Outcome.APPLIED, 5)


def test_offline_sales_from_before_a_count_do_not_lower_it() -> None:
    channel = Channel()
    stocked(channel, 1)
    ten = channel.clock.now()
    channel.clock.advance(7200)
    channel.sandbox.count("SKU-000", 4)
    channel.clock.advance(7200)
    channel.sandbox.outbox.clear()
    channel.sandbox.sell("SKU-000", 1, at=ten)
    assert shows(channel, "SKU-000") == 4
    assert [json.loads(one.body)["type"] for one in channel.sandbox.outbox] == ["order.created"]
    channel.sandbox.sell("SKU-000", 6)
    assert shows(channel, "SKU-000") == -2


@pytest.mark.parametrize("error_index", ["yes", "no"])
def test_one_bad_item_does_not_fail_its_neighbours(error_index: str) -> None:
    channel = Channel(error_index=error_index)
    ids = [*stocked(channel, 6), "VNEVER"]
    changes = [channel.stock(one, 20, before=5) for one in ids]
    outcomes = {one.change: one for one in channel.connector.send("stock", changes)}
    assert [outcomes[one.id].outcome for one in changes] == [Outcome.APPLIED] * 6 + [Outcome.REFUSED]
    assert "NOT_FOUND" in outcomes[changes[-1].id].words
    assert {shows(channel, f"SKU-{n:03d}") for n in range(6)} == {20}


def test_success_that_changed_nothing_is_refused_in_words() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    channel.sandbox.faults.ignore_writes_next = 2
    [stock] = channel.connector.send("stock", [channel.stock(ident, 9, before=5)])
    [price] = channel.connector.send("price", [channel.price(ident, "59.95", before="49.95")])
    assert (stock.outcome, stock.shows) == (Outcome.REFUSED, {"raw": 5000})
    assert (price.outcome, price.shows) == (Outcome.REFUSED, {"amount": "49.95", "currency": "DKK"})
    assert "success" in stock.words
    assert "success" in price.words
    assert shows(channel, "SKU-000") == 5


def test_a_lost_answer_is_unknown_and_sending_again_counts_once() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    change = channel.stock(ident, 9, before=5)
    channel.sandbox.faults.lose_answer_next = 1
    with pytest.raises(OutcomeUnknownError):
        channel.connector.send("stock", [change])
    channel.clock.advance(2)
    channel.sandbox.sell("SKU-000", 3)
    lines = len(channel.sandbox.ledger.lines[(ident, AARHUS)])
    [receipt] = channel.connector.send("stock", [change])
    assert receipt.outcome is Outcome.APPLIED
    assert len(channel.sandbox.ledger.lines[(ident, AARHUS)]) == lines
    assert shows(channel, "SKU-000") == 6


def test_another_body_never_goes_out_under_the_same_key() -> None:
    channel = Channel()
    ids = stocked(channel, 2)
    first, second = (channel.stock(one, 9, before=5) for one in ids)
    channel.connector.send("stock", [first])
    channel.connector.send("stock", [first, second])
    keys = [json.loads(one.body)["idempotency_key"] for one in channel.sent if one.path.endswith("batch-create")]
    assert len(set(keys)) == 2


def test_a_count_decided_too_long_ago_is_decided_again_and_a_place_must_be_known() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    old = channel.stock(ident, 9, before=5)
    nowhere = channel.stock(ident, 9, before=5, place="")
    elsewhere = channel.stock(ident, 9, place="LNEVER")
    channel.clock.advance(24 * 3600)
    outcomes = {one.change: one.outcome for one in channel.connector.send("stock", [old, nowhere])}
    assert outcomes == {old.id: Outcome.CONFLICT, nowhere.id: Outcome.REFUSED}
    assert not [one for one in channel.sent if one.path.endswith("batch-create")]
    fresh = channel.stock(ident, 9, place="LNEVER")
    assert fresh.at > elsewhere.at
    [receipt] = channel.connector.send("stock", [fresh])
    assert receipt.outcome is Outcome.REFUSED


def test_a_platform_clock_that_is_behind_ours_means_deciding_again_not_a_dead_letter() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    channel.sandbox.clock = type(channel.clock)(start=channel.clock.now() - 5_000_000)
    [receipt] = channel.connector.send("stock", [channel.stock(ident, 9, before=5)])
    assert receipt.outcome is Outcome.CONFLICT


def test_a_new_price_is_shown_and_nothing_else_of_the_object_is_lost() -> None:
    channel = Channel()
    ident = channel.sandbox.add_item("00123", "Mug", price=Decimal("199.95"), barcode="5701234567899", text="Holds tea")
    before = dict(channel.sandbox.catalog.objects[ident]["item_variation_data"])
    [receipt] = channel.connector.send("price", [channel.price(ident, "179.00", before="199.95")])
    assert (receipt.outcome, receipt.shows) == (Outcome.APPLIED, {"amount": "179", "currency": "DKK"})
    [record], _ = channel.read("items")
    assert record["variation"]["item_variation_data"] == {**before, "price_money": {"amount": 17900, "currency": "DKK"}}
    assert record["variation"]["present_at_all_locations"] is True
    assert record["version"] == receipt.version
    [again] = channel.connector.send("price", [channel.price(ident, "179", before="199.95")])
    assert again.outcome is Outcome.APPLIED
    assert len([one for one in channel.sent if one.path.endswith("batch-upsert")]) == 1


def test_a_price_that_somebody_edited_meanwhile_is_a_conflict() -> None:
    channel = Channel()
    ident, other = stocked(channel, 2)
    change = channel.price(ident, "59.95", before="49.95")
    channel.sandbox.set_price("SKU-000", Decimal("44.00"))
    receipts = channel.connector.send("price", [change, channel.price(other, "69.95", before="49.95")])
    outcomes = {one.change: one for one in receipts}
    assert outcomes[change.id].outcome is Outcome.CONFLICT
    assert outcomes[change.id].shows == {"amount": "44", "currency": "DKK"}
    assert channel.sandbox.shown()["SKU-000"]["price"] == Decimal("44.00")
    assert channel.sandbox.shown()["SKU-001"]["price"] == Decimal("69.95")


def test_an_edit_between_look_and_write_is_a_conflict_and_its_neighbours_go_through() -> None:
    channel = Channel()
    ids = stocked(channel, 3)
    edited = iter(["SKU-001"])

    def meanwhile(_: str) -> None:
        for sku in edited:
            channel.sandbox.set_price(sku, Decimal("44.00"))

    channel.sandbox.seam = meanwhile
    changes = [channel.price(one, "59.95", before="49.95") for one in ids]
    outcomes = {one.change: one.outcome for one in channel.connector.send("price", changes)}
    assert [outcomes[one.id] for one in changes] == [Outcome.APPLIED, Outcome.CONFLICT, Outcome.APPLIED]
    assert channel.sandbox.shown()["SKU-001"]["price"] == Decimal("44.00")


def test_prices_that_cannot_be_are_refused_in_words_and_neighbours_go_on() -> None:
    channel = Channel()
    a, b, c, d = stocked(channel, 4)
    e = channel.sandbox.add_item("TILL", "Priced at the till", price=Decimal(1))
    detail = channel.sandbox.catalog.objects[e]["item_variation_data"]
    del detail["price_money"]
    detail["pricing_type"] = "VARIABLE_PRICING"
    changes = [
        channel.price(a, "1.005", before="49.95"),
        channel.price(b, "10.00", before="49.95", tax="excluded"),
        channel.price(c, "10.00", before="49.95", currency="EUR"),
        channel.price("VNEVER", "10.00"),
        channel.price(e, "10.00"),
        channel.price(d, "59.95", before="49.95"),
    ]
    outcomes = {one.change: one.outcome for one in channel.connector.send("price", changes)}
    assert [outcomes[one.id] for one in changes] == [Outcome.REFUSED] * 5 + [Outcome.APPLIED]
    assert channel.sandbox.shown()["SKU-003"]["price"] == Decimal("59.95")


def test_another_catalogue_update_under_way_means_waiting() -> None:
    channel = Channel()
    [ident] = stocked(channel, 1)
    channel.sandbox.catalog_busy_next = 1
    with pytest.raises(ThrottledError):
        channel.connector.send("price", [channel.price(ident, "59.95", before="49.95")])


def test_an_outage_in_the_middle_leaves_a_receipt_for_every_change() -> None:
    channel = Channel(error_index="yes")
    ids = [*stocked(channel, 2), "VNEVER"]
    changes = [channel.stock(one, 20, before=5) for one in ids]
    answered = iter([False, True])

    def outage(_: str) -> None:
        channel.sandbox.faults.fail_next = 1 if next(answered, True) is False else 0

    channel.sandbox.seam = outage
    outcomes = {one.change: one.outcome for one in channel.connector.send("stock", changes)}
    assert [outcomes[one.id] for one in changes] == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.REFUSED]
