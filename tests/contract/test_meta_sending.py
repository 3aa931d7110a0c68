"""Writing the catalogue: each change shows, each refusal names its item, and a success that changed nothing is noticed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from meta_stage import Stage, change, listing, price, stage, stock

from hub.errors import OutcomeUnknownError, ThrottledError
from hub.flow import Outcome

NEW = {
    "title": "Vase",
    "text": "En vase i glas.",
    "picture": "https://shop.example/vase.jpg",
    "link": "https://shop.example/vase",
    "category": "Stue",
    "state": "active",
    "sku": "VASE|1",
    "amount": "249.5",
    "currency": "DKK",
    "sellable": 3000,
}


@pytest.fixture
def catalogue() -> Stage:
    return stage()


def test_figures_are_accepted_first_and_show_when_the_batch_is_finished(catalogue: Stage) -> None:
    accepted = catalogue.meta.send("stock", [stock("c1", "A-1", 7)])
    assert [receipt.outcome for receipt in accepted] == [Outcome.ACCEPTED]
    assert catalogue.meta.follow("stock", [accepted[0].handle]) == []
    assert catalogue.shown("A-1")["stock"] == {"": 5}
    catalogue.clock.advance(3)
    (receipt,) = catalogue.meta.follow("stock", [accepted[0].handle])
    assert (receipt.change, receipt.outcome, receipt.shows) == ("c1", Outcome.APPLIED, {"raw": 7000, "sellable": 7000})
    assert catalogue.shown("A-1")["stock"] == {"": 7}
    assert catalogue.understood("stock")["A-1"]["on_hand"] == 7000


def test_none_left_is_shown_as_sold_out(catalogue: Stage) -> None:
    assert catalogue.send("stock", stock("c1", "A-1", 0))["c1"].outcome is Outcome.APPLIED
    assert catalogue.shown("A-1")["stock"] == {"": 0}
    assert catalogue.sandbox.items["A-1"]["availability"] == "out of stock"


def test_a_figure_ends_what_a_person_sold_out_by_hand(catalogue: Stage) -> None:
    catalogue.sandbox.set_availability("A-1", "discontinued")
    assert catalogue.shown("A-1")["stock"] == {"": 0}
    assert catalogue.send("stock", stock("c1", "A-1", 5))["c1"].outcome is Outcome.APPLIED
    assert catalogue.shown("A-1")["stock"] == {"": 5}


def test_a_price_is_shown(catalogue: Stage) -> None:
    receipts = catalogue.send("price", price("c1", "A-1", "1249.9"), price("c2", "00123", "200"))
    assert {ident: receipt.shows for ident, receipt in receipts.items()} == {
        "c1": {"amount": "1249.9", "currency": "DKK"},
        "c2": {"amount": "200", "currency": "DKK"},
    }
    assert catalogue.shown("A-1")["price"] == Decimal("1249.90")
    assert catalogue.understood("price")["A-1"]["amount"] == Decimal("1249.90")


def test_what_cannot_be_shown_is_refused_one_by_one(catalogue: Stage) -> None:
    part = change("part", "A-1", "stock", {"sellable": 1500, "raw": 1500})
    receipts = catalogue.send("stock", part, stock("below", "a-1", -1), stock("good", "00123", 9))
    assert {ident: receipt.outcome for ident, receipt in receipts.items()} == {
        "part": Outcome.REFUSED,
        "below": Outcome.REFUSED,
        "good": Outcome.APPLIED,
    }
    prices = (price("euro", "A-1", "10", "EUR"), price("fine", "a-1", "10.005"), price("zero", "00123", "0"))
    refused = catalogue.meta.send("price", prices)
    assert {receipt.outcome for receipt in refused} == {Outcome.REFUSED}
    assert "DKK" in refused[0].words
    assert catalogue.shown("00123") | {"title": ""} == {
        "stock": {"": 9},
        "price": Decimal("45.00"),
        "currency": "DKK",
        "state": "active",
        "title": "",
    }


def test_an_unknown_item_is_refused_by_name_and_not_made_and_its_neighbours_show(catalogue: Stage) -> None:
    receipts = catalogue.send("stock", stock("c1", "A-1", 1), stock("c2", "NEVER", 2), stock("c3", "00123", 3))
    assert {ident: receipt.outcome for ident, receipt in receipts.items()} == {
        "c1": Outcome.APPLIED,
        "c2": Outcome.REFUSED,
        "c3": Outcome.APPLIED,
    }
    assert "no item" in receipts["c2"].words
    assert {sku: row["stock"][""] for sku, row in catalogue.sandbox.shown().items()} == {"A-1": 1, "a-1": 5, "00123": 3}


def test_bad_entries_told_at_once_do_not_take_their_neighbours_with_them() -> None:
    catalogue = stage(validation="answer")
    receipts = catalogue.send("stock", stock("c1", "A-1", 1), stock("c2", "NEVER", 2))
    assert (receipts["c1"].outcome, receipts["c2"].outcome) == (Outcome.APPLIED, Outcome.REFUSED)
    assert catalogue.shown("A-1")["stock"] == {"": 1}


def test_an_item_is_made_with_its_price_and_figure(catalogue: Stage) -> None:
    receipt = catalogue.send("listing", listing("c1", "VASE|1", **NEW))["c1"]
    assert receipt.outcome is Outcome.APPLIED
    assert catalogue.shown("VASE|1") == {
        "stock": {"": 3},
        "price": Decimal("249.50"),
        "currency": "DKK",
        "state": "active",
        "title": "Vase",
    }
    assert receipt.shows == {name: NEW[name] for name in ("title", "text", "picture", "link", "category", "state")}
    understood = catalogue.understood("item")["VASE|1"]
    assert {name: understood[name] for name in receipt.shows} == receipt.shows


def test_made_twice_it_is_still_one_item(catalogue: Stage) -> None:
    for ident in ("c1", "c2"):
        assert catalogue.send("listing", listing(ident, "VASE", **NEW))[ident].outcome is Outcome.APPLIED
    assert [record["retailer_id"] for record in catalogue.records(catalogue.read())].count("VASE") == 1


def test_an_item_made_without_text_link_and_figure_has_the_channels_own_and_none_for_sale(catalogue: Stage) -> None:
    bare = {name: NEW[name] for name in ("title", "state", "amount", "currency")}
    assert catalogue.send("listing", listing("c1", "BARE", **bare))["c1"].outcome is Outcome.APPLIED
    assert catalogue.shown("BARE")["stock"] == {"": 0}
    assert catalogue.understood("item")["BARE"]["link"] == "https://shop.example/items/BARE"


def test_an_item_without_a_price_is_not_made(catalogue: Stage) -> None:
    (receipt,) = catalogue.meta.send("listing", [listing("c1", "FREE", title="Gratis")])
    assert (receipt.outcome, receipt.words) == (Outcome.REFUSED, "an item cannot be made without a price")


def test_what_the_platform_misses_in_a_new_item_is_in_the_receipts_words(catalogue: Stage) -> None:
    receipts = catalogue.send("listing", listing("c1", "LONG", **{**NEW, "title": "x" * 201}), listing("c2", "OK", **NEW))
    assert (receipts["c1"].outcome, receipts["c2"].outcome) == (Outcome.REFUSED, Outcome.APPLIED)
    assert "title is too long" in receipts["c1"].words
    assert "LONG" not in catalogue.sandbox.shown()


def test_a_listing_is_changed_hidden_and_withdrawn(catalogue: Stage) -> None:
    before = {"title": "Kop", "state": "active"}
    assert catalogue.send("listing", listing("c1", "A-1", before, title="Stor kop"))["c1"].outcome is Outcome.APPLIED
    assert (catalogue.shown("A-1")["title"], catalogue.shown("A-1")["price"]) == ("Stor kop", Decimal("199.95"))
    assert catalogue.send("listing", listing("c2", "A-1", before, state="inactive"))["c2"].outcome is Outcome.APPLIED
    assert catalogue.shown("A-1")["state"] == "inactive"
    assert catalogue.send("listing", listing("c3", "A-1", before, state="gone"))["c3"].shows == {"state": "gone"}
    assert set(catalogue.sandbox.shown()) == {"a-1", "00123"}


def test_a_picture_that_cannot_be_fetched_stops_nothing(catalogue: Stage) -> None:
    before = {"title": "Kop", "picture": "https://shop.example/a.jpg"}
    changed = listing("c1", "A-1", before, picture="https://shop.example/broken.jpg", title="Kop 2")
    receipt = catalogue.send("listing", changed)["c1"]
    assert (receipt.outcome, catalogue.shown("A-1")["title"]) == (Outcome.APPLIED, "Kop 2")
    assert "image" in receipt.words
    assert catalogue.send("stock", stock("c2", "A-1", 2))["c2"].outcome is Outcome.APPLIED
    assert catalogue.shown("A-1")["stock"] == {"": 2}


@pytest.mark.parametrize(
    ("aspect", "wanted"),
    [
        ("stock", lambda: stock("c1", "A-1", 7)),
        ("price", lambda: price("c1", "A-1", "7")),
        ("listing", lambda: listing("c1", "VASE", **NEW)),
        ("listing", lambda: listing("c1", "A-1", {"state": "active"}, state="gone")),
        ("listing", lambda: listing("c1", "A-1", {"state": "active"}, title="Stor kop")),
        ("listing", lambda: listing("c1", "A-1", {"state": "active"}, picture="https://shop.example/b.jpg", state="active")),
    ],
)
def test_a_success_that_changed_nothing_is_refused_with_what_stands_there(
    catalogue: Stage, aspect: str, wanted: Callable[[], object]
) -> None:
    before = catalogue.sandbox.shown()
    catalogue.sandbox.faults.ignore_writes_next = 1
    receipt = catalogue.send(aspect, wanted())["c1"]  # type: ignore[arg-type]
    assert receipt.outcome is Outcome.REFUSED
    assert "asked was" in receipt.words
    assert catalogue.sandbox.shown() == before


def test_what_a_person_typed_over_ours_is_looked_at_again_and_not_given_up(catalogue: Stage) -> None:
    (accepted,) = catalogue.meta.send("stock", [stock("c1", "A-1", 7)])
    catalogue.clock.advance(3)
    catalogue.sandbox.shown()
    catalogue.sandbox.count("A-1", 54)
    catalogue.meta.follow("stock", [accepted.handle])
    catalogue.clock.advance(6)
    (receipt,) = catalogue.meta.follow("stock", [accepted.handle])
    assert (receipt.outcome, receipt.shows) == (Outcome.CONFLICT, {"raw": 54000, "sellable": 54000})


def test_a_sale_price_over_ours_is_noticed(catalogue: Stage) -> None:
    catalogue.sandbox.set_sale("A-1", Decimal(99))
    receipt = catalogue.send("price", price("c1", "A-1", "150"))["c1"]
    assert (receipt.outcome, receipt.shows) == (Outcome.REFUSED, {"amount": "99", "currency": "DKK"})


def test_a_lost_answer_is_unknown_and_the_second_send_has_one_effect(catalogue: Stage) -> None:
    catalogue.sandbox.faults.lose_answer_next = 1
    with pytest.raises(OutcomeUnknownError):
        catalogue.meta.send("listing", [listing("c1", "VASE", **NEW)])
    assert catalogue.send("listing", listing("c1", "VASE", **NEW))["c1"].outcome is Outcome.APPLIED
    assert sorted(catalogue.sandbox.shown()) == ["00123", "A-1", "VASE", "a-1"]


def test_of_two_changes_of_one_item_only_the_first_goes(catalogue: Stage) -> None:
    receipts = catalogue.send("stock", stock("c1", "A-1", 1), stock("c2", "A-1", 2))
    assert (receipts["c1"].outcome, receipts["c2"].outcome) == (Outcome.APPLIED, Outcome.NOT_SENT)
    assert catalogue.shown("A-1")["stock"] == {"": 1}


def test_an_item_gone_already_is_withdrawn(catalogue: Stage) -> None:
    catalogue.sandbox.remove_item("A-1")
    withdrawn = listing("c1", "A-1", {"state": "active"}, state="gone")
    assert catalogue.send("listing", withdrawn)["c1"].outcome is Outcome.APPLIED


def test_large_sets_go_in_requests_within_the_limits(catalogue: Stage) -> None:
    text = "x" * 9_000
    wanted = [listing(f"c{number}", f"N-{number}", **{**NEW, "text": text}) for number in range(1_001)]
    receipts = catalogue.send("listing", *wanted)
    assert {receipt.outcome for receipt in receipts.values()} == {Outcome.APPLIED}
    assert len(catalogue.sandbox.shown()) == 1_004
    sizes = [len(request.body) for request in catalogue.seen.requests if request.method == "POST"]
    assert len(sizes) == 2
    assert max(sizes) < 28_000_000


def test_what_was_accepted_is_kept_when_the_next_call_fails(catalogue: Stage) -> None:
    catalogue.sandbox.options["calls_per_minute"] = "1"
    made, changed = listing("c2", "VASE", **NEW), listing("c1", "A-1", {"title": "Kop"}, title="Kop 2")
    receipts = catalogue.meta.send("listing", [made, changed])
    assert {receipt.change: receipt.outcome for receipt in receipts} == {"c1": Outcome.ACCEPTED, "c2": Outcome.NOT_SENT}
    catalogue.clock.advance(30)
    with pytest.raises(ThrottledError):
        catalogue.meta.send("listing", [made])


def test_a_batch_that_is_not_known_any_more_is_unknown(catalogue: Stage) -> None:
    (accepted,) = catalogue.meta.send("stock", [stock("c1", "A-1", 1)])
    catalogue.sandbox.jobs.clear()
    (receipt,) = catalogue.meta.follow("stock", [accepted.handle])
    assert (receipt.change, receipt.outcome) == ("c1", Outcome.UNKNOWN)


def test_errors_that_name_no_item_leave_the_whole_batch_unknown(catalogue: Stage) -> None:
    accepted = catalogue.meta.send("stock", [stock("c1", "A-1", 1), stock("c2", "NEVER", 1)])
    catalogue.clock.advance(3)
    catalogue.sandbox.settle()
    (job,) = catalogue.sandbox.jobs.values()
    job["errors"] = [{"line": 0, "id": None, "message": "x"}]
    catalogue.sandbox._status = lambda asked: {"data": [{"status": "finished", "errors": [], "errors_total_count": 1}]}  # type: ignore[method-assign]
    receipts = catalogue.meta.follow("stock", [receipt.handle for receipt in accepted])
    assert {receipt.outcome for receipt in receipts} == {Outcome.UNKNOWN}


def test_the_names_of_the_other_endpoint_are_errors_not_changes(catalogue: Stage) -> None:
    entry = {"method": "UPDATE", "data": {"id": "A-1", "name": "Other", "title": "Kop 3"}}
    errors, warnings = catalogue.sandbox._faults(entry, True)
    assert errors == ["Unrecognised field: name is not a field of item batches"]
    assert catalogue.sandbox._faults({"method": "UPDATE", "data": {"id": "A-1", "colour": "x"}}, True) == (
        [],
        ["Unrecognised field: colour"],
    )
    assert warnings == []
