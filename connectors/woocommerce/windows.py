"""Reading a long list in small pages: the window of changes, the place in it, and how to notice that it moved meanwhile.

WooCommerce lists by number, not by key. Each page begins with the last row of the one before it: when that row is elsewhere,
something before it was deleted, and the reading steps back so that nothing slips through the gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connectors.woocommerce.shop_api import Listing, Row, ShopApi
from hub.sdk.api import MICROS_PER_SECOND, Bookmark, ChannelContext, Spot, anchored, answered_at, micros, moment

PER_PAGE_MAX: Final = 100
"""The API's own limit; one more is refused."""


@dataclass(frozen=True, slots=True)
class Place(Bookmark):
    """Where a reading stands; a cursor is this as JSON. Times are the shop's own, microseconds of whole seconds.

    The reading lists what changed after `since` (None: everything) in the order of ids, `skip` rows of it done, the last of
    them `last`. The next reading begins at `following`.
    """

    since: int | None = None
    skip: int = 0
    last: int = 0
    under_way: bool = False
    following: int | None = None

    @classmethod
    def from_cursor(cls, cursor: str, *, full: bool) -> Place:
        """The place that a cursor names; "" is the very beginning. A full reading that begins has no lower end."""
        kept = cls.at(cursor)
        return replace(kept, since=None) if full and not kept.under_way else kept


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some rows of a list as they stand now, and what is left after them (None: nobody says)."""

    place: Place
    rows: list[Row]
    left: int | None


class Windows:
    """Reads one list of the shop: `path` with the fields `fields`."""

    def __init__(self, api: ShopApi, context: ChannelContext, path: str, fields: Sequence[str], overlap_seconds: int) -> None:
        self._api = api
        self._channel = context.channel
        self._path = path
        self._fields = ",".join(fields)
        self._overlap = overlap_seconds * MICROS_PER_SECOND

    def stretch(self, place: Place, page_max: int, operation: str) -> Stretch:
        """The next rows from this place on; at the end of the list there are none."""
        listings: list[Listing] = []

        def listed(skip: int, take: int) -> tuple[list[Row], int | None]:
            listings.append(self._listed(place, skip, min(take, PER_PAGE_MAX), operation))
            return listings[-1].rows, listings[-1].total

        spot = Spot(place.skip, str(place.last or ""))
        (skip, last), rows, total = anchored(listed, spot, page_max, channel=self._channel, operation=operation)
        begun = replace(place, skip=skip, last=int(last or 0))
        if not place.under_way:
            begun = replace(begun, under_way=True, following=self._following(place, listings[-1]))
        return Stretch(begun, rows, None if total is None else max(0, total - skip))

    def after(self, stretch: Stretch, done: int, page_max: int) -> tuple[Place, bool]:
        """The place after so many of the stretch's rows, and whether more are to follow; else it is the next reading's start."""
        place, rows = stretch.place, stretch.rows[:done]
        onward = replace(place, skip=place.skip + done, last=int(rows[-1]["id"]) if rows else place.last)
        left = done < len(stretch.rows) or bool(rows)
        if stretch.left is not None:
            left = stretch.left > done
        elif len(stretch.rows) < min(page_max, PER_PAGE_MAX - 1):
            left = done < len(stretch.rows)
        return (onward, True) if left else (Place(since=place.following, following=place.following), False)

    def _listed(self, place: Place, offset: int, size: int, operation: str) -> Listing:
        query = {
            "per_page": str(size),
            "offset": str(offset),
            "orderby": "id",
            "order": "asc",
            "status": "any",
            "_fields": self._fields,
        }
        return self._api.list(self._path, {**query, **changed_after(place.since)}, operation)

    def _following(self, place: Place, listing: Listing) -> int | None:
        """From when on the next reading looks: what this one may miss changes after its first answer, by the shop's clock.

        That is its Date header; without one the newest change of the first page, which an idle shop tells again and again.
        """
        begun = answered_at(listing.answer) or max((modified(row) for row in listing.rows), default=None)
        return place.since if begun is None else max(begun - self._overlap, place.since or 0)


def changed_after(since: int | None) -> dict[str, str]:
    """The filter for rows changed after this time: UTC without a zone, and said to be so. (With a zone AND that flag the shop
    would shift the time by its own offset and lose changes; without either it takes it for local time.)"""
    if since is None:
        return {}
    return {"modified_after": moment(since).strftime("%Y-%m-%dT%H:%M:%S"), "dates_are_gmt": "true"}


def modified(row: Mapping[str, object]) -> int:
    """When the row was last changed, microseconds UTC; 0 where it does not say."""
    try:
        return micros(dt.datetime.fromisoformat(str(row.get("date_modified_gmt"))).replace(tzinfo=dt.UTC))
    except ValueError:
        return 0
