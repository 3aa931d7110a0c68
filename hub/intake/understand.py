"""Understand: what records are in this envelope, and what do they say in canonical words?

Nothing is decided here: an envelope becomes records, dead letters for what was not understood, and hints of what to read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hub.canonical.json import at_path, read_json
from hub.canonical.order import TAKING, TAKING_LINES
from hub.canonical.values import Plain
from hub.channel import Channel
from hub.errors import UnmappableError
from hub.flow import Door, Envelope
from hub.settings.dates import is_before
from hub.store.letters import DeadLetter

RECORDS_MAX: Final = 20_000
DRIFT_RECORDS_MAX: Final = 1
"""How many records of each stream or topic are looked through for unknown fields, in one batch of envelopes."""


class RecordTold(NamedTuple):
    """One canonical record: of which entity, from which envelope; `record` names the platform's record it came from, as a dead
    letter would."""

    channel: str
    entity: str
    value: dict[str, Plain]
    record: str
    envelope: Envelope


class UnreadOrder(NamedTuple):
    """An order record that is not understood, and the fields of it that are; `record` is the name its dead letter has.

    `untaken` says why nothing is reserved for it; "" where something may be.
    """

    channel: str
    record: str
    said: dict[str, Plain]
    untaken: str
    envelope: Envelope


@dataclass(slots=True)
class Understood:
    """What a batch of envelopes said."""

    told: list[RecordTold] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    unread: list[UnreadOrder] = field(default_factory=list)
    """Orders that are not understood: their lines may be promised all the same."""
    look_ups: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(channel, stream, id, reason)"""
    read_now: set[tuple[str, str]] = field(default_factory=set)
    """(channel, stream) that a hint without ids spoke of."""
    gone: list[tuple[str, str, str]] = field(default_factory=list)
    """(channel, stream, id) that the platform definitely lacks."""
    understood: list[tuple[str, str, str]] = field(default_factory=list)
    """(channel, stream, record) that were understood: their dead letters close."""
    counted: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    looked_through: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(channel, stream or topic) → records in which unknown fields were looked for."""


def understand(channel: Channel, envelope: Envelope, gone: tuple[str, ...], into: Understood) -> bool:
    """Add what this envelope says; False when the envelope as a whole could not be understood (its letter is added)."""
    into.gone.extend((channel.name, envelope.stream, each) for each in gone)
    if envelope.door == Door.HOOK and _ignored(channel, envelope):
        # Whatever its body is (a greeting need not even be JSON): nothing of it is wanted.
        into.counted[("ignored_delivery", channel.name, envelope.topic[:80])] += 1
        return True
    try:
        body = read_json(envelope.body)
    except ValueError as bad:
        into.letters.append(_letter(envelope, envelope.told_on, "", "", str(bad)))
        return False
    if envelope.door == Door.HOOK:
        return _delivery(channel, envelope, body, into)
    stream = channel.manifest.streams.get(envelope.stream)
    if stream is None:
        into.letters.append(_letter(envelope, envelope.stream, "", "", "this connector has no such stream"))
        return False
    return _records(channel, envelope, body, stream.records, stream.maps, into)


def _ignored(channel: Channel, envelope: Envelope) -> bool:
    declared = channel.manifest.deliveries
    return declared is None or envelope.topic in declared.ignored_topics


def _delivery(channel: Channel, envelope: Envelope, body: Plain, into: Understood) -> bool:
    declared = channel.manifest.deliveries
    topic = declared.topics.get(envelope.topic) if declared is not None else None
    if topic is None:
        into.letters.append(_letter(envelope, "deliveries", envelope.topic, "", "a topic that is neither understood nor ignored"))
        return False
    stream = channel.manifest.streams[topic.stream]
    if topic.records is not None and topic.trust == "versioned":
        return _records(channel, envelope, body, topic.records, topic.maps or stream.maps, into)
    ids = _ids(body, topic.ids) if topic.ids is not None else []
    if ids and stream.look_up:
        into.look_ups.extend((channel.name, topic.stream, each, f"told by {envelope.topic}") for each in ids)
    else:
        into.read_now.add((channel.name, topic.stream))
    return True


def _records(channel: Channel, envelope: Envelope, body: Plain, path: str, maps: tuple[str, ...], into: Understood) -> bool:
    records = at_path(body, path)
    if isinstance(records, dict):
        records = [records]
    if not isinstance(records, list) or len(records) > RECORDS_MAX:
        reason = "no list of records here" if not isinstance(records, list) else f"more than {RECORDS_MAX} records"
        into.letters.append(_letter(envelope, envelope.told_on, "", path, reason))
        return False
    name, stream = channel.name, envelope.told_on
    understand_as = channel.mappings.understand
    for record in records:
        for mapping in maps:
            entity, ident = mapping.partition(".")[0], channel.mappings.identity(mapping, record)
            try:
                for value in understand_as(mapping, record):
                    into.told.append(RecordTold(name, entity, value, ident, envelope))
            except UnmappableError as bad:
                reason = bad.reason
                if entity == "order" and channel.settings.orders.take_in:
                    said = channel.mappings.in_part(mapping, record, TAKING, TAKING_LINES)
                    into.unread.append(UnreadOrder(name, ident, said, untaken(channel, ident, said), envelope))
                    reason = "; ".join(each for each in (reason, into.unread[-1].untaken) if each)
                into.letters.append(
                    DeadLetter("record", name, stream, ident, bad.path, bad.value, reason, envelope.seq, envelope.received_at)
                )
            else:
                into.understood.append((name, stream, ident))
    for record in records[: DRIFT_RECORDS_MAX - into.looked_through[name, stream]]:
        into.looked_through[name, stream] += 1
        for unread in channel.mappings.unread(maps, record):
            into.counted[("schema_drift", name, f"{stream} {unread}"[:200])] += 1
    return True


def untaken(channel: Channel, ident: str, said: dict[str, Plain]) -> str:
    """Why nothing is reserved for an order that is not understood; "" where something may be."""
    placed_at = said.get("placed_at") or said.get("as_of")
    if placed_at is not None and is_before(int(placed_at), channel.settings.orders_since):
        return "it is older than orders_since, so nothing is reserved for it"
    if not ident or not any(line.get("listing") or line.get("sku") for line in said.get("lines") or ()):
        return "what it is for cannot be read, so nothing more is reserved for it"
    return ""


def _ids(body: Plain, path: str) -> list[str]:
    """The ids that a hint names: one scalar, a list of scalars, or a list of objects under a `*`."""
    found: list[Plain] = [body]
    for name in path.split("."):
        step: list[Plain] = []
        for each in found:
            if name == "*" and isinstance(each, list):
                step.extend(each)
            elif name == "*" and isinstance(each, dict):
                step.extend(each.values())
            elif isinstance(each, dict) and name in each:
                step.append(each[name])
        found = step
    flat = [one for each in found for one in (each if isinstance(each, list) else [each])]
    return [str(each) for each in flat if isinstance(each, (str, int)) and not isinstance(each, bool)][:RECORDS_MAX]


def _letter(envelope: Envelope, stream: str, record: str, path: str, reason: str) -> DeadLetter:
    ident = record or (envelope.delivery_id or f"envelope {envelope.seq}")
    return DeadLetter("envelope", envelope.channel, stream, ident, path, "", reason, envelope.seq, envelope.received_at)
