"""Drift: where a channel shows something else than it should and nobody is about to mend it, or where others changed it.

A reading of the store; what will be sent by itself in a moment belongs to the plan, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from hub.because import value_words
from hub.canonical.values import Plain, iso
from hub.diff.compare import difference
from hub.flow import Key
from hub.settings.model import Config
from hub.store import catalogue, changes, looks, requests, targets
from hub.store.changes import OpenChange
from hub.store.database import Database, Tx
from hub.store.ledger import Entry
from hub.store.targets import StoredObservation

HOUR_MICROS: Final = 3_600_000_000
LINES_MAX: Final = 1_000
STATES_MAX: Final = 100_000


class Drift(NamedTuple):
    """One key that drifted: `kind` is held, refused, unrepaired (the mode forbids it), edited (by others, being put right)
    or repaired (by others, put right); `at` is microseconds."""

    key: Key
    sku: str
    should: Plain
    shows: Plain
    kind: str
    words: str
    at: int

    def document(self) -> dict[str, Plain]:
        """The drift as plain data, with the values in words too."""
        return {
            **self.key._asdict(),
            "sku": self.sku,
            "should": self.should,
            "shows": self.shows,
            "should_words": value_words(self.key.aspect, self.should),
            "shows_words": value_words(self.key.aspect, self.shows),
            "kind": self.kind,
            "words": self.words,
            "at": iso(self.at),
        }


def drift(config: Config, database: Database, now: int, hours: int = 24, only: str | None = None) -> list[Drift]:
    """Everything that drifted (on one channel), in order of keys; edits by others are remembered for that many hours."""

    def read(tx: Tx) -> list[Drift]:
        edits: dict[Key, Entry] = {}
        for line in looks.lines_about(tx, "drift", now - hours * HOUR_MICROS, LINES_MAX):
            edits.setdefault(line.key, line)
        found: list[Drift] = []
        for name in sorted(config.channels) if only is None else [only]:
            found += _channel(tx, config, name, edits)
        return sorted(found, key=lambda each: each.key)

    return database.read(read)


def _channel(tx: Tx, config: Config, name: str, edits: Mapping[Key, Entry]) -> list[Drift]:
    skus = {each.listing: each.sku for each in catalogue.bindings_in(tx, name)}
    holds = {hold.id: hold for hold in requests.holds(tx)}
    stopped = {c.key: c for c in changes.open_in(tx, name, ["held", "refused"], STATES_MAX)}
    seen, found = targets.observations_in(tx, name), []
    wanted = targets.targets_in(tx, name)
    for key, stored in wanted.items():
        there = seen.get(key)
        gap = there is not None and difference(key.aspect, stored.target.value, there.observation.value) is not None
        said = _kind(config, key, there, stopped.get(key), edits.get(key), gap)
        if there is None or said is None:
            continue
        kind, words = said
        change = stopped.get(key)
        if change is not None and change.hold in holds:
            hold = holds[change.hold]
            words = f"{hold.guard}: {hold.words} (`samklang approve {hold.id}`)"
        at = edits[key].at if key in edits else there.observation.at
        found.append(Drift(key, skus.get(key.listing, ""), stored.target.value, there.observation.value, kind, words, at))
    return found


def _kind(
    config: Config, key: Key, there: StoredObservation | None, stopped: OpenChange | None, edit: Entry | None, gap: bool
) -> tuple[str, str] | None:
    """How a key drifted and in which words; None when it did not."""
    if not gap:
        if edit is None:
            return None
        return "repaired", f"someone made it {value_words(key.aspect, edit.words.get('shows'))}; put right since"
    if stopped is not None:
        return stopped.state, stopped.words or "waits for a person"
    mode = config.channels[key.channel].mode
    if mode != "live":
        return "unrepaired", f"the mode is {mode}: nothing is written"
    if edit is not None or (there is not None and there.flips):
        return "edited", "changed by someone on the channel: is being put right"
    return None
