"""Rules about writing: it shows, within the batch limit; success is judged by what shows; neighbours do not suffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hub.diff.compare import difference
from hub.errors import ChannelError, OutcomeUnknownError
from hub.flow import Change, Outcome, Receipt
from hub.kit.spy import After, Spy
from hub.kit.stage import TRIED, Stage
from hub.kit.subject import Subject
from hub.kit.verdict import BrokenError, Rule, demand, not_applicable
from hub.sdk.manifest import Send
from hub.sdk.wire import Request, Response

BATCH_MAX: Final = 1_000
"""Of a larger batch this many are tried: more would only be slow."""
IGNORED: Final = 1_000
NEIGHBOURS: Final = 5
NOBODY: Final = ("99999999", "NOBODY0000000000000000XX")
UNCLEAR: Final = (b"", b"null", b"[]", b'"yes"', b'{"', b"<html>maintenance</html>", b"\xff\xfe")


def each_write_shows_in_a_later_read(subject: Subject) -> str:
    """A full batch of every aspect is applied, one receipt each, and both the platform and a later reading show it."""
    done = []
    for aspect, declared in _sends(subject):
        size = min(declared.batch_max, BATCH_MAX)
        stage = subject.stage(size)
        sent = stage.changes(aspect, stage.skus)
        _demand_applied(aspect, stage.send(aspect, sent), sent)
        shown, _ = stage.observed()
        wrong = [change.key.listing for change in sent if difference(aspect, _asked(change), shown.get(change.key)) is not None]
        demand(not wrong, f"{aspect}: applied, but a later reading shows another value for {len(wrong)} of {size}: {wrong[:3]}")
        done.append(f"{aspect} {size} at once")
    return ", ".join(done)


def a_success_that_changes_nothing_is_noticed(subject: Subject) -> str:
    """When the platform says yes and does nothing, the receipt does not say applied."""
    said = []
    for aspect, _ in _sends(subject):
        stage = subject.stage(2)
        sent = stage.changes(aspect, stage.skus)
        stage.sandbox.faults.ignore_writes_next = IGNORED
        try:
            ended = stage.send(aspect, sent)
        except ChannelError as bad:
            ended = {change.id: Receipt(change.id, Outcome.UNKNOWN, bad.message) for change in sent}
        demand("ignored_write" in stage.sandbox.faults.spent, f"{aspect}: no write reached the platform, so nothing was ignored")
        believed = [change for change in sent if ended[change.id].outcome is Outcome.APPLIED]
        demand(not believed, f"{aspect}: {len(believed)} of {len(sent)} writes that changed nothing were called applied")
        said.append(f"{aspect} {ended[sent[0].id].outcome}")
    return ", ".join(said)


def one_bad_change_does_not_fail_its_neighbours(subject: Subject) -> str:
    """In a batch with a listing that nobody knows, all the others are applied and that one is not."""
    said = []
    for aspect, declared in _sends(subject):
        if declared.create or declared.batch_max < 2:
            said.append(f"{aspect} not applicable: {'an unknown listing is made there' if declared.create else 'one by one'}")
            continue
        size = min(NEIGHBOURS, declared.batch_max)
        for nobody in NOBODY:
            for place in {0, size // 2}:
                _one_bad(subject.stage(size), aspect, place, nobody)
        said.append(f"{aspect} {size - 1} of {size}")
    return ", ".join(said) + " applied beside a bad one"


def _one_bad(stage: Stage, aspect: str, place: int, nobody: str) -> None:
    sent = stage.changes(aspect, stage.skus)
    sent[place] = replace(sent[place], key=sent[place].key._replace(listing=nobody), refs=sent[place].refs)
    try:
        ended = stage.send(aspect, sent)
    except ChannelError as bad:
        raise BrokenError(f"{aspect}: one unknown listing failed the whole batch: {type(bad).__name__} {bad.message}") from bad
    _demand_applied(aspect, ended, [change for change in sent if change.key.listing != nobody])
    outcome = ended[sent[place].id].outcome
    demand(outcome is not Outcome.APPLIED, f"{aspect}: a write to a listing that nobody knows was called applied")
    demand(outcome in (Outcome.REFUSED, Outcome.CONFLICT), f"{aspect}: a write to an unknown listing ended as {outcome}")


def an_unclear_answer_to_a_write_is_of_unknown_outcome(subject: Subject) -> str:
    """After a write whose answer makes no sense nothing is claimed: not that it was refused, nor that it was never sent."""
    tried = 0
    for aspect, _ in _sends(subject):
        for body in UNCLEAR:
            stage = subject.stage(1)
            sent = stage.changes(aspect, stage.skus)
            stage.spy.after = _unclear(stage.spy, body)
            words = f"{aspect}: the answer was {body[:20]!r}"
            try:
                outcome = stage.send(aspect, sent)[sent[0].id].outcome
            except OutcomeUnknownError:
                outcome = Outcome.UNKNOWN
            except ChannelError as bad:
                raise BrokenError(f"{words}: told as {type(bad).__name__}, though the write may have happened") from bad
            tried += 1
            if outcome is Outcome.APPLIED:
                # Only one who looked afterwards may say so.
                demand(_looked(stage), f"{words}: called applied without having looked")
                continue
            demand(outcome is Outcome.UNKNOWN, f"{words}: told as {outcome}, though the write may have happened")
    return f"{tried} unclear answers, none of them taken for a yes or a no"


def _unclear(spy: Spy, body: bytes) -> After:
    def after(_: Request, writes: bool, answer: Response) -> Response:
        if not writes:
            return answer
        spy.after = None
        return Response(200, {"content-type": "application/json"}, body)

    return after


def _looked(stage: Stage) -> bool:
    written = [place for place, exchange in enumerate(stage.spy.exchanges) if exchange.writes]
    return any(not exchange.writes for exchange in stage.spy.exchanges[written[0] :])


def _sends(subject: Subject) -> list[tuple[str, Send]]:
    found = [(aspect, declared) for aspect, declared in subject.manifest.sends.items() if aspect in TRIED]
    return found or not_applicable("it writes no stock, price or listing")


def _asked(change: Change) -> dict[str, object]:
    return {name: value for name, value in change.after.items() if name not in ("raw", "own_open")}


def _demand_applied(aspect: str, ended: dict[str, Receipt], sent: Sequence[Change]) -> None:
    left = [ended[change.id] for change in sent if ended[change.id].outcome is not Outcome.APPLIED]
    if left:
        first = left[0]
        raise BrokenError(f"{aspect}: {len(left)} of {len(sent)} were not applied, the first is {first.outcome}: {first.words}")


RULES: Final[tuple[Rule, ...]] = (
    each_write_shows_in_a_later_read,
    a_success_that_changes_nothing_is_noticed,
    one_bad_change_does_not_fail_its_neighbours,
    an_unclear_answer_to_a_write_is_of_unknown_outcome,
)
