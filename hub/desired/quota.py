"""Quota: the last pieces of a scarce item are divided, so that what all who sell them show together never exceeds the stock.

Pure. A piece that one shows, or may yet come to show, is nobody else's: falls are written at once, a rise is given only out of
what the others are known to show no more. Amounts are whole pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Member(NamedTuple):
    """A listing that sells from the same stock; `shown` is what it shows, `may_show` what it may come to show by a change that
    is decided already, whatever becomes of that.

    `fresh`: it was looked at after the last news of the item. `overwrites`: a write there undoes a sale made meanwhile.
    """

    name: str
    weight: int
    factor: int = 1
    shown: int = 0
    may_show: int = 0
    fresh: bool = True
    overwrites: bool = False


class Share(NamedTuple):
    """What a member may show now, its part of the whole, and the members that must fall or be looked at before it gets it."""

    now: int
    part: int
    waits_for: tuple[str, ...] = ()
    zero_first: bool = False


def kept_of(stock: int, members: Sequence[Member], kept: int) -> int:
    """How many of these pieces are nobody's to show: the part of those who are shown nothing, by their weight, rounded up."""
    whole = sum(member.weight for member in members) + kept
    return -(-stock * kept // whole) if whole > 0 and stock > 0 else 0


def parts(stock: int, members: Sequence[Member], kept: int = 0) -> list[int]:
    """The stock divided by weight, rounded down to whole units; what that leaves over goes to those who show it already, then
    by largest remainder. `kept` is the weight of those who are shown nothing: their part is nobody's to show.
    """
    whole = sum(member.weight for member in members) + kept
    if whole <= 0 or stock <= 0:
        return [0] * len(members)
    exact = [stock * member.weight for member in members]
    found = [each // whole // member.factor * member.factor for each, member in zip(exact, members, strict=True)]
    left = stock - sum(found) - kept_of(stock, members, kept)

    def first(place: int) -> tuple[bool, int, str]:
        member = members[place]
        holds = member.shown >= found[place] + member.factor
        return not holds, -(exact[place] - found[place] * whole), member.name

    for place in sorted((n for n, member in enumerate(members) if member.weight), key=first):
        if members[place].factor <= left:
            found[place] += members[place].factor
            left -= members[place].factor
    return found


def shares(stock: int, members: Sequence[Member], wanted: Sequence[int]) -> list[Share]:
    """What each may show now, on the way to what is `wanted` of each (together never more than the stock).

    Whatever becomes of the writes: the sum of what is shown, or may come to be, never rises above the stock.
    """
    exposed = [max(member.shown, member.may_show) for member in members]
    together = sum(exposed)
    stale = tuple(member.name for member in members if not member.fresh)
    holding = tuple(m.name for m, part, most in zip(members, wanted, exposed, strict=True) if part < most)
    found = []
    for member, part, most in zip(members, wanted, exposed, strict=True):
        zero_first = member.overwrites and member.shown > 0 and part not in (0, member.shown)
        now = 0 if zero_first else part
        if now > member.shown:
            room = 0 if stale else max(0, stock - (together - most) - member.shown)
            now = min(now, member.shown + room // member.factor * member.factor)
            together += max(0, now - most)
        waits = tuple(dict.fromkeys((*stale, *(name for name in holding if name != member.name))))
        found.append(Share(now, part, waits if now < part and not zero_first else (), zero_first))
    return found
