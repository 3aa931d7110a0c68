"""From products and variations as the API shows them to the records that the mappings read: one sellable thing each."""

from __future__ import annotations

from typing import Final

from connectors.woocommerce.shop_api import Row

FIELDS: Final = (
    "id", "parent_id", "type", "status", "name", "permalink", "description", "short_description", "sku", "global_unique_id",
    "price", "regular_price", "sale_price", "on_sale", "date_on_sale_from_gmt", "date_on_sale_to_gmt", "date_modified_gmt",
    "manage_stock", "stock_quantity", "images", "image", "categories", "attributes", "variations",
)  # fmt: skip
"""What is asked for of each product: the rest of a record would be eight times as much."""
NOT_SOLD_BY_ITSELF: Final = frozenset({"grouped", "external"})
"""A group of other products, and something sold at another shop."""


def has_variations(product: Row) -> bool:
    """Whether its variations are what is sold (plugins have kinds of their own, such as variable-subscription)."""
    return str(product.get("type", "")).startswith("variable")


def records_of(product: Row) -> list[Row]:
    """The record of a product that is sold itself, or that keeps the stock of its variations; none for any other."""
    if product.get("type") in NOT_SOLD_BY_ITSELF:
        return []
    if not has_variations(product):
        return [_record("product", product, None)]
    return [_record("pool", product, None)] if product.get("manage_stock") is True else []


def record_of_variation(variation: Row, parent: Row | None) -> Row:
    """The record of a variation."""
    return _record("variation", variation, parent)


def _record(kind: str, product: Row, parent: Row | None) -> Row:
    chosen = {name: product[name] for name in FIELDS if name in product and name not in _SPOKEN}
    above = parent or {}
    return {
        "kind": kind,
        "product": chosen,
        "parent": product.get("parent_id") or above.get("id") or 0,
        "title": _title(product, parent),
        "options": _options(product),
        "picture": _picture(product) or _picture(above),
        "text": str(product.get("description") or product.get("short_description") or above.get("description") or ""),
        "category": _category(product) or _category(above),
        "standing": _standing(product, parent),
    }


_SPOKEN: Final = frozenset(
    {"name", "description", "short_description", "images", "image", "categories", "attributes", "variations", "parent_id"}
)
"""Said by the record itself, in one form for products and variations."""


def _title(product: Row, parent: Row | None) -> str:
    """By the two routes (and in versions before 8) a variation's name reads differently: it is the parent's and its options."""
    if product.get("type") != "variation" and parent is None:
        return str(product.get("name") or "")
    options = ", ".join(option["option"] for option in _options(product))
    name = str((parent or {}).get("name") or "")
    return f"{name} - {options}".strip(" -") if name else str(product.get("name") or options)


def _options(product: Row) -> list[Row]:
    """What sets a variation apart; an option that is empty means any."""
    rows = product.get("attributes") or []
    return [
        {"name": str(row["name"]), "option": str(row["option"])}
        for row in rows
        if isinstance(row, dict) and row.get("name") and row.get("option")
    ]


def _picture(product: Row) -> str:
    image = product.get("image") or next(iter(product.get("images") or []), None)
    return str(image.get("src") or "") if isinstance(image, dict) else ""


def _category(product: Row) -> str:
    first = next(iter(product.get("categories") or []), None)
    return str(first.get("name") or "") if isinstance(first, dict) else ""


def _standing(product: Row, parent: Row | None) -> str:
    """A variation is on sale only while its product is published too."""
    own, above = str(product.get("status", "")), str((parent or {}).get("status", "publish"))
    return above if own == "publish" and above != "publish" else own
