"""Rules about what goes wrong: waiting as told, lost answers, refused logins, outages, answers that make no sense."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from hub.errors import ChannelError, UnavailableError
from hub.kit.config import BOOKS, POLL_SECONDS, TESTED
from hub.kit.spy import After
from hub.kit.stage import PIECES, Stage
from hub.kit.subject import Subject
from hub.kit.verdict import BrokenError, Rule, demand, not_applicable
from hub.kit.writing import UNCLEAR
from hub.sdk.contract import ReadAsk
from hub.sdk.wire import Request, Response

WANTED: Final = 4
TOLD_SECONDS: Final = 120
UNTOLD_SECONDS_MIN: Final = 1
RECOVERED_SECONDS: Final = 400
LONG_SECONDS: Final = 1_800
MICROS: Final = 1_000_000
SLEPT_SECONDS_MAX: Final = 10
"""What may pass on the clock while the hub works without having been told to wait: short waits for the pace."""
CALLS_MAX: Final = 150
"""With backoff a dead platform is asked far less often than this."""
ATTEMPTS_FACTOR: Final = 3
"""A lost write is looked up and worked out anew, so attempts are counted over several changes of one key."""
READ_UNCLEAR: Final = tuple(body for body in UNCLEAR if body)


def told_to_wait_it_waits_by_the_clock(subject: Subject) -> str:
    """After a 429 nothing is asked until the time that was told has passed; no attempt is spent, and then it is done."""
    for at_write in (False, True):
        stage = _throttled(subject, str(TOLD_SECONDS), at_write)
        waited = _waited(stage)
        demand(waited >= TOLD_SECONDS, f"told to wait {TOLD_SECONDS} s, it asked again after {waited:.1f} s")
        _demand_done(stage, RECOVERED_SECONDS, "after the wait")
    return f"waited {TOLD_SECONDS} s as told, spent no attempt, then did it"


def a_429_without_a_time_waits_too(subject: Subject) -> str:
    """A 429 that names no time is waited out as well, longer each time, and spends no attempt."""
    waits = []
    for at_write in (False, True):
        stage = _throttled(subject, None, at_write)
        waits.append(_waited(stage))
        demand(waits[-1] >= UNTOLD_SECONDS_MIN, f"asked again {waits[-1]:.1f} s after a 429")
        _demand_done(stage, RECOVERED_SECONDS, "after the wait")
    return f"waited {waits[0]:.0f} s, spent no attempt, then did it"


def an_answer_lost_after_being_applied_has_one_effect(subject: Subject) -> str:
    """When an answer is lost the next thing is to look: the write is never sent again blindly, and shows exactly once."""
    calls = []
    for aspect in ("stock", "price"):
        stage = _working(subject)
        if aspect not in stage.channel.manifest.sends:
            continue
        stage.aspect = aspect
        before = stage.spy.writes()
        stage.decide(stage.skus[0], WANTED)
        stage.run(RECOVERED_SECONDS)
        demand(stage.shows(stage.skus[0], WANTED), f"the {aspect} did not arrive at all")
        calls.append(stage.spy.writes() - before)
        for lost in range(calls[-1]):
            _lose(subject, aspect, lost)
    return f"each of {' and '.join(map(str, calls))} writing calls lost once: looked first, one effect"


def _lose(subject: Subject, aspect: str, lost: int) -> None:
    stage = _working(subject)
    stage.aspect = aspect
    sku, seen, before = stage.skus[0], [], len(stage.spy.exchanges)
    shown: list[bool] = []

    def count(_: Request, writes: bool) -> None:
        if writes:
            seen.append(len(stage.spy.exchanges))
            if len(seen) == lost + 1:
                stage.sandbox.faults.lose_answer_next = 1

    stage.spy.before = count
    stage.sandbox.seam = lambda _: shown.append(stage.shows(sku, WANTED))
    stage.decide(sku, WANTED)
    stage.run(RECOVERED_SECONDS)
    demand(stage.sandbox.faults.spent.get("lost_answer", 0) == 1, "no write was made whose answer could be lost")
    demand(stage.shows(sku, WANTED), "after a lost answer the platform never showed what it should")
    following = stage.spy.exchanges[seen[lost] + 1 :]
    demand(bool(following), "after a lost answer nobody looked what had become of it")
    demand(not following[0].writes, "after a lost answer the next call was another write: it was not looked up first")
    applied = shown[seen[lost] - before] if seen[lost] - before < len(shown) else False
    again = sum(exchange.writes for exchange in following)
    demand(not (applied and again), f"the write had been applied, and {again} more were sent")
    turns = sum(one != other for one, other in pairwise(shown))
    demand(turns <= 1, f"what was shown changed {turns} times: the effect took place more than once")
    demand(not stage.open_changes(), "after a lost answer a change stays open")


def a_refused_login_pauses_this_channel_only(subject: Subject) -> str:
    """Once the platform does not know us, it is asked no more until a person has mended it; the other channel goes on."""
    for at_work in (False, True):
        stage = _working(subject) if at_work else subject.settled()
        stage.sandbox.faults.unauthorized = True
        if at_work:
            stage.decide(stage.skus[0], WANTED)
        stage.run(2 * POLL_SECONDS)
        demand(bool(stage.paused(TESTED)), "the platform refuses our login, and the channel is not paused")
        demand(not stage.paused(BOOKS), "another channel was paused as well")
        asked, others = len(stage.spy.exchanges), len(stage.books.calls)
        stage.run(LONG_SECONDS)
        more = len(stage.spy.exchanges) - asked
        demand(more == 0, f"a paused channel was asked {more} times in half an hour")
        demand(len(stage.books.calls) > others, "the other channel stopped as well")
        stage.sandbox.faults.unauthorized = False
        stage.resume()
        if at_work:
            _demand_done(stage, RECOVERED_SECONDS, "after the login was mended")
    return "paused, silent for half an hour, the other went on; mended, it caught up"


def an_outage_is_retried_within_the_limit(subject: Subject) -> str:
    """A platform that answers 500, or not at all, is asked with growing pauses and bounded attempts; then it catches up."""
    told = []
    for down in (False, True):
        stage = _working(subject)
        stage.sandbox.faults.fail_next, stage.sandbox.faults.down = 10**9, down
        stage.decide(stage.skus[0], WANTED)
        before = len(stage.spy.exchanges)
        stage.run(LONG_SECONDS)
        calls = len(stage.spy.exchanges) - before
        demand(0 < calls <= CALLS_MAX, f"{calls} calls in half an hour to a platform that is out of order")
        demand(not stage.paused(TESTED), "an outage is no refused login: the channel must go on by itself")
        stage.sandbox.faults.fail_next, stage.sandbox.faults.down = 0, False
        _demand_done(stage, RECOVERED_SECONDS, "after the outage")
        told.append(str(calls))
    return f"{' and '.join(told)} calls in half an hour of outage, then it caught up"


def writes_that_always_fail_end(subject: Subject) -> str:
    """A platform that reads well and answers every write with 500 is not written to for ever: attempts are counted."""
    stage = _working(subject)
    limit = subject.manifest.limits.attempts_max * ATTEMPTS_FACTOR

    def fail(_: Request, writes: bool) -> None:
        stage.sandbox.faults.fail_next = 1 if writes else 0

    stage.spy.before = fail
    before = stage.spy.writes()
    stage.decide(stage.skus[0], WANTED)
    stage.run(LONG_SECONDS)
    tried = stage.spy.writes() - before
    demand(0 < tried <= limit, f"{tried} writes in half an hour to a platform that fails each: {limit} would be enough")
    return f"{tried} writes in half an hour"


def a_malformed_answer_is_a_clear_refusal(subject: Subject) -> str:
    """An answer to a read that makes no sense is told as unavailable: never as an empty listing, never as a crash."""
    tried = 0
    for stream, declared in subject.manifest.streams.items():
        calls = _calls(subject, stream)
        for body in READ_UNCLEAR:
            # Every call of a reading is answered with one kind of nonsense, the last one with all kinds.
            for call in range(0 if body == READ_UNCLEAR[0] else calls - 1, calls):
                stage = subject.stage(2)
                stage.spy.after = _from(stage, call, body)
                _demand_unavailable(stage, stream, f"call {call + 1} of a reading was answered with {body[:20]!r}")
                tried += 1
            if declared.look_up:
                stage = subject.stage(2)
                stage.spy.after = _from(stage, 0, body)
                _demand_unavailable(stage, stream, f"a look-up was answered with {body[:20]!r}", look_up=True)
                tried += 1
        stage = subject.stage(2)
        stage.sandbox.faults.garbage_next = 10**9
        _demand_unavailable(stage, stream, "answered with a page for people")
    return f"{tried} senseless answers, each told as unavailable"


def an_endless_answer_is_cut_off(subject: Subject) -> str:
    """An answer without an end is cut at the byte limit and told as unavailable."""
    for stream in subject.manifest.streams:
        stage = subject.stage(2)
        stage.sandbox.faults.endless_next = 10**9
        _demand_unavailable(stage, stream, "answered without an end")
        demand(stage.spy.cut_off > 0, f"{stream}: an endless answer was taken in whole")
    return f"cut at {subject.manifest.limits.answer_bytes_max} bytes"


def _working(subject: Subject) -> Stage:
    """A hub at rest that is made to write by `decide`; not applicable where the connector writes no numbers."""
    stage = subject.settled()
    if not stage.aspect:
        not_applicable("it writes neither stock nor prices, so the hub has nothing to send")
    if not all(stage.shows(sku, PIECES if stage.aspect == "stock" else 0) for sku in stage.skus):
        raise BrokenError(f"after the first reading it does not show what it should; {'; '.join(stage.dead_letters()[:2])}")
    return stage


def _throttled(subject: Subject, told: str | None, at_write: bool) -> Stage:
    """A stage whose next call, or next write, is answered with 429, and which has just got something to write."""
    stage = _working(subject)
    stage.sandbox.faults.throttle_retry_after = told

    def throttle(_: Request, writes: bool) -> None:
        if writes or not at_write:
            stage.sandbox.faults.throttle_next, stage.spy.before = 1, None

    stage.spy.before = throttle
    stage.decide(stage.skus[0], WANTED)
    return stage


def _waited(stage: Stage) -> float:
    """Seconds between the 429 and the next call; nobody may sleep, and no attempt may be spent, meanwhile."""
    begun = stage.clock.now()
    stage.run(0)
    slept = (stage.clock.now() - begun) / MICROS
    demand(slept <= SLEPT_SECONDS_MAX, f"{slept:.0f} s were slept: a wait belongs into the hub's clock, other channels go on")
    demand(stage.sandbox.faults.spent.get("throttled", 0) == 1, "nothing was asked, so nothing was throttled")
    spent = [change.attempts for change in stage.open_changes()]
    demand(bool(spent), "after a 429 the change is no longer there to be sent")
    demand(not any(spent), f"a 429 spent {max(spent)} attempts")
    asked = len(stage.spy.exchanges)
    stopped = stage.spy.exchanges[-1].at
    stage.run(RECOVERED_SECONDS)
    demand(len(stage.spy.exchanges) > asked, f"nothing was asked any more in {RECOVERED_SECONDS} s after a 429")
    return (stage.spy.exchanges[asked].at - stopped) / MICROS


def _demand_done(stage: Stage, seconds: int, when: str) -> None:
    stage.run(seconds)
    demand(stage.shows(stage.skus[0], WANTED), f"{when} the platform does not show what it should")
    states = [change.state for change in stage.open_changes()]
    demand(not states, f"{when} changes stay open: {', '.join(states)}")
    demand(not stage.dead_letters(), f"{when} there are dead letters: {stage.dead_letters()[:2]}")


def _calls(subject: Subject, stream: str) -> int:
    stage = subject.stage(2)
    stage.read(stream, stage.channel.manifest.streams[stream].page_max)
    return len(stage.spy.exchanges)


def _from(stage: Stage, call: int, body: bytes) -> After:
    """From this call on every answer is this body."""

    def after(_: Request, _writes: bool, answer: Response) -> Response:
        here = len(stage.spy.exchanges) > call
        return Response(200, {"content-type": "application/json"}, body) if here else answer

    return after


def _demand_unavailable(stage: Stage, stream: str, words: str, *, look_up: bool = False) -> None:
    connector, declared = stage.channel.connector, stage.channel.manifest.streams[stream]
    try:
        if look_up:
            page = connector.look_up(stream, [stage.listings[stage.skus[0]]])
        else:
            page = connector.read(stream, ReadAsk("", True, declared.page_max, stage.clock.now()))
    except UnavailableError:
        return
    except ChannelError as bad:
        raise BrokenError(f"{stream}: {words}; told as {type(bad).__name__}, whose next step is another: {bad.message}") from bad
    except Exception as bad:
        raise BrokenError(f"{stream}: {words}; it broke with {type(bad).__name__}: {bad}") from bad
    count = len(stage.records(stream, page.body))
    raise BrokenError(f"{stream}: {words}; taken for a page of {count} records, {len(page.gone)} gone")


RULES: Final[tuple[Rule, ...]] = (
    told_to_wait_it_waits_by_the_clock,
    a_429_without_a_time_waits_too,
    an_answer_lost_after_being_applied_has_one_effect,
    a_refused_login_pauses_this_channel_only,
    an_outage_is_retried_within_the_limit,
    writes_that_always_fail_end,
    a_malformed_answer_is_a_clear_refusal,
    an_endless_answer_is_cut_off,
)
