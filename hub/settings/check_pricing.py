"""Price lists, currencies, taxes, and who is right about which list: do they agree?

The hub converts no currency, adds no tax that nobody declared, and never sends a price to the channel that is right about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from hub.canonical.currencies import MINOR_DIGITS
from hub.files import Problem, meant
from hub.settings.countries import COUNTRIES, no_country
from hub.settings.model import ChannelPricing, Config

PERCENT_MAX: Final = 100


def pricing_problems(config: Config) -> Iterator[Problem]:
    """Everything wrong about lists, the prices made from them, taxes, and the authority over lists."""
    yield from _lists(config)
    right: dict[str, str] = {}
    yield from _authority(config, right)
    yield from _taxes(config)
    for name, pricing in config.pricing.channels.items():
        yield from _channel_pricing(config, name, pricing)
    yield from _shown(config, right)


def _lists(config: Config) -> Iterator[Problem]:
    for name, price_list in config.pricing.lists.items():
        base = ("pricing", "lists", name)
        if price_list.currency not in MINOR_DIGITS:
            yield Problem(config.place(*base, "currency"), f"lists.{name}.currency: {_no_currency(price_list.currency)}")
        if price_list.country and price_list.country not in COUNTRIES:
            yield Problem(config.place(*base, "country"), f"lists.{name}.country: {no_country(price_list.country)}")


def _authority(config: Config, right: dict[str, str]) -> Iterator[Problem]:
    # Fills `right`: list → the channel that is right about it.
    sources: dict[tuple[str, str], str] = {}
    for index, entry in enumerate(config.authority.prices):
        base = ("authority", "prices", str(index))
        if entry.channel not in config.channels:
            words = f"there is no channel `{entry.channel}`: {meant(entry.channel, config.channels)}"
            yield Problem(config.place(*base, "channel"), f"prices: {words}")
        if entry.list not in config.pricing.lists:
            yield Problem(config.place(*base, "list"), f"prices: {_no_list(config, entry.list)}")
        elif entry.list in right:
            words = f"`{right[entry.list]}` and `{entry.channel}` cannot both be right about list `{entry.list}`: keep one"
            yield Problem(config.place(*base, "list"), f"prices: {words}")
        source = (entry.channel, entry.platform_list)
        if sources.get(source, entry.list) != entry.list:
            words = f"list `{sources[source]}` is filled from the same list of {entry.channel}: write another `platform_list`"
            yield Problem(config.place(*base, "platform_list"), f"prices: {words}")
        sources.setdefault(source, entry.list)
        right.setdefault(entry.list, entry.channel)


def _taxes(config: Config) -> Iterator[Problem]:
    rates: list[tuple[tuple[str, ...], Decimal]] = []
    for country, rate in config.pricing.taxes.items():
        rates.append((("taxes", country), rate))
    for country, by_category in config.pricing.tax_by_category.items():
        rates += [(("tax_by_category", country, name), rate) for name, rate in by_category.items()]
    for path, rate in rates:
        country = path[1]
        where, label = config.place("pricing", *path), ".".join(path)
        if country not in COUNTRIES:
            yield Problem(where, f"{label}: {no_country(country)}")
        if not 0 <= rate <= PERCENT_MAX:
            yield Problem(where, f"{label}: a percentage from 0 to {PERCENT_MAX} is wanted")


def _channel_pricing(config: Config, name: str, pricing: ChannelPricing) -> Iterator[Problem]:
    base, label = ("pricing", "channels", name), f"channels.{name}"
    if name not in config.channels:
        yield Problem(config.place(*base), f"{label}: there is no channel `{name}`: {meant(name, config.channels)}")
    source = config.pricing.lists.get(pricing.list)
    if source is None:
        yield Problem(config.place(*base, "list"), f"{label}.list: {_no_list(config, pricing.list)}")
        return
    if pricing.currency and pricing.currency != source.currency:
        words = f"the list is in {source.currency} and the hub converts no currency: write {source.currency} or another list"
        yield Problem(config.place(*base, "currency"), f"{label}.currency: {words}")
    if pricing.tax != source.tax and not source.country:
        words = f"tax must be {'added' if pricing.tax == 'included' else 'taken out'}: say the `country` of list `{pricing.list}`"
        yield Problem(config.place(*base, "tax"), f"{label}.tax: {words}")
    elif pricing.tax != source.tax and source.country not in config.pricing.taxes:
        words = f"no rate is declared for {source.country}: write `taxes: {{{source.country}: …}}` in pricing.yaml"
        yield Problem(config.place(*base, "tax"), f"{label}.tax: {words}")
    yield from _ending(config, base, pricing.ending, MINOR_DIGITS.get(source.currency, 2))


def _ending(config: Config, base: tuple[str, ...], ending: Decimal | None, digits: int) -> Iterator[Problem]:
    if ending is None:
        return
    scaled = ending.scaleb(digits)
    if not 0 <= ending < 1 or scaled != scaled.to_integral_value():
        words = f"the part after the point is wanted, at least 0 and below 1, with at most {digits} decimals"
        yield Problem(config.place(*base, "ending"), f"{'.'.join(base[1:])}.ending: {words}")


def _shown(config: Config, right: Mapping[str, str]) -> Iterator[Problem]:
    """Each channel's list: known, the same in both files, someone right about it, and not the channel itself."""
    for name, channel in config.channels.items():
        pricing = config.pricing.channels.get(name)
        shown = channel.price_list
        path: tuple[str, ...] = ("channels", name, "price_list")
        if shown and shown not in config.pricing.lists:
            yield Problem(config.place(*path), f"price_list: {_no_list(config, shown)}")
            continue
        if shown and pricing and pricing.list != shown:
            words = f"pricing.yaml makes this channel's prices from `{pricing.list}`: write the same list in both"
            yield Problem(config.place(*path), f"price_list: {words}")
        if not shown and pricing:
            shown, path = pricing.list, ("pricing", "channels", name, "list")
        if not shown or shown not in config.pricing.lists:
            continue
        if shown not in right:
            words = f"nobody is right about list `{shown}`: name a channel under `prices` in authority.yaml"
            yield Problem(config.place(*path), f"{path[-1]}: {words}")
        elif right[shown] == name:
            words = f"{name} is itself right about list `{shown}` and is never sent its prices: leave this out"
            yield Problem(config.place(*path), f"{path[-1]}: {words}")


def _no_list(config: Config, name: str) -> str:
    return f"there is no list `{name}` in pricing.yaml: {meant(name, config.pricing.lists)}"


def _no_currency(code: str) -> str:
    upper = code.upper()
    return f"`{code[:10]}` is no currency: {f'write {upper}' if upper in MINOR_DIGITS else 'write its three letters (DKK, EUR)'}"
