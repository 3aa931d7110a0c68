"""`samklang drift`: what others changed, and what shows something else than it should while nobody mends it."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import say


def drift(
    channel: Annotated[str | None, typer.Argument(help="Only this channel")] = None,
    hours: Annotated[int, typer.Option("--hours", min=0, max=24 * 400, help="How far back edits by others are told")] = 24,
    config: say.ConfigOption = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """What drifted: edits by others, what a guard holds, a channel refuses or a mode forbids. Ends with 1 when there is any."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.drift import drift as drifted
        from hub.errors import ConfigError
        from hub.files import meant

        with opened(config) as place:
            if channel is not None and channel not in place.config.channels:
                raise ConfigError(f"there is no channel `{channel}`: {meant(channel, place.config.channels)}")
            found = [each.document() for each in drifted(place.config, place.database, place.clock.now(), hours, channel)]
        if as_json:
            say.document({"drift": found})
        elif not found:
            say.line("nothing drifted")
        else:
            names = ("channel", "listing", "sku", "aspect", "shows_words", "should_words", "kind", "words", "at")
            heads = ("channel", "listing", "sku", "aspect", "shows", "should show", "kind", "words", "at")
            say.table(heads, [[each[name] for name in names] for each in found])
        say.ends(bool(found))
