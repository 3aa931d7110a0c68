"""What people are told of from where an order is delivered: what was decided, what there was, and what it would be now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from routed_grounds import AARHUS, WAREHOUSE, Grounds, line, order, shop

from hub.cli.route import _lines
from hub.clock import ManualClock
from hub.errors import ConfigError
from hub.settings.model import RoutingRule
from hub.store import orders
from hub.store.database import Database
from hub.store.open import open_database
from hub.store.orders import Order, OrderBinding
from hub.whence import Whence, whence

RULE = RoutingRule(by=("fewest_parcels", "priority"), keep_back={AARHUS: 1}, backorder_place=WAREHOUSE)
STREAMS = {"erp": ("stock",), "till": ("stock",)}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "hub.db", clock=ManualClock(), threaded=False)
    yield opened
    opened.close()


def placed(grounds: Grounds, count: int) -> None:
    record = {"order": "41", "state": "release", "lines": [{"line": "1", "listing": "tee", "quantity": count * 1000}]}
    made = Order("o1", "webshop", "41", "WEB-41", "release", 1, 1, False, "DKK", 100)
    said = OrderBinding("webshop", "41", "o1", "origin", record, 0, 0, 1, 1, 1)
    grounds.database.transaction(lambda tx: orders.save_orders(tx, [made]))
    grounds.database.transaction(lambda tx: orders.save_bindings(tx, [said]))
    grounds.promised("o1", "tee", count)
    grounds.decide(order("o1", line("1", "tee", count)))


def told(grounds: Grounds, name: str = "WEB-41") -> Whence:
    return whence(grounds.config, grounds.database, name, STREAMS)


def test_then_and_now_are_told_apart(database: Database) -> None:
    grounds = Grounds(database, shop(RULE))
    grounds.figure(AARHUS, "tee", 5)
    grounds.figure(WAREHOUSE, "tee", 0)
    placed(grounds, 2)
    assert told(grounds).same
    grounds.figure(WAREHOUSE, "tee", 7)
    found = told(grounds)
    assert not found.same
    assert not found.lacking
    said = list(_lines(found, True))
    assert said[0] == "WEB-41 (o1): release, placed on webshop"
    assert said[1].startswith("line 1: 2 of tee from aarhus, decided ")
    assert said[1].endswith(": aarhus alone has all of it [routing rule 1]")
    assert said[2] == "  then free: warehouse 0; aarhus 4, 1 more kept back"
    assert said[3] == "  now free besides this order: warehouse 7; aarhus 5"
    assert said[4].startswith("now it would be line 1: 2 of tee from warehouse: aarhus and warehouse each have all of it")
    assert len(list(_lines(found, False))) == 2


def test_what_is_not_there_is_said(database: Database) -> None:
    grounds = Grounds(database, shop(RULE))
    grounds.figure(AARHUS, "tee", 1)
    grounds.figure(WAREHOUSE, "tee", 1)
    placed(grounds, 2)
    found = told(grounds, "41")
    assert found.lacking
    assert [(each.place, each.quantity, each.short) for each in found.decided] == [(WAREHOUSE, "2", "1")]
    assert any("1 of them not there" in said for said in _lines(found, True))
    assert found.document()["decided"][0]["why"].endswith("1 of tee is waited for at warehouse")


def test_without_rules_no_place_is_named(database: Database) -> None:
    grounds = Grounds(database, shop())
    grounds.figure(AARHUS, "tee", 1)
    placed(grounds, 1)
    assert list(_lines(told(grounds), True))[1:] == ["no place was chosen", "now the same would be decided"]


def test_an_order_that_nobody_knows(database: Database) -> None:
    with pytest.raises(ConfigError, match="no order has the number or id `WEB-9`"):
        told(Grounds(database, shop()), "WEB-9")
