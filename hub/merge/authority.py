"""Authority: who is right about what, compiled from the configuration into look-ups."""

from __future__ import annotations

from dataclasses import dataclass

from hub.canonical.item import CLAIMED_FIELDS
from hub.settings.model import Config, StockAuthority


@dataclass(frozen=True, slots=True)
class StockPlace:
    """Where a channel's figure belongs: our place key (one location, or several joined with "+") and the declaration."""

    place: str
    authority: StockAuthority


class Authority:
    """Answers, for a channel: may it claim this, and under which of our places."""

    def __init__(self, config: Config) -> None:
        self._places = config.locations_by_place()
        self._stock: dict[tuple[str, str], StockPlace] = {}
        self.figure_of: dict[str, StockPlace] = {}
        """Location → the figure that is about it."""
        for authority in config.authority.stock:
            for name in authority.covers:
                place = name if authority.each else "+".join(sorted(authority.covers))
                self._stock[(authority.channel, name)] = StockPlace(place, authority)
                self.figure_of[name] = StockPlace(place, authority)
        self._lists = {(a.channel, a.platform_list): a.list for a in config.authority.prices}
        self._fields = self._item_fields(config)
        self.item_channels = tuple(a.channel for a in config.authority.items)
        self.naming_channels = tuple(c for c in self.item_channels if "sku" in self.item_fields(c)) or self.item_channels
        """The channels that say which items there are: those that are right about the SKU."""
        self.price_channel = {a.list: a.channel for a in config.authority.prices}

    def location(self, channel: str, platform_place: str) -> str | None:
        """Our location for a channel's own place id; None when the configuration names none."""
        return self._places.get((channel, platform_place))

    def stock_place(self, channel: str, location: str) -> StockPlace | None:
        """The place that this channel's figure for a location is a claim about; None when it has no authority there."""
        return self._stock.get((channel, location))

    def single_stock_place(self, channel: str) -> str | None:
        """The location of a channel that keeps one pool only (its figures name no place); None when that is not clear."""
        known = [name for (owner, _), name in self._places.items() if owner == channel]
        # A pool has no id of its own: what the channel is right about says where it is, when that is one figure.
        covered = {stock.place: name for (owner, name), stock in self._stock.items() if owner == channel}
        known = known or list(covered.values())
        # A figure over several locations names none of them: any that it covers stands for it.
        figures = {stock.place if (stock := self._stock.get((channel, name))) else name for name in known}
        return known[0] if len(figures) == 1 else None

    def price_list(self, channel: str, platform_list: str) -> str | None:
        """Our price list that this channel's price is a claim about; None when it has no authority over one."""
        return self._lists.get((channel, platform_list))

    def item_fields(self, channel: str) -> frozenset[str]:
        """The item fields that this channel is right about."""
        return self._fields.get(channel, frozenset())

    @staticmethod
    def _item_fields(config: Config) -> dict[str, frozenset[str]]:
        named = {field for a in config.authority.items for field in a.fields}
        return {a.channel: frozenset(a.fields) if a.fields else frozenset(CLAIMED_FIELDS) - named for a in config.authority.items}
