"""What the hub's store must hold: pages before cursors, deliveries before answers, and no difference that nobody works on.

These promises are about the store, so the store is looked at, in plain queries of its own rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from typing import Final

from hub.canonical.json import at_path, read_json, stored_json
from hub.canonical.values import Plain
from hub.flow import Door
from hub.simulate.checkers import Findings
from hub.simulate.crew import HubCrew
from hub.simulate.drifting import understood
from hub.simulate.retailer import Retailer
from hub.store import inbox, letters, orders
from hub.store.database import Tx

LYING_MICROS: Final = 3_600_000_000
"""No request takes so long, and no hub is dead for so long."""
FLYING: Final = "('sent', 'accepted', 'unknown')"
EXACT: Final = {"stock": ("sellable",), "price": ("amount", "currency"), "movement": ("moved",)}
"""What of a value is shown, by aspect; of any other all that the target names."""
WAITING: Final = ("hold", "reserve", "release")
DAY: Final = "day"
ORDER: Final = "order"
NOT_TAKEN: Final = "reserved for it"
"""In the letter of an order of which it says why it takes nothing (more)."""
GONE: Final = ("shipped", "delivered", "handed_over", "sold", "moved")


_NOTE: Final = "INSERT INTO judged VALUES ('{}', NEW.channel, NEW.listing, NEW.aspect, NEW.place); END"
_OF_OBSERVATIONS: Final = "AFTER UPDATE ON observations WHEN NEW.told = 1 AND "
_VERSIONS: Final = "OLD.version > 0 AND NEW.version > 0"
TOLD_AFTER, OLDER, FALL = "told after the write", "never older", "a fall is a sale"
MARKED, WORKED_OUT, ANEW = "marked", "worked out", "marked anew stays"
MOVED: Final = "no cursor beyond stored pages"
_NOTE_CURSOR: Final = f"INSERT INTO judged VALUES ('{MOVED}', NEW.channel, NEW.stream, NEW.kind, NEW.last_seq); END"
_NOTE_KEY: Final = "INSERT INTO judged VALUES ('{}', {row}.kind, {row}.a, {row}.b, ''); END"
_NOTICES: Final = (
    "CREATE TEMP TABLE judged (promise text, channel text, listing text, aspect text, place text)",
    # What was told counts again only once it was asked for after an own write was answered.
    (
        f"CREATE TEMP TRIGGER told_early {_OF_OBSERVATIONS} OLD.told = 0 AND NEW.begun < OLD.answered AND NOT ({_VERSIONS}) "
        f"BEGIN {_NOTE.format(TOLD_AFTER)}"
    ),
    f"CREATE TEMP TRIGGER seen_older {_OF_OBSERVATIONS} {_VERSIONS} AND NEW.version < OLD.version BEGIN {_NOTE.format(OLDER)}",
    (
        f"CREATE TEMP TRIGGER claimed_older AFTER UPDATE ON claims WHEN ({_VERSIONS} AND NEW.version < OLD.version) OR "
        f"(NEW.version = 0 AND OLD.version = 0 AND NEW.begun > 0 AND NEW.begun < OLD.begun) BEGIN {_NOTE.format(OLDER)}"
    ),
    # What was only looked at right before writing has no envelope: there the write itself says what follows.
    (
        f"CREATE TEMP TRIGGER fell {_OF_OBSERVATIONS} NEW.seq > 0 AND NEW.aspect = 'stock' AND "
        f"json_extract(NEW.value, '$.sellable') < json_extract(OLD.value, '$.sellable') BEGIN {_NOTE.format(FALL)}"
    ),
    # What was marked dirty after the walk had read for the last time is not among what it has worked out.
    f"CREATE TEMP TRIGGER marked AFTER INSERT ON dirty BEGIN {_NOTE_KEY.format(MARKED, row='NEW')}",
    f"CREATE TEMP TRIGGER marked_again AFTER UPDATE ON dirty BEGIN {_NOTE_KEY.format(MARKED, row='NEW')}",
    f"CREATE TEMP TRIGGER worked_out AFTER DELETE ON dirty BEGIN {_NOTE_KEY.format(WORKED_OUT, row='OLD')}",
    # A reading that moves on has stored the page that it moved past.
    f"CREATE TEMP TRIGGER began AFTER INSERT ON cursors WHEN NEW.last_seq > 0 BEGIN {_NOTE_CURSOR}",
    f"CREATE TEMP TRIGGER moved AFTER UPDATE ON cursors WHEN NEW.last_seq NOT IN (0, OLD.last_seq) BEGIN {_NOTE_CURSOR}",
    # Judges ask at every commit for what the hub never asks for.
    "CREATE INDEX judged_bytes ON inbox (channel, digest)",
    "CREATE INDEX judged_pages ON inbox (channel, delivery_id, answered)",
)
"""What the store itself notices while rows replace others; looked at after each commit."""


class StoreJudge:
    """Looks at the store: `committed` after each commit, `look` now and then, `taken` when a delivery was answered."""

    def __init__(self, retailer: Retailer, crew: Callable[[], HubCrew], findings: Findings) -> None:
        self._retailer = retailer
        self._crew = crew
        self._findings = findings
        self._looks = 0
        self._unread: set[tuple[str, str, str]] = set()
        """Keys that were marked dirty since the walk read anything."""

    def watches(self, tx: Tx) -> None:
        """Let the store notice what replaces what."""
        for statement in _NOTICES:
            tx.execute(statement)

    # at every commit

    def committed(self) -> None:
        """Something was committed just now."""
        with self._findings.scheduler.alone():
            during, noticed = self._crew().store.read(lambda tx: (_during(tx), self._noticed(tx)))
        for promise, words in noticed:
            self._findings.found(promise, words)
        for key in during:
            self._findings.found("never during a write", f"what was told of {' '.join(key)} counts while it is being written")

    def walk_read(self) -> None:
        """The walk has read something just now: it may know of everything that is dirty."""
        self._unread.clear()

    def taken(self, channel: str, body: bytes) -> None:
        """A delivery was answered with yes: these very bytes must be in the inbox."""
        digest = hashlib.sha256(body).hexdigest()

        def known(tx: Tx) -> bool:
            rows = tx.query("SELECT 1 FROM inbox WHERE channel = :channel AND digest = :digest", channel=channel, digest=digest)
            return bool(rows)

        with self._findings.scheduler.alone():
            stored = self._crew().store.read(known)
        if not stored:
            self._findings.found("taken is stored", f"a delivery of {channel} was answered and is not in the inbox")

    def drifted(self, channel: str, stream: str, since: int, waiting: Mapping[str, Collection[str]]) -> None:
        """Records of this stream drifted from `since` on: each that was stored and cannot be understood is told by its name, and
        each of these orders takes its pieces all the same. `waiting` are the orders of the channel that wait: SKUs by id."""
        hub = self._crew().hub
        about = hub.channels[channel]
        declared = about.manifest.streams[stream]

        def unsaid(tx: Tx) -> set[str]:
            seqs = tx.query(
                "SELECT seq FROM inbox WHERE channel = :channel AND stream = :stream AND door <> :hook AND state = 'done' "
                "AND received_at >= :since",
                channel=channel,
                stream=stream,
                hook=Door.HOOK,
                since=since,
            )
            pages = inbox.fetch(tx, hub.vault, [row[0] for row in seqs]).values()
            bodies = [read_json(page.envelope.body) for page in pages]
            records = [one for body in bodies for one in at_path(body, declared.records) or ()]
            named = {
                about.mappings.identity(each, one)
                for one in records
                for each in declared.maps
                if understood(about.mappings, each, one) is None
            }
            told = tx.query(
                "SELECT record FROM dead_letters WHERE kind = 'record' AND channel = :channel AND stream = :stream",
                channel=channel,
                stream=stream,
            )
            return named - {row[0] for row in told}

        with self._findings.scheduler.alone():
            for record in sorted(self._crew().store.read(unsaid)):
                words = f"{channel} {stream} {record} is not understood, and there is no letter of it"
                self._findings.found("not understood is said", words)
            # A letter about something else may have an order's number.
            orders_here = waiting if ORDER in declared.maps else {}
            for words in self._crew().store.read(lambda tx: list(_unread_unreserved(tx, channel, stream, orders_here))):
                self._findings.found("reservations", words)

    # now and then

    def look(self, *, all_of_it: bool = False) -> None:
        """What must hold between two commits at any time; differences of one channel after the other, or of all."""
        names = sorted(self._retailer.config.channels)
        self._looks += 1
        chosen = names if all_of_it else [names[self._looks % len(names)]]
        with self._findings.scheduler.alone():
            store = self._crew().store
            for name in chosen:
                for words in store.read(lambda tx, name=name: list(_forgotten(tx, name))):  # type: ignore[misc]
                    self._findings.found("nothing forgotten", words)
            for words in store.read(lambda tx: list(_lying(tx, self._findings.scheduler.now))):
                self._findings.found("asked what became of it", words)
            for words in store.read(lambda tx: list(self._unentitled(tx))):
                self._findings.found("authority", words)
            for words in store.read(lambda tx: list(_unreserved(tx))):
                self._findings.found("reservations", words)

    def _noticed(self, tx: Tx) -> list[tuple[str, str]]:
        rows = tx.query("SELECT promise, channel, listing, aspect, place FROM judged ORDER BY rowid")
        if rows:
            tx.execute("DELETE FROM judged")
        found = []
        for promise, *what in rows:
            first, second, third, place = key = tuple(what)
            if promise == MARKED:
                self._unread.add((first, second, third))
            elif promise == WORKED_OUT and (first, second, third) in self._unread:
                found.append((ANEW, f"{first} {second} {third} was marked again, and is gone unread"))
            elif promise == MOVED:
                if not _page_is_stored(tx, first, second, int(place)):
                    found.append((MOVED, f"{first}: the {third} of {second} is further than what is stored of it"))
            elif promise == FALL and (not self._retailer.takes_orders(first) or _counts_as_sold(tx, first, second, place)):
                continue
            elif promise != WORKED_OUT:
                found.append((promise, " ".join(key).strip()))
        return found

    def _unentitled(self, tx: Tx) -> Iterator[str]:
        """Canonical values that rest on what a channel said that is not right about them, by the configuration as written."""
        about = self._retailer.config.authority
        items = {rule.channel for rule in about.items}
        stock = {(rule.channel, place) for rule in about.stock for place in rule.covers}
        prices = {(rule.channel, rule.list) for rule in about.prices}
        for item, aspect, place, value in tx.query("SELECT item, aspect, place, value FROM catalogue"):
            told = {str(source["channel"]) for source in stored_json(value).get("from", ())}
            for channel in sorted(told):
                if aspect == "item":
                    right = channel in items
                elif aspect == "price":
                    right = (channel, place) in prices
                else:
                    right = all((channel, each) in stock for each in str(place).split("+"))
                if not right:
                    yield f"{aspect} {place} of {item} rests on {channel}, which is not right about it"


def _page_is_stored(tx: Tx, channel: str, stream: str, last: int) -> bool:
    """Whether the last page of a reading is in the inbox."""
    # A page that says the same as an earlier one keeps that one's number, and takes the new times.
    rows = tx.query(
        "SELECT 1 FROM inbox WHERE channel = :channel AND delivery_id IN (:poll, :sweep) AND answered >= :last LIMIT 1",
        channel=channel,
        poll=f"poll:{stream}",
        sweep=f"sweep:{stream}",
        last=last,
    )
    return bool(rows)


def _during(tx: Tx) -> list[tuple[str, ...]]:
    """Keys under way of which something told counts that came after they were sent."""
    rows = tx.query(
        "SELECT c.channel, c.listing, c.aspect, c.place FROM changes c CROSS JOIN observations o WHERE "
        f"c.state IN {FLYING} AND c.aspect <> 'order' AND o.channel = c.channel AND o.listing = c.listing "
        "AND o.aspect = c.aspect AND o.place = c.place AND o.told = 1 AND o.answered > c.sent_seq"
    )
    return [tuple(str(each) for each in row) for row in rows]


def _counts_as_sold(tx: Tx, channel: str, listing: str, place: str) -> bool:
    """Whether something of this listing (at this place) is reserved since it fell there, or nobody knows what it is."""
    reserved = tx.query(
        'SELECT 1 FROM reservations WHERE "order" = :fall AND line = :listing AND place = :place LIMIT 1',
        fall=f"?{channel}",
        listing=listing,
        place=place,
    )
    bound = tx.query(
        "SELECT 1 FROM bindings WHERE channel = :channel AND listing = :listing AND item <> '' LIMIT 1",
        channel=channel,
        listing=listing,
    )
    return bool(reserved) or not bound


def _lying(tx: Tx, now: int) -> Iterator[str]:
    """Changes that were sent long ago and of which nobody asks what became of them."""
    rows = tx.query(
        "SELECT channel, listing, aspect, place, sent_at FROM changes WHERE state = 'sent' AND sent_at < :before",
        before=now - LYING_MICROS,
    )
    for channel, listing, aspect, place, at in rows:
        yield f"{channel} {listing} {aspect} {place} was sent at {at} and lies there"


_UNREAD: Final = "SELECT record FROM dead_letters WHERE state = 'open' AND kind IN ('record', 'envelope') AND channel = :channel"


def _forgotten(tx: Tx, channel: str) -> Iterator[str]:
    """Differences that are neither being changed nor going to be looked at."""
    if tx.query("SELECT 1 FROM inbox WHERE state = 'new' AND channel = :channel LIMIT 1", channel=channel):
        return
    rows = tx.query(
        "SELECT t.listing, t.aspect, t.place, t.item, t.value, o.value FROM targets t CROSS JOIN observations o "
        "WHERE t.channel = :channel AND o.channel = t.channel AND o.listing = t.listing AND o.aspect = t.aspect "
        "AND o.place = t.place AND t.value <> o.value",
        channel=channel,
    )
    wrong = [row for row in rows if _differs(str(row[1]), stored_json(row[4]), stored_json(row[5]))]
    if not wrong:
        return
    dirty = {(row[0], row[1], row[2]) for row in tx.query("SELECT kind, a, b FROM dirty")}
    items = {a for kind, a, _ in dirty if kind == "item"}
    facts = any(kind in ("order", "movement") for kind, _, _ in dirty)
    moving = {tuple(row) for row in tx.query("SELECT listing, aspect, place FROM changes WHERE channel = :c", c=channel)}
    asked = {row[0] for row in tx.query("SELECT id FROM lookups WHERE channel = :channel", channel=channel)}
    # What was not understood waits for a person, by its name (or an address that ends with it); at the end no letter may be left.
    asked |= {letters.id_in(row[0]) for row in tx.query(_UNREAD, channel=channel)}
    for listing, aspect, place, item, value, shown in wrong:
        worked_on = (listing, aspect, place) in moving or listing in asked or item in items
        worked_on |= ("listing", channel, listing) in dirty or (facts and aspect in ("order", "movement"))
        if not worked_on:
            yield f"{channel} {listing} {aspect} {place} should show {value}, shows {shown}, and nobody works on it"


def _differs(aspect: str, wanted: Plain, shown: Plain) -> bool:
    for name in EXACT.get(aspect, tuple(wanted)):
        one, other = wanted.get(name), shown.get(name)
        if name == "amount":
            one, other = Decimal(str(one)), Decimal(str(other))
        if one != other:
            return True
    return False


def _unreserved(tx: Tx) -> Iterator[str]:
    """Orders that wait to be handed out, as their birthplace said last, of which less is reserved than is open.

    What is no item (yet) cannot be reserved.
    """
    told: dict[str, int] = {}
    items = set(tx.query("SELECT channel, listing FROM bindings WHERE item <> ''"))
    for order, channel, value in tx.query(
        "SELECT b.\"order\", b.channel, b.value FROM order_bindings b CROSS JOIN orders o WHERE b.role = 'origin' "
        'AND o."order" = b."order" AND o.history = 0 AND o.channel = b.channel'
    ):
        record = stored_json(value)
        # A hold may end by itself.
        if record["state"] in WAITING and DAY not in record and not record.get("hold_until"):
            lines = [line for line in record["lines"] if str(line.get("kind") or "stocked") == "stocked"]
            lines = [line for line in lines if (channel, str(line.get("listing"))) in items]
            told[order] = sum(int(line["quantity"]) - int(line.get("cancelled") or 0) for line in lines)
    waits = {row[0] for row in tx.query("SELECT a FROM dirty WHERE kind = 'order'")}
    held: Counter[str] = Counter()
    for row in orders.all_reservations(tx, 1_000_000):
        held[row.order] += row.quantity
    gone = _gone(tx)
    for order, quantity in told.items():
        if order not in waits and held[order] < quantity - gone.get(order, 0):
            yield f"order {order} waits for {quantity} thousandths less {gone.get(order, 0)} gone: {held[order]} are reserved"


def _unread_unreserved(tx: Tx, channel: str, stream: str, waiting: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Orders that wait, are known only by a letter and take nothing although what they are for can be read."""
    told = tx.query(
        "SELECT record, reason FROM dead_letters WHERE state = 'open' AND kind = 'record' AND channel = :channel "
        "AND stream = :stream",
        channel=channel,
        stream=stream,
    )
    named = {letters.id_in(record): record for record, why in told if NOT_TAKEN not in why}
    known = {row[0] for row in tx.query("SELECT their FROM order_bindings WHERE channel = :channel", channel=channel)}
    bound = {row[0] for row in tx.query("SELECT sku FROM bindings WHERE channel = :channel AND item <> ''", channel=channel)}
    held = {row.order for row in orders.all_reservations(tx, 1_000_000)}
    for their in sorted((named.keys() & waiting.keys()) - {letters.id_in(each) for each in known}):
        if bound >= set(waiting[their]) and orders.unread_name(channel, named[their]) not in held:
            yield f"{channel} {their} waits for {sorted(waiting[their])}, is not understood, and takes nothing"


def _gone(tx: Tx) -> Counter[str]:
    """What left of each order: as its birthplace says, or as all others say, whichever is more."""
    origin: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for order, role, value in tx.query('SELECT "order", role, value FROM order_bindings'):
        record = stored_json(value)
        told = record["lines"] if role == "receipt" else []
        told = told or [part for each in record.get("fulfilments") or () if each["state"] in GONE for part in each["parts"]]
        (origin if role == "origin" else others)[order] += sum(int(part["quantity"]) for part in told)
    return origin | others
