"""Which goods the lines of an order are, though the shop has deleted their product since.

Some shops tell an order by the products that there are: once one is deleted for good, its lines come without their listing,
some without their SKU too, as if somebody had typed them. What was bought stays what was bought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hub.canonical.values import Plain
from hub.store import catalogue
from hub.store.database import Tx
from hub.store.orders import OrderBinding

NAMES: Final = ("listing", "sku", "kind")
TYPED: Final = ("stocked", "custom")
"""How a line that names no listing may be told."""


def recognised(
    tx: Tx, said: Sequence[tuple[str, dict[str, Plain]]], known: Mapping[tuple[str, str], OrderBinding]
) -> list[dict[str, Plain]]:
    """These records of orders, each with its channel, with the goods of every line that is known: by what was said of it before,
    else by its SKU, which a listing of the same channel has or had. `known` is what was said before, by (channel, their id)."""
    skus = {str(line["sku"]) for _, record in said for line in record["lines"] if _is_bare(line) and line.get("sku")}
    had = _had(tx, skus)
    before = {key: _by_line(binding.value) for key, binding in known.items()}
    found = []
    for channel, record in said:
        was = before.setdefault((channel, str(record["order"])), {})
        if any(_is_bare(line) for line in record["lines"]):
            lines = [_recognise(line, was.get(str(line["line"]), {}), channel, had) for line in record["lines"]]
            record = {**record, "lines": lines}
        was.update(_by_line(record))
        found.append(record)
    return found


def _recognise(
    line: dict[str, Plain], was: Mapping[str, Plain], channel: str, had: Mapping[tuple[str, str], set[str]]
) -> dict[str, Plain]:
    if not _is_bare(line):
        return line
    if was.get("listing"):
        return {**line, **{name: was[name] for name in NAMES if was.get(name)}}
    listings = had.get((channel, str(line.get("sku") or "")), set())
    return {**line, "listing": next(iter(listings)), "kind": "stocked"} if len(listings) == 1 else line


def _is_bare(line: Mapping[str, Plain]) -> bool:
    return not line.get("listing") and str(line.get("kind") or "stocked") in TYPED


def _had(tx: Tx, skus: set[str]) -> dict[tuple[str, str], set[str]]:
    """(channel, SKU) → the listings that have it and are items, or were; those that are there go before those that were."""
    rows = [each for each in catalogue.bindings_by_sku(tx, skus) if each.item] if skus else []
    there: dict[tuple[str, str], set[str]] = {}
    gone: dict[tuple[str, str], set[str]] = {}
    for each in rows:
        (gone if each.state == "gone" else there).setdefault((each.channel, each.sku), set()).add(each.listing)
    return {**gone, **there}


def _by_line(record: Mapping[str, Plain]) -> dict[str, Mapping[str, Plain]]:
    return {str(line["line"]): line for line in record["lines"] if line.get("listing")}
