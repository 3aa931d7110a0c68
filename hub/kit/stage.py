"""One stage: the small platform under test, a second one that is right about everything, a hub between them, and a clock
that moves only when it is told to. Rules speak of what the platform shows and of what left the connector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple, Protocol, cast

from hub.app import Hub
from hub.canonical.json import read_json, write_json
from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import ManualClock
from hub.errors import UnverifiedError
from hub.flow import Aspect, Change, Door, Key, Outcome, Receipt
from hub.kit.config import BOOKS, DEPOT, TESTED, worded
from hub.kit.spy import Spy
from hub.kit.verdict import BrokenError, demand
from hub.merge.authority import Authority
from hub.observed import Observed
from hub.push import batch
from hub.sdk.contract import Delivery, ReadAsk, Verdict
from hub.sdk.manifest import Send
from hub.sdk.sandbox import SandboxBase
from hub.sdk.wire import Request
from hub.store import changes, channels, dirty, inbox, letters
from hub.store.catalogue import Binding
from hub.store.changes import OpenChange

HOOKS: Final = "https://hub.example/hooks/"
PRICE: Final = Decimal("100.00")
"""What everything costs at first, plus one for each item before it."""
PIECES: Final = 10
"""What is there of everything at first."""
THOUSAND: Final = 1_000
LISTED: Final = frozenset({"item", "stock", "price"})
"""Entities whose records are told of every listing; of what else there is (orders, people) the suite makes none."""
TRIED: Final = (Aspect.STOCK, Aspect.PRICE, Aspect.LISTING)
"""What the suite writes."""
PAGES_MAX: Final = 2_000
FOLLOW_SECONDS_MAX: Final = 180
ROUNDS_MAX: Final = 20_000
WAITING_MAX: Final = 10_000


class Hands(Protocol):
    """What people can do on every small platform."""

    def add_item(self, sku: str, title: str, *, price: Decimal) -> str:
        """A new item on sale; gives its listing's id."""
        ...

    def count(self, sku: str, pieces: int, place: str = "") -> None:
        """A person sets the stock."""
        ...

    def set_price(self, sku: str, amount: Decimal) -> None:
        """A person sets the price."""
        ...

    def shown(self) -> dict[str, dict[str, Plain]]:
        """The platform's own truth, by SKU."""
        ...


class Reading(NamedTuple):
    """What a reading gave: its records, the cursor for the next one, and how many pages there were."""

    records: list[Plain]
    cursor: str
    pages: int


@dataclass
class Stage:
    """One connector on its small platform."""

    hub: Hub
    clock: ManualClock
    spy: Spy
    books: SandboxBase
    place: str
    listings: dict[str, str]
    """SKU → listing on the platform under test."""
    aspect: str
    """What the hub is made to write here by `decide`: stock or price; "" where the connector writes neither."""

    @property
    def sandbox(self) -> SandboxBase:
        """The small platform under test."""
        return self.spy.sandbox

    @property
    def hands(self) -> Hands:
        """The people who work there."""
        return cast(Hands, self.spy.sandbox)

    @property
    def authority(self) -> Hands:
        """The people who work in the system that is right."""
        return cast(Hands, self.books)

    @property
    def channel(self) -> Channel:
        """The channel under test."""
        return self.hub.channels[TESTED]

    @property
    def skus(self) -> list[str]:
        """The items on sale, in the order in which they were made."""
        return list(self.listings)

    # reading by the connector alone

    def read(
        self, stream: str, page_max: int, cursor: str = "", *, full: bool = True, between: Callable[[int], None] | None = None
    ) -> Reading:
        """One whole reading; `between` is called after every page that more are to follow, with that page's number from 1."""
        records: list[Plain] = []
        started = self.clock.now()
        for number in range(1, PAGES_MAX + 1):
            page = self.channel.connector.read(stream, ReadAsk(cursor, full, page_max, started))
            records += self.records(stream, page.body)
            cursor = page.cursor
            if not page.more:
                return Reading(records, cursor, number)
            if between is not None:
                between(number)
        raise BrokenError(f"{stream}: after {PAGES_MAX} pages of {page_max} there is still no end")

    def records(self, stream: str, body: bytes) -> list[Plain]:
        """The records of a page's body."""
        found = read_json(body)
        for name in self.channel.manifest.streams[stream].records.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        demand(isinstance(found, list), f"{stream}: no list of records at `{self.channel.manifest.streams[stream].records}`")
        return list(found)

    def told(self, stream: str, records: Sequence[Plain]) -> list[tuple[str, dict[str, Plain]]]:
        """What these records say: (entity, canonical value)."""
        mappings = self.channel.mappings
        return [
            (mapping.partition(".")[0], value)
            for mapping in self.channel.manifest.streams[stream].maps
            for record in records
            for value in mappings.understand(mapping, record)
        ]

    def named(self, stream: str, records: Sequence[Plain]) -> Counter[tuple[str, str, str]]:
        """How often each (entity, listing or own key, place or currency) is told."""
        return Counter(
            (entity, str(value.get("listing") or value.get("order")), str(value.get("place") or value.get("currency") or ""))
            for entity, value in self.told(stream, records)
        )

    def lists(self, stream: str) -> bool:
        """Whether this stream tells of every listing."""
        return bool(LISTED & {mapping.partition(".")[0] for mapping in self.channel.manifest.streams[stream].maps})

    def figure(self, stream: str, records: Sequence[Plain], entity: str, sku: str) -> Plain:
        """The stock in pieces or the price that these records tell of this item; None when they do not speak of it."""
        for kind, value in self.told(stream, records):
            here = kind != "stock" or not self.place or value.get("place") == self.place
            if kind == entity and here and value["listing"] == self.listings[sku]:
                return Decimal(int(value["on_hand"])) / THOUSAND if entity == "stock" else value.get("amount", value)
        return None

    @cached_property
    def _observed(self) -> Observed:
        return Observed(self.hub.config, Authority(self.hub.config))

    def observed(self) -> tuple[dict[Key, Plain], dict[str, dict[str, str]]]:
        """What every listing shows, by the hub's own keys, and the connector's references by listing; all streams are read."""
        shown: dict[Key, Plain] = {}
        refs: dict[str, dict[str, str]] = {}
        for stream, declared in self.channel.manifest.streams.items():
            if not self.lists(stream):
                continue
            for entity, value in self.told(stream, self.read(stream, declared.page_max).records):
                seen = self._observed.of(self.channel, entity, value)
                if seen is not None:
                    shown[seen[0]] = seen[1]
                if entity == "item":
                    refs[str(value["listing"])] = value.get("refs") or {}
        return shown, refs

    # writing by the connector alone

    @property
    def sends(self) -> list[tuple[str, Send]]:
        """The aspects that the suite writes, as declared."""
        return [(aspect, declared) for aspect, declared in self.channel.manifest.sends.items() if aspect in TRIED]

    def key(self, aspect: str, sku: str) -> Key:
        """The key of this aspect of the item's listing."""
        located = aspect == Aspect.STOCK and self.channel.manifest.sends[aspect].located
        return Key(TESTED, self.listings[sku], aspect, DEPOT if located else "")

    def wanted(self, aspect: str, before: Plain, number: int) -> Plain:
        """A value other than the one before it; another `number` gives yet another."""
        if aspect == Aspect.STOCK:
            return {"sellable": before["sellable"] + (2 + number % 5) * THOUSAND}
        if aspect == Aspect.PRICE:
            return {**before, "amount": str(Decimal(before["amount"]) + 3 + number % 5)}
        return {**before, **{name: f"Other {name} {number}" for name in worded(self.channel.manifest)}}

    def changes(self, aspect: str, skus: Sequence[str]) -> list[Change]:
        """A change for each of these items, decided from what the platform shows now."""
        shown, refs = self.observed()
        for sku in skus:
            demand(self.key(aspect, sku) in shown, f"{aspect} of {sku} is not told by any stream, so it cannot be written")
        return [self.change(self.key(aspect, sku), shown[self.key(aspect, sku)], number, refs) for number, sku in enumerate(skus)]

    def change(self, key: Key, before: Plain, number: int, refs: dict[str, dict[str, str]]) -> Change:
        """One change of this key, as the push would hand it to the connector."""
        after, now = self.wanted(key.aspect, before, number), self.clock.now()
        opened = OpenChange(key, self.clock.token(), "an-item", before, after, "sent", 0, decided_at=now, observed_at=now)
        binding = Binding(TESTED, key.listing, "an-item", "bound", refs=write_json(refs.get(key.listing, {})))
        bindings = {(TESTED, key.listing): binding}
        return batch.to_send(self.channel, [opened], bindings, self.hub.config.locations, {}, now)[0]

    def send(self, aspect: str, sent: Sequence[Change]) -> dict[str, Receipt]:
        """What became of each change in the end, accepted ones followed up; broken when one has no receipt, or two."""
        receipts = self.channel.connector.send(aspect, sent)
        counted = Counter(receipt.change for receipt in receipts)
        demand(
            counted == Counter(change.id for change in sent),
            f"{aspect}: {len(sent)} changes got {len(receipts)} receipts, where each gets exactly one of its own",
        )
        ended = {receipt.change: receipt for receipt in receipts}
        for _ in range(FOLLOW_SECONDS_MAX):
            handles = [receipt.handle for receipt in ended.values() if receipt.outcome is Outcome.ACCEPTED]
            if not handles:
                break
            self.clock.advance(1)
            ended |= {receipt.change: receipt for receipt in self.channel.connector.follow(aspect, handles)}
        return ended

    # the hub at work

    def run(self, seconds: float = 0.0) -> None:
        """Let the hub work, deliveries included, while that much time passes on its clock."""
        end = self.clock.now() + round(seconds * 1_000_000)
        for _ in range(ROUNDS_MAX):
            self.deliver()
            self.hub.settle(ROUNDS_MAX)
            if self.sandbox.outbox or self.books.outbox:
                continue
            following = self.hub.next_at()
            if following > end:
                self.clock.advance(max(0.0, (end - self.clock.now()) / 1_000_000))
                return
            self.clock.advance(max(0.001, (following - self.clock.now()) / 1_000_000))
        raise BrokenError(f"after {ROUNDS_MAX} rounds of work the hub is still not at rest")

    def deliver(self) -> None:
        """Hand every delivery that is under way to the hub."""
        for channel, platform in ((BOOKS, self.books), (TESTED, self.sandbox)):
            while platform.outbox:
                request = platform.outbox.popleft()
                try:
                    self.post(channel, request)
                except UnverifiedError:
                    # The rules about deliveries say so; here it is one that got lost.
                    continue

    def post(self, channel: str, request: Request) -> Verdict:
        """Hand one delivery to the hub, verified as the receiver does it; UnverifiedError when it is refused."""
        verdict = self.verified(channel, request)
        self.hub.walk.receive(channel, verdict.topic, verdict.delivery_id, request.body)
        return verdict

    def verified(self, channel: str, request: Request) -> Verdict:
        """The connector's verdict on a delivery."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        delivery = Delivery(request.method, request.url, headers, request.query, request.body)
        return self.hub.channels[channel].connector.verify(delivery)

    def decide(self, sku: str, number: int) -> None:
        """In the system that is right: the item has so many pieces, or costs so much more than at first."""
        if self.aspect == Aspect.STOCK:
            self.authority.count(sku, number)
        else:
            self.authority.set_price(sku, self._price(sku, number))

    def shows(self, sku: str, number: int) -> bool:
        """Whether the platform under test shows what `decide` decided."""
        if self.aspect == Aspect.STOCK:
            return self.stock(sku) == number
        return Decimal(self.hands.shown()[sku]["price"]) == self._price(sku, number)

    def stock(self, sku: str) -> int:
        """The pieces that the platform shows at the place under test."""
        stock = self.hands.shown()[sku]["stock"]
        return int(stock[self.place]) if self.place in stock else sum(stock.values())

    def _price(self, sku: str, number: int) -> Decimal:
        return PRICE + self.skus.index(sku) + number

    # the hub's books

    def open_changes(self) -> list[OpenChange]:
        """Every change of the channel under test that is not at rest."""
        states = ["intended", "held", "sent", "accepted", "unknown", "refused"]
        return self.hub.database.read(lambda tx: changes.open_in(tx, TESTED, states, WAITING_MAX))

    def paused(self, channel: str) -> str:
        """Why the channel is paused; "" when it is not."""
        return self.hub.database.read(lambda tx: channels.state(tx, channel)).paused_by

    def resume(self) -> None:
        """A person has mended the login of the channel under test."""
        self.hub.database.transaction(lambda tx: channels.pause(tx, TESTED, ""))

    def dead_letters(self) -> list[str]:
        """The open dead letters of the channel under test, in words."""
        stored = self.hub.database.read(letters.open_letters)
        return [f"{one.letter.record} {one.letter.path}: {one.letter.reason}" for one in stored if one.letter.channel == TESTED]

    def hooked(self) -> list[bytes]:
        """The deliveries of the channel under test that wait to be understood."""
        waiting = self.hub.database.read(lambda tx: inbox.waiting(tx, self.hub.vault, WAITING_MAX))
        mine = [one.envelope for one in waiting if one.envelope.channel == TESTED]
        return [envelope.body for envelope in mine if envelope.door == Door.HOOK]

    def marks(self) -> int:
        """How much there is to look at again: dirty keys, look-ups asked for, streams to read at once."""
        asked = self.hub.database.read(lambda tx: dirty.count(tx) + channels.count_look_ups(tx))
        return asked + sum(channel == TESTED for channel, _ in self.hub.walk.read_now)
