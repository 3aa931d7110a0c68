"""A retailer to simulate: a configuration with small platforms behind every channel, and goods that lie on shelves.

The configuration is the shipped one (with more webshops, where they are asked for) or a merchant's own folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from hub.clock import Clock
from hub.errors import ConfigError
from hub.files import read_text
from hub.paths import from_config, shipped_config
from hub.sdk.registry import Registry
from hub.sdk.sandbox import SandboxBase
from hub.settings.load import load_text
from hub.settings.model import ChannelSettings, Config
from hub.simulate.truth import Good, Truth

HOOKS: Final = "https://hub.example/hooks/"
SHIPPED: Final = "simulation"
TILL_ROLE, BOOKS_ROLE, WEBSHOP_ROLE = "pos", "erp", "webshop"
KINDS_BOOKED: Final = {"SHIPPING": "Shipping", "OTHER": "Other", "GIFT": "Gift card", "TIP": "Tip"}
"""Items of the books that no shop sells."""
ITEMS_MAX: Final = 10_000
_NOUNS: Final = ("T-shirt", "Mug", "Bag", "Cap", "Tea", "Lamp", "Scarf", "Bowl", "Candle", "Book")


@dataclass(frozen=True, slots=True)
class Retailer:
    """Who takes part: a configuration, its platforms by channel (hands and all), and what each of its people works with."""

    config: Config
    registry: Registry
    platforms: Mapping[str, Any]
    secrets: Mapping[str, Mapping[str, str]]
    till: str
    """The channel at whose counter the shop sells."""
    books: str
    """The channel that keeps the books and ships."""
    webshops: tuple[str, ...]
    shop: str
    """The location of the till."""
    warehouse: str
    """The location from which the books' people ship."""

    def place(self, location: str, channel: str) -> str:
        """How this channel calls the location."""
        return self.config.locations[location].channels[channel]

    def pickup_code(self, webshop: str) -> str:
        """The shipping method of this webshop with which an order is fetched in the shop; "" when there is none."""
        named = str(self.config.channels[webshop].settings.get("pickup_methods", ""))
        pairs = (pair.strip().partition("=") for pair in named.split(","))
        return next((code for code, _, place in pairs if place == self.shop), "")

    def sells_from(self, channel: str) -> tuple[str, ...]:
        """The locations whose stock this channel shows as one."""
        return tuple(self.config.channels[channel].sells_from)


def texts_of(folder: Path) -> dict[str, str]:
    """The configuration files of this folder by name."""
    files = [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("channels/*.yaml"))]
    return {file.relative_to(folder).as_posix(): read_text(file) for file in files}


def generated(webshops: int = 1) -> Config:
    """The shipped retailer, with so many webshops of one kind."""
    folder = shipped_config() / SHIPPED
    texts = texts_of(folder)
    for number in range(2, webshops + 1):
        name = f"webshop{number}"
        about = texts["channels/webshop.yaml"].replace("\nchannel: webshop\n", f"\nchannel: {name}\n")
        texts[f"channels/{name}.yaml"] = about.replace("https://webshop.", f"https://{name}.")
        texts["pricing.yaml"] = re.sub(r"(?m)^(  webshop)(: .*)$", rf"\1\2\n  {name}\2", texts["pricing.yaml"], count=1)
        texts["locations.yaml"] = re.sub(r"(?m)^(    webshop)(: .*)$", rf"\1\2\n    {name}\2", texts["locations.yaml"])
        for file in ("channels/till.yaml", "channels/erp.yaml"):
            texts[file] = re.sub(r"(export_from: \[)", rf"\g<1>{name}, ", texts[file])
    return load_text(texts, str(folder))


def own(folder: Path) -> Config:
    """A merchant's own configuration with every channel live, as it will be one day; ConfigError with file and line."""
    config = load_text(texts_of(folder), str(folder))
    live = {name: settings.model_copy(update={"mode": "live"}) for name, settings in config.channels.items()}
    return config.model_copy(update={"channels": live})


def open_shop(config: Config, clock: Clock, seed: int, items: int) -> tuple[Retailer, Truth]:
    """The platforms of this configuration in small, filled with goods: listed, and counted where they lie.

    ConfigError when somebody is missing whom the simulation needs: a till, an ERP, a place of each.
    """
    if not 1 <= items <= ITEMS_MAX:
        raise ConfigError(f"a retailer has 1 to {ITEMS_MAX} items")
    registry = Registry([from_config(config.folder, folder) for folder in config.hub.connectors])
    platforms = {name: _platform(settings, config, registry, clock, seed) for name, settings in config.channels.items()}
    till, books = _first(config, TILL_ROLE), _first(config, BOOKS_ROLE)
    shop = next((name for name, where in config.locations.items() if till in where.channels), "")
    covered = [name for rule in config.authority.stock if rule.channel == books for name in rule.covers]
    warehouse = next((name for name in covered if books in config.locations[name].channels), "")
    if not shop or not warehouse:
        raise ConfigError("the simulation needs a place of the till, and one that the ERP is right about", config.folder)
    webshops = tuple(name for name, each in config.channels.items() if each.role == WEBSHOP_ROLE)
    secrets = {name: dict(_of_channel(platform)["secrets"]) for name, platform in platforms.items()}
    made = Retailer(config, registry, platforms, secrets, till, books, webshops, shop, warehouse)
    return made, _stocked(made, seed, items)


def _first(config: Config, role: str) -> str:
    for name, settings in config.channels.items():
        if settings.role == role:
            return name
    raise ConfigError(f"the simulation needs a channel with `role: {role}`", config.folder)


def _platform(settings: ChannelSettings, config: Config, registry: Registry, clock: Clock, seed: int) -> SandboxBase:
    kind = registry.sandbox_class(settings.connector)
    options = {name: str(value) for name, value in settings.settings.items()}
    places = [where.channels[settings.channel] for where in config.locations.values() if settings.channel in where.channels]
    if settings.role == TILL_ROLE and places:
        options["locations"] = ",".join(places)
    platform = kind(clock, seed, **options)
    if registry.manifest(settings.connector).deliveries is not None:
        platform.hook_url = HOOKS + settings.channel
    return platform


def _of_channel(platform: Any) -> Mapping[str, Mapping[str, str]]:
    told: Mapping[str, Mapping[str, str]] = platform.CHANNEL
    return told


def _stocked(retailer: Retailer, seed: int, items: int) -> Truth:
    """Goods with popularity by Zipf's law, everywhere listed but in the social shops, counted where they lie."""
    luck = Random(f"goods {seed}")
    platforms = retailer.platforms
    truth = Truth([], {}, {})
    for sku, title in KINDS_BOOKED.items():
        platforms[retailer.books].add_intangible(sku, title)
    for number in range(items):
        sku = f"SKU-{number + 1:04d}"
        good = Good(sku, f"{_NOUNS[number % len(_NOUNS)]} no. {number + 1}", 1 / (number + 1))
        truth.goods.append(good)
        truth.price[sku] = Decimal(luck.randrange(2_000, 60_000, 80)).scaleb(-2)
        truth.shelf[retailer.shop, sku] = luck.randint(2, 14)
        truth.shelf[retailer.warehouse, sku] = luck.randint(8, 60)
        for name in (retailer.books, retailer.till, *retailer.webshops):
            platforms[name].add_item(sku, good.title, price=truth.price[sku])
        for where, name in ((retailer.shop, retailer.till), (retailer.warehouse, retailer.books)):
            _count(retailer, sku, truth.shelf[where, sku], where, name)
    return truth


def _count(retailer: Retailer, sku: str, pieces: int, where: str, channel: str) -> None:
    place = retailer.place(where, channel)
    try:
        retailer.platforms[channel].count(sku, pieces, place)
    except Exception as bad:
        # Each platform in small refuses in its own words.
        words = f"{where}: the small platform behind {channel} has no place {place}"
        raise ConfigError(words, retailer.config.place("locations", where)) from bad
