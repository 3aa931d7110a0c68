"""Listing: whether an item is offered on a channel, and how its title, text, picture, link and category read there."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from hub.canonical.item import LISTING_FIELDS
from hub.canonical.values import Plain
from hub.settings.model import ListingRule

TITLE_CHARS_MAX = 200


def offered(rule: ListingRule, sku: str, category: str, item: Mapping[str, Plain]) -> bool:
    """Whether the item is to be offered on a channel with this rule."""
    if not sku or sku in rule.never_skus or item.get("state") in ("inactive", "gone"):
        return False
    return not rule.only_categories or category in rule.only_categories


def worded(rule: ListingRule) -> tuple[str, ...]:
    """The fields that the hub words on this channel: those named, else all where the hub creates the listings, else none."""
    return rule.fields or (LISTING_FIELDS if rule.offer == "all" else ())


def listing(rule: ListingRule, sku: str, item: Mapping[str, Plain], offer: bool) -> tuple[dict[str, Plain], dict[str, Plain]]:
    """What the listing should say (only the rule's fields, only what is known), and the derivation."""
    said: dict[str, Plain] = {}
    for name in worded(rule):
        value = item.get(name)
        if name == "state":
            said["state"] = "active" if offer else "inactive"
        elif name == "link" and not value and rule.link:
            said["link"] = rule.link.replace("{sku}", quote(sku, safe=""))
        elif name == "picture" and not value and rule.picture:
            said["picture"] = rule.picture.replace("{sku}", quote(sku, safe=""))
        elif name in LISTING_FIELDS and value not in (None, ""):
            said[name] = value
    if isinstance(said.get("title"), str):
        said["title"] = said["title"][:TITLE_CHARS_MAX]
    because: dict[str, Plain] = {"offered": offer, "from": item.get("from", [])}
    return said, because
