"""Bugs in what becomes of goods that the warehouse sends to a store."""

from __future__ import annotations

from planted.plant import Mutant

MUTANTS = (
    Mutant(
        "what arrives at a store is taken for known there",
        "hub/moved.py",
        "if not channel.heard_about(ENTITY, heard):",
        "if True:",
        ("shown is true",),
        "supplied",
    ),
    Mutant(
        "what has left counts as arrived",
        "hub/desired/movement.py",
        'part["received"] - part["came_before"]',
        'part["dispatched"] - part["came_before"]',
        ("shown is true",),
        "supplied",
    ),
)
