"""Reading products with their variations, which no list of products shows: one more request for each variable product.

A look-up asks for many at once, and singly only for what that list cannot show: variations of unknown parents, and the trash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from connectors.woocommerce.item_records import FIELDS, has_variations, record_of_variation, records_of
from connectors.woocommerce.shop_api import Row, ShopApi
from connectors.woocommerce.windows import PER_PAGE_MAX, Place, Windows
from hub.sdk.api import ChannelContext, Page, ReadAsk, UnavailableError, body_json

CALLS_PER_PAGE_MAX: Final = 20
"""Requests for variations in one page: a slow shop must not keep more urgent work waiting."""
RECORDS_MAX: Final = 2_000
VARIATION_PAGES_MAX: Final = 50
PARENTS_KEPT_MAX: Final = 200_000
ONE: Final = {"_fields": ",".join(FIELDS)}
ASKED: Final = {**ONE, "status": "any"}


class ItemReader:
    """Reads the items of one shop."""

    def __init__(self, api: ShopApi, context: ChannelContext, overlap_seconds: int) -> None:
        self._api = api
        self._channel = context.channel
        self._windows = Windows(api, context, "products", FIELDS, overlap_seconds)
        self._parents: dict[str, str] = {}
        """Variation → its product, as far as they were seen: saves a request for each when they are looked up."""

    def read(self, ask: ReadAsk) -> Page:
        """The next products and all variations of those that have some."""
        place = Place.from_cursor(ask.cursor, full=ask.full)
        stretch = self._windows.stretch(place, ask.page_max, "read items")
        records: list[Row] = []
        done = calls = 0
        for product in stretch.rows:
            if done and (calls >= CALLS_PER_PAGE_MAX or len(records) >= RECORDS_MAX):
                break
            records += records_of(product)
            if has_variations(product):
                variations, pages = self._variations(product, "read items")
                records += variations
                calls += pages
            done += 1
        following, more = self._windows.after(stretch, done, ask.page_max)
        return Page(body_json({"items": records}), following.cursor(), more)

    def look_up(self, ids: Sequence[str]) -> Page:
        """These listings as they are now; a variable product stands for all its variations."""
        asked = [one for one in dict.fromkeys(ids) if one.isascii() and one.isdigit()]
        gone = [one for one in ids if one not in asked]
        found = self._products(asked)
        records: list[Row] = []
        for product in found.values():
            records += records_of(product)
            if has_variations(product):
                records += self._variations(product, "look up items")[0]
        missing = [one for one in asked if one not in found]
        singly: dict[str, Row] = {}
        for ident in [one for one in missing if one not in self._parents]:
            single = self._api.one(f"products/{ident}", ONE, "look up items")
            if single is None:
                gone.append(ident)
            else:
                singly[ident] = single
                self._remember(ident, single)
        records += self._of_variations(missing, singly, gone)
        told = {str(record["product"]["id"]): record for record in records}
        return Page(body_json({"items": list(told.values())}), "", False, gone=tuple(gone))

    def _of_variations(self, missing: Sequence[str], singly: dict[str, Row], gone: list[str]) -> list[Row]:
        """Records of what the list of products does not show: variations by their parents, the trash as it is."""
        records = [one for row in singly.values() if row.get("type") != "variation" for one in records_of(row)]
        by_parent: dict[str, list[str]] = {}
        for ident in missing:
            if ident in self._parents and (ident not in singly or singly[ident].get("type") == "variation"):
                by_parent.setdefault(self._parents[ident], []).append(ident)
        above = self._products(list(by_parent))
        for parent, children in by_parent.items():
            known = [child for child in children if child not in singly]
            rows = {child: singly[child] for child in children if child in singly}
            if known:
                query = {**ASKED, "include": ",".join(known), "per_page": str(PER_PAGE_MAX)}
                listed = self._api.list(f"products/{parent}/variations", query, "look up items").rows if parent in above else []
                rows.update({str(row["id"]): row for row in listed})
            for child in children:
                row = rows.get(child) or self._api.one(f"products/{child}", ONE, "look up items")
                if row is None:
                    self._parents.pop(child, None)
                    gone.append(child)
                else:
                    records.append(record_of_variation({**row, "parent_id": int(parent)}, above.get(parent)))
        return records

    def _products(self, ids: Sequence[str]) -> dict[str, Row]:
        """Those of these ids that are products outside the trash, by id."""
        found: dict[str, Row] = {}
        for start in range(0, len(ids), PER_PAGE_MAX):
            some = ids[start : start + PER_PAGE_MAX]
            query = {**ASKED, "include": ",".join(some), "per_page": str(PER_PAGE_MAX), "orderby": "id", "order": "asc"}
            rows = self._api.list("products", query, "look up items").rows
            found.update({str(row["id"]): row for row in rows if str(row.get("id")) in some})
        return found

    def _variations(self, product: Row, operation: str) -> tuple[list[Row], int]:
        """All variations of a product, and how many requests that took."""
        found: dict[str, Row] = {}
        for page in range(1, VARIATION_PAGES_MAX + 1):
            query = {**ASKED, "per_page": str(PER_PAGE_MAX), "page": str(page), "orderby": "id", "order": "asc"}
            listing = self._api.list(f"products/{product['id']}/variations", query, operation)
            found.update({str(row["id"]): row for row in listing.rows})
            whole = len(listing.rows) < PER_PAGE_MAX if listing.total is None else len(found) >= listing.total
            if whole:
                self._remember_all(str(product["id"]), found)
                return [record_of_variation({**row, "parent_id": product["id"]}, product) for row in found.values()], page
            if not listing.rows:
                break
        words = f"the variations of {product['id']} do not come to an end, or to their count"
        raise UnavailableError(words, channel=self._channel, operation=operation)

    def _remember(self, ident: str, row: Row) -> None:
        if row.get("type") == "variation" and row.get("parent_id"):
            self._remember_all(str(row["parent_id"]), [ident])

    def _remember_all(self, parent: str, children: Iterable[str]) -> None:
        if len(self._parents) >= PARENTS_KEPT_MAX:
            self._parents.clear()
        self._parents.update(dict.fromkeys(children, parent))
