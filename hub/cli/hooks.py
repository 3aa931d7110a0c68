"""`samklang hooks`: the webhook subscriptions of a channel, looked at and mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.cli.ask import Answer

FIRST: Final = ("topic", "status", "url", "id")
"""The columns that every platform has; what else a row says follows."""


def hooks(
    channel: Annotated[str, typer.Argument(help="The channel")],
    heal: Annotated[bool, typer.Option("--heal", help="Make what is missing and mend what is broken, then read on")] = False,
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Which subscriptions the platform has and whether they deliver to us. Ends with 1 when something is wrong with ours."""
    with say.outcome(as_json):
        from hub.cli.ask import ask, told
        from hub.cli.place import opened

        with opened(config) as place:
            answer = ask(place, "hooks", {"channel": channel, "heal": heal}, wait, network=True)
        if not answer.fine:
            told(answer, as_json, wait)
        if as_json:
            say.document({**answer.document(), **answer.said})
        else:
            _print(channel, answer)
        say.ends(bool(answer.said.get("broken")) or not answer.said.get("url"))


def _print(channel: str, answer: Answer) -> None:
    rows = answer.said.get("hooks", [])
    more = sorted({name for row in rows for name in row} - set(FIRST))
    columns = (*FIRST, *more)
    say.table(columns, [[row.get(name, "") for name in columns] for row in rows], f"{channel}: {len(rows)} subscriptions")
    say.lines(str(each) for each in answer.done)
    for each in answer.said.get("broken", ()):
        say.trouble(str(each))
    if not answer.said.get("url"):
        from hub.subscriptions import NO_PUBLIC_URL

        say.trouble(NO_PUBLIC_URL)
    elif answer.said.get("broken"):
        say.line(f"`samklang hooks {channel} --heal` makes them deliver to {answer.said['url']}")
