"""A stock record: one channel's figure for one listing at one of its places, and what the figure contains."""

from __future__ import annotations

from typing import Final

from hub.canonical.entity import Entity, Field, Kind

STOCK: Final = Entity(
    "stock",
    {
        "listing": Field(Kind.TEXT, required=True),
        "place": Field(Kind.TEXT),
        "on_hand": Field(Kind.QUANTITY, required=True),
        "own_open": Field(Kind.QUANTITY),
        "sku": Field(Kind.TEXT),
        "refs": Field(Kind.TEXTS),
        "version": Field(Kind.WHOLE),
        "as_of": Field(Kind.TIME),
    },
)
"""`place` is the channel's own id of the location ("" where it has only one pool); `on_hand` the raw figure as the channel
writes it; `own_open` the part of it that the channel's own open orders will still take (sellable = on_hand - own_open)."""
