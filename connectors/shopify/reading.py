"""Where a reading of the catalogue stands: the window it covers, the place reached, and how it is read: by pages or in bulk.

Times are the shop's own: a reading begins at the Date of its first answer, whatever is changed later is newer than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.shopify.gids import stamp
from hub.sdk.api import MICROS_PER_SECOND, Bookmark


@dataclass(frozen=True, slots=True)
class Reading(Bookmark):
    """What changed since `since` (None: everything), `begun` at (microseconds).

    By pages: `places` are the locations still to read, the first of them at `page`. In bulk: `bulk` is the operation,
    `offset` the first byte not read yet of its file, `looks` how often was looked whether it is done. `read` counts records.
    """

    since: int | None = None
    begun: int | None = None
    under_way: bool = False
    page: str = ""
    places: tuple[str, ...] = ()
    bulk: str = ""
    offset: int = 0
    looks: int = 0
    read: int = 0

    @classmethod
    def from_cursor(cls, cursor: str, *, full: bool) -> Reading:
        """The reading that a cursor continues; "" is one of everything that has not begun."""
        return replace(cls.at(cursor), since=None) if full else cls.at(cursor)

    def opened(self, at: int | None) -> Reading:
        """The reading with the time of its first answer, if it had none yet."""
        return self if self.under_way else replace(self, begun=at, under_way=True)

    def closed(self, overlap_seconds: int) -> Reading:
        """What the next reading starts from: the beginning of this one, less the overlap, and never further back than before."""
        since = self.since if self.begun is None else self.begun - overlap_seconds * MICROS_PER_SECOND
        if since is not None and self.since is not None:
            since = max(since, self.since)
        return Reading(since=since)

    @property
    def query(self) -> str | None:
        """The window in the search syntax; None for everything."""
        return None if self.since is None else f"updated_at:>='{stamp(self.since)}'"
