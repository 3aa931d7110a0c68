"""What is never divided, however scarce: goods at a counter, bundles, and what bundles are made of."""

from __future__ import annotations

from typing import Final

from hub.settings.model import Config

COUNTER_ROLE: Final = "pos"


def counters(config: Config) -> dict[str, str]:
    """Place → the channel that is right about its stock and sells it itself: a till, of which nobody can ask to show less."""
    return {
        place: entry.channel
        for entry in config.authority.stock
        for place in entry.covers
        if (owner := config.channels.get(entry.channel)) and (owner.role == COUNTER_ROLE or place in owner.sells_from)
    }


def bundled(config: Config) -> frozenset[str]:
    """The SKUs of virtual bundles and of their components."""
    parts = {part.sku for parts in config.allocation.bundles.values() for part in parts}
    return frozenset(parts | config.allocation.bundles.keys())
