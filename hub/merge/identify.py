"""Identify: which item is this listing? By exact SKU where that is unambiguous, otherwise by a person; never by guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.canonical.item import barcode14
from hub.canonical.json import write_json
from hub.canonical.values import Plain

AMBIGUOUS: Final = "ambiguous"
"""The state of a listing that a person must bind: more than one item or listing has its SKU."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a listing: its item ("" when none), state, SKU, references, and the sweep that last listed it."""

    item: str = ""
    state: str = ""
    sku: str = ""
    refs: str = "{}"
    factor: int = 1
    made_by: str = ""
    made_at: int = 0
    sweep: int = 0
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to be made or whose attributes changed."""

    item: str
    sku: str
    barcode: str
    title: str
    category: str
    kind: str


@dataclass(slots=True)
class Identified:
    """The result: bindings to keep by (channel, listing), items to keep, items touched, and what a person must look at."""

    bindings: dict[tuple[str, str], Known] = field(default_factory=dict)
    items: dict[str, NewItem] = field(default_factory=dict)
    dirty_items: set[str] = field(default_factory=set)
    letters: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    """(channel, listing, path, value, reason)"""
    bound: set[tuple[str, str]] = field(default_factory=set)
    """The listings that were told of and are bound to an item, be it as before."""
    rivals: set[tuple[str, str]] = field(default_factory=set)
    """Listings whose SKU another one on their channel has since just now: perhaps they are gone."""
    left: set[tuple[str, str]] = field(default_factory=set)
    """Listings of items that call themselves gone since just now: perhaps what says so is old."""


class Identify:
    """One run over the item records of a batch: knows the bindings, items and SKUs that the batch touches."""

    def __init__(
        self,
        known: Mapping[tuple[str, str], Known],
        items_by_sku: Mapping[str, Sequence[str]],
        bound_by_sku: Mapping[str, Sequence[tuple[str, str]]],
        *,
        item_channels: Sequence[str],
        items_heard: bool,
        bind_by_sku: Callable[[str], bool],
        new_id: Callable[[], str],
        now: int,
    ) -> None:
        self._known = dict(known)
        self._items = {sku: list(found) for sku, found in items_by_sku.items()}
        self._bound = {sku: set(found) for sku, found in bound_by_sku.items()}
        self._item_channels = frozenset(item_channels)
        self._items_heard = items_heard
        self._bind_by_sku = bind_by_sku
        self._new_id = new_id
        self._now = now
        self.result = Identified()

    def record(self, channel: str, record: Mapping[str, Plain], sweep: int) -> str:
        """Take one item record; gives the item's id, "" when the listing is bound to none."""
        listing = str(record["listing"])
        old = self._known.get((channel, listing), Known())
        sku = str(record.get("sku") or "")
        refs = write_json(record.get("refs") or {})
        state, item, made_by = old.state, old.item, old.made_by
        if record.get("state") == "gone":
            state = "gone" if old.item else "unbound"
            if old.item and old.state != "gone":
                self.result.left.add((channel, listing))
        elif old.item and old.state in ("bound", "gone"):
            state = "bound"
        elif old.state != "ignored":
            state, item, made_by = self._bind(channel, listing, sku, old.state)
        barcode = (barcode14(str(record["barcode"])) or "") if record.get("barcode") is not None else old.barcode
        made_at, listed = old.made_at or self._now, max(sweep, old.sweep)
        new = Known(item, state, sku or old.sku, refs, old.factor, made_by, made_at, listed, barcode)
        self._keep(channel, listing, old, new)
        if item and state == "bound" and channel in self._item_channels:
            self._describe(item, record, new.sku, old.sku)
        if state != "bound":
            return ""
        self.result.bound.add((channel, listing))
        return item

    def _bind(self, channel: str, listing: str, sku: str, before: str) -> tuple[str, str, str]:
        if not sku:
            self.result.letters.append((channel, listing, "sku", "", "this listing has no SKU: bind it by hand"))
            return "unbound", "", ""
        others = {key for key in self._bound.get(sku, ()) if key[0] == channel and key[1] != listing}
        if others:
            rivals = ", ".join(sorted(key[1] for key in others))
            self.result.rivals |= others if before != AMBIGUOUS else set()
            self.result.letters.append(
                (
                    channel,
                    listing,
                    "sku",
                    sku,
                    f"another listing on this channel has the same SKU ({rivals}): bind it by hand",
                )
            )
            return AMBIGUOUS, "", ""
        found = self._items.get(sku, [])
        if len(found) > 1:
            self.result.letters.append((channel, listing, "sku", sku, f"{len(found)} items have this SKU: bind it by hand"))
            return AMBIGUOUS, "", ""
        if len(found) == 1:
            if not self._bind_by_sku(channel):
                return "unbound", "", ""
            return "bound", found[0], "sku"
        if channel not in self._item_channels:
            if self._items_heard:
                self.result.letters.append((channel, listing, "sku", sku, "no item has this SKU"))
            return "unbound", "", ""
        item = self._new_id()
        self._items[sku] = [item]
        return "bound", item, "authority"

    def _describe(self, item: str, record: Mapping[str, Plain], sku: str, former: str) -> None:
        if former and former != sku and item in self._items.get(former, ()):
            self._items[former].remove(item)
        if sku and item not in self._items.setdefault(sku, []):
            self._items[sku].append(item)
        self.result.items[item] = NewItem(
            item,
            sku,
            barcode14(str(record.get("barcode") or "")) or "",
            str(record.get("title") or "")[:200],
            str(record.get("category") or ""),
            str(record.get("kind") or "stocked"),
        )

    def _keep(self, channel: str, listing: str, old: Known, new: Known) -> None:
        self._known[(channel, listing)] = new
        if old.sku != new.sku:
            self._bound.get(old.sku, set()).discard((channel, listing))
        if new.sku:
            self._bound.setdefault(new.sku, set()).add((channel, listing))
        if new != old:
            self.result.bindings[(channel, listing)] = new
            if (new.item, new.state, new.refs, new.factor) != (old.item, old.state, old.refs, old.factor):
                self.result.dirty_items.update(each for each in (new.item, old.item) if each)
