"""What no single line can show: do the files agree with one another? Every finding says where and what to write instead."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hub.canonical.item import CLAIMED_FIELDS, LISTING_FIELDS
from hub.files import Problem, meant
from hub.paths import from_config
from hub.settings.check_orders import order_problems
from hub.settings.check_pricing import pricing_problems
from hub.settings.check_quota import quota_problems
from hub.settings.check_routing import routing_problems
from hub.settings.check_stock import stock_problems
from hub.settings.countries import COUNTRIES, no_country
from hub.settings.model import ChannelSettings, Config

NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
REFERENCE: Final = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)")
REFERENCE_WORDS: Final = "write where the secret is, `env:NAME` or `file:PATH`, never the secret itself"
LOCAL_HOSTS: Final = ("127.0.0.1", "::1", "localhost")


def check(config: Config) -> list[Problem]:
    """Everything wrong between the files of a configuration whose files are each well formed."""
    found = [
        *_hub(config),
        *_items(config),
        *stock_problems(config),
        *quota_problems(config),
        *pricing_problems(config),
        *routing_problems(config),
    ]
    found += order_problems(config)
    for channel in config.channels.values():
        found += _channel(config, channel)
    return found


def _hub(config: Config) -> Iterator[Problem]:
    hub = config.hub
    if hub.database != "sqlite" and not hub.database.startswith(("postgresql://", "env:", "file:")):
        words = "write `sqlite`, `postgresql://…`, or where such an address is: `env:NAME`, `file:PATH`"
        yield Problem(config.place("hub", "database"), f"database: {words}")
    elif hub.database.startswith("postgresql://") and urlsplit(hub.database).password:
        words = "an address with a password in it belongs in a secret: write `env:NAME` or `file:PATH`"
        yield Problem(config.place("hub", "database"), f"database: {words}")
    if hub.key_secret and not REFERENCE.fullmatch(hub.key_secret):
        yield Problem(config.place("hub", "key_secret"), f"key_secret: {REFERENCE_WORDS}")
    yield from _address(config, ("hub", "server", "public_url"), hub.server.public_url)
    for index, network in enumerate(hub.server.trusted_proxies):
        if not _is_network(network):
            where = config.place("hub", "server", "trusted_proxies", str(index))
            yield Problem(where, "server.trusted_proxies: write an address or a network, such as 10.0.0.0/8")
    for key, folders in (("connectors", hub.connectors), ("mappings", hub.mappings)):
        for index, folder in enumerate(folders):
            if not from_config(config.folder, folder).is_dir():
                where = config.place("hub", key, str(index))
                yield Problem(where, f"{key}: there is no folder `{folder}` (seen from {config.folder})")
    for index, rule in enumerate(hub.people):
        for country in rule.countries:
            if country not in COUNTRIES:
                yield Problem(config.place("hub", "people", str(index), "countries"), f"people.countries: {no_country(country)}")
    if all(rule.countries for rule in hub.people):
        words = "one rule without `countries` must say how long all other persons are kept"
        yield Problem(config.place("hub", "people"), f"people: {words}")
    for index, alert in enumerate(hub.alerts):
        if not alert.startswith(("mailto:", "https://", "http://")):
            yield Problem(config.place("hub", "alerts", str(index)), "alerts: write `mailto:ADDRESS` or `https://…`")


def _channel(config: Config, channel: ChannelSettings) -> Iterator[Problem]:
    base: tuple[str, ...] = ("channels", channel.channel)
    yield from _address(config, (*base, "base_url"), channel.base_url)
    if channel.trusted_ca and not from_config(config.folder, channel.trusted_ca).is_file():
        where = config.place(*base, "trusted_ca")
        yield Problem(where, f"trusted_ca: there is no file `{channel.trusted_ca}` (seen from {config.folder})")
    for name, reference in channel.secrets.items():
        # The text may be the secret itself, written here by mistake: it must not be repeated.
        if not REFERENCE.fullmatch(reference):
            yield Problem(config.place(*base, "secrets", name), f"secrets.{name}: {REFERENCE_WORDS}")
    if channel.orders_since and not _is_date(channel.orders_since):
        words = "write a date such as 2026-11-21, or a time with its zone"
        yield Problem(config.place(*base, "orders_since"), f"orders_since: {words}")
    yield from _words(config, (*base, "listing", "fields"), "listing.fields", channel.listing.fields, LISTING_FIELDS)
    if channel.listing.offer == "all" and not config.authority.items:
        words = "nobody is right about the items: name a channel under `items` in authority.yaml, or write `bound`"
        yield Problem(config.place(*base, "listing", "offer"), f"listing.offer: {words}")
    for key, text in (("link", channel.listing.link), ("picture", channel.listing.picture)):
        unknown = [name for name in re.findall(r"\{([^}]*)\}", text) if name not in ("sku", "listing")]
        if unknown:
            where = config.place(*base, "listing", key)
            yield Problem(where, f"listing.{key}: {{{unknown[0]}}} means nothing: write {{sku}} or {{listing}}")


def _items(config: Config) -> Iterator[Problem]:
    named: dict[str, int] = {}
    for index, entry in enumerate(config.authority.items):
        base = ("authority", "items", str(index))
        if entry.channel not in config.channels:
            words = f"there is no channel `{entry.channel}`: {meant(entry.channel, config.channels)}"
            yield Problem(config.place(*base, "channel"), f"items: {words}")
        yield from _words(config, (*base, "fields"), "items.fields", entry.fields, CLAIMED_FIELDS)
        for field in entry.fields or ("",):
            if field in named:
                other = config.authority.items[named[field]].channel
                what = f"`{field}`" if field else "all other fields"
                words = f"`{other}` and `{entry.channel}` cannot both be right about {what}: keep one"
                yield Problem(config.place(*base, "fields"), f"items: {words}")
            named.setdefault(field, index)


def _words(config: Config, base: tuple[str, ...], path: str, said: Sequence[str], allowed: Sequence[str]) -> Iterator[Problem]:
    for index, word in enumerate(said):
        if word not in allowed:
            yield Problem(config.place(*base, str(index)), f"{path}: there is no `{word}`: {meant(word, allowed)}")
        elif word in said[:index]:
            yield Problem(config.place(*base, str(index)), f"{path}: `{word}` is said twice")


def _address(config: Config, path: tuple[str, ...], address: str) -> Iterator[Problem]:
    if not address:
        return
    key, parts = path[-1], urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield Problem(config.place(*path), f"{key}: write a whole address, such as https://shop.example")
    elif parts.username or parts.password:
        yield Problem(config.place(*path), f"{key}: a name or password may not stand in an address: use `secrets`")
    elif parts.query or parts.fragment:
        yield Problem(config.place(*path), f"{key}: write the address without `?` and `#`")
    elif parts.scheme == "http" and key == "base_url" and not _is_near(parts.hostname):
        words = "http:// would carry the secrets readable over the network: write https:// (http only inside one's own)"
        yield Problem(config.place(*path), f"{key}: {words}")


def _is_near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host in LOCAL_HOSTS or "." not in host or host.endswith((".local", ".internal", ".lan"))


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        told = dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10 or told.tzinfo is not None


def file_name_problem(name: str, path: Path) -> Problem | None:
    """What is wrong with a channel's name as against its file's, or None."""
    if not NAME.fullmatch(path.stem):
        return Problem(str(path), "a channel's file is called after it: small letters, digits, - and _, then `.yaml`")
    if name != path.stem:
        return Problem(str(path), f"this file says `channel: {name}`: call it {name}.yaml, or write `channel: {path.stem}`")
    return None
