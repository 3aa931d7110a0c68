"""What a channel should show and ask by the merchant's own rules, worked out anew from the configuration.

The judge's own arithmetic: none of the hub's rules are asked. Categories are not simulated: only rules without any hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from hub.canonical.values import minor_digits
from hub.settings.model import AllocationRule, ChannelPricing, Config, PriceList
from hub.simulate.retailer import Retailer
from hub.simulate.truth import DELETED, ON_SALE, WITHDRAWN, Truth

Places = tuple[str, ...]
ASKED_MAX: Final = 100_000
"""So many prices are kept as they were worked out: the same are looked at again and again."""


def wrong_pool(
    retailer: Retailer, truth: Truth, channel: str, sku: str, shown: int, place: str = ""
) -> Iterator[tuple[int, int]]:
    """(shown, what it should be) where a channel shows something else of all its places as one, or of this one."""
    places = (place,) if place else retailer.sells_from(channel)
    rule = rule_of(retailer.config, channel, sku)
    free = {each: truth.free(each, sku) for each in places}
    # What waits at one place and does not lie there must come from another.
    there = sum(max(0, left - rule.safety_per_location.get(each, 0)) + min(0, left) for each, left in free.items())
    should = shows(retailer.config, sku, max(0, there), rule)
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


def shows(config: Config, sku: str, there: int, rule: AllocationRule) -> int:
    """What of so many pieces a channel with this rule should show."""
    kept = max(0, there - rule.safety_stock)
    if rule.share_percent < 100:
        kept = kept * rule.share_percent // 100 + (_left_over(config, sku, there, rule) if rule.remainder else 0)
    kept = kept if rule.cap is None else min(kept, rule.cap)
    return kept if kept >= rule.threshold else 0


def _left_over(config: Config, sku: str, there: int, rule: AllocationRule) -> int:
    """What all shares of this stock leave over by rounding down; the share of who keeps less back is of more."""
    mine = max(0, there - rule.safety_stock)
    rules = [rule_of(config, name, sku) for name, about in config.channels.items() if about.sells_from]
    shared = [each for each in rules if each.share_percent < 100]
    together = mine * min(100, sum(each.share_percent for each in shared)) // 100
    taken = sum(max(mine, there - each.safety_stock) * each.share_percent // 100 for each in shared)
    return max(0, together - taken)


def asks(config: Config, channel: str, listed: Decimal) -> Decimal | None:
    """What this channel should ask for what costs so much in its list; None where nobody says what it asks."""
    rule = config.pricing.channels.get(channel)
    if rule is None:
        return None
    prices = config.pricing.lists[rule.list]
    return _asks(listed, rule, prices, config.pricing.taxes.get(prices.country, Decimal(0)))


@lru_cache(ASKED_MAX)
def _asks(listed: Decimal, rule: ChannelPricing, prices: PriceList, tax_percent: Decimal) -> Decimal:
    exact = Fraction(listed) * (100 + Fraction(rule.markup_percent)) / 100
    with_tax = 1 + Fraction(tax_percent) / 100
    if prices.tax != rule.tax:
        exact = exact * with_tax if rule.tax == "included" else exact / with_tax
    smallest = Fraction(1, 10 ** minor_digits(prices.currency))
    shown = _whole(exact / smallest, rule.rounding) * smallest
    if rule.ending is not None and shown > 0:
        shown = _ending(shown, rule, rule.ending)
    if rule.floor is not None and shown < rule.floor:
        shown = math.ceil(Fraction(rule.floor) / smallest) * smallest
    return Decimal(shown.numerator) / Decimal(shown.denominator)


def _whole(exact: Fraction, rounding: str) -> int:
    below = math.floor(exact)
    over = exact - below
    if rounding == "half_even":
        return round(exact)
    goes_up = {"down": False, "up": over > 0, "half_up": over >= Fraction(1, 2)}[rounding]
    return below + 1 if goes_up else below


def _ending(shown: Fraction, rule: ChannelPricing, ending: Decimal) -> Fraction:
    """The price that ends so (0.95) which the rule wants."""
    below = shown - (shown - Fraction(ending)) % 1
    above = below if below == shown else below + 1
    if below <= 0 or rule.ending_rule == "up":
        return above
    return below if rule.ending_rule == "down" or shown - below <= above - shown else above


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


def rule_of(config: Config, channel: str, sku: str) -> AllocationRule:
    """The first rule that holds for it; one that keeps nothing back where none does."""
    for rule in config.allocation.rules:
        if (not rule.channels or channel in rule.channels) and (not rule.skus or sku in rule.skus) and not rule.categories:
            return rule
    return AllocationRule()
