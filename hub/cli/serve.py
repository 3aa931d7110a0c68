"""`samklang serve`: the receiver alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    config: Annotated[Path, typer.Argument(help="Folder of the configuration", envvar="SAMKLANG_CONFIG")] = Path(),
    wake_fd: Annotated[int, typer.Option(hidden=True)] = -1,
    life_fd: Annotated[int, typer.Option(hidden=True)] = -1,
    json_logs: Annotated[bool, typer.Option("--json-logs/--plain-logs", help="Log lines as JSON")] = not __debug__,
) -> None:
    """Receive deliveries: verify, store durably, answer. Ends in good order at SIGTERM, takes up new doors at SIGHUP."""
    from hub import log, receiving
    from hub.clock import SystemClock

    clock = SystemClock()
    log.configure(now=clock.now, as_json=json_logs)
    receiving.serve(config, clock, wake_fd=wake_fd, life_fd=life_fd)
