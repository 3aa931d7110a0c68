"""`samklang pause` and `resume`: a person stops a channel and lets it go on."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import say

Channel = Annotated[str, typer.Argument(help="The channel")]


def pause(
    channel: Channel,
    why: Annotated[str, typer.Option("--why", help="The reason, for whoever looks at the status")] = "",
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Stop reading from and writing to a channel; its deliveries are still kept."""
    with say.outcome(as_json):
        from hub.cli.ask import ask, told
        from hub.cli.place import opened

        with opened(config) as place:
            told(ask(place, "pause", {"channel": channel, "why": why}, wait), as_json, wait)


def resume(
    channel: Channel,
    reread: Annotated[bool, typer.Option("--reread", help="Also read all its streams from the beginning")] = False,
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Let a paused channel go on."""
    with say.outcome(as_json):
        from hub.cli.ask import ask, told
        from hub.cli.place import opened

        with opened(config) as place:
            answer = ask(place, "resume", {"channel": channel}, wait)
            if reread and answer.fine:
                again = ask(place, "reread", {"channel": channel}, wait)
                answer = again._replace(done=[*answer.done, *again.done])
            told(answer, as_json, wait)
