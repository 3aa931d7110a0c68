"""`samklang status`: how everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.cli import say

if TYPE_CHECKING:
    from hub.status import Status


def status(config: say.ConfigOption = say.HERE, as_json: say.JsonOption = False) -> None:
    """Channels, what waits, what needs a person, who works, how large the store is. Ends with 0."""
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.status import status as standing
        from hub.worker import worker_alive

        with opened(config) as place:
            working = worker_alive(place.data)
            found = standing(place.config, place.manifests, place.database, place.clock.now(), working=working)
        if as_json:
            say.document(found.document())
        else:
            _print(found)


def _print(found: Status) -> None:
    rows = []
    for each in found.channels:
        open_changes = ", ".join(f"{count} {state}" for state, count in each.changes.items()) or "none"
        listings = ", ".join(f"{count} {state}" for state, count in each.listings.items()) or "none"
        paused = (each.paused or "no") + (f", {each.failures} failures in a row" if each.failures else "")
        rows.append((each.channel, each.mode, paused, open_changes, f"{each.lag_seconds} s", listings, each.tokens))
    say.table(("channel", "mode", "paused", "changes", "lag", "listings", "pace left"), rows, f"at {found.at}")
    streams = [
        (each.channel, one.stream, _time(one.polled_at, one.polls), _time(one.swept_at), "late" if one.late else "")
        for each in found.channels
        for one in each.streams
    ]
    say.table(("channel", "stream", "polled", "swept", ""), streams, "streams")
    for each in found.channels:
        for words in each.notices:
            say.line(f"{each.channel}: {words}")
    at_work = "at work" if found.working else "not at work"
    say.line(f"worker {at_work}; dirty {found.dirty}, inbox {found.inbox_waiting}, look-ups {found.look_ups}")
    say.line(f"dead letters {found.dead_letters}, holds {len(found.holds)}, store {found.store_bytes // 1024} KiB")
    if found.oversells:
        say.line(f"oversold {found.oversold} items now, {found.oversells} times in all: `samklang oversells`")
    if found.movements_open:
        say.line(f"movements open {found.movements_open}: `samklang movements --open`")
    for hold in found.holds:
        say.line(f"held {hold['id']} {hold['channel']} {hold['guard']}: {hold['words']}")
    if found.ticks:
        say.line("ticks " + ", ".join(f"{count} {kind}" for kind, count in found.ticks.items()))


def _time(at: str, wanted: bool = True) -> str:
    return at or ("never" if wanted else "-")
