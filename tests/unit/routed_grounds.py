"""A store with figures that tests set, and the station that routes orders over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pure_grounds import PIECE, channel, config

from hub.canonical.values import Plain
from hub.merge.authority import Authority
from hub.routed import Asked, AskedLine, Routed, Routing
from hub.settings.model import AuthoritySettings, Config, Location, RoutingRule, RoutingSettings, StockAuthority
from hub.store import catalogue, cursors, orders
from hub.store.catalogue import Binding, Item, StoredClaim
from hub.store.database import Database, Tx
from hub.store.orders import Reservation

WAREHOUSE, AARHUS = "warehouse", "aarhus"
POSTAL_CODE = "8245"


class People:
    """Everybody lives in the same street."""

    def of(self, tx: Tx, order: str) -> dict[str, Plain]:
        return {"postal_code": POSTAL_CODE}


def shop(*rules: RoutingRule, priority: tuple[str, ...] = (WAREHOUSE, AARHUS)) -> Config:
    made = config(
        channels=[channel("webshop", sells_from=(WAREHOUSE, AARHUS)), channel("erp", sells_from=()), channel("till")],
        locations={
            WAREHOUSE: Location(channels={"erp": "4"}, country="DK", postal_code="1000"),
            AARHUS: Location(channels={"till": "L1"}, country="DK", postal_code="8000"),
        },
        authority=AuthoritySettings(
            stock=(StockAuthority(channel="erp", covers=(WAREHOUSE,)), StockAuthority(channel="till", covers=(AARHUS,)))
        ),
    )
    return made.model_copy(update={"routing": RoutingSettings(rules=rules, priority=priority)})


class Grounds:
    """A store with figures that tests set, and a station that routes orders over it."""

    def __init__(self, database: Database, settings: Config) -> None:
        self.database = database
        self.config = settings
        self.at = 1_000
        self.routed = Routed(settings, Authority(settings), {"erp": ("stock",), "till": ("stock",)}, People())

    def figure(self, place: str, item: str, count: int) -> None:
        owner, seq = ("erp" if place == WAREHOUSE else "till"), self.tick()
        binding = Binding(owner, item, item, "bound", item)
        claim = StoredClaim(owner, item, "stock", place, {"on_hand": count * PIECE}, 0, 0, seq, seq)

        def keep(tx: Tx) -> None:
            catalogue.save_items(tx, [Item(item, item)])
            catalogue.save_bindings(tx, [binding])
            catalogue.save_claims(tx, [claim])

        self.database.transaction(keep)

    def heard(self, owner: str) -> None:
        """This system's stock was read to its end."""
        at = self.tick()
        now = self.database.read(lambda tx: cursors.reading(tx, owner, "stock", "sweep"))
        done = replace(now, number=1, started_at=at, completed_at=at, checked=1, under_way=False)
        self.database.transaction(lambda tx: cursors.save(tx, done))
        self.database.transaction(lambda tx: cursors.checked(tx, owner, "stock", 1))

    def promised(self, order: str, item: str, count: int, place: str = "") -> None:
        row = Reservation(order, "1", "", item, place, count * PIECE, "webshop", "open", self.tick(), 0)
        self.database.transaction(lambda tx: orders.reserve(tx, [row]))

    def decide(self, *asked: Asked, keep: bool = True) -> Routing:
        found = self.database.read(lambda tx: self.routed.decide(tx, asked))
        if keep:
            number = self.tick()
            self.database.transaction(lambda tx: found.keep(tx, number, self.at))
        return found

    def tick(self) -> int:
        self.at += 1
        return self.at


def line(name: str, item: str, count: int, left: Mapping[str, int] | None = None, **more: Any) -> AskedLine:
    gone = {place: pieces * PIECE for place, pieces in (left or {}).items()}
    return AskedLine(name, item, **{"takes": ((item, 1),), **more}, quantity=count * PIECE, left=gone)


def order(name: str, *lines: AskedLine, **more: Any) -> Asked:
    return Asked(name, "webshop", more.pop("placed_at", 1), more.pop("open", True), tuple(lines), **more)


def sent(found: Routing, name: str) -> dict[str, dict[str, int]]:
    """Line → place → pieces."""
    return {line: {place: q // PIECE for place, q in rows} for line, rows in found.of(name).items()}


def short(found: Routing) -> dict[str, int]:
    return {row.place: row.short // PIECE for row in found.rows if row.short}
