"""The receiver as configured: the doors of all channels that take deliveries, over the intake of the data folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.app import channel_of, open_vault, registry_of
from hub.clock import Clock
from hub.files import refuse
from hub.halves import FORMER_SECONDS_MAX, end_with_parent, hear_reloads, load_again, the_only_one
from hub.intake.receive import ChannelDoor
from hub.paths import data_folder
from hub.sdk.fit import fit
from hub.sdk.wire import NotSentError, Request, Response
from hub.server.limits import Limits
from hub.server.receiver import Receiver, intake_in
from hub.settings.load import load
from hub.settings.model import Config

LOCK_FILE: Final = "receiver.lock"


class NoWayOut:
    """The receiver asks no platform anything: its connectors only verify."""

    def send(self, request: Request, deadline_seconds: float, answer_bytes_max: int) -> Response:
        """Never sends."""
        raise NotSentError("the receiver sends nothing")


def doors_of(config: Config, clock: Clock) -> Mapping[str, ChannelDoor]:
    """The door of every channel whose platform sends deliveries; ConfigError where a secret is missing."""
    registry = registry_of(config)
    refuse(fit(config, {channel.connector: registry.manifest(channel.connector) for channel in config.channels.values()}))
    doors: dict[str, ChannelDoor] = {}
    for name in config.channels:
        channel = channel_of(config, name, clock, lambda _: NoWayOut(), registry)
        most = min(config.hub.server.body_bytes_max, 64 * 1024 * 1024)
        door = ChannelDoor.of(name, channel.connector, most)
        if door is not None:
            doors[name] = door
    return doors


def serve(folder: Path, clock: Clock, *, wake_fd: int = -1, life_fd: int = -1) -> None:
    """Receive for this configuration folder until told to stop; ConfigError when that cannot be.

    Ends by itself when the other end of the pipe `life_fd` closes.
    """
    config = load(folder)
    data = data_folder(config.folder, config.hub.folder)
    with the_only_one(data / LOCK_FILE, "another receiver is at work on this data folder", clock, FORMER_SECONDS_MAX):
        made = receiver(folder, config, clock, wake_fd)
        end_with_parent(life_fd, made.stop, clock)
        made.run()


def receiver(folder: Path, config: Config, clock: Clock, wake_fd: int = -1) -> Receiver:
    """The receiver of this configuration, ready to run; a reload reads the folder again."""
    server = config.hub.server
    intake = intake_in(data_folder(config.folder, config.hub.folder), open_vault(config, clock), clock, wake_fd)
    return Receiver(
        doors_of(config, clock),
        intake,
        Limits.of(server),
        clock,
        host=server.host,
        port=server.port,
        doors_again=lambda: doors_of(load_again(folder, config), clock),
        started=lambda _: hear_reloads(),
    )
