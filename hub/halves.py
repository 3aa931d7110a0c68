"""What the two halves of a running hub share: alone on a data folder, ending with their parent, taking a new configuration up.

Nothing here knows what a half does; `worker`, `receiving` and `pair` call it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TextIO

from hub.clock import Clock
from hub.errors import ConfigError
from hub.files import Problem, refuse
from hub.log import logger
from hub.settings.load import load
from hub.settings.model import Config

GLANCE_SECONDS: Final = 0.5
"""Whoever only looks whether a lock is held has it for a moment."""
FORMER_SECONDS_MAX: Final = 25.0
"""How long a half that lost its parent may still be ending when its successor starts."""
LOOK_SECONDS: Final = 0.05
ORPHAN_SECONDS_MAX: Final = 20.0
FIXED: Final = ("folder", "database", "key_secret", "server")
"""Parts of hub.yaml that only a start reads."""
_log = logger("halves")


@contextlib.contextmanager
def the_only_one(path: Path, words: str, clock: Clock, wait_seconds: float = GLANCE_SECONDS) -> Iterator[TextIO]:
    """Hold this lock file while the block runs; a kill frees it as well. ConfigError saying `words` when another keeps it."""
    try:
        file = path.open("a+", encoding="ascii")
    except OSError as bad:
        raise ConfigError(f"the data folder cannot be written to: {bad.strerror}", str(path.parent)) from None
    with file:
        ends = clock.monotonic() + wait_seconds
        while not _locked(file, fcntl.LOCK_EX):
            if clock.monotonic() >= ends:
                raise ConfigError(words, str(path.parent))
            clock.sleep(LOOK_SECONDS)
        yield file


def is_held(path: Path) -> bool:
    """Whether somebody holds this lock file now."""
    try:
        file = path.open("r", encoding="ascii")
    except OSError:
        return False
    with file:
        return not _locked(file, fcntl.LOCK_SH)


def _locked(file: TextIO, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def end_with_parent(fd: int, stop: Callable[[], None], clock: Clock) -> None:
    """Call `stop` when the other end of this pipe closes, as it does however the parent dies; nothing for a negative `fd`.

    A half that has not ended `ORPHAN_SECONDS_MAX` later is ended at once: it must not stand in its successor's way.
    """
    if fd < 0:
        return

    def wait() -> None:
        while os.read(fd, 1):
            pass
        _log.warning("the parent is gone: ending")
        stop()
        clock.sleep(ORPHAN_SECONDS_MAX)
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def hear_reloads() -> None:
    """From now on a SIGHUP is heard; one that came while we were starting is heard now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def load_again(folder: Path, running: Config) -> Config:
    """The configuration as it is now; ConfigError also where it changes what only a start can take up."""
    try:
        config = load(folder)
    except OSError as bad:
        raise ConfigError(f"cannot be read: {bad.strerror}", str(bad.filename or folder)) from None
    changed = [name for name in FIXED if getattr(config.hub, name) != getattr(running.hub, name)]
    words = "only a start takes this up: end `samklang run` and start it again"
    refuse([Problem(config.place("hub", name) or running.place("hub", name), f"{name}: {words}") for name in changed])
    return config
