"""`samklang serve`: the receiver alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    config: Annotated[Path, typer.Argument(help="Folder of the configuration", envvar="SAMKLANG_CONFIG")] = Path(),
    wake_fd: Annotated[int, typer.Option(hidden=True)] = -1,
    json_logs: Annotated[bool, typer.Option("--json-logs/--plain-logs", help="Log lines as JSON")] = not __debug__,
) -> None:
    """Receive deliveries: verify, store durably, answer. Ends in good order at SIGTERM, takes up new doors at SIGHUP."""
    from hub import log
    from hub.clock import SystemClock
    from hub.receiving import receiver

    clock = SystemClock()
    log.configure(now=clock.now, as_json=json_logs)
    receiver(config, clock, wake_fd).run()
