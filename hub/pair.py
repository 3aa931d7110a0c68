"""The pair of processes of `samklang run`: the receiver and the worker, watched by their parent.

Both are started again when they die unasked, with growing waits; SIGTERM ends both in good order, SIGHUP is passed on. Both
hold the end of a pipe that closes when the parent dies, and then end by themselves.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from hub.clock import Clock
from hub.errors import ConfigError
from hub.halves import is_held, the_only_one
from hub.log import logger
from hub.paths import data_folder
from hub.settings.load import load

PID_FILE: Final = "run.pid"
HALVES: Final = ("serve", "work")
END_SECONDS_MAX: Final = 30.0
LOOK_SECONDS: Final = 0.2
WAIT_SECONDS: Final = 1.0
WAIT_SECONDS_MAX: Final = 60.0
GOOD_SECONDS: Final = 60.0
USAGE: Final = 2
_log = logger("run")


class Pair:
    """Runs `serve` and `work` for one configuration folder."""

    def __init__(self, folder: Path, clock: Clock, *, json_logs: bool) -> None:
        self._folder = folder
        self._clock = clock
        self._logs = "--json-logs" if json_logs else "--plain-logs"
        # Plain flags: a signal falls into the middle of whatever runs, where a lock may be held.
        self._ends = False
        self._reload = False
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._life, self._alive = os.pipe()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._worked: set[str] = set()
        self._failed: dict[str, int] = {}
        self._born: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def run(self) -> int:
        """Run until told to stop; gives the exit code: 0, or 2 when the configuration cannot be worked with at the start."""
        config = load(self._folder)
        pid_file = data_folder(config.folder, config.hub.folder) / PID_FILE
        with the_only_one(pid_file, "another `samklang run` is at work on this data folder", self._clock) as file:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._told_to_end)
            signal.signal(signal.SIGHUP, self._told_to_reload)
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            try:
                return self._watch()
            finally:
                self._end()
                # Not unlinked: whoever waits for its lock must not get that of a file that nobody finds any more.
                file.truncate(0)

    def _told_to_end(self, *_: object) -> None:
        self._ends = True

    def _told_to_reload(self, *_: object) -> None:
        self._reload = True

    def _watch(self) -> int:
        for name in HALVES:
            self._start(name)
        while not self._ends:
            self._clock.sleep(LOOK_SECONDS)
            if self._reload:
                self._reload = False
                self._pass_on(signal.SIGHUP)
            for name, process in list(self._running.items()):
                if process.poll() is None or self._ends:
                    continue
                if process.returncode == USAGE and name not in self._worked:
                    return USAGE
                self._died(name, process.returncode)
            for name, at in list(self._not_before.items()):
                if self._clock.monotonic() >= at:
                    del self._not_before[name]
                    self._start(name)
        return 0

    def _start(self, name: str) -> None:
        given = self._writing if name == "serve" else self._reading
        command = [sys.executable, "-m", "hub.cli.main", name, str(self._folder), self._logs]
        command += ["--wake-fd", str(given), "--life-fd", str(self._life)]
        # A reload asked for while a half is starting waits until that half is ready to hear it: it inherits the block.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            self._running[name] = subprocess.Popen(command, pass_fds=[given, self._life], start_new_session=True)
        except OSError as bad:
            _log.error("a process cannot be started", half=name, reason=bad.strerror)
            self._not_before[name] = self._clock.monotonic() + WAIT_SECONDS_MAX
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        self._born[name] = self._clock.monotonic()

    def _died(self, name: str, code: int) -> None:
        """Wait a little and start it again; one that has worked before does so even where its configuration is broken by now."""
        del self._running[name]
        self._worked.add(name)
        lived = self._clock.monotonic() - self._born[name]
        self._failed[name] = 0 if lived > GOOD_SECONDS else self._failed.get(name, 0) + 1
        wait = min(WAIT_SECONDS * 2.0 ** max(0, self._failed[name] - 1), WAIT_SECONDS_MAX) if self._failed[name] else 0.0
        _log.error("a process died and is started again", half=name, code=code, wait_seconds=wait)
        self._not_before[name] = self._clock.monotonic() + wait

    def _pass_on(self, number: int) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(number)
        for name in self._not_before:
            # Its fault may be mended now.
            self._not_before[name] = self._clock.monotonic()

    def _end(self) -> None:
        """The receiver first, so that everything it answered is stored before the worker finishes its last round."""
        for name in HALVES:
            process = self._running.get(name)
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                _log.error("a process did not end and is killed", half=name)
                process.kill()
                process.wait(END_SECONDS_MAX)


def running_pid(folder: Path) -> int | None:
    """The process id of the `samklang run` that works on this data folder; None when there is none."""
    if not is_held(folder / PID_FILE):
        return None
    try:
        return int((folder / PID_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def ask_to_reload(folder: Path) -> None:
    """Let the running pair take up its configuration anew; ConfigError when none runs."""
    pid = running_pid(folder)
    if pid is None:
        raise ConfigError(f"no `samklang run` is at work on {folder}")
    os.kill(pid, signal.SIGHUP)
