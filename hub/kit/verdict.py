"""What a rule says: held, broken with evidence, or not applicable and why. No rule ever vanishes in silence."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

if TYPE_CHECKING:
    from hub.kit.subject import Subject

EVIDENCE_CHARS_MAX: Final = 600


class Verdict(NamedTuple):
    """Whether the connector keeps this rule, and what shows it."""

    rule: str
    held: bool
    evidence: str


class BrokenError(Exception):
    """The rule is broken; the words are the evidence."""


class NotApplicableError(Exception):
    """The rule does not concern this connector; the words say why."""


Rule = Callable[["Subject"], str]
"""Gives the evidence that the rule is kept; its name is the function's."""


def not_applicable(why: str) -> NoReturn:
    """Say that the rule does not concern this connector."""
    raise NotApplicableError(why)


def demand(holds: bool, words: str) -> None:
    """Broken with these words unless it holds."""
    if not holds:
        raise BrokenError(words)


def rule_name(rule: Rule) -> str:
    """The rule's name as people read it."""
    return rule.__name__.replace("_", " ")


def judge(rule: Rule, subject: Subject) -> Verdict:
    """The verdict of one rule; whatever breaks while it is tried is a broken rule, with the place where it broke."""
    name = rule_name(rule)
    quiet = logging.root.manager.disable
    # The hub warns of every failure that a rule makes happen; only the rule about log lines wants to hear.
    logging.disable(logging.CRITICAL)
    try:
        return Verdict(name, True, rule(subject)[:EVIDENCE_CHARS_MAX])
    except NotApplicableError as why:
        return Verdict(name, True, f"not applicable: {why}")
    except BrokenError as bad:
        return Verdict(name, False, str(bad)[:EVIDENCE_CHARS_MAX])
    except Exception as bad:
        return Verdict(name, False, f"{type(bad).__name__} in {_place(bad)}: {bad}"[:EVIDENCE_CHARS_MAX])
    finally:
        logging.disable(quiet)


def _place(bad: BaseException) -> str:
    frames = traceback.extract_tb(bad.__traceback__)
    last = frames[-1] if frames else None
    return f"{Path(last.filename).parent.name}/{Path(last.filename).name}:{last.lineno}" if last else "an unknown place"
