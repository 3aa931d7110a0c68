"""What a fact moved at a place, as a target of whoever is right about that place: a running sum, told as a keyed delta.

The figure there moves by what the sum has grown since it was last acknowledged, and never to an absolute number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from hub.canonical.values import Plain
from hub.flow import Aspect, Key, Target

RECEIPT: Final = "receipt"
HANDED_OVER: Final = "handed_over"
CORRECTION: Final = "correction"


class Leg(NamedTuple):
    """What one line of a movement did at one place of its teller: thousandths that came (above zero) or left (below)."""

    place: str
    moved: int
    kind: str


def delta(channel: str, listing: str, item: str, location: str, fact: str, moved: int, kind: str, because: Plain) -> Target:
    """The target by which `channel`, right about `location`, learns that this fact moved `moved` thousandths of its listing."""
    key = Key(channel, listing, Aspect.MOVEMENT, place_of(location, fact))
    return Target(key, item, {"moved": moved, "kind": kind}, because)


def fact(channel: str, movement: str, part: str) -> str:
    """The key of what one line of a teller's movement did."""
    return f"{channel}:{movement}:{part}"


def place_of(location: str, fact: str) -> str:
    """The place in the key of what this fact moved at a location."""
    return f"{location}|{fact}"


def location_of(place: str) -> str:
    """The location in a movement key's place."""
    return place.partition("|")[0]


def fact_of(place: str) -> str:
    """The fact in a movement key's place."""
    return place.partition("|")[2]


def legs(source: str, destination: str, part: Mapping[str, int]) -> list[Leg]:
    """What one line did at the places it left and arrived at; `part` has its `dispatched`, `received` and what was known before.

    What is between the two belongs to nobody's figure.
    """
    if source == destination:
        return []
    left = Leg(source, part["left_before"] - part["dispatched"], CORRECTION)
    came = Leg(destination, part["received"] - part["came_before"], RECEIPT)
    return [leg for leg in (left, came) if leg.place]


def in_units_of(thousandths: int, factor: int, other_factor: int) -> int | None:
    """A quantity of one listing in units of another listing of the same item; None when it does not come out even."""
    quotient, rest = divmod(thousandths * factor, other_factor)
    return None if rest else quotient
