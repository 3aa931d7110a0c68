"""The worker process: one walk thread, one thread per channel, one writer; takes up a new configuration without a gap.

Only one worker works on a data folder: it holds a file lock for as long as it lives, also through a kill.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from hub import __version__
from hub.app import Hub, build, http_transports, open_store, open_vault
from hub.clock import Clock, Wake
from hub.errors import ConfigError, HubError
from hub.log import logger
from hub.paths import data_folder
from hub.people import People
from hub.schedule import Schedule
from hub.settings.load import load
from hub.settings.model import Config
from hub.store import requests
from hub.store.database import Database
from hub.store.deliveries import DeliveryReader
from hub.store.vault import Vault

LOCK_FILE: Final = "worker.lock"
INTAKE_FILE: Final = "intake.db"
POSITION_FILE: Final = "intake.position"
WALK_WAIT_SECONDS: Final = 0.25
PEOPLE_EVERY_SECONDS: Final = 0.25
SEEN_EVERY_SECONDS: Final = 5.0
STOP_SECONDS_MAX: Final = 60.0
BROKEN_WAIT_SECONDS: Final = 5.0
_log = logger("worker")


def worker_alive(folder: Path) -> bool:
    """Whether a worker works on this data folder."""
    path = folder / LOCK_FILE
    if not path.exists():
        return False
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextlib.contextmanager
def the_only_worker(folder: Path) -> Iterator[None]:
    """Hold the data folder's lock; ConfigError when another worker has it."""
    with (folder / LOCK_FILE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"another worker is at work on {folder}") from None
        yield


class Worker:
    """Runs one hub with threads until it is told to stop."""

    def __init__(self, config_folder: Path, clock: Clock, *, wake_fd: int = -1) -> None:
        self._folder = config_folder
        self._clock = clock
        self._wake_fd = wake_fd
        self._stop = clock.wake()
        self._reload = clock.wake()
        self._walk_wake = clock.wake()

    def stop(self) -> None:
        """Let `run` return when every thread has finished what it was doing; may be called from a signal."""
        self._stop.set()
        self._walk_wake.set()

    def reload(self) -> None:
        """Take up the configuration anew; a broken one is refused and the old one goes on."""
        self._reload.set()
        self._walk_wake.set()

    def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Work until `stop`; ConfigError when the configuration cannot be worked with."""
        config = load(self._folder)
        folder = data_folder(config.folder, config.hub.folder)
        with the_only_worker(folder):
            vault = open_vault(config, self._clock)
            database = open_store(config, self._clock, threaded=True)
            if self._wake_fd >= 0:
                threading.Thread(target=self._listen, name="wake", daemon=True).start()
            try:
                crew = self._crew(config, database, vault, folder)
                crew.start()
                started()
                while not self._stop.is_set():
                    self._clock.wait(self._stop, PEOPLE_EVERY_SECONDS)
                    if self._reload.is_set() and not self._stop.is_set():
                        self._reload.clear()
                        crew = self._reloaded(crew, database, vault, folder)
                crew.end()
            finally:
                database.close()

    def _reloaded(self, crew: Crew, database: Database, vault: Vault, folder: Path) -> Crew:
        try:
            config = load(self._folder)
            new = self._crew(config, database, vault, folder)
        except HubError as bad:
            _log.error("the new configuration is refused, the old one goes on", reason=str(bad))
            return crew
        crew.end()
        new.hub.walk.mark_all()
        new.start()
        _log.info("the new configuration is taken up")
        return new

    def _crew(self, config: Config, database: Database, vault: Vault, folder: Path) -> Crew:
        # A reader belongs to one thread: the walk of this crew opens it at its first look, and closes it.
        deliveries = DeliveryReader(folder / INTAKE_FILE, vault)
        wakes: dict[str, Wake] = {name: self._clock.wake() for name in config.channels}
        hub = build(
            config,
            self._clock,
            http_transports(self._clock),
            database,
            vault,
            wake=lambda name: wakes[name].set(),
            deliveries=deliveries,
            position_file=folder / POSITION_FILE,
        )
        return Crew(hub, wakes, self._walk_wake, deliveries)

    def _listen(self) -> None:
        """The receiver writes a byte after each commit: the walk need not wait for its next look."""
        while os.read(self._wake_fd, 4096):
            self._walk_wake.set()


class Crew:
    """The threads of one configuration."""

    def __init__(self, hub: Hub, wakes: dict[str, Wake], walk_wake: Wake, deliveries: DeliveryReader) -> None:
        self.hub = hub
        self._deliveries = deliveries
        self._wakes = wakes
        self._walk_wake = walk_wake
        self._clock = hub.clock
        self._ending = hub.clock.wake()
        self._schedule = Schedule(hub, lambda name: wakes[name].set())
        self._threads = [threading.Thread(target=self._walk, name="walk")]
        self._threads += [threading.Thread(target=self._channel, args=(name,), name=f"channel {name}") for name in hub.channels]

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()
        self._schedule.start()

    def end(self) -> None:
        """Finish what is under way and end all threads."""
        self._ending.set()
        self._walk_wake.set()
        for wake in self._wakes.values():
            wake.set()
        self._schedule.stop()
        for thread in self._threads:
            thread.join(STOP_SECONDS_MAX)

    def _walk(self) -> None:
        people = People(self.hub)
        name = self._clock.token()[:12]
        began, seen_at, asked_at = self._clock.now(), 0.0, 0.0
        while not self._ending.is_set():
            self._walk_wake.clear()
            try:
                did = self.hub.walk.step()
                if self._clock.monotonic() - asked_at >= PEOPLE_EVERY_SECONDS:
                    asked_at = self._clock.monotonic()
                    did = people.step() or did
                if self._clock.monotonic() - seen_at >= SEEN_EVERY_SECONDS:
                    seen_at = self._clock.monotonic()
                    self._seen(name, began)
            except Exception:
                # A station that is wrong stops here and keeps its evidence; the channels' own threads go on.
                _log.exception("the walk stopped at an error and tries again")
                self._clock.wait(self._ending, BROKEN_WAIT_SECONDS)
                continue
            if not did:
                self._clock.wait(self._walk_wake, WALK_WAIT_SECONDS)
        self._deliveries.close()

    def _seen(self, name: str, began: int) -> None:
        now, version = self._clock.now(), __version__
        self.hub.database.transaction(lambda tx: requests.seen_worker(tx, name, began, now, version, ""))

    def _channel(self, name: str) -> None:
        turn, wake = self.hub.turns[name], self._wakes[name]
        while not self._ending.is_set():
            wake.clear()
            try:
                if turn.step() == "worked":
                    self._walk_wake.set()
                    continue
                rest = (turn.rests_until() - self._clock.now()) / 1_000_000
            except Exception:
                _log.exception("a channel's turn stopped at an error and tries again", channel=name)
                self._clock.wait(self._ending, BROKEN_WAIT_SECONDS)
                continue
            if rest > 0:
                self._clock.wait(wake, rest)
