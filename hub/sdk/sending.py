"""Sending a batch in parts, so that one wrong change never fails its neighbours, and the whole pieces that a figure is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hub.canonical.values import THOUSAND, Plain
from hub.errors import ChannelError, InvariantError
from hub.flow import Change, Receipt
from hub.sdk.receipts import Known, broken_off

One = TypeVar("One", bound=Known)


@dataclass(frozen=True, slots=True)
class Planned:
    """One change with the object that expresses it to the platform, and the judge of the object that the answer shows."""

    change: Change
    given: dict[str, Plain]
    judge: Callable[[dict[str, Plain]], Receipt]

    @property
    def id(self) -> str:
        """The change's id."""
        return self.change.id


def cut(items: Sequence[One], size_max: int) -> list[list[One]]:
    """The items in their order, in parts of at most this size."""
    return [list(items[start : start + size_max]) for start in range(0, len(items), size_max)]


def send_in_parts(parts: Iterable[Sequence[One]], post: Callable[[list[One]], tuple[list[Receipt], list[One]]]) -> list[Receipt]:
    """One receipt each. `post` makes one call: it gives receipts of what that decided, and what it left undecided and undone.

    What is left goes out again without the rest; where all of a part is left, in halves, down to one alone, which `post` must
    decide. A failing call raises only while nothing is decided: later, what it broke off gets receipts.
    """
    receipts: list[Receipt] = []
    waiting = [list(part) for part in parts if part]
    while waiting:
        part = waiting.pop(0)
        try:
            done, left = post(part)
        except ChannelError as failed:
            if not receipts:
                raise
            return receipts + broken_off(part, [one for rest in waiting for one in rest], failed)
        receipts += done
        if len(left) < len(part):
            waiting[:0] = [left] if left else []
        elif len(part) == 1:
            raise InvariantError("a call for one change alone left it undecided")
        else:
            waiting[:0] = [left[: len(left) // 2], left[len(left) // 2 :]]
    return receipts


def whole_figure(change: Change, most: int) -> int | None:
    """The figure to be written in whole pieces; None for a part of a piece, one below 0 or above `most`."""
    pieces, rest = divmod(int(change.after["raw"]), THOUSAND)
    return None if rest or not 0 <= pieces <= most else pieces
