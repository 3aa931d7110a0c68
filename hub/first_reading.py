"""Read everything that was never read to its end, as the worker does it, and stop. Killed in the middle, it goes on there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from hub.app import Hub
from hub.errors import ConfigError
from hub.store import channels

WAIT_SECONDS_MAX: Final = 5.0
ROUNDS_MAX: Final = 10_000_000


class Left(NamedTuple):
    """A channel that could not be read to its end, and why."""

    channel: str
    why: str


def read_all(hub: Hub, tell: Callable[[], object] = lambda: None) -> list[Left]:
    """Work until every stream was read once and nothing is left to work out; what cannot be read is named.

    ConfigError when a channel is live: then `samklang run` does this, deliveries and all. `tell` is called now and then.
    """
    live = [name for name, channel in hub.channels.items() if channel.settings.mode == "live"]
    if live:
        raise ConfigError(f"{', '.join(live)} is live: `samklang run` reads it")
    for _ in range(ROUNDS_MAX):
        did = hub.walk.step()
        unread = _unread(hub)
        for name in unread:
            did = hub.turns[name].step() == "worked" or did
        if did:
            tell()
            continue
        left = _paused(hub, unread)
        if len(left) == len(unread):
            return left
        _wait(hub, unread)
    raise AssertionError(f"not read after {ROUNDS_MAX} rounds")


def _unread(hub: Hub) -> set[str]:
    """Channels with a stream that was never read to its end, or with look-ups to make."""
    heard = hub.walk.heard()
    found = {
        name for name, channel in hub.channels.items() if any((name, each) not in heard for each in channel.manifest.streams)
    }
    return found | {
        name
        for name in hub.channels
        if hub.database.read(lambda tx, n=name: channels.next_look_up_at(tx, n)) is not None  # type: ignore[misc]
    }


def _paused(hub: Hub, unread: set[str]) -> list[Left]:
    states = hub.database.read(channels.states)
    return [Left(name, states[name].paused_by) for name in sorted(unread) if name in states and states[name].paused_by]


def _wait(hub: Hub, unread: set[str]) -> None:
    now = hub.clock.now()
    soonest = min(hub.turns[name].rests_until() for name in unread)
    hub.clock.sleep(min(max((soonest - now) / 1_000_000, 0.001), WAIT_SECONDS_MAX))
