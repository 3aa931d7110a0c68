"""Which listing is which item? What is bound, what could be, and what a person must say; nothing is bound here.

The same SKU and a barcode that is unique on both sides are proposals; SKUs that differ by case, spaces or leading zeros only
look alike and are suggestions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from hub.canonical.item import sku_suggestion_key
from hub.merge.authority import Authority
from hub.settings.model import Config
from hub.store import catalogue, first_looks
from hub.store.catalogue import Binding
from hub.store.database import Tx

SET: Final = 2_000
"""Listings and items that are looked at together."""
LISTED_MAX: Final = 1_000
"""Rows of one kind that a report names; all are counted."""
LOOKALIKES_MAX: Final = 50_000
"""Listings without an item that are compared by look; what goes beyond is said."""
CANDIDATES_MAX: Final = 5
Row = TypeVar("Row")


class Proposal(NamedTuple):
    """A listing and the item that it may be: `why` is sku, barcode or looks alike; of the last there may be several."""

    listing: str
    sku: str
    why: str
    items: tuple[tuple[str, str], ...]
    """(item, SKU)"""


@dataclass(slots=True)
class Matching:
    """One channel: how many listings are `matched` (by whom), and what is left, counted by kind and named up to a limit."""

    channel: str
    names_items: bool
    """Whether this channel says which items there are: what it lists is the list."""
    matched: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    """sku, barcode, looks alike (proposals), ambiguous, missing, without SKU, duplicate SKU, not listed"""
    proposals: list[Proposal] = field(default_factory=list)
    ambiguous: list[tuple[str, str]] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    without_sku: list[str] = field(default_factory=list)
    duplicates: list[tuple[str, int]] = field(default_factory=list)
    not_listed: list[str] = field(default_factory=list)

    def count(self, kind: str, number: int = 1) -> None:
        """Count so many of a kind."""
        self.counts[kind] = self.counts.get(kind, 0) + number


def matching(tx: Tx, config: Config, authority: Authority, only: str | None = None) -> list[Matching]:
    """The matching of every channel (or of one)."""
    names = [name for name in sorted(config.channels) if only in (None, name)]
    alike = _lookalikes(tx, _wanted(tx, names))
    return [_channel(tx, name, name in authority.naming_channels, alike) for name in names]


def all_bindings(tx: Tx, channel: str) -> Iterator[list[Binding]]:
    """The bindings of a channel in sets."""
    after = ""
    while some := first_looks.bindings_after(tx, channel, after, SET):
        yield some
        after = some[-1].listing


def _channel(tx: Tx, name: str, names_items: bool, alike: Mapping[str, list[tuple[str, str]]]) -> Matching:
    found = Matching(name, names_items)
    doubled = first_looks.doubled_barcodes(tx, name)
    for some in all_bindings(tx, name):
        open_ones = [each for each in some if each.state != "bound"]
        by_sku = catalogue.items_by_sku(tx, {each.sku for each in open_ones})
        by_code = first_looks.items_by_barcode(tx, {each.barcode for each in open_ones} - doubled)
        for each in some:
            if each.state == "bound":
                found.matched[each.made_by or "person"] = found.matched.get(each.made_by or "person", 0) + 1
                continue
            same = [(item.item, item.sku) for item in by_sku.get(each.sku, [])]
            _judge(found, each, same, by_code.get(each.barcode, []), alike)
    found.duplicates = first_looks.doubled_skus(tx, name, LISTED_MAX)
    if found.duplicates:
        found.count("duplicate SKU", len(found.duplicates))
    if not names_items:
        number, found.not_listed = first_looks.unlisted_items(tx, name, LISTED_MAX)
        if number:
            found.count("not listed", number)
    return found


def _judge(
    found: Matching,
    each: Binding,
    same: list[tuple[str, str]],
    coded: list[tuple[str, str]],
    alike: Mapping[str, list[tuple[str, str]]],
) -> None:
    """Put a listing without an item where it belongs: the strongest evidence first."""
    if each.state == "ambiguous" or len(same) > 1:
        found.count("ambiguous")
        _name(found.ambiguous, (each.listing, each.sku))
        return
    if len(same) == 1:
        _propose(found, each, "sku", same)
        return
    if len(coded) == 1:
        _propose(found, each, "barcode", coded)
        return
    similar = alike.get(sku_suggestion_key(each.sku), []) if each.sku else []
    if similar:
        _propose(found, each, "looks alike", similar)
    elif not each.sku:
        found.count("without SKU")
        _name(found.without_sku, each.listing)
    else:
        found.count("missing")
        _name(found.missing, (each.listing, each.sku))


def _propose(found: Matching, each: Binding, why: str, items: list[tuple[str, str]]) -> None:
    found.count(why)
    _name(found.proposals, Proposal(each.listing, each.sku, why, tuple(items[:CANDIDATES_MAX])))


def _name(rows: list[Row], row: Row) -> None:
    if len(rows) < LISTED_MAX:
        rows.append(row)


def _wanted(tx: Tx, names: list[str]) -> dict[str, list[tuple[str, str]]]:
    """The looks of the SKUs that no item has exactly."""
    wanted: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        for some in all_bindings(tx, name):
            for each in some:
                key = sku_suggestion_key(each.sku) if each.sku and each.state == "unbound" else ""
                if key and len(wanted) < LOOKALIKES_MAX:
                    wanted.setdefault(key, [])
    return wanted


def _lookalikes(tx: Tx, wanted: dict[str, list[tuple[str, str]]]) -> dict[str, list[tuple[str, str]]]:
    """Items under the looks that are wanted; nothing is kept of all others."""
    after = ""
    while wanted and (some := first_looks.items_after(tx, after, SET)):
        for item, sku, _ in some:
            there = wanted.get(sku_suggestion_key(sku)) if sku else None
            if there is not None and len(there) < CANDIDATES_MAX:
                there.append((item, sku))
        after = some[-1][0]
    return wanted
