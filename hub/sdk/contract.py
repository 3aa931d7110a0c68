"""The four verbs of a connector: verify a delivery, read a stream, look up by id, send changes (and follow accepted ones).

A connector is one class deriving from `Connector`, in `connectors/<platform>/connector.py`. Its manifest says which
capabilities it has; each capability marked `code: name` is one method of that name with the signature given here:

    read_stock(self, ask: ReadAsk) -> Page
    look_up_stock(self, ids: Sequence[str]) -> Page
    send_stock(self, changes: Sequence[Change]) -> list[Receipt]
    find_order(self, changes: Sequence[Change]) -> list[Receipt]      # by our reference: applied, or certainly not_sent
    follow_listing(self, handles: Sequence[str]) -> list[Receipt]     # receipts name their change
    verify(self, delivery: Delivery) -> Verdict                       # only where no declared scheme fits
    challenge(self, delivery: Delivery) -> bytes | None
    hooks(self), heal_hooks(self, url: str)                           # see `Subscribes`
    survey(self) -> dict                                              # see `Surveys`
    notices                                                           # see `Notices`

Methods raise the channel errors of `hub.errors`; the client raises them already for the usual statuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from hub.canonical.values import Plain
from hub.clock import Clock
from hub.errors import InvariantError
from hub.flow import Change, Receipt

if TYPE_CHECKING:
    from hub.sdk.client import Client
    from hub.sdk.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came in at a channel's hook address: `url` is the public address as the platform knows it; headers lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verified delivery: the platform's id of it ("" when it has none), its topic, and when it was sent (None: not said)."""

    delivery_id: str
    topic: str
    sent_at: int | None = None


@dataclass(frozen=True, slots=True)
class ReadAsk:
    """Read on from `cursor` ("" is the very beginning). A `full` read lists everything that is there (first read, sweep)."""

    cursor: str
    full: bool
    page_max: int
    started_at: int
    """Microseconds at which this reading (all its pages) began, by the hub's clock."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as received: `body` holds the records where the manifest's `records` path says.

    `cursor` continues from here: within this reading while `more`, for the next reading when not. `total` is the platform's
    own count of the whole listing when it says one. `gone` are asked ids that the platform definitely no longer has.
    """

    body: bytes
    cursor: str
    more: bool
    total: int | None = None
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What a connector is given: its channel's name, settings, secrets (by their manifest names), client and clock.

    `express(name, canonical)` gives the outward payload that the mappings' `sends` declare; `places` maps our location ids
    to the channel's own, for channels that keep stock per location. `party(order)` gives the person behind an order, for the
    one request that needs it: it must not be kept, logged or put into an error.
    `keep(name, value)` stores a secret that the platform renewed (a rotated token), `kept(name)` is the newest one so stored.
    """

    channel: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    client: Client
    clock: Clock
    express: Callable[[str, Mapping[str, Plain]], Plain]
    places: Mapping[str, str] = field(default_factory=dict)
    party: Callable[[str], Mapping[str, Plain]] = field(default=lambda _: {})
    keep: Callable[[str, str], None] = field(default=lambda *_: None)
    kept: Callable[[str], str] = field(default=lambda _: "")


@runtime_checkable
class Subscribes(Protocol):
    """A connector that can look after the platform's subscriptions to our hook address, where the platform keeps any."""

    def hooks(self) -> list[dict[str, Any]]:
        """Every subscription there is: id, topic, url, status (`active` when it delivers), and what else is worth knowing."""
        ...

    def heal_hooks(self, url: str) -> list[str]:
        """Make what is missing and mend what is broken until every topic comes to `url`: words of what was done, none when all
        was well. What was not told meanwhile is read by whoever calls this."""
        ...


@runtime_checkable
class Notices(Protocol):
    """A connector that may have something to tell a person: an API version that has expired, for example."""

    @property
    def notices(self) -> Sequence[str]:
        """In words, each for as long as it lasts."""
        ...


@runtime_checkable
class Surveys(Protocol):
    """A connector that can say of an account what a first configuration needs."""

    def survey(self) -> dict[str, Any]:
        """`title`, `currency` (ISO 4217), `tax` (included or excluded), `settings` (by their manifest names), and `locations`:
        each `id`, `title` and, where known, `country` and `postal_code`; all optional. Asked before anything is configured."""
        ...


class Connector:
    """The base of every connector: finds the method that the manifest names for each capability."""

    def __init__(self, manifest: Manifest, context: ChannelContext) -> None:
        self.manifest = manifest
        self.context = context
        self.client = context.client
        self.settings = context.settings
        self.secrets = context.secrets
        self.clock = context.clock
        self.opened()

    def opened(self) -> None:
        """Called once after construction; a connector prepares its sign-in here. Must not call the platform."""

    def verify(self, delivery: Delivery) -> Verdict:
        """The verdict on a delivery; UnverifiedError when it is not theirs."""
        from hub.sdk.signature import verify_declared

        return verify_declared(self.manifest, self.secrets, delivery, self.clock.now())

    def challenge(self, delivery: Delivery) -> bytes | None:
        """The answer to a subscription challenge (a GET); None when this is none of theirs."""
        return None

    def read(self, stream: str, ask: ReadAsk) -> Page:
        """The next page of a stream."""
        return self._method(self.manifest.streams[stream].code, "read", stream)(ask)  # type: ignore[no-any-return]

    def look_up(self, stream: str, ids: Sequence[str]) -> Page:
        """The current records of these ids, in the shape of the stream's pages, with the definitely gone ones named."""
        return self._method(self.manifest.streams[stream].look_up, "look up", stream)(ids)  # type: ignore[no-any-return]

    def send(self, aspect: str, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in any order."""
        return self._method(self.manifest.sends[aspect].code, "send", aspect)(changes)  # type: ignore[no-any-return]

    def follow(self, aspect: str, handles: Sequence[str]) -> list[Receipt]:
        """Receipts for what became of accepted handles; a handle still under way gives none."""
        return self._method(self.manifest.sends[aspect].follow, "follow", aspect)(handles)  # type: ignore[no-any-return]

    def find(self, aspect: str, changes: Sequence[Change]) -> list[Receipt]:
        """What became of changes of unknown outcome, found by our reference: applied (with `shows`), not_sent when it is
        certainly not there, refused when more than one is; one that cannot be said yet gives none."""
        return self._method(self.manifest.sends[aspect].find, "find", aspect)(changes)  # type: ignore[no-any-return]

    def _method(self, name: str, verb: str, what: str) -> Callable[..., Any]:
        found = getattr(self, name, None) if name else None
        if found is None:
            raise InvariantError(f"{self.manifest.connector} cannot {verb} {what}: the manifest names no such method")
        return found  # type: ignore[no-any-return]
