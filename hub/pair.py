"""The pair of processes of `samklang run`: the receiver and the worker, watched by their parent.

Both are started again when they die unasked, with growing waits; SIGTERM ends both in good order, SIGHUP is passed on.
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
from hub.log import logger
from hub.paths import data_folder
from hub.settings.load import load

PID_FILE: Final = "run.pid"
END_SECONDS_MAX: Final = 75.0
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
        self._stop = clock.wake()
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._failed: dict[str, int] = {}
        self._born: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def run(self) -> int:
        """Run until told to stop; gives the exit code: 0, or 2 when the configuration cannot be worked with."""
        config = load(self._folder)
        pid_file = data_folder(config.folder, config.hub.folder) / PID_FILE
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        signal.signal(signal.SIGHUP, lambda *_: self._pass_on(signal.SIGHUP))
        pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        try:
            code = self._watch()
        finally:
            self._end()
            pid_file.unlink(missing_ok=True)
        return code

    def _watch(self) -> int:
        for name in ("serve", "work"):
            self._start(name)
        while not self._stop.is_set():
            self._clock.wait(self._stop, LOOK_SECONDS)
            for name, process in list(self._running.items()):
                if process.poll() is None or self._stop.is_set():
                    continue
                if process.returncode == USAGE:
                    return USAGE
                self._died(name, process.returncode)
            for name, at in list(self._not_before.items()):
                if self._clock.monotonic() >= at:
                    del self._not_before[name]
                    self._start(name)
        return 0

    def _start(self, name: str) -> None:
        given = self._writing if name == "serve" else self._reading
        command = [sys.executable, "-m", "hub.cli.main", name, str(self._folder), "--wake-fd", str(given), self._logs]
        self._running[name] = subprocess.Popen(command, pass_fds=[given], start_new_session=True)
        self._born[name] = self._clock.monotonic()

    def _died(self, name: str, code: int) -> None:
        del self._running[name]
        lived = self._clock.monotonic() - self._born[name]
        self._failed[name] = 0 if lived > GOOD_SECONDS else self._failed.get(name, 0) + 1
        wait = min(WAIT_SECONDS * 2.0 ** max(0, self._failed[name] - 1), WAIT_SECONDS_MAX) if self._failed[name] else 0.0
        _log.error("a process died and is started again", half=name, code=code, wait_seconds=wait)
        self._not_before[name] = self._clock.monotonic() + wait

    def _pass_on(self, number: int) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(number)

    def _end(self) -> None:
        """The receiver first, so that everything it answered is stored before the worker finishes its last round."""
        for name in ("serve", "work"):
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
    try:
        pid = int((folder / PID_FILE).read_text(encoding="ascii"))
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def ask_to_reload(folder: Path) -> None:
    """Let the running pair take up its configuration anew; ConfigError when none runs."""
    pid = running_pid(folder)
    if pid is None:
        raise ConfigError(f"no `samklang run` is at work on {folder}")
    os.kill(pid, signal.SIGHUP)
