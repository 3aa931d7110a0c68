"""The small shop's API for catalogue, stock, prices, subscriptions and bulk operations: what may be asked, and its errors."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from connectors.shopify.gids import gid, kind_of, number
from connectors.shopify.sandbox_shop import PRICE_MAX, Level, Shop, Variant, zulu
from hub.sdk.api import Plain, read_time
from hub.sdk.sandbox_graphql import DocumentError

FIRST_MAX: Final = 250
INPUTS_MAX: Final = 250
DEEP_MAX: Final = 25_000
INDEX_LAG_MICROS: Final = 5_000_000
"""The search learns of a change a moment after it was made."""
UPDATED: Final = re.compile(r"updated_at:>=?'([^']+)'")
Root = Callable[[dict[str, Plain]], Plain]
Row = dict[str, Plain]


def cursor_of(key: str) -> str:
    """An opaque cursor."""
    return base64.b64encode(json.dumps({"last_id": key}).encode()).decode()


def connection(rows: Sequence[tuple[str, Callable[[], Plain]]], said: Row) -> Row:
    """A page of these (key, row) pairs, in their order; keys tell places apart also when others come and go."""
    first = said.get("first")
    if not isinstance(first, int):
        raise DocumentError("you must provide one of first or last")
    if not 0 < first <= FIRST_MAX:
        raise DocumentError(f"first cannot exceed {FIRST_MAX}. To query larger amounts of data use bulk operations.")
    start = 0
    if said.get("after"):
        try:
            last = json.loads(base64.b64decode(said["after"]))["last_id"]
        except (ValueError, KeyError, TypeError):
            raise DocumentError("Invalid cursor for current pagination sort.") from None
        start = next((place for place, (key, _) in enumerate(rows) if _after(key, last)), len(rows))
    if start >= DEEP_MAX:
        raise DocumentError(f"pagination is limited to {DEEP_MAX} objects")
    page = rows[start : start + first]
    nodes = [row() for _, row in page]
    return {
        "nodes": nodes,
        "edges": [{"node": node, "cursor": cursor_of(key)} for node, (key, _) in zip(nodes, page, strict=True)],
        "pageInfo": {"hasNextPage": start + first < len(rows), "endCursor": cursor_of(page[-1][0]) if page else None},
    }


def _after(key: str, last: str) -> bool:
    return (len(key), key) > (len(last), last)


def changed(query: str | None, updated_at: int, before_at: int, now: int) -> bool:
    """Whether the search finds a thing of these times."""
    if not query:
        return True
    match = UPDATED.fullmatch(query.strip())
    if match is None:
        raise DocumentError(f"this search is not known here: {query}")
    known = updated_at if now - updated_at >= INDEX_LAG_MICROS else before_at
    return known - known % 1_000_000 >= read_time(match[1])


class CatalogueApi:
    """Root fields and nodes about the catalogue."""

    def __init__(self, shop: Shop, domain: str, files: Callable[[int], str]) -> None:
        self.shop = shop
        self._domain = domain
        self._files = files
        self.queries: dict[str, Root] = {
            "shop": lambda _: self._shop(),
            "productVariants": self._variants,
            "productVariantsCount": lambda _: {"count": len(self._live()), "precision": "EXACT"},
            "locations": lambda said: connection(
                [(str(one), lambda one=one: self.location(one)) for one in shop.state.locations],  # type: ignore[misc]
                said,
            ),
            "location": lambda said: self.location(int(number(said["id"]))),
            "priceList": lambda said: self._price_list(said["id"]),
            "webhookSubscriptions": self._subscriptions,
            "bulkOperation": lambda said: self._bulk(shop.state.bulks.get(int(number(said["id"])))),
        }
        self.mutations: dict[str, Root] = {
            "inventorySetQuantities": self._set_quantities,
            "inventoryActivate": self._activate,
            "productVariantsBulkUpdate": self._update_variants,
            "priceListFixedPricesAdd": self._fix_prices,
            "webhookSubscriptionCreate": self._subscribe,
            "webhookSubscriptionUpdate": self._resubscribe,
            "bulkOperationRunQuery": self._run_bulk,
        }

    def node(self, ident: str) -> Plain:
        """The object of a global id; None when there is none."""
        state, kind = self.shop.state, kind_of(ident)
        if kind == "ProductVariant":
            one = state.variants.get(int(number(ident)))
            return self.variant(one) if one is not None and not one.deleted else None
        if kind == "InventoryLevel":
            wanted = int(number(ident))
            level = next((one for one in state.levels.values() if one.id == wanted and one.active), None)
            return self.level(level) if level is not None and not state.variants[level.variant].deleted else None
        return None

    # what things look like

    def _shop(self) -> Row:
        state = self.shop.state
        return {
            "__typename": "Shop",
            "name": "Made shop",
            "currencyCode": state.currency,
            "taxesIncluded": state.taxes_included,
            "myshopifyDomain": self._domain,
        }

    def location(self, ident: int) -> Plain:
        """A location with its levels."""
        state = self.shop.state
        if ident not in state.locations:
            return None

        def levels(said: Row) -> Row:
            now = self.shop.now()
            found = [
                (str(one.id), lambda one=one: self.level(one))
                for one in sorted(state.levels.values(), key=lambda one: one.id)
                if one.location == ident
                and one.active
                and not state.variants[one.variant].deleted
                and changed(said.get("query"), one.updated_at, one.before_at, now)
            ]
            return connection(found, said)

        return {
            "__typename": "Location",
            "id": gid("Location", str(ident)),
            "name": state.locations[ident],
            "isActive": True,
            "address": {"__typename": "LocationAddress", "countryCode": "DK", "zip": "8000"},
            "inventoryLevels": levels,
        }

    def variant(self, one: Variant) -> Row:
        """A variant with its product and inventory item."""
        state = self.shop.state
        product = state.products[one.product]
        picture = {"preview": {"image": {"url": product.picture}}} if product.picture else None
        return {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", str(one.id)),
            "sku": one.sku,
            "barcode": one.barcode or None,
            "title": one.title,
            "price": f"{one.price:.2f}",
            "compareAtPrice": None if one.compare_at is None else f"{one.compare_at:.2f}",
            "updatedAt": zulu(one.updated_at),
            "inventoryPolicy": "CONTINUE" if one.oversell else "DENY",
            "requiresComponents": False,
            "selectedOptions": [{"name": "Title", "value": one.title}],
            "contextualPricing": lambda said: self._contextual(one, said["context"]["country"]),
            "inventoryItem": lambda _: self.item(one),
            "product": {
                "__typename": "Product",
                "id": gid("Product", str(product.id)),
                "title": product.title,
                "description": product.text,
                "handle": re.sub(r"\W+", "-", product.title.lower()),
                "status": product.status,
                "productType": product.kind,
                "vendor": "Made",
                "isGiftCard": product.gift_card,
                "onlineStoreUrl": f"https://{self._domain}/products/{product.id}" if product.status == "ACTIVE" else None,
                "featuredMedia": picture,
            },
        }

    def item(self, one: Variant) -> Row:
        """An inventory item."""

        def level(said: Row) -> Plain:
            found = self.shop.state.levels.get((one.id, int(number(said["locationId"]))))
            return self.level(found) if found is not None and found.active else None

        def levels(said: Row) -> Row:
            known = (self.shop.state.levels.get((one.id, place)) for place in self.shop.state.locations)
            own = sorted((lv for lv in known if lv is not None and lv.active), key=lambda lv: lv.id)
            return connection([(str(lv.id), lambda lv=lv: self.level(lv)) for lv in own], said)  # type: ignore[misc]

        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", str(one.item)),
            "sku": one.sku,
            "tracked": one.tracked,
            "requiresShipping": True,
            "inventoryLevel": level,
            "inventoryLevels": levels,
            "variants": lambda said: connection([(str(one.id), lambda: self.variant(one))], said),
        }

    def level(self, level: Level) -> Row:
        """A level with the quantities that are asked for by name."""
        figures = {"available": level.available, "committed": level.committed, "on_hand": level.available + level.committed}
        return {
            "__typename": "InventoryLevel",
            "id": self.shop.level_gid(level),
            "updatedAt": zulu(level.updated_at),
            "isActive": level.active,
            "quantities": lambda said: [{"name": name, "quantity": figures[name]} for name in said["names"]],
            "item": lambda _: self.item(self.shop.state.variants[level.variant]),
            "location": {"__typename": "Location", "id": gid("Location", str(level.location))},
        }

    def _contextual(self, one: Variant, country: str) -> Row:
        state = self.shop.state
        market = next((each for each in state.price_lists.values() if each.country == country), None)
        currency = market.currency if market else state.currency
        amount = one.price if market is None else market.fixed.get(one.id, one.price * market.rate)
        return {"price": {"amount": f"{amount:.2f}", "currencyCode": currency}, "compareAtPrice": None}

    def _price_list(self, ident: str) -> Plain:
        found = self.shop.state.price_lists.get(int(number(ident)))
        return {"id": gid("PriceList", str(found.id)), "currency": found.currency} if found else None

    # reading

    def _live(self) -> list[Variant]:
        return sorted((one for one in self.shop.state.variants.values() if not one.deleted), key=lambda one: one.id)

    def _variants(self, said: Row) -> Row:
        now = self.shop.now()
        found = [
            (str(one.id), lambda one=one: self.variant(one))
            for one in self._live()
            if changed(said.get("query"), one.updated_at, one.before_at, now)
        ]
        return connection(found, said)

    # stock

    def _set_quantities(self, said: Row) -> Row:
        given, state = said["input"], self.shop.state
        errors, pairs, planned = [], set(), []
        if given["name"] not in ("available", "on_hand"):
            errors.append(_error(["input", "name"], "The quantity name must be either 'available' or 'on_hand'.", "INVALID_NAME"))
        if len(given["quantities"]) > INPUTS_MAX:
            raise DocumentError(
                f"The input array size of {len(given['quantities'])} is greater than the maximum of {INPUTS_MAX}."
            )
        for place, row in enumerate(given["quantities"]):
            where = ["input", "quantities", str(place)]
            one = self.shop.variant_of_item(int(number(row["inventoryItemId"])))
            location = int(number(row["locationId"]))
            level = state.levels.get((one.id, location)) if one else None
            if "changeFromQuantity" not in row:
                raise DocumentError("changeFromQuantity must be given, an integer or null")
            if one is None:
                errors.append(
                    _error([*where, "inventoryItemId"], "The inventory item could not be found.", "INVALID_INVENTORY_ITEM")
                )
            elif location not in state.locations or level is None or not level.active:
                errors.append(_error([*where, "locationId"], "The specified location could not be found.", "INVALID_LOCATION"))
            elif not one.tracked:
                errors.append(_error(where, "The specified inventory item is not tracked.", "NON_MUTABLE_INVENTORY_ITEM"))
            elif row["changeFromQuantity"] not in (None, level.available):
                words = "The changeFromQuantity argument no longer matches the persisted quantity."
                errors.append(_error([*where, "changeFromQuantity"], words, "CHANGE_FROM_QUANTITY_STALE"))
            elif (one.id, location) in pairs:
                words = "The combination of inventoryItemId and locationId must be unique."
                errors.append(_error(where, words, "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"))
            else:
                pairs.add((one.id, location))
                planned.append((one, level, row["quantity"] - level.available))
        if errors:
            return {"inventoryAdjustmentGroup": None, "userErrors": errors}
        moved = [(one, level, delta) for one, level, delta in planned if delta]
        for one, level, delta in moved:
            self.shop.moved(one.id, level.location, available=delta)
        changes = [{"name": "available", "delta": delta, "item": self.item(one)} for one, _, delta in moved]
        group = {"id": gid("InventoryAdjustmentGroup", str(self.shop.next_id("group"))), "changes": lambda _: changes}
        return {"inventoryAdjustmentGroup": group if moved else None, "userErrors": []}

    def _activate(self, said: Row) -> Row:
        state = self.shop.state
        one = self.shop.variant_of_item(int(number(said["inventoryItemId"])))
        location = int(number(said["locationId"]))
        if one is None or location not in state.locations:
            words = "The product couldn't be stocked because it wasn't found." if one is None else "The location is not known."
            return {"inventoryLevel": None, "userErrors": [_error(["inventoryItemId"], words)]}
        known = state.levels.get((one.id, location))
        if known is not None and known.active and said.get("available") is not None:
            words = "Not allowed to set available quantity when the item is already active at the location."
            return {"inventoryLevel": None, "userErrors": [_error(["available"], words)]}
        if not self.shop.deaf:
            level = self.shop.stock_at(one.id, location)
            self.shop.told_level(level, "inventory_levels/connect")
            if said.get("available") is not None:
                self.shop.moved(one.id, location, available=said["available"] - level.available)
        found = state.levels.get((one.id, location))
        return {"inventoryLevel": self.level(found) if found else None, "userErrors": []}

    # prices

    def _update_variants(self, said: Row) -> Row:
        state, errors = self.shop.state, []
        product = int(number(said["productId"]))
        if product not in state.products:
            return {
                "productVariants": None,
                "userErrors": [_error(["productId"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")],
            }
        planned = []
        for place, row in enumerate(said["variants"]):
            one = state.variants.get(int(number(row["id"])))
            price = _money(row.get("price"))
            if one is None or one.deleted or one.product != product:
                where = ["variants", str(place), "id"]
                errors.append(_error(where, "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST"))
            elif price is None or not 0 <= price < PRICE_MAX:
                errors.append(_error(["variants", str(place), "price"], "Price is invalid", "INVALID_INPUT"))
            else:
                planned.append((one, price))
        if errors and not said.get("allowPartialUpdates"):
            return {"productVariants": None, "userErrors": errors}
        for one, price in planned:
            if one.price != price and not self.shop.deaf:
                one.price = price
                self.shop.touch(one)
        return {"productVariants": [self.variant(one) for one, _ in planned], "userErrors": errors}

    def _fix_prices(self, said: Row) -> Row:
        state = self.shop.state
        listed = state.price_lists.get(int(number(said["priceListId"])))
        if listed is None:
            return {"prices": None, "userErrors": [_error(["priceListId"], "Price list does not exist.", "PRICE_LIST_NOT_FOUND")]}
        errors, planned = [], []
        for place, row in enumerate(said["prices"]):
            one, money = state.variants.get(int(number(row["variantId"]))), row["price"]
            if one is None or one.deleted:
                errors.append(_error(["prices", str(place), "variantId"], "Variant does not exist.", "VARIANT_NOT_FOUND"))
            elif money["currencyCode"] != listed.currency:
                words = "The specified currency does not match the price list's currency."
                errors.append(_error(["prices", str(place), "price"], words, "PRICE_LIST_CURRENCY_MISMATCH"))
            else:
                planned.append((one, Decimal(money["amount"])))
        if errors:
            return {"prices": None, "userErrors": errors}
        shown = []
        for one, amount in planned:
            if not self.shop.deaf:
                listed.fixed[one.id] = amount
            price = {"amount": f"{listed.fixed.get(one.id, one.price * listed.rate):.2f}", "currencyCode": listed.currency}
            shown.append({"variant": {"id": gid("ProductVariant", str(one.id))}, "price": price})
        return {"prices": shown, "userErrors": []}

    # subscriptions

    def _subscriptions(self, said: Row) -> Row:
        kept = self.shop.state.subscriptions
        return connection([(str(one), lambda one=one: self._subscription(one)) for one in kept], said)  # type: ignore[misc]

    def _subscription(self, ident: int) -> Row:
        kept = self.shop.state.subscriptions[ident]
        return {
            "__typename": "WebhookSubscription",
            "id": gid("WebhookSubscription", str(ident)),
            "topic": kept["topic"],
            "uri": kept["uri"],
            "format": kept.get("format") or "JSON",
            "includeFields": kept.get("includeFields") or [],
            "filter": kept.get("filter"),
            "apiVersion": {"handle": "2026-10"},
            "createdAt": kept["createdAt"],
            "updatedAt": zulu(self.shop.now()),
        }

    def _subscribe(self, said: Row) -> Row:
        given, kept = said["webhookSubscription"], self.shop.state.subscriptions
        if any(one["topic"] == said["topic"] and one["uri"] == given["uri"] for one in kept.values()):
            words = "Address for this topic has already been taken"
            return {"webhookSubscription": None, "userErrors": [_error(["webhookSubscription", "uri"], words)]}
        if not str(given["uri"]).startswith("https://"):
            words = "Address protocol http:// is not supported"
            return {"webhookSubscription": None, "userErrors": [_error(["webhookSubscription", "uri"], words)]}
        ident = self.shop.next_id("WebhookSubscription")
        kept[ident] = {**given, "topic": said["topic"], "createdAt": zulu(self.shop.now())}
        return {"webhookSubscription": self._subscription(ident), "userErrors": []}

    def _resubscribe(self, said: Row) -> Row:
        ident, kept = int(number(said["id"])), self.shop.state.subscriptions
        if ident not in kept:
            return {"webhookSubscription": None, "userErrors": [_error(["id"], "Webhook subscription does not exist")]}
        kept[ident] = {**kept[ident], **said["webhookSubscription"]}
        return {"webhookSubscription": self._subscription(ident), "userErrors": []}

    # bulk

    def _run_bulk(self, said: Row) -> Row:
        running = [one for one in self.shop.state.bulks.values() if one["ends"] > self.shop.now()]
        if len(running) >= 5:
            words = "A bulk query operation for this app and shop is already in progress"
            return {"bulkOperation": None, "userErrors": [_error(["query"], words, "OPERATION_IN_PROGRESS")]}
        ident = self.shop.next_id("BulkOperation")
        # Thousands of objects take the better part of a minute.
        seconds = 3 + len(self._live()) // 200
        made = {"id": ident, "query": said["query"], "ends": self.shop.now() + seconds * 1_000_000, "failed": False, "file": ""}
        self.shop.state.bulks[ident] = made
        return {"bulkOperation": self._bulk(made), "userErrors": []}

    def _bulk(self, kept: Row | None) -> Plain:
        if kept is None:
            return None
        done = kept["ends"] <= self.shop.now()
        if done and not kept["failed"] and not kept["file"]:
            kept["file"] = self._files(int(kept["id"]))
        size = kept.get("size") if done and not kept["failed"] else None
        return {
            "__typename": "BulkOperation",
            "id": gid("BulkOperation", str(kept["id"])),
            "status": "FAILED" if done and kept["failed"] else "COMPLETED" if done else "RUNNING",
            "errorCode": "INTERNAL_SERVER_ERROR" if done and kept["failed"] else None,
            "url": kept["file"] if size else None,
            "fileSize": None if size is None else str(size),
            "objectCount": str(len(self._live())) if done else "0",
        }


def _money(value: Plain) -> Decimal | None:
    try:
        return Decimal(str(value)).quantize(Decimal("0.01"))
    except (InvalidOperation, ValueError):
        return None


def _error(field: list[str], message: str, code: str = "") -> Row:
    return {"field": field, "message": message, "code": code or None}


def digest(value: Plain) -> str:
    """What tells two requests under one idempotency key apart."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
