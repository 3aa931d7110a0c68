"""`samklang apply`: send exactly what a plan says, refusing item by item where the world has moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.cli.ask import Answer, Outcome
    from hub.cli.place import Place

PLAN_BYTES_MAX: Final = 64 * 1024 * 1024
GOOD: Final = ("applied", "not needed")


def apply(
    file: Annotated[Path, typer.Argument(help="A plan written by `samklang plan --out`")],
    config: say.ConfigOption = say.HERE,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Send exactly these changes; each is refused whose listing shows, or should show, something else by now."""
    with say.outcome(as_json):
        from hub.cli.ask import ask, outcomes
        from hub.cli.place import opened

        items = _items(file)
        with opened(config) as place:
            answer = ask(place, "apply", {"items": items}, wait)
            by_key = {_key_words(item): item for item in items}
            asked = [(_key(by_key[each["key"]]), each["change"]) for each in answer.done]
            since = answer.asked_at
            found = outcomes(place, asked, since, wait if answer.working else 0.0) if asked else []
            _tell(place, answer, found, as_json)
        say.ends(not answer.fine or any(each.outcome not in GOOD for each in found))


def _tell(place: Place, answer: Answer, found: list[Outcome], as_json: bool) -> None:
    if as_json:
        say.document({**answer.document(), "outcomes": [each._asdict() for each in found]})
        return
    say.table(("key", "outcome", "their words", "request"), [(e.key, e.outcome, e.words, e.request_id) for e in found])
    for each in answer.refused:
        say.trouble(f"refused: {each.get('key', '')}: {each.get('why', '')}")
    if answer.state == "waiting":
        say.trouble(f"nobody has answered yet: request {answer.id} stays asked")
    if found and not answer.working:
        say.trouble("intended, not sent: no worker is at work; `samklang run` or `samklang work` sends them")
    quiet = sorted({e.key.split(" ")[0] for e in found if e.outcome == "waiting"})
    for name in quiet:
        if place.config.channels[name].mode != "live":
            say.trouble(f"{name} is not live: what is intended there waits until its mode is `live`")


def _items(file: Path) -> list[dict[str, Any]]:
    from hub.canonical.json import read_json
    from hub.errors import ConfigError
    from hub.plan import items_of

    try:
        with file.open("rb") as opened_file:
            raw = opened_file.read(PLAN_BYTES_MAX + 1)
        if len(raw) > PLAN_BYTES_MAX:
            raise ValueError(f"larger than {PLAN_BYTES_MAX} bytes")
        items = items_of(read_json(raw))
    except OSError as bad:
        raise ConfigError(f"cannot be read: {bad.strerror}", str(file)) from None
    except (ValueError, KeyError, TypeError) as bad:
        raise ConfigError(str(bad) if isinstance(bad, ValueError) else "not a plan", str(file)) from None
    if not items:
        raise ConfigError("there is nothing in this plan to apply", str(file))
    return items


def _key(item: dict[str, Any]) -> Any:
    from hub.flow import Key

    return Key(item["channel"], item["listing"], item["aspect"], item["place"])


def _key_words(item: dict[str, Any]) -> str:
    return str(_key(item))
