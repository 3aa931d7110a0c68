"""What a channel should show of what is there by the merchant's own allocation rules, worked out anew from the configuration.

The judge's own arithmetic: none of the hub's rules are asked. Categories are not simulated: only rules without any hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.settings.model import AllocationRule, Config
from hub.simulate.retailer import Retailer
from hub.simulate.truth import DELETED, ON_SALE, WITHDRAWN, Truth

Places = tuple[str, ...]


def wrong_pool(
    retailer: Retailer, truth: Truth, channel: str, sku: str, shown: int, place: str = ""
) -> Iterator[tuple[int, int]]:
    """(shown, what it should be) where a channel shows something else of all its places as one, or of this one."""
    places = (place,) if place else retailer.sells_from(channel)
    rule = _rule(retailer.config, channel, sku)
    should = _plain(truth.sellable(places, sku), rule)
    right = [(should, should)]
    if rule.quota_below:
        mine = _not_at_counters(retailer, places)
        pools = [pool for _, pool in _sellers(retailer, truth, sku, mine)] or [places]
        scarcest = min(truth.sellable(pool, sku) for pool in pools)
        ends = rule.quota_above or rule.quota_below * 3 // 2 + 1
        divided = _divided(retailer, truth, channel, sku, mine, rule)
        # Between the two marks both are right: which one holds depends on whether it was scarce before.
        right = [divided] if scarcest <= rule.quota_below else [*right, divided] if scarcest <= ends else right
    if not any(low <= shown <= high for low, high in right):
        yield shown, right[-1][1]


def _plain(there: int, rule: AllocationRule) -> int:
    kept = max(0, there - rule.safety_stock) * rule.share_percent // 100
    kept = kept if rule.cap is None else min(kept, rule.cap)
    return kept if kept >= rule.threshold else 0


def _divided(
    retailer: Retailer, truth: Truth, channel: str, sku: str, mine: frozenset[str], rule: AllocationRule
) -> tuple[int, int]:
    """The least and the most that the channel's part of the last pieces can be: its weight's, rounded down or up."""
    pieces = max(0, truth.sellable(tuple(sorted(mine)), sku) - rule.safety_stock)
    weights = {name: rule.quota_weights.get(name, 1) for name, _ in _sellers(retailer, truth, sku, mine)}
    whole = sum(weights.values()) + rule.quota_weights.get(retailer.books, 0)
    if not whole or not weights.get(channel):
        return 0, 0
    return pieces * weights[channel] // whole, -(-pieces * weights[channel] // whole)


def _sellers(retailer: Retailer, truth: Truth, sku: str, mine: frozenset[str]) -> Iterator[tuple[str, Places]]:
    """Who divides it with whom sells from these places: all of the same stock that list it, be it withdrawn."""
    for name, pool in _pools(retailer):
        stands = truth.standing(name, sku)
        lists = stands in (ON_SALE, WITHDRAWN) if name in retailer.kept_by_people else stands != DELETED
        if mine and lists and _not_at_counters(retailer, pool) == mine:
            yield name, pool


def _pools(retailer: Retailer) -> Iterator[tuple[str, Places]]:
    """(channel, places) of every figure by which customers buy what they do not hold in hand."""
    for name, about in retailer.config.channels.items():
        if name in retailer.shops or name == retailer.books:
            continue
        if about.figures_at:
            yield from ((name, (place,)) for place in about.figures_at)
        elif about.sells_from:
            yield name, tuple(about.sells_from)


def _not_at_counters(retailer: Retailer, places: Places) -> frozenset[str]:
    return frozenset(places) - frozenset(retailer.shops.values())


def _rule(config: Config, channel: str, sku: str) -> AllocationRule:
    for rule in config.allocation.rules:
        if (not rule.channels or channel in rule.channels) and (not rule.skus or sku in rule.skus) and not rule.categories:
            return rule
    return AllocationRule()
