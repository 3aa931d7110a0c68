"""Orders as a merchant sees them: listed, traced with times and causes, in the why of a number; and a customer forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from fault_stage import FOUR
from stage import AUTHORITY, ERP, WEBSHOP

from hub.store import inbox, letters
from hub.store.database import Tx
from hub.store.parties import drop_unkept

ANNA = {
    "name": "Anna Planted",
    "email": "Anna.Planted@shop.example",
    "phone": "+45 98 76 54 32",
    "street": "Planted Road 9",
    "city": "Plantville",
    "postal_code": "9999",
    "country": "DK",
}
SECRET = ("planted", "98 76 54 32", "plantville")
BOOKS = "orders: {export_from: [webshop], suspense_payment: card}\n"
FILES = {**FOUR, "channels/webshop.yaml": WEBSHOP + "orders: {take_in: true, prefix: WEB}\n"}


def opened(folder: Path, files: dict[str, str]) -> Desk:
    """The retailer with 12 of TEE and of CAP in the warehouse, everything read and shown."""
    made = Desk(folder, {**FILES, **files})
    for sku in ("TEE", "CAP"):
        for platform in made.platforms.values():
            platform.add_item(sku, sku, price=Decimal("159.96"))
        made.platforms["erp"].count(sku, 12, "3")
        made.platforms["till"].count(sku, 0, "LAARHUS000001")
    made.stage.run(30)
    assert made.stage.shows("webshop", "TEE") == 12
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = opened(tmp_path, {})
    yield made
    made.close()


@pytest.fixture
def booking(tmp_path: Path) -> Iterator[Desk]:
    """Orders of the webshop are to be booked in the ERP, which has no tax for them."""
    made = opened(tmp_path, {"channels/erp.yaml": ERP + "figures_at: [aarhus]\n" + BOOKS})
    yield made
    made.close()


def order(desk: Desk, wanted: dict[str, int], **more: Any) -> str:
    """A customer orders in the webshop and the hub has heard of it; gives the webshop's id."""
    placed: str = desk.platforms["webshop"].order(wanted, customer=ANNA, **more)
    desk.stage.run(130)
    return placed


def everything_sealed_opened(desk: Desk) -> str:
    """Every cell of every table and every envelope's bytes, in lower case: what whoever has store and key could read."""

    def read(tx: Tx) -> str:
        tables = [row[0] for row in tx.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells = [str(cell) for table in tables for row in tx.query(f'SELECT * FROM "{table}"') for cell in row]
        bodies = [body.decode() for _, body in inbox.page(tx, desk.stage.hub.vault, -1, 100_000)]
        return "\n".join([*cells, *bodies]).casefold()

    return desk.database.read(read)


# orders


def test_orders_are_listed_with_what_is_open_and_where_they_exist(desk: Desk) -> None:
    assert desk.type("orders").out == "no orders\n"
    their = order(desk, {"TEE": 2, "CAP": 1})
    said = desk.type("orders", "--json")
    assert said.code == 0
    (found,) = said.json["orders"]
    assert found["number"].startswith("WEB-")
    assert (found["channel"], found["state"], found["stuck"]) == ("webshop", "release", [])
    assert sorted(found["open"]) == ["1 of CAP", "2 of TEE"]
    assert found["total"] == "599.85 DKK"
    assert found["documents"] == [{"channel": "webshop", "their": their, "role": "origin"}]
    assert desk.type("orders", "--channel", "till", "--json").json["orders"] == []
    assert desk.type("orders", "--channel", "shopweb").code == 2
    assert desk.type("orders", "--stuck").code == 0


def test_the_list_has_a_limit_and_begins_with_the_newest(desk: Desk) -> None:
    first, second = order(desk, {"TEE": 1}), order(desk, {"CAP": 1})
    rows = desk.type("orders", "--limit", "1", "--json").json["orders"]
    assert [each["their"] for each in rows] == [second] != [first]


def test_an_order_that_cannot_be_booked_is_stuck_and_says_why(booking: Desk) -> None:
    order(booking, {"TEE": 2})
    said = booking.type("orders", "--stuck", "--json")
    assert said.code == 1
    (found,) = said.json["orders"]
    assert found["stuck"] == ["erp: the tax `25` is not mapped"]
    traced = booking.type("trace", found["number"])
    assert traced.code == 1
    assert "stuck: erp: the tax `25` is not mapped" in traced.out


def test_an_order_with_a_thing_that_is_no_item_says_which_line_is_not_reserved(desk: Desk) -> None:
    desk.platforms["webshop"].add_item("POSTER", "Poster", price=Decimal("20"))
    desk.platforms["webshop"].count("POSTER", 5, "1")
    order(desk, {"POSTER": 1})
    (found,) = desk.type("orders", "--json").json["orders"]
    assert found["open"] == []
    assert "POSTER on webshop is bound to no item" in found["stuck"][0]


# trace


def test_the_trace_tells_who_said_what_and_when_and_names_nobody(desk: Desk) -> None:
    their = order(desk, {"TEE": 2})
    said = desk.type("trace", their, "--json")
    assert said.code == 0
    story = said.json
    assert story["number"].startswith("WEB-")
    assert story["person"] == "kept, sealed, country DK"
    (reserved,) = story["reserved"]
    assert (reserved["sku"], reserved["quantity"], reserved["state"]) == ("TEE", 2_000, "open")
    words = [each["words"] for each in story["events"]]
    assert f"placed as {their}" in words
    assert any(each.startswith("captured 399.9") for each in words)
    source = next(each["source"] for each in story["events"] if each["words"].startswith("last said: release"))
    number = int(source.split()[1].rstrip(":"))
    body = desk.database.read(lambda tx: inbox.fetch(tx, desk.stage.hub.vault, [number]))[number].envelope.body
    assert inbox.digest(body).startswith(source.rpartition("digest ")[2])
    assert [each["at"] for each in story["events"]] == sorted(each["at"] for each in story["events"])
    assert not [word for word in SECRET if word in said.out.casefold()]
    by_number, by_id = desk.type("trace", story["number"]).out, desk.type("trace", story["order"]).out
    assert by_number == by_id
    assert not [word for word in SECRET if word in by_number.casefold()]


def test_the_trace_tells_the_parcel_and_that_its_units_count_until_the_figure_has_them(desk: Desk) -> None:
    their = order(desk, {"TEE": 2, "CAP": 1})
    desk.platforms["webshop"].ship(their, {"TEE": 2}, carrier="Made Post", tracking="TN1")
    desk.stage.run(130)
    story = desk.type("trace", their, "--json").json
    assert any("shipped 2 of line" in each["words"] and "by Made Post, tracking TN1" in each["words"] for each in story["events"])
    assert sorted((each["sku"], each["state"]) for each in story["reserved"]) == [("CAP", "open"), ("TEE", "shipped")]


def test_what_is_no_order_is_wrong_usage(desk: Desk) -> None:
    said = desk.type("trace", "WEB-NOSUCH")
    assert said.code == 2
    assert "no order has the number or id `WEB-NOSUCH`" in said.err


def test_the_trace_remembers_what_was_said_before_and_how_reservations_ended(desk: Desk) -> None:
    their = order(desk, {"TEE": 2, "CAP": 1})
    desk.platforms["webshop"].cancel(their, {"CAP": 1})
    desk.stage.run(130)
    desk.platforms["webshop"].ship(their, {"TEE": 2}, carrier="Made Post", tracking="TN1")
    desk.stage.run(130)
    story = desk.type("trace", their, "--json").json
    said = [each["words"] for each in story["events"] if each["words"].startswith("said: ")]
    assert [each.split(",")[0] for each in said] == ["said: release", "said: release", "said: ended"]
    assert "1 cancelled" not in said[0]
    assert "1 cancelled" in said[1]
    assert "2 left" in said[2]
    words = [each["words"] for each in story["events"] if "reserved: " in each["words"]]
    line = {each["sku"]: each["line"] for each in story["lines"]}
    assert f"reserved: 2 of line {line['TEE']}, open" in words
    assert f"no longer reserved: 1 of line {line['CAP']}, open" in words
    assert f"no longer reserved: 2 of line {line['TEE']}, open" in words
    assert any(each.startswith(f"reserved: 2 of line {line['TEE']}, shipped") for each in words)


def test_the_trace_tells_that_a_cancelled_order_gave_its_units_back(desk: Desk) -> None:
    their = order(desk, {"TEE": 2})
    desk.platforms["webshop"].cancel(their)
    desk.stage.run(130)
    story = desk.type("trace", their, "--json").json
    assert story["reserved"] == []
    ended = [each["words"] for each in story["events"] if each["words"].startswith("no longer reserved: 2 of line")]
    assert [each.rpartition(", ")[2] for each in ended] == ["the order is cancelled"]


def test_the_trace_tells_when_a_figure_had_what_was_shipped(tmp_path: Path) -> None:
    contains = AUTHORITY.replace("covers: [warehouse]", 'covers: [warehouse], contains: ["webshop:done"]')
    desk = opened(tmp_path, {"authority.yaml": contains})
    try:
        their = order(desk, {"TEE": 2})
        desk.platforms["webshop"].ship(their, {"TEE": 2})
        desk.platforms["erp"].count("TEE", 10, "3")
        desk.stage.run(700)
        assert desk.stage.shows("social", "TEE") == 10
        story = desk.type("trace", their, "--json").json
        assert story["reserved"] == []
        assert any(each["words"].endswith(", the figure has it") for each in story["events"])
    finally:
        desk.close()


# why


def test_why_names_the_orders_that_take_units(desk: Desk) -> None:
    order(desk, {"TEE": 2})
    number = desk.type("orders", "--json").json["orders"][0]["number"]
    said = desk.type("why", "social", "TEE", "--json").json["answers"][0]
    assert said["target"] == {"sellable": 10_000}
    (found,) = said["reserved"]
    assert (found["order"], found["quantity"], found["state"], found["counts"]) == (number, 2_000, "open", True)
    placed = desk.type("orders", "--json").json["orders"][0]["placed_at"]
    desk.stage.run(700)
    later = desk.type("why", "social", "TEE", "--json").json["answers"][0]["reserved"]
    assert later[0]["since"] == found["since"] >= placed
    out = desk.type("why", "social", "TEE").out
    assert "minus 2 reserved" in out
    assert f"{number} line {found['line']}: 2 of TEE open at no place yet since {found['since']}" in out
    assert desk.type("why", "social", "CAP", "--json").json["answers"][0]["reserved"] == []


def test_why_names_a_fall_that_no_order_explains_yet(desk: Desk) -> None:
    hub, seen = desk.stage.hub, []
    desk.platforms["webshop"].count("TEE", 7, "1")
    for _ in range(20):
        desk.stage.deliver()
        for step in (hub.walk.step, *(turn.step for turn in hub.turns.values())):
            step()
            said = desk.type("why", "social", "TEE", "--json").json["answers"][0]
            seen += [each["words"] for each in said["reserved"]]
    assert "5 of TEE fell on webshop" in seen[0]
    assert "no order explains it" in seen[0]
    desk.stage.run(200)
    assert desk.type("why", "social", "TEE", "--json").json["answers"][0]["reserved"] == []


# forget


def test_a_forgotten_customer_is_nowhere_and_the_order_stays(desk: Desk) -> None:
    order(desk, {"TEE": 2})
    assert "planted" in everything_sealed_opened(desk)
    said = desk.type("forget", "anna.planted@SHOP.example")
    assert said.code == 0, said.err
    assert "the person behind 1 orders" in said.out
    assert "to be erased there, by a person: webshop" in said.out
    assert "backups" in said.out
    left = everything_sealed_opened(desk)
    assert not [word for word in SECRET if word in left]
    (found,) = desk.type("orders", "--json").json["orders"]
    assert found["open"] == ["2 of TEE"]
    assert desk.type("trace", found["number"], "--json").json["person"] == "none is kept"
    assert desk.stage.shows("social", "TEE") == 10


def test_redelivery_and_sweeps_do_not_bring_the_customer_back(desk: Desk) -> None:
    desk.platforms["webshop"].order({"TEE": 2}, customer=ANNA)
    told = list(desk.platforms["webshop"].outbox)
    desk.stage.run(130)
    desk.type("forget", ANNA["email"])
    for request in told:
        assert desk.stage.post(request)
    desk.stage.run(1_300)
    left = everything_sealed_opened(desk)
    assert not [word for word in SECRET if word in left]
    assert len(desk.type("orders", "--json").json["orders"]) == 1
    assert desk.stage.shows("social", "TEE") == 10


def test_a_customer_who_orders_again_later_is_served_again(desk: Desk) -> None:
    old = order(desk, {"TEE": 2})
    desk.type("forget", ANNA["email"])
    desk.clock.advance(60)
    new = order(desk, {"CAP": 1})
    assert desk.type("trace", new, "--json").json["person"] == "kept, sealed, country DK"
    assert desk.type("trace", old, "--json").json["person"] == "none is kept"
    desk.stage.run(1_300)
    assert desk.type("trace", old, "--json").json["person"] == "none is kept"


@pytest.mark.parametrize("name", ["004598765432", "webshop:1", "+45 98765432"])
def test_a_customer_is_found_by_phone_and_by_the_channels_own_id(desk: Desk, name: str) -> None:
    order(desk, {"TEE": 1})
    assert "the person behind 1 orders" in desk.type("forget", name).out
    left = everything_sealed_opened(desk)
    assert not [word for word in SECRET if word in left]


def test_forgetting_twice_and_forgetting_a_stranger_do_no_harm(desk: Desk) -> None:
    order(desk, {"TEE": 1})
    desk.type("forget", ANNA["email"])
    again = desk.type("forget", ANNA["email"])
    assert again.code == 0
    assert "erased already, last at" in again.out
    stranger = desk.type("forget", "nobody@shop.example")
    assert stranger.code == 0
    assert "nothing is kept of them" in stranger.out
    wrong = desk.type("forget", "Anna Planted")
    assert wrong.code == 2
    assert "Anna" not in wrong.err + wrong.out


def test_what_waits_to_be_replayed_is_forgotten_and_read_anew_without_the_person(desk: Desk) -> None:
    order(desk, {"TEE": 1})

    def replayed(tx: Tx) -> None:
        seqs = [seq for seq, body in inbox.page(tx, desk.stage.hub.vault, -1, 100_000) if b"Planted" in body]
        inbox.wait_again(tx, seqs)
        letter = letters.DeadLetter("record", "webshop", "orders", "7", "lines", "Anna.Planted@shop.example", "odd", seqs[0], 1)
        closed = letters.DeadLetter("change", "erp", "order", "x", "placed", "", "no mail to anna.planted@shop.example", 0, 1)
        letters.keep(tx, [letter, closed])
        letters.close(tx, [closed.id])

    desk.database.transaction(replayed)
    said = desk.type("forget", ANNA["email"])
    assert "webshop is read from the beginning" in said.out
    assert "the words of 2 dead letters" in said.out
    assert desk.type("replay", "--all").code == 0
    asked = desk.database.read(lambda tx: tx.query("SELECT stream, id FROM lookups WHERE reason = 'replayed'"))
    assert asked == [("orders", "7")]
    desk.stage.run(1_300)
    left = everything_sealed_opened(desk)
    assert not [word for word in SECRET if word in left]
    assert len(desk.type("orders", "--json").json["orders"]) == 1


def test_where_a_person_was_named_is_forgotten_with_the_envelope(desk: Desk) -> None:
    order(desk, {"TEE": 1})

    def tidied(tx: Tx) -> tuple[int, int]:
        dropped = inbox.drop_before(tx, desk.clock.now() + 1, 100_000)
        drop_unkept(tx, 100_000)
        return dropped, int(tx.query("SELECT count(*) FROM person_envelopes")[0][0])

    dropped, named = desk.database.transaction(tidied)
    assert dropped > 0
    assert named == 0
