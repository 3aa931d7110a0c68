"""The store's contract: transactions and reads as functions, named parameters, key sets; one SQL text for every engine.

`transaction(unit)` runs the unit inside a write transaction, possibly together with other units (each in its own savepoint),
and returns when it is durable. `read(unit)` sees one snapshot. Units must be pure functions of what they read: they may be
repeated. Both are seams: a simulator may switch workers before and after them.
"""

from __future__ import annotations

import contextlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from operator import contains
from typing import Any, Final, TypeVar

from hub.errors import InvariantError

T = TypeVar("T")
Cell = str | int | bytes | None
Row = tuple[Any, ...]

KEYS_MAX: Final = 20_000
ROWS_MAX: Final = 200_000
SEQUENCE_BLOCK: Final = 1_000

_NAME: Final = re.compile(r"(?<![:\w]):([a-z][a-z_0-9]*)")
_KEYS: Final = re.compile(r"@keys\(([a-z_0-9, ]+)\)")


class Statement:
    """One SQL text with its parameter names in the order of their first appearance."""

    __slots__ = ("key_columns", "names", "sql")

    def __init__(self, text: str) -> None:
        found = _KEYS.search(text)
        self.key_columns: tuple[tuple[str, str], ...] = ()
        if found:
            parts = [part.split() for part in found.group(1).split(",")]
            self.key_columns = tuple((part[0], part[1] if len(part) > 1 else "text") for part in parts)
        self.sql = text
        names: dict[str, None] = {}
        for match in _NAME.finditer(text):
            names.setdefault(match.group(1))
        if found:
            names.setdefault("keys")
        self.names = tuple(names)

    def rewritten(self, mark: Callable[[str, int], str], keys: str) -> str:
        """The text with every `:name` replaced by the engine's mark, and `@keys(…)` by its key-set subquery."""
        places = {name: place for place, name in enumerate(self.names)}
        text = _KEYS.sub(lambda _: keys, self.sql)
        return _NAME.sub(lambda match: mark(match.group(1), places[match.group(1)]), text)


@lru_cache(maxsize=2_000)
def statement(text: str) -> Statement:
    """The parsed statement; texts are literals, so there are few."""
    return Statement(text)


class Tx(ABC):
    """Inside a transaction (or a read): run statements. Rows come as tuples in the order of the selected columns."""

    @abstractmethod
    def query(self, text: str, **values: Cell) -> list[Row]:
        """The rows of a SELECT (or of a statement with RETURNING)."""

    @abstractmethod
    def execute(self, text: str, **values: Cell) -> int:
        """Run one statement; gives the number of rows it touched."""

    @abstractmethod
    def many(self, text: str, rows: Sequence[tuple[Cell, ...]]) -> None:
        """Run one statement per row; a row's cells stand in the order in which the names first appear in the text."""

    def query_keys(self, text: str, keys: Iterable[tuple[Cell, ...]], **values: Cell) -> list[Row]:
        """The rows of a SELECT over a set of keys: `… FROM @keys(channel, listing) k CROSS JOIN bindings b WHERE …`."""
        key_set = _key_set(keys)
        return self.query(text, **values, keys=key_set) if key_set else []

    def execute_keys(self, text: str, keys: Iterable[tuple[Cell, ...]], **values: Cell) -> int:
        """Run one statement over a set of keys."""
        key_set = _key_set(keys)
        return self.execute(text, **values, keys=key_set) if key_set else 0


class Database(ABC):
    """A store: transactions, reads, and the hub's own sequence."""

    seam: Callable[[str], None] | None = None
    """Called with "before read", "after commit" and the like; the simulator switches workers there."""

    def __init__(self) -> None:
        self._block: list[int] = []

    @abstractmethod
    def transaction(self, unit: Callable[[Tx], T]) -> T:
        """Run the unit in a write transaction; returns when its effects are durable."""

    @abstractmethod
    def read(self, unit: Callable[[Tx], T]) -> T:
        """Run the unit on one snapshot; it must not write."""

    @abstractmethod
    def close(self) -> None:
        """End the engine; nothing may be under way."""

    @abstractmethod
    def size_bytes(self) -> int:
        """How large the store is on disk."""

    @contextlib.contextmanager
    def alone(self, wait_seconds: float) -> Iterator[None]:
        """Be the only worker on this store; ConfigError when another one keeps it for so long.

        A store in a file needs nothing for it: whoever works on its folder holds that folder's lock.
        """
        yield

    def still_alone(self) -> bool:
        """Whether nobody else has become the worker on this store meanwhile."""
        return True

    def may_write(self) -> bool:
        """Whether certainly nobody else has become the worker at this moment: asked right before something is written to a
        platform. Who is the worker from then on waits for as long as a request may take before it looks what was done."""
        return True

    def next(self) -> int:
        """The hub's next sequence number: larger than every one handed out before, also before a restart."""
        return self.next_block(1)[0]

    def next_block(self, count: int) -> range:
        """That many consecutive sequence numbers; drawn before a transaction, never inside one."""
        if self._inside_unit():
            raise InvariantError("sequence numbers are drawn before a transaction, not inside one")
        with self._sequence_lock():
            if len(self._block) != 2 or self._block[1] - self._block[0] < count:
                size = max(SEQUENCE_BLOCK, count)
                end = self.transaction(lambda tx: _advance(tx, size))
                self._block[:] = [end - size + 1, end + 1]
            first = self._block[0]
            self._block[0] += count
            return range(first, first + count)

    @abstractmethod
    def _sequence_lock(self) -> _Lock: ...

    @abstractmethod
    def _inside_unit(self) -> bool:
        """Whether this thread is running a unit of this store right now."""

    def _seam(self, where: str) -> None:
        if self.seam is not None:
            self.seam(where)


class _Lock(ABC):
    @abstractmethod
    def __enter__(self) -> object: ...

    @abstractmethod
    def __exit__(self, *given: object) -> None: ...


def refuse_nul(cells: Iterable[Cell]) -> None:
    """InvariantError for a text with NUL: not every engine can keep one, so none does."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    if any(map(contains, texts, repeat("\0"))):
        raise InvariantError("a text with NUL cannot be stored")


def _key_set(keys: Iterable[tuple[Cell, ...]]) -> str:
    """The keys as the JSON text that engines take apart again; "" for none."""
    unique = sorted(set(keys), key=repr)
    if len(unique) > KEYS_MAX:
        raise InvariantError(f"{len(unique)} keys in one set, at most {KEYS_MAX}")
    text = json.dumps(unique, ensure_ascii=False)
    if "\\u0000" in text:
        for key in unique:
            refuse_nul(key)
    return text if unique else ""


def _advance(tx: Tx, size: int) -> int:
    rows = tx.query(
        "INSERT INTO sequence (name, value) VALUES ('hub', :size) "
        "ON CONFLICT (name) DO UPDATE SET value = sequence.value + :size RETURNING value",
        size=size,
    )
    return int(rows[0][0])
