"""Does the configuration fit the connectors that it names? What a channel wants against what its manifest offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.canonical.values import minor_digits
from hub.files import Problem, meant
from hub.sdk.manifest import Manifest
from hub.settings.model import ChannelSettings, Config


def fit(config: Config, manifests: Mapping[str, Manifest]) -> list[Problem]:
    """Every wish of a channel that its connector cannot meet; `manifests` by connector name. Empty when all fits."""
    found: list[Problem] = []
    for name, channel in config.channels.items():
        manifest = manifests.get(channel.connector)
        if manifest is None:
            words = f"there is no connector `{channel.connector}`: {meant(channel.connector, manifests)}"
            found.append(Problem(config.place("channels", name, "connector"), f"connector: {words}"))
            continue
        found += _sign_in(config, channel, manifest)
        found += _streams(config, channel, manifest)
        found += _sends(config, channel, manifest)
        found += _authority(config, channel, manifest)
    return found


def _sign_in(config: Config, channel: ChannelSettings, manifest: Manifest) -> Iterator[Problem]:
    base, who = ("channels", channel.channel), manifest.connector
    if channel.role not in manifest.roles:
        words = f"{who} cannot be `{channel.role}`: {meant(channel.role, manifest.roles)}"
        yield Problem(config.place(*base, "role"), f"role: {words}")
    if not channel.base_url and not manifest.base_url:
        yield Problem(config.place(*base), f"base_url: is missing: {who} has no address that is the same for everybody")
    for key in channel.settings:
        if key not in manifest.settings:
            words = f"{who} has no setting `{key}`: {meant(key, manifest.settings)}"
            yield Problem(config.place(*base, "settings", key), f"settings: {words}")
    for key, setting in manifest.settings.items():
        if setting.default is None and key not in channel.settings:
            yield Problem(config.place(*base, "settings"), f"settings.{key}: is missing: {setting.text}")
    for key in channel.secrets:
        if key not in manifest.secrets:
            words = f"{who} has no secret `{key}`: {meant(key, manifest.secrets)}"
            yield Problem(config.place(*base, "secrets", key), f"secrets: {words}")
    granted = manifest.connect.gives if manifest.connect is not None else {}
    for key, secret in manifest.secrets.items():
        # What `samklang connect` can be granted may be in the store: whoever opens that says so when it is not.
        if not secret.optional and key not in channel.secrets and key not in granted:
            words = f"is missing: {secret.text} (write `{key}: env:NAME`)"
            yield Problem(config.place(*base, "secrets"), f"secrets.{key}: {words}")


def _streams(config: Config, channel: ChannelSettings, manifest: Manifest) -> Iterator[Problem]:
    for key in channel.streams:
        if key not in manifest.streams:
            words = f"{manifest.connector} has no stream `{key}`: {meant(key, manifest.streams)}"
            yield Problem(config.place("channels", channel.channel, "streams", key), f"streams: {words}")
    if channel.orders_since and "order" in manifest.never:
        words = f"{manifest.connector} has no orders: {manifest.never['order']}; leave it out"
        yield Problem(config.place("channels", channel.channel, "orders_since"), f"orders_since: {words}")


def _sends(config: Config, channel: ChannelSettings, manifest: Manifest) -> Iterator[Problem]:
    name = channel.channel
    own = {place for entry in config.authority.stock if entry.channel == name for place in entry.covers}
    if set(channel.sells_from) - own and "stock" not in manifest.sends:
        yield Problem(config.place("channels", name, "sells_from"), f"sells_from: {_cannot(manifest, 'stock')}")
    if channel.figures_at and "stock" not in manifest.sends:
        yield Problem(config.place("channels", name, "figures_at"), f"figures_at: {_cannot(manifest, 'stock')}")
    elif channel.figures_at and not manifest.sends["stock"].located:
        words = f"{manifest.connector} keeps one figure for all: name the locations under `sells_from`"
        yield Problem(config.place("channels", name, "figures_at"), f"figures_at: {words}")
    if (channel.price_list or name in config.pricing.channels) and "price" not in manifest.sends:
        where = config.place("channels", name, "price_list") if channel.price_list else config.place("pricing", "channels", name)
        yield Problem(where, f"price_list: {_cannot(manifest, 'price')}")
    yield from _decimals(config, name, manifest)
    if channel.listing.offer == "all":
        where = config.place("channels", name, "listing", "offer")
        if "listing" not in manifest.sends:
            yield Problem(where, f"listing.offer: {_cannot(manifest, 'listing', 'write `bound`')}")
        elif not manifest.sends["listing"].create:
            yield Problem(where, f"listing.offer: {manifest.connector} cannot make listings: write `bound`")


def _decimals(config: Config, name: str, manifest: Manifest) -> Iterator[Problem]:
    """A price that they would round is not the price that was decided."""
    rule, send = config.pricing.channels.get(name), manifest.sends.get("price")
    listed = config.pricing.lists.get(rule.list) if rule is not None else None
    if send is not None and listed is not None and minor_digits(listed.currency) > send.amount_digits_max:
        most = send.amount_digits_max
        words = f"{manifest.connector} takes {most} decimals at most, and {listed.currency} has {minor_digits(listed.currency)}"
        yield Problem(config.place("pricing", "channels", name, "list"), f"list: {words}")


def _authority(config: Config, channel: ChannelSettings, manifest: Manifest) -> Iterator[Problem]:
    said = {entity for stream in manifest.streams.values() for entity in stream.maps}
    entries: list[tuple[str, int, str, str]] = []
    for index, items in enumerate(config.authority.items):
        entries.append(("items", index, items.channel, "item"))
    for index, stock in enumerate(config.authority.stock):
        entries.append(("stock", index, stock.channel, "stock"))
        if stock.channel == channel.channel and stock.demand == "read" and "order" in manifest.never:
            words = f"{manifest.connector} has no orders to read: {manifest.never['order']}"
            yield Problem(config.place("authority", "stock", str(index), "demand"), f"stock.demand: {words}")
    for index, prices in enumerate(config.authority.prices):
        entries.append(("prices", index, prices.channel, "price"))
    for part, index, name, entity in entries:
        if name == channel.channel and entity not in said:
            where = config.place("authority", part, str(index), "channel")
            yield Problem(where, f"{part}: {manifest.connector} never says anything about {part}: name another channel")


def _cannot(manifest: Manifest, aspect: str, instead: str = "leave this out") -> str:
    reason = manifest.never.get(aspect, "")
    return f"{manifest.connector} takes no {aspect} from outside{f' ({reason})' if reason else ''}: {instead}"
