"""`samklang align`: the report of a first contact, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from hub.cli import say

if TYPE_CHECKING:
    from hub.cli.place import Place
    from hub.contact.alignment import Alignment, Row
    from hub.contact.matching import Matching
    from hub.contact.report import Report
    from hub.first_reading import Left

ROWS: Final = 20
"""Rows of one kind that are printed; --json tells more."""


def align(
    channel: Annotated[str | None, typer.Argument(help="Only this channel")] = None,
    config: say.ConfigOption = say.HERE,
    read: Annotated[bool, typer.Option("--read", help="First read all that was never read to its end")] = False,
    bind: Annotated[
        Literal["sku", "barcode", "alike"] | None,
        typer.Option("--bind", help="Accept these proposals (of this channel), where exactly one item fits"),
    ] = None,
    wait: say.WaitOption = say.WAIT_SECONDS,
    as_json: say.JsonOption = False,
) -> None:
    """Which listing is which item, whose figures differ and why, and what going live would do; nothing is sent.

    Ends with 1 when something needs a person.
    """
    with say.outcome(as_json):
        from hub.cli.place import opened
        from hub.contact.report import report
        from hub.errors import ConfigError

        if bind is not None and channel is None:
            raise ConfigError("name the channel whose proposals you accept")
        left = _read(config) if read else []
        with opened(config) as place:
            if bind is not None and channel is not None:
                _bind(place, channel, bind, wait, as_json)
            with say.progress("comparing"):
                found = report(place.config, place.manifests, place.database, place.clock.now(), channel)
        if as_json:
            say.document({**found.document(), "left": [each._asdict() for each in left]})
        else:
            _print(found)
            for each in left:
                say.trouble(f"{each.channel} could not be read to its end: {each.why}")
        say.ends(found.needs_a_person or bool(left))


def _read(folder: Path) -> list[Left]:
    """Do the worker's reading, with its lock held, until all is read once."""
    from hub.app import build, http_transports, open_store, open_vault, registry_of
    from hub.check import manifests_of
    from hub.clock import SystemClock
    from hub.contact.report import progress
    from hub.first_reading import read_all
    from hub.paths import data_folder
    from hub.settings.load import load
    from hub.worker import the_only_worker

    config, clock = load(folder), SystemClock()
    registry = registry_of(config)
    manifests = manifests_of(config, registry)
    with the_only_worker(data_folder(config.folder, config.hub.folder)), say.progress("reading") as how_far:
        database = open_store(config, clock, threaded=False)
        try:
            vault = open_vault(config, clock)
            hub = build(config, clock, http_transports(clock), database, vault, registry=registry)

            def tell() -> None:
                under_way = [s for s in database.read(lambda tx: progress(tx, manifests)) if s.state == "under way"]
                how_far(", ".join(f"{s.channel} {s.stream} page {s.pages}" for s in under_way) or "working it out")

            with database.alone(0.0):
                return read_all(hub, tell)
        finally:
            database.close()


def _bind(place: Place, channel: str, which: str, wait: float, as_json: bool) -> None:
    from hub.cli.ask import ask, told
    from hub.contact.matching import matching
    from hub.merge.authority import Authority

    why = {"alike": "looks alike"}.get(which, which)
    found = place.database.read(lambda tx: matching(tx, place.config, Authority(place.config), channel))
    accepted = [
        {"channel": channel, "listing": each.listing, "item": each.items[0][0]}
        for part in found
        for each in part.proposals
        if each.why == why and len(each.items) == 1
    ]
    if not accepted:
        return
    answer = ask(place, "bind_all", {"bindings": accepted}, wait)
    if not answer.fine:
        told(answer, as_json, wait)
    if not as_json:
        say.line(f"{channel}: {len(answer.done)} listings bound")


def _print(found: Report) -> None:
    rows = [(each.channel, each.stream, each.state, each.pages, each.calls) for each in found.streams]
    say.table(("channel", "stream", "state", "pages", "calls"), rows, f"read so far, {found.items} items known")
    if not found.whole:
        say.line("not all is read and worked out yet: what follows is the picture of a moment")
    for channel, orders in found.orders.items():
        say.line(f"{channel}: {orders['history']} orders are history, {orders['carried']} are carried")
    if found.doubled_items:
        say.line(f"items with the same SKU: {', '.join(f'{sku} ({count})' for sku, count in found.doubled_items[:ROWS])}")
    for part in found.matchings:
        say.lines(_matching(part))
    for each in found.alignments:
        _alignment(each)
    for live in found.live:
        changes = ", ".join(f"{count} {state}" for state, count in sorted(live.changes.items())) or "nothing"
        held = "".join(f"; {count} wait at the guard {guard}" for guard, count in sorted(live.held_by.items()))
        took = f", {live.calls} calls, about {live.seconds} s" if live.calls else ""
        say.line(f"{live.channel} ({live.mode}): going live would change {changes}{held}{took}")


def _matching(part: Matching) -> Iterator[str]:
    matched = sum(part.matched.values())
    rest = ", ".join(f"{count} {kind}" for kind, count in sorted(part.counts.items())) or "nothing left over"
    says = " (says which items there are)" if part.names_items else ""
    yield f"{part.channel}{says}: {matched} listings matched; {rest}"
    for each in part.proposals[:ROWS]:
        yield f"  {each.listing} {each.sku or '(no SKU)'}: {each.why}: {', '.join(sku for _, sku in each.items)}"
    for title, pairs in (("ambiguous", part.ambiguous), ("missing", part.missing)):
        yield from (f"  {listing} {sku}: {title}" for listing, sku in pairs[:ROWS])
    yield from (f"  {listing}: no SKU" for listing in part.without_sku[:ROWS])
    yield from (f"  {sku}: on {count} listings" for sku, count in part.duplicates[:ROWS])


def _alignment(each: Alignment) -> None:
    head = (
        f"{each.channel}: {each.agree} figures agree, {each.explained} differ and are explained, {each.unexplained} differ "
        f"without an explanation, {each.waiting} of them wait for a decision"
    )
    columns = ("listing", "sku", "place", "figures", "explained", "should show", "shows", "unexplained", "")
    say.table(columns, [_cells(row) for row in each.rows[:ROWS]], head)


def _cells(row: Row) -> tuple[str, ...]:
    from hub.canonical.values import pieces

    figures = ", ".join(f"{figure.channel} {figure.place} {pieces(figure.on_hand)}" for figure in row.figures)
    parts = ", ".join(f"{what} {pieces(amount)}" for what, amount in row.explained)
    numbers = (pieces(row.should), pieces(row.shown), pieces(row.unexplained))
    return (row.listing, row.sku, row.place, figures, parts, *numbers, "waits" if row.waits else "")
