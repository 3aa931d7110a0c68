"""How fast things sell, as the hub learns it from the orders it takes in: each order once, older ones for less."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.clock import ManualClock
from hub.desired.order import EXPORT, ORIGIN
from hub.diff.damage import LATELY_MICROS, MEAN_LIFE, PRICE_UNKNOWN, RATE_MIN, Selling
from hub.flow import Aspect, Key, Observation, Target
from hub.selling import Sellings, learn
from hub.store import catalogue, targets, velocities
from hub.store.catalogue import Binding
from hub.store.changes import OpenChange
from hub.store.orders import Order, OrderBinding
from hub.store.sqlite import SqliteDatabase
from hub.store.targets import StoredObservation
from hub.store.velocities import Velocity

NOW = ManualClock().now()
LATER = NOW + LATELY_MICROS


def order(name: str, at: int = NOW) -> Order:
    return Order(name, "shop", f"their {name}", f"S-{name}", "reserve", at, at, False, "DKK", 10_000)


def said(name: str, lines: list[tuple[str, int]], role: str = ORIGIN, channel: str = "shop") -> OrderBinding:
    record: dict[str, Any] = {"lines": [{"listing": listing, "quantity": quantity} for listing, quantity in lines]}
    return OrderBinding(channel, f"their {name}", name, role, record, 0, 0, 0, 0, NOW)


def shop() -> SqliteDatabase:
    database = SqliteDatabase(":memory:", threaded=False)
    bound = [Binding("shop", "L1", "i1", "bound", "A", "{}", 1), Binding("shop", "L6", "i1", "bound", "A6", "{}", 6)]
    database.transaction(lambda tx: catalogue.save_bindings(tx, [*bound, Binding("shop", "L2", "i2", "bound", "B", "{}", 1)]))
    return database


def sold(database: SqliteDatabase, *told: OrderBinding, orders: list[Order]) -> dict[str, Velocity]:
    database.transaction(lambda tx: learn(tx, told, {each.order: each for each in orders}))
    return database.read(lambda tx: velocities.velocities(tx, ["i1", "i2"]))


def test_an_order_counts_once_as_it_was_first_said_where_it_was_placed() -> None:
    database = shop()
    first, again, booked = said("a", [("L1", 2_000)]), said("a", [("L1", 5_000)]), said("a", [("L1", 2_000)], EXPORT, "erp")
    assert sold(database, first, again, booked, orders=[order("a")]) == {"i1": Velocity("i1", 2_000, 2_000, NOW)}
    assert sold(database, again, orders=[]) == {"i1": Velocity("i1", 2_000, 2_000, NOW)}


def test_a_box_of_six_is_six_pieces_and_what_comes_back_is_none() -> None:
    database = shop()
    lines = [("L6", 1_000), ("L1", 1_000), ("L2", -1_000), ("", 1_000), ("unknown", 1_000)]
    assert sold(database, said("a", lines), orders=[order("a")]) == {"i1": Velocity("i1", 7_000, 7_000, NOW)}


def test_what_was_sold_earlier_counts_for_less_whenever_it_is_told() -> None:
    for orders in ([order("a"), order("b", LATER)], [order("b", LATER), order("a")]):
        database = shop()
        for each in orders:
            known = sold(database, said(each.order, [("L1", 2_000)]), orders=[each])
        assert known == {"i1": Velocity("i1", 3_000, 3_943, LATER)}


def test_a_listing_sells_at_the_rate_of_its_item_and_for_what_it_should_cost() -> None:
    database, clock = shop(), ManualClock(LATER)
    sold(database, said("a", [("L1", 8_000)]), orders=[order("a")])

    def priced(amount: str) -> dict[str, Any]:
        return {"amount": amount, "currency": "DKK"}

    def keep(tx: Any) -> None:
        targets.save_targets(tx, [Target(Key("shop", "L1", Aspect.PRICE), "i1", priced("80"), {})], NOW)
        seen = [Observation(Key("shop", name, Aspect.PRICE), priced("99"), True, 0, 1, 1, NOW, 1) for name in ("L1", "L2")]
        targets.save_observations(tx, [StoredObservation(each) for each in seen])

    database.transaction(keep)
    changes = [
        OpenChange(Key("shop", listing, Aspect.STOCK), "c", item, None, {}, "intended", 0)
        for listing, item in (("L1", "i1"), ("L2", "i2"), ("L3", "i3"))
    ]
    assert list(Sellings(database, clock)(changes).values()) == [
        Selling(Decimal(4) / MEAN_LIFE, Decimal(80)),
        Selling(RATE_MIN, Decimal(99)),
        Selling(RATE_MIN, PRICE_UNKNOWN),
    ]
