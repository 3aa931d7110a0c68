"""Settle: from all claims about an item to the one canonical value per aspect and place.

A claim stays with the listing it was told of, so settling again after a rule or a binding changed needs no new reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.canonical.values import Plain
from hub.merge.authority import Authority


class Told(NamedTuple):
    """A claim as settling needs it, with the unit factor of its listing's binding."""

    channel: str
    listing: str
    aspect: str
    place: str
    value: Plain
    as_of: int
    seq: int
    factor: int
    begun: int = 0


Settled = dict[tuple[str, str], dict[str, Plain]]
"""(aspect, place) → canonical value; every value says `from`: the claims it rests on."""


def settle(told: Iterable[Told], authority: Authority) -> Settled:
    """The canonical values of one item.

    Stock figures of several listings of one item at one place are added (each times its factor, clamped at zero first: a
    negative figure never takes from another). Item fields come from the channel that is right about each.
    """
    settled: Settled = {}
    for claim in told:
        key = (claim.aspect, claim.place)
        if claim.aspect == "stock":
            _add_figure(settled, key, claim, authority)
        elif claim.aspect == "price":
            # The price of a box of six is not the price of its pieces times six: it says nothing about the item's.
            if authority.price_channel.get(claim.place) == claim.channel and claim.factor == 1:
                _take_latest(settled, key, claim)
        elif claim.aspect == "item":
            _take_fields(settled, key, claim, authority.item_fields(claim.channel))
    return settled


def _add_figure(settled: Settled, key: tuple[str, str], claim: Told, authority: Authority) -> None:
    first = claim.place.split("+")[0]
    figure = authority.figure_of.get(first)
    if figure is None or figure.place != claim.place or figure.authority.channel != claim.channel:
        return
    on_hand = int(claim.value["on_hand"])
    entry = settled.setdefault(key, {"on_hand": 0, "negative": False, "from": []})
    entry["on_hand"] += max(0, on_hand) * claim.factor
    entry["negative"] = entry["negative"] or on_hand < 0
    entry["from"].append(_source(claim, {"figure": on_hand, **({"factor": claim.factor} if claim.factor != 1 else {})}))


def _take_latest(settled: Settled, key: tuple[str, str], claim: Told) -> None:
    held = settled.get(key)
    if held is None or held["from"][0]["seq"] < claim.seq:
        settled[key] = {**claim.value, "from": [_source(claim, {})]}


def _take_fields(settled: Settled, key: tuple[str, str], claim: Told, fields: frozenset[str]) -> None:
    entry = settled.setdefault(key, {"from": []})
    said = {name: value for name, value in claim.value.items() if name in fields}
    if said:
        entry.update(said)
        entry["from"].append(_source(claim, {}))


def _source(claim: Told, more: Mapping[str, Plain]) -> dict[str, Plain]:
    return {
        "channel": claim.channel,
        "listing": claim.listing,
        "as_of": claim.as_of,
        "seq": claim.seq,
        "begun": claim.begun,
        **more,
    }
