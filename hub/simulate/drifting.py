"""A platform whose records change their shape for a while: a field that nobody knows, one that is missing, one of another type.

Records are changed as they come from the connector. Only such changes are made as a mapping must notice, or that say the same as
before: whoever leaves out what may be left out says something else, and nobody can know better.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from hub.canonical.json import at_path, body_json, read_json
from hub.canonical.values import Plain
from hub.errors import UnmappableError
from hub.mapping.mappings import Mappings
from hub.sdk.contract import Connector, Page, ReadAsk

NEW_FIELD: Final = "made_up_lately"
DEPTH_MAX: Final = 3
TRIES_MAX: Final = 40
MANNERS: Final = ("appears", "disappears", "null", "type")
Path = tuple[str, ...]


@dataclass(slots=True)
class Drift:
    """One that goes on: on one stream of a channel, one field; which one is drawn when a record comes by."""

    stream: str
    manner: str
    mappings: Mappings
    luck: Random
    path: Path = ()
    noticed: int = 0
    """Records that cannot be understood any more."""


@dataclass(slots=True)
class Drifts:
    """The drifts by channel; `came` hears of each page that was changed."""

    came: Callable[[str], None]
    now: dict[str, Drift] = field(default_factory=dict)

    def changed(self, connector: Connector, stream: str, page: Page) -> Page:
        """The page as this channel tells it just now."""
        drift = self.now.get(connector.context.channel)
        if drift is None or drift.stream != stream:
            return page
        declared = connector.manifest.streams[stream]
        body = read_json(page.body)
        records = at_path(body, declared.records)
        if isinstance(records, list) and sum([_drifted(drift, declared.maps, record) for record in records]):
            self.came("drifted_pages")
            return Page(body_json(body), page.cursor, page.more, page.total, page.gone)
        return page


def drifting(kind: type[Connector], drifts: Drifts) -> type[Connector]:
    """The connector whose pages drift."""

    class Drifting(kind):  # type: ignore[misc, valid-type]
        def read(self, stream: str, ask: ReadAsk) -> Page:
            return drifts.changed(self, stream, super().read(stream, ask))

        def look_up(self, stream: str, ids: Sequence[str]) -> Page:
            return drifts.changed(self, stream, super().look_up(stream, ids))

    return Drifting


def _drifted(drift: Drift, maps: Sequence[str], record: Plain) -> bool:
    """Whether this record was changed, in place."""
    if not isinstance(record, dict):
        return False
    if not drift.path:
        paths = sorted(_paths(record, ()))
        drift.luck.shuffle(paths)
        drift.path = next((path for path in paths[:TRIES_MAX] if _fits(drift, maps, record, path)), ())
    if not drift.path or not _fits(drift, maps, record, drift.path):
        return False
    before = _understood(drift, maps, record)
    _change(record, drift.path, drift.manner)
    drift.noticed += _understood(drift, maps, record) != before
    return True


def _paths(found: Plain, path: Path) -> Iterator[Path]:
    """The paths of all scalars down to some depth; of lists that of their first element."""
    if isinstance(found, dict) and len(path) < DEPTH_MAX:
        for name, each in found.items():
            yield from _paths(each, (*path, name))
    elif isinstance(found, list) and found and len(path) < DEPTH_MAX:
        yield from _paths(found[0], (*path, "0"))
    elif not isinstance(found, dict | list) and path:
        yield path


def _fits(drift: Drift, maps: Sequence[str], record: Plain, path: Path) -> bool:
    """Whether the change is noticed or says the same as before, and leaves the record its name."""
    other = copy.deepcopy(record)
    if not _change(other, path, drift.manner):
        return False
    said, said_now = _understood(drift, maps, record), _understood(drift, maps, other)
    if None in said:
        return False
    same_name = all(drift.mappings.identity(each, other) == drift.mappings.identity(each, record) for each in maps)
    return same_name and all(now is None or now == before for before, now in zip(said, said_now, strict=True))


def _understood(drift: Drift, maps: Sequence[str], record: Plain) -> list[list[dict[str, Plain]] | None]:
    return [understood(drift.mappings, each, record) for each in maps]


def understood(mappings: Mappings, name: str, record: Plain) -> list[dict[str, Plain]] | None:
    """What this mapping gives for the record; None where it is not understood."""
    try:
        return mappings.understand(name, record)
    except UnmappableError:
        return None


def _change(record: Plain, path: Path, manner: str) -> bool:
    """Change the field at this path in this manner, in place; False where it cannot be. What appears is the record's own."""
    if manner == "appears":
        record[NEW_FIELD] = {"made": True}
        return True
    holder = record
    for name in path[:-1]:
        holder = holder[int(name)] if isinstance(holder, list) else holder.get(name) if isinstance(holder, dict) else None
        if not holder:
            return False
    if not isinstance(holder, dict) or path[-1] not in holder:
        return False
    value = holder.get(path[-1])
    if manner == "disappears":
        del holder[path[-1]]
    elif manner == "null":
        holder[path[-1]] = None
    else:
        holder[path[-1]] = str(value) if not isinstance(value, str) else [value]
    return True
