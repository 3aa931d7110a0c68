"""A made person buys, and much goes wrong: they stand in no file, no table, no log and no answer, only where they are sealed."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
import structlog
from desk import Desk
from fault_stage import FOUR, SHOP, WAREHOUSE
from stage import HUB, TILL, WEBSHOP

from hub import log
from hub.store.database import Tx
from hub.store.parties import Parties

PERSON: Final = {
    "name": "Xaverine Plåntedotter",
    "email": "Xaverine.Plantedotter@shop.example",
    "phone": "+45 71 93 55 28",
    "street": "Plåntevangen 77B",
    "city": "Plantropolis",
    "postal_code": "QZ-98765",
    "country": "DK",
    "company": "Plantwerk & Dotter",
}
TELLING: Final = (
    "xaverine",
    "plåntedotter",
    "plantedotter",
    "71935528",
    "71 93 55 28",
    "plåntevangen",
    "plantropolis",
    "plantwerk",
)
TELLING_TOO: Final = ("qz-98765", PERSON["email"].casefold(), PERSON["street"].casefold())
BOOKS = "orders: {export_from: [webshop, till], suspense_payment: web, suspense_tax: '1'}\n"
ERP = FOUR["channels/erp.yaml"]
ORDER, PARTY = "mappings/vendure/order.yaml", "mappings/vendure/party.yaml"
PLAIN = {ORDER: "maps: order\nconnector: vendure\n", PARTY: "maps: party\nconnector: vendure\n"}
BROKEN = {
    ORDER: PLAIN[ORDER] + "tables: {order_state: {Cancelled: drop}}\n",
    PARTY: PLAIN[PARTY]
    + "fields: {postal_code: {from: address.postalCode, as: lookup, table: zones}}\ntables: {zones: {'1000': near}}\n",
}
FILES = {
    **FOUR,
    "hub.yaml": HUB + "mappings: [mappings]\n",
    "channels/webshop.yaml": WEBSHOP + "orders: {take_in: true, prefix: WEB}\n",
    "channels/till.yaml": TILL + "orders: {take_in: true, prefix: TILL}\n",
    "channels/erp.yaml": ERP + BOOKS,
    **PLAIN,
}
LISTS = ("status", "orders", "orders --stuck", "dead", "drift", "plan", "approve", "oversells", "movements", "connectors")
OF_ORDER = ("trace", "route")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Every line that the hub logs, down to debug."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level, kept = list(root.handlers), root.level, structlog.get_config()
    log.configure(now=lambda: 1_790_000_000_000_000, as_json=False, level="debug", stream=stream)
    yield stream
    structlog.configure(**kept)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, FILES)
    for platform in made.platforms.values():
        platform.add_item("TEE", "T-shirt", price=Decimal("159.96"))
    made.platforms["erp"].count("TEE", 40, WAREHOUSE)
    made.platforms["till"].count("TEE", 9, SHOP)
    made.stage.run(30)
    yield made
    made.close()


def bad_days(desk: Desk) -> None:
    """The person buys again and again, while answers are lost, words are not understood and the books refuse."""
    shop, till, erp = (desk.platforms[name] for name in ("webshop", "till", "erp"))
    shop.order({"TEE": 1}, customer=PERSON)
    till.order({"TEE": 1}, customer=PERSON)
    desk.stage.run(130)

    erp.faults.lose_answer_next, erp.faults.fail_next, erp.faults.garbage_next = 2, 2, 2
    shop.faults.garbage_next, till.faults.garbage_next = 1, 1
    shop.order({"TEE": 1}, customer=PERSON)
    desk.stage.run(400)

    erp.faults.down = True
    shop.order({"TEE": 1}, customer=PERSON)
    desk.stage.run(130)
    erp.faults.down = False
    desk.stage.run(400)

    changed(desk, {"channels/erp.yaml": ERP + BOOKS.replace("'1'", "'777'")})
    shop.order({"TEE": 1}, customer=PERSON)
    desk.stage.run(200)

    changed(desk, {"channels/erp.yaml": ERP + BOOKS.replace(", suspense_tax: '1'", "")})
    shop.order({"TEE": 1}, customer=PERSON)
    desk.stage.run(200)

    # The tax stays unmapped from now on: what is stuck when the story ends is stuck for a person.
    changed(desk, {"channels/erp.yaml": ERP + BOOKS.replace(", suspense_tax: '1'", ""), **BROKEN})
    shop.cancel(shop.order({"TEE": 1}, customer=PERSON))
    desk.stage.run(200)

    erp.faults.unauthorized = True
    shop.order({"TEE": 1}, customer=PERSON)
    till.take_back("TEE", 1, SHOP)
    desk.stage.run(200)


def changed(desk: Desk, files: dict[str, str]) -> None:
    """The merchant edits these files and has them taken up."""
    for name, text in files.items():
        desk.write(name, text)
    desk.reload()


def spoken(desk: Desk) -> str:
    """What every command says, as text and as JSON."""
    orders = [each["number"] for each in desk.type("orders", "--json").json["orders"]]
    letters = [each["id"] for each in desk.type("dead", "--json").json["letters"]]
    asked = [each.split() for each in LISTS]
    asked += [[command, number] for command in OF_ORDER for number in orders]
    asked += [["why", channel, "TEE", aspect] for channel in desk.platforms for aspect in ("stock", "price", "listing")]
    asked += [["dead", each] for each in letters]
    said = [desk.type(*each, *more) for each in asked for more in ((), ("--json",))]
    return "\n".join(each.out + each.err for each in said)


def cells(tx: Tx) -> Iterator[bytes]:
    """Every column of every row of every table, as bytes."""
    for (table,) in tx.query("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in tx.query(f'SELECT * FROM "{table}"'):
            yield from (cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)


def in_plain(told: bytes) -> list[str]:
    """Which of the person's words stand there: as they are, as in JSON, as in an address, in another encoding."""
    lowered = told.lower()
    found = []
    for word in (*TELLING, *TELLING_TOO):
        ways = {word.encode(), json.dumps(word)[1:-1].encode(), quote(word).lower().encode(), word.encode("utf-16-le")}
        ways |= {word.encode("latin-1"), word.upper().encode().lower(), json.dumps(word.upper())[1:-1].lower().encode()}
        if any(way in lowered for way in ways):
            found.append(word)
    return found


def test_the_search_finds_a_person_in_every_form() -> None:
    for name, value in PERSON.items():
        if name != "country":
            for form in (value, value.upper(), json.dumps(value), quote(value)):
                assert in_plain(f"… {form} …".encode()), (name, form)


def test_a_person_stands_nowhere_but_sealed(desk: Desk, logged: io.StringIO) -> None:
    bad_days(desk)
    said = spoken(desk)
    files = {path: path.read_bytes() for path in (desk.folder / "data").rglob("*") if path.is_file()}
    rows = b"\n".join(desk.database.read(lambda tx: list(cells(tx))))

    # The story took place: the person is kept, the books have them, and much failed and was told.
    orders = desk.type("orders", "--json").json["orders"]
    parties = Parties(desk.stage.hub.vault, desk.clock)
    kept = desk.database.read(lambda tx: [parties.of(tx, each["order"]) for each in orders])
    assert sum(each.get("email") == PERSON["email"] for each in kept) >= 6
    assert any(each["number"].startswith("TILL-") for each in orders)
    letters = {row[0] for row in desk.database.read(lambda tx: tx.query("SELECT path FROM dead_letters"))}
    assert {"address.postalCode", "state", "placed"} <= letters, "open letters and those that were settled meanwhile"
    assert desk.type("orders", "--stuck", "--json").json["orders"]
    assert "channel failed" in logged.getvalue()
    assert "channel paused" in logged.getvalue()

    # The search reaches what is there: the order's number stands in the rows, in a file and in what was said.
    number = orders[0]["number"].encode()
    assert number in rows
    assert any(number in told for told in files.values())
    assert number in said.encode()

    assert {str(path.relative_to(desk.folder)): in_plain(told) for path, told in files.items() if in_plain(told)} == {}
    assert in_plain(rows) == []
    assert in_plain(said.encode()) == []
    assert in_plain(logged.getvalue().encode()) == []
