"""Where a reading of the variants stands: the window it covers and the place reached in it.

The Admin API pages by skip and take only. Ordered by id, an edit during the reading moves nothing; only a deletion shifts
the rest to the left, so every page begins with the last record of the one before and is compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.sdk.api import MICROS_PER_SECOND, Bookmark, Spot, Stretch


@dataclass(frozen=True, slots=True)
class Reading(Bookmark):
    """Variants with updatedAt after `since` (None: all), microseconds of the shop's clock.

    `newest` is the newest updatedAt in the shop when the reading began: whatever changes later has a later one. `count` is
    how many variants were in the next window then; while both stay the same nothing has happened. `skip` records have been
    read, `last` is the id of the newest of them; `under_way` says whether pages remain.
    """

    since: int | None = None
    newest: int | None = None
    count: int | None = None
    next_since: int | None = None
    under_way: bool = False
    skip: int = 0
    last: str = ""

    @classmethod
    def begun(cls, since: int | None, newest: int | None, overlap_seconds: int) -> Reading:
        """A new reading over that window; the next one will reach back before `newest` by the overlap."""
        bounds = [] if since is None else [since]
        if newest is not None:
            bounds.append(newest - overlap_seconds * MICROS_PER_SECOND)
        return Reading(since=since, newest=newest, next_since=max(bounds, default=None), under_way=True)

    def counted(self, count: int) -> Reading:
        """The reading with the number of variants in the next one's window."""
        return replace(self, count=count)

    @property
    def spot(self) -> Spot:
        """The place reached in it."""
        return Spot(self.skip, self.last)

    def read(self, stretch: Stretch) -> Reading:
        """The reading after these records."""
        skip, last = stretch.after(len(stretch.rows))
        return replace(self, skip=skip, last=last)

    def closed(self) -> Reading:
        """What the next reading starts from."""
        return Reading(since=self.next_since, newest=self.newest, count=self.count)
