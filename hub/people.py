"""What people ask of the worker: bind, pause, approve, apply, replay. Each request is answered, item by item.

Commands write requests into the store and watch them; only the worker (or a command that found none) carries them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from hub import forgetting, remembered
from hub.app import Hub
from hub.canonical.values import Plain
from hub.diff.compare import difference
from hub.diff.damage import OVERTAKES_MICROS_MAX
from hub.errors import HubError
from hub.flow import Aspect, Key
from hub.log import logger
from hub.store import catalogue, changes, channels, cursors, dirty, inbox, ledger, letters, order_looks, orders, requests, targets
from hub.store.catalogue import Binding
from hub.store.changes import OpenChange
from hub.store.database import Tx
from hub.store.parties import Parties
from hub.store.requests import Asked
from hub.store.tokens import Tokens
from hub.subscriptions import NO_PUBLIC_URL
from hub.unread import dismiss

REQUESTS_MAX: Final = 50
BINDINGS_MAX: Final = 5_000
"""Bindings in one request."""
_log = logger("people")
Answer = dict[str, Plain]


class RequestRefusedError(Exception):
    """What was asked cannot be done; says why, for the person who asked."""


class People:
    """Carries out requests on a hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._database = hub.database
        self._clock = hub.clock
        self._kinds: dict[str, Callable[[Plain], Answer]] = {
            "bind": self._bind,
            "bind_all": self._bind_all,
            "unbind": self._unbind,
            "ignore": self._ignore,
            "pause": self._pause,
            "resume": self._resume,
            "approve": lambda body: self._decide(body, approve=True),
            "reject": lambda body: self._decide(body, approve=False),
            "apply": self._apply,
            "replay": self._replay,
            "discard": self._discard,
            "settle": self._settle,
            "reread": self._reread,
            "forget": self._forget,
            "connected": self._connected,
        }
        self._of_channels: dict[str, Callable[[Asked], None]] = {"hooks": self._hooks}
        """What a channel's own turn answers, because it asks the platform."""
        self._at_work: set[str] = set()
        """Requests that a turn has taken on and not answered yet."""

    def step(self) -> bool:
        """Carry out what waits; True when there was something."""
        waiting = self._database.read(lambda tx: requests.waiting(tx, REQUESTS_MAX))
        self._at_work &= {asked.id for asked in waiting}
        new = [asked for asked in waiting if asked.id not in self._at_work]
        for asked in new:
            self._carry_out(asked)
        return bool(new)

    def _carry_out(self, asked: Asked) -> None:
        kind = self._kinds.get(asked.kind)
        try:
            if asked.kind in self._of_channels:
                self._of_channels[asked.kind](asked)
                return
            if kind is None:
                raise RequestRefusedError(f"this worker knows no request `{asked.kind}`")
            answer, state = kind(asked.body), "done"
        except (RequestRefusedError, HubError) as bad:
            answer, state = _failed(asked, str(bad)), "failed"
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            answer, state = _failed(asked, f"the request is not well formed: {type(bad).__name__}"), "failed"
        except Exception as bad:
            # One request that we cannot carry out must not stand before the walk for ever.
            _log.exception("a request failed", kind=asked.kind)
            answer, state = _failed(asked, f"our own fault, see the log: {type(bad).__name__}"), "failed"
        _log.info("request", kind=asked.kind, state=state, refused=len(answer.get("refused", [])))
        at = self._clock.now()
        self._database.transaction(lambda tx: requests.answer(tx, asked.id, state, answer, at))

    # bindings

    def _bind(self, body: Plain) -> Answer:
        key = (str(body["channel"]), str(body["listing"]))
        self._known_channel(key[0])
        item = self._item(body)
        old = self._database.read(lambda tx: catalogue.bindings(tx, [key])).get(key)
        if old is None:
            raise RequestRefusedError(f"{key[0]} has no listing {key[1]}")
        factor = int(body.get("factor") or 1)
        if factor < 1:
            raise RequestRefusedError("a unit factor is 1 or more")
        made = replace(old, item=item, state="bound", factor=factor, made_by="person", made_at=self._clock.now())
        self._rebind(old, made)
        return _done(f"{key[0]} {key[1]} is bound to {item}")

    def _bind_all(self, body: Plain) -> Answer:
        """Bind what a person has accepted from the report of the first contact, each on its own."""
        done: list[Plain] = []
        refused: list[Plain] = []
        for each in body["bindings"][:BINDINGS_MAX]:
            try:
                done += self._bind(each)["done"]
            except RequestRefusedError as bad:
                refused.append({"key": f"{each['channel']} {each['listing']}", "why": str(bad)})
        return {"done": done, "refused": refused}

    def _unbind(self, body: Plain) -> Answer:
        return self._free(body, "unbound")

    def _ignore(self, body: Plain) -> Answer:
        return self._free(body, "ignored")

    def _free(self, body: Plain, state: str) -> Answer:
        key = (str(body["channel"]), str(body["listing"]))
        old = self._database.read(lambda tx: catalogue.bindings(tx, [key])).get(key)
        if old is None:
            raise RequestRefusedError(f"{key[0]} has no listing {key[1]}")
        # An unbound listing would be bound again by its SKU at the next reading: a person's word outlasts that.
        made = replace(old, item="", state="ignored" if old.sku else state, made_by="person", made_at=self._clock.now())
        self._rebind(old, made)
        return _done(f"{key[0]} {key[1]} is {made.state}")

    def _rebind(self, old: Binding, new: Binding) -> None:
        mark = self._database.next()
        key = (new.channel, new.listing)

        def keep(tx: Tx) -> None:
            catalogue.save_bindings(tx, [new])
            letters.close_of_record(tx, new.channel, "items", [new.listing])
            if new.item != old.item:
                changes.withdraw(tx, list(changes.open_of(tx, [key])))
                targets.drop_targets(tx, list(targets.targets_of(tx, [key])))
            dirty.mark(tx, [(dirty.ITEM, item, "") for item in {old.item, new.item} if item], mark)

        self._database.transaction(keep)

    def _item(self, body: Plain) -> str:
        if body.get("item"):
            item = str(body["item"])
            if item not in self._database.read(lambda tx: catalogue.items(tx, [item])):
                raise RequestRefusedError(f"no item {item}")
            return item
        sku = str(body["sku"])
        found = self._database.read(lambda tx: catalogue.items_by_sku(tx, [sku])).get(sku, [])
        if len(found) != 1:
            raise RequestRefusedError(f"{len(found)} items have the SKU {sku}: name the item itself")
        return found[0].item

    # channels

    def _pause(self, body: Plain) -> Answer:
        name = self._known_channel(str(body["channel"]))
        why = str(body.get("why") or "paused by a person")[:300]
        self._database.transaction(lambda tx: channels.pause(tx, name, why))
        return _done(f"{name} is paused")

    def _resume(self, body: Plain) -> Answer:
        name = self._known_channel(str(body["channel"]))
        self._hub.channels[name].client.bucket.paused_until = 0
        self._database.transaction(lambda tx: channels.pause(tx, name, ""))
        return _done(f"{name} goes on")

    def _hooks(self, asked: Asked) -> None:
        name, heal = self._known_channel(str(asked.body["channel"])), bool(asked.body.get("heal"))
        subscriptions = self._hub.turns[name].subscriptions
        if not subscriptions.able:
            raise RequestRefusedError(f"{name}: this platform keeps no subscriptions that can be looked after from here")
        if heal and not subscriptions.url:
            raise RequestRefusedError(NO_PUBLIC_URL)
        if self._database.read(lambda tx: channels.state(tx, name)).paused_by:
            raise RequestRefusedError(f"{name} is paused")
        self._at_work.add(asked.id)
        subscriptions.ask(asked.id, heal)
        self._hub.walk.wake(name)

    def _connected(self, body: Plain) -> Answer:
        """Keep what a platform granted, sealed as the request carries it, and let a channel go on whose login was refused."""
        name = self._known_channel(str(body["channel"]))
        sealed = {str(key): str(text) for key, text in body["sealed"].items()}
        tokens = Tokens(self._database, self._hub.vault)

        def keep(tx: Tx) -> None:
            tokens.take(tx, name, sealed)
            channels.let_in(tx, name)

        self._database.transaction(keep)
        return _done(f"{name} is signed in: {', '.join(sorted(sealed))} kept")

    def _reread(self, body: Plain) -> Answer:
        name = self._known_channel(str(body["channel"]))
        self._database.transaction(lambda tx: cursors.restart(tx, name))
        return _done(f"{name} is read from the beginning")

    def _known_channel(self, name: str) -> str:
        if name not in self._hub.channels:
            raise RequestRefusedError(f"no channel {name}: there are {', '.join(sorted(self._hub.channels))}")
        return name

    # holds and plans

    def _decide(self, body: Plain, *, approve: bool) -> Answer:
        ident, now = str(body["hold"]), self._clock.now()
        mark = self._database.next()

        def keep(tx: Tx) -> Answer:
            found = [hold for hold in requests.holds(tx) if hold.id.startswith(ident)]
            if len(found) != 1:
                raise RequestRefusedError(f"{len(found)} open holds begin with {ident}")
            hold = found[0]
            held = changes.held(tx, hold.id)
            requests.close_hold(tx, hold.id, "approved" if approve else "rejected", now)
            if hold.guard in ("gone", "empty_authority"):
                asked = self._absent(tx, hold.channel) if approve else []
                channels.ask(tx, asked, mark, now)
                return _done(f"{len(asked)} absent listings of {hold.channel} are looked up singly")
            if approve:
                changes.release(tx, hold.id)
                _forgive(tx, held)
            else:
                changes.settle(tx, [(c, "refused", 0, "", "rejected by a person") for c in held])
            dirty.mark(tx, [(dirty.LISTING, c.key.channel, c.key.listing) for c in held], mark)
            return {"done": [str(c.key) for c in held], "refused": []}

        return self._database.transaction(keep)

    def _absent(self, tx: Tx, name: str) -> list[tuple[str, str, str, str]]:
        """The listings that the last whole reading lacked, each to be looked up: only a definite "gone" counts."""
        asked = []
        for reading in cursors.readings(tx, name).values():
            stream = self._hub.channels[name].manifest.streams.get(reading.stream)
            if reading.kind == "sweep" and stream is not None and "item" in stream.maps and stream.look_up:
                missing, _ = catalogue.not_listed(tx, name, reading.checked)
                asked += [(name, reading.stream, listing, "absent, and a person says so") for listing in missing]
        return asked

    def _apply(self, body: Plain) -> Answer:
        """Intend exactly these changes, refusing each where target or observation are not what the plan says."""
        items = body["items"]
        keys = [Key(str(i["channel"]), str(i["listing"]), str(i["aspect"]), str(i.get("place") or "")) for i in items]
        done: list[Plain] = []
        refused: list[Plain] = []
        now = self._clock.now()

        def keep(tx: Tx) -> None:
            done.clear()
            refused.clear()
            listings = [(key.channel, key.listing) for key in keys]
            wanted, seen = targets.targets_of(tx, listings), targets.observations_of(tx, listings)
            under_way = changes.open_of(tx, listings)
            new = []
            for key, item in zip(keys, items, strict=True):
                target, shown = wanted.get(key), seen.get(key)
                why = self._moved(key, item, target.target.value if target else None, shown.observation.value if shown else None)
                open_change = under_way.get(key)
                if not why and open_change is not None and open_change.state not in changes.REPLACEABLE:
                    why = "a change of it is under way"
                if why or target is None:
                    refused.append({"key": str(key), "why": why})
                    continue
                change = OpenChange(
                    key=key,
                    id=self._clock.token(),
                    item=target.target.item,
                    before=item["from"],
                    after=self._after(open_change, item),
                    state="intended",
                    urgency=now - OVERTAKES_MICROS_MAX,
                    decided_at=now,
                    observed_at=shown.observation.at if shown else 0,
                    words=changes.BY_PLAN,
                )
                new.append(change)
                done.append({"key": str(key), "change": change.id})
            changes.intend(tx, new)

        self._database.transaction(keep)
        return {"done": done, "refused": refused}

    def _after(self, open_change: OpenChange | None, item: Plain) -> Plain:
        """A listing that is made by us needs its first price and stock, which the open change knows."""
        made = open_change is not None and open_change.key.aspect == Aspect.LISTING and item["from"] is None
        return open_change.after if made and open_change is not None else item["to"]

    def _moved(self, key: Key, item: Plain, target: Plain, shown: Plain) -> str:
        channel = self._hub.channels.get(key.channel)
        if channel is None or channel.settings.mode == "observe":
            return "this channel is only observed" if channel else "no such channel"
        if target is None or difference(key.aspect, target, item["to"]) is not None:
            return "what it should show is another by now"
        before = item["from"]
        if (before is None) != (shown is None) or (before is not None and difference(key.aspect, before, shown) is not None):
            return "what it shows is another by now"
        return ""

    # dead letters

    def _replay(self, body: Plain) -> Answer:
        found = self._letters(body)
        mark, now = self._database.next(), self._clock.now()

        def keep(tx: Tx) -> Answer:
            records = [each for each in found if each.letter.kind in ("record", "envelope")]
            there = inbox.fetch(tx, self._hub.vault, [each.letter.seq for each in records])
            inbox.wait_again(tx, there)
            kept = [each for each in records if each.letter.seq in there]
            # What was kept may be as it was: the record as it stands by now is asked for as well.
            look = {each.id: self._look_ups([each]) for each in records if each not in kept or each.letter.kind == "record"}
            channels.ask(tx, [one for found in look.values() for one in found], mark, now)
            for each in found:
                if each.letter.kind == "change":
                    key = Key(each.letter.channel, each.letter.record, each.letter.stream, each.letter.path)
                    changes.retry(tx, key)
            letters.close(tx, [each.id for each in found])
            lost = [each for each in records if each not in kept and not look[each.id]]
            return {
                "done": [each.id for each in found if each not in lost],
                "refused": [{"key": each.id, "why": "its envelope is no longer kept; the next sweep reads it"} for each in lost],
            }

        return self._database.transaction(keep)

    def _look_ups(self, lost: Sequence[letters.StoredLetter]) -> list[tuple[str, str, str, str]]:
        asked = []
        for each in lost:
            channel = self._hub.channels.get(each.letter.channel)
            named = channel.manifest.streams.get(each.letter.stream) if channel else None
            stream = each.letter.stream if named and named.look_up else channel.lookup_stream("item") if channel else ""
            if stream and each.letter.record:
                asked.append((each.letter.channel, stream, each.letter.record, "replayed"))
        return asked

    def _discard(self, body: Plain) -> Answer:
        found, mark = self._letters(body), self._database.next()

        def keep(tx: Tx) -> Answer:
            letters.close(tx, [each.id for each in found])
            about = {each.letter[1:4] for each in found if each.letter.kind == "record" and self._about_orders(each.letter)}
            dismiss(tx, [(channel, record) for channel, _, record in about - letters.open_records(tx)], mark)
            return {"done": [each.id for each in found], "refused": []}

        return self._database.transaction(keep)

    def _about_orders(self, letter: letters.DeadLetter) -> bool:
        channel = self._hub.channels.get(letter.channel)
        return channel is not None and channel.speaks_of(letter.stream, "order")

    def _letters(self, body: Plain) -> list[letters.StoredLetter]:
        if body.get("all"):
            return self._database.read(lambda tx: letters.open_letters(tx, 10_000))
        named = [str(each) for each in body["letters"]]
        found = self._database.read(lambda tx: letters.fetch(tx, named))
        if not found:
            raise RequestRefusedError("no open dead letter of that name")
        return found

    # orders

    def _settle(self, body: Plain) -> Answer:
        """A person did by hand what the hub asked for in these orders."""
        done: list[Plain] = []
        refused: list[Plain] = []
        names, now = [str(each) for each in body["orders"]], self._clock.now()
        numbers = self._database.next_block(len(names))

        def keep(tx: Tx) -> None:
            done.clear()
            refused.clear()
            for name, number in zip(names, numbers, strict=True):
                found = order_looks.only(tx, name)
                if isinstance(found, str):
                    refused.append({"key": name, "why": found})
                elif not found.asks:
                    refused.append({"key": name, "why": "nothing of it is to be done by hand: `samklang trace` tells its story"})
                else:
                    orders.settle(tx, found.order)
                    ledger.write(tx, [remembered.settled(found, number, now)])
                    done.append(f"{found.number}: {found.by_hand}")

        self._database.transaction(keep)
        return {"done": done, "refused": refused}

    # persons

    def _forget(self, body: Plain) -> Answer:
        """Erase a person; the request names them by blind index only."""
        found = forgetting.Named.of(body)
        parties, now = Parties(self._hub.vault, self._clock), self._clock.now()
        words = self._database.transaction(lambda tx: forgetting.erase(tx, parties, found, now))
        return {"done": list(words), "refused": []}


def _forgive(tx: Tx, held: Sequence[OpenChange]) -> None:
    """A person has decided about keys that others kept changing back: their count begins anew."""
    seen = targets.observations_of(tx, [(c.key.channel, c.key.listing) for c in held])
    keys = {c.key for c in held}
    targets.save_observations(tx, [replace(each, flips=0, flips_since=0) for key, each in seen.items() if key in keys])


def _done(words: str) -> Answer:
    return {"done": [words], "refused": []}


def _failed(asked: Asked, words: str) -> Answer:
    return {"done": [], "refused": [{"key": asked.kind, "why": words}]}
