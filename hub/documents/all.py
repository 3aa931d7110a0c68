"""All targets of one order, and why it is stuck where it is."""

from __future__ import annotations

from collections.abc import Sequence

from hub.books import DAY
from hub.desired.credit import credits
from hub.desired.crossed import as_it_left
from hub.desired.order import EXPORT, Facts, Saying, facts
from hub.documents.around import Around
from hub.documents.back import told_back
from hub.documents.credited import credited, credited_before
from hub.documents.moved import moved
from hub.documents.placed import Routes, placed
from hub.flow import Key, Target
from hub.store.orders import Order


def documents(
    order: Order, told: Facts, sayings: Sequence[Saying], around: Around, routes: Routes
) -> tuple[dict[Key, Target], str]:
    """The targets of one order, and why it is stuck ("" when it is not); of history there are none."""
    wanted: dict[Key, Target] = {}
    if order.history:
        return wanted, ""
    exported = frozenset(each.channel for each in sayings if each.role == EXPORT)
    stood, crossed = as_it_left(sayings)
    # What left is sold; its birthplace, which knows of fewer pieces, is told back as it sees it.
    left = facts(stood) if stood is not sayings else None
    booked = told if left is None else left._replace(state=told.state)
    given_back = credits(stood, credited_before(order, around) if around.rule(order.channel).pay_refunds else ())
    words = [crossed] if crossed else []
    for name, channel in around.channels.items():
        rule = channel.settings.orders
        if order.channel not in rule.export_from or not around.tells(name, "placed"):
            continue
        books = rule.books.get(order.channel, "each")
        if books == "elsewhere":
            continue
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
    words += sorted({each.words for each in given_back if each.words})
    return wanted, "; ".join(dict.fromkeys(words))
