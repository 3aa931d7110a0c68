"""Liars about writing."""

from __future__ import annotations

from liars.liar import CODE, Liar

SHOWS = "each write shows in a later read"
PARTS = "send_in_parts(cut(changes, 1), post)"

LIARS = (
    Liar(
        "believes_every_yes",
        "a success that changes nothing is noticed",
        ((CODE, "if same else (Outcome.REFUSED, SAID_NOTHING)", "if same or True else (Outcome.REFUSED, SAID_NOTHING)"),),
    ),
    Liar(
        "sends_only_the_first_five",
        SHOWS,
        (
            (
                CODE,
                PARTS,
                "send_in_parts(cut(changes[:5], 1), post) + [Receipt(one.id, Outcome.APPLIED) for one in changes[5:]]",
            ),
        ),
    ),
    Liar("loses_a_receipt", SHOWS, ((CODE, PARTS, f"{PARTS}[1:]"),)),
    Liar("says_another_outcome_twice", SHOWS, ((CODE, PARTS, f"[*(done := {PARTS}), *done[:1]]"),)),
    Liar(
        "writes_a_piece_too_many",
        SHOWS,
        (
            (CODE, 'pieces(change.after["raw"])', 'pieces(change.after["raw"] + 1000)'),
            (CODE, 'raw == change.after["raw"]', "raw > 0"),
        ),
    ),
    Liar(
        "fails_the_batch_for_one",
        "one bad change does not fail its neighbours",
        ((CODE, "except (RefusedError, GoneError) as no:", "except ZeroDivisionError as no:"),),
    ),
    Liar(
        "calls_an_unclear_answer_a_refusal",
        "an unclear answer to a write is of unknown outcome",
        ((CODE, 'raise OutcomeUnknownError("answered without the item"', 'raise RefusedError("answered without the item"'),),
    ),
)
