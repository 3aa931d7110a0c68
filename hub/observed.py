"""From a canonical record to what the listing shows: the observation's key and value, for every station that sees records."""

from __future__ import annotations

from collections.abc import Mapping

from hub.canonical.item import LISTING_FIELDS
from hub.canonical.values import Plain, plain_decimal
from hub.channel import Channel
from hub.flow import Aspect, Key
from hub.merge.authority import Authority
from hub.settings.model import Config


class Observed:
    """Turns records of a channel into observations of its listings."""

    def __init__(self, config: Config, authority: Authority) -> None:
        self._config = config
        self._authority = authority
        self._currency = {
            name: config.pricing.lists[rule.list].currency
            for name, rule in config.pricing.channels.items()
            if rule.list in config.pricing.lists
        }

    def of(self, channel: Channel, entity: str, record: Mapping[str, Plain]) -> tuple[Key, Plain] | None:
        """The key and value that this record shows; None when it is none of the hub's business to write it there."""
        listing = str(record["listing"])
        if entity == "stock":
            return self._stock(channel, listing, record)
        if entity == "price":
            return self._price(channel, listing, record)
        if channel.send(Aspect.LISTING) is None:
            return None
        shown = {name: record[name] for name in LISTING_FIELDS if record.get(name) is not None}
        return Key(channel.name, listing, Aspect.LISTING), shown

    def _stock(self, channel: Channel, listing: str, record: Mapping[str, Plain]) -> tuple[Key, Plain] | None:
        if channel.send(Aspect.STOCK) is None:
            return None
        place = ""
        if channel.settings.figures_at:
            location = self._authority.location(channel.name, str(record.get("place") or ""))
            if location is None or location not in channel.settings.figures_at:
                return None
            place = location
        elif not channel.settings.sells_from:
            return None
        raw, own_open = int(record["on_hand"]), int(record.get("own_open") or 0)
        value: dict[str, Plain] = {"sellable": raw - own_open, "raw": raw}
        if own_open:
            value["own_open"] = own_open
        return Key(channel.name, listing, Aspect.STOCK, place), value

    def _price(self, channel: Channel, listing: str, record: Mapping[str, Plain]) -> tuple[Key, Plain] | None:
        if channel.send(Aspect.PRICE) is None or self._currency.get(channel.name) != record["currency"]:
            return None
        value: dict[str, Plain] = {"amount": plain_decimal(record["amount"]), "currency": record["currency"]}
        if record.get("tax"):
            value["tax"] = record["tax"]
        return Key(channel.name, listing, Aspect.PRICE), value
