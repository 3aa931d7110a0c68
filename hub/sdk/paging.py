"""Where a reading stands: cursors, the window of what changed since, and the place in a list that pages by number.

Times in a cursor are the platform's own (the newest seen in its records), because clocks of different systems are never compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple, Self

from hub.canonical.values import Plain
from hub.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The base of what a connector keeps of a reading: a frozen dataclass of plain fields, all with defaults."""

    @classmethod
    def at(cls, cursor: str) -> Self:
        """The bookmark that a cursor is; "" is the very beginning. Lists come back as tuples."""
        kept = json.loads(cursor) if cursor else {}
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()})

    def cursor(self) -> str:
        """The bookmark as a cursor."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Window:
    """What is being read: records changed after `since` (None: everything), the newest time seen so far, and the page token."""

    since: int | None = None
    newest: int | None = None
    page: str = ""

    @classmethod
    def from_cursor(cls, cursor: str, *, full: bool) -> Window:
        """The window of a stored cursor; "" opens one over everything. A `full` reading never has a lower end."""
        if not cursor:
            return cls()
        stored = json.loads(cursor)
        return cls(None if full else stored.get("since"), stored.get("newest"), stored.get("page", ""))

    def saw(self, times: list[int]) -> Window:
        """The window with the newest of these platform times remembered."""
        known = [self.newest] if self.newest is not None else []
        return replace(self, newest=max(known + times)) if times or known else self

    def next_page(self, page: str) -> str:
        """The cursor of the next page of this reading."""
        return _text(replace(self, page=page))

    def closed(self, overlap_seconds: int) -> str:
        """The cursor for the next reading: from the newest time seen, less the overlap, so nothing written late is lost."""
        since = self.since if self.newest is None else self.newest - overlap_seconds * 1_000_000
        if since is not None and self.since is not None:
            since = max(since, self.since)
        return _text(Window(since=since, newest=self.newest))


def _text(window: Window) -> str:
    return json.dumps({"since": window.since, "newest": window.newest, "page": window.page}, separators=(",", ":"))


class Spot(NamedTuple):
    """A place in a list that pages by number: so many rows done, and the id of the last of them ("" to compare with none)."""

    skip: int = 0
    last: str = ""


class Stretch(NamedTuple):
    """Rows of a list from a spot on, and how many the whole list has (None: nobody says)."""

    spot: Spot
    rows: list[dict[str, Plain]]
    total: int | None

    def after(self, done: int) -> Spot:
        """The spot after so many of the rows."""
        last = str(self.rows[done - 1]["id"]) if done else self.spot.last
        return Spot(self.spot.skip + done, last)


def anchored(
    listed: Callable[[int, int], tuple[Sequence[dict[str, Plain]], int | None]],
    spot: Spot,
    page_max: int,
    *,
    channel: str,
    operation: str,
) -> Stretch:
    """The next rows of a list ordered by id that knows no other way of paging than a number of rows to skip.

    `listed(skip, take)` gives rows and the whole list's count. Each page begins with the last row of the one before: when
    that stands elsewhere something before it has left the list, and the reading steps back by a page, so that nothing slips
    through the gap. UnavailableError for a list that ends before its count.
    """
    anchor = 1 if spot.last else 0
    rows, total = listed(spot.skip - anchor, page_max + anchor)
    if anchor and (not rows or str(rows[0].get("id")) != spot.last):
        return anchored(listed, Spot(max(0, spot.skip - page_max)), page_max, channel=channel, operation=operation)
    if total is not None and total > spot.skip and not rows[anchor:]:
        raise UnavailableError(f"the listing ended after {spot.skip} of {total}", channel=channel, operation=operation)
    return Stretch(spot, list(rows[anchor:]), total)
