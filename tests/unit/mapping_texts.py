"""Mappings written in tests: from YAML text to a compiled mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import Any

from hub.canonical.entities import ENTITIES
from hub.canonical.entity import Entity
from hub.files import parse_yaml
from hub.mapping.documents import document
from hub.mapping.mapping import CompiledMapping


def compiled(
    text: str,
    *,
    entity: Entity | None = None,
    settings: Mapping[str, str] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> CompiledMapping:
    """The mapping that this YAML text is."""
    spoken = document(parse_yaml(dedent(text), "test.yaml"))
    known = functions or {}
    return CompiledMapping(spoken, entity or ENTITIES[spoken.maps], settings, lambda name, where: known[name])


def stock(fields: str = "", more: str = "", **settings: Any) -> CompiledMapping:
    """A stock mapping with a listing, a figure and these further lines."""
    return compiled(
        "maps: stock\nconnector: made\nidentity: id\nfields:\n  listing: {from: id, as: text}\n"
        + ("" if "on_hand:" in fields else "  on_hand: {const: '1'}\n")
        + "".join(f"  {line}\n" for line in dedent(fields).strip().splitlines() if line)
        + dedent(more),
        **settings,
    )
