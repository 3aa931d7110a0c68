"""Deliveries: whether one is Shopify's, in both of its header styles, and the subscriptions that bring them.

A subscription asks for ids only (`includeFields`): nothing of a person is sent, and what is meant is looked up as it is now,
however old or doubled a delivery is.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.documents import RESUBSCRIBE, SUBSCRIBE, SUBSCRIPTIONS
from connectors.shopify.parts import user_errors
from hub.sdk.api import ChannelError, Delivery, Plain, RefusedError, UnauthorizedError, UnverifiedError, Verdict, read_time, sign

CLASSIC: Final = "x-shopify-"
EVENTS: Final = "shopify-"
SIGNATURE: Final = "hmac-sha256"
NEEDED: Final = ("topic", "shop-domain", "api-version", "webhook-id")
EVENTS_NEEDED: Final = ("topic", "shop-domain")
"""What is asked for besides the signature: of the classic style all that the platform's own validator wants, of the newer one,
whose headers changed in September 2026 in ways not published where we could read them, what cannot be done without."""
ID_CHARS_MAX: Final = 200
EVENT_TOPICS: Final = frozenset(
    {"Product", "ProductVariant", "InventoryItem", "InventoryLevel", "Order", "Fulfillment", "Refund"}
)
"""Of the newer events those that are known to mean something here; the others are ignored as `event/other`."""
PAGE: Final = 100
_IDS: Final = ("id", "admin_graphql_api_id", "updated_at")
TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "PRODUCTS_CREATE": (*_IDS, "variant_gids"),
    "PRODUCTS_UPDATE": (*_IDS, "variant_gids"),
    "PRODUCTS_DELETE": (),
    "INVENTORY_LEVELS_CONNECT": (),
    "INVENTORY_LEVELS_UPDATE": (),
    "INVENTORY_LEVELS_DISCONNECT": (),
    "ORDERS_CREATE": _IDS,
    "ORDERS_UPDATED": _IDS,
    "ORDERS_EDITED": (),
    "ORDERS_CANCELLED": _IDS,
    "REFUNDS_CREATE": ("id", "order_id"),
    "FULFILLMENTS_CREATE": ("id", "order_id", "updated_at"),
    "FULFILLMENTS_UPDATE": ("id", "order_id", "updated_at"),
    "FULFILLMENT_ORDERS_LINE_ITEMS_PREPARED_FOR_PICKUP": (),
    "FULFILLMENT_ORDERS_PLACED_ON_HOLD": (),
    "FULFILLMENT_ORDERS_HOLD_RELEASED": (),
    "FULFILLMENT_ORDERS_MOVED": (),
    "RETURNS_APPROVE": ("id", "order"),
    "RETURNS_CLOSE": ("id", "order_id"),
    "RETURNS_CANCEL": ("id", "order_id"),
    "RETURNS_PROCESS": (),
    "BULK_OPERATIONS_FINISH": (),
    "APP_UNINSTALLED": ("id", "myshopify_domain"),
}
"""What a channel subscribes to, and the fields that it asks for; none named: all of them (small bodies without persons)."""


def verdict(delivery: Delivery, secrets: Mapping[str, str], shop: str) -> Verdict:
    """The verdict on a delivery; UnverifiedError when anything is missing, wrong, or meant for another shop."""
    headers = delivery.headers
    style = CLASSIC if CLASSIC + SIGNATURE in headers else EVENTS
    given, secret = headers.get(style + SIGNATURE, ""), secrets.get("client_secret", "")
    if not secret or not given:
        raise UnverifiedError("signature missing")
    wanted = sign(secret, delivery.body, "base64")
    if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise UnverifiedError("signature wrong")
    for name in NEEDED if style == CLASSIC else EVENTS_NEEDED:
        if not headers.get(style + name):
            raise UnverifiedError(f"no {style}{name}")
    # The secret is the app's, not the shop's: the same app signs for every shop that it is installed in.
    if headers[style + "shop-domain"].lower() != shop.lower():
        raise UnverifiedError("meant for another shop")
    topic = headers[style + "topic"]
    if style == EVENTS:
        topic = f"event/{topic}" if topic in EVENT_TOPICS else "event/other"
    ident = headers.get(style + "webhook-id") or headers.get(style + "event-id", "")
    return Verdict(ident[:ID_CHARS_MAX], topic, _sent_at(headers.get(style + "triggered-at", "")))


def _sent_at(text: str) -> int | None:
    try:
        return read_time(text) if text else None
    except ValueError:
        return None


class Subscriptions:
    """The webhook subscriptions of one shop, as far as this app made them by the API."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    def listed(self) -> list[dict[str, str]]:
        """Every subscription: id, topic, url, status (`active`, `other fields`), version, since."""
        rows: list[dict[str, str]] = []
        after: str | None = None
        while True:
            answer = self._api.ask("list subscriptions", SUBSCRIPTIONS, {"first": PAGE, "after": after})
            listing = answer.told.get("webhookSubscriptions") or {}
            rows += [_row(node) for node in listing.get("nodes") or []]
            following = listing.get("pageInfo") or {}
            if not following.get("hasNextPage") or following.get("endCursor") == after:
                return rows
            after = following["endCursor"]

    def healed(self, url: str) -> list[str]:
        """Make what is missing and mend what is wrong, so that every topic comes to `url`; words of what was done.

        The platform deletes a subscription whose deliveries failed eight times in a row: what was not told meanwhile must be
        read, so whoever calls this reads all streams on when there are words.
        """
        there: dict[str, list[dict[str, str]]] = {}
        for row in self.listed():
            if row["url"] == url:
                there.setdefault(row["topic"], []).append(row)
        done: list[str] = []
        failed: list[tuple[str, ChannelError]] = []
        for topic, fields in TOPICS.items():
            mine = there.get(topic, [])
            try:
                if not mine or mine[0]["status"] != "active":
                    done.append(self._mended(topic, fields, mine[0]["id"] if mine else "", url))
            except (RefusedError, UnauthorizedError) as bad:
                # One topic that the app may not have (a scope is missing) does not keep the others away.
                failed.append((topic, bad))
        if failed and not done:
            raise failed[0][1]
        return done + [f"could not subscribe to {topic}: {bad.message}" for topic, bad in failed]

    def _mended(self, topic: str, fields: tuple[str, ...], ident: str, url: str) -> str:
        wanted: dict[str, Plain] = {"uri": url, "format": "JSON", "includeFields": list(fields) or None}
        if ident:
            self._made("mend a subscription", RESUBSCRIBE, {"id": ident, "subscription": wanted}, "Update")
            return f"mended the subscription to {topic}"
        self._made("make a subscription", SUBSCRIBE, {"topic": topic, "subscription": wanted}, "Create")
        return f"subscribed to {topic}"

    def _made(self, operation: str, document: str, given: dict[str, Plain], verb: str) -> None:
        answer = self._api.ask(operation, document, given, writes=True)
        payload = answer.told.get(f"webhookSubscription{verb}") or {}
        errors = user_errors(payload, ())
        if errors.whole or not payload.get("webhookSubscription"):
            words = (errors.whole or {"message": "no subscription was made"})["message"]
            raise RefusedError(words, channel=self._api.context.channel, operation=operation)


def _row(node: dict[str, Plain]) -> dict[str, str]:
    topic = str(node["topic"])
    whole = not node["filter"] and node["format"] == "JSON" and set(node["includeFields"]) == set(TOPICS.get(topic, ()))
    return {
        "id": str(node["id"]),
        "topic": topic,
        "url": str(node["uri"]),
        "status": "active" if whole or topic not in TOPICS else "other fields",
        "version": str((node["apiVersion"] or {}).get("handle", "")),
        "since": str(node["createdAt"]),
    }
