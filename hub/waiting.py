"""What has no target yet and why: listings without an item, figures and prices that nobody has said, aspects nobody can write.

The plan lists them, and `why` answers with them; nothing here is decided, it is read from store and configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from hub.flow import Aspect, Key
from hub.merge.authority import Authority
from hub.sdk.manifest import Manifest
from hub.settings.model import Config
from hub.store import cursors
from hub.store.catalogue import Binding
from hub.store.database import Tx

ASPECTS: Final[tuple[str, ...]] = (Aspect.STOCK, Aspect.PRICE)
SHOWN: Final = frozenset({"item", *ASPECTS})
UNBOUND: Final[Mapping[str, str]] = {
    "unbound": "bound to no item",
    "ambiguous": "more than one item or listing fits: bind it by hand",
    "ignored": "ignored by a person's word",
    "gone": "no longer there",
}


class Waiting(NamedTuple):
    """A listing (all of the channel where it is "") whose aspect has no target, and why."""

    listing: str
    sku: str
    aspect: str
    why: str


def waiting(
    tx: Tx,
    config: Config,
    authority: Authority,
    manifests: Mapping[str, Manifest],
    channel: str,
    bindings: Iterable[Binding],
    known: set[Key],
) -> list[Waiting]:
    """What waits on a channel: unbound listings one by one, and what lacks for bound ones, said once where it is the same."""
    said = {(key.listing, key.aspect) for key in known}
    found: list[Waiting] = []
    lacking: dict[str, list[Binding]] = {}
    for binding in bindings:
        if binding.state in ("unbound", "ambiguous"):
            found.append(Waiting(binding.listing, binding.sku, "", UNBOUND[binding.state]))
        elif binding.state == "bound":
            for name in ASPECTS:
                if (binding.listing, name) not in said:
                    lacking.setdefault(name, []).append(binding)
    heard = heard_streams(tx)
    found += [Waiting("", "", "", why) for why in unread(manifests[channel], channel, heard)]
    for aspect, those in lacking.items():
        why = lacks(config, authority, manifests, channel, aspect, heard)
        if why.silent:
            continue
        found += [Waiting(each.listing, each.sku, aspect, why.words) for each in those]
    return sorted(found)


class Lack(NamedTuple):
    """Why an aspect has no target; `silent` when that is as declared and nothing to wait for."""

    words: str
    silent: bool = False


def heard_streams(tx: Tx) -> frozenset[tuple[str, str]]:
    """The (channel, stream) that have been read to their end at least once."""
    readings = cursors.readings(tx).values()
    return frozenset((each.channel, each.stream) for each in readings if each.kind == "sweep" and each.checked)


def unread(manifest: Manifest, channel: str, heard: frozenset[tuple[str, str]]) -> list[str]:
    """The streams about what a channel shows that have never been read to their end, in words."""
    about = [name for name, stream in manifest.streams.items() if SHOWN.intersection(stream.maps)]
    never = [stream for stream in about if (channel, stream) not in heard]
    return [f"{channel} has not been read to its end yet: {', '.join(never)}"] if never else []


def lacks(
    config: Config,
    authority: Authority,
    manifests: Mapping[str, Manifest],
    channel: str,
    aspect: str,
    heard: frozenset[tuple[str, str]],
) -> Lack:
    """Why a bound listing of this channel may have no target for this aspect."""
    manifest, settings = manifests[channel], config.channels[channel]
    if aspect not in manifest.sends:
        reason = manifest.never.get(aspect, "")
        return Lack(f"{manifest.title} takes no {aspect} from outside" + (f": {reason}" if reason else ""), True)
    if aspect == Aspect.MOVEMENT:
        return Lack("no fact of another system has moved anything of it here", True)
    if aspect == Aspect.STOCK:
        return _stock_lacks(config, authority, manifests, channel, heard)
    if aspect == Aspect.PRICE:
        rule = config.pricing.channels.get(channel)
        if rule is None:
            return Lack(f"no prices are asked here: {_where(config, 'channels', channel)} names no price list", True)
        owner = authority.price_channel.get(rule.list, "")
        if owner == channel:
            return Lack(f"{channel} is itself right about the list {rule.list}", True)
        return Lack(f"{owner or 'nobody'} has said no price of it in the list {rule.list}")
    if settings.listing.offer == "all" or settings.listing.fields:
        return Lack("its item is not described yet, or not offered here")
    return Lack(f"the hub words nothing on bound listings here: {_where(config, 'channels', channel, 'listing')}", True)


def _stock_lacks(
    config: Config,
    authority: Authority,
    manifests: Mapping[str, Manifest],
    channel: str,
    heard: frozenset[tuple[str, str]],
) -> Lack:
    settings = config.channels[channel]
    places = settings.sells_from or settings.figures_at
    if not places:
        return Lack(f"it sells from no place: {_where(config, 'channels', channel)} has no `sells_from`", True)
    owners = {figure.authority.channel for place in settings.sells_from if (figure := authority.figure_of.get(place))}
    if channel in owners:
        return Lack(f"{channel} is itself right about what it sells from", True)
    silent = list(_unheard(authority, manifests, places, heard))
    return Lack("; ".join(silent) if silent else "a component or figure of it is not known yet")


def _unheard(
    authority: Authority,
    manifests: Mapping[str, Manifest],
    places: Iterable[str],
    heard: frozenset[tuple[str, str]],
) -> Iterator[str]:
    for place in places:
        figure = authority.figure_of.get(place)
        if figure is None:
            yield f"nobody is right about the stock of {place}"
            continue
        owner = figure.authority.channel
        streams = [name for name, stream in manifests[owner].streams.items() if "stock" in stream.maps]
        if not any((owner, stream) in heard for stream in streams):
            yield f"no figure yet: {owner} has not been read to its end, and it is right about {place}"


def _where(config: Config, *path: str) -> str:
    return config.place(*path) or "the configuration"
