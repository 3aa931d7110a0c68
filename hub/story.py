"""The story of an order: who said what of it and when, what was reserved, what was sent where and what came of it.

A reading of the store for people; it opens no body and carries no person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, NamedTuple

from hub import remembered
from hub.canonical.values import Plain, from_minor, iso, pieces
from hub.diff.compare import difference
from hub.errors import ConfigError
from hub.files import meant
from hub.flow import Aspect, Key
from hub.reserved import reserving
from hub.settings.model import Config
from hub.store import catalogue, changes, looks, order_looks, orders, requests, targets
from hub.store.changes import OpenChange
from hub.store.database import Database, Tx
from hub.store.looks import Head
from hub.store.orders import Order, OrderBinding
from hub.store.targets import StoredTarget

ORDERS_MAX: Final = 1_000
DIGEST_CHARS: Final = 12
ROLES: Final = {"origin": "placed there", "export": "booked there", "fulfil": "fulfilled there"}
UNDER_WAY: Final = {
    "intended": "is next to be sent",
    "sent": "is being sent",
    "accepted": "was taken, and what became of it is not said yet",
    "unknown": "was sent and no answer came: it is looked up before anything else",
}


class Event(NamedTuple):
    """One thing that happened: when (ISO 8601), on which channel, what, and from which envelope or request it is known."""

    at: str
    channel: str
    words: str
    source: str = ""


@dataclass(slots=True)
class Story:
    """An order in plain values and words; `open` is what is still promised of it, `documents` where it exists."""

    order: str
    number: str
    channel: str
    their: str
    state: str
    history: bool
    placed_at: str
    seen_at: str
    total: str
    person: str
    open: list[str] = field(default_factory=list)
    documents: list[dict[str, Plain]] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    lines: list[dict[str, Plain]] = field(default_factory=list)
    reserved: list[dict[str, Plain]] = field(default_factory=list)
    targets: list[dict[str, Plain]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def document(self) -> dict[str, Plain]:
        """The story as one JSON document."""
        return {**asdict(self), "events": [each._asdict() for each in self.events]}


class _Known(NamedTuple):
    """One snapshot of everything that a set of orders left behind."""

    bindings: dict[str, list[OrderBinding]]
    items: dict[tuple[str, str], catalogue.Binding]
    reserved: dict[str, list[orders.Reservation]]
    targets: dict[Key, StoredTarget]
    seen: dict[Key, targets.StoredObservation]
    open: dict[Key, OpenChange]
    persons: dict[str, order_looks.Kept]
    heads: dict[int, Head]
    holds: dict[str, requests.Hold]


def latest(config: Config, database: Database, *, channel: str = "", stuck: bool = False, limit: int = 50) -> list[Story]:
    """The orders heard of last, newest first, without their events; ConfigError for a channel that does not exist."""
    if channel and channel not in config.channels:
        raise ConfigError(f"there is no channel `{channel}`: {meant(channel, config.channels)}")

    def read(tx: Tx) -> list[Story]:
        found = order_looks.latest(tx, min(limit, ORDERS_MAX), channel=channel, stuck=stuck)
        known = _known(tx, config, found)
        return [_story(tx, each, known) for each in found]

    return database.read(read)


def trace(config: Config, database: Database, name: str) -> Story:
    """The whole story of the order of this name (our id, the human number, or any system's own id).

    ConfigError when there is none, or when several systems use this id for different orders.
    """

    def read(tx: Tx) -> Story:
        found = order_looks.only(tx, name)
        if isinstance(found, str):
            raise ConfigError(found)
        known = _known(tx, config, [found])
        story = _story(tx, found, known)
        story.events = sorted(_events(tx, config, found, known), key=lambda each: each.at)
        return story

    return database.read(read)


def _known(tx: Tx, config: Config, found: Sequence[Order]) -> _Known:
    ids = [each.order for each in found]
    bindings: dict[str, list[OrderBinding]] = {}
    for binding in orders.bindings_of(tx, ids):
        bindings.setdefault(binding.order, []).append(binding)
    said = [each for those in bindings.values() for each in those]
    reserved: dict[str, list[orders.Reservation]] = {}
    for row in orders.reservations_for(tx, ids):
        reserved.setdefault(row.order, []).append(row)
    keys = {(channel, order) for channel in config.channels for order in ids}
    return _Known(
        bindings,
        catalogue.bindings(tx, {(b.channel, str(line.get("listing") or "")) for b in said for line in b.value["lines"]}),
        reserved,
        targets.targets_of(tx, keys, Aspect.ORDER),
        targets.observations_of(tx, keys, Aspect.ORDER),
        changes.open_of(tx, keys, Aspect.ORDER),
        order_looks.persons_kept(tx, ids),
        looks.heads(tx, [each.seq for each in said]),
        {hold.id: hold for hold in requests.holds(tx)},
    )


def _story(tx: Tx, order: Order, known: _Known) -> Story:
    said = known.bindings.get(order.order, [])
    held = reserving(tx, known.reserved.get(order.order, []))
    person = known.persons.get(order.order)
    kept = f"kept, sealed{f', country {person.country}' if person.country else ''}" if person else "none is kept"
    total = f"{from_minor(order.total_minor, order.currency)} {order.currency}"
    story = Story(
        order.order,
        order.number,
        order.channel,
        order.their,
        order.state,
        order.history,
        iso(order.placed_at),
        iso(order.seen_at),
        total,
        kept,
    )
    story.open = [f"{pieces(each.quantity)} of {each.sku}" for each in held if not each.part]
    story.documents = [{"channel": each.channel, "their": each.their, "role": each.role} for each in said]
    story.reserved = [each.document() for each in held]
    story.lines = list(_lines(said))
    story.targets = list(_targets(order, known))
    story.stuck = list(_stuck(order, known))
    return story


def _lines(said: Sequence[OrderBinding]) -> Iterator[dict[str, Plain]]:
    """The lines as the order's birthplace has them, without what people typed into them."""
    for binding in said:
        for line in binding.value["lines"] if binding.role == "origin" else ():
            cancelled = int(line.get("cancelled") or 0)
            yield {
                "line": line["line"],
                "sku": line.get("sku") or "",
                "kind": line.get("kind") or "stocked",
                "quantity": pieces(int(line["quantity"])),
                "cancelled": pieces(cancelled),
            }


def _targets(order: Order, known: _Known) -> Iterator[dict[str, Plain]]:
    """What other systems must know of the order, and whether they do."""
    for key, stored in sorted(known.targets.items()):
        if key.listing != order.order:
            continue
        seen, change = known.seen.get(key), known.open.get(key)
        reached = seen is not None and difference(key.aspect, stored.target.value, seen.observation.value) is None
        state = "known there" if reached else change.state if change is not None else "not known there"
        decided = iso(stored.decided_at)
        yield {"channel": key.channel, "fact": key.place, "state": state, "decided_at": decided}


def _stuck(order: Order, known: _Known) -> Iterator[str]:
    """Why the order does not go on, and what a person can do."""
    if order.words:
        yield order.words
    if order.asks:
        yield f"{order.asks}; `samklang settle {order.number}` when it is done"
    for key, change in sorted(known.open.items()):
        if key.listing != order.order:
            continue
        if change.state == "refused":
            yield f"{key.channel} refused {key.place}: {change.words}"
        elif change.state == "held":
            hold = known.holds.get(change.hold)
            guard = f"{hold.guard}: {hold.words}" if hold is not None else change.hold
            yield f"{key.channel} {key.place} is held, {guard}; `samklang approve {change.hold}`"
        elif change.attempts > 1:
            told = f": {change.words}" if change.words else ""
            yield f"{key.channel} {key.place} {UNDER_WAY.get(change.state, change.state)}, {change.attempts} times tried{told}"


# events


def _events(tx: Tx, config: Config, order: Order, known: _Known) -> Iterator[Event]:
    keys = [(channel, order.order) for channel in config.channels]
    yield Event(iso(order.placed_at), order.channel, f"placed as {order.their}")
    history = ", placed before the hub's time here: never reserved or exported" if order.history else ""
    yield Event(iso(order.seen_at), order.channel, f"first heard of by the hub{history}")
    for binding in known.bindings.get(order.order, ()):
        yield from _said(binding, known.heads)
    for key, stored in known.targets.items():
        if key.listing == order.order:
            yield Event(iso(stored.decided_at), key.channel, f"is to know: {_fact(key.place, stored.target.value)}")
    for each in order_looks.sent(tx, keys):
        words = f": {each.words}" if each.words else ""
        request = f"request {each.request_id}" if each.request_id else ""
        yield Event(iso(each.at), each.key.channel, f"{_fact(each.key.place, each.after)} {each.outcome}{words}", request)
    for key, change in known.open.items():
        if change.state in UNDER_WAY and key.listing == order.order:
            at = change.sent_at or change.decided_at
            yield Event(iso(at), key.channel, f"{_fact(key.place, change.after)} {UNDER_WAY[change.state]}")
    yield from _ledger(order_looks.told(tx, keys))


def _said(binding: OrderBinding, heads: Mapping[int, Head]) -> Iterator[Event]:
    """What one system says of the order now, and every dated fact in it."""
    record, channel = binding.value, binding.channel
    where = _source(binding.seq, heads)
    as_of = f", as of {iso(binding.as_of)}" if binding.as_of else ""
    role = ROLES.get(binding.role, binding.role)
    yield Event(iso(binding.at), channel, f"last said: {record['state']} ({role} as {binding.their}{as_of})", where)
    for payment in record.get("payments") or ():
        if payment.get("at"):
            amount = from_minor(int(payment["amount_minor"]), str(record["currency"]))
            by = f" by {payment['method']}" if payment.get("method") else ""
            yield Event(iso(payment["at"]), channel, f"{payment['kind']} {amount} {record['currency']}{by}", where)
    for fulfilment in record.get("fulfilments") or ():
        at = iso(fulfilment.get("at") or binding.as_of or binding.at)
        yield Event(at, channel, f"{fulfilment['state']} {_parts(fulfilment['parts'])}{_parcel(fulfilment)}", where)
    for each in record.get("returns") or ():
        at = iso(each.get("at") or binding.as_of or binding.at)
        told = ", ".join(sorted({str(part.get("condition") or "") for part in each["parts"]} - {""}))
        yield Event(at, channel, f"returned {_parts(each['parts'])}{f' ({told})' if told else ''}", where)


def _ledger(lines: Iterable[Plain]) -> Iterator[Event]:
    """What the ledger alone remembers: earlier sayings, and reservations that began and ended, each told once."""
    told: set[tuple[str, str, str]] = set()
    for line in lines:
        if line.event in (remembered.SAID, remembered.RESERVED, remembered.SETTLED):
            same = (line.event, line.key.channel, str(line.words["words"]))
            if line.event == remembered.RESERVED and same in told:
                continue
            told.add(same)
            source = f"inbox {line.words['inbox']}" if line.words.get("inbox") else ""
            yield Event(iso(line.at), line.key.channel, str(line.words["words"]), source)


def _fact(fact: str, value: Plain) -> str:
    if not isinstance(value, dict):
        return fact
    if value.get("fact") == "fulfilled":
        return f"{fact} ({_parts(value.get('parts') or ())}{_parcel(value)})"
    return f"{fact}, cancelled" if value.get("state") == "cancelled" else fact


def _parts(parts: Sequence[Mapping[str, Plain]]) -> str:
    return ", ".join(f"{pieces(int(part['quantity']))} of line {part['line']}" for part in parts) or "nothing"


def _parcel(told: Mapping[str, Plain]) -> str:
    by, tracking = told.get("carrier"), told.get("tracking")
    return (f" by {by}" if by else "") + (f", tracking {tracking}" if tracking else "")


def _source(seq: int, heads: Mapping[int, Head]) -> str:
    if not seq:
        return ""
    head = heads.get(seq)
    if head is None:
        return f"inbox {seq}, no longer kept"
    delivery = f" {head.delivery_id}" if head.door == "hook" and head.delivery_id else ""
    came = f"{head.door}{delivery} {head.stream or head.topic} at {iso(head.received_at)}"
    return f"inbox {seq}: {came}, digest {head.digest[:DIGEST_CHARS]}"
