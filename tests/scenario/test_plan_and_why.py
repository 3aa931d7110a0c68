"""A person looks before anything is sent, asks why, and finds exactly what was said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, stocked
from stage import WEBSHOP

from hub.cli.ask import outcomes
from hub.cli.place import opened
from hub.flow import Key
from hub.store import inbox

REHEARSING = WEBSHOP.replace("mode: live", "mode: rehearse")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = stocked(Desk(tmp_path))
    yield made
    made.close()


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Desk]:
    made = stocked(Desk(tmp_path, {"channels/webshop.yaml": REHEARSING}))
    yield made
    made.close()


def changes(said: Any, channel: str) -> dict[tuple[str, str], Any]:
    """The planned changes of a channel by (SKU, aspect)."""
    part = next(each for each in said["channels"] if each["channel"] == channel)
    return {(change["sku"], change["aspect"]): change for change in part["changes"]}


def listing_of(desk: Desk, sku: str) -> str:
    """The webshop's own id of this SKU."""
    rows = desk.database.read(
        lambda tx: tx.query("SELECT listing FROM bindings WHERE channel = 'webshop' AND sku = :sku", sku=sku)
    )
    return str(rows[0][0])


# plan


def test_what_a_rehearsal_plans_is_what_going_live_then_does(rehearsal: Desk) -> None:
    planned = rehearsal.type("plan", "--json")
    assert planned.code == 0
    said = changes(planned.json, "webshop")
    assert {change["state"] for change in said.values()} == {"rehearse"}
    assert rehearsal.stage.shows("webshop", "TEE-001") == 0
    calls = next(each for each in planned.json["channels"] if each["channel"] == "webshop")["calls"]
    before = sum(call.writes for call in rehearsal.platforms["webshop"].calls if "login" not in call.path)
    rehearsal.write("channels/webshop.yaml", WEBSHOP)
    rehearsal.reload()
    rehearsal.stage.run(2)
    for (sku, aspect), change in said.items():
        if aspect == "stock":
            assert rehearsal.stage.shows("webshop", sku) * 1000 == change["to"]["sellable"]
        else:
            assert rehearsal.stage.price("webshop", sku) == Decimal(change["to"]["amount"])
    written = sum(call.writes for call in rehearsal.platforms["webshop"].calls if "login" not in call.path) - before
    assert written == calls["writes"] > 0
    assert changes(rehearsal.type("plan", "webshop", "--json").json, "webshop") == {}


def test_a_plan_names_figures_price_calls_and_time(rehearsal: Desk) -> None:
    said = rehearsal.type("plan", "webshop")
    stock = next(row for row in said.out.splitlines() if "TEE-002\tstock" in row)
    assert "0\t15\taarhus 5 + warehouse 10; last said by" in stock
    price = next(row for row in said.out.splitlines() if "TEE-002\tprice" in row)
    assert "201.2 DKK incl. tax\tlist retail 160.96 excl. tax, tax 25 %; last said by erp as of" in price
    assert "calls" in said.out
    assert "about" in said.out


def test_a_plan_says_which_guard_would_hold_what(rehearsal: Desk) -> None:
    rehearsal.platforms["erp"].set_price("TEE-003", Decimal("10.00"))
    rehearsal.stage.run(61)
    said = changes(rehearsal.type("plan", "--json").json, "webshop")[("TEE-003", "price")]
    assert said["state"] == "held"
    assert said["words"].startswith("price_fall: the price would fall from")


def test_a_plan_names_listings_that_wait_and_why(desk: Desk) -> None:
    desk.platforms["webshop"].add_item("POSTER-1", "Poster", price=Decimal("20"))
    desk.stage.run(601)
    part = next(each for each in desk.type("plan", "--json").json["channels"] if each["channel"] == "webshop")
    assert [(each["sku"], each["why"]) for each in part["waiting"]] == [("POSTER-1", "bound to no item")]
    assert part["changes"] == []


def test_a_plan_of_a_channel_that_is_not_there_is_wrong_usage(desk: Desk) -> None:
    said = desk.type("plan", "webshopp")
    assert said.code == 2
    assert "did you mean `webshop`?" in said.err


# apply


def test_apply_refuses_what_has_moved_and_sends_the_rest(desk: Desk, tmp_path: Path) -> None:
    shown = {sku: desk.stage.price("webshop", sku) for sku in ("TEE-001", "TEE-002")}
    for sku in shown:
        desk.platforms["erp"].set_price(sku, Decimal("10.00"))
    desk.stage.run(61)
    assert {sku: desk.stage.price("webshop", sku) for sku in shown} == shown, "the guard holds both"
    out = tmp_path / "plan.json"
    assert desk.type("plan", "webshop", "--out", str(out)).code == 0
    desk.platforms["erp"].set_price("TEE-002", Decimal("11.00"))
    desk.stage.run(61)
    said = desk.type("apply", str(out), "--json")
    assert said.code == 1
    assert [each["why"] for each in said.json["refused"]] == ["what it should show is another by now"]
    desk.stage.run(2)
    assert desk.stage.price("webshop", "TEE-001") == Decimal("12.50")
    assert desk.stage.price("webshop", "TEE-002") == shown["TEE-002"]


def test_a_rehearsing_channel_sends_only_what_a_person_applied(rehearsal: Desk, tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    assert rehearsal.type("plan", "webshop", "--json").json["channels"]
    rehearsal.type("plan", "webshop", "--out", str(out))
    document = json.loads(out.read_text())
    for part in document["channels"]:
        part["changes"] = [each for each in part["changes"] if each["sku"] == "TEE-001" and each["aspect"] == "stock"]
    out.write_text(json.dumps(document))
    rehearsal.type("apply", str(out), "--json")
    rehearsal.stage.run(2)
    assert rehearsal.stage.shows("webshop", "TEE-001") == 15
    assert rehearsal.stage.shows("webshop", "TEE-002") == 0


def test_no_longer_live_what_was_intended_is_not_sent(desk: Desk) -> None:
    desk.platforms["webshop"].faults.down = True
    desk.platforms["erp"].receive("TEE-001", 5, "3")
    desk.stage.run(61)
    desk.write("channels/webshop.yaml", REHEARSING)
    desk.reload()
    desk.platforms["webshop"].faults.down = False
    desk.stage.run(700)
    assert desk.stage.shows("webshop", "TEE-001") == 15


def test_apply_without_a_worker_says_that_nothing_was_sent(desk: Desk, tmp_path: Path) -> None:
    desk.platforms["erp"].set_price("TEE-001", Decimal("10.00"))
    desk.stage.run(61)
    out = tmp_path / "plan.json"
    desk.type("plan", "webshop", "--out", str(out))
    said = desk.type("apply", str(out))
    assert said.code == 1
    assert "intended, not sent: no worker is at work" in said.err


NO_PLANS = ["", "{}", "[1]", '{"samklang_plan": 2}', '{"samklang_plan": 1, "channels": [{"changes": [{}]}]}']


@pytest.mark.parametrize("text", NO_PLANS)
def test_a_file_that_is_no_plan_is_refused(desk: Desk, tmp_path: Path, text: str) -> None:
    out = tmp_path / "plan.json"
    out.write_text(text)
    said = desk.type("apply", str(out))
    assert said.code == 2
    assert str(out) in said.err


# why


def test_why_goes_back_from_the_shown_stock_to_the_delivery_that_said_it(desk: Desk) -> None:
    desk.platforms["till"].sell("TEE-002", 2, "LAARHUS000001")
    desk.stage.run(1)
    said = desk.type("why", "webshop", "TEE-002", "stock", "--json")
    assert said.code == 0
    answer = said.json["answers"][0]
    assert answer["target"] == {"sellable": 13_000}
    assert answer["standing"] == "it shows what it should"
    steps = "\n".join(answer["steps"])
    authority = str(desk.folder / "authority.yaml")
    assert f"aarhus: 3 on hand (till is right about aarhus, net of till:* [{authority}:4])" in steps
    assert f"warehouse: 10 on hand (erp is right about warehouse [{authority}:5])" in steps
    assert "webshop may sell 13" in steps
    till = next(each for each in answer["sources"] if each["channel"] == "till")
    assert till["figure"] == 3_000
    assert till["envelope"]["door"] == "hook"
    number = till["envelope"]["inbox"]
    waiting = desk.database.read(lambda tx: inbox.fetch(tx, desk.stage.hub.vault, [number]))[number]
    assert waiting.envelope.delivery_id == till["envelope"]["delivery"] != ""
    assert inbox.digest(waiting.envelope.body).startswith(till["envelope"]["digest"])
    assert answer["shown"]["words"] == "13"
    assert answer["receipts"][0]["outcome"] == "applied"


def test_why_names_rule_share_and_safety_stock_with_their_line(tmp_path: Path) -> None:
    rules = "rules:\n  - skus: [TEE-009]\n    cap: 1\n  - channels: [webshop]\n    safety_stock: 2\n    share_percent: 50\n"
    desk = stocked(Desk(tmp_path, {"allocation.yaml": rules}), 2)
    try:
        said = desk.type("why", "webshop", "TEE-001", "stock").out
        where = f"allocation rule 2 [{tmp_path / 'allocation.yaml'}:4]"
        assert f"minus 2 safety stock, {where}" in said
        assert f"of that 50 %, rounded down, {where}" in said
        assert "webshop may sell 6" in said
        assert desk.stage.shows("webshop", "TEE-001") == 6
    finally:
        desk.close()


def test_why_explains_a_price_its_tax_and_since_when_it_is_shown(desk: Desk) -> None:
    desk.platforms["erp"].set_price("TEE-004", Decimal("120.00"))
    desk.stage.run(61)
    said = desk.type("why", "webshop", listing_of(desk, "TEE-004"), "price")
    assert said.code == 0
    pricing = desk.folder / "pricing.yaml"
    assert f"list retail: 120 DKK excl. tax [{pricing}:2]" in said.out
    assert f"plus 25 % tax [{pricing}:3]" in said.out
    assert "webshop asks 150 DKK" in said.out
    assert "DK 150 DKK from" in said.out
    assert "to now" in said.out


def test_why_says_what_lacks_where_there_is_no_target(desk: Desk) -> None:
    desk.platforms["webshop"].add_item("POSTER-1", "Poster", price=Decimal("20"))
    desk.stage.run(601)
    unbound = desk.type("why", "webshop", "POSTER-1", "stock")
    assert unbound.code == 1
    assert "the listing is bound to no item; `samklang bind webshop" in unbound.out
    assert "no item has this SKU (value POSTER-1)" in unbound.out
    never = desk.type("why", "webshop", "TEE-001", "listing")
    assert never.code == 1
    assert "takes no listing from outside: " in never.out
    assert "has told of no listing `NOSUCH`" in desk.type("why", "webshop", "NOSUCH", "stock").out
    assert "it sells from no place" in desk.type("why", "till", "TEE-001", "stock").out


def test_why_names_the_authority_that_has_not_been_heard(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    try:
        for name in ("erp", "webshop"):
            desk.platforms[name].add_item("TEE-001", "T-shirt", price=Decimal("100"))
        desk.type("pause", "till", "--why", "stocktaking")
        desk.stage.run(5)
        said = desk.type("why", "webshop", "TEE-001", "stock")
        assert said.code == 1
        assert "no figure yet: till has not been read to its end, and it is right about aarhus" in said.out
        waiting = desk.type("plan", "webshop", "--json").json["channels"][0]["waiting"]
        assert [(each["sku"], each["aspect"]) for each in waiting if each["sku"]] == [("TEE-001", "stock")]
    finally:
        desk.close()


def test_why_says_that_the_mode_keeps_a_change_back(rehearsal: Desk) -> None:
    said = rehearsal.type("why", "webshop", "TEE-001")
    assert "it should show 15 and shows 0: the mode is rehearse, so nothing is written" in said.out
    assert f"[{rehearsal.folder / 'channels' / 'webshop.yaml'}:5]" in said.out


def test_why_says_what_a_waiting_change_goes_before(desk: Desk) -> None:
    desk.type("pause", "webshop", "--why", "moving house")
    desk.platforms["till"].count("TEE-001", 0)
    desk.platforms["erp"].count("TEE-001", 0)
    desk.platforms["till"].count("TEE-002", 4)
    desk.stage.run(61)

    def minutes(sku: str) -> int:
        told = desk.type("why", "webshop", sku, "stock", "--json").json["answers"][0]["change"]
        return int(told["goes_before_minutes"])

    assert minutes("TEE-001") > minutes("TEE-002") >= 0, "more pieces too many cost more"
    words = f"by what it costs to wait it goes before what was decided {minutes('TEE-001')} minutes earlier"
    assert words in desk.type("why", "webshop", "TEE-001", "stock").out


# drift


def test_an_edit_by_a_person_in_the_shop_is_drift_even_when_it_is_put_right(desk: Desk) -> None:
    assert desk.type("drift").code == 0
    desk.platforms["webshop"].count("TEE-005", 99)
    desk.stage.run(2)
    assert desk.stage.shows("webshop", "TEE-005") == 15
    said = desk.type("drift", "--json")
    assert said.code == 1
    found = said.json["drift"]
    assert [(each["sku"], each["aspect"], each["kind"]) for each in found] == [("TEE-005", "stock", "repaired")]
    assert "someone made it 99" in found[0]["words"]


def test_an_edit_that_is_to_be_held_stays_drift_until_a_person_decides(tmp_path: Path) -> None:
    holding = WEBSHOP + "person_edits: {verdict: hold}\n"
    desk = stocked(Desk(tmp_path, {"channels/webshop.yaml": holding}), 2)
    try:
        desk.platforms["webshop"].count("TEE-001", 99)
        desk.stage.run(2)
        assert desk.stage.shows("webshop", "TEE-001") == 99
        said = desk.type("drift", "--json")
        assert said.code == 1
        found = said.json["drift"]
        assert [(each["kind"], each["shows_words"], each["should_words"]) for each in found] == [("held", "99", "15")]
        holds = desk.type("approve", "--json")
        assert holds.code == 1
        hold = holds.json["holds"][0]
        assert (hold["guard"], len(hold["changes"])) == ("person_edit", 1)
        assert desk.type("approve", hold["id"]).code == 0
        desk.stage.run(2)
        assert desk.stage.shows("webshop", "TEE-001") == 15
        assert desk.type("approve").code == 0
    finally:
        desk.close()


def test_what_a_mode_forbids_is_drift_that_nobody_mends(rehearsal: Desk) -> None:
    said = rehearsal.type("drift", "webshop", "--json")
    assert said.code == 1
    assert {each["kind"] for each in said.json["drift"]} == {"unrepaired"}
    assert json.dumps(said.json)


def test_what_became_of_applied_changes_is_read_from_their_receipts(desk: Desk, tmp_path: Path) -> None:
    desk.platforms["erp"].set_price("TEE-001", Decimal("10.00"))
    desk.stage.run(61)
    out = tmp_path / "plan.json"
    desk.type("plan", "webshop", "--out", str(out))
    done = desk.type("apply", str(out), "--json").json
    assert [each["outcome"] for each in done["outcomes"]] == ["waiting"]
    desk.stage.run(2)
    asked = [(Key("webshop", listing_of(desk, "TEE-001"), "price"), done["done"][0]["change"])]
    with opened(desk.folder) as place:
        found = outcomes(place, asked, 0, 0.0)
    assert [each.outcome for each in found] == ["applied"]
    again = desk.type("apply", str(out), "--json")
    assert again.code == 1
    assert [each["why"] for each in again.json["refused"]] == ["what it shows is another by now"]
