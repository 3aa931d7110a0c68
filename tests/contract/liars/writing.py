"""Liars about writing."""

from __future__ import annotations

from liars.liar import CODE, Liar

SHOWS = "each write shows in a later read"
LOOP = "        for place, change in enumerate(changes):\n"

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
                LOOP,
                LOOP + "            if place >= 5:\n"
                "                receipts.append(Receipt(change.id, Outcome.APPLIED))\n                continue\n",
            ),
        ),
    ),
    Liar("loses_a_receipt", SHOWS, ((CODE, "        return receipts\n", "        return receipts[1:]\n"),)),
    Liar("says_another_outcome_twice", SHOWS, ((CODE, "        return receipts\n", "        return receipts + receipts[:1]\n"),)),
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
        ((CODE, "except (RefusedError, GoneError) as bad:", "except ZeroDivisionError as bad:"),),
    ),
    Liar(
        "calls_an_unclear_answer_a_refusal",
        "an unclear answer to a write is of unknown outcome",
        ((CODE, 'raise OutcomeUnknownError("answered without the item"', 'raise RefusedError("answered without the item"'),),
    ),
)
