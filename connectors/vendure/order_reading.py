"""Reading orders: those edited or placed since, and those known to be under way that moved without moving their updatedAt.

Vendure moves an order's updatedAt on cancellations and some edits, not when it is paid, shipped, delivered or refunded. So the
cursor watches the newest orders, the open ones first, by a digest of what may move silently; one request per poll compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from connectors.vendure.admin_api import AdminApi
from connectors.vendure.order_documents import PROBE_ORDERS, READ_ORDERS
from connectors.vendure.order_records import Row, pulse, record
from hub.sdk.api import MICROS_PER_SECOND, Bookmark, Page, Plain, ReadAsk, Spot, Stretch, anchored, body_json, iso, read_time

WATCHED_MAX: Final = 500
"""Orders that a cursor watches. What moves in older ones is told by events and found by sweeps."""
ENDED_STATES: Final = frozenset({"Shipped", "Delivered", "Cancelled"})
PLACED: Final[dict[str, Plain]] = {"orderPlacedAt": {"isNull": False}}


@dataclass(frozen=True, slots=True)
class OrderReading(Bookmark):
    """Where a reading stands; a cursor is this as JSON.

    `since` (microseconds of the shop's clock, None: all orders) and `moved` say what the present reading lists; `skip` and
    `last` the place in it. `newest` and `count` are how the shop stood when it began; `watched` maps an order's id to its
    digest, the ended ones marked with a dot, the newest last.
    """

    since: int | None = None
    moved: tuple[str, ...] = ()
    under_way: bool = False
    skip: int = 0
    last: str = ""
    newest: int | None = None
    count: int = 0
    watched: dict[str, str] = field(default_factory=dict)

    def read(self, stretch: Stretch) -> OrderReading:
        """The reading after these orders, which are watched from now on."""
        watched = dict(self.watched)
        for order in stretch.rows:
            watched.pop(order["id"], None)
            watched[order["id"]] = ("." if order["state"] in ENDED_STATES else "") + pulse(order)
        for ended in (True, False):
            for ident in [one for one, digest in watched.items() if digest.startswith(".") is ended]:
                if len(watched) <= WATCHED_MAX:
                    break
                del watched[ident]
        skip, last = stretch.after(len(stretch.rows))
        return replace(self, skip=skip, last=last, watched=watched)


class OrderReader:
    """Reads the orders of one shop."""

    def __init__(self, api: AdminApi, channel: str, overlap_seconds: int, pickups: Mapping[str, str]) -> None:
        self._api = api
        self._pickups = pickups
        self._channel = channel
        self._overlap_seconds = overlap_seconds

    def read(self, ask: ReadAsk) -> Page:
        """The next placed orders; a poll lists those edited, placed or moved since."""
        reading = OrderReading.at(ask.cursor)
        if not reading.under_way:
            begun = self._begun(reading, ask.full)
            if begun is None:
                return Page(body_json({"data": {"orders": {"totalItems": 0, "items": []}}}), reading.cursor(), False, 0)
            reading = begun
        return self._page(reading, ask.page_max)

    def look_up(self, ids: Sequence[str]) -> Page:
        """These orders as they are now, carts among them; those that the channel does not have are gone."""
        asked = sorted(set(ids))
        listing = self._listed({"take": len(asked), "filter": {"id": {"in": asked}}})
        found = {order["id"] for order in listing["items"]}
        gone = tuple(one for one in asked if one not in found)
        return Page(self._body(listing["items"], listing["totalItems"]), "", False, len(found), gone)

    def _begun(self, stored: OrderReading, full: bool) -> OrderReading | None:
        """A reading that has begun; None when a poll finds the shop exactly as the last reading left it."""
        known = {} if full else stored.watched
        newest, count, moved = self._probe(known)
        if full or stored.newest is None:
            return OrderReading(under_way=True, newest=newest, count=count)
        if (newest, count) == (stored.newest, stored.count) and not moved:
            return None
        since = stored.newest - self._overlap_seconds * MICROS_PER_SECOND
        return OrderReading(since, moved, True, newest=newest, count=count, watched=known)

    def _probe(self, known: dict[str, str]) -> tuple[int | None, int, tuple[str, ...]]:
        """The newest time in the shop, how many orders were placed, and which of the known ones moved."""
        said, _ = self._api.ask(
            "probe orders",
            PROBE_ORDERS,
            {
                "known": {"take": max(1, len(known)), "filter": {"id": {"in": sorted(known) or ["0"]}}},
                "edited": {"take": 1, "filter": PLACED, "sort": {"updatedAt": "DESC"}},
                "placed": {"take": 1, "filter": PLACED, "sort": {"orderPlacedAt": "DESC"}},
            },
            writes=False,
        )
        times = [read_time(one["updatedAt"]) for one in said["edited"]["items"]]
        times += [read_time(one["orderPlacedAt"]) for one in said["placed"]["items"]]
        moved = tuple(one["id"] for one in said["known"]["items"] if known.get(one["id"], "").removeprefix(".") != pulse(one))
        return max(times, default=None), said["placed"]["totalItems"], moved

    def _page(self, reading: OrderReading, page_max: int) -> Page:
        def listed(skip: int, take: int) -> tuple[list[Row], int]:
            listing = self._listed({"skip": skip, "take": take, "sort": {"id": "ASC"}, "filter": _wanted(reading)})
            return listing["items"], listing["totalItems"]

        spot = Spot(reading.skip, reading.last)
        stretch = anchored(listed, spot, page_max, channel=self._channel, operation="read orders")
        after, total = reading.read(stretch), stretch.total or 0
        more = after.skip < total
        if not more:
            after = OrderReading(newest=after.newest, count=after.count, watched=after.watched)
        return Page(self._body(stretch.rows, total), after.cursor(), more, total)

    def _listed(self, options: dict[str, Plain]) -> dict[str, Plain]:
        said, _ = self._api.ask("read orders", READ_ORDERS, {"options": options}, writes=False)
        listing: dict[str, Plain] = said["orders"]
        return listing

    def _body(self, orders: Sequence[Row], total: int) -> bytes:
        items = [record(order, self._pickups) for order in orders]
        return body_json({"data": {"orders": {"totalItems": total, "items": items}}})


def _wanted(reading: OrderReading) -> dict[str, Plain]:
    if reading.since is None:
        return PLACED
    after = {"after": iso(reading.since)}
    ways: list[dict[str, Plain]] = [{"updatedAt": after}, {"orderPlacedAt": after}]
    if reading.moved:
        ways.append({"id": {"in": list(reading.moved)}})
    return {**PLACED, "_or": ways}
