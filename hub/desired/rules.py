"""Allocation and pricing rules, compiled from the configuration into look-ups by channel and item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.canonical.values import THOUSAND
from hub.settings.divided import bundled, counters
from hub.settings.model import AllocationRule, BundlePart, ChannelSettings, Config

_NO_RULE = AllocationRule()


class Rules:
    """What the configuration says of one channel and one item; answers are cached, the configuration is frozen."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.guards = config.pricing.guards
        self._rules = tuple(enumerate(config.allocation.rules, start=1))
        self._cache: dict[tuple[str, str, str], tuple[int, AllocationRule]] = {}
        self._selling = tuple(name for name, channel in config.channels.items() if channel.sells_from)
        self.counters = counters(config)
        self.has_quota = any(rule.quota_below for rule in config.allocation.rules)
        self._bundled = bundled(config)

    def allocation(self, channel: str, sku: str, category: str) -> tuple[int, AllocationRule]:
        """The first allocation rule that matches, with its number (0: none does)."""
        key = (channel, sku, category)
        found = self._cache.get(key)
        if found is None:
            found = next(((n, r) for n, r in self._rules if _matches(r, channel, sku, category)), (0, _NO_RULE))
            if len(self._cache) > 200_000:
                self._cache.clear()
            self._cache[key] = found
        return found

    def shares(self, sku: str, category: str) -> dict[str, int]:
        """The share in percent of every selling channel that has less than all."""
        found = {name: self.allocation(name, sku, category)[1].share_percent for name in self._selling}
        return {name: share for name, share in found.items() if share < 100}

    def under_quota(self, rule: AllocationRule, sku: str) -> bool:
        """Whether this rule divides the item once it is scarce; bundles and what they are made of are never divided."""
        return rule.quota_below > 0 and sku not in self._bundled

    def quota_ends(self, rule: AllocationRule) -> int:
        """Above so many pieces the item is scarce no more; higher than where it began, so that one sale does not flap it."""
        return rule.quota_below * 3 // 2 + 1 if rule.quota_above is None else rule.quota_above

    def quota_places(self, locations: Sequence[str]) -> frozenset[str]:
        """Of these places those whose goods are divided: what lies at a counter is the counter's, who may sell all of it."""
        return frozenset(locations).difference(self.counters)

    def bundle(self, sku: str) -> tuple[BundlePart, ...]:
        """The components of a virtual bundle; empty for everything else."""
        return self.config.allocation.bundles.get(sku, ())

    def takes(self, item: str, sku: str, components: Mapping[str, str]) -> list[tuple[str, int]]:
        """The items that one piece takes and how many of each: itself, of a virtual bundle its components that are items.

        `components`: SKU → item.
        """
        parts = self.bundle(sku)
        return [(components[part.sku], part.pieces) for part in parts if part.sku in components] if parts else [(item, 1)]

    def channel(self, name: str) -> ChannelSettings:
        """The channel's settings."""
        return self.config.channels[name]


def whole_pieces(amount: int) -> int:
    """The quantity without its part of a piece, towards zero for positive amounts."""
    return amount - amount % THOUSAND


def _matches(rule: AllocationRule, channel: str, sku: str, category: str) -> bool:
    return (
        (not rule.channels or channel in rule.channels)
        and (not rule.skus or sku in rule.skus)
        and (not rule.categories or category in rule.categories)
    )
