"""Quota: may the last pieces of what these rules are about be divided at all, and among whom?

Who sells the same stock is divided together or not at all; bundles are not divided, nor are shares of a share.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from hub.files import Problem, meant
from hub.settings.divided import bundled, counters
from hub.settings.model import AllocationRule, Config

BOOKS_ROLE: Final = "erp"


def quota_problems(config: Config) -> Iterator[Problem]:
    """Everything wrong about `quota_below` and what belongs to it."""
    at_counters = counters(config)
    for index, rule in enumerate(config.allocation.rules):
        if rule.quota_below:
            yield from _alone(config, index, rule)
            yield from _bundles(config, index, rule)
            yield from _together(config, index, rule, at_counters)
        elif rule.quota_above is not None or rule.quota_weights:
            yield _problem(config, index, "quota_below", "say from how many pieces on the last ones are divided")


def _alone(config: Config, index: int, rule: AllocationRule) -> Iterator[Problem]:
    if rule.quota_above is not None and rule.quota_above <= rule.quota_below:
        words = f"must be more than quota_below ({rule.quota_below}), else every sale and every return would change it"
        yield _problem(config, index, "quota_above", words)
    if rule.share_percent < 100 or rule.remainder:
        yield _problem(config, index, "share_percent", "the last pieces are divided by `quota_weights`: leave the share out here")
    for name, weight in rule.quota_weights.items():
        if name not in config.channels:
            words = f"there is no channel `{name}`: {meant(name, config.channels)}"
            yield _problem(config, index, f"quota_weights.{name}", words)
        elif weight < 0:
            yield _problem(config, index, f"quota_weights.{name}", "at least 0 is wanted")


def _bundles(config: Config, index: int, rule: AllocationRule) -> Iterator[Problem]:
    """A bundle sells from the stock of its components: it would have to be divided with them."""
    bundles = config.allocation.bundles
    for sku in sorted(bundled(config)):
        before = config.allocation.rules[:index]
        apart = any(sku in each.skus and not each.quota_below and not each.channels and not each.categories for each in before)
        if sku in rule.skus or (not rule.skus and not apart):
            what = "a bundle" if sku in bundles else "part of a bundle"
            words = f"`{sku}` is {what} and cannot be divided: put a rule above with `skus: [{sku}]` and without a quota"
            yield _problem(config, index, "quota_below", words)


def _together(config: Config, index: int, rule: AllocationRule, at_counters: Collection[str]) -> Iterator[Problem]:
    """Whoever sells what lies at one of the places is in it, sells all of these places, and comes under no other rule."""
    pools = list(_pools(config, at_counters))
    mine = [(name, places) for name, places in pools if not rule.channels or name in rule.channels]
    taking_part = {name for name, _ in mine} | {each.channel for each in config.authority.stock}
    for name in rule.quota_weights.keys() & config.channels.keys() - taking_part:
        yield _problem(config, index, f"quota_weights.{name}", f"{name} sells none of this stock: leave it out")
    for name, places in mine:
        if not places and name not in rule.quota_weights:
            words = (
                f"all that {name} sells lies at a counter, and is left to it: name the weight of {name} (0) if it shall show none"
            )
            yield _problem(config, index, "quota_below", words)
        for other, theirs in pools:
            if (other, theirs) == (name, places) or not places & theirs:
                continue
            where = ", ".join(sorted(places & theirs))
            if theirs != places:
                words = f"{name} and {other} sell other places together with {where}: only who sells the same places can divide"
                yield _problem(config, index, "quota_below", words)
            elif (other, theirs) not in mine:
                words = f"{other} sells from {where} as well: name it under `channels`, or name none"
                yield _problem(config, index, "channels", words)
    yield from _before(config, index, rule, {name for name, places in mine if places})


def _before(config: Config, index: int, rule: AllocationRule, members: set[str]) -> Iterator[Problem]:
    for number, earlier in enumerate(config.allocation.rules[:index]):
        taken = members & set(earlier.channels)
        if taken and taken != members and _meets(earlier.skus, rule.skus) and _meets(earlier.categories, rule.categories):
            words = f"rule {number} before it takes {', '.join(sorted(taken))} out, and the others of that stock not"
            yield _problem(config, index, "quota_below", words)


def _meets(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether something is in both, where naming nothing is all."""
    return not some or not others or bool(set(some) & set(others))


def _pools(config: Config, at_counters: Collection[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """(channel, its places that are divided) for every pool that a channel is shown a figure of."""
    for name, channel in config.channels.items():
        if channel.sells_from and not _owned(config, name) & set(channel.sells_from):
            yield name, frozenset(channel.sells_from).difference(at_counters)
        if channel.role != BOOKS_ROLE:
            yield from ((name, frozenset({place})) for place in channel.figures_at if place not in at_counters)


def _owned(config: Config, channel: str) -> frozenset[str]:
    return frozenset(place for entry in config.authority.stock if entry.channel == channel for place in entry.covers)


def _problem(config: Config, index: int, key: str, words: str) -> Problem:
    first, _, rest = key.partition(".")
    path = ("allocation", "rules", str(index), first, *([rest] if rest else []))
    return Problem(config.place(*path), f"rules.{index}.{key}: {words}")
