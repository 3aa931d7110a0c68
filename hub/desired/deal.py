"""Dealing out: the fewest (or best) places that together have what is wanted, and which of them gives what.

Pure functions over thousandths. What is left over is given back: nothing is dealt that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from hub.canonical.values import Plain
from hub.desired.rules import whole_pieces

EXACT_PLACES_MAX: Final = 8
"""Up to this many places that have something, every set of them is weighed; beyond, the best place is taken step by step."""

Stock = Mapping[str, Mapping[str, int]]
"""Place → item → thousandths."""


class Cover(NamedTuple):
    """How sets of places are weighed: `key` of a set (smaller is better), `first` of a place among equals; `fewest`: few places
    count for something, `only_fewest`: they count before everything else."""

    key: Callable[[Collection[str]], tuple[Plain, ...]]
    first: Callable[[str], tuple[Plain, ...]]
    fewest: bool
    only_fewest: bool


def cover(demand: Mapping[str, int], stock: Stock, by: Cover) -> list[str]:
    """The places that together give as much of the demand as all would, none of them needlessly; in the order of `by.first`."""
    giving = sorted((name for name, has in stock.items() if any(has[item] > 0 for item in demand)), key=by.first)
    reached = _together(giving, demand, stock)
    if len(giving) > EXACT_PLACES_MAX:
        return _step_by_step(giving, reached, demand, stock, by)
    found: list[frozenset[str]] = []
    for size in range(1, len(giving) + 1):
        for names in combinations(giving, size):
            # A set around one that is enough already has a needless place in it.
            if not any(known <= set(names) for known in found) and _together(names, demand, stock) == reached:
                found.append(frozenset(names))
        if found and by.only_fewest:
            break
    if not found:
        return []
    best = min(found, key=by.key)
    return sorted(best, key=by.first)


def dealt(
    lines: Sequence[tuple[str, str, int]], places: Sequence[str], stock: Stock
) -> tuple[list[tuple[str, str, str, int]], list[tuple[str, str, int]]]:
    """(line, item, place, thousandths) of what the places give in their order, and (line, item, thousandths) of what is left.

    A line stays together where one place has all of it; a part of a line is whole pieces.
    """
    left = {name: dict(stock[name]) for name in places}
    parts: list[tuple[str, str, str, int]] = []
    rest: list[tuple[str, str, int]] = []
    for line, item, quantity in lines:
        whole = next((name for name in places if left[name][item] >= quantity), None)
        for name in [whole] if whole is not None else places:
            has = left[name][item]
            taken = quantity if has >= quantity else whole_pieces(has)
            if taken > 0:
                parts.append((line, item, name, taken))
                left[name][item] -= taken
                quantity -= taken
        if quantity > 0:
            rest.append((line, item, quantity))
    return parts, rest


def _step_by_step(
    giving: Sequence[str], reached: Mapping[str, int], demand: Mapping[str, int], stock: Stock, by: Cover
) -> list[str]:
    """The place that adds most (or stands first), again and again; then those that turned out needless are left out."""
    chosen: list[str] = []
    while (now := _together(chosen, demand, stock)) != reached:
        gains = {name: _gain(stock[name], now, demand) for name in giving if name not in chosen}
        adding = [name for name, gain in gains.items() if gain]
        chosen.append(min(adding, key=lambda name: ((-gains[name],) if by.fewest else ()) + by.first(name)))
    for name in reversed(chosen[:]):
        others = [each for each in chosen if each != name]
        if _together(others, demand, stock) == reached:
            chosen = others
    return sorted(chosen, key=by.first)


def _gain(has: Mapping[str, int], reached: Mapping[str, int], demand: Mapping[str, int]) -> int:
    return sum(min(has[item], demand[item] - reached[item]) for item in demand)


def _together(names: Collection[str], demand: Mapping[str, int], stock: Stock) -> dict[str, int]:
    """How much of each item these places give together, at most what is wanted."""
    return {item: min(amount, sum(stock[name][item] for name in names)) for item, amount in demand.items()}
