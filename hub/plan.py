"""The plan: what would change on each channel, from what to what, because of what, in how many calls. Nothing is sent.

A reading of the store: targets against observations whatever the channel's mode, so that it can be looked at before going live.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from hub.agreement import mark_of
from hub.because import brief, change_words
from hub.canonical.values import Plain, iso
from hub.diff.compare import difference
from hub.diff.guards import price_guard, to_zero_guard, unexplained_guard
from hub.errors import ConfigError
from hub.files import meant
from hub.flow import Aspect, Key, Target
from hub.merge.authority import Authority
from hub.pacing import NO_CALLS, Calls, calls_for, seconds_for
from hub.sdk.manifest import Manifest
from hub.settings.model import Config
from hub.store import catalogue, changes, channels, cursors, dirty, inbox, requests, targets
from hub.store.catalogue import Binding
from hub.store.changes import OpenChange
from hub.store.channels import ChannelState
from hub.store.database import Database, Tx
from hub.store.requests import Hold
from hub.store.targets import StoredObservation, StoredTarget
from hub.waiting import Waiting, waiting

VERSION: Final = 1
LISTINGS_MAX: Final = 10_000
SENDABLE: Final = ("ready", "observe", "rehearse")
"""States of an entry that a live channel would be sent: the mode stands where it is the only hindrance."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One difference: what is shown, what should be, why, and how it stands.

    `state`: ready, observe or rehearse (the mode keeps it back), held, refused, or sent, accepted, unknown (under way);
    `words` say more of it, `hold` is the hold's id once there is one.
    """

    key: Key
    sku: str
    before: Plain
    after: Plain
    because: str
    state: str
    words: str = ""
    hold: str = ""


@dataclass(slots=True)
class ChannelPlan:
    """One channel's part: its differences, what waits without a target, and what making them costs at its pace."""

    channel: str
    mode: str
    paused: str
    entries: list[Entry] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    calls: Calls = NO_CALLS
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan; `unsettled` counts what is still being worked out, so that the plan may yet change."""

    made_at: int
    channels: list[ChannelPlan]
    unsettled: int

    def entries(self) -> list[Entry]:
        """All differences of all channels."""
        return [entry for channel in self.channels for entry in channel.entries]

    def document(self) -> dict[str, Plain]:
        """The plan as one JSON document, which `apply` takes back."""
        return {
            "samklang_plan": VERSION,
            "made_at": iso(self.made_at),
            "unsettled": self.unsettled,
            "channels": [_channel_document(each) for each in self.channels],
        }


class _Read(NamedTuple):
    """One snapshot of a channel."""

    targets: dict[Key, StoredTarget]
    seen: dict[Key, StoredObservation]
    open: dict[Key, OpenChange]
    bindings: dict[str, Binding]
    state: ChannelState
    agreed: bool


def plan(config: Config, manifests: Mapping[str, Manifest], database: Database, now: int, only: str | None = None) -> Plan:
    """The plan at this moment (of one channel); `manifests` by channel. ConfigError for a channel that is not configured."""
    if only is not None and only not in config.channels:
        raise ConfigError(f"there is no channel `{only}`: {meant(only, config.channels)}")
    names = [only] if only is not None else sorted(config.channels)

    def read(tx: Tx) -> Plan:
        holds, falling = requests.holds(tx), changes.count_falling(tx)
        authority = Authority(config)
        made = []
        for name in names:
            manifest = manifests[name]
            there = _read(tx, name)
            part = ChannelPlan(name, config.channels[name].mode, _paused(there.state, now))
            part.entries = _entries(config, name, there, holds, falling)
            part.waiting = waiting(tx, config, authority, manifests, name, there.bindings.values(), set(there.targets))
            to_send = [entry for entry in part.entries if entry.state in SENDABLE]
            part.calls = calls_for(manifest, [(entry.key, entry.before) for entry in to_send])
            part.seconds = seconds_for(config.channels[name], manifest, there.state, part.calls, now)
            made.append(part)
        return Plan(now, made, dirty.count(tx) + inbox.count_waiting(tx))

    return database.read(read)


def _read(tx: Tx, name: str) -> _Read:
    bindings = {each.listing: each for each in catalogue.bindings_in(tx, name)}
    wanted = targets.targets_in(tx, name)
    listings = {(key.channel, key.listing) for key in wanted}
    agreed = bool(cursors.position(tx, mark_of(name)))
    return _Read(wanted, targets.observations_in(tx, name), _open(tx, listings), bindings, channels.state(tx, name), agreed)


def _open(tx: Tx, listings: Iterable[tuple[str, str]]) -> dict[Key, OpenChange]:
    """The open changes of any number of listings, in sets that the store takes."""
    ordered, found = sorted(listings), dict[Key, OpenChange]()
    for start in range(0, len(ordered), LISTINGS_MAX):
        found.update(changes.open_of(tx, ordered[start : start + LISTINGS_MAX]))
    return found


def _paused(state: ChannelState, now: int) -> str:
    if state.paused_by:
        return state.paused_by
    return f"until {iso(state.paused_until)}" if state.paused_until > now else ""


def _entries(config: Config, name: str, there: _Read, holds: list[Hold], falling: Mapping[str, int]) -> list[Entry]:
    found: list[Entry] = []
    to_zero: list[Key] = []
    for key, stored in sorted(there.targets.items()):
        seen, change = there.seen.get(key), there.open.get(key)
        shown = seen.observation.value if seen else None
        gap = difference(key.aspect, stored.target.value, shown)
        if gap is None:
            continue
        after = change.after if change is not None else _after(config, stored.target, shown)
        if after is None:
            continue
        entry = _entry(config, key, stored.target, shown, after, there, holds)
        found.append(entry)
        if gap.to_zero and shown is not None and change is None and entry.state in SENDABLE:
            to_zero.append(key)
    bound = sum(each.state == "bound" for each in there.bindings.values())
    mass = to_zero_guard({name: to_zero}, falling, {name: bound}, config.pricing.guards).get(name)
    if mass is None:
        return found
    held, words = set(to_zero), f"{mass.guard}: {mass.words}"
    return [replace(entry, state="held", words=words) if entry.key in held else entry for entry in found]


def _entry(config: Config, key: Key, target: Target, shown: Plain, after: Plain, there: _Read, holds: list[Hold]) -> Entry:
    mode, change, seen = config.channels[key.channel].mode, there.open.get(key), there.seen.get(key)
    binding = there.bindings.get(key.listing)
    sku = binding.sku if binding else str(after.get("sku", "")) if isinstance(after, dict) else ""
    because = brief(target)
    if change is not None and change.state != "intended":
        hold = next((each for each in holds if each.id == change.hold), None)
        words = f"{hold.guard}: {hold.words}" if hold else change.words
        return Entry(key, sku, shown, after, because, change.state, words, change.hold)
    words = "" if change is not None else _guard_words(config, key, shown, after, seen, there.agreed)
    if words:
        return Entry(key, sku, shown, after, because, "held", words)
    return Entry(key, sku, shown, after, because, "ready" if mode == "live" else mode)


def _guard_words(config: Config, key: Key, shown: Plain, after: Plain, seen: StoredObservation | None, agreed: bool) -> str:
    """Which guard would hold a change that is not decided yet, in words; "" when none would."""
    if key.aspect == Aspect.PRICE:
        held = price_guard(key, shown, after, config.pricing.guards)
        if held is not None:
            return f"{held.guard}: {held.words}"
    if key.aspect == Aspect.STOCK and not agreed:
        held = unexplained_guard(key, shown, after, config.pricing.guards)
        if held is not None:
            return f"{held.guard}: {held.words}"
    rule = config.channels[key.channel].person_edits
    if seen is not None and seen.flips:
        if seen.flips >= rule.flips_max:
            return f"flipped_back: changed back {seen.flips} times by someone else"
        if rule.verdict == "hold":
            return "person_edit: changed by someone on the channel"
    return ""


def _after(config: Config, target: Target, shown: Plain) -> Plain:
    """What would be written; None when it cannot be said yet. A listing that is made also gets its first price and stock."""
    if shown is not None or target.key.aspect != Aspect.LISTING:
        return target.value
    price, stock = target.because.get("price"), target.because.get("stock")
    rule = config.pricing.channels.get(target.key.channel)
    base = config.pricing.lists.get(rule.list) if rule else None
    if not price or not stock or rule is None or base is None:
        return None
    first = {"amount": price["shown"], "currency": base.currency, "tax": rule.tax, "sellable": stock["sellable"]}
    return {**target.value, "sku": target.key.listing, **first}


def _channel_document(part: ChannelPlan) -> dict[str, Plain]:
    return {
        "channel": part.channel,
        "mode": part.mode,
        "paused": part.paused,
        "calls": part.calls._asdict(),
        "seconds": part.seconds,
        "changes": [_entry_document(entry) for entry in part.entries],
        "waiting": [each._asdict() for each in part.waiting],
    }


def _entry_document(entry: Entry) -> dict[str, Plain]:
    before, after = change_words(entry.key.aspect, entry.before, entry.after)
    return {
        **entry.key._asdict(),
        "sku": entry.sku,
        "from": entry.before,
        "to": entry.after,
        "from_words": before,
        "to_words": after,
        "because": entry.because,
        "state": entry.state,
        "words": entry.words,
        "hold": entry.hold,
    }


def items_of(document: Plain) -> list[dict[str, Plain]]:
    """What a plan's document asks to be done, as the request `apply` takes it; ValueError in words for what is no plan."""
    if not isinstance(document, dict) or document.get("samklang_plan") != VERSION:
        raise ValueError("not a plan: write one with `samklang plan --out FILE`")
    items = []
    for part in document.get("channels", ()):
        for change in part["changes"]:
            if change["state"] in (*SENDABLE, "held", "refused"):
                items.append({name: change[name] for name in ("channel", "listing", "aspect", "place", "from", "to")})
    return items
