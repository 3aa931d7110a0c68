"""The first stations of the walk: inbox ▶ map ▶ identify ▶ claims and observations.

Takes the oldest envelopes, understands them, and commits in one transaction: claims of those who are right, observations of
all others, bindings, dead letters, hints of what to read, and the dirty marks that the later stations work from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from hub.canonical.item import CLAIMED_FIELDS
from hub.canonical.json import read_json
from hub.canonical.values import Plain, plain_decimal
from hub.channel import Channel, all_heard
from hub.clock import Clock
from hub.diff.compare import difference
from hub.flow import Aspect, Door, Key, Observation
from hub.intake.understand import RecordTold, Understood, UnreadOrder, understand, untaken
from hub.merge.authority import Authority
from hub.merge.identify import AMBIGUOUS, Identified, Identify, Known
from hub.moved import ENTITY as MOVEMENT
from hub.moved import Moved
from hub.observed import Observed
from hub.ordered import Ordered
from hub.settings.model import Config
from hub.store import catalogue, changes, channels, dirty, inbox, ledger, letters, orders, targets
from hub.store.catalogue import Binding, Item, StoredClaim
from hub.store.database import Database, Tx
from hub.store.inbox import Waiting
from hub.store.targets import StoredObservation, StoredTarget
from hub.store.vault import Vault
from hub.unread import Unread

IN_FLIGHT: Final = ("sent", "accepted", "unknown")
ORDER_ENTITIES: Final = ("order", "party")
HOUR_MICROS: Final = 3_600_000_000
NOT_DESCRIBED: Final = "not described yet"
"""Why a listing is read of which only a number came."""


class Told:
    """The station that turns what was said into what is known."""

    def __init__(
        self,
        config: Config,
        channels: Mapping[str, Channel],
        database: Database,
        vault: Vault,
        clock: Clock,
        authority: Authority,
        ordered: Ordered,
        moved: Moved,
    ) -> None:
        self._ordered = ordered
        self._moved = moved
        self._unread = Unread(config)
        self._config = config
        self._channels = channels
        self._database = database
        self._vault = vault
        self._clock = clock
        self._authority = authority
        self._observed = Observed(config, authority)
        self._ledger_numbers = range(0)
        self.read_orders: set[str] = set()
        """Channels whose order stream is to be read at once, because something fell there unexplained."""
        self.untold: dict[str, bool] = {}
        """Channels where a reading found a change that no delivery had told of before it; their turns take them out."""

    def step(self, limit: int, heard: frozenset[tuple[str, str]]) -> tuple[int, set[tuple[str, str]]]:
        """Understand up to `limit` envelopes; gives how many, and the (channel, stream) that hints ask to read now.

        `heard` are the streams that have been read to the end at least once.
        """
        waiting = self._database.read(lambda tx: inbox.waiting(tx, self._vault, limit))
        if not waiting:
            return 0, set()
        understood = Understood()
        states = [(each.envelope.seq, each.envelope.answered, self._understand(each, understood)) for each in waiting]
        of_orders = [told for told in understood.told if told.entity in ORDER_ENTITIES]
        of_movements = [told for told in understood.told if told.entity == MOVEMENT]
        understood.told = [told for told in understood.told if told.entity not in (*ORDER_ENTITIES, MOVEMENT)]
        numbers = self._database.next_block(1 + len(understood.told) + len(of_orders))
        mark, self._ledger_numbers = numbers[0], numbers[1 + len(of_orders) :]
        now = self._clock.now()

        def keep(tx: Tx) -> None:
            identified = self._identify(tx, understood, heard, now)
            self._keep_identified(tx, identified, understood, now, mark)
            self._keep_claims(tx, understood, mark)
            self._keep_observations(tx, understood, now, mark)
            refused = self._ordered.keep(tx, of_orders, now, mark, numbers[1:])
            self._moved.keep(tx, of_movements, heard, now, mark)
            self._keep_gone(tx, understood, mark)
            self._ordered.gone(tx, self._gone_of("order", understood), now, mark)
            self._keep_unread(tx, understood, refused, now, mark)
            self._keep_rest(tx, understood, refused, now, mark)
            inbox.understood(tx, states)

        self._database.transaction(keep)
        return len(waiting), understood.read_now

    def _understand(self, each: Waiting, into: Understood) -> str:
        channel = self._channels.get(each.envelope.channel)
        if channel is None:
            into.counted[("unknown_channel", each.envelope.channel, "")] += 1
            return "dead"
        return "done" if understand(channel, each.envelope, each.gone, into) else "dead"

    # identify

    def _identify(self, tx: Tx, said: Understood, heard: frozenset[tuple[str, str]], now: int) -> Identified:
        records = [told for told in said.told if told.entity == "item"]
        skus = {str(told.value["sku"]) for told in records if told.value.get("sku")}
        known = catalogue.bindings(tx, [(told.channel, str(told.value["listing"])) for told in records])
        by_sku = catalogue.bindings_by_sku(tx, skus)
        bound: dict[str, list[tuple[str, str]]] = {}
        for binding in by_sku:
            if binding.state != "gone":
                bound.setdefault(binding.sku, []).append((binding.channel, binding.listing))
        items = {sku: [item.item for item in found] for sku, found in catalogue.items_by_sku(tx, skus).items()}
        had = set(items)
        identify = Identify(
            {key: _known(binding) for key, binding in known.items()},
            items,
            bound,
            item_channels=self._authority.naming_channels,
            items_heard=self.items_heard(heard),
            bind_by_sku=lambda channel: self._config.channels[channel].bind_by == "sku",
            new_id=self._clock.token,
            now=now,
        )
        for told in records:
            identify.record(told.channel, told.value, told.envelope.sweep)
        result = identify.result
        made = {new.sku for new in result.items.values()} - had
        # A new item may be what listings were waiting for: those read earlier, and those read in this very batch before it.
        for binding in by_sku:
            if binding.sku in made and binding.state == "unbound" and (binding.channel, binding.listing) not in result.bindings:
                identify.record(binding.channel, _as_record(binding), binding.sweep)
        early = [(key, one) for key, one in result.bindings.items() if one.state == "unbound" and one.sku in made]
        if early:
            again = {key for key, _ in early}
            result.letters = [letter for letter in result.letters if letter[:2] not in again]
        for key, one in early:
            identify.record(key[0], _as_record(_binding(key, one)), one.sweep)
        return result

    def items_heard(self, heard: frozenset[tuple[str, str]]) -> bool:
        """Whether everyone who is right about items has been read to the end."""
        return all_heard(self._authority.item_channels, self._channels, heard)

    def _keep_identified(self, tx: Tx, found: Identified, said: Understood, now: int, mark: int) -> None:
        catalogue.save_bindings(tx, [_binding(key, known) for key, known in sorted(found.bindings.items())])
        catalogue.save_items(tx, [Item(n.item, n.sku, n.barcode, n.title, n.category, n.kind, now) for n in found.items.values()])
        dirty.mark(tx, [(dirty.ITEM, item, "") for item in found.dirty_items], mark)
        told = {(t.channel, str(t.value["listing"])): t.envelope for t in said.told if t.entity == "item"}
        seqs = {key: envelope.seq for key, envelope in told.items()}
        letters.keep(
            tx,
            [
                letters.DeadLetter("record", channel, "items", listing, path, value, reason, seqs.get((channel, listing), 0), now)
                for channel, listing, path, value, reason in found.letters
            ],
        )
        unmatched = {(channel, listing) for channel, listing, *_ in found.letters}
        lettered = letters.open_records(tx) if found.bound and letters.count_open(tx) else set()
        for channel, listing in sorted(found.bound - unmatched):
            if (channel, "items", listing) in lettered:
                letters.close_of_record(tx, channel, "items", [listing])
        self._ask_for_items(tx, sorted(found.rivals), "another listing has its SKU", mark)
        # An old page may say so of what is there again, and a bin gives back: a look-up makes it certain, or does not.
        looked_up = {key for key, envelope in told.items() if envelope.door == Door.LOOKUP}
        self._ask_for_items(tx, sorted(found.left - looked_up), "it calls itself gone", mark)

    # claims

    def _keep_claims(self, tx: Tx, said: Understood, mark: int) -> None:
        claims: dict[tuple[str, str, str, str], StoredClaim] = {}
        hooks: set[tuple[str, str, str]] = set()
        polled: set[tuple[str, str, str, str]] = set()
        for told in said.told:
            claim = self._claim(told)
            if claim is not None:
                held = claims.get(claim[:4])
                if held is None or _not_older((claim.version, claim.begun), (held.version, held.begun)):
                    claims[claim[:4]] = claim
                if told.envelope.door == Door.HOOK:
                    hooks.add(claim[:3])
                elif told.envelope.door == Door.POLL:
                    polled.add(claim[:4])
        if not claims:
            return
        listings = {(key[0], key[1]) for key in claims}
        old = {claim[:4]: claim.value for claim in catalogue.claims(tx, listings)}
        catalogue.save_claims(tx, list(claims.values()))
        self.untold |= {k[0]: True for k in polled if k in old and old[k] != claims[k].value}
        changed = {k[:3] for k, claim in claims.items() if k[:3] in hooks or old.get(k) != claim.value}
        # A figure that says the same again may be the first to contain what left meanwhile.
        left = orders.items_waiting_for_figures(tx)
        looked = {k[:3] for k in claims} if left else changed
        bindings = catalogue.bindings(tx, [k[:2] for k in looked])
        changed |= {k for k in looked - changed if (b := bindings.get((k[0], k[1]))) and b.item in left}
        touched = [(b.item, aspect) for *k, aspect in changed if (b := bindings.get((k[0], k[1]))) and b.item]
        # What describes an item decides about all that is shown of it; a figure or a price only about its own aspect.
        dirty.mark(tx, [(dirty.ITEM, item, "" if aspect == Aspect.ITEM else str(aspect)) for item, aspect in touched], mark)
        self._ask_for_items(tx, sorted({k[:2] for k in changed} - bindings.keys()), NOT_DESCRIBED, mark)

    def _claim(self, told: RecordTold) -> StoredClaim | None:
        value, channel, envelope = told.value, told.channel, told.envelope
        listing = str(value["listing"])
        version, as_of = int(value.get("version") or 0), int(value.get("as_of") or envelope.received_at)
        if told.entity == "stock":
            location = self.location(channel, str(value.get("place") or ""))
            place = self._authority.stock_place(channel, location) if location else None
            if place is None:
                return None
            said: Plain = {"on_hand": int(value["on_hand"])}
            return StoredClaim(channel, listing, Aspect.STOCK, place.place, said, version, as_of, envelope.begun, envelope.seq)
        if told.entity == "price":
            price_list = self._authority.price_list(channel, str(value.get("list") or ""))
            if price_list is None:
                return None
            said = {"amount": plain_decimal(value["amount"]), "currency": value["currency"], "tax": value.get("tax")}
            return StoredClaim(channel, listing, Aspect.PRICE, price_list, said, version, as_of, envelope.begun, envelope.seq)
        fields = self._authority.item_fields(channel)
        if not fields:
            return None
        said = {name: value[name] for name in CLAIMED_FIELDS if name in fields and value.get(name) is not None}
        return StoredClaim(channel, listing, Aspect.ITEM, "", said, version, as_of, envelope.begun, envelope.seq)

    def location(self, channel: str, platform_place: str) -> str | None:
        """Our location that this channel's place is; None when the configuration names none."""
        if platform_place:
            return self._authority.location(channel, platform_place)
        return self._authority.single_stock_place(channel)

    # observations

    def _keep_observations(self, tx: Tx, said: Understood, now: int, mark: int) -> None:
        newest: dict[Key, tuple[RecordTold, Plain]] = {}
        for told in said.told:
            if self._claim(told) is not None:
                continue
            seen = self._observed.of(self._channels[told.channel], told.entity, told.value)
            if seen is None:
                continue
            held = newest.get(seen[0])
            if held is None or _not_older(_age(told), _age(held[0])):
                newest[seen[0]] = (told, seen[1])
        if not newest:
            return
        listings = {(key.channel, key.listing) for key in newest}
        known, wanted = targets.observations_of(tx, listings), targets.targets_of(tx, listings)
        under_way = {key for key, change in changes.open_of(tx, listings).items() if change.state in IN_FLIGHT}
        accepted: list[StoredObservation] = []
        edits: list[StoredObservation] = []
        asked: list[tuple[str, str, str, str]] = []
        for key, (told, value) in sorted(newest.items()):
            old = known.get(key)
            if self._acceptable(key, told, old, under_way):
                edited = self._edited(key, old, value, wanted.get(key))
                accepted.append(self._seen(key, told, value, old, edited, now))
                if edited:
                    edits.append(accepted[-1])
            else:
                asked.append(
                    (key.channel, self._channels[key.channel].lookup_stream(told.entity), key.listing, "overlapped a write")
                )
        targets.save_observations(tx, accepted)
        self._reserve_falls(tx, accepted, known, mark)
        self._tell_drift(tx, edits, known, now)
        changed = [s.observation.key for s in accepted if _differs(s, known.get(s.observation.key))]
        self.untold |= {k.channel: True for k in changed if k in known and newest[k][0].envelope.door == Door.POLL}
        # Whoever asked for a look gave something up for it: it is compared anew, be what is shown the same as before.
        told_now = [s.observation.key for s in accepted]
        looked_for = [k for k in told_now if newest[k][0].envelope.door == Door.LOOKUP or _looked_for(wanted.get(k))]
        dirty.mark(tx, [(dirty.LISTING, key.channel, key.listing) for key in (*changed, *looked_for)], mark)
        wait = max((self._visible_after(key) for key in newest), default=0)
        channels.ask(tx, [each for each in asked if each[1]], mark, now + wait * 1_000_000)
        bindings = catalogue.bindings(tx, [(key.channel, key.listing) for key in changed])
        self._ask_for_items(tx, [k[:2] for k in changed if k[:2] not in bindings], NOT_DESCRIBED, mark)

    def _acceptable(self, key: Key, told: RecordTold, old: StoredObservation | None, under_way: set[Key]) -> bool:
        """Whether what was told may count as what is shown: never while, or too soon after, a write of our own."""
        if key in under_way:
            return False
        version = int(told.value.get("version") or 0)
        hook = told.envelope.door == Door.HOOK
        if old is None:
            return not hook or version > 0
        before = old.observation
        if version and before.version:
            return version >= before.version
        if hook:
            return False
        if not before.told:
            settled = told.envelope.received_at - before.at >= self._visible_after(key) * 1_000_000
            return told.envelope.begun >= before.answered and settled
        return told.envelope.begun >= before.begun

    def _visible_after(self, key: Key) -> int:
        send = self._channels[key.channel].send(key.aspect)
        return send.visible_after_seconds if send else 0

    def _edited(self, key: Key, old: StoredObservation | None, value: Plain, wanted: StoredTarget | None) -> bool:
        """Whether someone else changed what was right: it showed what it should and does not any more.

        A fall of stock where customers buy is a sale, not a person's edit.
        """
        if old is None or wanted is None:
            return False
        should, before = wanted.target.value, old.observation.value
        if difference(key.aspect, should, before) is not None or difference(key.aspect, should, value) is None:
            return False
        return key.aspect != Aspect.STOCK or value["sellable"] > before["sellable"] or not self._channels[key.channel].sells

    def _seen(
        self, key: Key, told: RecordTold, value: Plain, old: StoredObservation | None, edited: bool, now: int
    ) -> StoredObservation:
        version, envelope = int(told.value.get("version") or 0), told.envelope
        seen = Observation(key, value, True, version, envelope.begun, envelope.answered, envelope.received_at, envelope.seq)
        if old is None:
            return StoredObservation(seen)
        rule = self._config.channels[key.channel].person_edits
        flips, since = old.flips, old.flips_since
        if flips and now - since > rule.flips_hours * HOUR_MICROS:
            flips, since = 0, 0
        if edited:
            flips, since = flips + 1, since or now
        return StoredObservation(seen, flips, since)

    def _tell_drift(self, tx: Tx, edits: list[StoredObservation], known: Mapping[Key, StoredObservation], now: int) -> None:
        """Name in the ledger what others changed."""
        if not edits:
            return
        lines: list[tuple[Key, Plain]] = []
        for each in edits:
            key = each.observation.key
            lines.append((key, {"showed": known[key].observation.value, "shows": each.observation.value, "flips": each.flips}))
        numbers = self._ledger_numbers
        ledger.write(tx, [ledger.Entry(numbers[n], now, "drift", key, "", words) for n, (key, words) in enumerate(lines)])
        ledger.count(tx, {("drift", key.channel, key.aspect): 1 for key, _ in lines})

    def _reserve_falls(
        self, tx: Tx, accepted: list[StoredObservation], known: Mapping[Key, StoredObservation], mark: int
    ) -> None:
        """A fall where customers buy is a sale until its order stream has been read past it: it counts at once."""
        fell: list[tuple[Key, int, StoredObservation]] = []
        for each in accepted:
            key, old = each.observation.key, known.get(each.observation.key)
            if old is None or key.aspect != Aspect.STOCK or not self._channels[key.channel].takes_orders:
                continue
            fall = int(old.observation.value["sellable"]) - int(each.observation.value["sellable"])
            if fall > 0:
                fell.append((key, fall, each))
        bound = catalogue.bindings(tx, [(key.channel, key.listing) for key, _, _ in fell])
        rows = [
            orders.fallen(key, binding.item, fall * binding.factor, mark, each.observation.at)
            for key, fall, each in fell
            if (binding := bound.get((key.channel, key.listing))) is not None and binding.item
        ]
        orders.reserve(tx, rows)
        dirty.mark(tx, [(dirty.ITEM, row.item, Aspect.STOCK) for row in rows], mark)
        self.read_orders |= {row.origin for row in rows}

    # the rest

    def _keep_gone(self, tx: Tx, said: Understood, mark: int) -> None:
        """What the platform definitely lacks: no longer shown, no longer compared, and no claim of it holds."""
        gone = self._gone_of("item", said)
        if not gone:
            return
        known = catalogue.bindings(tx, gone)
        catalogue.save_bindings(
            tx,
            [
                replace(b, state="gone") if (b := known.get((c, listing))) else Binding(c, listing, "", "gone", made_at=mark)
                for c, listing in gone
            ],
        )
        stale = list(targets.targets_of(tx, gone))
        given_up = list(changes.open_of(tx, gone))
        changes.withdraw(tx, given_up)
        letters.close_of_changes(tx, given_up)
        targets.drop_targets(tx, stale)
        targets.drop_observations(tx, gone)
        dirty.mark(tx, [(dirty.ITEM, b.item, "") for b in known.values() if b.item], mark)

    def _keep_unread(self, tx: Tx, said: Understood, refused: Sequence[RecordTold], now: int, mark: int) -> None:
        """What orders take that are not understood, until they are."""
        told = {(channel, named) for channel, named, _ in said.understood}
        about = {each for each in told if self._channels[each[0]].speaks_of(each[1], "order")}
        settled = {(channel, record) for channel, named, record in said.understood if (channel, named) in about}
        unread = [
            UnreadOrder(t.channel, t.record, t.value, untaken(self._channels[t.channel], t.record, t.value), t.envelope)
            for t in refused
        ]
        self._unread.keep(tx, [*said.unread, *unread], settled | set(self._gone_of("order", said)), now, mark)

    def _gone_of(self, entity: str, said: Understood) -> list[tuple[str, str]]:
        """What was said to be gone on streams about this, by channel and id."""
        streams = {name: channel.manifest.streams for name, channel in self._channels.items()}
        return [(channel, ident) for channel, stream, ident in said.gone if entity in streams[channel][stream].maps]

    def _keep_rest(self, tx: Tx, said: Understood, refused: Sequence[RecordTold], now: int, mark: int) -> None:
        letters.keep(tx, said.letters)
        if said.letters:
            # An old page is read again: what it spoke of may be gone since, and then nobody is to be asked about it.
            named = {
                (each.channel, letters.id_in(each.record))
                for each in said.letters
                if self._about_listings(each.channel, each.stream)
            }
            gone = sorted(key for key, each in catalogue.bindings(tx, named).items() if each.state == "gone")
            self._ask_for_items(tx, gone, "it was gone, and something spoke of it", mark)
        if letters.count_open(tx):
            self._close_letters(tx, said, refused, mark)
        channels.ask(tx, said.look_ups, mark, now)
        ledger.count(tx, said.counted)

    def _close_letters(self, tx: Tx, said: Understood, refused: Sequence[RecordTold], mark: int) -> None:
        """What is understood by now is nobody's worry any more, nor is what is gone; what had the same SKU may be bound now."""
        lettered, gone = letters.open_records(tx), self._gone_listings(said)
        fresh = {(letter.channel, letter.stream, letter.record) for letter in said.letters}
        fresh |= {(told.channel, told.envelope.told_on, told.record) for told in refused}
        # Of a listing that is understood its item must be found as well: that is seen where it is identified.
        listings = {(told.channel, "items", str(told.value.get("listing"))) for told in said.told if told.entity == "item"}
        over = {each for each in lettered if (each[0], letters.id_in(each[2])) in gone and self._about_listings(*each[:2])}
        for channel, stream, record in sorted((set(said.understood) & lettered) - fresh - listings | over):
            letters.close_of_record(tx, channel, stream, [record])
        skus = {(channel, each.sku) for (channel, _), each in catalogue.bindings(tx, gone).items() if each.sku}
        rivals = catalogue.bindings_by_sku(tx, {sku for _, sku in skus})
        free = sorted(
            (each.channel, each.listing) for each in rivals if each.state == AMBIGUOUS and (each.channel, each.sku) in skus
        )
        self._ask_for_items(tx, free, "the other listing with its SKU is gone", mark)

    def _gone_listings(self, said: Understood) -> set[tuple[str, str]]:
        """The listings that were said to be gone, by channel and id: definitely lacking, or by their own record."""
        records = [told for told in said.told if told.entity == "item" and told.value.get("state") == "gone"]
        return {*self._gone_of("item", said), *((told.channel, str(told.value["listing"])) for told in records)}

    def _about_listings(self, channel: str, stream: str) -> bool:
        return any(self._channels[channel].speaks_of(stream, entity) for entity in ("item", "stock", "price"))

    def _ask_for_items(self, tx: Tx, wanted: Sequence[tuple[str, str]], why: str, mark: int) -> None:
        """Read these listings themselves."""
        asked = []
        for name, listing in wanted:
            stream = self._channels[name].lookup_stream("item")
            if stream:
                asked.append((name, stream, listing, why))
        channels.ask(tx, asked, mark, self._clock.now())


def _known(binding: Binding) -> Known:
    b = binding
    return Known(b.item, b.state, b.sku, b.refs, b.factor, b.made_by, b.made_at, b.sweep, b.barcode)


def _binding(key: tuple[str, str], known: Known) -> Binding:
    k = known
    return Binding(*key, k.item, k.state, k.sku, k.refs, k.factor, k.made_by, k.made_at, k.sweep, k.barcode)


def _as_record(binding: Binding) -> dict[str, Plain]:
    return {"listing": binding.listing, "sku": binding.sku, "refs": read_json(binding.refs)}


def _age(told: RecordTold) -> tuple[int, int]:
    return int(told.value.get("version") or 0), told.envelope.begun


def _not_older(new: tuple[int, int], old: tuple[int, int]) -> bool:
    """Which of two (version, begun) was said later: by the platform's version where both have one, else by our own sequence."""
    return new[0] >= old[0] if new[0] and old[0] else new[1] >= old[1]


def _differs(new: StoredObservation, old: StoredObservation | None) -> bool:
    return old is None or old.observation.value != new.observation.value


def _looked_for(wanted: StoredTarget | None) -> bool:
    """Whether others wait for what is shown here, or it for who was not heard, be it the same as before: the last pieces of a
    scarce item are divided."""
    if wanted is None or wanted.target.key.aspect != Aspect.STOCK:
        return False
    quota = wanted.target.because.get("quota", ())
    return "looked_for" in quota or "unheard" in quota
