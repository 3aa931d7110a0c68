"""`samklang plan`: what would change on each channel, from, to, why, in how many calls and how long."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.plan import ChannelPlan, Plan


def plan(
    channel: Annotated[str | None, typer.Argument(help="Only this channel")] = None,
    config: say.ConfigOption = say.HERE,
    out: Annotated[Path | None, typer.Option("--out", help="Write the plan to this file, for `samklang apply`")] = None,
    as_json: say.JsonOption = False,
) -> None:
    """What would change where, from what to what, because of what; nothing is sent. Ends with 0 whatever it finds."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.plan import plan as planned

        with opened(config) as place:
            found = planned(place.config, place.manifests, place.database, place.clock.now(), channel)
        if out is not None:
            _write(found, out)
        if as_json:
            say.document(found.document())
            return
        for part in found.channels:
            _print(part)
        if found.unsettled:
            say.line(f"{found.unsettled} keys and envelopes are still being worked out: the plan may yet change")
        if out is not None:
            say.line(f"written to {out}: `samklang apply {out}` sends exactly that")


def _write(found: Plan, out: Path) -> None:
    import json

    from hub.errors import ConfigError

    try:
        out.write_text(json.dumps(found.document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as bad:
        raise ConfigError(f"cannot be written: {bad.strerror}", str(out)) from None


def _print(part: ChannelPlan) -> None:
    from hub.because import change_words

    paused = f", paused: {part.paused}" if part.paused else ""
    head = f"{part.channel} ({part.mode}{paused}): {len(part.entries)} differences"
    if part.calls.total:
        of = [f"{part.calls.writes} writing"]
        of += [f"{part.calls.look_ups} looking first"] if part.calls.look_ups else []
        of += [f"{part.calls.follows} asking what became of it"] if part.calls.follows else []
        head += f", {part.calls.total} calls ({', '.join(of)}), about {part.seconds} s"
    rows = []
    for entry in part.entries:
        before, after = change_words(entry.key.aspect, entry.before, entry.after)
        aspect = entry.key.aspect + (f" at {entry.key.place}" if entry.key.place else "")
        stands = entry.state + (f" ({entry.words})" if entry.words else "")
        rows.append((entry.key.listing, entry.sku, aspect, before, after, entry.because, stands))
    say.table(("listing", "sku", "aspect", "from", "to", "because", "state"), rows, head)
    if part.waiting:
        say.table(("listing", "sku", "aspect", "why"), part.waiting, f"{part.channel}: {len(part.waiting)} wait")
