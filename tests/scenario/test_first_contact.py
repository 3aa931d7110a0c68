"""First contact with a running shop: it is read once through deaths, compared with the books, and nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from running_shop import FILES, LISTED, PRICE, RunningShop, sku_of

from hub.contact.report import Report, report
from hub.errors import ConfigError
from hub.first_reading import read_all
from hub.plan import plan
from hub.sdk.wire import Request, Response
from hub.store import requests


class DiedError(Exception):
    """The process was killed here."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[RunningShop]:
    made = RunningShop(tmp_path, 30, 75, 20)
    yield made
    made.close()


def told(here: RunningShop) -> Report:
    """The report now."""
    manifests = {name: channel.manifest for name, channel in here.hub.channels.items()}
    return report(here.config, manifests, here.database, here.clock.now())


def document_of(here: RunningShop, part: str, channel: str = "webshop") -> Any:
    """One channel's part of the report as --json prints it."""
    return next(each for each in told(here).document()[part] if each["channel"] == channel)


def test_a_shop_that_agrees_has_nothing_for_a_person(shop: RunningShop) -> None:
    assert read_all(shop.hub) == []
    found = told(shop)
    assert found.whole
    assert not found.needs_a_person
    assert document_of(shop, "matching")["matched"] == {"sku": 75}
    assert found.orders == {"webshop": {"history": 20, "carried": 0}}, "a year of orders is history: known, never reserved"
    assert document_of(shop, "alignment")["agree"] == 75
    assert not [
        call for platform in shop.platforms.values() for call in platform.calls if call.writes and "login" not in call.path
    ]


def test_a_death_in_the_middle_costs_one_page_and_no_more(tmp_path: Path) -> None:
    whole = RunningShop(tmp_path / "whole", 120, 300)
    assert read_all(whole.hub) == []
    calls = len(whole.shop.calls)
    whole.close()
    cut = RunningShop(tmp_path / "cut", 120, 300)
    left = {"calls": 40}

    class Dying:
        """A line on which the process dies after so many calls."""

        def __init__(self, platform: Any) -> None:
            self.platform = platform

        def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
            left["calls"] -= 1
            if left["calls"] < 0:
                raise DiedError
            answer: Response = self.platform.send(request, deadline_seconds, answer_bytes_max)
            return answer

    deaths = 0
    while True:
        dying = cut.met(lambda settings: Dying(cut.platforms[settings.channel]))
        try:
            assert read_all(dying) == []
            break
        except DiedError:
            deaths += 1
            left["calls"] = 40
    cut.hub = dying
    assert deaths >= 3
    assert len(cut.shop.calls) <= calls + deaths * 25, "a page is at most 20 products' variants and the listing around them"
    assert document_of(cut, "matching")["matched"] == {"sku": 300}
    cut.close()


def test_what_differs_is_told_with_what_explains_it(shop: RunningShop) -> None:
    shop.shop.count(sku_of(3), 4)
    shop.shop.count(sku_of(4), 30)
    shop.erp.count(sku_of(5), 12, "3")
    read_all(shop.hub)
    found = document_of(shop, "alignment")
    rows = {row["sku"]: row for row in found["rows"]}
    assert (found["agree"], found["unexplained"], found["waiting"]) == (72, 3, 2)
    assert (rows[sku_of(3)]["shown"], rows[sku_of(3)]["should"], rows[sku_of(3)]["unexplained"]) == ("4", "10", "-6")
    assert rows[sku_of(3)]["figures"] == [{"channel": "erp", "place": "warehouse", "on_hand": "10"}]
    assert rows[sku_of(4)]["waits"]
    assert not rows[sku_of(5)]["waits"]


def test_open_orders_and_rules_explain(tmp_path: Path) -> None:
    rules = "rules: [{safety_stock: 2}]\n"
    here = RunningShop(tmp_path, 5, 10, **{"allocation.yaml": rules})
    here.shop.order({sku_of(0): 3})
    read_all(here.hub)
    row = next(each for each in document_of(here, "alignment")["rows"] if each["sku"] == sku_of(0))
    assert row["explained"] == [{"what": "open orders", "quantity": "-3"}, {"what": "kept back by rules", "quantity": "-2"}]
    assert (row["shown"], row["should"], row["unexplained"]) == ("7", "5", "2")
    here.close()


def test_bindings_are_proposed_and_never_guessed(shop: RunningShop) -> None:
    shop.erp.add_item("ABC-1", "Cap", price=PRICE)
    shop.erp.add_item("00417", "Mug", price=PRICE, barcode="4006381333931")
    shop.erp.add_item("IN-STORE", "Cheese", price=PRICE, barcode="2012345678900")
    shop.shop.add_item("abc 1", "Nothing like it", price=LISTED)
    shop.shop.add_item("abc-1", "Cap", price=LISTED)
    shop.shop.add_item("MUG-OLD", "Mug", price=LISTED, barcode="4006381333931")
    shop.shop.add_item("CHEESE", "Cheese", price=LISTED, barcode="2012345678900")
    shop.shop.add_item("417", "Another mug", price=LISTED)
    shop.shop.add_item("GONE-9", "Unknown", price=LISTED)
    shop.shop.outbox.clear()
    read_all(shop.hub)
    found = document_of(shop, "matching")
    proposed = {each["sku"]: (each["why"], [one["sku"] for one in each["items"]]) for each in found["proposals"]}
    assert proposed == {
        "abc-1": ("looks alike", ["ABC-1"]),
        "MUG-OLD": ("barcode", ["00417"]),
        "417": ("looks alike", ["00417"]),
    }
    assert {each["sku"] for each in found["missing"]} == {"abc 1", "CHEESE", "GONE-9"}
    assert found["matched"] == {"sku": 75}
    assert set(found["not_listed"]) == {"ABC-1", "00417", "IN-STORE"}


def test_a_barcode_on_two_listings_binds_neither(shop: RunningShop) -> None:
    shop.erp.add_item("MUG", "Mug", price=PRICE, barcode="4006381333931")
    for sku in ("MUG-A", "MUG-B"):
        shop.shop.add_item(sku, "Mug", price=LISTED, barcode="4006381333931")
    shop.shop.outbox.clear()
    read_all(shop.hub)
    assert document_of(shop, "matching")["proposals"] == []
    assert {each["sku"] for each in document_of(shop, "matching")["missing"]} == {"MUG-A", "MUG-B"}


def test_a_paused_channel_is_named_and_the_others_are_read(shop: RunningShop) -> None:
    shop.shop.faults.unauthorized = True
    left = read_all(shop.hub)
    assert [each.channel for each in left] == ["webshop"]
    assert "login refused" in left[0].why
    assert told(shop).items == 75


def test_a_live_channel_is_not_for_first_contact(tmp_path: Path) -> None:
    live = FILES["channels/webshop.yaml"].replace("mode: observe", "mode: live")
    here = RunningShop(tmp_path, 5, 10, **{"channels/webshop.yaml": live})
    with pytest.raises(ConfigError, match="webshop is live"):
        read_all(here.hub)
    here.close()


def test_going_live_waits_for_a_decision_about_what_nobody_explained(tmp_path: Path) -> None:
    here = RunningShop(tmp_path, 10, 20)
    here.shop.count(sku_of(1), 60)
    here.shop.count(sku_of(2), 12)
    read_all(here.hub)
    manifests = {name: channel.manifest for name, channel in here.hub.channels.items()}
    entries = {e.sku: e for e in plan(here.config, manifests, here.database, here.clock.now(), "webshop").entries()}
    assert entries[sku_of(1)].words.startswith("unexplained: shows 60 and should show 10")
    assert entries[sku_of(2)].state == "observe"

    from hub.settings.load import load_text

    texts = {name: text.replace("{since}", "2026-09-01").replace("mode: observe", "mode: live") for name, text in FILES.items()}
    here.config = load_text(texts, str(tmp_path))
    here.hub = here.met()
    here.hub.walk.mark_all()
    here.hub.settle()
    shown = here.shop.shown()
    assert sum(shown[sku_of(2)]["stock"].values()) == 10, "what is below the threshold goes out"
    assert sum(shown[sku_of(1)]["stock"].values()) == 60, "what is above it waits"
    hold = here.database.read(requests.holds)[0]
    assert hold.guard == "unexplained"

    from hub.people import People

    here.database.transaction(lambda tx: requests.ask(tx, "r1", "approve", {"hold": hold.id}, here.clock.now()))
    People(here.hub).step()
    here.hub.settle()
    assert sum(here.shop.shown()[sku_of(1)]["stock"].values()) == 10
    here.erp.count(sku_of(1), 90, "3")
    for _ in range(3):
        here.clock.advance(61)
        here.hub.settle()
    assert sum(here.shop.shown()[sku_of(1)]["stock"].values()) == 90, "once in agreement, a large delivery is no first contact"
    here.close()


def test_accepted_proposals_are_bound(shop: RunningShop) -> None:
    from hub.people import People

    shop.erp.add_item("00417", "Mug", price=PRICE)
    shop.erp.count("00417", 8, "3")
    listing = shop.shop.add_item("417", "Mug", price=Decimal("199.95"))
    shop.shop.outbox.clear()
    read_all(shop.hub)
    item = document_of(shop, "matching")["proposals"][0]["items"][0]["item"]
    body = {
        "bindings": [
            {"channel": "webshop", "listing": listing, "item": item},
            {"channel": "webshop", "listing": "9", "item": item},
        ]
    }
    shop.database.transaction(lambda tx: requests.ask(tx, "r1", "bind_all", body, shop.clock.now()))
    People(shop.hub).step()
    shop.hub.settle()
    answer = shop.database.read(lambda tx: requests.one(tx, "r1"))
    assert answer is not None
    assert [each["key"] for each in answer.answer["refused"]] == ["webshop 9"]
    assert document_of(shop, "matching")["proposals"] == []
    row = next(each for each in document_of(shop, "alignment")["rows"] if each["sku"] == "417")
    assert (row["shown"], row["should"]) == ("0", "8")


def test_what_make_bench_measures_holds_in_small() -> None:
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
    try:
        import bench_contact
    finally:
        sys.path.pop(0)
    found = bench_contact.measure(100, 240, 30, 40)
    assert found["contact_variants_known_at_death"] > 0
    assert found["contact_calls_again_after_death"] <= 25
    assert found["contact_minutes_at_the_shops_pace"] < 1
