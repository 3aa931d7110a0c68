"""The values that pass between stations: read this first, then `walk.py`.

Envelope → (map, identify) → Claim and Observation → (settle, desired) → Target → (diff) → Change → (push) → Receipt.
All are frozen; a station takes one, gives another, and keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from hub.canonical.values import Plain


class Aspect(StrEnum):
    """What of a listing is spoken about."""

    ITEM = "item"
    """How an authority describes the item itself (claims only)."""
    STOCK = "stock"
    PRICE = "price"
    LISTING = "listing"
    """Title, text, picture, link, category, state: how the item is shown."""
    ORDER = "order"
    MOVEMENT = "movement"
    """What a fact outside this system moved at one of its places, as a running sum per fact: sent as a keyed delta."""


class Door(StrEnum):
    """How an envelope came in."""

    HOOK = "hook"
    POLL = "poll"
    SWEEP = "sweep"
    LOOKUP = "lookup"


class Key(NamedTuple):
    """One number (or text) that a customer sees: this aspect of this listing on this channel.

    `place` is our location id where a channel keeps stock per location, else "".
    """

    channel: str
    listing: str
    aspect: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.channel} {self.listing} {self.aspect}" + (f" at {self.place}" if self.place else "")


@dataclass(frozen=True, slots=True)
class Envelope:
    """These raw bytes came from this channel, then, by this door.

    `begun` and `answered` are the hub's own sequence numbers at request start and at answer (for a delivery both are the
    number at receipt, and `begun` is 0: nobody knows when the platform read it). `received_at` is by the hub's clock, for what
    the hub asked for the time at which it asked. `sweep` numbers the sweep it belongs to.
    """

    seq: int
    channel: str
    door: Door
    stream: str
    topic: str
    received_at: int
    body: bytes
    delivery_id: str = ""
    begun: int = 0
    answered: int = 0
    sweep: int = 0

    @property
    def told_on(self) -> str:
        """The stream it was read from, or the topic that it was delivered under."""
        return self.stream or self.topic


@dataclass(frozen=True, slots=True)
class Claim:
    """What a channel said of canonical fields that it has authority over, true as of `as_of`."""

    item: str
    aspect: str
    place: str
    channel: str
    value: Plain
    listing: str
    version: int
    as_of: int
    begun: int
    envelope: int


@dataclass(frozen=True, slots=True)
class Observation:
    """This listing shows this: told by the channel, or acknowledged by it in answer to a write (`told` is False)."""

    key: Key
    value: Plain
    told: bool
    version: int
    begun: int
    answered: int
    at: int
    envelope: int


@dataclass(frozen=True, slots=True)
class Target:
    """What one listing should show, and the derivation that says why."""

    key: Key
    item: str
    value: Plain
    because: Plain


class Manner(StrEnum):
    """How a platform lets a figure be written."""

    COMPARE_AND_SET = "compare_and_set"
    ADJUST = "adjust"
    SET_AS_OF = "set_as_of"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Change:
    """Make this difference, expecting this before; `id` is stable over retries and is the idempotency key.

    `after` is the target's value; for stock it also has `raw`, the figure as the platform writes it. `before` is the
    observed value (None: the listing shows nothing yet: a create where the capability allows one). `refs` are the
    connector's own references of the listing. `at` is when the intent was decided (microseconds).
    """

    id: str
    key: Key
    item: str
    before: Plain
    after: Plain
    refs: dict[str, str]
    at: int
    place_ref: str = ""
    observed_at: int = 0
    because: Plain = field(default=None, compare=False)


class Outcome(StrEnum):
    """What became of a sent change."""

    APPLIED = "applied"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    """They took it and gave a handle: not yet an observation."""
    CONFLICT = "conflict"
    """Their value was not what we expected: observe, then plan again."""
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    """Certainly without effect: it may be sent again."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the platform said of one change; `shows` is the value it showed in its answer, when it did.

    `words` are the platform's, shortened, without personal data; `request_id` its own id of the request.
    """

    change: str
    outcome: Outcome
    words: str = ""
    request_id: str = ""
    handle: str = ""
    shows: Plain = None
    version: int = 0
