"""Whose turn it is to work on a store: a number that every worker takes at its start, and that is looked at in each transaction.

Who finds another's number there was replaced: it may have been paused or cut off for so long that it was taken for dead.
"""

from __future__ import annotations

from typing import Final

from hub.errors import InvariantError

TAKE_TURN: Final = (
    "INSERT INTO sequence (name, value) VALUES ('worker', 1) "
    "ON CONFLICT (name) DO UPDATE SET value = sequence.value + 1 RETURNING value"
)
WHOSE_TURN: Final = "SELECT coalesce(max(value), 0) FROM sequence WHERE name = 'worker'"


def refuse_former(ours: int, turn: int | None) -> None:
    """InvariantError where another's turn has come since ours began; no number of ours: nobody else works here."""
    if ours and turn != ours:
        raise InvariantError("another worker has taken this store over: this one writes nothing more")
