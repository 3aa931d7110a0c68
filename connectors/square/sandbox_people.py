"""The seller behind the small Square: its state, what people do at the till and in the dashboard, its webhooks."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import ClassVar

from connectors.square.objects import stamp
from connectors.square.sandbox_catalog import Catalog
from connectors.square.sandbox_ledger import Ledger, Line, Place, change_record, count_record
from hub.sdk.api import Plain, SandboxBase, exact_minor, from_minor, sign


class Seller(SandboxBase):
    """One seller. Options: access_token, signature_key, merchant_id, currency, locations (comma list), error_index (yes/no)."""

    CHANNEL: ClassVar[dict[str, dict[str, str]]] = {
        "settings": {"tax": "included"},
        "secrets": {"access_token": "sandbox-access-token", "signature_key": "sandbox-signature-key"},
        "places": {"aarhus": "LAARHUS000001"},
    }
    secret_names = ("access_token", "signature_key")

    def started(self) -> None:
        defaults = {
            **self.CHANNEL["secrets"],
            "merchant_id": "MSAMKLANG0001",
            "currency": "DKK",
            "locations": "LAARHUS000001,LODENSE000002",
            "error_index": "no",
        }
        self.options = {**defaults, **self.options}
        self.locations = self.options["locations"].split(",")
        self.catalog = Catalog(self.random, self.options["currency"])
        self.ledger = Ledger()
        self.skus: dict[str, str] = {}
        self.keys: dict[str, tuple[str, bytes]] = {}
        self.catalog_busy_next = 0
        """Catalogue updates answered with 429, because another update of this seller is under way."""
        self._last = 0

    def _tick(self) -> int:
        """The platform's time, finer than any two things that happen."""
        self._last = max(self.micros(), self._last + 1)
        return self._last

    def _counts(self, places: list[Place]) -> list[Plain]:
        return [count_record(one, self.ledger.figures[one]) for one in places if one in self.ledger.figures]

    # people

    def add_item(
        self,
        sku: str,
        title: str,
        *,
        price: Decimal,
        barcode: str = "",
        text: str = "",
        picture: str = "",
        link: str = "",
        category: str = "",
    ) -> str:
        """A new item with one variation, entered in the dashboard: the variation's id. Picture and link have no place here."""
        item, variation, version = self.catalog.new_id(), self.catalog.new_id(), self.catalog.turn(self.micros())
        about: dict[str, Plain] = {"name": title, "is_taxable": True, "product_type": "REGULAR", "is_archived": False}
        if text:
            about |= {"description": text, "description_html": f"<p>{text}</p>", "description_plaintext": text}
        if category:
            about["categories"] = [{"id": self._category(category, version), "ordinal": 0}]
        detail: dict[str, Plain] = {
            "item_id": item,
            "name": "Regular",
            "sku": sku,
            "ordinal": 0,
            "pricing_type": "FIXED_PRICING",
            "price_money": {"amount": exact_minor(price, self.catalog.currency), "currency": self.catalog.currency},
            "track_inventory": True,
            "sellable": True,
            "stockable": True,
        }
        if barcode:
            detail["upc"] = barcode
        self.catalog.put(item, "ITEM", about, version)
        self.catalog.put(variation, "ITEM_VARIATION", detail, version)
        for ident in (item, variation):
            self.catalog.objects[ident]["present_at_all_locations"] = True
        self.skus[sku] = variation
        self._tell_catalog()
        return variation

    def _category(self, name: str, version: int) -> str:
        for ident, one in self.catalog.objects.items():
            if one["type"] == "CATEGORY" and one["category_data"]["name"] == name:
                return ident
        ident = self.catalog.new_id()
        self.catalog.put(ident, "CATEGORY", {"name": name}, version)
        return ident

    def count(self, sku: str, pieces: int, place: str = "") -> None:
        """A person counts in the dashboard; `place` is a location id, "" the first."""
        where = (self.skus[sku], place or self.locations[0])
        if where[1] not in self.locations:
            raise KeyError(place)
        at, received = self.micros(), self._tick()
        told = change_record(self.catalog.new_id(), where, ("IN_STOCK",), Decimal(pieces), (at, received))
        self.ledger.note(at, received, told)
        if self.ledger.add(where, Line(at, received, True, Decimal(pieces))):
            self._tell_count(where)

    def set_price(self, sku: str, amount: Decimal) -> None:
        """A person edits the price in the dashboard."""
        money = {"amount": exact_minor(amount, self.catalog.currency), "currency": self.catalog.currency}
        self._edit(self.skus[sku], {"price_money": money})

    def retitle(self, sku: str, title: str) -> None:
        """A person renames the item: the item gets a new version, its variation keeps its own."""
        self._edit(self._item(sku), {"name": title})

    def withdraw(self, sku: str) -> None:
        """A person archives the item: no till shows it any more."""
        self._edit(self._item(sku), {"is_archived": True})

    def sell_again(self, sku: str) -> None:
        """A person takes the item out of the archive."""
        self._edit(self._item(sku), {"is_archived": False})

    def remove_item(self, sku: str) -> None:
        """A person deletes the item with its variation."""
        self.catalog.delete(self._item(sku), self.catalog.turn(self.micros()))
        self._tell_catalog()

    def _item(self, sku: str) -> str:
        item: str = self.catalog.objects[self.skus[sku]]["item_variation_data"]["item_id"]
        return item

    def _edit(self, ident: str, fields: dict[str, Plain]) -> None:
        found = self.catalog.living(ident)
        if found is None:
            raise KeyError(ident)
        detail = found.get("item_data") or found.get("item_variation_data") or {}
        self.catalog.put(ident, found["type"], {**detail, **fields}, self.catalog.turn(self.micros()))
        self._tell_catalog()

    def shown(self) -> dict[str, Plain]:
        """The platform's own truth by SKU: pieces per location, price, currency, state, title."""
        stocks: dict[str, dict[str, int]] = {}
        for (ident, place), (quantity, _) in self.ledger.figures.items():
            stocks.setdefault(ident, {})[place] = int(quantity)
        return {sku: self._shown(ident, stocks.get(ident, {})) for sku, ident in self.skus.items()}

    def _shown(self, ident: str, stock: dict[str, int]) -> dict[str, Plain]:
        variation = self.catalog.objects[ident]
        detail = variation["item_variation_data"]
        item = self.catalog.objects[detail["item_id"]]["item_data"]
        money = detail.get("price_money")
        return {
            "stock": stock,
            "price": from_minor(money["amount"], money["currency"]) if money else None,
            "currency": self.catalog.currency,
            "state": "gone" if variation["is_deleted"] else "inactive" if item.get("is_archived") else "active",
            "title": item.get("name", ""),
        }

    # deliveries

    def _tell_count(self, place: Place) -> None:
        counts = self._counts([place])
        self._event("inventory.count.updated", {"type": "inventory_counts", "object": {"inventory_counts": counts}})

    def _tell_catalog(self) -> None:
        version = {"updated_at": stamp(self.catalog.version * 1000)}
        self._event("catalog.version.updated", {"type": "catalog_version", "object": {"catalog_version": version}})

    def _event(self, kind: str, about: dict[str, Plain], ident: str = "") -> None:
        if not self.hook_url:
            return
        event = {
            "merchant_id": self.options["merchant_id"],
            "type": kind,
            "event_id": self._uuid(),
            "created_at": stamp(self.micros()),
            "data": {**about, "id": ident or self._uuid()},
        }
        body = json.dumps(event, separators=(",", ":")).encode()
        signature = sign(self.options["signature_key"], self.hook_url.encode() + body, "base64")
        headers = {
            "content-type": "application/json",
            "square-environment": "Sandbox",
            "x-square-hmacsha256-signature": signature,
        }
        self.tell(headers, body)

    def _uuid(self) -> str:
        digits = f"{self.random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
