"""The hub as a user starts it: `samklang run` on a folder of configuration, as processes of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import hub
from hub.clock import Clock

READY_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 20.0
LOOK_SECONDS: Final = 2.0
TAIL_CHARS: Final = 4_000


def prepare(shipped: Path, folder: Path, port: int, urls: Mapping[str, str]) -> str:
    """Copy a shipped configuration into `folder` with the hub's port and the platforms' addresses in it; the hub's own URL."""
    shutil.copytree(shipped, folder)
    public_url = f"http://127.0.0.1:{port}"
    _fill(folder / "hub.yaml", {"port": str(port), "public_url": public_url})
    for channel, url in urls.items():
        _fill(folder / "channels" / f"{channel}.yaml", {"base_url": url})
    return public_url


def _fill(path: Path, values: Mapping[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for name, value in values.items():
        text, times = re.subn(rf"(?m)^( *){name}: .*$", rf"\g<1>{name}: {value}", text)
        if times != 1:
            raise ValueError(f"{path.name}: one line `{name}:` is wanted, {times} were found")
    path.write_text(text, encoding="utf-8")


class HostedHub:
    """A running hub; what it says goes into `log`."""

    def __init__(self, folder: Path, log: Path, clock: Clock, secrets: Mapping[str, str]) -> None:
        self._log = log
        self._clock = clock
        package = str(Path(hub.__file__).resolve().parent.parent)
        path = os.pathsep.join(each for each in (package, os.environ.get("PYTHONPATH", "")) if each)
        with log.open("wb") as opened:
            # A session of its own: an interrupt typed by the user reaches us, and we stop it in good order.
            self._running = subprocess.Popen(
                [sys.executable, "-m", "hub.cli.main", "run", str(folder)],
                env={**os.environ, **secrets, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, url: str) -> None:
        """Return when it takes deliveries; RuntimeError with its last words when it does not."""
        ends = self._clock.monotonic() + READY_SECONDS_MAX
        while self._clock.monotonic() < ends:
            if self._running.poll() is not None:
                raise RuntimeError(f"the hub ended with {self._running.returncode}:\n{self.tail()}")
            if _answers(f"{url}/ready"):
                return
            self._clock.sleep(0.1)
        raise RuntimeError(f"the hub is not ready after {READY_SECONDS_MAX:.0f} s:\n{self.tail()}")

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._running.poll() is None

    def tail(self) -> str:
        """Its last words."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-TAIL_CHARS:]

    def stop(self) -> None:
        """Ask it to end; after a bounded wait end it and what it started."""
        if not self.alive():
            return
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait(STOP_SECONDS_MAX)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=LOOK_SECONDS) as answer:
            return int(answer.status) == 200
    except (OSError, urllib.error.URLError):
        return False
