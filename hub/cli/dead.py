"""`samklang dead` and `discard`: what was not understood or not accepted, and closing it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli import say

LETTERS_MAX = 10_000


def dead(
    letter: Annotated[str | None, typer.Argument(help="The letter's id, or its beginning, to see it whole")] = None,
    config: say.ConfigOption = say.HERE,
    as_json: say.JsonOption = False,
) -> None:
    """List the open dead letters, or show one whole. Ends with 1 when there is any."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.errors import ConfigError
        from hub.store import letters, looks

        with opened(config) as place:
            if letter is None:
                found = [_plain(each) for each in place.database.read(lambda tx: letters.open_letters(tx, LETTERS_MAX))]
            else:
                named = place.database.read(lambda tx: letters.fetch(tx, [letter]))
                if not named:
                    raise ConfigError(f"there is no open dead letter `{letter}`")
                heads = place.database.read(lambda tx: looks.heads(tx, [each.letter.seq for each in named]))
                found = [{**_plain(each), "envelope": _head(heads.get(each.letter.seq))} for each in named]
        if as_json:
            say.document({"letters": found})
        elif letter is None:
            _list(found)
        else:
            for each in found:
                say.lines(f"{name}: {each[name]}" for name in sorted(each) if each[name] not in (None, ""))
        say.ends(bool(found))


def discard(
    letter: Annotated[list[str], typer.Argument(help="Ids of letters, or their beginnings")],
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Close dead letters that need nothing more; the same fault opens them again."""
    with say.outcome(as_json):
        from hub.cli.ask import ask, told
        from hub.cli.place import opened

        with opened(config) as place:
            told(ask(place, "discard", {"letters": letter}, wait), as_json, wait)


def _plain(stored: Any) -> dict[str, Any]:
    from hub.canonical.values import iso

    return {**stored.letter._asdict(), "id": stored.id, "at": iso(stored.letter.at), "times": stored.times}


def _head(head: Any) -> str:
    from hub.canonical.values import iso

    if head is None:
        return "no longer kept"
    return f"inbox {head.seq}: {head.door} {head.stream or head.topic} at {iso(head.received_at)}, digest {head.digest[:12]}"


def _list(found: list[dict[str, Any]]) -> None:
    if not found:
        say.line("no dead letters")
        return
    names = ("id", "channel", "stream", "record", "path", "value", "reason", "times", "at")
    say.table(names, [[each[name] for name in names] for each in found])
    say.line("after the mapping, the binding or the record is mended: `samklang replay ID` or `samklang replay --all`")
