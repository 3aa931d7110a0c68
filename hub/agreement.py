"""Was a channel ever in agreement? Until then a difference that nothing explains is not ours to settle without a person.

A channel has agreed when it is live, was read to its end, and nothing was left to work out or to send but what a person must
decide. That moment is kept; it is looked for only where `guards.unexplained_pieces` is set.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hub.channel import Channel
from hub.clock import Clock
from hub.log import logger
from hub.settings.model import Config
from hub.store import changes, cursors, dirty, inbox
from hub.store.database import Database, Tx

RESTING = ("held", "refused")
_log = logger("agreement")


class Agreement:
    """Remembers which channels have been in agreement once."""

    def __init__(self, config: Config, channels: Mapping[str, Channel], database: Database, clock: Clock) -> None:
        self._wanted = config.pricing.guards.unexplained_pieces is not None
        self._channels = channels
        self._database = database
        self._clock = clock
        self._open = set(channels) - agreed(database, channels) if self._wanted else set()

    def reached(self, channel: str) -> bool:
        """Whether this channel was in agreement once."""
        return channel not in self._open

    def look(self, heard: Collection[tuple[str, str]]) -> None:
        """Called when the walk rests: keeps the moment at which a live channel agrees for the first time."""
        ready = {name for name in self._open if self._read(name, heard)}
        if not ready:
            return
        now = self._clock.now()

        def resting(tx: Tx) -> set[str]:
            if dirty.count(tx) or inbox.count_waiting(tx):
                return set()
            return ready - {channel for (channel, state), count in changes.counts(tx).items() if count and state not in RESTING}

        def keep(tx: Tx) -> set[str]:
            found = resting(tx)
            for name in found:
                cursors.set_position(tx, mark_of(name), now)
            return found

        for name in self._database.transaction(keep) if self._database.read(resting) else ():
            self._open.discard(name)
            _log.info("in agreement for the first time", channel=name)

    def _read(self, name: str, heard: Collection[tuple[str, str]]) -> bool:
        channel = self._channels[name]
        return channel.settings.mode == "live" and all((name, stream) in heard for stream in channel.manifest.streams)


def agreed(database: Database, channels: Collection[str]) -> set[str]:
    """Those of these channels that were in agreement once."""
    return database.read(lambda tx: {name for name in channels if cursors.position(tx, mark_of(name))})


def mark_of(channel: str) -> str:
    """The name under which the moment is kept."""
    return f"agreed {channel}"
