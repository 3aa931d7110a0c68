"""`samklang check`: everything that is wrong with a configuration, with file and line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.check import Connected, Findings
    from hub.clock import Clock
    from hub.settings.model import Config
    from hub.store.tokens import Tokens


def check(
    config: say.ConfigOption = say.HERE,
    connect: Annotated[bool, typer.Option("--connect", help="Also make one small read of every channel")] = False,
    schemas: Annotated[Path | None, typer.Option("--schemas", help="Write JSON Schemas for editors into this folder")] = None,
    as_json: say.JsonOption = False,
) -> None:
    """Validate files, secrets, connectors and mappings' examples. Ends with 2 when something must be mended first."""
    with say.outcome(as_json):
        from hub.app import http_transports
        from hub.check import check as checked
        from hub.check import connect as connected
        from hub.clock import SystemClock

        if schemas is not None:
            _write_schemas(schemas, as_json)
            return
        clock = SystemClock()
        found = checked(config, clock)
        reached: list[Connected] = []
        if connect and found.config is not None and not found.problems:
            with say.progress("asking every channel"), _granted(found.config, clock) as tokens:
                reached = connected(found.config, clock, http_transports(clock), tokens)
        _print(found, reached, as_json)
        if found.problems:
            raise typer.Exit(say.USAGE)
        say.ends(any(not each.ok for each in reached))


@contextlib.contextmanager
def _granted(config: Config, clock: Clock) -> Iterator[Tokens | None]:
    """What `samklang connect` was granted; None where nothing is stored yet, and nothing is made then."""
    from hub.app import open_store, open_vault
    from hub.cli.place import STORE_FILE
    from hub.paths import from_config
    from hub.store.tokens import Tokens

    if config.hub.database == "sqlite" and not (from_config(config.folder, config.hub.folder) / STORE_FILE).exists():
        yield None
        return
    database = open_store(config, clock, threaded=True)
    try:
        yield Tokens(database, open_vault(config, clock))
    finally:
        database.close()


def _print(found: Findings, reached: list[Connected], as_json: bool) -> None:
    if as_json:
        connected = [each._asdict() for each in reached]
        say.document({"problems": found.problems, "warnings": found.warnings, "notes": found.notes, "connected": connected})
        return
    for problem in found.problems:
        say.trouble(problem)
    for warning in found.warnings:
        say.trouble(f"warning: {warning}")
    if not found.problems:
        say.lines(found.notes)
    for each in reached:
        say.line(f"{each.channel}: {'reached' if each.ok else 'not reached'}: {each.words}")
    if found.problems:
        say.trouble(f"{len(found.problems)} to mend")
    elif found.config is not None:
        say.line(f"in order: {len(found.config.channels)} channels, {len(found.config.locations)} locations")


def _write_schemas(folder: Path, as_json: bool) -> None:
    from hub.cli.init import all_schemas
    from hub.errors import ConfigError

    try:
        written = [str(path) for path in all_schemas(folder)]
    except OSError as bad:
        raise ConfigError(f"cannot be written: {bad.strerror}", str(folder)) from None
    if as_json:
        say.document({"written": written})
    else:
        say.lines(written)
