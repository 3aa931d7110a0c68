"""The small Square's catalogue: items with variations, versions that count over the whole catalogue, and full replacement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from connectors.square.objects import stamp
from connectors.square.sandbox_errors import RefusalError
from hub.sdk.api import Plain

if TYPE_CHECKING:
    import random

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
DEFAULT_TYPES: Final = ("ITEM", "CATEGORY")
DETAIL_BY_TYPE: Final = {"ITEM": "item_data", "ITEM_VARIATION": "item_variation_data", "CATEGORY": "category_data"}


@dataclass(slots=True)
class Catalog:
    """Objects by id (variations apart from their items) and the newest version, in milliseconds."""

    random: random.Random
    currency: str
    objects: dict[str, dict[str, Plain]] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    version: int = 0

    def turn(self, now: int) -> int:
        """The next version: the time in milliseconds, and always a new one."""
        self.version = max(now // 1000, self.version + 1)
        return self.version

    def new_id(self) -> str:
        """A fresh object id."""
        return "".join(self.random.choice(LETTERS) for _ in range(24))

    def put(self, ident: str, kind: str, detail: Plain, version: int) -> None:
        """Store an object under this version."""
        known = self.objects.get(ident)
        self.objects[ident] = {
            **{name: value for name, value in (known or {}).items() if name.startswith(("present_", "absent_"))},
            "type": kind,
            "id": ident,
            "updated_at": stamp(version * 1000),
            "version": version,
            "is_deleted": False,
            DETAIL_BY_TYPE[kind]: detail,
        }
        if kind == "ITEM_VARIATION" and known is None:
            self.children.setdefault(detail["item_id"], []).append(ident)

    def delete(self, ident: str, version: int) -> None:
        """Mark deleted; only the outline of a deleted object is shown afterwards. An item takes its variations along."""
        for one in [ident, *self.children.get(ident, [])]:
            found = self.objects[one]
            outline = {} if found["type"] != "ITEM_VARIATION" else {"item_id": found["item_variation_data"]["item_id"]}
            detail = DETAIL_BY_TYPE[found["type"]]
            self.objects[one] = {
                **found, "is_deleted": True, "version": version, "updated_at": stamp(version * 1000), detail: outline
            }  # fmt: skip

    def living(self, ident: str) -> dict[str, Plain] | None:
        """The object, unless it is deleted or unknown."""
        found = self.objects.get(ident)
        return None if found is None or found["is_deleted"] else found

    def shown(self, ident: str) -> dict[str, Plain]:
        """The object as an answer shows it: an item with its variations."""
        found = self.objects[ident]
        if found["type"] != "ITEM" or found["is_deleted"]:
            return found
        variations = [self.objects[one] for one in self.children.get(ident, []) if not self.objects[one]["is_deleted"]]
        return {**found, "item_data": {**found["item_data"], "variations": variations}}

    def related(self, idents: list[str]) -> list[dict[str, Plain]]:
        """What these objects point at, one level deep: parents of variations, categories of items."""
        wanted: dict[str, None] = {}
        for ident in idents:
            found = self.objects[ident]
            if found["type"] == "ITEM_VARIATION":
                wanted[found["item_variation_data"]["item_id"]] = None
            for category in (found.get("item_data") or {}).get("categories") or []:
                wanted[category["id"]] = None
        return [self.shown(ident) for ident in wanted if ident in self.objects and ident not in idents]

    def upsert(self, objects: list[Plain], now: int) -> list[str]:
        """Apply one inner batch, all or nothing; the ids written. RefusalError for the first object that is wrong."""
        planned = [self._checked(one) for one in objects]
        version = self.turn(now)
        for one in planned:
            self.put(one["id"], one["type"], one[DETAIL_BY_TYPE[one["type"]]], version)
        return [one["id"] for one in planned]

    def _checked(self, one: Plain) -> Plain:
        if not isinstance(one, dict) or not isinstance(one.get("id"), str) or one.get("type") != "ITEM_VARIATION":
            raise RefusalError("BAD_REQUEST", "This small Square updates variations only.", "type")
        known = self.living(one["id"])
        if known is None:
            raise RefusalError("NOT_FOUND", "Catalog object with this ID not found.", "id", 404)
        if one.get("version") != known["version"]:
            raise RefusalError("VERSION_MISMATCH", "Object version does not match latest database version.", "version")
        if one.get("is_deleted"):
            raise RefusalError("INVALID_VALUE", "is_deleted must not be set.", "is_deleted")
        detail = one.get("item_variation_data")
        if not isinstance(detail, dict) or detail.get("item_id") != known["item_variation_data"]["item_id"]:
            raise RefusalError("INVALID_VALUE", "A variation stays with its item.", "item_id")
        self._price(detail)
        return one

    def _price(self, detail: Plain) -> None:
        kind, money = detail.get("pricing_type"), detail.get("price_money")
        if kind == "VARIABLE_PRICING" and money is None:
            return
        if kind != "FIXED_PRICING" or not isinstance(money, dict):
            raise RefusalError("INVALID_VALUE", "Fixed pricing goes with a price, variable pricing with none.", "pricing_type")
        if type(money.get("amount")) is not int:
            raise RefusalError("EXPECTED_INTEGER", "Expected an integer value.", "amount")
        if money["amount"] < 0:
            raise RefusalError("VALUE_TOO_LOW", "A price is not negative.", "amount")
        if money.get("currency") != self.currency:
            raise RefusalError("CURRENCY_MISMATCH", "Not the currency of this seller.", "currency")
