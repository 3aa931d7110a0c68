"""What a channel should show of what is there by the merchant's own allocation rules, worked out anew from the configuration.

The judge's own arithmetic: none of the hub's rules are asked. Categories are not simulated: only rules without any hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.settings.model import AllocationRule, Config
from hub.simulate.retailer import Retailer
from hub.simulate.truth import Truth


def wrong_pool(retailer: Retailer, truth: Truth, channel: str, sku: str, shown: int) -> Iterator[tuple[int, int]]:
    """(shown, what it should be) where a channel that sells all its places as one shows something else."""
    places = retailer.sells_from(channel)
    rule = _rule(retailer.config, channel, sku)
    there = truth.sellable(places, sku)
    scarce = rule.quota_below and there <= max(rule.quota_below * 3 // 2 + 1, rule.quota_above or 0)
    should = _plain(there, rule)
    if scarce and there <= rule.quota_below:
        low, high = _divided(retailer, truth, channel, sku, rule)
        if not low <= shown <= high:
            yield shown, low if shown < low else high
    elif shown != should:
        # Between the two marks both are right: which one holds depends on whether it was scarce before.
        low, high = _divided(retailer, truth, channel, sku, rule) if scarce else (should, should)
        if not low <= shown <= high:
            yield shown, should


def _plain(there: int, rule: AllocationRule) -> int:
    kept = max(0, there - rule.safety_stock) * rule.share_percent // 100
    kept = kept if rule.cap is None else min(kept, rule.cap)
    return kept if kept >= rule.threshold else 0


def _divided(retailer: Retailer, truth: Truth, channel: str, sku: str, rule: AllocationRule) -> tuple[int, int]:
    """The least and the most that the channel's part of the last pieces can be: its weight's, rounded down or up."""
    config, places = retailer.config, retailer.sells_from(channel)
    divided = tuple(place for place in places if place not in retailer.shops.values())
    pieces = max(0, truth.sellable(divided, sku) - rule.safety_stock)
    sellers = [name for name, each in config.channels.items() if set(each.sells_from) - set(retailer.shops.values())]
    kept = sum(weight for name, weight in rule.quota_weights.items() if name == retailer.books)
    weights = {name: rule.quota_weights.get(name, 1) for name in sellers}
    whole = sum(weights.values()) + kept
    if not whole or not weights.get(channel):
        return 0, 0
    return pieces * weights[channel] // whole, -(-pieces * weights[channel] // whole)


def _rule(config: Config, channel: str, sku: str) -> AllocationRule:
    for rule in config.allocation.rules:
        if (not rule.channels or channel in rule.channels) and (not rule.skus or sku in rule.skus) and not rule.categories:
            return rule
    return AllocationRule()
