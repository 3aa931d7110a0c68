"""One channel as wired: its settings, manifest, mappings, connector and client, handed to every station that works for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.mapping.mappings import Mappings
from hub.sdk.client import Client
from hub.sdk.contract import Connector
from hub.sdk.manifest import Manifest, Send
from hub.settings.model import ChannelSettings, StreamRhythm

ORDERS: Final = "orders"
"""The stream that orders are read from, by every connector that has them."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that works: everything that reading, understanding and pushing need to know of it."""

    name: str
    settings: ChannelSettings
    manifest: Manifest
    mappings: Mappings
    connector: Connector
    client: Client
    sells: bool = False
    """Whether customers can buy here: it sells from locations together, or shows of each what may be bought."""

    @property
    def takes_orders(self) -> bool:
        """Whether customers order here and the hub carries those orders."""
        return self.sells and self.settings.orders.take_in and ORDERS in self.manifest.streams

    def rhythm(self, stream: str) -> StreamRhythm:
        """How often the stream is read: as configured, else the default rhythm."""
        return self.settings.streams.get(stream, StreamRhythm())

    def send(self, aspect: str) -> Send | None:
        """How this aspect is written; None when the connector cannot."""
        return self.manifest.sends.get(aspect)

    def streams_about(self, entity: str) -> tuple[str, ...]:
        """The streams whose records speak of this entity, in the manifest's order."""
        return tuple(name for name, stream in self.manifest.streams.items() if entity in stream.maps)

    def speaks_of(self, named: str, entity: str) -> bool:
        """Whether the stream, or the topic of deliveries, of this name speaks of this entity."""
        declared = self.manifest.deliveries
        topic = declared.topics.get(named) if declared is not None else None
        return (topic.stream if topic is not None else named) in self.streams_about(entity)

    def heard_about(self, entity: str, heard: Collection[tuple[str, str]]) -> bool:
        """Whether something that speaks of this entity was read to its end once, by the (channel, stream) that were."""
        return any((self.name, stream) in heard for stream in self.streams_about(entity))

    def lookup_stream(self, entity: str) -> str:
        """The stream whose look-up gives the current record of one listing for this entity; "" when there is none."""
        able = [name for name in self.streams_about(entity) if self.manifest.streams[name].look_up]
        return able[-1] if able else ""


def all_heard(names: Iterable[str], channels: Mapping[str, Channel], heard: Collection[tuple[str, str]]) -> bool:
    """Whether each of these, of those that are there, has told of all its items once."""
    return all(channels[name].heard_about("item", heard) for name in names if name in channels)
