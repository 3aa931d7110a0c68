"""A retailer to simulate: a configuration with small platforms behind every channel, and goods that lie on shelves.

The configuration is a shipped one (a small retailer, or a larger one with seven channels) or a merchant's own folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from hub.channel import ORDERS
from hub.clock import Clock
from hub.errors import ConfigError
from hub.files import read_text
from hub.paths import from_config, shipped_config
from hub.sdk.registry import Registry
from hub.sdk.sandbox import SandboxBase
from hub.settings.load import load_text
from hub.settings.model import ChannelSettings, Config, Location, OrderRule
from hub.simulate.hands import Hands
from hub.simulate.truth import ON_SALE, Good, Truth

HOOKS: Final = "https://hub.example/hooks/"
SMALL: Final = "small"
SEVEN: Final = "seven"
WORLDS: Final = (SEVEN, SMALL)
"""The shipped retailers: two stores, a warehouse and three webshops; or one store, a warehouse and one webshop."""
PICKUP_SETTINGS: Final = ("pickup_methods", "pickup_places")
"""Settings in which a webshop's ways of fetching are named, as `code=location`."""
TILL_ROLE, BOOKS_ROLE, WEBSHOP_ROLE = "pos", "erp", "webshop"
KINDS_BOOKED: Final = {"SHIPPING": "Shipping", "OTHER": "Other", "GIFT": "Gift card", "TIP": "Tip"}
"""Items of the books that no shop sells."""
ITEMS_MAX: Final = 10_000
NOBODY_APPROVES: Final = {
    "to_zero_min": 1_000_000,
    "price_fall_percent": 100,
    "price_rise_percent": 1_000_000,
    "unexplained_pieces": None,
}
"""Guards that hold nothing for its size."""
ANY_PAYMENT: Final = "other"
_NOUNS: Final = ("T-shirt", "Mug", "Bag", "Cap", "Tea", "Lamp", "Scarf", "Bowl", "Candle", "Book")


@dataclass(frozen=True, slots=True)
class Retailer:
    """Who takes part: a configuration, its platforms by channel (hands and all), and what each of its people works with."""

    config: Config
    registry: Registry
    platforms: Mapping[str, Any]
    secrets: Mapping[str, Mapping[str, str]]
    shops: Mapping[str, str]
    """Every till → the location where it stands and which it counts."""
    books: str
    """The channel that keeps the books and ships."""
    webshops: tuple[str, ...]
    warehouse: str
    """The location from which the books' people ship."""

    @property
    def kept_by_people(self) -> tuple[str, ...]:
        """The channels whose own people list what is sold there; the others list what the hub offers them."""
        return (self.books, *self.tills, *self.webshops)

    def place(self, location: str, channel: str) -> str:
        """How this channel calls the location."""
        return self.config.locations[location].channels[channel]

    @property
    def kinds_booked(self) -> dict[str, str]:
        """SKU → title of the items of the books that no shop sells, those that the configuration names among them."""
        rule = self.config.channels[self.books].orders
        return KINDS_BOOKED | {sku: sku for sku in (*rule.items.values(), rule.catch_all_item) if sku and sku not in KINDS_BOOKED}

    @property
    def tills(self) -> tuple[str, ...]:
        """The channels at whose counters shops sell."""
        return tuple(self.shops)

    def till_of(self, location: str) -> str:
        """The till that stands there."""
        return next(till for till, where in self.shops.items() if where == location)

    def each_place(self, webshop: str) -> bool:
        """Whether this webshop shows a figure for every place and sells from each, not from all of them as one."""
        return bool(self.config.channels[webshop].figures_at)

    def fetching(self, webshop: str, location: str) -> dict[str, Any] | None:
        """How one orders there to fetch it at this location; None where one cannot."""
        if self.each_place(webshop):
            known = location in self.config.channels[webshop].figures_at
            return {"pickup": True, "place": self.place(location, webshop)} if known else None
        ways = self.config.channels[webshop].settings
        pairs = (pair.strip().partition("=") for name in PICKUP_SETTINGS for pair in str(ways.get(name, "")).split(","))
        return next(({"pickup": code} for code, _, place in pairs if place == location), None)

    def sells_from(self, channel: str) -> tuple[str, ...]:
        """The locations whose stock this channel shows as one, or each by itself."""
        about = self.config.channels[channel]
        return tuple(about.figures_at or about.sells_from)

    def takes_orders(self, channel: str) -> bool:
        """Whether customers order here what is shown, together or of each place, and the hub is to carry those orders."""
        about = self.config.channels[channel]
        shows = about.sells_from or (about.figures_at and channel in self.webshops)
        return bool(shows) and about.orders.take_in and ORDERS in self.registry.manifest(about.connector).streams


def texts_of(folder: Path) -> dict[str, str]:
    """The configuration files of this folder by name."""
    files = [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("channels/*.yaml"))]
    return {file.relative_to(folder).as_posix(): read_text(file) for file in files}


def generated(world: str = SMALL) -> Config:
    """The shipped retailer of this name, one of `WORLDS`."""
    folder = shipped_config() / world
    return load_text(texts_of(folder), str(folder))


def all_live(folder: Path) -> Config:
    """The configuration in this folder with every channel live; ConfigError with file and line."""
    config = load_text(texts_of(folder), str(folder))
    live = {name: settings.model_copy(update={"mode": "live"}) for name, settings in config.channels.items()}
    return config.model_copy(update={"channels": live})


def own(folder: Path) -> Config:
    """A merchant's own configuration with every channel live, as it will be one day, and with the places and the tax of the
    books as their small platform calls them; ConfigError with file and line. Nobody sits there to approve: what would wait at a
    guard for its size, or for who typed it, goes through."""
    config = all_live(folder)
    books = _first(config, BOOKS_ROLE)
    _demand_orders(config, books)
    kind = _registry(config).sandbox_class(config.channels[books].connector)
    repair = {"verdict": "repair"}
    channels = {
        name: about.model_copy(update={"person_edits": about.person_edits.model_copy(update=repair)})
        for name, about in config.channels.items()
    }
    channels[books] = channels[books].model_copy(update={"orders": _as_booked(channels[books].orders, kind)})
    guards = config.pricing.guards.model_copy(update=NOBODY_APPROVES)
    pricing = config.pricing.model_copy(update={"guards": guards})
    locations = _as_called(config, books, kind.own_places)
    return config.model_copy(update={"channels": channels, "locations": locations, "pricing": pricing})


def _as_called(config: Config, books: str, names: Sequence[str]) -> dict[str, Location]:
    """The locations, called by the books as their small platform does: the main one first, where it has names of its own."""
    main = _main_place(config, books)
    known = sorted((name for name, where in config.locations.items() if books in where.channels), key=lambda name: name != main)
    if names and len(names) < len(known):
        words = f"the small platform behind {books} has {len(names)} places, not {len(known)}"
        raise ConfigError(words, config.place("locations"))
    called = dict(zip(known, names, strict=False))
    return {
        name: where.model_copy(update={"channels": {**where.channels, books: called[name]}}) if name in called else where
        for name, where in config.locations.items()
    }


def _as_booked(rule: OrderRule, kind: type[SandboxBase]) -> OrderRule:
    """How the small platform books: by its own name for the tax, and whatever way of paying the small shops have."""
    update: dict[str, object] = {"suspense_payment": rule.suspense_payment or ANY_PAYMENT}
    if kind.full_tax:
        update["taxes"] = {percent: kind.full_tax if name else "" for percent, name in rule.taxes.items()}
        update["suspense_tax"] = kind.full_tax if rule.suspense_tax else ""
    return rule.model_copy(update=update)


def _demand_orders(config: Config, books: str) -> None:
    """ConfigError where what customers buy would never come to the books: then nobody could send it, nor be right about it."""
    for name, settings in config.channels.items():
        if settings.role not in (TILL_ROLE, WEBSHOP_ROLE):
            continue
        if not settings.orders.take_in:
            raise ConfigError(
                f"the simulation needs the orders of {name}: set `orders: take_in: true` and `orders_since`",
                config.place("channels", name),
            )
        if name not in config.channels[books].orders.export_from:
            raise ConfigError(
                f"the simulation needs the orders of {name} in the books: name it in `orders: export_from` of {books}",
                config.place("channels", books),
            )


def _registry(config: Config) -> Registry:
    return Registry([from_config(config.folder, folder) for folder in config.hub.connectors])


def _main_place(config: Config, books: str) -> str:
    """The first place that the books are right about and know; "" where there is none."""
    covered = [name for rule in config.authority.stock if rule.channel == books for name in rule.covers]
    return next((name for name in covered if books in config.locations[name].channels), "")


def open_shop(
    config: Config, clock: Clock, seed: int, items: int, clock_of: Callable[[str], Clock] | None = None
) -> tuple[Retailer, Truth]:
    """The platforms of this configuration in small, filled with goods: listed, and counted where they lie.

    `clock_of` gives a channel's platform another clock than this.

    ConfigError when somebody is missing whom the simulation needs: a till, an ERP, a place of each.
    """
    if not 1 <= items <= ITEMS_MAX:
        raise ConfigError(f"a retailer has 1 to {ITEMS_MAX} items")
    registry = _registry(config)
    clocks = {name: clock_of(name) if clock_of is not None else clock for name in config.channels}
    platforms = {
        name: Hands(_platform(settings, config, registry, clocks[name], seed)) for name, settings in config.channels.items()
    }
    books = _first(config, BOOKS_ROLE)
    tills = [name for name, settings in config.channels.items() if settings.role == TILL_ROLE]
    where_it_stands = {
        till: next((name for name, where in config.locations.items() if till in where.channels), "") for till in tills
    }
    shops = {till: where for till, where in where_it_stands.items() if where}
    warehouse = _main_place(config, books)
    if not shops or not warehouse:
        raise ConfigError("the simulation needs a place of the till, and one that the ERP is right about", config.folder)
    webshops = tuple(name for name, each in config.channels.items() if each.role == WEBSHOP_ROLE)
    secrets = {name: dict(_of_channel(platform)["secrets"]) for name, platform in platforms.items()}
    made = Retailer(config, registry, platforms, secrets, shops, books, webshops, warehouse)
    return made, _stocked(made, seed, items)


def _first(config: Config, role: str) -> str:
    for name, settings in config.channels.items():
        if settings.role == role:
            return name
    raise ConfigError(f"the simulation needs a channel with `role: {role}`", config.folder)


def _platform(settings: ChannelSettings, config: Config, registry: Registry, clock: Clock, seed: int) -> SandboxBase:
    kind = registry.sandbox_class(settings.connector)
    options = {name: str(value) for name, value in settings.settings.items()}
    options.update(_taxed(config))
    asks = config.pricing.channels.get(settings.channel)
    if asks is not None:
        options.setdefault("prices_tax", asks.tax)
        options.setdefault("currency", config.pricing.lists[asks.list].currency)
    places = [where.channels[settings.channel] for where in config.locations.values() if settings.channel in where.channels]
    if places and (settings.role in (TILL_ROLE, BOOKS_ROLE) or settings.figures_at):
        options["locations"] = ",".join(places)
    platform = kind(clock, seed, **options)
    if registry.manifest(settings.connector).deliveries is not None:
        platform.hook_url = HOOKS + settings.channel
    return platform


def _taxed(config: Config) -> dict[str, str]:
    """The tax that all things have, as the small platforms are told it; nothing where the configuration names none."""
    for prices in config.pricing.lists.values():
        percent = config.pricing.taxes.get(prices.country)
        if percent is None:
            continue
        if percent != int(percent):
            words = f"the simulation knows whole percents of tax only, not {percent}"
            raise ConfigError(words, config.place("pricing", "taxes", prices.country))
        return {"tax_percent": str(int(percent))}
    return {}


def _of_channel(platform: Any) -> Mapping[str, Mapping[str, str]]:
    told: Mapping[str, Mapping[str, str]] = platform.CHANNEL
    return told


def _stocked(retailer: Retailer, seed: int, items: int) -> Truth:
    """Goods with popularity by Zipf's law, everywhere listed but in the social shops, counted where they lie."""
    luck = Random(f"goods {seed}")
    platforms = retailer.platforms
    truth = Truth([], {}, {})
    for sku, title in retailer.kinds_booked.items():
        platforms[retailer.books].add_intangible(sku, title)
    for number in range(items):
        good = made_good(number, 1 / (number + 1))
        sku = good.sku
        truth.goods.append(good)
        truth.price[sku] = made_price(luck)
        for shop in retailer.shops.values():
            truth.shelf[shop, sku] = luck.randint(2, 14)
        truth.shelf[retailer.warehouse, sku] = luck.randint(8, 60)
        for name in retailer.kept_by_people:
            platforms[name].add_item(sku, good.title, price=truth.price[sku])
            truth.listed[name, sku] = ON_SALE
        for name, where in (*retailer.shops.items(), (retailer.books, retailer.warehouse)):
            _count(retailer, sku, truth.shelf[where, sku], where, name)
    return truth


def made_good(number: int, weight: float) -> Good:
    """The thing of this number (from 0), wanted so often."""
    return Good(f"SKU-{number + 1:04d}", f"{_NOUNS[number % len(_NOUNS)]} no. {number + 1}", weight)


def made_price(luck: Random) -> Decimal:
    """What a thing costs in the list, without tax."""
    return Decimal(luck.randrange(2_000, 60_000, 80)).scaleb(-2)


def _count(retailer: Retailer, sku: str, pieces: int, where: str, channel: str) -> None:
    place = retailer.place(where, channel)
    try:
        retailer.platforms[channel].count(sku, pieces, place)
    except Exception as bad:
        # Each platform in small refuses in its own words.
        words = f"{where}: the small platform behind {channel} has no place {place}"
        raise ConfigError(words, retailer.config.place("locations", where)) from bad
