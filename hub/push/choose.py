"""Choose what is worth sending first: the most urgent change decides the aspect, others of that aspect go along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.channel import Channel
from hub.flow import Aspect
from hub.store.changes import OpenChange

ALONE: Final = "alone"
"""Words of a change that was refused together with others: it goes alone next time, so that neighbours are not held up."""
CANDIDATES_MAX: Final = 5_000


def choose(channel: Channel, waiting: Sequence[OpenChange], now: int) -> list[OpenChange]:
    """The next batch: changes of one aspect (of one place, for figures per location), within the platform's batch limit.

    `waiting` are intended changes, most urgent first. A listing appears once in a batch.
    """
    ready = [change for change in waiting if change.not_before <= now]
    if not ready:
        return []
    first = ready[0]
    send = channel.send(first.key.aspect)
    if send is None:
        return []
    if first.words == ALONE:
        return [first]
    batch: list[OpenChange] = []
    taken: set[tuple[str, str]] = set()
    for change in ready:
        same = change.key.aspect == first.key.aspect and (change.before is None) == (first.before is None)
        name = (change.key.listing, change.key.place)
        if same and change.words != ALONE and name not in taken:
            batch.append(change)
            taken.add(name)
        if len(batch) >= send.batch_max:
            break
    return batch


def is_rise(change: OpenChange) -> bool:
    """Whether the change lets customers buy more than they can now."""
    if change.key.aspect != Aspect.STOCK or change.before is None:
        return False
    return bool(change.after["sellable"] > change.before["sellable"])


def is_fall(change: OpenChange) -> bool:
    """Whether the change leaves customers less to buy than they can now."""
    if change.key.aspect != Aspect.STOCK or change.before is None:
        return False
    return bool(change.after["sellable"] < change.before["sellable"])


def next_at(waiting: Sequence[OpenChange]) -> int | None:
    """When the next of these may be sent or looked at; None when there is none."""
    return min((change.not_before for change in waiting), default=None)
