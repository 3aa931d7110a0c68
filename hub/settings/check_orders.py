"""Whose orders are taken in, where they are booked and how: do the declarations agree?

An order is carried by the hub from a declared day on; demand that a system knows is in its figure or is read; nobody is told
of orders that nobody takes in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.canonical.order import CHARGE, LINE_KINDS
from hub.files import Problem, meant
from hub.settings.model import ChannelSettings, Config

TIME_OF_DAY: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
KINDS: Final = tuple(sorted({*LINE_KINDS, *CHARGE["kind"].words}))


def order_problems(config: Config) -> Iterator[Problem]:
    """Everything wrong about orders."""
    for channel in config.channels.values():
        yield from _taken_in(config, channel)
        yield from _booked(config, channel)
        yield from _days(config, channel)
    yield from _demand(config)


def _taken_in(config: Config, channel: ChannelSettings) -> Iterator[Problem]:
    if channel.orders.take_in and channel.mode == "live" and not channel.orders_since:
        words = "say from which day on its orders are yours to carry, before it goes live: older ones are history"
        yield Problem(config.place("channels", channel.channel, "orders", "take_in"), f"orders_since: {words}")


def _booked(config: Config, channel: ChannelSettings) -> Iterator[Problem]:
    rule, base = channel.orders, ("channels", channel.channel, "orders")
    for index, name in enumerate(rule.export_from):
        where = config.place(*base, "export_from", str(index))
        if name not in config.channels:
            yield Problem(where, f"orders.export_from: there is no channel `{name}`: {meant(name, config.channels)}")
        elif name == channel.channel:
            yield Problem(where, "orders.export_from: a channel holds its own orders already")
        elif not config.channels[name].orders.take_in:
            words = f"the orders of `{name}` are not taken in: write `orders: {{take_in: true}}` there"
            yield Problem(where, f"orders.export_from: {words}")
    for name in rule.books:
        if name not in rule.export_from:
            yield Problem(config.place(*base, "books", name), f"orders.books: `{name}` does not stand in export_from")
    for kind in rule.items:
        if kind not in KINDS:
            yield Problem(config.place(*base, "items", kind), f"orders.items: there is no `{kind}`: {meant(kind, KINDS)}")


def _days(config: Config, channel: ChannelSettings) -> Iterator[Problem]:
    rule, base = channel.orders, ("channels", channel.channel, "orders")
    if not TIME_OF_DAY.fullmatch(rule.day_ends):
        yield Problem(config.place(*base, "day_ends"), "orders.day_ends: write a time of day such as 04:00")
    try:
        ZoneInfo(rule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(config.place(*base, "time_zone"), "orders.time_zone: write a name such as Europe/Copenhagen")


def _demand(config: Config) -> Iterator[Problem]:
    for index, entry in enumerate(config.authority.stock):
        channel = config.channels.get(entry.channel)
        where = config.place("authority", "stock", str(index), "demand")
        if channel is None:
            continue
        if entry.demand == "read" and not channel.orders.take_in:
            words = f"the orders of `{entry.channel}` are not taken in: write `orders: {{take_in: true}}` there"
            yield Problem(where, f"demand: {words}")
        named = any(told.partition(":")[0] in (entry.channel, "own", "*") for told in entry.contains)
        if entry.demand == "contained" and channel.orders.take_in and not named:
            words = f"orders of `{entry.channel}` are taken in, so they would count twice: write `demand: read`, or name them in"
            yield Problem(where, f"demand: {words} `contains`")
