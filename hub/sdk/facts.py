"""What every fact told of an order has in common: our mark, by which it is found again, and the pieces that it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from typing import Final

from hub.canonical.values import THOUSAND, Plain
from hub.flow import Change

MARK_CHARS: Final = 10


def mark(change: Change) -> str:
    """Our mark of this fact, hexadecimal: the same for every try of it, and of no other fact of any order."""
    told = f"{change.key.listing}\n{change.key.place}\n{change.after['their']}"
    return hashlib.sha256(told.encode()).hexdigest()[:MARK_CHARS]


def named_mark(change: Change) -> str:
    """The mark as people may read it in an order: `Samklang 0a1b2c3d4e`."""
    return f"Samklang {mark(change)}"


def whole_parts(said: Mapping[str, Plain], least: int = 1) -> dict[str, int] | None:
    """Whole pieces by line of a fact's `parts`; None where a part of a piece is asked for, or fewer than `least`.

    With `least` 0 parts without pieces (money alone) are left out.
    """
    parts: dict[str, int] = {}
    for part in said.get("parts") or []:
        whole, rest = divmod(int(part.get("quantity") or 0), THOUSAND)
        if rest or whole < least:
            return None
        if whole:
            parts[str(part["line"])] = parts.get(str(part["line"]), 0) + whole
    return parts


def strange_line(parts: Mapping[str, int], own: Container[str]) -> str:
    """The first line that is none of the order's `own`, "" when all are: some platforms would ship a line of anybody's."""
    return next((line for line in parts if line not in own), "")
