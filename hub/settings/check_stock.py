"""Locations, who is right about stock, who is sent which figure, allocation and bundles: do they agree?

One location has one authority; an authority is never sent a figure for its own location; nobody sells goods that no
system is right about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from hub.files import Problem, meant
from hub.settings.model import ChannelSettings, Config

LOCATION: Final = re.compile(r"[a-z][a-z0-9_-]*")
CONTAINED: Final = re.compile(r"[a-z*][a-z0-9_*-]*:[a-z*][a-z0-9_*-]*")


def stock_problems(config: Config) -> Iterator[Problem]:
    """Everything wrong about locations, figures, pools, allocation and bundles."""
    yield from _locations(config)
    right: dict[str, str] = {}
    yield from _authority(config, right)
    for channel in config.channels.values():
        yield from _figures(config, channel, right)
    yield from _allocation(config)
    yield from _bundles(config)


def _locations(config: Config) -> Iterator[Problem]:
    taken: dict[tuple[str, str], str] = {}
    for name, location in config.locations.items():
        if not LOCATION.fullmatch(name):
            yield Problem(config.place("locations", name), f"`{name}`: small letters, digits, - and _ make a location's name")
        for channel, ident in location.channels.items():
            where = config.place("locations", name, "channels", channel)
            if channel not in config.channels:
                yield Problem(where, f"{name}.channels: {_no_channel(config, channel)}")
            elif (channel, ident) in taken:
                words = f"`{taken[channel, ident]}` has the same id on {channel}: each location has its own there"
                yield Problem(where, f"{name}.channels: {words}")
            taken.setdefault((channel, ident), name)


def _authority(config: Config, right: dict[str, str]) -> Iterator[Problem]:
    # Fills `right`: location → the channel that is right about its stock.
    for index, entry in enumerate(config.authority.stock):
        base = ("authority", "stock", str(index))
        if entry.channel not in config.channels:
            yield Problem(config.place(*base, "channel"), f"stock: {_no_channel(config, entry.channel)}")
        for order, name in enumerate(entry.covers):
            where = config.place(*base, "covers", str(order))
            if name not in config.locations:
                yield Problem(where, f"covers: {_no_location(config, name)}")
            elif name in right:
                words = f"`{right[name]}` and `{entry.channel}` cannot both be right about the stock of `{name}`: keep one"
                yield Problem(where, f"covers: {words if right[name] != entry.channel else f'`{name}` is said twice'}")
            elif entry.each and len(entry.covers) > 1 and entry.channel not in config.locations[name].channels:
                words = f"`{entry.channel}` gives a figure for each, so locations.yaml must say its id of `{name}`"
                yield Problem(where, f"covers: {words}: write `channels: {{{entry.channel}: …}}` there")
            right.setdefault(name, entry.channel)
        for order, contained in enumerate(entry.contains):
            if not CONTAINED.fullmatch(contained):
                words = f"`{contained[:40]}`: write `origin:state`, such as `till:*` or `own:shipped`"
                yield Problem(config.place(*base, "contains", str(order)), f"contains: {words}")


def _figures(config: Config, channel: ChannelSettings, right: Mapping[str, str]) -> Iterator[Problem]:
    name, base = channel.channel, ("channels", channel.channel)
    for key, places in (("sells_from", channel.sells_from), ("figures_at", channel.figures_at)):
        for index, place in enumerate(places):
            where = config.place(*base, key, str(index))
            if place not in config.locations:
                yield Problem(where, f"{key}: {_no_location(config, place)}")
            elif place in places[:index]:
                yield Problem(where, f"{key}: `{place}` is said twice")
            elif not config.locations[place].sellable:
                yield Problem(where, f"{key}: goods at `{place}` may not be sold (locations.yaml): leave it out")
            elif place not in right:
                words = f"nobody is right about the stock of `{place}`: name it under `stock: covers:` in authority.yaml"
                yield Problem(where, f"{key}: {words}")
    yield from _own_figures(config, channel, right)
    for index, place in enumerate(channel.figures_at):
        where = config.place(*base, "figures_at", str(index))
        if place in channel.sells_from:
            words = f"`{place}` is in the pool of `sells_from` already and would be shown twice: name it in one of them"
            yield Problem(where, f"figures_at: {words}")
        if place in config.locations and name not in config.locations[place].channels:
            words = f"locations.yaml must say the id of `{place}` on {name}: write `channels: {{{name}: …}}` there"
            yield Problem(where, f"figures_at: {words}")


def _own_figures(config: Config, channel: ChannelSettings, right: Mapping[str, str]) -> Iterator[Problem]:
    name, base = channel.channel, ("channels", channel.channel)
    for index, place in enumerate(channel.figures_at):
        if right.get(place) == name:
            words = f"{name} is itself right about the stock of `{place}` and is never sent a figure for it: leave it out"
            yield Problem(config.place(*base, "figures_at", str(index)), f"figures_at: {words}")
    # A pool that is all its own is no figure to send; one that mixes own and foreign goods would overwrite its own.
    own = [place for place in channel.sells_from if right.get(place) == name]
    if own and len(own) < len(channel.sells_from):
        words = (
            f"{name} is itself right about the stock of `{own[0]}`, so no pool with it in can be sent there: "
            "keep its own locations only, and name the others under `figures_at`"
        )
        where = config.place(*base, "sells_from", str(channel.sells_from.index(own[0])))
        yield Problem(where, f"sells_from: {words}")


def _allocation(config: Config) -> Iterator[Problem]:
    keeper = ""
    everything: dict[str, int] = {}
    for index, rule in enumerate(config.allocation.rules):
        base = ("allocation", "rules", str(index))
        for order, channel in enumerate(rule.channels):
            if channel not in config.channels:
                where = config.place(*base, "channels", str(order))
                yield Problem(where, f"rules.{index}.channels: {_no_channel(config, channel)}")
        for name, kept in rule.safety_per_location.items():
            where = config.place(*base, "safety_per_location", name)
            if name not in config.locations:
                yield Problem(where, f"rules.{index}.safety_per_location: {_no_location(config, name)}")
            if kept < 0:
                yield Problem(where, f"rules.{index}.safety_per_location.{name}: at least 0 is wanted")
        if rule.remainder and (len(rule.channels) != 1 or keeper not in ("", rule.channels[0])):
            words = "what rounding leaves over goes to one channel: name exactly one under `channels`, the same everywhere"
            yield Problem(config.place(*base, "remainder"), f"rules.{index}.remainder: {words}")
        keeper = rule.channels[0] if rule.remainder and rule.channels else keeper
        reached = rule.channels or tuple(config.channels)
        if all(channel in everything for channel in reached):
            words = f"never reached: rule {everything[reached[0]]} before it holds for every item; put this one above it"
            yield Problem(config.place(*base), f"rules.{index}: {words}")
        if not rule.skus and not rule.categories:
            everything.update({channel: index for channel in reached if channel not in everything})


def _bundles(config: Config) -> Iterator[Problem]:
    bundles = config.allocation.bundles
    for sku, parts in bundles.items():
        if not parts:
            yield Problem(config.place("allocation", "bundles", sku), f"bundles.{sku}: name its components, or leave it out")
        for index, part in enumerate(parts):
            where = config.place("allocation", "bundles", sku, str(index), "sku")
            if part.sku == sku:
                yield Problem(where, f"bundles.{sku}: a bundle cannot be a component of itself")
            elif part.sku in bundles:
                yield Problem(where, f"bundles.{sku}: `{part.sku}` is a bundle too: name that one's components here instead")
            elif part.sku in [other.sku for other in parts[:index]]:
                yield Problem(where, f"bundles.{sku}: `{part.sku}` is said twice: say it once with all its `pieces`")


def _no_channel(config: Config, name: str) -> str:
    return f"there is no channel `{name}`: {meant(name, config.channels)}"


def _no_location(config: Config, name: str) -> str:
    return f"there is no location `{name}`: {meant(name, config.locations)}"
