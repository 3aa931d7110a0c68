"""What stands of a line's route when the order is looked at again: it stays while it fits, and only what is new is routed.

Pure functions over thousandths of the line's unit. A place was given a quantity in all; what left from there is part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple


class Given(NamedTuple):
    """What a place ("" is none yet) was given of a line in all; `short` of it was not there."""

    place: str
    quantity: int
    short: int = 0


class Standing(NamedTuple):
    """`open`: what is still to leave from each place by what was decided before; `need`: what has to be routed (again)."""

    open: dict[str, int]
    need: int


def standing(
    quantity: int,
    left: Mapping[str, int],
    given: Sequence[Given],
    failed: Mapping[str, int],
    allowed: Collection[str] | None = None,
) -> Standing:
    """What stands: `quantity` is wanted in all, `left` went from each place ("" unknown), `failed` a place cannot deliver.

    What was short is looked at again; a place that is not `allowed` any more (None: all are) keeps nothing.
    """
    rest = max(0, quantity - sum(left.values()))
    kept: dict[str, int] = {}
    for each in given:
        if each.place and (allowed is None or each.place in allowed):
            there = each.quantity - each.short - left.get(each.place, 0) - failed.get(each.place, 0)
            kept[each.place] = max(0, there)
    over = sum(kept.values()) - rest
    for place in reversed(list(kept)):
        taken = max(0, min(over, kept[place]))
        kept[place] -= taken
        over -= taken
    kept = {place: amount for place, amount in kept.items() if amount}
    return Standing(kept, rest - sum(kept.values()))


def given_now(
    quantity: int, left: Mapping[str, int], given: Sequence[Given], kept: Mapping[str, int], added: Sequence[Given]
) -> list[Given]:
    """What each place is given in all from now on; the sum is the quantity. Empty where no place was ever chosen.

    A line of which nothing is wanted any more stays where it was, with nothing.
    """
    routed = any(each.place for each in (*given, *added))
    if not routed or (quantity <= 0 and not given):
        return []
    short: dict[str, int] = {}
    total = dict(kept)
    for each in added:
        total[each.place] = total.get(each.place, 0) + each.quantity
        short[each.place] = short.get(each.place, 0) + each.short
    for place, amount in left.items():
        total[place] = total.get(place, 0) + amount
    # What left without a word from where left from where it was given.
    unknown = left.get("", 0)
    for each in given:
        if each.place and (taken := min(unknown, max(0, each.quantity - total.get(each.place, 0)))):
            total[each.place] = total.get(each.place, 0) + taken
            total[""] -= taken
            unknown -= taken
    nowhere = total.pop("", 0)
    found = [Given(place, amount, short.get(place, 0)) for place, amount in total.items() if amount]
    if nowhere:
        found.append(Given("", nowhere))
    first = next((each.place for each in given if each.place), "")
    return found or [Given(first, 0)]
