"""Rules about orders that are read: each once, whole and adding up, every change seen, and no person outside the party."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from hub.canonical.json import write_json
from hub.canonical.order import ORDER_STATES, MoneyError, conserved
from hub.canonical.values import Plain
from hub.errors import UnmappableError
from hub.flow import Aspect, Door, Envelope
from hub.intake.understand import Understood, understand
from hub.kit.config import TESTED
from hub.kit.order_desk import MARKS, Desk, Said, order_stream, pieces_shown
from hub.kit.stage import THOUSAND
from hub.kit.subject import Subject
from hub.kit.verdict import BrokenError, Rule, demand, not_applicable
from hub.mapping.mapping import CompiledMapping
from hub.mapping.schema import Cell, Way
from hub.sdk.contract import ReadAsk

PAGE_SIZES: Final = (1, 2)
ORDERS: Final = 3
HOUR: Final = 3_600
BACK: Final = Decimal("1.00")
TABLES: Final = re.compile(r"lookup\([^()]*(?:\([^()]*\)[^()]*)*,\s*'(\w+)'\s*\)")
"""The tables that an expression looks into."""
NO_STATE: Final = "NO SUCH STATE"


def an_order_is_told_once_and_adds_up(subject: Subject) -> str:
    """Whatever the page size each order is told once, by its own id, with every piece of it, and its money is conserved."""
    stream, desk = order_stream(subject), _born(subject)
    first, second = desk.stage.skus[:2]
    bought = [desk.bought({first: 2, second: 1}) for _ in range(ORDERS)]
    truth = desk.shown()
    for size in (*PAGE_SIZES, subject.manifest.streams[stream].page_max):
        records = desk.stage.read(stream, size).records
        told = [value for entity, value in desk.stage.told(stream, records) if entity == Aspect.ORDER]
        for their in bought:
            mine = [order for order in told if order["order"] == their]
            demand(len(mine) == 1, f"in pages of {size} an order is told {len(mine)} times")
            _demand_whole(desk, mine[0], truth[their])
            demand(desk.looked_up(their) == mine[0], "a look-up tells the order otherwise than the reading")
    return f"{ORDERS} orders of two lines, each once, adding up to the minor unit"


def a_changed_order_is_seen(subject: Subject) -> str:
    """Paid, shipped, cancelled, edited, paid back: the next poll tells the order as a look-up does, and no longer as before."""
    order_stream(subject)
    seen: list[str] = []
    never: list[str] = []
    for words, act in _ACTS.items():
        (seen if _is_seen(_born(subject), words, act) else never).append(words)
    demand(bool(seen), f"no hand of the small platform changes an order: {', '.join(never)}")
    return f"seen when {', '.join(seen)}" + (f"; not done there: {', '.join(never)}" if never else "")


def every_state_of_an_order_is_mapped_by_name(subject: Subject) -> str:
    """What a platform's state means stands in a table, row by row, in our words and without an `else`; another is refused."""
    stream, desk = order_stream(subject), _born(subject)
    desk.bought({desk.stage.skus[0]: 1})
    rows = 0
    for name in subject.manifest.streams[stream].maps:
        mapping = desk.stage.channel.mappings.mappings[name]
        if mapping.document.maps.partition(".")[0] != Aspect.ORDER:
            continue
        state = mapping.document.fields.get("state")
        found = _tables(state) if state is not None else []
        demand(bool(found), f"{name}: the state of an order is not looked up in a table")
        for table in [mapping.document.tables[one] for one in found]:
            demand(table.otherwise is None, f"{name}: the table `{table.name}` has an `else`: a new state would pass unseen")
            strange = sorted(set(map(str, table.rows.values())) - set(ORDER_STATES))
            demand(not strange, f"{name}: the table `{table.name}` says {', '.join(strange)}, which is no state of ours")
            rows += len(table.rows)
        words = {row for one in found for row in mapping.document.tables[one].rows}
        _demand_refused(desk, mapping, words, _reads(state) if state is not None else set())
    return f"{rows} states, each by name"


def a_person_stands_in_the_party_alone(subject: Subject) -> str:
    """Who bought is told as the party of the order; nothing of it stands in the order itself, nor in a cursor."""
    stream, desk = order_stream(subject), _born(subject)
    desk.bought({desk.stage.skus[0]: 1})
    reading = desk.stage.read(stream, subject.manifest.streams[stream].page_max)
    told = desk.stage.told(stream, reading.records)
    party = "".join(write_json(value).casefold() for entity, value in told if entity == "party")
    demand(MARKS[0] in party, "nobody is told as the party of an order that a person placed")
    for entity, value in [*told, ("a cursor", reading.cursor)]:
        if entity != "party":
            stands = [mark for mark in MARKS if mark in write_json(value).casefold()]
            demand(not stands, f"a person stands in what is told as {entity}: {_where(value)}")
    return "told as the party, and nowhere else"


def what_is_delivered_of_an_order_names_it(subject: Subject) -> str:
    """When an order is placed, and when it is called off, a delivery brings it, or names it so that it is looked up."""
    stream, declared = order_stream(subject), subject.manifest.deliveries
    if declared is None or not any(topic.stream == stream for topic in declared.topics.values()):
        not_applicable("its deliveries tell of no orders")
    desk = _born(subject)
    desk.stage.sandbox.outbox.clear()
    their = desk.bought({desk.stage.skus[0]: 1})
    _demand_named(desk, their, "placed")
    desk.stage.sandbox.cancel(their)  # type: ignore[attr-defined]
    _demand_named(desk, their, "called off")
    return "brought or named when placed and when called off"


def _demand_named(desk: Desk, their: str, when: str) -> None:
    into, topics = Understood(), []
    while desk.stage.sandbox.outbox:
        request = desk.stage.sandbox.outbox.popleft()
        topics.append(desk.stage.verified(TESTED, request).topic)
        envelope = Envelope(1, TESTED, Door.HOOK, "", topics[-1], desk.stage.clock.now(), request.body)
        understand(desk.stage.channel, envelope, (), into)
    demand(not into.letters, f"{when}: a delivery was not understood: {into.letters[0].reason if into.letters else ''}")
    named = [ident for _, stream, ident, _ in into.look_ups if stream == desk.stream]
    named += [str(told.value["order"]) for told in into.told if told.entity == Aspect.ORDER]
    words = ", ".join(sorted(set(topics))) or "nothing"
    demand(their in named, f"{when}: delivered was {words}, and nothing of it names the order")


def _born(subject: Subject) -> Desk:
    """A desk at a platform on which orders are born, or are put by whoever works there."""
    desk = Desk(subject)
    if not hasattr(desk.stage.sandbox, "order"):
        raise BrokenError("it tells of orders, and its small platform has no hand `order` that places one")
    return desk


def _demand_whole(desk: Desk, order: Said, truth: Mapping[str, Plain]) -> None:
    try:
        conserved(order)
    except MoneyError as bad:
        raise BrokenError(f"the money of an order is not conserved: {bad}") from bad
    demand(order["total_minor"] == truth["total_minor"], f"told as {order['total_minor']}, it costs {truth['total_minor']}")
    demand(order["state"] in ORDER_STATES, f"{order['state']} is no state of ours")
    by_listing = {listing: sku for sku, listing in desk.stage.listings.items()}
    told: dict[str, int] = {}
    for line in order["lines"]:
        sku = by_listing.get(str(line.get("listing")), "")
        told[sku] = told.get(sku, 0) + line["quantity"] - (line.get("cancelled") or 0)
    wanted = {sku: pieces * THOUSAND for sku, pieces in pieces_shown(truth).items()}
    demand(told == wanted, f"told are thousandths {told} of our listings, the order is {wanted}")
    names = [line["line"] for line in order["lines"]]
    demand(len(names) == len(set(names)), "two lines of an order have one id")


def _is_seen(desk: Desk, words: str, act: Callable[[Desk, str], None]) -> bool:
    """Whether the platform knows this act; broken when it does and it is not seen."""
    stream = desk.stream
    first, second = desk.stage.skus[:2]
    their = desk.bought({first: 3, second: 2}, paid=words not in _UNPAID)
    page_max = desk.stage.channel.manifest.streams[stream].page_max
    cursor = desk.stage.read(stream, page_max).cursor
    before, truth = desk.looked_up(their), desk.shown().get(their)
    desk.stage.clock.advance(HOUR)
    try:
        act(desk, their)
    except (KeyError, ValueError, AttributeError, NotImplementedError):
        return False
    desk.stage.clock.advance(HOUR)
    looked = desk.looked_up(their)
    unchanged = desk.shown().get(their) == truth and looked == before
    if unchanged or all(order is None or order["state"] == "ignore" for order in (before, looked)):
        # A cart is nobody's order yet: nothing of it need be told.
        return False
    demand(looked is not None and looked != before, f"when {words}, a look-up still tells the order as before")
    records: list[Said] = []
    for _ in range(len(desk.shown()) + 1):
        page = desk.connector.read(stream, ReadAsk(cursor, False, page_max, desk.stage.clock.now()))
        records += [order for order in desk.orders(page.body) if order["order"] == their]
        cursor = page.cursor
        if not page.more:
            break
    demand(bool(records), f"when {words}, the next poll does not tell the order")
    demand(records[-1] == looked, f"when {words}, the next poll tells the order otherwise than a look-up")
    return True


def _tables(cell: Cell) -> list[str]:
    """The tables in which this cell looks its word up."""
    return [cell.table] if cell.table else TABLES.findall(cell.said) if cell.way is Way.VALUE else []


def _reads(cell: Cell) -> set[str]:
    """The fields of a record that this cell reads."""
    return {path[0] for path in (*cell.paths, *cell.reads) if path} | set(re.findall(r"\w+", cell.said))


def _demand_refused(desk: Desk, mapping: CompiledMapping, words: set[str], read: set[str]) -> None:
    """A record whose state is one that nobody mapped is not understood; a field read that says a word of the table is one."""
    tried = 0
    for record in desk.stage.read(desk.stream, 1).records:
        for name in [name for name, value in record.items() if name in read and isinstance(value, str) and value in words]:
            tried += 1
            try:
                mapping.understand({**record, name: NO_STATE})
            except UnmappableError:
                continue
            raise BrokenError(f"an order whose `{name}` is one that nobody mapped was understood all the same")
    demand(tried > 0, "no field of an order says a word of the table of states")


def _where(value: Plain) -> str:
    if not isinstance(value, dict):
        return "its text"
    return ", ".join(name for name, part in value.items() if any(mark in write_json(part).casefold() for mark in MARKS))


def _edit(desk: Desk, their: str) -> None:
    desk.stage.sandbox.edit(their, desk.stage.skus[0], 2)  # type: ignore[attr-defined]


_UNPAID: Final = ("paid", "edited unpaid")
_ACTS: Final[dict[str, Callable[[Desk, str], None]]] = {
    "paid": lambda desk, their: desk.stage.sandbox.pay(their),  # type: ignore[attr-defined]
    "shipped": lambda desk, their: desk.stage.sandbox.ship(their),  # type: ignore[attr-defined]
    "cancelled": lambda desk, their: desk.stage.sandbox.cancel(their),  # type: ignore[attr-defined]
    "edited": _edit,
    "edited unpaid": _edit,
    "paid back": lambda desk, their: desk.stage.sandbox.refund(their, BACK),  # type: ignore[attr-defined]
}

RULES: Final[tuple[Rule, ...]] = (
    an_order_is_told_once_and_adds_up,
    a_changed_order_is_seen,
    every_state_of_an_order_is_mapped_by_name,
    a_person_stands_in_the_party_alone,
    what_is_delivered_of_an_order_names_it,
)
