"""`samklang run`: the receiver and the worker, two processes under one parent that starts them again when they die."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    config: Annotated[Path, typer.Argument(help="Folder of the configuration", envvar="SAMKLANG_CONFIG")] = Path(),
    json_logs: Annotated[bool, typer.Option("--json-logs/--plain-logs", help="Log lines as JSON")] = not __debug__,
) -> None:
    """Run everything: receive, poll, understand, decide and push, until SIGTERM or Ctrl-C."""
    from hub import log
    from hub.clock import SystemClock
    from hub.pair import Pair

    clock = SystemClock()
    log.configure(now=clock.now, as_json=json_logs)
    raise typer.Exit(Pair(config, clock, json_logs=json_logs).run())
