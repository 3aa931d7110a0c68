"""`samklang work`: the worker alone."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer


def work(
    config: Annotated[Path, typer.Argument(help="Folder of the configuration", envvar="SAMKLANG_CONFIG")] = Path(),
    wake_fd: Annotated[int, typer.Option(hidden=True)] = -1,
    life_fd: Annotated[int, typer.Option(hidden=True)] = -1,
    json_logs: Annotated[bool, typer.Option("--json-logs/--plain-logs", help="Log lines as JSON")] = not __debug__,
) -> None:
    """Poll, understand, decide and push. Ends in good order at SIGTERM, takes up a new configuration at SIGHUP."""
    from hub import log
    from hub.clock import SystemClock
    from hub.halves import end_with_parent, hear_reloads
    from hub.worker import Worker

    clock = SystemClock()
    log.configure(now=clock.now, as_json=json_logs)
    worker = Worker(config, clock, wake_fd=wake_fd)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    signal.signal(signal.SIGHUP, lambda *_: worker.reload())
    end_with_parent(life_fd, worker.stop, clock)
    hear_reloads()
    worker.run()
