"""Why a listing shows what it shows: from the target back over every rule and figure to the envelope that said so.

A reading of the store for people; it opens no body and carries no person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, NamedTuple

from hub.because import sources, steps, value_words
from hub.canonical.json import read_json
from hub.canonical.values import Plain, iso
from hub.desired.listing import offered
from hub.diff.compare import difference
from hub.errors import ConfigError
from hub.files import meant
from hub.flow import Aspect, Key, Target
from hub.merge.authority import Authority
from hub.reserved import Reserving, of_items
from hub.sdk.manifest import Manifest
from hub.settings.model import Config
from hub.store import catalogue, changes, dirty, inbox, ledger, looks, oversells, requests, targets
from hub.store.catalogue import Binding
from hub.store.changes import OpenChange
from hub.store.database import Database, Tx
from hub.store.looks import Head
from hub.store.targets import StoredObservation, StoredTarget
from hub.waiting import UNBOUND, heard_streams, lacks, unread

RECEIPTS_MAX: Final = 5
DRIFT_MAX: Final = 5
DIGEST_CHARS: Final = 12
ASPECTS: Final = (Aspect.STOCK, Aspect.PRICE, Aspect.LISTING, Aspect.MOVEMENT)


@dataclass(slots=True)
class Why:
    """The answer for one key; every list is in words or plain values, times are ISO 8601 in UTC.

    `standing` says in one sentence how target and what is shown compare, `reasons` why there is no target,
    `reserved` which orders and unexplained falls take units now, `oversold` which units of it are promised that nobody has.
    """

    channel: str
    listing: str
    aspect: str
    place: str
    sku: str = ""
    item: str = ""
    binding: str = ""
    target: Plain = None
    target_words: str = ""
    decided_at: str = ""
    steps: list[str] = field(default_factory=list)
    sources: list[dict[str, Plain]] = field(default_factory=list)
    reserved: list[dict[str, Plain]] = field(default_factory=list)
    oversold: list[dict[str, Plain]] = field(default_factory=list)
    shown: dict[str, Plain] | None = None
    standing: str = ""
    reasons: list[str] = field(default_factory=list)
    change: dict[str, Plain] | None = None
    receipts: list[dict[str, Plain]] = field(default_factory=list)
    prices: list[dict[str, Plain]] = field(default_factory=list)
    drift: list[dict[str, Plain]] = field(default_factory=list)

    def document(self) -> dict[str, Plain]:
        """The answer as one JSON document."""
        return asdict(self)


class _Asked(NamedTuple):
    """One listing as asked about, with everything the store holds of it."""

    channel: str
    listing: str
    sku: str
    binding: Binding | None
    targets: dict[Key, StoredTarget]
    seen: dict[Key, StoredObservation]
    open: dict[Key, OpenChange]


def why(
    config: Config,
    manifests: Mapping[str, Manifest],
    database: Database,
    channel: str,
    named: str,
    aspect: str,
    place: str = "",
) -> list[Why]:
    """The answers for a listing (named by its id there or by its SKU): one, or one per place where figures go by place.

    ConfigError for a channel, aspect or place that does not exist, or a SKU that several listings of the channel have.
    """
    if channel not in config.channels:
        raise ConfigError(f"there is no channel `{channel}`: {meant(channel, config.channels)}")
    if aspect not in ASPECTS:
        raise ConfigError(f"there is no aspect `{aspect}`: {meant(aspect, ASPECTS)}")
    if place and place not in config.locations:
        raise ConfigError(f"there is no location `{place}`: {meant(place, config.locations)}")

    def read(tx: Tx) -> list[Why]:
        asked = _asked(tx, channel, named)
        places = [place] if place else _places(config, asked, aspect)
        return [_why(tx, config, manifests, asked, Key(channel, asked.listing, aspect, each)) for each in places]

    return database.read(read)


def _asked(tx: Tx, channel: str, named: str) -> _Asked:
    binding = catalogue.bindings(tx, [(channel, named)]).get((channel, named))
    listing = named
    if binding is None:
        items = [item.item for found in catalogue.items_by_sku(tx, [named]).values() for item in found]
        those = {b.listing: b for b in catalogue.bindings_of(tx, items) if b.channel == channel}
        those |= {b.listing: b for b in catalogue.bindings_by_sku(tx, [named]) if b.channel == channel}
        living = {name: b for name, b in those.items() if b.state != "gone"} or those
        if len(living) > 1:
            raise ConfigError(f"several listings of {channel} have the SKU {named}: name one of {', '.join(sorted(living))}")
        if living:
            listing, binding = next(iter(living.items()))
    key = [(channel, listing)]
    items_known = catalogue.items(tx, [binding.item] if binding and binding.item else [])
    item = next(iter(items_known.values()), None)
    sku = item.sku if item else binding.sku if binding else named
    return _Asked(
        channel, listing, sku, binding, targets.targets_of(tx, key), targets.observations_of(tx, key), changes.open_of(tx, key)
    )


def _places(config: Config, asked: _Asked, aspect: str) -> list[str]:
    known = {key.place for part in (asked.targets, asked.seen, asked.open) for key in part if key.aspect == aspect}
    if known:
        return sorted(known)
    settings = config.channels[asked.channel]
    return list(settings.figures_at) if aspect == Aspect.STOCK and settings.figures_at else [""]


def _why(tx: Tx, config: Config, manifests: Mapping[str, Manifest], asked: _Asked, key: Key) -> Why:
    answer = Why(*key, sku=asked.sku)
    if asked.binding is not None:
        bound = asked.binding
        answer.item = bound.item
        by = f" by {bound.made_by}" if bound.made_by else ""
        answer.binding = bound.state + by + (f", a unit of {bound.factor}" if bound.factor != 1 else "")
    stored, seen, change = asked.targets.get(key), asked.seen.get(key), asked.open.get(key)
    if stored is not None:
        answer.target, answer.decided_at = stored.target.value, iso(stored.decided_at)
        answer.target_words = value_words(key.aspect, stored.target.value)
        answer.steps = steps(stored.target, config)
        answer.item = answer.item or stored.target.item
        if key.aspect == Aspect.STOCK:
            answer.reserved = [each.document() for each in _reserved(tx, stored.target)]
            answer.oversold = [{"at": iso(o.at), "words": o.words} for o in oversells.standing(tx, stored.target.item)]
    told = sources(stored.target.because) if stored else []
    heads = looks.heads(tx, [int(each.get("seq", 0)) for each in told] + ([seen.observation.envelope] if seen else []))
    answer.sources = [_source(each, heads) for each in told]
    answer.shown = _shown(seen, heads) if seen else None
    answer.change = _change(tx, change) if change else None
    answer.standing = _standing(config, key, stored, seen, change)
    if stored is None:
        answer.reasons = _reasons(tx, config, manifests, asked, key)
    answer.receipts = [_receipt(row) for row in changes.receipts_of(tx, key, RECEIPTS_MAX)]
    if key.aspect == Aspect.PRICE:
        answer.prices = [_interval(row) for row in ledger.prices_shown(tx, key.channel, key.listing)]
    lines = [line for line in ledger.lines_of(tx, key, 100) if line.event == "drift"][:DRIFT_MAX]
    answer.drift = [{"at": iso(line.at), **line.words} for line in lines]
    return answer


def _reserved(tx: Tx, target: Target) -> list[Reserving]:
    """What is reserved of the item, or of a bundle's components."""
    skus = [str(step["component"]) for step in target.because.get("steps", ()) if "component" in step]
    parts = [item.item for found in catalogue.items_by_sku(tx, skus).values() for item in found] if skus else []
    return of_items(tx, [target.item, *parts], target.because)


def _source(told: Mapping[str, Plain], heads: Mapping[int, Head]) -> dict[str, Plain]:
    said = {name: told[name] for name in ("channel", "listing", "figure", "factor", "listed") if name in told}
    if "as_of" in told:
        said["as_of"] = iso(told["as_of"])
    return {**said, "envelope": _envelope(int(told.get("seq", 0)), heads)}


def _envelope(seq: int, heads: Mapping[int, Head]) -> dict[str, Plain] | None:
    if not seq:
        return None
    head = heads.get(seq)
    if head is None:
        return {"inbox": seq, "kept": False}
    return {
        "inbox": seq,
        "kept": True,
        "channel": head.channel,
        "door": head.door,
        "stream": head.stream or head.topic,
        "delivery": head.delivery_id,
        "received_at": iso(head.received_at),
        "digest": head.digest[:DIGEST_CHARS],
        "times": head.doubled + 1,
    }


def _shown(stored: StoredObservation, heads: Mapping[int, Head]) -> dict[str, Plain]:
    seen = stored.observation
    return {
        "value": seen.value,
        "words": value_words(seen.key.aspect, seen.value),
        "how": "told by the channel" if seen.told else "acknowledged in answer to our write",
        "at": iso(seen.at),
        "flips": stored.flips,
        "envelope": _envelope(seen.envelope, heads),
    }


def _change(tx: Tx, change: OpenChange) -> dict[str, Plain]:
    hold = next((each for each in requests.holds(tx) if each.id == change.hold), None) if change.hold else None
    return {
        "id": change.id,
        "state": change.state,
        "from": change.before,
        "to": change.after,
        "attempts": change.attempts,
        "decided_at": iso(change.decided_at),
        "words": change.words,
        "goes_before_minutes": max(0, change.decided_at - change.urgency) // 60_000_000,
        "hold": {"id": hold.id, "guard": hold.guard, "words": hold.words} if hold else None,
    }


def _standing(
    config: Config, key: Key, stored: StoredTarget | None, seen: StoredObservation | None, change: OpenChange | None
) -> str:
    if stored is None:
        return "there is no target: nothing is written here"
    shown = seen.observation.value if seen else None
    if difference(key.aspect, stored.target.value, shown) is None:
        return "it shows what it should"
    gap = f"it should show {value_words(key.aspect, stored.target.value)} and shows {value_words(key.aspect, shown)}"
    if change is None:
        mode = config.channels[key.channel].mode
        where = config.place("channels", key.channel, "mode")
        return gap + ("" if mode == "live" else f": the mode is {mode}, so nothing is written [{where}]")
    said = {
        "intended": "the change is next to be sent",
        "held": f"held until a person decides: `samklang approve {change.hold}`",
        "refused": f"the channel refused it: {change.words}",
        "accepted": "the channel took it and has not said yet what became of it",
        "unknown": "it was sent and no answer came: it is looked up",
        "sent": "it is being sent",
    }
    return f"{gap}: {said.get(change.state, change.state)}"


def _reasons(tx: Tx, config: Config, manifests: Mapping[str, Manifest], asked: _Asked, key: Key) -> list[str]:
    """Why nothing is to be shown: the first thing that lacks, and what a person can do."""
    found = [
        f"dead letter {each.id}: {': '.join(filter(None, (each.letter.path, each.letter.reason)))}"
        + (f" (value {each.letter.value})" if each.letter.value else "")
        for each in looks.letters_of(tx, key.channel, key.listing)
    ]
    binding = asked.binding
    if binding is None:
        words = f"{key.channel} has told of no listing `{key.listing}`, and none there has it as its SKU"
        silent = unread(manifests[key.channel], key.channel, heard_streams(tx))
        return [words, *_not_made(tx, config, asked, key), *found, *silent, *_under_way(tx)]
    if binding.state != "bound":
        bind = f"; `samklang bind {key.channel} {key.listing} SKU` binds it" if binding.state != "gone" else ""
        return [f"the listing is {UNBOUND.get(binding.state, binding.state)}{bind}", *found]
    item = catalogue.items(tx, [binding.item]).get(binding.item)
    if item is not None and item.kind in ("service", "gift_card") and key.aspect == Aspect.STOCK:
        return [f"its item is a {item.kind}: it has no stock", *found]
    lack = lacks(config, Authority(config), manifests, key.channel, key.aspect, heard_streams(tx))
    return [lack.words, *found, *([] if lack.silent else _under_way(tx))]


def _not_made(tx: Tx, config: Config, asked: _Asked, key: Key) -> list[str]:
    """Why an item that exists has no listing on a channel where the hub makes them."""
    if any(each.aspect == Aspect.LISTING for each in asked.targets):
        return [f"its listing is to be made, price and stock with it: `samklang why {key.channel} {key.listing} listing`"]
    items = catalogue.items_by_sku(tx, [key.listing]).get(key.listing, [])
    if len(items) != 1:
        return ["no item has this SKU"] if not items else [f"{len(items)} items have this SKU"]
    rule, where = config.channels[key.channel].listing, config.place("channels", key.channel, "listing")
    if rule.offer != "all":
        return [f"an item has this SKU, and only listings that exist are offered on {key.channel} [{where}]"]
    told = catalogue.catalogue(tx, [items[0].item]).get(items[0].item, {}).get((Aspect.ITEM, ""), {})
    if not offered(rule, items[0].sku, items[0].category, told):
        return [f"its item (category {items[0].category or 'none'}) is not among what is offered on {key.channel} [{where}]"]
    return ["it is offered there, and is made once its price and stock are known and the channel has been read"]


def _under_way(tx: Tx) -> list[str]:
    left = dirty.count(tx) + inbox.count_waiting(tx)
    return [f"{left} keys and envelopes are still being worked out: ask again"] if left else []


def _receipt(row: tuple[int, str, str, str, str, str, int]) -> dict[str, Plain]:
    number, before, after, outcome, words, request_id, at = row
    said = {"number": number, "at": iso(at), "outcome": outcome, "words": words, "request_id": request_id}
    return {**said, "before": read_json(before), "after": read_json(after)}


def _interval(row: tuple[str, int, int | None, str, str]) -> dict[str, Plain]:
    country, begin, end, amount, currency = row
    return {"country": country, "from": iso(begin), "to": iso(end) if end else None, "amount": amount, "currency": currency}
