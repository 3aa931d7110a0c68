"""What a first configuration needs to know of a shop: its name, its currency, its taxes and its locations."""

from __future__ import annotations

from typing import Final

from connectors.shopify.admin_api import AdminApi
from connectors.shopify.gids import number
from hub.sdk.api import Plain

LOCATIONS_MAX: Final = 100
"""More than Shopify lets a shop have on most plans; the rest is configured by hand."""
SURVEY: Final = """
query Survey($first: Int!) {
  shop { name currencyCode taxesIncluded }
  locations(first: $first) { nodes { id name isActive address { countryCode zip } } }
}
"""


def survey(api: AdminApi) -> dict[str, Plain]:
    """`title`, `currency`, `tax` and `locations` with the ids that locations.yaml wants."""
    told = api.ask("look at the shop", SURVEY, {"first": LOCATIONS_MAX}).told
    shop, listing = told.get("shop") or {}, told.get("locations") or {}
    return {
        "title": str(shop.get("name") or ""),
        "currency": str(shop.get("currencyCode") or ""),
        "tax": "included" if shop.get("taxesIncluded") else "excluded",
        "settings": {},
        "locations": [_location(node) for node in listing.get("nodes") or [] if node.get("isActive")],
    }


def _location(node: dict[str, Plain]) -> dict[str, str]:
    address = node.get("address") or {}
    return {
        "id": number(node["id"]),
        "title": str(node.get("name") or ""),
        "country": str(address.get("countryCode") or ""),
        "postal_code": str(address.get("zip") or ""),
    }
