"""A worker's own way to the store: nothing of it outlives the worker, and its number is looked at in every transaction.

As on a server on which only one worker works at a time: the number is taken once the former's lock is given to another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from hub.store.database import Database, Tx
from hub.store.turns import TAKE_TURN, WHOSE_TURN, refuse_former

T = TypeVar("T")


class Seat(Database):
    """The store as one worker has it; `store` is what all have."""

    def __init__(self, store: Database) -> None:
        super().__init__()
        self._store = store
        self._number = 0

    def transaction(self, unit: Callable[[Tx], T]) -> T:
        """As the store does it, while it is our turn."""

        def fenced(tx: Tx) -> T:
            refuse_former(self._number, _turn(tx))
            return unit(tx)

        return self._store.transaction(fenced)

    def read(self, unit: Callable[[Tx], T]) -> T:
        """As the store does it."""
        return self._store.read(unit)

    def close(self) -> None:
        """The store stays open."""

    def size_bytes(self) -> int:
        """How large the store is."""
        return self._store.size_bytes()

    @contextlib.contextmanager
    def alone(self, wait_seconds: float) -> Iterator[None]:
        """Take the turn: here whoever had it before is dead, or was taken for dead."""
        self._number = self._store.transaction(lambda tx: int(tx.query(TAKE_TURN)[0][0]))
        yield

    def still_alone(self) -> bool:
        """Whether it is still our turn."""
        return not self._number or self._store.read(_turn) == self._number

    def may_write(self) -> bool:
        """Likewise: this store can always be asked."""
        return self.still_alone()

    def _sequence_lock(self) -> Any:
        return self._store._sequence_lock()

    def _inside_unit(self) -> bool:
        return self._store._inside_unit()


def _turn(tx: Tx) -> int:
    return int(tx.query(WHOSE_TURN)[0][0])
