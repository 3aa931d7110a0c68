"""What documents are worked out from besides the order itself: bindings, places, executors, and what is wanted and known now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.canonical.values import Plain
from hub.channel import Channel
from hub.flow import Aspect, Key, Target
from hub.settings.model import Config, OrderRule
from hub.store.catalogue import Binding
from hub.store.orders import Order
from hub.store.targets import StoredObservation, StoredTarget

PLACED, CREDITED, FULFILLED = "placed", "credited", "fulfilled"


class NotExportableError(Exception):
    """This order cannot be booked yet; says why, for a person."""


@dataclass(frozen=True, slots=True)
class Around:
    """Everything around a set of orders, as one snapshot has it."""

    config: Config
    channels: Mapping[str, Channel]
    items: Mapping[tuple[str, str], Binding]
    """(channel, listing) → its binding."""
    listings: Mapping[tuple[str, str], Binding]
    """(channel, item) → its listing there."""
    named: Mapping[str, str]
    """SKU → item, of items that stand for kinds of lines."""
    executors: Mapping[str, str]
    """Our location → the channel that moves goods there."""
    targets: Mapping[Key, StoredTarget]
    observations: Mapping[Key, StoredObservation]
    places: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(channel, its place id) → our location."""
    bundles: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """Item that is a virtual bundle → (component item, pieces of it in one bundle)."""
    gone: Mapping[tuple[str, str], Sequence[Binding]] = field(default_factory=dict)
    """(channel, item) → the listings that it had there and that are gone."""
    flying: frozenset[Key] = frozenset()
    """What was sent, and what came of it is not known yet."""

    def rule(self, channel: str) -> OrderRule:
        """What the hub does with orders on this channel."""
        return self.config.channels[channel].orders

    def tells(self, channel: str, fact: str) -> bool:
        """Whether this fact of an order can be told to the channel."""
        known = self.channels.get(channel)
        send = known.send(Aspect.ORDER) if known is not None else None
        return send is not None and fact in send.facts

    def place_there(self, channel: str, location: str) -> str:
        """The channel's own id of our location; "" where it has none."""
        known = self.config.locations.get(location)
        return known.channels.get(channel, "") if known is not None else ""

    def title(self, location: str, channel: str) -> str:
        """How people call the place, else the channel."""
        known = self.config.locations.get(location)
        return (known.title or location) if known is not None else channel

    def told_before(self, order: Order, channel: str, fact: str) -> dict[Key, StoredTarget]:
        """The targets of such facts of the order there as they stand."""
        return {
            key: target
            for key, target in self.targets.items()
            if key.channel == channel and key.listing == order.order and key.place.partition(":")[0] == fact
        }

    def goods_of(self, item: str) -> tuple[tuple[str, int], ...]:
        """(item, pieces) that really move for one unit of the item: of a virtual bundle its components."""
        return self.bundles.get(item) or ((item, 1),)

    def item_of(self, channel: str, listing: str) -> str:
        """The item that a listing is bound to; "" where it is bound to none."""
        binding = self.items.get((channel, listing))
        return binding.item if binding is not None else ""


def target(channel: str, order: Order, fact: str, value: Plain, **because: Plain) -> tuple[Key, Target]:
    """The target of a fact of the order on a channel."""
    key = Key(channel, order.order, Aspect.ORDER, fact)
    return key, Target(key, order.order, value, {"order": order.number, **because})


def dealt(parts: Sequence[Mapping[str, Plain]], room: dict[str, int]) -> list[dict[str, Plain]]:
    """The parts as far as there is room for them by line; what is dealt is taken out of the room."""
    found: list[dict[str, Plain]] = []
    for part in parts:
        line = str(part["line"])
        taken = min(int(part["quantity"]), room.get(line, 0))
        if taken > 0:
            room[line] -= taken
            found.append({"line": line, "quantity": taken})
    return found
