"""What a canonical record of each kind may say: the closed vocabulary that mappings fill and the walk reads.

A record is plain data: `{"listing": "123", "on_hand": 12000}`. Its fields have kinds, so a mapping that would put text
where a quantity belongs is refused when it is loaded, not when a customer sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How a field's value is represented in a canonical record."""

    TEXT = "text"
    """str, without NUL."""
    QUANTITY = "quantity"
    """int thousandths."""
    AMOUNT = "amount"
    """Decimal, a unit price with at most six decimals."""
    MINOR = "minor"
    """int minor units of the record's currency."""
    CURRENCY = "currency"
    """ISO 4217 code."""
    TIME = "time"
    """int microseconds UTC."""
    WHOLE = "whole"
    """int."""
    FLAG = "flag"
    """bool."""
    WORD = "word"
    """One of the field's `words`."""
    TEXTS = "texts"
    """dict of text to text (connector references, options)."""
    ROWS = "rows"
    """list of records of the field's `rows` entity."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity; `words` closes a WORD field's vocabulary, `rows` gives the shape of a ROWS field's elements."""

    kind: Kind
    required: bool = False
    personal: bool = False
    words: frozenset[str] = frozenset()
    rows: Mapping[str, Field] | None = None


def words(*allowed: str, required: bool = False) -> Field:
    """A field with a closed vocabulary."""
    return Field(Kind.WORD, required=required, words=frozenset(allowed))


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of canonical record: its name and its fields."""

    name: str
    fields: Mapping[str, Field]

    @property
    def required(self) -> frozenset[str]:
        """The fields that every record must say."""
        return frozenset(name for name, field in self.fields.items() if field.required)


LISTING_STATES: Final = ("active", "inactive", "gone")
TAXES: Final = ("included", "excluded")
