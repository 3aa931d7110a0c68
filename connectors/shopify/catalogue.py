"""Reading variants with their prices, and stock levels: by pages, in bulk where the catalogue is large, or singly by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Never

from connectors.shopify.admin_api import AdminApi, Answer
from connectors.shopify.bulk import Bulk, bulk_from
from connectors.shopify.documents import (
    ITEMS_IN_BULK,
    LEVELS_IN_BULK,
    LOCATIONS,
    LOOK_UP_ITEMS,
    LOOK_UP_LEVELS,
    LOOK_UP_STOCK,
    MARKET,
    READ_ITEMS,
    READ_LEVELS,
    SHOP,
)
from connectors.shopify.gids import gid, is_id, kind_of, number
from connectors.shopify.reading import Reading
from hub.sdk.api import Page, Plain, ReadAsk, UnavailableError, body_json

LOCATIONS_MAX: Final = 200
"""As many locations as a shop may have."""
MARKET_ITEMS_MAX: Final = 80
"""Variants in one answer where each also carries what a market's customers pay: more would cost above the limit."""
NO_COUNTRY: Final = "ZZ"
"""Shopify's own code of an unknown region: what is asked for where the channel is no market's."""

Row = dict[str, Plain]


@dataclass(frozen=True, slots=True)
class Terms:
    """In what the channel's prices are said: those of the shop, or of the market whose price list this channel is."""

    currency: str
    tax: str
    price_list: str


class Catalogue:
    """The catalogue of one shop, as one channel sees it."""

    def __init__(self, api: AdminApi, overlaps: dict[str, int]) -> None:
        settings = api.context.settings
        self._api = api
        self._overlaps = overlaps
        self.price_list = settings.get("price_list", "")
        country = settings.get("market_country", "")
        self._market: Row = {"market": bool(self.price_list and country), "country": country or NO_COUNTRY}
        self._bulk = Bulk(api, bulk_from(settings.get("bulk_from", "")))
        self._terms: Terms | None = None
        self._places: tuple[str, ...] = ()

    # terms

    def terms(self, *, fresh: bool = False) -> Terms:
        """Currency and tax of the prices; asked for once, and again when `fresh`."""
        if self._terms is None or fresh:
            shop = self._api.ask("read the shop", SHOP, {}).told.get("shop") or {}
            currency = str(shop.get("currencyCode") or "")
            if self._market["market"]:
                said = self._api.ask("read the price list", MARKET, {"list": gid("PriceList", self.price_list)}).told
                currency = str((said.get("priceList") or {}).get("currency") or "")
            if not currency or "taxesIncluded" not in shop:
                self._unavailable("read the shop", "it says neither currency nor taxes")
            self._terms = Terms(currency, "included" if shop["taxesIncluded"] else "excluded", self.price_list)
        return self._terms

    def places(self) -> tuple[str, ...]:
        """The locations whose stock is read: the one that shows it all, else those of the channel, else all that are active."""
        pool = self._api.context.settings.get("stock_location", "")
        configured = [pool] if pool else sorted(set(self._api.context.places.values()))
        if configured:
            return tuple(configured)
        if not self._places:
            said = self._api.ask("read the locations", LOCATIONS, {"first": LOCATIONS_MAX}).told.get("locations") or {}
            self._places = tuple(number(one["id"]) for one in said.get("nodes") or [])
        return self._places

    # items

    def read_items(self, ask: ReadAsk) -> Page:
        """The next variants; a poll asks for those changed since."""
        reading = Reading.from_cursor(ask.cursor, full=ask.full)
        terms = self.terms()
        # What a market's customers pay is no part of a bulk file.
        if not reading.under_way and reading.since is None and not self._market["market"]:
            reading = self._bulk.begun(reading, ITEMS_IN_BULK)
        if reading.bulk:
            part = self._bulk.part(reading)
            if part is not None:
                rows = [item_record(line, terms) for line in part.lines]
                return self._page("items", {"variants": rows}, part.reading, not part.over)
            reading = Reading(since=reading.since)
        first = min(ask.page_max, MARKET_ITEMS_MAX) if self._market["market"] else ask.page_max
        asked = {"first": first, "after": reading.page or None, "query": reading.query, **self._market}
        answer = self._api.ask("read items", READ_ITEMS, asked)
        listing = self._connection(answer.told.get("productVariants"), "read items")
        rows = [item_record(node, terms) for node in listing["nodes"]]
        after = replace(reading.opened(answer.at), page=_next(listing))
        return self._page("items", {"variants": rows}, after, bool(after.page))

    def look_up_items(self, ids: Sequence[str]) -> Page:
        """These variants as they are now; deleted and unknown ones are gone."""
        found, gone = self._nodes("look up items", LOOK_UP_ITEMS, "ProductVariant", ids, self._market)
        terms = self.terms()
        return Page(body_json({"variants": [item_record(node, terms) for node in found]}), "", False, gone=gone)

    # stock

    def read_stock(self, ask: ReadAsk) -> Page:
        """The next stock levels, location by location; a poll asks for those changed since."""
        reading = Reading.from_cursor(ask.cursor, full=ask.full)
        if not reading.under_way and reading.since is None:
            reading = self._bulk.begun(reading, LEVELS_IN_BULK)
        if reading.bulk:
            part = self._bulk.part(reading)
            if part is not None:
                wanted = {gid("Location", place) for place in self.places()}
                # Lines of variants themselves only say whose the following levels are; a level names it too.
                rows = [level_record(line, line["__parentId"], line["item"]) for line in part.lines if "__parentId" in line]
                rows = [row for row in rows if row["location"] in wanted]
                return self._page("stock", {"levels": rows}, part.reading, not part.over)
            reading = Reading(since=reading.since)
        if not reading.places:
            reading = replace(reading, places=self.places())
        if not reading.places:
            return self._page("stock", {"levels": []}, reading.opened(None), False)
        place = gid("Location", reading.places[0])
        asked = {"location": place, "first": ask.page_max, "after": reading.page or None, "query": reading.query}
        answer = self._api.ask("read stock", READ_LEVELS, asked)
        if "location" not in answer.told:
            self._unavailable("read stock", "the answer names no location")
        # A location that was deleted has no stock any more.
        location = answer.told["location"] or {"inventoryLevels": {"nodes": [], "pageInfo": {"hasNextPage": False}}}
        listing = self._connection(location.get("inventoryLevels"), "read stock")
        rows = [row for node in listing["nodes"] for row in level_records({**node, "location": {"id": place}})]
        after, page = reading.opened(answer.at), _next(listing)
        after = replace(after, page=page, places=after.places if page else after.places[1:])
        return self._page("stock", {"levels": rows}, after, bool(after.places))

    def look_up_stock(self, ids: Sequence[str]) -> Page:
        """The levels of these variants (or these levels themselves, as deliveries name them) as they are now."""
        levels = [one for one in ids if kind_of(one) == "InventoryLevel"]
        variants = [one for one in ids if kind_of(one) != "InventoryLevel"]
        rows: list[Row] = []
        missing: tuple[str, ...] = ()
        if levels:
            found, missing = self._nodes("look up stock", LOOK_UP_LEVELS, "InventoryLevel", levels)
            rows += [row for node in found for row in level_records(node)]
        gone: tuple[str, ...] = ()
        for place in self.places() if variants else ():
            location = gid("Location", place)
            found, gone = self._nodes("look up stock", LOOK_UP_STOCK, "ProductVariant", variants, {"location": location})
            for node in found:
                item = node["inventoryItem"]
                if item["inventoryLevel"] is not None:
                    rows.append(level_record({**item["inventoryLevel"], "location": {"id": location}}, node["id"], item))
        return Page(body_json({"levels": rows}), "", False, gone=(*gone, *missing))

    # shared

    def _nodes(
        self, operation: str, document: str, kind: str, ids: Sequence[str], also: Row | None = None
    ) -> tuple[list[Row], tuple[str, ...]]:
        """The nodes of these ids that are there, and the ids (as asked, and as numbers) that are not."""
        asked = sorted({one for one in ids if is_id(one)})
        gone = {one for one in ids if not is_id(one)}
        found: list[Row] = []
        for start in range(0, len(asked), MARKET_ITEMS_MAX):
            part = asked[start : start + MARKET_ITEMS_MAX]
            answer = self._api.ask(operation, document, {"ids": [gid(kind, one) for one in part], **(also or {})})
            nodes = answer.told.get("nodes")
            if not isinstance(nodes, list) or len(nodes) != len(part):
                self._unavailable(operation, "the answer does not list what was asked for")
            for one, node in zip(part, nodes, strict=True):
                if node is None:
                    gone |= {one, number(one)} if kind == "ProductVariant" else {one}
                elif node["__typename"] == kind:
                    found.append(node)
        return found, tuple(sorted(gone))

    def _page(self, stream: str, body: Row, reading: Reading, more: bool) -> Page:
        cursor = reading.cursor() if more else reading.closed(self._overlaps[stream]).cursor()
        return Page(body_json(body), cursor, more)

    def _connection(self, found: Plain, operation: str) -> Row:
        if not isinstance(found, dict) or not isinstance(found.get("nodes"), list) or "pageInfo" not in found:
            self._unavailable(operation, "the answer holds no listing")
        return dict(found)

    def _unavailable(self, operation: str, words: str) -> Never:
        raise UnavailableError(words, channel=self._api.context.channel, operation=operation)


def item_record(node: Row, terms: Terms) -> Row:
    """A variant with the price that this channel's customers are shown, its currency and whether tax is in it."""
    market = node.get("contextualPricing")
    shown = {"amount": node["price"], "reference": node["compareAtPrice"], "currency": terms.currency}
    if market:
        before = market["compareAtPrice"]
        price = market["price"]
        shown = {
            "amount": price["amount"],
            "reference": before["amount"] if before else None,
            "currency": price["currencyCode"],
        }
    kept = {name: value for name, value in node.items() if name not in ("__typename", "contextualPricing")}
    return {**kept, "shown": {**shown, "tax": terms.tax, "list": number(terms.price_list) if market else ""}}


def level_records(node: Row) -> list[Row]:
    """A level once for each variant that its inventory item belongs to."""
    return [level_record(node, one["id"], node["item"]) for one in node["item"]["variants"]["nodes"]]


def level_record(level: Row, variant: str, item: Row) -> Row:
    """What may be bought of a variant at a location."""
    available = next((one["quantity"] for one in level["quantities"] if one["name"] == "available"), None)
    return {
        "variant": variant,
        "sku": item["sku"],
        "item": item["id"],
        "tracked": item["tracked"],
        "location": level["location"]["id"],
        "isActive": level["isActive"],
        "available": available,
        "updatedAt": level["updatedAt"],
    }


def _next(listing: Row) -> str:
    return str(listing["pageInfo"]["endCursor"] or "") if listing["pageInfo"]["hasNextPage"] else ""


def answered(answer: Answer, name: str) -> Row:
    """The payload of a mutation's one field; empty when the answer lacks it."""
    said = answer.told.get(name)
    return said if isinstance(said, dict) else {}
