"""Planted liars: connectors that break one rule each. The suite must catch every one, and name the rule."""

from __future__ import annotations

from liars import deliveries, facts, failures, manifest, mapping, orders, reading, secrecy, writing
from liars.liar import Liar

LIARS: tuple[Liar, ...] = tuple(
    liar for topic in (manifest, mapping, reading, writing, deliveries, failures, secrecy, orders, facts) for liar in topic.LIARS
)
