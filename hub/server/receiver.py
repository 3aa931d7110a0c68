"""The receiver process: uvicorn around the hooks, one writer thread, a graceful end and a reload that loses nothing."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from hub import metrics
from hub.clock import Clock
from hub.errors import ConfigError, HubError
from hub.intake.receive import ChannelDoor
from hub.server.app import ReceiverApp
from hub.server.body import BodyReader
from hub.server.commit import GroupCommit, Intake
from hub.server.hooks import Hooks
from hub.server.limits import Limits
from hub.server.protocol import bounded
from hub.store.deliveries import DeliveryStore
from hub.store.vault import Vault

log: Final = logging.getLogger("samklang.intake")
INTAKE_FILE: Final = "intake.db"
POSITION_FILE: Final = "intake.position"
ENDING: Final = (signal.SIGTERM, signal.SIGINT)

Doors = Mapping[str, ChannelDoor]


class Receiver:
    """Serves until it is told to stop. `doors_again` makes the doors anew from the configuration (at SIGHUP)."""

    def __init__(
        self,
        doors: Doors,
        intake: Intake,
        limits: Limits,
        clock: Clock,
        *,
        host: str,
        port: int,
        doors_again: Callable[[], Doors] | None = None,
        started: Callable[[int], None] | None = None,
    ) -> None:
        self._commits = GroupCommit(intake, limits, clock)
        bodies = BodyReader(limits.body_seconds)
        self._hooks = Hooks(dict(doors), bodies, self._commits, limits, clock)
        self._doors_again = doors_again
        self._started = started
        self._server = _Server(
            uvicorn.Config(
                ReceiverApp(self._hooks, bodies, self._commits, limits, clock),
                host=host,
                port=port,
                loop="uvloop",
                http=bounded(limits),
                ws="none",
                lifespan="on",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=limits.connections_max,
                backlog=limits.backlog,
                timeout_keep_alive=limits.keep_alive_seconds,
                timeout_graceful_shutdown=limits.stop_seconds,
            ),
            self._listening,
        )

    def run(self) -> None:
        """Serve; returns after SIGTERM, SIGINT or `stop`, when all that was answered 200 (and all else queued) is stored."""
        self._commits.start()
        main = threading.current_thread() is threading.main_thread()
        before = {}
        if main:
            # uvicorn stops at these and then raises them again for whoever listened before: that is us, so we return.
            before = {number: signal.signal(number, _return) for number in ENDING}
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._hangup)
        try:
            self._server.run()
        except SystemExit:
            raise ConfigError(f"cannot listen on {self._server.config.host} port {self._server.config.port}") from None
        finally:
            self._commits.stop()
            for number, previous in before.items():
                signal.signal(number, previous)

    def stop(self) -> None:
        """Stop accepting, answer what is under way, flush, and let `run` return; may be called from any thread."""
        self._server.should_exit = True

    def reload(self, doors: Doors) -> None:
        """Serve these doors from the next request on; may be called from any thread."""
        self._hooks.doors = dict(doors)

    def reload_again(self) -> bool:
        """Make the doors anew; when that fails the old ones go on. Says whether the new ones were taken up."""
        if self._doors_again is None:
            return False
        try:
            self.reload(self._doors_again())
        except HubError as bad:
            log.error("the new configuration is refused, the old one goes on: %s", bad)
            metrics.count("reloads", verdict="refused")
            return False
        metrics.count("reloads", verdict="taken")
        log.info("the doors of the new configuration are open")
        return True

    def _hangup(self, number: int, frame: FrameType | None) -> None:
        # Reading files may take a moment in which deliveries must not wait.
        threading.Thread(target=self.reload_again, name="reload", daemon=True).start()

    def _listening(self) -> None:
        if self._started is not None:
            self._started(self._server.port())


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(None)
        if self.started:
            self._listening()

    def port(self) -> int:
        """The port that it listens on (for a configured 0: the one that the machine gave)."""
        return int(self.servers[0].sockets[0].getsockname()[1])


def intake_in(folder: Path, vault: Vault, clock: Clock, wake_fd: int = -1) -> Intake:
    """The store of a data folder: `intake.db`, and the worker's position beside it."""
    path = folder / INTAKE_FILE
    return Intake(lambda: DeliveryStore(path, vault, clock), folder / POSITION_FILE, wake_fd)


def _return(number: int, frame: FrameType | None) -> None:
    """Nothing left to do: the server has ended in good order."""
