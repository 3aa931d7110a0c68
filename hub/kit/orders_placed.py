"""Rules about documents: made once, found again by our number, corrected where they are, refused where two have one number."""

from __future__ import annotations

from typing import Final

from hub.canonical.order import MoneyError, conserved
from hub.flow import Outcome, Receipt
from hub.kit.order_desk import NUMBER, PERSON, Desk, Said, applied, numbered, pieces_shown, takes
from hub.kit.subject import Subject
from hub.kit.verdict import BrokenError, Rule, demand

PIECES: Final = 3
FEWER: Final = 2


def a_document_is_made_once_and_found_again(subject: Subject) -> str:
    """What is not there is not found; once made it is found, told with our number, and the same again makes no second one."""
    takes(subject, "placed")
    desk = Desk(subject)
    first, second = desk.stage.skus[:2]
    change = desk.placed(desk.document({first: PIECES, second: 1}))
    nothing = desk.find(change)
    demand(nothing is not None and nothing.outcome is Outcome.NOT_SENT, f"before it was made it was found: {_words(nothing)}")
    made = applied(desk.send(change), "making the document")
    demand(len(numbered(desk)) == 1, f"made once, {len(numbered(desk))} records there carry its number")
    their = numbered(desk)[0]
    found = applied(desk.find(change), "looking for it")
    again = applied(desk.send(change), "the same once more")
    demand(len(numbered(desk)) == 1, f"told twice, {len(numbered(desk))} records there carry its number")
    named = {receipt.shows["their"] for receipt in (made, found, again)}
    demand(named == {their}, f"receipts show {sorted(map(str, named))}, it is {their} there")
    shown = desk.shown()[their]
    wanted = {first: PIECES, second: 1}
    demand(pieces_shown(shown) == wanted, f"asked for {wanted}, there are {pieces_shown(shown)}")
    demand(
        shown["total_minor"] == change.after["total_minor"], f"{shown['total_minor']} there, {change.after['total_minor']} here"
    )
    _demand_told(desk, their)
    other = desk.placed(desk.document({first: 1}, number=f"{NUMBER}/other"), ident="other")
    nobody = desk.find(other)
    demand(nobody is not None and nobody.outcome is Outcome.NOT_SENT, "a number that only begins alike was found")
    return "made once, found by our number, told with it"


def two_documents_of_one_number_are_refused_with_words(subject: Subject) -> str:
    """Where two records carry our number nobody can say which is meant: both looking and sending refuse, and make no third."""
    takes(subject, "placed")
    desk = Desk(subject)
    sku, sandbox = desk.stage.skus[0], desk.stage.sandbox
    for _ in range(2):
        try:
            sandbox.order({sku: 1}, place=desk.stage.place, reference=NUMBER)  # type: ignore[attr-defined]
        except (AttributeError, TypeError) as bad:
            raise BrokenError("the small platform has no hand `order(…, reference=…)` by which a person types a number") from bad
    desk.stage.clock.advance(60)
    demand(len(numbered(desk)) == 2, f"a hand typed our number twice, {len(numbered(desk))} records show it")
    change = desk.placed(desk.document({sku: 1}))
    for verb, receipt in (("looking", desk.find(change)), ("sending", desk.send(change))):
        demand(receipt is not None and receipt.outcome is Outcome.REFUSED, f"{verb} said {_words(receipt)}")
        demand(receipt is not None and bool(receipt.words), f"{verb} was refused without a word")
    demand(len(numbered(desk)) == 2, "a third record was made")
    return "refused with words"


def a_corrected_document_stays_one_record(subject: Subject) -> str:
    """Fewer pieces, then none: the record that is there follows, or it is refused with words and stays; there is no second."""
    takes(subject, "placed")
    desk = Desk(subject)
    sku = desk.stage.skus[0]
    documents = (desk.document({sku: PIECES}), desk.document({sku: FEWER}), desk.document({sku: PIECES}, over=True))
    before: Said | None = None
    said, left = [], 0
    for number, (after, pieces) in enumerate(zip(documents, (PIECES, FEWER, 0), strict=True)):
        for _ in range(2):
            receipt = desk.send(desk.placed(after, before, f"correction-{number}"))
            demand(len(numbered(desk)) == 1, f"corrected to {pieces} pieces, {len(numbered(desk))} records carry its number")
            shown = pieces_shown(desk.shown()[numbered(desk)[0]]).get(sku, 0)
            if number and receipt.outcome is Outcome.REFUSED and receipt.words:
                demand(shown == left, f"refused, and yet there are {shown} pieces where there were {left}")
                continue
            applied(receipt, f"correcting it to {pieces} pieces")
            demand(shown == pieces, f"applied, and there are {shown} pieces instead of {pieces}")
        if receipt.outcome is Outcome.APPLIED:
            applied(desk.find(desk.placed(after, before, f"correction-{number}")), f"looking for it with {pieces} pieces")
            before, left = after, pieces
        said.append(f"{pieces} pieces {receipt.outcome}")
    return ", ".join(said) + "; one record"


def _demand_told(desk: Desk, their: str) -> None:
    """The platform's own stream tells it as ours."""
    told = desk.looked_up(their)
    if told is None:
        raise BrokenError("the platform does not tell the document that it has")
    demand(told.get("reference") == NUMBER, f"it is told with the reference {told.get('reference')}, ours is {NUMBER}")
    try:
        conserved(told)
    except MoneyError as bad:
        raise BrokenError(f"the document as they tell it does not add up: {bad}") from bad
    stands = [name for name, value in PERSON.items() if len(value) > 4 and value in str(told)]
    demand(not stands, f"the document as they tell it names its person: {', '.join(stands)}")


def _words(receipt: Receipt | None) -> str:
    return "nothing" if receipt is None else f"{receipt.outcome} {receipt.words}"


RULES: Final[tuple[Rule, ...]] = (
    a_document_is_made_once_and_found_again,
    two_documents_of_one_number_are_refused_with_words,
    a_corrected_document_stays_one_record,
)
