"""Guards: changes that are too large to be made without a person. Each names itself and says why in words."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from hub.canonical.values import THOUSAND, Plain, pieces
from hub.flow import Key
from hub.settings.model import Guards

HUNDRED = Decimal(100)


class Held(NamedTuple):
    """A change that a guard holds, and why."""

    key: Key
    guard: str
    words: str


def price_guard(key: Key, shown: Plain, target: Plain, guards: Guards) -> Held | None:
    """Holds a price of zero, and a fall or rise beyond the set percentage of what is shown now."""
    new = Decimal(target["amount"])
    if new <= 0 and guards.price_zero:
        return Held(key, "price_zero", f"the price would be {target['amount']} {target['currency']}")
    if shown is None or shown.get("currency") != target["currency"]:
        return None
    old = Decimal(shown["amount"])
    if old <= 0:
        return None
    if new < old and (old - new) * HUNDRED > old * guards.price_fall_percent:
        words = f"the price would fall from {shown['amount']} to {target['amount']}, more than {guards.price_fall_percent} %"
        return Held(key, "price_fall", words)
    if new > old and (new - old) * HUNDRED > old * guards.price_rise_percent:
        words = f"the price would rise from {shown['amount']} to {target['amount']}, more than {guards.price_rise_percent} %"
        return Held(key, "price_rise", words)
    return None


NEW_ORDERS = "new_orders"


def new_orders_guard(
    new: Mapping[str, Sequence[Key]], lately: Mapping[str, int], waiting: Container[str], guards: Guards
) -> dict[Key, Held]:
    """Holds the new documents of orders of a channel that go beyond what may be made there at once.

    `new` are this step's, `lately` how many were decided a while before; `waiting` the channels where a person has such a
    hold to decide about: there every new one waits with it.
    """
    held: dict[Key, Held] = {}
    for channel, keys in new.items():
        room = 0 if channel in waiting else max(0, guards.new_orders_max - lately.get(channel, 0))
        words = f"more than {guards.new_orders_max} new orders at once: is an old history being read?"
        held.update({key: Held(key, NEW_ORDERS, words) for key in keys[room:]})
    return held


def to_zero_guard(
    falling: Mapping[str, Sequence[Key]], pending: Mapping[str, int], listings: Mapping[str, int], guards: Guards
) -> dict[str, Held]:
    """Per channel: holds all falls to zero when too large a share of its listings would fall at once.

    `falling` are this step's falls, `pending` those decided earlier and not yet made, `listings` how many the channel has.
    """
    held: dict[str, Held] = {}
    for channel, keys in falling.items():
        count = len(keys) + pending.get(channel, 0)
        total = max(1, listings.get(channel, 0))
        if keys and count >= guards.to_zero_min and count * 100 > total * guards.to_zero_percent:
            words = f"{count} of {total} listings would fall to zero, more than {guards.to_zero_percent} %"
            held[channel] = Held(keys[0], "to_zero", words)
    return held


UNEXPLAINED = "unexplained"


def unexplained_guard(key: Key, shown: Plain, target: Plain, guards: Guards) -> Held | None:
    """Holds a figure of a channel that was never in agreement yet, when it would move by more pieces than were set.

    What explains a difference (open orders, safety stock) is in the target already: what is left, nobody has explained.
    """
    if guards.unexplained_pieces is None or shown is None:
        return None
    gap = abs(int(target["sellable"]) - int(shown["sellable"]))
    if gap <= guards.unexplained_pieces * THOUSAND:
        return None
    words = f"shows {pieces(shown['sellable'])} and should show {pieces(target['sellable'])} at first contact"
    return Held(key, UNEXPLAINED, f"{words}: more than {guards.unexplained_pieces} pieces that nothing explains")
