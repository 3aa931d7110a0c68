"""Writing prices: the whole variation is sent back as it was read, with its version, so nothing else of it is lost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from connectors.square.objects import errors_of
from connectors.square.sending import denied, write
from hub.sdk.api import (
    Change,
    Outcome,
    Plain,
    Receipt,
    exact_minor,
    from_minor,
    plain_decimal,
    refused,
    send_in_parts,
    unsure,
)

if TYPE_CHECKING:
    from connectors.square.connector import Square

READ_ONLY: Final = frozenset({"updated_at", "created_at", "is_deleted"})


class PriceBatch:
    """Sends price changes of one channel."""

    def __init__(self, square: Square) -> None:
        self.square = square
        self.objects: dict[str, Plain] = {}

    def send(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change; what shows the asked price already, or a price nobody expected, is not written."""
        told = self.square.objects([one.key.listing for one in changes], "look before a price")
        self.objects = {one["id"]: one for one in told.get("objects") or [] if not one.get("is_deleted")}
        decided = [receipt for one in changes if (receipt := self._before(one)) is not None]
        held = {receipt.change for receipt in decided}
        return decided + send_in_parts([[one for one in changes if one.id not in held]], self._post)

    def _before(self, change: Change) -> Receipt | None:
        """The receipt of a change that is decided by what Square shows now; None when it is to be sent."""
        now = self.objects.get(change.key.listing)
        if now is None:
            return refused(change, "no such variation in the catalogue any more")
        known = now.get("item_variation_data") or {}
        if known.get("pricing_type") != "FIXED_PRICING":
            return refused(change, "its price is entered at the till (variable pricing)")
        wanted_tax = change.after.get("tax")
        if wanted_tax and wanted_tax != self.square.settings.get("tax", "included"):
            return refused(change, f"a price with tax {wanted_tax}, where this catalogue's are not")
        try:
            asked = _money(change.after)
        except ValueError as bad:
            return refused(change, str(bad))
        shown = known.get("price_money")
        if shown == asked:
            return _applied(change, now, "it shows this price already")
        if change.before and shown and _shows(now) != _plain(change.before):
            words = "its price was changed by somebody else"
            return Receipt(change.id, Outcome.CONFLICT, words, shows=_shows(now), version=now["version"])
        return None

    def _post(self, part: list[Change]) -> tuple[list[Receipt], list[Change]]:
        body: dict[str, Plain] = {"batches": [{"objects": [self._priced(one)]} for one in part]}
        status, told = write(self.square, "/v2/catalog/batch-upsert", body, "send price")
        written = {one["id"]: one for one in told.get("objects") or []}
        done = [_judged(one, written[one.key.listing], self.objects) for one in part if one.key.listing in written]
        left = [one for one in part if one.key.listing not in written]
        if len(part) > 1 or not left:
            return done, left
        errors = errors_of(told)
        if errors:
            return [denied(part[0], errors[0])], []
        if status < 300:
            return [unsure(part[0], "answered success without this object")], []
        return [refused(part[0], f"status {status}")], []

    def _priced(self, change: Change) -> Plain:
        now = self.objects[change.key.listing]
        kept = {name: value for name, value in now.items() if name not in READ_ONLY}
        return {**kept, "item_variation_data": {**now["item_variation_data"], "price_money": _money(change.after)}}


def _judged(change: Change, written: Plain, before: dict[str, Plain]) -> Receipt:
    data = written.get("item_variation_data") or {}
    if data.get("price_money") == _money(change.after) and written["version"] > before[change.key.listing]["version"]:
        return _applied(change, written, "")
    return Receipt(
        change.id,
        Outcome.REFUSED,
        "answered success, but the price was not changed",
        shows=_shows(written),
        version=written["version"],
    )


def _applied(change: Change, shown: Plain, words: str) -> Receipt:
    return Receipt(change.id, Outcome.APPLIED, words, shows=_shows(shown), version=shown["version"])


def _money(price: Plain) -> dict[str, Plain]:
    """Square's money for a price; ValueError for more decimals than the currency has, or no currency."""
    return {"amount": exact_minor(Decimal(price["amount"]), price["currency"]), "currency": price["currency"]}


def _shows(variation: Plain) -> Plain:
    money = (variation.get("item_variation_data") or {}).get("price_money")
    if not money:
        return None
    return {"amount": plain_decimal(from_minor(money["amount"], money["currency"])), "currency": money["currency"]}


def _plain(price: Plain) -> Plain:
    return {"amount": plain_decimal(Decimal(price["amount"])), "currency": price["currency"]}
