"""Cursors for platforms that are read by "changed since": a window that is read page by page and reopened with an overlap.

Times in a cursor are the platform's own (the newest seen in its records), because clocks of different systems are never compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace


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
