"""All targets of one order, why it is stuck where it is, and what only a person can do for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.books import DAY
from hub.desired.credit import credits
from hub.desired.crossed import as_it_left, called_off
from hub.desired.order import EXPORT, Facts, Saying, facts
from hub.documents.around import Around
from hub.documents.back import told_back
from hub.documents.credited import credited, credited_before
from hub.documents.moved import moved
from hub.documents.placed import Routes, placed
from hub.flow import Key, Target
from hub.store.orders import Order


class Documents(NamedTuple):
    """What other systems are to know of an order; `words` is why it is stuck, `by_hand` what is for a person ("" mostly)."""

    wanted: dict[Key, Target]
    words: str
    by_hand: str


def documents(order: Order, told: Facts, sayings: Sequence[Saying], around: Around, routes: Routes) -> Documents:
    """All that is made of one order; of history there is nothing."""
    wanted: dict[Key, Target] = {}
    if order.history:
        return Documents(wanted, "", "")
    exported = frozenset(each.channel for each in sayings if each.role == EXPORT)
    stood, crossed = as_it_left(sayings)
    # What left is sold; its birthplace, which knows of fewer pieces, is told back as it sees it.
    left = facts(stood) if stood is not sayings else None
    booked = told if left is None else left._replace(state=told.state)
    given_back = credits(stood, credited_before(order, around) if around.rule(order.channel).pay_refunds else ())
    words: list[str] = []
    in_books = False
    for name, channel in around.channels.items():
        rule = channel.settings.orders
        if order.channel not in rule.export_from or not around.tells(name, "placed"):
            continue
        books = rule.books.get(order.channel, "each")
        if books == "elsewhere":
            continue
        in_books |= name in exported
        daily = books == "daily" and told.state == "ended" and DAY not in told.origin.record
        found: dict[Key, Target] = {}
        if not daily:
            found, stuck = placed(order, booked, name, around, routes, exported)
            wanted.update(found)
            words += [stuck] if stuck else []
        if name in exported or found or daily:
            # What came back over the same counter stands in the day's book as well.
            due = [each for each in given_back if not (daily and each.by_record and each.teller == order.channel)]
            found, stuck = credited(order, booked, name, due, around)
            wanted.update(found)
            words += [stuck] if stuck else []
    if DAY not in told.origin.record:
        wanted.update(told_back(order, told, sayings, given_back, around, dict(wanted)))
    wanted.update(moved(order, told, around, routes))
    crossed = (crossed or called_off(sayings, told, given_back)) if in_books else ""
    by_hand = [*([crossed] if crossed else []), *sorted({each.words for each in given_back if each.words})]
    return Documents(wanted, "; ".join(dict.fromkeys(words)), "; ".join(by_hand))
