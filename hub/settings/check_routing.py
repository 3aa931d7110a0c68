"""Where places are and which of them deliver: do locations.yaml and routing.yaml agree with the rest?

A place that delivers has goods that may be sold and a figure that somebody is right about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.files import Problem, meant
from hub.settings.countries import COUNTRIES, no_country
from hub.settings.model import Config, RoutingRule

Path = tuple[str, ...]


def routing_problems(config: Config) -> Iterator[Problem]:
    """Everything wrong about where places are, and about the rules of routing.yaml."""
    for name, location in config.locations.items():
        where = config.place("locations", name, "country")
        if location.country and location.country not in COUNTRIES:
            yield Problem(where, f"{name}.country: {no_country(location.country)}")
        elif location.postal_code and not location.country:
            where = config.place("locations", name, "postal_code")
            yield Problem(where, f"{name}.postal_code: say the `country` as well, a code alone is in no place")
    yield from _places(config, ("routing", "priority"), "priority", config.routing.priority)
    everything: dict[str, int] = {}
    for index, rule in enumerate(config.routing.rules):
        base = ("routing", "rules", str(index))
        yield from _rule(config, rule, base, f"rules.{index}")
        reached = rule.channels or tuple(config.channels)
        if all(channel in everything for channel in reached):
            words = f"never reached: rule {everything[reached[0]]} before it holds for every line; put this one above it"
            yield Problem(config.place(*base), f"rules.{index}: {words}")
        if not rule.skus and not rule.categories and not rule.countries:
            everything.update({channel: index for channel in reached if channel not in everything})


def _rule(config: Config, rule: RoutingRule, base: Path, label: str) -> Iterator[Problem]:
    for order, channel in enumerate(rule.channels):
        if channel not in config.channels:
            words = f"there is no channel `{channel}`: {meant(channel, config.channels)}"
            yield Problem(config.place(*base, "channels", str(order)), f"{label}.channels: {words}")
    for order, country in enumerate(rule.countries):
        if country not in COUNTRIES:
            yield Problem(config.place(*base, "countries", str(order)), f"{label}.countries: {no_country(country)}")
    yield from _places(config, (*base, "places"), f"{label}.places", rule.places)
    yield from _places(config, (*base, "never"), f"{label}.never", rule.never, delivering=False)
    yield from _places(config, (*base, "keep_back"), f"{label}.keep_back", tuple(rule.keep_back), delivering=False)
    for name, kept in rule.keep_back.items():
        if kept < 0:
            yield Problem(config.place(*base, "keep_back", name), f"{label}.keep_back.{name}: at least 0 is wanted")
    if rule.backorder_place:
        yield from _places(config, (*base, "backorder_place"), f"{label}.backorder_place", (rule.backorder_place,))
    for order, name in enumerate(rule.places):
        if name in rule.never:
            words = f"`{name}` is under `never` as well: keep it in one of them"
            yield Problem(config.place(*base, "places", str(order)), f"{label}.places: {words}")
    for order, word in enumerate(rule.by):
        if word in rule.by[:order]:
            yield Problem(config.place(*base, "by", str(order)), f"{label}.by: `{word}` is said twice")
    if "by" in rule.model_fields_set and "nearest" in rule.by and not any(each.country for each in config.locations.values()):
        words = "nothing is near or far: write `country` and `postal_code` of the places in locations.yaml"
        yield Problem(config.place(*base, "by", str(rule.by.index("nearest"))), f"{label}.by: {words}")


def _places(config: Config, path: Path, label: str, names: Sequence[str], *, delivering: bool = True) -> Iterator[Problem]:
    right = {name for entry in config.authority.stock for name in entry.covers}
    shared = {name: entry.covers[0] for entry in config.authority.stock if not entry.each for name in entry.covers[1:]}
    for order, name in enumerate(names):
        where = config.place(*path, str(order)) or config.place(*path)
        if name not in config.locations:
            yield Problem(where, f"{label}: there is no location `{name}`: {meant(name, config.locations)}")
        elif name in names[:order]:
            yield Problem(where, f"{label}: `{name}` is said twice")
        elif delivering and not config.locations[name].sellable:
            yield Problem(where, f"{label}: goods at `{name}` may not be sold (locations.yaml): leave it out")
        elif delivering and name not in right:
            words = f"nobody is right about the stock of `{name}`: name it under `stock: covers:` in authority.yaml"
            yield Problem(where, f"{label}: {words}")
        elif name in shared:
            yield Problem(where, f"{label}: the figure of `{name}` is one with that of `{shared[name]}`: name that one instead")
