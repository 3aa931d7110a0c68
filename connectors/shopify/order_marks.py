"""Our marks in an order: by them a fact that was told is found again, whatever answers were lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.sdk.api import Change, Plain, mark

ATTRIBUTE: Final = "Samklang"
"""How the keys of our order attributes begin."""
REFERENCE_TAG: Final = "samklang:"
"""A tag of this form carries our number of an order (a till's receipt for an order of the hub's)."""


def attribute(change: Change) -> str:
    """The key of the order attribute that a fact leaves."""
    return f"{ATTRIBUTE} {str(change.after['fact']).replace('_', ' ')} {mark(change)}"


def reference_in(tags: Sequence[str], attributes: Plain) -> str:
    """Our number of the order, where its record carries one."""
    tagged = [tag[len(REFERENCE_TAG) :].strip() for tag in tags if tag.startswith(REFERENCE_TAG)]
    named = [str(one["value"] or "") for one in attributes if one["key"] == f"{ATTRIBUTE} number"]
    return next(iter([*tagged, *named]), "")
