"""A movement record: goods on their way between two places of one system, as that system tells it."""

from __future__ import annotations

from typing import Final

from hub.canonical.entity import Entity, Field, Kind, words

MOVEMENT_KINDS: Final = ("transfer", "receipt")
"""Between two places of ours; or in from outside (a purchase), with no `from`."""
MOVEMENT_STATES: Final = ("planned", "dispatched", "received", "cancelled")

MOVED_PART: Final = {
    "part": Field(Kind.TEXT, required=True),
    "listing": Field(Kind.TEXT),
    "sku": Field(Kind.TEXT),
    "planned": Field(Kind.QUANTITY),
    "dispatched": Field(Kind.QUANTITY),
    "received": Field(Kind.QUANTITY),
}
"""One line of it; the three quantities are running sums, each possibly partial."""

MOVEMENT: Final = Entity(
    "movement",
    {
        "movement": Field(Kind.TEXT, required=True),
        "number": Field(Kind.TEXT),
        "kind": words(*MOVEMENT_KINDS, required=True),
        "state": words(*MOVEMENT_STATES),
        "from": Field(Kind.TEXT),
        "to": Field(Kind.TEXT),
        "document": Field(Kind.TEXT),
        "at": Field(Kind.TIME),
        "parts": Field(Kind.ROWS, required=True, rows=MOVED_PART),
        "version": Field(Kind.WHOLE),
        "as_of": Field(Kind.TIME),
    },
)
"""`from` and `to` are their own place ids; `document` what it belongs to on paper; `state` only informs, the quantities count."""
