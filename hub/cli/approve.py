"""`samklang approve`: what guards hold, and a person's decision about one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.cli.place import Place

CHANGES_SHOWN_MAX = 10_000


def approve(
    hold: Annotated[str | None, typer.Argument(help="The hold's id, or its beginning; without it all holds are listed")] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Decide against it: nothing of it is sent")] = False,
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """List what guards hold, or let one hold's changes go (or `--reject` them). The list ends with 1 when something is held."""
    with say.outcome(as_json):
        from hub.cli.ask import ask, told
        from hub.cli.place import opened

        with opened(config) as place:
            if hold is None:
                found = _holds(place)
                _print(found, as_json)
                say.ends(bool(found))
            else:
                told(ask(place, "reject" if reject else "approve", {"hold": hold}, wait), as_json, wait)


def _holds(place: Place) -> list[dict[str, Any]]:
    from hub.because import change_words
    from hub.canonical.values import iso
    from hub.store import changes, requests
    from hub.store.database import Tx

    def read(tx: Tx) -> list[dict[str, Any]]:
        found = []
        for hold in requests.holds(tx):
            held = []
            for change in changes.held(tx, hold.id)[:CHANGES_SHOWN_MAX]:
                before, after = change_words(change.key.aspect, change.before, change.after)
                held.append({**change.key._asdict(), "from": before, "to": after})
            said = {"id": hold.id, "channel": hold.channel, "guard": hold.guard, "words": hold.words, "at": iso(hold.at)}
            found.append({**said, "changes": held})
        return found

    return place.database.read(read)


def _print(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        say.document({"holds": found})
        return
    if not found:
        say.line("no guard holds anything")
    for hold in found:
        head = f"{hold['id']} {hold['channel']} {hold['guard']} since {hold['at']}: {hold['words']}"
        names = ("listing", "aspect", "from", "to")
        say.table(names, [[change[name] for name in names] for change in hold["changes"]], head)
