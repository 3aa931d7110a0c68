"""Where a reading of the variants stands: the window it covers and the place reached in it.

The Admin API pages by skip and take only. Ordered by id, an edit during the reading moves nothing; only a deletion shifts
the rest to the left, so every page begins with the last record of the one before and is compared with it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True, slots=True)
class Reading:
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
    def from_cursor(cls, cursor: str) -> Reading:
        """The reading that a cursor of ours continues; "" is a reading of everything that has not begun."""
        return cls(**json.loads(cursor)) if cursor else cls()

    def cursor(self) -> str:
        """The reading as a cursor."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def begun(cls, since: int | None, newest: int | None, overlap_seconds: int) -> Reading:
        """A new reading over that window; the next one will reach back before `newest` by the overlap."""
        bounds = [] if since is None else [since]
        if newest is not None:
            bounds.append(newest - overlap_seconds * 1_000_000)
        return Reading(since=since, newest=newest, next_since=max(bounds, default=None), under_way=True)

    def counted(self, count: int) -> Reading:
        """The reading with the number of variants in the next one's window."""
        return replace(self, count=count)

    def read(self, ids: list[str]) -> Reading:
        """The reading after these records."""
        return replace(self, skip=self.skip + len(ids), last=ids[-1] if ids else self.last)

    def stepped_back(self, records: int) -> Reading:
        """The reading some records earlier, without a record to compare with: seeing one twice is harmless."""
        return replace(self, skip=max(0, self.skip - records), last="")

    def closed(self) -> Reading:
        """What the next reading starts from."""
        return Reading(since=self.next_since, newest=self.newest, count=self.count)
