"""The rule about people: whoever an order is for stands in the one request that needs it, and in nothing that anybody reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hub.canonical.values import Plain
from hub.flow import Change
from hub.kit.order_desk import MARKS, PERSON, Desk, facts_of
from hub.kit.secrecy import FAULTS, listening, words_of
from hub.kit.subject import Subject
from hub.kit.verdict import Rule, demand

LINE_CHARS_MAX: Final = 120
ASKED_TOO_MUCH: Final = "more is asked for than there is"


def no_person_in_words_errors_or_logs_of_an_order(subject: Subject) -> str:
    """Whatever is told of orders, and whatever fails, no person stands in a receipt, an error, a log line or on the terminal."""
    lines = 0
    for words, fault in {**FAULTS, ASKED_TOO_MUCH: {}}.items():
        desk = Desk(subject)
        told = [_prepared(desk, fact, words == ASKED_TOO_MUCH) for fact in facts_of(subject)]
        for name, value in fault.items():
            setattr(desk.stage.sandbox.faults, name, value)
        said: list[str] = []
        with listening() as heard:
            for change in told:
                with words_of(said):
                    said += map(str, desk.connector.send(change.key.aspect, [change]))
                with words_of(said):
                    said += map(str, desk.connector.find(change.key.aspect, [change]))
            said += heard()
        for line in said:
            stands = [mark for mark in MARKS if mark in line.casefold()]
            demand(not stands, f"when {words}, a person stands in: {_without(line)[:LINE_CHARS_MAX]}")
        lines += len(said)
    return f"{lines} receipts, errors and lines looked through in {len(FAULTS) + 1} situations"


def _without(line: str) -> str:
    """The line with a person's fields named: the verdict is read by people as well."""
    for name, value in PERSON.items():
        line = line.replace(value, f"<{name}>")
    return line


def _prepared(desk: Desk, fact: str, too_much: bool) -> Change:
    """A change of this fact for an order of its own; `too_much`: what the platform must refuse."""
    basket = dict.fromkeys(desk.stage.skus, 2)
    if fact == "placed":
        document = desk.document(basket)
        if too_much:
            document["lines"] = [{**line, "listing": "99999999"} for line in document["lines"]]
        return desk.placed(document)
    change = desk.fact(fact, desk.bought(basket, fetched=fact == "ready"), basket)  # type: ignore[arg-type]
    if not too_much:
        return change
    after: dict[str, Plain] = {**change.after, "parts": [{**part, "quantity": 99_000} for part in change.after["parts"]]}
    return replace(change, after={**after, **({"amount_minor": 10**9} if "amount_minor" in after else {})})


RULES: Final[tuple[Rule, ...]] = (no_person_in_words_errors_or_logs_of_an_order,)
