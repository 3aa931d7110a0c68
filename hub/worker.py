"""The worker process: one walk thread, one thread per channel, one writer; takes up a new configuration without a gap.

Only one worker works on a data folder: it holds a file lock for as long as it lives, also through a kill.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from hub.app import Hub, build, open_store, open_vault
from hub.clock import Clock, SystemClock, Wake
from hub.errors import HubError
from hub.halves import FORMER_SECONDS_MAX, GLANCE_SECONDS, is_held, load_again, the_only_one
from hub.log import logger
from hub.paths import data_folder
from hub.rounds import Rounds
from hub.schedule import Schedule
from hub.sdk.transport import HttpTransport
from hub.settings.load import load
from hub.settings.model import ChannelSettings, Config
from hub.store import channels
from hub.store.database import Database
from hub.store.deliveries import DeliveryReader
from hub.store.vault import Vault

LOCK_FILE: Final = "worker.lock"
ALONE_EVERY_SECONDS: Final = 1.0
INTAKE_FILE: Final = "intake.db"
POSITION_FILE: Final = "intake.position"
LOOK_SECONDS: Final = 0.1
STOP_SECONDS_MAX: Final = 8.0
_log = logger("worker")


def worker_alive(folder: Path) -> bool:
    """Whether a worker works on this data folder."""
    return is_held(folder / LOCK_FILE)


@contextlib.contextmanager
def the_only_worker(folder: Path, clock: Clock | None = None, wait_seconds: float = GLANCE_SECONDS) -> Iterator[None]:
    """Hold the worker's lock of this data folder; ConfigError when another worker keeps it."""
    words = "another worker is at work on this data folder"
    with the_only_one(folder / LOCK_FILE, words, clock or SystemClock(), wait_seconds):
        yield


class Worker:
    """Runs one hub with threads until it is told to stop."""

    def __init__(self, config_folder: Path, clock: Clock, *, wake_fd: int = -1) -> None:
        self._folder = config_folder
        self._clock = clock
        self._wake_fd = wake_fd
        # Plain flags: a signal falls into the middle of whatever runs, where a lock may be held.
        self._stop = False
        self._reload = False
        self._walk_wake = clock.wake()

    def stop(self) -> None:
        """Let `run` return when every thread has finished what it was doing; may be called from a signal."""
        self._stop = True

    def reload(self) -> None:
        """Take up the configuration anew; a broken one is refused and the old one goes on; may be called from a signal."""
        self._reload = True

    def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Work until `stop`; ConfigError when the configuration cannot be worked with."""
        config = load(self._folder)
        folder = data_folder(config.folder, config.hub.folder)
        with the_only_worker(folder, self._clock, FORMER_SECONDS_MAX):
            vault = open_vault(config, self._clock)
            database = open_store(config, self._clock, threaded=True)
            if self._wake_fd >= 0:
                threading.Thread(target=self._listen, name="wake", daemon=True).start()
            try:
                with database.alone(FORMER_SECONDS_MAX):
                    self._work(config, database, vault, folder, started)
            finally:
                database.close()

    def _work(self, config: Config, database: Database, vault: Vault, folder: Path, started: Callable[[], None]) -> None:
        crew = self._crew(config, database, vault, folder)
        crew.start()
        started()
        looked_at = self._clock.monotonic()
        while not self._stop:
            self._clock.sleep(LOOK_SECONDS)
            if self._reload and not self._stop:
                self._reload = False
                crew = self._reloaded(crew, config, database, vault, folder)
            if self._clock.monotonic() - looked_at >= ALONE_EVERY_SECONDS:
                looked_at = self._clock.monotonic()
                if not database.still_alone():
                    _log.error("another worker has taken this store over: this one ends")
                    break
        crew.end()

    def _reloaded(self, old: Crew, started_with: Config, database: Database, vault: Vault, folder: Path) -> Crew:
        """A crew of the new configuration, or the old one where that is refused; the channels work on meanwhile."""
        # The new walk reads where the old one stopped: no two of them at a time.
        old.end_walk()
        try:
            new = self._crew(load_again(self._folder, started_with), database, vault, folder)
        except HubError as bad:
            _log.error("the new configuration is refused, the old one goes on", reason=str(bad))
        except Exception:
            _log.exception("the new configuration cannot be worked with, the old one goes on")
        else:
            new.hub.walk.mark_all()
            new.start(after=old)
            _log.info("the new configuration is taken up")
            return new
        old.start_walk()
        return old

    def _crew(self, config: Config, database: Database, vault: Vault, folder: Path) -> Crew:
        deliveries = DeliveryReader(folder / INTAKE_FILE, vault)
        wakes: dict[str, Wake] = {name: self._clock.wake() for name in config.channels}
        lines: dict[str, HttpTransport] = {}

        def line_of(settings: ChannelSettings) -> HttpTransport:
            return lines.setdefault(settings.channel, HttpTransport(self._clock, settings.trusted_ca))

        hub = build(
            config,
            self._clock,
            line_of,
            database,
            vault,
            wake=lambda name: wakes[name].set(),
            deliveries=deliveries,
            position_file=folder / POSITION_FILE,
        )
        return Crew(hub, wakes, self._walk_wake, deliveries, lines)

    def _listen(self) -> None:
        """The receiver writes a byte after each commit: the walk need not wait for its next look."""
        while os.read(self._wake_fd, 4096):
            self._walk_wake.set()


class Crew:
    """The threads of one configuration: one walk, one for each channel, and the schedule."""

    def __init__(
        self,
        hub: Hub,
        wakes: Mapping[str, Wake],
        walk_wake: Wake,
        deliveries: DeliveryReader,
        lines: Mapping[str, HttpTransport],
    ) -> None:
        self.hub = hub
        self._wakes = wakes
        self._walk_wake = walk_wake
        self._deliveries = deliveries
        self._lines = lines
        self._clock = hub.clock
        self._ending = hub.clock.wake()
        self._walk_ending = hub.clock.wake()
        self._rounds = Rounds(hub, wakes, walk_wake)
        self._schedule = Schedule(hub, lambda name: wakes[name].set())
        self._walking = threading.Thread()
        self._threads: dict[str, threading.Thread] = {}

    def start(self, after: Crew | None = None) -> None:
        """Begin to work; with `after` each channel takes over from its thread in that crew when it has finished its call."""
        former = after.let_go() if after else {}
        for name in self.hub.channels:
            anew = after is not None and name in after.hub.channels and after.secrets(name) != self.secrets(name)
            # Daemons: an end in good order waits for them as long as it may, and no longer.
            about = (name, former.get(name), anew)
            self._threads[name] = threading.Thread(target=self._channel, args=about, name=f"channel {name}", daemon=True)
            self._threads[name].start()
        self.start_walk()
        self._schedule.start()

    def secrets(self, name: str) -> Mapping[str, str]:
        """What this crew signs a channel in with."""
        return self.hub.channels[name].connector.secrets

    def start_walk(self) -> None:
        """Let the walk go on."""
        self._walk_ending = self._clock.wake()
        self._walking = threading.Thread(target=self._walk, args=(self._walk_ending,), name="walk", daemon=True)
        self._walking.start()

    def end_walk(self) -> None:
        """Stop the walk after the step that it is at."""
        self._walk_ending.set()
        self._walk_wake.set()
        self._walking.join(STOP_SECONDS_MAX)

    def let_go(self) -> dict[str, threading.Thread]:
        """Let every channel finish the call that it is at, and no more; its threads by channel."""
        self._ending.set()
        for wake in self._wakes.values():
            wake.set()
        self._schedule.stop()
        return self._threads

    def end(self) -> None:
        """Finish what is under way; a call that takes too long is left, and what it sent is looked up at the next start."""
        ends = self._clock.monotonic() + STOP_SECONDS_MAX
        threads = self.let_go()
        for name, thread in threads.items():
            thread.join(max(0.0, ends - self._clock.monotonic()))
            if thread.is_alive():
                _log.warning("a call is left under way", channel=name)
        self.end_walk()

    def _walk(self, ending: Wake) -> None:
        self._rounds.walk(ending)
        self._deliveries.close()

    def _channel(self, name: str, former: threading.Thread | None, signed_in_anew: bool) -> None:
        if former is not None:
            former.join()
        if signed_in_anew:
            # Only now: until it ended, the former thread may have been refused once more with the secrets of before.
            self.hub.database.transaction(lambda tx: channels.let_in(tx, name))
        try:
            self._rounds.channel(name, self._ending)
        finally:
            self._lines[name].close()
