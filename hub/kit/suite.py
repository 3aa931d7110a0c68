"""The suite: every rule in its order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from hub.kit import (
    deliveries,
    failures,
    manifest,
    mapping,
    movements,
    orders_facts,
    orders_placed,
    orders_secrecy,
    orders_told,
    reading,
    secrecy,
    specification,
    writing,
)
from hub.kit.subject import Subject
from hub.kit.verdict import Rule, Verdict, judge, rule_name
from hub.sdk.registry import Registry

_ITEMS: Final = (manifest, mapping, reading, writing, deliveries, failures, secrecy, specification)
_ORDERS: Final = (orders_told, orders_placed, orders_facts, orders_secrecy, movements)
_TOPICS: Final = (*_ITEMS, *_ORDERS)
RULES: Final[tuple[Rule, ...]] = tuple(rule for topic in _TOPICS for rule in topic.RULES)


def run(
    registry: Registry,
    name: str,
    specification_file: Path | None = None,
    *,
    mappings: Sequence[Path] = (),
    only: Collection[str] = (),
) -> Iterator[Verdict]:
    """The verdict of each rule on this connector, one after the other; `only` names the rules wanted (empty: all).

    `mappings` are folders of mappings besides the shipped ones, `specification_file` is the platform's published one.
    """
    subject = Subject(registry, name, tuple(mappings), specification_file)
    for rule in RULES:
        if not only or rule_name(rule) in only:
            yield judge(rule, subject)


def rule_names() -> list[str]:
    """Every rule's name, in the order in which they are tried."""
    return [rule_name(rule) for rule in RULES]
