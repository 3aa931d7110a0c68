"""Rules about reading: everything once, nothing lost by a cut, every change seen, and gone means definitely gone."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hub.canonical.json import body_json, read_json
from hub.canonical.values import Plain
from hub.errors import ChannelError
from hub.flow import Aspect, Door, Envelope
from hub.intake.understand import Understood, understand
from hub.kit.stage import PIECES, PRICE, Reading, Stage
from hub.kit.subject import Subject
from hub.kit.verdict import BrokenError, Rule, demand, not_applicable
from hub.sdk.client import READ_TRIES_MAX
from hub.sdk.contract import ReadAsk
from hub.sdk.manifest import Stream

PAGE_SIZES: Final = (1, 2, 3)
CALLS_MAX: Final = 60
BEYOND_SECONDS: Final = 60
"""So much longer than the overlap lies between two pages, so that an overlap hides no mistake."""
HOUR: Final = 3_600


def reading_to_the_end_gives_each_record_once(subject: Subject) -> str:
    """A full reading lists every item exactly once, whatever the page size."""
    stage, counted = subject.stage(), []
    for stream, declared in _streams(stage):
        for size in (*PAGE_SIZES, declared.page_max):
            reading = stage.read(stream, min(size, declared.page_max))
            named = stage.named(stream, reading.records)
            twice = sorted(key for key, times in named.items() if times > 1)
            demand(not twice, f"{stream} in pages of {size}: told more than once: {_words(twice)}")
            _demand_all(stage, stream, reading, f"{stream} in pages of {size}")
            counted.append(reading.pages)
    return f"{len(stage.listings)} items, each once, in readings of {', '.join(map(str, counted))} pages"


def a_cut_read_resumes_without_loss(subject: Subject) -> str:
    """Whichever call of a reading breaks, it is told as a failure, and going on from the last cursor finds everything."""
    cuts = 0
    for stream in subject.manifest.streams:
        calls = _calls_of_a_reading(subject.stage(), stream)
        for call in range(min(calls, CALLS_MAX)):
            stage = subject.stage()
            stage.spy.cut_calls = frozenset(range(call, call + READ_TRIES_MAX))
            reading = _read_on(stage, stream)
            demand(bool(stage.spy.exchanges), f"{stream}: nothing was asked")
            _demand_all(stage, stream, reading, f"{stream}, cut at its call {call + 1} of {calls} and gone on with")
            cuts += 1
    stage = subject.stage()
    for stream in subject.manifest.streams:
        stage.sandbox.faults.cut_next = READ_TRIES_MAX
        _demand_all(stage, stream, _read_on(stage, stream), f"{stream}, cut in the middle of its listing")
        stage.sandbox.faults.cut_next = 0
    return f"{cuts} cuts, no item lost"


def a_record_changed_during_paging_is_seen(subject: Subject) -> str:
    """What changes on a page already read while the rest is read, is found by the next reading."""
    seen = []
    for stream, entity in _numbers(subject):
        stage = subject.stage()
        pause = stage.channel.manifest.streams[stream].overlap_seconds + BEYOND_SECONDS
        page = stage.channel.connector.read(stream, ReadAsk("", True, 2, stage.clock.now()))
        early = _items_of(stage, stream, stage.records(stream, page.body))[0]
        late = next(sku for sku in reversed(stage.skus) if sku != early)

        def meanwhile(number: int, stage: Stage = stage, early: str = early, late: str = late, pause: int = pause) -> None:
            stage.clock.advance(pause)
            if number == 1:
                _edit(stage, early, 1)
            elif number == 2:
                # Something newer on a page still to come: a cursor that takes its time from there skips the first.
                _edit(stage, late, 2)

        first = stage.read(stream, 2, between=meanwhile)
        stage.clock.advance(pause)
        told = stage.figure(stream, _next(stage, stream, first).records, entity, early)
        shown = _edited(entity, stage, early, 1)
        demand(told == shown, f"{stream}: {early} was changed to {shown} after its page was read; the next reading says {told}")
        seen.append(f"{stream} {entity}")
    return f"seen by the next reading of {', '.join(seen)}" if seen else not_applicable("it reads neither stock nor prices")


def a_change_is_seen_by_the_next_poll(subject: Subject) -> str:
    """After a full reading, each poll tells what changed since the one before."""
    seen = []
    for stream, entity in _numbers(subject):
        stage = subject.stage()
        reading = stage.read(stream, stage.channel.manifest.streams[stream].page_max)
        for number, sku in enumerate((stage.skus[-1], stage.skus[0], stage.skus[3]), start=1):
            stage.clock.advance(HOUR)
            _edit(stage, sku, number)
            stage.clock.advance(HOUR)
            reading = _next(stage, stream, reading)
            told, shown = stage.figure(stream, reading.records, entity, sku), _edited(entity, stage, sku, number)
            demand(told == shown, f"{stream}: {sku} was changed to {shown}; the next reading says {told}")
        seen.append(f"{stream} {entity}")
    return f"three changes in three readings of {', '.join(seen)}" if seen else not_applicable("it reads no numbers")


def a_look_up_names_what_is_gone_and_nothing_else(subject: Subject) -> str:
    """A look-up gives the current record of every id that is there, and names as gone only those that are not."""
    stage = subject.stage()
    listed = list(stage.listings.values())
    unknown = next(one for one in ("99999999", "98989898") if one not in listed) if listed[0].isdigit() else "no-such-listing"
    looked = [name for name, stream in _streams(stage) if stream.look_up]
    for stream in looked:
        known = listed if stage.lists(stream) else []
        page = stage.channel.connector.look_up(stream, [*known[:3], unknown])
        found = {listing for _, listing, _ in stage.named(stream, stage.records(stream, page.body))}
        demand(set(known[:3]) <= found, f"{stream}: a listing that is there was asked for and not told")
        demand(unknown in page.gone, f"{stream}: `{unknown}` was never there, and is not named as gone")
        demand(not set(known) & set(page.gone), f"{stream}: named as gone what is there")
    return f"{', '.join(looked)}: what is there told, what is not named" if looked else not_applicable("it has no look-up")


def one_bad_record_does_not_hold_up_its_neighbours(subject: Subject) -> str:
    """A record that makes no sense becomes a dead letter; the others of its page are understood."""
    stage = subject.stage()
    for stream, declared in _streams(stage):
        page = stage.channel.connector.read(stream, ReadAsk("", True, declared.page_max, stage.clock.now()))
        body = read_json(page.body)
        inside = body
        for name in declared.records.split("."):
            inside = inside[name]
        usual = len(stage.told(stream, inside))
        inside.insert(1, {"no": "such record"})
        into = Understood()
        envelope = Envelope(1, stage.channel.name, Door.POLL, stream, "", stage.clock.now(), body_json(body))
        understand(stage.channel, envelope, (), into)
        demand(bool(into.letters), f"{stream}: a record without a single known field was taken without a word")
        demand(len(into.told) == usual, f"{stream}: {len(into.told)} of {usual} statements were understood beside a bad record")
    return "a dead letter for the bad one, the others understood"


def _streams(stage: Stage) -> list[tuple[str, Stream]]:
    return list(stage.channel.manifest.streams.items())


def _numbers(subject: Subject) -> list[tuple[str, str]]:
    """The streams whose records carry a number that people can change: (stream, entity)."""
    return [
        (name, entity)
        for name, stream in subject.manifest.streams.items()
        for entity in (Aspect.PRICE, Aspect.STOCK)
        if entity in [mapping.partition(".")[0] for mapping in stream.maps]
    ]


def _edit(stage: Stage, sku: str, number: int) -> None:
    """A person changes price and stock of one item."""
    stage.hands.set_price(sku, _edited(Aspect.PRICE, stage, sku, number))
    stage.hands.count(sku, int(_edited(Aspect.STOCK, stage, sku, number)), stage.place)


def _edited(entity: str, stage: Stage, sku: str, number: int) -> Decimal:
    return PRICE + stage.skus.index(sku) + 10 * number if entity == Aspect.PRICE else Decimal(PIECES + 10 * number)


def _items_of(stage: Stage, stream: str, records: list[Plain]) -> list[str]:
    by_listing = {listing: sku for sku, listing in stage.listings.items()}
    return [by_listing[listing] for _, listing, _ in stage.named(stream, records) if listing in by_listing]


def _next(stage: Stage, stream: str, before: Reading) -> Reading:
    """The next reading: a poll from where the last one ended, or everything again where the stream is only swept."""
    declared = stage.channel.manifest.streams[stream]
    return stage.read(stream, declared.page_max, before.cursor if declared.poll else "", full=not declared.poll)


def _calls_of_a_reading(stage: Stage, stream: str) -> int:
    stage.read(stream, 2)
    return len(stage.spy.exchanges)


def _read_on(stage: Stage, stream: str) -> Reading:
    """A full reading in pages of two that goes on from the last cursor after each failure."""
    records: list[Plain] = []
    cursor, pages, started = "", 0, stage.clock.now()
    for _ in range(CALLS_MAX):
        try:
            page = stage.channel.connector.read(stream, ReadAsk(cursor, True, 2, started))
        except ChannelError:
            stage.clock.advance(BEYOND_SECONDS)
            continue
        records += stage.records(stream, page.body)
        cursor, pages = page.cursor, pages + 1
        if not page.more:
            return Reading(records, cursor, pages)
    raise BrokenError(f"{stream}: a reading that was cut does not come to an end in {CALLS_MAX} tries")


def _demand_all(stage: Stage, stream: str, reading: Reading, when: str) -> None:
    named = stage.named(stream, reading.records)
    if not stage.lists(stream):
        whole = stage.named(stream, stage.read(stream, stage.channel.manifest.streams[stream].page_max).records)
        demand(set(whole) <= set(named), f"{when}: missing are {_words(sorted(set(whole) - set(named)))}")
        return
    told = {listing for _, listing, _ in named}
    lost = [sku for sku, listing in stage.listings.items() if listing not in told]
    demand(not lost, f"{when}: {len(lost)} of {len(stage.listings)} items are missing ({', '.join(lost[:5])})")


def _words(keys: list[tuple[str, str, str]]) -> str:
    return ", ".join(" ".join(part for part in key if part) for key in keys[:5])


RULES: Final[tuple[Rule, ...]] = (
    reading_to_the_end_gives_each_record_once,
    a_cut_read_resumes_without_loss,
    a_record_changed_during_paging_is_seen,
    a_change_is_seen_by_the_next_poll,
    a_look_up_names_what_is_gone_and_nothing_else,
    one_bad_record_does_not_hold_up_its_neighbours,
)
