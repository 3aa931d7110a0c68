"""Rules about movements: a figure goes by the difference that a fact makes, once, and is never set to a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.canonical.values import Plain
from hub.errors import ChannelError, OutcomeUnknownError
from hub.flow import Aspect, Change, Key, Outcome, Receipt
from hub.kit.config import DEPOT, TESTED
from hub.kit.order_desk import MINUTE, TRIES_MAX
from hub.kit.spy import BAD_ANSWERS
from hub.kit.stage import PIECES, THOUSAND, Stage
from hub.kit.subject import Subject
from hub.kit.verdict import BrokenError, Rule, demand, not_applicable

STEPS: Final = ((5, 5), (7, 2), (4, -3), (4, 0), (0, -4))
"""What a fact has moved by then, and by how much the figure goes."""
COUNTED: Final = 50


def a_movement_moves_the_figure_by_the_difference(subject: Subject) -> str:
    """Each sum moves the figure by what it grew or fell; the same again moves nothing; two facts and two items do not mix."""
    stage = _stage(subject)
    sku, other = stage.skus[:2]
    shown, before = stage.stock(sku), None
    for moved, difference in STEPS:
        change = _moved(stage, sku, moved, before, f"m{moved}-{difference}")
        if difference:
            _demand_outcome(_find(stage, change), Outcome.NOT_SENT, "before it was told a movement was looked for")
        for _ in range(2):
            _demand_outcome(_send(stage, change), Outcome.APPLIED, f"moving {moved} by now")
            words = f"from {before} to {moved} moved by now"
            demand(stage.stock(sku) == shown + difference, f"{words}: the figure went from {shown} to {stage.stock(sku)}")
        if difference:
            _demand_outcome(_find(stage, change), Outcome.APPLIED, "a movement that was made was looked for")
        shown, before = shown + difference, moved
        stage.clock.advance(MINUTE)
    _send(stage, _moved(stage, sku, 3, None, "another", fact="books:T2:1"))
    demand(stage.stock(sku) == shown + 3, "a second fact did not move the figure by its own sum")
    demand(stage.stock(other) == PIECES, "another item was moved as well")
    return f"{len(STEPS)} sums of one fact, one of another"


def a_movement_never_sets_a_number(subject: Subject) -> str:
    """What a person counted between two movements stands: the second one goes by its difference from there."""
    stage = _stage(subject)
    sku = stage.skus[0]
    _demand_outcome(_send(stage, _moved(stage, sku, 5, None, "before")), Outcome.APPLIED, "the first movement")
    stage.clock.advance(MINUTE)
    stage.hands.count(sku, COUNTED, stage.place)
    stage.clock.advance(MINUTE)
    _demand_outcome(_send(stage, _moved(stage, sku, 7, 5, "after")), Outcome.APPLIED, "the second movement")
    demand(stage.stock(sku) == COUNTED + 2, f"counted {COUNTED}, then 2 more came: it shows {stage.stock(sku)}")
    return f"{COUNTED} counted and 2 more are {COUNTED + 2}"


def a_movement_whose_answer_was_lost_moves_once(subject: Subject) -> str:
    """Its outcome is unknown until it was looked for; then it is found, and the figure went by it once."""
    stage = _stage(subject)
    before = stage.spy.writes()
    _demand_outcome(_send(stage, _moved(stage, stage.skus[0], 5, None, "clean")), Outcome.APPLIED, "a movement")
    calls = stage.spy.writes() - before
    for number in range(calls):
        for answer in BAD_ANSWERS:
            _settles(_stage(subject), number, answer)
    return f"answers of {calls} writing calls lost or senseless, one by one; moved once"


def _settles(stage: Stage, number: int, bad: bytes | None) -> None:
    """Move while the answer to writing call `number` is lost (None) or says something senseless."""
    sku = stage.skus[0]
    change = _moved(stage, sku, 5, None, "lost")
    stage.spy.spoil(number, bad)
    receipt = _send(stage, change)
    demand(receipt.outcome in (Outcome.UNKNOWN, Outcome.APPLIED), f"after a lost answer a movement is told as {receipt.outcome}")
    for _ in range(TRIES_MAX):
        found = _find(stage, change)
        if found is not None and found.outcome is not Outcome.NOT_SENT:
            break
        _send(stage, change)
    else:
        raise BrokenError("after a lost answer nobody finds the movement")
    _demand_outcome(found, Outcome.APPLIED, "after a lost answer")
    moved = stage.stock(sku) - PIECES
    demand(moved == 5, f"5 pieces were moved and an answer was lost: the figure went by {moved}")


def _stage(subject: Subject) -> Stage:
    if Aspect.MOVEMENT not in subject.manifest.sends:
        not_applicable(subject.manifest.never.get(Aspect.MOVEMENT, "it is told no movements"))
    return subject.stage(2)


def _moved(stage: Stage, sku: str, moved: int, before: int | None, ident: str, fact: str = "books:T1:1") -> Change:
    """The change that by now this fact has moved so many pieces."""
    key = Key(TESTED, stage.listings[sku], Aspect.MOVEMENT, f"{DEPOT}|{fact}")
    known = None if before is None else _sum(before)
    now = stage.clock.now()
    return Change(f"suite-{ident}", key, "an-item", known, _sum(moved), {}, now, stage.place)


def _sum(pieces: int) -> dict[str, Plain]:
    return {"moved": pieces * THOUSAND, "kind": "receipt"}


def _send(stage: Stage, change: Change) -> Receipt:
    try:
        return _only(change, stage.channel.connector.send(change.key.aspect, [change]))
    except OutcomeUnknownError as bad:
        return Receipt(change.id, Outcome.UNKNOWN, bad.message)
    except ChannelError as bad:
        raise BrokenError(f"a movement is told as {type(bad).__name__}: {bad.message}") from bad


def _find(stage: Stage, change: Change) -> Receipt | None:
    stage.clock.advance(float(stage.channel.manifest.sends[change.key.aspect].findable_within_seconds or 0) + 1)
    found = stage.channel.connector.find(change.key.aspect, [change])
    return _only(change, found) if found else None


def _only(change: Change, receipts: Sequence[Receipt]) -> Receipt:
    demand([one.change for one in receipts] == [change.id], f"{len(receipts)} receipts for one movement")
    return receipts[0]


def _demand_outcome(receipt: Receipt | None, wanted: Outcome, when: str) -> None:
    said = "nothing was said" if receipt is None else f"{receipt.outcome} {receipt.words}"
    demand(receipt is not None and receipt.outcome is wanted, f"{when}: {said}, not {wanted}")
    if receipt is not None and wanted is Outcome.APPLIED:
        demand(isinstance(receipt.shows, dict) and "moved" in receipt.shows, f"{when}: the receipt does not show what was moved")


RULES: Final[tuple[Rule, ...]] = (
    a_movement_moves_the_figure_by_the_difference,
    a_movement_never_sets_a_number,
    a_movement_whose_answer_was_lost_moves_once,
)
