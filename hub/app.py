"""The only wiring: `build` makes a hub of a configuration, a clock, transports and a store, for production, simulation and
kit alike. Nothing here knows which of them it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from hub.canonical.values import Plain
from hub.channel import Channel
from hub.clock import Clock
from hub.errors import ConfigError
from hub.files import refuse
from hub.flow import Aspect
from hub.mapping.mappings import load_mappings
from hub.merge.authority import Authority
from hub.observed import Observed
from hub.paths import data_folder, from_config, shipped_mappings
from hub.sdk.client import Client
from hub.sdk.contract import ChannelContext
from hub.sdk.fit import fit
from hub.sdk.manifest import Manifest
from hub.sdk.pace import Bucket, burst_of
from hub.sdk.registry import Registry
from hub.sdk.transport import HttpTransport
from hub.sdk.wire import Transport
from hub.settings.model import ChannelSettings, Config
from hub.settings.secrets import Secrets
from hub.store import books, orders
from hub.store.database import Database
from hub.store.deliveries import DeliveryReader
from hub.store.open import open_database
from hub.store.parties import Parties
from hub.store.tokens import Tokens
from hub.store.vault import Vault
from hub.turn import Turn
from hub.walk import Walk

ROUNDS_MAX: Final = 100_000
NOT_GRANTED: Final = "not-granted-yet"
TransportFor = Callable[[ChannelSettings], Transport]


@dataclass(frozen=True, slots=True)
class Hub:
    """A wired hub: its walk and one turn per channel, over one store."""

    config: Config
    channels: Mapping[str, Channel]
    database: Database
    vault: Vault
    clock: Clock
    walk: Walk
    turns: Mapping[str, Turn]

    def settle(self, rounds_max: int = ROUNDS_MAX) -> int:
        """Work on one thread until nothing is due at this moment of the clock; gives how many rounds that took."""
        for number in range(rounds_max):
            did = self.walk.step()
            for turn in self.turns.values():
                did = turn.step() == "worked" or did
            if not did:
                return number
        raise AssertionError(f"not at rest after {rounds_max} rounds")

    def next_at(self) -> int:
        """When the next thing is due: on any channel, or because a hold runs out or a day is over."""
        ends = [self.database.read(orders.next_expiry), self.database.read(books.next_close)]
        times = [turn.rests_until() for turn in self.turns.values()]
        return min([*times, *(end for end in ends if end is not None)])


def build(
    config: Config,
    clock: Clock,
    transport_for: TransportFor,
    database: Database,
    vault: Vault,
    *,
    registry: Registry | None = None,
    secrets: Mapping[str, Mapping[str, str]] | None = None,
    wake: Callable[[str], None] = lambda _: None,
    deliveries: DeliveryReader | None = None,
    position_file: Path | None = None,
) -> Hub:
    """The hub of this configuration; ConfigError with file and line where something does not fit.

    `secrets` (channel → name → value) stand in for the configured ones in tests and simulation.
    """
    known = registry or registry_of(config)
    refuse(fit(config, {channel.connector: known.manifest(channel.connector) for channel in config.channels.values()}))
    parties = Parties(vault, clock)

    tokens = Tokens(database, vault)

    def party(order: str) -> Mapping[str, Plain]:
        return database.read(lambda tx: parties.of(tx, order))

    channels = {
        name: channel_of(config, name, clock, transport_for, known, None if secrets is None else secrets[name], party, tokens)
        for name in config.channels
    }
    for channel in channels.values():
        channel.client.may_write = database.may_write
    walk = Walk(config, channels, database, vault, clock, wake=wake, deliveries=deliveries, position_file=position_file)
    observed = Observed(config, Authority(config))
    turns = {name: Turn(channel, config, database, vault, clock, walk, observed) for name, channel in channels.items()}
    return Hub(config, channels, database, vault, clock, walk, turns)


def registry_of(config: Config) -> Registry:
    """All connectors: the shipped ones and those in the merchant's own folders."""
    return Registry([from_config(config.folder, folder) for folder in config.hub.connectors])


def channel_of(
    config: Config,
    name: str,
    clock: Clock,
    transport_for: TransportFor,
    registry: Registry,
    secrets: Mapping[str, str] | None = None,
    party: Callable[[str], Mapping[str, Plain]] = lambda _: {},
    tokens: Tokens | None = None,
) -> Channel:
    """One channel as wired: manifest, mappings over the merchant's own, client with pace and limits, connector.

    With `tokens` what `samklang connect` was granted stands in for secrets that the configuration does not name, and ConfigError
    says when there is none; without (the receiver, `check`) a placeholder does, which signs in to nothing.
    """
    settings = config.channels[name]
    manifest = registry.manifest(settings.connector)
    values = {key: setting.default for key, setting in manifest.settings.items() if setting.default is not None}
    values.update(settings.settings)
    folders = [shipped_mappings(), *(from_config(config.folder, folder) for folder in config.hub.mappings)]
    mappings = load_mappings(folders, settings.connector, settings=values, trust_code=config.hub.trust_code)
    share = settings.pace_share if settings.pace_share else Decimal(1)
    client = Client(
        channel=name,
        transport=transport_for(settings),
        clock=clock,
        base_url=settings.base_url or manifest.base_url,
        bucket=Bucket.full(manifest.pace.per_second * share, burst_of(manifest.pace.burst, share), clock.now()),
        deadline_seconds=float(settings.deadline_seconds or manifest.limits.deadline_seconds),
        answer_bytes_max=manifest.limits.answer_bytes_max,
        short_wait_seconds_max=float(manifest.short_wait_seconds_max),
        remaining_header=manifest.pace.remaining_header,
    )
    places = {place: location.channels[name] for place, location in config.locations.items() if name in location.channels}
    context = ChannelContext(
        channel=name,
        settings=values,
        secrets=_granted(config, name, manifest, Secrets.resolve(config, name) if secrets is None else secrets, tokens),
        client=client,
        clock=clock,
        express=mappings.express,
        places=places,
        party=party,
        keep=(lambda key, value: tokens.keep(name, key, value)) if tokens is not None else lambda *_: None,
        kept=(lambda key: tokens.kept(name, key)) if tokens is not None else lambda _: "",
    )
    connector = registry.connector_class(settings.connector)(manifest, context)
    stock = manifest.sends.get(Aspect.STOCK)
    each_place = bool(settings.figures_at) and stock is not None and stock.basis == "available"
    return Channel(name, settings, manifest, mappings, connector, client, sells=bool(settings.sells_from) or each_place)


def _granted(
    config: Config, name: str, manifest: Manifest, secrets: Mapping[str, str], tokens: Tokens | None
) -> Mapping[str, str]:
    """The channel's secrets with those that a person was granted by `samklang connect`; what the configuration names wins."""
    lacking = [key for key in manifest.connect.gives if key not in secrets] if manifest.connect is not None else []
    if not lacking:
        return secrets
    known = {key: value for key, value in (tokens.granted(name) if tokens is not None else {}).items() if key in lacking}
    needed = [key for key in lacking if key not in known and not manifest.secrets[key].optional]
    if needed and tokens is not None:
        words = f"not signed in: `samklang connect {name}`, or name {', '.join(needed)} under `secrets`"
        raise ConfigError(words, config.place("channels", name))
    return Secrets({**secrets, **known, **dict.fromkeys(needed, NOT_GRANTED)})


def http_transports(clock: Clock) -> TransportFor:
    """Real HTTP for every channel."""
    return lambda settings: HttpTransport(clock, settings.trusted_ca)


def open_vault(config: Config, clock: Clock) -> Vault:
    """The vault of this configuration: the configured key, else the key file in the data folder, made when absent."""
    named = Secrets.of_hub(config).get("key", "")
    if named:
        return Vault.from_text(named, config.place("hub", "key_secret"), clock)
    return Vault.from_file(data_folder(config.folder, config.hub.folder) / "hub.key", clock)


def open_store(config: Config, clock: Clock, *, threaded: bool) -> Database:
    """The store of this configuration: SQLite in the data folder, or PostgreSQL where `database` names one."""
    where = Secrets.of_hub(config).get("database", config.hub.database)
    file = data_folder(config.folder, config.hub.folder) / "hub.db"
    return open_database(file if where == "sqlite" else where, clock=clock, threaded=threaded)
