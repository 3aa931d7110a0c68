"""`samklang replay`: try dead letters again, after what they name is mended."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import say


def replay(
    letter: Annotated[list[str] | None, typer.Argument(help="Ids of letters, or their beginnings")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open dead letters")] = False,
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Understand again what was kept, or send again what was refused; what is still wrong comes back as a dead letter."""
    with say.outcome(as_json):
        from hub.cli.ask import ask, told
        from hub.cli.place import opened
        from hub.errors import ConfigError

        if bool(letter) == every:
            raise ConfigError("name the letters, or say `--all`: `samklang dead` lists them")
        with opened(config) as place:
            told(ask(place, "replay", {"all": True} if every else {"letters": letter}, wait), as_json, wait)
