"""Stock: from the figures of the locations to what a channel may show as sellable, with every step of the derivation.

Quantities are thousandths of pieces. Unknown is not zero: without a figure for every location there is no target.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from hub.canonical.values import THOUSAND, Plain
from hub.desired.rules import Rules, whole_pieces


class Figure(NamedTuple):
    """The settled figure of a place: thousandths on hand, what it contains, whether a part was negative, and its sources."""

    place: str
    on_hand: int
    contains: tuple[str, ...]
    negative: bool
    sources: Plain


class Reserved(NamedTuple):
    """Open reservations of an item at a place ("" is the pool) that the authority's figure does not contain yet; `waits` where
    they are still to be delivered."""

    place: str
    amount: int
    because: Plain
    waits: bool = False


class Pool(NamedTuple):
    """The stock that a channel sells from, before its share: thousandths of the item, and how it came about."""

    amount: int
    steps: list[Plain]


def pool(
    locations: Sequence[str],
    figures: Mapping[str, Figure | None],
    reserved: Sequence[Reserved],
    safety_per_location: Mapping[str, int],
    not_found: Collection[str] = (),
) -> Pool | None:
    """The sum over the locations, each clamped at zero first; None while a location's authority has not been heard.

    A figure that covers several locations is counted once. Where staff did not find the item nothing of it is sold. What waits to
    be delivered from a place beyond what lies there must come from another, so it comes off the rest of the pool.
    """
    total = beyond = 0
    steps: list[Plain] = []
    about: dict[str, list[str]] = {}
    for location in locations:
        figure = figures.get(location)
        if figure is None:
            return None
        about.setdefault(figure.place, []).append(location)
    for place, covered in about.items():
        figure = figures[covered[0]]
        assert figure is not None
        there = [each for each in reserved if each.place == place or each.place in covered]
        taken = sum(each.amount for each in there)
        safety = sum(safety_per_location.get(location, 0) for location in covered) * THOUSAND
        missing = any(location in not_found for location in covered)
        lies = 0 if missing else max(0, figure.on_hand)
        left = max(0, lies - taken - safety)
        # What was handed over there was there, whatever the figure says.
        short = min(max(0, taken - lies), sum(each.amount for each in there if each.waits))
        beyond += short
        total += left
        step: dict[str, Plain] = {"location": figure.place, "on_hand": figure.on_hand, "left": left, "from": figure.sources}
        if figure.contains:
            step["contains"] = figure.contains
        if figure.negative:
            step["negative"] = True
        if missing:
            step["not_found"] = True
        if taken:
            step["reserved"] = taken
        if safety:
            step["safety_stock"] = safety
        if short:
            step["short"] = short
        steps.append(step)
    unplaced = sum(each.amount for each in reserved if not each.place)
    if unplaced:
        steps.append({"reserved_without_place": unplaced})
    if beyond and len(about) > 1:
        steps.append({"reserved_beyond": beyond})
    return Pool(max(0, total - unplaced - beyond), steps)


def sellable(
    channel: str, sku: str, category: str, stock: Pool, rules: Rules, *, factor: int = 1, whole: bool = True
) -> tuple[int, dict[str, Plain]]:
    """What the channel may show (in its own units of `factor` pieces), and the derivation from the pool."""
    number, rule = rules.allocation(channel, sku, category)
    because: dict[str, Plain] = {"pool": stock.amount, "steps": stock.steps}
    amount = stock.amount
    if number:
        because["rule"] = f"allocation rule {number}"
    if rule.safety_stock:
        amount = max(0, amount - rule.safety_stock * THOUSAND)
        because["safety_stock"] = rule.safety_stock * THOUSAND
    if rule.share_percent < 100:
        because["share_percent"] = rule.share_percent
        left_over = _remainder(stock.amount, amount, channel, sku, category, rules) if rule.remainder else 0
        amount = _share(amount, rule.share_percent) + left_over
    if rule.cap is not None and amount > rule.cap * THOUSAND:
        because["cap"] = rule.cap * THOUSAND
        amount = rule.cap * THOUSAND
    if amount < rule.threshold * THOUSAND:
        because["threshold"] = rule.threshold * THOUSAND
        amount = 0
    shown = in_units(amount, factor, whole, because)
    because["sellable"] = shown
    return shown, because


def figure_shown(figure: Figure, *, factor: int = 1, whole: bool = True) -> tuple[int, dict[str, Plain]]:
    """What a listing shows of one location's figure (in its own units of `factor` pieces), and the derivation."""
    because: dict[str, Plain] = {"figure_of": figure.place, "on_hand": figure.on_hand, "from": figure.sources}
    if figure.negative:
        because["negative"] = True
    return in_units(max(0, figure.on_hand), factor, whole, because), because


def bundle_pool(parts: Sequence[tuple[str, int, Pool | None]]) -> Pool | None:
    """How many virtual bundles the components' pools allow: (SKU, pieces per bundle, pool) each; None while one is unknown."""
    amounts: list[int] = []
    steps: list[Plain] = []
    for sku, per_bundle, stock in parts:
        if stock is None:
            return None
        possible = stock.amount // (per_bundle * THOUSAND) * THOUSAND
        amounts.append(possible)
        steps.append({"component": sku, "pieces": per_bundle, "pool": stock.amount, "bundles": possible, "steps": stock.steps})
    return Pool(min(amounts, default=0), steps)


def _share(amount: int, percent: int) -> int:
    return whole_pieces(amount * percent // 100)


def _remainder(pooled: int, amount: int, channel: str, sku: str, category: str, rules: Rules) -> int:
    """What all shares together leave over by rounding down.

    Where others keep back less than this channel does, their shares are of more: together nobody gets more than `amount`.
    """
    shares = rules.shares(sku, category)
    together = _share(amount, min(100, sum(shares.values())))
    theirs = 0
    for name, share in shares.items():
        kept_back = rules.allocation(name, sku, category)[1].safety_stock * THOUSAND
        theirs += _share(amount if name == channel else max(amount, pooled - kept_back), share)
    return max(0, together - theirs)


def in_units(amount: int, factor: int, whole: bool, because: dict[str, Plain]) -> int:
    """The pieces in the listing's units, rounded down to whole ones; the derivation names what is left over."""
    if factor != 1:
        units = amount // (factor * THOUSAND)
        because["factor"] = factor
        because["remainder"] = amount - units * factor * THOUSAND
        return units * THOUSAND
    return whole_pieces(amount) if whole else amount
